//! `rebut block run` and `rebut block vm`.

use crate::files::{Folder, rebut, recorded, wrong_hash};
use rebut_host::demo::demo_block;
use serde_json::{Value, json};

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort();
    keys
}

#[test]
fn native_run_of_the_demo_block() {
    let folder = Folder::new();
    let witness = demo_block().unwrap();
    let hash = witness.expected_block_hash.to_string();
    let json = rebut(&["block", "run", &folder.demo(), "--json"]).json(0);
    let names =
        ["block", "chain", "computed", "equal", "expected", "gas_used", "seconds", "transactions"];
    assert_eq!(keys(&json), names);
    assert_eq!(json["block"], witness.parent_header.number + 1);
    assert_eq!(json["chain"], witness.chain.chain_id);
    assert_eq!(json["transactions"], witness.attributes.transactions.len());
    assert_eq!([&json["expected"], &json["computed"]], [&hash, &hash]);
    assert_eq!(json["equal"], true);
    assert!(json["seconds"].as_f64().unwrap() > 0.0, "{json}");

    let lines = rebut(&["block", "run", &folder.demo()]);
    assert_eq!(lines.code, Some(0), "{lines:?}");
    assert_eq!(lines.stdout.matches(&hash).count(), 2, "{lines:?}");
    assert!(lines.stdout.ends_with("verdict        equal\n"), "{lines:?}");
}

#[test]
fn run_in_cannon_of_the_demo_block() {
    let folder = Folder::new();
    let hash = demo_block().unwrap().expected_block_hash.to_string();
    let json = rebut(&["block", "vm", &folder.demo(), "--json"]).json(0);
    let names = [
        "block",
        "chain",
        "equal",
        "exit_code",
        "expected",
        "mips",
        "pages",
        "preimage_bytes",
        "preimages",
        "seconds",
        "state_hash",
        "steps",
        "vm",
    ];
    assert_eq!(keys(&json), names);
    assert_eq!(json["expected"], hash);
    assert_eq!((&json["equal"], &json["exit_code"]), (&json!(true), &json!(0)));
    // The first byte of a state hash is the status: 0 after exit code 0.
    assert!(json["state_hash"].as_str().unwrap().starts_with("0x00"), "{json}");
    let (steps, seconds) = (json["steps"].as_f64().unwrap(), json["seconds"].as_f64().unwrap());
    let mips = json["mips"].as_f64().unwrap();
    assert!(steps > 1e6, "{json}");
    assert!((steps / seconds / 1e6 / mips - 1.0).abs() < 1e-6, "{json}");

    let lines = rebut(&["block", "vm", &folder.demo()]);
    assert_eq!((lines.code, lines.stderr.as_str()), (Some(0), ""), "{lines:?}");
    assert!(lines.stdout.contains(json["state_hash"].as_str().unwrap()), "{lines:?}");
    assert!(lines.stdout.ends_with("verdict           equal\n"), "{lines:?}");
}

#[test]
fn another_hash_is_not_equal() {
    let folder = Folder::new();
    let wrong = wrong_hash().to_string();
    let right = demo_block().unwrap().expected_block_hash.to_string();
    let native = rebut(&["block", "run", &folder.demo(), "--expect", &wrong, "--json"]).json(1);
    assert_eq!([&native["expected"], &native["computed"]], [&wrong, &right]);
    assert_eq!(native["equal"], false);
    let cannon = rebut(&["block", "vm", &folder.demo(), "--expect", &wrong, "--json"]).json(1);
    assert_eq!(cannon["expected"], wrong);
    assert_eq!((&cannon["equal"], &cannon["exit_code"]), (&json!(false), &json!(1)));
    assert!(cannon["state_hash"].as_str().unwrap().starts_with("0x01"), "{cannon}");

    // A wrong hash in the file, and the right one over it.
    let changed = folder.changed(|witness| witness.expected_block_hash = wrong_hash());
    rebut(&["block", "run", &changed, "--json"]).json(1);
    rebut(&["block", "vm", &changed, "--json"]).json(1);
    rebut(&["block", "run", &changed, "--expect", &right, "--json"]).json(0);
    rebut(&["block", "vm", &changed, "--expect", &right, "--json"]).json(0);
}

#[test]
fn a_recorded_block_natively_and_in_cannon() {
    let Some(file) = recorded(26_207_960) else { return };
    let hash = "0xdb32d9ddfa5fd26c9fb0260bbfa53da88326aa2a465e34d75180564aa31b851e";
    let native = rebut(&["block", "run", &file, "--json"]).json(0);
    assert_eq!([&native["expected"], &native["computed"]], [hash, hash]);
    assert_eq!(native["transactions"], 10);
    let cannon = rebut(&["block", "vm", &file, "--json"]).json(0);
    assert_eq!((&cannon["equal"], &cannon["block"]), (&json!(true), &json!(26_207_960)));
}

/// Two recordings carry the whole header of their block.
#[test]
fn gas_of_recorded_blocks() {
    for (number, gas) in [(120_794_432, 0xab4b), (121_049_889, 0x505a2)] {
        let Some(file) = recorded(number) else { return };
        assert_eq!(rebut(&["block", "run", &file, "--json"]).json(0)["gas_used"], gas, "{number}");
    }
}

/// The program is built for every machine, and what it decides depends on none.
#[test]
fn the_demo_block_in_every_machine() {
    let folder = Folder::new();
    let (demo, wrong) = (folder.demo(), wrong_hash().to_string());
    for (vm, name) in [("cannon", "Cannon"), ("cannon32", "Cannon 32"), ("asterisc", "Asterisc")] {
        let run = ["block", "vm", &demo, "--vm", vm];
        let json = rebut(&[&run[..], &["--json"]].concat()).json(0);
        assert_eq!((&json["vm"], &json["equal"]), (&json!(vm), &json!(true)), "{name}");
        assert!(json["preimages"].as_u64() > Some(20), "{json}");
        let json = rebut(&[&run[..], &["--expect", &wrong, "--json"]].concat()).json(1);
        assert_eq!((&json["vm"], &json["equal"]), (&json!(vm), &json!(false)), "{name}");
        assert!(json["state_hash"].as_str().unwrap().starts_with("0x01"), "{json}");
    }
}
