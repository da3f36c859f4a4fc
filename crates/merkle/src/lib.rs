//! Binary keccak tree over 4 KiB pages: roots, proofs, vectorised page hashing.
//!
//! Guest memory is committed to by a sparse binary tree whose leaves are the 32-byte blocks of the
//! address space, taken as they are (leaves are not hashed), and whose inner nodes are
//! `keccak256(left || right)`. Absent memory is zero. A page of 4096 bytes is a subtree of 128
//! leaves, seven levels high:
//!
//! ```text
//!   level   64-bit, depth 59        32-bit, depth 27
//!     59    root
//!     ..    page index, 52 bits
//!     27                            root
//!     ..                            page index, 20 bits
//!      7    page root               page root
//!     ..    leaf in page, 7 bits    leaf in page, 7 bits
//!      0    leaf = address >> 5     leaf = address >> 5
//! ```
//!
//! Invariant: every engine that hashes pages gives the same bytes; which one runs is a matter of
//! speed alone. The crate knows nothing of machines, instructions or files.
//!
//! Specification: fault proof VM, "Memory" (memory Merkle root and proofs).

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod keccak;
mod page;
mod proof;
#[cfg(test)]
mod tests;
mod tree;
mod zero;

pub use keccak::{Engine, keccak_f};
pub use page::{
    LEAF_BYTES, LEAVES_PER_PAGE, PAGE_BYTES, PAGE_LEVELS, Page, page_root, page_roots,
    page_roots_on_all_cores,
};
pub use proof::{LeafProof, ProofLengthError};
pub use tree::PageTree;
pub use zero::{MAX_LEVEL, zero_hash};
