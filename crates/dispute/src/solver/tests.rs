//! Every rule catches a mutation of an honest action: none is there for show.

use super::*;
use crate::fixtures::parameters;
use crate::{Bond, Claim, Depth, L2BlockChallenge, Proposal, RULES, StepData};
use alloy_primitives::{Address, keccak256};
use core::convert::Infallible;

/// Depth 7, split at 2: honest players answer claims at odd depths where the root is right, at even ones where
/// it is wrong.
const MAX_DEPTH: u64 = 7;
const SPLIT_DEPTH: u64 = 2;
const NOW: Timestamp = Timestamp(1000);

/// The output of block `n` is `n`, the state after instruction `i` the hash of `i`. With `from_step` a lie: other
/// outputs, and other states from that instruction on.
struct Truth {
    from_step: Option<u128>,
}

const fn honest() -> Truth {
    Truth { from_step: None }
}

fn index(game: &Game, position: Position) -> u128 {
    let within = position.relative_to(game.parameters().split_depth().below()).unwrap();
    within.trace_index(game.parameters().execution_depth()).unwrap().0
}

impl Trace for Truth {
    type Error = Infallible;

    fn claim(
        &mut self,
        game: &Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, Infallible> {
        let split = game.parameters().split_depth();
        if position.depth() <= split {
            let block =
                game.l2_block_at(position).unwrap() + u64::from(self.from_step.is_some()) * 1000;
            return Ok(B256::left_padding_from(&block.to_be_bytes()));
        }
        let index = index(game, position);
        let mut value = keccak256(index.to_be_bytes());
        if self.from_step.is_some_and(|from| index >= from) {
            value = keccak256(value);
        }
        value[0] = 3;
        if position.depth() == split.below() {
            // That the disputed output is wrong, where it is the other side's.
            let disputed = game.span(reference, position).unwrap().disputed;
            value[0] = u8::from(game.claim(disputed).unwrap().position.depth().same_side(split));
        }
        Ok(value)
    }

    fn step_data(
        &mut self,
        game: &Game,
        _: ClaimIndex,
        position: Position,
    ) -> Result<StepData, Infallible> {
        let before = index(game, position).wrapping_sub(1);
        Ok(StepData { prestate: before.to_be_bytes().to_vec(), proof: Vec::new(), preimage: None })
    }

    fn l2_block_challenge(&mut self, _: &Game) -> Result<Option<L2BlockChallenge>, Infallible> {
        Ok(None)
    }
}

/// An honest action, and what it is taken in.
struct Scene {
    game: Game,
    action: Action,
    now: Timestamp,
}

/// The honest answer to a claim at `depth` in a game against a liar who is right before instruction `from_step`.
fn scene(depth: u8, from_step: u128) -> Scene {
    let starting = Proposal { root: B256::with_last_byte(100), l2_sequence_number: 100 };
    let root_is_right = depth % 2 == 1;
    let root = Claim {
        value: B256::left_padding_from(&if root_is_right { 104_u64 } else { 1104 }.to_be_bytes()),
        ..crate::fixtures::claim(None, 1)
    };
    let parameters = parameters(MAX_DEPTH, SPLIT_DEPTH);
    let mut game = Game::new(parameters, starting, 104, [root]).unwrap();
    loop {
        for mut player in [Truth { from_step: Some(from_step) }, honest()] {
            let mut actions = solve(&game, &mut player, NOW).actions;
            let Some(action) = actions.pop() else { continue };
            assert!(actions.is_empty());
            let countered = game.claim(action.claim()).unwrap();
            if player.from_step.is_none()
                && countered.position.depth() == Depth::new(depth.into()).unwrap()
            {
                return Scene { game, action, now: NOW };
            }
            let Action::Move(m) = action else { panic!("{action:?} before depth {depth}") };
            push(&mut game, &m);
        }
    }
}

fn push(game: &mut Game, m: &Move) -> ClaimIndex {
    let clock = game.clock_of_answer(m.parent, m.side, NOW).unwrap().unwrap();
    let Move { parent, position, value, bond, .. } = *m;
    let claim = Claim {
        parent: Some(parent),
        countered_by: None,
        claimant: Address::ZERO,
        bond,
        value,
        position,
        clock,
    };
    game.push(claim).unwrap()
}

/// The rule that an action breaks, judged as the solver does it.
fn broken(scene: &Scene) -> Option<&'static str> {
    let mut truth = honest();
    let mut solver = Solver::new(&scene.game, &mut truth, scene.now);
    for (claim, _) in scene.game.claims() {
        solver.judge(claim).unwrap();
    }
    let facts = solver.facts(&scene.action).unwrap();
    rules::check(&facts).err().map(|violation| violation.rule)
}

/// The same move against another claim.
fn aim(scene: &mut Scene, parent: ClaimIndex, side: Side) {
    let claim = *scene.game.claim(parent).unwrap();
    let position = claim.position.answer(side).unwrap();
    let value = B256::repeat_byte(3);
    let bond = scene.game.parameters().required_bond(position.depth());
    scene.action =
        Action::Move(Move { parent, disputed: claim.value, side, position, value, bond });
}

fn as_move(scene: &mut Scene) -> &mut Move {
    let Action::Move(m) = &mut scene.action else { panic!("a move") };
    m
}

fn as_step(scene: &mut Scene) -> &mut Step {
    let Action::Step(step) = &mut scene.action else { panic!("a step") };
    step
}

/// A name, where the honest answer is given, from where on the liar lies, and what is changed.
type Mutation = (&'static str, u8, u128, fn(&mut Scene));

const MUTATIONS: &[Mutation] = &[
    ("only games in progress are played", 0, 0, |scene| {
        scene.game.status = GameStatus::DefenderWins;
    }),
    ("moves are made above the largest depth, steps at it", 7, 5, |scene| {
        let leaf = scene.action.claim();
        aim(scene, leaf, Side::Attack);
    }),
    ("moves are made above the largest depth, steps at it", 7, 5, |scene| {
        let parent = scene.game.claim(scene.action.claim()).unwrap().parent.unwrap();
        let position = scene.game.claim(parent).unwrap().position;
        let step = as_step(scene);
        (step.claim, step.position) = (parent, position);
    }),
    ("no claim is made twice", 2, 0, |scene| {
        let m = *as_move(scene);
        push(&mut scene.game, &m);
    }),
    ("no claim is countered twice by a step", 7, 5, |scene| {
        let leaf = scene.action.claim();
        scene.game.set_countered_by(leaf, Some(Address::ZERO)).unwrap();
    }),
    ("neither the root claim nor the root of an execution trace is defended", 0, 0, |scene| {
        aim(scene, ClaimIndex::ROOT, Side::Defend);
    }),
    ("nothing is played against a root whose block number is challenged", 2, 0, |scene| {
        scene.game.l2_block_number_challenger = Some(Address::ZERO);
    }),
    ("no move is made after the clock has run out", 4, 3, |scene| {
        scene.now = Timestamp(NOW.0 + 302_400);
    }),
    ("a move names the claim that it answers, and brings the exact bond", 4, 3, |scene| {
        as_move(scene).bond = as_move(scene).bond + Bond(1);
    }),
    ("a move names the claim that it answers, and brings the exact bond", 4, 3, |scene| {
        as_move(scene).disputed[31] ^= 1;
    }),
    ("a move names the claim that it answers, and brings the exact bond", 4, 3, |scene| {
        as_move(scene).side = Side::Defend;
    }),
    ("the root of an execution trace has the verdict that its place asks for", 2, 0, |scene| {
        as_move(scene).value[0] = 0;
    }),
    ("the root of an execution trace has the verdict that its place asks for", 2, 0, |scene| {
        as_move(scene).value[0] = 3;
    }),
    ("an honest claim is not countered", 2, 0, |scene| {
        aim(scene, ClaimIndex(1), Side::Attack);
    }),
    ("the claim to the left is right", 4, 3, |scene| {
        // The liar's claim is wrong, so what lies behind it cannot be claimed.
        let wrong = scene.action.claim();
        aim(scene, wrong, Side::Defend);
    }),
    ("a step starts from the claimed state", 7, 5, |scene| {
        as_step(scene).data.prestate[0] ^= 1;
    }),
    ("a step refutes", 7, 5, |scene| {
        // The liar's last claim is right: an attack confirms it.
        let leaf = scene.action.claim();
        let position = scene.game.claim(leaf).unwrap().position;
        let data = honest().step_data(&scene.game, leaf, position).unwrap();
        scene.action = Action::Step(Step { claim: leaf, side: Side::Attack, position, data });
    }),
];

#[test]
fn every_rule_catches_a_mutation_of_an_honest_action() {
    for (rule, depth, from_step, mutate) in MUTATIONS {
        let mut scene = scene(*depth, *from_step);
        assert_eq!(broken(&scene), None, "{:?}", scene.action);
        mutate(&mut scene);
        assert_eq!(broken(&scene), Some(*rule), "{:?}", scene.action);
    }
    for rule in RULES {
        assert!(MUTATIONS.iter().any(|(caught, ..)| *caught == rule.name), "{rule:?}");
    }
}

/// A trace that contradicts itself makes the solver return no action rather than a wrong one.
#[test]
fn an_action_that_breaks_a_rule_is_a_failure() {
    struct Contradiction;
    impl Trace for Contradiction {
        type Error = Infallible;

        fn claim(
            &mut self,
            game: &Game,
            reference: ClaimIndex,
            position: Position,
        ) -> Result<B256, Infallible> {
            let mut value = honest().claim(game, reference, position)?;
            if position.depth() > game.parameters().split_depth() {
                value[0] = 3;
            }
            Ok(value)
        }

        fn step_data(
            &mut self,
            game: &Game,
            reference: ClaimIndex,
            position: Position,
        ) -> Result<StepData, Infallible> {
            honest().step_data(game, reference, position)
        }

        fn l2_block_challenge(&mut self, _: &Game) -> Result<Option<L2BlockChallenge>, Infallible> {
            Ok(None)
        }
    }
    let scene = scene(2, 0);
    let solution = solve(&scene.game, &mut Contradiction, NOW);
    assert!(solution.actions.is_empty());
    let [failure] = &solution.failures[..] else { panic!("{:?}", solution.failures) };
    let SolveError::Rule(violation) = failure.error else { panic!("{failure}") };
    assert_eq!((failure.claim, violation.claim), (scene.action.claim(), scene.action.claim()));
    assert!(violation.rule.contains("verdict"), "{violation}");
}
