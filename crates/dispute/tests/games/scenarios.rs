//! Attacks on honest play, one test each.

use crate::alphabet::{Alphabet, root_of};
use crate::table::{
    Contracts, EXTENSION, MAX_CLOCK, PROPOSER, Refusal, STARTING_BLOCK, Table, create, deploy,
};
use alloy_primitives::{Address, B256, keccak256};
use alloy_rlp::{Encodable, Header};
use rebut_dispute::{
    Action, Bond, ClaimIndex, GameError, GameStatus, L2BlockChallenge, Move, Position, Reason,
    Resolve, Response, Side, Solution, SolveError, Step, StepData, Trace, explain, plan_resolution,
    settle, solve,
};
use std::cell::OnceCell;

const HONEST: Address = Address::repeat_byte(0x10);
const LIAR: Address = Address::repeat_byte(0x50);

/// A game of depth 7, split at 2: output trees of 4 blocks, traces of 16 instructions. Claims at the largest
/// depth are those of the challengers.
fn open(root: B256, l2_block: u64) -> Table {
    thread_local! {
        static CONTRACTS: OnceCell<Contracts> = const { OnceCell::new() };
    }
    CONTRACTS.with(|cell| seat(cell.get_or_init(|| deploy(7, 2)), root, l2_block))
}

/// The same with depth 8, where claims at the largest depth are those of the defenders.
fn open_deeper(root: B256, l2_block: u64) -> Table {
    thread_local! {
        static CONTRACTS: OnceCell<Contracts> = const { OnceCell::new() };
    }
    CONTRACTS.with(|cell| seat(cell.get_or_init(|| deploy(8, 2)), root, l2_block))
}

fn seat(contracts: &Contracts, root: B256, l2_block: u64) -> Table {
    let mut table = create(contracts, root, l2_block);
    for player in [HONEST, LIAR] {
        table.endow(player);
    }
    table
}

fn think(table: &Table) -> Solution<GameError> {
    let solution = solve(&table.game, &mut Alphabet::default(), table.timestamp());
    assert!(solution.failures.is_empty(), "{:?}", solution.failures);
    solution
}

/// All that honest play asks for now, done. The number of actions.
fn honest_turn(table: &mut Table) -> usize {
    honest_actions(table).len()
}

fn honest_actions(table: &mut Table) -> Vec<Action> {
    let actions = think(table).actions;
    for action in &actions {
        assert_eq!(table.act(HONEST, action), Ok(()), "{action:?}");
    }
    actions
}

/// All that the liar has to say. Not every step that he believes in succeeds.
fn liar_turn(table: &mut Table, liar: &Alphabet) -> usize {
    let actions = solve(&table.game, &mut liar.clone(), table.timestamp()).actions;
    actions.iter().filter(|action| table.act(LIAR, action).is_ok()).count()
}

/// The liar answers `parent`.
fn lie(table: &mut Table, parent: u32, side: Side, value: B256) -> Result<ClaimIndex, Refusal> {
    let action = answer(table, ClaimIndex(parent), side, value);
    table.answer(LIAR, &action)
}

fn answer(table: &Table, parent: ClaimIndex, side: Side, value: B256) -> Move {
    let claim = table.game.claim(parent).unwrap();
    let position = claim.position.answer(side).unwrap();
    let bond = table.game.parameters().required_bond(position.depth());
    Move { parent, disputed: claim.value, side, position, value, bond }
}

/// Plays an honest player against one who believes in another chain, until neither has anything to say. The
/// indices in their traces of the instructions that the honest player executes.
fn play_out(table: &mut Table, liar: &Alphabet) -> Vec<u128> {
    let split = table.game.parameters().split_depth();
    let mut executed = Vec::new();
    loop {
        table.wait(10);
        let moved = liar_turn(table, liar);
        table.wait(10);
        let actions = honest_actions(table);
        if actions.len() + moved == 0 {
            return executed;
        }
        executed.extend(actions.iter().filter_map(|action| match action {
            Action::Step(step) => {
                Some(step.position.relative_to(split.below()).unwrap().index_at_depth())
            }
            _ => None,
        }));
    }
}

/// Lets all clocks run out, resolves, and gives back who won.
fn finish(table: &mut Table) -> GameStatus {
    table.wait(2 * MAX_CLOCK);
    for call in plan_resolution(&table.game, table.timestamp(), 512) {
        assert_eq!(table.resolve_claim(PROPOSER, call), Ok(()));
    }
    table.check_view();
    table.resolve(PROPOSER).unwrap()
}

/// All bonds of a player's claims, and those of the claims that they answer.
fn due(table: &Table, player: Address) -> Bond {
    let own = table.game.claims().filter(|(_, claim)| claim.claimant == player);
    own.map(|(_, claim)| claim.bond + table.game.claim(claim.parent.unwrap()).unwrap().bond).sum()
}

fn reason(table: &Table, claim: u32) -> Reason {
    think(table).verdicts[claim as usize].reason
}

/// Whichever side makes the last claim, and wherever its states part from the true ones, that one instruction is
/// executed and decides: the first, those that read local data, the last, and those past the end.
#[test]
fn attack14_every_instruction_can_decide() {
    // The liar defends a wrong root, or attacks a right one; its outputs are others from some block on.
    for (right_root, instructions) in [(false, 32), (true, 16)] {
        for lie_from in 101..=104 {
            for from_step in 0..instructions {
                let mut table = if right_root {
                    open(root_of(104), 104)
                } else {
                    open_deeper(root_of(1104), 104)
                };
                let (lie_from, lie_from_step) = (Some(lie_from), Some(from_step));
                let liar = Alphabet { lie_from, lie_from_step, ..Alphabet::default() };
                let executed = play_out(&mut table, &liar);
                assert_eq!(executed, [from_step.into()], "{right_root}, {lie_from:?}");
                let want = [GameStatus::ChallengerWins, GameStatus::DefenderWins];
                assert_eq!(finish(&mut table), want[usize::from(right_root)]);
                assert_eq!(table.credit(HONEST), due(&table, HONEST) + stepped(&table));
            }
        }
    }
}

/// Bonds of claims at the largest depth that the honest player stepped on.
fn stepped(table: &Table) -> Bond {
    let max = table.game.parameters().max_depth();
    let leaves = table.game.claims().filter(|(_, claim)| claim.position.depth() == max);
    leaves.filter(|(_, c)| c.countered_by == Some(HONEST)).map(|(_, c)| c.bond).sum()
}

#[test]
fn games_of_all_depths_are_played_to_the_end() {
    for (max_depth, split_depth) in [(6, 2), (73, 30), (125, 64), (125, 121), (125, 3)] {
        let contracts = deploy(max_depth, split_depth);
        let mut table = seat(&contracts, root_of(1104), 104);
        let liar = Alphabet { lie_from: Some(103), lie_from_step: Some(4), ..Alphabet::default() };
        play_out(&mut table, &liar);
        let deepest = table.game.claims().map(|(_, claim)| claim.position.depth()).max();
        assert_eq!(deepest, Some(table.game.parameters().max_depth()));
        assert_eq!(finish(&mut table), GameStatus::ChallengerWins, "{max_depth}/{split_depth}");
        assert_eq!(table.credit(HONEST), due(&table, HONEST) + stepped(&table));
    }
}

#[test]
fn bonds_of_all_depths_are_the_contracts() {
    use rebut_contracts::bindings::FaultDisputeGame::getRequiredBondCall;
    for max_depth in [5, 6, 8, 10, 14, 23, 50, 64, 73, 99, 124, 125] {
        let mut table = create(&deploy(max_depth, 2), root_of(104), 104);
        for depth in 0..=max_depth {
            let call = getRequiredBondCall { _position: 1 << depth };
            let depth = Position::new(1 << depth).unwrap().depth();
            let ours = table.game.parameters().required_bond(depth);
            assert_eq!(Bond(table.ask(&call).to()), ours, "depth {depth} of {max_depth}");
        }
    }
}

#[test]
fn a_move_names_the_claim_that_it_answers() {
    let mut table = open(root_of(7), 104);
    lie(&mut table, 0, Side::Attack, root_of(1)).unwrap();
    let moves: Vec<_> = think(&table).actions;
    // A reorganisation: another claim comes to stand where the first was.
    let mut other = open(root_of(7), 104);
    lie(&mut other, 0, Side::Attack, root_of(2)).unwrap();
    let against_first = moves.iter().find(|action| action.claim() == ClaimIndex(1)).unwrap();
    assert_eq!(other.act(HONEST, against_first), Err("InvalidDisputedClaimIndex".into()));
}

#[test]
fn freeloaders_are_countered_where_they_could_be_paid() {
    // A wrong root, which honest players attack at position 2; the liar's claims stand there as well.
    let mut table = open(root_of(7), 104);
    assert_eq!(honest_turn(&mut table), 1);
    lie(&mut table, 0, Side::Attack, root_of(1)).unwrap();
    lie(&mut table, 1, Side::Defend, root_of(2)).unwrap();
    assert_eq!(reason(&table, 2), Reason::Freeloader { beside: Position::new(2).unwrap() });
    assert_eq!(reason(&table, 3), Reason::AnswersHonest);
    honest_turn(&mut table);
    // Beside the honest answer to claim 3, which is an attack at 12: one there, one to the right.
    lie(&mut table, 3, Side::Attack, root_of(9)).unwrap_err();
    let beside = B256::with_last_byte(9).as_slice().to_vec();
    let invalid = |mut bytes: Vec<u8>| {
        bytes[0] = 1;
        B256::from_slice(&bytes)
    };
    let left = lie(&mut table, 3, Side::Attack, invalid(beside.clone())).unwrap();
    let verdict = think(&table).verdicts[left.0 as usize];
    assert!(verdict.reason.counters());
    let right = lie(&mut table, 3, Side::Defend, invalid(beside)).unwrap();
    let verdict = think(&table).verdicts[right.0 as usize];
    assert_eq!(verdict.reason, Reason::RightOfHonest { beside: Position::new(12).unwrap() });
    assert_eq!(verdict.response, Response::LetStand);
    honest_turn(&mut table);
    assert_eq!(finish(&mut table), GameStatus::ChallengerWins);
    assert_eq!(table.credit(HONEST), due(&table, HONEST));
}

#[test]
fn an_honest_answer_made_by_somebody_else_is_as_good() {
    let mut table = open(root_of(7), 104);
    let Action::Move(first) = think(&table).actions[0].clone() else { panic!("a move") };
    let given = table.answer(LIAR, &first).unwrap();
    let solution = think(&table);
    assert!(solution.actions.is_empty());
    assert_eq!(solution.verdicts[0].response, Response::Given(given));
    assert_eq!(solution.verdicts[1].reason, Reason::Honest);
    assert_eq!(table.answer(HONEST, &first), Err("ClaimAlreadyExists".into()));
}

#[test]
fn last_second_moves_can_be_answered() {
    let mut table = open(root_of(104), 104);
    table.wait(MAX_CLOCK - 1);
    // The liar's side has used all but a second; at depths 1 and 6 the longer extensions apply.
    lie(&mut table, 0, Side::Attack, root_of(1)).unwrap();
    for parent in (1..7).step_by(2) {
        table.wait(EXTENSION - 1);
        assert_eq!(honest_turn(&mut table), 1);
        let used = table.game.challenger_duration(ClaimIndex(parent + 1), table.timestamp());
        table.wait(MAX_CLOCK - 1 - used.unwrap().0);
        let wrong = B256::with_last_byte(parent as u8);
        // The root of the trace says that the honest output is wrong.
        let mut value = keccak256(wrong);
        value[0] = 1;
        lie(&mut table, parent + 1, Side::Attack, value).unwrap();
    }
    table.wait(EXTENSION - 1);
    assert_eq!(honest_turn(&mut table), 1);
    assert_eq!(finish(&mut table), GameStatus::DefenderWins);
    assert_eq!(table.credit(HONEST), due(&table, HONEST) + stepped(&table));
}

#[test]
fn nothing_is_played_after_time() {
    let mut table = open(root_of(7), 104);
    table.wait(10);
    // Somebody else attacks the root with a wrong claim, and honest players come too late for either.
    lie(&mut table, 0, Side::Attack, root_of(1)).unwrap();
    table.wait(MAX_CLOCK);
    let solution = think(&table);
    assert!(solution.actions.is_empty());
    assert!(matches!(solution.verdicts[0].response, Response::Late { .. }));
    // The wrong attack is what keeps the wrong root from standing.
    assert_eq!(solution.verdicts[1].reason, Reason::BelowLate);
    let late = answer(&table, ClaimIndex(0), Side::Attack, root_of(102));
    assert_eq!(table.answer(HONEST, &late), Err("ClockTimeExceeded".into()));
    assert_eq!(finish(&mut table), GameStatus::ChallengerWins);
    assert!(think(&table).verdicts.is_empty(), "the game is over");
}

#[test]
fn claims_resolve_only_after_their_children() {
    let mut table = open(root_of(7), 104);
    honest_turn(&mut table);
    table.wait(2 * MAX_CLOCK);
    let root_first = Resolve { claim: ClaimIndex(0), children: 1 };
    assert_eq!(table.resolve_claim(LIAR, root_first), Err("OutOfOrderResolution".into()));
    assert_eq!(table.resolve(LIAR), Err("OutOfOrderResolution".into()));
    let plan = plan_resolution(&table.game, table.timestamp(), 512);
    let want =
        [(1, 0), (0, 1)].map(|(claim, children)| Resolve { claim: ClaimIndex(claim), children });
    assert_eq!(plan, want);
    assert_eq!(finish(&mut table), GameStatus::ChallengerWins);
}

#[test]
fn thousands_of_children_are_resolved_in_parts() {
    const CHILDREN: u64 = 2000;
    let mut table = open(root_of(104), 104);
    for child in 0..CHILDREN {
        lie(&mut table, 0, Side::Attack, root_of(1000 + child)).unwrap();
    }
    assert_eq!(honest_turn(&mut table) as u64, CHILDREN);
    table.wait(2 * MAX_CLOCK);
    let plan = plan_resolution(&table.game, table.timestamp(), 300);
    let parts: Vec<u32> =
        plan.iter().filter(|call| call.claim == ClaimIndex(0)).map(|call| call.children).collect();
    assert_eq!(parts, [300, 300, 300, 300, 300, 300, 200]);
    // Killed in the middle, and planned anew from what the chain says.
    for call in &plan[..plan.len() - 4] {
        table.resolve_claim(PROPOSER, *call).unwrap();
    }
    assert_eq!(table.game.resolution(ClaimIndex(0)).visited, 900);
    assert_eq!(plan_resolution(&table.game, table.timestamp(), 300), plan[plan.len() - 4..]);
    assert_eq!(finish(&mut table), GameStatus::DefenderWins);
    assert_eq!(table.credit(HONEST), due(&table, HONEST));
}

#[test]
fn a_whale_pays_for_what_it_makes_others_pay() {
    let mut table = open(root_of(104), 104);
    for round in 0..40 {
        table.wait(10);
        // Wherever it can.
        let count = table.game.claims().len() as u32;
        for parent in 0..count {
            let wrong = root_of(2000 + round);
            let _ = lie(&mut table, parent, Side::Attack, wrong);
            if table.game.claims().len() > 400 {
                break;
            }
        }
        honest_turn(&mut table);
    }
    let deposits = table.game.deposits();
    let (honest, whale) = (deposits[&HONEST].0, deposits[&LIAR].0);
    let parameters = *table.game.parameters();
    let level =
        |depth: u32| parameters.required_bond(Position::new(1_u128 << depth).unwrap().depth()).0;
    // An answer costs one level more than what it answers, and each claim has one answer.
    assert!(honest as f64 <= whale as f64 * (level(7) as f64 / level(6) as f64) * 1.0001);
    assert!(honest > level(2) * 40);
    assert_eq!(finish(&mut table), GameStatus::DefenderWins);
    assert_eq!(table.credit(HONEST), due(&table, HONEST) + stepped(&table));
}

/// Output proof and header of a block, for a challenge of the root's number.
fn block(number: u64) -> (B256, L2BlockChallenge) {
    let mut fields = Vec::new();
    for item in 0..15_u64 {
        if item == 8 { number.encode(&mut fields) } else { item.encode(&mut fields) }
    }
    let mut header_rlp = Vec::new();
    Header { list: true, payload_length: fields.len() }.encode(&mut header_rlp);
    header_rlp.extend(fields);
    let challenge = L2BlockChallenge {
        version: B256::ZERO,
        state_root: B256::repeat_byte(1),
        message_passer_storage_root: B256::repeat_byte(2),
        latest_block_hash: keccak256(&header_rlp),
        header_rlp,
    };
    let words = [
        challenge.version,
        challenge.state_root,
        challenge.message_passer_storage_root,
        challenge.latest_block_hash,
    ];
    (keccak256(words.concat()), challenge)
}

fn derivable_up_to(last: u64) -> (B256, Alphabet) {
    let (root, challenge) = block(last);
    (root, Alphabet { derivable: Some((last, root, challenge)), ..Alphabet::default() })
}

#[test]
fn a_right_root_of_another_block_is_challenged_and_nothing_else_is_done() {
    let (root, mut truth) = derivable_up_to(102);
    for claimed in [103, 104, u64::MAX] {
        let mut table = open(root, claimed);
        lie(&mut table, 0, Side::Attack, root_of(1)).unwrap();
        let solution = solve(&table.game, &mut truth, table.timestamp());
        assert!(matches!(solution.actions[..], [Action::ChallengeL2Block(_)]), "{solution:?}");
        assert_eq!(table.act(HONEST, &solution.actions[0]), Ok(()));
        // From here on nothing is played.
        let verdicts = solve(&table.game, &mut truth, table.timestamp());
        assert_eq!(verdicts.verdicts[0].reason, Reason::BlockChallenged);
        assert!(verdicts.actions.is_empty());
        assert_eq!(
            lie(&mut table, 0, Side::Attack, root_of(3)),
            Err("L2BlockNumberChallenged".into())
        );
        let foreseen = settle(&table.game);
        assert_eq!(foreseen.paid_to[0], HONEST);
        assert_eq!(finish(&mut table), GameStatus::ChallengerWins);
        let bond = table.game.claim(ClaimIndex(0)).unwrap().bond;
        assert_eq!(table.credit(HONEST), bond);
    }
}

#[test]
fn a_block_that_can_be_derived_is_not_challenged() {
    let (root, mut truth) = derivable_up_to(102);
    let table = open(root, 102);
    let solution = solve(&table.game, &mut truth, table.timestamp());
    assert_eq!(solution.verdicts[0].reason, Reason::RightRoot);
    assert!(solution.actions.is_empty());
}

#[test]
fn a_challenge_after_the_root_is_resolved_changes_nothing() {
    let (root, mut truth) = derivable_up_to(102);
    let mut table = open(root, 103);
    table.wait(MAX_CLOCK);
    table.resolve_claim(LIAR, Resolve { claim: ClaimIndex(0), children: 0 }).unwrap();
    let solution = solve(&table.game, &mut truth, table.timestamp());
    assert!(solution.actions.is_empty(), "it would be in vain");
    assert!(matches!(solution.verdicts[0].response, Response::Late { .. }));
    let (_, challenge) = block(102);
    table.act(LIAR, &Action::ChallengeL2Block(challenge)).unwrap();
    assert_eq!(settle(&table.game).status, GameStatus::DefenderWins);
    assert_eq!(table.resolve(LIAR), Ok(GameStatus::DefenderWins));
    let bond = table.game.claim(ClaimIndex(0)).unwrap().bond;
    assert_eq!((table.credit(LIAR), table.credit(PROPOSER)), (Bond(0), bond));
}

#[test]
fn a_root_far_beyond_the_chain_is_played_like_any_other() {
    for claimed in [u64::MAX, u64::MAX - 1] {
        let (_, mut truth) = derivable_up_to(102);
        let table = open(root_of(5), claimed);
        let solution = solve(&table.game, &mut truth, table.timestamp());
        assert!(matches!(solution.actions[..], [Action::Move(_)]));
        assert_eq!(table.game.l2_block_at(Position::ROOT), Ok(104), "the last leaf of the tree");
    }
}

#[test]
fn local_data_of_another_leaf_is_of_no_use() {
    let mut table = open_deeper(root_of(1104), 104);
    let liar = Alphabet { lie_from: Some(103), lie_from_step: Some(0), ..Alphabet::default() };
    let mut step = None;
    for _ in 0..5 {
        table.wait(10);
        liar_turn(&mut table, &liar);
        for action in think(&table).actions {
            match action {
                Action::Step(found) => step = Some(found),
                other => table.act(HONEST, &other).unwrap(),
            }
        }
    }
    let step = step.unwrap();
    let part = step.data.preimage.clone().unwrap();
    // A second leaf, with data of its own.
    let other = lie(&mut table, 1, Side::Defend, root_of(8)).unwrap();
    let mut value = keccak256([1]);
    value[0] = 1;
    let other = lie(&mut table, other.0, Side::Attack, value).unwrap();
    let foreign = Step { claim: other, ..step.clone() };
    table.load_local(LIAR, &foreign).unwrap();
    assert_eq!(table.step(LIAR, &foreign), Err("InvalidParent".into()));
    assert_eq!(part.offset, 8);
    let without = Step { data: StepData { preimage: None, ..step.data.clone() }, ..step.clone() };
    assert!(table.act(HONEST, &Action::Step(without)).is_err());
    assert_eq!(table.act(HONEST, &Action::Step(step)), Ok(()));
}

#[test]
fn a_step_after_the_leaf_is_paid_still_counters_it() {
    let mut table = open_deeper(root_of(1104), 104);
    let liar = Alphabet { lie_from: Some(103), lie_from_step: Some(3), ..Alphabet::default() };
    for _ in 0..5 {
        table.wait(10);
        liar_turn(&mut table, &liar);
        let (steps, moves): (Vec<_>, Vec<_>) =
            think(&table).actions.into_iter().partition(|a| matches!(a, Action::Step(_)));
        for action in &moves {
            table.act(HONEST, action).unwrap();
        }
        let Some(step) = steps.first() else { continue };
        table.wait(2 * MAX_CLOCK);
        let leaf = step.claim();
        table.resolve_claim(LIAR, Resolve { claim: leaf, children: 0 }).unwrap();
        assert!(matches!(think(&table).verdicts[leaf.0 as usize].response, Response::Step { .. }));
        table.act(HONEST, step).unwrap();
        assert_eq!(finish(&mut table), GameStatus::ChallengerWins);
        // The leaf's bond went to the liar when it was resolved; all others are where they belong.
        assert_eq!(table.credit(HONEST), due(&table, HONEST));
        return;
    }
    panic!("no step");
}

#[test]
fn roots_of_other_heights_past_the_end_are_wrong() {
    // One block claimed, four leaves: positions past the end repeat it.
    for (side, height) in [(Side::Attack, 102), (Side::Attack, 100), (Side::Attack, 103)] {
        let mut table = open(root_of(101), 101);
        lie(&mut table, 0, side, root_of(height)).unwrap();
        let liar = Alphabet { lie_from: Some(101), ..Alphabet::default() };
        play_out(&mut table, &liar);
        assert_eq!(finish(&mut table), GameStatus::DefenderWins, "{side} with {height}");
    }
    // The root of the block that everybody agrees on, claimed for a later one.
    let mut table = open(root_of(STARTING_BLOCK), 104);
    play_out(&mut table, &Alphabet { lie_from: Some(1), ..Alphabet::default() });
    assert_eq!(finish(&mut table), GameStatus::ChallengerWins);
}

/// Knows nothing below the split depth.
struct Outputs(Alphabet);

impl Trace for Outputs {
    type Error = &'static str;

    fn claim(
        &mut self,
        game: &rebut_dispute::Game,
        reference: ClaimIndex,
        position: Position,
    ) -> Result<B256, Self::Error> {
        if position.depth() > game.parameters().split_depth() {
            return Err("no machine");
        }
        self.0.claim(game, reference, position).map_err(|_| "no output")
    }

    fn step_data(
        &mut self,
        _: &rebut_dispute::Game,
        _: ClaimIndex,
        _: Position,
    ) -> Result<StepData, Self::Error> {
        Err("no machine")
    }

    fn l2_block_challenge(
        &mut self,
        _: &rebut_dispute::Game,
    ) -> Result<Option<L2BlockChallenge>, Self::Error> {
        Ok(None)
    }
}

#[test]
fn what_is_not_known_stops_only_what_depends_on_it() {
    let mut table = open(root_of(104), 104);
    lie(&mut table, 0, Side::Attack, root_of(1)).unwrap();
    honest_turn(&mut table);
    let mut value = keccak256([2]);
    value[0] = 1;
    lie(&mut table, 2, Side::Attack, value).unwrap();
    lie(&mut table, 0, Side::Attack, root_of(2)).unwrap();
    let solution = solve(&table.game, &mut Outputs(Alphabet::default()), table.timestamp());
    let moves: Vec<_> = solution.actions.iter().map(Action::claim).collect();
    assert_eq!(moves, [ClaimIndex(4)]);
    let [failure] = &solution.failures[..] else { panic!("{:?}", solution.failures) };
    assert_eq!(failure.claim, ClaimIndex(3));
    assert!(matches!(failure.error, SolveError::Trace("no machine")));
    let explained =
        explain(&table.game, &mut Outputs(Alphabet::default()), ClaimIndex(3), table.timestamp());
    assert!(matches!(explained, Err(SolveError::Trace("no machine"))));
}
