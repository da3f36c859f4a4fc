//! A chain of one process: accounts, contracts, time, and calls that change them or do not.
//!
//! It has what contracts see of a chain and nothing else. A call is not a transaction: it costs its caller no gas, has
//! no nonce and no fixed cost, so the gas that is told is that of the execution alone.

use crate::Revert;
use crate::deployment::DeploymentPlan;
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256};
use alloy_sol_types::SolCall;
use revm::context::result::{EVMError, ExecutionResult, HaltReason, Output};
use revm::context::{BlockEnv, CfgEnv, ContextSetters, Evm, JournalTr, TxEnv};
use revm::context_interface::cfg::gas::calculate_initial_tx_gas;
use revm::database::{AccountState, CacheDB, DbAccount, EmptyDB};
use revm::handler::{
    EthFrame, EthPrecompiles, Handler, MainnetHandler, instructions::EthInstructions,
};
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::{Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext};
use std::convert::Infallible;
use std::fmt;
use thiserror::Error;

/// The rules of the chain.
const RULES: SpecId = SpecId::CANCUN;
/// Gas of every call. It only has to be more than anything needs.
const GAS_LIMIT: u64 = 1 << 50;

type Database = CacheDB<EmptyDB>;
type MainnetContext = Context<BlockEnv, TxEnv, CfgEnv, Database>;
type MainnetEvm = Evm<
    MainnetContext,
    (),
    EthInstructions<EthInterpreter, MainnetContext>,
    EthPrecompiles,
    EthFrame<EthInterpreter>,
>;
type Run = MainnetHandler<MainnetEvm, EVMError<Infallible>, EthFrame<EthInterpreter>>;

/// An empty chain under Cancun's rules, and what was made of it.
pub struct Chain {
    evm: MainnetEvm,
}

/// What a successful call leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt<T> {
    /// What it returned.
    pub output: T,
    /// The events, in their order.
    pub logs: Vec<Log>,
    /// Gas of the execution alone: neither the fixed cost of a transaction nor that of its data.
    pub gas_used: u64,
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// The contract refused, and said why.
    #[error("the contract reverts: {0}")]
    Revert(Revert),
    /// The EVM stopped: out of gas, an invalid operation.
    #[error("the EVM halts: {0:?}")]
    Halt(HaltReason),
    /// The EVM did not start the call.
    #[error("the EVM refuses the call")]
    Refused,
    /// The call came back with something else than its interface says.
    #[error("the contract's answer is not that of its interface")]
    Answer,
}

impl Chain {
    /// A chain without accounts, at block 0.
    pub fn new() -> Self {
        Self::over(Database::default())
    }

    fn over(database: Database) -> Self {
        let evm = Context::mainnet()
            .with_db(database)
            .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(RULES))
            .build_mainnet();
        Self { evm }
    }

    /// Number and timestamp of the block that the next calls are in.
    pub fn set_block(&mut self, number: u64, timestamp: u64) {
        self.evm.ctx.block.number = U256::from(number);
        self.evm.ctx.block.timestamp = U256::from(timestamp);
    }

    /// What contracts see as the hash of an earlier block.
    pub fn set_block_hash(&mut self, number: u64, hash: B256) {
        self.evm.ctx.journaled_state.database.cache.block_hashes.insert(U256::from(number), hash);
    }

    /// Gives an account a balance in wei.
    pub fn set_balance(&mut self, account: Address, wei: U256) {
        let entry = self.account(account);
        entry.info.balance = wei;
        entry.account_state = AccountState::Touched;
    }

    /// What an account has, in wei.
    pub fn balance(&mut self, account: Address) -> U256 {
        self.account(account).info.balance
    }

    fn account(&mut self, account: Address) -> &mut DbAccount {
        match self.evm.ctx.journaled_state.database.load_account(account) {
            Ok(entry) => entry,
            Err(never) => match never {},
        }
    }

    /// Sends all transactions of a plan that was made for `from` and its nonce `first`. Gives the gas of each as a chain
    /// charges it: with the fixed cost of a transaction, and that of its data.
    ///
    /// # Errors
    /// [`CallError`] of the first one that fails, or puts its contract elsewhere.
    pub fn apply(
        &mut self,
        from: Address,
        first: u64,
        plan: &DeploymentPlan,
    ) -> Result<Vec<u64>, CallError> {
        let mut gas = Vec::with_capacity(plan.transactions.len());
        for (nonce, transaction) in (first..).zip(&plan.transactions) {
            let entry = self.account(from);
            entry.info.nonce = nonce;
            entry.account_state = AccountState::Touched;
            let data = transaction.data.clone();
            let answer = self.run(from, transaction.to, U256::ZERO, data)?;
            self.commit();
            if answer.created != transaction.creates {
                return Err(CallError::Answer);
            }
            let creates = transaction.to.is_create();
            let fixed = calculate_initial_tx_gas(RULES, &transaction.data, creates, 0, 0, 0);
            gas.push(fixed.initial_total_gas.saturating_add(answer.gas_used));
        }
        Ok(gas)
    }

    /// The code at an address; empty where there is none.
    pub fn code(&mut self, account: Address) -> Bytes {
        let hash = self.account(account).info.code_hash;
        let code = self.evm.ctx.journaled_state.database.cache.contracts.get(&hash);
        code.map(|code| code.original_bytes()).unwrap_or_default()
    }

    /// Creates a contract from its creation code and the encoded arguments of its constructor.
    pub fn deploy(
        &mut self,
        from: Address,
        creation_code: &[u8],
        arguments: &[u8],
    ) -> Result<Address, CallError> {
        let data = [creation_code, arguments].concat();
        let answer = self.run(from, TxKind::Create, U256::ZERO, data.into())?;
        self.commit();
        answer.created.ok_or(CallError::Answer)
    }

    /// Calls a contract with `wei`, and keeps the changes.
    pub fn transact<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        call: &C,
    ) -> Result<Receipt<C::Return>, CallError> {
        let answer = self.run(from, TxKind::Call(to), wei, call.abi_encode().into())?;
        self.commit();
        answer.decode::<C>()
    }

    /// As [`Self::transact`], with the call's bytes as they are, and so the answer's.
    pub fn transact_raw(
        &mut self,
        from: Address,
        to: Address,
        wei: U256,
        data: Bytes,
    ) -> Result<Receipt<Bytes>, CallError> {
        let Answer { output, logs, gas_used, .. } = self.run(from, TxKind::Call(to), wei, data)?;
        self.commit();
        Ok(Receipt { output, logs, gas_used })
    }

    /// Calls a contract, and drops the changes.
    pub fn call<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<Receipt<C::Return>, CallError> {
        self.call_raw::<C>(from, to, call.abi_encode().into())
    }

    /// As [`Self::call`], with the call's bytes as they are: for encodings that are not canonical.
    pub fn call_raw<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        data: Bytes,
    ) -> Result<Receipt<C::Return>, CallError> {
        let answer = self.run(from, TxKind::Call(to), U256::ZERO, data)?;
        self.discard();
        answer.decode::<C>()
    }

    /// Executes a call and leaves its changes in the journal, unless it failed.
    ///
    /// The handler's system call is an ordinary call without a transaction around it.
    fn run(
        &mut self,
        caller: Address,
        kind: TxKind,
        value: U256,
        data: Bytes,
    ) -> Result<Answer, CallError> {
        let tx = TxEnv { caller, kind, value, data, gas_limit: GAS_LIMIT, ..TxEnv::default() };
        self.evm.ctx.set_tx(tx);
        // What a transaction would do before its call: the value comes from an account that is at hand.
        match self.evm.ctx.journaled_state.load_account(caller) {
            Ok(_) => {}
            Err(never) => match never {},
        }
        let result = Run::default().run_system_call(&mut self.evm).map_err(|error| {
            self.discard();
            match error {
                EVMError::Database(never) => match never {},
                _ => CallError::Refused,
            }
        })?;
        match result {
            ExecutionResult::Success { gas, logs, output, .. } => {
                let created = match &output {
                    Output::Create(_, address) => *address,
                    Output::Call(_) => None,
                };
                let gas_used = gas.total_gas_spent();
                Ok(Answer { output: output.into_data(), created, logs, gas_used })
            }
            ExecutionResult::Revert { output, .. } => {
                self.discard();
                Err(CallError::Revert(Revert::decode(&output)))
            }
            ExecutionResult::Halt { reason, .. } => {
                self.discard();
                Err(CallError::Halt(reason))
            }
        }
    }

    /// Keeps the changes of the last call.
    fn commit(&mut self) {
        let changes = self.evm.finalize();
        self.evm.ctx.journaled_state.database.commit(changes);
    }

    /// Drops the changes of the last call.
    fn discard(&mut self) {
        self.evm.finalize();
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Chain {
    /// The same state and block: from here the two go separate ways.
    fn clone(&self) -> Self {
        let mut chain = Self::over(self.evm.ctx.journaled_state.database.clone());
        chain.evm.ctx.block = self.evm.ctx.block.clone();
        chain
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("block", &self.evm.ctx.block.number).finish_non_exhaustive()
    }
}

/// A successful call.
struct Answer {
    output: Bytes,
    created: Option<Address>,
    logs: Vec<Log>,
    gas_used: u64,
}

impl Answer {
    fn decode<C: SolCall>(self) -> Result<Receipt<C::Return>, CallError> {
        let output = C::abi_decode_returns(&self.output).map_err(|_| CallError::Answer)?;
        Ok(Receipt { output, logs: self.logs, gas_used: self.gas_used })
    }
}
