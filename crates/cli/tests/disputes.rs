//! `rebut demo` and `rebut deploy` as processes: on an L1 chain of their own, and on anvil.

use rebut_foundry::Anvil;
use serde_json::Value;
use std::process::{Command, Output};

/// The first account of every development chain.
const KEY: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

fn rebut(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rebut")).args(arguments).output().unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let output = rebut(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Checks what a demonstration ended with.
fn check(report: &Value, vm: &str, read: &str) {
    assert_eq!(report["held"], true, "{report}");
    assert_eq!(report["vm"], vm);
    let games = report["games"].as_array().unwrap();
    assert_eq!(games.len(), 2);
    for (game, root, status, moves) in
        [(&games[0], "false", "CHALLENGER_WINS", 74), (&games[1], "true", "DEFENDER_WINS", 73)]
    {
        assert_eq!((game["root"].as_str(), game["status"].as_str()), (Some(root), Some(status)));
        assert_eq!(game["moves"], moves, "one path from the root to a leaf");
        let claims = game["claims"].as_array().unwrap();
        assert_eq!(claims.len() as u64, moves + 1);
        let decision = &game["decided_by"];
        assert_eq!(decision["claim"], moves, "the leaf");
        assert_eq!(claims[moves as usize]["counteredBy"], decision["by"]);
        // Real traces, real instructions: neither the first one nor past the end.
        let step = decision["step"].as_u64().unwrap();
        assert!((1..game["trace"]["instructions"].as_u64().unwrap()).contains(&step), "{decision}");
        assert!(decision["gas"].as_u64().unwrap() > 100_000, "{decision}");
        assert!(decision["symbol"].as_str().unwrap().contains("::"), "{decision}");
        for side in ["honest", "liar"] {
            assert!(game["gas"][side]["gas"].as_u64().unwrap() > 1_000_000, "{game}");
            assert_ne!(game["bonds"]["posted"][side], "0x0");
        }
        assert_ne!(game["bonds"]["paid"]["honest"], "0x0");
        assert_eq!(game["bonds"]["paid"]["liar"], "0x0");
    }
    let decision = &games[1]["decided_by"];
    assert_eq!(decision["instruction"], read);
    assert!(decision["preimage_gas"].as_u64().unwrap() > 20_000, "{decision}");
}

#[test]
fn both_games_end_as_they_should() {
    check(&json(&["demo", "--json"]), "cannon", "syscall read");
}

#[test]
fn both_games_about_asterisc_end_as_they_should() {
    let report = json(&["demo", "--json", "--vm", "asterisc"]);
    check(&report, "asterisc", "ecall read");
    // The types that the deployed system has for this machine.
    assert_eq!(
        (&report["games"][0]["game_type"], &report["games"][1]["game_type"]),
        (&3.into(), &2.into())
    );
}

#[test]
fn both_games_end_as_they_should_on_anvil() {
    let Some(anvil) = Anvil::start(&[]) else { return };
    check(&json(&["demo", "--json", "--l1-rpc", anvil.url()]), "cannon", "syscall read");
}

#[test]
fn an_l1_that_does_not_answer_is_named() {
    let output = rebut(&["demo", "--l1-rpc", "http://127.0.0.1:1"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

#[test]
fn a_deployment_is_read_back_and_not_repeated_by_mistake() {
    let Some(anvil) = Anvil::start(&[]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chain.toml");
    let text = |delay: u64| {
        format!(
            "preset = \"fast\"\nl2_chain_id = 901\nweth_delay_seconds = {delay}\n\
             owner = \"0x00000000000000000000000000000000000004e1\"\n\
             guardian = \"0x000000000000000000000000000000000009a4d1\"\n\
             [anchor]\noutput_root = \"0x{0}\"\nl2_block_number = 5\n\
             [[games]]\nabsolute_prestate = \"0x{0}\"\n",
            "11".repeat(32)
        )
    };
    std::fs::write(&file, text(17)).unwrap();
    let config = file.to_str().unwrap();
    let arguments = ["deploy", "--config", config, "--rpc-url", anvil.url(), "--private-key", KEY];
    let with = |more: &[&'static str]| [&arguments[..], &["--json"], more].concat();

    let dry = json(&with(&["--dry-run"]));
    let deployed = json(&with(&[]));
    assert_eq!(deployed["addresses"], dry["addresses"]);
    assert_eq!((&deployed["ok"], &deployed["gas"]), (&true.into(), &dry["gas"]));
    assert!(deployed["gas"].as_u64().unwrap() > 10_000_000, "{deployed}");

    let again = rebut(&arguments);
    let errors = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(1), "{errors}");
    assert!(errors.contains("--nonce 0"), "{errors}");

    // Nothing is left to be sent, and all of it is still right.
    let checked = json(&with(&["--nonce", "0"]));
    assert_eq!((&checked["gas"], &checked["ok"]), (&0.into(), &true.into()));
    // Another configuration is not what stands there.
    std::fs::write(&file, text(18)).unwrap();
    let other = rebut(&with(&["--nonce", "0"]));
    assert_eq!(other.status.code(), Some(1));
    let other: Value = serde_json::from_slice(&other.stdout).unwrap();
    let wrong: Vec<_> =
        other["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0]["found"], "17, expected 18");
}
