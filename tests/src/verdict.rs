//! One step in Rust against the same step in Solidity.

use crate::preimages::Preimages;
use crate::tested::Tested;
use alloy_primitives::B256;
use rebut_contracts::{CallError, Preimage, Revert, StepOutcome, Verifier};
use rebut_fpvm::witness::PreimageRead;
use rebut_fpvm::{Fault, Machine, Mips64, State, StepError, StepProof, Version, Vm};
use rebut_preimage::OracleError;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::marker::PhantomData;

/// The dispute that local preimages belong to; any value does.
pub const CONTEXT: B256 = B256::repeat_byte(0xc7);

/// The contract of one state version, with the preimages that its steps needed so far.
#[derive(Debug)]
pub struct Solidity<A: Tested = Mips64> {
    verifier: Verifier,
    loaded: BTreeSet<(B256, u64)>,
    machine: PhantomData<A>,
}

impl<A: Tested> Solidity<A> {
    /// Deploys the contract.
    ///
    /// # Panics
    /// When it cannot be deployed.
    pub fn new<N: Version<Vm = A>>(version: N) -> Self
    where
        A: Vm<Version = N>,
    {
        let verifier =
            A::deploy(version).unwrap_or_else(|error| panic!("version {version:?}: {error}"));
        Self { verifier, loaded: BTreeSet::new(), machine: PhantomData }
    }

    /// Contracts of both versions, for [`of`](Self::of).
    pub fn both() -> [Self; 2] {
        A::VERSIONS.map(Self::new)
    }

    /// The one of the version.
    pub fn of(both: &mut [Self; 2], version: A::Version) -> &mut Self {
        &mut both[usize::from(version != A::VERSIONS[0])]
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

/// A word for a fault in both languages: what Rust says, and what the contract says.
///
/// The table of the Cannon facts: which cause gives which revert.
pub fn revert_of<A: Tested>(error: &StepError) -> Option<Revert> {
    let message = |text: &str| Some(Revert::Message(format!("{}: {text}", A::NAME)));
    match error {
        StepError::Fault(fault) => match fault {
            Fault::InvalidInstruction { .. } => message("invalid instruction"),
            Fault::BranchInDelaySlot { .. } => message("branch in delay slot"),
            Fault::JumpInDelaySlot { .. } => message("jump in delay slot"),
            Fault::DivisionByZero { .. } => message("division by zero"),
            Fault::UnknownSyscall { .. } => message("unimplemented syscall"),
            Fault::UnalignedPc { .. } => Some(Revert::Named("InvalidPC")),
            Fault::NoThread => message("active thread stack is empty"),
            Fault::NoThreadLeft => message("post-state active thread stack is empty"),
        },
        StepError::PreimageEnd { .. }
        | StepError::Oracle(OracleError::Missing { .. } | OracleError::Illegal(_)) => {
            Some(Revert::Message("pre-image must exist".to_owned()))
        }
        _ => None,
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
pub fn compare<A: Tested>(
    machine: &mut Machine<'_, A>,
    solidity: &mut Solidity<A>,
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
    let want = revert_of::<A>(&error).ok_or_else(|| format!("not a fault: {error}"))?;
    let mut state = State::<A>::at(machine.state().version, 0);
    state.registers.clone_from(machine.registers());
    for (index, page) in machine.memory().pages() {
        state.memory.set_page(index, page);
    }
    let (state_data, proof_data) = proof_of_fault(&mut state);
    match solidity.verifier.step(&state_data, &proof_data, CONTEXT) {
        Err(CallError::Revert(got)) if got == want => Ok(Step::Refused),
        other => Err(format!("Rust refuses ({error}), Solidity: {other:?}, not {want:?}")),
    }
}

/// Compares the state that the machine is in with what the contract makes of the proof.
///
/// # Errors
/// Where they differ, in words.
pub fn compare_taken<A: Tested>(
    machine: &mut Machine<'_, A>,
    proof: &StepProof,
    solidity: &mut Solidity<A>,
) -> Result<(), String> {
    let outcome =
        solidity.step(proof).map_err(|error| format!("Rust goes on, Solidity: {error}"))?;
    let witness = machine.witness();
    if outcome.post_state != witness.0 {
        return Err(differences::<A>(&witness.0, &outcome.post_state));
    }
    if outcome.post_state_hash != proof.post {
        return Err(format!(
            "equal states of unequal hash: Rust {}, Solidity {}",
            proof.post, outcome.post_state_hash
        ));
    }
    Ok(())
}

fn differences<A: Tested>(rust: &[u8], solidity: &[u8]) -> String {
    let mut text = String::from("post-states differ:");
    let mut start = 0;
    for (name, end) in A::FIELDS {
        let [a, b] = [rust, solidity].map(|s| s.get(start..*end));
        if a != b {
            // Writing to a string does not fail.
            let _ = write!(text, " {name}: Rust {a:02x?}, Solidity {b:02x?};");
        }
        start = *end;
    }
    text
}

/// State and proof for a step that will fail: everything that the contract looks at before it fails.
fn proof_of_fault<A: Tested>(state: &mut State<A>) -> (Vec<u8>, Vec<u8>) {
    let witness = state.witness();
    let mut proof = A::proof_head(&state.registers.processor);
    let (mut pc, mut access) = (0, 0);
    if let Some(cpu) = A::cpu(&state.registers.processor) {
        pc = cpu.pc & !7;
        let word = state.memory.load_u32(cpu.pc & !3);
        let r = &cpu.registers;
        let base = r[(word >> 21 & 31) as usize].wrapping_add(word as u16 as i16 as u64);
        // A system call keeps its address in $5; only reading a preimage can fail behind one.
        access = A::wrap(if word & 0xfc00_003f == 0x0c { r[5] } else { base }) & !7;
    }
    for address in [pc, access] {
        proof.extend_from_slice(&state.memory.prove(address));
    }
    proof.resize(A::PROOF_BYTES, 0);
    (witness.0, proof)
}

/// A machine over the shared preimages that prints nothing.
pub fn machine<A: Tested>(state: State<A>) -> Machine<'static, A> {
    Machine::new(state, Preimages::new(), rebut_fpvm::Silent)
}
