//! The guest programs that this binary carries, and how they are run to their end.

use crate::block::StepProgress;
use crate::cannon::Tool;
use anyhow::Context;
use flate2::read::GzDecoder;
use rebut_fpvm::{
    Asterisc, AsteriscVersion, Machine, Mips32, Mips64, Output, Program, StateVersion,
    StateVersion32, Stop, Stream, Target, Until, load_elf,
};
use serde::Serialize;
use std::fmt;
use std::io::Read;

/// A guest's ELF file, packed with gzip.
#[derive(Clone, Copy, Debug)]
pub struct Packed(&'static [u8]);

/// A machine that this binary carries guests for.
pub trait Builtin: Tool {
    /// Its name in reports.
    const NAME: &'static str;
    /// What `--vm` calls it.
    const VM: VmName;
    /// Its version today.
    const VERSION: Self::Version;
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
    const VM: VmName = VmName::Cannon;
    const VERSION: StateVersion = StateVersion::V8;
    const BLOCK: Packed = packed!("mips64", "block");
    const PROGRAM: Packed = packed!("mips64", "program");
}

impl Builtin for Mips32 {
    const NAME: &'static str = "Cannon 32";
    const VM: VmName = VmName::Cannon32;
    const VERSION: StateVersion32 = StateVersion32::V2;
    const BLOCK: Packed = packed!("mips32", "block");
    const PROGRAM: Packed = packed!("mips32", "program");
}

impl Builtin for Asterisc {
    const NAME: &'static str = "Asterisc";
    const VM: VmName = VmName::Asterisc;
    const VERSION: AsteriscVersion = AsteriscVersion;
    const BLOCK: Packed = packed!("riscv64", "block");
    const PROGRAM: Packed = packed!("riscv64", "program");
}

/// The machines by the names that `--vm` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum VmName {
    /// Cannon, 64-bit and multithreaded
    #[default]
    Cannon,
    /// Cannon, 32-bit and single-threaded
    Cannon32,
    /// Asterisc, RISC-V
    Asterisc,
}

/// An expression about the machine of a name, for which the given identifier stands in it.
macro_rules! with_machine {
    ($vm:expr, $V:ident => $about:expr) => {
        match $vm {
            $crate::guest::VmName::Cannon => {
                type $V = ::rebut_fpvm::Mips64;
                $about
            }
            $crate::guest::VmName::Cannon32 => {
                type $V = ::rebut_fpvm::Mips32;
                $about
            }
            $crate::guest::VmName::Asterisc => {
                type $V = ::rebut_fpvm::Asterisc;
                $about
            }
        }
    };
}
pub(crate) use with_machine;

impl fmt::Display for VmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(with_machine!(self, V => <V as Builtin>::NAME))
    }
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
    pub fn load<V: Target>(self, version: V::Version) -> anyhow::Result<Program<V>> {
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
