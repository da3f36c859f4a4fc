//! `rebut asterisc`: the RISC-V virtual machine with the options, files and exit codes of the deployed tool.
//!
//! ```text
//!   exit code   0 done, whatever the guest's own exit code
//!               1 error, a fault of the guest included
//!             130 interrupted
//! ```
//!
//! Step patterns, conditions on preimages, the server and the proof files are those of `rebut cannon`.
//!
//! Invariant: standard output carries the JSON that was asked for and nothing else.

mod run;

use crate::Outcome;
use crate::cannon::{CannonError, RunArguments, WitnessArguments, path};
use crate::files::{self, Output, asterisc_output, json_output, read_asterisc_state};
use alloy_primitives::{B256, Bytes};
use clap::{Args, Subcommand};
use rebut_fpvm::{AsteriscVersion, load_elf as load};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Most bytes of an ELF file, debug information included.
const ELF_LIMIT_BYTES: u64 = 2 << 30;

/// Subcommands of `asterisc`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn an ELF file into the state of a machine about to run it.
    #[command(args_override_self = true)]
    LoadElf(LoadElf),
    /// Run a state, writing proofs and snapshots on the way.
    #[command(
        args_override_self = true,
        mut_arg("input", |a| a.help("The state to start from: binary if its name ends in .bin or .bin.gz, else JSON")),
        mut_arg("output", |a| a.default_value("out.json").help("Where the last state goes; nowhere if empty")),
        mut_arg("snapshot_fmt", |a| a.default_value("state-%d.json")),
        mut_arg("info_at", |a| a.default_value("%100000")),
        mut_arg("debug", |a| a.hide(true)),
        mut_arg("debug_info", |a| a.hide(true)),
    )]
    Run(Box<RunArguments>),
    /// Print the witness of a state and its hash as JSON.
    #[command(args_override_self = true)]
    Witness(WitnessArguments),
}

/// Options of `asterisc load-elf`.
#[derive(Debug, Args)]
pub struct LoadElf {
    /// The ELF file: 64-bit RISC-V, with its symbol table
    #[arg(long, value_name = "FILE", value_parser = path())]
    path: PathBuf,
    /// Where the state goes: binary if the name ends in .bin or .bin.gz, else JSON; nowhere if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "state.json")]
    out: PathBuf,
    /// Where the symbols go: a file, - for standard output, nowhere if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "meta.json")]
    meta: PathBuf,
}

/// What `witness` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WitnessRecord {
    witness: Bytes,
    state_hash: B256,
    step: u64,
    exited: bool,
    exit_code: u8,
    pc: u64,
}

/// Executes one subcommand.
///
/// # Errors
/// Whatever went wrong, an interrupt included.
pub fn run(command: Command) -> Outcome {
    let outcome = match command {
        Command::LoadElf(arguments) => load_elf(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Witness(arguments) => witness(&arguments),
    };
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // The deployed tool has no exit code of its own for faults.
        Err(error @ CannonError::Step { .. }) => Err(anyhow::anyhow!("{error}")),
        Err(error) => Err(error.into()),
    }
}

/// Loads the program and writes its state and its symbols: both, or neither.
fn load_elf(arguments: &LoadElf) -> Result<(), CannonError> {
    let file = files::read_raw(&arguments.path, ELF_LIMIT_BYTES)?;
    let mut program = load(AsteriscVersion, &file)
        .map_err(|source| CannonError::Load { path: arguments.path.clone(), source })?;
    let symbols = json_output(&arguments.meta, &program.symbols)?;
    let seal = program.state.seal();
    asterisc_output(&arguments.out, &program.state, &seal)?.commit()?;
    symbols.commit()?;
    Ok(())
}

/// Prints the witness as JSON and writes its bytes to the file that was asked for.
fn witness(arguments: &WitnessArguments) -> Result<(), CannonError> {
    if arguments.input == Path::new("") {
        return Err(CannonError::NoInput);
    }
    let mut state = read_asterisc_state(&arguments.input)?;
    let witness = state.witness();
    let mut raw = Output::create_raw(&arguments.output)?;
    raw.fill(|out| out.write_all(&witness.0))?;
    let r = &state.registers;
    let record = WitnessRecord {
        state_hash: state.hash_of(&witness),
        witness: witness.0.into(),
        step: r.step,
        exited: r.exited,
        exit_code: r.exit_code,
        pc: r.processor.pc,
    };
    let printed = json_output(Path::new("-"), &record)?;
    raw.commit()?;
    printed.commit()?;
    Ok(())
}
