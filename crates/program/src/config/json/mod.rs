//! Configurations as the deployed tools write them: the rollup's and the L1 chain's JSON files.
//!
//! Numbers are JSON numbers or hexadecimal quantities. An L1 chain that is [known](super::l1) needs no
//! file, and a rollup without Ecotone needs none either: nothing in it depends on blob fees.
//!
//! Invariant: what derivation depends on is read or refused by name, never passed over. A member that
//! no deployed tool knows might be an upgrade, so it is refused too.

mod execution;
mod l1;
mod number;
mod rollup;

pub use execution::{ExecutionMembers, ParameterError};
pub use number::Number;

use super::{ConfigError, Feature, check};
use alloc::string::String;
use rebut_derivation::{L1Config, RollupConfig};
use rebut_execution::Fork;

/// Most bytes of a configuration file.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The rollup's.
    Rollup,
    /// The L1 chain's.
    L1,
}

impl core::fmt::Display for Document {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Rollup => "rollup configuration",
            Self::L1 => "L1 chain configuration",
        })
    }
}

/// Why a file gives no configuration.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON, or a member of another shape.
    #[error("the {document} is malformed: {source}")]
    Malformed {
        /// The file.
        document: Document,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// Longer than any configuration.
    #[error("the {document} has more than {MAX_FILE_BYTES} bytes")]
    TooLarge {
        /// The file.
        document: Document,
    },
    /// A member that must be there.
    #[error("the {document} has no {member}")]
    Missing {
        /// The file.
        document: Document,
        /// The member.
        member: &'static str,
    },
    /// A member that no deployed tool knows.
    #[error(
        "the {document} has a member {member:?} that is not known; it could be an upgrade, so it is not passed over"
    )]
    Unknown {
        /// The file.
        document: Document,
        /// The member.
        member: String,
    },
    /// A member that asks for something that is not implemented.
    #[error("the rollup configuration sets {member}: {feature} is not implemented")]
    Unsupported {
        /// The member.
        member: &'static str,
        /// What it asks for.
        feature: Feature,
    },
    /// A parameter that no chain can have.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// Parameters that no chain can have together.
    #[error(transparent)]
    Impossible(#[from] ConfigError),
    /// Two files of different chains.
    #[error(
        "the rollup settles on L1 chain {rollup}, but the L1 chain configuration is that of chain {l1}"
    )]
    OtherL1 {
        /// What the rollup's file says.
        rollup: u64,
        /// What the L1 chain's file says.
        l1: u64,
    },
    /// The rollup reads blobs, and the blob fees of its L1 chain are not known.
    #[error("L1 chain {chain_id} is not known: give its configuration")]
    UnknownL1 {
        /// The L1 chain.
        chain_id: u64,
    },
    /// Upgrades of the L1 chain in another order than theirs.
    #[error("the L1 chain configuration has {fork} before an upgrade that precedes it")]
    ForkOrder {
        /// The later upgrade.
        fork: &'static str,
    },
    /// A change of blob parameters without parameters.
    #[error(
        "the L1 chain configuration has no blobSchedule.{fork}, though that upgrade has a time"
    )]
    NoSchedule {
        /// The upgrade.
        fork: &'static str,
    },
}

/// Reads the rollup's file and, unless its L1 chain is known or does not matter, the L1 chain's: the
/// `config` object of a geth genesis, alone or inside the genesis.
///
/// # Errors
/// [`JsonError`] names the file and the member.
pub fn read(rollup: &[u8], l1: Option<&[u8]>) -> Result<RollupConfig, JsonError> {
    let mut config = rollup::parse(rollup)?;
    let chain_id = config.l1.chain_id;
    config.l1 = match l1 {
        Some(l1) => l1::parse(l1)?,
        None => super::l1::known(chain_id)
            .or_else(|| without_blobs(&config))
            .ok_or(JsonError::UnknownL1 { chain_id })?,
    };
    if config.l1.chain_id != chain_id {
        return Err(JsonError::OtherL1 { rollup: chain_id, l1: config.l1.chain_id });
    }
    check(&config)?;
    Ok(config)
}

/// The L1 chain of a rollup that never uses blob fees.
fn without_blobs(config: &RollupConfig) -> Option<L1Config> {
    let blobs = Fork::TIMED.into_iter().filter(|fork| *fork >= Fork::Ecotone);
    let never = blobs.into_iter().all(|fork| config.chain.forks.time(fork).is_none());
    never.then(|| config.l1.clone())
}

/// The rollup's file, in the spelling of `op-node`, with the members that `kona` adds.
///
/// # Errors
/// None that a configuration could cause; the writer of JSON has an error type.
pub fn write(config: &RollupConfig) -> Result<serde_json::Value, serde_json::Error> {
    rollup::write(config)
}

/// Refuses files that are too large before anything is made of them.
fn bounded(document: Document, json: &[u8]) -> Result<&[u8], JsonError> {
    if json.len() > MAX_FILE_BYTES {
        return Err(JsonError::TooLarge { document });
    }
    Ok(json)
}

#[cfg(test)]
mod tests;
