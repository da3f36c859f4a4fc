//! Asterisc under test.

use super::{Field, Part, Subject, lacks_preimage, memory_parts};
use crate::case::Case;
use crate::random::Random;
use crate::riscv_program;
use rebut_contracts::{CallError, Revert, Verifier};
use rebut_fpvm::isa::riscv::{Op, ROWS, Word};
use rebut_fpvm::kernel::riscv::Syscall;
use rebut_fpvm::riscv::{A0, A7, Hart};
use rebut_fpvm::{Asterisc, AsteriscVersion, State, StepError, StepProof};

impl Subject for Asterisc {
    const GUESTS: &'static str = "riscv64";
    const ARCHITECTURE: &'static str = "riscv64";
    const RETURN: &'static [u8] = &[0x67, 0x80, 0, 0];
    const VERSIONS: &'static [AsteriscVersion] = &[AsteriscVersion];
    const BIG_ENDIAN: bool = false;
    const FIELDS: &'static [Field] = &[
        ("memory root", 32),
        ("preimage key", 64),
        ("preimage offset", 72),
        ("pc", 80),
        ("exit code", 81),
        ("exited", 82),
        ("step", 90),
        ("heap", 98),
        ("load reservation", 106),
        ("registers", 362),
    ];

    fn registers(hart: &mut Hart) -> &mut [u64] {
        &mut hart.registers
    }

    fn deploy(_: AsteriscVersion) -> Result<Verifier, CallError> {
        Verifier::riscv()
    }

    /// The numbers of the Asterisc facts.
    fn revert_of(error: &StepError) -> Option<Revert> {
        match error {
            StepError::Riscv(fault) => Some(Revert::Fault(fault.code())),
            error if lacks_preimage(error) => Some(Revert::Fault(0xbadf_00d0)),
            _ => None,
        }
    }

    /// An unknown atomic operation is found behind its access; the others look at the instruction alone.
    fn proof_of_fault(state: &mut State<Self>) -> Vec<u8> {
        let hart = &state.registers.processor;
        let (pc, registers) = (hart.pc, hart.registers);
        let word = fetch(state);
        let mut proof = state.memory.prove(pc);
        proof.extend(state.memory.prove(registers[word.rs1()]));
        proof
    }

    fn random_case(random: &mut Random, keys: &[[u8; 32]]) -> Case<Self> {
        riscv_program::random_case(random, keys)
    }

    fn next_row(state: &State<Self>) -> Option<usize> {
        Op::decode(fetch(state)).map(|op| op as usize)
    }

    fn rows() -> Vec<(usize, &'static str)> {
        ROWS.iter().map(|row| (row.op as usize, row.name)).collect()
    }

    fn next_call(state: &State<Self>) -> Option<(&'static str, u64)> {
        let registers = &state.registers.processor.registers;
        let is_call = !state.registers.exited && fetch(state).0 == 0x0000_0073;
        let call = is_call.then(|| Syscall::from_number(registers[A7])).flatten()?;
        Some((call.name(), registers[A0]))
    }

    fn used_parts(proof: &StepProof) -> Vec<Part> {
        memory_parts::<Self>(proof, 0).collect()
    }
}

/// The instruction at pc.
fn fetch(state: &State<Asterisc>) -> Word {
    let mut bytes = [0; 4];
    state.memory.read_range(state.registers.processor.pc, &mut bytes);
    Word(u32::from_le_bytes(bytes))
}
