//! Rebut: fault proofs for OP Stack chains.
//!
//! One binary, thin subcommands: each parses its arguments, calls a library crate and prints. Started
//! under the name `cannon` it answers as `rebut cannon` does, and so for `asterisc`, `kona-host` (`rebut host`),
//! `op-challenger` and `op-proposer`, so that existing tooling can call it.

mod agents;
mod asterisc;
mod block;
mod cannon;
mod demo;
mod devnet;
mod files;
mod guest;
mod host;
mod log;
mod prestate;
mod program;
mod witness;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// How a command ended. Errors that carry no code of their own end the process with 1.
type Outcome = anyhow::Result<ExitCode>;

#[derive(Parser)]
#[command(
    name = "rebut",
    version,
    about = "Fault proofs for OP Stack chains",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The Asterisc virtual machine, with the flags and files of the deployed tool.
    #[command(subcommand)]
    Asterisc(asterisc::Command),
    /// Execute a recorded L2 block, natively or in a fault proof VM.
    #[command(subcommand)]
    Block(block::Command),
    /// The Cannon virtual machine, with the flags and files of the deployed tool.
    #[command(subcommand)]
    Cannon(cannon::Command),
    /// The preimage server of a claim, with the flags of the deployed tool.
    #[command(subcommand)]
    Host(host::Command),
    /// Absolute prestates: what a dispute about a program starts from, with the chains it carries.
    #[command(subcommand)]
    Prestate(prestate::Command),
    /// Preimages in files and stores: move them, check them.
    #[command(subcommand)]
    Witness(witness::Command),
    /// Decide a claim about an L2 output root, natively or in a fault proof VM.
    #[command(subcommand)]
    Program(program::Command),
    /// A living rollup: L1 and L2 with their nodes' endpoints, until interrupted.
    Devnet(devnet::Arguments),
    /// Answer false claims in dispute games, resolve them, collect bonds; flags of `op-challenger`.
    Challenger(Box<agents::challenger::Arguments>),
    /// Post output roots; flags of `op-proposer`.
    Proposer(Box<agents::proposer::Arguments>),
    /// Deploy the dispute contracts of a chain from a configuration, and read back what was deployed.
    Deploy(Box<agents::deploy::Arguments>),
    /// Dispute games: look at them, or play by hand.
    #[command(subcommand)]
    Game(Box<agents::game::Command>),
    /// What only the guardian can do about games.
    #[command(subcommand)]
    Guardian(Box<agents::guardian::Command>),
    /// Play two dispute games to their end on an L1 chain: a false output root loses, a true one survives.
    Demo(demo::Arguments),
}

fn main() -> ExitCode {
    log::start();
    files::report_size_limits();
    let mut arguments = named_arguments(std::env::args_os());
    let vm = ["cannon", "asterisc"]
        .into_iter()
        .find(|name| arguments.get(1).is_some_and(|command| command == name));
    if let Some(vm) = vm {
        cannon::double_dashes::<Arguments>(vm, &mut arguments[2..]);
    }
    let parsed = commands()
        .try_get_matches_from(arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let outcome = match parsed {
        Ok(arguments) => run(arguments.command),
        Err(error) => return refused(&error, vm.is_some()),
    };
    outcome.unwrap_or_else(|error| {
        let prefix = if cannon::is_interrupt(&error) { "" } else { "error: " };
        log::print(&format!("{prefix}{}\n", one_line(&error)));
        cannon::exit_code_of(&error)
    })
}

/// The commands, each agent with the variables of the deployed tool.
fn commands() -> clap::Command {
    let mut commands = Arguments::command();
    for (name, prefix) in [
        ("challenger", "OP_CHALLENGER"),
        ("proposer", "OP_PROPOSER"),
        ("game", "OP_CHALLENGER"),
        ("guardian", "OP_CHALLENGER"),
    ] {
        commands = commands.mut_subcommand(name, |command| agents::with_variables(command, prefix));
    }
    commands
}

fn run(command: Command) -> Outcome {
    match command {
        Command::Asterisc(command) => asterisc::run(command),
        Command::Challenger(arguments) => agents::challenger::run(*arguments),
        Command::Proposer(arguments) => agents::proposer::run(&arguments),
        Command::Deploy(arguments) => agents::deploy::run(&arguments),
        Command::Game(command) => agents::game::run(*command),
        Command::Guardian(command) => agents::guardian::run(*command),
        Command::Block(command) => block::run(command),
        Command::Cannon(command) => cannon::run(command),
        Command::Prestate(command) => prestate::run(command),
        Command::Host(command) => host::run(command),
        Command::Witness(command) => witness::run(command),
        Command::Program(command) => program::run(command),
        Command::Devnet(arguments) => devnet::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
    }
}

/// What the arguments lead to when it is no command: help, or one line of error.
fn refused(error: &clap::Error, for_vm: bool) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Nobody reads the help when it cannot be printed.
        let _ = error.print();
        return ExitCode::from(u8::from(error.use_stderr()));
    }
    let rendered = error.to_string();
    let message = rendered.split("\n\n").next().unwrap_or_default();
    let message: Vec<&str> = message.split_whitespace().collect();
    log::print(&format!("{}\n", message.join(" ")));
    // The exit code 2 of `cannon` belongs to faults of the guest, and `asterisc` has none.
    ExitCode::from(if for_vm { 1 } else { 2 })
}

/// An error and its causes on one line. Causes that the text already names are left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if line.is_empty() {
            line = text;
        } else if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
    }
    line.replace('\n', " ")
}

/// `cannon run ...` becomes `rebut cannon run ...`, `kona-host single ...` becomes `rebut host single ...`.
fn named_arguments(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let name = arguments.first().map(Path::new).and_then(Path::file_stem);
    for (known, command) in [
        ("cannon", "cannon"),
        ("asterisc", "asterisc"),
        ("kona-host", "host"),
        ("op-challenger", "challenger"),
        ("op-proposer", "proposer"),
    ] {
        if name.is_some_and(|name| name == known) {
            arguments.insert(1, command.into());
            break;
        }
    }
    arguments
}
