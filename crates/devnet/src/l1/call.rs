//! Calls on L1 that leave no trace.

use super::{
    BlockError, Chain, L1Block,
    block::{self, Plan},
};
use crate::call::{Call, CallError, CallOutcome, least_gas};
use rebut_execution::{State, StateView};
use revm::{
    ExecuteEvm,
    context::result::{EVMError, ExecutionResult},
};

impl Chain {
    /// Executes a call on the state after `block`.
    ///
    /// # Errors
    /// [`CallError`] when the call does not succeed.
    pub fn call(&self, block: &L1Block, call: &Call) -> Result<CallOutcome, CallError> {
        self.execute(block, call, call.gas_limit(block.header.gas_limit))
    }

    /// The least gas limit with which a call succeeds on the state after `block`.
    ///
    /// # Errors
    /// [`CallError`] when it does not succeed with any.
    pub fn estimate_gas(&self, block: &L1Block, call: &Call) -> Result<u64, CallError> {
        least_gas(call.gas_limit(block.header.gas_limit), |gas| self.execute(block, call, gas))
    }

    fn execute(&self, block: &L1Block, call: &Call, gas: u64) -> Result<CallOutcome, CallError> {
        let mut plan = Plan::of_block(self.config(), &block.header);
        // Nobody pays for a call, so BASEFEE is 0, as on nodes.
        plan.env.basefee = 0;
        let mut state = State::new(block.header.state_root);
        let mut oracle = self.store().clone();
        let mut evm = plan.evm(StateView::new(&block.header, &mut state, &mut oracle));
        evm.ctx.cfg.disable_nonce_check = true;
        evm.ctx.cfg.disable_eip3607 = true;
        evm.ctx.cfg.tx_gas_limit_cap = Some(u64::MAX);
        call.place(&mut evm.ctx.journaled_state)?;
        match evm.transact(call.env(plan.chain_id, gas)) {
            Ok(outcome) => match outcome.result {
                ExecutionResult::Success { gas, output, .. } => {
                    Ok(CallOutcome { gas_used: gas.tx_gas_used(), output: output.into_data() })
                }
                ExecutionResult::Revert { output, .. } => Err(CallError::Reverted(output)),
                ExecutionResult::Halt { reason, .. } => {
                    Err(CallError::Halted(format!("{reason:?}")))
                }
            },
            Err(EVMError::Transaction(invalid)) => Err(CallError::Invalid(invalid.to_string())),
            Err(error) => Err(match block::stopped(error) {
                BlockError::State(error) => CallError::State(error),
                error => CallError::Stopped(error.to_string()),
            }),
        }
    }
}
