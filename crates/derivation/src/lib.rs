//! From L1 data to the payload attributes of L2 blocks.
//!
//! ```text
//!   L1 block ─► traversal ─► retrieval ─► frame queue ─► channel bank ─► channel reader
//!                  │                                                          │ batches
//!                  │ system config                                            ▼
//!                  └────────────────────────► attributes ◄──────────── batch queue
//!                                                 │
//!                                                 ▼ payload attributes
//! ```
//!
//! Each stage is plain data with operations that take what they need; [`Pipeline`] alone knows
//! their order and pulls from the last towards the first. All data comes from an [`L1Source`] and an
//! [`L2Source`], whose answers are already checked against their hashes.
//!
//! Invariants: the attributes depend on the configuration and the sources alone; no L1 data makes
//! the code panic, run forever or hold more memory than the limits of the protocol allow.
//!
//! Specification: OP Stack, "Derivation" and the derivation pages of every fork up to Karst.

#![no_std]

extern crate alloc;

mod abi;
mod attributes;
mod batch;
mod blob;
mod block;
mod channel;
mod config;
mod decompress;
mod deposits;
mod error;
#[cfg(test)]
mod fixture_chain;
#[cfg(test)]
mod fixtures;
mod frame;
mod inflate;
mod l1_info;
mod l2_block;
#[cfg(test)]
mod memory_l1;
mod pipeline;
mod receipts;
mod source;
mod stages;
mod system_config;
mod upgrades;

pub use attributes::attributes as payload_attributes;
pub use batch::{
    Batch, BatchError, DropReason, SingularBatch, SpanBatch, SpanBlock, SpanEncodeError,
    TransactionError,
};
pub use blob::{BlobError, decode_blob};
pub use block::{BlockId, L1BlockRef, L2BlockRef};
pub use config::{
    BlobFeeSchedule, Eip1559Params, Genesis, L1Config, OperatorFee, RollupConfig, SystemConfig,
};
pub use error::{CriticalError, PipelineError, ResetError};
pub use frame::{ChannelId, Frame, FrameError};
pub use l1_info::L1InfoError;
pub use l2_block::L2BlockError;
pub use pipeline::{DerivedAttributes, Pipeline};
pub use source::{L1Source, L2Block, L2Source};
pub use upgrades::transactions as upgrade_transactions;
