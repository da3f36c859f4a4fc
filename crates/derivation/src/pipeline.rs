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
    /// frame on.
    ///
    /// # Errors
    /// When the block does not belong to the chain, or L1 cannot be read there.
    pub fn start<S, E>(
        config: &RollupConfig,
        safe: &L2Block,
        source: &mut S,
    ) -> Result<Self, PipelineError<E>>
    where
        S: L1Source<Error = E>,
    {
        let reference = L2BlockRef::from_block(config, safe)?;
        let system_config = SystemConfig::from_block(config, safe)?;
        let timeout = config.channel_timeout(reference.timestamp);
        let start = reference.l1_origin.number.saturating_sub(timeout);
        let start = start.max(config.genesis.l1.number);
        let block = source.header(start).map_err(PipelineError::Source)?;
        let block = block.ok_or(CriticalError::OriginAboveHead { number: start })?;
        let origin = L1BlockRef::from(&block);
        let (channels, batches) = if config.is_active(Fork::Holocene, origin.timestamp) {
            let assembler = Channels::Assembler(ChannelAssembler::default());
            (assembler, Batches::Validator(BatchValidator::new(origin)))
        } else {
            (Channels::Bank(ChannelBank::default()), Batches::Queue(BatchQueue::new(origin)))
        };
        Ok(Self {
            traversal: Traversal::new(config, block, system_config),
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
                Ok(batch) => Pull::Ready(batch),
                // What follows a malformed batch cannot be told apart.
                Err(_) => {
                    self.reader.stop();
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
