//! Fault proof virtual machines: the state hash at any step, and the proof of one step.
//!
//! ```text
//! isa      instruction tables, decoder, semantics       knows no machine
//! memory   guest memory and its Merkle root             knows no instruction
//! machine  running, stopping, proving, saving           the same for every machine
//! blocks   the block interpreter                        the same for every machine
//! mips     Cannon: plain step, and what its blocks do;  riscv  the same for Asterisc
//! kernel   system calls, descriptors, oracle
//! layout   fields of states in their order;  witness  what the chain sees: packed state, proofs
//! loader   programs to states;  state_file  states to files
//! ```
//!
//! The crate does not know what program it runs. Only [`memory`] holds unsafe code.
//!
//! Specification: Cannon fault proof virtual machine: single-threaded 32-bit, state versions 0 and 2;
//! multithreaded 64-bit, state versions 7 and 8.

#[macro_use]
#[path = "isa/mips_table.rs"]
mod mips_table;
#[macro_use]
#[path = "isa/riscv_table.rs"]
mod riscv_table;
mod blocks;
pub mod isa;
pub mod kernel;
mod layout;
pub mod loader;
pub mod machine;
pub mod memory;
pub mod mips;
pub mod riscv;
pub mod state_file;
pub mod witness;

pub use kernel::host::{Output, Silent, Stream};
pub use loader::{LoadError, Program, Symbols, Target, load_elf};
pub use machine::error::{Fault, StepError};
pub use machine::vm::{Version, Vm};
pub use machine::{Stop, Until};
pub use mips::state::{StateVersion, StateVersion32};
pub use mips::{Arch, Mips32, Mips64};
pub use riscv::{Asterisc, AsteriscVersion};
pub use state_file::{AnyState, AnyVersion, StateFileError};
pub use witness::{StateWitness, StepProof};

/// A machine; the multithreaded 64-bit Cannon unless said otherwise.
pub type Machine<'h, V = Mips64> = machine::Machine<'h, V>;
/// A state of a machine; of the multithreaded 64-bit Cannon unless said otherwise.
pub type State<V = Mips64> = machine::state::State<V>;
/// A saved state of a machine; of the multithreaded 64-bit Cannon unless said otherwise.
pub type Snapshot<V = Mips64> = machine::Snapshot<V>;
/// A state without its memory; of the multithreaded 64-bit Cannon unless said otherwise.
pub type Registers<V = Mips64> = machine::state::Registers<<V as Vm>::Processor>;
