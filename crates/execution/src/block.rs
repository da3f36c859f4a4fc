//! Building one block: system calls, transactions, header.
//!
//! Specification: Bedrock to Karst "Execution engine"; fact by fact where the rule stands.

use crate::{
    AttributesError, ChainParameters, ExecutionError, Fork, PayloadAttributes, State, StateError,
    StateOracle, TransactionError, base_fee,
    forks::{DepositReceipt, Rules, WithdrawalsRoot},
    handler::TransactionHandler,
    jumps,
    precompiles::OraclePrecompiles,
    state::StateView,
    transaction::{self, SenderError},
};
use alloc::{string::ToString, vec::Vec};
use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, Header, Receipt, Sealable, Sealed, Transaction,
};
use alloy_eips::{Encodable2718, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, address};
use alloy_trie::{EMPTY_ROOT_HASH, root::ordered_trie_root_encoded};
use op_alloy_consensus::{OpDepositReceipt, OpReceiptEnvelope, OpTxEnvelope, OpTxType};
use op_revm::{
    L1BlockInfo, OpEvm, OpHaltReason, OpSpecId, OpTransaction, OpTransactionError,
    estimate_tx_compressed_size,
};
use revm::{
    Context, Database, ExecuteEvm, Journal, MainContext, SystemCallEvm,
    context::{
        BlockEnv, CfgEnv, ContextSetters, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    context_interface::{ContextTr, block::BlobExcessGasAndPrice},
    handler::{Handler, instructions::EthInstructions},
    interpreter::interpreter::EthInterpreter,
};

/// EIP-4788: holds the roots of L1 beacon blocks.
const BEACON_ROOTS: Address = address!("000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
/// EIP-2935: holds the hashes of earlier blocks.
const HISTORY: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");
/// Placed by the first Canyon block.
const CREATE2_DEPLOYER: Address = address!("13b0D85CcB8bf860b6b79AF3029fCA081AE9beF2");
const CREATE2_DEPLOYER_CODE: &[u8] = include_bytes!("../assets/create2_deployer.bin");
/// From Isthmus on the header commits to this contract's storage.
const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// A block and what came up while it was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutedBlock {
    /// The header with its hash.
    pub header: Sealed<Header>,
    /// The transactions, decoded, in order.
    pub transactions: Vec<OpTxEnvelope>,
    /// One receipt for each transaction.
    pub receipts: Vec<OpReceiptEnvelope>,
}

/// Builds the block that `attributes` describe on top of `parent`. `state` is the state after
/// `parent` and becomes the one after the new block; a state of another block is thrown away.
///
/// # Errors
/// [`ExecutionError::State`] when the oracle lacks something, with the oracle's error naming it:
/// the block may be valid or not. [`ExecutionError::Transaction`] when a transaction makes the
/// block invalid. The others when parent, attributes and chain do not belong together.
pub fn execute_block<O: StateOracle>(
    chain: &ChainParameters,
    parent: &Sealed<Header>,
    attributes: &PayloadAttributes,
    state: &mut State,
    oracle: &mut O,
) -> Result<ExecutedBlock, ExecutionError<O::Error>> {
    let plan = Plan::new(chain, parent, attributes)?;
    let mut executor = Executor::new(&plan, StateView::new(parent, state, oracle));
    executor.begin()?;
    for (index, bytes) in attributes.transactions.iter().enumerate() {
        executor.transaction(index, bytes)?;
    }
    executor.seal()
}

/// What is known of a block before its first transaction.
struct Plan<'a> {
    chain: &'a ChainParameters,
    parent: &'a Sealed<Header>,
    attributes: &'a PayloadAttributes,
    fork: Fork,
    parent_fork: Fork,
    rules: Rules,
    number: u64,
    base_fee: u64,
    extra_data: Bytes,
    beacon_root: Option<B256>,
}

impl<'a> Plan<'a> {
    fn new(
        chain: &'a ChainParameters,
        parent: &'a Sealed<Header>,
        attributes: &'a PayloadAttributes,
    ) -> Result<Self, AttributesError> {
        let timestamp = attributes.timestamp;
        if timestamp <= parent.timestamp {
            return Err(AttributesError::Timestamp { timestamp, parent: parent.timestamp });
        }
        let fork = chain.forks.active(timestamp);
        let rules = fork.rules();
        let beacon_root = attributes.parent_beacon_block_root;
        Ok(Self {
            chain,
            parent,
            attributes,
            fork,
            parent_fork: chain.forks.active(parent.timestamp),
            rules,
            number: parent.number.checked_add(1).ok_or(AttributesError::Number)?,
            base_fee: base_fee::next(chain, &rules, parent)?,
            extra_data: base_fee::extra_data(chain, fork, &rules, attributes)?,
            beacon_root: base_fee::present(
                "parentBeaconBlockRoot",
                beacon_root,
                rules.beacon_root,
                fork,
            )?,
        })
    }

    fn block_env(&self) -> BlockEnv {
        // No blobs on L2: BLOBBASEFEE always returns the lowest price.
        let blob = BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 };
        BlockEnv {
            number: U256::from(self.number),
            beneficiary: self.attributes.suggested_fee_recipient,
            timestamp: U256::from(self.attributes.timestamp),
            gas_limit: self.attributes.gas_limit,
            basefee: self.base_fee,
            difficulty: U256::ZERO,
            prevrandao: Some(self.attributes.prev_randao),
            blob_excess_gas_and_price: self.rules.blob_fields.then_some(blob),
            ..BlockEnv::default()
        }
    }
}

/// What instructions see beside the interpreter.
pub(crate) type EvmContext<DB> =
    Context<BlockEnv, OpTransaction<TxEnv>, CfgEnv<OpSpecId>, DB, Journal<DB>, L1BlockInfo>;
type Evm<DB> =
    OpEvm<EvmContext<DB>, (), EthInstructions<EthInterpreter, EvmContext<DB>>, OraclePrecompiles>;

/// A block between its first and its last transaction.
struct Executor<'p, 'o, O: StateOracle> {
    plan: &'p Plan<'p>,
    evm: Evm<StateView<'o, O>>,
    gas_used: u64,
    da_footprint: u64,
    transactions: Vec<OpTxEnvelope>,
    receipts: Vec<OpReceiptEnvelope>,
}

impl<'p, 'o, O: StateOracle> Executor<'p, 'o, O> {
    fn new(plan: &'p Plan<'p>, state: StateView<'o, O>) -> Self {
        let spec = plan.rules.spec;
        let context = Context::mainnet()
            .with_tx(OpTransaction::default())
            .with_chain(L1BlockInfo::default())
            .with_cfg(CfgEnv::new_with_spec(spec).with_chain_id(plan.chain.chain_id))
            .with_block(plan.block_env())
            .with_db(state);
        let mut evm = OpEvm::new(context, ())
            .with_precompiles(OraclePrecompiles::new(spec, plan.rules.input_limits));
        for (opcode, instruction) in jumps::instructions() {
            evm.0.instruction.insert_instruction(opcode, instruction);
        }
        let count = plan.attributes.transactions.len();
        Self {
            plan,
            evm,
            gas_used: 0,
            da_footprint: 0,
            transactions: Vec::with_capacity(count),
            receipts: Vec::with_capacity(count),
        }
    }

    fn state(&mut self) -> &mut StateView<'o, O> {
        self.evm.0.ctx.db_mut()
    }

    /// What happens before the first transaction.
    fn begin(&mut self) -> Result<(), ExecutionError<O::Error>> {
        if self.plan.rules.history_contract {
            self.system_call(HISTORY, self.plan.parent.hash())?;
        }
        if let Some(root) = self.plan.beacon_root {
            self.system_call(BEACON_ROOTS, root)?;
        }
        if self.plan.fork.places_create2_deployer(self.plan.parent_fork) {
            self.state().set_code(CREATE2_DEPLOYER, Bytes::from_static(CREATE2_DEPLOYER_CODE))?;
        }
        Ok(())
    }

    /// Hands one word to a contract. That the contract is absent or reverts is no error.
    fn system_call(
        &mut self,
        contract: Address,
        word: B256,
    ) -> Result<(), ExecutionError<O::Error>> {
        match self.evm.system_call(contract, Bytes::copy_from_slice(word.as_slice())) {
            Ok(outcome) => Ok(self.state().commit_only(contract, outcome.state)?),
            Err(EVMError::Transaction(source)) => {
                Err(ExecutionError::SystemCall { contract, source })
            }
            Err(error) => Err(self.stopped(error)),
        }
    }

    fn transaction(&mut self, index: usize, bytes: &Bytes) -> Result<(), ExecutionError<O::Error>> {
        let invalid = |source| ExecutionError::Transaction { index, source };
        let envelope = transaction::decode(bytes).map_err(invalid)?;
        self.check_gas(&envelope).map_err(invalid)?;
        let footprint = self.footprint(&envelope, bytes)?;
        let available = self.plan.attributes.gas_limit.saturating_sub(self.da_footprint);
        if footprint > available {
            return Err(invalid(TransactionError::DaFootprint { footprint, available }));
        }
        let prepared =
            transaction::prepare(&envelope, bytes, self.state().oracle()).map_err(|error| {
                match error {
                    SenderError::Oracle(error) => StateError::Oracle(error).into(),
                    SenderError::Invalid(source) => invalid(source),
                }
            })?;
        let deposit_nonce = self.deposit_nonce(&envelope, prepared.base.caller)?;

        self.evm.0.ctx.set_tx(prepared);
        let result = match TransactionHandler::new().run(&mut self.evm) {
            Ok(result) => result,
            Err(EVMError::Transaction(source)) => {
                return Err(invalid(TransactionError::Evm(source)));
            }
            Err(error) => return Err(self.stopped(error)),
        };
        let changes = self.evm.finalize();
        self.state().commit(changes)?;
        self.da_footprint += footprint;
        self.gas_used = self
            .gas_used
            .checked_add(result.tx_gas_used())
            .ok_or_else(|| invalid(TransactionError::GasOverflow))?;
        let receipt = self.receipt(envelope.tx_type(), result, deposit_nonce);
        self.receipts.push(receipt);
        self.transactions.push(envelope);
        Ok(())
    }

    fn check_gas(&self, envelope: &OpTxEnvelope) -> Result<(), TransactionError> {
        if envelope.is_deposit() && self.plan.rules.deposits_exceed_block_gas {
            return Ok(());
        }
        let available = self.plan.attributes.gas_limit.saturating_sub(self.gas_used);
        let gas_limit = envelope.gas_limit();
        if gas_limit > available {
            return Err(TransactionError::GasLimit { gas_limit, available });
        }
        Ok(())
    }

    /// Jovian, "DA footprint": the transaction's estimated compressed size, in gas.
    fn footprint(
        &mut self,
        envelope: &OpTxEnvelope,
        bytes: &Bytes,
    ) -> Result<u64, StateError<O::Error>> {
        if !self.plan.rules.da_footprint || envelope.is_deposit() {
            return Ok(0);
        }
        let scalar = L1BlockInfo::fetch_da_footprint_gas_scalar(self.state())?;
        // The estimate is scaled by a million.
        let size_bytes = estimate_tx_compressed_size(bytes) / 1_000_000;
        Ok(size_bytes.saturating_mul(scalar.into()))
    }

    /// The sender's nonce before a deposit, where its receipt has it.
    fn deposit_nonce(
        &mut self,
        envelope: &OpTxEnvelope,
        sender: Address,
    ) -> Result<Option<u64>, StateError<O::Error>> {
        if !envelope.is_deposit() || self.plan.rules.deposit_receipt == DepositReceipt::Plain {
            return Ok(None);
        }
        let account = self.state().basic(sender)?;
        Ok(Some(account.map_or(0, |account| account.nonce)))
    }

    fn receipt(
        &self,
        kind: OpTxType,
        result: ExecutionResult<OpHaltReason>,
        deposit_nonce: Option<u64>,
    ) -> OpReceiptEnvelope {
        let receipt = Receipt {
            status: Eip658Value::Eip658(result.is_success()),
            cumulative_gas_used: self.gas_used,
            logs: result.into_logs(),
        };
        match kind {
            OpTxType::Legacy => OpReceiptEnvelope::Legacy(receipt.with_bloom()),
            OpTxType::Eip2930 => OpReceiptEnvelope::Eip2930(receipt.with_bloom()),
            OpTxType::Eip1559 => OpReceiptEnvelope::Eip1559(receipt.with_bloom()),
            OpTxType::Eip7702 => OpReceiptEnvelope::Eip7702(receipt.with_bloom()),
            OpTxType::PostExec => OpReceiptEnvelope::PostExec(receipt.with_bloom()),
            OpTxType::Deposit => {
                let versioned = self.plan.rules.deposit_receipt == DepositReceipt::Versioned;
                let receipt = OpDepositReceipt {
                    inner: receipt,
                    deposit_nonce,
                    deposit_receipt_version: versioned.then_some(1),
                };
                OpReceiptEnvelope::Deposit(receipt.with_bloom())
            }
        }
    }

    /// Names what made the EVM stop in the middle.
    fn stopped(
        &mut self,
        error: EVMError<StateError<O::Error>, OpTransactionError>,
    ) -> ExecutionError<O::Error> {
        if let EVMError::Database(error) = error {
            return error.into();
        }
        match self.state().take_failure() {
            Some(error) => StateError::Oracle(error).into(),
            None => {
                ExecutionError::Halted { index: self.transactions.len(), reason: error.to_string() }
            }
        }
    }

    /// What happens after the last transaction.
    fn seal(mut self) -> Result<ExecutedBlock, ExecutionError<O::Error>> {
        let Plan { attributes, rules, parent, .. } = self.plan;
        let by_message_passer = rules.withdrawals_root == WithdrawalsRoot::MessagePasser;
        let roots = self.state().roots(by_message_passer.then_some(MESSAGE_PASSER))?;
        let withdrawals_root = match rules.withdrawals_root {
            WithdrawalsRoot::Absent => None,
            WithdrawalsRoot::Empty => Some(EMPTY_ROOT_HASH),
            WithdrawalsRoot::MessagePasser => {
                Some(roots.storage.ok_or(ExecutionError::MessagePasser(MESSAGE_PASSER))?)
            }
        };
        let blob_gas_used = if rules.da_footprint { self.da_footprint } else { 0 };
        let header = Header {
            parent_hash: parent.hash(),
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: attributes.suggested_fee_recipient,
            state_root: roots.state,
            transactions_root: ordered_trie_root_encoded(&attributes.transactions),
            receipts_root: receipts_root(&self.receipts, rules),
            logs_bloom: self.receipts.iter().fold(Bloom::ZERO, |all, one| all | *one.logs_bloom()),
            difficulty: U256::ZERO,
            number: self.plan.number,
            gas_limit: attributes.gas_limit,
            gas_used: self.gas_used,
            timestamp: attributes.timestamp,
            extra_data: self.plan.extra_data.clone(),
            mix_hash: attributes.prev_randao,
            base_fee_per_gas: Some(self.plan.base_fee),
            withdrawals_root,
            blob_gas_used: rules.blob_fields.then_some(blob_gas_used),
            excess_blob_gas: rules.blob_fields.then_some(0),
            parent_beacon_block_root: self.plan.beacon_root,
            requests_hash: rules.requests_hash.then_some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        };
        Ok(ExecutedBlock {
            header: header.seal_slow(),
            transactions: self.transactions,
            receipts: self.receipts,
        })
    }
}

fn receipts_root(receipts: &[OpReceiptEnvelope], rules: &Rules) -> B256 {
    let encoded = receipts.iter().map(|receipt| match receipt {
        OpReceiptEnvelope::Deposit(deposit)
            if rules.deposit_receipt == DepositReceipt::NonceOutsideRoot =>
        {
            let mut deposit = deposit.clone();
            deposit.receipt.deposit_nonce = None;
            OpReceiptEnvelope::Deposit(deposit).encoded_2718()
        }
        other => other.encoded_2718(),
    });
    ordered_trie_root_encoded(&encoded.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{b256, keccak256};

    #[test]
    fn the_create2_deployer_is_the_one_on_chain() {
        assert_eq!(
            keccak256(CREATE2_DEPLOYER_CODE),
            b256!("b0550b5b431e30d38000efb7107aaa0ade03d48a7198a140edda9d27134468b2")
        );
    }
}
