//! Our derivation beside the published one (`kona-derive` 0.4.5), over generated histories of L1.
//!
//! ```text
//!   seed ─► parameters ─► L1 blocks: deposits, config updates, batcher transactions ──┐
//!                            ▲                                                        ▼
//!                sequencer, batcher  ◄── what became safe ── pipeline A      pipeline A, pipeline B
//!                                                                                     │
//!                                      attributes, block by block: the same? ◄────────┘
//! ```
//!
//! A [`history`] is made one L1 block at a time while our pipeline runs along: an honest [`sequencer`]
//! builds L2 blocks, a [`batcher`] writes them, and mixes in batches, channels, frames and transactions
//! that break a rule. Nothing is executed: an engine ([`l2`]) makes blocks from payload attributes, and
//! refuses those with a marked transaction.
//!
//! Invariants: a history depends on its seed alone; it is made by code that shares nothing with either
//! pipeline but types of headers, transactions and receipts; it holds no input on which the published
//! pipeline is known to break the specification, except where that is mended ([`mended`]) or a test
//! is about it. `docs/derivation.md` lists these inputs.

pub mod batch;
pub mod batcher;
pub mod channel;
pub mod compare;
pub mod events;
pub mod history;
pub mod kona;
pub mod l1;
pub mod l2;
pub mod mended;
pub mod parameters;
pub mod random;
pub mod rebut;
pub mod rlp;
pub mod run;
pub mod sequencer;
pub mod user_transaction;
