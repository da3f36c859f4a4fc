//! A large preimage of our own: its proposal from the first call to the last.
//!
//! ```text
//!   open ─► leaves, at most 500 blocks a call ─► the last call closes it ─┐
//!                                                   challenge period      │ nothing to send
//!   squeeze: the part is there, the bond comes back  ◄────────────────────┘
//! ```
//!
//! [`LargeProposal::next`] says what to send from what the contract says of the proposal, so that it goes on
//! wherever it was interrupted, and sends nothing twice.

use super::leaves::{Leaf, LeafTree, MAX_LEAVES};
use super::sponge::{BLOCK_BYTES, Sponge, block_count, padded_blocks};
use super::{Call, Target};
use alloy_primitives::{Address, B256, Keccak256, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::PreimageOracle as Oracle;
use rebut_dispute::{Seconds, Timestamp};
use std::sync::Arc;

/// Blocks of one call: it stays below the size of a transaction that nodes relay.
const CHUNK_BLOCKS: usize = 500;
/// What opening a proposal costs until it is squeezed, in wei: 0.25 ether.
const BOND_WEI: U256 = U256::from_limbs([250_000_000_000_000_000, 0, 0, 0]);
/// Bytes of a part.
const PART_BYTES: usize = 32;
/// Bytes of the length in front of the data.
const PREFIX_BYTES: usize = 8;

/// Why a preimage has no proposal, or a proposal no next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposalError {
    /// More blocks than the tree has places.
    #[error("a preimage of {length_bytes} bytes has more than {MAX_LEAVES} blocks")]
    TooLong {
        /// Its length.
        length_bytes: usize,
    },
    /// A single block, which the contract cannot squeeze.
    #[error("a preimage of {length_bytes} bytes is too short to be proposed")]
    TooShort {
        /// Its length.
        length_bytes: usize,
    },
    /// A part that starts behind the end.
    #[error("a part at {offset} of a preimage of {length_bytes} bytes")]
    Offset {
        /// Where, the length in front included.
        offset: u64,
        /// Length of the preimage.
        length_bytes: usize,
    },
    /// The contract holds something else under the same name.
    #[error("the proposal on chain is another one: {what} is {found}, not {expected}")]
    Foreign {
        /// What differs.
        what: &'static str,
        /// On chain.
        found: u64,
        /// As planned.
        expected: u64,
    },
    /// Somebody has shown that a leaf is wrong.
    #[error("the proposal was challenged and is lost")]
    Countered,
}

/// What the contract says of a proposal, packed in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// When it was closed; 0 while it is open.
    pub timestamp: u64,
    /// Where the part starts, the length in front included.
    pub part_offset: u32,
    /// Length of the preimage; 0 where there is no proposal.
    pub claimed_size: u32,
    /// Blocks added so far, that of the padding included.
    pub blocks_processed: u32,
    /// Bytes added so far, without padding.
    pub bytes_processed: u32,
    /// Whether it was challenged.
    pub countered: bool,
}

impl Metadata {
    /// Reads the word. Every word is one.
    pub fn unpack(word: B256) -> Self {
        let [a, b, c, d] = U256::from_be_bytes(word.0).into_limbs();
        Self {
            timestamp: d,
            part_offset: (c >> 32) as u32,
            claimed_size: c as u32,
            blocks_processed: (b >> 32) as u32,
            bytes_processed: b as u32,
            countered: a != 0,
        }
    }

    /// Whether there is a proposal.
    pub const fn is_open_or_closed(&self) -> bool {
        self.claimed_size != 0
    }
}

/// When a proposal may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Time of the latest L1 block.
    pub now: Timestamp,
    /// How long a closed proposal can be challenged.
    pub challenge_period: Seconds,
}

/// What a proposal needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// These calls, in this order. Each may be sent as soon as the one before it is.
    Send(Vec<Call>),
    /// Nothing before an L1 block has this time.
    Wait(Timestamp),
}

/// A large preimage and the part of it that is wanted.
#[derive(Clone, Debug)]
pub struct LargeProposal {
    data: Arc<[u8]>,
    part_offset: u32,
    claimant: Address,
    /// State after each block.
    commitments: Vec<B256>,
}

impl LargeProposal {
    /// Plans a proposal; absorbs the whole preimage once.
    ///
    /// # Errors
    /// [`ProposalError`] where the contract would refuse it.
    pub fn new(
        data: impl Into<Arc<[u8]>>,
        offset: u64,
        claimant: Address,
    ) -> Result<Self, ProposalError> {
        let data = data.into();
        let length_bytes = data.len();
        if block_count(length_bytes) > MAX_LEAVES {
            return Err(ProposalError::TooLong { length_bytes });
        }
        if block_count(length_bytes) < 2 {
            return Err(ProposalError::TooShort { length_bytes });
        }
        let part_offset = u32::try_from(offset).ok();
        let part_offset = part_offset
            .filter(|at| (*at as usize) < length_bytes + PREFIX_BYTES)
            .ok_or(ProposalError::Offset { offset, length_bytes })?;
        let mut sponge = Sponge::EMPTY;
        let commitments = padded_blocks(&data)
            .map(|block| {
                sponge.absorb(&block);
                sponge.commitment()
            })
            .collect();
        Ok(Self { data, part_offset, claimant, commitments })
    }

    /// The name of the proposal among those of its claimant: another part or another preimage has another.
    pub fn uuid(&self) -> U256 {
        uuid(&self.data, self.part_offset, self.claimant)
    }

    /// Who proposes.
    pub const fn claimant(&self) -> Address {
        self.claimant
    }

    /// What to do next, where the contract says `found` of the proposal. Only for a part that is not loaded
    /// yet: a squeezed proposal stays on chain as it was.
    ///
    /// # Errors
    /// [`ProposalError`] where the proposal cannot be completed.
    pub fn next(&self, found: &Metadata, schedule: Schedule) -> Result<Next, ProposalError> {
        if !found.is_open_or_closed() {
            let calls = std::iter::once(self.open()).chain(self.leaves_from(0)).collect();
            return Ok(Next::Send(calls));
        }
        if found.countered {
            return Err(ProposalError::Countered);
        }
        self.recognise(found)?;
        if found.timestamp == 0 {
            let done = found.blocks_processed as usize;
            return Ok(Next::Send(self.leaves_from(done).collect()));
        }
        // Strictly later than the end of the period.
        let period = schedule.challenge_period.0;
        let first = found.timestamp.saturating_add(period).saturating_add(1);
        if schedule.now.0 < first {
            return Ok(Next::Wait(Timestamp(first)));
        }
        Ok(Next::Send(vec![self.squeeze()]))
    }

    /// Whether the proposal on chain can have come from this plan.
    fn recognise(&self, found: &Metadata) -> Result<(), ProposalError> {
        let is_closed = found.timestamp != 0;
        let blocks = self.commitments.len();
        let done = found.blocks_processed as usize;
        let whole = done.min(blocks.saturating_sub(1)) * BLOCK_BYTES;
        let bytes = if is_closed { self.data.len() } else { whole };
        let blocks = if is_closed { blocks } else { done.min(blocks.saturating_sub(1)) };
        for (what, found, expected) in [
            ("the part's offset", found.part_offset.into(), self.part_offset as usize),
            ("the claimed size", found.claimed_size.into(), self.data.len()),
            ("the number of bytes", found.bytes_processed.into(), bytes),
            ("the number of blocks", found.blocks_processed.into(), blocks),
        ] {
            let expected = expected as u64;
            if found != expected {
                return Err(ProposalError::Foreign { what, found, expected });
            }
        }
        Ok(())
    }

    fn open(&self) -> Call {
        let call = Oracle::initLPPCall {
            _uuid: self.uuid(),
            _partOffset: self.part_offset,
            // `new` has checked that it is below 2^24.
            _claimedSize: self.data.len() as u32,
        };
        Call { target: Target::Oracle, value: BOND_WEI, data: call.abi_encode().into() }
    }

    /// The calls that add all blocks from `first` on.
    fn leaves_from(&self, first: usize) -> impl Iterator<Item = Call> {
        let mut start = first;
        std::iter::from_fn(move || {
            let last_start = self.commitments.len();
            if start >= last_start {
                return None;
            }
            let end = self.chunk_end(start);
            let call = self.leaves(start, end);
            start = end;
            Some(call)
        })
    }

    /// Where the call that begins with block `start` ends.
    fn chunk_end(&self, start: usize) -> usize {
        let end = start + CHUNK_BLOCKS;
        if end >= self.commitments.len() {
            return self.commitments.len();
        }
        // The contract takes the part from a single call, and there wants a byte behind it.
        let Some(part) = (self.part_offset as usize).checked_sub(PREFIX_BYTES) else { return end };
        let bytes_end = end * BLOCK_BYTES;
        let is_cut = part < bytes_end && part + PART_BYTES >= bytes_end;
        if is_cut { end - 1 } else { end }
    }

    fn leaves(&self, start: usize, end: usize) -> Call {
        let finalize = end == self.commitments.len();
        let bytes_end = if finalize { self.data.len() } else { end * BLOCK_BYTES };
        let input = self.data.get(start * BLOCK_BYTES..bytes_end).unwrap_or_default();
        let call = Oracle::addLeavesLPPCall {
            _uuid: self.uuid(),
            _inputStartBlock: U256::from(start),
            _input: input.to_vec().into(),
            _stateCommitments: self.commitments.get(start..end).unwrap_or_default().to_vec(),
            _finalize: finalize,
        };
        Call { target: Target::Oracle, value: U256::ZERO, data: call.abi_encode().into() }
    }

    fn squeeze(&self) -> Call {
        let mut hashes = Vec::with_capacity(self.commitments.len());
        let mut before = Sponge::EMPTY;
        let mut last_two: [Option<Leaf>; 2] = [None, None];
        let blocks = padded_blocks(&self.data).zip(&self.commitments);
        for (index, (input, commitment)) in (0..).zip(blocks) {
            if let [_, Some(previous)] = &last_two {
                before.absorb(&previous.input);
            }
            let leaf = Leaf { input, index, commitment: *commitment };
            hashes.push(leaf.hash());
            last_two.swap(0, 1);
            last_two[1] = Some(leaf);
        }
        let tree = LeafTree::new(hashes);
        let [pre, post] = last_two.map(|leaf| match leaf {
            Some(leaf) => (Oracle::Leaf::from(&leaf), tree.proof(leaf.index)),
            None => unreachable!("`new` refuses a preimage of a single block"),
        });
        let call = Oracle::squeezeLPPCall {
            _claimant: self.claimant,
            _uuid: self.uuid(),
            _stateMatrix: Oracle::StateMatrix::from(&before),
            _preState: pre.0,
            _preStateProof: pre.1,
            _postState: post.0,
            _postStateProof: post.1,
        };
        Call { target: Target::Oracle, value: U256::ZERO, data: call.abi_encode().into() }
    }
}

/// As the deployed challenger names proposals, so that either can go on where the other stopped.
fn uuid(data: &[u8], part_offset: u32, claimant: Address) -> U256 {
    let mut hasher = Keccak256::new();
    hasher.update(data);
    hasher.update(part_offset.to_le_bytes());
    hasher.update(claimant);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests;
