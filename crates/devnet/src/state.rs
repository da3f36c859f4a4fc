//! The state of both chains: trie nodes, code and headers, by the keccak256 of their bytes.
//!
//! Old states stay: a block's state is found by its root as long as the store lives. A clone is
//! another handle of the same store.
//!
//! Invariant: what is stored under a hash has that hash, and below a stored trie node everything is
//! stored. Only [`StateStore::absorb`] and [`StateStore::genesis`] add nodes, whole tries at a time.
//!
//! Specification: Ethereum yellow paper, appendix D; EIP-1186 for proofs.

use alloy_consensus::Header;
use alloy_primitives::{
    Address, B256, Bytes, KECCAK256_EMPTY, U256,
    map::{B256Map, Entry},
};
use alloy_rlp::Decodable;
use alloy_rpc_types_eth::{EIP1186AccountProofResponse, EIP1186StorageProof};
use alloy_serde::JsonStorageKey;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount, nodes::TrieNode};
use rebut_execution::{State, StateOracle, Trie, TrieError};
use rebut_host::PrecompileCall;
use rebut_preimage::HintError;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Why something cannot be read from the state.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing with this hash was ever stored, or it was dropped since.
    #[error("nothing is stored under {0}")]
    Missing(B256),
    /// What is stored is not what it is taken for.
    #[error("what is stored under {hash} is malformed: {source}")]
    Malformed {
        /// Its hash.
        hash: B256,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
    /// A precompile has no result.
    #[error(transparent)]
    Precompile(#[from] HintError),
}

/// An account at genesis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The number of transactions sent, or of contracts created.
    pub nonce: u64,
    /// In wei.
    pub balance: U256,
    /// Empty for an account that is no contract.
    pub code: Bytes,
    /// The slots that are not 0.
    pub storage: BTreeMap<U256, U256>,
}

/// Preimages under their hashes, shared by all clones.
#[derive(Clone, Debug, Default)]
pub struct StateStore {
    values: Arc<RwLock<Values>>,
}

#[derive(Debug, Default)]
struct Values {
    by_hash: B256Map<Bytes>,
    /// What was added and has yet to be written to disk, where there is one.
    new: Option<Vec<B256>>,
}

impl Values {
    fn contains(&self, hash: B256) -> bool {
        self.by_hash.contains_key(&hash)
    }

    fn insert(&mut self, hash: B256, value: Bytes) {
        if let Entry::Vacant(entry) = self.by_hash.entry(hash) {
            entry.insert(value);
            if let Some(new) = &mut self.new {
                new.push(hash);
            }
        }
    }
}

/// What a trie holds under a key, with the nodes on the way there.
struct Path {
    nodes: Vec<Bytes>,
    value: Option<Vec<u8>>,
}

impl StateStore {
    /// A store with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that remembers what is new in it, for [`Disk`](crate::disk::Disk).
    pub(crate) fn remembering() -> Self {
        let values = Values { new: Some(Vec::new()), ..Values::default() };
        Self { values: Arc::new(RwLock::new(values)) }
    }

    /// Puts back what was read from disk, and is not new therefore. The value has the hash.
    pub(crate) fn restore(&self, hash: B256, value: Bytes) {
        self.write().by_hash.insert(hash, value);
    }

    /// What was added since it was last [`written`](Self::written), in order. What was forgotten
    /// meanwhile is empty.
    pub(crate) fn new_values(&self) -> Vec<(B256, Option<Bytes>)> {
        let values = self.read();
        let new = values.new.iter().flatten();
        new.map(|hash| (*hash, values.by_hash.get(hash).cloned())).collect()
    }

    /// The first `count` of the new values are on disk.
    pub(crate) fn written(&self, count: usize) {
        if let Some(new) = &mut self.write().new {
            new.drain(..count.min(new.len()));
        }
    }

    /// What is stored under a hash.
    pub fn get(&self, hash: B256) -> Option<Bytes> {
        self.read().by_hash.get(&hash).cloned()
    }

    /// Stores a header or code, and returns its hash. Trie nodes come by [`Self::absorb`].
    pub fn insert(&self, value: Bytes) -> B256 {
        let hash = alloy_primitives::keccak256(&value);
        self.write().insert(hash, value);
        hash
    }

    /// Forgets what is stored under a hash, as a node does that prunes. What needs it is missing it
    /// from now on. Returns whether there was anything.
    pub fn forget(&self, hash: B256) -> bool {
        self.write().by_hash.remove(&hash).is_some()
    }

    /// Stores what a block added to the state it was built on.
    pub fn absorb(&self, state: &mut State) {
        let mut values = self.write();
        for (hash, value) in state.new_preimages(|hash| values.contains(hash)) {
            values.insert(hash, value.into());
        }
    }

    /// Stores a state of these accounts and returns its root.
    ///
    /// # Errors
    /// None unless the store is defective.
    pub fn genesis(
        &self,
        accounts: &BTreeMap<Address, Account>,
    ) -> Result<B256, TrieError<StoreError>> {
        let mut oracle = self.clone();
        let mut nodes = Vec::new();
        let mut accounts_trie = Trie::new(EMPTY_ROOT_HASH);
        for (address, account) in accounts {
            let mut storage = Trie::new(EMPTY_ROOT_HASH);
            for (slot, value) in account.storage.iter().filter(|(_, value)| !value.is_zero()) {
                let key = alloy_primitives::keccak256(B256::from(*slot));
                storage.insert(key, alloy_rlp::encode(value), &mut oracle)?;
            }
            let code_hash = match account.code.is_empty() {
                true => KECCAK256_EMPTY,
                false => self.insert(account.code.clone()),
            };
            let leaf = TrieAccount::new(account.nonce, account.balance, storage.root(), code_hash);
            storage.new_nodes(&mut |_| false, &mut nodes);
            let key = alloy_primitives::keccak256(address);
            accounts_trie.insert(key, alloy_rlp::encode(leaf), &mut oracle)?;
        }
        accounts_trie.new_nodes(&mut |_| false, &mut nodes);
        let mut values = self.write();
        for (hash, node) in nodes {
            values.insert(hash, node.into());
        }
        Ok(accounts_trie.root())
    }

    /// The account in the state with this root, `None` if it does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when the state is not stored.
    pub fn account(&self, root: B256, address: Address) -> Result<Option<TrieAccount>, StoreError> {
        Ok(self.account_path(root, address)?.1)
    }

    /// The value of a storage slot in the state with this root; 0 if there is no such account or slot.
    ///
    /// # Errors
    /// [`StoreError`] when the state is not stored.
    pub fn storage(&self, root: B256, address: Address, slot: U256) -> Result<U256, StoreError> {
        let Some(account) = self.account(root, address)? else { return Ok(U256::ZERO) };
        Ok(self.slot_path(account.storage_root, slot)?.1)
    }

    /// The code of an account in the state with this root, empty if it has none.
    ///
    /// # Errors
    /// [`StoreError`] when the state or the code is not stored.
    pub fn code(&self, root: B256, address: Address) -> Result<Bytes, StoreError> {
        let hash = match self.account(root, address)? {
            Some(account) if account.code_hash != KECCAK256_EMPTY => account.code_hash,
            _ => return Ok(Bytes::new()),
        };
        self.get(hash).ok_or(StoreError::Missing(hash))
    }

    /// The proof of an account and of some of its slots, in the form of `eth_getProof`.
    ///
    /// # Errors
    /// [`StoreError`] when the state is not stored.
    pub fn proof(
        &self,
        root: B256,
        address: Address,
        slots: &[JsonStorageKey],
    ) -> Result<EIP1186AccountProofResponse, StoreError> {
        let (account_proof, account) = self.account_path(root, address)?;
        let account = account.unwrap_or_default();
        let storage_proof = slots
            .iter()
            .map(|key| {
                let slot = key.as_b256().into();
                let (proof, value) = self.slot_path(account.storage_root, slot)?;
                Ok(EIP1186StorageProof { key: *key, value, proof })
            })
            .collect::<Result<_, StoreError>>()?;
        Ok(EIP1186AccountProofResponse {
            address,
            balance: account.balance,
            code_hash: account.code_hash,
            nonce: account.nonce,
            storage_hash: account.storage_root,
            account_proof,
            storage_proof,
        })
    }

    fn account_path(
        &self,
        root: B256,
        address: Address,
    ) -> Result<(Vec<Bytes>, Option<TrieAccount>), StoreError> {
        let path = self.path(root, alloy_primitives::keccak256(address))?;
        Ok((path.nodes, path.value.map(|value| decode(root, &value)).transpose()?))
    }

    fn slot_path(&self, root: B256, slot: U256) -> Result<(Vec<Bytes>, U256), StoreError> {
        let path = self.path(root, alloy_primitives::keccak256(B256::from(slot)))?;
        let value = path.value.map(|value| decode(root, &value)).transpose()?;
        Ok((path.nodes, value.unwrap_or_default()))
    }

    /// Walks down from a root. Nodes that are embedded in others do not count as nodes of their own.
    fn path(&self, root: B256, key: B256) -> Result<Path, StoreError> {
        let mut path = Path { nodes: Vec::new(), value: None };
        if root == EMPTY_ROOT_HASH {
            return Ok(path);
        }
        let values = self.read();
        let key = Nibbles::unpack(key);
        let mut depth = 0;
        let mut hash = root;
        let mut node = open(&values, hash, &mut path.nodes)?;
        loop {
            let reference = match node {
                TrieNode::EmptyRoot => return Ok(path),
                TrieNode::Leaf(leaf) => {
                    if key.slice(depth..) == leaf.key {
                        path.value = Some(leaf.value);
                    }
                    return Ok(path);
                }
                TrieNode::Extension(extension) => {
                    if !key.slice(depth..).starts_with(&extension.key) {
                        return Ok(path);
                    }
                    depth += extension.key.len();
                    extension.child
                }
                TrieNode::Branch(branch) => {
                    let Some(nibble) = key.get(depth) else { return Ok(path) };
                    depth += 1;
                    let place = branch
                        .stack
                        .iter()
                        .zip((0..16).filter(|bit| branch.state_mask.is_bit_set(*bit)))
                        .find(|(_, bit)| *bit == nibble);
                    let Some((child, _)) = place else { return Ok(path) };
                    child.clone()
                }
            };
            node = match reference.as_hash() {
                Some(child) => {
                    hash = child;
                    open(&values, hash, &mut path.nodes)?
                }
                None => decode(hash, &reference)?,
            };
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Values> {
        // Values are never changed, so a writer that panicked has left nothing half done.
        self.values.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Values> {
        self.values.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(values: &Values, hash: B256, nodes: &mut Vec<Bytes>) -> Result<TrieNode, StoreError> {
    let bytes = values.by_hash.get(&hash).ok_or(StoreError::Missing(hash))?;
    nodes.push(bytes.clone());
    decode(hash, bytes)
}

/// Decodes what fills `bytes`, which were found under `hash`.
fn decode<T: Decodable>(hash: B256, bytes: &[u8]) -> Result<T, StoreError> {
    alloy_rlp::decode_exact(bytes).map_err(|source| StoreError::Malformed { hash, source })
}

impl StateOracle for StateStore {
    type Error = StoreError;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, StoreError> {
        self.get(hash).map(Into::into).ok_or(StoreError::Missing(hash))
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, StoreError> {
        self.trie_node(hash)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, StoreError> {
        self.trie_node(hash)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let call = PrecompileCall { address, gas: Some(gas), input };
        let result = call.execute("l1-precompile")?;
        Ok(result.strip_prefix(&[1]).map(<[u8]>::to_vec))
    }
}

/// Stores a header, for BLOCKHASH and for whoever asks by hash.
pub(crate) fn insert_header(store: &StateStore, header: &Header) -> B256 {
    store.insert(alloy_rlp::encode(header).into())
}

#[cfg(test)]
mod tests;
