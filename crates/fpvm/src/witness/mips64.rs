//! Source: Cannon's multithreaded 64-bit witness (state versions 6 to 8).
//!
//! ```text
//! state, 188 bytes
//!   0 memory root 32 | 32 preimage key 32 | 64 preimage offset 8 | 72 heap 8
//!  80 reservation status 1 | 81 reservation address 8 | 89 reservation owner 8
//!  97 exit code 1 | 98 exited 1 | 99 step 8 | 107 steps since switch 8
//! 115 traverse right 1 | 116 left root 32 | 148 right root 32 | 180 next thread id 8
//!
//! thread, 298 bytes
//!   0 id 8 | 8 exit code 1 | 9 exited 1 | 10 pc 8 | 18 next pc 8 | 26 lo 8 | 34 hi 8 | 42 registers 256
//!
//! proof, 6090 bytes
//!   0 thread 298 | 298 root of the stack below it 32 | 330 instruction proof 1920
//!   2250 memory proof 1920 | 4170 second memory proof 1920
//! ```

use super::{ShownInstruction, number_at};
use crate::kernel::V0;
use crate::layout::{Fields, Packer};
use crate::machine::state::Registers;
use crate::memory::AddressSpace;
use crate::mips::threads::{QUANTUM, Reservation, ReservationStatus, Thread, Threads};
use crate::state_file::StateFileError;
use alloy_primitives::{B256, keccak256};

/// Bytes of a packed state.
pub const STATE_BYTES: usize = 188;
/// Where the step stands in a packed state.
pub const STEP_OFFSET: usize = 99;
/// Bytes of a packed thread.
pub const THREAD_BYTES: usize = 298;
/// Bytes of a memory proof: a leaf and 59 siblings.
pub const MEMORY_PROOF_BYTES: usize = AddressSpace::Bits64.proof_bytes();
/// Bytes of the proof of one step.
pub const PROOF_BYTES: usize = THREAD_BYTES + 32 + 3 * MEMORY_PROOF_BYTES;

impl Thread {
    /// The packed thread.
    pub fn pack(&self) -> [u8; THREAD_BYTES] {
        Packer::pack(|p| thread_fields(p, &mut self.clone()))
    }

    /// Hash of the packed thread.
    pub fn hash(&self) -> B256 {
        keccak256(self.pack())
    }
}

/// Root of a thread stack, given bottom first: a hash chain from the bottom to the top.
pub fn stack_root(threads: &[Thread]) -> B256 {
    let empty = keccak256([0; 64]);
    threads.iter().fold(empty, |root, thread| keccak256([root.0, thread.hash().0].concat()))
}

/// The thread part of a step proof: the running thread, then the root of the stack below it. Zeros
/// where the active stack is empty.
pub fn thread_proof(threads: &Threads) -> [u8; THREAD_BYTES + 32] {
    let Some((top, below)) = threads.active_stack().split_last() else {
        return [0; THREAD_BYTES + 32];
    };
    let mut proof = [0; THREAD_BYTES + 32];
    proof[..THREAD_BYTES].copy_from_slice(&top.pack());
    proof[THREAD_BYTES..].copy_from_slice(stack_root(below).as_slice());
    proof
}

/// The instruction that a packed state and a step proof show. None where they are of another layout, and where the
/// step is the scheduler's, which has no use for the instruction in its proof.
pub(crate) fn shown(state: &[u8], proof: &[u8]) -> Option<ShownInstruction> {
    if state.len() != STATE_BYTES || proof.len() != PROOF_BYTES {
        return None;
    }
    let (thread, memory) = proof.split_at_checked(THREAD_BYTES + 32)?;
    let thread_exited = number_at::<1>(thread, 9)? != 0;
    if thread_exited || number_at::<8>(state, 107)? >= QUANTUM {
        return None;
    }
    let pc = number_at::<8>(thread, 10)?;
    Some(ShownInstruction {
        pc,
        word: u32::from_be_bytes(ShownInstruction::bytes_in(memory, pc)?),
        call_number: number_at::<8>(thread, 42 + 8 * V0)?,
    })
}

/// The fields of a thread; in a state file, any byte but 0 means exited.
pub(crate) fn thread_fields<F: Fields>(f: &mut F, thread: &mut Thread) -> Result<(), F::Error> {
    f.word("thread id", &mut thread.id)?;
    f.byte("thread exit code", &mut thread.exit_code)?;
    let mut exited = thread.exited.into();
    f.byte("thread exited", &mut exited)?;
    thread.exited = exited != 0;
    let cpu = &mut thread.cpu;
    f.word("thread pc", &mut cpu.pc)?;
    f.word("thread next pc", &mut cpu.next_pc)?;
    f.word("thread lo", &mut cpu.lo)?;
    f.word("thread hi", &mut cpu.hi)?;
    cpu.registers.iter_mut().try_for_each(|value| f.word("thread registers", value))
}

fn reservation<F: Fields>(f: &mut F, r: &mut Reservation) -> Result<(), F::Error> {
    let mut value = r.status as u8;
    f.byte("reservation status", &mut value)?;
    match ReservationStatus::from_byte(value) {
        Some(status) => r.status = status,
        None => f.refuse(StateFileError::ReservationStatus { value })?,
    }
    f.word("reservation address", &mut r.address)?;
    f.word("reservation owner", &mut r.owner)
}

/// The fields of a packed state behind its memory root, but for the threads; of a state file too.
pub(crate) fn fields<F: Fields>(f: &mut F, r: &mut Registers<Threads>) -> Result<(), F::Error> {
    f.hash("preimage key", &mut r.preimage_key)?;
    f.word("preimage offset", &mut r.preimage_offset)?;
    f.word("heap", &mut r.heap)?;
    reservation(f, &mut r.processor.reservation)?;
    f.byte("exit code", &mut r.exit_code)?;
    f.flag("exited", &mut r.exited)?;
    f.word("step", &mut r.step)?;
    f.word("steps since switch", &mut r.processor.steps_since_switch)?;
    f.flag("traverse right", &mut r.processor.traverse_right)
}

/// The packed state over a memory root.
pub(crate) fn pack(registers: &Registers<Threads>, mut root: B256) -> [u8; STATE_BYTES] {
    let mut r = registers.clone();
    Packer::pack(|p| {
        p.hash("memory root", &mut root)?;
        fields(p, &mut r)?;
        p.hash("left root", &mut stack_root(&r.processor.left))?;
        p.hash("right root", &mut stack_root(&r.processor.right))?;
        p.word("next thread id", &mut r.processor.next_thread_id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{State, StateVersion};

    // Values computed by another implementation, from the published layout.
    #[test]
    fn empty_state() {
        let mut state = State::at(StateVersion::V8, 0);
        assert_eq!(
            state.registers.processor.left[0].hash().to_string(),
            "0x142eef1e422e67c394d8fab4a0ce5c04ee405cb059176f719d9c2efb8e28d3a0"
        );
        assert_eq!(
            stack_root(&state.registers.processor.left).to_string(),
            "0x505ea3064aed44444fa938e2d1385d799ec3b37386d433a611439aed796ea153"
        );
        assert_eq!(
            state.hash().to_string(),
            "0x035b096e17d7b97f6bbaa13d179958e729b70813e931dc90dbf4193372f3dc71"
        );
    }

    /// The program counter, the word at it and the number of the call are written here by hand.
    #[test]
    fn a_proof_shows_its_instruction() {
        let (mut state, mut proof) = (vec![0; 188], vec![0; 6090]);
        proof[10..18].copy_from_slice(&0x1234_5678_u64.to_be_bytes());
        proof[330 + 0x18..][..4].copy_from_slice(&[0, 0, 0, 0x0c]);
        proof[42 + 16..][..8].copy_from_slice(&5000_u64.to_be_bytes());
        let want = ShownInstruction { pc: 0x1234_5678, word: 0x0c, call_number: 5000 };
        assert_eq!(shown(&state, &proof), Some(want));
        assert_eq!(shown(&state[1..], &proof), None);
        assert_eq!(shown(&state, &proof[1..]), None);
        // The thread's time is up, or it has ended.
        state[107..115].copy_from_slice(&100_000_u64.to_be_bytes());
        assert_eq!(shown(&state, &proof), None);
        state[107..115].copy_from_slice(&99_999_u64.to_be_bytes());
        assert_eq!(shown(&state, &proof), Some(want));
        proof[9] = 1;
        assert_eq!(shown(&state, &proof), None);
    }

    #[test]
    fn status_byte_follows_the_exit_code() {
        let mut state = State::at(StateVersion::V8, 0);
        state.registers.exited = true;
        let mut check = |code, want| {
            state.registers.exit_code = code;
            assert_eq!(state.hash()[0], want, "exit code {code}");
        };
        check(0, 0);
        check(1, 1);
        check(2, 2);
        check(255, 2);
    }
}
