//! Where a devnet is and what is on it, for people and for machines.

use crate::block::{print_json, print_lines};
use rebut_devnet::{
    l2::genesis::PREDEPLOYS,
    network::{self, Devnet, RunningL2},
    rollup::l1_config_json,
};
use rebut_program::config::json;
use serde_json::{Map, Value, json as object};

/// Prints it all.
pub fn print(devnet: &Devnet, in_json: bool) -> anyhow::Result<()> {
    if in_json { print_json(&as_json(devnet)?) } else { print_table(devnet) }
}

/// Addresses of the rollup on L1, by name.
fn contracts(l2: &RunningL2) -> [(&'static str, String); 3] {
    let rollup = l2.node().rollup();
    let config = rollup.config();
    [
        ("OptimismPortal", config.deposit_contract),
        ("SystemConfig", config.l1_system_config),
        ("BatchInbox", config.batch_inbox),
    ]
    .map(|(name, address)| (name, address.to_string()))
}

fn as_json(devnet: &Devnet) -> anyhow::Result<Value> {
    let accounts = network::accounts()?;
    let account = |account: &network::Account| object!({ "role": account.role, "address": account.address, "key": account.key });
    let l1_config = devnet.l1_config();
    let mut report = object!({
        "l1": {
            "chain_id": l1_config.chain_id,
            "rpc": devnet.l1_url(),
            "beacon": devnet.beacon_url(),
            "config": l1_config_json(l1_config),
        },
        "accounts": accounts.iter().map(account).collect::<Vec<_>>(),
    });
    if let Some(l2) = devnet.l2() {
        let by_name = |(name, address): (&str, String)| (name.to_owned(), Value::String(address));
        let contracts: Map<_, _> = contracts(l2).map(by_name).into_iter().collect();
        let predeploys = PREDEPLOYS.map(|(name, address)| by_name((name, address.to_string())));
        let rollup = l2.node().rollup();
        report["l1"]["contracts"] = contracts.into();
        report["l2"] = object!({
            "chain_id": rollup.config().chain.chain_id,
            "rpc": l2.url(),
            "rollup_rpc": l2.url(),
            "rollup_config": json::write(rollup.config())?,
            "predeploys": predeploys.into_iter().collect::<Map<_, _>>(),
        });
    }
    Ok(report)
}

fn print_table(devnet: &Devnet) -> anyhow::Result<()> {
    let l1_chain_id = devnet.l1_config().chain_id;
    let mut lines = vec![("L1 chain", l1_chain_id.to_string()), ("L1 JSON-RPC", devnet.l1_url())];
    lines.extend(devnet.beacon_url().map(|url| ("L1 beacon API", url)));
    if let Some(l2) = devnet.l2() {
        lines.extend(contracts(l2));
        let chain_id = l2.node().rollup().config().chain.chain_id;
        lines.push(("L2 chain", chain_id.to_string()));
        lines.push(("L2 JSON-RPC", l2.url()));
        lines.push(("L2 rollup node", l2.url()));
        lines.extend(PREDEPLOYS.map(|(name, address)| (name, address.to_string())));
    }
    let accounts = network::accounts()?;
    let account = |account: &network::Account| {
        (account.role, format!("{}  {}", account.address, account.key))
    };
    lines.extend(accounts.iter().map(account));
    print_lines(&lines)
}
