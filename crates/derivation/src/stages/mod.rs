//! The stages of the pipeline.

pub(crate) mod batch_queue;
#[cfg(test)]
mod batch_tests;
pub(crate) mod batch_validator;
pub(crate) mod channel_assembler;
pub(crate) mod channel_bank;
pub(crate) mod channel_reader;
mod epochs;
pub(crate) mod frame_queue;
#[cfg(test)]
mod recorded;
pub(crate) mod retrieval;
mod span_stream;
pub(crate) mod traversal;

use crate::{SingularBatch, batch::DropReason};
pub(crate) use epochs::Epochs;
pub(crate) use span_stream::SpanStream;

/// What the stages of batches say when they are asked for the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextBatch {
    /// Build on this one.
    Ready {
        /// The batch, whose parent is the safe head.
        batch: SingularBatch,
        /// Whether it is the last of its span. Before Holocene, the blocks of a span become safe
        /// together after the last one: if one of them is invalid, none of them is kept.
        concludes: bool,
    },
    /// More has to be read.
    Nothing,
    /// A batch was invalid: the rest of its channel has to be dropped (Holocene).
    Flush(DropReason),
}
