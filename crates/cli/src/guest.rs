//! The guest programs that this binary carries, and how they are run to their end.

use crate::block::StepProgress;
use anyhow::Context;
use flate2::read::GzDecoder;
use rebut_fpvm::{Machine, Output, Program, StateVersion, Stop, Stream, Until, load_elf};
use std::io::Read;

/// A guest's ELF file, packed with gzip.
#[derive(Clone, Copy, Debug)]
pub struct Packed(&'static [u8]);

/// Executes one block: what `rebut block vm` runs.
pub const BLOCK: Packed = Packed(include_bytes!("../../../guests/prebuilt/block.elf.gz"));
/// The fault proof program.
pub const PROGRAM: Packed = Packed(include_bytes!("../../../guests/prebuilt/program.elf.gz"));

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
    pub fn load(self, version: StateVersion) -> anyhow::Result<Program> {
        load_elf(version, &self.elf().context("the built-in guest")?).context("the built-in guest")
    }
}

/// Runs a guest to its end: its exit code and the seconds it took. Shows progress under the name `what`.
///
/// # Errors
/// A fault of the guest, or a failure of the oracle, with the step.
pub fn run(machine: &mut Machine<'_>, what: &'static str) -> anyhow::Result<(u8, f64)> {
    let progress = StepProgress::start(what);
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
