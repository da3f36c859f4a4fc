//! Running other programs: one heading a step, its time, and what to do when it is missing.

use anyhow::{Context, bail};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A target without an operating system that every toolchain with the sources of the standard library
/// can build for.
const BARE_METAL: &str = "riscv64imac-unknown-none-elf";

/// One program to run, under a heading.
#[derive(Debug)]
pub struct Step {
    heading: &'static str,
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
}

impl Step {
    /// A step that runs `program` without arguments.
    pub fn new(heading: &'static str, program: impl Into<OsString>) -> Self {
        let (arguments, environment) = (Vec::new(), Vec::new());
        Self { heading, program: program.into(), arguments, environment }
    }

    /// Adds arguments.
    pub fn arguments<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    pub fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs it in `folder`; a failure of the program is an error.
    pub fn run(&self, folder: &Path) -> anyhow::Result<()> {
        println!("== {}", self.heading);
        let start = Instant::now();
        let status = Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .status()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        println!("== {}: {status} after {:.1?}", self.heading, start.elapsed());
        if !status.success() {
            bail!("{} failed", self.heading);
        }
        Ok(())
    }
}

/// The contract compiler and test runner that npm installs.
pub fn forge(root: &Path) -> PathBuf {
    root.join("contracts/node_modules/.bin/forge")
}

/// Installs forge and solc as the lock file pins them, unless they are there.
pub fn install_contract_tools(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("contracts");
    let installed = folder.join("node_modules/.package-lock.json");
    let age = |path: &Path| path.metadata().and_then(|m| m.modified()).ok();
    if age(&installed).is_some_and(|at| Some(at) >= age(&folder.join("package-lock.json"))) {
        return Ok(());
    }
    Step::new("contract tools (npm ci)", "npm")
        .arguments(["ci", "--no-audit", "--no-fund"])
        .run(&folder)
        .context("the contracts need Node.js with npm")
}

/// Builds the crates that the program is made of without an operating system, by Debian's `rustc-web` or
/// a rustup toolchain with `rust-src`.
pub fn no_std(root: &Path) -> anyhow::Result<()> {
    let debian = Path::new("/usr/bin/rustc");
    let step = Step::new(
        "crates without an operating system",
        if debian.exists() { OsString::from("/usr/bin/cargo") } else { OsString::from("cargo") },
    )
    .variable("RUSTC_BOOTSTRAP", "1")
    .arguments(["check", "--release", "--locked", "-Zbuild-std=core,alloc", "--target", BARE_METAL])
    .arguments(["--no-default-features", "-p", "rebut-preimage", "-p", "rebut-merkle"])
    .arguments(["-p", "rebut-execution", "-p", "rebut-derivation", "-p", "rebut-program"])
    .arguments(["-p", "rebut-dispute"]);
    let step = if debian.exists() { step.variable("RUSTC", debian) } else { step };
    step.run(root)
}
