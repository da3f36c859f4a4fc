//! Our contracts answer what the deployed ones answer: every function and error of the recorded interfaces
//! is there with the same types.

use serde_json::Value;
use std::collections::BTreeSet;

/// The types of a list of parameters: structs with those of their members, indexed ones with a star.
fn types(parameters: &Value) -> String {
    let parameters = parameters.as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |parameter: &Value| {
        let name = parameter["type"].as_str().unwrap();
        let star = if parameter["indexed"] == true { "*" } else { "" };
        match name.strip_prefix("tuple") {
            Some(array) => format!("({}){array}{star}", types(&parameter["components"])),
            None => format!("{name}{star}"),
        }
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(",")
}

/// One line an entry: kind, name, types of arguments and results, mutability.
fn entries(interface: &Value) -> BTreeSet<String> {
    let entries = interface.as_array().unwrap();
    entries
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            let (arguments, results) = (types(&entry["inputs"]), types(&entry["outputs"]));
            // A pure function is a view function that reads nothing.
            let mutability = text("stateMutability").replace("pure", "view");
            format!("{} {} ({arguments}) ({results}) {mutability}", text("type"), text("name"))
        })
        .collect()
}

fn ours(artifact: &str) -> BTreeSet<String> {
    entries(&serde_json::from_str::<Value>(artifact).unwrap()["abi"])
}

fn deployed(name: &str) -> Option<BTreeSet<String>> {
    let file = rebut_recordings::read(&format!("abi/{name}"))?;
    Some(entries(&serde_json::from_slice(&file).unwrap()))
}

/// Compares a contract with the recorded interface. `absent` names what it leaves out; it must not
/// have it. What it has beyond the recorded interface is not compared.
fn check(artifact: &str, recorded: &str, absent: &[&str]) {
    let Some(deployed) = deployed(&format!("{recorded}.json")) else { return };
    let ours = ours(artifact);
    let missing = deployed.difference(&ours).cloned().collect::<BTreeSet<_>>();
    let absent = |entry: &String| absent.iter().any(|name| entry.starts_with(&format!("{name} ")));
    let expected = deployed.iter().filter(|entry| absent(entry)).cloned().collect();
    assert_eq!(missing, expected, "{recorded}");
}

#[test]
fn mips64_is_that_of_the_deployed_contract() {
    let Some(deployed) = deployed("MIPS64.json") else { return };
    assert_eq!(ours(include_str!("../../artifacts/MIPS64.json")), deployed);
}

#[test]
fn preimage_oracle_is_that_of_the_deployed_contract() {
    check(include_str!("../../artifacts/PreimageOracle.json"), "PreimageOracle", &[]);
}

/// Errors of proxies of older kinds, which new deployments do not have.
const OLDER_PROXIES: [&str; 3] = [
    "error ProxyAdminOwnedBase_NotProxyAdmin",
    "error ProxyAdminOwnedBase_ProxyAdminNotFound",
    "error ProxyAdminOwnedBase_NotSharedProxyAdminOwner",
];

#[test]
fn superchain_config_is_that_of_the_deployed_contract() {
    check(
        include_str!("../../artifacts/SuperchainConfig.json"),
        "SuperchainConfig",
        &OLDER_PROXIES,
    );
}

#[test]
fn system_config_has_all_but_custom_gas_tokens() {
    let tokens = [
        "function gasPayingToken",
        "function gasPayingTokenName",
        "function gasPayingTokenSymbol",
        "function lastUsedOPCMVersion",
        "function setGasPayingToken",
        "error SystemConfig_ValueAlreadySet",
    ];
    check(
        include_str!("../../artifacts/SystemConfig.json"),
        "SystemConfig",
        &[&tokens[..], &OLDER_PROXIES].concat(),
    );
}

#[test]
fn proxy_admin_has_all_that_concerns_proxies_of_eip_1967() {
    let older_kinds = [
        "function addressManager",
        "function implementationName",
        "function isUpgrading",
        "function proxyType",
        "function setAddress",
        "function setAddressManager",
        "function setImplementationName",
        "function setProxyType",
        "function setUpgrading",
    ];
    check(include_str!("../../artifacts/ProxyAdmin.json"), "ProxyAdmin", &older_kinds);
}

#[test]
fn dispute_games_are_those_of_the_deployed_contracts() {
    let fault = include_str!("../../artifacts/FaultDisputeGame.json");
    check(fault, "FaultDisputeGame", &[]);
    let permissioned = include_str!("../../artifacts/PermissionedDisputeGame.json");
    check(permissioned, "PermissionedDisputeGame", &[]);
}

#[test]
fn the_contracts_around_games_are_those_of_the_deployed_ones() {
    let check = |artifact, name| check(artifact, name, &OLDER_PROXIES);
    check(include_str!("../../artifacts/DisputeGameFactory.json"), "DisputeGameFactory");
    check(include_str!("../../artifacts/AnchorStateRegistry.json"), "AnchorStateRegistry");
    check(include_str!("../../artifacts/DelayedWETH.json"), "DelayedWETH");
}
