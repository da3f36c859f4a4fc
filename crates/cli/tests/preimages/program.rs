//! `rebut program`, `rebut host single --native` and the built-in program's prestate.

use super::{Ended, Folder, rebut, unpack};
use serde_json::Value;

/// A recorded run: its file, with the claim it makes.
fn recorded() -> Option<(String, Value)> {
    let path = rebut_recordings::path("fpp-devnet/311b533.json.zst")?;
    let path = path.to_str().unwrap();
    Some((path.into(), serde_json::from_slice(&unpack(path)).unwrap()))
}

fn run(command: &str, file: &str, more: &[&str]) -> Ended {
    rebut(&[&["program", command, "--recorded", file], more].concat())
}

/// The claim's last digit changed.
fn other(root: &Value) -> String {
    let root = root.as_str().unwrap();
    let digit = if root.ends_with('0') { '1' } else { '0' };
    format!("{}{digit}", &root[..root.len() - 1])
}

#[test]
fn a_claim_is_valid_invalid_or_without_a_verdict() {
    let Some((path, file)) = recorded() else { return };
    let wrong = other(&file["boot"]["l2_claim"]);
    for (command, vm) in
        [("run", None), ("vm", None), ("vm", Some("cannon32")), ("vm", Some("asterisc"))]
    {
        let decide = |more: &[&str]| {
            let machine = vm.map_or(Vec::new(), |vm| vec!["--vm", vm]);
            run(command, &path, &[&machine, more].concat())
        };
        let valid = decide(&["--json"]);
        let report: Value = serde_json::from_str(valid.succeeds()).unwrap();
        assert_eq!(report["valid"], true);
        assert_eq!(report["claimed_output"], file["boot"]["l2_claim"]);
        if command == "vm" {
            assert_eq!(report["vm"], vm.unwrap_or("cannon"));
        }
        let invalid = decide(&["--json", "--claim", &wrong]);
        assert_eq!((invalid.code, invalid.stderr.as_str()), (Some(1), ""), "{invalid:?}");
        let report: Value = serde_json::from_str(&invalid.stdout).unwrap();
        assert_eq!(report["valid"], false);
        decide(&["--block", "14"]).fails(2, "there is no preimage for the keccak key");
    }
}

#[test]
fn outputs_lead_from_the_agreed_one_to_the_claimed_one() {
    let Some((path, file)) = recorded() else { return };
    let outputs = run("outputs", &path, &["--json"]);
    let rows: Vec<Value> = serde_json::from_str(outputs.succeeds()).unwrap();
    assert_eq!(rows.first().unwrap()["output"], file["boot"]["l2_output_root"]);
    assert_eq!(rows.first().unwrap()["hash"], file["boot"]["l2_head"]);
    assert_eq!(rows.last().unwrap()["output"], file["boot"]["l2_claim"]);
    let numbers: Vec<u64> = rows.iter().map(|row| row["block"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|one, other| one + 1 == *other), "{numbers:?}");
    assert_eq!(*numbers.last().unwrap(), file["boot"]["l2_claim_block_number"].as_u64().unwrap());
}

#[test]
fn claims_that_cannot_be_read() {
    let folder = Folder::new();
    run("run", &folder.path("absent.json"), &[]).fails(2, "absent.json");
    run("run", &folder.file("cut.json", b"{"), &[]).fails(2, "cut.json");
    run("vm", &folder.file("empty.json", b"{}"), &[]).fails(2, "empty.json");
    rebut(&["program", "run"]).fails(2, "--recorded");
    if let Some(block) = rebut_recordings::path("blocks/120794432.json.zst") {
        run("run", block.to_str().unwrap(), &[]).fails(2, "rebut block run");
    }
    if let Some((path, _)) = recorded() {
        rebut(&["block", "run", &path]).fails(2, "rebut program run --recorded");
        // Neither of the two claims would be the one that is meant.
        run("run", &path, &["--l2-chain-id", "10"]).fails(2, "cannot be used");
        run("run", &path, &["--l1-node-address", "http://127.0.0.1:1"]).fails(2, "cannot be used");
    }
}

/// With everything in its data directory a host needs no node.
#[test]
fn a_host_decides_by_itself() {
    let Some((path, file)) = recorded() else { return };
    let folder = Folder::new();
    let data = folder.path("data");
    let rollup = folder.file("rollup.json", file["rollup_config"].to_string().as_bytes());
    rebut(&["witness", "import", &path, "--data-dir", &data]).succeeds();
    let boot = &file["boot"];
    let number = boot["l2_claim_block_number"].to_string();
    let decide = |root: &str| {
        rebut(&[
            "host",
            "single",
            "--native",
            "--data-dir",
            &data,
            "--rollup-config-path",
            &rollup,
            "--l1-head",
            boot["l1_head"].as_str().unwrap(),
            "--agreed-l2-head-hash",
            boot["l2_head"].as_str().unwrap(),
            "--agreed-l2-output-root",
            boot["l2_output_root"].as_str().unwrap(),
            "--claimed-l2-output-root",
            root,
            "--claimed-l2-block-number",
            &number,
        ])
    };
    let valid = decide(boot["l2_claim"].as_str().unwrap());
    assert_eq!(valid.code, Some(0), "{valid:?}");
    let invalid = decide(&other(&boot["l2_claim"]));
    assert_eq!(invalid.code, Some(1), "{invalid:?}");
    assert_eq!(decide("0x12").code, Some(2));
}

#[test]
fn the_built_in_program_carries_a_chain() {
    let Some((path, file)) = recorded() else { return };
    let folder = Folder::new();
    let rollup = folder.file("rollup.json", file["rollup_config"].to_string().as_bytes());
    let [out, proof] = ["prestate.bin.gz", "prestate-proof.json"].map(|name| folder.path(name));
    for vm in ["cannon", "cannon32", "asterisc"] {
        let machine = ["--vm", vm, "--rollup-config", &rollup];
        let build = ["prestate", "build", "--out", &out, "--proof", &proof, "--json"];
        let built = rebut(&[&build[..], &machine].concat());
        let built: Value = serde_json::from_str(built.succeeds()).unwrap();
        let hash = built["prestate"].as_str().unwrap();
        let shown = rebut(&["prestate", "show", &out, "--json"]);
        let shown: Value = serde_json::from_str(shown.succeeds()).unwrap();
        assert_eq!((&shown["vm"], &shown["type"]), (&vm.into(), &built["type"]));
        assert_eq!(
            (&shown["prestate"], &shown["chains"][0]["chain_id"]),
            (&hash.into(), &901.into())
        );
        // What the deployed tools read the hash from.
        let first: Value = serde_json::from_slice(&std::fs::read(&proof).unwrap()).unwrap();
        assert_eq!((&first["step"], &first["pre"]), (&0.into(), &hash.into()));
        // It comes out again, and the machine starts from it.
        let verify = ["prestate", "verify", "--hash", hash, "--prestate", &out];
        rebut(&[&verify[..], &machine].concat()).succeeds();
        let ran = run("vm", &path, &["--json", "--vm", vm]);
        let ran: Value = serde_json::from_str(ran.succeeds()).unwrap();
        assert_eq!(ran["prestate"], hash, "{vm}");
    }
}
