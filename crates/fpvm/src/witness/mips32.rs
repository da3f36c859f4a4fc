//! Source: Cannon's single-threaded 32-bit witness (state versions 0 and 2).
//!
//! ```text
//! state, 226 bytes
//!   0 memory root 32 | 32 preimage key 32 | 64 preimage offset 4 | 68 pc 4 | 72 next pc 4
//!  76 lo 4 | 80 hi 4 | 84 heap 4 | 88 exit code 1 | 89 exited 1 | 90 step 8 | 98 registers 128
//!
//! proof, 1792 bytes
//!   0 instruction proof 896 | 896 memory proof 896
//! ```

use super::{ShownInstruction, number_at};
use crate::isa::semantics::sext32;
use crate::kernel::V0;
use crate::layout::{Fields, Packer};
use crate::machine::state::Registers;
use crate::memory::AddressSpace;
use crate::mips::state::Cpu;
use alloy_primitives::B256;

/// Bytes of a packed state.
pub const STATE_BYTES: usize = 226;
/// Bytes of a memory proof: a leaf and 27 siblings.
pub const MEMORY_PROOF_BYTES: usize = AddressSpace::Bits32.proof_bytes();
/// Bytes of the proof of one step.
pub const PROOF_BYTES: usize = 2 * MEMORY_PROOF_BYTES;

/// The fields of a packed state behind its memory root; of a state file too.
pub(crate) fn fields<F: Fields>(f: &mut F, r: &mut Registers<Cpu>) -> Result<(), F::Error> {
    f.hash("preimage key", &mut r.preimage_key)?;
    f.half("preimage offset", &mut r.preimage_offset)?;
    let cpu = &mut r.processor;
    f.half("pc", &mut cpu.pc)?;
    f.half("next pc", &mut cpu.next_pc)?;
    register(f, "lo", &mut cpu.lo)?;
    register(f, "hi", &mut cpu.hi)?;
    f.half("heap", &mut r.heap)?;
    f.byte("exit code", &mut r.exit_code)?;
    f.flag("exited", &mut r.exited)?;
    f.word("step", &mut r.step)?;
    cpu.registers.iter_mut().try_for_each(|value| register(f, "registers", value))
}

/// A register, which a processor holds sign-extended.
fn register<F: Fields>(f: &mut F, what: &'static str, value: &mut u64) -> Result<(), F::Error> {
    f.half(what, value)?;
    *value = sext32(*value);
    Ok(())
}

/// The packed state over a memory root.
pub(crate) fn pack(registers: &Registers<Cpu>, mut root: B256) -> [u8; STATE_BYTES] {
    Packer::pack(|p| {
        p.hash("memory root", &mut root)?;
        fields(p, &mut registers.clone())
    })
}

/// The instruction that a packed state and a step proof show. None where they are of another layout.
pub(crate) fn shown(state: &[u8], proof: &[u8]) -> Option<ShownInstruction> {
    if state.len() != STATE_BYTES || proof.len() != PROOF_BYTES {
        return None;
    }
    let pc = number_at::<4>(state, 68)?;
    Some(ShownInstruction {
        pc,
        word: u32::from_be_bytes(ShownInstruction::bytes_in(proof, pc)?),
        call_number: number_at::<4>(state, 98 + 4 * V0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use crate::mips::state::StateVersion32;

    // Values computed by another implementation, from the published layout.
    #[test]
    fn empty_state() {
        let mut state = State::at(StateVersion32::V2, 0);
        let mut check = |exited, exit_code, want: &str| {
            state.registers.exited = exited;
            state.registers.exit_code = exit_code;
            assert_eq!(state.hash().to_string(), want, "exit code {exit_code}");
        };
        check(false, 0, "0x035bfc06cffac3c3e48ae14e308edd2c39314896a680ed3241eb35238e1843a0");
        check(true, 0, "0x0054dc88a2b36652c5881db048b8a67ff634b5fd81b6e493fe7982c56edae775");
        check(true, 1, "0x01883434370764689de916a5acd365319d43dbe1d8fe25bc018a231bbc19ff41");
        check(true, 2, "0x02c3eccc979143a516bc5caec522848df693c471d876ad49bd7d840d641bd421");
    }

    /// The program counter, the word at it and the number of the call are written here by hand.
    #[test]
    fn a_proof_shows_its_instruction() {
        let (mut state, mut proof) = (vec![0; 226], vec![0; 1792]);
        state[68..72].copy_from_slice(&0x9234_5678_u32.to_be_bytes());
        state[98 + 8..][..4].copy_from_slice(&4003_u32.to_be_bytes());
        proof[0x18..0x1c].copy_from_slice(&[0, 0, 0, 0x0c]);
        let want = ShownInstruction { pc: 0x9234_5678, word: 0x0c, call_number: 4003 };
        assert_eq!(shown(&state, &proof), Some(want));
        assert_eq!(shown(&state[1..], &proof), None);
        assert_eq!(shown(&state, &proof[1..]), None);
    }

    #[test]
    fn memory_roots() {
        let check = |address, word, want: &str| {
            let mut state = State::at(StateVersion32::V2, 0);
            state.memory.store_u32(address, word);
            assert_eq!(state.memory.merkle_root().to_string(), want, "{address:#x}");
        };
        check(0, 0x0102_0304, "0xf847da0acce2b62b538ec3efa06e9576ed148dd68d1c293d685c036c01e1e0c5");
        check(
            0x1004,
            0xaabb_ccdd,
            "0xba49cb138e1928143805f521e13bc7bf93cd03c896deed9238fbf672d8e88759",
        );
    }
}
