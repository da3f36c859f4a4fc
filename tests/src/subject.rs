//! The machines under test: what comparing their engines takes to know of each.

mod asterisc;
pub(crate) mod mips;

pub use mips::Mips;

use crate::case::Case;
use crate::random::Random;
use rebut_contracts::{CallError, Revert, Verifier};
use rebut_fpvm::{State, StepError, StepProof, Target, Vm};
use rebut_preimage::OracleError;

/// A field of a packed state: its name, and where it ends.
pub type Field = (&'static str, usize);

/// A part of a step proof, and where in the packed state the root is that it is checked against.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What it proves.
    pub name: &'static str,
    /// Its first byte.
    pub begin: usize,
    /// The byte behind it.
    pub end: usize,
    /// Offset of the root.
    pub root: usize,
}

/// A machine under test.
pub trait Subject: Vm + Target {
    /// Folder of its prebuilt guests.
    const GUESTS: &'static str;
    /// What Go and qemu call its instruction set.
    const ARCHITECTURE: &'static str;
    /// The instructions of a return from a function.
    const RETURN: &'static [u8];
    /// Its versions, each with a contract of its own.
    const VERSIONS: &'static [Self::Version];
    /// Whether the highest byte of a word comes first.
    const BIG_ENDIAN: bool;
    /// The fields of its packed state, in order.
    const FIELDS: &'static [Field];

    /// The registers of the running processor.
    ///
    /// # Panics
    /// When none runs.
    fn registers(processor: &mut Self::Processor) -> &mut [u64];

    /// Deploys its contract.
    ///
    /// # Errors
    /// The contract's refusal.
    fn deploy(version: Self::Version) -> Result<Verifier, CallError>;

    /// What the contract says where Rust says this; nothing for errors that are no faults.
    fn revert_of(error: &StepError) -> Option<Revert>;

    /// The proof of a step that will fail: everything that the contract looks at before it fails.
    fn proof_of_fault(state: &mut State<Self>) -> Vec<u8>;

    /// A random program in a random state. `keys` are preimage keys that the oracle of the run knows.
    fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case<Self>;

    /// The instruction that the next step executes, as its place in the table; nothing where it executes none.
    fn next_row(state: &State<Self>) -> Option<usize>;

    /// The rows that it has: their places in the table, and their names.
    fn rows() -> Vec<(usize, &'static str)>;

    /// The system call that the next step makes, if it makes one: its name and its first argument.
    fn next_call(state: &State<Self>) -> Option<(&'static str, u64)>;

    /// The parts of a proof that its step uses.
    fn used_parts(proof: &StepProof) -> Vec<Part>;
}

fn message(text: &str) -> Option<Revert> {
    Some(Revert::Message(text.to_owned()))
}

/// True where the oracle has nothing to read.
const fn lacks_preimage(error: &StepError) -> bool {
    matches!(
        error,
        StepError::PreimageEnd { .. }
            | StepError::Oracle(OracleError::Missing { .. } | OracleError::Illegal(_))
    )
}

/// The memory proofs from `begin` on that are not zero: what a step does not use is, and a proof never is.
fn memory_parts<V: Vm>(proof: &StepProof, begin: usize) -> impl Iterator<Item = Part> {
    let names = ["instruction", "memory", "second memory"];
    let length = V::ADDRESSES.proof_bytes();
    names.into_iter().zip((begin..).step_by(length)).filter_map(move |(name, begin)| {
        let end = begin + length;
        let used = proof.proof_data.get(begin..end)?.iter().any(|byte| *byte != 0);
        used.then_some(Part { name, begin, end, root: 0 })
    })
}
