//! Checks what the guests have in assembly against the same in plain Rust: exit code 0 if all is equal.
//!
//! Lengths and alignments are taken in full where the code distinguishes them.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;
use guest::{STDERR, keccak, print_line, sys};

guest::main!(main);

/// Longest input of a check of memory functions: beyond every unrolled piece of code.
const LENGTH_LIMIT: usize = 300;

fn main() -> u8 {
    let checks: [(&str, fn() -> bool); 6] = [
        ("keccak256", hashes),
        ("remembered keccak256", hashes_again),
        ("memcpy", copies),
        ("memmove", moves),
        ("memset", fills),
        ("memcmp", comparisons),
    ];
    let mut failed = false;
    for (name, check) in checks {
        if !check() {
            print_line(STDERR, format_args!("{name} differs"));
            failed = true;
        }
    }
    u8::from(failed)
}

/// Bytes without a pattern.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

fn hashes() -> bool {
    let input = noise(700, 1);
    let equal = |input: &[u8]| {
        let mut digest = [0; 32];
        sys::keccak256_into(input, &mut digest);
        same(&digest, &keccak::keccak256(input))
    };
    // Around one block at every alignment, and several blocks.
    (0..=LENGTH_LIMIT).all(|length| equal(&input[length % 8..][..length]))
        && (1..8).all(|start| (130..140).all(|length| equal(&input[start..][..length])))
        && (400..=700).step_by(17).all(|length| equal(&input[..length]))
}

fn hashes_again() -> bool {
    let input = noise(4000, 2);
    let mut digest = [0; 32];
    [20, 32, 64].iter().all(|&length| {
        // The same input twice, and inputs that take each other's place.
        [0, 0, 1, 2, 3, 0, 1000, 2000, 3000, 0, 1].iter().all(|&start| {
            let input = &input[start..][..length];
            sys::keccak256_into(input, &mut digest);
            same(&digest, &keccak::keccak256(input))
        })
    })
}

/// Compares without the function that is checked here.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| black_box(*a) == black_box(*b))
}

/// All lengths at the alignments of two pointers.
fn cases() -> impl Iterator<Item = (usize, usize, usize)> {
    let alignments = [(0, 0), (0, 1), (3, 0), (5, 5), (7, 2), (1, 6)];
    (0..=LENGTH_LIMIT).flat_map(move |length| alignments.map(|(to, from)| (length, to, from)))
}

/// What should be in `target` after `length` bytes of `source` went to `to`.
fn expected(target: &[u8], to: usize, source: impl Fn(usize) -> u8, length: usize) -> Vec<u8> {
    let mut expected = Vec::with_capacity(target.len());
    for (at, byte) in target.iter().enumerate() {
        let inside = at >= to && at < to + length;
        expected.push(black_box(if inside { source(at - to) } else { *byte }));
    }
    expected
}

fn copies() -> bool {
    let source = noise(LENGTH_LIMIT + 16, 3);
    let before = noise(LENGTH_LIMIT + 16, 4);
    cases().all(|(length, to, from)| {
        let mut target = before.clone();
        target[to..][..length].copy_from_slice(&source[from..][..black_box(length)]);
        same(&target, &expected(&before, to, |at| source[from + at], length))
    })
}

fn moves() -> bool {
    let before = noise(LENGTH_LIMIT + 64, 5);
    let distances = [(0, 1), (1, 0), (0, 8), (8, 0), (3, 20), (20, 3), (40, 40), (0, 64), (64, 0)];
    (0..=LENGTH_LIMIT).all(|length| {
        distances.iter().all(|&(to, from)| {
            let mut target = before.clone();
            target.copy_within(from..from + black_box(length), to);
            same(&target, &expected(&before, to, |at| before[from + at], length))
        })
    })
}

fn fills() -> bool {
    let before = noise(LENGTH_LIMIT + 16, 6);
    cases().all(|(length, to, byte)| {
        let byte = (byte * 43) as u8;
        let mut target = before.clone();
        target[to..][..black_box(length)].fill(byte);
        same(&target, &expected(&before, to, |_| byte, length))
    })
}

fn comparisons() -> bool {
    let a = noise(LENGTH_LIMIT + 16, 7);
    cases().all(|(length, left, right)| {
        let left = &a[left..][..length];
        let mut b = noise(LENGTH_LIMIT + 16, 8);
        b[right..][..length].copy_from_slice(left);
        if black_box(left) != &b[right..][..length] {
            return false;
        }
        // One byte more or less at the ends and in the middle.
        [0, 1, length / 2, length.saturating_sub(1)].iter().filter(|at| **at < length).all(|&at| {
            let byte = b[right + at];
            let above = byte.wrapping_add(1);
            b[right + at] = above;
            let order = black_box(left).cmp(&b[right..][..length]);
            let differs = black_box(left) != &b[right..][..length];
            b[right + at] = byte;
            differs && order == byte.cmp(&above)
        })
    })
}
