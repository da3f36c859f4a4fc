//! `rebut challenger`, `proposer`, `game` and `guardian` from outside: flags, variables, and what is said when something
//! is wrong. No chain is needed but an L1 without games.

#[path = "shared/l1.rs"]
mod l1;

use l1::L1;
use serde_json::Value;
use std::net::TcpListener;
use std::process::Command;

const KEY: &str = "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e";
/// The account of the key. There is no contract at it.
const ACCOUNT: &str = "0x976EA74026E726554dB657fA54763abd0C3a0aa9";

struct Ended {
    code: Option<i32>,
    stderr: String,
}

fn run(arguments: &str, variables: &[(&str, &str)]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rebut"))
        .args(arguments.split(' '))
        .envs(variables.iter().copied())
        .env_remove("RUST_LOG")
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{arguments}");
    Ended { code: output.status.code(), stderr: String::from_utf8(output.stderr).unwrap() }
}

/// It fails; the last line, the only error, has these words.
#[track_caller]
fn fails(arguments: &str, variables: &[(&str, &str)], code: i32, words: &[&str]) {
    let Ended { code: found, stderr } = run(arguments, variables);
    assert_eq!(found, Some(code), "{arguments}: {stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{arguments}: {stderr}");
    assert_eq!(stderr.lines().last(), errors.first().copied(), "{arguments}: {stderr}");
    for word in words {
        assert!(errors[0].contains(word), "{arguments}: no {word:?} in {:?}", errors[0]);
    }
}

/// The address of a node that is not there.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn the_challenger_needs_no_optional_flag() {
    let node = nowhere();
    let flags = format!(
        "--l1-eth-rpc {node} --datadir data --rollup-rpc {node} --private-key {KEY} --game-factory-address {ACCOUNT}"
    );
    let refused = ["no answer", "refused", "check the address"];
    fails(&format!("challenger {flags}"), &[], 1, &refused);
    // All of it in variables, under the names of deployed tooling.
    let variables = [
        ("OP_CHALLENGER_L1_ETH_RPC", node.as_str()),
        ("OP_CHALLENGER_DATADIR", "data"),
        ("OP_CHALLENGER_ROLLUP_RPC", &node),
        ("OP_CHALLENGER_PRIVATE_KEY", KEY),
        ("OP_CHALLENGER_NETWORK", "op-mainnet"),
    ];
    fails("challenger", &variables, 1, &refused);
    // The older name of --game-types has a variable as well.
    let older = [&variables[..], &[("OP_CHALLENGER_TRACE_TYPE", "nonsense")]].concat();
    fails("challenger", &older, 2, &["--game-types", "nonsense"]);
}

#[test]
fn values_of_flags_are_checked_before_anything_is_asked() {
    let node = nowhere();
    let check = |arguments: &str, words: &[&str]| {
        let arguments = arguments.replace("L1", &format!("--l1-eth-rpc {node}"));
        fails(&arguments, &[], 2, words);
    };
    check("game list --network op-mainnet", &["--l1-eth-rpc", "rebut game list --help"]);
    check("game list L1 --game-factory-address 0x12", &["0x12", "40 hexadecimal digits"]);
    check("game list --l1-eth-rpc ws://node --network op-mainnet", &["http:// or https://"]);
    check("game list L1 --network op-mainnet --game-window 12", &["12s, 1h30m"]);
    check("game show L1", &["--game-address"]);
    check(&format!("game show L1 {ACCOUNT} --game-address {ACCOUNT}"), &["cannot be used with"]);
    check("game create L1 --output-root 0x12 --l2-block-num 1", &["64 hexadecimal digits"]);
    check("game create L1 --game-type wood", &["neither the name nor the number"]);
    check("proposer L1 --rollup-rpc x --proposal-interval 1h", &["--rollup-rpc", "http"]);
    check(
        &format!("game move L1 {ACCOUNT} --parent-index 0 --claim {KEY}"),
        &["--attack|--defend"],
    );
    check("game list L1 --network op-mainnet --log.format xml", &["logfmt"]);
    fails(
        &format!("game list --l1-eth-rpc {node} --network nowhere"),
        &[],
        1,
        &["nowhere", "factory"],
    );
}

#[test]
fn flags_without_effect_are_taken_and_said() {
    let node = nowhere();
    let l1 = format!("--l1-eth-rpc {node} --game-factory-address {ACCOUNT} --private-key {KEY}");
    let check = |arguments: &str, variables: &[(&str, &str)], flags: &[&str]| {
        let ended = run(&arguments.replace("L1", &l1), variables);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        for flag in flags {
            let line = ended.stderr.lines().find(|line| line.contains(flag));
            let line = line.unwrap_or_else(|| panic!("{flag} is not named: {}", ended.stderr));
            assert!(line.contains("WARN") && line.contains("has no effect"), "{line}");
        }
        assert_eq!(ended.stderr.matches("no effect").count(), flags.len(), "{}", ended.stderr);
    };
    let challenger = format!("challenger L1 --datadir data --rollup-rpc {node}");
    check(&challenger, &[], &[]);
    check(
        &format!("{challenger} --pprof.enabled --l1-rpc-kind basic"),
        &[],
        &["--pprof.enabled", "--l1-rpc-kind"],
    );
    check(&challenger, &[("OP_CHALLENGER_PPROF_PORT", "6060")], &["--pprof.port"]);
    let proposer = format!("proposer L1 --proposal-interval 1h --rollup-rpc {node}");
    check(
        &format!("{proposer} --rpc.port 8545 --txmgr.max-retries=3"),
        &[],
        &["--rpc.port", "--txmgr.max-retries"],
    );
}

#[test]
fn the_log_is_written_as_asked() {
    let node = nowhere();
    let flags = format!(
        "proposer --l1-eth-rpc {node} --rollup-rpc {node} --proposal-interval 1h --rpc.port 1"
    );
    let lines = |more: &str| {
        let ended = run(&format!("{flags} {more}"), &[]);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let is_log = |line: &&str| !line.starts_with("error: ");
        ended.stderr.lines().filter(is_log).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let json = lines("--log.format json --log.pid");
    let [line] = &json[..] else { panic!("{json:?}") };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["lvl"], "warn");
    assert!(line["msg"].as_str().unwrap().contains("--rpc.port") && line["pid"].is_u64(), "{line}");
    let logfmt = lines("--log.format logfmt");
    assert!(logfmt[0].contains(" lvl=warn msg=\"--rpc.port has no effect"), "{logfmt:?}");
    assert_eq!(lines("--log.level error"), [""; 0]);
}

#[test]
fn an_account_is_no_contract() {
    let l1 = L1::spawn("");
    let l1 = format!("--l1-eth-rpc {}", l1.url);
    let check = |arguments: &str, words: &[&str]| {
        fails(&format!("{arguments} {l1} --private-key {KEY}"), &[], 1, words);
    };
    let no_contract = ["there is no contract at", ACCOUNT];
    // Each would be paid for, succeed and do nothing.
    check(&format!("game resolve {ACCOUNT}"), &no_contract);
    check(&format!("game claim-credit --game-address {ACCOUNT}"), &no_contract);
    check(&format!("guardian retire --anchor-state-registry {ACCOUNT}"), &no_contract);
    let wrong = "xyz";
    fails(&format!("game resolve {ACCOUNT} {l1} --private-key {wrong}"), &[], 1, &["private key"]);
}

/// What is wrong from the start is said at the start, not when a game is to be played.
#[test]
fn what_agents_need_is_looked_for_when_they_start() {
    let l1 = L1::spawn("");
    // A contract that is there from the genesis block on, and is something else.
    let other = "0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02";
    let agent = |name: &str, factory: &str| {
        let more = if name == "proposer" { "--proposal-interval 1h" } else { "--datadir data" };
        let url = &l1.url;
        format!(
            "{name} --l1-eth-rpc {url} --rollup-rpc {url} --private-key {KEY} --game-factory-address {factory} {more}"
        )
    };
    for name in ["challenger", "proposer"] {
        fails(&agent(name, ACCOUNT), &[], 1, &["there is no contract at", ACCOUNT, "check"]);
        fails(&agent(name, other), &[], 1, &[other, "does not answer as a DisputeGameFactory"]);
    }
    let check = |factory: &str, words: &str| {
        let arguments = agent("challenger", factory).replacen("challenger", "challenger check", 1);
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_rebut"))
            .args(arguments.split(' '))
            .arg("--json")
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
        let factory = findings.as_array().unwrap().iter().find(|one| one["what"] == "factory");
        let factory = factory.unwrap();
        assert_eq!(factory["ok"], false, "{factory}");
        assert!(factory["found"].as_str().unwrap().contains(words), "{factory}");
    };
    check(ACCOUNT, "there is no contract at");
    check(other, "does not answer as a DisputeGameFactory");

    let node = nowhere();
    let player = |more: &str| {
        format!(
            "challenger --l1-eth-rpc {node} --rollup-rpc {node} --datadir data --private-key {KEY} --game-factory-address {ACCOUNT} {more}"
        )
    };
    let file = std::env::current_exe().unwrap();
    let file = file.display();
    let missing = ["no prestate for cannon games", "nowhere.bin.gz", "--cannon-prestate"];
    fails(&player("--cannon-prestate nowhere.bin.gz"), &[], 1, &missing);
    let wrong = ["no prestate for asterisc games", "--asterisc-prestate"];
    let asterisc = format!("--game-types asterisc --asterisc-prestate {file}");
    fails(&player(&asterisc), &[], 1, &wrong);
    let folder = ["no prestate for cannon games", "/nowhere", "--prestates-url"];
    fails(&player("--prestates-url file:///nowhere"), &[], 1, &folder);
    // A file for games that are not played does not matter; without any the log says what to do.
    let ended = run(&player("--game-types cannon --asterisc-prestate nowhere"), &[]);
    assert!(ended.stderr.contains("no answer"), "{}", ended.stderr);
    let warned = "no cannon game can be played: give --cannon-prestate or --prestates-url";
    assert!(ended.stderr.contains(warned), "{}", ended.stderr);

    let dead = format!(
        "proposer --l1-eth-rpc {0} --rollup-rpc {0} --proposal-interval 1h --game-factory-address {ACCOUNT} --signer.endpoint {node}/secret --signer.address {ACCOUNT}",
        l1.url
    );
    let ended = run(&dead, &[]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("the remote signer: ") && !ended.stderr.contains("secret"));
}
