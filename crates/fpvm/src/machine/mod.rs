//! A machine: a state, the host beside it, and the ways of running it. The same for every virtual machine;
//! what differs is in [`Vm`].
//!
//! The order of calls: any; a machine may be stepped, run, hashed, proven, saved and restored at every
//! step. After an error the state is as it was before the failed step, so that the step can be tried
//! again, for example once the oracle has its preimage.

pub mod error;
pub mod state;
pub mod stats;
pub mod vm;

use crate::blocks::Blocks;
use crate::kernel::host::{Host, Output};
use crate::memory::{Memory, MemorySnapshot};
use crate::witness::{PreimageRead, ShownInstruction, StateWitness, StepProof};
use alloy_primitives::B256;
use error::{Fault, StepError};
use rebut_preimage::PreimageOracle;
use state::{Registers, State};
use stats::Stats;
use vm::Vm;

/// Takes the proofs of a step's memory accesses in their order, each before the access changes anything.
/// Does nothing unless a proof was asked for.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Option<Vec<Vec<u8>>>);

impl Recorder {
    /// The leaf of `address` is about to be read or written.
    #[inline(always)]
    pub(crate) fn record(&mut self, memory: &mut Memory, address: u64) {
        if let Some(proofs) = &mut self.0 {
            proofs.push(memory.prove(address));
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
pub struct Snapshot<V: Vm> {
    registers: Registers<V::Processor>,
    memory: MemorySnapshot,
}

impl<V: Vm> Snapshot<V> {
    /// The step counter of the saved state.
    pub const fn step(&self) -> u64 {
        self.registers.step
    }

    /// The saved memory.
    pub const fn memory(&self) -> &MemorySnapshot {
        &self.memory
    }
}

/// A virtual machine of the kind `V`.
#[derive(Debug)]
pub struct Machine<'h, V: Vm> {
    pub(crate) state: State<V>,
    pub(crate) host: Host<'h>,
    pub(crate) stats: Stats,
    pub(crate) recorder: Recorder,
    pub(crate) blocks: Blocks<V>,
}

impl<'h, V: Vm> Machine<'h, V> {
    /// A machine in the given state. `oracle` answers its preimage requests, `output` receives what the
    /// guest prints.
    pub fn new(
        state: State<V>,
        oracle: impl PreimageOracle + 'h,
        output: impl Output + 'h,
    ) -> Self {
        Self {
            state,
            host: Host::new(Box::new(oracle), Box::new(output)),
            stats: Stats::default(),
            recorder: Recorder::default(),
            blocks: Blocks::default(),
        }
    }

    /// The state, memory aside.
    pub const fn registers(&self) -> &Registers<V::Processor> {
        &self.state.registers
    }

    /// Guest memory.
    pub const fn memory(&self) -> &Memory {
        &self.state.memory
    }

    /// The whole state.
    pub const fn state(&self) -> &State<V> {
        &self.state
    }

    /// Gives up the machine for its state.
    pub fn into_state(self) -> State<V> {
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
    pub fn snapshot(&mut self) -> Snapshot<V> {
        Snapshot { registers: self.state.registers.clone(), memory: self.state.memory.snapshot() }
    }

    /// Goes back, or on, to a saved state of this machine.
    pub fn restore(&mut self, snapshot: &Snapshot<V>) {
        self.state.registers.clone_from(&snapshot.registers);
        self.state.memory.restore(&snapshot.memory);
    }

    /// The address of the next instruction; nothing where none can run.
    pub fn pc(&self) -> Option<u64> {
        V::pc(&self.state.registers.processor)
    }

    /// The instruction that the next step fetches; nothing where it fetches none, as on an exited machine.
    pub fn next_instruction(&self) -> Option<ShownInstruction> {
        if self.state.registers.exited { None } else { V::next_instruction(&self.state) }
    }

    /// Executes one step. On an exited machine nothing happens.
    ///
    /// # Errors
    /// The guest's fault, or the oracle's failure; the state is then unchanged.
    pub fn step(&mut self) -> Result<(), StepError> {
        self.host.read_offset = None;
        let step = self.state.registers.step;
        if self.state.registers.exited {
            return Ok(());
        }
        self.state.registers.step = step.wrapping_add(1);
        let result = V::step(self);
        if result.is_err() {
            self.state.registers.step = step;
        }
        result
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
        let pc = self.pc().ok_or(Fault::NoThread)?;
        let mut proof_data = V::proof_head(&self.state.registers.processor);
        proof_data.extend(self.state.memory.prove(pc));

        self.recorder.0 = Some(Vec::new());
        let result = self.step();
        let proofs = self.recorder.0.take();
        result?;
        proof_data.extend(proofs.into_iter().flatten().flatten());
        proof_data.resize(proof_data.len().max(V::PROOF_BYTES), 0);
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
