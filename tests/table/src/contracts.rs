//! A deployed system, from which games start.

use crate::table::{Table, read_claim};
use alloy_primitives::{Address, B256, U256, address};
use alloy_sol_types::SolValue;
use rebut_contracts::Chain;
use rebut_contracts::bindings::DisputeGameFactory;
use rebut_contracts::deployment::{Addresses, DeploymentConfig, DeploymentPlan};
use rebut_dispute::{Game, Parameters, Proposal, Seconds};

/// Deploys, owns everything, and is the guardian where a configuration says so.
pub const OWNER: Address = address!("00000000000000000000000000000000000000aa");

/// The type of all games: that of the configuration's first.
const GAME_TYPE: u32 = 0;
/// Where a machine's address stands among the arguments of a game.
const MACHINE_ARGUMENT: std::ops::Range<usize> = 32..52;

const FIRST_BLOCK: u64 = 20_000_000;
const STARTED_AT: u64 = 1_700_000_000;
const BLOCK_SECONDS: u64 = 12;

/// Everything that games need, deployed.
#[derive(Clone, Debug)]
pub struct Contracts {
    /// The chain, before any game.
    pub chain: Chain,
    /// What is there.
    pub addresses: Addresses,
    /// How games are played.
    pub parameters: Parameters,
    config: DeploymentConfig,
}

impl Contracts {
    /// Deploys the system. Its owner has to be [`OWNER`], and its first game that of type 0.
    ///
    /// # Panics
    /// Where the contracts refuse the configuration.
    pub fn deploy(config: &DeploymentConfig) -> Self {
        let mut chain = Chain::new();
        chain.set_block(FIRST_BLOCK, STARTED_AT);
        let plan = DeploymentPlan::new(config, OWNER, 0).unwrap_or_else(|error| panic!("{error}"));
        chain.apply(OWNER, 0, &plan).unwrap_or_else(|error| panic!("{error}"));
        let game = &config.games[0];
        let [max_clock, extension, period] = [
            game.max_clock_duration_seconds,
            game.clock_extension_seconds,
            config.challenge_period_seconds,
        ]
        .map(Seconds);
        let parameters =
            Parameters::new(game.max_depth, game.split_depth, max_clock, extension, period)
                .unwrap_or_else(|error| panic!("{error}"));
        Self { chain, addresses: plan.addresses, parameters, config: config.clone() }
    }

    /// The same system with another machine behind its games: this creation code, which takes the oracle's address.
    #[must_use]
    pub fn with_machine(mut self, creation_code: &[u8]) -> Self {
        let factory = self.addresses.dispute_game_factory;
        let oracle = self.addresses.preimage_oracle.abi_encode();
        let machine = self.chain.deploy(OWNER, creation_code, &oracle).expect("a machine");
        let call = DisputeGameFactory::gameArgsCall(GAME_TYPE);
        let mut arguments =
            self.chain.call(OWNER, factory, &call).expect("arguments").output.to_vec();
        arguments[MACHINE_ARGUMENT].copy_from_slice(machine.as_slice());
        let call = DisputeGameFactory::setImplementation_1Call {
            _gameType: GAME_TYPE,
            _impl: self.addresses.game_implementations[&GAME_TYPE],
            _args: arguments.into(),
        };
        self.chain.transact(OWNER, factory, U256::ZERO, &call).expect("another machine");
        self
    }

    /// Opens a game about the root of a block, in the L1 block after that of the deployment, which then has the hash
    /// `l1_head`.
    ///
    /// # Panics
    /// Where the factory refuses it.
    pub fn create(&self, proposer: Address, root: B256, l2_block: u64, l1_head: B256) -> Table {
        let mut chain = self.chain.clone();
        chain.set_block_hash(FIRST_BLOCK, l1_head);
        chain.set_balance(proposer, U256::MAX >> 8);
        let now = STARTED_AT + BLOCK_SECONDS;
        chain.set_block(FIRST_BLOCK + 1, now);
        let call = DisputeGameFactory::createCall {
            _gameType: GAME_TYPE,
            _rootClaim: root,
            _extraData: U256::from(l2_block).abi_encode().into(),
        };
        let bond = self.config.games[0].init_bond_wei;
        let created = chain.transact(proposer, self.addresses.dispute_game_factory, bond, &call);
        let address = created.unwrap_or_else(|error| panic!("{error}")).output;
        let anchor = self.config.anchor;
        let starting =
            Proposal { root: anchor.output_root, l2_sequence_number: anchor.l2_block_number };
        let first = read_claim(&mut chain, address, 0);
        let game = Game::new(self.parameters, starting, l2_block, [first]).expect("a new game");
        let oracle = self.addresses.preimage_oracle;
        Table { chain, address, oracle, now, game, late_steps: Vec::new() }
    }
}

/// The number of the L1 block at some time.
pub(crate) const fn block_at(now: u64) -> u64 {
    FIRST_BLOCK + (now - STARTED_AT) / BLOCK_SECONDS
}
