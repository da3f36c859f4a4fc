//! Where pages and their flags are kept: in a window if there is one, else in the map.

use super::{PAGE_BYTES, PAGE_SHIFT, Page, flags::Flags, page_map::PageMap, windows::Windows};

/// Content and flags of every page. Knows nothing of what the flags mean.
pub(super) struct Storage {
    pub(super) windows: Windows,
    map: PageMap,
}

impl Storage {
    pub(super) fn new(windows: Windows) -> Self {
        Self { windows, map: PageMap::default() }
    }

    /// The `N` bytes at `address`, which do not cross a page.
    #[inline(always)]
    pub(super) fn load<const N: usize>(&self, address: u64) -> [u8; N] {
        match self.windows.load(address) {
            Some(bytes) => bytes,
            None => self.load_from_map(address),
        }
    }

    #[cold]
    #[inline(never)]
    fn load_from_map<const N: usize>(&self, address: u64) -> [u8; N] {
        let offset = offset_in_page::<N>(address);
        let content = self.map.content(address >> PAGE_SHIFT);
        std::array::from_fn(|byte| content[offset + byte])
    }

    /// Writes the `N` bytes at `address` if its page is in a window and needs no bookkeeping;
    /// `false` and nothing written otherwise.
    #[inline(always)]
    pub(super) fn store_if_writable<const N: usize>(
        &mut self,
        address: u64,
        bytes: [u8; N],
    ) -> bool {
        self.windows.store(address, bytes)
    }

    /// Writes the `N` bytes at `address`, which do not cross a page.
    pub(super) fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) {
        let offset = offset_in_page::<N>(address);
        self.content_mut(address >> PAGE_SHIFT)[offset..offset + N].copy_from_slice(&bytes);
    }

    pub(super) fn flags(&self, index: u64) -> Flags {
        self.windows.flags(index).unwrap_or_else(|| self.map.flags(index))
    }

    pub(super) fn set_flags(&mut self, index: u64, flags: Flags) {
        match self.windows.flags_mut(index) {
            Some(slot) => *slot = flags,
            None => self.map.set_flags(index, flags),
        }
    }

    /// Content of a page, present or not.
    pub(super) fn content(&self, index: u64) -> &Page {
        match self.windows.content(index) {
            Some(content) => content,
            None => self.map.content(index),
        }
    }

    /// Content of a page for writing.
    pub(super) fn content_mut(&mut self, index: u64) -> &mut Page {
        match self.windows.content_mut(index) {
            Some(content) => content,
            None => self.map.content_mut(index),
        }
    }

    /// See [`Windows::advise_large_pages`].
    pub(super) fn advise_large_pages(&mut self) {
        self.windows.advise_large_pages();
    }
}

/// Offset of an access of `N` bytes, moved down if it would run over the end of the page: a mistake
/// of the caller that must not become a panic.
const fn offset_in_page<const N: usize>(address: u64) -> usize {
    let offset = address as usize % PAGE_BYTES;
    if offset + N > PAGE_BYTES { PAGE_BYTES - N } else { offset }
}
