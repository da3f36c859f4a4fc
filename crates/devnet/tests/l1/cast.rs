//! Foundry's `cast` against L1, as people use it.

use crate::devnet;
use rebut_devnet::{keys::DEV_KEYS, l1::Mining, network::Devnet};
use rebut_foundry::installed;
use std::{path::Path, process::Command};

/// What `cast` prints.
fn cast(program: &Path, devnet: &Devnet, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .env("ETH_RPC_URL", devnet.l1_url())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn cast_finds_a_node_of_ethereum() {
    let Some(program) = installed("cast") else { return };
    let devnet = devnet(Mining::Automatic);
    let run = |arguments: &[&str]| cast(&program, &devnet, arguments);
    let key = DEV_KEYS[0].to_string();
    assert_eq!(run(&["chain-id"]), "900");
    assert_eq!(run(&["block-number"]), "0");
    let owner = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(run(&["balance", "--ether", owner]), "10000.000000000000000000");

    // A transfer, with every value by the node's proposal.
    let to = "0x00000000000000000000000000000000000000aa";
    let sent = run(&["send", "--json", "--private-key", &key, to, "--value", "1ether"]);
    let receipt: serde_json::Value = serde_json::from_str(&sent).unwrap();
    assert_eq!((&receipt["status"], &receipt["gasUsed"]), (&"0x1".into(), &"0x5208".into()));
    assert_eq!(run(&["balance", "--ether", to]), "1.000000000000000000");
    assert_eq!(run(&["nonce", owner]), "1");
    let hash = receipt["transactionHash"].as_str().unwrap();
    assert_eq!(run(&["receipt", hash, "blockNumber"]), "1");
    assert_eq!(run(&["tx", hash, "value"]), "1000000000000000000");

    // A contract: LOG1 with topic 5, then 7.
    let code = "0x600f600c5f39600f5ff3000060055f5fa160075f5260205ff3";
    let sent = run(&["send", "--json", "--private-key", &key, "--create", code]);
    let receipt: serde_json::Value = serde_json::from_str(&sent).unwrap();
    let contract = receipt["contractAddress"].as_str().unwrap().to_owned();
    assert_eq!(run(&["call", &contract, "f()(uint256)"]), "7");
    let estimate: u64 = run(&["estimate", &contract, "f()"]).parse().unwrap();
    assert!((21_750..22_500).contains(&estimate), "{estimate}");
    run(&["send", "--private-key", &key, &contract, "f()"]);
    let logs = run(&["logs", "--json", "--from-block", "0", "--address", &contract]);
    let logs: serde_json::Value = serde_json::from_str(&logs).unwrap();
    assert_eq!(logs.as_array().unwrap().len(), 1);
    assert_eq!(logs[0]["topics"][0], format!("0x{:064x}", 5));
    assert_eq!(run(&["storage", &contract, "0"]), format!("0x{:064x}", 0));
    assert_eq!(run(&["block-number"]), "3");
    assert_eq!(run(&["block", "2", "--field", "number"]), "2");
    let gas_price: u64 = run(&["gas-price"]).parse().unwrap();
    assert!(gas_price > 0);
}
