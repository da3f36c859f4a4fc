//! `rebut devnet` as a process: what it says, and how it ends.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

fn devnet(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rebut"));
    command.arg("devnet").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The object that it prints when it is up.
fn report(child: &mut Child) -> Value {
    let mut text = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        text.push_str(&line);
        if line == "}" {
            break;
        }
    }
    serde_json::from_str(&text).unwrap()
}

#[test]
fn it_says_where_it_is_and_ends_when_told() {
    let directory = tempfile::tempdir().unwrap();
    let datadir = directory.path().to_str().unwrap();
    for signal in ["-INT", "-TERM"] {
        let arguments = ["--json", "--l1-port", "0", "--beacon-port", "0", "--datadir", datadir];
        let mut child = devnet(&arguments).spawn().unwrap();
        let report = report(&mut child);
        assert_eq!(report["l1"]["chain_id"], 900);
        assert_eq!(report["accounts"].as_array().unwrap().len(), 10);
        let address = report["l1"]["rpc"].as_str().unwrap().trim_start_matches("http://");
        assert!(TcpListener::bind(address).is_err(), "nobody listens on {address}");
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(killed.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        TcpListener::bind(address).unwrap();
    }
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
    check(&["--l1-block-time", "0"], 2, "--l1-block-time");
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    check(&["--l1-port", "0", "--beacon-port", "0", "--datadir", path], 1, path);
}
