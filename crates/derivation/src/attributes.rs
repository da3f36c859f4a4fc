//! From a batch to the payload attributes of a block.
//!
//! ```text
//!   transactions = L1 attributes deposit
//!               ++ user deposits of the origin, in the first block of an epoch
//!               ++ upgrade transactions, in the first block of a fork
//!               ++ transactions of the batch
//! ```
//!
//! Specification: "Derivation", deriving payload attributes; "Holocene", attributes builder; "Jovian",
//! system config; "Karst", upgrade bundle.

use crate::{
    BlockId, L1Source, L2BlockRef, PipelineError, ResetError, RollupConfig, SingularBatch,
    SystemConfig, deposits, l1_info, system_config, upgrades,
};
use alloc::vec::Vec;
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, Bytes, address};
use rebut_execution::{Fork, PayloadAttributes};

/// The beneficiary of every block: the vault of the sequencer's fees.
const SEQUENCER_FEE_VAULT: Address = address!("0x4200000000000000000000000000000000000011");

/// The attributes of the block that `batch` describes on top of `parent`.
///
/// `system_config` is as of the parent. The first block of an epoch comes with the updates of its
/// origin, and with its deposits.
///
/// # Errors
/// When the origin's deposits and updates cannot be read, a deposit is malformed, or the batch does
/// not continue the parent.
pub fn attributes<S: L1Source>(
    config: &RollupConfig,
    parent: &L2BlockRef,
    mut system_config: SystemConfig,
    batch: &SingularBatch,
    l1: &mut S,
) -> Result<PayloadAttributes, PipelineError<S::Error>> {
    let origin = origin(config, parent, batch, l1)?;
    let mut user_deposits = Vec::new();
    if starts_epoch(parent, batch) {
        user_deposits = deposits::user_deposits(config, &origin, l1)?;
        let updates = system_config::update_filter(config);
        system_config::apply_updates(&mut system_config, &updates, config, &origin, l1)?;
    }
    Ok(build(config, parent, &system_config, &origin, user_deposits, batch))
}

/// The attributes by what has been read of L1. `system_config` is the block's own, `user_deposits` are
/// the block's.
fn build(
    config: &RollupConfig,
    parent: &L2BlockRef,
    system_config: &SystemConfig,
    origin: &Sealed<Header>,
    mut user_deposits: Vec<Bytes>,
    batch: &SingularBatch,
) -> PayloadAttributes {
    let timestamp = next_timestamp(config, parent);
    let sequence_number =
        if starts_epoch(parent, batch) { 0 } else { parent.sequence_number.saturating_add(1) };
    let l1_attributes = l1_info::deposit(config, system_config, origin, sequence_number, timestamp);
    let mut upgrades = upgrades::transactions(config, timestamp);

    let count = 1 + user_deposits.len() + upgrades.len() + batch.transactions.len();
    let mut transactions = Vec::with_capacity(count);
    transactions.push(l1_attributes);
    transactions.append(&mut user_deposits);
    transactions.append(&mut upgrades);
    transactions.extend(batch.transactions.iter().cloned());
    assemble(config, system_config, origin, timestamp, transactions)
}

fn next_timestamp(config: &RollupConfig, parent: &L2BlockRef) -> u64 {
    parent.timestamp.saturating_add(config.block_time)
}

/// Whether the batch's block is the first with its origin.
fn starts_epoch(parent: &L2BlockRef, batch: &SingularBatch) -> bool {
    batch.epoch_number != parent.l1_origin.number
}

/// The origin's header, which must continue the parent's origin.
fn origin<S: L1Source>(
    config: &RollupConfig,
    parent: &L2BlockRef,
    batch: &SingularBatch,
    l1: &mut S,
) -> Result<Sealed<Header>, PipelineError<S::Error>> {
    let id = BlockId { hash: batch.epoch_hash, number: batch.epoch_number };
    let mismatch = || ResetError::Origin { origin: id, parent_origin: parent.l1_origin };
    let header = l1.header(id.number).map_err(PipelineError::Source)?.ok_or_else(mismatch)?;
    let continues = if starts_epoch(parent, batch) {
        header.parent_hash == parent.l1_origin.hash
    } else {
        id.hash == parent.l1_origin.hash
    };
    if header.hash() != id.hash || !continues {
        return Err(mismatch().into());
    }
    let timestamp = next_timestamp(config, parent);
    if timestamp < header.timestamp {
        return Err(ResetError::Time { timestamp, origin: header.timestamp }.into());
    }
    Ok(header)
}

fn assemble(
    config: &RollupConfig,
    system_config: &SystemConfig,
    origin: &Header,
    timestamp: u64,
    transactions: Vec<Bytes>,
) -> PayloadAttributes {
    let active = |fork| config.is_active(fork, timestamp);
    // Zeros stand for the constants of the chain's configuration, as in the first block of Holocene:
    // blocks before it do not hold the parameters. But if its own origin sets them, they count.
    let eip_1559 = system_config.eip_1559.unwrap_or_default();
    let [d0, d1, d2, d3] = eip_1559.denominator.to_be_bytes();
    let [e0, e1, e2, e3] = eip_1559.elasticity.to_be_bytes();
    PayloadAttributes {
        timestamp,
        prev_randao: origin.mix_hash,
        suggested_fee_recipient: SEQUENCER_FEE_VAULT,
        gas_limit: system_config.gas_limit.saturating_add(upgrades::gas(config, timestamp)),
        parent_beacon_block_root: active(Fork::Ecotone)
            .then(|| origin.parent_beacon_block_root.unwrap_or_default()),
        eip_1559_params: active(Fork::Holocene).then_some([d0, d1, d2, d3, e0, e1, e2, e3]),
        min_base_fee: active(Fork::Jovian).then_some(system_config.min_base_fee),
        transactions,
    }
}

#[cfg(test)]
mod tests;
