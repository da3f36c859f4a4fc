//! A trace of a game by another program, here this one under the name of the deployed tool, beside the trace by the
//! machine in this process.

use crate::{Folder, rebut, unpack};
use alloy_primitives::B256;
use rebut_challenger::trace::vm::{
    External, ExternalOptions, Limits, Loaded, Run, RunInputs, StateTrace,
};
use rebut_challenger::trace::{Prestates, TraceError};
use rebut_fpvm::Mips64;
use rebut_host::ClaimWitness;
use serde_json::Value;
use std::{ffi::OsString, fs, os::unix::fs::symlink, path::Path, sync::Arc, time::Duration};

struct Case {
    folder: Folder,
    witness: ClaimWitness,
    prestate: Value,
    inputs: RunInputs,
}

/// A recorded claim, the prestate of its chain, and its preimages where the server will look for them.
fn case() -> Option<Case> {
    let path = rebut_recordings::path("fpp-devnet/da047d3.json.zst")?;
    let witness = ClaimWitness::read(&path).unwrap();
    let file: Value = serde_json::from_slice(&unpack(path.to_str().unwrap())).unwrap();
    let folder = Folder::new();
    let rollup = folder.file("rollup.json", file["rollup_config"].to_string().as_bytes());
    let out = folder.path("prestate.bin.gz");
    let built = rebut(&["prestate", "build", "--rollup-config", &rollup, "--out", &out, "--json"]);
    let prestate: Value = serde_json::from_str(built.succeeds()).unwrap();
    let inputs = RunInputs {
        boot: witness.boot,
        agreed_l2_head: file["boot"]["l2_head"].as_str().unwrap().parse().unwrap(),
        context: B256::repeat_byte(0xc7),
    };
    let store = folder.path(&format!("{}/preimages", inputs.context));
    fs::create_dir_all(&store).unwrap();
    rebut(&["witness", "import", path.to_str().unwrap(), "--data-dir", &store]).succeeds();
    symlink(env!("CARGO_BIN_EXE_rebut"), folder.path("cannon")).unwrap();
    Some(Case { folder, witness, prestate, inputs })
}

impl Case {
    fn options(&self, program: &str) -> ExternalOptions {
        let rollup = self.folder.path("rollup.json");
        let server = move |inputs: &RunInputs, store: &Path| {
            let boot = &inputs.boot;
            let mut command: Vec<OsString> =
                [env!("CARGO_BIN_EXE_rebut"), "host", "single", "--server", "--data-dir"]
                    .map(OsString::from)
                    .to_vec();
            command.push(store.into());
            for (flag, value) in [
                ("--rollup-config-path", rollup.clone()),
                ("--l1-head", boot.l1_head.to_string()),
                ("--agreed-l2-head-hash", inputs.agreed_l2_head.to_string()),
                ("--agreed-l2-output-root", boot.agreed_output.to_string()),
                ("--claimed-l2-output-root", boot.claimed_output.to_string()),
                ("--claimed-l2-block-number", boot.claimed_number.to_string()),
            ] {
                command.extend([OsString::from(flag), value.into()]);
            }
            command
        };
        ExternalOptions {
            program: self.folder.path(program).into(),
            prestate: self.folder.path("prestate.bin.gz").into(),
            folder: self.folder.path("").into(),
            snapshot_distance: 5_000_000,
            info_distance: 1_000_000_000,
            time_limit: Some(Duration::from_secs(300)),
            server: Arc::new(server),
        }
    }

    /// The trace by this process.
    fn own(&self) -> Run<Mips64> {
        let hash = self.prestate["prestate"].as_str().unwrap().parse().unwrap();
        let prestate = Prestates::file(self.folder.path("prestate.bin.gz")).get(hash).unwrap();
        let oracle = Box::new(self.witness.oracle());
        Run::new(Loaded::new(prestate.state), oracle, Limits::default(), Arc::default())
    }
}

#[test]
fn another_program_gives_the_same_trace() {
    let Some(case) = case() else { return };
    let mut own = case.own();
    let end = own.state_hash(u64::MAX).unwrap();
    let length = own.report().length.unwrap();
    let mut other = External::open(case.options("cannon"), &case.inputs).unwrap();
    for steps in [length / 3, length - 1, 0, 7, length] {
        assert_eq!(other.state_hash(steps).unwrap(), own.state_hash(steps).unwrap(), "{steps}");
    }
    for steps in [length / 3 - 1, length - 1, length, length + 99] {
        let (found, want) = (other.step_data(steps).unwrap(), own.step_data(steps).unwrap());
        assert_eq!(found, want, "the step after {steps} of {length}");
    }
    assert_eq!(other.state_hash(u64::MAX).unwrap(), end);
    assert_eq!(other.report().length, Some(length));

    // A file that somebody changed is noticed.
    let proofs = case.folder.path(&format!("{}/proofs", case.inputs.context));
    let proof = |steps: u64| format!("{proofs}/{steps}.json.gz");
    fs::copy(proof(length / 3 - 1), proof(length / 3)).unwrap();
    let mut again = External::open(case.options("cannon"), &case.inputs).unwrap();
    let error = again.step_data(length / 3).unwrap_err().to_string();
    assert!(error.contains("the step of the packed state is wrong"), "{error}");
    fs::write(proof(length / 3), b"no gzip").unwrap();
    assert!(again.step_data(length / 3).is_err());
}

#[test]
fn a_program_that_fails_gives_no_answer() {
    let Some(case) = case() else { return };
    let script = case.folder.file("failing", b"#!/bin/sh\nexit 2\n");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (program, want) in [("failing", "panicked"), ("absent", "absent")] {
        let error = External::open(case.options(program), &case.inputs).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
    // A server that lacks a preimage ends the run; the state it stopped at has not exited.
    let store = case.folder.path(&format!("{}/preimages", case.inputs.context));
    fs::remove_dir_all(&store).unwrap();
    let mut lacking = External::open(case.options("cannon"), &case.inputs).unwrap();
    let error = lacking.state_hash(u64::MAX - 1).unwrap_err();
    assert!(matches!(error, TraceError::External(_)), "{error}");
}
