//! A chain of one process that takes transactions with nonces, as a deployment plan needs it.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_sol_types::SolCall;
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv, CfgEnv, Evm, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::{EthFrame, EthPrecompiles, instructions::EthInstructions};
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use std::collections::BTreeMap;

type MainnetContext = Context<BlockEnv, TxEnv, CfgEnv, CacheDB<EmptyDB>>;

/// Accounts, contracts and a clock.
pub struct Chain {
    evm: Evm<
        MainnetContext,
        (),
        EthInstructions<EthInterpreter, MainnetContext>,
        EthPrecompiles,
        EthFrame<EthInterpreter>,
    >,
    nonces: BTreeMap<Address, u64>,
}

impl Chain {
    /// A chain on which `rich` accounts have ether.
    pub fn new(rich: &[Address]) -> Self {
        let mut database = CacheDB::new(EmptyDB::default());
        for account in rich {
            let balance = U256::from(10).pow(U256::from(21));
            database.insert_account_info(*account, AccountInfo::from_balance(balance));
        }
        let mut evm = Context::mainnet()
            .with_db(database)
            .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(SpecId::CANCUN))
            .build_mainnet();
        evm.ctx.block.gas_limit = u64::MAX;
        let mut chain = Self { evm, nonces: BTreeMap::new() };
        chain.set_time(1_700_000_000);
        chain
    }

    /// Goes to a new block at that time.
    pub fn set_time(&mut self, timestamp: u64) {
        self.evm.ctx.block.number += U256::from(1);
        self.evm.ctx.block.timestamp = U256::from(timestamp);
    }

    /// One transaction: what it returned, or the data of its revert.
    pub fn send(
        &mut self,
        from: Address,
        to: TxKind,
        value: U256,
        data: Bytes,
    ) -> Result<Output, Bytes> {
        let nonce = self.nonces.entry(from).or_default();
        let tx = TxEnv {
            caller: from,
            kind: to,
            value,
            data,
            nonce: *nonce,
            gas_limit: 30_000_000,
            gas_price: 0,
            ..TxEnv::default()
        };
        *nonce += 1;
        match self.evm.transact_commit(tx).expect("a valid transaction") {
            ExecutionResult::Success { output, .. } => Ok(output),
            ExecutionResult::Revert { output, .. } => Err(output),
            ExecutionResult::Halt { reason, .. } => panic!("halts: {reason:?}"),
        }
    }

    /// A call that must succeed.
    pub fn call<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        wei: u128,
        call: &C,
    ) -> C::Return {
        let value = U256::from(wei);
        let output = self
            .send(from, TxKind::Call(to), value, call.abi_encode().into())
            .unwrap_or_else(|data| panic!("{} reverts: {data}", C::SIGNATURE));
        C::abi_decode_returns(&output.into_data()).expect("an answer of its interface")
    }

    /// A call that must revert; the selector of its reason.
    pub fn refuse<C: SolCall>(&mut self, from: Address, to: Address, call: &C) -> [u8; 4] {
        let data = self
            .send(from, TxKind::Call(to), U256::ZERO, call.abi_encode().into())
            .expect_err("a revert");
        data[..4].try_into().expect("a selector")
    }

    /// Whether there is a contract.
    pub fn has_code(&mut self, at: Address) -> bool {
        let account = self.evm.ctx.journaled_state.database.load_account(at).expect("no failure");
        account.info.code_hash != revm::primitives::KECCAK_EMPTY
    }
}
