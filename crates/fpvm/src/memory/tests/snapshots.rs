//! Snapshots and going back to them.

use super::{super::MemorySnapshot, Memory, PAGE_BYTES, PLACES, on_each_layout};

fn contents(memory: &Memory) -> Vec<(u64, Vec<u8>)> {
    memory.pages().map(|(index, page)| (index, page.to_vec())).collect()
}

fn saved(snapshot: &MemorySnapshot) -> Vec<(u64, Vec<u8>)> {
    snapshot.pages().map(|(index, page)| (index, page.to_vec())).collect()
}

#[test]
fn any_snapshot_can_be_restored_in_any_order() {
    on_each_layout(|mut memory| {
        let mut history = Vec::new();
        for (turn, place) in PLACES.iter().enumerate() {
            memory.store_u64(*place, turn as u64 + 1);
            memory.store_u64(0x9000, turn as u64);
            history.push((memory.snapshot(), contents(&memory), memory.merkle_root()));
        }
        for turn in [3, 0, 8, 8, 5, 6, 1] {
            let (snapshot, expected, root) = &history[turn];
            memory.store_u64(0x9008, 77);
            memory.store_u64(0x5555_0000, 77);
            memory.restore(snapshot);
            assert_eq!(contents(&memory), *expected);
            assert_eq!(saved(snapshot), *expected);
            assert_eq!(snapshot.page_count(), memory.page_count());
            assert_eq!(memory.merkle_root(), *root);
            assert_eq!(memory.load_u64(0x5555_0000), 0, "absent again, so zero again");
        }
    });
}

#[test]
fn a_snapshot_keeps_what_it_saw() {
    on_each_layout(|mut memory| {
        memory.store_u64(0x1000, 1);
        let snapshot = memory.snapshot();
        memory.store_u64(0x1000, 2);
        memory.store_u64(0x2000, 2);
        let later = memory.snapshot();
        assert_eq!(saved(&snapshot).len(), 1);
        assert_eq!(snapshot.page(1).map(|page| page[7]), Some(1));
        assert_eq!(snapshot.page(2), None);
        assert_eq!(later.page(1).map(|page| page[7]), Some(2));
        assert_eq!(later.page_count(), 2);
    });
}

#[test]
fn a_present_page_of_zeros_differs_from_an_absent_one() {
    on_each_layout(|mut memory| {
        let empty = memory.snapshot();
        memory.touch_page(5);
        let touched = memory.snapshot();
        memory.restore(&empty);
        assert_eq!((memory.page_count(), memory.page(5)), (0, None));
        memory.restore(&touched);
        assert_eq!((memory.page_count(), memory.page(5)), (1, Some(&[0; PAGE_BYTES])));
        assert_eq!(saved(&memory.snapshot()), saved(&touched));
    });
}

#[test]
fn a_snapshot_goes_to_another_thread_and_another_memory() {
    on_each_layout(|mut memory| {
        for place in PLACES {
            memory.store_u64(place, place | 1);
        }
        let (snapshot, root) = (memory.snapshot(), memory.merkle_root());
        let there = std::thread::spawn(move || {
            let mut other = Memory::new();
            other.store_u64(0x7777_0000, 1);
            other.restore(&snapshot);
            (contents(&other), other.merkle_root())
        });
        assert_eq!(there.join().unwrap(), (contents(&memory), root));
    });
}

#[test]
fn a_page_written_after_a_restore_is_saved_and_hashed_again() {
    on_each_layout(|mut memory| {
        memory.store_u64(0x1000, 1);
        let first = memory.snapshot();
        memory.store_u64(0x1000, 2);
        let (second, root) = (memory.snapshot(), memory.merkle_root());
        memory.restore(&first);
        memory.merkle_root();
        memory.store_u64(0x1000, 2);
        assert_eq!(memory.merkle_root(), root);
        assert_eq!(saved(&memory.snapshot()), saved(&second));
    });
}
