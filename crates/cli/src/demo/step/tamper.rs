//! Claims that are not true, or not proven.

use super::referee::Claim;
use super::sample::Draws;
use alloy_primitives::B256;
use rebut_fpvm::StepProof;
use std::fmt;
use std::ops::Range;

/// The parts of a proof behind its head, which is the thread's where there is one.
const MEMORY_PARTS: [&str; 3] = ["instruction proof", "memory proof", "second memory proof"];

/// A change to an honest claim.
#[derive(Clone, Copy, Debug)]
pub enum Tampering {
    /// A byte of the proof, in a part that the step uses, is flipped.
    ProofByte {
        /// The part.
        part: &'static str,
        /// Which byte of the proof.
        at: usize,
    },
    /// A byte of the state is flipped.
    StateByte(usize),
    /// A byte of the claimed post-state hash is flipped.
    PostByte(usize),
    /// The preimage that the step reads was not loaded.
    NoPreimage,
}

impl Tampering {
    /// One tampering of each kind with the claim of `proof`, which begins with a head of so many bytes and goes on
    /// with proofs of memory of so many bytes each; 0 where the step has no use for those.
    pub fn of(
        proof: &StepProof,
        head_bytes: usize,
        memory_proof_bytes: usize,
        draws: &mut Draws,
    ) -> Vec<Self> {
        let parts = used_parts(&proof.proof_data, head_bytes, memory_proof_bytes);
        let part = parts.get(draws.below(parts.len() as u64) as usize).cloned();
        let proof_byte = part.map(|(part, range)| {
            let at = range.start + draws.below(range.len() as u64) as usize;
            Self::ProofByte { part, at }
        });
        // The state begins with the memory root. Every step checks it or carries it on, so it is up to
        // the contract to notice. A field that a step overwrites could be anything; there it is the
        // game that notices, since a claim is the hash of the whole state.
        let hash_bytes = size_of::<B256>() as u64;
        let hashes = [
            Self::StateByte(draws.below(hash_bytes) as usize),
            Self::PostByte(draws.below(hash_bytes) as usize),
        ];
        proof_byte.into_iter().chain(hashes).collect()
    }

    /// The claim after the change.
    pub fn apply(self, honest: &Claim) -> Claim {
        let mut claim = honest.clone();
        match self {
            Self::ProofByte { at, .. } => claim.proof_data[at] ^= 0xff,
            Self::StateByte(at) => claim.state_data[at] ^= 0xff,
            Self::PostByte(at) => claim.post[at] ^= 0xff,
            Self::NoPreimage => {}
        }
        claim
    }

    /// Its kind, in words.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ProofByte { .. } => "flipped proof byte",
            Self::StateByte(_) => "flipped state byte",
            Self::PostByte(_) => "wrong post-state",
            Self::NoPreimage => "preimage not loaded",
        }
    }
}

impl fmt::Display for Tampering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::ProofByte { part, at } => write!(f, " {at} ({part})"),
            Self::StateByte(at) | Self::PostByte(at) => write!(f, " {at}"),
            Self::NoPreimage => Ok(()),
        }
    }
}

/// The parts that the contract looks at. A memory proof that the step has no use for is all zeros.
fn used_parts(
    proof: &[u8],
    head_bytes: usize,
    memory_proof_bytes: usize,
) -> Vec<(&'static str, Range<usize>)> {
    let lengths = MEMORY_PARTS.map(|name| (name, memory_proof_bytes));
    let mut start = 0;
    let ranges = [("thread", head_bytes)].into_iter().chain(lengths).map(|(name, length)| {
        let range = start..start + length;
        start = range.end;
        (name, range)
    });
    let used = |range: &Range<usize>| {
        proof.get(range.clone()).is_some_and(|part| part.iter().any(|byte| *byte != 0))
    };
    ranges.filter(|(_, range)| used(range)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_fpvm::isa::{Op, Operands};
    use rebut_fpvm::mips::threads::QUANTUM;
    use rebut_fpvm::{
        Asterisc, AsteriscVersion, Machine, Mips32, Mips64, Silent, State, StateVersion,
        StateVersion32, Version, Vm,
    };
    use rebut_preimage::{MemoryStore, StoreOracle};
    use std::collections::BTreeSet;

    /// The next step's proof, and how long its head is.
    fn prove<N: Version>(state: State<N::Vm>) -> (StepProof, usize) {
        let head_bytes = N::Vm::proof_head(&state.registers.processor).len();
        let mut machine = Machine::new(state, StoreOracle(MemoryStore::new()), Silent);
        (machine.prove_step().unwrap(), head_bytes)
    }

    /// The word of `op v0, 0(sp)`.
    fn word(op: Op) -> u32 {
        op.encode(Operands { rs: 29, rt: 2, ..Operands::default() }).0
    }

    /// The proof of `op v0, 0(sp)`, or of the thread switch before it.
    fn wide(op: Op, steps_since_switch: u64) -> (StepProof, usize) {
        let mut state = State::at(StateVersion::V8, 0x1000);
        state.memory.store_u32(0x1000, word(op));
        state.registers.processor.steps_since_switch = steps_since_switch;
        prove::<StateVersion>(state)
    }

    fn narrow(op: Op) -> (StepProof, usize) {
        let mut state = State::<Mips32>::at(StateVersion32::V2, 0x1000);
        state.memory.store_u32(0x1000, word(op));
        prove::<StateVersion32>(state)
    }

    /// `sd ra, 30(zero)`, which crosses the end of a leaf, or `addi ra, ra, 30`.
    fn asterisc(stores: bool) -> (StepProof, usize) {
        let mut state = State::<Asterisc>::at(AsteriscVersion, 0x1000);
        let word: u32 = if stores { 0x0010_3f23 } else { 0x01e0_8093 };
        state.memory.store_u32(0x1000, word.swap_bytes());
        prove::<AsteriscVersion>(state)
    }

    fn check<V: Vm>((proof, head_bytes): (StepProof, usize), fetched: bool, parts: &[&str]) {
        let mut draws = Draws::new(1);
        let honest = Claim::of(&proof);
        let mut seen = BTreeSet::new();
        let memory_proof_bytes = if fetched { V::ADDRESSES.proof_bytes() } else { 0 };
        for _ in 0..200 {
            for tampering in Tampering::of(&proof, head_bytes, memory_proof_bytes, &mut draws) {
                let claim = tampering.apply(&honest);
                let differs = [
                    claim.proof_data != honest.proof_data,
                    claim.state_data != honest.state_data,
                    claim.post != honest.post,
                ];
                let wanted = match tampering {
                    Tampering::ProofByte { part, .. } => {
                        seen.insert(part);
                        [true, false, false]
                    }
                    Tampering::StateByte(_) => [false, true, false],
                    Tampering::PostByte(_) => [false, false, true],
                    Tampering::NoPreimage => [false; 3],
                };
                assert_eq!(differs, wanted, "{tampering}");
            }
        }
        assert_eq!(seen, parts.iter().copied().collect());
    }

    #[test]
    fn only_parts_that_the_step_uses_are_changed() {
        let [instruction, memory] = ["instruction proof", "memory proof"];
        check::<Mips64>(wide(Op::addiu, 0), true, &["thread", instruction]);
        check::<Mips64>(wide(Op::sd, 0), true, &["thread", instruction, memory]);
        check::<Mips64>(wide(Op::sd, QUANTUM), false, &["thread"]);
        check::<Mips32>(narrow(Op::addiu), true, &[instruction]);
        check::<Mips32>(narrow(Op::sw), true, &[instruction, memory]);
        check::<Asterisc>(asterisc(false), true, &[instruction]);
        check::<Asterisc>(asterisc(true), true, &[instruction, memory, "second memory proof"]);
    }
}
