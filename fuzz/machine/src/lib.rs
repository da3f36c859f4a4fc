//! Fuzz targets of the preimage protocol, memory proofs, the virtual machine and its command line.
//!
//! A target is one call of a function in here. Each function takes what the fuzzer made up, hands it to
//! a parser or an engine, and asserts what must hold for any input: no panic, no value that does not
//! verify, what was read is written and read again the same, two engines agree.
//!
//! The seeds are made by [`seeds`], so that nothing binary has to be kept.

pub mod journal;
pub mod many;
#[path = "../../../crates/cli/src/cannon/pattern.rs"]
pub mod pattern;
pub mod patterns;
pub mod programs;
pub mod proofs;
pub mod protocol;
pub mod seeds;
pub mod states;
pub mod stores;
