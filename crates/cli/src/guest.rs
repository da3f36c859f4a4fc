//! The guest programs that this binary carries, and how they are run to their end.

use crate::block::StepProgress;
use anyhow::Context;
use flate2::read::GzDecoder;
use rebut_fpvm::machine::Machine;
use rebut_fpvm::{
    Asterisc, Mips64, Output, Program, Stop, Stream, Target, Until, Version, Vm, load_elf,
};
use std::io::Read;

/// A guest's ELF file, packed with gzip.
#[derive(Clone, Copy, Debug)]
pub struct Packed(&'static [u8]);

/// A machine that this binary carries guests for.
pub trait Builtin: Target {
    /// Its name in reports.
    const NAME: &'static str;
    /// Executes one block: what `rebut block vm` runs.
    const BLOCK: Packed;
    /// The fault proof program.
    const PROGRAM: Packed;
}

macro_rules! packed {
    ($machine:literal, $guest:literal) => {
        Packed(include_bytes!(concat!(
            "../../../guests/prebuilt/",
            $machine,
            "/",
            $guest,
            ".elf.gz"
        )))
    };
}

impl Builtin for Mips64 {
    const NAME: &'static str = "Cannon";
    const BLOCK: Packed = packed!("mips64", "block");
    const PROGRAM: Packed = packed!("mips64", "program");
}

impl Builtin for Asterisc {
    const NAME: &'static str = "Asterisc";
    const BLOCK: Packed = packed!("riscv64", "block");
    const PROGRAM: Packed = packed!("riscv64", "program");
}

/// The block program of Cannon.
pub const BLOCK: Packed = Mips64::BLOCK;
/// The fault proof program of Cannon.
pub const PROGRAM: Packed = Mips64::PROGRAM;

/// The machines by the names that `--vm` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum VmName {
    /// Cannon, 64-bit
    #[default]
    Cannon,
    /// Asterisc
    Asterisc,
}

/// Steps between two looks at the display.
const STEPS_PER_LOOK: u64 = 1 << 22;

impl Packed {
    /// The ELF file.
    ///
    /// # Errors
    /// None unless the file was damaged when this binary was built.
    pub fn elf(self) -> std::io::Result<Vec<u8>> {
        let mut elf = Vec::new();
        GzDecoder::new(self.0).read_to_end(&mut elf)?;
        Ok(elf)
    }

    /// The guest, loaded.
    ///
    /// # Errors
    /// As [`elf`](Self::elf).
    pub fn load<V: Target + Vm<Version = N>, N: Version<Vm = V>>(
        self,
        version: N,
    ) -> anyhow::Result<Program<V>> {
        load_elf(version, &self.elf().context("the built-in guest")?).context("the built-in guest")
    }
}

/// Runs a guest to its end: its exit code and the seconds it took. Shows progress.
///
/// # Errors
/// A fault of the guest, or a failure of the oracle, with the step.
pub fn run<V: Builtin>(machine: &mut Machine<'_, V>) -> anyhow::Result<(u8, f64)> {
    let mut progress = StepProgress::start(V::NAME);
    loop {
        let step = machine.registers().step;
        progress.at(step, machine.memory().page_count());
        let stop = machine.run(Until::step(step.saturating_add(STEPS_PER_LOOK)));
        let stop = stop.with_context(|| format!("at step {}", machine.registers().step))?;
        if let Stop::Exited(code) = stop {
            return Ok((code, progress.finish()));
        }
    }
}

/// Passes what the guest prints to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Relay;

impl Output for Relay {
    fn write(&mut self, _: Stream, bytes: &[u8], _: u64) {
        crate::log::print(&String::from_utf8_lossy(bytes));
    }
}
