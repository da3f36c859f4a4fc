//! The part of a guest's image that carries chains, reserved here and filled when a prestate is built.
//! Layout: `rebut_program::config::section`.
//!
//! Invariant: nothing else refers to it, so that its mark stands in the image once; and it is read by
//! volatile loads alone, since the compiler knows what it holds now and must not make use of that.

use alloc::vec::Vec;
use rebut_program::config::section::{CAPACITY_BYTES, HEADER_BYTES, content_length, empty_header};

/// Pages of its own: filling it touches no other.
#[repr(C, align(4096))]
struct Section {
    header: [u8; HEADER_BYTES],
    content: [u8; CAPACITY_BYTES],
}

static SECTION: Section =
    Section { header: empty_header(CAPACITY_BYTES as u32), content: [0; CAPACITY_BYTES] };

/// Words before the content.
const HEADER_WORDS: usize = HEADER_BYTES / WORD_BYTES;
const WORD_BYTES: usize = size_of::<u64>();

const _: () = assert!(HEADER_BYTES.is_multiple_of(WORD_BYTES));
const _: () = assert!(CAPACITY_BYTES.is_multiple_of(WORD_BYTES));

/// The eight bytes at a place counted in words.
fn word(place: usize) -> [u8; WORD_BYTES] {
    if place >= size_of::<Section>() / WORD_BYTES {
        return [0; WORD_BYTES];
    }
    let start = (&raw const SECTION).cast::<u64>();
    // SAFETY: the section is aligned to pages and has a word at this place; nothing writes to it.
    unsafe { start.add(place).read_volatile() }.to_ne_bytes()
}

/// The table of chains that the image carries, empty if nobody filled it: what
/// `rebut_program::config::find` looks into first.
pub fn carried_chains() -> Vec<u8> {
    let mut header = [0; HEADER_BYTES];
    for (place, bytes) in header.chunks_exact_mut(WORD_BYTES).enumerate() {
        bytes.copy_from_slice(&word(place));
    }
    let length = content_length(&header).min(CAPACITY_BYTES);
    let words = HEADER_WORDS..HEADER_WORDS + length.div_ceil(WORD_BYTES);
    let mut content: Vec<u8> = words.flat_map(word).collect();
    content.truncate(length);
    content
}
