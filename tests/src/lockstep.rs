//! Random programs on several engines of one machine, step by step or at stops of random distance.

use crate::engines::{Contracts, equal};
use crate::preimages::Preimages;
use crate::random::{Random, SEED_VARIABLE, seed};
use crate::subject::Subject;
use crate::verdict::{Step, compare, machine};
use rebut_fpvm::{Stop, Until};
use std::collections::HashSet;

/// Longest stretch of one program on the Rust engines.
const LONG: u64 = 8_000;
/// Longest stretch of one program in Rust and in Solidity.
const SHORT: u64 = 400;

fn keys() -> Vec<[u8; 32]> {
    Preimages::new().keys().into_iter().map(|key| key.0).collect()
}

/// Runs random programs for at least so many steps on both Rust engines.
///
/// # Panics
/// Where they differ.
pub fn rust_engines<V: Subject>(least_steps: u64) {
    let first = seed(1);
    let mut seed = first;
    let keys = keys();
    let (mut steps, mut programs, mut refused, mut stops) = (0, 0, 0, 0);
    while steps < least_steps {
        let random = &mut Random::new(seed);
        let case = V::random_case(random, &keys);
        let (mut plain, mut fast) = (machine(case.state_without_windows()), machine(case.state()));
        let start = case.registers.step;
        let mut end = start;
        loop {
            // Single steps, stretches that end inside a block, and long ones.
            let longest = random.pick(&[1, 3, 20, 300, 3_000]);
            end += 1 + random.below(longest);
            let [a, b] = [plain.run_plain(Until::step(end)), fast.run(Until::step(end))];
            stops += 1;
            let difference = match (&a, &b) {
                (Ok(a), Ok(b)) if a == b => None,
                (Err(a), Err(b)) if format!("{a:?}") == format!("{b:?}") => None,
                _ => Some(format!("plain {a:?}, block interpreter {b:?}")),
            };
            let difference =
                difference.or_else(|| equal("at the stop", &mut plain, &mut fast).err());
            if let Some(difference) = difference {
                panic!("{difference}\nbefore step {end}; repeat with {SEED_VARIABLE}={seed}");
            }
            assert_eq!(plain.stats(), fast.stats(), "repeat with {SEED_VARIABLE}={seed}");
            refused += u64::from(a.is_err());
            if !matches!(a, Ok(Stop::Step)) || end - start > LONG {
                break;
            }
        }
        steps += plain.registers().step - start;
        programs += 1;
        seed = Random::new(seed).word();
    }
    println!(
        "seed {first}: {steps} steps of {programs} programs, {stops} stops, {refused} refused"
    );
    assert!(refused > programs / 50 && stops > 10 * programs);
}

/// Runs random programs for at least so many steps in Rust and in Solidity. Every row must be among them.
///
/// # Panics
/// Where they differ.
pub fn rust_and_solidity<V: Subject>(least_steps: u64) {
    let first = seed(1);
    let mut seed = first;
    let keys = keys();
    let mut contracts = Contracts::<V>::default();
    let (mut steps, mut programs, mut refused) = (0, 0, 0);
    let mut met = HashSet::new();
    while steps < least_steps {
        let case = V::random_case(&mut Random::new(seed), &keys);
        let solidity = contracts.of(case.version);
        let mut machine = machine(case.state());
        for step in 0..SHORT {
            steps += 1;
            met.extend(V::next_row(machine.state()));
            let verdict = compare(&mut machine, solidity).unwrap_or_else(|difference| {
                panic!(
                    "{difference}\nrepeat with {SEED_VARIABLE}={seed}, step {step} of the first program"
                )
            });
            if verdict == Step::Refused {
                refused += 1;
                break;
            }
            if machine.registers().exited {
                break;
            }
        }
        programs += 1;
        // So that a run which starts from the seed of a program starts with that program.
        seed = Random::new(seed).word();
    }
    println!("seed {first}: {steps} steps of {programs} programs, {refused} refused");
    let rows = V::rows();
    let missed: Vec<&str> =
        rows.iter().filter(|(row, _)| !met.contains(row)).map(|(_, name)| *name).collect();
    assert!(missed.is_empty(), "never executed: {missed:?}");
    // The generator must make programs that run, and some that fault.
    assert!(steps / programs > 20, "programs end too soon: {programs} for {steps} steps");
    assert!(refused > programs / 50, "hardly any program faults: {refused} of {programs}");
}
