//! The contracts of a chain in an embedded EVM, and one game at a time on them.

use crate::alphabet::absolute_prestate;
use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use rebut_contracts::bindings::{
    AlphabetVM, AnchorStateRegistry, DelayedWETH, DisputeGameFactory, FaultDisputeGame,
    PreimageOracle, Proxy, ProxyAdmin, SuperchainConfig, SystemConfig,
};
use rebut_contracts::{CallError, Chain, Revert};
use rebut_dispute::{
    Action, Bond, Claim, ClaimIndex, Clock, Game, GameStatus, L2BlockChallenge, Move, Parameters,
    Position, Proposal, Resolution, Resolve, Seconds, Side, Step, Timestamp,
};

const OWNER: Address = address!("00000000000000000000000000000000000000aa");
pub const PROPOSER: Address = address!("00000000000000000000000000000000000000bb");

pub const MAX_CLOCK: u64 = 10_000;
pub const EXTENSION: u64 = 1000;
pub const CHALLENGE_PERIOD: u64 = 2000;
const WETH_DELAY: u64 = 100;
const FINALITY_DELAY: u64 = 200;

pub const STARTING_BLOCK: u64 = 100;
const STARTED_AT: u64 = 1_700_000_000;
const ROOT_BOND: u128 = 80_000_000_000_000_000;

/// Everything that games of some depths need, deployed.
#[derive(Clone, Debug)]
pub struct Contracts {
    chain: Chain,
    factory: Address,
    pub parameters: Parameters,
}

/// A game on contracts of its own.
#[derive(Clone, Debug)]
pub struct Table {
    pub chain: Chain,
    pub address: Address,
    pub now: u64,
    /// What a reader of the contract knows. Kept from move to move; [`Table::check_view`] compares.
    pub game: Game,
    /// Claims that were stepped on after their bond was paid.
    pub late_steps: Vec<ClaimIndex>,
}

impl Contracts {
    pub fn deploy(max_depth: u64, split_depth: u64) -> Self {
        let mut chain = Chain::new();
        chain.set_block(20_000_000, STARTED_AT);
        let mut new =
            |code: &[u8], arguments: Vec<u8>| chain.deploy(OWNER, code, &arguments).unwrap();
        let admin = new(&ProxyAdmin::BYTECODE, OWNER.abi_encode());
        let mut proxy = || new(&Proxy::BYTECODE, admin.abi_encode());
        let [superchain, config, factory, registry, weth] = core::array::from_fn(|_| proxy());
        let oracle = new(
            &PreimageOracle::BYTECODE,
            (U256::from(126_000), U256::from(CHALLENGE_PERIOD)).abi_encode(),
        );
        let machine = new(&AlphabetVM::BYTECODE, oracle.abi_encode());
        let game = new(
            &FaultDisputeGame::BYTECODE,
            [max_depth, split_depth, EXTENSION, MAX_CLOCK].map(U256::from).abi_encode(),
        );
        let superchain_code = new(&SuperchainConfig::BYTECODE, Vec::new());
        let config_code = new(&SystemConfig::BYTECODE, Vec::new());
        let factory_code = new(&DisputeGameFactory::BYTECODE, Vec::new());
        let registry_code =
            new(&AnchorStateRegistry::BYTECODE, U256::from(FINALITY_DELAY).abi_encode());
        let weth_code = new(&DelayedWETH::BYTECODE, U256::from(WETH_DELAY).abi_encode());

        let mut install = |at: Address, code: Address, data: Vec<u8>| {
            let call = ProxyAdmin::upgradeAndCallCall {
                _proxy: at,
                _implementation: code,
                _data: data.into(),
            };
            chain.transact(OWNER, admin, U256::ZERO, &call).unwrap();
        };
        let call = SuperchainConfig::initializeCall { _guardian: OWNER };
        install(superchain, superchain_code, call.abi_encode());
        install(config, config_code, configuration(weth, superchain).abi_encode());
        install(
            factory,
            factory_code,
            DisputeGameFactory::initializeCall { _owner: OWNER }.abi_encode(),
        );
        let call = AnchorStateRegistry::initializeCall {
            _systemConfig: config,
            _disputeGameFactory: factory,
            _startingAnchorRoot: AnchorStateRegistry::Proposal {
                root: B256::from(U256::from(STARTING_BLOCK)),
                l2SequenceNumber: U256::from(STARTING_BLOCK),
            },
            _startingRespectedGameType: 0,
        };
        install(registry, registry_code, call.abi_encode());
        install(
            weth,
            weth_code,
            DelayedWETH::initializeCall { _systemConfig: config }.abi_encode(),
        );

        let arguments = [
            absolute_prestate().as_slice(),
            machine.as_slice(),
            registry.as_slice(),
            weth.as_slice(),
            &U256::from(901).to_be_bytes::<32>(),
        ]
        .concat();
        let call = DisputeGameFactory::setImplementation_1Call {
            _gameType: 0,
            _impl: game,
            _args: arguments.into(),
        };
        chain.transact(OWNER, factory, U256::ZERO, &call).unwrap();
        let call =
            DisputeGameFactory::setInitBondCall { _gameType: 0, _initBond: U256::from(ROOT_BOND) };
        chain.transact(OWNER, factory, U256::ZERO, &call).unwrap();
        let seconds = [MAX_CLOCK, EXTENSION, CHALLENGE_PERIOD].map(Seconds);
        let [max_clock, extension, period] = seconds;
        let parameters =
            Parameters::new(max_depth, split_depth, max_clock, extension, period).unwrap();
        Self { chain, factory, parameters }
    }

    /// Opens a game about the root of a block, in the block after all that is deployed.
    pub fn create(&self, root: B256, l2_block: u64) -> Table {
        let mut chain = self.chain.clone();
        let now = STARTED_AT + 12;
        chain.set_block(20_000_001, now);
        chain.set_balance(PROPOSER, U256::MAX >> 8);
        let call = DisputeGameFactory::createCall {
            _gameType: 0,
            _rootClaim: root,
            _extraData: U256::from(l2_block).abi_encode().into(),
        };
        let address =
            chain.transact(PROPOSER, self.factory, U256::from(ROOT_BOND), &call).unwrap().output;
        let starting = Proposal {
            root: B256::from(U256::from(STARTING_BLOCK)),
            l2_sequence_number: STARTING_BLOCK,
        };
        let first = read_claim(&mut chain, address, 0);
        let game = Game::new(self.parameters, starting, l2_block, [first]).unwrap();
        Table { chain, address, now, game, late_steps: Vec::new() }
    }
}

fn configuration(weth: Address, superchain: Address) -> SystemConfig::initializeCall {
    SystemConfig::initializeCall {
        _owner: OWNER,
        _basefeeScalar: 0,
        _blobbasefeeScalar: 0,
        _batcherHash: B256::ZERO,
        _gasLimit: 60_000_000,
        _unsafeBlockSigner: Address::ZERO,
        _config: SystemConfig::ResourceConfig {
            maxResourceLimit: 20_000_000,
            elasticityMultiplier: 10,
            baseFeeMaxChangeDenominator: 8,
            minimumBaseFee: 1_000_000_000,
            systemTxMaxGas: 1_000_000,
            maximumBaseFee: u128::MAX,
        },
        _batchInbox: Address::ZERO,
        _addresses: SystemConfig::Addresses {
            l1CrossDomainMessenger: Address::ZERO,
            l1ERC721Bridge: Address::ZERO,
            l1StandardBridge: Address::ZERO,
            optimismPortal: Address::ZERO,
            optimismMintableERC20Factory: Address::ZERO,
            delayedWETH: weth,
            opcm: Address::ZERO,
        },
        _l2ChainId: U256::from(901),
        _superchainConfig: superchain,
    }
}

fn address_of(word: Address) -> Option<Address> {
    (word != Address::ZERO).then_some(word)
}

fn read_claim(chain: &mut Chain, game: Address, index: u32) -> Claim {
    let call = FaultDisputeGame::claimDataCall { _index: U256::from(index) };
    let data = chain.call(OWNER, game, &call).unwrap().output;
    Claim {
        parent: (data.parentIndex != u32::MAX).then_some(ClaimIndex(data.parentIndex)),
        countered_by: address_of(data.counteredBy),
        claimant: data.claimant,
        bond: Bond(data.bond),
        value: data.claim,
        position: Position::new(data.position).unwrap(),
        clock: Clock::unpack(data.clock),
    }
}

/// The name of the error with which the contract refused.
pub type Refusal = String;

fn refusal(error: CallError) -> Refusal {
    match error {
        CallError::Revert(Revert::Named(name)) => name.into(),
        other => other.to_string(),
    }
}

impl Table {
    pub fn timestamp(&self) -> Timestamp {
        Timestamp(self.now)
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        self.chain.set_block(20_000_001 + (self.now - STARTED_AT) / 12, self.now);
    }

    pub fn send<C: SolCall>(
        &mut self,
        from: Address,
        wei: Bond,
        call: &C,
    ) -> Result<C::Return, Refusal> {
        let sent = self.chain.transact(from, self.address, U256::from(wei.0), call);
        sent.map(|receipt| receipt.output).map_err(refusal)
    }

    pub fn ask<C: SolCall>(&mut self, call: &C) -> C::Return {
        self.chain.call(OWNER, self.address, call).unwrap().output
    }

    pub fn act(&mut self, from: Address, action: &Action) -> Result<(), Refusal> {
        match action {
            Action::Move(action) => self.answer(from, action).map(|_| ()),
            Action::Step(step) => self.step(from, step),
            Action::ChallengeL2Block(challenge) => self.challenge_l2_block(from, challenge),
        }
    }

    pub fn answer(&mut self, from: Address, action: &Move) -> Result<ClaimIndex, Refusal> {
        let call = FaultDisputeGame::moveCall {
            _disputed: action.disputed,
            _challengeIndex: U256::from(action.parent.0),
            _claim: action.value,
            _isAttack: action.side == Side::Attack,
        };
        self.send(from, action.bond, &call)?;
        let index = self.game.claims().len() as u32;
        let claim = read_claim(&mut self.chain, self.address, index);
        // The solver's own clocks and places are the contract's.
        let clock = self.game.clock_of_answer(action.parent, action.side, self.timestamp());
        assert_eq!(Ok(Some(claim.clock)), clock);
        assert_eq!((claim.position, claim.bond), (action.position, action.bond));
        Ok(self.game.push(claim).unwrap())
    }

    pub fn step(&mut self, from: Address, step: &Step) -> Result<(), Refusal> {
        if let Some(part) = &step.data.preimage {
            let call = FaultDisputeGame::addLocalDataCall {
                _ident: U256::from(part.key[31]),
                _execLeafIdx: U256::from(step.claim.0),
                _partOffset: U256::from(part.offset),
            };
            self.send(from, Bond(0), &call)?;
        }
        let call = FaultDisputeGame::stepCall {
            _claimIndex: U256::from(step.claim.0),
            _isAttack: step.side == Side::Attack,
            _stateData: Bytes::copy_from_slice(&step.data.prestate),
            _proof: Bytes::copy_from_slice(&step.data.proof),
        };
        self.send(from, Bond(0), &call)?;
        self.game.set_countered_by(step.claim, Some(from)).unwrap();
        if self.game.resolution(step.claim).resolved {
            self.late_steps.push(step.claim);
        }
        Ok(())
    }

    fn challenge_l2_block(
        &mut self,
        from: Address,
        challenge: &L2BlockChallenge,
    ) -> Result<(), Refusal> {
        let call = FaultDisputeGame::challengeRootL2BlockCall {
            _outputRootProof: FaultDisputeGame::OutputRootProof {
                version: challenge.version,
                stateRoot: challenge.state_root,
                messagePasserStorageRoot: challenge.message_passer_storage_root,
                latestBlockhash: challenge.latest_block_hash,
            },
            _headerRLP: challenge.header_rlp.clone().into(),
        };
        self.send(from, Bond(0), &call)?;
        self.game.l2_block_number_challenger = Some(from);
        Ok(())
    }

    pub fn resolve_claim(&mut self, from: Address, resolve: Resolve) -> Result<(), Refusal> {
        let call = FaultDisputeGame::resolveClaimCall {
            _claimIndex: U256::from(resolve.claim.0),
            _numToResolve: U256::from(resolve.children),
        };
        self.send(from, Bond(0), &call)?;
        let resolution = self.read_resolution(resolve.claim);
        self.game.set_resolution(resolve.claim, resolution).unwrap();
        let claim = read_claim(&mut self.chain, self.address, resolve.claim.0);
        self.game.set_countered_by(resolve.claim, claim.countered_by).unwrap();
        Ok(())
    }

    pub fn resolve(&mut self, from: Address) -> Result<GameStatus, Refusal> {
        self.send(from, Bond(0), &FaultDisputeGame::resolveCall {})?;
        let status = self.ask(&FaultDisputeGame::statusCall {});
        self.game.status = GameStatus::try_from(status).unwrap();
        Ok(self.game.status)
    }

    fn read_resolution(&mut self, claim: ClaimIndex) -> Resolution {
        let index = U256::from(claim.0);
        let left = FaultDisputeGame::getNumToResolveCall { _claimIndex: index };
        let left: u32 = self.ask(&left).to();
        let resolved = self.ask(&FaultDisputeGame::resolvedSubgamesCall { _claimIndex: index });
        Resolution { resolved, visited: self.game.children(claim).len() as u32 - left }
    }

    /// Compares what was followed with what the contract says.
    pub fn check_view(&mut self) {
        let count: u32 = self.ask(&FaultDisputeGame::claimDataLenCall {}).to();
        assert_eq!(count as usize, self.game.claims().len());
        for index in 0..count {
            let index = ClaimIndex(index);
            let claim = read_claim(&mut self.chain, self.address, index.0);
            assert_eq!(Ok(&claim), self.game.claim(index));
            assert_eq!(self.read_resolution(index), self.game.resolution(index), "claim {index}");
        }
    }

    /// What an account has coming where bonds go to winners.
    pub fn credit(&mut self, account: Address) -> Bond {
        let call = FaultDisputeGame::normalModeCreditCall(account);
        Bond(self.ask(&call).to())
    }
}
