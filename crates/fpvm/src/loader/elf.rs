//! Reads the parts of an ELF file that a machine needs, and checks them against its address space.
//!
//! Like the deployed loader it takes every program header but the ABI flags for a segment, and looks at
//! neither class nor byte order beyond what is needed to read the file.

use super::symbols::{Symbol, Symbols};
use crate::mips::state::HEAP_START;
use object::elf::{EM_MIPS, PT_LOAD, PT_MIPS_ABIFLAGS};
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{Endianness, FileKind, SectionIndex, elf};

/// The last address that a program may use: 48 bits.
const LAST_ADDRESS: u64 = (1 << 48) - 1;
/// Most bytes that all segments of a program may have in memory.
pub const MAX_PROGRAM_BYTES: u64 = 4 << 30;

/// Why a program cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Not an ELF file, or one that is cut short or contradicts itself.
    #[error("not a readable ELF file: {0}")]
    Malformed(#[from] object::Error),
    /// An ELF file for another processor.
    #[error("the ELF file is for machine {machine}, not for MIPS (8)")]
    Machine {
        /// The number in the file.
        machine: u16,
    },
    /// A segment is larger in the file than in memory.
    #[error("segment {index}: file size {file} is larger than memory size {memory}")]
    Shrinks {
        /// Place of its program header.
        index: usize,
        /// Bytes in the file.
        file: u64,
        /// Bytes in memory.
        memory: u64,
    },
    /// A segment that is not loadable would have to be filled with zeros.
    #[error(
        "segment {index}: file size {file} differs from memory size {memory}, which only a PT_LOAD segment may"
    )]
    Fill {
        /// Place of its program header.
        index: usize,
        /// Bytes in the file.
        file: u64,
        /// Bytes in memory.
        memory: u64,
    },
    /// A segment leaves the 48-bit address space.
    #[error("segment {index}: 0x{memory:x} bytes at 0x{address:x} leave the 48-bit address space")]
    OutOfRange {
        /// Place of its program header.
        index: usize,
        /// Where it starts.
        address: u64,
        /// Bytes in memory.
        memory: u64,
    },
    /// A segment reaches into the heap.
    #[error(
        "segment {index}: 0x{memory:x} bytes at 0x{address:x} reach into the heap at 0x{HEAP_START:x}"
    )]
    OverlapsHeap {
        /// Place of its program header.
        index: usize,
        /// Where it starts.
        address: u64,
        /// Bytes in memory.
        memory: u64,
    },
    /// All segments together are too large.
    #[error("the program needs more than {MAX_PROGRAM_BYTES} bytes of memory")]
    TooLarge,
    /// The file has no symbol table.
    #[error("the ELF file has no symbol table; build it without stripping symbols")]
    NoSymbols,
}

pub(super) struct Segment<'f> {
    pub(super) address: u64,
    pub(super) data: &'f [u8],
    /// Zero bytes behind the data.
    pub(super) zeros: u64,
}

pub(super) struct Elf<'f> {
    pub(super) entry: u64,
    pub(super) segments: Vec<Segment<'f>>,
    pub(super) symbols: Symbols,
}

impl<'f> Elf<'f> {
    pub(super) fn parse(file: &'f [u8]) -> Result<Self, LoadError> {
        match FileKind::parse(file)? {
            FileKind::Elf32 => Self::parse_class::<elf::FileHeader32<Endianness>>(file),
            // Whatever else it is, reading it as 64-bit ELF says what is wrong with it.
            _ => Self::parse_class::<elf::FileHeader64<Endianness>>(file),
        }
    }

    fn parse_class<H: FileHeader<Endian = Endianness>>(file: &'f [u8]) -> Result<Self, LoadError> {
        let header = H::parse(file)?;
        let endian = header.endian()?;
        let machine = header.e_machine(endian);
        if machine != EM_MIPS {
            return Err(LoadError::Machine { machine });
        }
        let mut segments = Vec::new();
        let mut total: u64 = 0;
        for (index, program) in header.program_headers(endian, file)?.iter().enumerate() {
            let Some(segment) = read_segment::<H>(index, program, endian, file)? else { continue };
            total = total.saturating_add(segment.data.len() as u64).saturating_add(segment.zeros);
            segments.push(segment);
        }
        if total > MAX_PROGRAM_BYTES {
            return Err(LoadError::TooLarge);
        }
        let symbols = read_symbols(header, endian, file)?;
        Ok(Self { entry: header.e_entry(endian).into(), segments, symbols })
    }
}

/// One segment; nothing for headers that put nothing into memory.
fn read_segment<'f, H: FileHeader<Endian = Endianness>>(
    index: usize,
    header: &H::ProgramHeader,
    endian: Endianness,
    file: &'f [u8],
) -> Result<Option<Segment<'f>>, LoadError> {
    let kind = header.p_type(endian);
    if kind == PT_MIPS_ABIFLAGS {
        return Ok(None);
    }
    let in_file: u64 = header.p_filesz(endian).into();
    let memory: u64 = header.p_memsz(endian).into();
    if in_file > memory {
        return Err(LoadError::Shrinks { index, file: in_file, memory });
    }
    if in_file != memory && kind != PT_LOAD {
        return Err(LoadError::Fill { index, file: in_file, memory });
    }
    if memory == 0 {
        return Ok(None);
    }
    let address: u64 = header.p_vaddr(endian).into();
    let last = address
        .checked_add(memory - 1)
        .filter(|last| *last <= LAST_ADDRESS)
        .ok_or(LoadError::OutOfRange { index, address, memory })?;
    if last >= HEAP_START {
        return Err(LoadError::OverlapsHeap { index, address, memory });
    }
    let data = header.data(endian, file).map_err(|()| LoadError::Shrinks {
        index,
        file: in_file,
        memory: file.len() as u64,
    })?;
    Ok(Some(Segment { address, data, zeros: memory - in_file }))
}

fn read_symbols<H: FileHeader<Endian = Endianness>>(
    header: &H,
    endian: Endianness,
    file: &[u8],
) -> Result<Symbols, LoadError> {
    let sections = header.sections(endian, file)?;
    let table = sections.symbols(endian, file, elf::SHT_SYMTAB)?;
    if table.section() == SectionIndex(0) {
        return Err(LoadError::NoSymbols);
    }
    // The first entry of every table is the null symbol.
    let symbols = table.iter().skip(1).map(|symbol| {
        let name = symbol.name(endian, table.strings())?;
        Ok(Symbol {
            name: String::from_utf8_lossy(name).into_owned(),
            start: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
        })
    });
    Ok(Symbols::new(symbols.collect::<Result<_, object::Error>>()?))
}
