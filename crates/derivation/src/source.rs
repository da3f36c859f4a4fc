//! Where derivation reads: L1 up to its head, and the L2 blocks that are already safe.

use alloc::{boxed::Box, vec::Vec};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, Bytes};

/// The canonical L1 chain up to a fixed head.
///
/// Invariant that implementations keep: whatever they return has been checked against the hash that
/// commits to it. Order of calls: any; most come in the order of the chain.
pub trait L1Source {
    /// Names what could not be had.
    type Error: core::error::Error + Send + Sync + 'static;

    /// The header of block `number`, `None` above the head.
    ///
    /// # Errors
    /// When a block at or below the head cannot be had.
    fn header(&mut self, number: u64) -> Result<Option<Sealed<Header>>, Self::Error>;

    /// The block's transactions in order, in their EIP-2718 form.
    ///
    /// # Errors
    /// When they cannot be had.
    fn transactions(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, Self::Error>;

    /// The block's receipts in order, in their EIP-2718 form.
    ///
    /// # Errors
    /// When they cannot be had.
    fn receipts(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, Self::Error>;

    /// The blob behind a versioned hash of a transaction in `block`: 4096 field elements of 32 bytes.
    ///
    /// # Errors
    /// When it cannot be had.
    fn blob(
        &mut self,
        block: &Sealed<Header>,
        versioned_hash: B256,
    ) -> Result<Box<[u8; 131_072]>, Self::Error>;

    /// Who signed: what the precompile `ecrecover` returns for hash, v (27 or 28), r and s as four
    /// words. `None` where nobody did.
    ///
    /// # Errors
    /// When the answer cannot be had.
    fn ecrecover(&mut self, input: &[u8; 128]) -> Result<Option<Address>, Self::Error>;
}

/// An L2 block as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L2Block {
    /// The header with its hash.
    pub header: Sealed<Header>,
    /// All transactions in order, in their EIP-2718 form.
    pub transactions: Vec<Bytes>,
}

/// The L2 chain up to the safe head.
///
/// Invariant that implementations keep: as for [`L1Source`].
pub trait L2Source {
    /// Names what could not be had.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Block `number`, `None` above the safe head or below genesis.
    ///
    /// # Errors
    /// When a block of the safe chain cannot be had.
    fn block(&mut self, number: u64) -> Result<Option<L2Block>, Self::Error>;
}
