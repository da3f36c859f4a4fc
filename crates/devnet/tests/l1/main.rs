//! The embedded L1 behind its servers: tools and our own host use it as they use a node of Ethereum.

mod anvil;
mod cast;
mod host;
mod servers;

use alloy_consensus::{SidecarBuilder, SimpleCoder, TxEip1559, TxEip4844, TxEip4844WithSidecar};
use alloy_eips::eip4844::BlobTransactionSidecar;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use rebut_devnet::{
    keys::{DEV_KEYS, Key},
    l1::{Config, Mining},
    network::{Devnet, Options, Ports},
};

const GWEI: u128 = 1_000_000_000;

/// A devnet on free ports whose blocks come as told.
fn devnet(mining: Mining) -> Devnet {
    let ports = Ports { l1: 0, beacon: 0, l2: 0 };
    let options = Options::beginning_now(2, ports);
    Devnet::start(Options { l1: Config::default(), mining, ..options }).unwrap()
}

fn key(index: usize) -> Key {
    Key::new(DEV_KEYS[index]).unwrap()
}

fn transfer(index: usize, nonce: u64) -> Bytes {
    let transaction = TxEip1559 {
        chain_id: 900,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(Address::repeat_byte(0x11)),
        value: U256::from(7),
        ..TxEip1559::default()
    };
    key(index).sign_encoded(transaction).unwrap()
}

/// A transaction with a blob for `text`, and the blob's versioned hash.
fn with_blob(nonce: u64, text: &[u8]) -> (Bytes, B256) {
    let mut builder = SidecarBuilder::<SimpleCoder>::new();
    builder.ingest(text);
    let sidecar: BlobTransactionSidecar = builder.build_4844().unwrap();
    let hashes: Vec<B256> = sidecar.versioned_hashes().collect();
    let hash = hashes[0];
    let tx = TxEip4844 {
        chain_id: 900,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: Address::repeat_byte(0x22),
        blob_versioned_hashes: hashes,
        max_fee_per_blob_gas: GWEI,
        ..TxEip4844::default()
    };
    (key(8).sign_encoded(TxEip4844WithSidecar { tx, sidecar }).unwrap(), hash)
}
