//! Rules that every honest action keeps, whatever made the solver compute it.
//!
//! The solver's case analysis implies them; they are stated apart from it, so that neither a mistake there nor a
//! trace that contradicts itself can spend a bond. An action that breaks one is not returned.
//!
//! Source: honest challenger specification; checks of the deployed FaultDisputeGame.

use crate::{
    Action, Claim, ClaimIndex, Depth, Game, GameError, GameStatus, Position, Side, Timestamp,
};
use alloy_primitives::keccak256;
use core::fmt;

/// A rule with its rationale.
#[derive(Clone, Copy)]
pub struct Rule {
    /// What must hold.
    pub name: &'static str,
    /// What happens to an action that breaks it.
    pub rationale: &'static str,
    holds: fn(&Facts<'_>) -> bool,
}

/// A rule that an action breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The claim that the action is about.
    pub claim: ClaimIndex,
    /// The rule's name.
    pub rule: &'static str,
    /// And rationale.
    pub rationale: &'static str,
}

/// A claim on which an action relies, and whether it is right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neighbour {
    pub claim: ClaimIndex,
    pub right: bool,
}

/// An action in its surroundings.
pub(crate) struct Facts<'a> {
    game: &'a Game,
    action: &'a Action,
    now: Timestamp,
    countered: Claim,
    /// Whether the action counters an honest claim.
    pub against_honest: bool,
    /// The output from which the execution trace starts, unless that is the game's.
    pub agreed_output: Option<Neighbour>,
    /// The nearest claim left of where a new claim stands; for a step the state before the instruction. None at
    /// the beginning of a trace.
    pub prestate: Option<Neighbour>,
    /// For a step, the claim about the state after the instruction.
    pub poststate: Option<Neighbour>,
}

const REFUSED: &str = "the contract refuses it";

/// All of them.
pub const RULES: &[Rule] = &[
    Rule {
        name: "only games in progress are played",
        rationale: REFUSED,
        holds: |facts| facts.game.status == GameStatus::InProgress,
    },
    Rule {
        name: "moves are made above the largest depth, steps at it",
        rationale: REFUSED,
        holds: |facts| {
            let at_leaf = facts.countered.position.depth() == facts.game.parameters().max_depth();
            match facts.action {
                Action::Move(_) => !at_leaf,
                Action::Step(_) => at_leaf,
                Action::ChallengeL2Block(_) => facts.countered.parent.is_none(),
            }
        },
    },
    Rule {
        name: "no claim is made twice",
        rationale: REFUSED,
        holds: |facts| match facts.action {
            Action::Move(m) => facts.game.answer(m.parent, m.position, m.value).is_none(),
            _ => true,
        },
    },
    Rule {
        name: "no claim is countered twice by a step",
        rationale: REFUSED,
        holds: |facts| match facts.action {
            Action::Step(_) => facts.countered.countered_by.is_none(),
            _ => true,
        },
    },
    Rule {
        name: "neither the root claim nor the root of an execution trace is defended",
        rationale: "nothing lies right of it: the contract refuses it",
        holds: |facts| match facts.action {
            Action::Move(m) if m.side == Side::Defend => {
                let depth = facts.countered.position.depth();
                depth != Depth::ROOT && depth != facts.game.parameters().split_depth().below()
            }
            _ => true,
        },
    },
    Rule {
        name: "nothing is played against a root whose block number is challenged",
        rationale: "the game is decided: the contract refuses it, or a bond is put up for nothing",
        holds: |facts| facts.game.l2_block_number_challenger.is_none(),
    },
    Rule {
        name: "no move is made after the clock has run out",
        rationale: REFUSED,
        holds: |facts| match facts.action {
            Action::Move(m) => {
                matches!(facts.game.clock_of_answer(m.parent, m.side, facts.now), Ok(Some(_)))
            }
            _ => true,
        },
    },
    Rule {
        name: "a move names the claim that it answers, and brings the exact bond",
        rationale: REFUSED,
        holds: |facts| match facts.action {
            Action::Move(m) => {
                m.disputed == facts.countered.value
                    && Ok(m.position) == facts.countered.position.answer(m.side)
                    && m.bond == facts.game.parameters().required_bond(m.position.depth())
            }
            _ => true,
        },
    },
    Rule {
        name: "the root of an execution trace has the verdict that its place asks for",
        rationale: REFUSED,
        holds: verdict_fits,
    },
    Rule {
        name: "an honest claim is not countered",
        rationale: "one of the two bonds would be lost, and both are honest",
        holds: |facts| !facts.against_honest,
    },
    Rule {
        name: "the claim to the left is right",
        rationale: "an opponent could step from a state that only he knows, and win against a right claim",
        holds: |facts| {
            [facts.agreed_output, facts.prestate].iter().flatten().all(|left| left.right)
        },
    },
    Rule {
        name: "a step starts from the claimed state",
        rationale: REFUSED,
        holds: |facts| match (facts.action, facts.prestate) {
            (Action::Step(step), Some(prestate)) => facts
                .game
                .claim(prestate.claim)
                .is_ok_and(|claim| keccak256(&step.data.prestate)[1..] == claim.value[1..]),
            _ => true,
        },
    },
    Rule {
        name: "a step refutes",
        rationale: "the contract refuses one that ends in a state its own side claims, or that its opponent does not",
        holds: |facts| match (facts.action, facts.poststate) {
            (Action::Step(_), Some(poststate)) => {
                facts.game.claim(poststate.claim).is_ok_and(|claim| {
                    let agreed = claim.position.depth().same_side(facts.countered.position.depth());
                    poststate.right != agreed
                })
            }
            _ => true,
        },
    },
];

/// Status bytes of a state hash: how the program has ended, as far as it has.
const VALID: u8 = 0;
const INVALID: u8 = 1;
const PANIC: u8 = 2;

/// An attack on an output says that the program refutes it. A defence says that the program gives the next
/// output, or where that is of the defended side, that it refutes it.
fn verdict_fits(facts: &Facts<'_>) -> bool {
    let split = facts.game.parameters().split_depth();
    let Action::Move(m) = facts.action else { return true };
    if facts.countered.position.depth() != split {
        return true;
    }
    let Ok(span) = facts.game.span(m.parent, m.position) else { return false };
    let Ok(disputed) = facts.game.claim(span.disputed) else { return false };
    let refutes = disputed.position.depth().same_side(split);
    match m.value[0] {
        VALID => !refutes,
        INVALID | PANIC => refutes,
        _ => false,
    }
}

/// Checks an action against all rules.
pub(crate) fn check(facts: &Facts<'_>) -> Result<(), Violation> {
    match RULES.iter().find(|rule| !(rule.holds)(facts)) {
        None => Ok(()),
        Some(rule) => Err(Violation {
            claim: facts.action.claim(),
            rule: rule.name,
            rationale: rule.rationale,
        }),
    }
}

impl<'a> Facts<'a> {
    /// Finds what an action relies on. Whether that is right, the caller fills in.
    pub fn new(game: &'a Game, action: &'a Action, now: Timestamp) -> Result<Self, GameError> {
        let countered = *game.claim(action.claim())?;
        let mut facts = Self {
            game,
            action,
            now,
            countered,
            against_honest: false,
            agreed_output: None,
            prestate: None,
            poststate: None,
        };
        let (claim, position) = match action {
            Action::Move(m) => (m.parent, m.position),
            Action::Step(step) => (step.claim, step.position),
            Action::ChallengeL2Block(_) => return Ok(facts),
        };
        let neighbour = |claim| Neighbour { claim, right: false };
        let split = game.parameters().split_depth();
        if position.depth() <= split {
            let left = position.left().map(|left| game.output_ancestor(claim, left)).transpose()?;
            facts.prestate = left.map(neighbour);
            return Ok(facts);
        }
        facts.agreed_output = game.span(claim, position)?.starting.map(neighbour);
        facts.prestate = Self::state_before(game, claim, position)?.map(neighbour);
        if let Action::Step(_) = action {
            facts.poststate = Some(neighbour(game.execution_ancestor(claim, position)?));
        }
        Ok(facts)
    }

    /// The claim about the state before the instruction at `position`, none at the beginning of its trace.
    fn state_before(
        game: &Game,
        claim: ClaimIndex,
        position: Position,
    ) -> Result<Option<ClaimIndex>, GameError> {
        let within = position.relative_to(game.parameters().split_depth().below())?;
        match (within.left(), position.left()) {
            (Some(_), Some(left)) => game.execution_ancestor(claim, left).map(Some),
            _ => Ok(None),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the action against claim {} breaks a rule: {}; {}",
            self.claim, self.rule, self.rationale
        )
    }
}

impl core::error::Error for Violation {}
