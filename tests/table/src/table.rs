//! One game, and all that can be done in it.

use crate::contracts::{OWNER, block_at};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::FaultDisputeGame;
use rebut_contracts::{CallError, Chain, Revert};
use rebut_dispute::{
    Action, Bond, Claim, ClaimIndex, Clock, Game, GameStatus, L2BlockChallenge, Move, Position,
    Resolution, Resolve, Side, Step, Timestamp,
};

/// The name of the error with which the contract refused.
pub type Refusal = String;

/// First byte of the keys of local data.
const LOCAL: u8 = 1;

/// A game on contracts of its own. What fails in a way that no contract is meant to fail panics.
#[derive(Clone, Debug)]
pub struct Table {
    /// The contracts.
    pub chain: Chain,
    /// The game's address.
    pub address: Address,
    /// The address of its machine's oracle.
    pub oracle: Address,
    /// What a reader of the contract knows.
    pub game: Game,
    /// Claims that were stepped on after their bond was paid.
    pub late_steps: Vec<ClaimIndex>,
    pub(crate) now: u64,
}

impl Table {
    /// The time of the block that the next call is in.
    pub const fn timestamp(&self) -> Timestamp {
        Timestamp(self.now)
    }

    /// Lets time pass.
    pub fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        self.chain.set_block(block_at(self.now), self.now);
    }

    /// Gives an account more than it can spend.
    pub fn endow(&mut self, player: Address) {
        self.chain.set_balance(player, U256::MAX >> 16);
    }

    /// Sends a call to the game.
    ///
    /// # Errors
    /// The contract's.
    pub fn send<C: SolCall>(
        &mut self,
        from: Address,
        wei: Bond,
        call: &C,
    ) -> Result<C::Return, Refusal> {
        let sent = self.chain.transact(from, self.address, U256::from(wei.0), call);
        sent.map(|receipt| receipt.output).map_err(refusal)
    }

    /// Reads from the game.
    pub fn ask<C: SolCall>(&mut self, call: &C) -> C::Return {
        ask(&mut self.chain, self.address, call)
    }

    /// Does what a solution asks for; a step after the local data that it reads.
    ///
    /// # Errors
    /// The contract's.
    pub fn act(&mut self, from: Address, action: &Action) -> Result<(), Refusal> {
        match action {
            Action::Move(action) => self.answer(from, action).map(drop),
            Action::Step(step) => {
                self.load_local(from, step)?;
                self.step(from, step)
            }
            Action::ChallengeL2Block(challenge) => self.challenge_l2_block(from, challenge),
        }
    }

    /// Makes a claim.
    ///
    /// # Errors
    /// The contract's.
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
        Ok(self.game.push(claim).expect("a claim below its parent"))
    }

    /// Loads the local data that a step reads, if it reads any.
    ///
    /// # Errors
    /// The contract's.
    pub fn load_local(&mut self, from: Address, step: &Step) -> Result<(), Refusal> {
        let part = step.data.preimage.as_ref().filter(|part| part.key[0] == LOCAL);
        let Some(part) = part else { return Ok(()) };
        let call = FaultDisputeGame::addLocalDataCall {
            _ident: U256::from(part.key[31]),
            _execLeafIdx: U256::from(step.claim.0),
            _partOffset: U256::from(part.offset),
        };
        self.send(from, Bond(0), &call).map(drop)
    }

    /// Executes an instruction; what it reads must be in the oracle.
    ///
    /// # Errors
    /// The contract's.
    pub fn step(&mut self, from: Address, step: &Step) -> Result<(), Refusal> {
        let call = FaultDisputeGame::stepCall {
            _claimIndex: U256::from(step.claim.0),
            _isAttack: step.side == Side::Attack,
            _stateData: Bytes::copy_from_slice(&step.data.prestate),
            _proof: Bytes::copy_from_slice(&step.data.proof),
        };
        self.send(from, Bond(0), &call)?;
        self.game.set_countered_by(step.claim, Some(from)).expect("a claim");
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

    /// Resolves a claim, or looks at some of its children.
    ///
    /// # Errors
    /// The contract's.
    pub fn resolve_claim(&mut self, from: Address, resolve: Resolve) -> Result<(), Refusal> {
        let call = FaultDisputeGame::resolveClaimCall {
            _claimIndex: U256::from(resolve.claim.0),
            _numToResolve: U256::from(resolve.children),
        };
        self.send(from, Bond(0), &call)?;
        let resolution = self.read_resolution(resolve.claim);
        self.game.set_resolution(resolve.claim, resolution).expect("a claim");
        let claim = read_claim(&mut self.chain, self.address, resolve.claim.0);
        self.game.set_countered_by(resolve.claim, claim.countered_by).expect("a claim");
        Ok(())
    }

    /// Ends the game.
    ///
    /// # Errors
    /// The contract's.
    pub fn resolve(&mut self, from: Address) -> Result<GameStatus, Refusal> {
        self.send(from, Bond(0), &FaultDisputeGame::resolveCall {})?;
        let status = self.ask(&FaultDisputeGame::statusCall {});
        self.game.status = GameStatus::try_from(status).expect("a status");
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
        for index in (0..count).map(ClaimIndex) {
            let claim = read_claim(&mut self.chain, self.address, index.0);
            assert_eq!(Ok(&claim), self.game.claim(index));
            assert_eq!(self.read_resolution(index), self.game.resolution(index), "claim {index}");
        }
    }

    /// What an account has coming where bonds go to winners.
    pub fn credit(&mut self, account: Address) -> Bond {
        Bond(self.ask(&FaultDisputeGame::normalModeCreditCall(account)).to())
    }
}

fn ask<C: SolCall>(chain: &mut Chain, game: Address, call: &C) -> C::Return {
    let answer = chain.call(OWNER, game, call);
    answer.unwrap_or_else(|error| panic!("{}: {error}", C::SIGNATURE)).output
}

pub(crate) fn read_claim(chain: &mut Chain, game: Address, index: u32) -> Claim {
    let call = FaultDisputeGame::claimDataCall { _index: U256::from(index) };
    let data = ask(chain, game, &call);
    Claim {
        parent: (data.parentIndex != u32::MAX).then_some(ClaimIndex(data.parentIndex)),
        countered_by: (data.counteredBy != Address::ZERO).then_some(data.counteredBy),
        claimant: data.claimant,
        bond: Bond(data.bond),
        value: data.claim,
        position: Position::new(data.position).expect("a position"),
        clock: Clock::unpack(data.clock),
    }
}

fn refusal(error: CallError) -> Refusal {
    match error {
        CallError::Revert(Revert::Named(name)) => name.into(),
        other => other.to_string(),
    }
}
