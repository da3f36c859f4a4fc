//! Batches from Holocene on: strictly in order, none is kept.
//!
//! ```text
//!   span batch ─► rules for the whole ─► its blocks ─┐
//!   singular batch ──────────────────────────────────┴─► rules for a block ─► next batch
//!                                                        broken: the channel's rest is dropped
//! ```
//!
//! Specification: "Holocene", span batches and batch queue.

use super::{Epochs, NextBatch, SpanStream, batch_queue::BatchQueue};
use crate::{
    Batch, L1BlockRef, L2BlockRef, L2Source, PipelineError, RollupConfig, SingularBatch,
    batch::{Context, DropReason, Validity, check_singular, check_span_prefix},
};

/// The stage.
#[derive(Clone, Debug)]
pub(crate) struct BatchValidator {
    epochs: Epochs,
    stream: SpanStream,
    /// The batch that was added last, with the L1 block in which it became readable.
    added: Option<(Batch, L1BlockRef)>,
}

/// What became of the batch that was added.
enum Candidate {
    Batch(SingularBatch, L1BlockRef),
    /// Nothing, but there may be more.
    Skipped,
    Dropped(DropReason),
    None,
}

impl BatchValidator {
    /// The stage of a pipeline that starts to read at `origin`.
    pub(crate) fn new(origin: L1BlockRef) -> Self {
        Self::with_epochs(Epochs::new(origin))
    }

    /// The stage of a pipeline that reaches Holocene. Batches are forgotten, L1 blocks are not: the
    /// first batches of Holocene still belong to them.
    pub(crate) fn after(queue: &BatchQueue) -> Self {
        Self::with_epochs(queue.epochs().clone())
    }

    fn with_epochs(epochs: Epochs) -> Self {
        Self { epochs, stream: SpanStream::default(), added: None }
    }

    /// The pipeline reads the next L1 block now.
    pub(crate) fn origin_advanced(&mut self, block: L1BlockRef) {
        self.epochs.advance(block);
    }

    /// Takes a batch for [`Self::next`], which has to give nothing before another is added.
    pub(crate) fn add(&mut self, batch: Batch, inclusion: L1BlockRef) {
        self.added = Some((batch, inclusion));
    }

    /// The next batch to build on, or that the rest of the channel has to be dropped.
    ///
    /// To be called after each batch that was added, until it gives nothing, and when nothing is left
    /// to be read from the L1 block, `out_of_data`.
    ///
    /// # Errors
    /// When the block before a span cannot be read, or the safe head does not fit L1.
    pub(crate) fn next<T: L2Source>(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        out_of_data: bool,
        l2: &mut T,
    ) -> Result<NextBatch, PipelineError<T::Error>> {
        self.epochs.prune(safe);
        // A batch cannot name its own L1 block as origin, so here all of them are past.
        if self.epochs.origin().id.number <= safe.l1_origin.number {
            self.added = None;
            return Ok(NextBatch::Nothing);
        }
        if self.epochs.current(safe)?.is_none() {
            return Ok(NextBatch::Nothing);
        }
        loop {
            let (batch, inclusion) = match self.candidate(config, safe, l2)? {
                Candidate::Batch(batch, inclusion) => (batch, inclusion),
                Candidate::Skipped => continue,
                Candidate::Dropped(reason) => return Ok(self.invalid(reason)),
                Candidate::None => break,
            };
            let context = Context { config, epochs: &self.epochs, safe, inclusion };
            match check_singular(&context, &batch) {
                Validity::Accept => return Ok(NextBatch::Ready { batch, concludes: true }),
                Validity::Drop(reason) => return Ok(self.invalid(reason)),
                Validity::Past | Validity::Undecided | Validity::Future => {}
            }
        }
        let empty = out_of_data.then(|| self.epochs.empty_batch(config, safe, true)).flatten();
        Ok(empty.map_or(NextBatch::Nothing, |batch| NextBatch::Ready { batch, concludes: true }))
    }

    /// The batch just given made no valid block. What came with it is no more.
    pub(crate) fn flush(&mut self) {
        self.stream.clear();
        self.added = None;
    }

    fn invalid(&mut self, reason: DropReason) -> NextBatch {
        self.flush();
        NextBatch::Flush(reason)
    }

    /// The next block of the span, or else of the batch that was added.
    fn candidate<T: L2Source>(
        &mut self,
        config: &RollupConfig,
        safe: &L2BlockRef,
        l2: &mut T,
    ) -> Result<Candidate, PipelineError<T::Error>> {
        let origin = *self.epochs.origin();
        if let Some(batch) = self.stream.next(config, safe) {
            return Ok(Candidate::Batch(batch, origin));
        }
        let Some((batch, inclusion)) = self.added.take() else { return Ok(Candidate::None) };
        let span = match batch {
            Batch::Singular(batch) => return Ok(Candidate::Batch(batch, inclusion)),
            Batch::Span(span) => span,
        };
        let context = Context { config, epochs: &self.epochs, safe, inclusion };
        Ok(match check_span_prefix(&context, &span, l2)? {
            // The rules for the whole leave out most of the blocks' origins.
            Ok(_) => match self.stream.fill(span, &self.epochs, safe) {
                Ok(()) => Candidate::Skipped,
                Err(reason) => Candidate::Dropped(reason),
            },
            Err(Validity::Drop(reason)) => Candidate::Dropped(reason),
            // Past, or not to be decided: the span alone is passed over.
            Err(_) => Candidate::Skipped,
        })
    }
}
