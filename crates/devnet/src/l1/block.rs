//! Building one L1 block: system calls, transactions, withdrawals, requests, header.
//!
//! Specification: Ethereum execution layer, Cancun to Osaka; EIP by EIP where the rule stands.

use super::{
    L1Block, L1Receipt,
    config::{Config, Fork},
    transaction::{self, Pooled},
};
use crate::{
    state::{StateStore, StoreError},
    view::View,
};
use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, Eip658Value, Header, Receipt, ReceiptEnvelope, Sealable, Sealed,
    Transaction, TxReceipt, proofs,
};
use alloy_eips::{
    eip1559::calc_next_block_base_fee,
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4788::BEACON_ROOTS_ADDRESS,
    eip4895::Withdrawal,
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_TYPE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_TYPE},
    eip7685::Requests,
    eip7840::BlobParams,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, keccak256};
use rebut_execution::{StateError, StateView};
use revm::{
    Context, Database, ExecuteEvm, MainBuilder, MainContext, SystemCallEvm,
    context::{BlockEnv, CfgEnv, result::EVMError, result::InvalidTransaction},
    context_interface::{ContextTr, block::BlobExcessGasAndPrice},
    handler::{MainnetContext, MainnetEvm},
    state::{Account, EvmState},
};

/// Why a block cannot be built, whatever is in it.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The state before the block cannot be read.
    #[error(transparent)]
    State(#[from] StateError<StoreError>),
    /// The block would not be later than its parent.
    #[error("the time {timestamp} does not follow the parent's {parent}")]
    Timestamp {
        /// Of the block.
        timestamp: u64,
        /// Of its parent.
        parent: u64,
    },
    /// A contract that belongs to the rules does not do its part.
    #[error("the system call to {contract} failed: {reason}")]
    SystemCall {
        /// The contract.
        contract: Address,
        /// What the EVM says.
        reason: String,
    },
    /// The EVM stopped for a reason that lies in no transaction.
    #[error("the EVM stopped: {0}")]
    Halted(String),
}

/// Why a transaction does not get into a block.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It fits another block.
    #[error("the block is full")]
    Full,
    /// The EVM refuses it.
    #[error(transparent)]
    Invalid(#[from] InvalidTransaction),
    /// There will be no block.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// What is known of a block before its first transaction.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) fork: Fork,
    pub(super) chain_id: u64,
    pub(super) env: BlockEnv,
    pub(super) base_fee: u64,
    excess_blob_gas: u64,
    parent_hash: B256,
    number: u64,
    timestamp: u64,
    beacon_root: B256,
}

/// How blob fees move under these rules.
fn blob_price(excess_blob_gas: u64, params: &BlobParams) -> BlobExcessGasAndPrice {
    let blob_gasprice = params.calc_blob_fee(excess_blob_gas);
    BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice }
}

impl Plan {
    /// The block after `parent`. `branch` tells apart blocks that would otherwise be the same.
    pub(super) fn new(
        config: &Config,
        parent: &Sealed<Header>,
        timestamp: u64,
        branch: u64,
    ) -> Result<Self, BlockError> {
        if timestamp <= parent.timestamp {
            return Err(BlockError::Timestamp { timestamp, parent: parent.timestamp });
        }
        let fork = config.fork(timestamp);
        let params = fork.blob_params();
        let parent_base_fee = parent.base_fee_per_gas.unwrap_or_default();
        let base_fee = calc_next_block_base_fee(
            parent.gas_used,
            parent.gas_limit,
            parent_base_fee,
            config.base_fee_params(),
        );
        let excess_blob_gas = params.next_block_excess_blob_gas_osaka(
            parent.excess_blob_gas.unwrap_or_default(),
            parent.blob_gas_used.unwrap_or_default(),
            parent_base_fee,
        );
        let number = parent.number + 1;
        let parent_hash = parent.hash();
        // There is no beacon chain: both values are made up, the same whenever the block is built.
        let drawn = |what: &str| {
            keccak256([what.as_bytes(), parent_hash.as_slice(), &branch.to_be_bytes()].concat())
        };
        let env = BlockEnv {
            number: U256::from(number),
            beneficiary: config.fee_recipient,
            timestamp: U256::from(timestamp),
            gas_limit: config.gas_limit,
            basefee: base_fee,
            prevrandao: Some(drawn("randao")),
            blob_excess_gas_and_price: Some(blob_price(excess_blob_gas, &params)),
            ..BlockEnv::default()
        };
        Ok(Self {
            fork,
            chain_id: config.chain_id,
            env,
            base_fee,
            excess_blob_gas,
            parent_hash,
            number,
            timestamp,
            beacon_root: drawn("beacon block"),
        })
    }

    /// The rules and values of a block that there is.
    pub(super) fn of_block(config: &Config, header: &Sealed<Header>) -> Self {
        let fork = config.fork(header.timestamp);
        let excess_blob_gas = header.excess_blob_gas.unwrap_or_default();
        let base_fee = header.base_fee_per_gas.unwrap_or_default();
        let env = BlockEnv {
            number: U256::from(header.number),
            beneficiary: header.beneficiary,
            timestamp: U256::from(header.timestamp),
            gas_limit: header.gas_limit,
            basefee: base_fee,
            prevrandao: Some(header.mix_hash),
            blob_excess_gas_and_price: Some(blob_price(excess_blob_gas, &fork.blob_params())),
            ..BlockEnv::default()
        };
        Self {
            fork,
            chain_id: config.chain_id,
            env,
            base_fee,
            excess_blob_gas,
            parent_hash: header.parent_hash,
            number: header.number,
            timestamp: header.timestamp,
            beacon_root: header.parent_beacon_block_root.unwrap_or_default(),
        }
    }

    /// The price of blob gas, in wei.
    pub(super) fn blob_base_fee(&self) -> u128 {
        self.env.blob_excess_gas_and_price.map_or(0, |blob| blob.blob_gasprice)
    }

    pub(super) fn cfg(&self) -> CfgEnv {
        CfgEnv::new_with_spec(self.fork.spec())
            .with_chain_id(self.chain_id)
            .with_max_blobs_per_tx(self.fork.blob_params().max_blobs_per_tx)
    }

    /// An EVM at the beginning of the block.
    pub(super) fn evm<'a>(&self, state: StateView<'a, StateStore>) -> Evm<'a> {
        Context::mainnet()
            .with_cfg(self.cfg())
            .with_block(self.env.clone())
            .with_db(View(state))
            .build_mainnet()
    }
}

/// The EVM over the state of a block in the making.
pub(super) type Evm<'a> = MainnetEvm<MainnetContext<View<'a>>>;

/// A block between its first and its last transaction.
pub(super) struct Builder<'a> {
    plan: Plan,
    evm: Evm<'a>,
    gas_used: u64,
    blob_gas_used: u64,
    transactions: Vec<transaction::L1Transaction>,
    senders: Vec<Address>,
    receipts: Vec<L1Receipt>,
}

impl<'a> Builder<'a> {
    /// Begins the block: what the rules do before the first transaction.
    pub(super) fn new(plan: Plan, state: StateView<'a, StateStore>) -> Result<Self, BlockError> {
        let evm = plan.evm(state);
        let mut builder = Self {
            plan,
            evm,
            gas_used: 0,
            blob_gas_used: 0,
            transactions: Vec::new(),
            senders: Vec::new(),
            receipts: Vec::new(),
        };
        if builder.plan.fork >= Fork::Prague {
            builder.system_call(HISTORY_STORAGE_ADDRESS, builder.plan.parent_hash.into())?;
        }
        builder.system_call(BEACON_ROOTS_ADDRESS, builder.plan.beacon_root.into())?;
        Ok(builder)
    }

    pub(super) const fn base_fee(&self) -> u64 {
        self.plan.base_fee
    }

    /// The nonce of an account as it is now.
    pub(super) fn nonce(&mut self, address: Address) -> Result<u64, BlockError> {
        let info = self.evm.ctx.db_mut().basic(address)?;
        Ok(info.map_or(0, |info| info.nonce))
    }

    /// Executes the next transaction.
    pub(super) fn push(&mut self, pooled: &Pooled) -> Result<(), Refusal> {
        let tx = &pooled.transaction;
        if tx.gas_limit() > self.plan.env.gas_limit.saturating_sub(self.gas_used) {
            return Err(Refusal::Full);
        }
        let blob_gas = tx.blob_gas_used().unwrap_or_default();
        let most = self.plan.fork.blob_params().max_blob_gas_per_block();
        if blob_gas > most.saturating_sub(self.blob_gas_used) {
            return Err(Refusal::Full);
        }
        let outcome = match self.evm.transact(transaction::env(tx, pooled.sender)) {
            Ok(outcome) => outcome,
            Err(EVMError::Transaction(invalid)) => return Err(invalid.into()),
            Err(error) => return Err(stopped(error).into()),
        };
        self.evm.ctx.db_mut().0.commit(outcome.state).map_err(BlockError::State)?;
        let result = outcome.result;
        // At most the block's gas limit, by the check above.
        self.gas_used += result.tx_gas_used();
        self.blob_gas_used += blob_gas;
        let receipt = Receipt {
            status: Eip658Value::Eip658(result.is_success()),
            cumulative_gas_used: self.gas_used,
            logs: result.into_logs(),
        };
        self.receipts.push(ReceiptEnvelope::from_typed(tx.tx_type(), receipt.with_bloom()));
        self.transactions.push(tx.clone());
        self.senders.push(pooled.sender);
        Ok(())
    }

    /// Ends the block.
    pub(super) fn seal(mut self, withdrawals: Vec<Withdrawal>) -> Result<L1Block, BlockError> {
        self.withdraw(&withdrawals)?;
        let requests_hash = match self.plan.fork >= Fork::Prague {
            true => Some(self.requests()?.requests_hash()),
            false => None,
        };
        let roots = self.evm.ctx.db_mut().0.roots(None)?;
        let Plan { env, .. } = &self.plan;
        let header = Header {
            parent_hash: self.plan.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: env.beneficiary,
            state_root: roots.state,
            transactions_root: proofs::calculate_transaction_root(&self.transactions),
            receipts_root: proofs::calculate_receipt_root(&self.receipts),
            logs_bloom: self.receipts.iter().fold(Bloom::ZERO, |all, one| all | one.bloom()),
            number: self.plan.number,
            gas_limit: env.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.plan.timestamp,
            mix_hash: env.prevrandao.unwrap_or_default(),
            base_fee_per_gas: Some(self.plan.base_fee),
            withdrawals_root: Some(proofs::calculate_withdrawals_root(&withdrawals)),
            blob_gas_used: Some(self.blob_gas_used),
            excess_blob_gas: Some(self.plan.excess_blob_gas),
            parent_beacon_block_root: Some(self.plan.beacon_root),
            requests_hash,
            ..Header::default()
        };
        Ok(L1Block {
            header: header.seal_slow(),
            transactions: self.transactions,
            senders: self.senders,
            receipts: self.receipts,
            withdrawals: Some(withdrawals),
        })
    }

    /// EIP-4895: each credits an account, unconditionally.
    fn withdraw(&mut self, withdrawals: &[Withdrawal]) -> Result<(), BlockError> {
        for withdrawal in withdrawals {
            let state = &mut self.evm.ctx.db_mut().0;
            let mut info = state.basic(withdrawal.address)?.unwrap_or_default();
            info.balance = info.balance.saturating_add(withdrawal.amount_wei());
            let account = Account::default().with_info(info).with_touched_mark();
            state.commit(EvmState::from_iter([(withdrawal.address, account)]))?;
        }
        Ok(())
    }

    /// EIP-7685, without EIP-6110: a devnet has no deposit contract for validators.
    fn requests(&mut self) -> Result<Requests, BlockError> {
        let mut requests = Requests::default();
        for (kind, contract) in [
            (WITHDRAWAL_REQUEST_TYPE, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
            (CONSOLIDATION_REQUEST_TYPE, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS),
        ] {
            let data = self.system_call(contract, Bytes::new())?;
            requests.push_request_with_type(kind, data);
        }
        Ok(requests)
    }

    /// Calls a contract on behalf of the rules, and returns what it returns.
    fn system_call(&mut self, contract: Address, data: Bytes) -> Result<Bytes, BlockError> {
        let failed = |reason| BlockError::SystemCall { contract, reason };
        let outcome = match self.evm.system_call(contract, data) {
            Ok(outcome) => outcome,
            Err(EVMError::Transaction(invalid)) => return Err(failed(invalid.to_string())),
            Err(error) => return Err(stopped(error)),
        };
        if !outcome.result.is_success() {
            return Err(failed("it reverted or ran out of gas".into()));
        }
        self.evm.ctx.db_mut().0.commit_only(contract, outcome.state)?;
        Ok(outcome.result.into_output().unwrap_or_default())
    }
}

/// What made the EVM stop in the middle.
pub(super) fn stopped(error: EVMError<StateError<StoreError>>) -> BlockError {
    match error {
        EVMError::Database(error) => BlockError::State(error),
        error => BlockError::Halted(error.to_string()),
    }
}
