//! Where state comes from.

use alloc::vec::Vec;
use alloy_primitives::{Address, B256};

/// Access to the state before the block, by hash.
///
/// Invariant that implementations keep: what they return for a hash has that hash. Inside a proven
/// machine the verifier has checked it; elsewhere the implementation does. What is returned for a
/// precompile is its true result; see [`StateOracle::precompile`].
pub trait StateOracle {
    /// Names what could not be had; a missing value by the key it was asked for.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Says which account is looked up next, to whoever gets the nodes on the way to it by that name.
    #[inline(always)]
    fn expect_account(&mut self, address: Address) {
        let _ = address;
    }

    /// Says which storage slot is looked up next, as [`Self::expect_account`].
    #[inline(always)]
    fn expect_slot(&mut self, address: Address, slot: B256) {
        let _ = (address, slot);
    }

    /// A node of the account trie or of a storage trie, in RLP.
    ///
    /// # Errors
    /// When the node cannot be had.
    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Self::Error>;

    /// The code of a contract.
    ///
    /// # Errors
    /// When the code cannot be had.
    fn code(&mut self, hash: B256) -> Result<Vec<u8>, Self::Error>;

    /// The header of an earlier block, in RLP.
    ///
    /// # Errors
    /// When the header cannot be had.
    fn header(&mut self, hash: B256) -> Result<Vec<u8>, Self::Error>;

    /// What the precompiled contract at `address` makes of `input`: its output, or `None` when it
    /// fails. `gas` is what the call costs at most on L1, where the result is verified.
    ///
    /// # Errors
    /// When the result cannot be had.
    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, Self::Error>;
}
