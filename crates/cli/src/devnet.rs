//! `rebut devnet`: a living rollup in this process, until it is interrupted.

mod arguments;
mod report;

use crate::Outcome;
use anyhow::Context;
pub use arguments::Arguments;
use rebut_devnet::network::Devnet;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use std::process::ExitCode;

/// Starts the devnet, says where it is, and waits for the end.
pub fn run(arguments: &Arguments) -> Outcome {
    // Before anything starts, so that no signal is lost.
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot wait for signals")?;
    let devnet = Devnet::start(arguments.options())?;
    report::print(&devnet, arguments.json)?;
    if let Some(signal) = signals.forever().next() {
        tracing::info!(signal, "stopping");
    }
    drop(devnet);
    Ok(ExitCode::SUCCESS)
}
