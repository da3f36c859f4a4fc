//! `rebut prestate`: the state a dispute about a program starts from, with the chains it carries.
//!
//! A program knows the chains of the registry it was compiled with, and those in the section of its
//! image that `build` fills. The hash of the result is what a dispute game is deployed with.
//!
//! Exit codes: 0 when it went well; `verify` ends with 1 when the prestate is another, and every command
//! with 2 when it could not be done.

mod build;
mod carried;
mod show;

use crate::Outcome;
use crate::cannon::{CannonError, parse_version};
use crate::files::FileError;
use crate::guest::VmName;
use crate::values::hash;
use alloy_primitives::B256;
use rebut_fpvm::{AnyVersion, LoadError, StepError};
use rebut_program::config::{ConfigError, json::JsonError, section::SectionError};
use std::path::{Path, PathBuf};

/// The commands on absolute prestates.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Build the absolute prestate of a program, carrying chains.
    Build(BuildArguments),
    /// Build it again and compare. Exit code: 0 the same, 1 another, 2 neither.
    Verify(VerifyArguments),
    /// Say which chains a prestate carries.
    Show(ShowArguments),
}

/// What a prestate is made of.
#[derive(Debug, clap::Args)]
pub struct Inputs {
    /// The rollup configuration (JSON) of a chain to carry. May be given several times; without it the
    /// program knows the chains of the registry alone.
    #[arg(long, value_name = "FILE")]
    rollup_config: Vec<PathBuf>,
    /// The configuration (JSON) of the L1 chain below: the `config` object of a geth genesis. Public
    /// networks need none.
    #[arg(long, value_name = "FILE", requires = "rollup_config")]
    l1_config: Option<PathBuf>,
    /// The program's ELF file, instead of the program that this binary carries.
    #[arg(long, value_name = "ELF")]
    guest: Option<PathBuf>,
    /// The virtual machine. Without it, the one that --type names, else cannon.
    #[arg(long, value_enum)]
    vm: Option<VmName>,
    /// The version of the virtual machine as `cannon list` names it; without it, today's. Asterisc has none.
    #[arg(long = "type", value_name = "TYPE")]
    version: Option<String>,
}

impl Inputs {
    /// The program that this binary carries, for one chain of files.
    pub fn of_chain(vm: VmName, rollup_config: PathBuf, l1_config: PathBuf) -> Self {
        Self {
            rollup_config: vec![rollup_config],
            l1_config: Some(l1_config),
            guest: None,
            vm: Some(vm),
            version: None,
        }
    }

    /// The machine that is asked for.
    fn vm(&self) -> Result<VmName, CannonError> {
        match (self.vm, &self.version) {
            (Some(vm), _) => Ok(vm),
            (None, None) => Ok(VmName::default()),
            (None, Some(name)) => Ok(match parse_version(name)? {
                AnyVersion::Mips32(_) => VmName::Cannon32,
                AnyVersion::Mips64(_) => VmName::Cannon,
            }),
        }
    }
}

/// What `build` takes.
#[derive(Debug, clap::Args)]
pub struct BuildArguments {
    #[command(flatten)]
    inputs: Inputs,
    /// Where the prestate goes.
    #[arg(long, value_name = "FILE", default_value = "prestate.bin.gz")]
    out: PathBuf,
    /// Where the program's symbols go, as `load-elf` writes them.
    #[arg(long, value_name = "FILE")]
    meta: Option<PathBuf>,
    /// Where the proof of the first step goes, as `run --proof-at =0` writes it: its `pre` is the hash.
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `verify` takes.
#[derive(Debug, clap::Args)]
pub struct VerifyArguments {
    #[command(flatten)]
    inputs: Inputs,
    /// The hash it should have, as a dispute game names it.
    #[arg(long, value_name = "HASH", required_unless_present = "prestate", value_parser = hash)]
    hash: Option<B256>,
    /// The prestate file it should be equal to.
    #[arg(long, value_name = "FILE")]
    prestate: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `show` takes.
#[derive(Debug, clap::Args)]
pub struct ShowArguments {
    /// A prestate of any machine: binary if its name ends in .bin or .bin.gz, else JSON.
    file: PathBuf,
    /// Print one JSON object, with the whole configuration of each chain.
    #[arg(long)]
    json: bool,
}

/// Why there is no prestate, or nothing to say about one.
#[derive(Debug, thiserror::Error)]
pub enum PrestateError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The program that this binary carries is damaged.
    #[error("the built-in program: {0}")]
    BuiltIn(std::io::Error),
    /// A machine without versions.
    #[error("{0} has one version: leave --type away")]
    NoVersions(VmName),
    /// There is no machine of that version.
    #[error(transparent)]
    Version(#[from] CannonError),
    /// A configuration that is none, or that cannot be carried.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: JsonError,
    },
    /// A chain that no program of this kind can prove.
    #[error("{}: {source}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ConfigError,
    },
    /// One chain from two files.
    #[error("{}: chain {chain_id} is given twice", path.display())]
    Twice {
        /// The second file.
        path: PathBuf,
        /// The chain.
        chain_id: u64,
    },
    /// The program cannot carry the chains.
    #[error("{}: {source}", path.display())]
    Section {
        /// The program or prestate.
        path: PathBuf,
        /// Why.
        source: SectionError,
    },
    /// The section is in the program's file but not in what the machine loads of it.
    #[error("{}: the section for chain configurations is not loaded", path.display())]
    NotLoaded {
        /// The program.
        path: PathBuf,
    },
    /// The first step cannot be executed.
    #[error("{}: the first step: {source}", path.display())]
    FirstStep {
        /// The program.
        path: PathBuf,
        /// Why.
        source: StepError,
    },
    /// The program cannot be loaded.
    #[error("{}: {source}", path.display())]
    Load {
        /// The program.
        path: PathBuf,
        /// Why.
        source: LoadError,
    },
}

/// Builds a prestate, and keeps it in `folder` under its hash, where agents look for it. Gives the hash.
pub fn keep(inputs: &Inputs, folder: &Path) -> Result<B256, PrestateError> {
    build::keep(inputs, folder)
}

/// Runs the command. Nothing but a comparison ends with 1.
pub fn run(command: Command) -> Outcome {
    Ok(crate::block::ended(match command {
        Command::Build(arguments) => build::build(&arguments),
        Command::Verify(arguments) => build::verify(&arguments),
        Command::Show(arguments) => show::show(&arguments),
    }))
}
