//! The host as a server process, in the place of the deployed one.

use crate::{Folder, rebut};
use alloy_primitives::B256;
use rebut_preimage::{
    ChannelError, Hint, OracleError, PreimageKey, PreimageOracle, ProcessOptions, ProcessOracle,
    store::{JsonKeys, read_json},
};
use std::{ffi::OsString, os::unix::fs::symlink, path::Path, process::Command};

const ROLLUP: &[u8] = br#"{"l1_chain_id": 900, "l2_chain_id": 901}"#;

fn hash(byte: u8) -> String {
    B256::repeat_byte(byte).to_string()
}

/// Flags of a claim, by their names or by their aliases.
fn claim(aliases: bool) -> Vec<String> {
    let names = match aliases {
        false => [
            "--l1-head",
            "--agreed-l2-head-hash",
            "--agreed-l2-output-root",
            "--claimed-l2-output-root",
            "--claimed-l2-block-number",
        ],
        true => ["--l1-head", "--l2-head", "--l2-output-root", "--l2-claim", "--l2-block-number"],
    };
    let values = [hash(1), hash(4), hash(2), hash(3), "258".to_owned()];
    names.into_iter().zip(values).flat_map(|(name, value)| [name.to_owned(), value]).collect()
}

fn start(program: &str, arguments: &[String]) -> ProcessOracle {
    let mut command: Vec<OsString> = vec![program.into()];
    command.extend(arguments.iter().map(OsString::from));
    ProcessOracle::start(&command, ProcessOptions::default()).unwrap()
}

fn check_locals(server: &mut ProcessOracle, chain_id: u64) {
    let mut local = |identifier| server.get(PreimageKey::local(identifier)).unwrap();
    assert_eq!([local(1), local(2), local(3)], [vec![1; 32], vec![2; 32], vec![3; 32]]);
    assert_eq!(local(4), 258_u64.to_be_bytes());
    assert_eq!(local(5), chain_id.to_be_bytes());
}

/// As a challenger starts it, on recorded preimages and without nodes.
#[test]
fn a_recorded_run_is_served_offline() {
    let Some(recordings) = rebut_recordings::path("fpp-devnet") else { return };
    let folder = Folder::new();
    let file = recordings.join("311b533.json.zst");
    let data_dir = folder.path("data");
    rebut(&["witness", "import", file.to_str().unwrap(), "--data-dir", &data_dir]).succeeds();
    let rollup = folder.file("rollup.json", ROLLUP);

    let mut arguments = vec!["host".to_owned(), "single".to_owned(), "--server".to_owned()];
    arguments.extend(claim(false));
    arguments.extend(["--data-dir".into(), data_dir, "--rollup-config-path".into(), rollup]);
    let mut server = start(env!("CARGO_BIN_EXE_rebut"), &arguments);
    check_locals(&mut server, 901);
    assert_eq!(server.get(PreimageKey::local(6)).unwrap(), ROLLUP);
    for (key, value) in read_json(&file, JsonKeys::Typed).unwrap().iter() {
        server.hint(&Hint::encode("l2-state-node", &[0; 32])).unwrap();
        assert_eq!(server.get(key).unwrap(), value, "{key}");
    }
    assert!(server.finish().unwrap().success());
}

/// Under the name of the deployed tool, with its short names, and a challenger's extra flag.
#[test]
fn in_the_place_of_kona_host() {
    let folder = Folder::new();
    let program = folder.path("kona-host");
    symlink(env!("CARGO_BIN_EXE_rebut"), &program).unwrap();
    let mut arguments = vec!["single".to_owned()];
    arguments.extend(claim(true));
    for flag in ["--server", "--enable-experimental-witness-endpoint", "--l2-chain-id", "10"] {
        arguments.push(flag.into());
    }
    arguments.extend(["--db".into(), folder.path("data")]);
    let mut server = start(&program, &arguments);
    check_locals(&mut server, 10);
    // A preimage that nobody has ends the server, which the machine notices.
    let error = server.get(PreimageKey::keccak256(B256::ZERO)).unwrap_err();
    let OracleError::PreimageChannel { source: ChannelError::Exited { status }, .. } = error else {
        panic!("{error}");
    };
    // Neither of the codes that are verdicts.
    assert_eq!(status.code(), Some(2));
    assert!(Path::new(&folder.path("data/kvformat")).is_file());
}

#[test]
fn flags_come_from_the_environment() {
    let output = Command::new(env!("CARGO_BIN_EXE_rebut"))
        .args(["host", "single"])
        .envs([
            ("L1_HEAD", hash(1)),
            ("AGREED_L2_HEAD_HASH", hash(4)),
            ("AGREED_L2_OUTPUT_ROOT", hash(2)),
            ("CLAIMED_L2_OUTPUT_ROOT", hash(3)),
            ("CLAIMED_L2_BLOCK_NUMBER", "258".into()),
            ("L2_CHAIN_ID", "10".into()),
            ("SERVER", "true".into()),
            ("L1_NODE_ADDRESS", "ftp://l1".into()),
        ])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("ftp://l1") && stderr.contains("http"), "{stderr}");
}

#[test]
fn what_is_wrong_with_flags_is_said_in_a_line() {
    let check = |extra: &[&str], text: &str| {
        let claim = claim(false);
        let mut arguments = vec!["host", "single"];
        arguments.extend(claim.iter().map(String::as_str));
        arguments.extend(extra);
        rebut(&arguments).fails(2, text);
    };
    let folder = Folder::new();
    let rollup = folder.file("rollup.json", ROLLUP);
    let l1 = folder.file("l1.json", br#"{"chainId": 1}"#);
    let none = folder.path("none.json");
    check(&["--l2-chain-id", "10"], "--server");
    check(&["--server"], "--l2-chain-id or --rollup-config-path");
    check(&["--server", "--l2-chain-id", "10", "--rollup-config-path", &rollup], "cannot be used");
    check(&["--server", "--rollup-config-path", &none], "none.json");
    check(&["--server", "--rollup-config-path", &l1], "does not say which chain");
    check(&["--server", "--rollup-cfg", &rollup, "--l1-cfg", &l1], "L1 chain 900");
    let interop = br#"{"l1_chain_id": 900, "l2_chain_id": 901, "interop_time": 7}"#;
    let interop = folder.file("interop.json", interop);
    for mode in ["--server", "--native"] {
        check(&[mode, "--rollup-config-path", &interop], "sets interop_time: interop");
    }
    // Nobody set up the descriptors.
    check(&["--server", "--l2-chain-id", "10", "--data-dir", &folder.path("data")], "descriptor 3");
    check(&["--server", "--l2-chain-id", "10"], "--l1-node-address");
    check(
        &["--native", "--l2-chain-id", "901", "--data-dir", &folder.path("data")],
        "--rollup-config-path",
    );
    rebut(&["host", "single", "--l1-head", "0x12"]).fails(2, "64 hexadecimal digits");
    let missing = rebut(&["host", "single", "--server", "--l2-chain-id", "10"]);
    missing.fails(2, "--l1-head, --agreed-l2-head-hash, --agreed-l2-output-root");
}
