//! Trees, pages and proofs against a naive recursive tree on an independent keccak.

use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

use alloy_primitives::{B256, b256, keccak256};
use proptest::{collection::vec as vec_of, prelude::*, test_runner::RngSeed};

use crate::*;

/// The same `cases` inputs in every run.
pub(crate) fn seeded(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(59),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Non-zero leaves by leaf index.
type Leaves = BTreeMap<u64, [u8; 32]>;

/// Root of the subtree `level` levels high that is the `index`th of its level.
fn naive_root(leaves: &Leaves, level: u32, index: u64) -> B256 {
    let first = index << level;
    let last = first | ((1u64 << level) - 1);
    match (leaves.range(first..=last).next(), level) {
        (None, 0) => B256::ZERO,
        (Some((_, leaf)), 0) => B256::new(*leaf),
        (None, _) => {
            let child = naive_root(leaves, level - 1, index << 1);
            keccak256([child.0, child.0].as_flattened())
        }
        (Some(_), _) => {
            let left = naive_root(leaves, level - 1, index << 1);
            let right = naive_root(leaves, level - 1, index << 1 | 1);
            keccak256([left.0, right.0].as_flattened())
        }
    }
}

/// Pages, the tree over them and the same as leaves for the naive tree.
struct Fixture<const DEPTH: usize> {
    tree: PageTree<DEPTH>,
    pages: BTreeMap<u64, Box<Page>>,
}

impl<const DEPTH: usize> Fixture<DEPTH> {
    fn new() -> Self {
        Self { tree: PageTree::new(), pages: BTreeMap::new() }
    }

    /// Writes leaves (address, first byte) and brings the tree up to them.
    fn write(&mut self, writes: &[(u64, u8)]) {
        let mut dirty = Vec::new();
        for &(address, byte) in writes {
            let index = address / PAGE_BYTES as u64;
            let page = self.pages.entry(index).or_insert_with(|| Box::new([0; PAGE_BYTES]));
            page[address as usize % PAGE_BYTES] = byte;
            dirty.push(index);
        }
        let pages: Vec<(u64, &Page)> =
            dirty.iter().map(|index| (*index, &*self.pages[index])).collect();
        self.tree.rehash(&pages);
    }

    fn leaves(&self) -> Leaves {
        let mut leaves = Leaves::new();
        for (index, page) in &self.pages {
            for (leaf, bytes) in page.as_chunks::<32>().0.iter().enumerate() {
                if *bytes != [0; 32] {
                    leaves.insert(index * LEAVES_PER_PAGE as u64 + leaf as u64, *bytes);
                }
            }
        }
        leaves
    }

    fn naive_root(&self) -> B256 {
        naive_root(&self.leaves(), DEPTH as u32, 0)
    }

    fn prove(&self, address: u64) -> LeafProof<DEPTH> {
        let page = self.pages.get(&(address / PAGE_BYTES as u64));
        self.tree.prove(address, page.map(|page| &**page))
    }
}

/// Addresses that fall together on few pages, next to each other and at both ends of the space.
fn address(bits: u32) -> impl Strategy<Value = u64> {
    let mask = u64::MAX >> (64 - bits);
    prop_oneof![
        0u64..0x4000,
        (0u64..0x40_0000).prop_map(move |offset| mask - offset),
        (any::<u64>()).prop_map(move |any| any & mask),
        (0u64..64, 0u64..0x2000).prop_map(move |(bit, offset)| (1 << bit | offset) & mask),
    ]
}

fn matches_naive_tree<const DEPTH: usize>(rounds: &[Vec<(u64, u8)>], probes: &[u64]) {
    let mut fixture = Fixture::<DEPTH>::new();
    for writes in rounds {
        fixture.write(writes);
        let root = fixture.naive_root();
        assert_eq!(fixture.tree.root(), root);
        for &address in writes.iter().map(|(address, _)| address).chain(probes) {
            let proof = fixture.prove(address);
            assert!(proof.verify(root, address));
            let leaves = fixture.leaves();
            let leaf = leaves.get(&(address >> 5)).copied().unwrap_or_default();
            assert_eq!(proof.leaf, leaf);
            for (level, sibling) in proof.siblings.iter().enumerate() {
                let expected = naive_root(&leaves, level as u32, (address >> 5 >> level) ^ 1);
                assert_eq!(*sibling, expected.0, "address {address:#x}, level {level}");
            }
        }
    }
}

proptest! {
    #![proptest_config(seeded(12))]

    #[test]
    fn tree_of_depth_59_matches_the_naive_tree(
        rounds in vec_of(vec_of((address(64), any::<u8>()), 0..8), 1..4),
        probes in vec_of(address(64), 2),
    ) {
        matches_naive_tree::<59>(&rounds, &probes);
    }

    #[test]
    fn tree_of_depth_27_matches_the_naive_tree(
        rounds in vec_of(vec_of((address(32), any::<u8>()), 0..8), 1..4),
        probes in vec_of(address(32), 2),
    ) {
        matches_naive_tree::<27>(&rounds, &probes);
    }

    #[test]
    fn root_after_a_patch_is_the_root_of_the_patched_memory(
        writes in vec_of((address(64), any::<u8>()), 1..8),
        patched in address(64),
        byte in any::<u8>(),
    ) {
        let mut fixture = Fixture::<59>::new();
        fixture.write(&writes);
        let proof = fixture.prove(patched);
        let mut leaf = proof.leaf;
        leaf[patched as usize % 32] = byte;
        let expected = proof.root_after(patched, &leaf);
        fixture.write(&[(patched, byte)]);
        prop_assert_eq!(fixture.tree.root(), expected);
        prop_assert_eq!(fixture.naive_root(), expected);
    }

    #[test]
    fn a_tampered_proof_is_refused(
        writes in vec_of((address(64), 1u8..), 1..8),
        at in 0usize..LeafProof::<59>::BYTES,
        flip in 1u8..,
    ) {
        let mut fixture = Fixture::<59>::new();
        fixture.write(&writes);
        let (root, address) = (fixture.tree.root(), writes[0].0);
        let mut bytes = fixture.prove(address).to_bytes();
        prop_assert!(LeafProof::<59>::from_bytes(&bytes).unwrap().verify(root, address));
        bytes[at] ^= flip;
        prop_assert!(!LeafProof::<59>::from_bytes(&bytes).unwrap().verify(root, address));
    }
}

/// Three leaves with content, on one page and on another.
fn three_leaves<const DEPTH: usize>() -> Fixture<DEPTH> {
    let mut fixture = Fixture::new();
    fixture.write(&[(0x1000, 1), (0x1020, 2), (0x7_0000, 3)]);
    fixture
}

#[test]
fn a_proof_holds_at_its_own_address_only() {
    let fixture = three_leaves::<59>();
    let (root, proof) = (fixture.tree.root(), fixture.prove(0x1000));
    assert!(proof.verify(root, 0x1000));
    assert!(proof.verify(root, 0x101f), "same leaf");
    for bit in 5..64 {
        assert!(!proof.verify(root, 0x1000 ^ (1 << bit)), "bit {bit}");
    }
}

#[test]
fn an_address_beyond_the_tree_is_refused() {
    let fixture = three_leaves::<27>();
    let (root, proof) = (fixture.tree.root(), fixture.prove(0x1000));
    assert!(proof.verify(root, 0x1000));
    assert!(!proof.verify(root, 1 << 32 | 0x1000));
}

#[test]
fn swapped_siblings_are_refused() {
    let fixture = three_leaves::<59>();
    let (root, proof) = (fixture.tree.root(), fixture.prove(0x1000));
    for level in 0..58 {
        let mut swapped = proof.clone();
        swapped.siblings.swap(level, level + 1);
        assert_ne!(swapped, proof);
        assert!(!swapped.verify(root, 0x1000), "levels {level} and {}", level + 1);
    }
    let mut swapped = proof.clone();
    core::mem::swap(&mut swapped.leaf, &mut swapped.siblings[0]);
    assert!(!swapped.verify(root, 0x1000));
    assert!(swapped.verify(root, 0x1020), "the same pair seen from the other side");
}

#[test]
fn a_proof_of_another_root_is_refused() {
    let mut fixture = three_leaves::<59>();
    let proof = fixture.prove(0x1000);
    fixture.write(&[(0x7_0000, 4)]);
    assert!(!proof.verify(fixture.tree.root(), 0x1000));
}

#[test]
fn a_proof_of_the_wrong_length_is_refused() {
    let bytes = three_leaves::<27>().prove(0x1000).to_bytes();
    assert_eq!(bytes.len(), 896);
    assert_eq!(LeafProof::<59>::BYTES, 1920);
    for actual in [0, 1, 31, 32, 864, 895, 897, 928, 1920] {
        let mut wrong = bytes.clone();
        wrong.resize(actual, 0);
        let error = ProofLengthError { depth: 27, actual, expected: 896 };
        assert_eq!(LeafProof::<27>::from_bytes(&wrong), Err(error));
    }
}

#[test]
fn roots_of_published_memories() {
    let mut tree = PageTree::<27>::new();
    let mut page = [0; PAGE_BYTES];
    page[..4].copy_from_slice(&0x0102_0304u32.to_be_bytes());
    tree.rehash(&[(0, &page)]);
    let expected = b256!("f847da0acce2b62b538ec3efa06e9576ed148dd68d1c293d685c036c01e1e0c5");
    assert_eq!(tree.root(), expected);

    let mut tree = PageTree::<27>::new();
    let mut page = [0; PAGE_BYTES];
    page[4..8].copy_from_slice(&0xaabb_ccddu32.to_be_bytes());
    tree.rehash(&[(1, &page)]);
    let expected = b256!("ba49cb138e1928143805f521e13bc7bf93cd03c896deed9238fbf672d8e88759");
    assert_eq!(tree.root(), expected);

    let mut tree = PageTree::<59>::new();
    let mut page = [0; PAGE_BYTES];
    page[..4].copy_from_slice(&0x0102_0304u32.to_le_bytes());
    tree.rehash(&[(1, &page)]);
    let expected = b256!("ab87854a05a9a2e33de63da2799c8c603471b14c3862ed633af83a7fe5e3f737");
    assert_eq!(tree.root(), expected);
}

#[test]
fn the_last_of_several_roots_of_one_page_counts() {
    let mut once = PageTree::<59>::new();
    once.update(Engine::best(), &[(8, B256::with_last_byte(3)), (9, B256::with_last_byte(1))]);
    let mut twice = PageTree::<59>::new();
    let updates =
        [(8, B256::with_last_byte(2)), (9, B256::with_last_byte(1)), (8, B256::with_last_byte(3))];
    twice.update(Engine::best(), &updates);
    assert_eq!(once.root(), twice.root());
    assert_eq!(twice.page_root(8), B256::with_last_byte(3));
    assert_eq!(twice.page_root(10), zero_hash(PAGE_LEVELS).unwrap());
}

#[test]
fn a_page_that_becomes_zero_leaves_no_trace_in_the_root() {
    let mut fixture = three_leaves::<59>();
    fixture.tree.rehash(&[(1, &[0; PAGE_BYTES]), (0x70, &[0; PAGE_BYTES])]);
    assert_eq!(Some(fixture.tree.root()), zero_hash(59));
}

#[test]
fn every_engine_and_number_of_threads_hashes_pages_alike() {
    let contents: Vec<Page> = (0..101u64)
        .map(|page| {
            let mut bytes = [0; PAGE_BYTES];
            for (word, out) in bytes.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                *out = keccak256((page << 32 | word as u64).to_be_bytes()).0;
            }
            bytes
        })
        .collect();
    let expected: Vec<B256> = contents
        .iter()
        .map(|page| {
            let leaves = page.as_chunks::<32>().0.iter().copied();
            naive_root(&(0u64..).zip(leaves).collect(), PAGE_LEVELS as u32, 0)
        })
        .collect();
    let pages: Vec<&Page> = contents.iter().collect();
    for engine in Engine::available() {
        for count in [0, 1, 2, 3, 7, 8, 9, 16, 17, 64, 101] {
            let mut roots = vec![B256::ZERO; count];
            page_roots(engine, &pages, &mut roots);
            assert_eq!(roots, expected[..count], "engine {engine}");
            page_roots_on_all_cores(engine, &pages[..count], &mut roots);
            assert_eq!(roots, expected[..count], "engine {engine}, all cores");
        }
    }
    assert_eq!(page_root(&contents[0]), expected[0]);
}
