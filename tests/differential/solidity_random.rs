//! Random programs, step by step in Rust and in Solidity.

use rebut_tests::Solidity;
use rebut_tests::preimages::Preimages;
use rebut_tests::program::random_case;
use rebut_tests::random::{Random, SEED_VARIABLE, seed};
use rebut_tests::verdict::{Step, compare, machine};

/// Steps to compare.
const STEPS: u64 = 50_000;
/// Longest stretch of one program.
const STEPS_PER_PROGRAM: u64 = 400;

#[test]
fn random_programs_agree_at_every_step() {
    let seed = seed(1);
    let keys: Vec<[u8; 32]> = Preimages::new().keys().into_iter().map(|key| key.0).collect();
    let mut contracts = Solidity::both();
    let (mut steps, mut programs, mut refused) = (0, 0, 0);
    while steps < STEPS {
        let mut case = random_case(&mut Random::new(seed.wrapping_add(programs)), &keys);
        // Every second program meets the two versions in turn, whatever the generator picks.
        case.version = rebut_fpvm::StateVersion::ALL[(programs % 2) as usize];
        let solidity = Solidity::of(&mut contracts, case.version);
        let mut machine = machine(case.state());
        for step in 0..STEPS_PER_PROGRAM {
            steps += 1;
            let verdict = compare(&mut machine, solidity).unwrap_or_else(|difference| {
                panic!(
                    "{difference}\nrepeat with {SEED_VARIABLE}={}, step {step} of the first program",
                    seed.wrapping_add(programs)
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
    }
    println!("seed {seed}: {steps} steps of {programs} programs, {refused} refused");
    // The generator must make programs that run, and some that fault.
    assert!(steps / programs > 20, "programs end too soon: {programs} for {steps} steps");
    assert!(refused > programs / 50, "hardly any program faults: {refused} of {programs}");
}
