//! Our contracts answer what the deployed ones answer: every function and error of the recorded interfaces
//! is there with the same types.

use serde_json::Value;
use std::collections::BTreeSet;

/// What belongs to large preimage proposals, which the oracle does not have.
const LARGE_PREIMAGES: [&str; 32] = [
    "function KECCAK_TREE_DEPTH",
    "function MAX_LEAF_COUNT",
    "function MIN_BOND_SIZE",
    "function addLeavesLPP",
    "function challengeFirstLPP",
    "function challengeLPP",
    "function getTreeRootLPP",
    "function initLPP",
    "function proposalBlocks",
    "function proposalBlocksLen",
    "function proposalBonds",
    "function proposalBranches",
    "function proposalCount",
    "function proposalMetadata",
    "function proposalParts",
    "function proposals",
    "function squeezeLPP",
    "function zeroHashes",
    "error ActiveProposal",
    "error AlreadyFinalized",
    "error AlreadyInitialized",
    "error BadProposal",
    "error BondTransferFailed",
    "error InsufficientBond",
    "error InvalidInputSize",
    "error InvalidPreimage",
    "error NotEOA",
    "error NotInitialized",
    "error PostStateMatches",
    "error StatesNotContiguous",
    "error TreeSizeOverflow",
    "error WrongStartingBlock",
];

/// One line an entry: kind, name, types of arguments and results, mutability.
fn entries(interface: &Value) -> BTreeSet<String> {
    let types = |entry: &Value, of: &str| -> String {
        let parameters = entry[of].as_array().map(Vec::as_slice).unwrap_or_default();
        let types: Vec<_> = parameters.iter().map(|p| p["type"].as_str().unwrap()).collect();
        types.join(",")
    };
    let entries = interface.as_array().unwrap();
    entries
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default();
            let (arguments, results) = (types(entry, "inputs"), types(entry, "outputs"));
            format!(
                "{} {} ({arguments}) ({results}) {}",
                text("type"),
                text("name"),
                text("stateMutability")
            )
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

#[test]
fn mips64_is_that_of_the_deployed_contract() {
    let Some(deployed) = deployed("MIPS64.json") else { return };
    assert_eq!(ours(include_str!("../../artifacts/MIPS64.json")), deployed);
}

#[test]
fn preimage_oracle_has_all_but_large_preimages() {
    let Some(deployed) = deployed("PreimageOracle.json") else { return };
    let ours = ours(include_str!("../../artifacts/PreimageOracle.json"));
    let is_large =
        |entry: &&String| LARGE_PREIMAGES.iter().any(|name| entry.starts_with(&format!("{name} ")));
    let missing: Vec<_> = deployed.difference(&ours).filter(|entry| !is_large(entry)).collect();
    assert!(missing.is_empty(), "missing: {missing:#?}");
}
