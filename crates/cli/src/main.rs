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
mod values;
mod witness;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// How a command ended. Errors that carry no code of their own end the process with 1.
type Outcome = anyhow::Result<ExitCode>;

/// Stands below the help.
const AFTER_HELP: &str = "\
To begin: `rebut demo` needs nothing, `rebut devnet` starts a rollup to try the other commands on.
Results go to standard output, logs and progress to standard error; RUST_LOG=warn,debug,... sets how much is logged.";

#[derive(Parser)]
#[command(
    name = "rebut",
    version,
    about = "Fault proofs for OP Stack chains",
    arg_required_else_help = true,
    after_help = AFTER_HELP
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play two dispute games to their end on an L1 chain: a false output root loses, a true one survives.
    Demo(demo::Arguments),
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
    /// Decide a claim about an L2 output root, natively or in a fault proof VM.
    #[command(subcommand)]
    Program(program::Command),
    /// Execute a recorded L2 block, natively or in a fault proof VM.
    #[command(subcommand)]
    Block(block::Command),
    /// The preimage server of a claim; flags of `kona-host`.
    #[command(subcommand)]
    Host(host::Command),
    /// The Cannon virtual machine (MIPS), with the flags and files of the deployed tool.
    #[command(subcommand)]
    Cannon(cannon::Command),
    /// The Asterisc virtual machine (RISC-V), with the flags and files of the deployed tool.
    #[command(subcommand)]
    Asterisc(asterisc::Command),
    /// Absolute prestates: what a dispute about a program starts from, with the chains it carries.
    #[command(subcommand)]
    Prestate(prestate::Command),
    /// Preimages in files and stores: move them, check them.
    #[command(subcommand)]
    Witness(witness::Command),
}

fn main() -> ExitCode {
    files::report_size_limits();
    let mut arguments = named_arguments(std::env::args_os());
    let vm = ["cannon", "asterisc"]
        .into_iter()
        .find(|name| arguments.get(1).is_some_and(|command| command == name));
    if let Some(vm) = vm {
        cannon::double_dashes::<Arguments>(vm, &mut arguments[2..]);
    }
    let parsed = commands().try_get_matches_from(arguments).and_then(|matches| {
        log::start(log::Options::read(&matches));
        agents::warn(&matches);
        Arguments::from_arg_matches(&matches)
    });
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

/// The commands, each agent with the flags and variables of the deployed tool.
fn commands() -> clap::Command {
    agents::as_deployed(Arguments::command())
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
    log::print(&format!("{}\n", refusal(&error.to_string())));
    // The exit code 2 of `cannon` belongs to faults of the guest, and `asterisc` has none.
    ExitCode::from(if for_vm { 1 } else { 2 })
}

/// The paragraphs of an error of the command line as one line: what is wrong, what may have been meant, and where it is
/// explained.
fn refusal(rendered: &str) -> String {
    let mut paragraphs = rendered.split("\n\n").map(|text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ")
    });
    let mut line = paragraphs.next().unwrap_or_default();
    for paragraph in paragraphs {
        if let Some(tip) = paragraph.strip_prefix("tip: ") {
            line = format!("{line}; {tip}");
        } else if let Some(usage) = paragraph.strip_prefix("Usage: ") {
            let is_name = |word: &&str| word.starts_with(|first: char| first.is_ascii_lowercase());
            let command: Vec<&str> = usage.split(' ').take_while(is_name).collect();
            line = format!("{line}; see `{} --help`", command.join(" "));
        }
    }
    line
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The line for these arguments, which lead to no command.
    fn line(arguments: &str) -> String {
        let arguments = std::iter::once("rebut").chain(arguments.split_whitespace());
        match commands().try_get_matches_from(arguments) {
            Ok(_) => String::new(),
            Err(error) => refusal(&error.to_string()),
        }
    }

    #[test]
    fn commands_are_well_formed() {
        commands().debug_assert();
    }

    #[test]
    fn a_refusal_says_what_to_do_next() {
        let check = |arguments, want| assert_eq!(line(arguments), want);
        check(
            "cannon witness --inptu x",
            "error: unexpected argument '--inptu' found; a similar argument exists: '--input'; see `rebut cannon witness --help`",
        );
        check(
            "prestate biuld",
            "error: unrecognized subcommand 'biuld'; a similar subcommand exists: 'build'; see `rebut prestate --help`",
        );
        check(
            "asterisc witness",
            "error: the following required arguments were not provided: --input <FILE>; see `rebut asterisc witness --help`",
        );
        check(
            "devnet --load x",
            "error: invalid value 'x' for '--load <TPS>': not a number of transactions in a second from 0tps to 200tps",
        );
    }
}
