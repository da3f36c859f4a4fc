//! What all games of one kind share: its number, depths and clocks.
//!
//! Source: the deployed FaultDisputeGame, constructor and `initialize`.

use crate::{Depth, GameError, Seconds};
use core::fmt;

/// The number of a kind of game.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GameType(pub u32);

/// What all games of one implementation share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    max_depth: Depth,
    split_depth: Depth,
    max_clock_duration: Seconds,
    clock_extension: Seconds,
    challenge_period: Seconds,
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

impl fmt::Display for GameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "type {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{depth, parameters};

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
    fn the_last_levels_have_their_extensions_even_beside_each_other() {
        // Both rules fall on neighbouring depths: split depth 2 of 4.
        let game = parameters(4, 2);
        let extensions = [1, 2, 3, 4].map(|at| game.extension_at(depth(at)).0);
        assert_eq!(extensions, [21_600, 10_800, 97_200, 10_800]);
    }

    #[test]
    fn types_are_read_whole() {
        // One that is truncated to 8 bits would be Cannon's.
        assert_eq!(GameType(256).name(), None);
        assert_eq!(GameType(1337).name(), Some("kailua"));
        assert!(!GameType(0x0104).is_super());
    }
}
