//! The reference: `qemu-mips64`, the user-mode emulator.

use anyhow::{Context, bail, ensure};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const PROGRAM: &str = "qemu-mips64";

/// An installed emulator.
pub struct Qemu {
    version: String,
}

impl Qemu {
    /// Asks the emulator for its version.
    pub fn find() -> anyhow::Result<Self> {
        let output = Command::new(PROGRAM).arg("--version").output();
        let Ok(output) = output else {
            bail!("{PROGRAM} cannot be started; on Debian and Ubuntu: apt-get install qemu-user");
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().unwrap_or_default().to_owned();
        ensure!(!version.is_empty(), "{PROGRAM} --version printed nothing");
        Ok(Self { version })
    }

    /// The first line of `--version`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Runs a program; what it printed, and how long it took.
    pub fn run(&self, program: &Path) -> anyhow::Result<(Vec<u8>, Duration)> {
        let start = Instant::now();
        let output = Command::new(PROGRAM)
            .arg(program)
            .output()
            .with_context(|| format!("cannot start {PROGRAM}"))?;
        let time = start.elapsed();
        ensure!(output.status.success(), "the program failed in {PROGRAM}: {}", output.status);
        Ok((output.stdout, time))
    }
}

/// Writes a program that the emulator can start.
pub fn place(program: &Path, elf: &[u8]) -> anyhow::Result<()> {
    fs::write(program, elf).with_context(|| format!("cannot write {}", program.display()))?;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
