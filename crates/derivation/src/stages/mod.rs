//! The stages of the pipeline.

mod batch_queue;
#[cfg(test)]
mod batch_tests;
mod batch_validator;
mod channel_assembler;
mod channel_bank;
mod channel_reader;
mod epochs;
mod frame_queue;
#[cfg(test)]
mod recorded;
mod retrieval;
mod span_stream;
mod traversal;

use crate::{SingularBatch, batch::DropReason};
pub(crate) use batch_queue::BatchQueue;
pub(crate) use batch_validator::BatchValidator;
pub(crate) use channel_assembler::ChannelAssembler;
pub(crate) use channel_bank::ChannelBank;
pub(crate) use channel_reader::ChannelReader;
pub(crate) use epochs::Epochs;
pub(crate) use frame_queue::FrameQueue;
pub(crate) use retrieval::batcher_data;
pub(crate) use span_stream::SpanStream;
pub(crate) use traversal::Traversal;

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
