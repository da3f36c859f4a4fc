//! A transaction on its way into a block: decoded, its signature and its blobs checked.
//!
//! Invariant: a [`Pooled`] has the sender that its signature proves, and exactly the blobs that its
//! versioned hashes name, with valid KZG proofs. Only [`Pooled::decode`] makes one.
//!
//! Specification: EIP-2718, EIP-4844 (network form), EIP-7594.

use alloy_consensus::{
    EthereumTxEnvelope, Signed, Transaction, TxEip4844, TxEip4844WithSidecar,
    transaction::SignerRecoverable,
};
use alloy_eips::{
    eip2718::{Decodable2718, Eip2718Error, Encodable2718},
    eip4844::env_settings::EnvKzgSettings,
    eip7594::BlobTransactionSidecarVariant,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use revm::{context::TxEnv, context_interface::either::Either};

/// A transaction as L1 blocks hold it.
pub type L1Transaction = EthereumTxEnvelope<TxEip4844>;

/// A transaction as it is sent: with its blobs, if it has any.
type SentTransaction = EthereumTxEnvelope<TxEip4844WithSidecar<BlobTransactionSidecarVariant>>;

/// The longest transaction that is taken, in bytes and without blobs: what nodes take.
pub(super) const TRANSACTION_LIMIT_BYTES: usize = 128 * 1024;
/// A blob with its commitment and proofs is below this many bytes.
const SIDECAR_LIMIT_BYTES: usize = 140 * 1024;
/// The most blobs that any fork lets a block have.
const BLOBS_LIMIT: usize = 21;

/// Why bytes are no transaction that can be executed.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// They are no transaction of a known type.
    #[error("the transaction cannot be decoded: {0}")]
    Encoding(Eip2718Error),
    /// More follows behind the transaction.
    #[error("{0} bytes follow behind the transaction")]
    Trailing(usize),
    /// Longer than any node takes.
    #[error("oversized data: the transaction has {length_bytes} bytes, the limit is {limit_bytes}")]
    TooLong {
        /// Its length.
        length_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The signature belongs to nobody.
    #[error("invalid sender: the signature is invalid")]
    Signature,
    /// Commitments, proofs, blobs and versioned hashes do not belong together.
    #[error("invalid blobs: {0}")]
    Blobs(String),
}

/// A transaction that may be executed, as far as that can be told without a state.
#[derive(Clone, Debug)]
pub struct Pooled {
    pub(super) transaction: L1Transaction,
    pub(super) sender: Address,
    pub(super) hash: B256,
    pub(super) sidecar: Option<BlobTransactionSidecarVariant>,
}

impl Pooled {
    /// Reads one transaction, which must fill `bytes`. A blob transaction has its sidecar with it.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let too_long = |limit_bytes| {
            let length_bytes = bytes.len();
            match length_bytes > limit_bytes {
                true => Err(DecodeError::TooLong { length_bytes, limit_bytes }),
                false => Ok(()),
            }
        };
        too_long(TRANSACTION_LIMIT_BYTES + BLOBS_LIMIT * SIDECAR_LIMIT_BYTES)?;
        let mut rest = bytes;
        let sent = SentTransaction::decode_2718(&mut rest).map_err(DecodeError::Encoding)?;
        if !rest.is_empty() {
            return Err(DecodeError::Trailing(rest.len()));
        }
        let sidecar = match &sent {
            SentTransaction::Eip4844(signed) => {
                let TxEip4844WithSidecar { tx, sidecar } = signed.tx();
                // The limit on the rest holds below: the bytes of a sidecar are not data.
                let settings = EnvKzgSettings::Default;
                sidecar
                    .validate(&tx.blob_versioned_hashes, settings.get())
                    .map_err(|error| DecodeError::Blobs(error.to_string()))?;
                Some(sidecar.clone())
            }
            _ => None,
        };
        let transaction = L1Transaction::from(sent);
        let length_bytes = transaction.encode_2718_len();
        if length_bytes > TRANSACTION_LIMIT_BYTES {
            let limit_bytes = TRANSACTION_LIMIT_BYTES;
            return Err(DecodeError::TooLong { length_bytes, limit_bytes });
        }
        let sender = transaction.recover_signer().map_err(|_| DecodeError::Signature)?;
        let hash = *transaction.tx_hash();
        Ok(Self { transaction, sender, hash, sidecar })
    }

    /// Puts a transaction back that a reorg took out of its block, with the blobs that came with it.
    pub(super) const fn removed(
        transaction: L1Transaction,
        sender: Address,
        hash: B256,
        sidecar: Option<BlobTransactionSidecarVariant>,
    ) -> Self {
        Self { transaction, sender, hash, sidecar }
    }

    /// The transaction's hash.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Who signed it.
    pub const fn sender(&self) -> Address {
        self.sender
    }

    /// The transaction, without blobs.
    pub const fn transaction(&self) -> &L1Transaction {
        &self.transaction
    }

    /// The blobs, if it has any.
    pub const fn sidecar(&self) -> Option<&BlobTransactionSidecarVariant> {
        self.sidecar.as_ref()
    }

    /// The blob with this versioned hash and its commitment, if the transaction carries it.
    pub fn blob(&self, versioned_hash: B256) -> Option<([u8; 48], Vec<u8>)> {
        use BlobTransactionSidecarVariant as Sidecar;
        let hashes = self.transaction.blob_versioned_hashes()?;
        let index = hashes.iter().position(|hash| *hash == versioned_hash)?;
        let (blobs, commitments) = match self.sidecar.as_ref()? {
            Sidecar::Eip4844(sidecar) => (&sidecar.blobs, &sidecar.commitments),
            Sidecar::Eip7594(sidecar) => (&sidecar.blobs, &sidecar.commitments),
        };
        Some((commitments.get(index)?.0, blobs.get(index)?.to_vec()))
    }

    /// The transaction as it was sent, if it carries blobs.
    pub(super) fn with_blobs(&self) -> Option<Bytes> {
        let sidecar = self.sidecar.clone()?;
        let L1Transaction::Eip4844(signed) = &self.transaction else { return None };
        let tx = signed.tx().clone();
        let sent = TxEip4844WithSidecar { tx, sidecar };
        let sent = Signed::new_unchecked(sent, *signed.signature(), *signed.hash());
        Some(SentTransaction::Eip4844(sent).encoded_2718().into())
    }

    /// What the sender must own for it to be executed, in wei.
    pub(super) fn most_expensive(&self) -> U256 {
        let tx = &self.transaction;
        let gas = U256::from(tx.max_fee_per_gas()).saturating_mul(U256::from(tx.gas_limit()));
        let blob_gas = U256::from(tx.blob_gas_used().unwrap_or_default());
        let blobs = U256::from(tx.max_fee_per_blob_gas().unwrap_or_default());
        tx.value().saturating_add(gas).saturating_add(blobs.saturating_mul(blob_gas))
    }
}

/// What the EVM takes.
pub(super) fn env(transaction: &L1Transaction, sender: Address) -> TxEnv {
    let authorizations = transaction.authorization_list().unwrap_or_default();
    TxEnv {
        tx_type: transaction.tx_type() as u8,
        caller: sender,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        kind: transaction.kind(),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        blob_hashes: transaction.blob_versioned_hashes().unwrap_or_default().to_vec(),
        max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().unwrap_or_default(),
        authorization_list: authorizations.iter().cloned().map(Either::Left).collect(),
    }
}
