//! Truth, as the honest solver sees it.
//!
//! The solver knows neither nodes nor machines. It asks a [`Trace`] what honest players claim at a position and
//! what a step needs, and never asks for more than the move at hand takes.

use crate::{ClaimIndex, Game, Position};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256};

/// What is true in one game.
///
/// A position alone does not say which trace is meant: below the split depth every pair of neighbouring output
/// claims has one of its own. So each question comes with a claim as `reference`, which is the one at the
/// position or the one that a claim at the position answers; [`Game::span`] gives the outputs between
/// which the trace runs.
///
/// Contract: the same question gives the same answer. An implementation that cannot be sure (a node that lags,
/// sources that disagree, a run that failed) returns an error, and no move depends on it.
pub trait Trace {
    /// Why there is no answer.
    type Error;

    /// What honest players claim at `position`.
    ///
    /// At most at the split depth: the output root of [`Game::l2_block_at`] the position, or of the last block
    /// that can be derived up to the game's L1 head where that is earlier. Below: the state hash of
    /// the machine after the instruction that the position commits to, between the outputs of
    /// [`Game::span`]; past the end of the run that of its last state.
    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, Self::Error>;

    /// What a step needs that executes the instruction at `position`, which is at the largest depth: the state
    /// before it, and the proof. Index 0 of a trace starts from the absolute prestate.
    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, Self::Error>;

    /// The proof that the root claim is right for an earlier block than the game says, where the claimed block
    /// cannot be derived up to the game's L1 head. None where it can, and always in super games.
    ///
    /// The solver asks only where the root claim's value is that of [`Self::claim`].
    fn l2_block_challenge(&mut self, game: &Game) -> Result<Option<L2BlockChallenge>, Self::Error>;
}

impl<T: Trace + ?Sized> Trace for &mut T {
    type Error = T::Error;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, Self::Error> {
        (**self).claim(game, reference, position)
    }

    fn step_data(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<StepData, Self::Error> {
        (**self).step_data(game, reference, position)
    }

    fn l2_block_challenge(&mut self, game: &Game) -> Result<Option<L2BlockChallenge>, Self::Error> {
        (**self).l2_block_challenge(game)
    }
}

/// Arguments of a step, and what the oracle must hold first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepData {
    /// The packed state before the instruction.
    pub prestate: Vec<u8>,
    /// The step proof.
    pub proof: Vec<u8>,
    /// The part of a preimage that the instruction reads, if it reads any.
    pub preimage: Option<PreimagePart>,
}

/// 32 bytes or less of a preimage, and what convinces the oracle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreimagePart {
    /// The key as the program asks for it, type in the first byte: local keys are not yet localised.
    pub key: B256,
    /// The whole preimage, without the length in front.
    pub data: Vec<u8>,
    /// Where the part starts, in bytes of `length (8, big endian) || data`.
    pub offset: u64,
    /// What the oracle needs besides.
    pub evidence: Evidence,
}

/// What shows that a preimage belongs to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The data alone: its hash is the key. For local data nothing: the game vouches for it.
    Data,
    /// A KZG proof that a blob has the value `y` at `z`.
    Blob {
        /// The point, a root of unity.
        z: B256,
        /// The value.
        y: B256,
        /// KZG commitment to the blob, 48 bytes.
        commitment: Vec<u8>,
        /// KZG proof, 48 bytes.
        proof: Vec<u8>,
    },
    /// The call that has the data as its result.
    Precompile {
        /// The precompile.
        address: Address,
        /// Gas with which it finishes, as it stands in the key's preimage.
        required_gas: u64,
        /// Its input.
        input: Vec<u8>,
    },
}

/// Arguments of `challengeRootL2Block`: the preimage of the root claim, and the header that it commits to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L2BlockChallenge {
    /// Version of the output, zero.
    pub version: B256,
    /// Root of the account trie.
    pub state_root: B256,
    /// Storage root of the message passer.
    pub message_passer_storage_root: B256,
    /// Hash of the block, which is that of the header.
    pub latest_block_hash: B256,
    /// The header, RLP encoded.
    pub header_rlp: Vec<u8>,
}
