//! The demo chain's first state, its trie nodes, and its first header.

use super::{contracts, transactions};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::{
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
    eip7685::EMPTY_REQUESTS_HASH,
};
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy_trie::{
    EMPTY_ROOT_HASH, HashBuilder, KECCAK_EMPTY, Nibbles, TrieAccount, proof::ProofRetainer,
};
use rebut_preimage::{MemoryStore, PreimageKey, store::StoreError};
use std::collections::BTreeMap;

pub(super) const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");
pub(super) const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");
pub(super) const SEQUENCER_FEES: Address = address!("4200000000000000000000000000000000000011");
const BASE_FEES: Address = address!("4200000000000000000000000000000000000019");
const L1_FEES: Address = address!("420000000000000000000000000000000000001A");
pub(super) const WORKSHOP: Address = address!("00000000000000000000000000000000576f726b");

/// The time of genesis, in seconds.
const TIMESTAMP: u64 = 1_767_225_600;
pub(super) const GAS_LIMIT: u64 = 30_000_000;
/// Jovian's extra data: version, EIP-1559 denominator and elasticity, lowest base fee.
const EXTRA_DATA: [u8; 17] = [1, 0, 0, 0, 250, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
/// Accounts that nobody uses: they give the trie some depth.
const BYSTANDERS: u64 = 40;

const ETHER: u128 = 1_000_000_000_000_000_000;

/// A state as root and preimages.
pub(super) struct State {
    pub(super) root: B256,
    pub(super) preimages: MemoryStore,
}

/// One account before it is hashed.
#[derive(Default)]
struct Account {
    nonce: u64,
    balance: U256,
    code: Bytes,
    storage: BTreeMap<B256, U256>,
}

impl Account {
    fn holder(wei: u128) -> Self {
        Self { balance: U256::from(wei), ..Self::default() }
    }

    fn contract(code: impl Into<Bytes>, storage: &[(u64, u64)]) -> Self {
        let storage = storage
            .iter()
            .map(|(slot, value)| (contracts::slot(*slot), U256::from(*value)))
            .collect();
        Self { nonce: 1, code: code.into(), storage, ..Self::default() }
    }
}

fn accounts() -> BTreeMap<Address, Account> {
    let workshop = [(0, 41), (4, 7), (5, 1), (6, 2), (7, 3), (8, 4)];
    let mut accounts = BTreeMap::from([
        (L1_BLOCK, Account::contract(contracts::l1_block(), &[(1, 7), (3, 1 << 32), (7, 1)])),
        (MESSAGE_PASSER, Account::contract(contracts::message_passer(), &[(1, 1), (2, 1)])),
        (WORKSHOP, Account::contract(contracts::workshop(), &workshop)),
        (BEACON_ROOTS_ADDRESS, Account::contract(BEACON_ROOTS_CODE.clone(), &[])),
        (HISTORY_STORAGE_ADDRESS, Account::contract(HISTORY_STORAGE_CODE.clone(), &[])),
        (SEQUENCER_FEES, Account::holder(ETHER)),
        (BASE_FEES, Account::holder(ETHER)),
        (L1_FEES, Account::holder(ETHER)),
    ]);
    for user in transactions::USERS {
        accounts.insert(user.address(), Account::holder(10 * ETHER));
    }
    for number in 0..BYSTANDERS {
        let hash = keccak256(number.to_be_bytes());
        accounts.insert(Address::from_word(hash), Account::holder(u128::from(number) + 1));
    }
    accounts
}

/// The state of genesis, with every trie node and code.
pub(super) fn state() -> Result<State, StoreError> {
    let mut preimages = MemoryStore::new();
    let mut leaves = BTreeMap::new();
    for (address, account) in accounts() {
        let storage = account
            .storage
            .iter()
            .map(|(slot, value)| (keccak256(slot), alloy_rlp::encode(value)))
            .collect();
        let code_hash = if account.code.is_empty() {
            KECCAK_EMPTY
        } else {
            store(&mut preimages, &account.code)?
        };
        let leaf = TrieAccount {
            nonce: account.nonce,
            balance: account.balance,
            storage_root: trie(&storage, &mut preimages)?,
            code_hash,
        };
        leaves.insert(keccak256(address), alloy_rlp::encode(leaf));
    }
    Ok(State { root: trie(&leaves, &mut preimages)?, preimages })
}

fn store(preimages: &mut MemoryStore, value: &[u8]) -> Result<B256, StoreError> {
    let hash = keccak256(value);
    preimages.insert(PreimageKey::keccak256(hash), value.to_vec())?;
    Ok(hash)
}

/// Stores every node of the trie of `leaves` and gives its root.
fn trie(leaves: &BTreeMap<B256, Vec<u8>>, preimages: &mut MemoryStore) -> Result<B256, StoreError> {
    if leaves.is_empty() {
        return Ok(EMPTY_ROOT_HASH);
    }
    // Asking for the proof of every leaf gives every node.
    let retainer = ProofRetainer::from_iter(leaves.keys().map(Nibbles::unpack));
    let mut builder = HashBuilder::default().with_proof_retainer(retainer);
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    for (_, node) in builder.take_proof_nodes().iter() {
        store(preimages, node)?;
    }
    Ok(root)
}

/// The header of genesis.
pub(super) fn header(state_root: B256) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: SEQUENCER_FEES,
        state_root,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        gas_limit: GAS_LIMIT,
        timestamp: TIMESTAMP,
        extra_data: EXTRA_DATA.into(),
        base_fee_per_gas: Some(1_000_000_000),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}
