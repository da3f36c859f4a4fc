//! Snapshots: the content of memory at one moment, sharing pages with other snapshots.
//!
//! Pages are grouped by 64, groups are found in an ordered map; pages, groups and the map are
//! shared between snapshots until one of them changes. Taking a snapshot copies the pages written
//! since the last one; going back compares pointers and copies the pages that differ.

use std::{collections::BTreeMap, sync::Arc};

use super::{Memory, PAGE_INDEX_MASK, Page, ZERO_PAGE, flags::Flags};

const GROUP_PAGES: u64 = 64;

type Group = [Option<Arc<Page>>; GROUP_PAGES as usize];

/// Content of a memory at one moment. Cheap to clone and to keep; independent of the memory it
/// was taken from, and can be restored into any other.
#[derive(Clone, Default)]
pub struct MemorySnapshot {
    groups: Arc<BTreeMap<u64, Arc<Group>>>,
}

impl std::fmt::Debug for MemorySnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySnapshot").field("pages", &self.page_count()).finish()
    }
}

impl MemorySnapshot {
    /// Content of a page; `None` if it was absent.
    #[must_use]
    pub fn page(&self, index: u64) -> Option<&Page> {
        let index = index & PAGE_INDEX_MASK;
        self.groups.get(&(index / GROUP_PAGES))?[(index % GROUP_PAGES) as usize].as_deref()
    }

    /// Pages that existed. Counts them one by one.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.pages().count()
    }

    /// Index and content of each page that existed, ascending.
    pub fn pages(&self) -> impl Iterator<Item = (u64, &Page)> {
        self.groups.iter().flat_map(|(group_index, group)| {
            let indexes = group_index * GROUP_PAGES..;
            indexes.zip(group.iter()).filter_map(|(index, page)| Some((index, page.as_deref()?)))
        })
    }

    /// How many pages the two do not share: what this snapshot costs beside `other`, at most.
    #[must_use]
    pub fn unshared_pages(&self, other: &Self) -> usize {
        self.unshared(other).len()
    }

    fn set(&mut self, index: u64, page: Arc<Page>) {
        let groups = Arc::make_mut(&mut self.groups);
        let group = groups
            .entry(index / GROUP_PAGES)
            .or_insert_with(|| Arc::new([const { None }; GROUP_PAGES as usize]));
        Arc::make_mut(group)[(index % GROUP_PAGES) as usize] = Some(page);
    }

    /// Indexes of pages that the two do not share; a page that both hold as copies of its own
    /// counts as differing, whatever the copies contain.
    fn unshared(&self, other: &Self) -> Vec<u64> {
        if Arc::ptr_eq(&self.groups, &other.groups) {
            return Vec::new();
        }
        let mut indexes = Vec::new();
        let mut compare = |group_index: u64, mine: Option<&Group>, theirs: Option<&Group>| {
            for slot in 0..GROUP_PAGES as usize {
                let mine = mine.and_then(|group| group[slot].as_ref());
                let theirs = theirs.and_then(|group| group[slot].as_ref());
                if mine.map(Arc::as_ptr) != theirs.map(Arc::as_ptr) {
                    indexes.push(group_index * GROUP_PAGES + slot as u64);
                }
            }
        };
        for (&group_index, mine) in &*self.groups {
            let theirs = other.groups.get(&group_index);
            if !theirs.is_some_and(|theirs| Arc::ptr_eq(mine, theirs)) {
                compare(group_index, Some(mine), theirs.map(|group| &**group));
            }
        }
        for (&group_index, theirs) in &*other.groups {
            if !self.groups.contains_key(&group_index) {
                compare(group_index, None, Some(theirs));
            }
        }
        indexes
    }
}

/// A copy on the heap. Made from a slice, since `Arc::new` would copy to the stack first.
fn shared(content: &Page) -> Arc<Page> {
    Arc::<[u8]>::from(&content[..]).try_into().unwrap_or_else(|_| Arc::new(*content))
}

impl Memory {
    /// Content of this moment; copies the pages written since the last snapshot or restore.
    pub fn snapshot(&mut self) -> MemorySnapshot {
        for index in std::mem::take(&mut self.unsaved) {
            self.storage.set_flags(index, self.storage.flags(index).without(Flags::UNSAVED));
            self.saved.set(index, shared(self.storage.content(index)));
        }
        self.saved.clone()
    }

    /// Makes memory what it was when `snapshot` was taken, absent pages included; copies the pages
    /// that differ. Changed code pages are recorded as written.
    pub fn restore(&mut self, snapshot: &MemorySnapshot) {
        let mut candidates = std::mem::take(&mut self.unsaved);
        for &index in &candidates {
            self.storage.set_flags(index, self.storage.flags(index).without(Flags::UNSAVED));
        }
        candidates.extend(self.saved.unshared(snapshot));
        let mut removed = false;
        for index in candidates {
            match snapshot.page(index) {
                Some(content) => self.restore_page(index, content),
                None => removed |= self.remove_page(index),
            }
        }
        if removed {
            self.present.retain(|&index| self.storage.flags(index).has(Flags::PRESENT));
        }
        self.saved = snapshot.clone();
    }

    /// Sets a page to what the snapshot has, leaving `UNSAVED` clear.
    fn restore_page(&mut self, index: u64, content: &Page) {
        let flags = self.storage.flags(index);
        if !flags.has(Flags::PRESENT) {
            self.add_present(index);
            self.storage.set_flags(index, flags.with(Flags::PRESENT));
        }
        self.replace_content(index, content);
    }

    /// Makes a page absent; answers whether it was present. The caller drops it from `present`.
    fn remove_page(&mut self, index: u64) -> bool {
        let flags = self.storage.flags(index);
        if !flags.has(Flags::PRESENT) {
            return false;
        }
        self.storage.set_flags(index, flags.without(Flags::PRESENT));
        self.replace_content(index, &ZERO_PAGE);
        true
    }

    fn replace_content(&mut self, index: u64, content: &Page) {
        if self.storage.content(index) == content {
            return;
        }
        *self.storage.content_mut(index) = *content;
        let flags = self.storage.flags(index);
        if !flags.has(Flags::UNHASHED) {
            self.unhashed.push(index);
            self.storage.set_flags(index, flags.with(Flags::UNHASHED));
        }
        self.note_code_write(index);
    }
}
