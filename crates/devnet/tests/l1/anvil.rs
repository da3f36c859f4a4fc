//! Foundry's `anvil` in place of the embedded L1: followed block by block, and settled on.

use crate::key;
use alloy_primitives::Address;
use rebut_devnet::{
    l1::{Client, Remote},
    settlement::{Deployment, Parameters, SettlementError},
    state::StateStore,
};
use rebut_foundry::Anvil;
use std::time::{Duration, Instant};

#[test]
fn a_rollup_settles_on_anvil() {
    let Some(anvil) = Anvil::start(&["--chain-id", "900"]) else { return };
    let mut remote = Remote::connect(anvil.url().parse().unwrap(), StateStore::new()).unwrap();
    assert_eq!(remote.chain_id(), 900);
    let parameters = Parameters {
        l2_chain_id: 901,
        batcher: key(8).address(),
        batch_inbox: Address::repeat_byte(0xff),
        unsafe_block_signer: key(8).address(),
        gas_limit: 30_000_000,
        base_fee_scalar: 1_368,
        blob_base_fee_scalar: 810_949,
    };
    let deployment = Deployment::send(&mut remote, &key(9), &parameters).unwrap();
    // It mines in its own time.
    let began = Instant::now();
    let settlement = loop {
        remote.update().unwrap();
        match deployment.settled(&remote) {
            Err(SettlementError::NotMined(_)) => {
                assert!(began.elapsed() < Duration::from_secs(60), "anvil mines nothing");
            }
            settled => break settled.unwrap(),
        }
    };
    // Every transaction is there once; blocks were checked against their hashes when they were copied.
    let ledger = remote.record().ledger();
    let blocks = (1..=ledger.latest().number()).filter_map(|number| ledger.block(number));
    assert_eq!(blocks.map(|block| block.transactions.len()).sum::<usize>(), 10);
    assert_eq!(settlement.proxy_admin, key(9).address().create(0));
}
