//! The figures as a table and as JSON.

use crate::rehash::Rehash;
use crate::{Rates, geometric_mean, median};
use anyhow::ensure;
use serde::Serialize;
use std::fmt;

/// Least geometric mean of the block interpreter's speed over the reference's.
const BLOCKS_RATIO: f64 = 0.12;
/// The same for the plain step.
const PLAIN_RATIO: f64 = 0.02;
/// Least page hashing speed of one core where vector instructions exist.
const REHASH_MIB_PER_SECOND: f64 = 400.0;

/// Everything that was measured. Speeds in million instructions a second.
#[derive(Debug, Serialize)]
pub struct Report {
    machines: Vec<Machine>,
    rehash_engine: String,
    rehash_mib_per_second_per_core: f64,
}

/// One machine beside its emulator.
#[derive(Debug, Serialize)]
pub struct Machine {
    machine: &'static str,
    qemu_version: String,
    guests: Vec<Row>,
    blocks_ratio_geometric_mean: f64,
    plain_ratio_geometric_mean: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    guest: String,
    steps: u64,
    qemu_mips: f64,
    blocks_mips: f64,
    /// Median over the rounds of the ratio within one round.
    blocks_ratio: f64,
    plain_mips: f64,
    plain_ratio: f64,
}

fn ratio(rates: &[f64], reference: &[f64]) -> f64 {
    median(rates.iter().zip(reference).map(|(rate, reference)| rate / reference).collect())
}

impl Machine {
    pub fn new(machine: &'static str, qemu_version: &str, guests: &[(&str, Rates)]) -> Self {
        let guests: Vec<Row> = guests
            .iter()
            .map(|(guest, rates)| Row {
                guest: (*guest).to_owned(),
                steps: rates.steps,
                qemu_mips: median(rates.qemu.clone()),
                blocks_mips: median(rates.blocks.clone()),
                blocks_ratio: ratio(&rates.blocks, &rates.qemu),
                plain_mips: median(rates.plain.clone()),
                plain_ratio: ratio(&rates.plain, &rates.qemu),
            })
            .collect();
        Self {
            machine,
            qemu_version: qemu_version.to_owned(),
            blocks_ratio_geometric_mean: geometric_mean(guests.iter().map(|r| r.blocks_ratio)),
            plain_ratio_geometric_mean: geometric_mean(guests.iter().map(|r| r.plain_ratio)),
            guests,
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let (blocks, plain) = (self.blocks_ratio_geometric_mean, self.plain_ratio_geometric_mean);
        let name = self.machine;
        ensure!(
            blocks >= BLOCKS_RATIO,
            "{name}, block interpreter: ratio {blocks:.3} < {BLOCKS_RATIO}"
        );
        ensure!(plain >= PLAIN_RATIO, "{name}, plain step: ratio {plain:.4} < {PLAIN_RATIO}");
        Ok(())
    }
}

impl Report {
    pub fn new(machines: Vec<Machine>, rehash: Rehash) -> Self {
        Self {
            machines,
            rehash_engine: rehash.engine,
            rehash_mib_per_second_per_core: rehash.mib_per_second,
        }
    }

    /// Compares with what the project promises.
    pub fn check(&self) -> anyhow::Result<()> {
        self.machines.iter().try_for_each(Machine::check)?;
        let rehash = self.rehash_mib_per_second_per_core;
        let vectorised = rebut_merkle::Engine::available().count() > 1;
        ensure!(
            !vectorised || rehash >= REHASH_MIB_PER_SECOND,
            "page hashing: {rehash:.0} MiB/s < {REHASH_MIB_PER_SECOND} MiB/s"
        );
        Ok(())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}; reference: {}\n", self.machine, self.qemu_version)?;
        writeln!(
            f,
            "{:<18} {:>12} {:>10} {:>12} {:>7} {:>12} {:>7}",
            "guest", "steps", "qemu MIPS", "blocks MIPS", "ratio", "plain MIPS", "ratio"
        )?;
        for row in &self.guests {
            writeln!(
                f,
                "{:<18} {:>12} {:>10.0} {:>12.0} {:>7.3} {:>12.1} {:>7.4}",
                row.guest,
                row.steps,
                row.qemu_mips,
                row.blocks_mips,
                row.blocks_ratio,
                row.plain_mips,
                row.plain_ratio
            )?;
        }
        writeln!(
            f,
            "{:<18} {:>12} {:>10} {:>12} {:>7.3} {:>12} {:>7.4}",
            "geometric mean",
            "",
            "",
            "",
            self.blocks_ratio_geometric_mean,
            "",
            self.plain_ratio_geometric_mean
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "MIPS = million guest instructions a second")?;
        for machine in &self.machines {
            writeln!(f, "\n{machine}")?;
        }
        writeln!(f, "state hashes in the middle of each guest: equal on both engines")?;
        writeln!(
            f,
            "page rehash: {:.0} MiB/s a core ({})",
            self.rehash_mib_per_second_per_core, self.rehash_engine
        )
    }
}
