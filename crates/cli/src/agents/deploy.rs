//! `rebut deploy`: the dispute contracts of a chain, from one configuration.

use super::flags::KeyArguments;
use super::{block_on, show};
use crate::Outcome;
use crate::block::{print, print_json};
use crate::files;
use crate::log;
use alloy_primitives::{U256, utils::format_ether};
use anyhow::{Context, bail};
use rebut_challenger::chain::{Lens, Node};
use rebut_challenger::deploy::{self, Deployed, Deployer};
use rebut_challenger::sender::FeeLimits;
use rebut_contracts::deployment::{DeploymentConfig, DeploymentPlan};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use toml::{Table, Value};

/// Most bytes of a configuration.
const CONFIG_LIMIT_BYTES: u64 = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(20);

/// What the configuration goes out from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    /// The parameters of OP Mainnet
    Mainnet,
    /// Games that are over in minutes, for demonstrations and tests
    Fast,
}

/// What `deploy` takes.
#[derive(clap::Args)]
pub struct Arguments {
    /// The configuration (TOML). Needed are `l2_chain_id`, `owner`, `guardian`, `[anchor]` with `output_root` and
    /// `l2_block_number`, and `absolute_prestate` of each of the `[[games]]`; everything else has the preset's value.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Execution node of L1.
    #[arg(long, value_name = "URL", visible_alias = "l1-eth-rpc")]
    rpc_url: String,
    /// What is not in the configuration; also `preset` in the file [default: mainnet].
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    #[command(flatten)]
    keys: KeyArguments,
    /// Go on with the deployment that this account began at this nonce, and check all of it.
    #[arg(long, value_name = "N", conflicts_with = "again")]
    nonce: Option<u64>,
    /// Deploy although this account has deployed before.
    #[arg(long)]
    again: bool,
    /// Blocks that a transaction must be deep before the next one is sent.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    num_confirmations: u64,
    /// Between two looks for a receipt, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 500)]
    receipt_query_interval_ms: u64,
    /// The longest wait for one transaction, in seconds.
    #[arg(long, value_name = "S", default_value_t = 300)]
    send_timeout: u64,
    /// Say what would be sent and where contracts would be, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Deploys. Exit code 0 when everything is as configured, 1 when something is not, or was not sent.
pub fn run(arguments: &Arguments) -> Outcome {
    let config = read(&arguments.config, arguments.preset)?;
    block_on(deploy(arguments, &config))
}

async fn deploy(arguments: &Arguments, config: &DeploymentConfig) -> Outcome {
    let node = Node::new(&arguments.rpc_url, TIMEOUT)?;
    let deployer = Deployer {
        node: node.clone(),
        signer: arguments.keys.open()?,
        fees: FeeLimits::default(),
        confirmations: arguments.num_confirmations,
        receipt_interval: Duration::from_millis(arguments.receipt_query_interval_ms),
        patience: Duration::from_secs(arguments.send_timeout),
    };
    let chain_id = node.chain_id().await?;
    let next = deployer.nonce().await?;
    let first = arguments.nonce.unwrap_or(next);
    let plan = DeploymentPlan::new(config, deployer.address(), first)?;
    if arguments.nonce.is_none()
        && !arguments.again
        && let Some(nonce) = deployer.earlier(&plan).await?
    {
        bail!(
            "{} has deployed before: --nonce {nonce} goes on with what it began there, --again deploys once more",
            deployer.address()
        );
    }
    let (deployed, findings) = if arguments.dry_run {
        let planned = plan.transactions.iter().map(|planned| Deployed {
            what: planned.what.clone(),
            address: planned.creates,
            transaction: None,
            gas: None,
            cost: U256::ZERO,
        });
        (planned.collect(), Vec::new())
    } else {
        let count = plan.transactions.len();
        log::print(&format!(
            "{} deploys on chain {chain_id} from nonce {first} on: {count} transactions\n",
            deployer.address()
        ));
        let sent = deployer.deploy(&plan, first, |done| tracing::info!(what = done.what, "done"));
        let deployed = sent.await.with_context(|| {
            format!("not complete; --nonce {first} goes on with the same configuration")
        })?;
        let lens = Lens::new(node);
        let block = lens.node().head().await?;
        (deployed, deploy::check(&lens, &plan, config, &block).await?)
    };
    let well = findings.iter().all(|finding| finding.ok);
    let gas: u64 = deployed.iter().filter_map(|one| one.gas).sum();
    let cost = deployed.iter().fold(U256::ZERO, |sum, one| sum.saturating_add(one.cost));
    if arguments.json {
        print_json(&json!({
            "chain_id": chain_id,
            "deployer": deployer.address(),
            "nonce": first,
            "dry_run": arguments.dry_run,
            "addresses": plan.addresses,
            "transactions": deployed,
            "gas": gas,
            "cost_wei": cost,
            "checks": findings,
            "ok": well,
        }))?;
    } else {
        print(&show::table(&["What", "Address", "Gas"], &rows(&deployed)))?;
        if !arguments.dry_run {
            let wrong: Vec<_> = findings.iter().filter(|finding| !finding.ok).cloned().collect();
            let right = findings.len() - wrong.len();
            let cost = format_ether(cost);
            print(&format!(
                "\n{gas} gas, {cost} ETH; {right} of {} facts read back are as configured\n{}",
                findings.len(),
                if wrong.is_empty() { String::new() } else { show::findings(&wrong) },
            ))?;
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rows(deployed: &[Deployed]) -> Vec<Vec<String>> {
    let row = |one: &Deployed| {
        vec![
            one.what.clone(),
            one.address.map_or_else(String::new, |address| address.to_string()),
            one.gas.map_or_else(|| "-".into(), |gas| gas.to_string()),
        ]
    };
    deployed.iter().map(row).collect()
}

/// Reads a configuration over a preset.
fn read(path: &Path, preset: Option<Preset>) -> anyhow::Result<DeploymentConfig> {
    let bytes = files::read(path, CONFIG_LIMIT_BYTES)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{}", path.display()))?;
    over_preset(&text, preset).with_context(|| format!("{}", path.display()))
}

fn over_preset(text: &str, preset: Option<Preset>) -> anyhow::Result<DeploymentConfig> {
    let mut given: Table = text.parse()?;
    let named = match given.remove("preset") {
        None => None,
        Some(Value::String(name)) if name == "mainnet" => Some(Preset::Mainnet),
        Some(Value::String(name)) if name == "fast" => Some(Preset::Fast),
        Some(other) => bail!("`preset` is {other}; there are \"mainnet\" and \"fast\""),
    };
    let base = match preset.or(named).unwrap_or(Preset::Mainnet) {
        Preset::Mainnet => DeploymentConfig::default(),
        Preset::Fast => DeploymentConfig::fast(),
    };
    let mut table = Table::try_from(base)?;
    // Each game goes out from the preset's one.
    let game = table.get("games").and_then(|games| games.get(0)).cloned();
    if let (Some(Value::Table(game)), Some(Value::Array(games))) = (game, given.get_mut("games")) {
        for one in games {
            if let Value::Table(one) = one {
                let mut whole = game.clone();
                overlay(&mut whole, std::mem::take(one));
                *one = whole;
            }
        }
    }
    overlay(&mut table, given);
    let config: DeploymentConfig = table.try_into()?;
    if config.l2_chain_id == 0 {
        bail!("`l2_chain_id` is missing");
    }
    Ok(config)
}

/// Puts the values of one table over those of another.
fn overlay(under: &mut Table, over: Table) {
    for (name, value) in over {
        match (under.get_mut(&name), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
            (_, value) => {
                under.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_goes_out_from_a_preset() {
        let check = |text: &str, preset, want: (u64, u64, u64, u64)| {
            let config = over_preset(text, preset).unwrap();
            let game = &config.games[0];
            let found = (
                config.weth_delay_seconds,
                config.finality_delay_seconds,
                game.max_depth,
                game.max_clock_duration_seconds,
            );
            assert_eq!(found, want, "{text}");
        };
        check("l2_chain_id = 1", None, (604_800, 302_400, 73, 302_400));
        check("l2_chain_id = 1", Some(Preset::Fast), (10, 6, 73, 300));
        check("l2_chain_id = 1\npreset = \"fast\"", None, (10, 6, 73, 300));
        check(
            "l2_chain_id = 1\npreset = \"fast\"",
            Some(Preset::Mainnet),
            (604_800, 302_400, 73, 302_400),
        );
        let text = "l2_chain_id = 1\nweth_delay_seconds = 7\n[[games]]\nmax_depth = 50\n";
        check(text, Some(Preset::Fast), (7, 6, 50, 300));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let check = |text: &str, want: &str| {
            let error = format!("{:#}", over_preset(text, None).unwrap_err());
            assert!(error.contains(want), "{error}");
        };
        check("", "l2_chain_id");
        check("preset = \"slow\"", "preset");
        check("l2_chain_id = 1\nweth_delay = 3", "weth_delay");
        check("l2_chain_id = \"x\"", "invalid type");
        check("[[games", "TOML");
    }
}
