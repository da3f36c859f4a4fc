//! The compiled contracts that Rust users get without Node: interface and creation code of each contract.
//!
//! Source: what forge leaves in `contracts/out`. The compiler is pinned, metadata is left out of the
//! bytecode and keys are in a fixed order, so the files change exactly when the contracts do.

use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;
use thiserror::Error;

/// Contracts whose artifacts are kept.
const CONTRACTS: [&str; 23] = [
    "AlphabetVM",
    "AnchorStateRegistry",
    "DelayedWETH",
    "DisputeGameFactory",
    "FaultDisputeGame",
    "FeeVault",
    "GameLens",
    "GasPriceOracle",
    "L1Block",
    "L2Proxy",
    "L2ProxyAdmin",
    "L2ToL1MessagePasser",
    "MIPS",
    "MIPS64",
    "OptimismPortal",
    "PermissionedDisputeGame",
    "PreimageOracle",
    "Proxy",
    "ProxyAdmin",
    "RISCV",
    "SuperchainConfig",
    "SystemConfig",
    "Traffic",
];

/// The contract that is never deployed: calls place its code where they need it.
const PLACED: &str = "GameLens";

/// Why artifacts could not be made, or that they are out of date.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// A program did not start.
    #[error("cannot run {program} (install the packages with `npm ci` in contracts/): {source}")]
    Start {
        /// What was to be run.
        program: PathBuf,
        /// Why it was not.
        source: std::io::Error,
    },
    /// forge said no.
    #[error("forge build failed:\n{0}")]
    Build(String),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// forge's output is not what this program expects.
    #[error("{path}: {what}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The committed file is not what the sources give.
    #[error(
        "{path} does not match the contracts; run `cargo xtask artifacts` and commit the result"
    )]
    Stale {
        /// The file.
        path: PathBuf,
    },
}

/// Compiles the contracts and writes their artifacts. `root` is the workspace's folder.
pub fn write(root: &Path) -> Result<(), ArtifactError> {
    for (path, text) in generate(root)? {
        std::fs::write(&path, text).map_err(|source| ArtifactError::File { path, source })?;
    }
    Ok(())
}

/// Compiles the contracts and compares their artifacts with the committed ones.
pub fn check(root: &Path) -> Result<(), ArtifactError> {
    for (path, text) in generate(root)? {
        let committed = std::fs::read_to_string(&path)
            .map_err(|source| ArtifactError::File { path: path.clone(), source })?;
        if committed != text {
            return Err(ArtifactError::Stale { path });
        }
    }
    Ok(())
}

/// The files, by path, as they should be.
fn generate(root: &Path) -> Result<Vec<(PathBuf, String)>, ArtifactError> {
    let contracts = root.join("contracts");
    build(&contracts)?;
    CONTRACTS
        .iter()
        .map(|name| {
            let output = contracts.join(format!("out/{name}.sol/{name}.json"));
            let path = root.join(format!("crates/contracts/artifacts/{name}.json"));
            Ok((path, artifact(&output, *name == PLACED)?))
        })
        .collect()
}

fn build(contracts: &Path) -> Result<(), ArtifactError> {
    let program = contracts.join("node_modules/.bin/forge");
    let output = Command::new(&program)
        .args(["build", "--skip", "test"])
        .current_dir(contracts)
        .output()
        .map_err(|source| ArtifactError::Start { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(ArtifactError::Build(String::from_utf8_lossy(&text).into_owned()))
}

/// Interface and creation code out of one of forge's files.
fn artifact(output: &Path, is_placed: bool) -> Result<String, ArtifactError> {
    let format = |what| ArtifactError::Format { path: output.to_owned(), what };
    let text = std::fs::read(output)
        .map_err(|source| ArtifactError::File { path: output.to_owned(), source })?;
    let json: Value = serde_json::from_slice(&text).map_err(|_| format("not JSON"))?;
    let abi = json.get("abi").ok_or(format("no abi"))?;
    let bytecode = json.pointer("/bytecode/object").ok_or(format("no bytecode"))?;
    let mut artifact = Map::new();
    artifact.insert("abi".into(), sorted(abi));
    artifact.insert("bytecode".into(), bytecode.clone());
    if is_placed {
        let code = json.pointer("/deployedBytecode/object").ok_or(format("no code"))?;
        artifact.insert("deployedBytecode".into(), code.clone());
    }
    let mut text =
        serde_json::to_string_pretty(&artifact).map_err(|_| format("cannot be written"))?;
    text.push('\n');
    Ok(text)
}

/// The same value with the keys of every object in alphabetical order, however the parser keeps them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            Value::Object(fields.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        other => other.clone(),
    }
}
