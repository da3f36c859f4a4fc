//! Programs to states: ELF files, the first stack, and the symbols of the program.

mod asterisc;
mod cannon;
mod elf;
mod go;
pub mod symbols;

pub use elf::{Bounds, LoadError, MAX_PROGRAM_BYTES, Rules};
pub use symbols::{Symbol, Symbols};

use crate::blocks::Engine;
use crate::machine::state::State;
use crate::machine::vm::{Version, Vm};
use crate::memory::{Memory, PAGE_BYTES};
use crate::mips::Mips64;

/// Keys of the auxiliary vector on a first stack: its end, the size of a page, where random bytes are.
const AT_NULL: u64 = 0;
const AT_PAGESZ: u64 = 6;
const AT_RANDOM: u64 = 25;

/// A machine that ELF files are programs of.
pub trait Target: Vm {
    /// What it asks of them.
    const RULES: Rules;

    /// Completes the state of a program whose segments are in memory: heap, patches, first stack.
    fn prepare(state: &mut State<Self>, symbols: &Symbols);
}

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
/// The file is no program of the machine, or does not fit it.
pub fn load_elf<N>(version: N, file: &[u8]) -> Result<Program<N::Vm>, LoadError>
where
    N: Version<Vm: Target>,
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
    N: Version<Vm: Target>,
{
    let rules = N::Vm::RULES;
    let elf = elf::Elf::parse(file, &rules, limit_bytes)?;
    let mut state = State::<N::Vm>::at(version, N::Vm::wrap(elf.entry));
    for segment in &elf.segments {
        let end = segment.address.wrapping_add(segment.data.len() as u64);
        state.memory.write_range(segment.address, segment.data);
        write_zeros(&mut state.memory, end, segment.zeros);
        if rules.page_behind {
            touch(&mut state.memory, end.wrapping_add(segment.zeros));
        }
    }
    N::Vm::prepare(&mut state, &elf.symbols);
    Ok(Program { state, symbols: elf.symbols })
}

/// Writes zeros page by page: a few header bytes can ask for gigabytes.
fn write_zeros(memory: &mut Memory, start: u64, count: u64) {
    for at in (0..count).step_by(PAGE_BYTES) {
        let length = (count - at).min(PAGE_BYTES as u64) as usize;
        memory.write_range(start.wrapping_add(at), &[0; PAGE_BYTES][..length]);
    }
}

/// Makes the page of an address exist.
fn touch(memory: &mut Memory, address: u64) {
    memory.touch_page(address / PAGE_BYTES as u64);
}
