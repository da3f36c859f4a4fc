//! A trace by one pass of a machine in this process.
//!
//! The first question runs the program to its end, once. On the way snapshots are taken at equal distances;
//! when there are too many, or they hold too much memory, every second one is dropped and the distance
//! doubles. A later question runs from the nearest snapshot before it, and leaves one behind: a
//! bisection, whose questions fall into ever smaller halves, re-runs no more than one distance in
//! all.
//!
//! ```text
//!   pass      0 ────┴────┴────┴────┴────┴────┴────┴──── exit
//!   question                   └──► ├─► ├►
//! ```
//!
//! Nothing of a trace is kept on disk but preimages, which are verified when they are read: after a restart the
//! program is run again, and no file can make this side claim a wrong state.

use super::super::TraceError;
use super::evidence::part_of;
use super::machine::{Loaded, VmError, VmRead};
use super::{Executions, Report, RunInputs, StateTrace};
use alloy_primitives::B256;
use rebut_dispute::StepData;
use rebut_fpvm::memory::PAGE_BYTES;
use rebut_fpvm::{Machine, Snapshot, StepError, Until, Vm};
use rebut_preimage::PreimageOracle;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Steps between two snapshots of a trace that is short.
const FIRST_DISTANCE: u64 = 1 << 20;
/// Steps between two looks at the clock and at whether to go on.
const SLICE: u64 = 1 << 24;
/// Snapshots that questions leave behind: more than the levels of a tree.
const RECENT: usize = 64;

/// Bounds on what a trace keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Snapshots of the pass, at least 2.
    pub snapshots: usize,
    /// Bytes of guest memory that they may hold, of which the prestate and the state at the end always stay.
    pub snapshot_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { snapshots: 128, snapshot_bytes: 1 << 30 }
    }
}

/// Where a run is, for those who wait, and a way to end it.
#[derive(Debug, Default)]
pub struct Progress {
    step: AtomicU64,
    stop: AtomicBool,
}

impl Progress {
    /// The step that the machine has reached, as of a moment ago.
    pub fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// Ends the run soon, with [`TraceError::Interrupted`]. Runs that come later end at once.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether runs are to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn at(&self, step: u64) -> Result<(), TraceError> {
        self.step.store(step, Ordering::Relaxed);
        match self.is_stopped() {
            true => Err(TraceError::Interrupted { step }),
            false => Ok(()),
        }
    }
}

/// What answers a program, on one thread after the other.
pub type Oracle = Box<dyn PreimageOracle + Send>;

/// A trace, and what is known of it.
pub struct Run<V: Vm> {
    vm: Loaded<V>,
    oracle: Oracle,
    limits: Limits,
    progress: Arc<Progress>,
    /// Of the pass, by step; never the prestate, which the machine has.
    grid: BTreeMap<u64, Snapshot<V>>,
    distance: u64,
    /// Left behind by questions, the oldest first.
    recent: VecDeque<(u64, Snapshot<V>)>,
    end: Option<End>,
    hashes: BTreeMap<u64, B256>,
    executed: u64,
    time: Duration,
}

/// The exited state.
#[derive(Clone, Debug)]
struct End {
    step: u64,
    hash: B256,
    witness: Vec<u8>,
    memory_bytes: u64,
}

impl<V: Vm> std::fmt::Debug for Run<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("report", &self.known()).finish_non_exhaustive()
    }
}

/// A machine that runs, and the books.
struct Session<'r, 'o, V: Vm> {
    machine: Machine<'o, V>,
    progress: &'r Progress,
    executed: &'r mut u64,
}

impl<V: Vm> Session<'_, '_, V> {
    fn step(&self) -> u64 {
        self.machine.registers().step
    }

    fn is_exited(&self) -> bool {
        self.machine.registers().exited
    }

    /// Runs to a step, or to the exit.
    fn run(&mut self, step: u64) -> Result<(), TraceError> {
        while self.step() < step && !self.is_exited() {
            let before = self.step();
            self.progress.at(before)?;
            let result = self.machine.run(Until::step(step.min(before.saturating_add(SLICE))));
            *self.executed += self.step().saturating_sub(before);
            result.map_err(|error| VmError::at(self.step(), error))?;
        }
        Ok(())
    }
}

/// Bytes of memory that `snapshot` holds and `other` does not.
fn bytes_beyond<V: Vm>(snapshot: &Snapshot<V>, other: Option<&Snapshot<V>>) -> u64 {
    let memory = snapshot.memory();
    let pages = match other {
        Some(other) => memory.unshared_pages(other.memory()),
        None => memory.page_count(),
    };
    (pages * PAGE_BYTES) as u64
}

/// Bytes that snapshots hold together, at most, given in the order of their steps.
fn weight<'s, V: Vm>(snapshots: impl Iterator<Item = &'s Snapshot<V>>) -> u64 {
    let mut previous = None;
    snapshots.map(|next| bytes_beyond(next, previous.replace(next))).sum()
}

impl<V: Vm> Run<V> {
    /// A trace of which nothing is known yet.
    pub fn new(vm: Loaded<V>, oracle: Oracle, limits: Limits, progress: Arc<Progress>) -> Self {
        Self {
            vm,
            oracle,
            limits,
            progress,
            grid: BTreeMap::new(),
            distance: FIRST_DISTANCE,
            recent: VecDeque::new(),
            end: None,
            hashes: BTreeMap::new(),
            executed: 0,
            time: Duration::ZERO,
        }
    }

    fn known(&self) -> Report {
        Report {
            length: self.end.as_ref().map(|end| end.step),
            executed: self.executed,
            time: self.time,
            memory_bytes: self.end.as_ref().map(|end| end.memory_bytes),
            snapshots: self.grid.len() + self.recent.len(),
            snapshot_bytes: self.held(),
        }
    }

    /// Bytes that snapshots hold, at most.
    fn held(&self) -> u64 {
        let recent = self.recent.iter().map(|(at, snapshot)| (*at, snapshot));
        let grid = self.grid.iter().map(|(at, snapshot)| (*at, snapshot));
        let mut all: Vec<(u64, &Snapshot<V>)> = grid.chain(recent).collect();
        all.sort_by_key(|(at, _)| *at);
        weight(all.into_iter().map(|(_, snapshot)| snapshot))
    }

    /// Runs the program to its end, unless that is known.
    fn finish(&mut self) -> Result<&End, TraceError> {
        if self.end.is_none() {
            let started = Instant::now();
            let resumed = !self.grid.is_empty();
            let result = self.pass();
            self.time += started.elapsed();
            self.end = Some(self.checked(result, resumed)?);
        }
        self.end.as_ref().ok_or(TraceError::Interrupted { step: 0 })
    }

    fn pass(&mut self) -> Result<End, TraceError> {
        let mut session = Session {
            machine: self.vm.boot(&mut self.oracle),
            progress: &self.progress,
            executed: &mut self.executed,
        };
        // A pass that failed goes on where it has been.
        if let Some((_, last)) = self.grid.last_key_value() {
            session.machine.restore(last);
        }
        let mut held = 0;
        while !session.is_exited() {
            let next = (session.step() / self.distance + 1).saturating_mul(self.distance);
            session.run(next)?;
            if session.is_exited() {
                break;
            }
            let snapshot = session.machine.snapshot();
            held += bytes_beyond(&snapshot, self.grid.last_key_value().map(|(_, last)| last));
            self.grid.insert(session.step(), snapshot);
            let most = self.limits.snapshots.max(2);
            while self.grid.len() > 1
                && (self.grid.len() > most || held > self.limits.snapshot_bytes)
            {
                self.distance = self.distance.saturating_mul(2);
                let distance = self.distance;
                self.grid.retain(|at, _| at.is_multiple_of(distance));
                held = weight(self.grid.values());
            }
        }
        let step = session.step();
        session.progress.at(step)?;
        let witness = session.machine.witness();
        let memory_bytes = (session.machine.memory().page_count() * PAGE_BYTES) as u64;
        Ok(End { step, hash: session.machine.state_hash(), witness: witness.0, memory_bytes })
    }

    /// Runs to a step that is before the exit, and asks the machine there.
    fn at<T>(
        &mut self,
        step: u64,
        ask: impl FnOnce(&mut Machine<'_, V>) -> Result<T, StepError>,
    ) -> Result<T, TraceError> {
        let started = Instant::now();
        let nearest = self.nearest(step);
        let result = self.ask(nearest, step, ask);
        self.time += started.elapsed();
        let (answer, snapshot) = self.checked(result, nearest.is_some())?;
        if let Some(snapshot) = snapshot {
            self.recent.push_back((step, snapshot));
            while self.recent.len() > 1
                && (self.recent.len() > RECENT || self.held() > self.limits.snapshot_bytes)
            {
                self.recent.pop_front();
            }
        }
        Ok(answer)
    }

    /// The step of the last snapshot that is not behind `step`.
    fn nearest(&self, step: u64) -> Option<u64> {
        let on_grid = self.grid.range(..=step).next_back().map(|(at, _)| *at);
        let recent = self.recent.iter().map(|(at, _)| *at).filter(|at| *at <= step);
        recent.chain(on_grid).max()
    }

    fn ask<T>(
        &mut self,
        from: Option<u64>,
        step: u64,
        ask: impl FnOnce(&mut Machine<'_, V>) -> Result<T, StepError>,
    ) -> Result<(T, Option<Snapshot<V>>), TraceError> {
        let mut session = Session {
            machine: self.vm.boot(&mut self.oracle),
            progress: &self.progress,
            executed: &mut self.executed,
        };
        if let Some(from) = from {
            let recent = self.recent.iter().find(|(at, _)| *at == from).map(|(_, there)| there);
            if let Some(snapshot) = recent.or_else(|| self.grid.get(&from)) {
                session.machine.restore(snapshot);
            }
        }
        session.run(step)?;
        let is_new = from != Some(step) && step > 0;
        let snapshot = is_new.then(|| session.machine.snapshot());
        let answer = ask(&mut session.machine).map_err(|error| VmError::at(step, error))?;
        Ok((answer, snapshot))
    }

    /// An oracle that fails a run which began at a snapshot may lack a hint that was given before it: the
    /// next run starts from the prestate.
    fn checked<T>(
        &mut self,
        result: Result<T, TraceError>,
        resumed: bool,
    ) -> Result<T, TraceError> {
        if resumed && matches!(result, Err(TraceError::Vm(VmError::Oracle { .. }))) {
            self.grid.clear();
            self.recent.clear();
        }
        result
    }
}

impl<V: Vm> StateTrace for Run<V>
where
    V::Version: Send,
    V::Processor: Send + Sync,
{
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError> {
        let end = self.finish()?;
        if steps >= end.step {
            return Ok(end.hash);
        }
        if let Some(hash) = self.hashes.get(&steps) {
            return Ok(*hash);
        }
        let hash = self.at(steps, |machine| Ok(machine.state_hash()))?;
        self.hashes.insert(steps, hash);
        Ok(hash)
    }

    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError> {
        let end = self.finish()?;
        if steps >= end.step {
            // The exited state stays as it is; the verifier looks at nothing else.
            let prestate = end.witness.clone();
            return Ok(StepData { prestate, proof: Vec::new(), preimage: None });
        }
        let proof = self.at(steps, |machine| machine.prove_step())?;
        let preimage = match proof.preimage {
            Some(read) => {
                let data = read.value.get(8..).unwrap_or_default().to_vec();
                let read = VmRead { key: read.key, data, offset: read.offset };
                Some(part_of(read, &mut self.oracle)?)
            }
            None => None,
        };
        Ok(StepData { prestate: proof.state_data.0, proof: proof.proof_data, preimage })
    }

    fn report(&self) -> Report {
        self.known()
    }
}

/// Gives the oracle of a run.
type Oracles = Box<dyn FnMut(&RunInputs) -> Result<Oracle, TraceError> + Send>;

/// Traces of one prestate by a machine of this process.
pub struct InProcess<V: Vm> {
    vm: Loaded<V>,
    oracles: Oracles,
    limits: Limits,
    progress: Arc<Progress>,
}

impl<V: Vm> std::fmt::Debug for InProcess<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcess").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl<V: Vm> InProcess<V> {
    /// Runs a machine from `vm` for each trace. `oracles` gives the oracle that answers its program.
    pub fn new(
        vm: Loaded<V>,
        limits: Limits,
        progress: Arc<Progress>,
        oracles: impl FnMut(&RunInputs) -> Result<Oracle, TraceError> + Send + 'static,
    ) -> Self {
        Self { vm, oracles: Box::new(oracles), limits, progress }
    }
}

impl<V: Vm + 'static> Executions for InProcess<V>
where
    V::Version: Send,
    V::Processor: Send + Sync,
{
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        let oracle = (self.oracles)(inputs)?;
        let progress = Arc::clone(&self.progress);
        Ok(Box::new(Run::new(self.vm.clone(), oracle, self.limits, progress)))
    }
}
