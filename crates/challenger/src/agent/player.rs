//! One game: make the moves that honest play asks for, then resolve what can be resolved.
//!
//! In this order, because moves have clocks and resolutions have not; and because a step against a claim counts, however
//! late it is, until the claim above is resolved.
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
    Action, ClaimIndex, Game, GameStatus, L2BlockChallenge, Move, Resolution, Seconds, Side,
    Solution, Step, Timestamp, plan_resolution, solve,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Children of a claim that one resolution visits.
const RESOLUTION_STEP: u32 = 512;
/// Claims that are resolved in one turn, and layers of them. Each transaction takes some blocks to be final, and what
/// opponents do meanwhile has to wait for the next turn: at most some minutes of the hours that an extension gives.
const RESOLUTIONS: usize = 100;
const LAYERS: usize = 8;

/// How games are played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Accounts that play for us; the sender's is one of them.
    pub ours: Vec<Address>,
    /// Resolve only claims that pay us, and no games.
    pub selective_resolution: bool,
    /// Wait before each move, unless the clock does not allow it, and before resolving: somebody else may do it.
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
    /// Whether a step waits for what it reads. Nothing may be resolved before it is made.
    pub waits: bool,
}

impl Turn {
    pub(super) fn note(&mut self, sent: &Sent) {
        if let Sent::Done(receipt) = sent {
            self.done += 1;
            self.last_block = self.last_block.max(Some(receipt.block_number));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.done += other.done;
        self.last_block = self.last_block.max(other.last_block);
        self.again = self.again.take().or(other.again);
        self.waits |= other.waits;
    }

    /// With a failure: alone where nothing is done, else as a reason to look again.
    fn with(mut self, failure: Option<Failure>) -> Result<Self, Failure> {
        match failure {
            None => Ok(self),
            Some(failure) if self.done == 0 && !self.waits => Err(failure),
            Some(failure) => {
                failure.report();
                self.again = Some(failure.to_string());
                Ok(self)
            }
        }
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
        let mut failed = None;
        if game.is_decided() || !plan_resolution(&game, now, RESOLUTION_STEP).is_empty() {
            tokio::time::sleep(self.rules.response_delay).await;
        }
        let mut left = RESOLUTIONS;
        // Layer by layer: a claim can be resolved once all its children are.
        for _ in 0..LAYERS {
            let mut layer = BTreeMap::<ClaimIndex, u32>::new();
            for call in plan_resolution(&game, now, RESOLUTION_STEP) {
                let ready =
                    game.children(call.claim).iter().all(|child| game.resolution(*child).resolved);
                let ours = !self.rules.selective_resolution || self.pays_us(&game, call.claim);
                if ready && ours && (layer.len() < left || layer.contains_key(&call.claim)) {
                    *layer.entry(call.claim).or_default() += 1;
                }
            }
            if layer.is_empty() {
                break;
            }
            left = left.saturating_sub(layer.len());
            let done = turn.done;
            let mut jobs = JoinSet::new();
            for (index, parts) in layer {
                let sender = Arc::clone(&self.sender);
                jobs.spawn(async move {
                    (index, resolve_in_parts(&sender, address, index, parts).await)
                });
            }
            let mut progress = false;
            // All of them, whatever becomes of one: a published transaction is watched to its end.
            while let Some(job) = jobs.join_next().await {
                let Ok((index, resolved)) = job else {
                    failed = failed.or(Some(Failure::Interrupted));
                    continue;
                };
                turn.merge(resolved.turn);
                if let Some(error) = resolved.error {
                    metrics::counter!("op_challenger_claim_failures").increment(1);
                    failed = failed.or(Some(error.into()));
                }
                if resolved.whole {
                    progress = true;
                    let resolution = Resolution { resolved: true, ..game.resolution(index) };
                    if let Err(error) = game.set_resolution(index, resolution) {
                        failed = failed.or(Some(error.into()));
                    }
                }
            }
            if progress && turn.done == done {
                // Racing for the rest would burn gas.
                turn.again = Some("somebody else resolves its claims".into());
            }
            if !progress || turn.done == done {
                break;
            }
        }
        let took = begin.elapsed();
        if turn.done > 0 {
            metrics::histogram!("op_challenger_claim_resolution_time").record(took.as_secs_f64());
        }
        let decided = game.is_decided() && turn.again.is_none();
        if decided && !self.rules.selective_resolution {
            match self.sender.send_patiently(&resolve_game(address)).await {
                Ok(sent) => turn.note(&sent),
                Err(error) => failed = failed.or(Some(error.into())),
            }
        }
        turn.with(failed)
    }

    /// Whether there can be anything to play in a game: it is open, and moves of this account are accepted.
    pub fn plays(&self, snapshot: &Snapshot, now: Timestamp) -> bool {
        let facts = &snapshot.facts;
        let me = self.sender.address();
        let admitted = facts.challenger.is_none_or(|only| [only, facts.creator].contains(&me));
        admitted && snapshot.game.is_open(now)
    }

    /// Finds out what honest play asks for, on a thread that can wait.
    ///
    /// # Errors
    /// [`Failure::Interrupted`] where the trace panics, which is then no other game's concern.
    pub async fn decide(
        &self,
        snapshot: &Arc<Snapshot>,
        trace: &Arc<Mutex<BoxedTrace>>,
        block: &Block,
    ) -> Result<Solution<TraceFailure>, Failure> {
        let (snapshot, trace) = (Arc::clone(snapshot), Arc::clone(trace));
        let now = Timestamp(block.timestamp);
        let solved = tokio::task::spawn_blocking(move || {
            let mut trace = trace.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            solve(&snapshot.game, &mut *trace, now)
        });
        solved.await.map_err(|_| Failure::Interrupted)
    }

    /// Makes the moves that honest play asks for.
    ///
    /// # Errors
    /// [`Failure`]; what was done before stays done.
    pub async fn play(
        &self,
        snapshot: &Arc<Snapshot>,
        solution: Solution<TraceFailure>,
        block: &Block,
        made: u64,
    ) -> Result<Turn, Failure> {
        let now = Timestamp(block.timestamp);
        let Solution { actions, failures, .. } = solution;
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
        turn.with(failed.or(undecided))
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

/// What became of the resolution of one claim.
struct Resolved {
    turn: Turn,
    /// Whether the claim is resolved now.
    whole: bool,
    error: Option<SendError>,
}

/// Resolves a claim in as many calls as its children take.
async fn resolve_in_parts(
    sender: &Sender,
    game: Address,
    claim: ClaimIndex,
    parts: u32,
) -> Resolved {
    let mut resolved = Resolved { turn: Turn::default(), whole: false, error: None };
    for part in 1..=parts {
        match sender.send_patiently(&resolve_claim(game, claim)).await {
            Ok(Sent::Refused(revert)) => {
                resolved.whole = is_named(&revert, "ClaimAlreadyResolved");
                if !resolved.whole {
                    let why = format!("claim {claim} cannot be resolved: {revert}");
                    resolved.turn.again = Some(why);
                }
                break;
            }
            Ok(sent) => {
                resolved.whole = part == parts && matches!(sent, Sent::Done(_));
                resolved.turn.note(&sent);
            }
            Err(error) => {
                resolved.error = Some(error);
                break;
            }
        }
    }
    resolved
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
                        turn.waits = true;
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
        Sent::Refused(revert) => {
            // The solver holds it for possible, the contract does not: somebody has to look at that.
            metrics::counter!("op_challenger_not_acted", "reason" => "refused").increment(1);
            tracing::warn!(what = intent.what, %revert, "the contract refuses it");
            turn.again = Some(format!("{}: {revert}", intent.what));
        }
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
