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

use crate::{Bond, Clock, Depth, Position, PositionError, Seconds, Side, Timestamp};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, U256, keccak256};
use core::fmt;
use thiserror::Error;

/// The number of a kind of game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GameType(pub u32);

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

/// What all games of one implementation share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    max_depth: Depth,
    split_depth: Depth,
    max_clock_duration: Seconds,
    clock_extension: Seconds,
    challenge_period: Seconds,
}

/// A number of claims, counted from the root, which is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimIndex(pub u32);

/// A claim, with what the contract stores about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The claim that it answers; none for the root.
    pub parent: Option<ClaimIndex>,
    /// Who has countered it: by a step, or once its subgame is resolved against it.
    pub countered_by: Option<Address>,
    /// Who made it.
    pub claimant: Address,
    /// What it brought.
    pub bond: Bond,
    /// An output root, or below the split depth a state hash with the status in its first byte.
    pub value: B256,
    /// Where it stands.
    pub position: Position,
    /// What its side had used, and when it was made.
    pub clock: Clock,
}

/// How far the subgame under a claim is resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// Whether it is.
    pub resolved: bool,
    /// How many of its children have been looked at.
    pub visited: u32,
}

/// An output root (a super root in super games) and its L2 block number (its timestamp).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The root.
    pub root: B256,
    /// The number.
    pub l2_sequence_number: u64,
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

/// The two neighbouring output claims between which an execution trace runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The agreed output's claim; none where it is the game's starting output.
    pub starting: Option<ClaimIndex>,
    /// The disputed output's claim.
    pub disputed: ClaimIndex,
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

impl GameType {
    /// Cannon.
    pub const CANNON: Self = Self(0);
    /// Cannon, for a fixed proposer and challenger.
    pub const PERMISSIONED_CANNON: Self = Self(1);
    /// Asterisc.
    pub const ASTERISC: Self = Self(2);
    /// Asterisc with the kona program.
    pub const ASTERISC_KONA: Self = Self(3);
    /// Cannon over super roots.
    pub const SUPER_CANNON: Self = Self(4);
    /// Cannon over super roots, for a fixed proposer and challenger.
    pub const SUPER_PERMISSIONED_CANNON: Self = Self(5);
    /// OP Succinct.
    pub const OP_SUCCINCT: Self = Self(6);
    /// Asterisc over super roots with the kona program.
    pub const SUPER_ASTERISC_KONA: Self = Self(7);
    /// Cannon with the kona program.
    pub const CANNON_KONA: Self = Self(8);
    /// Cannon over super roots with the kona program.
    pub const SUPER_CANNON_KONA: Self = Self(9);
    /// Validity proofs.
    pub const ZK: Self = Self(10);
    /// The alphabet machine with short clocks, for tests.
    pub const FAST: Self = Self(254);
    /// The alphabet machine, for tests.
    pub const ALPHABET: Self = Self(255);
    /// Kailua.
    pub const KAILUA: Self = Self(1337);

    /// Whether its proposals are super roots.
    pub const fn is_super(self) -> bool {
        matches!(self.0, 4 | 5 | 7 | 9)
    }

    /// Whether only a fixed proposer and challenger may play.
    pub const fn is_permissioned(self) -> bool {
        matches!(self.0, 1 | 5)
    }

    /// The type that operators call so; none where they call none so.
    pub fn named(name: &str) -> Option<Self> {
        // Numbers are sparse, and few.
        (0..=Self::KAILUA.0).map(Self).find(|kind| kind.name() == Some(name))
    }

    /// What operators call it; none for unknown numbers.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::CANNON => "cannon",
            Self::PERMISSIONED_CANNON => "permissioned",
            Self::ASTERISC => "asterisc",
            Self::ASTERISC_KONA => "asterisc-kona",
            Self::SUPER_CANNON => "super-cannon",
            Self::SUPER_PERMISSIONED_CANNON => "super-permissioned",
            Self::OP_SUCCINCT => "op-succinct",
            Self::SUPER_ASTERISC_KONA => "super-asterisc-kona",
            Self::CANNON_KONA => "cannon-kona",
            Self::SUPER_CANNON_KONA => "super-cannon-kona",
            Self::ZK => "zk",
            Self::FAST => "fast",
            Self::ALPHABET => "alphabet",
            Self::KAILUA => "kailua",
            _ => return None,
        })
    }
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

impl Parameters {
    /// The deepest that contracts allow claims to be.
    pub const LARGEST_DEPTH: u64 = 125;

    /// `challenge_period` is the oracle's, for large preimages.
    ///
    /// # Errors
    /// [`GameError`] where a contract with these parameters could not be deployed or not be played.
    pub fn new(
        max_depth: u64,
        split_depth: u64,
        max_clock_duration: Seconds,
        clock_extension: Seconds,
        challenge_period: Seconds,
    ) -> Result<Self, GameError> {
        if max_depth > Self::LARGEST_DEPTH {
            return Err(GameError::MaxDepth(max_depth));
        }
        let split = GameError::SplitDepth { split: split_depth, max: max_depth };
        if split_depth < 2 || split_depth.checked_add(1).is_none_or(|below| below >= max_depth) {
            return Err(split);
        }
        let doubled = clock_extension.0.checked_mul(2);
        let with_challenge = clock_extension.0.checked_add(challenge_period.0);
        match (doubled, with_challenge) {
            (Some(a), Some(b)) if a.max(b) <= max_clock_duration.0 => {}
            _ => return Err(GameError::ClockExtension),
        }
        Ok(Self {
            max_depth: Depth::new(max_depth)?,
            split_depth: Depth::new(split_depth)?,
            max_clock_duration,
            clock_extension,
            challenge_period,
        })
    }

    /// Depth of the leaves of execution traces.
    pub fn max_depth(&self) -> Depth {
        self.max_depth
    }

    /// Depth of the leaves of the output tree.
    pub fn split_depth(&self) -> Depth {
        self.split_depth
    }

    /// Levels of an execution trace: depth of its leaves below its root.
    pub fn execution_depth(&self) -> Depth {
        // The split depth is at least two less than the largest.
        let levels = self.max_depth.get() - self.split_depth.get() - 1;
        Depth::new(levels.into()).unwrap_or(Depth::ROOT)
    }

    /// What one side may use before it can move no more.
    pub fn max_clock_duration(&self) -> Seconds {
        self.max_clock_duration
    }

    /// What a side that moves at the last moment keeps for its next answer, unless that needs more.
    pub fn clock_extension(&self) -> Seconds {
        self.clock_extension
    }

    /// How long large preimages can be challenged.
    pub fn challenge_period(&self) -> Seconds {
        self.challenge_period
    }

    /// What the side that makes a claim at `depth` keeps at least for answering an answer to it: more where
    /// that takes a run of the program, or a step with a large preimage.
    pub fn extension_at(&self, depth: Depth) -> Seconds {
        let extension = self.clock_extension.0;
        // Sums that `new` has checked.
        if depth.below() == self.max_depth {
            Seconds(extension.saturating_add(self.challenge_period.0))
        } else if depth.below() == self.split_depth {
            Seconds(extension.saturating_mul(2))
        } else {
            Seconds(extension)
        }
    }
}

impl Claim {
    /// Whether it is an attack or a defence. The root counts as neither.
    pub fn side(&self) -> Option<Side> {
        self.parent?;
        Some(if self.position.gindex() & 2 == 0 || self.position.depth() == Depth::ROOT.below() {
            Side::Attack
        } else {
            Side::Defend
        })
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
                if !answers.contains(&true) || claim.position.depth() > self.parameters.max_depth {
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
        Ok(Seconds(total).min(self.parameters.max_clock_duration))
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
        let max = self.parameters.max_clock_duration;
        if used == max {
            return Ok(None);
        }
        let depth = self.claim(index)?.position.answer(side)?.depth();
        let kept = Seconds(max.0.saturating_sub(self.parameters.extension_at(depth).0));
        Ok(Some(Clock { duration: used.min(kept), timestamp: now }))
    }

    /// The claim above `from`, or `from` itself, that commits to the same output as `position`.
    ///
    /// # Errors
    /// [`GameError::NoAncestor`] where there is none.
    pub fn output_ancestor(
        &self,
        from: ClaimIndex,
        position: Position,
    ) -> Result<ClaimIndex, GameError> {
        self.find_ancestor(from, position.trace_ancestor())
            .ok_or(GameError::NoAncestor { claim: from, position })
    }

    /// The claim above `from`, or `from` itself, that commits to the same state as `position` in the same
    /// execution trace.
    ///
    /// # Errors
    /// [`GameError`] where there is none.
    pub fn execution_ancestor(
        &self,
        from: ClaimIndex,
        position: Position,
    ) -> Result<ClaimIndex, GameError> {
        self.find_ancestor(from, position.trace_ancestor_below(self.parameters.split_depth)?)
            .ok_or(GameError::NoAncestor { claim: from, position })
    }

    fn find_ancestor(&self, from: ClaimIndex, position: Position) -> Option<ClaimIndex> {
        self.lineage(from).find(|(_, claim)| claim.position == position).map(|(index, _)| index)
    }

    /// The outputs between which the execution trace runs that `position`, an answer to `reference` or its
    /// own position, belongs to.
    ///
    /// # Errors
    /// [`GameError`] where `position` is not below the split depth, or `reference` is of another trace.
    pub fn span(&self, reference: ClaimIndex, position: Position) -> Result<Span, GameError> {
        let split = self.parameters.split_depth;
        if position.depth() <= split {
            let asked = split.below();
            return Err(PositionError::Level { depth: position.depth(), asked }.into());
        }
        let none = GameError::NoAncestor { claim: reference, position };
        let (leaf, claim) = self
            .lineage(reference)
            .find(|(_, claim)| claim.position.depth() == split)
            .ok_or(none)?;
        let leaf_position = claim.position;
        let root = position.ancestor_at(split.below())?;
        if root.ancestor_at(split)? == leaf_position
            && leaf_position.answer(Side::Attack) == Ok(root)
        {
            let starting = match leaf_position.left() {
                Some(left) => Some(self.output_ancestor(leaf, left)?),
                None => None,
            };
            Ok(Span { starting, disputed: leaf })
        } else if leaf_position.answer(Side::Defend) == Ok(root) {
            let right = leaf_position.right().ok_or(none)?;
            Ok(Span { starting: Some(leaf), disputed: self.output_ancestor(leaf, right)? })
        } else {
            Err(none)
        }
    }

    /// The L2 block number that an output claim at `position` is of: that of its index in the output tree, at
    /// most the root's.
    ///
    /// # Errors
    /// [`GameError::Position`] below the split depth.
    pub fn l2_block_at(&self, position: Position) -> Result<u64, GameError> {
        let index = position.trace_index(self.parameters.split_depth)?;
        let block =
            index.0.saturating_add(1).saturating_add(self.starting.l2_sequence_number.into());
        Ok(u64::try_from(block).unwrap_or(u64::MAX).min(self.l2_sequence_number))
    }

    /// What ties local data in the preimage oracle to one execution trace: a hash of the two outputs' claims
    /// and positions.
    ///
    /// # Errors
    /// [`GameError::NoClaim`] where the span is that of another game.
    pub fn local_context(&self, span: Span) -> Result<B256, GameError> {
        let mut words = Vec::with_capacity(128);
        let mut absorb = |claim: &Claim| {
            words.extend_from_slice(claim.value.as_slice());
            words.extend_from_slice(&U256::from(claim.position.gindex()).to_be_bytes::<32>());
        };
        if let Some(starting) = span.starting {
            absorb(self.claim(starting)?);
        }
        absorb(self.claim(span.disputed)?);
        Ok(keccak256(words))
    }
}

impl ClaimIndex {
    /// The root claim's.
    pub const ROOT: Self = Self(0);
}

impl fmt::Display for ClaimIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for GameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
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
    use crate::fixtures::{claim, depth, parameters, path, position};
    use Side::{Attack, Defend};
    use core::iter::repeat_n;

    const MAX: Seconds = Seconds(302_400);

    #[test]
    fn parameters_that_cannot_be_deployed_are_refused() {
        let check = |max_depth, split_depth, extension, period, want| {
            let new =
                Parameters::new(max_depth, split_depth, MAX, Seconds(extension), Seconds(period));
            assert_eq!(new.err(), want);
        };
        let split = |split, max| Some(GameError::SplitDepth { split, max });
        check(73, 30, 10_800, 86_400, None);
        check(4, 2, 0, 0, None);
        check(125, 123, 0, 0, None);
        check(126, 30, 0, 0, Some(GameError::MaxDepth(126)));
        check(73, 1, 0, 0, split(1, 73));
        check(4, 3, 0, 0, split(3, 4));
        check(4, 4, 0, 0, split(4, 4));
        check(4, u64::MAX, 0, 0, split(u64::MAX, 4));
        check(73, 30, 151_200, 0, None);
        check(73, 30, 151_201, 0, Some(GameError::ClockExtension));
        check(73, 30, 10_800, 291_600, None);
        check(73, 30, 10_800, 291_601, Some(GameError::ClockExtension));
        check(73, 30, u64::MAX, 0, Some(GameError::ClockExtension));
        check(73, 30, 1, u64::MAX, Some(GameError::ClockExtension));
    }

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

    /// The blocks of a tree of depth 30 over a range of 8 blocks.
    #[test]
    fn output_claims_are_of_blocks_up_to_the_claimed_one() {
        let game = path(parameters(73, 30), []);
        let check =
            |gindex, want| assert_eq!(game.l2_block_at(position(gindex)), Ok(want), "{gindex}");
        check(1, 108);
        check(1 << 27, 108);
        check(1 << 28, 104);
        check((1 << 29) + 2, 106);
        check(1 << 30, 101);
        check((1 << 30) + 5, 106);
        check((1 << 30) + 8, 108);
        assert!(game.l2_block_at(position(1 << 31)).is_err());
    }

    #[test]
    fn a_leaf_opens_a_trace_to_its_left_and_one_to_its_right() {
        let check = |sides: &[Side], next, starting: Option<u32>, disputed| {
            let game = path(parameters(8, 3), sides.iter().copied());
            let leaf = ClaimIndex(3);
            let root = game.claim(leaf).unwrap().position.answer(next).unwrap();
            let want = Span { starting: starting.map(ClaimIndex), disputed: ClaimIndex(disputed) };
            assert_eq!(game.span(leaf, root), Ok(want));
            // The same from further down.
            let deeper =
                path(parameters(8, 3), sides.iter().copied().chain([next, Attack, Defend]));
            let (last, claim) = deeper.claims().last().unwrap();
            assert_eq!(deeper.span(last, claim.position), Ok(want));
        };
        check(&[Attack, Attack, Attack], Attack, None, 3);
        check(&[Attack, Attack, Attack], Defend, Some(3), 2);
        check(&[Attack, Attack, Defend], Attack, Some(2), 3);
        check(&[Attack, Attack, Defend], Defend, Some(3), 1);
        check(&[Attack, Defend, Attack], Attack, Some(1), 3);
        check(&[Attack, Defend, Attack], Defend, Some(3), 2);
        check(&[Attack, Defend, Defend], Defend, Some(3), 0);
    }

    #[test]
    fn other_traces_have_no_span() {
        let game = path(parameters(8, 3), [Attack, Attack, Attack, Attack]);
        let last = ClaimIndex(4);
        assert!(game.span(last, position(8)).is_err(), "an output");
        assert!(game.span(last, position(20)).is_err(), "the trace of another leaf");
        assert!(game.span(ClaimIndex(2), position(16)).is_err(), "no leaf above");
        assert!(game.span(ClaimIndex(9), position(16)).is_err(), "no claim");
    }

    #[test]
    fn the_local_context_is_of_both_outputs_unless_the_first_is_the_anchor() {
        let game = path(parameters(8, 3), [Attack, Attack, Attack]);
        let context = |starting: Option<u32>, disputed| {
            let span = Span { starting: starting.map(ClaimIndex), disputed: ClaimIndex(disputed) };
            game.local_context(span).unwrap()
        };
        // Values of these claims are their positions.
        let hash = |words: &[u128]| {
            let bytes: Vec<u8> =
                words.iter().flat_map(|word| U256::from(*word).to_be_bytes::<32>()).collect();
            keccak256(bytes)
        };
        assert_eq!(context(None, 3), hash(&[8, 8]));
        assert_eq!(context(Some(3), 2), hash(&[8, 8, 4, 4]));
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
    fn the_last_levels_have_their_extensions_even_beside_each_other() {
        // Both rules fall on neighbouring depths: split depth 2 of 4.
        let game = parameters(4, 2);
        let extensions = [1, 2, 3, 4].map(|at| game.extension_at(depth(at)).0);
        assert_eq!(extensions, [21_600, 10_800, 97_200, 10_800]);
    }

    #[test]
    fn numbers_from_the_chain_are_read_whole() {
        // A type that is truncated to 8 bits would be Cannon's.
        assert_eq!(GameType(256).name(), None);
        assert_eq!(GameType(1337).name(), Some("kailua"));
        assert!(!GameType(0x0104).is_super());
        assert_eq!(GameStatus::try_from(2), Ok(GameStatus::DefenderWins));
        assert_eq!(GameStatus::try_from(3), Err(GameError::Status(3)));
    }
}
