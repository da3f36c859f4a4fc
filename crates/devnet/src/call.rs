//! Calls that leave no trace, on either chain: `eth_call` and `eth_estimateGas`.

use crate::state::StoreError;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_rpc_types_eth::AccessList;
use rebut_execution::StateError;
use revm::Database;
use revm::bytecode::Bytecode;
use revm::context::{JournalTr, TxEnv};
use std::collections::BTreeMap;

/// A call, as far as it is laid down. Nobody pays for its gas.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Who calls; the zero address by default.
    pub from: Address,
    /// What is called; without it a contract is created.
    pub to: Option<Address>,
    /// The most gas that may be used; a block's by default.
    pub gas: Option<u64>,
    /// In wei.
    pub value: U256,
    /// The call's input, or the code that creates.
    pub input: Bytes,
    /// What is warm from the beginning.
    pub access_list: AccessList,
    /// Code that stands at these addresses for the length of the call.
    pub code: BTreeMap<Address, Bytes>,
}

impl Call {
    /// What the EVM takes, with this gas limit.
    pub fn env(&self, chain_id: u64, gas_limit: u64) -> TxEnv {
        TxEnv {
            caller: self.from,
            gas_limit,
            gas_price: 0,
            kind: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            data: self.input.clone(),
            chain_id: Some(chain_id),
            access_list: self.access_list.clone(),
            tx_type: u8::from(!self.access_list.is_empty()),
            ..TxEnv::default()
        }
    }

    /// Puts the call's code into the journal of the EVM that is to execute it.
    ///
    /// # Errors
    /// The state's.
    pub fn place<J: JournalTr>(
        &self,
        journal: &mut J,
    ) -> Result<(), <J::Database as Database>::Error> {
        for (address, code) in &self.code {
            journal.load_account(*address)?;
            journal.set_code(*address, Bytecode::new_legacy(code.clone()));
        }
        Ok(())
    }

    /// The gas limit in a block that has this much.
    pub fn gas_limit(&self, available: u64) -> u64 {
        self.gas.unwrap_or(available).min(available)
    }
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// The gas that was used.
    pub gas_used: u64,
    /// What the call returned.
    pub output: Bytes,
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The contract reverted.
    #[error("execution reverted")]
    Reverted(Bytes),
    /// The EVM stopped the call, for the reason that it gives.
    #[error("execution halted: {0}")]
    Halted(String),
    /// It cannot be called like this, says the EVM.
    #[error("{0}")]
    Invalid(String),
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] StateError<StoreError>),
    /// The EVM stopped for a reason that does not lie in the call.
    #[error("the EVM stopped: {0}")]
    Stopped(String),
}

/// The least gas limit, up to `most`, with which `execute` succeeds.
///
/// # Errors
/// [`CallError`] when it does not succeed with `most`, or the state cannot be read.
pub fn least_gas(
    most: u64,
    execute: impl Fn(u64) -> Result<CallOutcome, CallError>,
) -> Result<u64, CallError> {
    let used = execute(most)?.gas_used;
    // Less than what was used is never enough. It need not be enough itself: refunds are paid at the
    // end, and of the gas for a call within a call a 64th is kept back.
    let (mut low, mut high) = (used.saturating_sub(1), most);
    let mut guess = used;
    while high.saturating_sub(low) > 1 {
        match execute(guess) {
            Ok(_) => high = guess,
            Err(error @ (CallError::State(_) | CallError::Stopped(_))) => return Err(error),
            Err(_) => low = guess,
        }
        guess = low + (high - low) / 2;
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call that uses `used` gas and needs `needed`.
    fn check(most: u64, used: u64, needed: u64, expected: Option<u64>) {
        let execute = |gas| match gas >= needed {
            true => Ok(CallOutcome { gas_used: used, output: Bytes::new() }),
            false => Err(CallError::Halted("out of gas".into())),
        };
        assert_eq!(least_gas(most, execute).ok(), expected);
    }

    #[test]
    fn the_least_gas_is_exact() {
        check(30_000_000, 21_000, 21_000, Some(21_000));
        check(30_000_000, 21_000, 21_001, Some(21_001));
        check(30_000_000, 40_000, 59_800, Some(59_800));
        check(21_000, 21_000, 21_000, Some(21_000));
        check(59_801, 40_000, 59_801, Some(59_801));
        check(59_800, 40_000, 59_801, None);
        check(1, 0, 0, Some(1));
    }
}
