//! A machine: a state, the host beside it, and the ways of running it.
//!
//! The order of calls: any; a machine may be stepped, run, hashed, proven, saved and restored at every
//! step. After an error the state is as it was before the failed step, so that the step can be tried
//! again, for example once the oracle has its preimage.

use super::error::{Fault, StepError};
use super::fast::Blocks;
use super::state::{Cpu, QUANTUM, Registers, State, Thread};
use super::stats::Stats;
use super::step::{Step, invalidate};
use crate::isa::{Op, Word};
use crate::kernel::host::{Host, Output};
use crate::memory::{Memory, MemorySnapshot};
use crate::witness::{
    MEMORY_PROOF_BYTES, MemoryProof, PROOF_BYTES, PreimageRead, StateWitness, StepProof,
    thread_proof,
};
use alloy_primitives::B256;
use rebut_preimage::PreimageOracle;

/// Takes the proofs of a step's memory accesses, each before the access changes anything. Does nothing
/// unless a proof was asked for.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Option<Box<[MemoryProof; 2]>>);

impl Recorder {
    #[inline(always)]
    pub(crate) fn first(&mut self, memory: &mut Memory, aligned: u64) {
        self.record(0, memory, aligned);
    }

    pub(crate) fn second(&mut self, memory: &mut Memory, aligned: u64) {
        self.record(1, memory, aligned);
    }

    #[inline(always)]
    fn record(&mut self, slot: usize, memory: &mut Memory, aligned: u64) {
        if let Some(proofs) = &mut self.0 {
            proofs[slot] = memory.prove(aligned);
        }
    }
}

/// Where to stop a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// Stop before executing the step with this counter.
    pub step: u64,
    /// Stop behind each step that reads a preimage.
    pub preimage_read: bool,
}

impl Until {
    /// Run to the exit of the program.
    pub const EXIT: Self = Self { step: u64::MAX, preimage_read: false };

    /// Run until the step counter has this value, or to the exit.
    pub const fn step(step: u64) -> Self {
        Self { step, preimage_read: false }
    }
}

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The program has exited with this code.
    Exited(u8),
    /// The step counter has the wanted value.
    Step,
    /// The last step read a preimage.
    PreimageRead,
}

/// A state at some step, sharing its pages with the machine it was taken from.
#[derive(Clone, Debug)]
pub struct Snapshot {
    registers: Registers,
    memory: MemorySnapshot,
}

impl Snapshot {
    /// The step counter of the saved state.
    pub const fn step(&self) -> u64 {
        self.registers.step
    }
}

/// A multithreaded 64-bit Cannon machine.
#[derive(Debug)]
pub struct Machine<'h> {
    pub(crate) state: State,
    pub(crate) host: Host<'h>,
    pub(crate) stats: Stats,
    pub(crate) recorder: Recorder,
    pub(crate) blocks: Blocks,
}

impl<'h> Machine<'h> {
    /// A machine in the given state. `oracle` answers its preimage requests, `output` receives what the
    /// guest prints.
    pub fn new(state: State, oracle: impl PreimageOracle + 'h, output: impl Output + 'h) -> Self {
        Self {
            state,
            host: Host::new(Box::new(oracle), Box::new(output)),
            stats: Stats::default(),
            recorder: Recorder::default(),
            blocks: Blocks::default(),
        }
    }

    /// The state, memory aside.
    pub const fn registers(&self) -> &Registers {
        &self.state.registers
    }

    /// Guest memory.
    pub const fn memory(&self) -> &Memory {
        &self.state.memory
    }

    /// The whole state.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Gives up the machine for its state.
    pub fn into_state(self) -> State {
        self.state
    }

    /// Counters since the machine was made.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Preimages asked for since the machine was made: how many, and their bytes without prefixes.
    pub const fn preimage_requests(&self) -> (u64, u64) {
        (self.host.requests, self.host.bytes)
    }

    /// The preimage that the last step read: its key, its value with the length prefix, the offset.
    pub fn last_preimage_read(&self) -> Option<(B256, &[u8], u64)> {
        self.host.last_read()
    }

    /// The state hash at the current step.
    pub fn state_hash(&mut self) -> B256 {
        self.state.hash()
    }

    /// The packed state at the current step.
    pub fn witness(&mut self) -> StateWitness {
        self.state.witness()
    }

    /// Saves the current state. Cheap: pages written since the last save are copied, all others shared.
    pub fn snapshot(&mut self) -> Snapshot {
        Snapshot { registers: self.state.registers.clone(), memory: self.state.memory.snapshot() }
    }

    /// Goes back, or on, to a saved state of this machine.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.state.registers.clone_from(&snapshot.registers);
        self.state.memory.restore(&snapshot.memory);
    }

    pub(crate) fn thread(&self) -> Result<&Thread, Fault> {
        self.state.registers.current_thread().ok_or(Fault::NoThread)
    }

    pub(crate) fn thread_mut(&mut self) -> Result<&mut Thread, Fault> {
        self.state.registers.active_stack_mut().last_mut().ok_or(Fault::NoThread)
    }

    pub(crate) fn cpu(&self) -> Result<&Cpu, Fault> {
        self.thread().map(|thread| &thread.cpu)
    }

    pub(crate) fn cpu_mut(&mut self) -> Result<&mut Cpu, Fault> {
        self.thread_mut().map(|thread| &mut thread.cpu)
    }

    /// Writes memory on behalf of the kernel.
    pub(crate) fn store_dword(&mut self, aligned: u64, value: u64) {
        self.state.memory.store_u64(aligned, value);
        invalidate(&mut self.state.registers.reservation, &mut self.stats, aligned);
    }

    /// Lets the next thread run, and counts how long thread 0 does not.
    pub(crate) fn preempt_and_count(&mut self) {
        let r = &mut self.state.registers;
        r.preempt();
        if let Some(thread) = r.current_thread() {
            self.stats.switched_to(thread.id, r.step);
        }
    }

    /// Executes one step. On an exited machine nothing happens.
    ///
    /// # Errors
    /// The guest's fault, or the oracle's failure; the state is then unchanged.
    pub fn step(&mut self) -> Result<(), StepError> {
        self.host.read_offset = None;
        let r = &mut self.state.registers;
        if r.exited {
            return Ok(());
        }
        let thread = r.current_thread().ok_or(Fault::NoThread)?;
        if thread.exited {
            if r.thread_count() == 1 {
                return Err(Fault::NoThreadLeft.into());
            }
            r.step = r.step.wrapping_add(1);
            r.pop_thread();
            return Ok(());
        }
        if r.steps_since_switch >= QUANTUM {
            r.step = r.step.wrapping_add(1);
            self.preempt_and_count();
            self.stats.forced_preemptions += 1;
            return Ok(());
        }
        r.step = r.step.wrapping_add(1);
        r.steps_since_switch += 1;
        let result = self.execute();
        if result.is_err() {
            self.state.registers.step = self.state.registers.step.wrapping_sub(1);
            self.state.registers.steps_since_switch -= 1;
        }
        result
    }

    /// Fetches and executes the instruction at pc.
    #[inline(always)]
    fn execute(&mut self) -> Result<(), StepError> {
        let State { registers: r, memory, .. } = &mut self.state;
        let stack = if r.traverse_right { &mut r.right } else { &mut r.left };
        let thread = stack.last_mut().ok_or(Fault::NoThread)?;
        let pc = thread.cpu.pc;
        if pc & 3 != 0 {
            return Err(Fault::UnalignedPc { pc }.into());
        }
        let word = Word(memory.load_u32(pc));
        self.stats.fetched(pc);
        let op = Op::decode(word).ok_or(Fault::InvalidInstruction { word: word.0, pc })?;
        if op == Op::syscall {
            return self.syscall();
        }
        let mut step = Step {
            cpu: &mut thread.cpu,
            memory,
            reservation: &mut r.reservation,
            stats: &mut self.stats,
            recorder: &mut self.recorder,
            thread: thread.id,
            step: r.step,
        };
        Ok(op.visit(word, &mut step)?)
    }

    /// Executes one step and proves it.
    ///
    /// On an exited machine the proof holds the unchanged state, and no proof data is needed or given.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn prove_step(&mut self) -> Result<StepProof, StepError> {
        let step = self.state.registers.step;
        let state_data = self.state.witness();
        let pre = self.state.hash_of(&state_data);
        if self.state.registers.exited {
            let proof_data = Vec::new();
            return Ok(StepProof { step, pre, post: pre, state_data, proof_data, preimage: None });
        }
        let mut proof_data = Vec::with_capacity(PROOF_BYTES);
        proof_data.extend_from_slice(&thread_proof(&self.state.registers));
        let pc = self.cpu()?.pc;
        proof_data.extend_from_slice(&self.state.memory.prove(pc));

        self.recorder.0 = Some(Box::new([[0; MEMORY_PROOF_BYTES]; 2]));
        let result = self.step();
        let proofs = self.recorder.0.take();
        result?;
        proof_data.extend(proofs.iter().flat_map(|p| p.as_flattened()));
        let preimage = self.host.last_read().map(|(key, value, offset)| PreimageRead {
            key,
            value: value.to_vec(),
            offset,
        });
        let post = self.state_hash();
        Ok(StepProof { step, pre, post, state_data, proof_data, preimage })
    }

    /// Runs by plain steps, the reference for [`run`](Self::run).
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run_plain(&mut self, until: Until) -> Result<Stop, StepError> {
        loop {
            if let Some(stop) = self.stop_before(until) {
                return Ok(stop);
            }
            self.step()?;
            if until.preimage_read && self.host.read_offset.is_some() {
                return Ok(Stop::PreimageRead);
            }
        }
    }

    /// Why a run must not execute another step, if it must not.
    pub(crate) fn stop_before(&self, until: Until) -> Option<Stop> {
        let r = &self.state.registers;
        if r.exited {
            Some(Stop::Exited(r.exit_code))
        } else if r.step >= until.step {
            Some(Stop::Step)
        } else {
            None
        }
    }
}
