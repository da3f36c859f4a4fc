//! What an L2 block says of itself: its place in the sequence of L1 origins, and the system config it
//! was built with.
//!
//! Specification: "Derivation", resetting derivation stages; "L1 attributes" of every fork; "Holocene"
//! and "Jovian", header's `extraData`.

use crate::{
    BlockId, CriticalError, Eip1559Params, L2Block, L2BlockRef, RollupConfig, SystemConfig,
    l1_info::{L1Fees, L1Info, L1InfoError, pack_scalars},
    upgrades,
};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::U256;
use op_alloy_consensus::TxDeposit;
use rebut_execution::Fork;

/// Why an L2 block says nothing. Derivation never makes such a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum L2BlockError {
    /// It has the genesis block's number and another hash.
    #[error("it is not the genesis block that the configuration names")]
    Genesis,
    /// The first transaction is no deposit.
    #[error("its first transaction is not the L1 attributes deposit")]
    NoDeposit,
    /// The first deposit is no L1 attributes.
    #[error(transparent)]
    Attributes(#[from] L1InfoError),
    /// The header lacks the parameters of the base fee.
    #[error("its extra data does not have the form of its fork")]
    ExtraData,
}

impl L2BlockRef {
    /// The block's place in the chain.
    ///
    /// # Errors
    /// When it is no block of this chain.
    pub fn from_block(config: &RollupConfig, block: &L2Block) -> Result<Self, CriticalError> {
        let header = &block.header;
        let (l1_origin, sequence_number) = if is_genesis(config, block)? {
            (config.genesis.l1, 0)
        } else {
            let info = l1_info(block)?;
            (BlockId { hash: info.hash, number: info.number }, info.sequence_number)
        };
        Ok(Self {
            id: BlockId { hash: header.hash(), number: header.number },
            parent_hash: header.parent_hash,
            timestamp: header.timestamp,
            l1_origin,
            sequence_number,
        })
    }
}

impl SystemConfig {
    /// The system config as of the block.
    ///
    /// # Errors
    /// When it is no block of this chain.
    pub fn from_block(config: &RollupConfig, block: &L2Block) -> Result<Self, CriticalError> {
        if is_genesis(config, block)? {
            return Ok(config.genesis.system_config);
        }
        let info = l1_info(block)?;
        let (overhead, scalar) = match info.fees {
            L1Fees::Bedrock { overhead, scalar } => (overhead, scalar),
            L1Fees::Ecotone { base_fee_scalar, blob_base_fee_scalar, .. } => {
                (U256::ZERO, pack_scalars(base_fee_scalar, blob_base_fee_scalar))
            }
        };
        let (eip_1559, min_base_fee) = extra_data(config, block)?;
        Ok(Self {
            batcher: info.batcher,
            overhead,
            scalar,
            gas_limit: gas_limit(config, block),
            eip_1559,
            operator_fee: info.operator_fee,
            min_base_fee,
            da_footprint_gas_scalar: info.da_footprint_gas_scalar,
        })
    }
}

/// The gas limit without what Karst's first block has on top for its upgrade transactions. Some chains
/// went on with it, and say so in their configuration.
fn gas_limit(config: &RollupConfig, block: &L2Block) -> u64 {
    let limit = block.header.gas_limit;
    let raised = config.is_first_block(Fork::Karst, block.header.timestamp);
    if raised && !config.keep_karst_upgrade_gas {
        limit.saturating_sub(upgrades::KARST_GAS)
    } else {
        limit
    }
}

/// The parameters of the base fee in the header, from Holocene on, and the lowest base fee, from
/// Jovian on.
fn extra_data(
    config: &RollupConfig,
    block: &L2Block,
) -> Result<(Option<Eip1559Params>, u64), CriticalError> {
    let fork = config.fork(block.header.timestamp);
    if fork < Fork::Holocene {
        return Ok((None, 0));
    }
    let version = u8::from(fork >= Fork::Jovian);
    let malformed = || error(block, L2BlockError::ExtraData);
    let bytes = &block.header.extra_data;
    let (head, rest) = bytes.split_first_chunk::<9>().ok_or_else(malformed)?;
    let [v, d0, d1, d2, d3, e0, e1, e2, e3] = *head;
    let min_base_fee = match (version, rest) {
        (0, []) => 0,
        (1, rest) => u64::from_be_bytes(rest.try_into().map_err(|_| malformed())?),
        _ => return Err(malformed()),
    };
    if v != version {
        return Err(malformed());
    }
    let denominator = u32::from_be_bytes([d0, d1, d2, d3]);
    let elasticity = u32::from_be_bytes([e0, e1, e2, e3]);
    Ok((Some(Eip1559Params { denominator, elasticity }), min_base_fee))
}

fn is_genesis(config: &RollupConfig, block: &L2Block) -> Result<bool, CriticalError> {
    let genesis = config.genesis.l2;
    if block.header.number != genesis.number {
        return Ok(false);
    }
    if block.header.hash() == genesis.hash {
        Ok(true)
    } else {
        Err(error(block, L2BlockError::Genesis))
    }
}

fn l1_info(block: &L2Block) -> Result<L1Info, CriticalError> {
    let first = block.transactions.first().and_then(|bytes| {
        let mut rest = bytes.as_ref();
        TxDeposit::decode_2718(&mut rest).ok().filter(|_| rest.is_empty())
    });
    let deposit = first.ok_or_else(|| error(block, L2BlockError::NoDeposit))?;
    L1Info::decode(&deposit.input).map_err(|reason| error(block, reason.into()))
}

fn error(block: &L2Block, error: L2BlockError) -> CriticalError {
    CriticalError::L2Block { number: block.header.number, error }
}

#[cfg(test)]
mod tests;
