//! The stages from L1 blocks to encoded batches.

pub(crate) mod channel_assembler;
pub(crate) mod channel_bank;
pub(crate) mod channel_reader;
pub(crate) mod frame_queue;
#[cfg(test)]
mod recorded;
pub(crate) mod retrieval;
pub(crate) mod traversal;
