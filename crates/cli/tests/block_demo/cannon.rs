//! The recorded block behind `rebut cannon run` and `rebut asterisc run`: the same program, served by another process,
//! and proofs in files.

use crate::files::{Folder, rebut, wrong_hash};
use alloy_primitives::{B256, hex};
use flate2::read::GzDecoder;
use rebut_contracts::Verifier;
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A machine behind its command.
struct Tool {
    /// What `--vm` calls it.
    vm: &'static str,
    /// Folder of its guests.
    guests: &'static str,
    command: &'static str,
    load: &'static [&'static str],
    /// Where `witness` has the state hash.
    hash: &'static str,
    contract: fn() -> Verifier,
}

const TOOLS: [Tool; 3] = [
    Tool {
        vm: "cannon",
        guests: "mips64",
        command: "cannon",
        load: &["--type", "multithreaded64-5"],
        hash: "witnessHash",
        contract: || Verifier::new(8).unwrap(),
    },
    Tool {
        vm: "cannon32",
        guests: "mips32",
        command: "cannon",
        load: &["--type", "singlethreaded-2"],
        hash: "witnessHash",
        contract: || Verifier::mips32(2).unwrap(),
    },
    Tool {
        vm: "asterisc",
        guests: "riscv64",
        command: "asterisc",
        load: &[],
        hash: "stateHash",
        contract: || Verifier::riscv().unwrap(),
    },
];

impl Tool {
    /// A prestate of the block program.
    fn prestate(&self, folder: &Folder) -> String {
        let guest = format!("../../guests/prebuilt/{}/block.elf.gz", self.guests);
        let packed = File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(guest)).unwrap();
        let mut elf = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut elf).unwrap();
        let [elf, state, meta] =
            [folder.file("block.elf", &elf), folder.path("state.bin.gz"), folder.path("meta.json")];
        let files = ["--path", &elf, "--out", &state, "--meta", &meta];
        self.run(&[&["load-elf"][..], self.load, &files].concat());
        state
    }

    fn run(&self, arguments: &[&str]) -> String {
        let ended = rebut(&[&[self.command], arguments].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    }

    fn state_hash(&self, state: &str) -> Value {
        let shown: Value = serde_json::from_str(&self.run(&["witness", "--input", state])).unwrap();
        shown[self.hash].clone()
    }
}

#[test]
fn a_served_block_ends_in_the_same_state() {
    let (binary, wrong) = (env!("CARGO_BIN_EXE_rebut"), wrong_hash().to_string());
    for tool in TOOLS {
        let folder = Folder::new();
        let (demo, out, state) = (folder.demo(), folder.path("out.bin.gz"), tool.prestate(&folder));
        for (expect, code) in [(&[][..], 0), (&["--expect", &wrong], 1)] {
            let run = ["run", "--input", &state, "--output", &out, "--meta", ""];
            let server = ["--", binary, "block", "serve", &demo];
            tool.run(&[&run[..], &server, expect].concat());
            let vm = ["block", "vm", &demo, "--json", "--vm", tool.vm];
            let alone = rebut(&[&vm[..], expect].concat()).json(code);
            assert_eq!(tool.state_hash(&out), alone["state_hash"], "{}", tool.vm);
        }
    }
}

/// Of every 20,000th step of the first 400,000, and of a snapshot's next step.
#[test]
fn proofs_in_files_are_accepted_by_the_contract() {
    let binary = env!("CARGO_BIN_EXE_rebut");
    for tool in TOOLS {
        let folder = Folder::new();
        let (demo, state) = (folder.demo(), tool.prestate(&folder));
        let [proofs, snapshots] = ["proof-%d.json.gz", "state-%d.bin.gz"].map(|n| folder.path(n));
        let server = ["--", binary, "block", "serve", &demo];
        let files = ["--proof-fmt", &proofs, "--snapshot-fmt", &snapshots, "--meta", ""];
        let until = ["--proof-at", "%20000", "--snapshot-at", "=123457", "--stop-at", "=400000"];
        let run = ["run", "--input", &state, "--output", ""];
        tool.run(&[&run[..], &files, &until, &server].concat());
        let snapshot = folder.path("state-123457.bin.gz");
        let run = ["run", "--input", &snapshot, "--output", ""];
        let until = ["--proof-at", "=123457", "--stop-at", "=123458"];
        tool.run(&[&run[..], &files, &until, &server].concat());
        for step in (0..400_000).step_by(20_000).chain([123_457]) {
            let file = folder.path(&format!("proof-{step}.json.gz"));
            let proof: Value =
                serde_json::from_reader(GzDecoder::new(File::open(file).unwrap())).unwrap();
            let bytes = |key: &str| hex::decode(proof[key].as_str().unwrap()).unwrap();
            // None of these steps reads a preimage.
            assert_eq!((&proof["step"], &proof["oracle-key"]), (&step.into(), &Value::Null));
            let mut contract = (tool.contract)();
            let post = contract.step(&bytes("state-data"), &bytes("proof-data"), B256::ZERO);
            let post = post.unwrap_or_else(|error| panic!("{} {step}: {error}", tool.vm));
            assert_eq!(proof["post"], post.post_state_hash.to_string(), "{} {step}", tool.vm);
        }
        let at = rebut(&[tool.command, "witness", "--input", &snapshot]);
        let at: Value = serde_json::from_str(&at.stdout).unwrap();
        assert_eq!(at["step"], 123_457);
    }
}
