//! Oracles for state files and for the two ways of running.

use crate::generate::{Case, Journal};
use rebut_fpvm::memory::{AddressSpace, Memory};
use rebut_fpvm::{AnyState, Machine, Mips32, State, StateFileError, StepError, Stop, Until, Vm};
use std::io;

/// Steps that a state from a file is run for.
const STEPS: u64 = 64;

/// Reads a state of any version: as JSON where it begins with a brace, else in its binary form. It is written and
/// read again the same, and both engines do the same with it.
pub fn state_file(bytes: &[u8]) {
    if bytes.first() == Some(&b'{') {
        let Ok(state) = State::<Mips32>::read_json(bytes) else { return };
        return same(
            state,
            |state, file| state.write_json(file),
            |file| State::<Mips32>::read_json(file),
        );
    }
    match AnyState::read(bytes) {
        Ok(AnyState::Mips32(state)) => same(
            state,
            |state, file| state.write(file),
            |file| match AnyState::read(file)? {
                AnyState::Mips32(state) => Ok(state),
                AnyState::Mips64(_) => panic!("another machine"),
            },
        ),
        Ok(AnyState::Mips64(state)) => {
            let mut file = vec![];
            state.write(&mut file).expect("a vector takes everything");
            assert!(file.len() <= bytes.len(), "{} of {} bytes", file.len(), bytes.len());
            same(state, |state, file| state.write(file), |file| State::read(file));
        }
        Err(_) => {}
    }
}

/// What is written is read again the same, and run by both engines.
fn same<V: Vm>(
    mut state: State<V>,
    write: impl Fn(&State<V>, &mut Vec<u8>) -> io::Result<()>,
    read: impl Fn(&[u8]) -> Result<State<V>, StateFileError>,
) {
    let written = |state: &State<V>| {
        let mut file = vec![];
        write(state, &mut file).expect("a vector takes everything");
        file
    };
    let file = written(&state);
    let mut again = read(&file).expect("what was written");
    assert_eq!(again.registers, state.registers);
    assert_eq!(again.version, state.version);
    assert_eq!(written(&again), file);
    assert_eq!(again.witness(), state.witness());

    let until = Until::step(state.registers.step.saturating_add(STEPS));
    run_both(state, again, &[until]);
}

/// Runs a generated program by both engines to a few stops.
pub fn lockstep(case: Case) {
    let stops = case.stops();
    let (fast, plain) =
        (case.state(Memory::new()), case.state(Memory::without_windows(AddressSpace::Bits64)));
    run_both(fast, plain, &stops);
}

/// Runs equal states side by side, by blocks and by plain steps. They never differ.
fn run_both<V: Vm>(fast: State<V>, plain: State<V>, stops: &[Until]) {
    let journals = [Journal::default(), Journal::default()];
    let [mut fast, mut plain] = [(fast, &journals[0]), (plain, &journals[1])]
        .map(|(state, journal)| Machine::<V>::new(state, journal.oracle(), journal.output()));
    for stop in stops {
        let outcomes = (outcome(fast.run(*stop)), outcome(plain.run_plain(*stop)));
        assert_eq!(outcomes.0, outcomes.1, "at step {}", plain.registers().step);
        compare(&mut fast, &mut plain);
        if outcomes.0.is_err() {
            break;
        }
    }
    prove(&mut plain, &mut fast);
    compare(&mut fast, &mut plain);
    drop((fast, plain));
    assert_eq!(journals[0], journals[1], "hints and output");
}

/// Errors are compared by what they say.
fn outcome(result: Result<Stop, StepError>) -> Result<Stop, String> {
    result.map_err(|error| error.to_string())
}

fn compare<V: Vm>(fast: &mut Machine<'_, V>, plain: &mut Machine<'_, V>) {
    assert_eq!(fast.registers(), plain.registers());
    assert_eq!(fast.stats(), plain.stats());
    assert_eq!(fast.preimage_requests(), plain.preimage_requests());
    assert!(fast.memory().pages().eq(plain.memory().pages()), "pages differ");
    assert_eq!(fast.state_hash(), plain.state_hash());
}

/// The proof of a step tells the states before and after it.
fn prove<V: Vm>(prover: &mut Machine<'_, V>, stepper: &mut Machine<'_, V>) {
    let pre = stepper.state_hash();
    let (proof, step) = (prover.prove_step(), stepper.step());
    match (proof, step) {
        (Ok(proof), Ok(())) => {
            assert_eq!(proof.pre, pre);
            assert_eq!(proof.post, stepper.state_hash());
        }
        (Err(proof), Err(step)) => assert_eq!(proof.to_string(), step.to_string()),
        (proof, step) => panic!("{proof:?} / {step:?}"),
    }
}
