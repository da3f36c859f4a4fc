//! What transactions pay for being posted to L1, and to whoever operates the rollup: the fields that nodes add
//! to receipts.
//!
//! Prices are those of the L1Block contract after the block's first transaction, which is what execution
//! charges by. Nodes leave out operator fees that are zero.
//!
//! Specification: "Execution engine", L1-cost fees of every fork; operator fee of Isthmus; DA footprint of
//! Jovian.

use super::{Block, Chain};
use crate::{state::StoreError, view::View};
use alloy_primitives::U256;
use op_alloy_rpc_types::L1BlockInfo as Fields;
use op_revm::{L1BlockInfo, OpSpecId, estimate_tx_compressed_size};
use rebut_execution::{State, StateError, StateView};

/// The prices of a block.
#[derive(Clone, Debug)]
pub struct Costs {
    prices: L1BlockInfo,
    spec: OpSpecId,
}

impl Chain {
    /// The prices that transactions of a block have paid.
    ///
    /// # Errors
    /// When its state is not stored.
    pub fn costs(&self, block: &Block) -> Result<Costs, StateError<StoreError>> {
        let header = &block.header;
        let spec = self.config().fork(header.timestamp).rules().spec;
        let mut state = State::new(header.state_root);
        let mut oracle = self.store().clone();
        let mut view = View(StateView::new(header, &mut state, &mut oracle));
        let prices = L1BlockInfo::try_fetch(&mut view, U256::from(header.number), spec)?;
        Ok(Costs { prices, spec })
    }
}

impl Costs {
    /// The fields of the receipt of a transaction, which is in its EIP-2718 form and no deposit.
    pub fn of(&self, transaction: &[u8]) -> Fields {
        let Self { prices, spec } = self;
        let mut fresh = L1BlockInfo { tx_l1_cost: None, ..prices.clone() };
        let fee = fresh.calculate_tx_l1_cost(transaction, *spec);
        let gas = prices.data_gas(transaction, *spec);
        let mut fields = Fields {
            l1_gas_price: Some(prices.l1_base_fee.saturating_to()),
            l1_fee: Some(fee.saturating_to()),
            ..Fields::default()
        };
        // The block that activates Ecotone still has the prices of before.
        if *spec < OpSpecId::ECOTONE || prices.empty_ecotone_scalars {
            let overhead = prices.l1_fee_overhead.unwrap_or_default();
            fields.l1_gas_used = Some(gas.saturating_add(overhead).saturating_to());
            fields.l1_fee_scalar = Some(f64::from(prices.l1_base_fee_scalar) / 1_000_000.0);
        } else {
            let known = |value: Option<U256>| Some(value.unwrap_or_default().saturating_to());
            fields.l1_gas_used = Some(gas.saturating_to());
            fields.l1_base_fee_scalar = Some(prices.l1_base_fee_scalar.saturating_to());
            fields.l1_blob_base_fee = known(prices.l1_blob_base_fee);
            fields.l1_blob_base_fee_scalar = known(prices.l1_blob_base_fee_scalar);
        }
        if *spec >= OpSpecId::ISTHMUS {
            let scalar = prices.operator_fee_scalar.unwrap_or_default();
            let constant = prices.operator_fee_constant.unwrap_or_default();
            if !(scalar.is_zero() && constant.is_zero()) {
                fields.operator_fee_scalar = Some(scalar.saturating_to());
                fields.operator_fee_constant = Some(constant.saturating_to());
            }
        }
        if *spec >= OpSpecId::JOVIAN {
            fields.da_footprint_gas_scalar = prices.da_footprint_gas_scalar;
        }
        fields
    }

    /// What a transaction adds to the block's DA footprint, from Jovian on.
    pub fn da_footprint(&self, transaction: &[u8]) -> Option<u64> {
        let scalar =
            self.prices.da_footprint_gas_scalar.filter(|_| self.spec >= OpSpecId::JOVIAN)?;
        let size_bytes = estimate_tx_compressed_size(transaction) / 1_000_000;
        Some(size_bytes.saturating_mul(u64::from(scalar)))
    }
}
