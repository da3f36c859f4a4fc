//! `rebut deploy`: what it says before, what it does, and how it goes on after an end in the middle.

use crate::world::{
    DEPLOYER, Ended, L1, account, command, configuration, deploy, deployment, rebut,
};
use alloy_primitives::{B256, U256};
use serde_json::Value;
use std::fs;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// Transactions until the oracle is there, which is the first contract that depends on the configuration.
const FIRST_HALF: u64 = 9;

/// A folder with a configuration.
struct Config {
    folder: TempDir,
    file: String,
}

impl Config {
    fn new(head: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chain.toml").display().to_string();
        let config = Self { folder, file };
        config.write(&configuration(head, &B256::repeat_byte(0x22).to_string()));
        config
    }

    fn write(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
    }
}

fn sum(report: &Value, field: &str) -> u64 {
    let transactions = report["transactions"].as_array().unwrap();
    transactions.iter().map(|one| one[field].as_u64().unwrap()).sum()
}

#[test]
fn a_deployment_costs_what_was_said_and_is_not_repeated_by_mistake() {
    let l1 = L1::start("");
    let config = Config::new("");
    let run = |more: &str| deploy(&l1.url, &config.file, more);
    let text = rebut(&deployment(&l1.url, &config.file, "--dry-run")).ok();
    let last = text.lines().last().unwrap();
    assert!(last.contains(" transactions to send, ") && last.ends_with(" ETH"), "{text}");
    let dry = run("--dry-run").json();
    assert_eq!(l1.nonce(account(DEPLOYER), "pending"), 0, "nothing is sent");
    assert_eq!((&dry["bill"]["gas"], &dry["gas"]), (&sum(&dry, "gas").into(), &dry["gas"]));

    let before = l1.balance(account(DEPLOYER));
    let deployed = run("").json();
    assert_eq!(deployed["ok"], true, "{deployed}");
    assert_eq!(deployed["addresses"], dry["addresses"]);
    for (said, took) in dry["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .zip(deployed["transactions"].as_array().unwrap())
    {
        assert_eq!((&said["what"], &said["gas"]), (&took["what"], &took["gas"]));
    }
    let cost: U256 = deployed["cost_wei"].as_str().unwrap().parse().unwrap();
    assert_eq!(before - l1.balance(account(DEPLOYER)), cost);

    run("").fails(&["has deployed before", "--nonce 0", "--again"]);
    // Nothing is left to be sent, and all of it is right.
    let checked = run("--nonce 0").json();
    assert_eq!((&checked["gas"], &checked["ok"]), (&0.into(), &true.into()));
    assert_eq!(checked["bill"]["transactions"], 0);
    let again = run("--again").json();
    assert_eq!(again["ok"], true);
    assert_ne!(again["addresses"], deployed["addresses"]);
    run("--nonce 1000").fails(&["no deployment of it starts at 1000"]);
}

/// Starts a deployment on a chain that mines by hand, and mines until `sent` transactions are in blocks and the next
/// one waits.
fn half_sent(l1: &L1, config: &Config, sent: u64) -> Child {
    l1.mine_by_hand();
    let arguments = deployment(&l1.url, &config.file, "--json");
    let child = command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let waits = || l1.nonce(account(DEPLOYER), "pending") > l1.nonce(account(DEPLOYER), "latest");
    while l1.nonce(account(DEPLOYER), "latest") < sent || !waits() {
        if waits() && l1.nonce(account(DEPLOYER), "latest") < sent {
            l1.mine();
        }
        std::thread::yield_now();
    }
    child
}

fn end(child: Child) -> Ended {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_killed_deployment_goes_on_with_its_nonce_and_nothing_else() {
    let l1 = L1::start("");
    let config = Config::new("");
    let mut child = half_sent(&l1, &config, FIRST_HALF);
    child.kill().unwrap();
    child.wait().unwrap();

    let run = |more: &str| deploy(&l1.url, &config.file, more);
    run("").fails(&["has deployed before", "--nonce 0"]);
    // Of another deployment, neither by its beginning nor by its configuration.
    run("--nonce 1").fails(&["there is not the ProxyAdmin", "nonce 1"]);
    let other = Config::new("min_proposal_size_bytes = 10001");
    deploy(&l1.url, &other.file, "--nonce 0").fails(&["there is not the PreimageOracle"]);
    assert_eq!(l1.nonce(account(DEPLOYER), "latest"), FIRST_HALF, "nothing more was sent");

    // What was sent last still waits. It is found, or in a block by then.
    let dry = run("--nonce 0 --dry-run").json();
    let arguments = deployment(&l1.url, &config.file, "--json --nonce 0");
    let mut child =
        command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        l1.mine();
    }
    let deployed = end(child).json();
    assert_eq!(deployed["ok"], true, "{deployed}");
    assert_eq!(deployed["addresses"], dry["addresses"]);
    let transactions = deployed["transactions"].as_array().unwrap();
    assert!(transactions[..FIRST_HALF as usize].iter().all(|one| one["gas"].is_null()));
    assert!(transactions[FIRST_HALF as usize + 1..].iter().all(|one| one["gas"].is_u64()));
}

#[test]
fn a_deployment_outlives_its_node() {
    let config = Config::new("");
    let chains = config.folder.path().join("chains").display().to_string();
    let options = format!("--datadir {chains}");
    let mut l1 = L1::start(&options);
    let child = half_sent(&l1, &config, 3);
    l1.kill();
    end(child).fails(&["not complete; --nonce 0 goes on with the same configuration"]);

    let l1 = L1::start(&options);
    let deployed = deploy(&l1.url, &config.file, "--nonce 0").json();
    assert_eq!(deployed["ok"], true, "{deployed}");
    assert!(deployed["gas"].as_u64().unwrap() > 10_000_000, "{deployed}");
}

#[test]
fn what_cannot_be_deployed_is_said_before_anything_is_sent() {
    let l1 = L1::start("");
    let config = Config::new("");
    let run = |more: &str| deploy(&l1.url, &config.file, more);
    let text = fs::read_to_string(&config.file).unwrap();

    config.write(&text.replace("l1_chain_id = 900", "l1_chain_id = 1"));
    run("").fails(&["the node is on chain 900, the configuration is for L1 chain 1"]);
    run("--dry-run").fails(&["the node is on chain 900"]);
    config.write(&text.replace("max_depth", "depth"));
    run("").fails(&["chain.toml: line 12: unknown field `depth`"]);
    config.write(&text.replace("split_depth = 2", "split_depth = 4"));
    run("").fails(&["split depth 4 and maximum depth 5"]);
    config.write("preset");
    run("").fails(&["chain.toml: line 1: "]);
    fs::remove_file(&config.file).unwrap();
    run("").fails(&["chain.toml", "No such file"]);

    config.write(&text);
    let poor = B256::repeat_byte(0x77);
    let with = |more: &str| {
        let arguments = deployment(&l1.url, &config.file, more);
        rebut(&arguments.replace(&DEPLOYER.to_string(), &poor.to_string()))
    };
    with("").fails(&[
        &account(poor).to_string(),
        " has 0.000000000000000000 ETH, and ",
        " gas, at present ",
    ]);
    // To know what it would take, nobody has to have it.
    assert!(with("--dry-run").ok().ends_with("has 0.000000000000000000 ETH\n"));
    assert_eq!(l1.nonce(account(DEPLOYER), "pending"), 0);
}

/// The configuration in README.md, word for word.
#[test]
fn the_example_of_the_readme_deploys() {
    let readme =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let (_, toml) = readme.split_once("```toml\n").expect("a configuration");
    let (toml, _) = toml.split_once("```").expect("its end");
    let config = Config::new("");
    config.write(toml);
    let l1 = L1::start("");
    let deployed = deploy(&l1.url, &config.file, "").json();
    assert_eq!(deployed["ok"], true, "{deployed}");
}
