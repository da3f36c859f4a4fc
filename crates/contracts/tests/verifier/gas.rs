//! Gas of a step, measured: the execution alone, under Cancun's rules, the oracle cold. Each measured step
//! is also checked for its result, so that nothing is cheap by being wrong.

use crate::machine::Machine;
use alloy_primitives::{B256, Bytes, keccak256};
use rebut_contracts::{Preimage, Verifier};

const PC: u64 = 0x12_3450;
const DATA: u64 = 0x7fff_ffff_e010;

/// Steps `before` with proofs for `access`, compares with `after`, returns the gas.
fn gas_of(
    verifier: &mut Verifier,
    mut before: Machine,
    mut after: Machine,
    proof: impl FnOnce(&Machine) -> Vec<u8>,
) -> u64 {
    let state = before.seal();
    let want = after.seal();
    let outcome = verifier.step(&state.pack(), &proof(&before), B256::ZERO).unwrap();
    assert_eq!(outcome.post_state, want.pack());
    assert_eq!(outcome.post_state_hash, want.hash());
    outcome.gas_used
}

fn check(name: &str, gas: u64, at_most: u64) {
    println!("{name:<28} {gas:>6} gas, at most {at_most}");
    assert!(gas <= at_most, "{name} takes {gas} gas, more than {at_most}");
}

#[test]
fn add() {
    let mut verifier = Verifier::new(8).unwrap();
    let mut before = Machine::with_instruction(PC, 0x0085_1020); // add $2, $4, $5
    before.thread.registers[4] = 0x7fff_ffff;
    before.thread.registers[5] = 1;
    let mut after = before.advanced();
    after.thread.registers[2] = 0xffff_ffff_8000_0000;
    check("add", gas_of(&mut verifier, before, after, |m| m.proof(0, None)), 12_000);
}

#[test]
fn ld() {
    let mut verifier = Verifier::new(8).unwrap();
    let mut before = Machine::with_instruction(PC, 0xdc82_0010); // ld $2, 16($4)
    before.thread.registers[4] = DATA - 16;
    before.memory.write(DATA, &0x0102_0304_0506_0708u64.to_be_bytes());
    let mut after = before.advanced();
    after.thread.registers[2] = 0x0102_0304_0506_0708;
    check("ld", gas_of(&mut verifier, before, after, |m| m.proof(DATA, None)), 18_000);
}

#[test]
fn sd() {
    let mut verifier = Verifier::new(8).unwrap();
    let mut before = Machine::with_instruction(PC, 0xfc82_fff0); // sd $2, -16($4)
    before.thread.registers[2] = 0x1122_3344_5566_7788;
    before.thread.registers[4] = DATA + 16;
    let mut after = before.advanced();
    after.memory.write(DATA, &0x1122_3344_5566_7788u64.to_be_bytes());
    check("sd", gas_of(&mut verifier, before, after, |m| m.proof(DATA, None)), 23_000);
}

#[test]
fn preimage_read_with_a_cold_oracle() {
    let mut verifier = Verifier::new(8).unwrap();
    let data = b"preimage of some length, more than one part".to_vec();
    let mut key = keccak256(&data);
    key[0] = 2;
    verifier.load_preimage(&Preimage::Keccak256(Bytes::from(data.clone())), 8).unwrap();

    let mut before = Machine::with_instruction(PC, 0x0000_000c);
    before.state.preimage_key = key;
    before.state.preimage_offset = 8;
    before.thread.registers[2] = 5000;
    before.thread.registers[4] = 5;
    before.thread.registers[5] = DATA;
    before.thread.registers[6] = 8;
    let mut after = before.advanced();
    after.state.preimage_offset = 16;
    after.memory.write(DATA, &data[..8]);
    after.thread.registers[2] = 8;
    after.thread.registers[7] = 0;
    let gas = gas_of(&mut verifier, before, after, |m| m.proof(DATA, None));
    check("preimage read, cold oracle", gas, 36_000);
}

#[test]
fn clock_gettime() {
    let mut verifier = Verifier::new(8).unwrap();
    let mut before = Machine::with_instruction(PC, 0x0000_000c);
    before.state.step = 25_000_041;
    before.thread.registers[2] = 5222;
    before.thread.registers[4] = 1;
    before.thread.registers[5] = DATA + 8; // the second word lies in the next leaf
    before.thread.registers[7] = 99;
    let mut after = before.advanced();
    after.memory.write(DATA + 8, &2u64.to_be_bytes());
    let between = after.memory.clone();
    after.memory.write(DATA + 16, &500_004_200u64.to_be_bytes());
    after.thread.registers[2] = 0;
    after.thread.registers[7] = 0;
    let gas =
        gas_of(&mut verifier, before, after, |m| m.proof(DATA + 8, Some((&between, DATA + 16))));
    check("clock_gettime", gas, 32_000);
}
