//! Steps of real runs in Rust and in Solidity, of blocks and of Go programs: samples of whole traces, every system
//! call among them, and tampered proofs that the contract must refuse.

use alloy_primitives::{Address, B256, keccak256};
use rebut_contracts::Preimage;
use rebut_fpvm::kernel::descriptors::PREIMAGE_READ;
use rebut_fpvm::machine::Machine;
use rebut_fpvm::witness::PreimageRead;
use rebut_fpvm::{
    AsteriscVersion, Mips32, Program, Silent, State, StateVersion, StateVersion32, StepProof, Stop,
    Until, Version, Vm, load_elf,
};
use rebut_host::{BlockWitness, WitnessOracle};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use rebut_tests::preimages::Preimages;
use rebut_tests::random::{Random, SEED_VARIABLE, seed};
use rebut_tests::subject::Part;
use rebut_tests::verdict::{Solidity, compare_taken};
use rebut_tests::{Subject, go, guests};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Neighbouring steps that are compared at every stop, so that stops may be few.
const STEPS_PER_STOP: u64 = 4;
/// Steps at both ends in which every system call is looked at.
const SEARCH_STEPS: u64 = 20_000;
/// System calls of one kind that are compared in one run.
const CALLS_PER_KIND: u64 = 100;
/// Too few bytes for any proof.
const SHORT_BYTES: usize = 300;
/// Steps of one run whose proofs are tampered with.
const TAMPERED: u64 = 60;

/// An oracle that the test can look into while a machine holds it.
#[derive(Clone)]
struct Shared(Rc<RefCell<WitnessOracle>>);

impl PreimageOracle for Shared {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.0.borrow_mut().get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.0.borrow_mut().hint(hint)
    }
}

/// The call behind the key of a precompile's result.
type Calls = Box<dyn Fn(PreimageKey) -> Option<Vec<u8>>>;

/// One run of the machine, beside the contract.
struct Run<V: Subject> {
    machine: Machine<'static, V>,
    calls: Calls,
    solidity: Solidity,
    random: Random,
    compared: u64,
    tampered: u64,
    refused: u64,
    /// Compared system calls by kind.
    calls_met: BTreeMap<String, u64>,
    /// A memory root that the run has left behind.
    stale_root: Option<[u8; 32]>,
}

impl<V: Subject> Run<V> {
    fn start(
        state: State<V>,
        oracle: impl PreimageOracle + 'static,
        calls: Calls,
        seed: u64,
    ) -> Self {
        let solidity = Solidity::new::<V>(state.version);
        Self {
            machine: Machine::new(state, oracle, Silent),
            calls,
            solidity,
            random: Random::new(seed),
            compared: 0,
            tampered: 0,
            refused: 0,
            calls_met: BTreeMap::new(),
            stale_root: None,
        }
    }

    fn step(&self) -> u64 {
        self.machine.registers().step
    }

    /// The kind of system call that the next step makes, if it makes one: its name, the descriptor of a
    /// transfer, the type of the preimage's key.
    fn next_call(&self) -> Option<String> {
        let key_type = self.machine.registers().preimage_key[0];
        let (name, fd) = V::next_call(self.machine.state())?;
        Some(match (name, fd) {
            ("read", PREIMAGE_READ) => format!("read {fd} of type {key_type}"),
            ("read" | "write", _) => format!("{name} {fd}"),
            _ => name.to_owned(),
        })
    }

    /// Takes the next step in both.
    fn compare(&mut self) {
        let step = self.step();
        if let Some(call) = self.next_call() {
            *self.calls_met.entry(call).or_default() += 1;
        }
        let proof = self.machine.prove_step().unwrap_or_else(|e| panic!("step {step}: {e}"));
        if let Some(read) = &proof.preimage {
            self.load(read);
        }
        compare_taken(&mut self.machine, &proof, &mut self.solidity)
            .unwrap_or_else(|difference| panic!("step {step}: {difference}"));
        self.compared += 1;
        if self.tampered < TAMPERED && (self.compared % 97 == 1 || proof.preimage.is_some()) {
            self.tampered += 1;
            self.tamper(&proof);
        }
        self.stale_root = proof.state_data.0.first_chunk().copied();
    }

    fn load(&mut self, read: &PreimageRead) {
        match PreimageKey::parse(read.key.0) {
            Ok(key) if read.key[0] == 6 => {
                let call = (self.calls)(key.inputs_key()).expect("call");
                let (address, rest) = call.split_first_chunk::<20>().expect("address");
                let (gas, input) = rest.split_first_chunk::<8>().expect("gas and input");
                let preimage = Preimage::Precompile {
                    address: Address::from(address),
                    required_gas: u64::from_be_bytes(*gas),
                    input: input.to_vec().into(),
                };
                self.solidity.load(&preimage, read.key, read.offset);
            }
            _ => self.solidity.load_read(read),
        }
    }

    /// Plain steps up to `end`, comparing the system calls among them.
    fn search_calls(&mut self, end: u64) {
        while self.step() < end && !self.machine.registers().exited {
            let call = self.next_call();
            if call.is_some_and(|c| self.calls_met.get(&c).is_none_or(|n| *n < CALLS_PER_KIND)) {
                self.compare();
            } else {
                let step = self.step();
                self.machine.step().unwrap_or_else(|error| panic!("step {step}: {error}"));
            }
        }
    }

    /// Runs to about `step`, and compares there.
    fn stop_at(&mut self, step: u64) {
        if step > self.step() {
            let stop = self.machine.run(Until::step(step));
            assert!(matches!(stop, Ok(Stop::Step)), "step {step}: {stop:?}");
        }
        for _ in 0..STEPS_PER_STOP {
            self.compare();
        }
    }

    /// Stops all over a trace of `steps` steps, then goes on to its end. Every second stretch between
    /// stops is run by the block interpreter, the others by plain steps that look for system calls.
    fn sample(&mut self, steps: u64, stops: u64) {
        let last = steps - STEPS_PER_STOP - 1;
        self.search_calls(SEARCH_STEPS);
        for i in 1..stops {
            let at = (steps / stops * i + self.random.below(steps / stops)).min(last);
            if i % 2 == 0 {
                self.search_calls(at);
            }
            self.stop_at(at);
        }
        self.stop_at(steps.saturating_sub(SEARCH_STEPS));
        self.search_calls(steps - STEPS_PER_STOP);
        while !self.machine.registers().exited {
            self.compare();
        }
        // One step more changes nothing.
        self.compare();
        assert_eq!(self.step(), steps);
    }

    /// Feeds the contract what is not the proof of this step.
    fn tamper(&mut self, proof: &StepProof) {
        for (what, changed) in tamperings::<V>(&mut self.random, proof, self.stale_root) {
            match self.solidity.step(&changed) {
                Err(_) => self.refused += 1,
                Ok(outcome) => panic!("step {}: {what} is accepted: {outcome:?}", proof.step),
            }
        }
        // A changed state is another state, whatever the contract makes of it: its hash is not the one that
        // was agreed on. (Its post-state may be the same: writing a key forgets the offset in the old one.)
        let byte = self.random.below(proof.state_data.0.len() as u64) as usize;
        let mut changed = proof.state_data.0.clone();
        changed[byte] ^= 1 << self.random.below(8);
        assert_ne!(keccak256(changed)[1..], proof.pre[1..]);
        // Untampered, the same proof is accepted.
        let outcome = self.solidity.step(proof).unwrap_or_else(|e| panic!("{}: {e}", proof.step));
        assert_eq!(outcome.post_state_hash, proof.post);
    }
}

fn tamperings<V: Subject>(
    random: &mut Random,
    proof: &StepProof,
    stale_root: Option<[u8; 32]>,
) -> Vec<(String, StepProof)> {
    let mut all = Vec::new();
    let mut changed = |what: String, change: &mut dyn FnMut(&mut StepProof)| {
        let mut copy = proof.clone();
        change(&mut copy);
        if copy != *proof {
            all.push((what, copy));
        }
    };
    for Part { name, begin, end, .. } in V::used_parts(proof) {
        for _ in 0..3 {
            let at = begin + random.below((end - begin) as u64) as usize;
            let bit = 1 << random.below(8);
            changed(format!("byte {at} flipped, in {name}"), &mut |p| p.proof_data[at] ^= bit);
        }
        if end - begin != V::ADDRESSES.proof_bytes() {
            continue;
        }
        let swap = |p: &mut StepProof, a: usize, b: usize| {
            for i in 0..32 {
                p.proof_data.swap(begin + 32 * a + i, begin + 32 * b + i);
            }
        };
        changed(format!("proof of the neighbour leaf, in {name}"), &mut |p| swap(p, 0, 1));
        let sibling = 1 + random.below((end - begin) as u64 / 32 - 2) as usize;
        changed(format!("siblings {sibling} swapped, in {name}"), &mut |p| {
            swap(p, sibling, sibling + 1);
        });
        if let Some(root) = stale_root {
            changed("a root of before".to_owned(), &mut |p| {
                p.state_data.0[..32].copy_from_slice(&root)
            });
        }
    }
    // The roots that the parts are checked against.
    for Part { begin, root, .. } in V::used_parts(proof) {
        let at = root + random.below(32) as usize;
        let mut copy = proof.clone();
        copy.state_data.0[at] ^= 1 << random.below(8);
        all.push((format!("state byte {at} flipped, for the part at {begin}"), copy));
    }
    all.extend((!proof.proof_data.is_empty()).then(|| {
        let mut short = proof.clone();
        short.proof_data.truncate(SHORT_BYTES);
        ("short proof".to_owned(), short)
    }));
    all
}

/// Compares samples of a trace that has so many steps and ends in a state of that hash.
fn sample<V: Subject>(name: &str, mut run: Run<V>, steps: u64, end: B256, stops: u64) -> Run<V> {
    run.sample(steps, stops);
    println!(
        "{name}: {} of {steps} steps compared, system calls {:?}, {} tamperings of {} proofs refused",
        run.compared, run.calls_met, run.refused, run.tampered
    );
    assert_eq!(end, run.machine.state_hash(), "hopping leads to another end");
    assert!(run.compared >= stops * STEPS_PER_STOP, "{} steps", run.compared);
    assert!(run.refused > 5 * TAMPERED, "{} tamperings", run.refused);
    run
}

/// Steps and last state of a whole run that must end well.
fn whole<V: Subject>(state: State<V>, oracle: impl PreimageOracle) -> (u64, B256) {
    let mut machine = Machine::new(state, oracle, Silent);
    let stop = machine.run(Until::EXIT);
    assert!(matches!(stop, Ok(Stop::Exited(0))), "{stop:?}");
    (machine.registers().step, machine.state_hash())
}

/// Compares samples of a block's trace; returns the system calls among them, by kind.
fn check<V: Subject + Vm<Version = N>, N: Version<Vm = V>>(
    number: u64,
    version: N,
    stops: u64,
) -> Option<BTreeMap<String, u64>> {
    let path = rebut_recordings::path(&format!("blocks/{number}.json.zst"))?;
    let witness = BlockWitness::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let seed = seed(number);
    println!("block {number}: {SEED_VARIABLE}={seed}");

    let state = || guests::load("block", version).state;
    let (steps, end) = whole::<V>(state(), witness.oracle());
    let oracle = Shared(Rc::new(RefCell::new(witness.oracle())));
    let seen = oracle.clone();
    let calls = move |key| seen.0.borrow().store().value(&key).map(<[u8]>::to_vec);
    let run = Run::start(state(), oracle, Box::new(calls), seed);
    let run = sample(&format!("block {number}"), run, steps, end, stops);
    // The program reads and writes descriptors, asks for heap, and ends.
    for call in ["read 5 of type 1", "read 5 of type 2", "write 4", "write 6", "mmap", "exit_group"]
    {
        assert!(run.calls_met.contains_key(call), "no {call} among {:?}", run.calls_met);
    }
    Some(run.calls_met)
}

/// The same for a Go program that makes these calls. More than 10,000 steps of each version.
fn check_go<V: Subject>(program: &str, calls: &[&str]) {
    let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
    let Some(elf) = go::build::<V>(program, folder.path()) else { return };
    for version in V::VERSIONS {
        let state = || {
            let mut program: Program<V> =
                load_elf(*version, &elf).unwrap_or_else(|error| panic!("{error}"));
            go::leave_out_what_is_too_new(&mut program);
            program.state
        };
        let (steps, end) = whole(state(), Preimages::new());
        let seed = seed(5);
        let run = Run::start(state(), Preimages::new(), Box::new(|_| None), seed);
        let name = format!("Go {program}, {version:?}, {SEED_VARIABLE}={seed}");
        let run = sample(&name, run, steps, end, 2_600);
        for call in calls {
            assert!(run.calls_met.contains_key(*call), "no {call} among {:?}", run.calls_met);
        }
    }
}

#[test]
fn a_go_program_of_32_bits() {
    check_go::<Mips32>(go::SINGLE, &["fcntl", "mmap", "write 1", "exit_group"]);
}

#[test]
fn a_go_program_of_long_numbers_on_32_bits() {
    check_go::<Mips32>(go::NUMBERS, &["mmap", "write 1", "exit_group"]);
}

// Together more than 20,000 steps.
#[test]
fn op_sepolia_holocene_26207960() {
    let calls = check(26_207_960, StateVersion::V8, 2_000);
    // This block calls accelerated precompiles.
    assert!(calls.is_none_or(|calls| calls.contains_key("read 5 of type 6")));
}

#[test]
fn op_mainnet_ecotone_120794432() {
    check(120_794_432, StateVersion::V7, 1_600);
}

#[test]
fn unichain_holocene_10211000() {
    check(10_211_000, StateVersion::V8, 1_600);
}

#[test]
fn op_mainnet_holocene_132795025() {
    check(132_795_025, StateVersion::V7, 500);
}

// The same in the 32-bit Cannon, both versions: more than 20,000 steps.
#[test]
fn op_sepolia_holocene_26207960_in_cannon_32() {
    let calls = check(26_207_960, StateVersion32::V2, 2_600);
    assert!(calls.is_none_or(|calls| calls.contains_key("read 5 of type 6")));
}

#[test]
fn op_mainnet_ecotone_120794432_in_cannon_32() {
    check(120_794_432, StateVersion32::V0, 2_600);
}

// The same in Asterisc: more than 20,000 steps.
#[test]
fn op_sepolia_holocene_26207960_in_asterisc() {
    let calls = check(26_207_960, AsteriscVersion, 2_600);
    assert!(calls.is_none_or(|calls| calls.contains_key("read 5 of type 6")));
}

#[test]
fn op_mainnet_ecotone_120794432_in_asterisc() {
    check(120_794_432, AsteriscVersion, 2_600);
}
