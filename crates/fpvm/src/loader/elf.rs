//! Reads the parts of an ELF file that a machine needs, and checks them against its address space.
//!
//! Like the deployed loader it takes every program header but the ABI flags for a segment, and looks at
//! neither class nor byte order beyond what is needed to read the file.

use super::symbols::{Symbol, Symbols};
use object::elf::PT_LOAD;
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{Endianness, FileKind, SectionIndex, elf};

/// Most bytes that all segments of a program may have in memory.
pub const MAX_PROGRAM_BYTES: u64 = 4 << 30;
/// Most bytes of all symbols' names together. Many symbols can share one long name in the file, so the
/// file's length is no bound.
const MAX_NAME_BYTES: usize = 256 << 20;

/// What a machine asks of its programs.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Number of the processor in the file's header.
    pub machine: u16,
    /// Name and number of the processor.
    pub machine_name: &'static str,
    /// Program headers of this type are no segments.
    pub ignored: u32,
    /// Where programs must lie; nothing where anything goes.
    pub bounds: Option<Bounds>,
    /// Whether the page behind each segment exists too, which shows where a segment ends at the end of a
    /// page or is empty.
    pub page_behind: bool,
}

/// The part of the address space that is for programs.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The last address there is.
    pub last_address: u64,
    /// Programs must end below it.
    pub heap_start: u64,
}

/// Why a program cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Not an ELF file, or one that is cut short or contradicts itself.
    #[error("not a readable ELF file: {0}")]
    Malformed(#[from] object::Error),
    /// An ELF file for another processor.
    #[error("the ELF file is for machine {machine}, not for {wanted}")]
    Machine {
        /// The number in the file.
        machine: u16,
        /// The machine's processor.
        wanted: &'static str,
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
    /// A segment leaves the address space.
    #[error("segment {index}: 0x{memory:x} bytes at 0x{address:x} leave the {}-bit address space", last.count_ones())]
    OutOfRange {
        /// Place of its program header.
        index: usize,
        /// Where it starts.
        address: u64,
        /// Bytes in memory.
        memory: u64,
        /// The last address.
        last: u64,
    },
    /// A segment reaches into the heap.
    #[error(
        "segment {index}: 0x{memory:x} bytes at 0x{address:x} reach into the heap at 0x{heap:x}"
    )]
    OverlapsHeap {
        /// Place of its program header.
        index: usize,
        /// Where it starts.
        address: u64,
        /// Bytes in memory.
        memory: u64,
        /// Where the heap starts.
        heap: u64,
    },
    /// All segments together are too large.
    #[error("the program needs more than {limit_bytes} bytes of memory")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The file has no symbol table.
    #[error("the ELF file has no symbol table; build it without stripping symbols")]
    NoSymbols,
    /// The names of the symbols would fill the host's memory.
    #[error("the names of the symbols have more than {MAX_NAME_BYTES} bytes together")]
    SymbolNames,
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
    pub(super) fn parse(
        file: &'f [u8],
        rules: &Rules,
        limit_bytes: u64,
    ) -> Result<Self, LoadError> {
        match FileKind::parse(file)? {
            FileKind::Elf32 => {
                Self::parse_class::<elf::FileHeader32<Endianness>>(file, rules, limit_bytes)
            }
            // Whatever else it is, reading it as 64-bit ELF says what is wrong with it.
            _ => Self::parse_class::<elf::FileHeader64<Endianness>>(file, rules, limit_bytes),
        }
    }

    fn parse_class<H: FileHeader<Endian = Endianness>>(
        file: &'f [u8],
        rules: &Rules,
        limit_bytes: u64,
    ) -> Result<Self, LoadError> {
        let header = H::parse(file)?;
        let endian = header.endian()?;
        let machine = header.e_machine(endian);
        if machine != rules.machine {
            return Err(LoadError::Machine { machine, wanted: rules.machine_name });
        }
        let mut segments = Vec::new();
        let mut total: u64 = 0;
        for (index, program) in header.program_headers(endian, file)?.iter().enumerate() {
            let Some(segment) = read_segment::<H>(index, program, endian, file, rules)? else {
                continue;
            };
            total = total.saturating_add(segment.data.len() as u64).saturating_add(segment.zeros);
            segments.push(segment);
        }
        if total > limit_bytes {
            return Err(LoadError::TooLarge { limit_bytes });
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
    rules: &Rules,
) -> Result<Option<Segment<'f>>, LoadError> {
    let kind = header.p_type(endian);
    if kind == rules.ignored {
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
    if memory == 0 && !rules.page_behind {
        return Ok(None);
    }
    let address: u64 = header.p_vaddr(endian).into();
    if let Some(Bounds { last_address: last, heap_start: heap }) = rules.bounds {
        let end = address
            .checked_add(memory.saturating_sub(1))
            .filter(|end| *end <= last)
            .ok_or(LoadError::OutOfRange { index, address, memory, last })?;
        if end >= heap {
            return Err(LoadError::OverlapsHeap { index, address, memory, heap });
        }
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
    let mut name_bytes = 0;
    // The first entry of every table is the null symbol.
    let symbols = table.iter().skip(1).map(|symbol| {
        let name = symbol.name(endian, table.strings())?;
        name_bytes += name.len();
        if name_bytes > MAX_NAME_BYTES {
            return Err(LoadError::SymbolNames);
        }
        Ok(Symbol {
            name: String::from_utf8_lossy(name).into_owned(),
            start: symbol.st_value(endian).into(),
            size: symbol.st_size(endian).into(),
        })
    });
    Ok(Symbols::new(symbols.collect::<Result<_, LoadError>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{StateVersion, load_elf, loader::load_elf_within};

    const HEADER_BYTES: usize = 64;
    const PROGRAM_HEADER_BYTES: usize = 56;
    const SECTION_HEADER_BYTES: usize = 64;

    /// A 64-bit big-endian file: one segment of `memory` bytes without content at 0x10000, and `count`
    /// symbols that share one name of `name_bytes` bytes.
    fn file(memory: u64, count: usize, name_bytes: usize) -> Vec<u8> {
        let names_at = HEADER_BYTES + PROGRAM_HEADER_BYTES;
        let names_bytes = name_bytes + 2;
        let symbols_at = (names_at + names_bytes).next_multiple_of(8);
        let symbols_bytes = 24 * (count + 1);
        let sections_at = symbols_at + symbols_bytes;

        let half = |value: u16| value.to_be_bytes().to_vec();
        let word = |value: u32| value.to_be_bytes().to_vec();
        let long = |value: usize| (value as u64).to_be_bytes().to_vec();
        let mut file = [b"\x7fELF\x02\x02\x01".as_slice(), &[0; 9]].concat();
        // Type, machine, version; entry, places of the tables; flags; sizes and counts.
        file.extend([half(2), half(8), word(1), long(0x10000), long(HEADER_BYTES)].concat());
        file.extend([long(sections_at), word(0), half(64), half(56), half(1)].concat());
        file.extend([half(64), half(3), half(1)].concat());
        // Type, flags, offset, addresses, sizes, alignment.
        file.extend([word(PT_LOAD), word(5), long(0), long(0x10000), long(0x10000)].concat());
        file.extend([long(0), long(memory as usize), long(8)].concat());
        assert_eq!(file.len(), names_at);
        file.extend([vec![0], vec![b'n'; name_bytes], vec![0]].concat());
        file.resize(symbols_at, 0);
        file.extend([0; 24]);
        for _ in 0..count {
            // Name, kind, section, value, size.
            file.extend([word(1), vec![2, 0], half(1), long(0x10000), long(4)].concat());
        }
        file.extend([0; SECTION_HEADER_BYTES]);
        // Name, type, flags, address, offset, size, link, info, alignment, entry size.
        let section = |kind, at, bytes, link, entry| {
            let head = [word(0), word(kind), long(0), long(0), long(at), long(bytes)].concat();
            [head, word(link), word(0), long(8), long(entry)].concat()
        };
        file.extend(section(elf::SHT_STRTAB, names_at, names_bytes, 0, 0));
        file.extend(section(elf::SHT_SYMTAB, symbols_at, symbols_bytes, 1, 24));
        file
    }

    #[test]
    fn a_segment_without_content_is_zeros() {
        let program = load_elf(StateVersion::V8, &file(4097, 1, 4)).unwrap();
        let pages: Vec<u64> = program.state.memory.pages().map(|(index, _)| index).collect();
        assert_eq!(pages[..2], [0x10, 0x11]);
        assert_eq!(program.symbols.name_of(0x10004), "nnnn");
    }

    #[test]
    fn memory_has_a_limit() {
        let load = |memory| load_elf_within(StateVersion::V8, &file(memory, 1, 4), 8192);
        assert!(load(8192).is_ok());
        assert_eq!(load(8193).unwrap_err(), LoadError::TooLarge { limit_bytes: 8192 });
        let all = load_elf(StateVersion::V8, &file(MAX_PROGRAM_BYTES + 1, 1, 4));
        assert_eq!(all.unwrap_err(), LoadError::TooLarge { limit_bytes: MAX_PROGRAM_BYTES });
    }

    #[test]
    fn a_small_file_cannot_have_huge_names() {
        let name_bytes = 1 << 20;
        let load = |count| load_elf(StateVersion::V8, &file(8, count, name_bytes));
        assert_eq!(load(8).unwrap().symbols.all().len(), 8);
        let too_many = MAX_NAME_BYTES / name_bytes + 1;
        assert_eq!(load(too_many).unwrap_err(), LoadError::SymbolNames);
    }
}
