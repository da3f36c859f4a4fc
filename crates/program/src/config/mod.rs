//! The parameters of chains: their encoding, the chains that are compiled in, and the chains that a
//! prestate carries.
//!
//! ```text
//!   rollup JSON + L1 JSON ─┐
//!                          ├─► encoding ─► table ─► registry.bin   compiled into the program
//!   superchain registry ───┘                  └───► section        filled in when a prestate is built
//! ```
//!
//! In a dispute L1 serves five local values and no configuration, so a program knows the chains of
//! its own image and no others: [`find`] looks into the section first, then into the registry.
//!
//! Invariant: every configuration has one encoding, only encodings decode, and what decodes is a
//! configuration that a chain can have.

mod encoding;
#[cfg(feature = "json")]
pub mod json;
pub mod l1;
pub mod section;
mod table;

pub use encoding::{check, decode, encode};
pub use table::{Chain, Feature, Parameters, Table};

use alloc::string::String;
use rebut_derivation::RollupConfig;

/// The chains of the superchain registry, as `cargo xtask registry` writes them.
const REGISTRY: &[u8] = include_bytes!("../../assets/registry.bin");

/// Why there is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not the RLP items expected.
    #[error("the chain configuration is malformed: {0}")]
    Rlp(alloy_rlp::Error),
    /// The encoding goes on behind its end.
    #[error("the chain configuration is followed by {0} bytes")]
    Trailing(usize),
    /// Another version of the encoding.
    #[error("the chain configuration has version {0}, not {version}", version = encoding::VERSION)]
    Version(u8),
    /// Not as many fork times as forks.
    #[error("the chain configuration has {0} fork times, not {count}", count = encoding::FORK_COUNT)]
    ForkCount(usize),
    /// A list in place of an optional value holds several.
    #[error("the chain configuration has a list of {0} items where at most one can be")]
    Optional(usize),
    /// Parameters that no chain can have.
    #[error("the chain configuration is impossible: {member} {rule}")]
    Impossible {
        /// The parameter.
        member: &'static str,
        /// What it breaks.
        rule: &'static str,
    },
    /// Bytes that are no table of chains.
    #[error("the table of chains is damaged: {0}")]
    Table(&'static str),
    /// The chain depends on something that this program does not implement.
    #[error("chain {chain_id} ({name}) uses {feature}, which is not implemented")]
    Unsupported {
        /// The chain.
        chain_id: u64,
        /// Its name in the registry.
        name: String,
        /// What it uses.
        feature: Feature,
    },
    /// Nobody has heard of the chain.
    #[error(
        "chain {chain_id} is neither in the registry nor carried by this program: build a prestate that carries it"
    )]
    UnknownChain {
        /// The chain.
        chain_id: u64,
    },
}

/// The chains that are compiled in.
///
/// # Errors
/// None, unless the file was damaged before it was compiled in.
pub fn registry() -> Result<Table<'static>, ConfigError> {
    Table::parse(REGISTRY)
}

/// The parameters of a chain, from `carried` (the content of the program's own [`section`], empty
/// when nobody filled it) or else from the registry.
///
/// # Errors
/// The chain is unknown, or known for something that is not implemented; or `carried` is no table.
pub fn find(carried: &[u8], chain_id: u64) -> Result<RollupConfig, ConfigError> {
    if !carried.is_empty()
        && let Some(chain) = Table::parse(carried)?.find(chain_id)?
    {
        return chain.supported();
    }
    match registry()?.find(chain_id)? {
        Some(chain) => chain.supported(),
        None => Err(ConfigError::UnknownChain { chain_id }),
    }
}

#[cfg(test)]
mod tests;
