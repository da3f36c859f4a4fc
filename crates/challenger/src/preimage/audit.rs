//! Large preimages of others: is every state that a proposal claims the right one?
//!
//! The contract checks no leaf. Whoever wants a proposal to be right runs the sponge over what was added, and
//! where a claimed state differs, sends the two leaves around the difference; the contract then absorbs
//! that one block itself.
//!
//! The data comes from logs: each call that adds leaves leaves one with its caller and its own call data. Call
//! data is read as the contract reads it, so that nobody hides a false leaf in an odd encoding.

use super::leaves::{Leaf, LeafTree};
use super::sponge::{BLOCK_BYTES, Sponge, block_count, padded_blocks};
use super::{Call, Metadata, Target};
use alloy_primitives::{Address, B256, U256, hex};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::PreimageOracle as Oracle;

/// `addLeavesLPP(uint256,uint256,bytes,bytes32[],bool)`.
const ADD_LEAVES: [u8; 4] = hex!("7917de1d");
const WORD: usize = 32;

/// Why nothing can be said of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// A call that does not continue where the one before it stopped.
    #[error(
        "leaves from block {found} on are missing: the next call known adds those from {next} on"
    )]
    Gap {
        /// The block that should come next.
        found: u64,
        /// The block that comes.
        next: u64,
    },
    /// The calls found are not all that the contract has seen.
    #[error("{what} is {found} by the calls that were found, {expected} by the contract")]
    Incomplete {
        /// What differs.
        what: &'static str,
        /// By the calls.
        found: u64,
        /// By the contract.
        expected: u64,
    },
    /// Blocks and states of a call differ in number, which the contract does not accept.
    #[error("a call with {blocks} blocks and {commitments} states")]
    Uneven {
        /// Its blocks.
        blocks: usize,
        /// Its states.
        commitments: usize,
    },
    /// The leaves have another root than the contract's tree.
    #[error("the leaves found have the root {found}, the contract's tree {expected}")]
    Root {
        /// Of the leaves.
        found: B256,
        /// Of the contract.
        expected: B256,
    },
}

/// The caller and the call data in a log of the oracle, where it is one of added leaves for the proposal
/// `uuid` of `claimant`.
pub fn parse_leaf_log(log: &[u8], claimant: Address, uuid: U256) -> Option<&[u8]> {
    let (caller, call) = log.split_first_chunk::<20>()?;
    (*caller == claimant.into_array() && AddLeaves::parse(call)?.uuid == uuid).then_some(call)
}

/// A call that adds leaves, read as the contract reads it.
struct AddLeaves<'a> {
    uuid: U256,
    start: U256,
    input: &'a [u8],
    commitments: &'a [[u8; WORD]],
    finalize: bool,
}

impl<'a> AddLeaves<'a> {
    /// Follows the offsets wherever they lead, as contracts do; bytes that nothing points to do not matter.
    fn parse(call: &'a [u8]) -> Option<Self> {
        let arguments = call.strip_prefix(&ADD_LEAVES)?;
        let word = |at: usize| -> Option<U256> {
            Some(U256::from_be_slice(arguments.get(at..at.checked_add(WORD)?)?))
        };
        let tail = |head: usize| -> Option<(usize, &'a [u8])> {
            let at = usize::try_from(word(head)?).ok()?;
            let length = usize::try_from(word(at)?).ok()?;
            Some((length, arguments.get(at.checked_add(WORD)?..)?))
        };
        let (length, rest) = tail(2 * WORD)?;
        let input = rest.get(..length)?;
        let (count, rest) = tail(3 * WORD)?;
        let (commitments, []) = rest.get(..count.checked_mul(WORD)?)?.as_chunks::<WORD>() else {
            return None;
        };
        let finalize = word(4 * WORD)?;
        if finalize > U256::ONE {
            return None;
        }
        let finalize = !finalize.is_zero();
        Some(Self { uuid: word(0)?, start: word(WORD)?, input, commitments, finalize })
    }
}

/// A proposal as the calls that made it say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalData {
    claimant: Address,
    uuid: U256,
    data: Vec<u8>,
    commitments: Vec<B256>,
}

impl ProposalData {
    /// Puts a proposal together from its calls in their order, which [`parse_leaf_log`] recognised, and checks
    /// that they are all that the contract has seen.
    ///
    /// # Errors
    /// [`AuditError`] where they are not: after a reorganisation, or where a node lacks logs.
    pub fn new<'a>(
        claimant: Address,
        uuid: U256,
        metadata: &Metadata,
        calls: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, AuditError> {
        let mut data = Vec::new();
        let mut commitments: Vec<B256> = Vec::new();
        let mut is_closed = false;
        for call in calls.into_iter().filter_map(AddLeaves::parse) {
            let done = commitments.len() as u64;
            if call.uuid != uuid || is_closed || call.start != U256::from(done) {
                let next = call.start.saturating_to();
                return Err(AuditError::Gap { found: done, next });
            }
            let is_cut = !call.input.len().is_multiple_of(BLOCK_BYTES);
            let blocks = block_count(call.input.len()) - usize::from(!call.finalize);
            if blocks != call.commitments.len() || (is_cut && !call.finalize) {
                let commitments = call.commitments.len();
                return Err(AuditError::Uneven { blocks, commitments });
            }
            data.extend_from_slice(call.input);
            commitments.extend(call.commitments.iter().map(|word| B256::new(*word)));
            is_closed = call.finalize;
        }
        for (what, found, expected) in [
            ("the number of bytes", data.len() as u64, metadata.bytes_processed.into()),
            ("the number of blocks", commitments.len() as u64, metadata.blocks_processed.into()),
            ("being closed", is_closed.into(), (metadata.timestamp != 0).into()),
        ] {
            if found != expected {
                return Err(AuditError::Incomplete { what, found, expected });
            }
        }
        Ok(Self { claimant, uuid, data, commitments })
    }

    /// The preimage, as far as it was added.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The call that shows the first wrong state; none where all states are right. `root` is the contract's.
    ///
    /// # Errors
    /// [`AuditError::Root`] where the leaves are not those of the contract's tree.
    pub fn challenge(&self, root: B256) -> Result<Option<Call>, AuditError> {
        let tree = LeafTree::new(self.leaves().map(|leaf| leaf.hash()).collect());
        if tree.root() != root {
            return Err(AuditError::Root { found: tree.root(), expected: root });
        }
        let mut before = Sponge::EMPTY;
        let mut previous: Option<Leaf> = None;
        for leaf in self.leaves() {
            let mut after = before;
            after.absorb(&leaf.input);
            if after.commitment() != leaf.commitment {
                return Ok(Some(self.challenge_of(&tree, &before, previous.as_ref(), &leaf)));
            }
            before = after;
            previous = Some(leaf);
        }
        Ok(None)
    }

    fn leaves(&self) -> impl Iterator<Item = Leaf> {
        // The contract pads the call that closes a proposal; until then there are whole blocks alone.
        let blocks = padded_blocks(&self.data).zip(&self.commitments);
        (0..).zip(blocks).map(|(index, (input, commitment))| Leaf {
            input,
            index,
            commitment: *commitment,
        })
    }

    fn challenge_of(
        &self,
        tree: &LeafTree,
        before: &Sponge,
        previous: Option<&Leaf>,
        wrong: &Leaf,
    ) -> Call {
        let (claimant, uuid) = (self.claimant, self.uuid);
        let post = Oracle::Leaf::from(wrong);
        let post_proof = tree.proof(wrong.index);
        let data = match previous {
            None => Oracle::challengeFirstLPPCall {
                _claimant: claimant,
                _uuid: uuid,
                _postState: post,
                _postStateProof: post_proof,
            }
            .abi_encode(),
            Some(previous) => Oracle::challengeLPPCall {
                _claimant: claimant,
                _uuid: uuid,
                _stateMatrix: Oracle::StateMatrix::from(before),
                _preState: Oracle::Leaf::from(previous),
                _preStateProof: tree.proof(previous.index),
                _postState: post,
                _postStateProof: post_proof,
            }
            .abi_encode(),
        };
        Call { target: Target::Oracle, value: U256::ZERO, data: data.into() }
    }
}

#[cfg(test)]
mod tests;
