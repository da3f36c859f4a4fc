//! Our pipeline over a generated world.

use crate::{
    l2::Attributes,
    parameters::{
        BASE_FEE, BATCH_INBOX, DEPOSIT_CONTRACT, L1_CHAIN_ID, L2_CHAIN_ID, Parameters,
        SYSTEM_CONFIG, Upgrade,
    },
    run::{Derivation, Halt, Run, Shared},
};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, Bytes};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use rebut_derivation::{
    BlobFeeSchedule, BlockId, Eip1559Params, Genesis, L1Config, L1Source, L2Block, L2BlockRef,
    L2Source, Pipeline, PipelineError, RollupConfig, SystemConfig,
};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};

/// How fast blob fees move from Prague on (EIP-7691).
const PRAGUE_UPDATE_FRACTION: u64 = 5_007_716;

/// A run of our pipeline that starts after the world's safe head.
///
/// # Errors
/// When the pipeline cannot start there.
pub fn start(world: Shared) -> Result<Run, Halt> {
    let config = rollup_config(&world.lock().parameters);
    let mut source = Source { world: world.clone() };
    let safe = source.safe();
    let pipeline = Pipeline::start(&config, &safe, &mut source).map_err(halt)?;
    Ok(Run::new(Box::new(Side { pipeline, config, source }), world))
}

struct Side {
    pipeline: Pipeline,
    config: RollupConfig,
    source: Source,
}

impl Derivation for Side {
    fn next(&mut self) -> Result<Option<Attributes>, Halt> {
        let safe = self.source.safe();
        let safe = L2BlockRef::from_block(&self.config, &safe)
            .map_err(|error| Halt::Critical(error.to_string()))?;
        let derived = self.pipeline.next(&self.config, &safe, &mut self.source).map_err(halt)?;
        Ok(derived.map(|derived| {
            let attributes = derived.attributes;
            assert_eq!(attributes.min_base_fee, None, "no history reaches Jovian");
            Attributes {
                timestamp: attributes.timestamp,
                prev_randao: attributes.prev_randao,
                fee_recipient: attributes.suggested_fee_recipient,
                gas_limit: attributes.gas_limit,
                parent_beacon_block_root: attributes.parent_beacon_block_root,
                eip_1559_params: attributes.eip_1559_params,
                transactions: attributes.transactions,
            }
        }))
    }

    fn origin_time(&self) -> u64 {
        self.pipeline.origin().timestamp
    }

    fn replaced(&mut self) {
        self.pipeline.flush();
    }

    fn dropped(&mut self) {
        self.pipeline.flush();
    }
}

fn halt(error: PipelineError<Missing>) -> Halt {
    Halt::Critical(error.to_string())
}

fn rollup_config(parameters: &Parameters) -> RollupConfig {
    let time = |upgrade: Upgrade| parameters.upgrades[upgrade as usize];
    let forks = [
        (Fork::Regolith, Upgrade::Regolith),
        (Fork::Canyon, Upgrade::Canyon),
        (Fork::Ecotone, Upgrade::Ecotone),
        (Fork::Fjord, Upgrade::Fjord),
        (Fork::Granite, Upgrade::Granite),
        (Fork::Holocene, Upgrade::Holocene),
        (Fork::Isthmus, Upgrade::Isthmus),
    ];
    let forks = forks
        .into_iter()
        .fold(ForkTimes::default(), |times, (fork, upgrade)| times.with(fork, time(upgrade)));
    let genesis = parameters.genesis_config;
    let (number, hash) = parameters.genesis_l1;
    let (elasticity, denominator, denominator_canyon) = BASE_FEE;
    RollupConfig {
        chain: ChainParameters {
            chain_id: L2_CHAIN_ID,
            forks,
            base_fee: BaseFeeDefaults { elasticity, denominator, denominator_canyon },
        },
        genesis: Genesis {
            l1: BlockId { hash, number },
            l2: BlockId { hash: parameters.genesis_l2, number: 0 },
            l2_time: parameters.genesis_time,
            system_config: SystemConfig {
                batcher: genesis.batcher,
                overhead: genesis.overhead,
                scalar: genesis.scalar,
                gas_limit: genesis.gas_limit,
                eip_1559: genesis
                    .eip_1559
                    .map(|(denominator, elasticity)| Eip1559Params { denominator, elasticity }),
                ..SystemConfig::default()
            },
        },
        block_time: parameters.block_time,
        max_sequencer_drift: parameters.max_sequencer_drift,
        seq_window_size: parameters.seq_window_size,
        channel_timeout: parameters.channel_timeout,
        granite_channel_timeout: parameters.granite_channel_timeout,
        delta_time: time(Upgrade::Delta),
        pectra_blob_schedule_time: parameters.pectra_blob_schedule_time,
        batch_inbox: BATCH_INBOX,
        deposit_contract: DEPOSIT_CONTRACT,
        l1_system_config: SYSTEM_CONFIG,
        keep_karst_upgrade_gas: false,
        l1: L1Config {
            chain_id: L1_CHAIN_ID,
            blob_fees: vec![BlobFeeSchedule {
                time: parameters.l1_prague_time,
                update_fraction: PRAGUE_UPDATE_FRACTION,
            }],
        },
    }
}

/// The world lacks something that it should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is missing")]
struct Missing(&'static str);

struct Source {
    world: Shared,
}

impl Source {
    fn safe(&mut self) -> L2Block {
        let number = self.world.lock().safe().header.number;
        self.block(number).ok().flatten().expect("the safe head exists")
    }
}

impl L1Source for Source {
    type Error = Missing;

    fn header(&mut self, number: u64) -> Result<Option<Sealed<Header>>, Missing> {
        let world = self.world.lock();
        let seal =
            |block: &crate::l1::L1Block| Sealed::new_unchecked(block.header.clone(), block.hash);
        Ok(world.l1.block(number).map(seal))
    }

    fn transactions(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, Missing> {
        let world = self.world.lock();
        let block = world.l1.block_by_hash(block.hash()).ok_or(Missing("an L1 block"))?;
        Ok(block.transactions.clone())
    }

    fn receipts(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, Missing> {
        let world = self.world.lock();
        let block = world.l1.block_by_hash(block.hash()).ok_or(Missing("an L1 block"))?;
        Ok(block.receipts.clone())
    }

    fn blob(&mut self, _: &Sealed<Header>, hash: B256) -> Result<Box<[u8; 131_072]>, Missing> {
        self.world.lock().l1.blobs.get(&hash).cloned().ok_or(Missing("a blob"))
    }

    fn ecrecover(&mut self, input: &[u8; 128]) -> Result<Option<Address>, Missing> {
        let parity = input[63].checked_sub(27).and_then(RecoveryId::from_byte);
        let signature = Signature::from_slice(&input[64..]).ok();
        Ok(parity.zip(signature).and_then(|(parity, signature)| {
            let key = VerifyingKey::recover_from_prehash(&input[..32], &signature, parity).ok()?;
            Some(Address::from_public_key(&key))
        }))
    }
}

impl L2Source for Source {
    type Error = Missing;

    fn block(&mut self, number: u64) -> Result<Option<L2Block>, Missing> {
        let world = self.world.lock();
        let block = usize::try_from(number).ok().and_then(|number| world.l2.get(number));
        Ok(block.map(|block| L2Block {
            header: Sealed::new_unchecked(block.header.clone(), block.hash),
            transactions: block.transactions.clone(),
        }))
    }
}
