//! The contracts of a chain in an embedded EVM with the real verifier, and one game on them.

use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use rebut_challenger::preimage::{Call, Metadata, Next, Schedule, Target, Upload};
use rebut_contracts::bindings::{
    AnchorStateRegistry, DelayedWETH, DisputeGameFactory, FaultDisputeGame, MIPS64, PreimageOracle,
    Proxy, ProxyAdmin, SuperchainConfig, SystemConfig,
};
use rebut_contracts::{CallError, Chain};
use rebut_dispute::{
    Action, Bond, Claim, ClaimIndex, Clock, Game, GameStatus, Move, Parameters, Position, Proposal,
    Resolution, Resolve, Seconds, Side, Step, Timestamp,
};

const OWNER: Address = address!("00000000000000000000000000000000000000aa");

/// Mainnet's.
const MAX_DEPTH: u64 = 73;
const SPLIT_DEPTH: u64 = 30;
const MAX_CLOCK: u64 = 302_400;
const EXTENSION: u64 = 10_800;
const CHALLENGE_PERIOD: u64 = 86_400;
const MIN_PROPOSAL_BYTES: u64 = 126_000;

const FIRST_BLOCK: u64 = 20_000_000;
const STARTED_AT: u64 = 1_700_000_000;
const ROOT_BOND: Bond = Bond(80_000_000_000_000_000);

/// What a game is about.
#[derive(Clone, Copy, Debug)]
pub struct Dispute {
    pub absolute_prestate: B256,
    pub starting: Proposal,
    pub l2_block: u64,
    pub root: B256,
    /// The L1 block before the one that the game is created in.
    pub l1_head: B256,
    pub chain_id: u64,
}

/// A game on contracts of its own.
#[derive(Debug)]
pub struct Table {
    chain: Chain,
    game_address: Address,
    oracle: Address,
    now: u64,
    /// What a reader of the contract knows.
    pub game: Game,
}

impl Table {
    /// Deploys everything and opens the game.
    pub fn open(dispute: &Dispute, proposer: Address) -> Self {
        let mut chain = Chain::new();
        chain.set_block(FIRST_BLOCK, STARTED_AT);
        let mut new =
            |code: &[u8], arguments: Vec<u8>| chain.deploy(OWNER, code, &arguments).unwrap();
        let admin = new(&ProxyAdmin::BYTECODE, OWNER.abi_encode());
        let mut proxy = || new(&Proxy::BYTECODE, admin.abi_encode());
        let [superchain, config, factory, registry, weth] = core::array::from_fn(|_| proxy());
        let limits = [MIN_PROPOSAL_BYTES, CHALLENGE_PERIOD].map(U256::from);
        let oracle = new(&PreimageOracle::BYTECODE, limits.abi_encode());
        let machine = new(&MIPS64::BYTECODE, (oracle, U256::from(8)).abi_encode());
        let rules = [MAX_DEPTH, SPLIT_DEPTH, EXTENSION, MAX_CLOCK].map(U256::from);
        let game = new(&FaultDisputeGame::BYTECODE, rules.abi_encode());
        let anchor = AnchorStateRegistry::Proposal {
            root: dispute.starting.root,
            l2SequenceNumber: U256::from(dispute.starting.l2_sequence_number),
        };
        let behind_proxies = [
            (
                superchain,
                new(&SuperchainConfig::BYTECODE, Vec::new()),
                SuperchainConfig::initializeCall { _guardian: OWNER }.abi_encode(),
            ),
            (
                config,
                new(&SystemConfig::BYTECODE, Vec::new()),
                configuration(weth, superchain, dispute.chain_id).abi_encode(),
            ),
            (
                factory,
                new(&DisputeGameFactory::BYTECODE, Vec::new()),
                DisputeGameFactory::initializeCall { _owner: OWNER }.abi_encode(),
            ),
            (
                registry,
                new(&AnchorStateRegistry::BYTECODE, U256::from(302_400).abi_encode()),
                AnchorStateRegistry::initializeCall {
                    _systemConfig: config,
                    _disputeGameFactory: factory,
                    _startingAnchorRoot: anchor,
                    _startingRespectedGameType: 0,
                }
                .abi_encode(),
            ),
            (
                weth,
                new(&DelayedWETH::BYTECODE, U256::from(604_800).abi_encode()),
                DelayedWETH::initializeCall { _systemConfig: config }.abi_encode(),
            ),
        ];
        for (proxy, code, data) in behind_proxies {
            let call = ProxyAdmin::upgradeAndCallCall {
                _proxy: proxy,
                _implementation: code,
                _data: data.into(),
            };
            chain.transact(OWNER, admin, U256::ZERO, &call).unwrap();
        }
        let arguments = [
            dispute.absolute_prestate.as_slice(),
            machine.as_slice(),
            registry.as_slice(),
            weth.as_slice(),
            &U256::from(dispute.chain_id).to_be_bytes::<32>(),
        ];
        let call = DisputeGameFactory::setImplementation_1Call {
            _gameType: 0,
            _impl: game,
            _args: arguments.concat().into(),
        };
        chain.transact(OWNER, factory, U256::ZERO, &call).unwrap();
        let bond = U256::from(ROOT_BOND.0);
        let call = DisputeGameFactory::setInitBondCall { _gameType: 0, _initBond: bond };
        chain.transact(OWNER, factory, U256::ZERO, &call).unwrap();

        chain.set_block_hash(FIRST_BLOCK, dispute.l1_head);
        let now = STARTED_AT + 12;
        chain.set_block(FIRST_BLOCK + 1, now);
        chain.set_balance(proposer, U256::MAX >> 8);
        let call = DisputeGameFactory::createCall {
            _gameType: 0,
            _rootClaim: dispute.root,
            _extraData: U256::from(dispute.l2_block).abi_encode().into(),
        };
        let created = chain.transact(proposer, factory, bond, &call).unwrap();
        let game_address = created.output;
        let first = read_claim(&mut chain, game_address, 0);
        let [max_clock, extension, period] = [MAX_CLOCK, EXTENSION, CHALLENGE_PERIOD].map(Seconds);
        let parameters =
            Parameters::new(MAX_DEPTH, SPLIT_DEPTH, max_clock, extension, period).unwrap();
        let game = Game::new(parameters, dispute.starting, dispute.l2_block, [first]).unwrap();
        Self { chain, game_address, oracle, now, game }
    }

    pub fn give(&mut self, player: Address) {
        self.chain.set_balance(player, U256::MAX >> 8);
    }

    pub fn timestamp(&self) -> Timestamp {
        Timestamp(self.now)
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        self.chain.set_block(FIRST_BLOCK + 1 + (self.now - STARTED_AT) / 12, self.now);
    }

    fn send<C: SolCall>(
        &mut self,
        from: Address,
        wei: Bond,
        call: &C,
    ) -> Result<C::Return, CallError> {
        let sent = self.chain.transact(from, self.game_address, U256::from(wei.0), call);
        sent.map(|receipt| receipt.output)
    }

    fn ask<C: SolCall>(&mut self, call: &C) -> C::Return {
        self.chain.call(OWNER, self.game_address, call).unwrap().output
    }

    pub fn act(&mut self, from: Address, action: &Action) -> Result<(), CallError> {
        match action {
            Action::Move(action) => self.answer(from, action),
            Action::Step(step) => self.step(from, step),
            Action::ChallengeL2Block(_) => panic!("no disputed block is beyond its L1 data"),
        }
    }

    fn answer(&mut self, from: Address, action: &Move) -> Result<(), CallError> {
        let call = FaultDisputeGame::moveCall {
            _disputed: action.disputed,
            _challengeIndex: U256::from(action.parent.0),
            _claim: action.value,
            _isAttack: action.side == Side::Attack,
        };
        self.send(from, action.bond, &call)?;
        let index = self.game.claims().len() as u32;
        let claim = read_claim(&mut self.chain, self.game_address, index);
        assert_eq!((claim.position, claim.bond), (action.position, action.bond));
        self.game.push(claim).unwrap();
        Ok(())
    }

    fn step(&mut self, from: Address, step: &Step) -> Result<(), CallError> {
        if let Some(part) = &step.data.preimage {
            let upload = Upload::plan(part, step.claim, from, MIN_PROPOSAL_BYTES).expect("a plan");
            self.upload(from, upload)?;
        }
        let call = FaultDisputeGame::stepCall {
            _claimIndex: U256::from(step.claim.0),
            _isAttack: step.side == Side::Attack,
            _stateData: Bytes::copy_from_slice(&step.data.prestate),
            _proof: Bytes::copy_from_slice(&step.data.proof),
        };
        self.send(from, Bond(0), &call)?;
        self.game.set_countered_by(step.claim, Some(from)).unwrap();
        Ok(())
    }

    fn upload(&mut self, from: Address, upload: Upload) -> Result<(), CallError> {
        let proposal = match upload {
            Upload::Local(call) | Upload::Direct { call, .. } => return self.call(from, &call),
            Upload::Large { proposal, .. } => proposal,
        };
        loop {
            let call = proposalMetadataCall { claimant: from, uuid: proposal.uuid() };
            let word = self.chain.call(OWNER, self.oracle, &call)?.output;
            let schedule =
                Schedule { now: self.timestamp(), challenge_period: Seconds(CHALLENGE_PERIOD) };
            match proposal.next(&Metadata::unpack(word), schedule).expect("a next call") {
                Next::Send(calls) => {
                    let is_last = word != B256::ZERO;
                    for call in &calls {
                        self.call(from, call)?;
                    }
                    if is_last {
                        return Ok(());
                    }
                }
                Next::Wait(until) => self.wait(until.0 - self.now),
            }
        }
    }

    fn call(&mut self, from: Address, call: &Call) -> Result<(), CallError> {
        let to = match call.target {
            Target::Oracle => self.oracle,
            Target::Game => self.game_address,
        };
        self.chain.transact_raw(from, to, call.value, call.data.clone()).map(drop)
    }

    pub fn resolve_claim(&mut self, from: Address, resolve: Resolve) {
        let call = FaultDisputeGame::resolveClaimCall {
            _claimIndex: U256::from(resolve.claim.0),
            _numToResolve: U256::from(resolve.children),
        };
        self.send(from, Bond(0), &call).unwrap();
        let index = U256::from(resolve.claim.0);
        let left: u32 =
            self.ask(&FaultDisputeGame::getNumToResolveCall { _claimIndex: index }).to();
        let resolved = self.ask(&FaultDisputeGame::resolvedSubgamesCall { _claimIndex: index });
        let visited = self.game.children(resolve.claim).len() as u32 - left;
        self.game.set_resolution(resolve.claim, Resolution { resolved, visited }).unwrap();
        let claim = read_claim(&mut self.chain, self.game_address, resolve.claim.0);
        self.game.set_countered_by(resolve.claim, claim.countered_by).unwrap();
    }

    pub fn resolve(&mut self, from: Address) -> GameStatus {
        self.send(from, Bond(0), &FaultDisputeGame::resolveCall {}).unwrap();
        let status = self.ask(&FaultDisputeGame::statusCall {});
        GameStatus::try_from(status).unwrap()
    }

    /// What an account has coming where bonds go to winners.
    pub fn credit(&mut self, account: Address) -> Bond {
        Bond(self.ask(&FaultDisputeGame::normalModeCreditCall(account)).to())
    }
}

alloy_sol_types::sol! {
    /// What the oracle says of a proposal.
    function proposalMetadata(address claimant, uint256 uuid) external view returns (bytes32);
}

fn configuration(
    weth: Address,
    superchain: Address,
    chain_id: u64,
) -> SystemConfig::initializeCall {
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
        _l2ChainId: U256::from(chain_id),
        _superchainConfig: superchain,
    }
}

fn read_claim(chain: &mut Chain, game: Address, index: u32) -> Claim {
    let call = FaultDisputeGame::claimDataCall { _index: U256::from(index) };
    let data = chain.call(OWNER, game, &call).unwrap().output;
    Claim {
        parent: (data.parentIndex != u32::MAX).then_some(ClaimIndex(data.parentIndex)),
        countered_by: (data.counteredBy != Address::ZERO).then_some(data.counteredBy),
        claimant: data.claimant,
        bond: Bond(data.bond),
        value: data.claim,
        position: Position::new(data.position).unwrap(),
        clock: Clock::unpack(data.clock),
    }
}
