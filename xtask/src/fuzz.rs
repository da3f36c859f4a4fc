//! `cargo xtask fuzz`: builds the fuzz targets and runs each for a while.
//!
//! Needs no nightly compiler and no cargo-fuzz: the compiler's own coverage pass and the fuzzer's
//! runtime, compiled by the system's C++ compiler, are enough. Each run starts from the seeds that the
//! targets' packages make and from a fixed random seed.

use crate::toolbox::Step;
use anyhow::{Context, bail};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;

/// Coverage counters on every edge, a table of code addresses beside them, and a call at each comparison.
const COVERAGE_FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// An input that takes longer is a finding.
const TIMEOUT_SECONDS: u32 = 20;
/// A target that takes more memory is a finding.
const MEMORY_LIMIT_MIB: u32 = 2048;
/// Longest input, in bytes: a state file with three pages.
const INPUT_BYTES: u32 = 16 << 10;

/// One target: its name and the package it belongs to.
#[derive(Clone, Debug)]
struct Target {
    name: String,
    package: String,
}

/// Builds the targets, all or the one named, and runs each for `seconds`. `root` is the workspace's
/// folder.
///
/// # Errors
/// When a target cannot be built or finds something; all targets are run before that.
pub fn run(root: &Path, seconds: u64, target: Option<&str>) -> anyhow::Result<()> {
    let folder = root.join("fuzz");
    let targets = find(&folder, target)?;
    let build = Build::new(root)?;
    build.run(&folder, &targets, target)?;
    let corpus = build.write_seeds(&targets)?;

    let queue = Mutex::new(targets.into_iter());
    let findings = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some(target) = next else { return Ok(()) };
            if !build.fuzz(&target, &corpus, seconds)?
                && let Ok(mut findings) = findings.lock()
            {
                findings.push(target.name);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    let findings = findings.into_inner().unwrap_or_default();
    if !findings.is_empty() {
        bail!("fuzzing: findings in {}", findings.join(", "));
    }
    Ok(())
}

/// The targets, by the files in `fuzz/<package>/targets`.
fn find(folder: &Path, wanted: Option<&str>) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for package in ["machine", "block"] {
        let files = folder.join(package).join("targets");
        let entries = fs::read_dir(&files).with_context(|| files.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            targets.push(Target { name, package: format!("rebut-fuzz-{package}") });
        }
    }
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    let Some(wanted) = wanted else { return Ok(targets) };
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    targets.retain(|target| target.name == wanted);
    if targets.is_empty() {
        bail!("no fuzz target is called {wanted}; there are {}", names.join(", "));
    }
    Ok(targets)
}

/// Where things are built, and for what.
struct Build {
    /// The target folder; it holds what was found as well.
    folder: PathBuf,
    /// The machine this runs on. Named, so that the flags do not reach build scripts.
    triple: String,
}

impl Build {
    fn new(root: &Path) -> anyhow::Result<Self> {
        let folder = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), |folder| {
            // Cargo takes a relative path from where it is started; so does this.
            std::path::absolute(&folder).unwrap_or_else(|_| folder.into())
        });
        let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let triple = text.lines().find_map(|line| line.strip_prefix("host: "));
        let triple = triple.context("rustc does not say what it runs on")?.to_owned();
        Ok(Self { folder: folder.join("fuzz"), triple })
    }

    fn run(&self, folder: &Path, targets: &[Target], one: Option<&str>) -> anyhow::Result<()> {
        let mut packages: Vec<&str> = targets.iter().map(|t| t.package.as_str()).collect();
        packages.sort_unstable();
        packages.dedup();
        let what = match one {
            Some(name) => vec!["--bin", name, "--examples"],
            None => vec!["--bins", "--examples"],
        };
        Step::new("fuzz targets", "cargo")
            .variable("CARGO_ENCODED_RUSTFLAGS", COVERAGE_FLAGS.join("\u{1f}"))
            .variable("CARGO_TARGET_DIR", &self.folder)
            .arguments(["build", "--release", "--locked", "--target", &self.triple])
            .arguments(what)
            .arguments(packages.iter().flat_map(|package| ["--package", *package]))
            .run(folder)
            .context(
                "cannot build the fuzz targets (their runtime needs a C++ compiler, Debian: g++)",
            )
    }

    fn program(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.join(&self.triple).join("release").join(name)
    }

    /// A folder with a folder of seeds for each target, made anew.
    fn write_seeds(&self, targets: &[Target]) -> anyhow::Result<PathBuf> {
        let corpus = self.folder.join("corpus");
        if corpus.exists() {
            fs::remove_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
        }
        for target in targets {
            let folder = corpus.join(&target.name);
            fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        let mut packages: Vec<&str> = targets.iter().map(|t| t.package.as_str()).collect();
        packages.sort_unstable();
        packages.dedup();
        for package in packages {
            let program =
                self.program(format!("examples/{}", package.replace("rebut-fuzz-", "seeds-")));
            Step::new("fuzz seeds", program).arguments([&corpus]).run(&self.folder)?;
        }
        Ok(corpus)
    }

    /// Runs one target. False when it found something, which is then on the terminal.
    fn fuzz(&self, target: &Target, corpus: &Path, seconds: u64) -> anyhow::Result<bool> {
        let found = self.folder.join("findings").join(&target.name);
        fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
        let mut prefix = OsString::from("-artifact_prefix=");
        prefix.push(found.join(""));
        let program = self.program(&target.name);
        let output = Command::new(&program)
            .arg(corpus.join(&target.name))
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={INPUT_BYTES}"))
            .arg(format!("-timeout={TIMEOUT_SECONDS}"))
            .arg(format!("-rss_limit_mb={MEMORY_LIMIT_MIB}"))
            .args(["-seed=1", "-print_final_stats=1"])
            .arg(prefix)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        report(&program, target, &output);
        Ok(output.status.success())
    }
}

/// One line for a target that found nothing; else what it printed at the end and how to repeat it.
fn report(program: &Path, target: &Target, output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).map_or("?", str::trim).to_owned()
    };
    if output.status.success() {
        println!(
            "{:16} {:>10} inputs, {:>8} a second, {:>5} MiB",
            target.name,
            value("stat::number_of_executed_units:"),
            value("stat::average_exec_per_sec:"),
            value("stat::peak_rss_mb:"),
        );
        return;
    }
    let lines: Vec<&str> = text.lines().collect();
    let tail = &lines[lines.len().saturating_sub(60)..];
    let input = text.lines().find_map(|line| line.split_once("Test unit written to "));
    let input = input.map_or("(no input was kept)", |(_, path)| path);
    println!("{}: FINDING ({})\n{}", target.name, output.status, tail.join("\n"));
    println!("input:  {input}\nrepeat: {} {input}", program.display());
}
