//! A game: its parameters and its claims, as one reading of the contract gives them.
//!
//! ```text
//!   depth 0 ............ root claim: an output root
//!         ┊              claims about output roots, one per L2 block
//!   split depth ........ leaves of the output tree
//!   split depth + 1 .... roots of execution traces: the state after the program has run, with its verdict
//!         ┊              claims about states of the virtual machine, one per instruction
//!   max depth .......... leaves: one instruction between two neighbours, decided by a step
//! ```
//!
//! Invariants: the first claim is the root; a parent stands before its children; a claim stands where an attack
//! or a defence of its parent puts it, not below the largest depth. What a contract answers is checked
//! against them before anything here works on it.
//!
//! Source: fault dispute game specification, "Dispute game"; the deployed FaultDisputeGame.

use crate::{
    Claim, ClaimIndex, Clock, Parameters, Position, PositionError, Proposal, Resolution, Seconds,
    Side, Timestamp,
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256};
use core::fmt;
use thiserror::Error;

/// Where a game stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GameStatus {
    /// Not resolved.
    #[default]
    InProgress,
    /// The root claim is refuted.
    ChallengerWins,
    /// The root claim stands.
    DefenderWins,
}

/// One game at one L1 block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Game {
    parameters: Parameters,
    starting: Proposal,
    l2_sequence_number: u64,
    claims: Vec<Claim>,
    children: Vec<Vec<ClaimIndex>>,
    resolutions: Vec<Resolution>,
    /// Where it stands.
    pub status: GameStatus,
    /// Who has shown that the root is not that of the claimed block.
    pub l2_block_number_challenger: Option<Address>,
}

/// What no game has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GameError {
    /// A largest depth that contracts refuse.
    #[error("the largest depth {0} is above 125")]
    MaxDepth(u64),
    /// A split depth that contracts refuse.
    #[error("the split depth {split} must be at least 2 and 2 less than the largest depth {max}")]
    SplitDepth {
        /// Split depth.
        split: u64,
        /// Largest depth.
        max: u64,
    },
    /// Clock parameters that contracts refuse.
    #[error("the longest extension of a clock is longer than a clock")]
    ClockExtension,
    /// A status that contracts do not know.
    #[error("{0} is no status of a game")]
    Status(u8),
    /// Not a single claim.
    #[error("a game without a root claim")]
    Empty,
    /// A second root, or a first claim that is none.
    #[error("claim {0} is not at the root's place")]
    Root(ClaimIndex),
    /// A parent that does not stand before its child.
    #[error("claim {child} answers claim {parent}, which does not stand before it")]
    Parent {
        /// The claim.
        child: ClaimIndex,
        /// Its parent.
        parent: ClaimIndex,
    },
    /// A claim where neither attack nor defence puts it.
    #[error("claim {0} stands where no answer to its parent does")]
    Place(ClaimIndex),
    /// More claims than indices.
    #[error("more claims than a game can hold")]
    Full,
    /// An index without a claim.
    #[error("there is no claim {0}")]
    NoClaim(ClaimIndex),
    /// An ancestor that a claim must have, and has not.
    #[error("claim {claim} has no ancestor that commits to position {position}")]
    NoAncestor {
        /// The claim.
        claim: ClaimIndex,
        /// What is looked for.
        position: Position,
    },
    /// A position off the tree.
    #[error(transparent)]
    Position(#[from] PositionError),
}

impl TryFrom<u8> for GameStatus {
    type Error = GameError;

    fn try_from(status: u8) -> Result<Self, GameError> {
        match status {
            0 => Ok(Self::InProgress),
            1 => Ok(Self::ChallengerWins),
            2 => Ok(Self::DefenderWins),
            _ => Err(GameError::Status(status)),
        }
    }
}

impl Game {
    /// A game in progress with the claims in their order on chain, none of them resolved.
    ///
    /// # Errors
    /// [`GameError`] where the claims are not those of a game with these parameters.
    pub fn new(
        parameters: Parameters,
        starting: Proposal,
        l2_sequence_number: u64,
        claims: impl IntoIterator<Item = Claim>,
    ) -> Result<Self, GameError> {
        let mut game = Self {
            parameters,
            starting,
            l2_sequence_number,
            claims: Vec::new(),
            children: Vec::new(),
            resolutions: Vec::new(),
            status: GameStatus::InProgress,
            l2_block_number_challenger: None,
        };
        for claim in claims {
            game.push(claim)?;
        }
        if game.claims.is_empty() { Err(GameError::Empty) } else { Ok(game) }
    }

    /// Appends a claim.
    ///
    /// # Errors
    /// [`GameError`] where it cannot stand there; the game is then as it was.
    pub fn push(&mut self, claim: Claim) -> Result<ClaimIndex, GameError> {
        let next = u32::try_from(self.claims.len()).ok().filter(|next| *next < u32::MAX);
        let index = ClaimIndex(next.ok_or(GameError::Full)?);
        match claim.parent {
            None if index != ClaimIndex::ROOT || claim.position != Position::ROOT => {
                return Err(GameError::Root(index));
            }
            None => {}
            Some(_) if index == ClaimIndex::ROOT => return Err(GameError::Root(index)),
            Some(parent) => {
                let above = self
                    .claim(parent)
                    .map_err(|_| GameError::Parent { child: index, parent })?
                    .position;
                let answers = [Side::Attack, Side::Defend]
                    .map(|side| above.answer(side) == Ok(claim.position));
                if !answers.contains(&true) || claim.position.depth() > self.parameters.max_depth()
                {
                    return Err(GameError::Place(index));
                }
                if let Some(children) = self.children.get_mut(parent.0 as usize) {
                    children.push(index);
                }
            }
        }
        self.claims.push(claim);
        self.children.push(Vec::new());
        self.resolutions.push(Resolution::default());
        Ok(index)
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The output that everybody agrees on.
    pub fn starting(&self) -> Proposal {
        self.starting
    }

    /// L2 block number (or timestamp) that the root claims to be of.
    pub fn l2_sequence_number(&self) -> u64 {
        self.l2_sequence_number
    }

    /// All claims with their indices, in their order on chain.
    pub fn claims(
        &self,
    ) -> impl ExactSizeIterator<Item = (ClaimIndex, &Claim)> + DoubleEndedIterator {
        self.claims.iter().enumerate().map(|(index, claim)| (ClaimIndex(index as u32), claim))
    }

    /// The claim of an index.
    ///
    /// # Errors
    /// [`GameError::NoClaim`].
    pub fn claim(&self, index: ClaimIndex) -> Result<&Claim, GameError> {
        self.claims.get(index.0 as usize).ok_or(GameError::NoClaim(index))
    }

    /// The claims that answer a claim, in the order in which they were made.
    pub fn children(&self, index: ClaimIndex) -> &[ClaimIndex] {
        self.children.get(index.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// How far the subgame under a claim is resolved.
    pub fn resolution(&self, index: ClaimIndex) -> Resolution {
        self.resolutions.get(index.0 as usize).copied().unwrap_or_default()
    }

    /// Notes how far the subgame under a claim is resolved.
    ///
    /// # Errors
    /// [`GameError::NoClaim`].
    pub fn set_resolution(
        &mut self,
        index: ClaimIndex,
        resolution: Resolution,
    ) -> Result<(), GameError> {
        let place = self.resolutions.get_mut(index.0 as usize).ok_or(GameError::NoClaim(index))?;
        *place = resolution;
        Ok(())
    }

    /// Notes who has countered a claim.
    ///
    /// # Errors
    /// [`GameError::NoClaim`].
    pub fn set_countered_by(
        &mut self,
        index: ClaimIndex,
        countered_by: Option<Address>,
    ) -> Result<(), GameError> {
        let claim = self.claims.get_mut(index.0 as usize).ok_or(GameError::NoClaim(index))?;
        claim.countered_by = countered_by;
        Ok(())
    }

    /// The claim and what it answers, up to the root.
    pub fn lineage(&self, index: ClaimIndex) -> impl Iterator<Item = (ClaimIndex, &Claim)> {
        let first = self.claim(index).ok().map(|claim| (index, claim));
        core::iter::successors(first, |(_, claim)| {
            let parent = claim.parent?;
            Some((parent, self.claim(parent).ok()?))
        })
    }

    /// The answer to `parent` with this position and value, if it has been given.
    pub fn answer(
        &self,
        parent: ClaimIndex,
        position: Position,
        value: B256,
    ) -> Option<ClaimIndex> {
        self.children(parent).iter().copied().find(|child| {
            self.claim(*child).is_ok_and(|c| c.position == position && c.value == value)
        })
    }

    /// What the side that may answer a claim has used of its time, at most all of it. With all of it used it
    /// cannot move, and the claim can be resolved.
    ///
    /// # Errors
    /// [`GameError::NoClaim`].
    pub fn challenger_duration(
        &self,
        index: ClaimIndex,
        now: Timestamp,
    ) -> Result<Seconds, GameError> {
        let claim = self.claim(index)?;
        let used = match claim.parent {
            Some(parent) => self.claim(parent)?.clock.duration,
            None => Seconds(0),
        };
        let total = used.0.saturating_add(now.since(claim.clock.timestamp).0);
        Ok(Seconds(total).min(self.parameters.max_clock_duration()))
    }

    /// The clock that an answer to a claim gets when it is given `now`, if it can still be given.
    ///
    /// # Errors
    /// [`GameError`] where there is no such claim, or no level for an answer.
    pub fn clock_of_answer(
        &self,
        index: ClaimIndex,
        side: Side,
        now: Timestamp,
    ) -> Result<Option<Clock>, GameError> {
        let used = self.challenger_duration(index, now)?;
        let max = self.parameters.max_clock_duration();
        if used == max {
            return Ok(None);
        }
        let depth = self.claim(index)?.position.answer(side)?.depth();
        let kept = Seconds(max.0.saturating_sub(self.parameters.extension_at(depth).0));
        Ok(Some(Clock { duration: used.min(kept), timestamp: now }))
    }
}

impl fmt::Display for GameStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProgress => "in progress",
            Self::ChallengerWins => "challenger wins",
            Self::DefenderWins => "defender wins",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{claim, parameters, path};
    use Side::Attack;
    use core::iter::repeat_n;

    const MAX: Seconds = Seconds(302_400);

    #[test]
    fn claims_that_no_game_has_are_refused() {
        let starting = Proposal { root: B256::ZERO, l2_sequence_number: 0 };
        let check = |claims: &[Claim], want| {
            let game = Game::new(parameters(4, 2), starting, 1, claims.iter().copied());
            assert_eq!(game.err(), want);
        };
        let root = claim(None, 1);
        let missing = GameError::Parent { child: ClaimIndex(1), parent: ClaimIndex(1) };
        check(&[], Some(GameError::Empty));
        check(&[root, claim(Some(0), 2), claim(Some(1), 4), claim(Some(1), 6)], None);
        check(&[claim(None, 2)], Some(GameError::Root(ClaimIndex(0))));
        check(&[claim(Some(0), 2)], Some(GameError::Root(ClaimIndex(0))));
        check(&[root, root], Some(GameError::Root(ClaimIndex(1))));
        check(&[root, claim(Some(1), 2)], Some(missing));
        for gindex in [1, 3, 4, 6] {
            check(&[root, claim(Some(0), gindex)], Some(GameError::Place(ClaimIndex(1))));
        }
        let mut below = path(parameters(4, 2), repeat_n(Attack, 4));
        assert_eq!(below.push(claim(Some(4), 32)), Err(GameError::Place(ClaimIndex(5))));
        assert_eq!(below, path(parameters(4, 2), repeat_n(Attack, 4)));
    }

    #[test]
    fn a_side_uses_the_time_between_a_claim_and_its_answer() {
        let mut game = path(parameters(73, 30), []);
        let answer = |game: &mut Game, parent, gindex, now| {
            let parent = ClaimIndex(parent);
            let clock = game.clock_of_answer(parent, Attack, Timestamp(now)).unwrap().unwrap();
            game.push(Claim { clock, ..claim(Some(parent.0), gindex) }).unwrap();
            clock.duration
        };
        assert_eq!(answer(&mut game, 0, 2, 1000), Seconds(1000));
        assert_eq!(answer(&mut game, 1, 4, 1700), Seconds(700));
        assert_eq!(answer(&mut game, 2, 8, 2000), Seconds(1300));
        assert_eq!(game.challenger_duration(ClaimIndex(3), Timestamp(2050)), Ok(Seconds(750)));
        assert_eq!(game.challenger_duration(ClaimIndex(3), Timestamp(u64::MAX)), Ok(MAX));
        assert_eq!(game.challenger_duration(ClaimIndex(3), Timestamp(0)), Ok(Seconds(700)));
    }

    #[test]
    fn a_late_answer_leaves_its_side_the_extension() {
        let check = |at: u8, now, want: Option<u64>| {
            let game = path(parameters(73, 30), repeat_n(Attack, (at - 1).into()));
            let last = game.claims().last().unwrap().0;
            let clock = game.clock_of_answer(last, Attack, Timestamp(now)).unwrap();
            assert_eq!(clock.map(|clock| clock.duration.0), want, "depth {at} at {now}");
        };
        let kept = |extension: u64| Some(302_400 - extension);
        check(1, 302_399, kept(10_800));
        check(1, 302_400 - 10_801, Some(302_400 - 10_801));
        check(29, 302_399, kept(21_600));
        check(30, 302_399, kept(10_800));
        check(31, 302_399, kept(10_800));
        check(72, 302_399, kept(97_200));
        check(73, 302_399, kept(10_800));
        check(1, 302_400, None);
    }

    #[test]
    fn a_status_is_one_of_three() {
        assert_eq!(GameStatus::try_from(2), Ok(GameStatus::DefenderWins));
        assert_eq!(GameStatus::try_from(3), Err(GameError::Status(3)));
    }
}
