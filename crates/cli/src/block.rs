//! `rebut block`: one recorded L2 block, executed natively, in a virtual machine, or served to one.
//!
//! Exit codes of `run` and `vm`: 0 when the block has the expected hash, 1 when it has another, 2 when
//! there is no verdict.

mod native;
mod progress;
mod vm;

pub use native::Native;
pub use progress::{Reminder, StepProgress, mips};
pub use vm::verdict_of;

use crate::Outcome;
use crate::guest::VmName;
use crate::values::hash;
use alloy_primitives::B256;
use anyhow::Context;
use rebut_host::{BlockWitness, serve_witness};
use rebut_preimage::{Pipes, Served};
use rebut_program::EXIT_ERROR;
use serde::Serialize;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The commands on a recorded block.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Execute a recorded block natively and compare its hash.
    ///
    /// Exit code: 0 equal, 1 not equal, 2 no verdict.
    Run(Arguments),
    /// Execute a recorded block in a virtual machine, with the guest program that this binary carries.
    ///
    /// Exit code: 0 equal, 1 not equal, 2 no verdict.
    Vm(VmArguments),
    /// Serve a recorded block's preimages to the machine that started this process.
    ///
    /// The protocol is that of descriptors 3 to 6: `rebut cannon run ... -- rebut block serve FILE`.
    Serve(Recorded),
}

/// A recorded block.
#[derive(Debug, clap::Args)]
pub struct Recorded {
    /// The block with its preimages, as JSON; packed with zstd where the name ends in .zst.
    file: PathBuf,
    /// Compare with this block hash instead of the recorded one.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    expect: Option<B256>,
}

/// What `run` and `vm` take.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    recorded: Recorded,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `vm` takes.
#[derive(Debug, clap::Args)]
pub struct VmArguments {
    /// The machine.
    #[arg(long, value_enum, default_value_t)]
    vm: VmName,
    #[command(flatten)]
    arguments: Arguments,
}

/// Runs the command. Whatever goes wrong leaves no verdict.
pub fn run(command: Command) -> Outcome {
    Ok(ended(match command {
        Command::Run(arguments) => native::run(&arguments),
        Command::Vm(arguments) => vm::run(&arguments),
        Command::Serve(recorded) => serve(&recorded),
    }))
}

/// An error ends the process as a program without a verdict ends.
pub fn ended(outcome: Outcome) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        crate::log::print(&format!("error: {}\n", crate::one_line(&error)));
        ExitCode::from(EXIT_ERROR)
    })
}

impl Recorded {
    fn read(&self) -> anyhow::Result<BlockWitness> {
        let mut witness = BlockWitness::read(&self.file)?;
        if let Some(hash) = self.expect {
            witness.expected_block_hash = hash;
        }
        Ok(witness)
    }
}

fn serve(recorded: &Recorded) -> Outcome {
    let witness = recorded.read()?;
    let served = serve_witness(&witness, Pipes::inherited()?)?;
    let Served { preimages, value_bytes, hints } = served;
    tracing::info!(preimages, value_bytes, hints, "served");
    Ok(ExitCode::SUCCESS)
}

/// Which block it is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BlockId {
    /// Chain id.
    pub chain: u64,
    /// Block number.
    pub block: u64,
}

impl BlockId {
    /// The block that a witness is of.
    pub fn of(witness: &BlockWitness) -> Self {
        let block = witness.parent_header.number.saturating_add(1);
        Self { chain: witness.chain.chain_id, block }
    }
}

/// Prints one JSON object on standard output.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    print(&text)
}

/// Prints lines of a name and a value on standard output.
pub fn print_lines(lines: &[(&str, String)]) -> anyhow::Result<()> {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let text: Vec<_> =
        lines.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect();
    print(&text.concat())
}

/// Prints text on standard output.
///
/// # Errors
/// Standard output is closed or full. A result that nobody received is no success.
pub fn print(text: &str) -> anyhow::Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("cannot write to standard output")
}

/// A verdict in a word.
pub const fn in_words(equal: Option<bool>) -> &'static str {
    match equal {
        Some(true) => "equal",
        Some(false) => "not equal",
        None => "none",
    }
}
