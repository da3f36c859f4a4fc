//! One claim, as the contract stores it.

use crate::{Bond, Clock, Depth, Position, Side};
use alloy_primitives::{Address, B256};
use core::fmt;

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

impl ClaimIndex {
    /// The root claim's.
    pub const ROOT: Self = Self(0);
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

impl fmt::Display for ClaimIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
