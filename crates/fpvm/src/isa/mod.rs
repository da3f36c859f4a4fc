//! Instruction sets as tables.
//!
//! `mips_table.rs` and `riscv_table.rs` hold one row per instruction; `table` turns the rows of either into
//! the `Op` enum, its decoder and disassembler, the list of all instructions, and the `Visitor` that every
//! engine implements. [`mips`] and [`riscv`] add what only they have: formats, fields of words, the encoder.
//! Nothing else in the crate knows an opcode number.

#[macro_use]
mod table;
pub mod mips;
mod pattern;
pub mod riscv;
pub mod semantics;

/// MIPS unless said otherwise.
pub use mips::{Disassembly, Format, Op, Operands, ROWS, Row, Visitor, Word};
pub use pattern::Pattern;
pub use table::Width;
pub(crate) use table::rows;
