//! Traces of a recorded run of the program, beside plain steps and the verifier contract.

use super::evidence::part_of;
use super::*;
use crate::preimage::Upload;
use crate::trace::fixtures::{cannon, program, recorded};
use alloy_primitives::{Address, U256, keccak256};
use rebut_contracts::{Preimage, Verifier};
use rebut_dispute::{ClaimIndex, Evidence};
use rebut_fpvm::isa::{Op, Operands, Word};
use rebut_fpvm::{Machine, Mips64, Silent, State, StateVersion, Stop, Until};
use rebut_host::{ClaimWitness, WitnessOracle};
use rebut_preimage::{
    Hint, KeyType, MemoryStore, OracleError, PreimageKey, PreimageOracle, blob_points,
};
use std::collections::BTreeMap;
use std::sync::Arc;

const CONTEXT: B256 = B256::repeat_byte(0xc7);

/// Where steps are compared: seeded, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn run_of(witness: &ClaimWitness, limits: Limits) -> Run<Mips64> {
    let oracle = Box::new(witness.oracle());
    Run::new(cannon(witness), oracle, limits, Arc::default())
}

/// Length and last state hash of the run, by the block interpreter alone.
fn ending(witness: &ClaimWitness) -> (u64, B256) {
    let mut machine = Machine::new(program(witness), witness.oracle(), Silent);
    assert_eq!(machine.run(Until::EXIT).expect("the run"), Stop::Exited(0));
    (machine.registers().step, machine.state_hash())
}

#[test]
fn hashes_are_those_of_plain_steps() {
    let Some(witness) = recorded() else { return };
    let (length, last) = ending(&witness);
    let mut random = Random(0x5eed);
    let mut places: Vec<u64> = (0..24).map(|_| random.below(length)).collect();
    places.extend([0, 1, length - 1]);
    let mut sorted = places.clone();
    sorted.sort_unstable();
    let mut plain = Machine::new(program(&witness), witness.oracle(), Silent);
    let mut want = BTreeMap::new();
    for step in sorted {
        plain.run_plain(Until::step(step)).expect("plain steps");
        want.insert(step, plain.state_hash());
    }
    for limits in [Limits::default(), Limits { snapshots: 5, snapshot_bytes: 8 << 20 }] {
        let mut run = run_of(&witness, limits);
        for place in &places {
            assert_eq!(run.state_hash(*place).unwrap(), want[place], "step {place} of {length}");
        }
        for past in [length, length + 1, u64::MAX] {
            assert_eq!(run.state_hash(past).unwrap(), last, "past the end");
        }
        let report = run.report();
        assert_eq!(report.length, Some(length));
        assert!(report.snapshots <= limits.snapshots + 64, "{report:?}");
        assert!(report.time > Duration::ZERO);
    }
}

#[test]
fn a_bisection_runs_one_distance_again() {
    let Some(witness) = recorded() else { return };
    let mut run = run_of(&witness, Limits::default());
    run.state_hash(u64::MAX).unwrap();
    let length = run.report().length.unwrap();
    assert_eq!(run.report().executed, length, "one pass");
    let mut random = Random(7);
    for _ in 0..4 {
        let target = random.below(length);
        let before = run.report().executed;
        let (mut low, mut high) = (0, 1 << 42);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            run.state_hash(middle).unwrap();
            if middle <= target { low = middle } else { high = middle }
        }
        run.step_data(low).unwrap();
        let again = run.report().executed - before;
        // Halves add up to one distance; the last questions find their snapshots.
        assert!(again <= 2 << 20, "{again} steps for step {target} of {length}");
    }
}

#[test]
fn memory_is_bounded() {
    let Some(witness) = recorded() else { return };
    let limits = Limits { snapshots: 4, snapshot_bytes: 1 };
    let mut run = run_of(&witness, limits);
    run.state_hash(u64::MAX).unwrap();
    let length = run.report().length.unwrap();
    assert!(run.report().snapshots <= 1, "{:?}", run.report());
    let mut random = Random(9);
    for _ in 0..3 {
        run.state_hash(random.below(length)).unwrap();
        assert!(run.report().snapshots <= 2, "{:?}", run.report());
    }
}

/// Answers a number of questions, then fails until it is told to go on.
struct Failing {
    inner: WitnessOracle,
    left: Arc<std::sync::atomic::AtomicU64>,
}

impl PreimageOracle for Failing {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        use std::sync::atomic::Ordering::SeqCst;
        match self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => self.inner.get(key),
            Err(_) => Err(OracleError::Missing { key }),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.inner.hint(hint)
    }
}

#[test]
fn a_run_goes_on_after_the_oracle_failed() {
    let Some(witness) = recorded() else { return };
    let (length, last) = ending(&witness);
    let left = Arc::new(std::sync::atomic::AtomicU64::new(40));
    let oracle = Failing { inner: witness.oracle(), left: Arc::clone(&left) };
    let mut run = Run::new(cannon(&witness), Box::new(oracle), Limits::default(), Arc::default());
    for _ in 0..2 {
        let error = run.state_hash(u64::MAX).unwrap_err();
        assert!(matches!(error, TraceError::Vm(VmError::Oracle { .. })), "{error}");
        assert_eq!(run.report().length, None);
    }
    left.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(run.state_hash(length).unwrap(), last);
    // What is behind a snapshot is run again from the start, where all hints are given.
    let read = reads(&witness).into_iter().map(|(_, _, step)| step).max().expect("a read");
    let kept = run.report().snapshots;
    left.store(0, std::sync::atomic::Ordering::SeqCst);
    assert!(run.state_hash(read + 1).is_err(), "the oracle fails again");
    assert_eq!((kept > 0, run.report().snapshots), (true, 0));
    left.store(u64::MAX, std::sync::atomic::Ordering::SeqCst);
    let before = run.report().executed;
    assert!(run.state_hash(read + 1).is_ok(), "and answers again");
    assert_eq!(run.report().executed - before, read + 1);
}

#[test]
fn a_run_can_be_ended() {
    let Some(witness) = recorded() else { return };
    let progress = Arc::new(Progress::default());
    let oracle = Box::new(witness.oracle());
    let mut run = Run::new(cannon(&witness), oracle, Limits::default(), Arc::clone(&progress));
    progress.stop();
    assert!(matches!(run.state_hash(1), Err(TraceError::Interrupted { step: 0 })));
}

/// Gives a step to the contract, with what it reads loaded as planned, and compares the states.
fn accepted(trace: &mut dyn StateTrace, step: u64, context: B256) -> StepData {
    let mut verifier = Verifier::new(8).expect("the contracts");
    let data = trace.step_data(step).unwrap_or_else(|error| panic!("step {step}: {error}"));
    if let Some(part) = &data.preimage {
        match Upload::plan(part, ClaimIndex(3), verifier.caller(), 126_000).expect("a plan") {
            Upload::Direct { call, .. } => {
                verifier.call_oracle(call.data).expect("the oracle takes it");
            }
            Upload::Local(_) => {
                // The game would vouch for it; here the caller does.
                let data = part.data.clone().into();
                let local = Preimage::of_key(part.key, data, context).expect("local data");
                verifier.load_preimage(&local, part.offset).expect("the oracle takes it");
            }
            Upload::Large { .. } => panic!("no recorded preimage is large"),
        }
    }
    let outcome = verifier.step(&data.prestate, &data.proof, context);
    let outcome = outcome.unwrap_or_else(|error| panic!("step {step}: {error}"));
    assert_eq!(outcome.post_state_hash, trace.state_hash(step + 1).unwrap(), "step {step}");
    assert_eq!(keccak256(&data.prestate)[1..], trace.state_hash(step).unwrap()[1..]);
    data
}

/// The first step from `from` on whose instruction is `wanted`.
fn find(machine: &mut Machine<'_>, from: u64, wanted: Op) -> u64 {
    machine.run(Until::step(from)).expect("the run");
    loop {
        let step = machine.registers().step;
        let pc = machine.pc().expect("a thread");
        if Op::decode(Word(machine.memory().load_u32(pc))) == Some(wanted) {
            return step;
        }
        machine.step().expect("a step");
    }
}

#[test]
fn the_contract_accepts_every_kind_of_step() {
    let Some(witness) = recorded() else { return };
    let (length, last) = ending(&witness);
    let mut run = run_of(&witness, Limits::default());
    let mut machine = Machine::new(program(&witness), witness.oracle(), Silent);
    let mut from = 1000;
    for op in [Op::daddu, Op::sd, Op::ld, Op::syscall, Op::bne, Op::sb, Op::dsrl] {
        let step = find(&mut machine, from, op);
        let data = accepted(&mut run, step, CONTEXT);
        assert!(data.preimage.is_none(), "{op:?} at step {step}");
        from = step + length / 100;
    }
    // The first and the last, and those behind it, for which the state is all it takes.
    accepted(&mut run, 0, CONTEXT);
    let data = accepted(&mut run, length - 1, CONTEXT);
    assert!(!data.proof.is_empty());
    for beyond in [length, length + 12_345] {
        let data = accepted(&mut run, beyond, CONTEXT);
        assert_eq!((data.proof.len(), data.preimage), (0, None));
        assert_eq!(run.state_hash(beyond).unwrap(), last);
    }
}

/// All reads of preimages: type of the key, offset, step.
fn reads(witness: &ClaimWitness) -> Vec<(u8, u64, u64)> {
    let mut machine = Machine::new(program(witness), witness.oracle(), Silent);
    let mut found = Vec::new();
    let until = Until { step: u64::MAX, preimage_read: true };
    while machine.run(until).expect("the run") == Stop::PreimageRead {
        let (key, _, offset) = machine.last_preimage_read().expect("a read");
        found.push((key[0], offset, machine.registers().step - 1));
    }
    found
}

#[test]
fn the_contract_accepts_steps_that_read_preimages() {
    let Some(witness) = recorded() else { return };
    let reads = reads(&witness);
    let mut run = run_of(&witness, Limits::default());
    for key_type in [KeyType::Local, KeyType::Keccak256, KeyType::Precompile] {
        let mut of_type = reads.iter().filter(|(t, ..)| *t == key_type as u8);
        let length = of_type.clone().find(|(_, offset, _)| *offset == 0);
        let data = of_type.clone().find(|(_, offset, _)| *offset > 0);
        for read in [length, data, of_type.next_back()] {
            let (_, offset, step) = *read.unwrap_or_else(|| panic!("no read of a {key_type} key"));
            let part = accepted(&mut run, step, CONTEXT).preimage.expect("a part");
            assert_eq!((part.key[0], part.offset), (key_type as u8, offset));
        }
    }
}

/// A program that reads 8 bytes of the preimage of `key` from `offset` on, and exits.
fn reader(key: PreimageKey, offset: u64) -> State {
    let set = |rt: u8, imm: u16| Op::ori.encode(Operands { rt, imm, ..Operands::default() }).0;
    let call = Op::syscall.encode(Operands::default()).0;
    let buffer = Op::lui.encode(Operands { rt: 5, imm: 2, ..Operands::default() }).0;
    // read(5, 0x20000, 8), exit_group(0)
    let code = [set(2, 5000), set(4, 5), buffer, set(6, 8), call, set(2, 5205), set(4, 0), call];
    let mut state = State::at(StateVersion::V8, 0x1000);
    let mut page = [0; 4096];
    for (place, word) in page.chunks_exact_mut(4).zip(code) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    state.memory.set_page(1, &page);
    state.registers.preimage_key = B256::from(*key.as_bytes());
    state.registers.preimage_offset = offset;
    state
}

const READ: u64 = 4;

/// Proves and verifies a read of each part of a preimage that has `length` bytes.
fn read_parts(key: PreimageKey, length: u64, oracle: &WitnessOracle) -> Evidence {
    let mut evidence = None;
    for offset in [0, 4, 8, length + 7] {
        let vm = Loaded::new(reader(key, offset));
        let oracle = Box::new(oracle.clone());
        let mut run = Run::new(vm, oracle, Limits::default(), Arc::default());
        let part = accepted(&mut run, READ, CONTEXT).preimage.expect("a part");
        assert_eq!((part.offset, part.data.len() as u64), (offset, length));
        evidence = Some(part.evidence);
    }
    evidence.expect("parts")
}

#[test]
fn the_contract_accepts_a_precompile_result() {
    // The recovery of a signature that is none, and the pairing of nothing, which is one.
    for (address, gas, input, result) in [
        (1, 3000, vec![0; 128], vec![1]),
        (8, 45_000, Vec::new(), [&[1][..], &[0; 31], &[1]].concat()),
    ] {
        let address = Address::with_last_byte(address);
        let mut oracle = WitnessOracle::new(MemoryStore::new());
        let payload = [address.as_slice(), &u64::to_be_bytes(gas), &input].concat();
        oracle.hint(&Hint::encode("l1-precompile", &payload)).unwrap();
        let key = PreimageKey::precompile(address, gas, &input);
        assert_eq!(oracle.get(key).unwrap(), result);
        let evidence = read_parts(key, result.len() as u64, &oracle);
        assert_eq!(evidence, Evidence::Precompile { address, required_gas: gas, input });
    }
}

/// A blob with numbers in it, as a host stores it, and its commitment.
fn blob() -> (MemoryStore, [u8; 48]) {
    let elements: Vec<[u8; 32]> =
        (0..4096_u64).map(|at| U256::from(at * at + 3).to_be_bytes()).collect();
    let blob = c_kzg::Blob::from_bytes(elements.as_flattened()).expect("a blob");
    let commitment = c_kzg::ethereum_kzg_settings(0).blob_to_kzg_commitment(&blob).unwrap();
    let commitment = commitment.to_bytes().into_inner();
    let mut store = MemoryStore::new();
    for (point, element) in blob_points().iter().zip(&elements) {
        let key = PreimageKey::blob(&commitment, point);
        store.insert(key, element.to_vec()).unwrap();
        store.insert(key.inputs_key(), [&commitment[..], point].concat()).unwrap();
    }
    (store, commitment)
}

#[test]
fn the_contract_accepts_blob_elements() {
    let (store, commitment) = blob();
    let points = blob_points();
    for index in [0, 1, 2048, 4095] {
        let key = PreimageKey::blob(&commitment, &points[index as usize]);
        let evidence = read_parts(key, 32, &WitnessOracle::new(store.clone()));
        let Evidence::Blob { z, y, .. } = evidence else { panic!("{evidence:?}") };
        assert_eq!(z.0, points[index as usize]);
        assert_eq!(U256::from_be_bytes(y.0), U256::from(index * index + 3));
    }
}

#[test]
fn evidence_that_does_not_convince_is_an_error() {
    let (store, commitment) = blob();
    let points = blob_points();
    let key = PreimageKey::blob(&commitment, &points[5]);
    let value = store.value(&key).expect("an element").to_vec();
    let check = |store: &MemoryStore, data: &[u8], want: &str| {
        let name = B256::from(*key.as_bytes());
        let read = VmRead { key: name, data: data.to_vec(), offset: 8 };
        let error = part_of(read, &mut WitnessOracle::new(store.clone())).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check(&store, &[0; 32], "not the one that can be shown");
    check(&store, &value[..31], "is wrong");
    let mut without = store.clone();
    without.remove(&key.inputs_key());
    check(&without, &value, "cannot be had");
    let mut without = store.clone();
    without.remove(&PreimageKey::blob(&commitment, &points[4000]));
    check(&without, &value, "cannot be had");
    let mut other = store;
    let last = PreimageKey::blob(&commitment, &points[4000]);
    other.remove(&last);
    other.insert(last, vec![0; 32]).unwrap();
    check(&other, &value, "not those of its blob");
}

/// What the contract's source says, on two claims.
#[test]
fn the_short_program_reads_and_decides() {
    let word = B256::with_last_byte;
    let boot = |claimed| Boot {
        l1_head: B256::ZERO,
        agreed_output: word(4),
        claimed_output: word(claimed),
        claimed_number: 9,
        chain_id: 1,
    };
    let mut valid = Alphabet::new(boot(5));
    for (steps, words, status) in [
        (0, [0, 0, 0, 0], 3),
        (1, [1, 4, 0, 0], 3),
        (2, [2, 4, 5, 0], 3),
        (5, [5, 4, 5, 9], 3),
        (6, [6, 4, 5, 9], 0),
        (100, [6, 4, 5, 9], 0),
    ] {
        let state = words.map(word).concat();
        let hash = valid.state_hash(steps).unwrap();
        assert_eq!((hash[0], &hash[1..]), (status, &keccak256(&state)[1..]), "{steps}");
        let data = valid.step_data(steps).unwrap();
        assert_eq!(data.prestate, state);
        assert_eq!(data.preimage.is_some(), steps < 3, "{steps}");
    }
    let part = valid.step_data(2).unwrap().preimage.expect("the number");
    assert_eq!((part.key[31], part.data, part.offset), (4, vec![0, 0, 0, 0, 0, 0, 0, 9], 8));
    assert_eq!(Alphabet::new(boot(6)).state_hash(6).unwrap()[0], 1);
    // From the claimed block on nothing is added.
    let reached = Boot { agreed_output: word(9), claimed_output: word(9), ..boot(0) };
    assert_eq!(Alphabet::new(reached).state_hash(6).unwrap()[0], 0);
}
