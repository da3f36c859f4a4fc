//! Recorded runs of the fault proof program: the verdict natively, in Cannon, and when anything is changed or
//! missing.

use alloy_primitives::B256;
use rebut_host::ClaimWitness;
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use rebut_program::{
    EXIT_INVALID, EXIT_VALID, Verdict,
    claim::{self, ClaimError},
};
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

        // The recordings stop at the claimed block.
        let mut later = witness.clone();
        later.boot.claimed_number += 1;
        let error = decide(&later, &mut later.oracle()).expect_err(&name).to_string();
        assert!(error.starts_with("there is no preimage for the keccak key 0x02"), "{error}");
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
