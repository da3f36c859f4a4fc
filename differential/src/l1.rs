//! The generated L1 chain: headers with their real hashes, signed transactions, receipts, blobs.

use crate::parameters::{L1_CHAIN_ID, Parameters};
use alloy_consensus::{
    Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, SignableTransaction, TxEip1559, TxEip2930,
    TxEip4844, TxLegacy,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, Signature, TxKind, U256, keccak256};
use k256::ecdsa::SigningKey;
use std::collections::HashMap;

/// A block with everything in it.
#[derive(Clone, Debug)]
pub struct L1Block {
    /// The header.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// EIP-2718 transactions.
    pub transactions: Vec<Bytes>,
    /// EIP-2718 receipts.
    pub receipts: Vec<Bytes>,
}

/// The chain from L2's genesis on.
#[derive(Clone, Debug, Default)]
pub struct L1Chain {
    /// The blocks, numbers ascending by one.
    pub blocks: Vec<L1Block>,
    /// Blobs by versioned hash.
    pub blobs: HashMap<B256, Box<[u8; 131_072]>>,
}

impl L1Chain {
    /// The block with a number.
    pub fn block(&self, number: u64) -> Option<&L1Block> {
        let first = self.blocks.first()?.header.number;
        self.blocks.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// The block with a hash.
    pub fn block_by_hash(&self, hash: B256) -> Option<&L1Block> {
        self.blocks.iter().find(|block| block.hash == hash)
    }

    /// The newest block.
    pub fn tip(&self) -> &L1Block {
        self.blocks.last().expect("a chain starts with a block")
    }

    /// Keeps a blob. The hash commits to its content, if not by the rules of KZG.
    pub fn add_blob(&mut self, blob: Box<[u8; 131_072]>) -> B256 {
        let mut hash = keccak256(&blob[..]);
        hash[0] = 1;
        self.blobs.insert(hash, blob);
        hash
    }
}

/// An account of L1.
#[derive(Clone, Debug)]
pub struct Account {
    key: SigningKey,
}

impl Account {
    /// A fixed account.
    pub fn new(index: u8) -> Self {
        let key = SigningKey::from_slice(&[index + 1; 32]).expect("a small number is a key");
        Self { key }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Address::from_public_key(self.key.verifying_key())
    }

    fn sign<T: SignableTransaction<Signature>>(&self, transaction: T) -> Bytes
    where
        alloy_consensus::Signed<T>: Encodable2718,
    {
        let hash = transaction.signature_hash();
        let (signature, recovery) =
            self.key.sign_prehash_recoverable(hash.as_slice()).expect("a hash can be signed");
        let signature = Signature::from((signature, recovery));
        transaction.into_signed(signature).encoded_2718().into()
    }

    /// A transaction with calldata, of a type from 0 to 2.
    pub fn calldata(&self, transaction_type: u64, to: TxKind, input: Vec<u8>) -> Bytes {
        let input = input.into();
        match transaction_type {
            0 => self.sign(TxLegacy {
                chain_id: Some(L1_CHAIN_ID),
                gas_limit: 1 << 20,
                to,
                input,
                ..Default::default()
            }),
            1 => self.sign(TxEip2930 { chain_id: L1_CHAIN_ID, to, input, ..Default::default() }),
            _ => self.sign(TxEip1559 { chain_id: L1_CHAIN_ID, to, input, ..Default::default() }),
        }
    }

    /// A transaction with blobs.
    pub fn blobs(&self, to: Address, hashes: Vec<B256>, input: Vec<u8>) -> Bytes {
        self.sign(TxEip4844 {
            chain_id: L1_CHAIN_ID,
            to,
            blob_versioned_hashes: hashes,
            input: input.into(),
            ..Default::default()
        })
    }
}

/// What a transaction did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Whether it succeeded.
    pub success: bool,
    /// Its events.
    pub logs: Vec<Log>,
}

/// The block after `parent` with transactions and their outcomes.
pub fn seal(
    parameters: &Parameters,
    parent: Option<&L1Block>,
    number: u64,
    timestamp: u64,
    entropy: B256,
    content: Vec<(Bytes, Outcome)>,
) -> L1Block {
    let mut bloom = Bloom::ZERO;
    let (mut transactions, mut receipts) = (Vec::new(), Vec::new());
    for (index, (transaction, outcome)) in content.into_iter().enumerate() {
        outcome.logs.iter().for_each(|log| bloom.accrue_log(log));
        let receipt = Receipt {
            status: outcome.success.into(),
            cumulative_gas_used: 21_000 * (index as u64 + 1),
            logs: outcome.logs,
        };
        let receipt = ReceiptWithBloom::from(receipt);
        let envelope = match transaction.first() {
            Some(1) => ReceiptEnvelope::Eip2930(receipt),
            Some(2) => ReceiptEnvelope::Eip1559(receipt),
            Some(3) => ReceiptEnvelope::Eip4844(receipt),
            Some(4) => ReceiptEnvelope::Eip7702(receipt),
            _ => ReceiptEnvelope::Legacy(receipt),
        };
        receipts.push(envelope.encoded_2718().into());
        transactions.push(transaction);
    }
    let root = |list: &[Bytes]| {
        alloy_trie::root::ordered_trie_root_with_encoder(list, |item: &Bytes, out| {
            out.extend_from_slice(item);
        })
    };
    let (cancun, prague) =
        (timestamp >= parameters.l1_cancun_time, timestamp >= parameters.l1_prague_time);
    let low = u64::from_be_bytes(entropy.0[..8].try_into().expect("eight bytes"));
    let header = Header {
        parent_hash: parent.map_or(B256::repeat_byte(0x11), |parent| parent.hash),
        number,
        timestamp,
        mix_hash: entropy,
        transactions_root: root(&transactions),
        receipts_root: root(&receipts),
        logs_bloom: bloom,
        gas_limit: 36_000_000,
        gas_used: 21_000 * transactions.len() as u64,
        base_fee_per_gas: Some(low % 100_000_000_000),
        withdrawals_root: Some(alloy_trie::EMPTY_ROOT_HASH),
        blob_gas_used: cancun.then_some(0),
        excess_blob_gas: cancun.then_some(low % 80_000_000),
        parent_beacon_block_root: cancun.then(|| keccak256(entropy)),
        requests_hash: prague.then_some(B256::repeat_byte(0xe3)),
        difficulty: U256::ZERO,
        ..Default::default()
    };
    let hash = header.hash_slow();
    L1Block { header, hash, transactions, receipts }
}
