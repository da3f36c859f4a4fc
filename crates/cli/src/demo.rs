//! `rebut demo`: what the system does, played in one process and offline.

mod dispute;
mod step;

use crate::{Outcome, block};

/// What the demonstrations take.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dispute: dispute::Arguments,
}

/// The demonstrations besides the one of whole games.
#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Prove instructions of a block's execution and verify them on chain.
    Step(step::Arguments),
}

/// Plays a demonstration. Exit code 0 when everything held, 1 when something did not, 2 when it could
/// not be played.
pub fn run(arguments: &Arguments) -> Outcome {
    Ok(block::ended(match &arguments.command {
        None => dispute::run(&arguments.dispute),
        Some(Command::Step(arguments)) => step::run(arguments),
    }))
}
