//! `cannon witness`.

use crate::program::Program;
use crate::sandbox::Sandbox;
use alloy_primitives::{hex, keccak256};

crate::trials![
    a_witness_is_printed_with_its_hash,
    the_hash_says_how_the_program_ended,
    the_raw_witness_goes_to_a_file,
];

fn a_witness_is_printed_with_its_hash() {
    let mut program = Program::new();
    program.count_to(10).exit(0);
    let sandbox = Sandbox::with(&program);
    sandbox.run("--stop-at =7").ok();
    let ended = sandbox.cannon("witness --input out.bin").ok();
    assert!(ended.stdout.starts_with("{\n  \"stateVersion\": 8,\n  \"witnessHash\": \"0x03"));
    assert!(ended.stdout.ends_with("\n}\n\n"));
    let printed = sandbox.witness("out.bin");
    let keys: Vec<&String> = printed.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 6);
    let witness = hex::decode(printed["witness"].as_str().unwrap()).unwrap();
    assert_eq!(witness.len(), 188);
    assert_eq!(witness[99..107], 7u64.to_be_bytes());
    let hash = hex::decode(printed["witnessHash"].as_str().unwrap()).unwrap();
    assert_eq!(hash[1..], keccak256(&witness)[1..]);
    assert_eq!((printed["step"].as_u64(), printed["exited"].as_bool()), (Some(7), Some(false)));
}

fn the_hash_says_how_the_program_ended() {
    for (code, status) in [(0, "0x00"), (1, "0x01"), (2, "0x02"), (77, "0x02")] {
        let mut program = Program::new();
        program.exit(code);
        let sandbox = Sandbox::with(&program);
        sandbox.run("").ok();
        let printed = sandbox.witness("out.bin");
        assert_eq!(printed["exited"], true);
        assert_eq!(printed["exitCode"], code);
        assert!(printed["witnessHash"].as_str().unwrap().starts_with(status), "{code}");
    }
}

fn the_raw_witness_goes_to_a_file() {
    let mut program = Program::new();
    program.exit(0);
    let sandbox = Sandbox::with(&program);
    let printed = sandbox.witness("state.bin");
    sandbox.cannon("witness --input state.bin --output witness.gz").ok();
    let raw = std::fs::read(sandbox.path("witness.gz")).unwrap();
    assert_eq!(hex::encode_prefixed(raw), printed["witness"].as_str().unwrap());
}
