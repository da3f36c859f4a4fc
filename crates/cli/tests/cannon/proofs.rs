//! Proof files.

use crate::program::Program;
use crate::sandbox::Sandbox;
use crate::server::{self, SHORT};
use alloy_primitives::hex;
use serde_json::Value;

crate::trials![
    a_proof_joins_the_states_around_its_step,
    proofs_of_successive_steps_form_a_chain,
    proofs_are_written_where_the_pattern_says,
    a_packed_proof_has_the_same_content,
    a_proof_can_go_to_standard_output,
    only_a_step_that_reads_has_a_preimage,
    a_proof_without_file_name_is_not_written,
];

fn counter() -> Program {
    let mut program = Program::new();
    program.count_to(10).exit(0);
    program
}

fn a_proof_joins_the_states_around_its_step() {
    let sandbox = Sandbox::with(&counter());
    // Step 5 stores.
    sandbox.run("--snapshot-at =5 --snapshot-fmt pre.bin --proof-at =5 --stop-at =6").ok();
    let (pre, post) = (sandbox.witness("pre.bin"), sandbox.witness("out.bin"));
    let proof = sandbox.json("proof-5.json");
    assert_eq!(proof["step"], 5);
    assert_eq!(proof["pre"], pre["witnessHash"]);
    assert_eq!(proof["state-data"], pre["witness"]);
    assert_eq!(proof["post"], post["witnessHash"]);
    assert_eq!(post["step"], 6);
    let data = hex::decode(proof["proof-data"].as_str().unwrap()).unwrap();
    assert_eq!(data.len(), 6090);
    assert_eq!(data[10..18], 0x1_0014u64.to_be_bytes(), "pc of the proven thread");
    let text = String::from_utf8(sandbox.read("proof-5.json")).unwrap();
    assert!(text.starts_with("{\n  \"step\": 5,\n  \"pre\": \"0x03"), "{text}");
    let order = ["\"pre\"", "\"post\"", "\"state-data\"", "\"proof-data\""];
    let places: Vec<usize> = order.iter().map(|key| text.find(key).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(text.ends_with("\"\n}\n\n"));
}

fn proofs_of_successive_steps_form_a_chain() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("--proof-at always --proof-fmt p%d").ok();
    let end = sandbox.step_of("out.bin");
    let proofs: Vec<Value> = (0..end).map(|step| sandbox.json(&format!("p{step}"))).collect();
    assert_eq!(proofs[0]["pre"], sandbox.witness("state.bin")["witnessHash"]);
    for pair in proofs.windows(2) {
        assert_eq!(pair[0]["post"], pair[1]["pre"]);
        assert_ne!(pair[0]["pre"], pair[0]["post"]);
    }
    assert_eq!(proofs[end as usize - 1]["post"], sandbox.witness("out.bin")["witnessHash"]);
    assert!(!sandbox.path(format!("p{end}")).exists());
}

fn proofs_are_written_where_the_pattern_says() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("--proof-at %16 --proof-fmt p%d --output ''").ok();
    let proofs: Vec<String> = sandbox
        .files()
        .into_iter()
        .filter(|name| name.starts_with("p") && name.len() < 5)
        .collect();
    assert_eq!(proofs, ["p0", "p16", "p32", "p48"]);
    // Proofs at other steps do not change where the run goes.
    sandbox.run("--output plain.bin").ok();
    sandbox.run("--proof-at %3 --proof-fmt ''").ok();
    assert_eq!(sandbox.read("out.bin"), sandbox.read("plain.bin"));
}

fn a_packed_proof_has_the_same_content() {
    let sandbox = Sandbox::with(&counter());
    sandbox.run("--proof-at =3 --proof-fmt %d.json.gz").ok();
    sandbox.run("--proof-at =3 --proof-fmt %d.json").ok();
    let packed = std::fs::read(sandbox.path("3.json.gz")).unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b], "the mark of gzip");
    assert_eq!(sandbox.read("3.json.gz"), sandbox.read("3.json"));
}

fn a_proof_can_go_to_standard_output() {
    let sandbox = Sandbox::with(&counter());
    let ended = sandbox.run("--proof-at =3 --proof-fmt -").ok();
    let printed: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(printed["step"], 3);
}

fn only_a_step_that_reads_has_a_preimage() {
    let mut program = Program::new();
    program.key(server::short_key());
    let first = program.read();
    let second = program.read();
    program.exit(0);
    let sandbox = Sandbox::with(&program);
    sandbox.run_served("--proof-at always --proof-fmt %d", "honest").ok();
    let value = hex::encode_prefixed([&(SHORT.len() as u64).to_be_bytes(), SHORT].concat());
    for step in 0..sandbox.step_of("out.bin") {
        let proof = sandbox.json(&step.to_string());
        let reads = step == first || step == second;
        assert_eq!(proof.get("oracle-key").is_some(), reads, "step {step}");
        if reads {
            assert_eq!(proof["oracle-key"], server::short_key().to_string());
            assert_eq!(proof["oracle-value"], value);
        }
    }
    // An offset of 0 is left out.
    assert_eq!(sandbox.json(&first.to_string()).get("oracle-offset"), None);
    assert_eq!(sandbox.json(&second.to_string())["oracle-offset"], 8);
}

fn a_proof_without_file_name_is_not_written() {
    let sandbox = Sandbox::with(&counter());
    let before = sandbox.files();
    let ended = sandbox.run("--proof-at =3 --proof-fmt '' --output ''").ok();
    assert_eq!(ended.stdout, "");
    assert_eq!(sandbox.files(), before);
}
