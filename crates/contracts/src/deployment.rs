//! A whole fault proof system on L1 as a list of transactions: from one configuration to what must be sent and to
//! the addresses that result. It is pure; who applies it, on a chain or in an embedded EVM, sends the transactions
//! in order from one account, starting at the nonce it named.
//!
//! Contracts that others point to stand behind proxies, so their addresses are known before they are set up:
//! first all proxies, then what has no proxy and the implementations, then one initialisation each, then the
//! games. The deploying account owns everything until the last transactions hand it over.

mod config;

pub use config::{Anchor, ConfigError, DeploymentConfig, GameConfig, SystemParameters, Vm};

use crate::bindings::{
    AnchorStateRegistry, DelayedWETH, DisputeGameFactory, FaultDisputeGame, MIPS64, OptimismPortal,
    PermissionedDisputeGame, PreimageOracle, Proxy, ProxyAdmin, RISCV, SuperchainConfig,
    SystemConfig,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolConstructor, SolValue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What to send, in order, and what is there afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentPlan {
    /// The transactions. None carries value.
    pub transactions: Vec<PlannedTransaction>,
    /// The contracts that others need.
    pub addresses: Addresses,
}

/// One transaction of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTransaction {
    /// What it does, for people.
    pub what: String,
    /// The contract it calls, or that it creates one.
    pub to: TxKind,
    /// Creation code with arguments, or the call.
    pub data: Bytes,
    /// Where the contract is that it creates.
    pub creates: Option<Address>,
}

/// The contracts of a deployed system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// Admin of all proxies.
    pub proxy_admin: Address,
    /// Guardian and pauses.
    pub superchain_config: Address,
    /// Parameters of the L2 chain.
    pub system_config: Address,
    /// Deposits.
    pub optimism_portal: Address,
    /// Where games are created and listed.
    pub dispute_game_factory: Address,
    /// Which games count, and the anchor.
    pub anchor_state_registry: Address,
    /// Where bonds are kept.
    pub delayed_weth: Address,
    /// Where preimages are loaded.
    pub preimage_oracle: Address,
    /// Verifiers of machines, by name.
    pub vms: BTreeMap<Vm, Address>,
    /// What plays each type of game.
    pub game_implementations: BTreeMap<u32, Address>,
}

impl DeploymentPlan {
    /// The plan for a configuration, sent by `deployer` from nonce `nonce` on.
    ///
    /// # Errors
    /// When the contracts would refuse the configuration, or it makes no sense.
    pub fn new(
        config: &DeploymentConfig,
        deployer: Address,
        nonce: u64,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let mut planner = Planner { deployer, nonce, transactions: Vec::new() };
        let addresses = planner.all(config);
        Ok(Self { transactions: planner.transactions, addresses })
    }
}

/// Collects transactions and knows the address that the next creation gets.
struct Planner {
    deployer: Address,
    nonce: u64,
    transactions: Vec<PlannedTransaction>,
}

impl Planner {
    fn all(&mut self, config: &DeploymentConfig) -> Addresses {
        let proxy_admin = self.create(
            "ProxyAdmin",
            &ProxyAdmin::BYTECODE,
            ProxyAdmin::constructorCall { _owner: self.deployer }.abi_encode(),
        );
        let mut proxy = |name: &str| {
            let arguments = Proxy::constructorCall { _admin: proxy_admin }.abi_encode();
            self.create(&format!("proxy of {name}"), &Proxy::BYTECODE, arguments)
        };
        let mut addresses = Addresses {
            proxy_admin,
            superchain_config: proxy("SuperchainConfig"),
            system_config: proxy("SystemConfig"),
            optimism_portal: proxy("OptimismPortal"),
            dispute_game_factory: proxy("DisputeGameFactory"),
            anchor_state_registry: proxy("AnchorStateRegistry"),
            delayed_weth: proxy("DelayedWETH"),
            preimage_oracle: Address::ZERO,
            vms: BTreeMap::new(),
            game_implementations: BTreeMap::new(),
        };
        addresses.preimage_oracle = self.create(
            "PreimageOracle",
            &PreimageOracle::BYTECODE,
            PreimageOracle::constructorCall {
                _minProposalSize: U256::from(config.min_proposal_size_bytes),
                _challengePeriod: U256::from(config.challenge_period_seconds),
            }
            .abi_encode(),
        );
        self.around_games(config, &addresses);
        for game in &config.games {
            self.game(config, game, &mut addresses);
        }
        self.hand_over(config, &addresses);
        addresses
    }

    /// What games stand on: implementations and initialisations.
    fn around_games(&mut self, config: &DeploymentConfig, at: &Addresses) {
        self.install(
            "SuperchainConfig",
            at.proxy_admin,
            at.superchain_config,
            (&SuperchainConfig::BYTECODE, Vec::new()),
            SuperchainConfig::initializeCall { _guardian: config.guardian }.abi_encode(),
        );
        self.install(
            "SystemConfig",
            at.proxy_admin,
            at.system_config,
            (&SystemConfig::BYTECODE, Vec::new()),
            system_config(config, at).abi_encode(),
        );
        let delay = U256::from(config.proof_maturity_delay_seconds);
        self.install(
            "OptimismPortal",
            at.proxy_admin,
            at.optimism_portal,
            (&OptimismPortal::BYTECODE, delay.abi_encode()),
            OptimismPortal::initializeCall {
                _systemConfig: at.system_config,
                _anchorStateRegistry: at.anchor_state_registry,
                _ethLockbox: Address::ZERO,
            }
            .abi_encode(),
        );
        self.install(
            "DisputeGameFactory",
            at.proxy_admin,
            at.dispute_game_factory,
            (&DisputeGameFactory::BYTECODE, Vec::new()),
            DisputeGameFactory::initializeCall { _owner: self.deployer }.abi_encode(),
        );
        let delay = U256::from(config.finality_delay_seconds);
        self.install(
            "AnchorStateRegistry",
            at.proxy_admin,
            at.anchor_state_registry,
            (&AnchorStateRegistry::BYTECODE, delay.abi_encode()),
            AnchorStateRegistry::initializeCall {
                _systemConfig: at.system_config,
                _disputeGameFactory: at.dispute_game_factory,
                _startingAnchorRoot: AnchorStateRegistry::Proposal {
                    root: config.anchor.output_root,
                    l2SequenceNumber: U256::from(config.anchor.l2_block_number),
                },
                _startingRespectedGameType: config.respected_game_type,
            }
            .abi_encode(),
        );
        let delay = U256::from(config.weth_delay_seconds);
        self.install(
            "DelayedWETH",
            at.proxy_admin,
            at.delayed_weth,
            (&DelayedWETH::BYTECODE, delay.abi_encode()),
            DelayedWETH::initializeCall { _systemConfig: at.system_config }.abi_encode(),
        );
    }

    /// One type of game: its verifier, unless another game has it, its implementation, and both in the factory.
    fn game(&mut self, config: &DeploymentConfig, game: &GameConfig, at: &mut Addresses) {
        let vm = match at.vms.get(&game.vm) {
            Some(vm) => *vm,
            None => {
                let vm = self.vm(game.vm, at.preimage_oracle);
                at.vms.insert(game.vm, vm);
                vm
            }
        };
        let mut arguments = [
            game.absolute_prestate.as_slice(),
            vm.as_slice(),
            at.anchor_state_registry.as_slice(),
            at.delayed_weth.as_slice(),
            &U256::from(config.l2_chain_id).to_be_bytes::<32>(),
        ]
        .concat();
        let depths = (
            U256::from(game.max_depth),
            U256::from(game.split_depth),
            game.clock_extension_seconds,
            game.max_clock_duration_seconds,
        )
            .abi_encode();
        let implementation = match game.players() {
            None => self.create("FaultDisputeGame", &FaultDisputeGame::BYTECODE, depths),
            Some((proposer, challenger)) => {
                arguments.extend_from_slice(proposer.as_slice());
                arguments.extend_from_slice(challenger.as_slice());
                self.create("PermissionedDisputeGame", &PermissionedDisputeGame::BYTECODE, depths)
            }
        };
        at.game_implementations.insert(game.game_type, implementation);
        self.call(
            format!("game type {}: implementation", game.game_type),
            at.dispute_game_factory,
            DisputeGameFactory::setImplementation_1Call {
                _gameType: game.game_type,
                _impl: implementation,
                _args: arguments.into(),
            }
            .abi_encode(),
        );
        self.call(
            format!("game type {}: bond of a root claim", game.game_type),
            at.dispute_game_factory,
            DisputeGameFactory::setInitBondCall {
                _gameType: game.game_type,
                _initBond: game.init_bond_wei,
            }
            .abi_encode(),
        );
    }

    fn vm(&mut self, vm: Vm, oracle: Address) -> Address {
        match vm {
            Vm::Cannon => {
                self.create("MIPS64", &MIPS64::BYTECODE, (oracle, U256::from(8)).abi_encode())
            }
            Vm::Cannon7 => self.create(
                "MIPS64, state version 7",
                &MIPS64::BYTECODE,
                (oracle, U256::from(7)).abi_encode(),
            ),
            Vm::Asterisc => self.create("RISCV", &RISCV::BYTECODE, oracle.abi_encode()),
        }
    }

    /// Gives the rights of the deploying account to the owner.
    fn hand_over(&mut self, config: &DeploymentConfig, at: &Addresses) {
        if config.owner == self.deployer {
            return;
        }
        let transfer = DisputeGameFactory::transferOwnershipCall { newOwner: config.owner };
        self.call("owner of the factory".into(), at.dispute_game_factory, transfer.abi_encode());
        let transfer = ProxyAdmin::transferOwnershipCall { newOwner: config.owner };
        self.call("owner of the proxies".into(), at.proxy_admin, transfer.abi_encode());
    }

    /// Creates an implementation and puts it behind its proxy.
    fn install(
        &mut self,
        name: &str,
        admin: Address,
        proxy: Address,
        (code, arguments): (&Bytes, Vec<u8>),
        initialization: Vec<u8>,
    ) {
        let implementation = self.create(name, code, arguments);
        let upgrade = ProxyAdmin::upgradeAndCallCall {
            _proxy: proxy,
            _implementation: implementation,
            _data: initialization.into(),
        };
        self.call(format!("initialisation of {name}"), admin, upgrade.abi_encode());
    }

    fn create(&mut self, name: &str, code: &Bytes, arguments: Vec<u8>) -> Address {
        let address = self.deployer.create(self.nonce);
        let data = [code, arguments.as_slice()].concat();
        self.push(name.to_owned(), TxKind::Create, data, Some(address));
        address
    }

    fn call(&mut self, what: String, to: Address, data: Vec<u8>) {
        self.push(what, TxKind::Call(to), data, None);
    }

    fn push(&mut self, what: String, to: TxKind, data: Vec<u8>, creates: Option<Address>) {
        self.transactions.push(PlannedTransaction { what, to, data: data.into(), creates });
        self.nonce += 1;
    }
}

/// The initialisation of the chain's parameters.
fn system_config(config: &DeploymentConfig, at: &Addresses) -> SystemConfig::initializeCall {
    let system = &config.system;
    SystemConfig::initializeCall {
        _owner: config.owner,
        _basefeeScalar: system.basefee_scalar,
        _blobbasefeeScalar: system.blobbasefee_scalar,
        _batcherHash: B256::left_padding_from(system.batcher.as_slice()),
        _gasLimit: system.gas_limit,
        _unsafeBlockSigner: system.unsafe_block_signer,
        _config: SystemConfig::ResourceConfig {
            maxResourceLimit: 20_000_000,
            elasticityMultiplier: 10,
            baseFeeMaxChangeDenominator: 8,
            minimumBaseFee: 1_000_000_000,
            systemTxMaxGas: 1_000_000,
            maximumBaseFee: u128::MAX,
        },
        _batchInbox: system.batch_inbox,
        _addresses: SystemConfig::Addresses {
            l1CrossDomainMessenger: Address::ZERO,
            l1ERC721Bridge: Address::ZERO,
            l1StandardBridge: Address::ZERO,
            optimismPortal: at.optimism_portal,
            optimismMintableERC20Factory: Address::ZERO,
            delayedWETH: at.delayed_weth,
            opcm: Address::ZERO,
        },
        _l2ChainId: U256::from(config.l2_chain_id),
        _superchainConfig: at.superchain_config,
    }
}
