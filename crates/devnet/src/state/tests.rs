//! Reading and proving, against tries built in another way.

use super::*;
use alloy_primitives::{address, keccak256};
use alloy_trie::{HashBuilder, proof::verify_proof};

const CONTRACT: Address = address!("00000000000000000000000000000000000c0de0");

fn accounts() -> BTreeMap<Address, Account> {
    let mut accounts: BTreeMap<_, _> = (0_u64..200)
        .map(|number| {
            let address = Address::from_word(keccak256(number.to_be_bytes()));
            (
                address,
                Account { nonce: number, balance: U256::from(number + 1), ..Account::default() },
            )
        })
        .collect();
    let storage = (0_u64..100).map(|slot| (U256::from(slot * slot), U256::from(slot))).collect();
    let code = Bytes::from_static(&[0x60, 0x00]);
    accounts.insert(CONTRACT, Account { nonce: 1, code, storage, ..Account::default() });
    accounts
}

/// The root of a trie of these leaves, by alloy's builder.
fn root(leaves: &BTreeMap<B256, Vec<u8>>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    builder.root()
}

fn expected_root(accounts: &BTreeMap<Address, Account>) -> B256 {
    let leaf = |account: &Account| {
        let slots = account.storage.iter().filter(|(_, value)| !value.is_zero());
        let storage = slots
            .map(|(slot, value)| (keccak256(B256::from(*slot)), alloy_rlp::encode(value)))
            .collect();
        let code_hash = keccak256(&account.code);
        TrieAccount::new(account.nonce, account.balance, root(&storage), code_hash)
    };
    root(
        &accounts
            .iter()
            .map(|(at, account)| (keccak256(at), alloy_rlp::encode(leaf(account))))
            .collect(),
    )
}

#[test]
fn genesis_is_read_and_proven() {
    let accounts = accounts();
    let store = StateStore::new();
    let root = store.genesis(&accounts).unwrap();
    assert_eq!(root, expected_root(&accounts));

    for (address, expected) in &accounts {
        let proof = store.proof(root, *address, &[]).unwrap();
        assert_eq!((proof.nonce, proof.balance), (expected.nonce, expected.balance));
        let leaf =
            TrieAccount::new(proof.nonce, proof.balance, proof.storage_hash, proof.code_hash);
        let key = Nibbles::unpack(keccak256(address));
        verify_proof(root, key, Some(alloy_rlp::encode(leaf)), &proof.account_proof).unwrap();
    }
    assert_eq!(store.code(root, CONTRACT).unwrap(), Bytes::from_static(&[0x60, 0x00]));

    let keys: Vec<_> =
        (0_u64..120).map(|slot| JsonStorageKey::Number(U256::from(slot * slot))).collect();
    let proof = store.proof(root, CONTRACT, &keys).unwrap();
    for (slot, proven) in (0_u64..).zip(&proof.storage_proof) {
        let expected = if slot < 100 { U256::from(slot) } else { U256::ZERO };
        assert_eq!(proven.value, expected);
        let value = (!expected.is_zero()).then(|| alloy_rlp::encode(expected));
        let key = Nibbles::unpack(keccak256(B256::from(U256::from(slot * slot))));
        verify_proof(proof.storage_hash, key, value, &proven.proof).unwrap();
    }
}

#[test]
fn who_is_not_there_is_proven_absent() {
    let store = StateStore::new();
    let root = store.genesis(&accounts()).unwrap();
    let nobody = Address::repeat_byte(9);
    assert_eq!(store.account(root, nobody).unwrap(), None);
    assert_eq!(store.storage(root, nobody, U256::from(1)).unwrap(), U256::ZERO);
    assert!(store.code(root, nobody).unwrap().is_empty());
    let proof = store.proof(root, nobody, &[]).unwrap();
    assert_eq!((proof.storage_hash, proof.code_hash), (EMPTY_ROOT_HASH, KECCAK256_EMPTY));
    verify_proof(root, Nibbles::unpack(keccak256(nobody)), None, &proof.account_proof).unwrap();
}

#[test]
fn what_was_forgotten_is_named() {
    let store = StateStore::new();
    let root = store.genesis(&accounts()).unwrap();
    assert!(store.forget(root));
    assert!(!store.forget(root));
    let error = store.account(root, CONTRACT).unwrap_err();
    assert!(matches!(error, StoreError::Missing(hash) if hash == root), "{error}");
    assert_eq!(store.account(EMPTY_ROOT_HASH, CONTRACT).unwrap(), None);
}
