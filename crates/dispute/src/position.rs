//! Positions: where in the tree of a game a claim stands.
//!
//! A position is a generalised index. The root is 1, the children of `g` are `2g` and `2g + 1`:
//!
//! ```text
//!   depth 0              1
//!                 ┌──────┴──────┐
//!   depth 1       2             3
//!              ┌──┴──┐       ┌──┴──┐
//!   depth 2    4     5       6     7
//!   index      0     1       2     3
//! ```
//!
//! A claim at a position commits to the trace up to the rightmost leaf below it. So 2 and 5 commit to the same
//! trace index, and 2 is the *trace ancestor* of 5: the highest position that does.
//!
//! Invariant: a [`Position`] is neither 0 nor deeper than [`Depth::MAX`], so no arithmetic on it overflows.
//!
//! Source: fault dispute game specification, "Position"; `LibPosition` of the deployed contracts.

use core::fmt;
use thiserror::Error;

/// Levels below the root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Depth(u8);

/// Index of an instruction or of an output root, from the left, among the leaves of a tree of some depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceIndex(pub u128);

/// A generalised index of depth 0 to 126.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u128);

/// How a claim is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The claim is wrong: the answer commits to a trace index left of it.
    Attack,
    /// The claim is right as far as it goes: the answer commits to a trace index right of it.
    Defend,
}

/// What is no position, or has none there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PositionError {
    /// The index 0, which no node has.
    #[error("0 is no position")]
    Zero,
    /// Deeper than the 126 levels that the contracts' position library knows.
    #[error("deeper than {} levels", Depth::MAX)]
    TooDeep,
    /// A level that is not as deep as the position itself, or not as shallow.
    #[error("a position of depth {depth} has no relative at depth {asked}")]
    Level {
        /// Depth of the position.
        depth: Depth,
        /// Depth that was asked for.
        asked: Depth,
    },
    /// An index that a level of this depth does not have.
    #[error("depth {depth} has no index {index}")]
    Index {
        /// The level.
        depth: Depth,
        /// The index that was asked for.
        index: u128,
    },
}

impl Depth {
    /// The root's.
    pub const ROOT: Self = Self(0);

    /// The deepest level of a position: that of a step in a game of the largest depth, 125.
    pub const MAX: Self = Self(126);

    /// # Errors
    /// [`PositionError::TooDeep`] above [`Self::MAX`].
    pub const fn new(levels: u64) -> Result<Self, PositionError> {
        if levels > Self::MAX.0 as u64 {
            return Err(PositionError::TooDeep);
        }
        Ok(Self(levels as u8))
    }

    /// The number of levels.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// One level down. [`Self::MAX`] has no next level, and stays.
    pub const fn below(self) -> Self {
        if self.0 < Self::MAX.0 { Self(self.0 + 1) } else { self }
    }

    /// Whether claims at the two depths are of the same side: that of the root's claimant, or the other.
    pub const fn same_side(self, other: Self) -> bool {
        (self.0 ^ other.0) & 1 == 0
    }
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TraceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Position {
    /// Of the root claim.
    pub const ROOT: Self = Self(1);

    /// # Errors
    /// Where `gindex` is 0 or deeper than [`Depth::MAX`].
    pub const fn new(gindex: u128) -> Result<Self, PositionError> {
        if gindex == 0 {
            return Err(PositionError::Zero);
        }
        if gindex >> (Depth::MAX.0 + 1) != 0 {
            return Err(PositionError::TooDeep);
        }
        Ok(Self(gindex))
    }

    /// The position at `index` from the left on a level.
    ///
    /// # Errors
    /// [`PositionError::Index`] where the level has no such index.
    pub const fn at(depth: Depth, index: u128) -> Result<Self, PositionError> {
        let width = 1 << depth.0;
        if index >= width {
            return Err(PositionError::Index { depth, index });
        }
        Ok(Self(width | index))
    }

    /// The generalised index.
    pub const fn gindex(self) -> u128 {
        self.0
    }

    /// Levels below the root.
    pub const fn depth(self) -> Depth {
        Depth(self.0.ilog2() as u8)
    }

    /// Index from the left on its level.
    pub const fn index_at_depth(self) -> u128 {
        self.0 ^ (1 << self.depth().0)
    }

    /// Where an answer to a claim at this position stands. Both are left children.
    ///
    /// # Errors
    /// [`PositionError::TooDeep`] at [`Depth::MAX`].
    pub const fn answer(self, side: Side) -> Result<Self, PositionError> {
        if self.depth().0 >= Depth::MAX.0 {
            return Err(PositionError::TooDeep);
        }
        match side {
            Side::Attack => Ok(Self(self.0 << 1)),
            Side::Defend => Ok(Self((self.0 | 1) << 1)),
        }
    }

    /// The position above; none for the root.
    pub const fn parent(self) -> Option<Self> {
        if self.0 == 1 { None } else { Some(Self(self.0 >> 1)) }
    }

    /// The position above this one at `depth`; itself at its own depth.
    ///
    /// # Errors
    /// [`PositionError::Level`] where `depth` is below it.
    pub const fn ancestor_at(self, depth: Depth) -> Result<Self, PositionError> {
        let own = self.depth();
        if depth.0 > own.0 {
            return Err(PositionError::Level { depth: own, asked: depth });
        }
        Ok(Self(self.0 >> (own.0 - depth.0)))
    }

    /// The rightmost position below this one at `max_depth`: what a claim here commits to.
    ///
    /// # Errors
    /// [`PositionError::Level`] where `max_depth` is above it.
    pub const fn right_index(self, max_depth: Depth) -> Result<Self, PositionError> {
        let depth = self.depth();
        if depth.0 > max_depth.0 {
            return Err(PositionError::Level { depth, asked: max_depth });
        }
        let levels = max_depth.0 - depth.0;
        Ok(Self(self.0 << levels | ((1 << levels) - 1)))
    }

    /// Index of [`Self::right_index`] among the leaves at `max_depth`.
    ///
    /// # Errors
    /// [`PositionError::Level`] where `max_depth` is above it.
    pub const fn trace_index(self, max_depth: Depth) -> Result<TraceIndex, PositionError> {
        match self.right_index(max_depth) {
            Ok(leaf) => Ok(TraceIndex(leaf.index_at_depth())),
            Err(error) => Err(error),
        }
    }

    /// The highest position that commits to the same trace index.
    pub const fn trace_ancestor(self) -> Self {
        let above = self.0 >> self.0.trailing_ones();
        // Only ones: the right edge of the tree, which the root commits to.
        if above == 0 { Self::ROOT } else { Self(above) }
    }

    /// The highest position below `limit` that commits to the same trace index: within an execution trace
    /// where `limit` is the split depth.
    ///
    /// # Errors
    /// [`PositionError::Level`] where the position itself is not below `limit`.
    pub const fn trace_ancestor_below(self, limit: Depth) -> Result<Self, PositionError> {
        if self.depth().0 <= limit.0 {
            return Err(PositionError::Level { depth: self.depth(), asked: limit });
        }
        let ancestor = self.trace_ancestor();
        if ancestor.depth().0 <= limit.0 {
            ancestor.right_index(limit.below())
        } else {
            Ok(ancestor)
        }
    }

    /// This position as seen from the root of the subtree at `depth` that holds it.
    ///
    /// # Errors
    /// [`PositionError::Level`] where `depth` is below it.
    pub const fn relative_to(self, depth: Depth) -> Result<Self, PositionError> {
        let own = self.depth();
        if depth.0 > own.0 {
            return Err(PositionError::Level { depth: own, asked: depth });
        }
        let width = 1 << (own.0 - depth.0);
        Ok(Self(width | (self.0 & (width - 1))))
    }

    /// The position to the left on the same level; none at the left edge.
    pub const fn left(self) -> Option<Self> {
        if self.index_at_depth() == 0 { None } else { Some(Self(self.0 - 1)) }
    }

    /// The position to the right on the same level; none at the right edge.
    pub const fn right(self) -> Option<Self> {
        let next = self.0 + 1;
        if next.is_power_of_two() { None } else { Some(Self(next)) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attack => "attack",
            Self::Defend => "defend",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{depth, position};
    use Side::{Attack, Defend};

    #[test]
    fn answers_are_left_children() {
        let check = |gindex, side, want: u128| {
            assert_eq!(position(gindex).answer(side).unwrap().gindex(), want, "{side} {gindex}")
        };
        check(1, Attack, 2);
        check(2, Attack, 4);
        check(2, Defend, 6);
        check(6, Attack, 12);
        check(4, Defend, 10);
        let deepest = Position::at(Depth::MAX, 0).unwrap();
        assert_eq!(deepest.answer(Attack), Err(PositionError::TooDeep));
        assert_eq!(deepest.parent().unwrap().answer(Attack), Ok(deepest));
    }

    #[test]
    fn only_indices_of_the_tree_are_positions() {
        assert_eq!(Position::new(0), Err(PositionError::Zero));
        assert_eq!(Position::new(1), Ok(Position::ROOT));
        assert_eq!(position((1 << 127) - 1).depth(), Depth::MAX);
        for gindex in [1 << 127, u128::MAX] {
            assert_eq!(Position::new(gindex), Err(PositionError::TooDeep));
        }
        let index = PositionError::Index { depth: depth(3), index: 8 };
        assert_eq!(Position::at(depth(3), 8), Err(index));
        assert_eq!(Position::at(depth(3), 7), Ok(position(15)));
        assert_eq!(Depth::new(127), Err(PositionError::TooDeep));
        assert_eq!(Depth::new(u64::MAX), Err(PositionError::TooDeep));
    }

    /// By walking: the last position on the way up that commits to the same leaf.
    #[test]
    fn the_trace_ancestor_is_the_highest_that_commits_to_the_same() {
        let max = depth(7);
        for gindex in 1..256 {
            let own = position(gindex);
            let commits = |p: &Position| p.trace_index(max) == own.trace_index(max);
            let up = || core::iter::successors(Some(own), |p| p.parent());
            let want = up().take_while(commits).last().unwrap();
            assert_eq!(own.trace_ancestor(), want, "{gindex}");
            for limit in 0..own.depth().get() {
                let below = |p: &Position| p.depth().get() > limit;
                let want = up().take_while(|p| commits(p) && below(p)).last().unwrap();
                assert_eq!(
                    own.trace_ancestor_below(depth(limit)),
                    Ok(want),
                    "{gindex} below {limit}"
                );
            }
            let level = PositionError::Level { depth: own.depth(), asked: own.depth() };
            assert_eq!(own.trace_ancestor_below(own.depth()), Err(level));
        }
    }

    #[test]
    fn neighbours_end_at_the_edges() {
        let check = |gindex, left: Option<u128>, right: Option<u128>| {
            let own = position(gindex);
            assert_eq!(own.left().map(Position::gindex), left, "left of {gindex}");
            assert_eq!(own.right().map(Position::gindex), right, "right of {gindex}");
        };
        check(1, None, None);
        check(2, None, Some(3));
        check(3, Some(2), None);
        check(12, Some(11), Some(13));
        check((1 << 127) - 1, Some((1 << 127) - 2), None);
        check(1 << 126, None, Some((1 << 126) + 1));
    }

    #[test]
    fn the_largest_trees_do_not_overflow() {
        let leftmost = Position::at(depth(126), 0).unwrap();
        assert_eq!(leftmost.trace_index(Depth::MAX), Ok(TraceIndex(0)));
        assert_eq!(Position::ROOT.trace_index(Depth::MAX), Ok(TraceIndex((1 << 126) - 1)));
        let middle = Position::at(depth(64), 1 << 63).unwrap();
        assert_eq!(middle.trace_index(depth(126)), Ok(TraceIndex((1 << 125) + (1 << 62) - 1)));
        assert_eq!(middle.trace_index(depth(64)), Ok(TraceIndex(1 << 63)));
        let level = PositionError::Level { depth: depth(64), asked: depth(63) };
        assert_eq!(middle.trace_index(depth(63)), Err(level));
        let edge = Position::at(Depth::MAX, (1 << 126) - 1).unwrap();
        assert_eq!(edge.trace_ancestor(), Position::ROOT);
        assert_eq!(edge.trace_ancestor_below(depth(30)).unwrap().gindex(), (1 << 32) - 1);
        assert_eq!(edge.relative_to(depth(1)), Ok(position((1 << 126) - 1)));
    }
}
