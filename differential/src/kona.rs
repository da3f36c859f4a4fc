//! The published pipeline over a generated world, driven as its own driver does.

use crate::{
    l2::Attributes,
    mended,
    parameters::{
        BASE_FEE, BATCH_INBOX, DEPOSIT_CONTRACT, L1_CHAIN_ID, L2_CHAIN_ID, Parameters,
        SYSTEM_CONFIG, Upgrade,
    },
    run::{Derivation, Halt, Run, Shared},
};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;
use async_trait::async_trait;
use kona_alloy_consensus::{BlockBody, Header, Receipt, ReceiptEnvelope, TxEnvelope};
use kona_alloy_eips::{
    BlockNumHash,
    eip2718::Decodable2718,
    eip4844::{Blob, IndexedBlobHash},
};
use kona_derive::{
    ActivationSignal, AttributesQueue, BatchProvider, BatchStream, BlobProvider, BlobProviderError,
    ChainProvider, ChannelProvider, ChannelReader, DerivationPipeline, EthereumDataSource,
    FrameQueue, L1Retrieval, L2ChainProvider, OriginProvider, Pipeline, PipelineError,
    PipelineErrorKind, PollingTraversal, ResetError, ResetSignal, Signal, SignalReceiver,
    StatefulAttributesBuilder, StepResult,
};
use kona_genesis::{BaseFeeConfig, ChainGenesis, HardForkConfig, RollupConfig, SystemConfig};
use kona_op_alloy_consensus::{OpBlock, OpTxEnvelope};
use kona_protocol::{BatchValidationProvider, BlockInfo, L2BlockInfo};
use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

type Data = EthereumDataSource<Provider, Provider>;
type Builder = StatefulAttributesBuilder<Provider, Provider>;
type Frames = FrameQueue<L1Retrieval<Data, PollingTraversal<Provider>>>;
type Spans = BatchStream<mended::Reader<ChannelReader<ChannelProvider<Frames>>>, Provider>;
type Stages = AttributesQueue<BatchProvider<mended::Stream<Spans>, Provider>, Builder>;

/// More steps without attributes than any history takes.
const MAX_STEPS: usize = 100_000;

/// A run of kona's pipeline that starts after the world's safe head.
///
/// # Errors
/// When the pipeline cannot start there.
pub fn start(world: Shared) -> Result<Run, Halt> {
    let config = Arc::new(rollup_config(&world.lock().parameters));
    let provider = Provider { world: world.clone(), config: config.clone() };
    let safe = provider.safe();
    let timeout = config.channel_timeout(safe.block_info.timestamp);
    let first = safe.l1_origin.number.saturating_sub(timeout).max(config.genesis.l1.number);
    let origin = provider.l1_block(first).ok_or_else(|| Halt::Critical("no start".into()))?;
    let data = EthereumDataSource::new_from_parts(provider.clone(), provider.clone(), &config);
    let builder =
        StatefulAttributesBuilder::new(config.clone(), provider.clone(), provider.clone());
    let mut traversal = PollingTraversal::new(provider.clone(), config.clone());
    traversal.block = Some(origin);
    let frames = FrameQueue::new(L1Retrieval::new(traversal, data), config.clone());
    let channels = ChannelProvider::new(config.clone(), frames);
    let notes = mended::Notes::default();
    let inner = ChannelReader::new(channels, config.clone());
    let reader = mended::Reader { inner, notes: notes.clone() };
    let stream = mended::Stream {
        inner: BatchStream::new(reader, config.clone(), provider.clone()),
        notes,
        block_time: config.block_time,
        holocene_time: config.hardforks.holocene_time,
    };
    let batches = BatchProvider::new(config.clone(), stream, provider.clone());
    let stages = AttributesQueue::new(config.clone(), batches, builder);
    let pipeline = DerivationPipeline::new(stages, config, provider.clone());
    let mut side = Side { pipeline, provider };
    let reset = ResetSignal { l2_safe_head: safe, l1_origin: origin, system_config: None };
    side.signal(reset.signal())?;
    Ok(Run::new(Box::new(side), world))
}

struct Side {
    pipeline: DerivationPipeline<Stages, Provider>,
    provider: Provider,
}

impl Side {
    fn signal(&mut self, signal: Signal) -> Result<(), Halt> {
        block_on(self.pipeline.signal(signal)).map_err(critical)
    }

    /// Resets the pipeline after an error that asks for it.
    fn reset(&mut self, error: &ResetError, safe: L2BlockInfo) -> Result<(), Halt> {
        let l1_origin = self.pipeline.origin().ok_or_else(|| Halt::Critical("no origin".into()))?;
        let signal = if matches!(error, ResetError::HoloceneActivation) {
            ActivationSignal { l2_safe_head: safe, l1_origin, system_config: None }.signal()
        } else {
            ResetSignal { l2_safe_head: safe, l1_origin, system_config: None }.signal()
        };
        self.signal(signal)
    }
}

impl Derivation for Side {
    fn next(&mut self) -> Result<Option<Attributes>, Halt> {
        let safe = self.provider.safe();
        let mut last = String::new();
        for _ in 0..MAX_STEPS {
            match block_on(self.pipeline.step(safe)) {
                StepResult::PreparedAttributes | StepResult::AdvancedOrigin => {}
                StepResult::OriginAdvanceErr(error) | StepResult::StepFailed(error) => {
                    match error {
                        PipelineErrorKind::Critical(PipelineError::EndOfSource) => return Ok(None),
                        PipelineErrorKind::Temporary(error) => last = error.to_string(),
                        PipelineErrorKind::Reset(error) => {
                            last = error.to_string();
                            self.reset(&error, safe)?;
                        }
                        error @ PipelineErrorKind::Critical(_) => return Err(critical(error)),
                    }
                }
            }
            if let Some(attributes) = self.pipeline.next() {
                return Ok(Some(plain(attributes.inner)));
            }
        }
        Err(Halt::Stuck(last))
    }

    fn origin_time(&self) -> u64 {
        self.pipeline.origin().map_or(0, |origin| origin.timestamp)
    }

    fn replaced(&mut self) {
        self.signal(Signal::FlushChannel).expect("flushing reads nothing");
    }

    fn dropped(&mut self) {}
}

fn critical(error: PipelineErrorKind) -> Halt {
    Halt::Critical(error.to_string())
}

fn plain(attributes: kona_op_alloy_rpc_types_engine::OpPayloadAttributes) -> Attributes {
    let payload = attributes.payload_attributes;
    assert_eq!(attributes.no_tx_pool, Some(true), "derived attributes use no pool");
    Attributes {
        timestamp: payload.timestamp,
        prev_randao: payload.prev_randao,
        fee_recipient: payload.suggested_fee_recipient,
        gas_limit: attributes.gas_limit.expect("derived attributes have a gas limit"),
        parent_beacon_block_root: payload.parent_beacon_block_root,
        eip_1559_params: attributes.eip_1559_params.map(|params| params.0),
        transactions: attributes.transactions.unwrap_or_default(),
    }
}

fn rollup_config(parameters: &Parameters) -> RollupConfig {
    let time = |upgrade: Upgrade| parameters.upgrades[upgrade as usize];
    let genesis = parameters.genesis_config;
    let (number, hash) = parameters.genesis_l1;
    RollupConfig {
        genesis: ChainGenesis {
            l1: BlockNumHash { number, hash },
            l2: BlockNumHash { number: 0, hash: parameters.genesis_l2 },
            l2_time: parameters.genesis_time,
            system_config: Some(SystemConfig {
                batcher_address: genesis.batcher,
                overhead: genesis.overhead,
                scalar: genesis.scalar,
                gas_limit: genesis.gas_limit,
                eip1559_denominator: genesis.eip_1559.map(|(denominator, _)| denominator),
                eip1559_elasticity: genesis.eip_1559.map(|(_, elasticity)| elasticity),
                ..Default::default()
            }),
        },
        block_time: parameters.block_time,
        max_sequencer_drift: parameters.max_sequencer_drift,
        seq_window_size: parameters.seq_window_size,
        channel_timeout: parameters.channel_timeout,
        granite_channel_timeout: parameters.granite_channel_timeout,
        l1_chain_id: L1_CHAIN_ID,
        l2_chain_id: L2_CHAIN_ID.into(),
        hardforks: HardForkConfig {
            regolith_time: time(Upgrade::Regolith),
            canyon_time: time(Upgrade::Canyon),
            delta_time: time(Upgrade::Delta),
            ecotone_time: time(Upgrade::Ecotone),
            fjord_time: time(Upgrade::Fjord),
            granite_time: time(Upgrade::Granite),
            holocene_time: time(Upgrade::Holocene),
            pectra_blob_schedule_time: parameters.pectra_blob_schedule_time,
            isthmus_time: time(Upgrade::Isthmus),
            ..Default::default()
        },
        batch_inbox_address: BATCH_INBOX,
        deposit_contract_address: DEPOSIT_CONTRACT,
        l1_system_config_address: SYSTEM_CONFIG,
        chain_op_config: BaseFeeConfig {
            eip1559_elasticity: BASE_FEE.0.into(),
            eip1559_denominator: BASE_FEE.1.into(),
            eip1559_denominator_canyon: BASE_FEE.2.into(),
        },
        ..Default::default()
    }
}

/// Runs a future that never waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("data in memory needs no waiting"),
    }
}

/// Why the world has no answer.
#[derive(Debug, thiserror::Error)]
enum ProviderError {
    #[error("the L1 head is reached")]
    EndOfL1,
    #[error("{0} is missing")]
    Missing(&'static str),
}

impl From<ProviderError> for PipelineErrorKind {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::EndOfL1 => PipelineError::EndOfSource.crit(),
            ProviderError::Missing(_) => PipelineError::Provider(error.to_string()).temp(),
        }
    }
}

/// Every source of the pipeline.
#[derive(Clone, Debug)]
struct Provider {
    world: Shared,
    config: Arc<RollupConfig>,
}

impl Provider {
    fn safe(&self) -> L2BlockInfo {
        let number = self.world.lock().safe().header.number;
        self.l2_block(number).and_then(|block| self.info(&block)).expect("the safe head exists")
    }

    fn l1_block(&self, number: u64) -> Option<BlockInfo> {
        let world = self.world.lock();
        let block = world.l1.block(number)?;
        let (parent_hash, timestamp) = (block.header.parent_hash, block.header.timestamp);
        Some(BlockInfo { hash: block.hash, number, parent_hash, timestamp })
    }

    fn l2_block(&self, number: u64) -> Result<OpBlock, ProviderError> {
        let world = self.world.lock();
        let block = world.l2.get(number as usize).ok_or(ProviderError::Missing("an L2 block"))?;
        let transactions = block.transactions.iter().map(|bytes| {
            OpTxEnvelope::decode_2718(&mut bytes.as_ref()).expect("blocks hold valid transactions")
        });
        let header = header(&alloy_rlp::encode(&block.header));
        let body = BlockBody { transactions: transactions.collect(), ..Default::default() };
        Ok(OpBlock { header, body })
    }

    fn info(&self, block: &OpBlock) -> Result<L2BlockInfo, ProviderError> {
        L2BlockInfo::from_block_and_genesis(block, &self.config.genesis)
            .map_err(|_| ProviderError::Missing("the place of an L2 block"))
    }
}

fn header(mut bytes: &[u8]) -> Header {
    Header::decode(&mut bytes).expect("a header's encoding does not depend on the library")
}

#[async_trait]
impl ChainProvider for Provider {
    type Error = ProviderError;

    async fn header_by_hash(&mut self, hash: B256) -> Result<Header, ProviderError> {
        let world = self.world.lock();
        let block = world.l1.block_by_hash(hash).ok_or(ProviderError::Missing("a header"))?;
        Ok(header(&alloy_rlp::encode(&block.header)))
    }

    async fn block_info_by_number(&mut self, number: u64) -> Result<BlockInfo, ProviderError> {
        self.l1_block(number).ok_or(ProviderError::EndOfL1)
    }

    async fn receipts_by_hash(&mut self, hash: B256) -> Result<Vec<Receipt>, ProviderError> {
        let world = self.world.lock();
        let block = world.l1.block_by_hash(hash).ok_or(ProviderError::Missing("receipts"))?;
        let decode = |bytes: &Bytes| {
            let envelope = ReceiptEnvelope::decode_2718(&mut bytes.as_ref()).expect("a receipt");
            envelope.as_receipt().expect("a receipt").clone()
        };
        Ok(block.receipts.iter().map(decode).collect())
    }

    async fn block_info_and_transactions_by_hash(
        &mut self,
        hash: B256,
    ) -> Result<(BlockInfo, Vec<TxEnvelope>), ProviderError> {
        let world = self.world.lock();
        let block = world.l1.block_by_hash(hash).ok_or(ProviderError::Missing("transactions"))?;
        let decode = |bytes: &Bytes| {
            TxEnvelope::decode_2718(&mut bytes.as_ref()).expect("a transaction of L1")
        };
        let transactions = block.transactions.iter().map(decode).collect();
        let number = block.header.number;
        drop(world);
        Ok((self.l1_block(number).ok_or(ProviderError::EndOfL1)?, transactions))
    }
}

#[async_trait]
impl BatchValidationProvider for Provider {
    type Error = ProviderError;

    async fn l2_block_info_by_number(&mut self, number: u64) -> Result<L2BlockInfo, ProviderError> {
        self.info(&self.l2_block(number)?)
    }

    async fn block_by_number(&mut self, number: u64) -> Result<OpBlock, ProviderError> {
        self.l2_block(number)
    }
}

#[async_trait]
impl L2ChainProvider for Provider {
    type Error = ProviderError;

    async fn system_config_by_number(
        &mut self,
        number: u64,
        config: Arc<RollupConfig>,
    ) -> Result<SystemConfig, ProviderError> {
        kona_protocol::to_system_config(&self.l2_block(number)?, &config)
            .map_err(|_| ProviderError::Missing("the system config of an L2 block"))
    }
}

#[async_trait]
impl BlobProvider for Provider {
    type Error = BlobProviderError;

    async fn get_blobs(
        &mut self,
        _: &BlockInfo,
        hashes: &[IndexedBlobHash],
    ) -> Result<Vec<Box<Blob>>, BlobProviderError> {
        let world = self.world.lock();
        let blob = |indexed: &IndexedBlobHash| {
            let blob = world.l1.blobs.get(&indexed.hash)?;
            Some(Box::new(Blob::from(**blob)))
        };
        hashes
            .iter()
            .map(blob)
            .collect::<Option<_>>()
            .ok_or_else(|| BlobProviderError::Backend("a blob is missing".into()))
    }
}
