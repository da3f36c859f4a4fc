//! Players. The honest ones follow the solver; the others do as they like.

use crate::alphabet::Alphabet;
use crate::table::Table;
use alloy_primitives::{Address, B256};
use rebut_dispute::{
    Action, ClaimIndex, Depth, Game, Move, Position, Response, Side, Step, Timestamp, Trace, solve,
};

/// A xorshift generator with a multiplied output: games are repeated from their number.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 32)
    }

    pub fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        (self.word() >> 11) % end
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

/// How a dishonest player chooses moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Any answer to any claim.
    Erratic,
    /// Answers everything as an honest player would who believes in another chain: a whale, and a mirror.
    Consistent { lie_from: Option<u64>, lie_from_step: Option<u64> },
    /// Puts claims beside the honest answers, where their pay may be taken.
    Freeloader,
    /// Makes the honest answers before the honest players do, to be paid in their place.
    Front,
    /// Right values in wrong places: attacks what is right and defends what is wrong.
    Backwards,
    /// Answers only claims whose time is almost over.
    Last(u64),
}

pub const STRATEGIES: [Strategy; 10] = [
    Strategy::Erratic,
    Strategy::Consistent { lie_from: Some(101), lie_from_step: None },
    Strategy::Consistent { lie_from: Some(102), lie_from_step: Some(2) },
    Strategy::Consistent { lie_from: Some(104), lie_from_step: Some(5) },
    Strategy::Consistent { lie_from: None, lie_from_step: Some(0) },
    Strategy::Consistent { lie_from: Some(103), lie_from_step: Some(3) },
    Strategy::Freeloader,
    Strategy::Front,
    Strategy::Backwards,
    Strategy::Last(300),
];

#[derive(Clone, Debug)]
pub struct Dishonest {
    pub address: Address,
    pub strategy: Strategy,
}

impl Dishonest {
    /// Makes some moves. Refusals are the contract's answer to nonsense.
    pub fn play(&self, table: &mut Table, truth: &Alphabet, random: &mut Random) {
        let mut truth = truth.clone();
        for action in self.actions(&table.game, &mut truth, table.timestamp(), random) {
            let _ = table.act(self.address, &action);
        }
    }

    fn actions(
        &self,
        game: &Game,
        truth: &mut Alphabet,
        now: Timestamp,
        random: &mut Random,
    ) -> Vec<Action> {
        let count = game.claims().len() as u64;
        match self.strategy {
            Strategy::Erratic => (0..1 + random.below(3))
                .filter_map(|_| {
                    let claim = ClaimIndex(random.below(count) as u32);
                    any_action(game, truth, claim, random)
                })
                .collect(),
            Strategy::Consistent { lie_from, lie_from_step } => {
                let mut lie = Alphabet { lie_from, lie_from_step, ..Alphabet::default() };
                let mut actions = solve(game, &mut lie, now).actions;
                // A whale plays on everywhere, others only here and there.
                actions.retain(|_| !random.one_in(4));
                actions
            }
            Strategy::Freeloader => {
                let answered = solve(game, truth, now).verdicts.into_iter();
                let answered = answered.filter(|verdict| verdict.reason.counters());
                let claims: Vec<_> = answered
                    .filter(|verdict| !matches!(verdict.response, Response::Step { .. }))
                    .map(|verdict| verdict.claim)
                    .filter(|_| random.one_in(3))
                    .collect();
                claims
                    .into_iter()
                    .filter_map(|claim| any_action(game, truth, claim, random))
                    .collect()
            }
            Strategy::Front => {
                let mut actions = solve(game, truth, now).actions;
                actions.retain(|_| random.one_in(2));
                actions
            }
            Strategy::Backwards => (0..2)
                .filter_map(|_| {
                    let claim = ClaimIndex(random.below(count) as u32);
                    let stated = game.claim(claim).unwrap();
                    let right = truth.claim(game, claim, stated.position).unwrap() == stated.value;
                    let side = if right { Side::Attack } else { Side::Defend };
                    let position = stated.position.answer(side).ok()?;
                    let value = truth.claim(game, claim, position).ok()?;
                    Some(answer(game, claim, side, position, value))
                })
                .collect(),
            Strategy::Last(seconds) => game
                .claims()
                .filter(|(claim, _)| {
                    let used = game.challenger_duration(*claim, now).unwrap();
                    let max = game.parameters().max_clock_duration();
                    used < max && used.0 + seconds >= max.0
                })
                .filter_map(|(claim, _)| any_action(game, truth, claim, random))
                .take(4)
                .collect(),
        }
    }
}

fn answer(game: &Game, parent: ClaimIndex, side: Side, position: Position, value: B256) -> Action {
    let disputed = game.claim(parent).unwrap().value;
    let bond = game.parameters().required_bond(position.depth());
    Action::Move(Move { parent, disputed, side, position, value, bond })
}

/// Some answer to a claim, with a right value, another one or none that means anything.
fn any_action(
    game: &Game,
    truth: &mut Alphabet,
    parent: ClaimIndex,
    random: &mut Random,
) -> Option<Action> {
    let claim = game.claim(parent).unwrap();
    let side = random.pick(&[Side::Attack, Side::Defend]);
    let position = claim.position.answer(side).ok()?;
    if claim.position.depth() == game.parameters().max_depth() {
        let position = random.pick(&[claim.position, claim.position.right()?]);
        let mut data = truth.step_data(game, parent, position).ok()?;
        if random.one_in(4) {
            data.preimage = None;
        }
        return Some(Action::Step(Step { claim: parent, side, position, data }));
    }
    let mut value = match random.below(4) {
        0 | 1 => truth.claim(game, parent, position).ok()?,
        2 => B256::with_last_byte(random.below(110) as u8),
        _ => B256::left_padding_from(&random.word().to_be_bytes()),
    };
    let split: Depth = game.parameters().split_depth();
    if position.depth() == split.below() && random.one_in(2) {
        value[0] = random.below(3) as u8;
    }
    Some(answer(game, parent, side, position, value))
}
