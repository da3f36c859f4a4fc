//! The honest challenger: what to do about every claim of a game.
//!
//! A claim's verdict follows from what it answers, so one pass in the order of the chain judges all of them:
//!
//! ```text
//!   what the claim is                                             verdict
//!   ───────────────────────────────────────────────────────────   ─────────────────────────────
//!   the root                                                      honest if right, else countered
//!   the honest answer to a countered claim                        honest
//!   another answer to a countered claim, not right of that        countered (a freeloader)
//!   another answer to a countered claim, right of that            left alone
//!   an answer to an honest claim                                  countered
//!   an answer to a claim that is left alone                       left alone
//! ```
//!
//! A claim is countered by an attack where its value is wrong, by a defence where it is right, and at the
//! largest depth by a step of the same side.
//!
//! Invariant: whatever others play, the root claim stands in the end if and only if it is right, every bond of
//! an honest claim comes back, and with it that of the claim that it answers.
//!
//! Source: honest challenger specification.

use crate::rules::{self, Facts, Violation};
use crate::{
    Action, ClaimIndex, Game, GameError, GameStatus, Move, Position, Reason, Response, Side, Step,
    Timestamp, Trace, Verdict,
};
use alloc::vec;
use alloc::vec::Vec;
use alloy_primitives::B256;
use thiserror::Error;

/// What honest play makes of a game.
#[derive(Debug)]
pub struct Solution<E> {
    /// What to do now, in the order of the claims. No action depends on another one.
    pub actions: Vec<Action>,
    /// What could not be decided. Nothing is done about such a claim, nor about claims below it.
    pub failures: Vec<Failure<E>>,
    /// The verdicts behind the actions, in the order of the claims, without those that failed.
    pub verdicts: Vec<Verdict>,
}

/// A claim without a verdict.
#[derive(Debug, Error)]
#[error("claim {claim}: {error}")]
pub struct Failure<E> {
    /// The claim.
    pub claim: ClaimIndex,
    /// Why.
    pub error: SolveError<E>,
}

/// Why there is no verdict on a claim.
#[derive(Debug, Error)]
pub enum SolveError<E> {
    /// The truth is not known.
    #[error("{0}")]
    Trace(E),
    /// The game is not one that can be played.
    #[error(transparent)]
    Game(#[from] GameError),
    /// The action breaks a rule: the contract would refuse it, or it would lose a bond.
    #[error(transparent)]
    Rule(Violation),
}

/// What to do in a game at time `now`: that of the block in which an action can be included at the earliest.
pub fn solve<T: Trace>(game: &Game, trace: &mut T, now: Timestamp) -> Solution<T::Error> {
    let mut solution = Solution { actions: Vec::new(), failures: Vec::new(), verdicts: Vec::new() };
    if game.status != GameStatus::InProgress {
        return solution;
    }
    let mut solver = Solver::new(game, trace, now);
    for (claim, _) in game.claims() {
        match solver.act(claim) {
            Ok(None) => {}
            Ok(Some((verdict, action))) => {
                solution.verdicts.push(verdict);
                solution.actions.extend(action);
            }
            Err(error) => solution.failures.push(Failure { claim, error }),
        }
    }
    solution
}

/// Why the honest answer to a claim is what it is: the verdicts on all that it answers, from the root down, and
/// on itself.
///
/// # Errors
/// [`SolveError`] where one of them has none.
pub fn explain<T: Trace>(
    game: &Game,
    trace: &mut T,
    claim: ClaimIndex,
    now: Timestamp,
) -> Result<Vec<Verdict>, SolveError<T::Error>> {
    game.claim(claim)?;
    let mut lineage: Vec<_> = game.lineage(claim).map(|(index, _)| index).collect();
    lineage.reverse();
    let mut solver = Solver::new(game, trace, now);
    lineage.into_iter().map(|index| solver.judge(index)).collect()
}

/// What a claim's answers depend on.
#[derive(Clone, Copy, Debug)]
enum Standing {
    /// Not judged, or not decided.
    Unknown,
    Honest,
    /// Countered, and by what.
    Countered(Position, B256),
    /// Countered by nothing on which an answer could be judged: by a step, or too late.
    Late,
    Ignored,
}

/// A verdict, and the action that follows from it.
type Judgement = (Verdict, Option<Action>);

struct Solver<'a, T: Trace> {
    game: &'a Game,
    trace: &'a mut T,
    now: Timestamp,
    standings: Vec<Standing>,
    honest_values: Vec<Option<B256>>,
}

impl<'a, T: Trace> Solver<'a, T> {
    fn new(game: &'a Game, trace: &'a mut T, now: Timestamp) -> Self {
        let claims = game.claims().len();
        let standings = vec![Standing::Unknown; claims];
        Self { game, trace, now, standings, honest_values: vec![None; claims] }
    }

    fn standing(&self, index: ClaimIndex) -> Standing {
        self.standings.get(index.0 as usize).copied().unwrap_or(Standing::Unknown)
    }

    /// The value that honest players claim where this claim stands.
    fn honest_value(&mut self, index: ClaimIndex) -> Result<B256, SolveError<T::Error>> {
        let place = index.0 as usize;
        if let Some(Some(value)) = self.honest_values.get(place) {
            return Ok(*value);
        }
        let claim = self.game.claim(index)?;
        // The honest answer is right where it stands; there is no need to ask again.
        let value = match self.standing(index) {
            Standing::Honest => claim.value,
            _ => self.trace.claim(self.game, index, claim.position).map_err(SolveError::Trace)?,
        };
        if let Some(known) = self.honest_values.get_mut(place) {
            *known = Some(value);
        }
        Ok(value)
    }

    /// The verdict on a claim and the action that follows, none where nothing is known about what it answers.
    fn act(&mut self, index: ClaimIndex) -> Result<Option<Judgement>, SolveError<T::Error>> {
        let parent = self.game.claim(index)?.parent;
        if parent.is_some_and(|parent| matches!(self.standing(parent), Standing::Unknown)) {
            return Ok(None);
        }
        let verdict = self.judge(index)?;
        let action = match verdict.response {
            Response::Move(action) => Some(Action::Move(action)),
            Response::Step { side, position } => {
                let data =
                    self.trace.step_data(self.game, index, position).map_err(SolveError::Trace)?;
                Some(Action::Step(Step { claim: index, side, position, data }))
            }
            Response::ChallengeL2Block => self
                .trace
                .l2_block_challenge(self.game)
                .map_err(SolveError::Trace)?
                .map(Action::ChallengeL2Block),
            Response::LetStand
            | Response::Given(_)
            | Response::Stepped(_)
            | Response::Late { .. } => None,
        };
        if let Some(action) = &action {
            let facts = self.facts(action)?;
            rules::check(&facts).map_err(SolveError::Rule)?;
        }
        Ok(Some((verdict, action)))
    }

    /// The verdict on a claim, after those on all that it answers.
    fn judge(&mut self, index: ClaimIndex) -> Result<Verdict, SolveError<T::Error>> {
        let reason = self.reason(index)?;
        let response = match reason {
            Reason::WrongBlock if self.game.is_decided() => {
                Response::Late { used: self.game.challenger_duration(index, self.now)? }
            }
            Reason::WrongBlock => Response::ChallengeL2Block,
            _ if reason.counters() => self.counter(index)?,
            _ => Response::LetStand,
        };
        let standing = match (reason, response) {
            (Reason::RightRoot | Reason::Honest, _) => Standing::Honest,
            (_, Response::Move(answer)) => Standing::Countered(answer.position, answer.value),
            (_, Response::Given(answer)) => {
                let answer = self.game.claim(answer)?;
                Standing::Countered(answer.position, answer.value)
            }
            (_, Response::Step { .. } | Response::Stepped(_) | Response::Late { .. }) => {
                Standing::Late
            }
            (_, Response::LetStand | Response::ChallengeL2Block) => Standing::Ignored,
        };
        if let Some(place) = self.standings.get_mut(index.0 as usize) {
            *place = standing;
        }
        let honest_value = match standing {
            Standing::Honest => Some(self.honest_value(index)?),
            _ => self.honest_values.get(index.0 as usize).copied().flatten(),
        };
        Ok(Verdict { claim: index, reason, honest_value, response })
    }

    /// Which rule decides about a claim.
    fn reason(&mut self, index: ClaimIndex) -> Result<Reason, SolveError<T::Error>> {
        let claim = self.game.claim(index)?;
        let Some(parent) = claim.parent else {
            if self.game.l2_block_number_challenger.is_some() {
                return Ok(Reason::BlockChallenged);
            }
            if self.honest_value(index)? != claim.value {
                return Ok(Reason::WrongRoot);
            }
            let challenge = self.trace.l2_block_challenge(self.game).map_err(SolveError::Trace)?;
            return Ok(if challenge.is_some() { Reason::WrongBlock } else { Reason::RightRoot });
        };
        Ok(match self.standing(parent) {
            Standing::Honest => Reason::AnswersHonest,
            Standing::Countered(position, value)
                if claim.position == position && claim.value == value =>
            {
                Reason::Honest
            }
            // Answers to one claim stand on one level, so their order is that of their trace indices.
            Standing::Countered(beside, _) if claim.position <= beside => {
                Reason::Freeloader { beside }
            }
            Standing::Countered(beside, _) => Reason::RightOfHonest { beside },
            Standing::Late => Reason::BelowLate,
            Standing::Ignored | Standing::Unknown => Reason::BelowIgnored,
        })
    }

    /// How a claim is countered.
    fn counter(&mut self, index: ClaimIndex) -> Result<Response, SolveError<T::Error>> {
        let claim = *self.game.claim(index)?;
        let side =
            if self.honest_value(index)? == claim.value { Side::Defend } else { Side::Attack };
        if claim.position.depth() == self.game.parameters().max_depth() {
            return Ok(self.counter_by_step(index, side)?);
        }
        let position = claim.position.answer(side).map_err(GameError::from)?;
        let value = self.trace.claim(self.game, index, position).map_err(SolveError::Trace)?;
        if let Some(answer) = self.game.answer(index, position, value) {
            return Ok(Response::Given(answer));
        }
        if self.game.clock_of_answer(index, side, self.now)?.is_none() {
            let used = self.game.challenger_duration(index, self.now)?;
            return Ok(Response::Late { used });
        }
        let bond = self.game.parameters().required_bond(position.depth());
        let parent = index;
        Ok(Response::Move(Move { parent, disputed: claim.value, side, position, value, bond }))
    }

    /// A step has no clock: it counts until the claim above is resolved.
    fn counter_by_step(&self, index: ClaimIndex, side: Side) -> Result<Response, GameError> {
        let claim = self.game.claim(index)?;
        if let Some(by) = claim.countered_by {
            return Ok(Response::Stepped(by));
        }
        if claim.parent.is_some_and(|parent| self.game.resolution(parent).resolved) {
            return Ok(Response::Late { used: self.game.challenger_duration(index, self.now)? });
        }
        let position = match side {
            Side::Attack => claim.position,
            // An answer is never at the right edge of its level.
            Side::Defend => claim.position.right().ok_or(GameError::Place(index))?,
        };
        Ok(Response::Step { side, position })
    }

    /// What the rules look at.
    fn facts<'f>(&mut self, action: &'f Action) -> Result<Facts<'f>, SolveError<T::Error>>
    where
        'a: 'f,
    {
        let mut facts = Facts::new(self.game, action, self.now)?;
        facts.against_honest = matches!(self.standing(action.claim()), Standing::Honest);
        let neighbours = [&mut facts.agreed_output, &mut facts.prestate, &mut facts.poststate];
        for neighbour in neighbours.into_iter().flatten() {
            let value = self.honest_value(neighbour.claim)?;
            neighbour.right = value == self.game.claim(neighbour.claim)?.value;
        }
        Ok(facts)
    }
}

#[cfg(test)]
mod tests;
