//! The contracts on the embedded chain: what they say, and what their events say.

use super::*;
use crate::{
    call::Call,
    keys::DEV_KEYS,
    l1::{Chain, Config, funded},
    state::StateStore,
};
use alloy_primitives::{address, b256, hex, keccak256};

const BATCHER: Address = address!("00000000000000000000000000000000000ba7c4");
const INBOX: Address = address!("ff00000000000000000000000000000000000901");

fn parameters() -> Parameters {
    Parameters {
        l2_chain_id: 901,
        batcher: BATCHER,
        batch_inbox: INBOX,
        unsafe_block_signer: Address::repeat_byte(5),
        gas_limit: 30_000_000,
        base_fee_scalar: 1_368,
        blob_base_fee_scalar: 810_949,
    }
}

fn owner() -> Key {
    Key::new(DEV_KEYS[9]).unwrap()
}

fn chain() -> Chain {
    let accounts = [(owner().address(), funded(100))].into();
    Chain::new(Config { accounts, ..Config::default() }, StateStore::new()).unwrap()
}

fn deployed() -> (Chain, Settlement) {
    let mut chain = chain();
    let deployment = Deployment::send(&mut chain, &owner(), &parameters()).unwrap();
    let error = deployment.settled(&chain).unwrap_err();
    assert!(matches!(error, SettlementError::NotMined(_)), "{error}");
    // As many blocks as the gas of all transactions needs.
    while !chain.pool().is_empty() {
        chain.mine().unwrap();
    }
    let settlement = deployment.settled(&chain).unwrap();
    (chain, settlement)
}

/// What a contract says, in words of 32 bytes.
fn ask(chain: &Chain, to: Address, signature: &str) -> B256 {
    let input = Bytes::copy_from_slice(&keccak256(signature)[..4]);
    let call = Call { to: Some(to), input, ..Call::default() };
    let output = chain.call(chain.latest(), &call).unwrap().output;
    B256::from_slice(&output)
}

#[test]
fn contracts_know_their_parameters() {
    let (chain, settlement) = deployed();
    let config = settlement.system_config;
    assert_eq!(ask(&chain, config, "batcherHash()"), BATCHER.into_word());
    assert_eq!(ask(&chain, config, "batchInbox()"), INBOX.into_word());
    assert_eq!(ask(&chain, config, "optimismPortal()"), settlement.portal.into_word());
    assert_eq!(ask(&chain, config, "owner()"), owner().address().into_word());
    assert_eq!(ask(&chain, config, "gasLimit()"), B256::from(U256::from(30_000_000)));
    assert_eq!(ask(&chain, config, "l2ChainId()"), B256::from(U256::from(901)));
    // Version 1 in the first byte, then the two scalars at the end.
    let scalar = b256!("010000000000000000000000000000000000000000000000000c5fc500000558");
    assert_eq!(ask(&chain, config, "scalar()"), scalar);
    assert_eq!(ask(&chain, settlement.portal, "systemConfig()"), config.into_word());
    assert_eq!(
        ask(&chain, settlement.superchain_config, "guardian()"),
        owner().address().into_word()
    );
}

/// Ether sent to the portal is a deposit: mint, value, gas limit, no creation, no data.
#[test]
fn a_deposit_is_an_event() {
    let (mut chain, settlement) = deployed();
    let nonce = chain.pending_nonce(owner().address()).unwrap();
    let transaction = TxEip1559 {
        chain_id: 900,
        nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 10_000_000_000,
        to: TxKind::Call(settlement.portal),
        value: U256::from(7),
        ..TxEip1559::default()
    };
    chain.submit(&owner().sign_encoded(transaction).unwrap()).unwrap();
    let block = chain.mine().unwrap();
    let receipt = block.receipts.first().unwrap();
    assert!(receipt.is_success());
    let [log] = receipt.logs() else { panic!("one event") };
    assert_eq!(log.address, settlement.portal);
    let from = owner().address().into_word();
    let topic = keccak256("TransactionDeposited(address,address,uint256,bytes)");
    assert_eq!(log.topics(), [topic, from, from, B256::ZERO]);
    // Offset and length of the bytes, then mint, value, gas limit and creation.
    let seven = B256::with_last_byte(7);
    let expected = [
        B256::with_last_byte(32).as_slice(),
        B256::with_last_byte(73).as_slice(),
        seven.as_slice(),
        seven.as_slice(),
        &hex!("00000000000186a0 00"),
        &[0; 23],
    ]
    .concat();
    assert_eq!(log.data.data, expected);
}
