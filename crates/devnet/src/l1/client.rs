//! L1 as the rollup uses it, be it embedded or a node elsewhere.

use super::{Chain, PoolError, Record, remote::RemoteError};
use crate::state::StoreError;
use alloy_primitives::{Address, B256};

/// Why L1 does not do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The embedded chain refuses a transaction.
    #[error("L1 refuses the transaction: {0}")]
    Pool(#[from] PoolError),
    /// The state of the embedded chain cannot be read.
    #[error("L1: {0}")]
    State(#[from] StoreError),
    /// The node elsewhere does not answer, or wrongly.
    #[error("L1: {0}")]
    Remote(#[from] RemoteError),
}

/// An L1 chain that a rollup settles on.
pub trait Client: Send {
    /// The chain's id.
    fn chain_id(&self) -> u64;

    /// What is known of the chain, as of the last [`update`](Self::update).
    fn record(&self) -> &Record;

    /// Brings the record up to date.
    ///
    /// # Errors
    /// [`ClientError`] when the node does not answer; the record is then one of an earlier time.
    fn update(&mut self) -> Result<(), ClientError>;

    /// Sends a transaction in its EIP-2718 form, a blob transaction with its sidecar.
    ///
    /// # Errors
    /// [`ClientError`] when it is refused.
    fn submit(&mut self, bytes: &[u8]) -> Result<B256, ClientError>;

    /// The nonce of an account after everything that waits.
    ///
    /// # Errors
    /// [`ClientError`] when it cannot be told.
    fn pending_nonce(&self, address: Address) -> Result<u64, ClientError>;

    /// The base fee and the blob base fee of the next block, in wei for each gas.
    ///
    /// # Errors
    /// [`ClientError`] when they cannot be told.
    fn next_fees(&self) -> Result<(u64, u128), ClientError>;
}

impl Client for Chain {
    fn chain_id(&self) -> u64 {
        self.config().chain_id
    }

    fn record(&self) -> &Record {
        Self::record(self)
    }

    fn update(&mut self) -> Result<(), ClientError> {
        Ok(())
    }

    fn submit(&mut self, bytes: &[u8]) -> Result<B256, ClientError> {
        Ok(Self::submit(self, bytes)?)
    }

    fn pending_nonce(&self, address: Address) -> Result<u64, ClientError> {
        Ok(Self::pending_nonce(self, address)?)
    }

    fn next_fees(&self) -> Result<(u64, u128), ClientError> {
        Ok(Self::next_fees(self))
    }
}
