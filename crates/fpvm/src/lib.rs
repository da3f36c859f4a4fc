//! Fault proof virtual machines: the state hash at any step, and the proof of one step.
//!
//! ```text
//! isa      instruction tables, decoder, semantics       knows no machine
//! memory   guest memory and its Merkle root             knows no instruction
//! mips     state, plain step, block interpreter
//! kernel   system calls, threads, descriptors, oracle
//! witness  what the chain sees: packed state, proofs
//! loader   programs to states;  state_file  states to files
//! ```
//!
//! The crate does not know what program it runs. Only [`memory`] holds unsafe code.
//!
//! Specification: Cannon fault proof virtual machine, multithreaded 64-bit, state versions 7 and 8.

#[macro_use]
#[path = "isa/mips_table.rs"]
mod mips_table;
#[macro_use]
#[path = "isa/riscv_table.rs"]
mod riscv_table;
pub mod isa;
pub mod kernel;
pub mod loader;
pub mod memory;
pub mod mips;
pub mod state_file;
pub mod witness;

pub use kernel::host::{Output, Silent, Stream};
pub use loader::{LoadError, Program, Symbols, load_elf};
pub use mips::error::{Fault, StepError};
pub use mips::machine::{Machine, Snapshot, Stop, Until};
pub use mips::state::{State, StateVersion};
pub use state_file::StateFileError;
pub use witness::{StateWitness, StepProof};
