//! Claim witness files: one run of the fault proof program, with every preimage it needs.
//!
//! ```text
//! { "format": "opstack-fpp-witness-v1", "source": "…",
//!   "boot": { "l1_head": "0x…", "l2_head": "0x…", "l2_output_root": "0x…", "l2_claim": "0x…",
//!             "l2_claim_block_number": 13, "l2_chain_id": 901 },
//!   "rollup_config": {…},                as op-node writes it; absent for chains of the registry
//!   "l1_config": {…},                    absent where the L1 chain is known or does not matter
//!   "preimages": { "0x<typed key>": "0x<value>", … } }
//! ```
//!
//! In any form that a [`Recording`] has; of a pair of `boot.json` and a `.kv.zst`, either may be named.

use crate::witness::place;
use crate::{BOOT_FILE, FORMAT as BLOCK_FORMAT, Recording, RecordingError, WitnessOracle};
use alloy_primitives::B256;
use rebut_derivation::RollupConfig;
use rebut_preimage::{MemoryStore, PreimageKey};
use rebut_program::{
    Boot,
    config::{
        self, ConfigError,
        json::{self, JsonError, Number},
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The format of claim witnesses.
pub const CLAIM_FORMAT: &str = "opstack-fpp-witness-v1";

/// Why a claim witness cannot be used. Each variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum ClaimWitnessError {
    /// The file cannot be read, or one of its preimages is wrong.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// A member is missing or has the wrong shape.
    #[error("{path}: {place}{source}", path = path.display(), place = place(field))]
    Json {
        /// The file.
        path: PathBuf,
        /// Where, as a path of member names; "." is the whole file.
        field: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A witness of a single block.
    #[error("{path}: this is a block witness; `rebut block run` executes it", path = path.display())]
    Block {
        /// The file.
        path: PathBuf,
    },
    /// Another format.
    #[error("{path}: format {found:?} is not known, only {CLAIM_FORMAT:?}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The file's format.
        found: String,
    },
    /// It is not clear where the preimages are.
    #[error("{path}: there is not exactly one .kv.zst file beside it but {found}", path = path.display())]
    NoPreimages {
        /// The file.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// The configuration of the chain cannot be used.
    #[error("{path}: {source}", path = path.display())]
    RollupConfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: JsonError,
    },
    /// The chain is not known.
    #[error("{path}: {source}", path = path.display())]
    Registry {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ConfigError,
    },
    /// The configuration is that of another chain.
    #[error("{path}: the claim is about chain {boot}, the configuration is that of chain {config}", path = path.display())]
    OtherChain {
        /// The file.
        path: PathBuf,
        /// By the claim.
        boot: u64,
        /// By the configuration.
        config: u64,
    },
}

/// A claim and what it takes to decide it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimWitness {
    /// Where the witness comes from, in words.
    pub source: String,
    /// What is claimed.
    pub boot: Boot,
    /// The chain's parameters.
    pub config: RollupConfig,
    /// Whatever the program asks for, each checked against its key.
    pub preimages: MemoryStore,
}

#[derive(Deserialize)]
struct About {
    format: Option<String>,
    #[serde(default)]
    source: String,
    boot: Option<WireBoot>,
    rollup_config: Option<Value>,
    l1_config: Option<Value>,
}

#[derive(Deserialize)]
struct WireBoot {
    l1_head: B256,
    l2_output_root: B256,
    l2_claim: B256,
    l2_claim_block_number: Number,
    l2_chain_id: Number,
}

impl From<WireBoot> for Boot {
    fn from(boot: WireBoot) -> Self {
        Self {
            l1_head: boot.l1_head,
            agreed_output: boot.l2_output_root,
            claimed_output: boot.l2_claim,
            claimed_number: boot.l2_claim_block_number.0,
            chain_id: boot.l2_chain_id.0,
        }
    }
}

impl ClaimWitness {
    /// Reads a witness file.
    ///
    /// # Errors
    /// [`ClaimWitnessError`] names the file and what is wrong in it.
    pub fn read(path: &Path) -> Result<Self, ClaimWitnessError> {
        if path.file_name().is_some_and(|name| name == BOOT_FILE) {
            return Self::new(Recording::read(&beside(path)?)?, path);
        }
        Self::new(Recording::read(path)?, path)
    }

    /// Makes a witness of what a file holds; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn new(recording: Recording, path: &Path) -> Result<Self, ClaimWitnessError> {
        let json =
            |field: String, source| ClaimWitnessError::Json { path: path.into(), field, source };
        let Recording { about, preimages } = recording;
        let about: About = serde_path_to_error::deserialize(Value::Object(about))
            .map_err(|error| json(error.path().to_string(), error.into_inner()))?;
        match about.format {
            Some(format) if format == BLOCK_FORMAT => {
                return Err(ClaimWitnessError::Block { path: path.into() });
            }
            Some(found) if found != CLAIM_FORMAT => {
                return Err(ClaimWitnessError::Format { path: path.into(), found });
            }
            _ => {}
        }
        let missing = || json(".".into(), serde::de::Error::missing_field("boot"));
        let boot = Boot::from(about.boot.ok_or_else(missing)?);
        let rollup = about.rollup_config.filter(|config| !config.is_null());
        let config = match rollup {
            Some(rollup) => {
                let l1 = about.l1_config.filter(|config| !config.is_null());
                let l1 = l1.map(|config| config.to_string());
                json::read(rollup.to_string().as_bytes(), l1.as_deref().map(str::as_bytes))
                    .map_err(|source| ClaimWitnessError::RollupConfig {
                        path: path.into(),
                        source,
                    })?
            }
            None => config::find(&[], boot.chain_id)
                .map_err(|source| ClaimWitnessError::Registry { path: path.into(), source })?,
        };
        if config.chain.chain_id != boot.chain_id {
            return Err(ClaimWitnessError::OtherChain {
                path: path.into(),
                boot: boot.chain_id,
                config: config.chain.chain_id,
            });
        }
        Ok(Self { source: about.source, boot, config, preimages })
    }

    /// An oracle that serves the claim and the preimages.
    pub fn oracle(&self) -> WitnessOracle {
        let mut store = self.preimages.clone();
        for (identifier, value) in self.boot.local_values() {
            // What is claimed here wins over what a file may have recorded.
            let key = PreimageKey::local(identifier);
            store.remove(&key);
            store.insert(key, value).expect("local values fit their keys");
        }
        WitnessOracle::new(store)
    }
}

/// The only `.kv.zst` file beside `path`.
fn beside(path: &Path) -> Result<PathBuf, ClaimWitnessError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(".kv.zst"));
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (last, rest) => Err(ClaimWitnessError::NoPreimages {
            path: path.into(),
            found: rest + usize::from(last.is_some()),
        }),
    }
}

#[cfg(test)]
mod tests;
