//! The blocks of a span batch, given out one by one.

use super::Epochs;
use crate::{L2BlockRef, RollupConfig, SingularBatch, SpanBatch, batch::DropReason};
use alloc::collections::VecDeque;

/// What is left of a span batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanStream {
    blocks: VecDeque<SingularBatch>,
}

impl SpanStream {
    /// Takes the span's blocks after the safe head.
    ///
    /// # Errors
    /// When one of them has an origin before the safe head's or one that is not known. The stream
    /// is empty then.
    pub(crate) fn fill(
        &mut self,
        span: SpanBatch,
        epochs: &Epochs,
        safe: &L2BlockRef,
    ) -> Result<(), DropReason> {
        self.blocks.clear();
        let mut blocks = VecDeque::with_capacity(span.blocks.len());
        for block in span.blocks {
            if block.timestamp <= safe.timestamp {
                continue;
            }
            if block.epoch_number < safe.l1_origin.number {
                return Err(DropReason::EpochOld);
            }
            let epoch = epochs.get(block.epoch_number).ok_or(DropReason::EpochHash)?;
            blocks.push_back(SingularBatch {
                parent_hash: Default::default(),
                epoch_number: block.epoch_number,
                epoch_hash: epoch.id.hash,
                timestamp: block.timestamp,
                transactions: block.transactions,
            });
        }
        self.blocks = blocks;
        Ok(())
    }

    /// The next block, on top of the safe head. Where the safe head is not the block before, that
    /// block was invalid, and so is the rest.
    pub(crate) fn next(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
    ) -> Option<SingularBatch> {
        let mut batch = self.blocks.pop_front()?;
        if batch.timestamp != safe.timestamp.saturating_add(config.block_time) {
            self.clear();
            return None;
        }
        batch.parent_hash = safe.id.hash;
        Some(batch)
    }

    pub(crate) fn clear(&mut self) {
        self.blocks = VecDeque::new();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}
