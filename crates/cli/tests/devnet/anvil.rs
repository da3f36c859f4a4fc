//! The whole rollup on Foundry's `anvil`: contracts deployed there, batches in its calldata.

use super::{PATIENCE, Running, check, check_claim, devnet, safe_status};
use rebut_foundry::Anvil;
use serde_json::{Value, json};
use std::{process::Command, time::Instant};

/// Starts a node of the chain 900 that mines as these options say.
fn anvil(mining: &[&str]) -> Option<Anvil> {
    Anvil::start(&[&["--chain-id", "900"], mining].concat())
}

/// The forks of a chain, as options; and whether a claim about it is decided in Cannon as well.
const CHAINS: [(&[&str], bool); 10] = [
    (&["--fork", "bedrock"], false),
    (&["--fork", "regolith"], false),
    (&["--fork", "canyon"], false),
    (&["--fork", "ecotone"], false),
    (&["--fork", "fjord"], false),
    (&["--fork", "granite"], false),
    (&["--fork", "holocene"], false),
    (&["--fork", "isthmus"], false),
    (&["--fork", "jovian"], true),
    (
        &[
            "--fork-at=regolith=1",
            "--fork-at=canyon=2",
            "--fork-at=ecotone=3",
            "--fork-at=fjord=4",
            "--fork-at=granite=5",
            "--fork-at=holocene=6",
            "--fork-at=isthmus=7",
            "--fork-at=jovian=8",
        ],
        false,
    ),
];

/// A rollup on an anvil of its own, from the deployment of its contracts to claims about its blocks.
fn run(anvil: &Anvil, forks: &[&str], in_cannon: bool) {
    let began = Instant::now();
    let options = ["--l1-rpc", anvil.url(), "--l2-port", "0", "--l2-block-time", "1"];
    let running = Running::start_on(&[&options[..], &["--load", "3tps"], forks].concat());
    assert_eq!(running.report["l1"].get("beacon"), Some(&Value::Null));
    let up = began.elapsed();

    let accounts = running.report["accounts"].as_array().unwrap();
    let depositor = accounts.iter().find(|account| account["role"] == "depositor").unwrap();
    let depositor = depositor["address"].as_str().unwrap().to_lowercase();
    running.wait("a deposit", || {
        let block = running.call("l2", "eth_getBlockByNumber", &json!(["safe", true]));
        let mut transactions = block["transactions"].as_array().unwrap().iter();
        transactions.any(|transaction| transaction["from"] == depositor).then_some(())
    });
    let status = safe_status(&running, 10);
    let safe = status["safe_l2"]["number"].as_u64().unwrap();
    // Every block is part of one of these.
    for agreed in (0..safe).step_by(4) {
        check_claim(&running, "run", &status, agreed, (agreed + 4).min(safe));
    }
    if in_cannon {
        check_claim(&running, "vm", &status, safe - 1, safe);
    }
    println!("{forks:?}: up after {up:?}, {safe} blocks decided after {:?}", began.elapsed());
    assert!(began.elapsed() < 2 * PATIENCE);
    running.end("-INT");
}

#[test]
fn every_fork_is_proven_on_anvil() {
    std::thread::scope(|scope| {
        for (forks, in_cannon) in CHAINS {
            let Some(anvil) = anvil(&["--block-time", "1"]) else { return };
            scope.spawn(move || run(&anvil, forks, in_cannon));
        }
    });
}

#[test]
fn an_l1_elsewhere_that_cannot_be_used_is_named() {
    check(
        &["--l1-rpc", "http://127.0.0.1:1"],
        1,
        "L1: http://127.0.0.1:1: eth_chainId: unreachable",
    );
    check(&["--l1-rpc", "anvil"], 2, "--l1-rpc");
    check(&["--l1-rpc", "http://127.0.0.1:1", "--l1-only"], 2, "--l1-only");
    let key = format!("--l1-funder=0x{:064x}", 7);
    check(&[&key], 2, "--l1-rpc");
    let Some(anvil) = anvil(&["--block-time", "1"]) else { return };
    check(&["--l1-rpc", anvil.url(), &key], 1, "cannot fund the rollup");
    let none = format!("--l1-funder=0x{:064x}", 0);
    check(&["--l1-rpc", anvil.url(), &none], 1, "not a private key");
}

/// On a chain that stands still nothing gets up, and it ends when it is told all the same.
#[test]
fn it_can_be_ended_before_it_is_up() {
    let Some(anvil) = anvil(&["--no-mining"]) else { return };
    let mut child = devnet(&["--l1-rpc", anvil.url(), "--l2-port", "0"]).spawn().unwrap();
    // Once it has sent something it waits for a block.
    let began = Instant::now();
    while pending(anvil.url()) == 0 {
        assert!(began.elapsed() < PATIENCE, "nothing is sent");
        std::thread::yield_now();
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Transactions that wait.
fn pending(url: &str) -> u64 {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "txpool_status", "params": [] });
    let mut answer =
        ureq::post(url).header("content-type", "application/json").send(body.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    let count = answer["result"]["pending"].as_str().unwrap();
    u64::from_str_radix(&count[2..], 16).unwrap()
}
