//! `rebut devnet`: a living rollup in this process, until it is interrupted.

use crate::{
    Outcome,
    block::{print_json, print_lines},
};
use anyhow::Context;
use rebut_devnet::network::{self, Devnet, Options, Ports};
use serde_json::json;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};
use std::{path::PathBuf, process::ExitCode};

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
    /// Port of L1's JSON-RPC; 0 for any.
    #[arg(long, env = "REBUT_L1_PORT", value_name = "PORT", default_value_t = 8545)]
    l1_port: u16,
    /// Port of L1's beacon API; 0 for any.
    #[arg(long, env = "REBUT_BEACON_PORT", value_name = "PORT", default_value_t = 5052)]
    beacon_port: u16,
    /// Keep the chains in this directory and go on where they were; without it, in memory.
    #[arg(long, env = "REBUT_DATADIR", value_name = "DIR")]
    datadir: Option<PathBuf>,
    /// Print an object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Starts the devnet, says where it is, and waits for the end.
pub fn run(arguments: &Arguments) -> Outcome {
    // Before anything starts, so that no signal is lost.
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot wait for signals")?;
    let ports = Ports { l1: arguments.l1_port, beacon: arguments.beacon_port };
    let datadir = arguments.datadir.clone();
    let options = Options::beginning_now(arguments.l1_block_time, ports, datadir);
    let devnet = Devnet::start(options)?;
    report(&devnet, arguments.json)?;
    if let Some(signal) = signals.forever().next() {
        tracing::info!(signal, "stopping");
    }
    drop(devnet);
    Ok(ExitCode::SUCCESS)
}

fn report(devnet: &Devnet, in_json: bool) -> anyhow::Result<()> {
    let accounts = network::accounts()?;
    let l1_chain_id = devnet.l1().chain().config().chain_id;
    if in_json {
        let accounts: Vec<_> = accounts
            .iter()
            .map(|account| {
                json!({ "role": account.role, "address": account.address, "key": account.key })
            })
            .collect();
        return print_json(&json!({
            "l1": {
                "chain_id": l1_chain_id,
                "rpc": devnet.l1_url(),
                "beacon": devnet.beacon_url(),
            },
            "accounts": accounts,
        }));
    }
    let mut lines = vec![
        ("L1 chain", l1_chain_id.to_string()),
        ("L1 JSON-RPC", devnet.l1_url()),
        ("L1 beacon API", devnet.beacon_url()),
    ];
    let account = |account: &network::Account| {
        (account.role, format!("{}  {}", account.address, account.key))
    };
    lines.extend(accounts.iter().map(account));
    print_lines(&lines)
}
