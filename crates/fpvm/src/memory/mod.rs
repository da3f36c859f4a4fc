//! Guest memory: addresses of 32 or 64 bits, 4 KiB pages, big-endian values.
//!
//! A page exists from its first write, even of a zero, and never from a read: that shows in state
//! files and in page counts. Absent pages read as zero.
//!
//! Running does not pay for proving. A write leaves one byte of bookkeeping per page behind (see
//! `flags`), and roots, proofs and snapshots are made on demand from the pages that changed.
//!
//! Invariant: a page that is not flagged `UNHASHED` has in the tree the root of its content, and
//! one that is not flagged `UNSAVED` has its content in the last snapshot; each flagged page is on
//! the list of its flag, once.
//!
//! Specification: fault proof VM, "Memory"; Cannon fault proof VM, "State" and "Memory proofs".

mod access;
mod flags;
mod page_map;
mod proof;
mod snapshot;
mod space;
mod storage;
#[cfg(test)]
mod tests;
mod windows;

pub use rebut_merkle::{PAGE_BYTES, Page};
pub use snapshot::MemorySnapshot;
pub use space::{AddressSpace, DEPTH_32, DEPTH_64};

use flags::Flags;
use space::Tree;
use storage::Storage;
use windows::{USUAL_WINDOWS, Windows};

/// Page indexes are below this: a 64-bit address has a page index of 52 bits.
///
/// Where a function of [`Memory`] takes a page index, only its low 52 bits count.
pub const PAGE_INDEX_END: u64 = 1 << 52;

const PAGE_SHIFT: u32 = PAGE_BYTES.ilog2();
const PAGE_INDEX_MASK: u64 = PAGE_INDEX_END - 1;
/// A guest of this many pages runs faster on large host pages; below, they would waste memory.
const LARGE_PAGES_FROM: usize = 256;
static ZERO_PAGE: Page = [0; PAGE_BYTES];

/// Memory of a guest.
///
/// Every function is total: each address is valid, absent memory is zero.
pub struct Memory {
    storage: Storage,
    /// Pages flagged `PRESENT`, in order of first write.
    present: Vec<u64>,
    /// Pages flagged `UNHASHED`.
    unhashed: Vec<u64>,
    /// Pages flagged `UNSAVED`.
    unsaved: Vec<u64>,
    /// Pages flagged `CODE_WRITTEN`.
    code_writes: Vec<u64>,
    tree: Tree,
    /// Content of every present page that is not flagged `UNSAVED`.
    saved: MemorySnapshot,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").field("pages", &self.page_count()).finish_non_exhaustive()
    }
}

impl Memory {
    /// Empty memory of 64-bit addresses, with fast windows where the host grants the address space.
    #[must_use]
    pub fn new() -> Self {
        Self::of(AddressSpace::Bits64)
    }

    /// As [`Self::new`], for any addresses. Those of 32 bits have one window, which holds them all; the
    /// caller passes none beyond.
    #[must_use]
    pub fn of(space: AddressSpace) -> Self {
        let windows = match space {
            AddressSpace::Bits32 => Windows::reserve(&USUAL_WINDOWS[..1]),
            AddressSpace::Bits64 => {
                let mut windows = Windows::reserve(&USUAL_WINDOWS);
                windows.reserve_high();
                windows
            }
        };
        Self::with(windows, space)
    }

    /// Empty memory with all pages in a map: slower, the same in every other respect.
    #[must_use]
    pub fn without_windows(space: AddressSpace) -> Self {
        Self::with(Windows::none(), space)
    }

    fn with(windows: Windows, space: AddressSpace) -> Self {
        Self {
            storage: Storage::new(windows),
            present: Vec::new(),
            unhashed: Vec::new(),
            unsaved: Vec::new(),
            code_writes: Vec::new(),
            tree: Tree::of(space),
            saved: MemorySnapshot::default(),
        }
    }

    /// The addresses of this memory.
    #[must_use]
    pub const fn space(&self) -> AddressSpace {
        self.tree.space()
    }

    /// Makes a page exist, as a write of its present content would.
    pub fn touch_page(&mut self, index: u64) {
        self.prepare_write(index & PAGE_INDEX_MASK);
    }

    /// Content of a page; `None` if it is absent.
    #[must_use]
    pub fn page(&self, index: u64) -> Option<&Page> {
        let index = index & PAGE_INDEX_MASK;
        self.storage.flags(index).has(Flags::PRESENT).then(|| self.storage.content(index))
    }

    /// Overwrites a whole page.
    pub fn set_page(&mut self, index: u64, content: &Page) {
        let index = index & PAGE_INDEX_MASK;
        self.prepare_write(index);
        *self.storage.content_mut(index) = *content;
    }

    /// Pages that exist.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.present.len()
    }

    /// Index and content of each page that exists, ascending. Sorts the indexes first.
    pub fn pages(&self) -> impl ExactSizeIterator<Item = (u64, &Page)> {
        let mut indexes = self.present.clone();
        indexes.sort_unstable();
        indexes.into_iter().map(|index| (index, self.storage.content(index)))
    }

    /// Notes that decoded code was taken from the page of `address`, so that writes to it are
    /// recorded and refused by the `try_store` functions. The page need not exist.
    pub fn mark_code(&mut self, address: u64) {
        let index = address >> PAGE_SHIFT;
        self.storage.set_flags(index, self.storage.flags(index).with(Flags::CODE));
    }

    /// Whether a code page was written since the last [`Self::take_code_writes`].
    #[inline]
    #[must_use]
    pub fn has_code_writes(&self) -> bool {
        !self.code_writes.is_empty()
    }

    /// Indexes of the code pages written since the last call, each once, in order of the first
    /// write. They cease to be code pages.
    pub fn take_code_writes(&mut self) -> Vec<u64> {
        let written = std::mem::take(&mut self.code_writes);
        for &index in &written {
            let flags = self.storage.flags(index).without(Flags::CODE).without(Flags::CODE_WRITTEN);
            self.storage.set_flags(index, flags);
        }
        written
    }

    /// Does the bookkeeping that must come before a write to a page.
    fn prepare_write(&mut self, index: u64) {
        let before = self.storage.flags(index);
        if before == Flags::WRITABLE {
            return;
        }
        if !before.has(Flags::PRESENT) {
            self.add_present(index);
        }
        if !before.has(Flags::UNHASHED) {
            self.unhashed.push(index);
        }
        if !before.has(Flags::UNSAVED) {
            self.unsaved.push(index);
        }
        self.storage.set_flags(index, before.with(Flags::WRITABLE));
        self.note_code_write(index);
    }

    /// Puts a page on the list of those that exist.
    fn add_present(&mut self, index: u64) {
        self.present.push(index);
        if self.present.len() == LARGE_PAGES_FROM {
            self.storage.advise_large_pages();
        }
    }

    /// Records a change of a page if code was taken from it.
    fn note_code_write(&mut self, index: u64) {
        let flags = self.storage.flags(index);
        if flags.has(Flags::CODE) && !flags.has(Flags::CODE_WRITTEN) {
            self.code_writes.push(index);
            self.storage.set_flags(index, flags.with(Flags::CODE_WRITTEN));
        }
    }
}
