//! A trace by a program that is called like the deployed `cannon`, through its files.
//!
//! ```text
//!   <dir>/proofs/<i>.json.gz       proof of the instruction behind i others
//!   <dir>/snapshots/<n>.bin.gz     states that later runs start from
//!   <dir>/preimages/               the store of the preimage server
//!   <dir>/final.bin.gz             the last state of a run
//! ```
//!
//! The folder is a cache of that program. What is read from it is checked as far as this side can without a
//! machine of its own: the prestate is that of the game, a packed state must hash to the state hash beside it and hold
//! the step that it is the proof of, and a proof must begin where the one before it ended. Whether the states are right
//! is that program's word, unless a second engine has to agree, see [`CrossChecked`](super::CrossChecked).
//!
//! Source: the deployed challenger's calls of `cannon` and `asterisc`.

use super::evidence::part_of;
use super::machine::VmRead;
use super::{Executions, Progress, Report, RunInputs, StateTrace};
use crate::trace::TraceError;
use alloy_primitives::{B256, Bytes, keccak256};
use flate2::read::MultiGzDecoder;
use rebut_dispute::StepData;
use rebut_fpvm::witness::{mips64, riscv};
use rebut_preimage::{StoreOracle, store::DirectoryStore};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest proof file, unpacked: a preimage of 64 MiB in hexadecimal.
const PROOF_LIMIT_BYTES: u64 = 160 << 20;
/// Longest answer of `witness`.
const WITNESS_LIMIT_BYTES: u64 = 1 << 20;
/// How often a running program is looked at.
const TICK: Duration = Duration::from_millis(20);
/// What `cannon` exits with when its machine faults.
const EXIT_PANIC: i32 = 2;

/// What differs between the programs that can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Length of a packed state, in bytes.
    state_bytes: usize,
    /// Where it has the step counter.
    step_offset: usize,
    /// Whether the program writes what its run took.
    debug_info: bool,
}

impl Dialect {
    /// `cannon`, with 64-bit states.
    pub const CANNON: Self = Self {
        state_bytes: mips64::STATE_BYTES,
        step_offset: mips64::STEP_OFFSET,
        debug_info: true,
    };
    /// `asterisc`.
    pub const ASTERISC: Self = Self {
        state_bytes: riscv::STATE_BYTES,
        step_offset: riscv::STEP_OFFSET,
        debug_info: false,
    };
}

/// Why the program gave no answer, or one that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExternalError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file, or the answer of `witness`, is not what it should be.
    #[error("{}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file is longer than any of its kind.
    #[error("{}: longer than {limit_bytes} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },
    /// The program failed.
    #[error("{program} {command}: {status}", program = program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// Its command.
        command: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
    /// The machine inside the program faulted.
    #[error("{program}: the machine panicked", program = program.display())]
    Panic {
        /// The program.
        program: PathBuf,
    },
    /// The program took too long and was ended.
    #[error("{program}: not done after {seconds} s", program = program.display())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The limit.
        seconds: u64,
    },
    /// The prestate's file is not that of the game.
    #[error("{}: the program says that it is the prestate {found}, not {wanted}", path.display())]
    Prestate {
        /// The file.
        path: PathBuf,
        /// What the program says.
        found: B256,
        /// The game's.
        wanted: B256,
    },
    /// The run was ended from outside.
    #[error("{program} was interrupted", program = program.display())]
    Interrupted {
        /// The program.
        program: PathBuf,
    },
    /// The run ended before the step that it should prove, and the machine has not exited.
    #[error("no proof of step {step}, and the last state, at step {last}, has not exited")]
    NoProof {
        /// The step.
        step: u64,
        /// Where the run ended.
        last: u64,
    },
    /// A proof that contradicts itself, another one, or its name.
    #[error("{}: {what} is wrong", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
}

/// Gives the command of the preimage server for a trace and the folder of its store.
pub type ServerCommand = Arc<dyn Fn(&RunInputs, &Path) -> Vec<OsString> + Send + Sync>;

/// How the program is called.
#[derive(Clone)]
pub struct ExternalOptions {
    /// The program.
    pub program: PathBuf,
    /// How it speaks.
    pub dialect: Dialect,
    /// The absolute prestate's file.
    pub prestate: PathBuf,
    /// Its hash.
    pub absolute_prestate: B256,
    /// Folder of all traces; each has one of its own in it, named by its context.
    pub folder: PathBuf,
    /// Steps between two snapshots.
    pub snapshot_distance: u64,
    /// Steps between two lines in the program's log.
    pub info_distance: u64,
    /// Most time of one run; none for no limit.
    pub time_limit: Option<Duration>,
    /// A way to end runs.
    pub progress: Arc<Progress>,
    /// The preimage server.
    pub server: ServerCommand,
}

impl std::fmt::Debug for ExternalOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExternalOptions")
            .field("program", &self.program)
            .field("prestate", &self.prestate)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

impl Executions for ExternalOptions {
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        Ok(Box::new(External::open(self.clone(), inputs)?))
    }
}

/// One trace in its folder.
#[derive(Debug)]
pub struct External {
    options: ExternalOptions,
    folder: PathBuf,
    server: Vec<OsString>,
    /// Hash and packed state of the absolute prestate.
    prestate: Witness,
    /// The exited state, once a run has reached it.
    end: Option<Witness>,
    /// State hashes by the number of steps before them.
    known: BTreeMap<u64, B256>,
    time: Duration,
    executed: u64,
}

/// What `witness` prints, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Witness {
    #[serde(alias = "stateHash")]
    witness_hash: B256,
    witness: Bytes,
    step: u64,
    exited: bool,
}

/// A proof file, as far as it is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ProofFile {
    #[serde(default)]
    pre: Option<B256>,
    post: B256,
    state_data: Bytes,
    proof_data: Bytes,
    #[serde(default)]
    oracle_key: Option<B256>,
    #[serde(default)]
    oracle_value: Option<Bytes>,
    #[serde(default)]
    oracle_offset: u64,
}

impl External {
    /// Opens the folder of a trace, makes it where there is none, and reads the prestate.
    ///
    /// # Errors
    /// [`ExternalError`].
    pub fn open(options: ExternalOptions, inputs: &RunInputs) -> Result<Self, ExternalError> {
        let folder = options.folder.join(inputs.context.to_string());
        for part in ["proofs", "snapshots", "preimages"] {
            let path = folder.join(part);
            std::fs::create_dir_all(&path)
                .map_err(|source| ExternalError::Io { path: path.clone(), source })?;
        }
        let server = (options.server)(inputs, &folder.join("preimages"));
        let prestate = witness(&options, &options.prestate)?;
        let (found, wanted) = (prestate.witness_hash, options.absolute_prestate);
        if found != wanted {
            return Err(ExternalError::Prestate { path: options.prestate, found, wanted });
        }
        Ok(Self {
            options,
            folder,
            server,
            known: BTreeMap::from([(prestate.step, prestate.witness_hash)]),
            prestate,
            end: None,
            time: Duration::ZERO,
            executed: 0,
        })
    }

    /// The proof of the instruction behind `step` others; none where the program has exited before.
    fn proof(&mut self, step: u64) -> Result<Option<ProofFile>, ExternalError> {
        if self.end.as_ref().is_some_and(|end| step >= end.step) {
            return Ok(None);
        }
        let path = self.folder.join(format!("proofs/{step}.json.gz"));
        let proof = match read_proof(&path)? {
            Some(proof) => Some(proof),
            None => {
                self.run(step)?;
                read_proof(&path)?
            }
        };
        let Some(proof) = proof else {
            let end = witness(&self.options, &self.folder.join("final.bin.gz"))?;
            if !end.exited || end.step > step {
                return Err(ExternalError::NoProof { step, last: end.step });
            }
            self.end = Some(end);
            return Ok(None);
        };
        self.check(step, &proof, &path)?;
        Ok(Some(proof))
    }

    fn check(&mut self, step: u64, proof: &ProofFile, path: &Path) -> Result<(), ExternalError> {
        let wrong = |what| ExternalError::Wrong { path: path.into(), what };
        let digest = keccak256(&proof.state_data);
        let is_hash = |hash: &B256| hash[1..] == digest[1..];
        if proof.pre.is_some_and(|pre| !is_hash(&pre)) {
            return Err(wrong("the hash of the packed state"));
        }
        if self.known.get(&step).is_some_and(|known| !is_hash(known)) {
            return Err(wrong("the state before the step"));
        }
        let next = step.saturating_add(1);
        if self.known.get(&next).is_some_and(|known| *known != proof.post) {
            return Err(wrong("the state after the step"));
        }
        let Dialect { state_bytes, step_offset, .. } = self.options.dialect;
        if proof.state_data.len() != state_bytes {
            return Err(wrong("the length of the packed state"));
        }
        if proof.state_data.get(step_offset..step_offset + 8) != Some(&step.to_be_bytes()) {
            return Err(wrong("the step of the packed state"));
        }
        if proof.post.is_zero() {
            return Err(wrong("the state after the step"));
        }
        self.known.insert(next, proof.post);
        Ok(())
    }

    /// Runs the program until it has proven the instruction behind `step` others, or to its exit.
    fn run(&mut self, step: u64) -> Result<(), ExternalError> {
        let started = Instant::now();
        let (from, input) = self.start(step)?;
        let file = |name: &str| self.folder.join(name).into_os_string();
        let mut command = Command::new(&self.options.program);
        let distance = |n: u64| format!("%{n}");
        command.arg("run").arg("--input").arg(input).arg("--output").arg(file("final.bin.gz"));
        command.args(["--meta", ""]);
        command.args(["--info-at", &distance(self.options.info_distance)]);
        command.args(["--proof-at", &format!("={step}")]);
        command.arg("--proof-fmt").arg(file("proofs/%d.json.gz"));
        command.args(["--snapshot-at", &distance(self.options.snapshot_distance)]);
        command.arg("--snapshot-fmt").arg(file("snapshots/%d.bin.gz"));
        if let Some(stop) = step.checked_add(1) {
            command.args(["--stop-at", &format!("={stop}")]);
        }
        if self.options.dialect.debug_info {
            command.arg("--debug-info").arg(file("preimages/debug-info.json"));
        }
        command.arg("--").args(&self.server);
        let result = finish(&self.options, "run", command.stdin(Stdio::null()));
        self.time += started.elapsed();
        result?;
        self.executed = self.executed.saturating_add(step.saturating_add(1).saturating_sub(from));
        Ok(())
    }

    /// The state to start from: the last snapshot before `step`, or the prestate.
    fn start(&self, step: u64) -> Result<(u64, PathBuf), ExternalError> {
        let folder = self.folder.join("snapshots");
        let failed = |source| ExternalError::Io { path: folder.clone(), source };
        let mut best = None;
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".bin.gz"));
            let number = number.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
            let Some(at) = number.and_then(|digits| digits.parse::<u64>().ok()) else { continue };
            if at > 0 && at < step && best.as_ref().is_none_or(|(there, _)| *there < at) {
                best = Some((at, entry.path()));
            }
        }
        Ok(best.unwrap_or_else(|| (self.prestate.step, self.options.prestate.clone())))
    }
}

impl StateTrace for External {
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError> {
        if let Some(known) = self.known.get(&steps) {
            return Ok(*known);
        }
        let Some(before) = steps.checked_sub(1) else { return Ok(self.prestate.witness_hash) };
        match self.proof(before)? {
            Some(proof) => Ok(proof.post),
            None => {
                Ok(self.end.as_ref().map_or(self.prestate.witness_hash, |end| end.witness_hash))
            }
        }
    }

    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError> {
        let Some(proof) = self.proof(steps)? else {
            let end = self.end.as_ref().unwrap_or(&self.prestate);
            let prestate = end.witness.to_vec();
            return Ok(StepData { prestate, proof: Vec::new(), preimage: None });
        };
        let preimage = match (proof.oracle_key, &proof.oracle_value) {
            (Some(key), Some(value)) => {
                let data = value.get(8..).unwrap_or_default().to_vec();
                let read = VmRead { key, data, offset: proof.oracle_offset };
                let store = DirectoryStore::open(self.folder.join("preimages"))
                    .map_err(TraceError::Store)?;
                Some(part_of(read, &mut StoreOracle(store))?)
            }
            _ => None,
        };
        let (prestate, proof) = (proof.state_data.to_vec(), proof.proof_data.to_vec());
        Ok(StepData { prestate, proof, preimage })
    }

    fn report(&self) -> Report {
        Report {
            length: self.end.as_ref().map(|end| end.step),
            executed: self.executed,
            time: self.time,
            ..Report::default()
        }
    }
}

/// The witness of a state file, as the program prints it, checked against its hash.
fn witness(options: &ExternalOptions, path: &Path) -> Result<Witness, ExternalError> {
    let mut command = Command::new(&options.program);
    command.arg("witness").arg("--input").arg(path).stdin(Stdio::null());
    let answer = finish(options, "witness", command.stdout(Stdio::piped()))?;
    let witness: Witness = serde_json::from_slice(&answer)
        .map_err(|source| ExternalError::Json { path: path.into(), source })?;
    if keccak256(&witness.witness)[1..] != witness.witness_hash[1..] {
        return Err(ExternalError::Wrong { path: path.into(), what: "the hash of the witness" });
    }
    Ok(witness)
}

/// Runs a command to its end: what it prints, where that is piped.
fn finish(
    options: &ExternalOptions,
    name: &'static str,
    command: &mut Command,
) -> Result<Vec<u8>, ExternalError> {
    let program = || options.program.clone();
    let failed = |source| ExternalError::Io { path: options.program.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    // A short answer fits into the pipe; whoever prints without end meets the limit and a closed pipe.
    let reader = child.stdout.take().map(|out| {
        std::thread::spawn(move || {
            let mut answer = Vec::new();
            out.take(WITNESS_LIMIT_BYTES).read_to_end(&mut answer).map(|_| answer)
        })
    });
    let status = match wait(&mut child, options).map_err(failed)? {
        Ended::Alone(status) => status,
        Ended::TooLate => {
            let seconds = options.time_limit.unwrap_or_default().as_secs();
            return Err(ExternalError::TimedOut { program: program(), seconds });
        }
        Ended::Stopped => return Err(ExternalError::Interrupted { program: program() }),
    };
    if !status.success() {
        return Err(match status.code() {
            Some(EXIT_PANIC) => ExternalError::Panic { program: program() },
            _ => ExternalError::Failed { program: program(), command: name, status },
        });
    }
    match reader.map(std::thread::JoinHandle::join) {
        Some(Ok(answer)) => answer.map_err(failed),
        Some(Err(_)) | None => Ok(Vec::new()),
    }
}

/// How a child ended.
enum Ended {
    Alone(ExitStatus),
    TooLate,
    Stopped,
}

/// Waits for the end of a child; ends it when that takes too long, or when nobody wants its answer any more.
fn wait(child: &mut Child, options: &ExternalOptions) -> std::io::Result<Ended> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::Alone(status));
        }
        let is_late = options.time_limit.is_some_and(|limit| started.elapsed() >= limit);
        if is_late || options.progress.is_stopped() {
            child.kill()?;
            child.wait()?;
            return Ok(if is_late { Ended::TooLate } else { Ended::Stopped });
        }
        std::thread::sleep(TICK);
    }
}

/// Reads a proof file; none where there is no such file.
fn read_proof(path: &Path) -> Result<Option<ProofFile>, ExternalError> {
    let failed = |source| ExternalError::Io { path: path.into(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut text = Vec::new();
    let mut limited = MultiGzDecoder::new(file).take(PROOF_LIMIT_BYTES.saturating_add(1));
    limited.read_to_end(&mut text).map_err(failed)?;
    if text.len() as u64 > PROOF_LIMIT_BYTES {
        let limit_bytes = PROOF_LIMIT_BYTES;
        return Err(ExternalError::TooLarge { path: path.into(), limit_bytes });
    }
    let proof = serde_json::from_slice(&text);
    proof.map(Some).map_err(|source| ExternalError::Json { path: path.into(), source })
}
