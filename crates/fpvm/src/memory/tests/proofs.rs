//! Proofs of memory, and roots against a naive tree.

use alloy_primitives::{B256, keccak256};
use rebut_merkle::LeafProof;

use super::{super::DEPTH_64, Memory, PLACES, on_each_layout};

/// Root of the subtree `level` levels high that is the `index`th of its level, node by node.
pub(super) fn naive_root(memory: &Memory, level: u32, index: u64) -> B256 {
    if level == 0 {
        let mut leaf = [0; 32];
        memory.read_range(index << 5, &mut leaf);
        return B256::new(leaf);
    }
    let first = index << level >> 7;
    let last = ((index << level) + ((1 << level) - 1)) >> 7;
    let empty = !memory.pages().any(|(page, _)| (first..=last).contains(&page));
    let left = naive_root(memory, level - 1, index << 1);
    let right = if empty { left } else { naive_root(memory, level - 1, index << 1 | 1) };
    keccak256([left.0, right.0].as_flattened())
}

#[test]
fn the_root_is_that_of_the_naive_tree() {
    on_each_layout(|mut memory| {
        for place in PLACES {
            memory.store_u64(place, place | 1);
            memory.store_u32(place ^ 0xf00, 5);
        }
        assert_eq!(memory.merkle_root(), naive_root(&memory, 59, 0));
        memory.store_u64(PLACES[3], 0);
        memory.store_u64(0x1234_5678_0000, 9);
        assert_eq!(memory.merkle_root(), naive_root(&memory, 59, 0));
    });
}

#[test]
fn proofs_hold_for_present_and_absent_leaves() {
    on_each_layout(|mut memory| {
        for place in PLACES {
            memory.store_u64(place, place | 1);
        }
        let root = memory.merkle_root();
        for address in PLACES.into_iter().flat_map(|place| [place, place ^ 0x38, !place]) {
            let bytes = memory.prove(address);
            let proof = LeafProof::<DEPTH_64>::from_bytes(&bytes).unwrap();
            let mut leaf = [0; 32];
            memory.read_range(address & !31, &mut leaf);
            assert_eq!(proof.leaf, leaf);
            assert!(proof.verify(root, address), "{address:#x}");
            // Among zeros one leaf is like the next; a leaf with content stands in one place.
            assert_eq!(proof.verify(root, address ^ 0x20), leaf == proof.siblings[0]);
        }
        assert_eq!(memory.page_count(), PLACES.len(), "a proof makes no page exist");
    });
}

#[test]
fn a_proof_is_of_memory_as_it_is_now() {
    on_each_layout(|mut memory| {
        memory.store_u64(0x1000, 1);
        let before = LeafProof::<DEPTH_64>::from_bytes(&memory.prove(0x1000)).unwrap();
        memory.store_u64(0x1000, 2);
        let after = LeafProof::<DEPTH_64>::from_bytes(&memory.prove(0x1000)).unwrap();
        let root = memory.merkle_root();
        assert!(after.verify(root, 0x1000));
        assert!(!before.verify(root, 0x1000));
        assert_eq!(before.root_after(0x1000, &after.leaf), root);
    });
}
