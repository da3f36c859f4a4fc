//! A block's execution in a machine, from the first step to the exit, that can be gone back in.
//!
//! The run leaves snapshots behind at even distances; going to a step means restoring the snapshot
//! before it and running the rest.

use super::sample::Draws;
use crate::block::StepProgress;
use crate::guest::{self, Builtin};
use alloy_primitives::B256;
use anyhow::Context;
use rebut_fpvm::witness::ShownInstruction;
use rebut_fpvm::{Machine, Snapshot, StepProof, Stop, Until};
use rebut_preimage::PreimageOracle;
use std::collections::BTreeMap;

/// Distance of the first snapshots, in steps.
const SPACING: u64 = 1 << 22;
/// When there are more snapshots than this, every other one goes and the distance doubles.
const MAX_SNAPSHOTS: usize = 64;

/// How the run went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// State hash of the loaded program.
    pub prestate_hash: B256,
    /// State hash after the exit.
    pub state_hash: B256,
    /// The guest's exit code.
    pub exit_code: u8,
    /// Steps to the exit.
    pub steps: u64,
    /// Pages of memory after the exit.
    pub pages: usize,
    /// Wall time of the run, snapshots included.
    pub seconds: f64,
}

/// A run that has reached its exit.
pub struct Trace<'h, V: Builtin> {
    machine: Machine<'h, V>,
    /// Steps ascending, the first at step 0.
    snapshots: Vec<Snapshot<V>>,
    outcome: Outcome,
    reads: BTreeMap<u8, Read>,
}

/// One step of those that read a preimage of a type, each as likely as the others.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    step: u64,
    /// How many such steps there were.
    count: u64,
}

impl<'h, V: Builtin> Trace<'h, V> {
    /// Runs the guest to its exit.
    ///
    /// # Errors
    /// The guest faults, or the oracle lacks a preimage.
    pub fn record(oracle: impl PreimageOracle + 'h, draws: &mut Draws) -> anyhow::Result<Self> {
        let program = V::BLOCK.load::<V>(V::VERSION)?;
        let mut progress = StepProgress::start(V::NAME);
        let mut machine = Machine::new(program.state, oracle, guest::Relay);
        let prestate_hash = machine.state_hash();
        let mut snapshots = vec![machine.snapshot()];
        let mut spacing = SPACING;
        let mut reads = BTreeMap::<u8, Read>::new();
        let exit_code = loop {
            let next = snapshots.last().map_or(0, Snapshot::step).saturating_add(spacing);
            let stop = machine.run(Until { step: next, preimage_read: true });
            match stop.with_context(|| format!("at step {}", machine.registers().step))? {
                Stop::Exited(code) => break code,
                Stop::PreimageRead => note_read(&mut reads, &machine, draws),
                Stop::Step => {
                    progress.at(next, machine.memory().page_count());
                    snapshots.push(machine.snapshot());
                    if snapshots.len() > MAX_SNAPSHOTS {
                        spacing *= 2;
                        snapshots.retain(|snapshot| snapshot.step() % spacing == 0);
                    }
                }
            }
        };
        let seconds = progress.finish();
        let outcome = Outcome {
            prestate_hash,
            state_hash: machine.state_hash(),
            exit_code,
            steps: machine.registers().step,
            pages: machine.memory().page_count(),
            seconds,
        };
        Ok(Self { machine, snapshots, outcome, reads })
    }

    /// How the run went.
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// For each type of key that was read, by its number, one step that read it.
    pub fn preimage_reads(&self) -> impl Iterator<Item = (u8, u64)> {
        self.reads.iter().map(|(key_type, read)| (*key_type, read.step))
    }

    /// Goes to the moment before `step`.
    ///
    /// # Errors
    /// None on a run that has reached its exit, unless the oracle has changed since.
    pub fn seek(&mut self, step: u64) -> anyhow::Result<()> {
        let before = self.snapshots.partition_point(|snapshot| snapshot.step() <= step);
        let at = self.machine.registers().step;
        if let Some(snapshot) = self.snapshots[..before].last()
            && (at > step || at < snapshot.step())
        {
            self.machine.restore(snapshot);
        }
        self.machine.run(Until::step(step))?;
        Ok(())
    }

    /// What the machine fetches next; nothing where it executes no instruction.
    pub fn next_instruction(&self) -> Option<ShownInstruction> {
        self.machine.next_instruction()
    }

    /// Where the machine is.
    pub fn pc(&self) -> u64 {
        self.machine.pc().unwrap_or(0)
    }

    /// Bytes of the next step's proof before its proofs of memory.
    pub fn proof_head_bytes(&self) -> usize {
        V::proof_head(&self.machine.registers().processor).len()
    }

    /// Executes and proves the next step.
    ///
    /// # Errors
    /// As [`seek`](Self::seek).
    pub fn prove_step(&mut self) -> anyhow::Result<StepProof> {
        Ok(self.machine.prove_step()?)
    }

    /// The first step from `start` on that is `wanted`.
    ///
    /// # Errors
    /// As [`seek`](Self::seek).
    pub fn find(
        &mut self,
        start: u64,
        wanted: impl Fn(Option<ShownInstruction>) -> bool,
    ) -> anyhow::Result<Option<u64>> {
        self.seek(start)?;
        while !self.machine.registers().exited {
            if wanted(self.next_instruction()) {
                return Ok(Some(self.machine.registers().step));
            }
            self.machine.step()?;
        }
        Ok(None)
    }
}

/// Counts the read that was the machine's last step, and maybe takes it for its type.
fn note_read<V: Builtin>(
    reads: &mut BTreeMap<u8, Read>,
    machine: &Machine<'_, V>,
    draws: &mut Draws,
) {
    let Some((key, ..)) = machine.last_preimage_read() else { return };
    let read = reads.entry(key[0]).or_default();
    read.count += 1;
    if draws.below(read.count) == 0 {
        read.step = machine.registers().step - 1;
    }
}
