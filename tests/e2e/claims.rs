//! Recorded runs of the fault proof program: the verdict natively, in Cannon, and when anything is changed or
//! missing.

use alloy_consensus::Header;
use alloy_primitives::B256;
use alloy_rlp::Decodable;
use rebut_fpvm::machine::Machine;
use rebut_fpvm::{
    AsteriscVersion, Silent, StateVersion, StateVersion32, Stop, Until, Version, Vm, load_elf,
};
use rebut_host::ClaimWitness;
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use rebut_program::{
    EXIT_INVALID, EXIT_VALID, Verdict,
    claim::{self, ClaimError},
    config::{Chain, Table, section},
};
use rebut_tests::{Subject, guests};
use std::collections::BTreeSet;
use std::convert::Infallible;

/// The recorded runs, each with its name.
fn recorded() -> Vec<(String, ClaimWitness)> {
    let Some(folder) = rebut_recordings::path("fpp-devnet") else { return Vec::new() };
    let entries = std::fs::read_dir(folder).expect("the folder of recorded runs");
    let mut runs: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, ClaimWitness::read(&path).unwrap_or_else(|error| panic!("{error}")))
        })
        .collect();
    runs.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(runs.len(), 4);
    runs
}

fn decide(
    witness: &ClaimWitness,
    oracle: &mut impl PreimageOracle,
) -> Result<Verdict, ClaimError<Infallible>> {
    claim::run(oracle, |_| Ok(witness.config.clone()), |_| {})
}

fn verdict(witness: &ClaimWitness) -> Verdict {
    decide(witness, &mut witness.oracle()).unwrap_or_else(|error| panic!("{error}"))
}

/// Notes the keys that the program asks for, and lacks one of them.
struct Lacking<O> {
    inner: O,
    asked: BTreeSet<PreimageKey>,
    absent: Option<PreimageKey>,
}

impl<O: PreimageOracle> PreimageOracle for Lacking<O> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.asked.insert(key);
        if self.absent == Some(key) {
            return Err(OracleError::Missing { key });
        }
        self.inner.get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.inner.hint(hint)
    }
}

#[test]
fn the_recorded_claim_is_valid() {
    for (name, witness) in recorded() {
        let verdict = verdict(&witness);
        assert_eq!(verdict.computed, Some(witness.boot.claimed_output), "{name}");
        assert_eq!(verdict.exit_code(), EXIT_VALID, "{name}");
    }
}

#[test]
fn a_claim_with_any_byte_changed_is_invalid() {
    for (name, witness) in recorded() {
        for byte in 0..32 {
            let mut changed = witness.clone();
            changed.boot.claimed_output.0[byte] ^= 0x40;
            assert_eq!(verdict(&changed).exit_code(), EXIT_INVALID, "{name} byte {byte}");
        }
    }
}

#[test]
fn the_claim_is_about_one_block_only() {
    for (name, witness) in recorded() {
        let mut earlier = witness.clone();
        earlier.boot.claimed_number -= 1;
        assert_eq!(verdict(&earlier).exit_code(), EXIT_INVALID, "{name}");

        // One recording holds a channel that goes on for four blocks; all end before the fifth.
        let mut later = witness.clone();
        later.boot.claimed_number += 5;
        let error = decide(&later, &mut later.oracle()).expect_err(&name).to_string();
        assert!(error.starts_with("there is no preimage for the keccak key 0x02"), "{error}");
        later.boot.claimed_number -= 4;
        match decide(&later, &mut later.oracle()) {
            Ok(verdict) => assert_eq!(verdict.exit_code(), EXIT_INVALID, "{name}"),
            Err(error) => assert!(error.to_string().contains("0x02"), "{error}"),
        }
    }
}

#[test]
fn the_agreed_output_is_valid_at_its_block_and_at_no_earlier_one() {
    for (name, witness) in recorded() {
        let mut agreed = witness.clone();
        agreed.boot.claimed_output = witness.boot.agreed_output;
        assert_eq!(verdict(&agreed).exit_code(), EXIT_INVALID, "{name}");
        let number = agreed_number(&witness);
        agreed.boot.claimed_number = number;
        assert_eq!(verdict(&agreed).exit_code(), EXIT_VALID, "{name}");
        agreed.boot.claimed_number = number - 1;
        assert_eq!(verdict(&agreed).exit_code(), EXIT_INVALID, "{name}");
        agreed.boot.claimed_output = B256::ZERO;
        assert_eq!(verdict(&agreed).exit_code(), EXIT_INVALID, "{name}");
    }
}

fn agreed_number(witness: &ClaimWitness) -> u64 {
    let mut oracle = witness.oracle();
    claim::SafeChain::start(&mut oracle, &witness.config, &witness.boot)
        .unwrap_or_else(|error| panic!("{error}"))
        .head()
        .id
        .number
}

#[test]
fn whatever_is_missing_is_named() {
    for (name, witness) in recorded() {
        let lacking = |absent| Lacking { inner: witness.oracle(), asked: BTreeSet::new(), absent };
        let mut whole = lacking(None);
        decide(&witness, &mut whole).unwrap_or_else(|error| panic!("{error}"));
        assert!(whole.asked.len() > 20, "{name}: {}", whole.asked.len());
        for key in whole.asked {
            match decide(&witness, &mut lacking(Some(key))) {
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains(&key.to_string()), "{name} without {key}: {text}");
                }
                Ok(verdict) => panic!("{name} without {key}: {verdict:?}"),
            }
        }
    }
}

/// How a run in a machine ended: exit code, steps, final state hash.
type Ending = (u8, u64, B256);

/// Runs the program in Cannon, carrying the parameters of the claim's chain.
fn in_cannon(
    witness: &ClaimWitness,
    oracle: impl PreimageOracle,
) -> Result<Ending, rebut_fpvm::StepError> {
    in_machine(StateVersion::V8, witness, oracle)
}

/// Runs the program in the machine of a version, carrying the parameters of the claim's chain.
fn in_machine<V: Subject + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    witness: &ClaimWitness,
    oracle: impl PreimageOracle,
) -> Result<Ending, rebut_fpvm::StepError> {
    let chain = Chain::new("", witness.config.clone());
    let table = Table::encode(&[chain]).expect("a table of one chain");
    let mut elf = guests::elf::<V>("program");
    section::fill(&mut elf, &table).expect("a section for it");
    let program = load_elf(version, &elf).expect("the guest");
    let mut machine = Machine::new(program.state, oracle, Silent);
    match machine.run(Until::step(MAX_STEPS))? {
        Stop::Exited(code) => Ok((code, machine.registers().step, machine.state_hash())),
        stop => panic!("{stop:?} after {MAX_STEPS} steps"),
    }
}

/// More than any recorded run takes.
const MAX_STEPS: u64 = 1_000_000_000;

#[test]
fn cannon_decides_as_native_code_does() {
    decides_as_native_code_does(StateVersion::V8);
}

#[test]
fn cannon_32_decides_as_native_code_does() {
    decides_as_native_code_does(StateVersion32::V2);
}

#[test]
fn asterisc_decides_as_native_code_does() {
    decides_as_native_code_does(AsteriscVersion);
}

fn decides_as_native_code_does<V: Subject + Vm<Version = N>, N: Version<Vm = V>>(version: N) {
    for (name, witness) in recorded() {
        let run =
            |witness: &ClaimWitness| in_machine(version, witness, witness.oracle()).expect(&name).0;
        assert_eq!(run(&witness), EXIT_VALID, "{name}");
        for byte in [0, 15, 31] {
            let mut changed = witness.clone();
            changed.boot.claimed_output.0[byte] ^= 1;
            assert_eq!(run(&changed), EXIT_INVALID, "{name} byte {byte}");
        }
        let mut earlier = witness.clone();
        earlier.boot.claimed_number -= 1;
        assert_eq!(run(&earlier), EXIT_INVALID, "{name}");
        let mut agreed = witness.clone();
        agreed.boot.claimed_output = witness.boot.agreed_output;
        agreed.boot.claimed_number = agreed_number(&witness);
        assert_eq!(run(&agreed), EXIT_VALID, "{name}");
    }
}

#[test]
fn what_is_missing_in_cannon_is_named() {
    for (name, witness) in recorded() {
        let mut noting = Lacking { inner: witness.oracle(), asked: BTreeSet::new(), absent: None };
        decide(&witness, &mut noting).unwrap_or_else(|error| panic!("{error}"));
        for key in noting.asked.into_iter().step_by(7) {
            let lacking =
                Lacking { inner: witness.oracle(), asked: BTreeSet::new(), absent: Some(key) };
            let error = in_cannon(&witness, lacking).expect_err(&name).to_string();
            assert!(error.contains(&key.to_string()), "{name} without {key}: {error}");
        }
    }
}

/// Answers, and ignores every hint.
struct Deaf<O>(O);

impl<O: PreimageOracle> PreimageOracle for Deaf<O> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.0.get(key)
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

/// A host that knows nothing of hints but has computed the precompiles before.
fn forewarned(witness: &ClaimWitness) -> Deaf<impl PreimageOracle> {
    let mut oracle = witness.oracle();
    decide(witness, &mut oracle).unwrap_or_else(|error| panic!("{error}"));
    Deaf(oracle)
}

#[test]
fn a_run_in_cannon_does_not_depend_on_the_host() {
    for (name, witness) in recorded() {
        let first = in_cannon(&witness, witness.oracle()).expect(&name);
        assert_eq!(in_cannon(&witness, witness.oracle()).expect(&name), first, "{name}");
        assert_eq!(in_cannon(&witness, forewarned(&witness)).expect(&name), first, "{name}");
    }
}

/// The L1 blocks of a recording from the head backwards, as far as it has them.
fn l1_blocks(witness: &ClaimWitness) -> Vec<B256> {
    let mut blocks = vec![witness.boot.l1_head];
    while let Some(last) = blocks.last()
        && let Some(header) = witness.preimages.value(&PreimageKey::keccak256(*last))
    {
        let header = Header::decode(&mut &*header).expect("a header");
        blocks.push(header.parent_hash);
    }
    blocks.pop();
    blocks
}

/// The output roots of the safe chain, the agreed one first.
fn outputs(witness: &ClaimWitness) -> Vec<B256> {
    let mut oracle = witness.oracle();
    let fail = |error: claim::ChainError| -> ! { panic!("{error}") };
    let chain = claim::SafeChain::start(&mut oracle, &witness.config, &witness.boot);
    let mut chain = chain.unwrap_or_else(|error| fail(error));
    let mut roots = vec![witness.boot.agreed_output];
    while chain.head().id.number < witness.boot.claimed_number
        && let Some(blocks) = chain.extend(|_| true).unwrap_or_else(|error| fail(error))
    {
        roots.extend(blocks.iter().filter_map(|block| block.output).map(|output| output.root()));
    }
    roots
}

#[test]
fn beyond_l1_data_the_last_block_decides() {
    for (name, witness) in recorded() {
        let all = outputs(&witness);
        assert_eq!(all.last(), Some(&witness.boot.claimed_output), "{name}");
        let agreed = agreed_number(&witness);
        let mut reached = BTreeSet::new();
        for l1_head in l1_blocks(&witness) {
            let mut shorter = witness.clone();
            shorter.boot.l1_head = l1_head;
            // Before the agreed block's own origin there is no chain to speak of.
            let Ok(_) = decide(&shorter, &mut shorter.oracle()) else { continue };
            let derived = outputs(&shorter);
            assert_eq!(derived, all[..derived.len()], "{name} at {l1_head}");
            reached.insert(derived.len());
            let last = agreed + derived.len() as u64 - 1;
            for (place, root) in all.iter().enumerate() {
                for claimed_number in [last, last + 1, last + 1000, u64::MAX] {
                    // Up to the recording's end blocks can be derived after all.
                    if derived.len() == all.len() && claimed_number > last {
                        continue;
                    }
                    shorter.boot.claimed_output = *root;
                    shorter.boot.claimed_number = claimed_number;
                    let decides = place + 1 == derived.len();
                    assert_eq!(verdict(&shorter).is_valid(), decides, "{name} at {l1_head}");
                }
            }
        }
        assert!(reached.len() > 1, "{name}: {reached:?}");
    }
}
