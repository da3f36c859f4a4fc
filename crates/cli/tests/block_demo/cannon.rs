//! The recorded block behind `rebut cannon run`: the same program, served by another process.

use crate::files::{Folder, rebut, wrong_hash};
use flate2::read::GzDecoder;
use rebut_fpvm::StateVersion;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A prestate of the block program.
fn prestate(folder: &Folder) -> String {
    let packed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/prebuilt/mips64/block.elf.gz");
    let mut elf = Vec::new();
    GzDecoder::new(File::open(packed).unwrap()).read_to_end(&mut elf).unwrap();
    let [elf, state, meta] =
        [folder.file("block.elf", &elf), folder.path("state.bin.gz"), folder.path("meta.json")];
    let kind = StateVersion::V8.name();
    let files = ["--path", &elf, "--out", &state, "--meta", &meta];
    let ended = rebut(&[&["cannon", "load-elf", "--type", kind][..], &files].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    state
}

fn witness(state: &str) -> Value {
    let ended = rebut(&["cannon", "witness", "--input", state]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_served_block_ends_in_the_same_state() {
    let folder = Folder::new();
    let (binary, demo) = (env!("CARGO_BIN_EXE_rebut"), folder.demo());
    let (wrong, out) = (wrong_hash().to_string(), folder.path("out.bin.gz"));
    let state = prestate(&folder);
    for (expect, code) in [(&[][..], 0), (&["--expect", &wrong], 1)] {
        let run = ["cannon", "run", "--input", &state, "--output", &out, "--meta", ""];
        let server = ["--", binary, "block", "serve", &demo];
        let ended = rebut(&[&run[..], &server, expect].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let alone = rebut(&[&["block", "vm", &demo, "--json"], expect].concat()).json(code);
        assert_eq!(witness(&out)["witnessHash"], alone["state_hash"]);
    }
}
