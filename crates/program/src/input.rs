//! The input of the block program, and its encoding.
//!
//! ```text
//!   rlp [ version = 1,
//!         [ chain id, [ fork times ], elasticity, denominator, Canyon denominator ],
//!         parent header,
//!         [ timestamp, prevRandao, fee recipient, gas limit,
//!           parent beacon block root?, EIP-1559 parameters?, minimum base fee?,
//!           [ transactions ] ] ]
//! ```
//!
//! A value with `?`, and each fork time, is a list of none or one item. Fork times stand in the
//! order of [`Fork::TIMED`].
//!
//! Invariant: every input has one encoding, and only encodings of inputs decode.

use alloc::{vec, vec::Vec};
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bytes};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes, PayloadAttributes};

/// The version of the encoding, its first item.
const VERSION: u8 = 1;

/// Everything the execution of one block depends on, besides the state before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockInput {
    /// The chain.
    pub chain: ChainParameters,
    /// The header of the block before.
    pub parent: Header,
    /// What the block is built from.
    pub attributes: PayloadAttributes,
}

/// Bytes that are no encoded [`BlockInput`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Not the RLP items expected.
    #[error("the block input is malformed: {0}")]
    Rlp(alloy_rlp::Error),
    /// The encoding goes on behind its end.
    #[error("the block input is followed by {0} bytes")]
    Trailing(usize),
    /// Another version of the encoding.
    #[error("the block input has version {0}, not {VERSION}")]
    Version(u8),
    /// Not as many fork times as forks.
    #[error("the block input has {0} fork times, there are {count} forks", count = Fork::TIMED.len())]
    ForkCount(usize),
    /// A list in place of an optional value holds several.
    #[error("the block input has a list of {0} items where at most one can be")]
    Optional(usize),
}

#[derive(RlpEncodable, RlpDecodable)]
struct Wire {
    version: u8,
    chain: WireChain,
    parent: Header,
    attributes: WireAttributes,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireChain {
    chain_id: u64,
    fork_times: Vec<Vec<u64>>,
    elasticity: u32,
    denominator: u32,
    denominator_canyon: u32,
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireAttributes {
    timestamp: u64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    gas_limit: u64,
    parent_beacon_block_root: Vec<B256>,
    eip_1559_params: Vec<B64>,
    min_base_fee: Vec<u64>,
    transactions: Vec<Bytes>,
}

/// A list of at most one item as an option.
fn optional<T>(mut items: Vec<T>) -> Result<Option<T>, InputError> {
    if items.len() > 1 {
        return Err(InputError::Optional(items.len()));
    }
    Ok(items.pop())
}

impl BlockInput {
    /// The encoding the program reads.
    pub fn encode(&self) -> Vec<u8> {
        let Self { chain, parent, attributes } = self;
        let fork_times = Fork::TIMED.map(|fork| Vec::from_iter(chain.forks.time(fork)));
        let wire = Wire {
            version: VERSION,
            chain: WireChain {
                chain_id: chain.chain_id,
                fork_times: fork_times.to_vec(),
                elasticity: chain.base_fee.elasticity,
                denominator: chain.base_fee.denominator,
                denominator_canyon: chain.base_fee.denominator_canyon,
            },
            parent: parent.clone(),
            attributes: WireAttributes {
                timestamp: attributes.timestamp,
                prev_randao: attributes.prev_randao,
                suggested_fee_recipient: attributes.suggested_fee_recipient,
                gas_limit: attributes.gas_limit,
                parent_beacon_block_root: Vec::from_iter(attributes.parent_beacon_block_root),
                eip_1559_params: Vec::from_iter(attributes.eip_1559_params.map(B64::new)),
                min_base_fee: Vec::from_iter(attributes.min_base_fee),
                transactions: attributes.transactions.clone(),
            },
        };
        let mut bytes = vec![];
        wire.encode(&mut bytes);
        bytes
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// [`InputError`] unless `bytes` is what [`Self::encode`] makes of some input.
    pub fn decode(bytes: &[u8]) -> Result<Self, InputError> {
        let mut rest = bytes;
        let Wire { version, chain, parent, attributes } =
            Wire::decode(&mut rest).map_err(InputError::Rlp)?;
        if !rest.is_empty() {
            return Err(InputError::Trailing(rest.len()));
        }
        if version != VERSION {
            return Err(InputError::Version(version));
        }
        if chain.fork_times.len() != Fork::TIMED.len() {
            return Err(InputError::ForkCount(chain.fork_times.len()));
        }
        let mut forks = ForkTimes::default();
        for (fork, time) in Fork::TIMED.into_iter().zip(chain.fork_times) {
            forks = forks.with(fork, optional(time)?);
        }
        let chain = ChainParameters {
            chain_id: chain.chain_id,
            forks,
            base_fee: BaseFeeDefaults {
                elasticity: chain.elasticity,
                denominator: chain.denominator,
                denominator_canyon: chain.denominator_canyon,
            },
        };
        let attributes = PayloadAttributes {
            timestamp: attributes.timestamp,
            prev_randao: attributes.prev_randao,
            suggested_fee_recipient: attributes.suggested_fee_recipient,
            gas_limit: attributes.gas_limit,
            parent_beacon_block_root: optional(attributes.parent_beacon_block_root)?,
            eip_1559_params: optional(attributes.eip_1559_params)?.map(|params| params.0),
            min_base_fee: optional(attributes.min_base_fee)?,
            transactions: attributes.transactions,
        };
        Ok(Self { chain, parent, attributes })
    }
}

#[cfg(test)]
mod tests;
