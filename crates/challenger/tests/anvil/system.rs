//! The contracts on an anvil, with short clocks and the machine of this test.

use crate::machine;
use crate::node::Anvil;
use alloy_primitives::{Address, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use rebut_challenger::chain::{At, Lens, Request};
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, DisputeGameFactory as Factory,
    FaultDisputeGame as Game, PreimageOracle as Oracle, Proxy, ProxyAdmin as Admin,
    SuperchainConfig as Superchain, SystemConfig as Config,
};

/// Accounts and keys of the mnemonic that development nodes use.
pub const DEPLOYER: Address = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
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

/// What was deployed.
#[derive(Clone, Copy, Debug)]
pub struct System {
    pub factory: Address,
    pub registry: Address,
    pub weth: Address,
}

async fn create(anvil: &Anvil, code: &[u8], arguments: Vec<u8>) -> Address {
    let nonce = anvil.node.nonce(DEPLOYER, At::Latest).await.expect("an answer");
    let data = [code, &arguments].concat().into();
    anvil.transact(DEPLOYER, None, U256::ZERO, data).await;
    DEPLOYER.create(nonce)
}

async fn call(anvil: &Anvil, to: Address, call: &impl SolCall) {
    anvil.transact(DEPLOYER, Some(to), U256::ZERO, call.abi_encode().into()).await;
}

/// A proxy, creation code and arguments of what it is to point to, and the call that initialises it.
type Installation<'a> = (Address, &'a [u8], Vec<u8>, Vec<u8>);

impl System {
    /// Deploys all of it. The deployer owns everything and is the guardian.
    pub async fn deploy(anvil: &Anvil) -> Self {
        let admin = create(anvil, &Admin::BYTECODE, DEPLOYER.abi_encode()).await;
        let mut proxies = [Address::ZERO; 5];
        for proxy in &mut proxies {
            *proxy = create(anvil, &Proxy::BYTECODE, admin.abi_encode()).await;
        }
        let [superchain, config, factory, registry, weth] = proxies;
        let oracle = create(
            anvil,
            &Oracle::BYTECODE,
            (U256::from(1000), U256::from(30)).abi_encode_params(),
        )
        .await;
        let code = machine::creation(&machine::code(oracle));
        let vm = create(anvil, &code, Vec::new()).await;

        let implementations: [Installation<'_>; 5] = [
            (
                superchain,
                &Superchain::BYTECODE,
                Vec::new(),
                Superchain::initializeCall { _guardian: DEPLOYER }.abi_encode(),
            ),
            (config, &Config::BYTECODE, Vec::new(), configuration(superchain, weth).abi_encode()),
            (
                factory,
                &Factory::BYTECODE,
                Vec::new(),
                Factory::initializeCall { _owner: DEPLOYER }.abi_encode(),
            ),
            (
                registry,
                &Registry::BYTECODE,
                U256::from(FINALITY_DELAY).abi_encode(),
                Registry::initializeCall {
                    _systemConfig: config,
                    _disputeGameFactory: factory,
                    _startingAnchorRoot: Registry::Proposal {
                        root: machine::output(STARTING_BLOCK, true),
                        l2SequenceNumber: U256::from(STARTING_BLOCK),
                    },
                    _startingRespectedGameType: GAME_TYPE,
                }
                .abi_encode(),
            ),
            (
                weth,
                &Weth::BYTECODE,
                U256::from(WETH_DELAY).abi_encode(),
                Weth::initializeCall { _systemConfig: config }.abi_encode(),
            ),
        ];
        for (proxy, code, arguments, initialization) in implementations {
            let implementation = create(anvil, code, arguments).await;
            let upgrade = Admin::upgradeAndCallCall {
                _proxy: proxy,
                _implementation: implementation,
                _data: initialization.into(),
            };
            call(anvil, admin, &upgrade).await;
        }

        let parameters = (U256::from(MAX_DEPTH), U256::from(SPLIT_DEPTH), EXTENSION, CLOCK);
        let game = create(anvil, &Game::BYTECODE, parameters.abi_encode()).await;
        let arguments = [
            machine::prestate().as_slice(),
            vm.as_slice(),
            registry.as_slice(),
            weth.as_slice(),
            &U256::from(CHAIN_ID).to_be_bytes::<32>(),
        ]
        .concat();
        let set = Factory::setImplementation_1Call {
            _gameType: GAME_TYPE,
            _impl: game,
            _args: arguments.into(),
        };
        call(anvil, factory, &set).await;
        let bond =
            Factory::setInitBondCall { _gameType: GAME_TYPE, _initBond: U256::from(INIT_BOND) };
        call(anvil, factory, &bond).await;
        // Games of the block in which the registry started would count as retired.
        anvil.pass(2).await;
        Self { factory, registry, weth }
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

fn configuration(superchain: Address, weth: Address) -> Config::initializeCall {
    use rebut_contracts::bindings::SystemConfig as C;
    Config::initializeCall {
        _owner: DEPLOYER,
        _basefeeScalar: 0,
        _blobbasefeeScalar: 0,
        _batcherHash: Default::default(),
        _gasLimit: 60_000_000,
        _unsafeBlockSigner: Address::ZERO,
        _config: C::ResourceConfig {
            maxResourceLimit: 20_000_000,
            elasticityMultiplier: 10,
            baseFeeMaxChangeDenominator: 8,
            minimumBaseFee: 1_000_000_000,
            systemTxMaxGas: 1_000_000,
            maximumBaseFee: u128::MAX,
        },
        _batchInbox: Address::ZERO,
        _addresses: C::Addresses {
            l1CrossDomainMessenger: Address::ZERO,
            l1ERC721Bridge: Address::ZERO,
            l1StandardBridge: Address::ZERO,
            optimismPortal: Address::ZERO,
            optimismMintableERC20Factory: Address::ZERO,
            delayedWETH: weth,
            opcm: Address::ZERO,
        },
        _l2ChainId: U256::from(CHAIN_ID),
        _superchainConfig: superchain,
    }
}

/// What a view answers after the newest block.
pub async fn view<C: SolCall>(anvil: &Anvil, target: Address, call: C) -> C::Return {
    let request = Request { to: target, data: call.abi_encode().into(), ..Request::default() };
    let answer = anvil.node.call(&request, At::Latest).await.expect("an answer");
    C::abi_decode_returns(&answer).expect("the answer of this view")
}
