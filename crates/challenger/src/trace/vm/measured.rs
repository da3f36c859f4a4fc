//! What executions take, for the outside: in the metrics of this process, and in a file beside the caches of a game.
//!
//! The file is a note for people, `rebut game show` reads it; nothing depends on it. It adds up all lives of an agent.

use super::super::{TraceError, Work};
use super::{Executions, Report, RunInputs, StateTrace};
use alloy_primitives::B256;
use metrics::{gauge, histogram};
use rebut_dispute::StepData;
use rebut_preimage::store::replace;
use serde::{Deserialize, Serialize};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The name of the file in the folder of a game.
const FILE: &str = "work.json";

/// The work on a game's traces, as it is noted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Note {
    traces: u32,
    instructions: u64,
    executed: u64,
    trace_milliseconds: u64,
}

/// Where work is noted, and how much was noted before.
#[derive(Debug)]
struct Book {
    file: PathBuf,
    work: Work,
}

/// Executions that are measured.
pub struct Measured {
    inner: Box<dyn Executions>,
    vm: String,
    book: Option<Arc<Mutex<Book>>>,
}

struct Trace {
    inner: Box<dyn StateTrace>,
    vm: String,
    book: Option<Arc<Mutex<Book>>>,
    /// As of the last look.
    seen: Report,
}

/// Whether a file in the folder of a game is the note.
pub fn is_note(name: &OsStr) -> bool {
    name == FILE
}

/// The work that was noted in the folder of a game; none where nothing was.
pub fn noted(folder: &Path) -> Option<Work> {
    let text = std::fs::read(folder.join(FILE)).ok()?;
    let note: Note = serde_json::from_slice(&text).ok()?;
    Some(Work {
        traces: note.traces,
        longest: note.instructions,
        executed: note.executed,
        time: Duration::from_millis(note.trace_milliseconds),
    })
}

impl Measured {
    /// Executions of the machine `vm`, as metrics call it. They are noted in `folder`, where one is given.
    pub fn new(inner: Box<dyn Executions>, vm: String, folder: Option<&Path>) -> Self {
        let book = folder.map(|folder| Book {
            file: folder.join(FILE),
            work: noted(folder).unwrap_or_default(),
        });
        Self { inner, vm, book: book.map(|book| Arc::new(Mutex::new(book))) }
    }
}

impl Executions for Measured {
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        let inner = self.inner.open(inputs)?;
        let (vm, book) = (self.vm.clone(), self.book.clone());
        Ok(Box::new(Trace { inner, vm, book, seen: Report::default() }))
    }
}

impl Trace {
    /// Shows what was done since the last look.
    fn look(&mut self) {
        let report = self.inner.report();
        let seen = std::mem::replace(&mut self.seen, report);
        let executed = report.executed.saturating_sub(seen.executed);
        if executed == 0 {
            return;
        }
        let time = report.time.saturating_sub(seen.time);
        let vm = || self.vm.clone();
        histogram!("op_challenger_vm_execution_time", "vm" => vm()).record(time.as_secs_f64());
        if let Some(length) = report.length.filter(|_| seen.length.is_none()) {
            gauge!("op_challenger_vm_step_count", "vm" => vm()).set(length as f64);
        }
        if let Some(bytes) = report.memory_bytes.filter(|_| seen.memory_bytes.is_none()) {
            histogram!("op_challenger_vm_memory_used", "vm" => vm()).record(bytes as f64);
        }
        let Some(book) = &self.book else { return };
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        let work = &mut book.work;
        work.traces = work.traces.saturating_add(u32::from(seen.executed == 0));
        work.longest = work.longest.max(report.length.unwrap_or(0));
        work.executed = work.executed.saturating_add(executed);
        work.time = work.time.saturating_add(time);
        book.write();
    }
}

impl Book {
    fn write(&self) {
        let note = Note {
            traces: self.work.traces,
            instructions: self.work.longest,
            executed: self.work.executed,
            trace_milliseconds: self.work.time.as_millis() as u64,
        };
        let folder = self.file.parent().map(std::fs::create_dir_all).transpose();
        let written = folder.map_err(|error| error.to_string()).and_then(|_| {
            let text = serde_json::to_vec(&note).map_err(|error| error.to_string())?;
            replace(&self.file, |file| file.write_all(&text)).map_err(|error| error.to_string())
        });
        if let Err(error) = written {
            tracing::warn!(file = %self.file.display(), error, "cannot note the trace work");
        }
    }
}

impl StateTrace for Trace {
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError> {
        let answer = self.inner.state_hash(steps);
        self.look();
        answer
    }

    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError> {
        let answer = self.inner.step_data(steps);
        self.look();
        answer
    }

    fn report(&self) -> Report {
        self.inner.report()
    }
}
