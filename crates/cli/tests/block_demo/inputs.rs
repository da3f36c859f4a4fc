//! Input that leaves no verdict: one line says why, on every command that takes a block.

use crate::files::{Folder, rebut};
use rebut_host::demo::DEMO_BLOCK;
use rebut_preimage::PreimageKey;
use std::fs::File;
use std::process::Command;

const COMMANDS: [&[&str]; 4] =
    [&["block", "run"], &["block", "vm"], &["block", "serve"], &["demo", "step"]];

/// Checks that every command refuses the file with a line that contains its name and `text`.
fn check(file: &str, text: &str) {
    for command in COMMANDS {
        let ended = rebut(&[command, &[file]].concat());
        ended.fails(file);
        ended.fails(text);
    }
}

#[test]
fn files_that_are_no_block() {
    let folder = Folder::new();
    check(&folder.path("none.json.zst"), "No such file");
    check(&folder.file("empty.json.zst", b""), "zstd");
    check(&folder.file("text.json.zst", b"not packed"), "zstd");
    check(&folder.file("short.json.zst", &DEMO_BLOCK[..DEMO_BLOCK.len() / 2]), "zstd");
    let mut damaged = DEMO_BLOCK.to_vec();
    damaged[DEMO_BLOCK.len() / 2] ^= 0xff;
    check(&folder.file("damaged.json.zst", &damaged), "");
    check(&folder.file("syntax.json", b"{\"format\": "), "EOF");
    check(&folder.file("format.json", b"{\"format\": \"v2\"}"), "fixture");
}

#[test]
fn a_missing_preimage_is_named() {
    let folder = Folder::new();
    let mut key = None;
    let file = folder.changed(|witness| {
        // The root of the state, which every block needs.
        let root = PreimageKey::keccak256(witness.parent_header.state_root);
        assert!(witness.preimages.remove(&root).is_some());
        key = Some(root.to_string());
    });
    let key = key.unwrap();
    for command in [&["block", "run"][..], &["block", "vm"], &["demo", "step"]] {
        for json in [&[][..], &["--json"]] {
            rebut(&[command, &[file.as_str()], json].concat()).fails(&key);
        }
    }
}

#[test]
fn a_block_that_cannot_be_built() {
    let folder = Folder::new();
    let file = folder.changed(|witness| witness.attributes.timestamp = 0);
    rebut(&["block", "run", &file]).fails("timestamp");
    // The guest says why, on its standard error.
    let ended = rebut(&["block", "vm", &file]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("timestamp"), "{ended:?}");
    assert!(ended.stdout.contains("exit code         2\n"), "{ended:?}");
    assert!(ended.stdout.ends_with("verdict           none\n"), "{ended:?}");
}

#[test]
fn arguments_that_are_none() {
    let folder = Folder::new();
    let demo = folder.demo();
    let check = |arguments: &[&str]| {
        let ended = rebut(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
    };
    check(&["block", "run", &demo, "--expect", "0x1234"]);
    check(&["block", "vm"]);
    check(&["demo", "step", "--samples", "-1"]);
    check(&["demo", "step", "--samples", "100000"]);
    check(&["demo", "step", "--seed", "x"]);
}

#[test]
fn serving_takes_the_pipes_of_a_machine() {
    let folder = Folder::new();
    rebut(&["block", "serve", &folder.demo()]).fails("descriptor 3");
}

#[test]
fn a_result_that_cannot_be_written() {
    let folder = Folder::new();
    let demo = folder.demo();
    for arguments in
        [&["block", "run", &demo][..], &["block", "vm", &demo, "--json"], &["demo", "step"]]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_rebut"))
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        let want = "error: cannot write to standard output: No space left";
        assert!(stderr.starts_with(want), "{stderr}");
    }
}
