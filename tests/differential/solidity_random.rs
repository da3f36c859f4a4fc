//! Random programs, step by step in Rust and in Solidity.

use rebut_fpvm::isa::{Op, ROWS, Word};
use rebut_fpvm::{Machine, Mips32, Mips64};
use rebut_tests::preimages::Preimages;
use rebut_tests::program::{has, random_case};
use rebut_tests::random::{Random, SEED_VARIABLE, seed};
use rebut_tests::verdict::{Step, compare, machine};
use rebut_tests::{Solidity, Tested};
use std::collections::HashSet;

/// Steps to compare.
const STEPS: u64 = 50_000;
/// Longest stretch of one program.
const STEPS_PER_PROGRAM: u64 = 400;

/// The instruction that the next step executes, unless it switches threads.
fn next_op<A: Tested>(machine: &Machine<'_, A>) -> Option<Op> {
    let pc = machine.pc()? & !3;
    A::decode(Word(machine.memory().load_u32(pc)))
}

#[test]
fn random_programs_agree_at_every_step() {
    agree::<Mips64>();
}

#[test]
fn random_programs_of_32_bits_agree_at_every_step() {
    agree::<Mips32>();
}

fn agree<A: Tested>() {
    let first = seed(1);
    let mut seed = first;
    let keys: Vec<[u8; 32]> = Preimages::new().keys().into_iter().map(|key| key.0).collect();
    let mut contracts = Solidity::<A>::both();
    let (mut steps, mut programs, mut refused) = (0, 0, 0);
    let mut met = HashSet::new();
    while steps < STEPS {
        let case = random_case::<A>(&mut Random::new(seed), &keys);
        let solidity = Solidity::of(&mut contracts, case.version);
        let mut machine = machine(case.state());
        for step in 0..STEPS_PER_PROGRAM {
            steps += 1;
            met.extend(next_op(&machine));
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
    let missed: Vec<&str> = ROWS
        .iter()
        .filter(|row| has::<A>(row) && !met.contains(&row.op))
        .map(|row| row.name)
        .collect();
    assert!(missed.is_empty(), "never executed: {missed:?}");
    // The generator must make programs that run, and some that fault.
    assert!(steps / programs > 20, "programs end too soon: {programs} for {steps} steps");
    assert!(refused > programs / 50, "hardly any program faults: {refused} of {programs}");
}
