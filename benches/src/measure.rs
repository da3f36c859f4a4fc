//! One guest on all engines.

use crate::qemu::{self, Qemu};
use anyhow::{Context, ensure};
use rebut_fpvm::loader::load_elf;
use rebut_fpvm::machine::Machine;
use rebut_fpvm::{Output, Stop, Stream, Target, Until, Version, Vm};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use std::time::Instant;

/// The plain step is measured on so many steps from the start at most, to bound the time it takes.
const PLAIN_STEPS: u64 = 40_000_000;

/// The figures of one guest, in million instructions a second, one of each per round.
#[derive(Debug)]
pub struct Rates {
    /// Steps of the whole program.
    pub steps: u64,
    pub qemu: Vec<f64>,
    pub blocks: Vec<f64>,
    pub plain: Vec<f64>,
}

/// No guest here asks for a preimage.
struct NoPreimages;

impl PreimageOracle for NoPreimages {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        Err(OracleError::Missing { key })
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

/// Keeps what the guest prints on its standard output.
struct Stdout<'a>(&'a mut Vec<u8>);

impl Output for Stdout<'_> {
    fn write(&mut self, stream: Stream, bytes: &[u8], _: u64) {
        if stream == Stream::Stdout {
            self.0.extend_from_slice(bytes);
        }
    }
}

fn machine<'a, V: Target + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    elf: &[u8],
    stdout: &'a mut Vec<u8>,
) -> anyhow::Result<Machine<'a, V>> {
    let program = load_elf(version, elf).context("the guest cannot be loaded")?;
    Ok(Machine::new(program.state, NoPreimages, Stdout(stdout)))
}

/// Runs the whole program by blocks: its steps, output, and speed.
fn run_blocks<V: Target + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    elf: &[u8],
) -> anyhow::Result<(u64, Vec<u8>, f64)> {
    let mut stdout = Vec::new();
    let mut machine = machine(version, elf, &mut stdout)?;
    let start = Instant::now();
    let stop = machine.run(Until::EXIT)?;
    let seconds = start.elapsed().as_secs_f64();
    ensure!(stop == Stop::Exited(0), "the guest ended with {stop:?}");
    let steps = machine.registers().step;
    drop(machine);
    Ok((steps, stdout, steps as f64 / seconds / 1e6))
}

fn run_plain<V: Target + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    elf: &[u8],
    steps: u64,
) -> anyhow::Result<f64> {
    let mut stdout = Vec::new();
    let mut machine = machine(version, elf, &mut stdout)?;
    let start = Instant::now();
    machine.run_plain(Until::step(steps))?;
    Ok(steps as f64 / start.elapsed().as_secs_f64() / 1e6)
}

/// Stops both engines in the middle of the program and compares the state hashes.
fn check_middle<V: Target + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    elf: &[u8],
    step: u64,
) -> anyhow::Result<()> {
    let (mut out, mut plain_out) = (Vec::new(), Vec::new());
    let mut blocks = machine(version, elf, &mut out)?;
    let mut plain = machine(version, elf, &mut plain_out)?;
    blocks.run(Until::step(step))?;
    plain.run_plain(Until::step(step))?;
    let (got, want) = (blocks.state_hash(), plain.state_hash());
    ensure!(got == want, "state hash at step {step}: {got} by blocks, {want} by plain steps");
    Ok(())
}

/// Measures a guest. Fails if the engines do not agree on what it does.
pub fn guest<V: Target + Vm<Version = N>, N: Version<Vm = V>>(
    version: N,
    qemu: &Qemu,
    elf: &[u8],
    rounds: usize,
) -> anyhow::Result<Rates> {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("guest");
    qemu::place(&program, elf)?;
    let (steps, stdout, _) = run_blocks(version, elf)?;
    let plain_steps = steps.min(PLAIN_STEPS);
    check_middle(version, elf, plain_steps / 2 + 1)?;

    let mut rates = Rates { steps, qemu: Vec::new(), blocks: Vec::new(), plain: Vec::new() };
    for _ in 0..rounds {
        let (reference, time) = qemu.run(&program)?;
        ensure!(reference == stdout, "the guest prints something else in {}", qemu.version());
        rates.qemu.push(steps as f64 / time.as_secs_f64() / 1e6);
        let (again, _, rate) = run_blocks(version, elf)?;
        ensure!(again == steps, "{again} steps after {steps} before");
        rates.blocks.push(rate);
        rates.plain.push(run_plain(version, elf, plain_steps)?);
    }
    Ok(rates)
}
