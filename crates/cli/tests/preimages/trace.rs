//! A trace of a game by another program, here this one under the name of the deployed tool, beside the trace by the
//! machine in this process.

use crate::{Folder, rebut, unpack};
use alloy_primitives::B256;
use rebut_challenger::trace::vm::{
    CrossChecked, Dialect, Executions, External, ExternalOptions, InProcess, Limits, Loaded,
    Oracle, Run, RunInputs, StateTrace,
};
use rebut_challenger::trace::{Prestates, TraceError};
use rebut_fpvm::Mips64;
use rebut_host::ClaimWitness;
use serde_json::Value;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::{ffi::OsString, fs, path::Path, sync::Arc, time::Duration};

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
            dialect: Dialect::CANNON,
            absolute_prestate: self.hash(),
            prestate: self.folder.path("prestate.bin.gz").into(),
            folder: self.folder.path("").into(),
            snapshot_distance: 5_000_000,
            info_distance: 1_000_000_000,
            time_limit: Some(Duration::from_secs(300)),
            progress: Arc::default(),
            server: Arc::new(server),
        }
    }

    fn hash(&self) -> B256 {
        self.prestate["prestate"].as_str().unwrap().parse().unwrap()
    }

    fn loaded(&self) -> Loaded<Mips64> {
        let prestates = Prestates::file(self.folder.path("prestate.bin.gz"));
        Loaded::new(prestates.get::<Mips64>(self.hash()).unwrap().state)
    }

    /// The trace by this process.
    fn own(&self) -> Run<Mips64> {
        let oracle = Box::new(self.witness.oracle());
        Run::new(self.loaded(), oracle, Limits::default(), Arc::default())
    }

    /// A program beside the real one: a script that knows the real one as $REAL.
    fn script(&self, name: &str, body: &str) {
        let real = self.folder.path("cannon");
        let script = self.folder.file(name, format!("#!/bin/sh\nREAL={real}\n{body}\n").as_bytes());
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A trace that both this process and a program have to know.
    fn checked(&self, program: &str) -> Box<dyn StateTrace> {
        let witness = self.witness.clone();
        let own = InProcess::new(self.loaded(), Limits::default(), Arc::default(), move |_| {
            Ok(Box::new(witness.oracle()) as Oracle)
        });
        let both = CrossChecked::new(Box::new(own), Box::new(self.options(program)));
        { both }.open(&self.inputs).unwrap()
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
    case.script("faulting", "exit 2");
    case.script("dead", "kill -KILL $$");
    case.script("chatty", "yes");
    case.script("silent", "exit 0");
    // Of another program's state: it hashes to what is said, and is not the game's.
    case.script("elsewhere", r#"echo '{"witness":"0x","witnessHash":"0x03d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470","step":0,"exited":false}'"#);
    for (program, want) in [
        ("faulting", "panicked"),
        ("absent", "absent"),
        ("dead", "signal: 9"),
        ("chatty", "chatty witness"),
        ("silent", "EOF"),
        ("elsewhere", "it is the prestate 0x03d246"),
    ] {
        let error = External::open(case.options(program), &case.inputs).unwrap_err().to_string();
        assert!(error.contains(want), "{program}: {error}");
    }
    // A server that lacks a preimage ends the run; the state it stopped at has not exited.
    let store = case.folder.path(&format!("{}/preimages", case.inputs.context));
    fs::remove_dir_all(&store).unwrap();
    let mut lacking = External::open(case.options("cannon"), &case.inputs).unwrap();
    let error = lacking.state_hash(u64::MAX - 1).unwrap_err();
    assert!(matches!(error, TraceError::External(_)), "{error}");
}

/// Programs that know the prestate, and then do not do their work.
#[test]
fn a_program_that_hangs_is_ended() {
    let Some(case) = case() else { return };
    let witness = r#"[ $1 = witness ] && exec $REAL "$@""#;
    case.script("slow", &format!("{witness}\nexec sleep 600"));
    case.script("lazy", witness);
    let begin = std::time::Instant::now();
    let mut options = case.options("slow");
    options.time_limit = Some(Duration::from_millis(400));
    // Reading the prestate takes the real program its time.
    let progress = Arc::clone(&options.progress);
    let mut slow =
        External::open(ExternalOptions { time_limit: None, ..options.clone() }, &case.inputs)
            .unwrap();
    progress.stop();
    let error = slow.state_hash(9).unwrap_err().to_string();
    assert!(error.contains("interrupted"), "{error}");
    case.script("slow", "exec sleep 600");
    options.progress = Arc::default();
    let error = External::open(options, &case.inputs).unwrap_err().to_string();
    assert!(error.contains("not done after"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(300), "nobody waited for it");
    let mut lazy = External::open(case.options("lazy"), &case.inputs).unwrap();
    assert!(lazy.state_hash(9).is_err(), "neither a proof nor a last state");
}

/// A program that runs another prestate than it says: its states fit together, and are not those of the game.
#[test]
fn a_program_that_lies_is_not_believed() {
    let Some(case) = case() else { return };
    let rollup = case.folder.path("rollup.json");
    let other =
        fs::read_to_string(&rollup).unwrap().replacen("\"block_time\":", "\"block_time\": ", 1);
    let other = other.replacen("\"seq_window_size\":", "\"seq_window_size\":1", 1);
    let other = case.folder.file("other.json", other.as_bytes());
    let out = case.folder.path("other.bin.gz");
    rebut(&["prestate", "build", "--rollup-config", &other, "--out", &out]).succeeds();
    // The first argument is the command, the third the state to start from.
    case.script(
        "liar",
        &format!(
            "[ $1 = witness ] && exec $REAL \"$@\"\nshift 3\nexec $REAL run --input {out} \"$@\""
        ),
    );
    let mut alone = External::open(case.options("liar"), &case.inputs).unwrap();
    let error = alone.state_hash(1).unwrap_err().to_string();
    assert!(error.contains("the state before the step is wrong"), "{error}");
    // Further on only somebody who executes as well can tell.
    let mut alone = External::open(case.options("liar"), &case.inputs).unwrap();
    assert!(alone.state_hash(1000).is_ok());
    let mut checked = case.checked("liar");
    let error = checked.state_hash(1000).unwrap_err();
    assert!(matches!(error, TraceError::Disagreement { .. }), "{error}");
    assert!(matches!(checked.step_data(1000), Err(TraceError::Disagreement { .. })));

    let mut checked = case.checked("cannon");
    let mut own = case.own();
    // The proofs of the liar lie where the honest program would put its own.
    let proofs = case.folder.path(&format!("{}/proofs", case.inputs.context));
    fs::remove_dir_all(&proofs).unwrap();
    fs::create_dir(&proofs).unwrap();
    assert_eq!(checked.state_hash(1000).unwrap(), own.state_hash(1000).unwrap());
    assert_eq!(checked.step_data(1000).unwrap(), own.step_data(1000).unwrap());
}
