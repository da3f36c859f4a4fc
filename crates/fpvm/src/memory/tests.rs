//! Behaviour of memory, on every layout it can have.

use alloy_primitives::b256;

use super::{Memory, PAGE_BYTES};

/// Runs a test on memory with and without windows.
fn on_each_layout(test: impl Fn(Memory)) {
    test(Memory::new());
    test(Memory::without_windows());
}

#[test]
fn root_of_empty_memory_is_the_zero_tree() {
    on_each_layout(|mut memory| {
        let expected = b256!("14af5385bcbb1e4738bbae8106046e6e2fca42875aa5c000c582587742bcc748");
        assert_eq!(memory.merkle_root(), expected);
    });
}

#[test]
fn root_of_a_single_doubleword() {
    on_each_layout(|mut memory| {
        memory.store_u64(0x10008, 0x0102_0304_0506_0708);
        let expected = b256!("5b585c0040abd31b7ef8a7bd8da3a3dd1e1db388a186e2ac963b5071502ac90b");
        assert_eq!(memory.merkle_root(), expected);
    });
}

#[test]
fn values_are_big_endian() {
    on_each_layout(|mut memory| {
        memory.store_u64(0x2000, 0x0102_0304_0506_0708);
        assert_eq!(memory.load_u8(0x2001), 2);
        assert_eq!(memory.load_u16(0x2002), 0x0304);
        assert_eq!(memory.load_u32(0x2004), 0x0506_0708);
        memory.store_u32(0x2000, 0xaabb_ccdd);
        memory.store_u16(0x2004, 0x1122);
        memory.store_u8(0x2006, 0x33);
        assert_eq!(memory.load_u64(0x2000), 0xaabb_ccdd_1122_3308);
    });
}

#[test]
fn a_page_exists_from_its_first_write_and_never_from_a_read() {
    on_each_layout(|mut memory| {
        assert_eq!(memory.load_u64(0x5000), 0);
        memory.read_range(0x5ff0, &mut [0; 64]);
        memory.write_range(0x7000, &[]);
        assert_eq!(memory.page_count(), 0);
        memory.store_u8(0x6001, 0);
        memory.write_range(0x3fff, &[0, 0]);
        memory.touch_page(9);
        let indexes: Vec<u64> = memory.pages().map(|(index, _)| index).collect();
        assert_eq!(indexes, [3, 4, 6, 9]);
        assert_eq!(memory.page(6), Some(&[0; PAGE_BYTES]));
        assert_eq!(memory.page(5), None);
    });
}
