//! What `devnet` takes.

use alloy_primitives::B256;
use clap::ValueEnum;
use rebut_devnet::{
    batcher::{self, Faults, Form},
    keys::DEV_KEYS,
    network::{L1Elsewhere, L2Options, Options, Ports},
};
use rebut_execution::Fork;
use rebut_host::source::NodeUrl;
use std::path::PathBuf;

/// The forks that a devnet knows.
const FORKS: [(&str, Fork); 9] = [
    ("bedrock", Fork::Bedrock),
    ("regolith", Fork::Regolith),
    ("canyon", Fork::Canyon),
    ("ecotone", Fork::Ecotone),
    ("fjord", Fork::Fjord),
    ("granite", Fork::Granite),
    ("holocene", Fork::Holocene),
    ("isthmus", Fork::Isthmus),
    ("jovian", Fork::Jovian),
];

/// What `devnet` takes.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Seconds between two blocks of L1.
    #[arg(
        long,
        env = "REBUT_L1_BLOCK_TIME",
        value_name = "SECONDS",
        default_value_t = 2,
        value_parser = clap::value_parser!(u64).range(1..=3600),
    )]
    l1_block_time: u64,
    /// JSON-RPC of a development chain to use as L1 in place of the embedded one, like anvil. Contracts are
    /// deployed there, and batches are calldata.
    #[arg(
        long,
        env = "REBUT_L1_RPC",
        value_name = "URL",
        conflicts_with_all = ["l1_only", "l1_block_time", "l1_port", "beacon_port", "datadir"],
    )]
    l1_rpc: Option<NodeUrl>,
    /// Private key of an account with ether on that chain, which funds those of the rollup's own. Without it,
    /// that of the first account of every development chain.
    #[arg(long, env = "REBUT_L1_FUNDER", value_name = "KEY", requires = "l1_rpc")]
    l1_funder: Option<B256>,
    /// Port of L1's JSON-RPC; 0 for any.
    #[arg(long, env = "REBUT_L1_PORT", value_name = "PORT", default_value_t = 8545)]
    l1_port: u16,
    /// Port of L1's beacon API; 0 for any.
    #[arg(long, env = "REBUT_BEACON_PORT", value_name = "PORT", default_value_t = 5052)]
    beacon_port: u16,
    /// Start L1 alone, without a rollup on it and hence without any option of one.
    #[arg(long, conflicts_with = "L2Arguments")]
    l1_only: bool,
    /// Keep both chains in this directory and go on where they were; without it, in memory.
    #[arg(long, env = "REBUT_DATADIR", value_name = "DIR")]
    datadir: Option<PathBuf>,
    #[command(flatten)]
    l2: L2Arguments,
    /// Print an object instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// What concerns the rollup.
#[derive(Debug, clap::Args)]
struct L2Arguments {
    /// Port of L2's JSON-RPC, of the execution node and of the rollup node; 0 for any.
    #[arg(long, env = "REBUT_L2_PORT", value_name = "PORT", default_value_t = 9545)]
    l2_port: u16,
    /// The fork that L2 begins with, from bedrock to jovian. Without it, the one before the first
    /// `--fork-at`, or else jovian.
    #[arg(long, value_name = "NAME", value_parser = fork)]
    fork: Option<Fork>,
    /// A fork that activates so many seconds after genesis; once for each.
    #[arg(long, value_name = "NAME=SECONDS", value_parser = fork_at)]
    fork_at: Vec<(Fork, u64)>,
    /// Seconds between two blocks of L2, not more than between two of L1 [default: 2, or as L1 if that is
    /// less].
    #[arg(
        long,
        env = "REBUT_L2_BLOCK_TIME",
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600),
    )]
    l2_block_time: Option<u64>,
    /// Build so many blocks of L2 and no more. They go on being posted and served.
    #[arg(long, value_name = "N")]
    l2_blocks: Option<u64>,
    /// Transactions of generated users in a second, on average, like 20tps; with them come deposits.
    #[arg(long, value_name = "TPS", default_value = "0tps", value_parser = load)]
    load: u64,
    /// How blocks are written; before Delta, which comes with Ecotone, always singular.
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Batches::Span)]
    batches: Batches,
    /// How channels are compressed; before Fjord always with zlib.
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Compression::Brotli)]
    compression: Compression,
    /// Where channels are put; before Ecotone, and on L1 elsewhere, always into calldata [default: blobs].
    #[arg(long, value_name = "KIND", value_enum)]
    data_availability: Option<Data>,
    /// What goes wrong on the way to L1, in parts of a hundred; once for each kind of late, dropped,
    /// duplicated, malformed, foreign. What does not arrive is sent again after a while.
    #[arg(long, value_name = "KIND=PERCENT", value_parser = fault)]
    fault: Vec<(FaultKind, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FaultKind {
    Late,
    Dropped,
    Duplicated,
    Malformed,
    Foreign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Batches {
    Singular,
    Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compression {
    Zlib,
    Brotli,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Data {
    Calldata,
    Blobs,
}

impl Arguments {
    /// The devnet as it is asked for.
    pub fn options(&self) -> Options {
        let ports = Ports { l1: self.l1_port, beacon: self.beacon_port, l2: self.l2.l2_port };
        let l2 = (!self.l1_only).then(|| self.l2.options(self.l1_block_time));
        let datadir = self.datadir.clone();
        let funder = self.l1_funder.unwrap_or(DEV_KEYS[0]);
        let elsewhere = self.l1_rpc.clone().map(|url| L1Elsewhere { url, funder });
        Options { elsewhere, datadir, l2, ..Options::beginning_now(self.l1_block_time, ports) }
    }
}

impl L2Arguments {
    fn options(&self, l1_block_time: u64) -> L2Options {
        let compression = match self.compression {
            Compression::Zlib => batcher::Compression::Zlib,
            Compression::Brotli => batcher::Compression::Brotli,
        };
        L2Options {
            fork: self.fork.unwrap_or_else(|| fork_before(&self.fork_at)),
            later: self.fork_at.clone(),
            block_time: self.l2_block_time.unwrap_or_else(|| l1_block_time.min(2)),
            blocks: self.l2_blocks,
            load: self.load,
            faults: self.faults(),
            form: Form {
                span: self.batches == Batches::Span,
                compression,
                blobs: self.data_availability != Some(Data::Calldata),
                ..Form::default()
            },
        }
    }
}

impl L2Arguments {
    fn faults(&self) -> Faults {
        // As many blocks as a reader still waits for.
        let mut faults = Faults { late_blocks: 6, ..Faults::default() };
        for (kind, percent) in &self.fault {
            let part = match kind {
                FaultKind::Late => &mut faults.late,
                FaultKind::Dropped => &mut faults.dropped,
                FaultKind::Duplicated => &mut faults.duplicated,
                FaultKind::Malformed => &mut faults.malformed,
                FaultKind::Foreign => &mut faults.foreign,
            };
            *part = *percent;
        }
        faults
    }
}

/// The fork that a chain begins with on which these activate later.
fn fork_before(later: &[(Fork, u64)]) -> Fork {
    let earliest = later.iter().map(|(fork, _)| *fork).min();
    let mut known = FORKS.into_iter().map(|(_, fork)| fork).rev();
    let before = known.find(|fork| earliest.is_none_or(|earliest| *fork < earliest));
    // Nothing is before Bedrock, which therefore cannot come later.
    before.unwrap_or(Fork::Bedrock)
}

fn fork(name: &str) -> Result<Fork, String> {
    let found = FORKS.iter().find(|(known, _)| *known == name).map(|(_, fork)| *fork);
    found.ok_or_else(|| {
        format!("no such fork; there are {}", FORKS.map(|(name, _)| name).join(", "))
    })
}

fn fork_at(text: &str) -> Result<(Fork, u64), String> {
    let (name, seconds) = text.split_once('=').ok_or("not of the form NAME=SECONDS")?;
    Ok((fork(name)?, seconds.parse().map_err(|error| format!("{seconds:?} seconds: {error}"))?))
}

fn fault(text: &str) -> Result<(FaultKind, u8), String> {
    let (name, percent) = text.split_once('=').ok_or("not of the form KIND=PERCENT")?;
    let kind = FaultKind::from_str(name, false)
        .map_err(|_| "no such fault; there are late, dropped, duplicated, malformed, foreign")?;
    match percent.parse() {
        Ok(percent @ 0..=100) => Ok((kind, percent)),
        _ => Err(format!("{percent:?} is not a number from 0 to 100")),
    }
}

fn load(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix("tps").unwrap_or(text);
    match number.parse() {
        Ok(load @ 0..=200) => Ok(load),
        _ => Err("not a number of transactions in a second from 0tps to 200tps".to_owned()),
    }
}
