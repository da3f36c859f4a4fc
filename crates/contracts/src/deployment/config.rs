//! The configuration of a deployment. Its defaults are those of OP Mainnet.

use alloy_primitives::{Address, B256, U256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// Positions have at most 126 bits.
const MAX_DEPTH: u64 = 125;

/// One fault proof system: which chain it is for, who has which rights, and how games are played. Times are in
/// seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeploymentConfig {
    /// Id of the L1 chain. Where it is given, nothing is deployed on another one.
    pub l1_chain_id: Option<u64>,
    /// Id of the L2 chain.
    pub l2_chain_id: u64,
    /// Owns proxies, factory and system config in the end.
    pub owner: Address,
    /// Pauses, blacklists and retires.
    pub guardian: Address,
    /// Where games start before any is won.
    pub anchor: Anchor,
    /// The type of game on which withdrawals rest.
    pub respected_game_type: u32,
    /// Parameters of the L2 chain.
    pub system: SystemParameters,
    /// Least size of a large preimage proposal.
    pub min_proposal_size_bytes: u64,
    /// How long a large preimage proposal can be challenged.
    pub challenge_period_seconds: u64,
    /// Between the two steps of taking a bond out.
    pub weth_delay_seconds: u64,
    /// Between the proof of a withdrawal and its end.
    pub proof_maturity_delay_seconds: u64,
    /// Between the resolution of a game and its finality.
    pub finality_delay_seconds: u64,
    /// The types of game.
    pub games: Vec<GameConfig>,
}

/// An output root that is agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The output root; zero makes no game possible and is refused.
    pub output_root: B256,
    /// Its L2 block.
    pub l2_block_number: u64,
}

/// What the system config holds at first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SystemParameters {
    /// Posts batches.
    pub batcher: Address,
    /// Where batches are posted.
    pub batch_inbox: Address,
    /// Signs blocks that are not derived yet.
    pub unsafe_block_signer: Address,
    /// Gas limit of an L2 block, at least 21,000,000.
    pub gas_limit: u64,
    /// Scalar of the L1 base fee, millionths.
    pub basefee_scalar: u32,
    /// Scalar of the L1 blob base fee, millionths.
    pub blobbasefee_scalar: u32,
}

/// One type of game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GameConfig {
    /// Its number.
    pub game_type: u32,
    /// The machine that runs the program.
    pub vm: Vm,
    /// Hash of the machine's first state.
    pub absolute_prestate: B256,
    /// Depth of the last claims.
    pub max_depth: u64,
    /// Depth of the last claims about output roots.
    pub split_depth: u64,
    /// What a side has at least for its next answer.
    pub clock_extension_seconds: u64,
    /// What each side has in all.
    pub max_clock_duration_seconds: u64,
    /// Bond of a root claim.
    pub init_bond_wei: U256,
    /// Who starts and plays, where not everybody may: the proposer.
    pub proposer: Option<Address>,
    /// The same: the challenger.
    pub challenger: Option<Address>,
}

/// A machine with a verifier on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vm {
    /// Cannon's 64-bit MIPS machine, state version 8.
    Cannon,
    /// The same, state version 7.
    Cannon7,
    /// Asterisc's RISC-V machine.
    Asterisc,
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Nobody would have the rights.
    #[error("`{0}` is the zero address")]
    NoAccount(&'static str),
    /// There is nothing to start games from.
    #[error("the output root of `anchor` is zero")]
    NoAnchor,
    /// There is nothing to play.
    #[error("`games` is empty")]
    NoGames,
    /// The respected type is not among the games.
    #[error("`respected_game_type` is {0}, which is not among the games")]
    RespectedGameType(u32),
    /// Two games have one number.
    #[error("game type {0} is there twice")]
    Twice(u32),
    /// Depths that no game can have.
    #[error(
        "game type {game_type}: split depth {split_depth} and maximum depth {max_depth}; wanted 2 <= split depth, \
         split depth + 1 < maximum depth <= 125"
    )]
    Depths {
        /// The game.
        game_type: u32,
        /// Its split depth.
        split_depth: u64,
        /// Its maximum depth.
        max_depth: u64,
    },
    /// The longest extension does not fit into the clock.
    #[error(
        "game type {game_type}: the longest clock extension, {extension_seconds} s, is longer than the clock, {clock_seconds} s"
    )]
    Clock {
        /// The game.
        game_type: u32,
        /// Twice the extension, or extension and challenge period, whichever is longer.
        extension_seconds: u128,
        /// The clock.
        clock_seconds: u64,
    },
    /// The machine's first state is not known.
    #[error("game type {0}: the absolute prestate is zero")]
    NoPrestate(u32),
    /// Only one of the two players is named.
    #[error("game type {0}: proposer and challenger are named together or not at all")]
    OnePlayer(u32),
}

impl DeploymentConfig {
    /// Games that are over in minutes, for demonstrations and tests: clocks of five minutes, delays of seconds.
    #[must_use]
    pub fn fast() -> Self {
        Self {
            challenge_period_seconds: 10,
            weth_delay_seconds: 10,
            proof_maturity_delay_seconds: 12,
            finality_delay_seconds: 6,
            min_proposal_size_bytes: 10_000,
            games: vec![GameConfig {
                clock_extension_seconds: 0,
                max_clock_duration_seconds: 300,
                ..GameConfig::default()
            }],
            ..Self::default()
        }
    }

    /// Refuses what the contracts would refuse, and what would leave a system that nobody can use.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (name, account) in [("owner", self.owner), ("guardian", self.guardian)] {
            if account.is_zero() {
                return Err(ConfigError::NoAccount(name));
            }
        }
        if self.anchor.output_root.is_zero() {
            return Err(ConfigError::NoAnchor);
        }
        if self.games.is_empty() {
            return Err(ConfigError::NoGames);
        }
        let mut types = BTreeSet::new();
        for game in &self.games {
            if !types.insert(game.game_type) {
                return Err(ConfigError::Twice(game.game_type));
            }
            self.check_game(game)?;
        }
        if types.contains(&self.respected_game_type) {
            Ok(())
        } else {
            Err(ConfigError::RespectedGameType(self.respected_game_type))
        }
    }

    fn check_game(&self, game: &GameConfig) -> Result<(), ConfigError> {
        let &GameConfig { game_type, split_depth, max_depth, .. } = game;
        if split_depth < 2 || split_depth >= max_depth.saturating_sub(1) || max_depth > MAX_DEPTH {
            return Err(ConfigError::Depths { game_type, split_depth, max_depth });
        }
        let extension = u128::from(game.clock_extension_seconds);
        let extension_seconds =
            (2 * extension).max(extension + u128::from(self.challenge_period_seconds));
        let clock_seconds = game.max_clock_duration_seconds;
        if extension_seconds > u128::from(clock_seconds) {
            return Err(ConfigError::Clock { game_type, extension_seconds, clock_seconds });
        }
        if game.absolute_prestate.is_zero() {
            return Err(ConfigError::NoPrestate(game_type));
        }
        if game.proposer.is_some() != game.challenger.is_some() {
            return Err(ConfigError::OnePlayer(game_type));
        }
        Ok(())
    }
}

impl GameConfig {
    /// Proposer and challenger, where only they may play.
    pub(super) fn players(&self) -> Option<(Address, Address)> {
        self.proposer.zip(self.challenger)
    }
}

/// The standard configuration. Chain, accounts, anchor and prestate have no default.
impl Default for DeploymentConfig {
    fn default() -> Self {
        Self {
            l1_chain_id: None,
            l2_chain_id: 0,
            owner: Address::ZERO,
            guardian: Address::ZERO,
            anchor: Anchor { output_root: B256::ZERO, l2_block_number: 0 },
            respected_game_type: 0,
            system: SystemParameters::default(),
            min_proposal_size_bytes: 126_000,
            challenge_period_seconds: 86_400,
            weth_delay_seconds: 604_800,
            proof_maturity_delay_seconds: 604_800,
            finality_delay_seconds: 302_400,
            games: vec![GameConfig::default()],
        }
    }
}

impl Default for SystemParameters {
    fn default() -> Self {
        Self {
            batcher: Address::ZERO,
            batch_inbox: Address::ZERO,
            unsafe_block_signer: Address::ZERO,
            gas_limit: 60_000_000,
            basefee_scalar: 1368,
            blobbasefee_scalar: 810_949,
        }
    }
}

impl Default for GameConfig {
    fn default() -> Self {
        Self {
            game_type: 0,
            vm: Vm::Cannon,
            absolute_prestate: B256::ZERO,
            max_depth: 73,
            split_depth: 30,
            clock_extension_seconds: 10_800,
            max_clock_duration_seconds: 302_400,
            init_bond_wei: U256::from(80_000_000_000_000_000_u64),
            proposer: None,
            challenger: None,
        }
    }
}
