//! `rebut demo step`.

use crate::files::{Folder, rebut, recorded, wrong_hash};
use rebut_host::demo::demo_block;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// What the demo has to end in, on two cores.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Proofs that are not picked at random: first, last, three kinds of preimage reads, a store, a system
/// call, a thread switch.
const CHOSEN: usize = 8;

/// What differs from machine to machine.
struct Machine {
    vm: &'static str,
    /// The instruction of a system call.
    call: &'static str,
    /// Whether there are steps that execute no instruction.
    has_threads: bool,
    /// Parts of proofs that any machine's run has.
    parts_of_proofs: &'static [&'static str],
}

const CANNON: Machine = Machine {
    vm: "cannon",
    call: "syscall",
    has_threads: true,
    parts_of_proofs: &["thread", "instruction proof", "memory proof"],
};
const CANNON_32: Machine = Machine {
    vm: "cannon32",
    call: "syscall",
    has_threads: false,
    parts_of_proofs: &["instruction proof", "memory proof"],
};
const ASTERISC: Machine = Machine {
    vm: "asterisc",
    call: "ecall",
    has_threads: false,
    parts_of_proofs: &["instruction proof", "memory proof"],
};

/// Checks a result of which everything held.
fn check(json: &Value, machine: &Machine, random: usize) {
    let Machine { vm, call, has_threads, .. } = machine;
    assert_eq!(json["vm"], *vm);
    assert_eq!(json["held"], true);
    assert_eq!(json["ends_meet"], true);
    assert_eq!(json["native"]["computed"], json["native"]["expected"]);
    assert_eq!((&json["native"]["equal"], &json["run"]["equal"]), (&json!(true), &json!(true)));
    assert_eq!(json["run"]["exit_code"], 0);

    let steps = json["steps"].as_array().unwrap();
    let length = json["run"]["steps"].as_u64().unwrap();
    let numbers: Vec<_> = steps.iter().map(|step| step["step"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert_eq!((numbers[0], numbers[numbers.len() - 1]), (0, length - 1));
    assert_eq!(steps[0]["pre"], json["run"]["prestate_hash"]);
    assert_eq!(steps[steps.len() - 1]["post"], json["run"]["state_hash"]);

    let picked_as = |reason: &str| {
        let picked: Vec<_> = steps.iter().filter(|step| step["picked_as"] == reason).collect();
        assert!(!picked.is_empty(), "no {reason}");
        picked
    };
    assert_eq!(picked_as("first instruction")[0]["step"], 0);
    assert_eq!(picked_as("last instruction")[0]["instruction"], format!("{call} exit_group"));
    let store = picked_as("memory store")[0]["instruction"].as_str().unwrap();
    assert!(store.starts_with('s') && store.ends_with(')'), "{store}");
    let other = picked_as("system call")[0]["instruction"].as_str().unwrap();
    let is_read = other.ends_with(" read");
    assert!(other.starts_with(&format!("{call} ")) && !is_read, "{other}");
    if *has_threads {
        assert_eq!(picked_as("thread switch")[0]["instruction"], "(thread switch)");
    }
    for (kind, prefix) in [("local", "0x01"), ("keccak256", "0x02"), ("precompile", "0x06")] {
        let read = picked_as(&format!("preimage read, {kind}"))[0];
        assert_eq!(read["instruction"], format!("{call} read"));
        let preimage = &read["preimage"];
        assert!(preimage["key"].as_str().unwrap().starts_with(prefix), "{preimage}");
        assert!(preimage["load_gas"].as_u64().unwrap() > 20_000, "{preimage}");
    }
    assert_eq!(steps.len(), CHOSEN - usize::from(!has_threads) + random);
    steps.iter().for_each(check_step);
}

fn check_step(step: &Value) {
    assert_eq!((&step["accepted"], &step["contract"]), (&json!(true), &json!("accepted")));
    let gas = step["gas"].as_u64().unwrap();
    assert!((1_000..100_000).contains(&gas), "{step}");
    assert_ne!(step["pre"], step["post"]);
    let tamperings = step["tamperings"].as_array().unwrap();
    for tampering in tamperings {
        assert_eq!(tampering["refused"], true, "{step}");
        assert_ne!(tampering["contract"], "accepted", "{step}");
    }
    let kinds: BTreeSet<_> = tamperings.iter().map(|t| t["kind"].as_str().unwrap()).collect();
    let mut wanted =
        BTreeSet::from(["flipped proof byte", "flipped state byte", "wrong post-state"]);
    wanted.extend((!step["preimage"].is_null()).then_some("preimage not loaded"));
    assert_eq!(kinds, wanted);
}

#[test]
fn the_built_in_block() {
    let json = rebut(&["demo", "step", "--json"]).json(0);
    check(&json, &CANNON, 10);
    assert_eq!(json["native"]["expected"], demo_block().unwrap().expected_block_hash.to_string());
    assert_eq!(json["block"], 1);
}

/// The same block, proven on other machines: each proof is judged by the machine's own contract, and every part of a
/// proof is tampered with.
#[test]
fn the_built_in_block_in_every_machine() {
    let hash = demo_block().unwrap().expected_block_hash.to_string();
    let mut first_states = BTreeSet::new();
    for machine in [&CANNON, &CANNON_32, &ASTERISC] {
        let arguments = ["demo", "step", "--vm", machine.vm, "--samples", "60", "--seed", "5"];
        let json = rebut(&[&arguments[..], &["--json"]].concat()).json(0);
        check(&json, machine, 60);
        assert_eq!(json["native"]["expected"], hash, "{}", machine.vm);
        first_states.insert(json["run"]["prestate_hash"].to_string());
        let steps = json["steps"].as_array().unwrap();
        let tamperings = steps.iter().flat_map(|step| step["tamperings"].as_array().unwrap());
        let flipped = tamperings.filter(|one| one["kind"] == "flipped proof byte");
        let flipped: Vec<_> = flipped.map(|one| one["what"].as_str().unwrap()).collect();
        for part in machine.parts_of_proofs {
            let end = format!("({part})");
            assert!(flipped.iter().any(|what| what.ends_with(&end)), "{}: {part}", machine.vm);
        }
    }
    assert_eq!(first_states.len(), 3);
}

#[test]
fn another_machine_in_the_table() {
    let check = |vm: &str, name: &str| {
        let ended = rebut(&["demo", "step", "--vm", vm, "--seed", "3", "--samples", "0"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        let line = format!("  {name:13}  exit code 0, equal: ");
        assert!(ended.stdout.lines().any(|l| l.starts_with(&line)), "{}", ended.stdout);
        assert!(ended.stdout.contains("\nAll held: 7 of 7 proofs accepted, "), "{}", ended.stdout);
    };
    check("cannon32", "Cannon 32");
    check("asterisc", "Asterisc");
    let unknown = rebut(&["demo", "step", "--vm", "mips"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""), "{unknown:?}");
    assert!(unknown.stderr.contains("cannon, cannon32, asterisc"), "{unknown:?}");
}

/// A wrong claim is found wrong in every machine, and its proofs are right all the same.
#[test]
fn a_wrong_block_hash_in_every_machine() {
    let folder = Folder::new();
    let file = folder.changed(|witness| witness.expected_block_hash = wrong_hash());
    for machine in [&CANNON_32, &ASTERISC] {
        let json = rebut(&["demo", "step", &file, "--json", "--vm", machine.vm]).json(1);
        assert_eq!((&json["held"], &json["run"]["equal"]), (&json!(false), &json!(false)));
        assert!(json["run"]["state_hash"].as_str().unwrap().starts_with("0x01"), "{json}");
        json["steps"].as_array().unwrap().iter().for_each(check_step);
    }
}

#[test]
fn the_seed_decides_what_is_picked() {
    let demo = |seed: &str, samples: &str| {
        let json = rebut(&["demo", "step", "--json", "--seed", seed, "--samples", samples]).json(0);
        assert_eq!(json["seed"].to_string(), seed);
        check(&json, &CANNON, samples.parse().unwrap());
        json["steps"].clone()
    };
    let steps = demo("7", "40");
    assert_eq!(steps, demo("7", "40"));
    assert_ne!(steps, demo("18446744073709551615", "40"));
    demo("7", "0");
}

#[test]
fn the_table() {
    let ended = rebut(&["demo", "step", "--seed", "3", "--samples", "5"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let lines: Vec<_> = ended.stdout.lines().collect();
    let head = lines.iter().position(|line| line.contains("picked as")).unwrap();
    let rows: Vec<_> = lines[head + 1..].iter().take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), CHOSEN + 5, "{}", ended.stdout);
    // Columns begin at the same place in every line.
    let column = lines[head].find("contract").unwrap();
    for row in rows {
        assert!(row[column..].starts_with("accepted  "), "{row}");
    }
    assert!(ended.stdout.contains("seed 3\n"), "{}", ended.stdout);
    assert!(lines.last().unwrap().starts_with("All held: 13 of 13 proofs accepted, "), "{lines:?}");
    assert!(lines.iter().all(|line| *line == line.trim_end()), "{}", ended.stdout);
}

/// The proofs are right, the block is not: this must not end well.
#[test]
fn a_wrong_block_hash_is_no_success() {
    let folder = Folder::new();
    let file = folder.changed(|witness| witness.expected_block_hash = wrong_hash());
    let json = rebut(&["demo", "step", &file, "--json"]).json(1);
    assert_eq!((&json["held"], &json["native"]["equal"]), (&json!(false), &json!(false)));
    assert_eq!((&json["run"]["equal"], &json["run"]["exit_code"]), (&json!(false), &json!(1)));
    json["steps"].as_array().unwrap().iter().for_each(check_step);

    let ended = rebut(&["demo", "step", &file]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.lines().last().unwrap().starts_with("NOT all held: "), "{ended:?}");
}

#[test]
fn a_recorded_block_in_time() {
    let Some(file) = recorded(26_207_960) else { return };
    let started = Instant::now();
    let json = rebut(&["demo", "step", &file, "--json", "--seed", "26207960"]).json(0);
    assert!(started.elapsed() < TIME_LIMIT, "{:?}", started.elapsed());
    check(&json, &CANNON, 10);
    assert_eq!((&json["block"], &json["chain"]), (&json!(26_207_960), &json!(11_155_420)));
    let hash = "0xdb32d9ddfa5fd26c9fb0260bbfa53da88326aa2a465e34d75180564aa31b851e";
    assert_eq!(json["native"]["computed"], hash);
}
