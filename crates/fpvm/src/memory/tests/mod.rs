//! Behaviour of memory, on every layout it can have.

mod model;
mod proofs;
mod snapshots;

use alloy_primitives::b256;

use super::{AddressSpace, Memory, PAGE_BYTES, windows::Windows};

/// Every way memory can lie on the host: all windows, some of them refused, none.
fn layouts() -> [(&'static str, Memory); 4] {
    [
        ("windows", Memory::new()),
        ("two windows", Memory::with(Windows::reserve(&[0x00c, 0x7ff]), AddressSpace::Bits64)),
        ("no window but the directory", Memory::with(Windows::reserve(&[]), AddressSpace::Bits64)),
        ("map", Memory::without_windows(AddressSpace::Bits64)),
    ]
}

/// Runs a test on each layout.
fn on_each_layout(test: impl Fn(Memory)) {
    for (name, memory) in layouts() {
        println!("layout: {name}");
        test(memory);
    }
}

/// Addresses in and around every window, at the end of the directory and of the address space.
const PLACES: [u64; 13] = [
    0x2000,
    0x10_0000_0000, // end of the first window
    0xc0_0000_0000,
    0x1000_0000_0000,
    0x1010_0000_0000, // end of a window
    0x4000_0000_0000,
    0x7fff_ffff_f000,
    0x7f00_0000_0000,
    1 << 48,
    (1 << 60) - (1 << 35), // start of the window beyond the directory
    1 << 60,
    (1 << 60) + (1 << 35), // its end
    0,
];

/// Behind and before windows.
const OUTSIDE: [u64; 8] = [
    0x10_0000_0000,
    0xbf_ffff_fff8,
    0x1010_0000_0000,
    1 << 47,
    1 << 48,
    (1 << 60) - (1 << 35) - 8,
    (1 << 60) + (1 << 35),
    u64::MAX - 7,
];

#[test]
fn the_host_grants_the_usual_windows() {
    let memory = Memory::new();
    for address in PLACES.into_iter().filter(|place| !OUTSIDE.contains(place)) {
        assert!(
            memory.storage.windows.load::<8>(address).is_some(),
            "{address:#x}: no window, so the other tests miss the fast path on this host"
        );
    }
    for address in OUTSIDE {
        assert_eq!(memory.storage.windows.load::<8>(address), None, "{address:#x}");
    }
}

#[test]
fn values_stay_where_they_are_put() {
    on_each_layout(|mut memory| {
        let addresses = || PLACES.iter().flat_map(|place| [place.wrapping_sub(8), *place]);
        for address in addresses() {
            assert_eq!(memory.load_u64(address), 0);
            memory.store_u64(address, !address);
        }
        for address in addresses() {
            assert_eq!(memory.load_u64(address), !address, "{address:#x}");
            assert_eq!(memory.load_u8(address), (!address >> 56) as u8, "{address:#x}");
        }
        assert_eq!(memory.page_count(), 2 * PLACES.len());
    });
}

#[test]
fn ranges_wrap_around_the_end_of_the_address_space() {
    on_each_layout(|mut memory| {
        let bytes: Vec<u8> = (0..10_000u32).map(|i| (i % 251) as u8 + 1).collect();
        let start = 0u64.wrapping_sub(5000);
        memory.write_range(start, &bytes);
        assert_eq!(memory.load_u8(u64::MAX), bytes[4999]);
        assert_eq!(memory.load_u8(0), bytes[5000]);
        let mut out = vec![0xee; 10_002];
        memory.read_range(start.wrapping_sub(1), &mut out);
        assert_eq!(out[1..10_001], bytes);
        assert_eq!((out[0], out[10_001]), (0, 0));
        let indexes: Vec<u64> = memory.pages().map(|(index, _)| index).collect();
        assert_eq!(indexes, [0, 1, (1 << 52) - 2, (1 << 52) - 1]);
    });
}

#[test]
fn only_the_low_52_bits_of_a_page_index_count() {
    on_each_layout(|mut memory| {
        memory.set_page(1 << 52 | 3, &[7; PAGE_BYTES]);
        memory.touch_page(3 << 53 | 4);
        assert_eq!(memory.load_u8(0x3000), 7);
        assert_eq!(memory.page(1 << 60 | 3), Some(&[7; PAGE_BYTES]));
        let indexes: Vec<u64> = memory.pages().map(|(index, _)| index).collect();
        assert_eq!(indexes, [3, 4]);
    });
}

#[test]
fn a_store_into_code_is_refused_or_recorded() {
    on_each_layout(|mut memory| {
        for place in PLACES {
            memory.mark_code(place);
            assert!(!memory.has_code_writes());
            assert_eq!(memory.page_count(), 0, "code was taken from an absent page");
            assert!(!memory.try_store_u32(place, 1));
            assert_eq!((memory.load_u32(place), memory.page_count()), (0, 0));
            memory.store_u32(place, 2);
            memory.store_u64(place, 3);
            assert!(!memory.try_store_u8(place, 4), "still code until the writes are taken");
            assert_eq!(memory.load_u64(place), 3);
            assert!(memory.has_code_writes());
            assert_eq!(memory.take_code_writes(), [place >> 12]);
            assert!(!memory.has_code_writes());
            assert!(memory.try_store_u16(place, 5));
            memory.store_u16(place, 6);
            assert_eq!(memory.take_code_writes(), [0; 0]);
            memory.restore(&Default::default());
            assert_eq!((memory.load_u64(place), memory.page_count()), (0, 0));
        }
    });
}

#[test]
fn every_way_of_changing_code_is_recorded() {
    on_each_layout(|mut memory| {
        memory.store_u8(0x4000, 1);
        let snapshot = memory.snapshot();
        let changes: [&dyn Fn(&mut Memory); 4] = [
            &|memory| memory.write_range(0x3fff, &[1, 2]),
            &|memory| memory.set_page(4, &[3; PAGE_BYTES]),
            &|memory| memory.restore(&snapshot),
            &|memory| memory.restore(&Default::default()),
        ];
        for change in changes {
            memory.mark_code(0x4abc);
            change(&mut memory);
            assert_eq!(memory.take_code_writes(), [4]);
        }
    });
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
