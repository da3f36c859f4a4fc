//! The state of a chain over partial tries, and the EVM's view of it while a block is built.
//!
//! Accounts and slots are read from the tries once a block and kept; changes of finished
//! transactions are kept beside them and go into the tries only when the root is asked for.
//! Everything is ordered by address and slot, so the oracle sees the same sequence of requests on
//! every machine.
//!
//! Invariant: before [`StateView::roots`] the tries hold the state before the block. A block that
//! fails leaves them as they were, except for nodes that were opened.

use crate::{
    StateError, StateOracle, Trie,
    jumps::{self, Destinations},
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use revm::{
    Database,
    bytecode::Bytecode,
    primitives::{Bytes, KECCAK_EMPTY},
    state::{Account, AccountInfo, EvmState},
};

/// The state after a block, as far as it was opened. What one block opens or changes the next one
/// finds without asking the oracle.
#[derive(Clone, Debug)]
pub struct State {
    accounts: Trie,
    storages: BTreeMap<Address, Trie>,
    /// Never removed and never replaced: `destinations` depends on where they are.
    codes: BTreeMap<B256, Bytecode>,
    destinations: Destinations,
}

impl State {
    /// The state with this root.
    pub fn new(root: B256) -> Self {
        Self {
            accounts: Trie::new(root),
            storages: BTreeMap::new(),
            codes: BTreeMap::new(),
            destinations: Destinations::new(),
        }
    }

    /// The root of the account trie.
    pub fn root(&mut self) -> B256 {
        self.accounts.root()
    }

    /// The root of an account's storage, `None` if the account does not exist.
    ///
    /// # Errors
    /// When the account cannot be had.
    pub fn storage_root<O: StateOracle>(
        &mut self,
        address: Address,
        oracle: &mut O,
    ) -> Result<Option<B256>, StateError<O::Error>> {
        let account = self.account(keccak256(address), address, oracle)?;
        Ok(account.map(|account| account.storage_root))
    }

    fn account<O: StateOracle>(
        &mut self,
        key: B256,
        address: Address,
        oracle: &mut O,
    ) -> Result<Option<TrieAccount>, StateError<O::Error>> {
        oracle.expect_account(address);
        let value = self.accounts.get(key, oracle)?;
        let decoded = value.map(decode_all).transpose();
        decoded.map_err(|source| StateError::Account { address, source })
    }

    fn storage(&mut self, address: Address, root: B256) -> &mut Trie {
        let trie = self.storages.entry(address).or_insert_with(|| Trie::new(root));
        if trie.root() != root {
            *trie = Trie::new(root);
        }
        trie
    }
}

/// The state of one block in the making.
#[derive(Debug)]
pub struct StateView<'a, O: StateOracle> {
    oracle: &'a mut O,
    state: &'a mut State,
    cache: BTreeMap<Address, CachedAccount>,
    /// Number of the parent, and the hashes of it and its ancestors, as far as they were needed.
    parent: u64,
    ancestors: Vec<B256>,
    /// Why a precompile could not be answered. The EVM passes on no more than a text.
    failure: Option<O::Error>,
}

#[derive(Debug)]
struct CachedAccount {
    /// keccak256 of the address: the key in the account trie.
    key: B256,
    /// What the account trie holds.
    before: Option<TrieAccount>,
    /// What the account is now, `None` if it does not exist.
    now: Option<AccountInfo>,
    slots: BTreeMap<U256, Slot>,
    /// Nothing is left of the storage trie.
    wiped: bool,
}

#[derive(Debug)]
struct Slot {
    /// keccak256 of the slot's number: the key in the storage trie.
    key: B256,
    /// What the storage trie holds.
    before: U256,
    now: U256,
}

impl CachedAccount {
    fn new(key: B256, before: Option<TrieAccount>) -> Self {
        let now = before.as_ref().map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            account_id: None,
            code: None,
        });
        Self { key, before, now, slots: BTreeMap::new(), wiped: false }
    }

    /// The root of the storage trie, before the block or since it was thrown away.
    fn storage_before(&self) -> B256 {
        match &self.before {
            Some(before) if !self.wiped => before.storage_root,
            _ => EMPTY_ROOT_HASH,
        }
    }

    fn wipe(&mut self) {
        self.slots.clear();
        self.wiped = true;
    }

    fn slot<O: StateOracle>(
        &mut self,
        address: Address,
        number: U256,
        state: &mut State,
        oracle: &mut O,
    ) -> Result<&mut Slot, StateError<O::Error>> {
        use alloc::collections::btree_map::Entry;
        let root = self.storage_before();
        match self.slots.entry(number) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let slot = B256::from(number);
                let key = keccak256(slot);
                let mut before = U256::ZERO;
                if root != EMPTY_ROOT_HASH {
                    oracle.expect_slot(address, slot);
                    if let Some(value) = state.storage(address, root).get(key, oracle)? {
                        before = decode_all(value).map_err(|source| StateError::Slot {
                            address,
                            slot,
                            source,
                        })?;
                    }
                }
                Ok(entry.insert(Slot { key, before, now: before }))
            }
        }
    }

    /// Brings the storage trie up to date and returns its root.
    fn storage_root<O: StateOracle>(
        &self,
        address: Address,
        state: &mut State,
        oracle: &mut O,
    ) -> Result<B256, StateError<O::Error>> {
        let changed = || self.slots.values().filter(|slot| slot.now != slot.before);
        if changed().next().is_none() {
            return Ok(self.storage_before());
        }
        let storage = state.storage(address, self.storage_before());
        // Removals come last: a branch that is filled again need not be merged with a child that
        // nothing else has opened.
        for slot in changed().filter(|slot| !slot.now.is_zero()) {
            storage.insert(slot.key, alloy_rlp::encode(slot.now), oracle)?;
        }
        for slot in changed().filter(|slot| slot.now.is_zero()) {
            storage.remove(slot.key, oracle)?;
        }
        Ok(storage.root())
    }
}

/// The commitments to the state after the block.
#[derive(Debug)]
pub struct Roots {
    /// Root of the account trie.
    pub state: B256,
    /// Root of one account's storage, `None` if the account does not exist.
    pub storage: Option<B256>,
}

impl<'a, O: StateOracle> StateView<'a, O> {
    /// A view of the state after `parent`.
    pub fn new(parent: &Sealed<Header>, state: &'a mut State, oracle: &'a mut O) -> Self {
        if state.root() != parent.state_root {
            state.accounts = Trie::new(parent.state_root);
        }
        Self {
            oracle,
            state,
            cache: BTreeMap::new(),
            parent: parent.number,
            ancestors: alloc::vec![parent.hash(), parent.parent_hash],
            failure: None,
        }
    }

    /// What made the EVM stop with no more than a text, if it was the oracle.
    pub(crate) const fn take_failure(&mut self) -> Option<O::Error> {
        self.failure.take()
    }

    /// The oracle's answer for a precompile. A failure is kept for [`Self::take_failure`].
    pub(crate) fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, String> {
        self.oracle.precompile(address, gas, input).map_err(|error| {
            use alloc::string::ToString;
            let text = error.to_string();
            self.failure = Some(error);
            text
        })
    }

    /// The oracle itself, for what concerns no state.
    pub(crate) const fn oracle(&mut self) -> &mut O {
        self.oracle
    }

    /// The jump destinations of the state's codes, as far as they are known.
    pub(crate) const fn destinations(&mut self) -> &mut Destinations {
        &mut self.state.destinations
    }

    fn account(&mut self, address: Address) -> Result<&mut CachedAccount, StateError<O::Error>> {
        use alloc::collections::btree_map::Entry;
        match self.cache.entry(address) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let key = keccak256(address);
                let before = self.state.account(key, address, self.oracle)?;
                Ok(entry.insert(CachedAccount::new(key, before)))
            }
        }
    }

    /// Takes over what one transaction or system call changed.
    pub fn commit(&mut self, changes: EvmState) -> Result<(), StateError<O::Error>> {
        for (address, account) in changes {
            if account.is_touched() {
                self.commit_account(address, account)?;
            }
        }
        Ok(())
    }

    /// Takes over what one system call changed in one contract, and nothing else.
    pub fn commit_only(
        &mut self,
        contract: Address,
        mut changes: EvmState,
    ) -> Result<(), StateError<O::Error>> {
        changes.retain(|address, _| *address == contract);
        self.commit(changes)
    }

    fn commit_account(
        &mut self,
        address: Address,
        mut account: Account,
    ) -> Result<(), StateError<O::Error>> {
        if let Some(code) = account.info.code.take()
            && account.info.code_hash != KECCAK_EMPTY
        {
            self.state.codes.entry(account.info.code_hash).or_insert(code);
        }
        self.account(address)?;
        let Some(cached) = self.cache.get_mut(&address) else { return Ok(()) };
        if account.is_selfdestructed() || account.is_empty() {
            cached.wipe();
            cached.now = None;
            return Ok(());
        }
        if account.is_created() {
            cached.wipe();
        }
        cached.now = Some(account.info);
        for (number, slot) in account.storage {
            if slot.is_changed() {
                cached.slot(address, number, self.state, self.oracle)?.now = slot.present_value;
            }
        }
        Ok(())
    }

    /// Gives an account code, whatever it was before.
    pub fn set_code(&mut self, address: Address, code: Bytes) -> Result<(), StateError<O::Error>> {
        let hash = keccak256(&code);
        self.state.codes.entry(hash).or_insert_with(|| Bytecode::new_legacy(code));
        let info = self.account(address)?.now.get_or_insert_with(AccountInfo::default);
        info.code_hash = hash;
        info.code = None;
        Ok(())
    }

    /// Brings the tries up to date. `observed` names the account whose storage root is wanted.
    pub fn roots(&mut self, observed: Option<Address>) -> Result<Roots, StateError<O::Error>> {
        if let Some(observed) = observed {
            self.account(observed)?;
        }
        let mut storage = None;
        let mut removed = Vec::new();
        for (address, cached) in &self.cache {
            let Some(info) = &cached.now else {
                removed.extend(cached.before.is_some().then_some(cached.key));
                self.state.storages.remove(address);
                continue;
            };
            let (nonce, balance, code_hash) = (info.nonce, info.balance, info.code_hash);
            let storage_root = cached.storage_root(*address, self.state, self.oracle)?;
            if observed == Some(*address) {
                storage = Some(storage_root);
            }
            let account = TrieAccount::new(nonce, balance, storage_root, code_hash);
            if cached.before.as_ref() != Some(&account) {
                let value = alloy_rlp::encode(account);
                self.state.accounts.insert(cached.key, value, self.oracle)?;
            }
        }
        // Last, for the reason given at the storage tries.
        for key in removed {
            self.state.accounts.remove(key, self.oracle)?;
        }
        Ok(Roots { state: self.state.root(), storage })
    }
}

impl<O: StateOracle> Database for StateView<'_, O> {
    type Error = StateError<O::Error>;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        Ok(self.account(address)?.now.clone())
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Self::Error> {
        if hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.state.codes.get(&hash) {
            return Ok(code.clone());
        }
        let bytes = self.oracle.code(hash).map_err(StateError::Oracle)?;
        let code = jumps::bytecode(bytes).map_err(|source| StateError::Code { hash, source })?;
        self.state.codes.insert(hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, number: U256) -> Result<U256, Self::Error> {
        self.account(address)?;
        match self.cache.get_mut(&address) {
            Some(cached) if cached.now.is_some() => {
                Ok(cached.slot(address, number, self.state, self.oracle)?.now)
            }
            _ => Ok(U256::ZERO),
        }
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        // The EVM asks for the 256 blocks before this one only.
        let Some(back) = self.parent.checked_sub(number).and_then(|n| usize::try_from(n).ok())
        else {
            return Ok(B256::ZERO);
        };
        while self.ancestors.len() <= back {
            let known = self.ancestors.len() - 1;
            let hash = self.ancestors[known];
            let bytes = self.oracle.header(hash).map_err(StateError::Oracle)?;
            let header: Header =
                decode_all(&bytes).map_err(|source| StateError::Header { hash, source })?;
            let expected = self.parent - known as u64;
            if header.number != expected {
                return Err(StateError::HeaderNumber { hash, number: header.number, expected });
            }
            self.ancestors.push(header.parent_hash);
        }
        Ok(self.ancestors[back])
    }
}

/// Decodes a value that must fill `bytes`.
fn decode_all<T: Decodable>(bytes: &[u8]) -> alloy_rlp::Result<T> {
    let mut rest = bytes;
    let value = T::decode(&mut rest)?;
    if rest.is_empty() { Ok(value) } else { Err(alloy_rlp::Error::UnexpectedLength) }
}

mod preimages;
#[cfg(test)]
mod tests;
