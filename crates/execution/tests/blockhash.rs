//! What a transaction sees of earlier blocks, further back than the parent's header says.

use alloy_consensus::{Header, Sealable, Sealed};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use alloy_trie::TrieAccount;
use op_alloy_consensus::TxDeposit;
use rebut_execution::{
    BaseFeeDefaults, ChainParameters, Fork, ForkTimes, PayloadAttributes, State, StateOracle,
    execute_block,
};
use std::collections::BTreeMap;

const CONTRACT: Address = Address::repeat_byte(0xc0);

/// How far back the contract looks, in blocks.
const OFFSETS: [u16; 7] = [0, 1, 2, 3, 255, 256, 257];

/// Everything by its hash, and the headers that were asked for.
#[derive(Default)]
struct Oracle {
    values: BTreeMap<B256, Vec<u8>>,
    headers_asked: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing has the hash {0}")]
struct Missing(B256);

impl Oracle {
    fn put(&mut self, value: Vec<u8>) -> B256 {
        let hash = keccak256(&value);
        self.values.insert(hash, value);
        hash
    }

    fn get(&self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.values.get(&hash).cloned().ok_or(Missing(hash))
    }
}

impl StateOracle for Oracle {
    type Error = Missing;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.get(hash)
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.get(hash)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.headers_asked += 1;
        self.get(hash)
    }

    fn precompile(&mut self, _: Address, _: u64, _: &[u8]) -> Result<Option<Vec<u8>>, Missing> {
        Ok(None)
    }
}

/// Logs the hashes of the blocks that lie so far back.
fn code() -> Vec<u8> {
    let log = |offset: u16| {
        let [high, low] = offset.to_be_bytes();
        // PUSH2 offset, NUMBER, SUB, BLOCKHASH, MSTORE at 0, LOG0 of one word.
        [0x61, high, low, 0x43, 0x03, 0x40, 0x60, 0, 0x52, 0x60, 32, 0x60, 0, 0xa0]
    };
    OFFSETS.into_iter().flat_map(log).collect()
}

/// A chain of as many headers, the last of which has the contract in its state, with their hashes.
fn chain(length: u64) -> (Oracle, Vec<B256>, Sealed<Header>) {
    let mut oracle = Oracle::default();
    let code_hash = oracle.put(code());
    let account = TrieAccount { code_hash, ..TrieAccount::default() };
    // A trie of one leaf: the whole key, of an even number of digits, and the account.
    let path = [&[0x20][..], keccak256(CONTRACT).as_slice()].concat();
    let leaf = [Bytes::from(path), alloy_rlp::encode(account).into()];
    let state_root = oracle.put(alloy_rlp::encode(leaf.to_vec()));

    let mut hashes = Vec::new();
    let mut header = Header::default();
    for number in 0..length {
        header = Header {
            number,
            parent_hash: hashes.last().copied().unwrap_or_default(),
            timestamp: 2 * number,
            gas_limit: 30_000_000,
            base_fee_per_gas: Some(1_000),
            state_root,
            ..Header::default()
        };
        hashes.push(oracle.put(alloy_rlp::encode(&header)));
    }
    (oracle, hashes, header.seal_slow())
}

/// What the contract logs in the block after the last of `length` headers.
fn logged(oracle: &mut Oracle, parent: &Sealed<Header>) -> Result<Vec<B256>, String> {
    let chain = ChainParameters {
        chain_id: 901,
        forks: ForkTimes::default().with(Fork::Regolith, Some(0)),
        base_fee: BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 },
    };
    let call = TxDeposit {
        from: Address::repeat_byte(0xf0),
        to: TxKind::Call(CONTRACT),
        value: U256::ZERO,
        gas_limit: 1_000_000,
        ..TxDeposit::default()
    };
    let attributes = PayloadAttributes {
        timestamp: parent.timestamp + 2,
        prev_randao: B256::ZERO,
        suggested_fee_recipient: Address::ZERO,
        gas_limit: 30_000_000,
        parent_beacon_block_root: None,
        eip_1559_params: None,
        min_base_fee: None,
        transactions: vec![Bytes::from(call.encoded_2718())],
    };
    let mut state = State::new(parent.state_root);
    let block = execute_block(&chain, parent, &attributes, &mut state, oracle)
        .map_err(|error| error.to_string())?;
    let receipt = &block.receipts[0];
    assert!(receipt.status());
    Ok(receipt.logs().iter().map(|log| B256::from_slice(&log.data.data)).collect())
}

#[test]
fn the_hashes_of_256_blocks_are_known() {
    let (mut oracle, hashes, parent) = chain(400);
    // The block itself and the one before the 256 have none.
    let back = |offset: usize| hashes[400 - offset];
    let expected = [B256::ZERO, back(1), back(2), back(3), back(255), back(256), B256::ZERO];
    assert_eq!(logged(&mut oracle, &parent), Ok(expected.into()));
    // The parent's header names the block before it; each of the others is read once.
    assert_eq!(oracle.headers_asked, 254);
}

#[test]
fn the_chain_begins_with_block_0() {
    let (mut oracle, hashes, parent) = chain(3);
    let zero = B256::ZERO;
    let expected = [zero, hashes[2], hashes[1], hashes[0], zero, zero, zero];
    assert_eq!(logged(&mut oracle, &parent), Ok(expected.into()));
}

#[test]
fn a_missing_header_is_named() {
    let (mut oracle, hashes, parent) = chain(400);
    oracle.values.remove(&hashes[200]);
    let error = logged(&mut oracle, &parent).unwrap_err();
    assert!(error.contains(&hashes[200].to_string()), "{error}");
}
