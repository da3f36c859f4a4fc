//! What waits, in which order, and what is refused with which words.

use crate::{
    keys::{DEV_KEYS, Key},
    l1::{Chain, Config, PoolError, funded},
    state::StateStore,
};
use alloy_consensus::{TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

const GWEI: u128 = 1_000_000_000;

fn key() -> Key {
    Key::new(DEV_KEYS[0]).unwrap()
}

fn chain() -> Chain {
    let accounts = [(key().address(), funded(1))].into();
    Chain::new(Config { accounts, ..Config::default() }, StateStore::new()).unwrap()
}

fn transfer() -> TxEip1559 {
    TxEip1559 {
        chain_id: 900,
        gas_limit: 21_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(Address::repeat_byte(1)),
        ..TxEip1559::default()
    }
}

fn signed(transaction: TxEip1559) -> Bytes {
    key().sign_encoded(transaction).unwrap()
}

#[test]
fn refusals_in_the_words_of_nodes() {
    let mut chain = chain();
    chain.submit(&signed(transfer())).unwrap();
    chain.mine().unwrap();
    let mut check = |raw: &[u8], expected: &str| {
        let error = chain.submit(raw).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(chain.pool().is_empty());
    };
    check(&signed(transfer()), "already known");
    let other = TxEip1559 { value: U256::from(1), ..transfer() };
    check(&signed(other.clone()), "nonce too low: next nonce 1, tx nonce 0");
    let other = TxEip1559 { nonce: 1, ..other };
    check(&signed(TxEip1559 { nonce: 2_000, ..other.clone() }), "nonce too high");
    check(&signed(TxEip1559 { chain_id: 1, ..other.clone() }), "invalid chain id");
    let much = U256::from(10).pow(U256::from(18));
    check(
        &signed(TxEip1559 { value: much, ..other.clone() }),
        "insufficient funds for gas * price",
    );
    check(&signed(TxEip1559 { gas_limit: 70_000_000, ..other.clone() }), "exceeds block gas limit");
    check(&signed(TxEip1559 { gas_limit: 20_999, ..other.clone() }), "intrinsic gas too low");
    let tip = 11 * GWEI;
    let inverted = TxEip1559 { max_priority_fee_per_gas: tip, ..other.clone() };
    check(&signed(inverted), "max priority fee per gas higher than max fee per gas");
    let long = Bytes::from(vec![0; 140_000]);
    check(&signed(TxEip1559 { input: long, ..other.clone() }), "oversized data");
    let code = Bytes::from(vec![0; 50_000]);
    let creation = TxEip1559 { input: code, to: TxKind::Create, gas_limit: 9_000_000, ..other };
    check(&signed(creation), "max initcode size exceeded");
    check(&[], "the transaction cannot be decoded");
    check(&[0x7e, 0xc0], "the transaction cannot be decoded");
    let raw = [&signed(TxEip1559 { nonce: 1, ..transfer() })[..], &[0]].concat();
    check(&raw, "1 bytes follow behind the transaction");
}

/// A transaction from before EIP-155 is for any chain, as on Ethereum.
#[test]
fn transactions_for_any_chain() {
    let mut chain = chain();
    let legacy = TxLegacy {
        chain_id: None,
        gas_price: 10 * GWEI,
        gas_limit: 21_000,
        to: TxKind::Call(Address::ZERO),
        ..TxLegacy::default()
    };
    let hash = chain.submit(&key().sign_encoded(legacy).unwrap()).unwrap();
    assert_eq!(chain.mine().unwrap().transaction_hash(0), Some(hash));
}

#[test]
fn a_gap_waits_until_it_is_closed() {
    let mut chain = chain();
    let submit = |chain: &mut Chain, nonce| {
        chain.submit(&signed(TxEip1559 { nonce, ..transfer() })).unwrap();
        chain.pending_nonce(key().address()).unwrap()
    };
    assert_eq!(submit(&mut chain, 2), 0);
    assert_eq!(submit(&mut chain, 1), 0);
    assert!(chain.mine().unwrap().transactions.is_empty());
    assert_eq!(submit(&mut chain, 0), 3);
    assert_eq!(chain.mine().unwrap().transactions.len(), 3);
    assert!(chain.pool().is_empty());
}

#[test]
fn a_replacement_pays_a_tenth_more() {
    let mut chain = chain();
    let offer = |fee: u128, tip: u128| TxEip1559 {
        max_fee_per_gas: fee,
        max_priority_fee_per_gas: tip,
        ..transfer()
    };
    let mut check = |fee, tip, expected: bool| -> Option<B256> {
        match chain.submit(&signed(offer(fee, tip))) {
            Ok(hash) => {
                assert!(expected);
                Some(hash)
            }
            Err(error) => {
                assert!(matches!(error, PoolError::Underpriced) && !expected, "{error}");
                None
            }
        }
    };
    check(100 * GWEI, 10 * GWEI, true);
    check(109 * GWEI, 11 * GWEI, false);
    check(110 * GWEI, 10 * GWEI, false);
    let last = check(110 * GWEI, 11 * GWEI, true);
    assert_eq!(chain.pool().len(), 1);
    let block = chain.mine().unwrap();
    assert_eq!(block.transaction_hash(0), last);
}

/// What cannot pay the base fee waits, what can never be executed goes.
#[test]
fn cheap_transactions_wait() {
    let mut chain = chain();
    let cheap =
        TxEip1559 { max_fee_per_gas: 700_000_000, max_priority_fee_per_gas: 1, ..transfer() };
    let hash = chain.submit(&signed(cheap)).unwrap();
    // 0.875, 0.766, 0.670 gwei.
    for expected in [0, 0, 1] {
        assert_eq!(chain.mine().unwrap().transactions.len(), expected);
    }
    assert!(chain.ledger().transaction(hash).is_some());
}
