//! One game: resolve what can be resolved, then make the moves that honest play asks for.
//!
//! Everything is decided from one reading of the game and from its trace, and nothing is remembered that matters: a
//! player that is killed and started again finds on chain what it has done. What it cannot be sure of it does not
//! act on; the [`Failure`] says why.

use super::{BoxedTrace, Failure, TraceFailure, upload};
use crate::chain::{Block, Lens, Snapshot};
use crate::sender::{Intent, SendError, Sender, Sent};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::Revert;
use rebut_contracts::bindings::FaultDisputeGame as Contract;
use rebut_dispute::{
    Action, ClaimIndex, Game, GameStatus, L2BlockChallenge, Move, Seconds, Side, Solution, Step,
    Timestamp, plan_resolution, solve,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Children of a claim that one resolution visits.
const RESOLUTION_STEP: u32 = 512;

/// How games are played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Accounts that play for us; the sender's is one of them.
    pub ours: Vec<Address>,
    /// Resolve only claims that pay us, and no games.
    pub selective_resolution: bool,
    /// Wait before each move, unless the clock does not allow it.
    pub response_delay: Duration,
    /// Moves of a game that are made without waiting.
    pub response_delay_after: u64,
}

/// What is shared by all players.
#[derive(Debug)]
pub struct Player {
    /// Reads.
    pub lens: Lens,
    /// Writes.
    pub sender: Arc<Sender>,
    /// How.
    pub rules: Rules,
}

/// What a player did in one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Transactions that are done.
    pub done: u64,
    /// The latest block that holds one of them. The game has not been read properly before this block is.
    pub last_block: Option<u64>,
    /// Why the game is to be looked at again although nothing changes in it.
    pub again: Option<String>,
}

impl Turn {
    pub(super) fn note(&mut self, sent: &Sent) {
        if let Sent::Done(receipt) = sent {
            self.done += 1;
            self.last_block = self.last_block.max(Some(receipt.block_number));
        }
    }

    fn merge(&mut self, other: Self) {
        self.done += other.done;
        self.last_block = self.last_block.max(other.last_block);
        self.again = self.again.take().or(other.again);
    }
}

impl Player {
    /// Resolves what can be resolved in a game, and the game itself.
    ///
    /// # Errors
    /// [`Failure`]; what was done before stays done.
    pub async fn resolve(&self, snapshot: &Snapshot, now: Timestamp) -> Result<Turn, Failure> {
        let mut turn = Turn::default();
        if snapshot.game.status != GameStatus::InProgress {
            return Ok(turn);
        }
        let mut game = snapshot.game.clone();
        let address = snapshot.facts.listing.address;
        let begin = Instant::now();
        // Layer by layer: a claim can be resolved once all its children are.
        loop {
            let mut layer = BTreeMap::<ClaimIndex, u32>::new();
            for call in plan_resolution(&game, now, RESOLUTION_STEP) {
                let ready =
                    game.children(call.claim).iter().all(|child| game.resolution(*child).resolved);
                if ready && (!self.rules.selective_resolution || self.pays_us(&game, call.claim)) {
                    *layer.entry(call.claim).or_default() += 1;
                }
            }
            if layer.is_empty() {
                break;
            }
            let mut jobs = JoinSet::new();
            for (index, parts) in layer {
                let sender = Arc::clone(&self.sender);
                jobs.spawn(async move {
                    let mut sent = Vec::new();
                    for _ in 0..parts {
                        let answer = sender.send(&resolve_claim(address, index)).await?;
                        let refused = matches!(answer, Sent::Refused(_));
                        sent.push(answer);
                        if refused {
                            break;
                        }
                    }
                    Ok::<_, SendError>((index, sent))
                });
            }
            let mut progress = false;
            while let Some(job) = jobs.join_next().await {
                let (index, sent) = job.map_err(|_| Failure::Interrupted)?.inspect_err(|_| {
                    metrics::counter!("op_challenger_claim_failures").increment(1);
                })?;
                let mut resolution = game.resolution(index);
                for sent in &sent {
                    turn.note(sent);
                    match sent {
                        Sent::Refused(revert) if !is_named(revert, "ClaimAlreadyResolved") => {
                            turn.again =
                                Some(format!("claim {index} cannot be resolved: {revert}"));
                        }
                        Sent::Dry { .. } => {}
                        Sent::Done(_) | Sent::Refused(_) => resolution.resolved = true,
                    }
                }
                progress |= resolution.resolved;
                game.set_resolution(index, resolution)?;
            }
            if !progress {
                break;
            }
        }
        let took = begin.elapsed();
        if turn.done > 0 {
            metrics::histogram!("op_challenger_claim_resolution_time").record(took.as_secs_f64());
        }
        if game.resolution(ClaimIndex::ROOT).resolved && !self.rules.selective_resolution {
            turn.note(&self.sender.send(&resolve_game(address)).await?);
        }
        Ok(turn)
    }

    /// Makes the moves that honest play asks for.
    ///
    /// # Errors
    /// [`Failure`]; what was done before stays done.
    pub async fn play(
        &self,
        snapshot: &Arc<Snapshot>,
        trace: &Arc<Mutex<BoxedTrace>>,
        block: &Block,
        made: u64,
    ) -> Result<Turn, Failure> {
        let game = &snapshot.game;
        if game.status != GameStatus::InProgress || game.l2_block_number_challenger.is_some() {
            return Ok(Turn::default());
        }
        let facts = &snapshot.facts;
        let me = self.sender.address();
        if let Some(challenger) = facts.challenger
            && ![challenger, facts.creator].contains(&me)
        {
            return Ok(Turn::default());
        }
        let now = Timestamp(block.timestamp);
        let Solution { actions, failures, .. } =
            decide(Arc::clone(snapshot), Arc::clone(trace), now).await?;
        let mut turn = Turn::default();
        let mut jobs = JoinSet::new();
        for (number, action) in (made..).zip(actions) {
            let snapshot = Arc::clone(snapshot);
            let (lens, sender) = (self.lens.clone(), Arc::clone(&self.sender));
            let wait = self.wait(&snapshot.game, &action, number, now);
            jobs.spawn(async move {
                tokio::time::sleep(wait).await;
                act(&lens, &sender, &snapshot, action).await
            });
        }
        let mut failed = None;
        while let Some(job) = jobs.join_next().await {
            match job.map_err(|_| Failure::Interrupted).and_then(|acted| acted) {
                Ok(part) => turn.merge(part),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        // What is not known for one claim does not hold back the answers to others.
        let undecided = failures.into_iter().next().map(|failure| Failure::Trace(failure.into()));
        match failed.or(undecided) {
            None => Ok(turn),
            Some(failure) if turn.done == 0 => Err(failure),
            Some(failure) => {
                turn.again = Some(failure.to_string());
                Ok(turn)
            }
        }
    }

    fn pays_us(&self, game: &Game, index: ClaimIndex) -> bool {
        let Ok(claim) = game.claim(index) else { return false };
        match claim.countered_by {
            Some(by) => self.rules.ours.contains(&by),
            None => self.rules.ours.contains(&claim.claimant),
        }
    }

    /// How long an answer is held back. Never into the time that a clock keeps for its side's last answer.
    fn wait(&self, game: &Game, action: &Action, made: u64, now: Timestamp) -> Duration {
        let delay = self.rules.response_delay;
        if delay.is_zero() || made < self.rules.response_delay_after {
            return Duration::ZERO;
        }
        let Ok(Seconds(used)) = game.challenger_duration(action.claim(), now) else {
            return Duration::ZERO;
        };
        let (max, kept) =
            (game.parameters().max_clock_duration().0, game.parameters().clock_extension().0);
        let after = used.saturating_add(delay.as_secs());
        if after >= max.saturating_sub(kept) { Duration::ZERO } else { delay }
    }
}

/// Asks the solver, on a thread that can wait.
async fn decide(
    snapshot: Arc<Snapshot>,
    trace: Arc<Mutex<BoxedTrace>>,
    now: Timestamp,
) -> Result<Solution<TraceFailure>, Failure> {
    let solved = tokio::task::spawn_blocking(move || {
        let mut trace = trace.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        solve(&snapshot.game, &mut *trace, now)
    });
    // The panic of a trace is its own; no game depends on another's.
    solved.await.map_err(|_| Failure::Interrupted)
}

/// Makes one move, if nobody has made it.
async fn act(
    lens: &Lens,
    sender: &Sender,
    snapshot: &Snapshot,
    action: Action,
) -> Result<Turn, Failure> {
    let address = snapshot.facts.listing.address;
    let mut turn = Turn::default();
    let (intent, counter) = match action {
        Action::Move(action) => (answer(address, &action), "op_challenger_moves"),
        Action::Step(Step { claim, side, data, .. }) => {
            if let Some(part) = &data.preimage {
                match upload::upload(lens, sender, snapshot, claim, part).await? {
                    upload::Upload::Ready(done) => turn.merge(done),
                    upload::Upload::Waiting { done, until } => {
                        turn.merge(done);
                        let time = until.0;
                        turn.again =
                            Some(format!("a large preimage can be challenged until {time}"));
                        return Ok(turn);
                    }
                }
            }
            let call = step(address, claim, side, data.prestate.into(), data.proof.into());
            (call, "op_challenger_steps")
        }
        Action::ChallengeL2Block(challenge) => {
            (challenge_l2_block(address, challenge), "op_challenger_l2_challenges")
        }
    };
    let sent = sender.send(&intent).await?;
    turn.note(&sent);
    match sent {
        Sent::Done(_) => metrics::counter!(counter).increment(1),
        Sent::Refused(revert) if is_done_already(&revert) => {
            tracing::info!(what = intent.what, %revert, "somebody has done it");
        }
        Sent::Refused(revert) => turn.again = Some(format!("{}: {revert}", intent.what)),
        Sent::Dry { .. } => {}
    }
    Ok(turn)
}

fn intent(to: Address, value: U256, call: &impl SolCall, what: String) -> Intent {
    Intent { to, value, data: call.abi_encode().into(), what }
}

/// The call of a move, with the claim that it answers: after a reorganisation that puts another claim at the same
/// index the contract refuses it.
pub fn answer(game: Address, action: &Move) -> Intent {
    let Move { parent, disputed, side, value, bond, .. } = *action;
    let call = Contract::moveCall {
        _disputed: disputed,
        _challengeIndex: U256::from(parent.0),
        _claim: value,
        _isAttack: side == Side::Attack,
    };
    intent(game, U256::from(bond.0), &call, format!("{side} claim {parent} of game {game}"))
}

/// The call of a step. What the instruction reads must be loaded before.
pub fn step(game: Address, claim: ClaimIndex, side: Side, prestate: Bytes, proof: Bytes) -> Intent {
    let call = Contract::stepCall {
        _claimIndex: U256::from(claim.0),
        _isAttack: side == Side::Attack,
        _stateData: prestate,
        _proof: proof,
    };
    intent(game, U256::ZERO, &call, format!("{side} claim {claim} of game {game} by a step"))
}

/// The call that resolves a game whose root claim is resolved.
pub fn resolve_game(game: Address) -> Intent {
    intent(game, U256::ZERO, &Contract::resolveCall {}, format!("resolve game {game}"))
}

/// The call that resolves a claim, or the next part of its children.
pub fn resolve_claim(game: Address, claim: ClaimIndex) -> Intent {
    let call = Contract::resolveClaimCall {
        _claimIndex: U256::from(claim.0),
        _numToResolve: U256::from(RESOLUTION_STEP),
    };
    intent(game, U256::ZERO, &call, format!("resolve claim {claim} of game {game}"))
}

fn challenge_l2_block(game: Address, challenge: L2BlockChallenge) -> Intent {
    let call = Contract::challengeRootL2BlockCall {
        _outputRootProof: Contract::OutputRootProof {
            version: challenge.version,
            stateRoot: challenge.state_root,
            messagePasserStorageRoot: challenge.message_passer_storage_root,
            latestBlockhash: challenge.latest_block_hash,
        },
        _headerRLP: Bytes::from(challenge.header_rlp),
    };
    intent(game, U256::ZERO, &call, format!("challenge the L2 block number of game {game}"))
}

/// Whether a refusal means that there is nothing left to do.
fn is_done_already(revert: &Revert) -> bool {
    ["ClaimAlreadyExists", "DuplicateStep", "L2BlockNumberChallenged", "GameNotInProgress"]
        .iter()
        .any(|name| is_named(revert, name))
}

fn is_named(revert: &Revert, name: &str) -> bool {
    matches!(revert, Revert::Named(named) if *named == name)
}
