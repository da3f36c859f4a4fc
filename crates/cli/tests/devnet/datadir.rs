//! A devnet that is kept on disk: ended in either way, started again, and the same chains go on.

use super::{ANY_L1_PORTS, ANY_PORTS, Running, check, check_claim, safe_status};
use serde_json::{Value, json};
use std::process::Command;

const OPTIONS: [&str; 7] =
    ["--l1-block-time", "1", "--load", "3tps", "--fork", "granite", "--fork-at=holocene=4"];

fn start(datadir: &str) -> Running {
    Running::start(&[&OPTIONS[..], &["--datadir", datadir]].concat())
}

/// Hashes of the blocks of a chain up to a number.
fn hashes(running: &Running, chain: &str, latest: u64) -> Vec<Value> {
    let hash = |number: u64| {
        let block = json!([format!("{number:#x}"), false]);
        running.call(chain, "eth_getBlockByNumber", &block)["hash"].clone()
    };
    (0..=latest).map(hash).collect()
}

#[test]
fn both_chains_go_on_after_either_end() {
    let folder = tempfile::tempdir().unwrap();
    let datadir = folder.path().to_str().unwrap();
    let mut running = start(datadir);
    let mut back = 4;
    for signal in ["-INT", "-KILL", "-TERM"] {
        let status = safe_status(&running, back);
        let number = |name: &str| status[name]["number"].as_u64().unwrap();
        let (safe, l1) = (number("safe_l2"), number("current_l1"));
        let before = (hashes(&running, "l1", l1), hashes(&running, "l2", safe));
        let config = running.report["l2"]["rollup_config"].clone();
        if signal == "-KILL" {
            let id = running.child.id().to_string();
            assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
            running.child.wait().unwrap();
        } else {
            running.end(signal);
        }

        running = start(datadir);
        assert_eq!(running.report["l2"]["rollup_config"], config);
        let after = (hashes(&running, "l1", l1), hashes(&running, "l2", safe));
        assert_eq!(after, before, "after {signal}");
        // New blocks become safe, and claims that span the end are decided.
        let status = safe_status(&running, safe + 2);
        check_claim(&running, "run", &status, safe.saturating_sub(2), safe + 2);
        back = safe + 4;
    }
    running.end("-INT");

    let with = |arguments: &[&'static str]| {
        let arguments = [&ANY_PORTS[..], &["--l1-block-time", "1"], arguments].concat();
        let arguments: Vec<String> = arguments.into_iter().map(Into::into).collect();
        [arguments, vec!["--datadir".into(), datadir.into()]].concat()
    };
    let refused = |arguments: &[&'static str], expected: &str| {
        let arguments = with(arguments);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        check(&arguments, 1, expected);
    };
    refused(&["--fork", "jovian"], "begun with the fork granite, not jovian");
    let later = ["--fork", "granite", "--fork-at=holocene=5"];
    refused(&later, "begun with later forks holocene=4, not holocene=5");
    let alone = ["--l1-block-time", "1", "--l1-only", "--datadir", datadir];
    let alone = [&ANY_L1_PORTS[..], &alone].concat();
    check(&alone, 1, "begun with a rollup on it: yes, not no");
}
