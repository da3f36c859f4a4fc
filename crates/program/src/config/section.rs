//! The part of a program's image that carries chains: space for a [table](super::Table), reserved when
//! the program is compiled and filled when a prestate is built.
//!
//! ```text
//!   ┌──────────┬───────────┬────────────┬──────────┬─────────┬──────────────────┐
//!   │ magic 16 │ version 4 │ capacity 4 │ length 4 │ 0000 4  │ capacity bytes   │  integers big-endian
//!   └──────────┴───────────┴────────────┴──────────┴─────────┴──────────────────┘
//! ```
//!
//! The first `length` bytes of the content are the table, the others are zero. A length of 0 means
//! that no chains are carried.
//!
//! Invariant: filling changes length and content, nothing else of the image.

use super::{ConfigError, Table};
use core::ops::Range;

/// How a section begins. A program holds these bytes once.
pub const MAGIC: [u8; 16] = *b"\x7fRBT chain conf\x7f";
/// The version of the layout.
pub const VERSION: u32 = 1;
/// Bytes before the content.
pub const HEADER_BYTES: usize = 32;
/// Bytes that the content of a program's section may have. One chain takes some 320 of them.
pub const CAPACITY_BYTES: usize = 64 << 10;

/// Where the length stands.
const LENGTH: Range<usize> = 24..28;

/// Why an image's section cannot be read or filled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SectionError {
    /// The program reserves no space.
    #[error("the program has no section for chain configurations")]
    Missing,
    /// The magic bytes stand in several places, and only one of them can be the section.
    #[error("the program has the mark of a section for chain configurations twice")]
    Twice,
    /// Another version of the layout.
    #[error("the section for chain configurations has version {0}, not {VERSION}")]
    Version(u32),
    /// The header asks for more than there is.
    #[error(
        "the section for chain configurations has a capacity of {capacity} bytes and reaches beyond the program"
    )]
    Cut {
        /// What the header says.
        capacity: usize,
    },
    /// The header contradicts itself, or bytes behind the content are not zero.
    #[error("the section for chain configurations is damaged: {0}")]
    Damaged(&'static str),
    /// The chains do not fit.
    #[error("the chain configurations have {length} bytes, and the section holds {capacity}")]
    TooLarge {
        /// What should go in.
        length: usize,
        /// What fits.
        capacity: usize,
    },
    /// The content is no table of chains.
    #[error(transparent)]
    Table(#[from] ConfigError),
}

/// The header of an empty section.
pub const fn empty_header(capacity_bytes: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let (start, rest) = header.split_at_mut(MAGIC.len());
    start.copy_from_slice(&MAGIC);
    let (version, rest) = rest.split_at_mut(4);
    version.copy_from_slice(&VERSION.to_be_bytes());
    let (capacity, _) = rest.split_at_mut(4);
    capacity.copy_from_slice(&capacity_bytes.to_be_bytes());
    header
}

/// How many bytes of the content are the table, from a section's header.
pub fn content_length(header: &[u8; HEADER_BYTES]) -> usize {
    word(header, LENGTH.start)
}

/// How many bytes the content may have, from a section's header.
///
/// # Errors
/// The header is none, or contradicts itself.
pub fn capacity(header: &[u8; HEADER_BYTES]) -> Result<usize, SectionError> {
    if !header.starts_with(&MAGIC) {
        return Err(SectionError::Missing);
    }
    let version = word(header, 16);
    if version != VERSION as usize {
        return Err(SectionError::Version(version as u32));
    }
    let capacity = word(header, 20);
    if content_length(header) > capacity {
        return Err(SectionError::Damaged("it holds more than it can"));
    }
    if word(header, 28) != 0 {
        return Err(SectionError::Damaged("its header does not end in zeros"));
    }
    Ok(capacity)
}

/// The table in a section's content; nothing when no chains are carried.
///
/// # Errors
/// The content is no table, or does not end in zeros.
pub fn table<'a>(
    header: &[u8; HEADER_BYTES],
    content: &'a [u8],
) -> Result<Option<Table<'a>>, SectionError> {
    let cut = SectionError::Cut { capacity: capacity(header)? };
    let (table, rest) = content.split_at_checked(content_length(header)).ok_or(cut)?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(SectionError::Damaged("it does not end in zeros"));
    }
    Ok(if table.is_empty() { None } else { Some(Table::parse(table)?) })
}

/// Finds the section of an image and gives its whole range, header and content.
///
/// # Errors
/// There is none, or none that can be one.
pub fn locate(image: &[u8]) -> Result<Range<usize>, SectionError> {
    let mut places = image.windows(MAGIC.len()).enumerate().filter(|(_, bytes)| **bytes == MAGIC);
    let (start, _) = places.next().ok_or(SectionError::Missing)?;
    if places.next().is_some() {
        return Err(SectionError::Twice);
    }
    let rest = image.get(start..).unwrap_or_default();
    let cut = |capacity| SectionError::Cut { capacity };
    let (header, content) = rest.split_first_chunk::<HEADER_BYTES>().ok_or(cut(0))?;
    let capacity = capacity(header)?;
    if content.len() < capacity {
        return Err(cut(capacity));
    }
    Ok(start..start + HEADER_BYTES + capacity)
}

/// Writes a table into the section of an image, in place of what it carried; an empty one leaves it
/// carrying nothing.
///
/// # Errors
/// The image has no section, or the table does not fit or is none. The image is unchanged then.
pub fn fill(image: &mut [u8], table: &[u8]) -> Result<(), SectionError> {
    let range = locate(image)?;
    let section = image.get_mut(range).ok_or(SectionError::Missing)?;
    let (header, content) =
        section.split_first_chunk_mut::<HEADER_BYTES>().ok_or(SectionError::Missing)?;
    if !table.is_empty() {
        Table::parse(table)?;
    }
    let too_large = SectionError::TooLarge { length: table.len(), capacity: content.len() };
    let length = u32::try_from(table.len()).map_err(|_| too_large.clone())?;
    let (filled, rest) = content.split_at_mut_checked(table.len()).ok_or(too_large)?;
    filled.copy_from_slice(table);
    rest.fill(0);
    header[LENGTH].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// The integer at `start` of a header.
fn word(header: &[u8; HEADER_BYTES], start: usize) -> usize {
    let bytes = header.get(start..).and_then(|rest| rest.first_chunk()).copied();
    u32::from_be_bytes(bytes.unwrap_or_default()) as usize
}
