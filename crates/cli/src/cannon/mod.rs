//! `rebut cannon`: the Cannon virtual machine with the options, files and exit codes of the deployed tool.
//!
//! ```text
//!   exit code   0 done, whatever the guest's own exit code
//!               1 error
//!               2 the guest faulted: no verifier accepts its next step
//!             130 interrupted
//! ```
//!
//! Invariant: standard output carries the JSON that was asked for and nothing else.

mod arguments;
mod error;
mod guest_output;
mod load_elf;
mod pattern;
mod preimage_stop;
mod progress;
mod records;
mod run;
mod server;
mod tool;
mod traceback;
mod witness;

pub use arguments::{LoadFiles, Run as RunArguments, Witness as WitnessArguments, double_dashes};
pub use error::{CannonError, exit_code_of, is_interrupt};
pub use load_elf::{load_for, parse_version, parse_version_of};
pub use records::ProofRecord;
pub use run::{Plan, check_state_name, not_empty, run_state};
pub use tool::{Tool, in_words};
pub use traceback::{Place, Transfer};
pub use witness::print as print_witness;

use crate::Outcome;
use crate::files::{FileError, Output};
use arguments::{LoadElf, Run, Witness};
use clap::Subcommand;
use rebut_fpvm::AnyVersion;
use std::path::Path;
use std::process::ExitCode;

/// Subcommands of `cannon`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn an ELF file into the state of a machine about to run it.
    #[command(after_help = versions(), args_override_self = true)]
    LoadElf(LoadElf),
    /// Run a state, writing proofs and snapshots on the way.
    #[command(after_help = versions(), args_override_self = true)]
    Run(Box<Run>),
    /// Print the witness of a state and its hash as JSON.
    #[command(after_help = versions(), args_override_self = true)]
    Witness(Witness),
    /// List the state versions that this program runs.
    List,
}

/// Executes one subcommand.
///
/// # Errors
/// Whatever went wrong; [`exit_code_of`] gives its exit code.
pub fn run(command: Command) -> Outcome {
    match command {
        Command::LoadElf(arguments) => load_elf::load_elf(&arguments)?,
        Command::Run(arguments) => run::run(&arguments)?,
        Command::Witness(arguments) => witness::witness(&arguments)?,
        Command::List => list()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The versions in the words of the deployed bundle, which holds one executable for each.
fn versions() -> String {
    let mut text = String::from("Available cannon versions:\n");
    for version in AnyVersion::ALL {
        let (number, name) = (version.number(), version.name());
        text += &format!("filename: cannon-{number}\tversion: {name} ({number})\n");
    }
    text
}

fn list() -> Result<(), FileError> {
    let mut output = Output::create(Path::new("-"))?;
    output.fill(|out| out.write_all(versions().as_bytes()))?;
    output.commit()
}
