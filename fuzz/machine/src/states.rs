//! Oracles for state files and for the two ways of running.

use crate::journal::Journal;
use rebut_fpvm::state_file::asterisc::Seal;
use rebut_fpvm::witness::{mips32, mips64, riscv};
use rebut_fpvm::{
    AnyState, Asterisc, Machine, Mips32, Mips64, State, StateFileError, StepError, Stop, Until, Vm,
};
use rebut_tests::preimages::Preimages;
use rebut_tests::{Random, Subject};
use std::io;
use std::sync::LazyLock;

/// Steps that a state from a file is run for.
const STEPS: u64 = 64;
/// Most steps from one stop of a generated program to the next, and how many stops there are.
const STEPS_PER_STOP: u64 = 400;
const STOPS: usize = 3;
/// Keys that programs begin with.
static KEYS: LazyLock<Vec<[u8; 32]>> =
    LazyLock::new(|| Preimages::new().keys().into_iter().map(|key| key.0).collect());

/// Reads a state of Cannon, of any version: as JSON where it begins with a brace, else in its binary form. It is written and
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

/// Reads a state of Asterisc: as JSON where it begins with a brace, else in its binary form. As with
/// [`state_file`].
pub fn asterisc_state(bytes: &[u8]) {
    let seal = Seal::default();
    if bytes.first() == Some(&b'{') {
        let Ok(state) = State::<Asterisc>::read_json(bytes) else { return };
        return same(
            state,
            |state, file| state.write_json(file, &seal),
            |file| State::<Asterisc>::read_json(file),
        );
    }
    let Ok(state) = State::<Asterisc>::from_binary(bytes) else { return };
    same(
        state,
        |state, file| state.write_binary(file, &seal),
        |file| State::<Asterisc>::from_binary(file),
    );
}

/// Takes the bytes for a packed state and a step proof of each machine. What they show is where the layout says.
pub fn shown_instruction(bytes: &[u8]) {
    shown_by::<Mips64>(bytes, mips64::STATE_BYTES, |_, proof| &proof[10..18]);
    shown_by::<Mips32>(bytes, mips32::STATE_BYTES, |state, _| &state[68..72]);
    shown_by::<Asterisc>(bytes, riscv::STATE_BYTES, |state, _| &state[72..80]);
}

fn shown_by<V: Vm>(
    bytes: &[u8],
    state_bytes: usize,
    pc: for<'b> fn(&'b [u8], &'b [u8]) -> &'b [u8],
) {
    let Some((state, proof)) = bytes.split_at_checked(state_bytes) else { return };
    let Some(shown) = V::shown_instruction(state, proof) else { return };
    assert!(shown.pc.to_be_bytes().ends_with(pc(state, proof)));
    let in_leaf = (shown.pc & 31) as usize;
    let head_bytes =
        if V::PROOF_BYTES == mips64::PROOF_BYTES { mips64::THREAD_BYTES + 32 } else { 0 };
    let word: [u8; 4] = proof[head_bytes..][..32][in_leaf..][..4].try_into().expect("four bytes");
    assert!([u32::from_be_bytes(word), u32::from_le_bytes(word)].contains(&shown.word));
}

/// Runs a program made from the bytes behind the first, which chooses the machine, by both engines to a few
/// stops.
pub fn lockstep(bytes: &[u8]) {
    let Some((machine, bytes)) = bytes.split_first() else { return };
    match machine % 3 {
        0 => lockstep_of::<Mips64>(bytes),
        1 => lockstep_of::<Mips32>(bytes),
        _ => lockstep_of::<Asterisc>(bytes),
    }
}

fn lockstep_of<V: Subject>(bytes: &[u8]) {
    let random = &mut Random::of_bytes(bytes);
    let stops: [_; STOPS] =
        std::array::from_fn(|_| (random.below(STEPS_PER_STOP), random.one_in(4)));
    let case = V::random_case(random, &KEYS);
    let mut step = case.registers.step;
    let stops = stops.map(|(steps, preimage_read)| {
        step += steps;
        Until { step, preimage_read }
    });
    run_both(case.state(), case.state_without_windows(), &stops);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::many::noise;
    use rebut_fpvm::Silent;

    fn steps_of_noise<V: Subject>() -> u64 {
        let steps = (0..64).map(|number| {
            let noise = noise(number, 2048);
            let case = V::random_case(&mut Random::of_bytes(&noise), &[]);
            let start = case.registers.step;
            let mut machine =
                Machine::new(case.state_without_windows(), Journal::default().oracle(), Silent);
            // How it ends is not asked here.
            let _ = machine.run_plain(Until::step(start + 1000));
            machine.registers().step - start
        });
        steps.sum()
    }

    #[test]
    fn programs_of_noise_get_somewhere() {
        let steps =
            [steps_of_noise::<Mips64>(), steps_of_noise::<Mips32>(), steps_of_noise::<Asterisc>()];
        assert!(steps.iter().all(|steps| *steps > 64 * 20), "steps in 64 programs: {steps:?}");
    }
}
