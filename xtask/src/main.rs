//! Developer commands of Rebut: tests, generated files, the rules of the architecture.

mod artifacts;
mod demo_block;
mod fuzz;
mod go;
mod guests;
mod registry;
mod tidy;
mod toolbox;
mod upgrades;

use anyhow::Context;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use toolbox::Step;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer commands of Rebut")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every test: Rust, contracts, end to end. Installs the contract tools it needs by npm.
    Test,
    /// Check the rules of ARCHITECTURE.md on the tree.
    Tidy,
    /// Build the crates of the program for a bare-metal target.
    NoStd,
    /// Compile the contracts and write what Rust embeds of them.
    Artifacts {
        /// Compare with what is there instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Build the guest programs from source.
    Guests(guests::Arguments),
    /// Write the table of chains that the program carries, from the superchain registry.
    Registry(registry::Arguments),
    /// Make the block that `rebut demo step` carries.
    DemoBlock,
    /// Make the upgrade transactions that the derivation embeds.
    Upgrades {
        /// Compare with what is there instead of writing.
        #[arg(long)]
        check: bool,
    },
    /// Build the fuzz targets and run each for a while. Needs a C++ compiler.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// The only target to run.
        target: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let root = root()?;
    match command {
        Command::Test => test(&root),
        Command::Tidy => {
            tidy::check(&root)?;
            println!("tidy: the tree keeps the rules");
            Ok(())
        }
        Command::NoStd => toolbox::no_std(&root),
        Command::Artifacts { check } => {
            toolbox::install_contract_tools(&root)?;
            if check {
                artifacts::check(&root)?
            } else {
                artifacts::write(&root)?
            }
            println!("artifacts: {}", if check { "match the contracts" } else { "written" });
            Ok(())
        }
        Command::Guests(arguments) => guests::run(&root, &arguments),
        Command::Registry(arguments) => registry::run(&root, &arguments),
        Command::Fuzz { seconds, target } => fuzz::run(&root, seconds, target.as_deref()),
        Command::Upgrades { check } => {
            let compared = if check { upgrades::check(&root)? } else { false };
            if !check {
                upgrades::write(&root)?;
                println!("upgrades: written");
            } else if compared {
                println!("upgrades: match the recorded ones");
            }
            Ok(())
        }
        Command::DemoBlock => {
            let file = demo_block::demo_block(&root)?;
            println!("demo block: written to {}", file.display());
            Ok(())
        }
    }
}

/// The folder of the workspace.
fn root() -> anyhow::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Path::to_path_buf).context("xtask has no parent folder")
}

fn test(root: &Path) -> anyhow::Result<()> {
    toolbox::install_contract_tools(root)?;
    if let Err(error) = go::install(root) {
        // The test of the Go program says that it is skipped; in continuous integration it fails.
        println!("== no Go for the tests: {error:#}");
    }
    let rust = Step::new("Rust tests", "cargo")
        .arguments(["test", "--release", "--workspace", "--locked", "--no-fail-fast"])
        .run(root);
    let contracts = Step::new("contract tests", toolbox::forge(root))
        .arguments(["test"])
        .run(&root.join("contracts"));
    rust.and(contracts)
}
