//! Whole disputes on the real contracts, with the real verifier and mainnet's depths: a liar who is right up to one
//! instruction of one block, and the honest challenger.
//!
//! Where the root is true, the liar's last claim is one instruction deep, and the honest side executes that
//! instruction on chain. Where it is false, the last claim is the honest side's, and no step can be found against
//! it.

mod case;
mod forgery;
mod upload;

use alloy_primitives::{Address, B256, address, keccak256};
use case::{Case, READ, reader, recorded, threads};
use forgery::Forgery;
use rebut_challenger::trace::GameTrace;
use rebut_contracts::deployment::{Anchor, DeploymentConfig, GameConfig};
use rebut_dispute::{Action, GameStatus, Position, Step, plan_resolution, solve};
use rebut_fpvm::isa::{Op, Word};
use rebut_fpvm::{Stop, Until};
use rebut_host::WitnessOracle;
use rebut_preimage::{Hint, KeyType, MemoryStore, PreimageKey, PreimageOracle, blob_points};
use rebut_table::{Contracts, Lying, OWNER, Table};
use upload::{Effort, MIN_PROPOSAL_BYTES};

const HONEST: Address = address!("00000000000000000000000000000000000000b1");
const LIAR: Address = address!("00000000000000000000000000000000000000b2");

/// More rounds than a game has levels.
const ROUNDS: usize = 80;

/// A game in which the liar is right up to one instruction of the first block.
struct Play<'c> {
    case: &'c Case,
    index: u64,
    table: Table,
    trace: GameTrace,
    /// The step that the honest side took, with the index of its instruction and what its preimage took.
    step: Option<(u64, Step, Effort)>,
    /// Steps that the liar would like to take.
    false_steps: Vec<Step>,
    moves: usize,
}

/// A game that has been played to the end.
struct Played {
    status: GameStatus,
    /// Whether all bonds went to the honest side, or to the liar.
    winner: Address,
    step: Option<(u64, Step, Effort)>,
    moves: usize,
}

impl<'c> Play<'c> {
    /// Deploys everything and opens the game.
    fn open(case: &'c Case, root_is_true: bool, index: u64) -> Self {
        let anchor = Anchor {
            output_root: case.starting.root,
            l2_block_number: case.starting.l2_sequence_number,
        };
        let game =
            GameConfig { absolute_prestate: case.prestate().hash(), ..GameConfig::default() };
        let contracts = Contracts::deploy(&DeploymentConfig {
            l2_chain_id: case.boot.chain_id,
            owner: OWNER,
            guardian: OWNER,
            anchor,
            games: vec![game],
            ..DeploymentConfig::default()
        });
        let truth = case.root();
        let (root, proposer) =
            if root_is_true { (truth, HONEST) } else { (keccak256(truth), LIAR) };
        let mut table = contracts.create(proposer, root, case.block(), case.boot.l1_head);
        table.endow(HONEST);
        table.endow(LIAR);
        let mut trace = case.trace();
        trace.check_starting(case.starting).expect("the game starts where the chain says");
        Self { case, index, table, trace, step: None, false_steps: Vec::new(), moves: 0 }
    }

    /// Plays until neither side has anything to say, but for the liar's false steps.
    fn play(&mut self) {
        for round in 0.. {
            assert!(round < ROUNDS, "the game does not end");
            if self.lie() + self.answer() == 0 {
                break;
            }
            self.table.wait(12);
        }
    }

    fn lie(&mut self) -> usize {
        let from_block = self.case.starting.l2_sequence_number + 1;
        let mut liar = Lying { truth: &mut self.trace, from_block, from_instruction: self.index };
        let solution = solve(&self.table.game, &mut liar, self.table.timestamp());
        self.false_steps.clear();
        let mut moves = 0;
        for action in solution.actions {
            match action {
                Action::Step(step) => self.false_steps.push(step),
                action => moves += usize::from(self.table.act(LIAR, &action).is_ok()),
            }
        }
        self.moves += moves;
        moves
    }

    fn answer(&mut self) -> usize {
        let solution = solve(&self.table.game, &mut self.trace, self.table.timestamp());
        assert!(solution.failures.is_empty(), "{:?}", solution.failures);
        for action in &solution.actions {
            let Action::Step(step) = action else {
                assert_eq!(self.table.act(HONEST, action), Ok(()), "{action:?}");
                continue;
            };
            let effort = upload::load(&mut self.table, HONEST, step).expect("a preimage");
            assert_eq!(self.table.step(HONEST, step), Ok(()), "{step:?}");
            assert!(self.step.is_none(), "two steps");
            self.step = Some((self.index_of(step.position), step.clone(), effort));
        }
        self.moves += solution.actions.len();
        solution.actions.len()
    }

    fn index_of(&self, position: Position) -> u64 {
        let parameters = self.table.game.parameters();
        let below = position.relative_to(parameters.split_depth().below()).unwrap();
        below.trace_index(parameters.execution_depth()).unwrap().0.try_into().unwrap()
    }

    /// Lets all clocks run out and resolves.
    fn finish(mut self) -> Played {
        self.table.wait(2 * 302_400 + 3 * 86_400);
        loop {
            let plan = plan_resolution(&self.table.game, self.table.timestamp(), 512);
            if plan.is_empty() {
                break;
            }
            for resolve in plan {
                assert_eq!(self.table.resolve_claim(HONEST, resolve), Ok(()));
            }
        }
        self.table.check_view();
        let status = self.table.resolve(HONEST).expect("all is resolved");
        // Everything that was put up is paid out, and all of it to one side.
        let all: u128 = self.table.game.claims().map(|(_, claim)| claim.bond.0).sum();
        let paid = [HONEST, LIAR].map(|player| self.table.credit(player).0);
        let winner = if paid == [all, 0] { HONEST } else { LIAR };
        assert_eq!(paid, if winner == HONEST { [all, 0] } else { [0, all] });
        Played { status, winner, step: self.step, moves: self.moves }
    }
}

/// Both games about an instruction of the recorded run; the step that decides the one with the true root.
fn check(case: &Case, index: u64) -> Step {
    let (step, _) = defended(case, index);
    refuted(case, index);
    step
}

/// As [`check`], for the reads of short programs, with what the honest side's preimage took.
fn check_read(key: PreimageKey, offset: u64, oracle: &WitnessOracle) -> Effort {
    let (_, effort) = defended(&reader(true, key, offset, oracle.clone()), READ);
    refuted(&reader(false, key, offset, oracle.clone()), READ);
    effort
}

fn defended(case: &Case, index: u64) -> (Step, Effort) {
    let mut play = Play::open(case, true, index);
    play.play();
    let played = play.finish();
    assert_eq!((played.status, played.winner), (GameStatus::DefenderWins, HONEST), "a true root");
    let (at, step, effort) = played.step.expect("the honest side steps");
    assert_eq!(at, index, "the disputed instruction");
    assert!(played.moves > 70, "{} moves", played.moves);
    (step, effort)
}

fn refuted(case: &Case, index: u64) {
    let mut play = Play::open(case, false, index);
    play.play();
    assert!(!play.false_steps.is_empty(), "the liar would step");
    for step in &play.false_steps {
        upload::load(&mut play.table, LIAR, step).expect("a preimage");
        assert_eq!(play.table.step(LIAR, step), Err("ValidStep".into()));
    }
    let played = play.finish();
    let want = (GameStatus::ChallengerWins, HONEST);
    assert_eq!((played.status, played.winner), want, "a false root");
    assert!(played.step.is_none() && played.moves > 70, "{} moves", played.moves);
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

/// A preimage of 960 blocks, and where it is read: in the length, within a call, and where a call would end.
fn large() -> (PreimageKey, Vec<u8>, WitnessOracle) {
    let data: Vec<u8> = (0..130_500_u32).map(|at| (at * 7 + at / 251) as u8).collect();
    let key = PreimageKey::keccak256(keccak256(&data));
    let mut store = MemoryStore::new();
    store.insert(key, data.clone()).unwrap();
    (key, data, WitnessOracle::new(store))
}

#[test]
fn a_read_of_a_large_preimage() {
    let (key, data, oracle) = large();
    assert!(data.len() as u64 >= MIN_PROPOSAL_BYTES);
    for offset in [0, 8 + 68_000 - 20, 8 + 130_496] {
        let effort = check_read(key, offset, &oracle);
        // The call that opens it, two with leaves, and a day later the squeeze.
        assert_eq!(effort, Effort { transactions: 4, waited_seconds: 86_401 }, "at {offset}");
    }
}

/// The step of a liar who has other bytes in the oracle is valid there: only the challenge of his preimage saves the
/// game.
#[test]
fn attack17_a_false_large_preimage_is_challenged_or_decides() {
    const OFFSET: u64 = 8 + 70_000;
    let (key, data, oracle) = large();
    let mut forged = data.clone();
    forged[70_000] ^= 1;
    let case = reader(false, key, OFFSET, oracle);
    let key = B256::from(*key.as_bytes());
    for challenged in [true, false] {
        let mut play = Play::open(&case, false, READ);
        let mut forgery = Forgery::new(&play.table, LIAR, &data, &forged, OFFSET);
        forgery.open(&mut play.table);
        play.play();
        let table = &mut play.table;
        let found = forgery.audit(table).expect("all leaves").expect("a false state");
        if challenged {
            let before = table.chain.balance(HONEST);
            upload::send(table, HONEST, &found).expect("a challenge");
            let bond = alloy_primitives::U256::from(250_000_000_000_000_000_u64);
            assert_eq!(table.chain.balance(HONEST), before + bond);
            assert!(forgery.metadata(table).countered);
        }
        table.wait(86_401);
        let squeezed = forgery.squeeze(table).map_err(|error| error.to_string());
        let step = play.false_steps[0].clone();
        if challenged {
            assert!(squeezed.unwrap_err().contains("BadProposal"));
            assert!(upload::part(&mut play.table, key, OFFSET).is_err(), "nothing is there");
            assert!(play.table.step(LIAR, &step).is_err());
        } else {
            assert_eq!(squeezed, Ok(()));
            let part = upload::part(&mut play.table, key, OFFSET).expect("a part");
            assert_eq!(part.as_slice(), &forged[70_000..70_032]);
            assert_eq!(play.table.step(LIAR, &step), Ok(()));
        }
        let played = play.finish();
        let want = if challenged {
            (GameStatus::ChallengerWins, HONEST)
        } else {
            (GameStatus::DefenderWins, LIAR)
        };
        assert_eq!((played.status, played.winner), want);
    }
}

/// The first step after which another thread runs: by a system call, or because the time of one is over.
fn find_switch(case: &Case, by_call: bool) -> u64 {
    let mut machine = case.machine();
    loop {
        assert!(!machine.registers().exited, "no switch");
        let pc = machine.pc().expect("a thread");
        let is_call = Op::decode(Word(machine.memory().load_u32(pc))) == Some(Op::syscall);
        let running = |machine: &rebut_fpvm::Machine<'_>| {
            machine.registers().processor.current_thread().expect("a thread").id
        };
        let before = running(&machine);
        machine.step().expect("a step");
        let is_over = machine.registers().exited;
        if !is_over && running(&machine) != before && is_call == by_call {
            return machine.registers().step - 1;
        }
    }
}

#[test]
fn a_thread_switch() {
    let (Some(valid), Some(invalid)) = (threads(true), threads(false)) else { return };
    for by_call in [false, true] {
        let index = find_switch(&valid, by_call);
        let (step, _) = defended(&valid, index);
        assert_eq!(step.data.preimage, None);
        // Up to here the two programs differ in nothing but their last word.
        assert_eq!(find_switch(&invalid, by_call), index);
        refuted(&invalid, index);
    }
}
