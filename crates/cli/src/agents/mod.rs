//! Commands of the agents: challenger, proposer, games, guardian.
//!
//! Flags and environment variables are those of the deployed `op-challenger` and `op-proposer`; started under those
//! names the binary answers as `rebut challenger` and `rebut proposer` do.

mod accepted;
pub mod challenger;
pub mod deploy;
mod environment;
mod factories;
mod flags;
pub mod game;
pub mod guardian;
pub mod proposer;
mod show;
mod traces;
mod why;

pub use accepted::Tool;

use crate::log;
use clap::{ArgMatches, Command};
use std::future::Future;

/// Commands that stand for deployed tools: their names here, the prefix of their variables.
const TOOLS: [(&str, &str, Tool); 4] = [
    ("challenger", "OP_CHALLENGER", Tool::Challenger),
    ("proposer", "OP_PROPOSER", Tool::Proposer),
    ("game", "OP_CHALLENGER", Tool::ByHand),
    ("guardian", "OP_CHALLENGER", Tool::ByHand),
];

/// The commands, with all flags and variables of the deployed tools.
pub fn as_deployed(mut commands: Command) -> Command {
    for (name, prefix, tool) in TOOLS {
        commands = commands.mut_subcommand(name, |command| {
            environment::with_variables(with_flags(command, tool), prefix)
        });
    }
    commands
}

/// Adds flags to the command, where it does something of its own, and to its subcommands.
fn with_flags(command: Command, tool: Tool) -> Command {
    let command = command.mut_subcommands(|subcommand| {
        let plays = tool == Tool::Challenger && subcommand.get_name() == "check";
        with_flags(subcommand, if plays { tool } else { Tool::ByHand })
    });
    let is_group = command.has_subcommands() && command.is_subcommand_required_set();
    if is_group { command } else { tool.add_to(command.args(log::flags())) }
}

/// Says which flags have no effect.
pub fn warn(matches: &ArgMatches) {
    let Some((name, matches)) = matches.subcommand() else { return };
    let Some((_, _, tool)) = TOOLS.into_iter().find(|(known, _, _)| *known == name) else { return };
    match matches.subcommand() {
        Some(("check", matches)) => tool.warn(matches),
        Some((_, matches)) => Tool::ByHand.warn(matches),
        None => tool.warn(matches),
    }
}

/// Runs one command on a runtime of its own.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Becomes true when the process is asked to end, once.
fn stop_signal() -> tokio::sync::watch::Receiver<bool> {
    let (sender, receiver) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        match terminate {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
        tracing::info!("ending; what is in flight is finished first");
        // A second signal ends the process at once: its handlers stay, but nobody listens any more.
        let _ = sender.send(true);
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    receiver
}
