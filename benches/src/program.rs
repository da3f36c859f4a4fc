//! What the program costs: its steps on the recorded blocks and the recorded runs, by topic.

use crate::{geometric_mean, guest, profile};
use anyhow::{Context, ensure};
use rebut_host::{BlockWitness, ClaimWitness};
use rebut_program::config::{Chain, Table, section};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Steps of the program on recorded inputs.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
    /// Folder with the guests, as ELF files or packed as `.elf.gz`.
    #[arg(long)]
    guests: Option<PathBuf>,
    /// Also name this many functions, those with most steps over all inputs.
    #[arg(long, default_value_t = 0)]
    functions: usize,
    /// Only inputs whose name holds this text.
    #[arg(long, default_value = "")]
    only: String,
}

/// One input's figures.
#[derive(Debug, Serialize)]
struct Row {
    input: String,
    #[serde(flatten)]
    profile: profile::Profile,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = arguments.guests.clone().unwrap_or_else(|| guest::prebuilt("mips64"));
    let inputs = [("blocks", count_block as Count), ("fpp-devnet", count_claim)];
    let mut rows = Vec::new();
    for (kind, count) in inputs {
        for path in recorded(kind)? {
            let input = name_of(&path);
            if !input.contains(&arguments.only) {
                continue;
            }
            eprintln!("counting {input}");
            let profile = count(&path, &folder).with_context(|| input.clone())?;
            rows.push(Row { input, profile });
        }
    }
    ensure!(!rows.is_empty(), "no recorded input; REBUT_DATA names the folder of the recordings");
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print_table(&rows);
        print_functions(&rows, arguments.functions);
    }
    Ok(())
}

/// Counts the steps on a recorded input, given the folder of the guests.
type Count = fn(&Path, &Path) -> anyhow::Result<profile::Profile>;

fn count_block(path: &Path, guests: &Path) -> anyhow::Result<profile::Profile> {
    let witness = BlockWitness::read(path)?;
    profile::run(&guest::read(guests, "block")?, witness.oracle())
}

/// The program carries the parameters of the recorded run's chain.
fn count_claim(path: &Path, guests: &Path) -> anyhow::Result<profile::Profile> {
    let witness = ClaimWitness::read(path)?;
    let mut elf = guest::read(guests, "program")?;
    let chain = Chain::new("recorded", witness.config.clone());
    section::fill(&mut elf, &Table::encode(&[chain])?)?;
    profile::run(&elf, witness.oracle())
}

/// The recorded files in a folder of the recordings, by name.
fn recorded(folder: &str) -> anyhow::Result<Vec<PathBuf>> {
    let Some(folder) = rebut_recordings::path(folder) else { return Ok(Vec::new()) };
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "zst"));
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

fn print_table(rows: &[Row]) {
    print!("{:<12}{:>14}", "input", "steps");
    for topic in profile::topics() {
        print!("{topic:>12}");
    }
    println!();
    for Row { input, profile } in rows {
        print!("{input:<12}{:>14}", profile.steps);
        for topic in profile::topics() {
            let share = profile.topics.get(topic).copied().unwrap_or(0) as f64;
            print!("{:>10.1} %", 100.0 * share / profile.steps as f64);
        }
        println!();
    }
    let mean = geometric_mean(rows.iter().map(|row| row.profile.steps as f64));
    println!("{:<12}{mean:>14.0}", "geo. mean");
}

fn print_functions(rows: &[Row], count: usize) {
    let mut sums = std::collections::BTreeMap::<&str, u64>::new();
    for (name, steps) in rows.iter().flat_map(|row| &row.profile.functions) {
        *sums.entry(name).or_default() += steps;
    }
    let mut sums: Vec<(&str, u64)> = sums.into_iter().collect();
    sums.sort_by_key(|(_, steps)| std::cmp::Reverse(*steps));
    for (name, steps) in sums.into_iter().take(count) {
        println!("{steps:>14}  {name}");
    }
}
