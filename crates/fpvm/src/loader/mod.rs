//! Programs to states: ELF files, the first stack, and the symbols of the program.

mod elf;
mod go;
mod stack;
pub mod symbols;

pub use elf::{LoadError, MAX_PROGRAM_BYTES};
pub use symbols::{Symbol, Symbols};

use crate::machine::state::State;
use crate::machine::vm::{Version, Vm};
use crate::memory::PAGE_BYTES;
use crate::mips::{Arch, Mips64};

/// A program ready to run.
#[derive(Debug)]
pub struct Program<V: Vm = Mips64> {
    /// The state before its first step.
    pub state: State<V>,
    /// Its symbols, for logs and disassembly.
    pub symbols: Symbols,
}

/// Loads an ELF file: segments, first stack and symbols.
///
/// # Errors
/// The file is no MIPS program, or does not fit the machine.
pub fn load_elf<N>(version: N, file: &[u8]) -> Result<Program<N::Vm>, LoadError>
where
    N: Version<Vm: Arch>,
{
    load_elf_within(version, file, MAX_PROGRAM_BYTES)
}

/// As [`load_elf`], refusing a program whose segments need more than `limit_bytes` of memory.
///
/// # Errors
/// As [`load_elf`].
pub fn load_elf_within<N>(
    version: N,
    file: &[u8],
    limit_bytes: u64,
) -> Result<Program<N::Vm>, LoadError>
where
    N: Version<Vm: Arch>,
{
    let elf = elf::Elf::parse::<N::Vm>(file, limit_bytes)?;
    let mut state = State::<N::Vm>::at(version, elf.entry);
    state.registers.heap = N::Vm::HEAP_START;
    for segment in &elf.segments {
        state.memory.write_range(segment.address, segment.data);
        write_zeros(&mut state, segment.address + segment.data.len() as u64, segment.zeros);
    }
    if N::Vm::PATCHES_GO {
        go::patch(&mut state, &elf.symbols);
    }
    stack::write(&mut state);
    Ok(Program { state, symbols: elf.symbols })
}

/// Writes zeros page by page: a few header bytes can ask for gigabytes.
fn write_zeros<V: Vm>(state: &mut State<V>, start: u64, count: u64) {
    for at in (0..count).step_by(PAGE_BYTES) {
        let length = (count - at).min(PAGE_BYTES as u64) as usize;
        state.memory.write_range(start + at, &[0; PAGE_BYTES][..length]);
    }
}
