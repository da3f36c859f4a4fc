//! `native_keccak256`, which is what `alloy_primitives::keccak256` calls.
//!
//! Half of the time of a program that walks hash tries goes into the permutation.
//! Addresses, words and pairs of words (the places of mapped values) are hashed over and over, so the
//! last digests of such inputs are remembered: to look one up costs a hundredth of the permutation.

use super::machine::keccak256 as computed;
use core::{cell::UnsafeCell, slice};

/// keccak256 of `input`, written to `output`.
pub fn keccak256_into(input: &[u8], output: &mut [u8; 32]) {
    match input.len() {
        20 | 32 | 64 => remembered(input, output),
        _ => computed(input, output),
    }
}

/// # Safety
/// `input` points to `length` readable bytes, `output` to 32 writable ones.
#[unsafe(no_mangle)]
unsafe extern "C" fn native_keccak256(input: *const u8, length: usize, output: *mut u8) {
    // SAFETY: the caller vouches for both pointers.
    let (input, output) =
        unsafe { (slice::from_raw_parts(input, length), &mut *output.cast::<[u8; 32]>()) };
    keccak256_into(input, output);
}

/// An input of up to eight words and its digest. All zero: nothing, since no input has length 0.
#[derive(Clone, Copy)]
struct Entry {
    length: usize,
    input: [u64; 8],
    digest: [u64; 4],
}

/// As a power of two.
const ENTRIES_LOG: u32 = 11;

struct Memory(UnsafeCell<[Entry; 1 << ENTRIES_LOG]>);

// SAFETY: a guest has one thread.
unsafe impl Sync for Memory {}

static MEMORY: Memory =
    Memory(UnsafeCell::new([Entry { length: 0, input: [0; 8], digest: [0; 4] }; 1 << ENTRIES_LOG]));

fn remembered(input: &[u8], output: &mut [u8; 32]) {
    let (chunks, tail) = input.as_chunks::<8>();
    let mut words = [0; 8];
    let mut sum = 0_u64;
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u64::from_be_bytes(*chunk);
        // An odd factor keeps words from cancelling each other out.
        sum = (sum ^ *word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    if let (&[a, b, c, d], Some(word)) = (tail, words.get_mut(chunks.len())) {
        *word = u32::from_be_bytes([a, b, c, d]).into();
        sum = (sum ^ *word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    let index = (sum >> (u64::BITS - ENTRIES_LOG)) as usize;
    // SAFETY: one thread, and nothing below comes back here.
    let entries = unsafe { &mut *MEMORY.0.get() };
    let entry = &mut entries[index % (1 << ENTRIES_LOG)];
    if entry.length == input.len() && entry.input == words {
        for (bytes, word) in output.as_chunks_mut::<8>().0.iter_mut().zip(entry.digest) {
            *bytes = word.to_be_bytes();
        }
        return;
    }
    computed(input, output);
    let mut digest = [0; 4];
    for (word, bytes) in digest.iter_mut().zip(output.as_chunks().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    *entry = Entry { length: input.len(), input: words, digest };
}
