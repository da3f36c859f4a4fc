//! Calls on L2 that leave no trace.
//!
//! A call is executed as a deposit: that is the transaction of L2 which needs neither nonce, nor fee, nor
//! signature.

use super::{Block, Chain};
use crate::{
    call::{Call, CallError, CallOutcome, least_gas},
    view::View,
};
use alloy_primitives::{TxKind, U256};
use op_revm::{
    L1BlockInfo, OpBuilder, OpTransaction,
    transaction::deposit::{DEPOSIT_TRANSACTION_TYPE, DepositTransactionParts},
};
use rebut_execution::{State, StateView};
use revm::{
    Context, ExecuteEvm, MainContext,
    context::{
        BlockEnv, CfgEnv, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    context_interface::block::BlobExcessGasAndPrice,
};

impl Chain {
    /// Executes a call on the state after `block`.
    ///
    /// # Errors
    /// [`CallError`] when the call does not succeed.
    pub fn call(&self, block: &Block, call: &Call) -> Result<CallOutcome, CallError> {
        self.execute_call(block, call, call.gas_limit(block.header.gas_limit))
    }

    /// The least gas limit with which a call succeeds on the state after `block`.
    ///
    /// # Errors
    /// [`CallError`] when it does not succeed with any.
    pub fn estimate_gas(&self, block: &Block, call: &Call) -> Result<u64, CallError> {
        let most = call.gas_limit(block.header.gas_limit);
        least_gas(most, |gas| self.execute_call(block, call, gas))
    }

    fn execute_call(
        &self,
        block: &Block,
        call: &Call,
        gas_limit: u64,
    ) -> Result<CallOutcome, CallError> {
        let header = &block.header;
        let config = self.config();
        let rules = config.fork(header.timestamp).rules();
        let blob = BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 };
        let env = BlockEnv {
            number: U256::from(header.number),
            beneficiary: header.beneficiary,
            timestamp: U256::from(header.timestamp),
            gas_limit: header.gas_limit,
            // Nobody pays for a call, so BASEFEE is 0, as on nodes.
            basefee: 0,
            difficulty: U256::ZERO,
            prevrandao: Some(header.mix_hash),
            blob_excess_gas_and_price: rules.blob_fields.then_some(blob),
            ..BlockEnv::default()
        };
        let transaction = OpTransaction {
            base: TxEnv {
                tx_type: DEPOSIT_TRANSACTION_TYPE,
                caller: call.from,
                gas_limit,
                gas_price: 0,
                kind: call.to.map_or(TxKind::Create, TxKind::Call),
                value: call.value,
                data: call.input.clone(),
                chain_id: Some(config.chain.chain_id),
                ..TxEnv::default()
            },
            enveloped_tx: None,
            deposit: DepositTransactionParts::default(),
        };
        let mut state = State::new(header.state_root);
        let mut oracle = self.store().clone();
        let view = StateView::new(header, &mut state, &mut oracle);
        let mut evm = Context::mainnet()
            .with_tx(OpTransaction::<TxEnv>::default())
            .with_chain(L1BlockInfo::default())
            .with_cfg(CfgEnv::new_with_spec(rules.spec).with_chain_id(config.chain.chain_id))
            .with_block(env)
            .with_db(View(view))
            .build_op();
        call.place(&mut evm.0.ctx.journaled_state)?;
        match evm.transact(transaction) {
            Ok(outcome) => match outcome.result {
                ExecutionResult::Success { gas, output, .. } => {
                    Ok(CallOutcome { gas_used: gas.tx_gas_used(), output: output.into_data() })
                }
                ExecutionResult::Revert { output, .. } => Err(CallError::Reverted(output)),
                ExecutionResult::Halt { reason, .. } => Err(halted(call, &format!("{reason:?}"))),
            },
            Err(EVMError::Database(error)) => Err(CallError::State(error)),
            Err(EVMError::Transaction(invalid)) => Err(CallError::Invalid(invalid.to_string())),
            Err(error) => Err(CallError::Stopped(error.to_string())),
        }
    }
}

/// What a halt of a deposit is to a caller, who has made none.
fn halted(call: &Call, reason: &str) -> CallError {
    match reason {
        "FailedDeposit" if !call.value.is_zero() => {
            CallError::Invalid("insufficient funds for gas * price + value".into())
        }
        "FailedDeposit" => CallError::Invalid("intrinsic gas too low".into()),
        reason => CallError::Halted(reason.into()),
    }
}
