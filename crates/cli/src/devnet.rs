//! `rebut devnet`: a living rollup in this process, until it is interrupted.

mod arguments;
mod report;

use crate::Outcome;
use anyhow::Context;
pub use arguments::Arguments;
use rebut_devnet::network::{Devnet, StartError};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use std::{process::ExitCode, sync::mpsc, thread};

/// What may come first.
enum Event {
    Started(Result<Box<Devnet>, StartError>),
    Signal(i32),
}

/// Starts the devnet, says where it is, and waits for the end, which may come before it is up.
pub fn run(arguments: &Arguments) -> Outcome {
    // Before anything starts, so that no signal is lost.
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot wait for signals")?;
    let (to_signals, events) = mpsc::channel();
    let to_start = to_signals.clone();
    let options = arguments.options();
    // Nobody listens any more when either of these comes too late.
    thread::spawn(move || {
        signals.forever().try_for_each(|signal| to_signals.send(Event::Signal(signal)))
    });
    thread::spawn(move || to_start.send(Event::Started(Devnet::start(options).map(Box::new))));
    let mut devnet = None;
    for event in events {
        match event {
            Event::Started(started) => report::print(devnet.insert(started?), arguments.json)?,
            Event::Signal(signal) => {
                tracing::info!(signal, "stopping");
                break;
            }
        }
    }
    drop(devnet);
    Ok(ExitCode::SUCCESS)
}
