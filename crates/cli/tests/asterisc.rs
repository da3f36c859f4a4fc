//! `rebut asterisc` from outside: what it reads and writes, and how it ends.

use alloy_primitives::{hex, keccak256};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A directory with the guest `hello` in it.
struct Sandbox(TempDir);

impl Sandbox {
    fn new() -> Self {
        let sandbox = Self(TempDir::new().unwrap());
        sandbox.unpack("riscv64", "hello.elf");
        sandbox
    }

    /// The guest `hello` of a machine as a file.
    fn unpack(&self, machine: &str, name: &str) {
        let guest = format!("../../guests/prebuilt/{machine}/hello.elf.gz");
        let packed = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(guest)).unwrap();
        let mut elf = Vec::new();
        GzDecoder::new(packed.as_slice()).read_to_end(&mut elf).unwrap();
        std::fs::write(self.path(name), elf).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &str) -> Output {
        self.rebut(&format!("asterisc {arguments}"))
    }

    fn rebut(&self, arguments: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rebut"))
            .current_dir(self.0.path())
            .env_remove("RUST_LOG")
            .args(arguments.split_whitespace().map(|a| if a == "''" { "" } else { a }))
            .output()
            .unwrap()
    }

    #[track_caller]
    fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn fails(&self, arguments: &str, word: &str) {
        let output = self.run(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let last = stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(word), "{stderr}");
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    fn witness(&self, state: &str) -> Value {
        serde_json::from_str(&self.ok(&format!("witness --input {state}"))).unwrap()
    }
}

#[test]
fn both_forms_of_a_state_are_one_state() {
    let sandbox = Sandbox::new();
    sandbox.ok("load-elf --path hello.elf");
    sandbox.ok("load-elf --path hello.elf --out state.bin.gz --meta ''");
    let json = sandbox.witness("state.json");
    assert_eq!(json, sandbox.witness("state.bin.gz"));
    let witness = hex::decode(json["witness"].as_str().unwrap()).unwrap();
    assert_eq!(witness.len(), 362);
    let mut hash = keccak256(&witness);
    hash[0] = 3;
    assert_eq!(json["stateHash"], serde_json::to_value(hash).unwrap());
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 6, "{keys:?}");
    let state = sandbox.json("state.json");
    assert_eq!((&state["pc"], &state["stateHash"]), (&json["pc"], &json["stateHash"]));
    assert_eq!(state["registers"][2], 1u64 << 60);
    assert_eq!(state["heap"], 0x7f00_0000_0000u64);
}

#[test]
fn a_run_goes_on_from_its_snapshots() {
    let sandbox = Sandbox::new();
    sandbox.ok("load-elf --path hello.elf");
    sandbox.ok("run --input state.json");
    let end = sandbox.witness("out.json");
    assert_eq!((&end["exited"], &end["exitCode"]), (&true.into(), &0.into()));
    sandbox.ok("run --input state.json --output '' --snapshot-at =1000 --snapshot-fmt s%d.bin.gz --stop-at =1001");
    assert_eq!(sandbox.witness("s1000.bin.gz")["step"], 1000);
    sandbox.ok("run -input s1000.bin.gz -output late.bin");
    assert_eq!(sandbox.witness("late.bin"), end);
}

#[test]
fn a_proof_joins_the_states_around_its_step() {
    let sandbox = Sandbox::new();
    sandbox.ok("load-elf --path hello.elf");
    sandbox.ok("run --input state.json --proof-at %1 --stop-at =40 --proof-fmt p%d.json");
    let proofs: Vec<Value> = (0..40).map(|step| sandbox.json(&format!("p{step}.json"))).collect();
    assert_eq!(proofs[0]["pre"], sandbox.witness("state.json")["stateHash"]);
    assert_eq!(proofs[39]["post"], sandbox.witness("out.json")["stateHash"]);
    for pair in proofs.windows(2) {
        assert_eq!(pair[0]["post"], pair[1]["pre"]);
    }
    let lengths: Vec<usize> = proofs
        .iter()
        .map(|proof| hex::decode(proof["proof-data"].as_str().unwrap()).unwrap().len())
        .collect();
    assert!(lengths.iter().all(|length| [1920, 3840, 5760].contains(length)), "{lengths:?}");
    assert!(lengths.contains(&3840), "{lengths:?}");
}

#[test]
fn bad_input_is_one_line() {
    let sandbox = Sandbox::new();
    sandbox.fails("run --input absent.json --meta ''", "absent.json");
    sandbox.ok("load-elf --path hello.elf");
    sandbox.fails("run --input state.json --debug", "--debug");
    sandbox.fails("run --input state.json --debug-info d.json", "--debug-info");
    std::fs::write(sandbox.path("bad.bin"), [0xff; 40]).unwrap();
    sandbox.fails("witness --input bad.bin", "bad.bin");
    std::fs::write(sandbox.path("bad.json"), "{}").unwrap();
    sandbox.fails("witness --input bad.json", "bad.json");
    std::fs::write(sandbox.path("empty.bin"), "").unwrap();
    sandbox.fails("run --input empty.bin --meta ''", "empty.bin");
    std::fs::write(sandbox.path("bad.elf"), "no program").unwrap();
    sandbox.fails("load-elf --path bad.elf", "bad.elf");
}

/// Each machine's command takes its own states, and names the command of others.
#[test]
fn states_of_other_machines_are_told_apart() {
    let sandbox = Sandbox::new();
    let cannon = |arguments: &str| {
        let output = sandbox.rebut(&format!("cannon {arguments}"));
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for guest in ["mips32", "mips64"] {
        sandbox.unpack(guest, &format!("{guest}.elf"));
    }
    sandbox.ok("load-elf --path hello.elf");
    sandbox.ok("load-elf --path hello.elf --out state.bin.gz");
    let load = |kind: &str, guest: &str, out: &str| {
        let (code, stderr) =
            cannon(&format!("load-elf --type {kind} --path {guest}.elf --out {out}"));
        assert_eq!(code, Some(0), "{stderr}");
    };
    load("singlethreaded", "mips32", "c0.json");
    load("singlethreaded", "mips32", "c0.bin");
    load("singlethreaded-2", "mips32", "c2.bin");
    load("multithreaded64-5", "mips64", "c8.bin.gz");
    for state in ["c0.json", "c0.bin", "c2.bin", "c8.bin.gz"] {
        let want = format!("{state} is a state of Cannon: give it to `rebut cannon`");
        sandbox.fails(&format!("witness --input {state}"), &want);
        sandbox.fails(&format!("run --input {state} --meta ''"), &want);
        assert_eq!(cannon(&format!("witness --input {state}")).0, Some(0), "{state}");
    }
    for state in ["state.json", "state.bin.gz"] {
        let want = format!("error: {state} is a state of Asterisc: give it to `rebut asterisc`");
        for command in ["witness", "run --meta ''"] {
            let (code, stderr) = cannon(&format!("{command} --input {state}"));
            assert_eq!((code, stderr.trim_end()), (Some(1), want.as_str()));
        }
    }
    // Programs of other processors.
    sandbox.fails(
        "load-elf --path mips64.elf",
        "mips64.elf: the ELF file is for machine 8, not for RISC-V",
    );
    let (code, stderr) = cannon("load-elf --type multithreaded64-5 --path hello.elf");
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("hello.elf: the ELF file is for machine 243, not for MIPS"),
        "{stderr}"
    );
}
