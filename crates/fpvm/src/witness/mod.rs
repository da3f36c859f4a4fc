//! What the chain sees of a machine: the packed state, its hash, and the proof of one step.
//!
//! The layouts are each machine's own, in the module of its name. All integers are big-endian.

pub mod mips32;
pub mod mips64;
pub mod riscv;

use crate::machine::state::State;
use crate::machine::vm::Vm;
use alloy_primitives::{B256, keccak256};

/// The packed state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateWitness(pub Vec<u8>);

impl<V: Vm> State<V> {
    /// The packed state. Brings the memory root up to date.
    pub fn witness(&mut self) -> StateWitness {
        let root = self.memory.merkle_root();
        StateWitness(V::pack(&self.registers, root))
    }

    /// The state hash: the digest of the witness, its first byte replaced by the status.
    pub fn hash(&mut self) -> B256 {
        let witness = self.witness();
        self.hash_of(&witness)
    }

    /// The state hash of a witness that was just taken from this state.
    pub fn hash_of(&self, witness: &StateWitness) -> B256 {
        let mut hash = keccak256(&witness.0);
        hash.0[0] = self.registers.status() as u8;
        hash
    }
}

/// An instruction that a step executes, where it stands, and what makes a system call of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownInstruction {
    /// Its address.
    pub pc: u64,
    /// The instruction, as the machine's decoder takes it.
    pub word: u32,
    /// What the running processor has in the register of system call numbers.
    pub call_number: u64,
}

impl ShownInstruction {
    /// The four bytes at `pc` out of the leaf at the begin of a memory proof; nothing where there are none.
    fn bytes_in(proof: &[u8], pc: u64) -> Option<[u8; 4]> {
        let at = (pc & 31) as usize;
        proof.get(..LEAF_BYTES)?.get(at..)?.first_chunk().copied()
    }
}

/// Bytes of the leaf that a memory proof begins with.
const LEAF_BYTES: usize = 32;

/// The big-endian number of `N` bytes at a place of a record; nothing where the record ends before.
fn number_at<const N: usize>(record: &[u8], at: usize) -> Option<u64> {
    let bytes: &[u8; N] = record.get(at..)?.first_chunk()?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// A preimage read by a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreimageRead {
    /// The key as the state holds it, not localised.
    pub key: B256,
    /// The preimage behind its 8-byte length prefix.
    pub value: Vec<u8>,
    /// Offset of the read, the prefix included.
    pub offset: u64,
}

/// Everything that the chain needs to repeat one step, and what must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepProof {
    /// Step counter before the step.
    pub step: u64,
    /// State hash before the step.
    pub pre: B256,
    /// State hash after the step.
    pub post: B256,
    /// Packed state before the step.
    pub state_data: StateWitness,
    /// Its parts in the order of the machine's layout; parts of a fixed layout that the step does not use
    /// are zero.
    pub proof_data: Vec<u8>,
    /// The preimage that the step read, if any.
    pub preimage: Option<PreimageRead>,
}
