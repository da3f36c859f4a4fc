//! Pages that lie in no window: a map from page index to content and flags.

use alloy_primitives::map::HashMap;

use super::{Page, ZERO_PAGE, flags::Flags};

/// Content and flags by page index; what is not in the map is zero and has no flags.
#[derive(Default)]
pub(super) struct PageMap {
    pages: HashMap<u64, Entry>,
}

struct Entry {
    content: Box<Page>,
    flags: Flags,
}

impl PageMap {
    pub(super) fn flags(&self, index: u64) -> Flags {
        self.pages.get(&index).map_or_else(Flags::default, |entry| entry.flags)
    }

    pub(super) fn set_flags(&mut self, index: u64, flags: Flags) {
        self.entry(index).flags = flags;
    }

    /// Content of the page, present or not.
    pub(super) fn content(&self, index: u64) -> &Page {
        self.pages.get(&index).map_or(&ZERO_PAGE, |entry| &*entry.content)
    }

    pub(super) fn content_mut(&mut self, index: u64) -> &mut Page {
        &mut self.entry(index).content
    }

    fn entry(&mut self, index: u64) -> &mut Entry {
        self.pages
            .entry(index)
            .or_insert_with(|| Entry { content: Box::new(ZERO_PAGE), flags: Flags::default() })
    }
}
