//! Steps whose outcome is recorded or follows from the text of the architecture. Every row against the other
//! engines is tested where all engines are.

use super::error::Fault;
use super::{A0, A1, A7, Asterisc, AsteriscVersion, SP};
use crate::isa::riscv::{Op, Operands};
use crate::kernel::host::Silent;
use crate::machine::error::StepError;
use crate::machine::state::State;
use crate::machine::{Machine, Stop, Until};
use crate::memory::{DEPTH_64, Memory};
use alloy_primitives::B256;
use rebut_merkle::LeafProof;
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};

const PC: u64 = 0x1_0000;
const DATA: u64 = 0x2_0000;
const PROOF_BYTES: usize = 1920;

/// Knows one preimage under every key.
struct One(&'static [u8]);

impl PreimageOracle for One {
    fn get(&mut self, _: PreimageKey) -> Result<Vec<u8>, OracleError> {
        Ok(self.0.to_vec())
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

fn machine(code: &[u32]) -> Machine<'static, Asterisc> {
    let mut state = State::<Asterisc>::at(AsteriscVersion, PC);
    for (address, word) in (PC..).step_by(4).zip(code) {
        state.memory.write_range(address, &word.to_le_bytes());
    }
    Machine::new(state, One(b"some bytes of a preimage, more than a leaf of memory"), Silent)
}

fn encode(op: Op, rd: u8, rs1: u8, rs2: u8, imm: i32) -> u32 {
    op.encode(Operands { rd, rs1, rs2, imm, ..Operands::default() }).0
}

fn set(machine: &mut Machine<'_, Asterisc>, register: usize, value: u64) {
    machine.state.registers.processor.registers[register] = value;
}

fn get(machine: &Machine<'_, Asterisc>, register: usize) -> u64 {
    machine.registers().processor.registers[register]
}

fn bytes<const N: usize>(memory: &Memory, address: u64) -> [u8; N] {
    let mut bytes = [0; N];
    memory.read_range(address, &mut bytes);
    bytes
}

/// The roots that the proofs of a step lead to, for the addresses of its accesses.
fn roots(proof: &[u8], addresses: &[u64]) -> Vec<B256> {
    assert_eq!(proof.len(), addresses.len() * PROOF_BYTES);
    let leaf = |bytes: &[u8]| LeafProof::<DEPTH_64>::from_bytes(bytes).unwrap();
    proof
        .chunks(PROOF_BYTES)
        .zip(addresses)
        .map(|(bytes, address)| leaf(bytes).root(*address))
        .collect()
}

#[test]
fn a_recorded_step() {
    // ld a0, 0(sp) of the deployed machine's recorded run.
    let mut m = machine(&[]);
    m.state.memory.write_range(0x80e08, &0x0001_3503_u32.to_le_bytes());
    m.state.memory.write_range(0x1000_0000_0000_0008, &[0x42]);
    m.state.registers.processor.pc = 0x80e08;
    set(&mut m, SP, 0x1000_0000_0000_0000);
    set(&mut m, A0, 9);
    let proof = m.prove_step().unwrap();
    assert_eq!(proof.proof_data.len(), 2 * PROOF_BYTES);
    assert_eq!((get(&m, A0), m.registers().processor.pc, m.registers().step), (0, 0x80e0c, 1));
}

#[test]
fn proofs_of_accesses_that_cross_leaves() {
    let value = 0x8877_6655_4433_2211;
    let mut m = machine(&[encode(Op::sd, 0, 1, 2, 29), encode(Op::ld, 3, 1, 0, 29)]);
    set(&mut m, 1, DATA);
    set(&mut m, 2, value);
    let before = m.state.memory.merkle_root();
    let proof = m.prove_step().unwrap();
    let roots_of_store = roots(&proof.proof_data, &[PC, DATA + 29, DATA + 32]);
    assert_eq!(roots_of_store[..2], [before; 2]);
    assert_ne!(roots_of_store[2], before, "the right leaf is proven behind the left write");
    assert_eq!(bytes::<8>(m.memory(), DATA + 29), value.to_le_bytes());

    let before = m.state.memory.merkle_root();
    let proof = m.prove_step().unwrap();
    assert_eq!(roots(&proof.proof_data, &[PC + 4, DATA + 29, DATA + 36]), [before; 3]);
    assert_eq!(get(&m, 3), value);
}

#[test]
fn only_used_proofs_are_there() {
    let check = |word: u32, proofs: usize| {
        let mut m = machine(&[word]);
        set(&mut m, 1, DATA);
        assert_eq!(m.prove_step().unwrap().proof_data.len(), proofs * PROOF_BYTES, "{word:x}");
    };
    check(encode(Op::add, 1, 2, 3, 0), 1);
    check(encode(Op::lb, 1, 1, 0, 0), 2);
    check(encode(Op::amoadd_d, 1, 1, 2, 0), 2);
    check(encode(Op::sc_d, 1, 1, 2, 0), 1);
    check(encode(Op::sc_d, 1, 2, 2, 0), 2); // no reservation is one of address 0
    check(encode(Op::fload, 1, 1, 2, 0), 1);
}

#[test]
fn faults_and_their_numbers() {
    let check = |word: u32, base: u64, code: u64| {
        let mut m = machine(&[word]);
        set(&mut m, 1, base);
        let before = m.state_hash();
        let Err(StepError::Riscv(fault)) = m.step() else { panic!("{word:08x} is no fault") };
        assert_eq!(fault.code(), code, "{word:08x}: {fault}");
        assert!(fault.to_string().starts_with(&format!("revert {code:x}: ")));
        assert_eq!(m.state_hash(), before, "{word:08x} left something behind");
        // Blocks leave it to the plain step.
        assert!(matches!(m.run(Until::EXIT), Err(StepError::Riscv(again)) if again == fault));
    };
    check(0, 0, 0xf001_c0de);
    check(0x0000_7003, 0, 0xbad_c0de);
    check(0x0000_4023, 0, 0xbad5_12e8);
    check(0x0000_402f, DATA, 0xba_da70);
    check(0x2800_b02f, DATA, 0xf00_1a70);
    check(0x2800_b02f, DATA + 4, 0xbad1_0ad0);
    check(encode(Op::amoadd_d, 3, 1, 2, 0), DATA + 4, 0xbad1_0ad0);
    check(encode(Op::lr_w, 3, 1, 0, 0), DATA + 2, 0xbad1_0ad0);
    check(encode(Op::jalr, 1, 1, 0, 0), DATA + 2, 0xbad1_0ad0);
    check(encode(Op::jal, 1, 0, 0, 6), 0, 0xbad1_0ad0);
    check(encode(Op::beq, 0, 0, 0, 6), 0, 0xbad1_0ad0);
    check(encode(Op::mulhw, 3, 1, 2, 0), 0, 0xbad_c0de);
    for number in [261, 422, 101] {
        let mut m = machine(&[0x73]);
        set(&mut m, A7, number);
        let fault = Fault::Syscall { number, pc: PC };
        assert!(matches!(m.step(), Err(StepError::Riscv(f)) if f == fault));
    }
}

#[test]
fn an_instruction_must_not_cross_leaves() {
    let mut m = machine(&[]);
    m.state.registers.processor.pc = PC + 30;
    assert!(matches!(m.run(Until::EXIT), Err(StepError::Riscv(Fault::Fetch { .. }))));
    // Within a leaf, any address does.
    m.state.memory.write_range(PC + 2, &encode(Op::addi, 5, 0, 0, 7).to_le_bytes());
    m.state.registers.processor.pc = PC + 2;
    m.step().unwrap();
    assert_eq!(get(&m, 5), 7);
}

/// Only a store-conditional ends a reservation.
#[test]
fn reservations() {
    let code = [
        encode(Op::lr_w, 3, 1, 0, 0),
        encode(Op::sd, 0, 1, 2, 0),
        encode(Op::amoadd_w, 4, 1, 2, 0),
        encode(Op::sc_d, 5, 1, 2, 0),
        encode(Op::sc_d, 6, 1, 2, 0),
    ];
    for fast in [false, true] {
        let mut m = machine(&code);
        set(&mut m, 1, DATA);
        set(&mut m, 2, u64::MAX);
        let until = Until::step(5);
        let stop = if fast { m.run(until) } else { m.run_plain(until) };
        assert!(matches!(stop, Ok(Stop::Step)));
        assert_eq!([3, 4, 5, 6].map(|r| get(&m, r)), [0, u64::MAX, 0, 1]);
        assert_eq!(m.registers().processor.reservation, 0);
    }
}

#[test]
fn system_calls() {
    let check = |arguments: [u64; 6], answer: (u64, u64)| {
        let mut m = machine(&[0x73]);
        set(&mut m, A7, arguments[0]);
        for (i, value) in arguments[1..].iter().enumerate() {
            set(&mut m, A0 + i, *value);
        }
        m.step().unwrap();
        assert_eq!((get(&m, A0), get(&m, A1)), answer, "{arguments:?}");
        assert_eq!(m.registers().processor.pc, PC + 4);
        m
    };
    const FAIL: u64 = u64::MAX;
    check([214, 1, 1, 1, 1, 1], (0x4000_0000, 0));
    check([220, 1, 1, 1, 1, 1], (1, 0));
    check([56, 1, 1, 1, 1, 1], (FAIL, 0x0d));
    check([7777, 1, 1, 1, 1, 1], (0, 0));
    check([98, 1, 1, 1, 1, 1], (0, 0));
    check([25, 4, 1, 0, 0, 0], (0, 0));
    check([25, 4, 3, 0, 0, 0], (1, 0));
    check([25, 5, 3, 0, 0, 0], (0, 0));
    check([25, 7, 3, 0, 0, 0], (FAIL, 0x4d));
    check([25, 4, 2, 0, 0, 0], (FAIL, 0x16));
    check([63, 0, DATA, 5, 0, 0], (0, 0));
    check([63, 3, DATA, 5, 0, 0], (5, 0));
    check([63, 100, DATA, 5, 0, 0], (FAIL, 0x4d));
    check([64, 1, DATA, 5, 0, 0], (5, 0));
    check([64, 0, DATA, 5, 0, 0], (FAIL, 0x4d));
    // An exit goes on to the next instruction and answers nothing.
    let m = check([93, 0x102, 7, 0, 0, 0], (0x102, 7));
    assert_eq!((m.registers().exited, m.registers().exit_code), (true, 2));
    // mmap: heap in whole pages, granted hints, and no files.
    let m = check([222, 0, 4097, 3, 0x22, FAIL], (0, 0));
    assert_eq!(m.registers().heap, 8192);
    check([222, 0x1234, 4097, 3, 0x22, FAIL], (0x1234, 0));
    check([222, 0, 4097, 3, 2, FAIL], (FAIL, 0x4d));
    check([222, 0, 4097, 3, 0x22, 3], (FAIL, 0x4d));
    let m = check([113, 9, DATA + 20, 0, 0, 0], (0, 0));
    assert_eq!(bytes::<8>(m.memory(), DATA + 20), 1337u64.to_le_bytes());
    assert_eq!(bytes::<8>(m.memory(), DATA + 28), 42u64.to_le_bytes());
    let m = check([163, 7, DATA, 0, 0, 0], (0, 0));
    assert_eq!(bytes::<2>(m.memory(), DATA + 8), 1024u16.to_le_bytes());
}

/// Transfers stay within a leaf of 32 bytes.
#[test]
fn preimages() {
    let mut m = machine(&[0x73, 0x73]);
    let key: [u8; 32] = std::array::from_fn(|i| if i == 0 { 2 } else { i as u8 });
    m.state.memory.write_range(DATA, &key);
    for (register, value) in [(A7, 64), (A0, 6), (A1, DATA), (12, 100)] {
        set(&mut m, register, value);
    }
    m.step().unwrap();
    assert_eq!((get(&m, A0), m.registers().preimage_key.0), (32, key));
    for (register, value) in [(A7, 63), (A0, 5), (A1, DATA + 44), (12, 100)] {
        set(&mut m, register, value);
    }
    let proof = m.prove_step().unwrap();
    assert_eq!(get(&m, A0), 20);
    assert_eq!(bytes::<20>(m.memory(), DATA + 44), *b"\0\0\0\0\0\0\0\x34some bytes o");
    assert_eq!(m.registers().preimage_offset, 20);
    assert_eq!(proof.preimage.unwrap().offset, 0);
}
