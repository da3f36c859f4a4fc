//! What the verifier refuses, and that refusing or accepting leaves no trace in it.

use crate::machine::{Machine, empty_stack};
use alloy_primitives::{B256, Bytes, keccak256};
use rebut_contracts::{CallError, Preimage, Revert, Verifier};

const PC: u64 = 0x12_3450;
const DATA: u64 = 0x7fff_ffff_e010;

/// ld $2, 0($4), sealed, with its proof.
fn load() -> (Machine, Vec<u8>, Vec<u8>) {
    let mut machine = Machine::with_instruction(PC, 0xdc82_0000);
    machine.thread.registers[4] = DATA;
    machine.memory.write(DATA, &[7; 8]);
    let state = machine.seal().pack();
    let proof = machine.proof(DATA, None);
    (machine, state, proof)
}

fn refusal(state: &[u8], proof: &[u8]) -> String {
    let mut verifier = Verifier::new(8).unwrap();
    match verifier.step(state, proof, B256::ZERO) {
        Err(CallError::Revert(revert)) => revert.to_string(),
        other => panic!("not a refusal: {other:?}"),
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused_or_changes_the_result() {
    let (_, state, proof) = load();
    let mut verifier = Verifier::new(8).unwrap();
    let honest = verifier.step(&state, &proof, B256::ZERO).unwrap();
    // The state: every byte belongs to what is hashed, so the post-state differs or there is none.
    for at in 0..state.len() {
        let mut forged = state.clone();
        forged[at] ^= 0x10;
        if let Ok(outcome) = verifier.step(&forged, &proof, B256::ZERO) {
            assert_ne!(outcome.post_state_hash, honest.post_state_hash, "byte {at} of the state");
        }
    }
    // The proof: thread, root below it, fetch and data; the second memory proof is not used.
    for at in (0..330 + 2 * 1920).step_by(13) {
        let mut forged = proof.clone();
        forged[at] ^= 0x10;
        let stepped = verifier.step(&state, &forged, B256::ZERO);
        assert!(
            matches!(stepped, Err(CallError::Revert(_))),
            "byte {at} of the proof: {stepped:?}"
        );
    }
}

#[test]
fn refusals_have_names() {
    let (_, state, proof) = load();
    let forged = |at: usize| {
        let mut forged = proof.clone();
        forged[at] ^= 1;
        forged
    };
    assert_eq!(refusal(&state, &forged(50)), "MIPS64: invalid thread witness");
    assert_eq!(refusal(&state, &forged(330)), "InvalidMemoryProof()");
    assert_eq!(refusal(&state, &forged(330 + 1920)), "InvalidMemoryProof()");
    assert_eq!(refusal(&state, &proof[..300]), "MIPS64: insufficient calldata for thread witness");
    assert_eq!(
        refusal(&state, &proof[..1000]),
        "MIPS64Memory: check that there is enough calldata"
    );
    assert_eq!(refusal(&state[..187], &proof), "reverted without data");
}

#[test]
fn state_versions() {
    for version in [7, 8] {
        assert!(Verifier::new(version).is_ok());
    }
    for version in [0, 6, 9, 255] {
        let error = Verifier::new(version).unwrap_err();
        assert_eq!(error, CallError::Revert(Revert::Named("UnsupportedStateVersion")));
    }
}

#[test]
fn exited_state_needs_no_proof() {
    let mut machine = Machine::with_instruction(PC, 0);
    machine.state.exited = 1;
    machine.state.exit_code = 1;
    let state = machine.seal();
    let outcome = Verifier::new(8).unwrap().step(&state.pack(), &[], B256::ZERO).unwrap();
    assert_eq!(outcome.post_state, state.pack());
    assert_eq!(outcome.post_state_hash, state.hash());
    assert_eq!(outcome.post_state_hash[0], 1);
}

/// Exiting in the last step leaves a state that steps on to itself.
#[test]
fn exit_group_then_nothing() {
    let mut machine = Machine::with_instruction(PC, 0x0000_000c);
    machine.thread.registers[2] = 5205;
    machine.thread.registers[4] = 0;
    let state = machine.seal();
    assert_eq!(state.right, empty_stack());
    let mut verifier = Verifier::new(8).unwrap();
    let last = verifier.step(&state.pack(), &machine.proof(0, None), B256::ZERO).unwrap();
    assert_eq!(last.post_state_hash[0], 0, "valid");
    let after = verifier.step(&last.post_state, &[], B256::ZERO).unwrap();
    assert_eq!(after.post_state_hash, last.post_state_hash);
}

#[test]
fn steps_leave_no_trace() {
    let mut verifier = Verifier::new(8).unwrap();
    let data = Bytes::from_static(b"some preimage");
    let mut key = keccak256(&data);
    key[0] = 2;
    let mut machine = Machine::with_instruction(PC, 0x0000_000c);
    machine.state.preimage_key = key;
    machine.thread.registers[2] = 5000;
    machine.thread.registers[4] = 5;
    machine.thread.registers[5] = DATA;
    machine.thread.registers[6] = 8;
    let state = machine.seal().pack();
    let proof = machine.proof(DATA, None);

    let refused = verifier.step(&state, &proof, B256::ZERO);
    let missing = Revert::Message("pre-image must exist".into());
    assert_eq!(refused, Err(CallError::Revert(missing)));
    verifier.load_preimage(&Preimage::Keccak256(data), 0).unwrap();
    let first = verifier.step(&state, &proof, B256::ZERO).unwrap();
    // Were anything kept, the oracle would be warm now and the gas less.
    assert_eq!(verifier.step(&state, &proof, B256::ZERO).unwrap(), first);
}
