//! Real blocks, executed natively, in both Cannons and in Asterisc: the hash is right, a wrong claim is found wrong, and
//! what is missing is named.

use rebut_fpvm::machine::Machine;
use rebut_fpvm::{
    AsteriscVersion, Silent, StateVersion, StateVersion32, StepError, Stop, Until, Version, Vm,
};
use rebut_host::BlockWitness;
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use rebut_program::{EXIT_INVALID, EXIT_VALID, block};
use rebut_tests::{Subject, guests};
use std::time::Instant;

/// How many of the preimages that a block needs are taken away, one at a time, from the native run.
const REMOVED_NATIVELY: usize = 12;

fn read(number: u64) -> Option<BlockWitness> {
    let path = rebut_recordings::path(&format!("blocks/{number}.json.zst"))?;
    Some(BlockWitness::read(&path).unwrap_or_else(|error| panic!("{error}")))
}

/// Notes the keys that were asked for, in order.
struct Noting<O> {
    inner: O,
    keys: Vec<PreimageKey>,
}

impl<O: PreimageOracle> PreimageOracle for Noting<O> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.keys.push(key);
        self.inner.get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.inner.hint(hint)
    }
}

fn with_wrong_claim(witness: &BlockWitness, byte: usize) -> BlockWitness {
    let mut wrong = witness.clone();
    wrong.expected_block_hash[byte] ^= 1;
    wrong
}

/// Runs the block in the machine of a version: exit code, steps.
fn in_machine<V: Subject + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    witness: &BlockWitness,
    removed: Option<&PreimageKey>,
) -> Result<(u8, u64), StepError> {
    let program = guests::load("block", version);
    let mut oracle = witness.oracle();
    if let Some(key) = removed {
        assert!(oracle.remove(key).is_some(), "{key} was there");
    }
    let mut machine = Machine::new(program.state, oracle, Silent);
    match machine.run(Until::EXIT)? {
        Stop::Exited(code) => Ok((code, machine.registers().step)),
        stop => panic!("stopped for no reason: {stop:?}"),
    }
}

fn check(number: u64) {
    let Some(witness) = read(number) else { return };
    assert_eq!(witness.parent_header.number + 1, number);

    // Natively: the hash of the recording, and every preimage that it took.
    let mut noting = Noting { inner: witness.oracle(), keys: Vec::new() };
    let started = Instant::now();
    let verdict = block::run(&mut noting).unwrap_or_else(|error| panic!("{number}: {error}"));
    let native = started.elapsed();
    assert_eq!(verdict.computed, Some(witness.expected_block_hash), "{number}");
    assert_eq!(verdict.exit_code(), EXIT_VALID);

    let wrong = with_wrong_claim(&witness, (number % 32) as usize);
    let verdict = block::run(&mut wrong.oracle()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        (verdict.computed, verdict.exit_code()),
        (Some(witness.expected_block_hash), EXIT_INVALID)
    );

    // Type 6 values are made on demand: what a host can lack is what it would fetch.
    let mut keys = noting.keys;
    let whole = witness.oracle();
    keys.retain(|key| whole.store().value(key).is_some());
    for key in keys.iter().step_by(keys.len().div_ceil(REMOVED_NATIVELY)) {
        let mut oracle = witness.oracle();
        oracle.remove(key);
        match block::run(&mut oracle) {
            Err(error) => assert!(error.to_string().contains(&key.to_string()), "{key}: {error}"),
            Ok(verdict) => panic!("{number} without {key}: {verdict:?}"),
        }
    }

    in_each_way(StateVersion::V8, "Cannon", &witness, &wrong, &keys[keys.len() / 4]);
    in_each_way(StateVersion32::V2, "Cannon 32", &witness, &wrong, &keys[keys.len() / 4]);
    in_each_way(AsteriscVersion, "Asterisc", &witness, &wrong, &keys[keys.len() / 4]);
    println!("{number}: native {native:.1?}");
}

/// In a machine: the right claim, a wrong one, and without a preimage.
fn in_each_way<V: Subject + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    name: &str,
    witness: &BlockWitness,
    wrong: &BlockWitness,
    key: &PreimageKey,
) {
    let number = witness.parent_header.number + 1;
    let run = |witness| {
        in_machine(version, witness, None).unwrap_or_else(|error| panic!("{number}: {error}"))
    };
    let started = Instant::now();
    let (code, steps) = run(witness);
    assert_eq!(code, EXIT_VALID, "{number} in {name}");
    println!("{number}: {name} {steps} steps in {:.1?}", started.elapsed());
    assert_eq!(run(wrong).0, EXIT_INVALID, "{number} in {name}");
    match in_machine(version, witness, Some(key)) {
        Err(StepError::Oracle(OracleError::Missing { key: missing })) => {
            assert_eq!(missing, *key, "{number} in {name}");
        }
        other => panic!("{number} in {name} without {key}: {other:?}"),
    }
}

macro_rules! blocks {
    ($($name:ident: $number:literal;)*) => {
        $(#[test] fn $name() { check($number) })*

        /// The recordings are exactly these blocks.
        #[test]
        fn no_recording_is_left_out() {
            let Some(folder) = rebut_recordings::path("blocks") else { return };
            let mut found: Vec<String> = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
                .filter_map(|name| Some(name.strip_suffix(".json.zst")?.to_owned()))
                .collect();
            found.sort();
            let mut known = [$(stringify!($number).to_owned(),)*];
            known.sort();
            assert_eq!(found, known);
        }
    };
}

blocks! {
    op_mainnet_ecotone_120794432: 120794432;
    op_mainnet_ecotone_121049889: 121049889;
    op_mainnet_holocene_132795025: 132795025;
    op_sepolia_holocene_22880574: 22880574;
    op_sepolia_holocene_22884230: 22884230;
    op_sepolia_holocene_26207960: 26207960;
    op_sepolia_holocene_26207963: 26207963;
    unichain_holocene_10211000: 10211000;
}
