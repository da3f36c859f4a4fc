//! Programs to states: ELF files, the first stack, and the symbols of the program.

mod elf;
mod stack;
pub mod symbols;

pub use elf::{LoadError, MAX_PROGRAM_BYTES};
pub use symbols::{Symbol, Symbols};

use crate::mips::state::{HEAP_START, State, StateVersion};

/// A program ready to run.
#[derive(Debug)]
pub struct Program {
    /// The state before its first step.
    pub state: State,
    /// Its symbols, for logs and disassembly.
    pub symbols: Symbols,
}

/// Loads an ELF file: segments, first stack and symbols.
///
/// # Errors
/// The file is no MIPS program, or does not fit the machine.
pub fn load_elf(version: StateVersion, file: &[u8]) -> Result<Program, LoadError> {
    let elf = elf::Elf::parse(file)?;
    let mut state = State::at(version, elf.entry);
    state.registers.heap = HEAP_START;
    for segment in &elf.segments {
        state.memory.write_range(segment.address, segment.data);
        state.memory.write_range(
            segment.address + segment.data.len() as u64,
            &vec![0; segment.zeros as usize],
        );
    }
    stack::write(&mut state);
    Ok(Program { state, symbols: elf.symbols })
}
