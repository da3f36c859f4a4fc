//! The contracts on an anvil, with short clocks and the machine of this test.

use crate::machine;
use crate::node::Anvil;
use alloy_primitives::{Address, Bytes, U256, address};
use alloy_sol_types::SolCall;
use rebut_challenger::chain::{At, Lens, Request};
use rebut_contracts::bindings::DisputeGameFactory as Factory;
use rebut_contracts::deployment::{Anchor, DeploymentConfig, DeploymentPlan, GameConfig};

/// Accounts and keys of the mnemonic that development nodes use.
pub const DEPLOYER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
pub const DEPLOYER_KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
pub const HONEST: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
pub const HONEST_KEY: &str = "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
pub const LIAR: Address = address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC");
pub const LIAR_KEY: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

pub const GAME_TYPE: u32 = 255;
pub const CLOCK: u64 = 1000;
pub const EXTENSION: u64 = 100;
pub const WETH_DELAY: u64 = 50;
pub const FINALITY_DELAY: u64 = 60;
pub const CHAIN_ID: u64 = 901;
pub const STARTING_BLOCK: u64 = 100;
pub const SPLIT_DEPTH: u64 = 3;
pub const MAX_DEPTH: u64 = 8;
/// From this size on, in bytes, preimages are proposed.
pub const MIN_PROPOSAL_BYTES: u64 = 1000;
/// In seconds.
pub const CHALLENGE_PERIOD: u64 = 30;

/// What was deployed.
#[derive(Clone, Copy, Debug)]
pub struct System {
    pub factory: Address,
    pub registry: Address,
    pub weth: Address,
    pub oracle: Address,
    pub superchain: Address,
}

async fn call(anvil: &Anvil, to: Address, call: &impl SolCall) {
    anvil.transact(DEPLOYER, Some(to), U256::ZERO, call.abi_encode().into()).await;
}

impl System {
    /// Deploys all of it as the plan says, with the machine of this test in place of a real one. The deployer owns
    /// everything and is the guardian.
    pub async fn deploy(anvil: &Anvil) -> Self {
        let nonce = anvil.node.nonce(DEPLOYER, At::Latest).await.expect("an answer");
        let config = DeploymentConfig {
            l2_chain_id: CHAIN_ID,
            owner: DEPLOYER,
            guardian: DEPLOYER,
            anchor: Anchor {
                output_root: machine::output(STARTING_BLOCK, true),
                l2_block_number: STARTING_BLOCK,
            },
            respected_game_type: GAME_TYPE,
            min_proposal_size_bytes: MIN_PROPOSAL_BYTES,
            challenge_period_seconds: CHALLENGE_PERIOD,
            weth_delay_seconds: WETH_DELAY,
            finality_delay_seconds: FINALITY_DELAY,
            games: vec![GameConfig {
                game_type: GAME_TYPE,
                absolute_prestate: machine::prestate(),
                max_depth: MAX_DEPTH,
                split_depth: SPLIT_DEPTH,
                clock_extension_seconds: EXTENSION,
                max_clock_duration_seconds: CLOCK,
                init_bond_wei: U256::from(INIT_BOND),
                ..GameConfig::default()
            }],
            ..DeploymentConfig::default()
        };
        let plan = DeploymentPlan::new(&config, DEPLOYER, nonce).expect("a sound configuration");
        for planned in plan.transactions {
            anvil.transact(DEPLOYER, planned.to.into_to(), U256::ZERO, planned.data).await;
        }
        let at = plan.addresses;
        let factory = at.dispute_game_factory;

        let vm = anvil.node.nonce(DEPLOYER, At::Latest).await.map(|nonce| DEPLOYER.create(nonce));
        let vm = vm.expect("an answer");
        let code = machine::creation(&machine::code(at.preimage_oracle));
        anvil.transact(DEPLOYER, None, U256::ZERO, code).await;
        let planned = view(anvil, factory, Factory::gameArgsCall(GAME_TYPE)).await;
        let (prestate, rest) = planned.split_at(32);
        let arguments = [prestate, vm.as_slice(), &rest[20..]].concat();
        let set = Factory::setImplementation_1Call {
            _gameType: GAME_TYPE,
            _impl: at.game_implementations[&GAME_TYPE],
            _args: arguments.into(),
        };
        call(anvil, factory, &set).await;
        // Games of the block in which the registry started would count as retired.
        anvil.pass(2).await;
        Self {
            factory,
            registry: at.anchor_state_registry,
            weth: at.delayed_weth,
            oracle: at.preimage_oracle,
            superchain: at.superchain_config,
        }
    }

    /// Creates a game about a block, by the liar.
    pub async fn create_game(
        &self,
        anvil: &Anvil,
        root: alloy_primitives::B256,
        block: u64,
    ) -> Address {
        let extra_data = Bytes::from(U256::from(block).to_be_bytes_vec());
        let create = Factory::createCall {
            _gameType: GAME_TYPE,
            _rootClaim: root,
            _extraData: extra_data.clone(),
        };
        let data = create.abi_encode().into();
        anvil.transact(LIAR, Some(self.factory), U256::from(INIT_BOND), data).await;
        let head = anvil.node.head().await.expect("an answer");
        let games =
            Factory::gamesCall { _gameType: GAME_TYPE, _rootClaim: root, _extraData: extra_data };
        let found = Lens::new(anvil.node.clone()).view(self.factory, &games, &head).await;
        found.expect("an answer").expect("a factory").proxy_
    }
}

/// Wei that a game takes.
pub const INIT_BOND: u64 = 80_000_000_000_000_000;

/// What a view answers after the newest block.
pub async fn view<C: SolCall>(anvil: &Anvil, target: Address, call: C) -> C::Return {
    let request = Request { to: target, data: call.abi_encode().into(), ..Request::default() };
    let answer = anvil.node.call(&request, At::Latest).await.expect("an answer");
    C::abi_decode_returns(&answer).expect("the answer of this view")
}
