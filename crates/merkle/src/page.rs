//! A page is the unit of presence, of dirtiness and of hashing: 128 leaves, 127 hashes.

use alloy_primitives::B256;

use crate::keccak::Engine;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 4096;
/// Bytes of a leaf; leaves enter the tree as they are.
pub const LEAF_BYTES: usize = 32;
/// Leaves of a page.
pub const LEAVES_PER_PAGE: usize = PAGE_BYTES / LEAF_BYTES;
/// Levels from a leaf to the root of its page.
pub const PAGE_LEVELS: usize = LEAVES_PER_PAGE.ilog2() as usize;

/// Content of one page, in guest byte order.
pub type Page = [u8; PAGE_BYTES];

/// Root of the 128 leaves of a page: a node of the tree at level [`PAGE_LEVELS`].
#[must_use]
pub fn page_root(page: &Page) -> B256 {
    let mut roots = [B256::ZERO];
    page_roots(Engine::best(), &[page], &mut roots);
    roots[0]
}

/// [`page_root`] of every page into the root of the same position.
///
/// Surplus pages or roots, where the two slices differ in length, are left alone.
pub fn page_roots(engine: Engine, pages: &[&Page], roots: &mut [B256]) {
    for (page, root) in pages.iter().zip(roots) {
        let mut nodes = [[0u8; 32]; LEAVES_PER_PAGE / 2];
        engine.hash_pairs(page.as_chunks::<64>().0, &mut nodes);
        let mut width = LEAVES_PER_PAGE / 2;
        while width > 1 {
            let children = nodes;
            engine.hash_pairs(children[..width].as_flattened().as_chunks::<64>().0, &mut nodes);
            width /= 2;
        }
        *root = B256::new(nodes[0]);
    }
}

/// The leaf at `leaf` and its siblings up to the page root, bottom first.
pub(crate) fn leaf_path(
    page: &Page,
    leaf: usize,
) -> ([u8; LEAF_BYTES], [[u8; LEAF_BYTES]; PAGE_LEVELS]) {
    let engine = Engine::best();
    let mut nodes = [[0u8; LEAF_BYTES]; LEAVES_PER_PAGE];
    nodes.as_flattened_mut().copy_from_slice(page);
    let mut position = leaf % LEAVES_PER_PAGE;
    let bytes = nodes[position];
    let mut width = LEAVES_PER_PAGE;
    let siblings = core::array::from_fn(|_| {
        let sibling = nodes[position ^ 1];
        let children = nodes;
        engine.hash_pairs(children[..width].as_flattened().as_chunks::<64>().0, &mut nodes);
        width /= 2;
        position /= 2;
        sibling
    });
    (bytes, siblings)
}
