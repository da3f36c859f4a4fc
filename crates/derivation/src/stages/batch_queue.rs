//! Batches before Holocene: in any order, kept until their time comes.
//!
//! ```text
//!   batches by inclusion ─► the first valid one ─► a span's blocks, one by one
//!                           none, in time: an empty block
//! ```
//!
//! Specification: "Derivation", batch queue; "Delta", batch queue.

use super::{Epochs, NextBatch, SpanStream};
use crate::{
    Batch, L1BlockRef, L2BlockRef, L2Source, PipelineError, RollupConfig,
    batch::{Context, Validity, check_singular, check_span},
};
use alloc::collections::VecDeque;

/// The stage.
#[derive(Clone, Debug)]
pub(crate) struct BatchQueue {
    epochs: Epochs,
    /// By inclusion, each with the L1 block in which it became readable.
    batches: VecDeque<(Batch, L1BlockRef)>,
    stream: SpanStream,
}

impl BatchQueue {
    /// The stage of a pipeline that starts to read at `origin`.
    pub(crate) fn new(origin: L1BlockRef) -> Self {
        Self {
            epochs: Epochs::new(origin),
            batches: VecDeque::new(),
            stream: SpanStream::default(),
        }
    }

    /// The pipeline reads the next L1 block now.
    pub(crate) fn origin_advanced(&mut self, block: L1BlockRef) {
        self.epochs.advance(block);
    }

    /// Keeps a batch, unless it can be dropped already. Not to be called while a span is streamed.
    ///
    /// # Errors
    /// When the safe blocks that a span repeats cannot be read.
    pub(crate) fn add<T: L2Source>(
        &mut self,
        config: &RollupConfig,
        batch: Batch,
        inclusion: L1BlockRef,
        safe: &L2BlockRef,
        l2: &mut T,
    ) -> Result<(), PipelineError<T::Error>> {
        self.epochs.prune(safe);
        if self.behind(safe) {
            return Ok(());
        }
        let validity = self.check(config, &batch, inclusion, safe, l2)?;
        if !matches!(validity, Validity::Drop(_)) {
            self.batches.push_back((batch, inclusion));
        }
        Ok(())
    }

    /// The next batch to build on.
    ///
    /// To be called after each batch that was added, until it gives nothing, and when nothing is left
    /// to be read from the L1 block, `out_of_data`.
    ///
    /// # Errors
    /// When the safe blocks that a span repeats cannot be read, or the safe head does not fit L1.
    pub(crate) fn next<T: L2Source>(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        out_of_data: bool,
        l2: &mut T,
    ) -> Result<NextBatch, PipelineError<T::Error>> {
        if let Some(batch) = self.stream.next(config, safe) {
            return Ok(NextBatch::Ready { batch, concludes: self.stream.is_empty() });
        }
        // A span stands or falls as a whole, so epochs are forgotten only after its last block.
        self.epochs.prune(safe);
        if self.behind(safe) || self.epochs.current(safe)?.is_none() {
            return Ok(NextBatch::Nothing);
        }
        let mut at = 0;
        while let Some((batch, inclusion)) = self.batches.get(at) {
            match self.check(config, batch, *inclusion, safe, l2)? {
                Validity::Undecided => return Ok(NextBatch::Nothing),
                Validity::Future => at += 1,
                Validity::Drop(_) | Validity::Past => drop(self.batches.remove(at)),
                Validity::Accept => {
                    if let Some(ready) = self.accept(config, at, safe) {
                        return Ok(ready);
                    }
                }
            }
        }
        let empty = self.epochs.empty_batch(config, safe, out_of_data);
        Ok(empty.map_or(NextBatch::Nothing, |batch| NextBatch::Ready { batch, concludes: true }))
    }

    /// The batch just given made no valid block. Its span is no more.
    pub(crate) fn flush(&mut self) {
        self.stream.clear();
    }

    /// What the stage after Holocene goes on with.
    pub(super) const fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Takes batch `at` out of the queue.
    fn accept(&mut self, config: &RollupConfig, at: usize, safe: &L2BlockRef) -> Option<NextBatch> {
        match self.batches.remove(at)?.0 {
            Batch::Singular(batch) => Some(NextBatch::Ready { batch, concludes: true }),
            Batch::Span(span) => {
                // A valid span has the origins of all its blocks.
                self.stream.fill(span, &self.epochs, safe).ok()?;
                let batch = self.stream.next(config, safe)?;
                Some(NextBatch::Ready { batch, concludes: self.stream.is_empty() })
            }
        }
    }

    fn check<T: L2Source>(
        &self,
        config: &RollupConfig,
        batch: &Batch,
        inclusion: L1BlockRef,
        safe: &L2BlockRef,
        l2: &mut T,
    ) -> Result<Validity, PipelineError<T::Error>> {
        let context = Context { config, epochs: &self.epochs, safe, inclusion };
        match batch {
            Batch::Singular(batch) => Ok(check_singular(&context, batch)),
            Batch::Span(batch) => check_span(&context, batch, l2),
        }
    }

    /// The pipeline still reads L1 blocks before the safe head's origin: their batches are known.
    fn behind(&self, safe: &L2BlockRef) -> bool {
        self.epochs.origin().id.number < safe.l1_origin.number
    }
}
