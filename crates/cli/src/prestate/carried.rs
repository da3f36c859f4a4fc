//! The section for chain configurations in a state's memory.

use rebut_fpvm::memory::{Memory, PAGE_BYTES};
use rebut_program::config::section::{
    HEADER_BYTES, MAGIC, SectionError, capacity, content_length, table,
};
use rebut_program::config::{Chain, ConfigError};

/// A section starts at a multiple of this: programs give it pages of its own.
const ALIGNMENT: usize = 16;

/// What a section holds.
#[derive(Debug)]
pub struct Carried {
    /// The table, empty when no chains are carried.
    pub table: Vec<u8>,
    /// Bytes that a table may have.
    pub capacity_bytes: usize,
    /// The chains, by ascending id.
    pub chains: Vec<Chain>,
}

impl Carried {
    /// Finds and reads the section of a state in its memory.
    ///
    /// # Errors
    /// The state has no section, or one that contradicts itself.
    pub fn read(memory: &Memory) -> Result<Self, SectionError> {
        let mut places = memory.pages().flat_map(|(index, page)| {
            let marks = page.chunks_exact(ALIGNMENT).enumerate();
            let found = marks.filter(|(_, bytes)| **bytes == MAGIC);
            found.map(move |(place, _)| index * PAGE_BYTES as u64 + (place * ALIGNMENT) as u64)
        });
        let start = places.next().ok_or(SectionError::Missing)?;
        if places.next().is_some() {
            return Err(SectionError::Twice);
        }
        drop(places);

        let mut header = [0; HEADER_BYTES];
        memory.read_range(start, &mut header);
        let capacity_bytes = capacity(&header)?;
        // A state of these pages cannot hold more.
        if capacity_bytes > memory.page_count() * PAGE_BYTES {
            return Err(SectionError::Cut { capacity: capacity_bytes });
        }
        let mut content = vec![0; capacity_bytes];
        memory.read_range(start + HEADER_BYTES as u64, &mut content);
        let chains = match table(&header, &content)? {
            Some(table) => table.chains().collect::<Result<_, ConfigError>>()?,
            None => Vec::new(),
        };
        content.truncate(content_length(&header));
        Ok(Self { table: content, capacity_bytes, chains })
    }
}
