//! The handler of transactions: that of `op-revm`, except for who is paid before Isthmus.
//!
//! Before Isthmus there is no operator fee. `op-revm` books a fee of 0 all the same, for which it
//! loads the account of the vault. That changes no result, but asks the oracle for nodes that the
//! block does not depend on and that a witness need not have.

use op_revm::{
    L1BlockInfo, OpHaltReason, OpSpecId, OpTransactionError,
    constants::{BASE_FEE_RECIPIENT, L1_FEE_RECIPIENT},
    handler::{IsTxError, OpHandler},
    transaction::OpTxTr,
};
use revm::{
    context::{
        Block, Cfg, JournalTr,
        result::{ExecutionResult, FromStringError, ResultGas},
    },
    context_interface::ContextTr,
    handler::{EvmTr, FrameResult, Handler, evm::FrameTr, handler::EvmTrError},
    interpreter::{InitialAndFloorGas, interpreter_action::FrameInit},
    primitives::U256,
    state::EvmState,
};

/// See the module.
pub(crate) struct TransactionHandler<EVM, ERROR, FRAME>(OpHandler<EVM, ERROR, FRAME>);

impl<EVM, ERROR, FRAME> TransactionHandler<EVM, ERROR, FRAME> {
    pub(crate) fn new() -> Self {
        Self(OpHandler::new())
    }
}

impl<EVM, ERROR, FRAME> Handler for TransactionHandler<EVM, ERROR, FRAME>
where
    EVM: EvmTr<
            Context: ContextTr<
                Journal: JournalTr<State = EvmState>,
                Tx: OpTxTr,
                Cfg: Cfg<Spec = OpSpecId>,
                Chain = L1BlockInfo,
            >,
            Frame = FRAME,
        >,
    ERROR: EvmTrError<EVM> + From<OpTransactionError> + FromStringError + IsTxError,
    FRAME: FrameTr<FrameResult = FrameResult, FrameInit = FrameInit>,
{
    type Evm = EVM;
    type Error = ERROR;
    type HaltReason = OpHaltReason;

    fn reward_beneficiary(&self, evm: &mut EVM, frame: &mut FrameResult) -> Result<(), ERROR> {
        let context = evm.ctx_mut();
        if context.tx().is_deposit() || context.cfg().spec().is_enabled_in(OpSpecId::ISTHMUS) {
            return self.0.reward_beneficiary(evm, frame);
        }
        self.0.mainnet.reward_beneficiary(evm, frame)?;
        let (block, tx, cfg, journal, l1_block, _) = evm.ctx_mut().all_mut();
        let envelope = tx.enveloped_tx().ok_or(OpTransactionError::MissingEnvelopedTx)?;
        let l1_cost = l1_block.calculate_tx_l1_cost(envelope, cfg.spec());
        let base_fee = U256::from(block.basefee()) * U256::from(frame.gas().used());
        journal.balance_incr(L1_FEE_RECIPIENT, l1_cost)?;
        journal.balance_incr(BASE_FEE_RECIPIENT, base_fee)?;
        Ok(())
    }

    fn validate_env(&self, evm: &mut EVM) -> Result<(), ERROR> {
        self.0.validate_env(evm)
    }

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut EVM,
        gas: &mut InitialAndFloorGas,
    ) -> Result<(), ERROR> {
        self.0.validate_against_state_and_deduct_caller(evm, gas)
    }

    fn last_frame_result(&mut self, evm: &mut EVM, frame: &mut FrameResult) -> Result<(), ERROR> {
        self.0.last_frame_result(evm, frame)
    }

    fn refund(&self, evm: &mut EVM, frame: &mut FrameResult, eip7702_refund: i64) {
        self.0.refund(evm, frame, eip7702_refund);
    }

    fn reimburse_caller(&self, evm: &mut EVM, frame: &mut FrameResult) -> Result<(), ERROR> {
        self.0.reimburse_caller(evm, frame)
    }

    fn execution_result(
        &mut self,
        evm: &mut EVM,
        frame: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<OpHaltReason>, ERROR> {
        self.0.execution_result(evm, frame, gas)
    }

    fn catch_error(
        &self,
        evm: &mut EVM,
        error: ERROR,
    ) -> Result<ExecutionResult<OpHaltReason>, ERROR> {
        self.0.catch_error(evm, error)
    }
}
