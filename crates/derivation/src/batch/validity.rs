//! Which batches may become blocks.
//!
//! Each rule of the specification is one line here, in the order in which they are to be applied:
//! the first that decides does. The L1 block in which a batch became readable says whether the rules
//! of Holocene apply.
//!
//! Specification: "Derivation", batch queue; "Delta", batch queue; "Holocene", batch queue and span
//! batches; "Jovian", activation block rules.

use super::{SingularBatch, SpanBatch, SpanBlock, span::check};
use crate::{
    L1BlockRef, L2Block, L2BlockRef, L2Source, PipelineError, RollupConfig, stages::Epochs,
};
use alloy_primitives::Bytes;
use rebut_execution::Fork;

/// What is known of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// It is the next to build on.
    Accept,
    /// It will never be.
    Drop(DropReason),
    /// L1 has to be read further to know.
    Undecided,
    /// It may be, once the blocks before it are there. Not with Holocene.
    Future,
    /// It says nothing that is not known already. Holocene only.
    Past,
}

/// Why a batch cannot become a block, by the rule that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DropReason {
    /// Its time is not the next (Holocene).
    #[error("its time is in the future")]
    Future,
    /// Its time has passed (before Holocene).
    #[error("its time has passed")]
    Past,
    /// It builds on another block than the safe head.
    #[error("it builds on another block")]
    Parent,
    /// The sequencing window of its epoch was over when it was included.
    #[error("it was included after the sequencing window")]
    Late,
    /// Its epoch is older than its parent's.
    #[error("its L1 origin is older than its parent's")]
    EpochOld,
    /// Its epoch is neither its parent's nor the one after.
    #[error("its L1 origin skips one")]
    EpochSkips,
    /// Its epoch is another block than the one L1 has at that number.
    #[error("its L1 origin is not part of this L1 chain")]
    EpochHash,
    /// Its time is before that of its epoch.
    #[error("it is older than its L1 origin")]
    BeforeOrigin,
    /// It is so far ahead of its epoch that it must not have transactions.
    #[error("it has transactions although it is too far ahead of its L1 origin")]
    Drift,
    /// It is so far ahead of its epoch that it should have moved on.
    #[error("it should have moved on to the next L1 origin")]
    OriginNotAdvanced,
    /// The first block of a fork must not have transactions.
    #[error("it has transactions although it is the first of a fork")]
    ActivationBlock,
    /// A transaction has no bytes.
    #[error("it has an empty transaction")]
    EmptyTransaction,
    /// Deposits come from L1 alone.
    #[error("it has a deposit")]
    Deposit,
    /// A transaction's type is not known at its time.
    #[error("it has a transaction of the unknown type {0:#04x}")]
    TransactionType(u8),
    /// Span batches are not known at the time of its epoch.
    #[error("span batches are not active yet")]
    SpanInactive,
    /// Its times are not those of blocks.
    #[error("its times are not those of blocks")]
    Misaligned,
    /// One of its blocks is safe already, with other content.
    #[error("it contradicts a safe block")]
    Overlap,
}

/// What batches are held against.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a RollupConfig,
    pub(crate) epochs: &'a Epochs,
    /// The block to build on.
    pub(crate) safe: &'a L2BlockRef,
    /// The L1 block in which the batch became readable.
    pub(crate) inclusion: L1BlockRef,
}

/// A rule that decided against a batch, or for waiting.
type Checked<T = ()> = Result<T, Validity>;

fn drop_if(condition: bool, reason: DropReason) -> Checked {
    if condition { Err(Validity::Drop(reason)) } else { Ok(()) }
}

impl Context<'_> {
    /// The time of the block after the safe head.
    fn next_timestamp(&self) -> u64 {
        self.safe.timestamp.saturating_add(self.config.block_time)
    }

    fn holocene(&self) -> bool {
        self.config.is_active(Fork::Holocene, self.inclusion.timestamp)
    }

    /// A batch that begins too late.
    fn future(&self) -> Validity {
        if self.holocene() { Validity::Drop(DropReason::Future) } else { Validity::Future }
    }

    /// A batch that ends too early.
    fn past(&self) -> Validity {
        if self.holocene() { Validity::Past } else { Validity::Drop(DropReason::Past) }
    }

    /// Whether a batch for this epoch came too late.
    fn late(&self, epoch_number: u64) -> Checked {
        let last = epoch_number.saturating_add(self.config.seq_window_size);
        drop_if(last < self.inclusion.id.number, DropReason::Late)
    }

    /// How far a block may be ahead of its origin.
    ///
    /// `next`: the L1 block after the origin, if the block does not come with a new origin: then
    /// that block's time decides whether it should have.
    fn drift(
        &self,
        timestamp: u64,
        transactions: &[Bytes],
        origin: &L1BlockRef,
        next: Option<Option<&L1BlockRef>>,
    ) -> Checked {
        let drift = self.config.max_sequencer_drift(origin.timestamp);
        if timestamp <= origin.timestamp.saturating_add(drift) {
            return Ok(());
        }
        drop_if(!transactions.is_empty(), DropReason::Drift)?;
        match next {
            Some(None) => Err(Validity::Undecided),
            Some(Some(next)) => drop_if(timestamp >= next.timestamp, DropReason::OriginNotAdvanced),
            None => Ok(()),
        }
    }

    fn transactions(&self, timestamp: u64, transactions: &[Bytes]) -> Checked {
        let isthmus = self.config.is_active(Fork::Isthmus, timestamp);
        for transaction in transactions {
            match transaction.first() {
                None => return Err(Validity::Drop(DropReason::EmptyTransaction)),
                Some(0x7e) => return Err(Validity::Drop(DropReason::Deposit)),
                Some(4) if !isthmus => return Err(Validity::Drop(DropReason::TransactionType(4))),
                // Any other type is left to execution, which knows them, as in every other node.
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// Whether a singular batch is the next block.
pub(crate) fn check_singular(context: &Context<'_>, batch: &SingularBatch) -> Validity {
    singular(context, batch).err().unwrap_or(Validity::Accept)
}

fn singular(context: &Context<'_>, batch: &SingularBatch) -> Checked {
    let Context { config, epochs, safe, .. } = *context;
    let epoch = epochs.first().ok_or(Validity::Undecided)?;
    let SingularBatch { timestamp, epoch_number, ref transactions, .. } = *batch;
    if timestamp > context.next_timestamp() {
        return Err(context.future());
    }
    if timestamp < context.next_timestamp() {
        return Err(context.past());
    }
    drop_if(batch.parent_hash != safe.id.hash, DropReason::Parent)?;
    context.late(epoch_number)?;
    drop_if(epoch_number < epoch.id.number, DropReason::EpochOld)?;
    // The first known epoch may already be the one after the safe head's. The rules in their words
    // would accept the one after that, no block could be built, and derivation would start again
    // from the same safe head, for ever. But an L1 origin's number is at most its parent's plus one.
    drop_if(epoch_number > safe.l1_origin.number.saturating_add(1), DropReason::EpochSkips)?;
    let advances = epoch_number != epoch.id.number;
    drop_if(advances && epoch_number - 1 != epoch.id.number, DropReason::EpochSkips)?;
    let origin = if advances { epochs.second().ok_or(Validity::Undecided)? } else { epoch };
    drop_if(batch.epoch_hash != origin.id.hash, DropReason::EpochHash)?;
    drop_if(timestamp < origin.timestamp, DropReason::BeforeOrigin)?;
    context.drift(timestamp, transactions, origin, (!advances).then(|| epochs.second()))?;
    let first = [Fork::Jovian, Fork::Karst].map(|fork| config.is_first_block(fork, timestamp));
    drop_if(first.contains(&true) && !transactions.is_empty(), DropReason::ActivationBlock)?;
    context.transactions(timestamp, transactions)
}

/// Whether all blocks of a span batch are valid, before Holocene.
///
/// # Errors
/// When the safe blocks that the span repeats cannot be read.
pub(crate) fn check_span<T: L2Source>(
    context: &Context<'_>,
    batch: &SpanBatch,
    l2: &mut T,
) -> Result<Validity, PipelineError<T::Error>> {
    let parent = match check_span_prefix(context, batch, l2)? {
        Ok(parent) => parent,
        Err(validity) => return Ok(validity),
    };
    if let Err(validity) = span_blocks(context, batch, &parent) {
        return Ok(validity);
    }
    let repeated =
        batch.blocks.iter().take_while(|block| block.timestamp <= context.safe.timestamp);
    for (block, number) in repeated.zip(parent.id.number.saturating_add(1)..) {
        let safe = l2.block(number).map_err(PipelineError::Source)?;
        if !safe.map(|safe| repeats(context.config, block, &safe)).transpose()?.unwrap_or_default()
        {
            return Ok(Validity::Drop(DropReason::Overlap));
        }
    }
    Ok(Validity::Accept)
}

/// The rules for a span batch as a whole. Gives the block before the span.
///
/// # Errors
/// When that block cannot be read.
pub(crate) fn check_span_prefix<T: L2Source>(
    context: &Context<'_>,
    batch: &SpanBatch,
    l2: &mut T,
) -> Result<Checked<L2BlockRef>, PipelineError<T::Error>> {
    let start = match span_start(context, batch) {
        Ok(start) => start,
        Err(validity) => return Ok(Err(validity)),
    };
    let parent = match start {
        SpanStart::AfterSafe => *context.safe,
        SpanStart::After(number) => match l2.block(number).map_err(PipelineError::Source)? {
            Some(block) => L2BlockRef::from_block(context.config, &block)?,
            None => return Ok(Err(Validity::Undecided)),
        },
    };
    Ok(span_parent(context, batch, &parent).map(|()| parent))
}

/// The first and the last block of a span, which has at least one.
fn ends(batch: &SpanBatch) -> Checked<(&SpanBlock, &SpanBlock)> {
    batch.blocks.first().zip(batch.blocks.last()).ok_or(Validity::Drop(DropReason::Misaligned))
}

/// Where a span begins.
enum SpanStart {
    AfterSafe,
    /// After the safe block with this number.
    After(u64),
}

/// The rules of time.
fn span_start(context: &Context<'_>, batch: &SpanBatch) -> Checked<SpanStart> {
    let Context { config, epochs, safe, .. } = *context;
    let epoch = epochs.first().ok_or(Validity::Undecided)?;
    let (first, last) = ends(batch)?;
    let advances = first.epoch_number.checked_sub(1) == Some(epoch.id.number);
    let origin = if advances { epochs.second().ok_or(Validity::Undecided)? } else { epoch };
    drop_if(!config.is_delta(origin.timestamp), DropReason::SpanInactive)?;
    let next_timestamp = context.next_timestamp();
    if first.timestamp > next_timestamp {
        return Err(context.future());
    }
    if last.timestamp < next_timestamp {
        return Err(context.past());
    }
    if first.timestamp == next_timestamp {
        return Ok(SpanStart::AfterSafe);
    }
    let ahead = safe.timestamp.checked_sub(first.timestamp);
    let ahead = ahead.ok_or(Validity::Drop(DropReason::Misaligned))?;
    let blocks = ahead.checked_div(config.block_time).unwrap_or_default();
    drop_if(blocks.checked_mul(config.block_time) != Some(ahead), DropReason::Misaligned)?;
    // Before the first block there is none to be found. Nodes take that for a block that they do not
    // have yet, so the batch stays undecided. It is no reason to drop it.
    let number = safe.id.number.checked_sub(blocks).and_then(|number| number.checked_sub(1));
    let number = number.filter(|number| *number >= config.genesis.l2.number);
    number.map(SpanStart::After).ok_or(Validity::Undecided)
}

/// The rules that concern the block before the span and the origins of its ends.
fn span_parent(context: &Context<'_>, batch: &SpanBatch, parent: &L2BlockRef) -> Checked {
    let (first, last) = ends(batch)?;
    drop_if(batch.parent_check != check(parent.id.hash), DropReason::Parent)?;
    context.late(first.epoch_number)?;
    let newest = parent.l1_origin.number.saturating_add(1);
    drop_if(first.epoch_number > newest, DropReason::EpochSkips)?;
    let origin = context.epochs.get(last.epoch_number).ok_or(Validity::Undecided)?;
    drop_if(batch.l1_origin_check != check(origin.id.hash), DropReason::EpochHash)?;
    drop_if(first.epoch_number < parent.l1_origin.number, DropReason::EpochOld)
}

/// The rules for each block of a span that is not safe yet.
fn span_blocks(context: &Context<'_>, batch: &SpanBatch, parent: &L2BlockRef) -> Checked {
    let Context { epochs, safe, .. } = *context;
    let mut before = parent.l1_origin.number;
    for block in &batch.blocks {
        let SpanBlock { timestamp, epoch_number, ref transactions } = *block;
        // Whether the first block changes the origin is seen from the block before, not from what
        // the batch says of it.
        let advances = epoch_number > before;
        before = epoch_number;
        if timestamp <= safe.timestamp {
            continue;
        }
        drop_if(epoch_number < safe.l1_origin.number, DropReason::EpochOld)?;
        let unknown = Validity::Drop(DropReason::EpochHash);
        let origin = epochs.get(epoch_number).ok_or(unknown)?;
        drop_if(timestamp < origin.timestamp, DropReason::BeforeOrigin)?;
        let next = (!advances).then(|| epochs.get(epoch_number.saturating_add(1)));
        context.drift(timestamp, transactions, origin, next)?;
        context.transactions(timestamp, transactions)?;
    }
    Ok(())
}

/// Whether a block of a span says the same as the safe block at its place.
fn repeats<E>(
    config: &RollupConfig,
    block: &SpanBlock,
    safe: &L2Block,
) -> Result<bool, PipelineError<E>> {
    let origin = L2BlockRef::from_block(config, safe)?.l1_origin.number;
    let deposit = |transaction: &&Bytes| transaction.first() == Some(&0x7e);
    let sequenced = safe.transactions.iter().skip_while(deposit);
    Ok(origin == block.epoch_number && sequenced.eq(&block.transactions))
}

#[cfg(test)]
mod tests;
