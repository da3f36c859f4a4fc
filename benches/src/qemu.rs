//! The reference: `qemu-mips64` and `qemu-riscv64`, the user-mode emulators.

use anyhow::{Context, bail, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// An installed emulator.
pub struct Qemu {
    program: &'static str,
    version: String,
}

impl Qemu {
    /// Asks the emulator for its version.
    pub fn find(program: &'static str) -> anyhow::Result<Self> {
        let output = Command::new(program).arg("--version").output();
        let Ok(output) = output else {
            bail!("{program} cannot be started; on Debian and Ubuntu: apt-get install qemu-user");
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().unwrap_or_default().to_owned();
        ensure!(!version.is_empty(), "{program} --version printed nothing");
        Ok(Self { program, version })
    }

    /// The first line of `--version`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Runs a program; what it printed, and how long it took.
    pub fn run(&self, program: &Path) -> anyhow::Result<(Vec<u8>, Duration)> {
        let start = Instant::now();
        let emulator = self.program;
        let output = Command::new(emulator)
            .arg(program)
            .output()
            .with_context(|| format!("cannot start {emulator}"))?;
        let time = start.elapsed();
        ensure!(output.status.success(), "the program failed in {emulator}: {}", output.status);
        Ok((output.stdout, time))
    }
}

/// Writes a program that the emulator can start.
pub fn place(program: &Path, elf: &[u8]) -> anyhow::Result<()> {
    fs::write(program, elf).with_context(|| format!("cannot write {}", program.display()))?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
