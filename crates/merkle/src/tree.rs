//! The sparse tree above the pages.
//!
//! Nodes are kept in chunks of four levels, so that a walk over neighbouring pages stays within a
//! few cache lines and only one map look-up is paid for sixteen pages:
//!
//! ```text
//!   chunk of band b, 32 nodes as a heap        [1]            = a leaf of a chunk of band b + 1
//!                                          [2]     [3]
//!                                         [4] ..    .. [7]
//!                                        [8] ..      .. [15]
//!                                       [16] ..      .. [31]  = roots of band b - 1, or of pages
//! ```
//!
//! Invariant: every stored node is the hash of its two children; a chunk that does not exist stands
//! for zero subtrees. Chunks are never removed: a page that ceases to be becomes a zero subtree.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use alloy_primitives::B256;

use crate::{
    keccak::Engine,
    page::{LEAVES_PER_PAGE, PAGE_BYTES, PAGE_LEVELS, Page, leaf_path, page_roots_on_all_cores},
    proof::LeafProof,
    zero::ZERO_NODES,
};

type Node = [u8; 32];

/// Levels of a chunk.
const CHUNK_LEVELS: usize = 4;
/// Children below a chunk.
const CHUNK_WIDTH: usize = 1 << CHUNK_LEVELS;
/// Heap of a chunk; the slot 0 of the heap is not used.
type Chunk = [Node; 2 * CHUNK_WIDTH];

/// Merkle tree over page roots, `DEPTH` levels from leaf to root: 59 for 64-bit addresses, 27 for
/// 32-bit ones.
///
/// A page is named by its index, `address >> 12`. Only the `DEPTH - 7` low bits of an index count.
#[derive(Clone, Debug)]
pub struct PageTree<const DEPTH: usize> {
    chunks: Vec<Chunk>,
    /// For each band, bottom first: chunk index to position in `chunks`.
    bands: Vec<BTreeMap<u64, usize>>,
    root: Node,
}

/// A node on the way up: its index within its level, and where its chunk is.
#[derive(Clone, Copy)]
struct Dirty {
    index: u64,
    chunk: usize,
}

impl<const DEPTH: usize> Default for PageTree<DEPTH> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const DEPTH: usize> PageTree<DEPTH> {
    /// Levels above the pages.
    const LEVELS: usize = DEPTH - PAGE_LEVELS;
    const BANDS: usize = Self::LEVELS / CHUNK_LEVELS;
    const INDEX_MASK: u64 = (1 << Self::LEVELS) - 1;

    /// The tree of an empty memory.
    #[must_use]
    pub fn new() -> Self {
        const {
            assert!(DEPTH > PAGE_LEVELS && DEPTH < ZERO_NODES.len(), "depth out of range");
            assert!(Self::LEVELS.is_multiple_of(CHUNK_LEVELS), "levels must fill whole chunks");
        }
        Self {
            chunks: Vec::new(),
            bands: vec![BTreeMap::new(); Self::BANDS],
            root: ZERO_NODES[DEPTH],
        }
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> B256 {
        B256::new(self.root)
    }

    /// Root of the page `index` as last set; that of a zero page if it never was.
    #[must_use]
    pub fn page_root(&self, index: u64) -> B256 {
        let index = index & Self::INDEX_MASK;
        B256::new(match self.bands[0].get(&(index >> CHUNK_LEVELS)) {
            Some(&chunk) => self.chunks[chunk][CHUNK_WIDTH + index as usize % CHUNK_WIDTH],
            None => ZERO_NODES[PAGE_LEVELS],
        })
    }

    /// Hashes pages, over all cores when there are many, and brings the tree up to them.
    ///
    /// An absent page is given as a page of zeros. Order and repetition as for [`Self::update`].
    pub fn rehash(&mut self, pages: &[(u64, &Page)]) {
        let engine = Engine::best();
        let contents: Vec<&Page> = pages.iter().map(|(_, page)| *page).collect();
        let mut roots = vec![B256::ZERO; pages.len()];
        page_roots_on_all_cores(engine, &contents, &mut roots);
        let changes: Vec<(u64, B256)> = pages.iter().map(|(index, _)| *index).zip(roots).collect();
        self.update(engine, &changes);
    }

    /// Sets page roots and recomputes the nodes above them, each once.
    ///
    /// Pages may come in any order; of several entries for one page the last counts.
    pub fn update(&mut self, engine: Engine, pages: &[(u64, B256)]) {
        let mut changes: Vec<(u64, Node)> =
            pages.iter().map(|(index, root)| (index & Self::INDEX_MASK, root.0)).collect();
        // A stable sort keeps the entries of one page in order, so the last is written last.
        changes.sort_by_key(|(index, _)| *index);
        for band in 0..Self::BANDS {
            changes = self.update_band(engine, band, &changes);
        }
        if let Some((_, root)) = changes.last() {
            self.root = *root;
        }
    }

    /// Writes the children of one band and rehashes its chunks; gives their roots, in order.
    fn update_band(
        &mut self,
        engine: Engine,
        band: usize,
        children: &[(u64, Node)],
    ) -> Vec<(u64, Node)> {
        let mut dirty: Vec<Dirty> = Vec::with_capacity(children.len());
        for (index, node) in children {
            let chunk_index = index >> CHUNK_LEVELS;
            let chunk = match dirty.last() {
                Some(last) if last.index >> CHUNK_LEVELS == chunk_index => last.chunk,
                _ => self.chunk_or_zero(band, chunk_index),
            };
            self.chunks[chunk][CHUNK_WIDTH + *index as usize % CHUNK_WIDTH] = *node;
            dirty.push(Dirty { index: *index, chunk });
        }
        let mut messages = Vec::with_capacity(dirty.len());
        let mut digests = vec![[0u8; 32]; dirty.len()];
        for level in (0..CHUNK_LEVELS).rev() {
            // Nodes of this level start at heap slot `width`.
            let width = 1 << level;
            for node in &mut dirty {
                node.index >>= 1;
            }
            dirty.dedup_by_key(|node| node.index);
            messages.clear();
            messages.extend(dirty.iter().map(|node| {
                let slot = width + node.index as usize % width;
                self.chunks[node.chunk].as_flattened().as_chunks::<64>().0[slot]
            }));
            engine.hash_pairs(&messages, &mut digests);
            for (node, digest) in dirty.iter().zip(&digests) {
                self.chunks[node.chunk][width + node.index as usize % width] = *digest;
            }
        }
        dirty.iter().map(|node| (node.index, self.chunks[node.chunk][1])).collect()
    }

    fn chunk_or_zero(&mut self, band: usize, index: u64) -> usize {
        *self.bands[band].entry(index).or_insert_with(|| {
            let bottom = PAGE_LEVELS + band * CHUNK_LEVELS;
            let mut chunk = [ZERO_NODES[bottom]; 2 * CHUNK_WIDTH];
            for (slot, node) in chunk[..CHUNK_WIDTH].iter_mut().enumerate().skip(1) {
                *node = ZERO_NODES[bottom + CHUNK_LEVELS - slot.ilog2() as usize];
            }
            self.chunks.push(chunk);
            self.chunks.len() - 1
        })
    }

    /// Proof of the leaf that holds `address`, against the tree as of the last update.
    ///
    /// `page` is the content of the page of `address`, `None` if it is absent; the proof holds only
    /// if it is the content whose root was last set for that page.
    #[must_use]
    pub fn prove(&self, address: u64, page: Option<&Page>) -> LeafProof<DEPTH> {
        let mut siblings = [[0u8; 32]; DEPTH];
        let leaf = (address as usize % PAGE_BYTES) / (PAGE_BYTES / LEAVES_PER_PAGE);
        let (leaf, in_page) = leaf_path(page.unwrap_or(&[0; PAGE_BYTES]), leaf);
        siblings[..PAGE_LEVELS].copy_from_slice(&in_page);
        let mut index = (address / PAGE_BYTES as u64) & Self::INDEX_MASK;
        for band in 0..Self::BANDS {
            let bottom = PAGE_LEVELS + band * CHUNK_LEVELS;
            let out = &mut siblings[bottom..bottom + CHUNK_LEVELS];
            match self.bands[band].get(&(index >> CHUNK_LEVELS)) {
                Some(&chunk) => {
                    let slot = CHUNK_WIDTH + index as usize % CHUNK_WIDTH;
                    for (level, sibling) in out.iter_mut().enumerate() {
                        *sibling = self.chunks[chunk][(slot >> level) ^ 1];
                    }
                }
                None => out.copy_from_slice(&ZERO_NODES[bottom..bottom + CHUNK_LEVELS]),
            }
            index >>= CHUNK_LEVELS;
        }
        LeafProof { leaf, siblings }
    }
}
