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

/// Pages hashed together, so that the narrow levels near their roots fill the vector units.
const BATCH_PAGES: usize = 16;

/// [`page_root`] of every page into the root of the same position, on this thread.
///
/// Surplus pages or roots, where the two slices differ in length, are left alone.
pub fn page_roots(engine: Engine, pages: &[&Page], roots: &mut [B256]) {
    const NODES: usize = BATCH_PAGES * LEAVES_PER_PAGE / 2;
    let (mut nodes, mut children) = (&mut [[0u8; 32]; NODES], &mut [[0u8; 32]; NODES]);
    for (pages, roots) in pages.chunks(BATCH_PAGES).zip(roots.chunks_mut(BATCH_PAGES)) {
        for (page, level) in pages.iter().zip(nodes.chunks_mut(LEAVES_PER_PAGE / 2)) {
            engine.hash_pairs(page.as_chunks::<64>().0, level);
        }
        // The nodes of one page follow those of the page before, at every level.
        let mut width = LEAVES_PER_PAGE / 2;
        while width > 1 {
            core::mem::swap(&mut nodes, &mut children);
            let messages = children[..pages.len() * width].as_flattened().as_chunks::<64>().0;
            engine.hash_pairs(messages, nodes);
            width /= 2;
        }
        for (root, node) in roots.iter_mut().zip(nodes.iter()) {
            *root = B256::new(*node);
        }
    }
}

/// [`page_roots`] over all cores of the machine when there are pages enough to pay for threads.
pub fn page_roots_on_all_cores(engine: Engine, pages: &[&Page], roots: &mut [B256]) {
    #[cfg(feature = "std")]
    {
        // Starting a thread costs about as much as hashing a few pages.
        const PAGES_PER_THREAD_MIN: usize = 32;
        let threads = cores().min(pages.len() / PAGES_PER_THREAD_MIN);
        if threads > 1 {
            let share = pages.len().div_ceil(threads).next_multiple_of(BATCH_PAGES);
            std::thread::scope(|scope| {
                let mut shares = pages.chunks(share).zip(roots.chunks_mut(share));
                let mine = shares.next();
                for (pages, roots) in shares {
                    scope.spawn(move || page_roots(engine, pages, roots));
                }
                if let Some((pages, roots)) = mine {
                    page_roots(engine, pages, roots);
                }
            });
            return;
        }
    }
    page_roots(engine, pages, roots);
}

/// Cores this process may use; asked of the system once, since the question reads files.
#[cfg(feature = "std")]
fn cores() -> usize {
    static CORES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, |cores| cores.get()))
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
