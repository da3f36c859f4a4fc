//! Random programs on both Rust engines, compared at stops of random distance.

use rebut_fpvm::{Mips32, Mips64, Stop, Until};
use rebut_tests::Tested;
use rebut_tests::engines::equal;
use rebut_tests::preimages::Preimages;
use rebut_tests::program::random_case;
use rebut_tests::random::{Random, SEED_VARIABLE, seed};
use rebut_tests::verdict::machine;

/// Steps to compare.
const STEPS: u64 = 1_000_000;
/// Longest stretch of one program.
const STEPS_PER_PROGRAM: u64 = 8_000;

#[test]
fn random_programs_agree_at_every_stop() {
    agree::<Mips64>();
}

#[test]
fn random_programs_of_32_bits_agree_at_every_stop() {
    agree::<Mips32>();
}

fn agree<A: Tested>() {
    let first = seed(1);
    let mut seed = first;
    let keys: Vec<[u8; 32]> = Preimages::new().keys().into_iter().map(|key| key.0).collect();
    let (mut steps, mut programs, mut refused, mut stops) = (0, 0, 0, 0);
    while steps < STEPS {
        let random = &mut Random::new(seed);
        let case = random_case::<A>(random, &keys);
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
            if !matches!(a, Ok(Stop::Step)) || end - start > STEPS_PER_PROGRAM {
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
