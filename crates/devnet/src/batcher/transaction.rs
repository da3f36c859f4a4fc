//! The transactions that carry a batcher's data to L1.

use super::blob;
use crate::keys::{Key, KeyError};
use alloy_consensus::{EthereumTxEnvelope, TxEip1559, TxEip4844, TxEip4844WithSidecar};
use alloy_eips::{
    eip2718::Encodable2718,
    eip4844::{Blob, BlobTransactionSidecar, env_settings::EnvKzgSettings},
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::{Address, Bytes, TxKind};

/// What a transaction offers for its place on L1, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct L1Fees {
    /// At most, for each gas.
    pub max_fee: u128,
    /// Of it, to the block's producer.
    pub priority_fee: u128,
    /// At most, for each blob gas.
    pub max_blob_fee: u128,
}

impl Default for L1Fees {
    /// Enough for a devnet, whatever its blocks hold.
    fn default() -> Self {
        Self {
            max_fee: 200_000_000_000,
            priority_fee: 1_000_000_000,
            max_blob_fee: 200_000_000_000,
        }
    }
}

/// Who sends to whom, and with which nonce.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// The sender.
    pub key: &'a Key,
    /// The L1 chain.
    pub chain_id: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// The inbox.
    pub to: Address,
    /// What is offered.
    pub fees: L1Fees,
}

/// Why data cannot be put into blobs.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// More data than a blob has room for.
    #[error("{0} bytes do not fit into a blob")]
    TooLong(usize),
    /// No commitment can be made.
    #[error("a blob has no commitment: {0}")]
    Kzg(#[from] c_kzg::Error),
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The gas of a call with this data: what it costs at most, also where calldata has a floor price
/// (EIP-7623).
fn calldata_gas(data: &[u8]) -> u64 {
    let zeros = data.iter().filter(|byte| **byte == 0).count() as u64;
    let tokens = zeros + 4 * (data.len() as u64 - zeros);
    21_000 + 10 * tokens
}

/// A transaction that carries data as calldata, in the form in which it is sent.
///
/// # Errors
/// [`KeyError`] where the key does not sign.
pub fn calldata_transaction(envelope: &Envelope<'_>, data: Bytes) -> Result<Bytes, KeyError> {
    let Envelope { key, chain_id, nonce, to, fees } = *envelope;
    key.sign_encoded(TxEip1559 {
        chain_id,
        nonce,
        gas_limit: calldata_gas(&data),
        max_fee_per_gas: fees.max_fee,
        max_priority_fee_per_gas: fees.priority_fee,
        to: TxKind::Call(to),
        input: data,
        ..TxEip1559::default()
    })
}

/// A transaction that carries each item in a blob, in the form in which it is sent: with its sidecar.
///
/// # Errors
/// [`BlobError`].
pub fn blob_transaction(envelope: &Envelope<'_>, items: &[Bytes]) -> Result<Bytes, BlobError> {
    let Envelope { key, chain_id, nonce, to, fees } = *envelope;
    let blobs = items.iter().map(|item| {
        let blob = blob::encode(item).ok_or(BlobError::TooLong(item.len()))?;
        Ok(Blob::new(*blob))
    });
    let blobs = blobs.collect::<Result<Vec<_>, BlobError>>()?;
    let settings = EnvKzgSettings::Default;
    let sidecar = BlobTransactionSidecar::try_from_blobs_with_settings(blobs, settings.get())?;
    let tx = TxEip4844 {
        chain_id,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: fees.max_fee,
        max_priority_fee_per_gas: fees.priority_fee,
        to,
        max_fee_per_blob_gas: fees.max_blob_fee,
        blob_versioned_hashes: sidecar.versioned_hashes().collect(),
        ..TxEip4844::default()
    };
    let signed = key.sign(tx)?;
    let with_sidecar = signed.map(|tx| TxEip4844WithSidecar {
        tx,
        sidecar: BlobTransactionSidecarVariant::Eip4844(sidecar),
    });
    let envelope = EthereumTxEnvelope::<TxEip4844WithSidecar<_>>::Eip4844(with_sidecar);
    Ok(envelope.encoded_2718().into())
}
