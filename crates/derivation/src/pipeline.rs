//! The pipeline: the order in which the stages are asked.
//!
//! A pull goes from the last stage towards the first: a stage with something to give gives it,
//! otherwise the stage before it is asked; when none has anything left, the next L1 block is read.
//!
//! Specification: "Derivation", "L2 chain derivation pipeline", and its order of stages; Holocene for
//! what changes at its activation.

use crate::{
    Batch, CriticalError, L1BlockRef, L1Source, L2Block, L2BlockRef, L2Source, PipelineError,
    RollupConfig, SingularBatch, SystemConfig, attributes,
    stages::{
        BatchQueue, BatchValidator, ChannelAssembler, ChannelBank, ChannelReader, FrameQueue,
        NextBatch, Traversal, batcher_data,
    },
};
use alloc::collections::VecDeque;
use alloy_consensus::{Header, Sealed};
use alloy_primitives::Bytes;
use rebut_execution::{Fork, PayloadAttributes};

/// What the pipeline gives for the next block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DerivedAttributes {
    /// What to build the block from.
    pub attributes: PayloadAttributes,
    /// Whether the block ends its batch. The blocks of a span batch become safe together, before
    /// Holocene: if one of them is invalid, none of those before it in the span is kept.
    pub concludes: bool,
}

/// The derivation pipeline of one L2 chain.
pub struct Pipeline {
    traversal: Traversal,
    /// Data of batcher transactions in the current L1 block, once it was read.
    data: Option<VecDeque<Bytes>>,
    frames: FrameQueue,
    channels: Channels,
    reader: ChannelReader,
    batches: Batches,
    /// The stage of batches has to be asked before another batch is read.
    has_batches: bool,
}

/// The stage that makes channels of frames.
enum Channels {
    Bank(ChannelBank),
    /// From Holocene on.
    Assembler(ChannelAssembler),
}

/// The stage that brings batches into order.
enum Batches {
    Queue(BatchQueue),
    /// From Holocene on.
    Validator(BatchValidator),
}

/// What comes of asking a stage.
enum Pull<T> {
    Ready(T),
    /// Nothing yet. Asking again gets further.
    Again,
    /// Nothing before the next L1 block.
    Exhausted,
}

impl Pipeline {
    /// A pipeline that goes on after the L2 block `safe`.
    ///
    /// It starts to read L1 so far before the block's origin that every channel is seen from its first
    /// frame on, and by the system config of that time.
    ///
    /// # Errors
    /// When the block does not belong to the chain, or L1 cannot be read there.
    pub fn start<S, E>(
        config: &RollupConfig,
        safe: &L2Block,
        source: &mut S,
    ) -> Result<Self, PipelineError<E>>
    where
        S: L1Source<Error = E> + L2Source<Error = E>,
    {
        let reference = L2BlockRef::from_block(config, safe)?;
        let block = reading_start(config, reference.l1_origin.number, source)?;
        let origin = L1BlockRef::from(&block);
        let (channels, batches) = if config.is_active(Fork::Holocene, origin.timestamp) {
            let assembler = Channels::Assembler(ChannelAssembler::default());
            (assembler, Batches::Validator(BatchValidator::new(origin)))
        } else {
            (Channels::Bank(ChannelBank::default()), Batches::Queue(BatchQueue::new(origin)))
        };
        Ok(Self {
            traversal: Traversal::start(config, block, safe, source)?,
            data: None,
            frames: FrameQueue::default(),
            channels,
            reader: ChannelReader::default(),
            batches,
            has_batches: false,
        })
    }

    /// The attributes of the block after `safe`, `None` where L1 ends before they are known.
    ///
    /// # Errors
    /// [`PipelineError`], by what to do next.
    pub fn next<S, E>(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        source: &mut S,
    ) -> Result<Option<DerivedAttributes>, PipelineError<E>>
    where
        S: L1Source<Error = E> + L2Source<Error = E>,
    {
        loop {
            match self.batch(config, safe, source)? {
                Pull::Ready((batch, concludes)) => {
                    let attributes = attributes_on(config, safe, &batch, source)?;
                    return Ok(Some(DerivedAttributes { attributes, concludes }));
                }
                Pull::Again => {}
                Pull::Exhausted => {
                    if !self.advance(config, source)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// The block built from the last attributes is invalid. What came with its batch is dropped: the
    /// rest of its span and, from Holocene on, the rest of its channel.
    pub fn flush(&mut self) {
        match &mut self.batches {
            Batches::Queue(queue) => queue.flush(),
            Batches::Validator(validator) => {
                validator.flush();
                self.reader.stop();
            }
        }
    }

    /// The L1 block that is being read.
    pub fn origin(&self) -> L1BlockRef {
        L1BlockRef::from(self.traversal.block())
    }

    /// Asks the stage of batches, and those before it.
    fn batch<S, E>(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        source: &mut S,
    ) -> Result<Pull<(SingularBatch, bool)>, PipelineError<E>>
    where
        S: L1Source<Error = E> + L2Source<Error = E>,
    {
        if self.has_batches
            && let ready @ Pull::Ready(_) = self.next_batch(config, safe, false, source)?
        {
            return Ok(ready);
        }
        let is_exhausted = match self.read_batch(config, source)? {
            Pull::Ready(batch) => {
                let inclusion = self.origin();
                match &mut self.batches {
                    Batches::Queue(queue) => queue.add(config, batch, inclusion, safe, source)?,
                    Batches::Validator(validator) => validator.add(batch, inclusion),
                }
                false
            }
            Pull::Again => return Ok(Pull::Again),
            Pull::Exhausted => true,
        };
        self.next_batch(config, safe, is_exhausted, source)
    }

    /// The next batch among those that were read.
    fn next_batch<S, E>(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        is_exhausted: bool,
        source: &mut S,
    ) -> Result<Pull<(SingularBatch, bool)>, PipelineError<E>>
    where
        S: L2Source<Error = E>,
    {
        let next = match &mut self.batches {
            Batches::Queue(queue) => queue.next(config, safe, is_exhausted, source)?,
            Batches::Validator(validator) => validator.next(config, safe, is_exhausted, source)?,
        };
        // Before Holocene only a span is finished first. Otherwise a batch is read before each block:
        // which of the batches is dropped at once, and which waits undecided and holds up the others,
        // depends on the safe head at which it is read, and every node reads in this order.
        self.has_batches = match &self.batches {
            Batches::Queue(_) => matches!(next, NextBatch::Ready { concludes: false, .. }),
            Batches::Validator(_) => matches!(next, NextBatch::Ready { .. }),
        };
        Ok(match next {
            NextBatch::Ready { batch, concludes } => Pull::Ready((batch, concludes)),
            NextBatch::Nothing if is_exhausted => Pull::Exhausted,
            NextBatch::Nothing => Pull::Again,
            NextBatch::Flush(_) => {
                self.reader.stop();
                Pull::Again
            }
        })
    }

    /// Reads one batch: from the channel that is open, else from frames, else from L1.
    fn read_batch<S: L1Source>(
        &mut self,
        config: &RollupConfig,
        source: &mut S,
    ) -> Result<Pull<Batch>, PipelineError<S::Error>> {
        let origin = self.origin();
        if let Some(bytes) = self.reader.next() {
            return Ok(match Batch::decode(&bytes, config) {
                // Too early to be kept, even if its epoch is not known yet.
                Ok(Batch::Span(_)) if !config.is_delta(origin.timestamp) => Pull::Again,
                Ok(batch) => Pull::Ready(batch),
                Err(error) => {
                    if !error.spares_channel() {
                        self.reader.stop();
                    }
                    Pull::Again
                }
            });
        }
        let channel = match &mut self.channels {
            Channels::Bank(bank) => bank.read(config, &origin),
            Channels::Assembler(assembler) => assembler.read(config, &origin),
        };
        if let Some(channel) = channel {
            self.reader.load(config, channel, &origin);
            return Ok(Pull::Again);
        }
        if let Some(frame) = self.frames.next() {
            match &mut self.channels {
                Channels::Bank(bank) => bank.add(config, frame, &origin),
                Channels::Assembler(assembler) => assembler.add(config, frame, &origin),
            }
            return Ok(Pull::Again);
        }
        let data = match &mut self.data {
            Some(data) => data,
            None => {
                let batcher = self.traversal.system_config().batcher;
                let data = batcher_data(config, self.traversal.block(), batcher, source)?;
                self.data.insert(data.into())
            }
        };
        match data.pop_front() {
            Some(data) => {
                let is_holocene = config.is_active(Fork::Holocene, origin.timestamp);
                self.frames.load(&data, is_holocene);
                Ok(Pull::Again)
            }
            None => Ok(Pull::Exhausted),
        }
    }

    /// Goes on to the next L1 block. `false` when there is none.
    fn advance<S: L1Source>(
        &mut self,
        config: &RollupConfig,
        source: &mut S,
    ) -> Result<bool, PipelineError<S::Error>> {
        if !self.traversal.advance(config, source)? {
            return Ok(false);
        }
        self.data = None;
        let origin = self.origin();
        if config.is_active(Fork::Holocene, origin.timestamp) {
            self.enter_holocene();
        }
        match &mut self.batches {
            Batches::Queue(queue) => queue.origin_advanced(origin),
            Batches::Validator(validator) => validator.origin_advanced(origin),
        }
        Ok(true)
    }

    /// At its activation Holocene forgets frames, channels and batches, and goes on by its own rules.
    fn enter_holocene(&mut self) {
        let Batches::Queue(queue) = &self.batches else { return };
        self.frames.clear();
        self.channels = Channels::Assembler(ChannelAssembler::default());
        self.reader.stop();
        self.batches = Batches::Validator(BatchValidator::after(queue));
        self.has_batches = false;
    }
}

/// The last L1 block before which no channel began that is still alive at `origin`, the safe head's
/// origin, and none before genesis.
///
/// How long channels live is asked of the block itself: those of before Granite live longer, for as
/// long as no block of Granite is read.
fn reading_start<S: L1Source>(
    config: &RollupConfig,
    origin: u64,
    source: &mut S,
) -> Result<Sealed<Header>, PipelineError<S::Error>> {
    let genesis = config.genesis.l1.number;
    let timeouts = [config.channel_timeout, config.granite_channel_timeout];
    let (shorter, longer) = (timeouts[0].min(timeouts[1]), timeouts[0].max(timeouts[1]));
    let mut number = origin.max(genesis);
    loop {
        let block = source.header(number).map_err(PipelineError::Source)?;
        let last_alive = number.saturating_add(match &block {
            Some(block) => config.channel_timeout(block.timestamp),
            // Above the head, where it is not known.
            None => longer,
        });
        if last_alive <= origin || number <= genesis {
            return block.ok_or_else(|| CriticalError::OriginAboveHead { number }.into());
        }
        let before_granite = block
            .is_some_and(|block| !config.is_active(Fork::Granite, block.timestamp))
            .then_some(config.channel_timeout);
        let candidate = origin.saturating_sub(before_granite.unwrap_or(shorter));
        number = candidate.min(number - 1).max(genesis);
    }
}

/// The attributes of the block that `batch` describes on top of the safe head.
fn attributes_on<S, E>(
    config: &RollupConfig,
    safe: &L2BlockRef,
    batch: &SingularBatch,
    source: &mut S,
) -> Result<PayloadAttributes, PipelineError<E>>
where
    S: L1Source<Error = E> + L2Source<Error = E>,
{
    let number = safe.id.number;
    let parent = source.block(number).map_err(PipelineError::Source)?;
    let parent = parent.ok_or(CriticalError::SafeHeadMissing { number })?;
    let system_config = SystemConfig::from_block(config, &parent)?;
    attributes::attributes(config, safe, system_config, batch, source)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlockId, Frame,
        fixtures::config_at,
        l1_info::{Format, L1Info},
        memory_l1::{MemoryL1, Missing, log, receipt},
    };
    use alloc::{vec, vec::Vec};
    use alloy_consensus::Sealable;
    use alloy_eips::eip2718::Encodable2718;
    use alloy_primitives::{Address, B256, b256};
    use alloy_rlp::Encodable;
    use op_alloy_consensus::TxDeposit;
    use rebut_execution::ChainParameters;

    const OLD: Address = Address::repeat_byte(1);
    const NEW: Address = Address::repeat_byte(2);

    /// Twelve L1 blocks and three L2 blocks on each. From L1 block `change` on the batcher is `NEW`.
    /// Channels live for four blocks.
    fn chain(change: Option<u64>) -> (RollupConfig, MemoryL1) {
        let mut config = config_at(&[(Fork::Canyon, 0)]);
        config.channel_timeout = 4;
        let topic = b256!("1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");
        let data = alloc::format!("{:064x}{:064x}{}", 32, 32, hex::encode(NEW.into_word()));
        let update = log(
            config.l1_system_config,
            &[topic, B256::ZERO, B256::ZERO],
            hex::decode(data).unwrap(),
        );
        let mut chain = MemoryL1::default();
        for number in 0..12 {
            let logs = if change == Some(number) { vec![update.clone()] } else { Vec::new() };
            let origin = chain.push(12 * number, Vec::new(), vec![receipt(2, true, &logs)], &logs);
            let batcher = if change.is_some_and(|change| change <= number) { NEW } else { OLD };
            for sequence_number in 0..3 {
                let hash = origin.hash();
                let info = L1Info { number, hash, sequence_number, batcher, ..L1Info::default() };
                let input = info.encode(Format::Bedrock).into();
                let deposit = TxDeposit { input, ..TxDeposit::default() };
                let number = 3 * number + sequence_number;
                let header = Header { number, ..Header::default() }.seal_slow();
                let transactions = vec![deposit.encoded_2718().into()];
                chain.l2.push(L2Block { header, transactions });
            }
        }
        config.genesis.l1 = BlockId { hash: chain.blocks[0].header.hash(), number: 0 };
        config.genesis.l2 = BlockId { hash: chain.l2[0].header.hash(), number: 0 };
        config.genesis.system_config.batcher = OLD;
        (config, chain)
    }

    /// The first L1 block that is read before the L2 block `safe` is gone on from, and whose data
    /// counts from there on.
    fn check(safe: u64, change: Option<u64>, start: u64, expected: &[Address]) -> MemoryL1 {
        let (config, mut chain) = chain(change);
        let safe_block = chain.l2[safe as usize].clone();
        let mut pipeline = Pipeline::start(&config, &safe_block, &mut chain).unwrap();
        assert_eq!(pipeline.origin().id.number, start);
        let mut batchers = Vec::from([pipeline.traversal.system_config().batcher]);
        while batchers.len() < expected.len() {
            assert_eq!(
                pipeline.advance(&config, &mut chain),
                Ok::<_, PipelineError<Missing>>(true)
            );
            batchers.push(pipeline.traversal.system_config().batcher);
        }
        assert_eq!(batchers, expected, "safe head {safe}, change in {change:?}");
        chain
    }

    /// "Stages starting at base can initialize their system-config from data encoded in the l2base
    /// block": the block whose origin is `base`, not the safe head.
    #[test]
    fn each_l1_block_is_read_for_the_batcher_of_its_time() {
        // L1 blocks 4 to 9, the safe head's origin being 8.
        check(25, Some(4), 4, &[NEW, NEW, NEW, NEW, NEW, NEW]);
        check(25, Some(5), 4, &[OLD, NEW, NEW, NEW, NEW, NEW]);
        check(25, Some(7), 4, &[OLD, OLD, OLD, NEW, NEW, NEW]);
        check(25, Some(8), 4, &[OLD, OLD, OLD, OLD, NEW, NEW]);
        check(25, Some(9), 4, &[OLD, OLD, OLD, OLD, OLD, NEW]);
        // L1 begins with block 0.
        check(7, Some(1), 0, &[OLD, NEW, NEW, NEW]);
        check(0, Some(1), 0, &[OLD, NEW]);
    }

    /// A channel that began before Granite lives on until the first L1 block of Granite, whatever the
    /// time of the safe head.
    #[test]
    fn reading_starts_where_a_live_channel_may_have_begun() {
        let check = |safe: u64, granite: u64, timeouts: [u64; 2], start: u64| {
            let (config, mut chain) = chain(None);
            let forks = config.chain.forks.with(Fork::Granite, Some(granite));
            let chain_parameters = ChainParameters { forks, ..config.chain };
            let [channel_timeout, granite_channel_timeout] = timeouts;
            let config = RollupConfig {
                chain: chain_parameters,
                channel_timeout,
                granite_channel_timeout,
                ..config
            };
            let safe = chain.l2[safe as usize].clone();
            let pipeline = Pipeline::start(&config, &safe, &mut chain).unwrap();
            assert_eq!(pipeline.origin().id.number, start, "{granite}, {timeouts:?}");
        };
        // The safe head's origin is 8, 96 s after the first block.
        check(25, 0, [6, 2], 6);
        check(25, 12 * 6, [6, 2], 6);
        check(25, 12 * 7, [6, 2], 2);
        check(25, 12 * 8, [6, 2], 2);
        check(25, 12 * 8 + 1, [6, 2], 2);
        // Where channels live longer from Granite on.
        check(25, 0, [2, 6], 2);
        check(25, 12 * 4, [2, 6], 3);
        check(25, 12 * 7, [2, 6], 6);
        check(25, 12 * 9, [2, 6], 6);
        // Not before the first block, and at once where channels end with their block.
        check(4, 0, [6, 2], 0);
        check(25, 0, [6, 0], 8);
    }

    #[test]
    fn an_l1_head_below_the_safe_heads_origin_is_enough_to_start() {
        let start = |blocks: usize| {
            let (config, mut chain) = chain(None);
            let config = RollupConfig { granite_channel_timeout: 2, ..config };
            let safe = chain.l2[25].clone();
            chain.blocks.truncate(blocks);
            let pipeline = Pipeline::start(&config, &safe, &mut chain);
            pipeline.map(|pipeline| pipeline.origin().id.number)
        };
        assert_eq!(start(8), Ok(4));
        assert_eq!(start(5), Ok(4));
        assert_eq!(start(4), Err(CriticalError::OriginAboveHead { number: 4 }.into()));
    }

    /// The batches that come out of a channel, in an L1 block of 48 s, by their number of blocks.
    fn read(forks: &[(Fork, u64)], channel: &[&[u8]]) -> Vec<usize> {
        let (config, mut source) = chain(None);
        let forks = forks
            .iter()
            .fold(config.chain.forks, |forks, (fork, time)| forks.with(*fork, Some(*time)));
        let config = RollupConfig { chain: ChainParameters { forks, ..config.chain }, ..config };
        let safe = source.l2[25].clone();
        let config = RollupConfig { granite_channel_timeout: 4, ..config };
        let mut pipeline = Pipeline::start(&config, &safe, &mut source).unwrap();
        assert_eq!(pipeline.origin().timestamp, 48);
        let channel: Vec<u8> = channel
            .iter()
            .flat_map(|batch| alloy_rlp::encode(Bytes::copy_from_slice(batch)))
            .collect();
        let data = miniz_oxide::deflate::compress_to_vec_zlib(&channel, 6).into();
        let frame = Frame { data, is_last: true, ..Frame::default() };
        pipeline.data = Some([Frame::encode_all(&[frame])].into());
        let mut batches = Vec::new();
        loop {
            match pipeline.read_batch(&config, &mut source).unwrap() {
                Pull::Ready(Batch::Singular(_)) => batches.push(0),
                Pull::Ready(Batch::Span(span)) => batches.push(span.blocks.len()),
                Pull::Again => {}
                Pull::Exhausted => return batches,
            }
        }
    }

    /// A span of as many blocks, and with one transaction of this type.
    fn span(blocks: u8, kind: Option<u8>) -> Vec<u8> {
        let mut counts = vec![0; usize::from(blocks)];
        let mut transaction = Vec::new();
        if let Some(kind) = kind {
            counts[0] = 1;
            transaction.extend([1, 0]);
            transaction.extend([1; 64]);
            transaction.extend([kind, 0xc0, 0, 0, 0]);
        }
        [&[1, 9, 9][..], &[0; 40], &[blocks, 0], &counts, &transaction].concat()
    }

    #[test]
    fn what_follows_a_malformed_batch_depends_on_what_is_wrong() {
        let (two, five) = (span(2, None), span(5, None));
        let (blob, cut) = (span(1, Some(3)), &five[..45]);
        for forks in [&[(Fork::Ecotone, 1)][..], &[(Fork::Holocene, 1)]] {
            let check = |channel: &[&[u8]], expected: &[usize]| {
                assert_eq!(read(forks, channel), expected, "{forks:?}");
            };
            // A transaction that no batch can have: the batch goes, whatever the fork.
            check(&[&two, &blob, &five], &[2, 5]);
            check(&[&blob, &span(1, Some(0x7d)), &span(3, Some(0x7e)), &five], &[5]);
            // A batch that cannot be read to its end, of no known version, or that is none.
            check(&[&two, cut, &five], &[2]);
            check(&[&two, &[2], &five], &[2]);
            check(&[&two, &[], &five], &[2]);
            check(&[&two, &[0, 0xc0], &five], &[2]);
        }
    }

    /// Whatever the time of their first origin, which may not be known yet.
    #[test]
    fn span_batches_of_before_delta_are_dropped_as_they_are_read() {
        let (two, cut) = (span(2, None), &span(5, None)[..45]);
        assert_eq!(read(&[(Fork::Ecotone, 49)], &[&two, &two]), [] as [usize; 0]);
        assert_eq!(read(&[(Fork::Ecotone, 48)], &[&two, &two]), [2, 2]);
        // The rest of the channel is read.
        let mut singular = vec![0];
        SingularBatch::default().encode(&mut singular);
        assert_eq!(read(&[(Fork::Ecotone, 49)], &[&two, &singular]), [0]);
        assert_eq!(read(&[(Fork::Ecotone, 49)], &[&two, cut, &singular]), [] as [usize; 0]);
    }

    #[test]
    fn l2_is_read_back_only_to_before_the_change() {
        let reads = |change| check(25, change, 4, &[OLD]).l2_reads;
        assert_eq!(reads(None), [] as [u64; 0]);
        assert_eq!(reads(Some(9)), [] as [u64; 0]);
        assert_eq!(reads(Some(8)), [23]);
        assert_eq!(reads(Some(6)), [23, 20, 17]);
    }

    #[test]
    fn receipts_are_read_once() {
        let (config, mut chain) = chain(Some(6));
        let safe = chain.l2[25].clone();
        let mut pipeline = Pipeline::start(&config, &safe, &mut chain).unwrap();
        while pipeline.advance(&config, &mut chain).unwrap() {}
        assert_eq!(chain.reads, (1, 0));
    }
}
