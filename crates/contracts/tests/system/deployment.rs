//! Every transaction of a plan succeeds, contracts are where it says, and games can be played.

use crate::call;
use alloy_primitives::{Address, B256, TxKind, U256, address};
use alloy_sol_types::SolValue;
use rebut_contracts::bindings::{
    AnchorStateRegistry, DelayedWETH, DisputeGameFactory, FaultDisputeGame, OptimismPortal,
    ProxyAdmin, SystemConfig,
};
use rebut_contracts::deployment::{
    Addresses, Anchor, ConfigError, DeploymentConfig, DeploymentPlan, GameConfig, Vm,
};
use rebut_contracts::{CallError, Chain, Revert};

const DEPLOYER: Address = address!("00000000000000000000000000000000000de910");
const OWNER: Address = address!("00000000000000000000000000000000000004e1");
const GUARDIAN: Address = address!("000000000000000000000000000000000009a4d1");
const PLAYER: Address = address!("00000000000000000000000000000000009e41e4");
const ROOT: B256 = B256::repeat_byte(0x33);
const BOND: u128 = 80_000_000_000_000_000;

/// What the defaults leave open, filled in.
fn complete(config: DeploymentConfig) -> DeploymentConfig {
    let mut config = DeploymentConfig {
        l2_chain_id: 901,
        owner: OWNER,
        guardian: GUARDIAN,
        anchor: Anchor { output_root: B256::repeat_byte(0x11), l2_block_number: 100 },
        ..config
    };
    for game in &mut config.games {
        game.absolute_prestate = B256::repeat_byte(0x22);
    }
    config
}

const STARTED_AT: u64 = 1_700_000_000;

fn deploy(config: &DeploymentConfig) -> (Chain, Addresses) {
    let mut chain = Chain::new();
    chain.set_block(1, STARTED_AT);
    let plan = DeploymentPlan::new(config, DEPLOYER, 0).expect("a sound configuration");
    let gas = chain.apply(DEPLOYER, 0, &plan).expect("all succeed");
    assert_eq!(gas.len(), plan.transactions.len());
    chain.set_block(2, STARTED_AT + 100);
    (chain, plan.addresses)
}

fn create(chain: &mut Chain, at: &Addresses, game_type: u32) -> Address {
    let create = DisputeGameFactory::createCall {
        _gameType: game_type,
        _rootClaim: ROOT,
        _extraData: U256::from(108).abi_encode().into(),
    };
    call(chain, PLAYER, at.dispute_game_factory, BOND, &create)
}

/// A game nobody disputes: created, resolved, closed, paid, and its root is the anchor.
fn play(config: &DeploymentConfig) {
    let (mut chain, at) = deploy(config);
    let game = create(&mut chain, &at, 0);
    let parameters = &config.games[0];
    let mut time = STARTED_AT + 100 + parameters.max_clock_duration_seconds;
    chain.set_block(3, time);
    let resolve =
        FaultDisputeGame::resolveClaimCall { _claimIndex: U256::ZERO, _numToResolve: U256::ZERO };
    call(&mut chain, PLAYER, game, 0, &resolve);
    assert_eq!(
        call(&mut chain, PLAYER, game, 0, &FaultDisputeGame::resolveCall {}),
        2,
        "defender wins"
    );
    time += config.finality_delay_seconds + 1;
    chain.set_block(3, time);
    let claim = FaultDisputeGame::claimCreditCall { _recipient: PLAYER };
    call(&mut chain, PLAYER, game, 0, &claim);
    chain.set_block(3, time + config.weth_delay_seconds);
    call(&mut chain, PLAYER, game, 0, &claim);
    let anchor = call(
        &mut chain,
        PLAYER,
        at.anchor_state_registry,
        0,
        &AnchorStateRegistry::getAnchorRootCall {},
    );
    assert_eq!((anchor._0, anchor._1), (ROOT, U256::from(108)));
}

#[test]
fn a_game_is_played_on_the_standard_deployment() {
    play(&complete(DeploymentConfig::default()));
}

#[test]
fn a_game_is_played_on_the_fast_deployment() {
    play(&complete(DeploymentConfig::fast()));
}

#[test]
fn contracts_know_each_other_and_their_owner() {
    let config = complete(DeploymentConfig::default());
    let (mut chain, at) = deploy(&config);
    for contract in [at.preimage_oracle, at.vms[&Vm::Cannon], at.game_implementations[&0]] {
        assert!(!chain.code(contract).is_empty());
    }
    assert!(chain.code(PLAYER).is_empty());
    let factory =
        call(&mut chain, PLAYER, at.optimism_portal, 0, &OptimismPortal::disputeGameFactoryCall {});
    assert_eq!(factory, at.dispute_game_factory);
    let factory =
        call(&mut chain, PLAYER, at.system_config, 0, &SystemConfig::disputeGameFactoryCall {});
    assert_eq!(factory, at.dispute_game_factory);
    let guardian = call(&mut chain, PLAYER, at.system_config, 0, &SystemConfig::guardianCall {});
    assert_eq!(guardian, GUARDIAN);
    let owners = [
        call(&mut chain, PLAYER, at.proxy_admin, 0, &ProxyAdmin::ownerCall {}),
        call(&mut chain, PLAYER, at.system_config, 0, &SystemConfig::ownerCall {}),
        call(&mut chain, PLAYER, at.dispute_game_factory, 0, &DisputeGameFactory::ownerCall {}),
        call(&mut chain, PLAYER, at.delayed_weth, 0, &DelayedWETH::proxyAdminOwnerCall {}),
    ];
    assert_eq!(owners, [OWNER; 4]);
}

#[test]
fn games_have_the_parameters_of_the_configuration() {
    let mut config = complete(DeploymentConfig::default());
    config.games.push(GameConfig {
        game_type: 1,
        vm: Vm::Cannon7,
        max_depth: 50,
        split_depth: 14,
        proposer: Some(PLAYER),
        challenger: Some(GUARDIAN),
        ..config.games[0].clone()
    });
    let (mut chain, at) = deploy(&config);
    let game = create(&mut chain, &at, 0);
    let ask = |chain: &mut Chain, game| {
        (
            call(chain, PLAYER, game, 0, &FaultDisputeGame::maxGameDepthCall {}),
            call(chain, PLAYER, game, 0, &FaultDisputeGame::vmCall {}),
            call(chain, PLAYER, game, 0, &FaultDisputeGame::l2ChainIdCall {}),
            call(chain, PLAYER, game, 0, &FaultDisputeGame::absolutePrestateCall {}),
        )
    };
    let prestate = B256::repeat_byte(0x22);
    let chain_id = U256::from(901);
    assert_eq!(ask(&mut chain, game), (U256::from(73), at.vms[&Vm::Cannon], chain_id, prestate));
    let game = create(&mut chain, &at, 1);
    assert_eq!(ask(&mut chain, game), (U256::from(50), at.vms[&Vm::Cannon7], chain_id, prestate));

    let parameters = FaultDisputeGame::attackCall {
        _disputed: ROOT,
        _parentIndex: U256::ZERO,
        _claim: B256::ZERO,
    };
    // Only the two players of the second game may move.
    let refusal = chain.transact(DEPLOYER, game, U256::ZERO, &parameters).map(drop);
    assert_eq!(refusal, Err(CallError::Revert(Revert::Named("BadAuth"))));
}

/// Addresses depend on the account and on its nonce at the start.
#[test]
fn a_plan_starts_at_any_nonce() {
    let config = complete(DeploymentConfig::fast());
    let plan = DeploymentPlan::new(&config, DEPLOYER, 7).expect("a sound configuration");
    assert_eq!(plan.addresses.proxy_admin, DEPLOYER.create(7));
    assert_eq!(plan.transactions[0].to, TxKind::Create);
    let owned = DeploymentConfig { owner: DEPLOYER, ..config };
    let shorter = DeploymentPlan::new(&owned, DEPLOYER, 7).expect("a sound configuration");
    assert_eq!(shorter.transactions.len() + 2, plan.transactions.len(), "nothing to hand over");
}

#[test]
fn a_configuration_survives_a_file_and_defaults_fill_it() {
    let config = complete(DeploymentConfig::default());
    let text = toml::to_string(&config).expect("can be written");
    assert_eq!(toml::from_str::<DeploymentConfig>(&text).expect("can be read"), config);
    let partial: DeploymentConfig = toml::from_str(
        "l2_chain_id = 10\nfinality_delay_seconds = 5\n[[games]]\ngame_type = 8\nvm = \"cannon\"\n",
    )
    .expect("can be read");
    assert_eq!((partial.l2_chain_id, partial.finality_delay_seconds), (10, 5));
    assert_eq!((partial.games[0].game_type, partial.games[0].max_depth), (8, 73));
    assert_eq!(partial.weth_delay_seconds, 604_800);
    assert!(toml::from_str::<DeploymentConfig>("weth_delay = 1").is_err(), "an unknown name");
}

#[test]
fn unsound_configurations_are_refused() {
    let check = |change: fn(&mut DeploymentConfig), want: ConfigError| {
        let mut config = complete(DeploymentConfig::default());
        change(&mut config);
        assert_eq!(DeploymentPlan::new(&config, DEPLOYER, 0), Err(want));
    };
    check(|c| c.owner = Address::ZERO, ConfigError::NoAccount("owner"));
    check(|c| c.guardian = Address::ZERO, ConfigError::NoAccount("guardian"));
    check(|c| c.anchor.output_root = B256::ZERO, ConfigError::NoAnchor);
    check(|c| c.games.clear(), ConfigError::NoGames);
    check(|c| c.games.push(c.games[0].clone()), ConfigError::Twice(0));
    check(|c| c.respected_game_type = 3, ConfigError::RespectedGameType(3));
    check(|c| c.games[0].absolute_prestate = B256::ZERO, ConfigError::NoPrestate(0));
    check(|c| c.games[0].proposer = Some(PLAYER), ConfigError::OnePlayer(0));
    let depths =
        |split_depth, max_depth| ConfigError::Depths { game_type: 0, split_depth, max_depth };
    check(|c| c.games[0].max_depth = 126, depths(30, 126));
    check(|c| c.games[0].max_depth = 31, depths(30, 31));
    check(|c| c.games[0].max_depth = 0, depths(30, 0));
    check(|c| c.games[0].split_depth = 1, depths(1, 73));
    check(
        |c| c.games[0].max_clock_duration_seconds = 97_199,
        ConfigError::Clock { game_type: 0, extension_seconds: 97_200, clock_seconds: 97_199 },
    );
    let mut edge = complete(DeploymentConfig::default());
    edge.games[0].max_clock_duration_seconds = 97_200;
    play(&edge);
}
