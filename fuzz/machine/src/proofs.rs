//! Oracle for memory proofs: roots are computed a second time by the book.

use alloy_primitives::{B256, keccak256};
use rebut_merkle::{LEAF_BYTES, LeafProof};

/// Reads an address and a proof in the layouts of both trees.
pub fn leaf_proof(bytes: &[u8]) {
    let Some((address, proof)) = bytes.split_first_chunk::<8>() else { return };
    let address = u64::from_be_bytes(*address);
    check::<59>(address, proof);
    check::<27>(address, proof);
    // A proof of the right length, however few bytes there are.
    let mut padded = proof.to_vec();
    padded.resize(LeafProof::<59>::BYTES, 0);
    check::<59>(address, &padded);
    check::<27>(address, &padded[..LeafProof::<27>::BYTES]);
}

fn check<const DEPTH: usize>(address: u64, bytes: &[u8]) {
    let proof = match LeafProof::<DEPTH>::from_bytes(bytes) {
        Ok(proof) => proof,
        Err(_) => return assert_ne!(bytes.len(), (DEPTH + 1) * LEAF_BYTES),
    };
    assert_eq!(proof.to_bytes(), bytes);
    let root = root_by_the_book(address, bytes);
    assert_eq!(proof.root(address), root);
    let inside = (address >> 5).checked_shr(DEPTH as u32).unwrap_or(0) == 0;
    assert_eq!(proof.verify(root, address), inside);

    let mut leaf = proof.leaf;
    leaf[address as usize % LEAF_BYTES] ^= 1;
    let mut changed = bytes.to_vec();
    changed[..LEAF_BYTES].copy_from_slice(&leaf);
    assert_eq!(proof.root_after(address, &leaf), root_by_the_book(address, &changed));
    let other = LeafProof::<DEPTH>::from_bytes(&changed).expect("the same length");
    assert!(!other.verify(root, address), "another leaf under the same root");
}

fn root_by_the_book(address: u64, proof: &[u8]) -> B256 {
    let mut nodes = proof.chunks(LEAF_BYTES).map(B256::from_slice);
    let leaf = nodes.next().expect("a proof has a leaf");
    nodes.zip(5..).fold(leaf, |node, (sibling, bit)| match address >> bit & 1 {
        0 => keccak256([node, sibling].concat()),
        _ => keccak256([sibling, node].concat()),
    })
}
