//! `rebut devnet` as a process: what it says, what it does, and how it ends.

mod anvil;
mod datadir;

use rebut_foundry::installed;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long anything may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);
const ANY_L1_PORTS: [&str; 4] = ["--l1-port", "0", "--beacon-port", "0"];
const ANY_PORTS: [&str; 6] = ["--l1-port", "0", "--beacon-port", "0", "--l2-port", "0"];

fn devnet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebut"));
    command.arg("devnet").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A devnet that is up, and what it printed.
struct Running {
    child: Child,
    report: Value,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::start_on(&[&ANY_PORTS[..], arguments].concat())
    }

    /// On the ports that the arguments name.
    fn start_on(arguments: &[&str]) -> Self {
        let arguments = [&["--json"], arguments].concat();
        let mut child = devnet(&arguments).stderr(Stdio::inherit()).spawn().unwrap();
        let mut text = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        Self { report: serde_json::from_str(&text).unwrap(), child }
    }

    fn text(&self, pointer: &str) -> &str {
        self.report.pointer(pointer).and_then(Value::as_str).unwrap()
    }

    /// The result of a method of L1 or L2.
    fn call(&self, chain: &str, method: &str, params: &Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let url = self.text(&format!("/{chain}/rpc"));
        let mut answer = ureq::post(url).send(body.to_string()).unwrap();
        let answer = answer.body_mut().read_to_string().unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].take()
    }

    /// Looks until there is what is looked for.
    fn wait<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "waited too long for {what}");
            std::thread::yield_now();
        }
    }

    /// Ends it as an operator does.
    fn end(mut self, signal: &str) {
        let url = self.report.pointer("/l2/rpc").and_then(Value::as_str);
        let address = url.unwrap_or_else(|| self.text("/l1/rpc")).trim_start_matches("http://");
        let address = address.to_owned();
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{signal}");
        TcpListener::bind(address).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a failure; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_says_where_it_is_and_ends_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let datadir = directory.path().to_str().unwrap();
    for signal in ["-INT", "-TERM"] {
        let running =
            Running::start_on(&[&ANY_L1_PORTS[..], &["--l1-only", "--datadir", datadir]].concat());
        assert_eq!(running.report["l1"]["chain_id"], 900);
        assert_eq!(running.report["accounts"].as_array().unwrap().len(), 13);
        assert_eq!(running.report.get("l2"), None);
        let address = running.text("/l1/rpc").trim_start_matches("http://").to_owned();
        assert!(TcpListener::bind(&address).is_err(), "nobody listens on {address}");
        running.end(signal);
    }
}

/// What the rollup node says once more than `back` blocks are safe.
fn safe_status(running: &Running, back: u64) -> Value {
    running.wait("a safe block", || {
        let status = running.call("l2", "optimism_syncStatus", &json!([]));
        (status["safe_l2"]["number"].as_u64().unwrap() > back).then_some(status)
    })
}

/// The program by the URLs that were printed confirms what the rollup node says about a block that is safe,
/// and rejects something else.
fn check_claim(running: &Running, command: &str, status: &Value, agreed: u64, claimed: u64) {
    let output = |number: u64| {
        running.call("l2", "optimism_outputAtBlock", &json!([format!("{number:#x}")]))
    };
    let (agreed, output) = (output(agreed), output(claimed));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, pointer: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, running.report.pointer(pointer).unwrap().to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let rollup = file("rollup.json", "/l2/rollup_config");
    let l1 = file("l1.json", "/l1/config");
    let root = output["outputRoot"].as_str().unwrap();
    let wrong = agreed["outputRoot"].as_str().unwrap();
    assert_ne!(root, wrong);
    let beacon = running.report.pointer("/l1/beacon").and_then(Value::as_str);
    for (root, code) in [(root, 0), (wrong, 1)] {
        let claimed = claimed.to_string();
        let arguments = [
            ("--l1-head", status["current_l1"]["hash"].as_str().unwrap()),
            ("--agreed-l2-head-hash", agreed["blockRef"]["hash"].as_str().unwrap()),
            ("--agreed-l2-output-root", wrong),
            ("--claimed-l2-output-root", root),
            ("--claimed-l2-block-number", &claimed),
            ("--rollup-config-path", &rollup),
            ("--l1-config-path", &l1),
            ("--l1-node-address", running.text("/l1/rpc")),
            ("--l2-node-address", running.text("/l2/rpc")),
        ];
        let beacon = beacon.map(|url| ("--l1-beacon-address", url));
        let output = Command::new(env!("CARGO_BIN_EXE_rebut"))
            .args(["program", command])
            .args(arguments.into_iter().chain(beacon).flat_map(|(flag, value)| [flag, value]))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{command} {claimed} {root}: {output:?}");
    }
}

/// A claim about the safe head, agreed on `back` blocks before.
fn check_claims(running: &Running, back: u64) {
    let status = safe_status(running, back);
    let claimed = status["safe_l2"]["number"].as_u64().unwrap();
    check_claim(running, "run", &status, claimed - back, claimed);
}

#[test]
fn a_rollup_goes_on_and_is_proven_by_url() {
    let began = Instant::now();
    let running = Running::start(&["--l1-block-time", "1", "--load", "5tps"]);
    assert_eq!(running.report["l2"]["chain_id"], 901);
    let accounts = running.report["accounts"].as_array().unwrap();
    let batcher = accounts.iter().find(|account| account["role"] == "batcher").unwrap();
    let configured = running.text("/l2/rollup_config/genesis/system_config/batcherAddr");
    let printed = batcher["address"].as_str().unwrap();
    assert_eq!(printed.to_lowercase(), configured.to_lowercase());
    running.wait("a block of L2", || {
        (running.call("l2", "eth_blockNumber", &json!([])) != "0x0").then_some(())
    });
    println!("the first block of L2 after {:?}", began.elapsed());
    check_claims(&running, 2);
    running.end("-INT");
}

/// The forks that the other tests do not begin with, on the embedded L1.
#[test]
fn every_fork_can_be_the_first() {
    std::thread::scope(|scope| {
        for fork in ["bedrock", "regolith", "canyon", "ecotone", "fjord", "holocene", "isthmus"] {
            scope.spawn(move || {
                let times = ["--l1-block-time", "1", "--load", "2tps"];
                let running = Running::start(&[&times[..], &["--fork", fork]].concat());
                check_claims(&running, 3);
                running.end("-INT");
            });
        }
    });
}

/// Everything goes wrong now and then, and what was lost is sent again.
#[test]
fn faults_do_not_stop_a_rollup() {
    let faults = ["late=10", "dropped=25", "duplicated=10", "malformed=15", "foreign=10"];
    let faults = faults.iter().flat_map(|fault| ["--fault", fault]);
    let options = ["--l1-block-time", "1", "--load", "2tps"].into_iter().chain(faults);
    let running = Running::start(&options.collect::<Vec<_>>());
    safe_status(&running, 12);
    check_claims(&running, 4);
    running.end("-INT");
}

/// The load that was asked for, over enough blocks for chance to even out.
#[test]
fn load_is_as_asked_for() {
    const BLOCKS: u64 = 20;
    let running = Running::start(&["--l1-block-time", "1", "--load", "20tps"]);
    running.wait("enough blocks", || {
        let number = running.call("l2", "eth_blockNumber", &json!([]));
        let number = u64::from_str_radix(&number.as_str().unwrap()[2..], 16).unwrap();
        (number >= BLOCKS).then_some(())
    });
    let block = |number: u64| {
        running.call("l2", "eth_getBlockByNumber", &json!([format!("{number:#x}"), true]))
    };
    let users = |number: u64| {
        let block = block(number);
        let transactions = block["transactions"].as_array().unwrap();
        transactions.iter().filter(|transaction| transaction["type"] != "0x7e").count()
    };
    let time = |number: u64| {
        u64::from_str_radix(&block(number)["timestamp"].as_str().unwrap()[2..], 16).unwrap()
    };
    let count: usize = (1..=BLOCKS).map(users).sum();
    let rate = count as f64 / (time(BLOCKS) - time(0)) as f64;
    println!("{rate:.1} transactions a second");
    assert!((8.0..=32.0).contains(&rate), "{rate}");
    running.end("-INT");
}

/// Forks one after another, the last block long before anybody looks, and all data in calldata.
#[test]
fn forks_activate_when_they_are_to_and_blocks_end() {
    let running = Running::start(&[
        "--l1-block-time",
        "1",
        "--fork",
        "granite",
        "--fork-at",
        "isthmus=3",
        "--fork-at",
        "holocene=2",
        "--fork-at",
        "jovian=4",
        "--l2-blocks",
        "6",
        "--batches",
        "singular",
        "--compression",
        "zlib",
        "--data-availability",
        "calldata",
    ]);
    let config = &running.report["l2"]["rollup_config"];
    let genesis = config["genesis"]["l2_time"].as_u64().unwrap();
    let time = |name: &str| config[name].as_u64().unwrap() - genesis;
    assert_eq!(
        ["granite_time", "holocene_time", "isthmus_time", "jovian_time"].map(time),
        [0, 2, 3, 4]
    );
    check_claims(&running, 5);
    running.wait("two more blocks of L1", || {
        let number = running.call("l1", "eth_blockNumber", &json!([]));
        let number = number.as_str().unwrap().trim_start_matches("0x").to_owned();
        (u64::from_str_radix(&number, 16).unwrap() > 8).then_some(())
    });
    assert_eq!(running.call("l2", "eth_blockNumber", &json!([])), "0x6");
    running.end("-TERM");
}

#[test]
fn cast_finds_a_node_of_a_rollup() {
    let Some(program) = installed("cast") else { return };
    let running = Running::start(&["--l1-block-time", "1"]);
    let run = |arguments: &[&str]| {
        let output = Command::new(&program)
            .args(arguments)
            .env("ETH_RPC_URL", running.text("/l2/rpc"))
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let [owner, key] = ["address", "key"].map(|name| running.text(&format!("/accounts/0/{name}")));
    assert_eq!(run(&["chain-id"]), "901");
    assert_eq!(run(&["balance", "--ether", owner]), "10000.000000000000000000");

    let to = "0x00000000000000000000000000000000000000aa";
    let sent = run(&["send", "--json", "--private-key", key, to, "--value", "1ether"]);
    let receipt: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!((&receipt["status"], &receipt["gasUsed"]), (&"0x1".into(), &"0x5208".into()));
    assert_eq!(run(&["balance", "--ether", to]), "1.000000000000000000");
    let hash = receipt["transactionHash"].as_str().unwrap();
    let number: u64 = run(&["receipt", hash, "blockNumber"]).parse().unwrap();
    assert!((1..=run(&["block-number"]).parse().unwrap()).contains(&number), "{number}");

    // A contract: LOG1 with topic 5, then 7.
    let code = "0x600f600c5f39600f5ff3000060055f5fa160075f5260205ff3";
    let sent = run(&["send", "--json", "--private-key", key, "--create", code]);
    let receipt: Value = serde_json::from_str(&sent).unwrap();
    let contract = receipt["contractAddress"].as_str().unwrap().to_owned();
    assert_eq!(run(&["call", &contract, "f()(uint256)"]), "7");
    run(&["send", "--private-key", key, &contract, "f()"]);
    let logs = run(&["logs", "--json", "--from-block", "0", "--address", &contract]);
    let logs: Value = serde_json::from_str(&logs).unwrap();
    assert_eq!(logs.as_array().unwrap().len(), 1);
    assert_eq!(logs[0]["topics"][0], format!("0x{:064x}", 5));

    // A predeploy, behind the address that was printed.
    let l1_block = running.text("/l2/predeploys/L1Block");
    let origin: u64 = run(&["call", l1_block, "number()(uint64)"]).parse().unwrap();
    assert!(origin > 0);
    running.end("-INT");
}

/// One line on standard error, and this exit code.
fn check(arguments: &[&str], code: i32, expected: &str) {
    let mut child = devnet(arguments).spawn().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(code), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(expected), "{text}");
}

#[test]
fn what_cannot_start_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    check(&["--l1-port", &port, "--beacon-port", "0"], 1, "L1 JSON-RPC: cannot listen on");
    check(&["--l1-port", "0", "--beacon-port", &port], 1, "L1 beacon API: cannot listen on");
    let ports = ["--l1-port", "0", "--beacon-port", "0", "--l2-port", &port];
    check(&ports, 1, "L2 JSON-RPC: cannot listen on");
    check(&["--l1-block-time", "0"], 2, "--l1-block-time");
    for option in ["--l2-port=1", "--fork=jovian", "--l2-blocks=3", "--load=1tps", "--batches=span"]
    {
        let name = option.split('=').next().unwrap();
        check(&["--l1-only", option], 2, name);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    check(&["--l1-port", "0", "--beacon-port", "0", "--l1-only", "--datadir", path], 1, path);
    check(&["--fault", "lost=5"], 2, "no such fault; there are late, dropped,");
    check(&["--fault", "dropped=101"], 2, "not a number from 0 to 100");

    check(&["--fork", "karst"], 2, "no such fork; there are bedrock, regolith,");
    check(&["--fork-at", "jovian"], 2, "not of the form NAME=SECONDS");
    check(&["--fork-at", "jovian=soon"], 2, "seconds");
    check(&["--load", "some"], 2, "transactions in a second");
    let with = |arguments: &[&'static str]| [&ANY_PORTS[..], arguments].concat();
    let early = ["--fork-at", "isthmus=4", "--fork-at", "holocene=6"];
    check(&with(&early), 1, "Isthmus is to activate at second 4, but needs Holocene by then");
    let gap = ["--fork", "fjord", "--fork-at", "holocene=4"];
    check(&with(&gap), 1, "Holocene is to activate at second 4, but needs Granite by then");
    let again = ["--fork", "jovian", "--fork-at", "granite=4"];
    check(&with(&again), 1, "Granite cannot activate later: the chain begins with Jovian");
    let slow = ["--l1-block-time", "2", "--l2-block-time", "3"];
    check(&with(&slow), 1, "a block of L2 each 3 seconds cannot follow L1 with one each 2");
}
