//! Speed of both interpreters beside `qemu-mips64` and `qemu-riscv64`, and of page hashing.
//!
//! A shared machine is never quiet: each figure is the median of several rounds, and a round measures
//! all engines one after the other, so that what disturbs one disturbs the others as well. The speed
//! of an engine is the program's step count over wall time, for the emulator as for the machine here.

mod guest;
mod measure;
mod profile;
mod program;
mod qemu;
mod rehash;
mod report;

use anyhow::ensure;
use clap::{Parser, Subcommand};
use measure::Rates;
use rebut_fpvm::{AsteriscVersion, StateVersion, Target, Version, Vm};
use std::path::PathBuf;
use std::process::ExitCode;

/// The programs that are measured.
const GUESTS: [&str; 3] = ["bench-keccak", "bench-map", "bench-interpreter"];

/// Measures the interpreters beside qemu-mips64 and qemu-riscv64, and page hashing.
#[derive(Debug, Parser)]
struct Arguments {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Rounds; each figure is the median over them.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Folder with a folder of guests for each machine, as ELF files or packed as `.elf.gz`.
    #[arg(long)]
    guests: Option<PathBuf>,
    /// Fail when a geometric mean or the page hashing is below what the project promises.
    #[arg(long)]
    check: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Counts the program's steps on recorded inputs, by what they are spent on.
    Program(program::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Some(Command::Program(arguments)) => program::run(&arguments),
        None => run(arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    ensure!(arguments.rounds > 0, "--rounds must be at least 1");
    let machines = vec![
        machine(&arguments, "Cannon", "mips64", "qemu-mips64", StateVersion::V8)?,
        machine(&arguments, "Asterisc", "riscv64", "qemu-riscv64", AsteriscVersion)?,
    ];
    eprintln!("measuring page hashing");
    let rehash = rehash::measure(arguments.rounds);
    let report = report::Report::new(machines, rehash);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    if arguments.check {
        report.check()?;
    }
    Ok(())
}

/// Measures all guests on one machine.
fn machine<V: Target + Vm<Version = N>, N: Version<Vm = V>>(
    arguments: &Arguments,
    name: &'static str,
    folder: &str,
    emulator: &'static str,
    version: N,
) -> anyhow::Result<report::Machine> {
    let folder = match &arguments.guests {
        Some(guests) => guests.join(folder),
        None => guest::prebuilt(folder),
    };
    let qemu = qemu::Qemu::find(emulator)?;
    let mut guests = Vec::new();
    for guest in GUESTS {
        let elf = guest::read(&folder, guest)?;
        eprintln!("measuring {guest} on {name}");
        guests.push((guest, measure::guest(version, &qemu, &elf, arguments.rounds)?));
    }
    Ok(report::Machine::new(name, qemu.version(), &guests))
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => (values[n / 2 - 1] + values[n / 2]) / 2.0,
    }
}

/// The n-th root of the product of n values.
fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v.ln(), count + 1.0));
    f64::exp(sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_means() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!((geometric_mean([1.0, 100.0].into_iter()) - 10.0).abs() < 1e-9);
    }
}
