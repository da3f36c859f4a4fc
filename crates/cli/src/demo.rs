//! `rebut demo`: what the system does, played in one process and offline.
//!
//! There is one demonstration so far, of the proof of single steps; it needs no name on the command line.

mod step;

use crate::{Outcome, block};

/// What the demonstration takes.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    step: step::Arguments,
}

/// Plays the demonstration. Exit code 0 when everything held, 1 when something did not, 2 when it could
/// not be played.
pub fn run(arguments: &Arguments) -> Outcome {
    Ok(block::ended(step::run(&arguments.step)))
}
