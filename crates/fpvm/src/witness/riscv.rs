//! Asterisc's layouts.
//!
//! ```text
//! state, 362 bytes
//!   0 memory root 32 | 32 preimage key 32 | 64 preimage offset 8 | 72 pc 8
//!  80 exit code 1 | 81 exited 1 | 82 step 8 | 90 heap 8 | 98 load reservation 8 | 106 registers 256
//!
//! proof, 1 to 3 times 1920 bytes: as many as the step uses
//!   instruction | memory | the next leaf of memory, where an access crosses the end of one
//! ```

use super::{ShownInstruction, number_at};
use crate::layout::{Fields, Packer};
use crate::machine::state::Registers;
use crate::riscv::{A7, Hart};
use alloy_primitives::B256;

/// Bytes of a packed state.
pub const STATE_BYTES: usize = 362;
/// Where the step stands in a packed state.
pub const STEP_OFFSET: usize = 82;

/// The fields of a packed state behind its memory root; of a state file too.
pub(crate) fn fields<F: Fields>(f: &mut F, r: &mut Registers<Hart>) -> Result<(), F::Error> {
    f.hash("preimage key", &mut r.preimage_key)?;
    f.word("preimage offset", &mut r.preimage_offset)?;
    f.word("pc", &mut r.processor.pc)?;
    f.byte("exit code", &mut r.exit_code)?;
    f.flag("exited", &mut r.exited)?;
    f.word("step", &mut r.step)?;
    f.word("heap", &mut r.heap)?;
    f.word("load reservation", &mut r.processor.reservation)?;
    r.processor.registers.iter_mut().try_for_each(|value| f.word("registers", value))
}

/// The packed state over a memory root.
pub(crate) fn pack(registers: &Registers<Hart>, mut root: B256) -> [u8; STATE_BYTES] {
    Packer::pack(|p| {
        p.hash("memory root", &mut root)?;
        fields(p, &mut registers.clone())
    })
}

/// The instruction that a packed state and a step proof show. None where they are of another layout.
pub(crate) fn shown(state: &[u8], proof: &[u8]) -> Option<ShownInstruction> {
    if state.len() != STATE_BYTES {
        return None;
    }
    let pc = number_at::<8>(state, 72)?;
    Some(ShownInstruction {
        pc,
        word: u32::from_le_bytes(ShownInstruction::bytes_in(proof, pc)?),
        call_number: number_at::<8>(state, 106 + 8 * A7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::state::State;
    use crate::riscv::{Asterisc, AsteriscVersion, SP};
    use alloy_primitives::{b256, hex};

    // Values of another implementation.
    #[test]
    fn empty_states() {
        let mut state = State::<Asterisc>::at(AsteriscVersion, 0);
        let mut check = |heap, want: &str| {
            state.registers.heap = heap;
            assert_eq!(state.hash().to_string(), want);
        };
        check(0, "0x035cf963af359cb97327b6c6aed0286845e6b0ca8e9538dcfe6e691690bbece8");
        check(0x1000_0000, "0x03ae8d76b6c62ea5ed415c89e5441d057f28517a8c835cb27f36640e0f72f1b4");
        state.memory.write_range(0x1000, &0x0102_0304u32.to_le_bytes());
        assert_eq!(
            state.memory.merkle_root(),
            b256!("ab87854a05a9a2e33de63da2799c8c603471b14c3862ed633af83a7fe5e3f737")
        );
    }

    /// The program counter, the word at it and the number of the call are written here by hand.
    #[test]
    fn a_proof_shows_its_instruction() {
        let (mut state, mut proof) = (vec![0; 362], vec![0; 1920]);
        state[72..80].copy_from_slice(&0x1234_5678_u64.to_be_bytes());
        state[106 + 8 * 17..][..8].copy_from_slice(&63_u64.to_be_bytes());
        proof[0x18..0x1c].copy_from_slice(&[0x73, 0, 0, 0]);
        let want = ShownInstruction { pc: 0x1234_5678, word: 0x73, call_number: 63 };
        assert_eq!(shown(&state, &proof), Some(want));
        assert_eq!(shown(&state[1..], &proof), None);
        assert_eq!(shown(&state, &[]), None);
        // A pc that no instruction can stand at: the word would cross the end of the leaf.
        state[79] = 0x1e;
        assert_eq!(shown(&state, &proof), None);
    }

    // Two neighbouring states of a recorded run of the deployed machine.
    #[test]
    fn recorded_states() {
        let root = b256!("354cfaf28a5b60c3f64f22f9f171b64aa067f90c6de6c96f725f44c5cf9f8ac1");
        let mut registers = State::<Asterisc>::at(AsteriscVersion, 0x80e08).registers;
        registers.heap = 0x7f00_0000_0000;
        registers.processor.registers[SP] = 0x1000_0000_0000_0000;
        let hash = |registers: &Registers<Hart>| {
            let mut hash = alloy_primitives::keccak256(pack(registers, root));
            hash[0] = registers.status() as u8;
            hash
        };
        assert_eq!(
            hash(&registers),
            hex!("03abd5c535c08bae7c4ad48fcae39b65f9c25239f65b4376c58638d262c97381")
        );
        registers.processor.pc = 0x80e0c;
        registers.step = 1;
        assert_eq!(
            hash(&registers),
            hex!("034689707b571db46b32c9e433def18e648f4e1fa9e5abd4012e7913031bfc10")
        );
    }
}
