//! How far the addresses of a guest reach, which decides the shape of its tree.

use alloy_primitives::B256;
use rebut_merkle::{LeafProof, Page, PageTree};

use super::PAGE_SHIFT;

/// Levels of the tree over a 32-bit address space.
pub const DEPTH_32: usize = 27;
/// Levels of the tree over a 64-bit address space.
pub const DEPTH_64: usize = 59;

/// The addresses of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressSpace {
    /// Addresses of 32 bits: a tree of 27 levels.
    Bits32,
    /// Addresses of 64 bits: a tree of 59 levels.
    Bits64,
}

impl AddressSpace {
    /// Bytes of a memory proof: the leaf and its siblings.
    pub const fn proof_bytes(self) -> usize {
        match self {
            Self::Bits32 => LeafProof::<DEPTH_32>::BYTES,
            Self::Bits64 => LeafProof::<DEPTH_64>::BYTES,
        }
    }

    /// The highest address.
    pub const fn last_address(self) -> u64 {
        match self {
            Self::Bits32 => u32::MAX as u64,
            Self::Bits64 => u64::MAX,
        }
    }

    /// Page indexes are below this.
    pub const fn page_index_end(self) -> u64 {
        (self.last_address() >> PAGE_SHIFT) + 1
    }
}

/// The Merkle tree of an address space.
pub(super) enum Tree {
    Bits32(PageTree<DEPTH_32>),
    Bits64(PageTree<DEPTH_64>),
}

impl Tree {
    pub(super) fn of(space: AddressSpace) -> Self {
        match space {
            AddressSpace::Bits32 => Self::Bits32(PageTree::new()),
            AddressSpace::Bits64 => Self::Bits64(PageTree::new()),
        }
    }

    pub(super) const fn space(&self) -> AddressSpace {
        match self {
            Self::Bits32(_) => AddressSpace::Bits32,
            Self::Bits64(_) => AddressSpace::Bits64,
        }
    }

    pub(super) fn root(&self) -> B256 {
        match self {
            Self::Bits32(tree) => tree.root(),
            Self::Bits64(tree) => tree.root(),
        }
    }

    pub(super) fn rehash(&mut self, pages: &[(u64, &Page)]) {
        match self {
            Self::Bits32(tree) => tree.rehash(pages),
            Self::Bits64(tree) => tree.rehash(pages),
        }
    }

    /// The encoded proof of the leaf that holds `address`.
    pub(super) fn prove(&self, address: u64, page: &Page) -> Vec<u8> {
        match self {
            Self::Bits32(tree) => tree.prove(address, Some(page)).to_bytes(),
            Self::Bits64(tree) => tree.prove(address, Some(page)).to_bytes(),
        }
    }
}
