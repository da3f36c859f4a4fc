//! Random operations on every layout beside a model made of a map from address to byte.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{collection::vec as vec_of, prelude::*, test_runner::RngSeed};

use super::{Memory, PAGE_BYTES, PLACES, layouts, proofs::naive_root};

#[derive(Clone, Debug)]
enum Operation {
    Store { width: u32, address: u64, value: u64 },
    TryStore { width: u32, address: u64, value: u64 },
    Write { address: u64, length: usize, value: u8 },
    Read { address: u64, length: usize },
    Touch { address: u64 },
    SetPage { address: u64, value: u8 },
    MarkCode { address: u64 },
    TakeCodeWrites,
    Snapshot,
    Restore { which: prop::sample::Index },
    Root,
}

/// What memory should be.
#[derive(Clone, Default)]
struct Model {
    pages: BTreeSet<u64>,
    bytes: BTreeMap<u64, u8>,
    code: BTreeSet<u64>,
    code_writes: BTreeSet<u64>,
}

impl Model {
    fn write(&mut self, address: u64, bytes: impl IntoIterator<Item = u8>) {
        for (offset, byte) in (0..).zip(bytes) {
            let address = address.wrapping_add(offset);
            self.touch(address >> 12);
            self.bytes.insert(address, byte);
        }
    }

    fn touch(&mut self, index: u64) {
        self.pages.insert(index);
        if self.code.contains(&index) {
            self.code_writes.insert(index);
        }
    }

    fn read(&self, address: u64, length: usize) -> Vec<u8> {
        (0..length as u64)
            .map(|offset| *self.bytes.get(&address.wrapping_add(offset)).unwrap_or(&0))
            .collect()
    }

    fn page(&self, index: u64) -> Vec<u8> {
        self.read(index << 12, PAGE_BYTES)
    }

    fn restore(&mut self, saved: &Self) {
        for &index in self.pages.union(&saved.pages) {
            if self.code.contains(&index) && self.page(index) != saved.page(index) {
                self.code_writes.insert(index);
            }
        }
        self.pages.clone_from(&saved.pages);
        self.bytes.clone_from(&saved.bytes);
    }
}

fn address() -> impl Strategy<Value = u64> {
    (prop::sample::select(&PLACES[..]), -0x2000i64..0x2000)
        .prop_map(|(place, offset)| place.wrapping_add_signed(offset))
}

/// Width in bytes and an address aligned to it.
fn aligned() -> impl Strategy<Value = (u32, u64)> {
    (0u32..4, address()).prop_map(|(log, address)| (1 << log, address >> log << log))
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    prop_oneof![
        8 => (aligned(), any::<u64>())
            .prop_map(|((width, address), value)| Store { width, address, value }),
        4 => (aligned(), any::<u64>())
            .prop_map(|((width, address), value)| TryStore { width, address, value }),
        2 => (address(), 0usize..9000, any::<u8>())
            .prop_map(|(address, length, value)| Write { address, length, value }),
        2 => (address(), 0usize..9000).prop_map(|(address, length)| Read { address, length }),
        1 => address().prop_map(|address| Touch { address }),
        1 => (address(), any::<u8>()).prop_map(|(address, value)| SetPage { address, value }),
        2 => address().prop_map(|address| MarkCode { address }),
        1 => Just(TakeCodeWrites),
        2 => Just(Snapshot),
        2 => any::<prop::sample::Index>().prop_map(|which| Restore { which }),
        1 => Just(Root),
    ]
}

fn store(memory: &mut Memory, width: u32, address: u64, value: u64) {
    match width {
        1 => memory.store_u8(address, value as u8),
        2 => memory.store_u16(address, value as u16),
        4 => memory.store_u32(address, value as u32),
        _ => memory.store_u64(address, value),
    }
}

fn try_store(memory: &mut Memory, width: u32, address: u64, value: u64) -> bool {
    match width {
        1 => memory.try_store_u8(address, value as u8),
        2 => memory.try_store_u16(address, value as u16),
        4 => memory.try_store_u32(address, value as u32),
        _ => memory.try_store_u64(address, value),
    }
}

fn load(memory: &Memory, width: u32, address: u64) -> u64 {
    match width {
        1 => memory.load_u8(address).into(),
        2 => memory.load_u16(address).into(),
        4 => memory.load_u32(address).into(),
        _ => memory.load_u64(address),
    }
}

/// The low `width` bytes of a value, most significant first.
fn big_endian(width: u32, value: u64) -> Vec<u8> {
    value.to_be_bytes()[8 - width as usize..].to_vec()
}

fn check_contents(memory: &Memory, model: &Model) {
    assert_eq!(memory.page_count(), model.pages.len());
    let indexes: Vec<u64> = memory.pages().map(|(index, _)| index).collect();
    assert_eq!(indexes, model.pages.iter().copied().collect::<Vec<_>>());
    for (index, page) in memory.pages() {
        assert_eq!(page[..], model.page(index), "page {index:#x}");
    }
}

fn run(memory: &mut Memory, operations: &[Operation]) {
    let mut model = Model::default();
    let mut saved = vec![(memory.snapshot(), model.clone())];
    for operation in operations {
        match *operation {
            Operation::Store { width, address, value } => {
                store(memory, width, address, value);
                model.write(address, big_endian(width, value));
            }
            Operation::TryStore { width, address, value } => {
                let code = model.code.contains(&(address >> 12));
                assert_eq!(try_store(memory, width, address, value), !code);
                if !code {
                    model.write(address, big_endian(width, value));
                }
                let expected = model.read(address, width as usize);
                assert_eq!(big_endian(width, load(memory, width, address)), expected);
            }
            Operation::Write { address, length, value } => {
                memory.write_range(address, &vec![value; length]);
                model.write(address, vec![value; length]);
            }
            Operation::Read { address, length } => {
                let mut out = vec![0xee; length];
                memory.read_range(address, &mut out);
                assert_eq!(out, model.read(address, length));
            }
            Operation::Touch { address } => {
                memory.touch_page(address >> 12);
                model.touch(address >> 12);
            }
            Operation::SetPage { address, value } => {
                memory.set_page(address >> 12, &[value; PAGE_BYTES]);
                model.write(address & !0xfff, [value; PAGE_BYTES]);
            }
            Operation::MarkCode { address } => {
                memory.mark_code(address);
                model.code.insert(address >> 12);
            }
            Operation::TakeCodeWrites => {
                let taken: BTreeSet<u64> = memory.take_code_writes().into_iter().collect();
                assert_eq!(taken, model.code_writes);
                model.code.retain(|index| !taken.contains(index));
                model.code_writes.clear();
            }
            Operation::Snapshot => saved.push((memory.snapshot(), model.clone())),
            Operation::Restore { which } => {
                let (snapshot, then) = which.get(&saved);
                memory.restore(snapshot);
                model.restore(then);
                check_contents(memory, &model);
            }
            Operation::Root => {
                memory.merkle_root();
            }
        }
        assert_eq!(memory.has_code_writes(), !model.code_writes.is_empty());
    }
    check_contents(memory, &model);
    assert_eq!(memory.merkle_root(), naive_root(memory, 59, 0));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(0xfeed),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn memory_is_what_the_model_says(operations in vec_of(operation(), 1..60)) {
        for (name, mut memory) in layouts() {
            println!("layout: {name}");
            run(&mut memory, &operations);
        }
    }
}
