//! Generators and oracles that the differential and end-to-end tests share.
//!
//! ```text
//! random    seeded numbers, and the seed of a run
//! subject   the machines under test
//! program   random guest programs of Cannon;  riscv_program  of Asterisc
//! engines   one step and a few more on every engine
//! lockstep  random programs on several engines
//! case      a machine state written down, to be built as often as an engine needs it
//! preimages a small oracle whose answers the contract can check
//! verdict   one step in Rust against the same step in Solidity
//! go        the Go program, built where there is a Go
//! guests    the built guest programs
//! ```
//!
//! Invariant: nothing here computes what a step should do. Expectations come from another engine, from
//! recordings or from the tests themselves.

pub mod case;
pub mod engines;
pub mod go;
pub mod guests;
pub mod lockstep;
pub mod preimages;
pub mod program;
pub mod random;
pub mod riscv_program;
pub mod subject;
pub mod verdict;

pub use case::Case;
pub use engines::Engines;
pub use random::Random;
pub use subject::{Mips, Subject};
pub use verdict::Solidity;
