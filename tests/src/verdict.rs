//! One step in Rust against the same step in Solidity.

use crate::case::Case;
use crate::preimages::Preimages;
use crate::subject::{Field, Subject};
use alloy_primitives::B256;
use rebut_contracts::{CallError, Preimage, StepOutcome, Verifier};
use rebut_fpvm::machine::Machine;
use rebut_fpvm::witness::PreimageRead;
use rebut_fpvm::{State, StepProof};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The dispute that local preimages belong to; any value does.
pub const CONTEXT: B256 = B256::repeat_byte(0xc7);

/// The contract of one state version, with the preimages that its steps needed so far.
#[derive(Debug)]
pub struct Solidity {
    verifier: Verifier,
    loaded: BTreeSet<(B256, u64)>,
}

impl Solidity {
    /// Deploys the contract.
    ///
    /// # Panics
    /// When it cannot be deployed.
    pub fn new<V: Subject>(version: V::Version) -> Self {
        let verifier = V::deploy(version).unwrap_or_else(|error| panic!("{version:?}: {error}"));
        Self { verifier, loaded: BTreeSet::new() }
    }

    /// The contract itself.
    pub const fn verifier(&mut self) -> &mut Verifier {
        &mut self.verifier
    }

    /// Loads the part of a preimage that a step reads, unless it is loaded.
    ///
    /// # Panics
    /// When the oracle refuses.
    pub fn load(&mut self, preimage: &Preimage, key: B256, offset: u64) {
        if self.loaded.insert((key, offset)) {
            self.verifier
                .load_preimage(preimage, offset)
                .unwrap_or_else(|error| panic!("preimage {key} at {offset}: {error}"));
        }
    }

    /// Loads what the proof says its step reads, where key and value are all that it takes.
    ///
    /// # Panics
    /// When the oracle refuses, or needs more.
    pub fn load_read(&mut self, read: &PreimageRead) {
        let data = read.value[8..].to_vec().into();
        let preimage = Preimage::of_key(read.key, data, CONTEXT)
            .unwrap_or_else(|| panic!("{} is not loaded by its data alone", read.key));
        self.load(&preimage, read.key, read.offset);
    }

    /// Executes a proven step.
    ///
    /// # Errors
    /// The contract's refusal.
    pub fn step(&mut self, proof: &StepProof) -> Result<StepOutcome, CallError> {
        self.verifier.step(&proof.state_data.0, &proof.proof_data, CONTEXT)
    }
}

/// How a compared step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Both took it, to the same state.
    Taken,
    /// Both refused it, for the same reason.
    Refused,
}

/// Takes one step in both; `machine` is one step further afterwards, unless the step is refused.
///
/// # Errors
/// Where they differ, in words.
pub fn compare<V: Subject>(
    machine: &mut Machine<'_, V>,
    solidity: &mut Solidity,
) -> Result<Step, String> {
    let error = match machine.prove_step() {
        Ok(proof) => {
            if let Some(read) = &proof.preimage {
                solidity.load_read(read);
            }
            return compare_taken(machine, &proof, solidity).map(|()| Step::Taken);
        }
        Err(error) => error,
    };
    let want = V::revert_of(&error).ok_or_else(|| format!("not a fault: {error}"))?;
    let version = machine.state().version;
    let mut state =
        Case::<V> { version, registers: machine.registers().clone(), memory: Vec::new() }.state();
    for (index, page) in machine.memory().pages() {
        state.memory.set_page(index, page);
    }
    let (state_data, proof_data) = (state.witness().0, V::proof_of_fault(&mut state));
    match solidity.verifier.step(&state_data, &proof_data, CONTEXT) {
        Err(CallError::Revert(got)) if got == want => Ok(Step::Refused),
        other => Err(format!("Rust refuses ({error}), Solidity: {other:?}, not {want:?}")),
    }
}

/// Compares the state that the machine is in with what the contract makes of the proof.
///
/// # Errors
/// Where they differ, in words.
pub fn compare_taken<V: Subject>(
    machine: &mut Machine<'_, V>,
    proof: &StepProof,
    solidity: &mut Solidity,
) -> Result<(), String> {
    let outcome =
        solidity.step(proof).map_err(|error| format!("Rust goes on, Solidity: {error}"))?;
    let witness = machine.witness();
    if outcome.post_state != witness.0 {
        return Err(differences(V::FIELDS, &witness.0, &outcome.post_state));
    }
    if outcome.post_state_hash != proof.post {
        return Err(format!(
            "equal states of unequal hash: Rust {}, Solidity {}",
            proof.post, outcome.post_state_hash
        ));
    }
    Ok(())
}

fn differences(fields: &[Field], rust: &[u8], solidity: &[u8]) -> String {
    let mut text = String::from("post-states differ:");
    let mut start = 0;
    for &(name, end) in fields {
        let [a, b] = [rust, solidity].map(|s| s.get(start..end));
        if a != b {
            // Writing to a string does not fail.
            let _ = write!(text, " {name}: Rust {a:02x?}, Solidity {b:02x?};");
        }
        start = end;
    }
    text
}

/// A machine over the shared preimages that prints nothing.
pub fn machine<V: Subject>(state: State<V>) -> Machine<'static, V> {
    Machine::new(state, Preimages::new(), rebut_fpvm::Silent)
}
