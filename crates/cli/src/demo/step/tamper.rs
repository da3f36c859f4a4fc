//! Claims that are not true, or not proven.

use super::referee::Claim;
use super::sample::Draws;
use alloy_primitives::B256;
use rebut_fpvm::StepProof;
use rebut_fpvm::witness::mips64::{MEMORY_PROOF_BYTES, THREAD_BYTES};
use std::fmt;
use std::ops::Range;

/// The thread, and the root of the stack below it.
const THREAD_PART: usize = THREAD_BYTES + size_of::<B256>();
/// Lengths of the proof's parts, in order.
const PARTS: [(&str, usize); 4] = [
    ("thread", THREAD_PART),
    ("instruction proof", MEMORY_PROOF_BYTES),
    ("memory proof", MEMORY_PROOF_BYTES),
    ("second memory proof", MEMORY_PROOF_BYTES),
];

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
    /// One tampering of each kind with the claim of `proof`. `fetched` tells whether the step fetches an
    /// instruction; the contract has no use for its proof otherwise.
    pub fn of(proof: &StepProof, fetched: bool, draws: &mut Draws) -> [Self; 3] {
        let parts = used_parts(&proof.proof_data, fetched);
        let (part, range) = parts[draws.below(parts.len() as u64) as usize].clone();
        let at = range.start + draws.below(range.len() as u64) as usize;
        // The state begins with the memory root. Every step checks it or carries it on, so it is up to
        // the contract to notice. A field that a step overwrites could be anything; there it is the
        // game that notices, since a claim is the hash of the whole state.
        let hash_bytes = size_of::<B256>() as u64;
        [
            Self::ProofByte { part, at },
            Self::StateByte(draws.below(hash_bytes) as usize),
            Self::PostByte(draws.below(hash_bytes) as usize),
        ]
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
fn used_parts(proof: &[u8], fetched: bool) -> Vec<(&'static str, Range<usize>)> {
    let mut start = 0;
    let ranges = PARTS.map(|(name, length)| {
        let range = start..start + length;
        start = range.end;
        (name, range)
    });
    let count = if fetched { PARTS.len() } else { 1 };
    let used = |range: &Range<usize>| proof[range.clone()].iter().any(|byte| *byte != 0);
    ranges.into_iter().take(count).filter(|(_, range)| used(range)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rebut_fpvm::isa::{Op, Operands};
    use rebut_fpvm::mips::threads::QUANTUM;
    use rebut_fpvm::{Machine, Silent, State, StateVersion};
    use rebut_preimage::{MemoryStore, StoreOracle};
    use std::collections::BTreeSet;

    /// The proof of `op v0, 0(sp)`, or of the thread switch before it.
    fn proof(op: Op, steps_since_switch: u64) -> StepProof {
        let mut state = State::at(StateVersion::V8, 0x1000);
        let word = op.encode(Operands { rs: 29, rt: 2, ..Operands::default() });
        state.memory.store_u64(0x1000, u64::from(word.0) << 32);
        state.registers.processor.steps_since_switch = steps_since_switch;
        let mut machine = Machine::new(state, StoreOracle(MemoryStore::new()), Silent);
        machine.prove_step().unwrap()
    }

    fn check(proof: &StepProof, fetched: bool, parts: &[&str]) {
        let mut draws = Draws::new(1);
        let honest = Claim::of(proof);
        let mut seen = BTreeSet::new();
        for _ in 0..200 {
            for tampering in Tampering::of(proof, fetched, &mut draws) {
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
        check(&proof(Op::addiu, 0), true, &["thread", "instruction proof"]);
        check(&proof(Op::sd, 0), true, &["thread", "instruction proof", "memory proof"]);
        check(&proof(Op::sd, QUANTUM), false, &["thread"]);
    }

    #[test]
    fn parts_make_up_the_proof() {
        let proof = proof(Op::sd, 0);
        assert_eq!(PARTS.iter().map(|(_, length)| length).sum::<usize>(), proof.proof_data.len());
    }
}
