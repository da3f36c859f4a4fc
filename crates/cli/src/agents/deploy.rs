//! `rebut deploy`: the dispute contracts of a chain, from one configuration.

mod configuration;

use super::flags::KeyArguments;
use super::{block_on, show};
use crate::Outcome;
use crate::block::{print, print_json};
use crate::log;
use alloy_primitives::{U256, utils::format_ether};
use anyhow::bail;
use configuration::Preset;
use rebut_challenger::chain::{Lens, Node};
use rebut_challenger::deploy::{self, DeployError, Deployed, Deployer};
use rebut_challenger::sender::FeeLimits;
use rebut_contracts::deployment::{DeploymentConfig, DeploymentPlan};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);

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
    let config = configuration::read(&arguments.config, arguments.preset)?;
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
    if let Some(expected) = config.l1_chain_id
        && expected != chain_id
    {
        return Err(DeployError::ChainId { expected, found: chain_id }.into());
    }
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
    let rehearsal = deployer.rehearse(&plan, first)?;
    let bill = deployer.bill(&rehearsal, first).await?;
    let (deployed, findings) = if arguments.dry_run {
        let planned = plan.transactions.iter().zip(&rehearsal.gas).map(|(planned, gas)| Deployed {
            what: planned.what.clone(),
            address: planned.creates,
            transaction: None,
            gas: Some(*gas),
            cost: U256::from(*gas).saturating_mul(U256::from(bill.gas_price)),
        });
        (planned.collect(), Vec::new())
    } else {
        log::print(&format!(
            "{} deploys on chain {chain_id} from nonce {first} on: {} transactions, about {} gas, at present {} ETH\n",
            deployer.address(),
            bill.transactions,
            bill.gas,
            format_ether(bill.cost),
        ));
        let sent = deployer.deploy(&plan, first, |done| tracing::info!(what = done.what, "done"));
        let deployed = sent.await.map_err(|error| {
            let is_begun = error.may_be_begun();
            let error = anyhow::Error::from(error);
            let goes_on =
                format!("not complete; --nonce {first} goes on with the same configuration");
            if is_begun { error.context(goes_on) } else { error }
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
            "bill": bill,
            "addresses": plan.addresses,
            "transactions": deployed,
            "gas": gas,
            "cost_wei": cost,
            "checks": findings,
            "ok": well,
        }))?;
    } else {
        print(&show::table(&["What", "Address", "Gas"], &rows(&deployed)))?;
        if arguments.dry_run {
            print(&format!(
                "\n{} transactions to send, {} gas, at present {} ETH; {} has {} ETH\n",
                bill.transactions,
                bill.gas,
                format_ether(bill.cost),
                deployer.address(),
                format_ether(bill.balance),
            ))?;
        } else {
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
