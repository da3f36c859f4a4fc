//! Fuzz targets of block witness files, chain configurations, the block program and execution.
//!
//! A target is one call of a function in here, which asserts what must hold for any input: no panic,
//! one encoding for one value, the same result each time, the same trie as by another implementation,
//! and never a wrong block hash from wrong preimages.
//!
//! The seeds are made by [`seeds`], so that nothing binary has to be kept.

pub mod chains;
pub mod execution;
#[path = "../../machine/src/many.rs"]
pub mod many;
pub mod seeds;
pub mod tamper;
pub mod trie;
pub mod witness;
