//! Tries of lists, node by node, and proofs of accounts and storage.

use crate::source::Fault;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{
    EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount,
    proof::{ProofRetainer, verify_proof},
};
use serde::Deserialize;

/// The only node of the trie of an empty list.
pub(crate) const EMPTY_LIST: &[u8] = &[0x80];

/// The trie of a list: index to encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTrie {
    /// Its root.
    pub root: B256,
    /// Every node that is referred to by its hash, the root's among them.
    pub nodes: Vec<Bytes>,
    /// The items.
    pub items: Vec<Bytes>,
}

impl ListTrie {
    /// Builds the trie of `items`.
    pub fn new(items: &[Bytes]) -> Self {
        let mut leaves: Vec<(Nibbles, &Bytes)> = items
            .iter()
            .enumerate()
            .map(|(index, item)| (Nibbles::unpack(alloy_rlp::encode(index)), item))
            .collect();
        leaves.sort_unstable_by_key(|(path, _)| *path);
        // A proof of every leaf is the whole trie.
        let retainer = ProofRetainer::new(leaves.iter().map(|(path, _)| *path).collect());
        let mut builder = HashBuilder::default().with_proof_retainer(retainer);
        for (path, item) in leaves {
            builder.add_leaf(path, item);
        }
        let root = builder.root();
        let proofs = builder.take_proof_nodes().into_nodes_sorted();
        // A node below 32 bytes stands inside its parent, unless it is the root.
        let nodes = proofs.into_iter().filter(|(path, node)| path.is_empty() || node.len() >= 32);
        let nodes = nodes.map(|(_, node)| node).collect();
        Self { root, nodes, items: items.to_vec() }
    }

    /// Builds the trie of `items` and compares its root.
    pub(crate) fn with_root(
        items: &[Bytes],
        expected: B256,
        what: &'static str,
    ) -> Result<Self, Fault> {
        let trie = Self::new(items);
        match trie.root == expected {
            true => Ok(trie),
            false => Err(Fault::Root { what, expected, found: trie.root }),
        }
    }
}

/// What `eth_getProof` answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JsonProof {
    #[serde(default)]
    balance: U256,
    #[serde(default)]
    nonce: U256,
    code_hash: B256,
    storage_hash: B256,
    account_proof: Vec<Bytes>,
    #[serde(default)]
    storage_proof: Vec<JsonStorageProof>,
}

#[derive(Debug, Deserialize)]
struct JsonStorageProof {
    #[serde(default)]
    value: U256,
    proof: Vec<Bytes>,
}

/// A verified account, and the nodes that prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProvenAccount {
    pub(crate) storage_root: B256,
    pub(crate) code_hash: B256,
    pub(crate) nodes: Vec<Bytes>,
}

/// Verifies the account part of a proof against a state root. Proofs of absence are proofs too.
pub(crate) fn account_proof(
    proof: JsonProof,
    state_root: B256,
    address: Address,
) -> Result<(ProvenAccount, Vec<StorageProof>), Fault> {
    let wrong = || Fault::Proof { what: "an account" };
    let path = Nibbles::unpack(keccak256(address));
    let account = TrieAccount {
        nonce: u64::try_from(proof.nonce).map_err(|_| wrong())?,
        balance: proof.balance,
        storage_root: proof.storage_hash,
        code_hash: proof.code_hash,
    };
    let present =
        verify_proof(state_root, path, Some(alloy_rlp::encode(account)), &proof.account_proof);
    let (storage_root, code_hash) = match present {
        Ok(()) => (proof.storage_hash, proof.code_hash),
        // Nodes describe an account that does not exist in several ways; what counts is the proof.
        Err(_) => {
            verify_proof(state_root, path, None, &proof.account_proof).map_err(|_| wrong())?;
            (EMPTY_ROOT_HASH, KECCAK256_EMPTY)
        }
    };
    let nodes = referred(proof.account_proof);
    let slots = proof.storage_proof.into_iter();
    let slots = slots.map(|slot| StorageProof { value: slot.value, proof: slot.proof }).collect();
    Ok((ProvenAccount { storage_root, code_hash, nodes }, slots))
}

/// The storage part of a proof, unverified.
#[derive(Debug)]
pub(crate) struct StorageProof {
    value: U256,
    proof: Vec<Bytes>,
}

/// Verifies the proof of one slot against a storage root.
pub(crate) fn storage_proof(
    slot: StorageProof,
    storage_root: B256,
    key: B256,
) -> Result<Vec<Bytes>, Fault> {
    let path = Nibbles::unpack(keccak256(key));
    let expected = (!slot.value.is_zero()).then(|| {
        let mut encoded = Vec::new();
        slot.value.encode(&mut encoded);
        encoded
    });
    verify_proof(storage_root, path, expected, &slot.proof)
        .map_err(|_| Fault::Proof { what: "a storage slot" })?;
    Ok(referred(slot.proof))
}

/// The nodes of a proof that are referred to by hash: all but embedded ones, which come last.
fn referred(proof: Vec<Bytes>) -> Vec<Bytes> {
    let is_first = |index: usize| index == 0;
    proof
        .into_iter()
        .enumerate()
        .filter(|(index, node)| is_first(*index) || node.len() >= 32)
        .map(|(_, node)| node)
        .collect()
}
