//! Whole disputes on the real contracts, with the real verifier and mainnet's depths: a liar who is right up to one
//! instruction of one block, and the honest challenger.
//!
//! Where the root is true, the liar's last claim is one instruction deep, and the honest side executes that
//! instruction on chain. Where it is false, the last claim is the honest side's, and no step can be found against
//! it.

mod case;
mod liar;
mod table;

use alloy_primitives::{Address, B256, address, keccak256};
use case::{Case, READ, reader, recorded};
use liar::Liar;
use rebut_challenger::trace::GameTrace;
use rebut_dispute::{Action, GameStatus, Position, Step, plan_resolution, solve};
use rebut_fpvm::isa::{Op, Word};
use rebut_fpvm::{Stop, Until};
use rebut_host::WitnessOracle;
use rebut_preimage::{Hint, KeyType, MemoryStore, PreimageKey, PreimageOracle, blob_points};
use table::{Dispute, Table};

const HONEST: Address = address!("00000000000000000000000000000000000000b1");
const LIAR: Address = address!("00000000000000000000000000000000000000b2");

/// More rounds than a game has levels.
const ROUNDS: usize = 80;

/// A game that has been played to the end.
struct Played {
    status: GameStatus,
    /// The step that the honest side took, with the index of its instruction.
    step: Option<(u64, Step)>,
    /// Steps that the liar tried.
    refused: usize,
    moves: usize,
}

/// Plays a game in which the liar is right up to the instruction `index` of the first block.
fn play(case: &Case, root_is_true: bool, index: u64) -> Played {
    let truth = case.root();
    let dispute = Dispute {
        absolute_prestate: case.prestate().hash(),
        starting: case.starting,
        l2_block: case.block(),
        root: if root_is_true { truth } else { keccak256(truth) },
        l1_head: case.boot.l1_head,
        chain_id: case.boot.chain_id,
    };
    let mut table = Table::open(&dispute, if root_is_true { HONEST } else { LIAR });
    table.give(HONEST);
    table.give(LIAR);
    let mut trace = case.trace();
    trace.check_starting(case.starting).expect("the game starts where the chain says");
    let mut played = Played { status: GameStatus::InProgress, step: None, refused: 0, moves: 0 };
    for round in 0.. {
        assert!(round < ROUNDS, "the game does not end");
        let lies = lie(&mut table, &mut trace, case, index, &mut played);
        let answers = answer(&mut table, &mut trace, &mut played);
        if lies + answers == 0 {
            break;
        }
        table.wait(12);
    }
    table.wait(2 * 302_400 + 3 * 86_400);
    loop {
        let plan = plan_resolution(&table.game, table.timestamp(), 512);
        if plan.is_empty() {
            break;
        }
        plan.into_iter().for_each(|resolve| table.resolve_claim(HONEST, resolve));
    }
    played.status = table.resolve(HONEST);
    check_bonds(&mut table);
    played
}

fn lie(
    table: &mut Table,
    trace: &mut GameTrace,
    case: &Case,
    index: u64,
    played: &mut Played,
) -> usize {
    let from_block = case.starting.l2_sequence_number + 1;
    let mut liar = Liar { truth: trace, from_block, from_instruction: index };
    let solution = solve(&table.game, &mut liar, table.timestamp());
    let mut moves = 0;
    for action in &solution.actions {
        match table.act(LIAR, action) {
            Ok(()) => {
                assert!(matches!(action, Action::Move(_)), "a lie was proven: {action:?}");
                moves += 1;
            }
            Err(_) => played.refused += usize::from(matches!(action, Action::Step(_))),
        }
    }
    played.moves += moves;
    moves
}

fn answer(table: &mut Table, trace: &mut GameTrace, played: &mut Played) -> usize {
    let solution = solve(&table.game, trace, table.timestamp());
    assert!(solution.failures.is_empty(), "{:?}", solution.failures);
    for action in &solution.actions {
        table.act(HONEST, action).unwrap_or_else(|error| panic!("{action:?}: {error}"));
        if let Action::Step(step) = action {
            assert!(played.step.is_none(), "two steps");
            played.step = Some((index_of(table, step.position), step.clone()));
        }
    }
    played.moves += solution.actions.len();
    solution.actions.len()
}

fn index_of(table: &Table, position: Position) -> u64 {
    let parameters = table.game.parameters();
    let below = position.relative_to(parameters.split_depth().below()).unwrap();
    below.trace_index(parameters.execution_depth()).unwrap().0.try_into().unwrap()
}

/// Everything that was put up is paid out, and all of it to the honest side.
fn check_bonds(table: &mut Table) {
    let all: u128 = table.game.claims().map(|(_, claim)| claim.bond.0).sum();
    let paid = [HONEST, LIAR].map(|player| table.credit(player).0);
    assert_eq!(paid, [all, 0]);
}

/// Both games about an instruction of the recorded run; the step that decides the one with the true root.
fn check(case: &Case, index: u64) -> Step {
    let step = defended(case, index);
    refuted(case, index);
    step
}

/// As [`check`], for the reads of short programs.
fn check_read(key: PreimageKey, offset: u64, oracle: &WitnessOracle) -> Step {
    let step = defended(&reader(true, key, offset, oracle.clone()), READ);
    refuted(&reader(false, key, offset, oracle.clone()), READ);
    step
}

fn defended(case: &Case, index: u64) -> Step {
    let played = play(case, true, index);
    assert_eq!(played.status, GameStatus::DefenderWins, "a true root");
    let (at, step) = played.step.expect("the honest side steps");
    assert_eq!(at, index, "the disputed instruction");
    assert!(played.moves > 70, "{} moves", played.moves);
    step
}

fn refuted(case: &Case, index: u64) {
    let played = play(case, false, index);
    assert_eq!(played.status, GameStatus::ChallengerWins, "a false root");
    assert!(played.step.is_none() && played.refused > 0, "the liar's steps are refused");
}

/// A step whose instruction is `wanted`, the first one behind so many quarters of the run.
fn find(case: &Case, quarters: u64, wanted: Op) -> u64 {
    let mut machine = case.machine();
    machine.run(Until::step(length(case) / 4 * quarters)).expect("the run");
    loop {
        assert!(!machine.registers().exited, "no {wanted:?}");
        let pc = machine.pc().expect("a thread");
        if Op::decode(Word(machine.memory().load_u32(pc))) == Some(wanted) {
            return machine.registers().step;
        }
        machine.step().expect("a step");
    }
}

/// The length of the program on the first block.
fn length(case: &Case) -> u64 {
    let mut machine = case.machine();
    assert_eq!(machine.run(Until::EXIT).expect("the run"), Stop::Exited(0));
    machine.registers().step
}

/// The first read of a preimage of this type, behind its length or of it.
fn find_read(case: &Case, key_type: KeyType, of_data: bool) -> u64 {
    let mut machine = case.machine();
    let until = Until { step: u64::MAX, preimage_read: true };
    while machine.run(until).expect("the run") == Stop::PreimageRead {
        let (key, _, offset) = machine.last_preimage_read().expect("a read");
        if key[0] == key_type as u8 && (offset >= 8) == of_data {
            return machine.registers().step - 1;
        }
    }
    panic!("no read of a {key_type} key")
}

#[test]
fn an_arithmetic_instruction() {
    let Some(case) = recorded() else { return };
    let step = check(&case, find(&case, 1, Op::daddu));
    assert_eq!(step.data.preimage, None);
}

#[test]
fn a_store() {
    let Some(case) = recorded() else { return };
    check(&case, find(&case, 2, Op::sd));
}

#[test]
fn a_system_call() {
    let Some(case) = recorded() else { return };
    check(&case, find(&case, 3, Op::syscall));
}

#[test]
fn the_first_instruction() {
    let Some(case) = recorded() else { return };
    check(&case, 0);
}

#[test]
fn the_last_instruction() {
    let Some(case) = recorded() else { return };
    check(&case, length(&case) - 1);
}

#[test]
fn beyond_the_end() {
    let Some(case) = recorded() else { return };
    let step = check(&case, length(&case) + 1000);
    assert!(step.data.proof.is_empty(), "an exited state needs no proof");
}

#[test]
fn a_read_of_a_keccak_preimage() {
    let Some(case) = recorded() else { return };
    let step = check(&case, find_read(&case, KeyType::Keccak256, true));
    assert_eq!(step.data.preimage.expect("a part").key[0], KeyType::Keccak256 as u8);
}

#[test]
fn a_read_of_local_data() {
    let Some(case) = recorded() else { return };
    for of_data in [false, true] {
        let step = check(&case, find_read(&case, KeyType::Local, of_data));
        assert_eq!(step.data.preimage.expect("a part").key[0], KeyType::Local as u8);
    }
}

#[test]
fn a_read_of_a_precompile_result() {
    let Some(case) = recorded() else { return };
    let step = check(&case, find_read(&case, KeyType::Precompile, true));
    assert_eq!(step.data.preimage.expect("a part").key[0], KeyType::Precompile as u8);

    let address = Address::with_last_byte(8);
    let payload = [address.as_slice(), &45_000_u64.to_be_bytes()].concat();
    let mut oracle = WitnessOracle::new(MemoryStore::new());
    oracle.hint(&Hint::encode("l1-precompile", &payload)).expect("a pairing of nothing");
    let key = PreimageKey::precompile(address, 45_000, &[]);
    check_read(key, 8, &oracle);
}

#[test]
fn a_read_of_a_blob_element() {
    let elements: Vec<[u8; 32]> =
        (0..4096_u64).map(|at| B256::left_padding_from(&(at * at + 3).to_be_bytes()).0).collect();
    let blob = c_kzg::Blob::from_bytes(elements.as_flattened()).expect("a blob");
    let commitment = c_kzg::ethereum_kzg_settings(0).blob_to_kzg_commitment(&blob).unwrap();
    let commitment = commitment.to_bytes().into_inner();
    let points = blob_points();
    let mut store = MemoryStore::new();
    for (point, element) in points.iter().zip(&elements) {
        let key = PreimageKey::blob(&commitment, point);
        store.insert(key, element.to_vec()).unwrap();
        store.insert(key.inputs_key(), [&commitment[..], point].concat()).unwrap();
    }
    let key = PreimageKey::blob(&commitment, &points[4095]);
    check_read(key, 8, &WitnessOracle::new(store));
}
