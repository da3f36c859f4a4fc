//! `rebut demo`: what the system does, played in one process and offline.

mod step;

use crate::{Outcome, block};

/// The demonstrations.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Prove instructions of a block's execution and verify them on chain.
    Step(step::Arguments),
}

/// Plays a demonstration. Exit code 0 when everything held, 1 when something did not, 2 when it could
/// not be played.
pub fn run(command: &Command) -> Outcome {
    Ok(block::ended(match command {
        Command::Step(arguments) => step::run(arguments),
    }))
}
