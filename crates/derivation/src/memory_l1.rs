//! An L1 chain in memory, and the L2 blocks on it, for tests.

use crate::{L1Source, L2Block, L2Source};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use alloy_consensus::{
    EthereumTxEnvelope, Header, Receipt, ReceiptEnvelope, ReceiptWithBloom, Sealable, Sealed,
    SignableTransaction, TxEip4844,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, LogData, Signature, U256};
use k256::ecdsa::SigningKey;

/// A block with all that belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct MemoryBlock {
    pub(crate) header: Sealed<Header>,
    pub(crate) transactions: Vec<Bytes>,
    pub(crate) receipts: Vec<Bytes>,
}

/// The chain, from block 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryL1 {
    pub(crate) blocks: Vec<MemoryBlock>,
    pub(crate) blobs: BTreeMap<B256, Box<[u8; 131_072]>>,
    /// It has headers only.
    pub(crate) is_pruned: bool,
    /// How often receipts and transactions were asked for.
    pub(crate) reads: (usize, usize),
    /// The L2 chain, from block 0.
    pub(crate) l2: Vec<L2Block>,
    /// The L2 blocks that were asked for.
    pub(crate) l2_reads: Vec<u64>,
}

/// What the chain lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missing {
    #[error("no block {0}")]
    Block(B256),
    #[error("no blob {0}")]
    Blob(B256),
}

impl MemoryL1 {
    /// Appends a block; its bloom filter is that of `logs`, which the receipts may hold or not.
    pub(crate) fn push(
        &mut self,
        timestamp: u64,
        transactions: Vec<Bytes>,
        receipts: Vec<Bytes>,
        logs: &[Log],
    ) -> Sealed<Header> {
        let mut logs_bloom = Bloom::ZERO;
        logs_bloom.accrue_logs(logs);
        let header = Header {
            number: self.blocks.len() as u64,
            parent_hash: self.blocks.last().map(|block| block.header.hash()).unwrap_or_default(),
            timestamp,
            logs_bloom,
            ..Header::default()
        }
        .seal_slow();
        self.blocks.push(MemoryBlock { header: header.clone(), transactions, receipts });
        header
    }

    fn l1_block(&self, header: &Sealed<Header>) -> Result<&MemoryBlock, Missing> {
        let found = self
            .blocks
            .iter()
            .find(|block| !self.is_pruned && block.header.hash() == header.hash());
        found.ok_or(Missing::Block(header.hash()))
    }
}

impl L1Source for MemoryL1 {
    type Error = Missing;

    fn header(&mut self, number: u64) -> Result<Option<Sealed<Header>>, Missing> {
        Ok(self.blocks.get(number as usize).map(|block| block.header.clone()))
    }

    fn transactions(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, Missing> {
        self.reads.1 += 1;
        Ok(self.l1_block(block)?.transactions.clone())
    }

    fn receipts(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, Missing> {
        self.reads.0 += 1;
        Ok(self.l1_block(block)?.receipts.clone())
    }

    fn blob(
        &mut self,
        _: &Sealed<Header>,
        versioned_hash: B256,
    ) -> Result<Box<[u8; 131_072]>, Missing> {
        self.blobs.get(&versioned_hash).cloned().ok_or(Missing::Blob(versioned_hash))
    }

    fn ecrecover(&mut self, input: &[u8; 128]) -> Result<Option<Address>, Missing> {
        let (words, _) = input.as_chunks::<32>();
        let [hash, v, r, s] = words else { panic!("four words") };
        let [r, s] = [r, s].map(|word| U256::from_be_bytes(*word));
        let is_odd = match U256::from_be_bytes(*v).try_into() {
            Ok(27u8) => false,
            Ok(28) => true,
            _ => return Ok(None),
        };
        Ok(Signature::new(r, s, is_odd).recover_address_from_prehash(&B256::from(*hash)).ok())
    }
}

impl L2Source for MemoryL1 {
    type Error = Missing;

    fn block(&mut self, number: u64) -> Result<Option<L2Block>, Missing> {
        self.l2_reads.push(number);
        Ok(self.l2.get(number as usize).cloned())
    }
}

/// The key of that number, and whose it is.
pub(crate) fn key(number: u8) -> (SigningKey, Address) {
    let key = SigningKey::from_slice(&[number; 32]).unwrap();
    let address = Address::from_public_key(key.verifying_key());
    (key, address)
}

/// A transaction, signed.
pub(crate) fn signed<T>(transaction: T, key: &SigningKey) -> Bytes
where
    T: SignableTransaction<Signature>,
    alloy_consensus::Signed<T>: Into<EthereumTxEnvelope<TxEip4844>>,
{
    let hash = transaction.signature_hash();
    let signature = key.sign_prehash_recoverable(hash.as_slice()).unwrap().into();
    let envelope: EthereumTxEnvelope<TxEip4844> = transaction.into_signed(signature).into();
    envelope.encoded_2718().into()
}

/// A log of a contract.
pub(crate) fn log(contract: Address, topics: &[B256], data: impl Into<Bytes>) -> Log {
    Log { address: contract, data: LogData::new_unchecked(topics.to_vec(), data.into()) }
}

/// The receipt of a transaction of type `kind` (0 to 4).
pub(crate) fn receipt(kind: u8, succeeded: bool, logs: &[Log]) -> Bytes {
    let receipt =
        Receipt { status: succeeded.into(), cumulative_gas_used: 21_000, logs: logs.to_vec() };
    let receipt = ReceiptWithBloom::from(receipt);
    match kind {
        0 => ReceiptEnvelope::Legacy(receipt),
        1 => ReceiptEnvelope::Eip2930(receipt),
        2 => ReceiptEnvelope::Eip1559(receipt),
        3 => ReceiptEnvelope::Eip4844(receipt),
        4 => ReceiptEnvelope::Eip7702(receipt),
        _ => panic!("no receipt of type {kind}"),
    }
    .encoded_2718()
    .into()
}

/// The receipt of a transaction of a type that does not exist yet.
pub(crate) fn future_receipt(kind: u8, logs: &[Log]) -> Bytes {
    let mut receipt = receipt(2, true, logs).to_vec();
    receipt[0] = kind;
    receipt.into()
}
