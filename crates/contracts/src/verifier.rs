//! The contracts, deployed in an EVM of this process.

use crate::bindings::{MIPS64, PreimageOracle};
use crate::{Preimage, Revert};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use revm::context::result::{EVMError, ExecutionResult, HaltReason, Output};
use revm::context::{BlockEnv, CfgEnv, ContextSetters, Evm, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::handler::{
    EthFrame, EthPrecompiles, Handler, MainnetHandler, instructions::EthInstructions,
};
use revm::interpreter::interpreter::EthInterpreter;
use revm::primitives::hardfork::SpecId;
use revm::{Context, DatabaseCommit, ExecuteEvm, MainBuilder, MainContext};
use std::convert::Infallible;
use std::fmt;
use thiserror::Error;

/// The account that deploys, loads and steps unless told otherwise. Any account does: the contracts know
/// no owner.
const CALLER: Address = address!("00000000000000000000000000000000000d15be");

/// What the standard deployment gives the oracle: least size of a large preimage in bytes, and the
/// challenge period in seconds.
const MIN_PROPOSAL_SIZE: u64 = 126_000;
const CHALLENGE_PERIOD: u64 = 86_400;

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

/// A deployed PreimageOracle and MIPS64, with the preimages loaded so far.
pub struct Verifier {
    evm: MainnetEvm,
    oracle: Address,
    mips: Address,
    caller: Address,
}

/// What a step gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutcome {
    /// The hash of the post-state, with the status in its first byte.
    pub post_state_hash: B256,
    /// The packed post-state, 188 bytes, as the contract logs it.
    pub post_state: Vec<u8>,
    /// Gas of the execution alone: neither the fixed cost of a transaction nor that of its data.
    pub gas_used: u64,
}

/// What loading a preimage gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOutcome {
    /// Gas of the execution alone.
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

impl Verifier {
    /// Deploys both contracts under Cancun's rules. `state_version` is 7 or 8, else the error is the
    /// contract's `UnsupportedStateVersion()`.
    pub fn new(state_version: u8) -> Result<Self, CallError> {
        let evm = Context::mainnet()
            .with_db(Database::default())
            .modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(SpecId::CANCUN))
            .build_mainnet();
        let mut verifier = Self { evm, oracle: Address::ZERO, mips: Address::ZERO, caller: CALLER };
        let arguments = (U256::from(MIN_PROPOSAL_SIZE), U256::from(CHALLENGE_PERIOD));
        verifier.oracle =
            verifier.deploy(&PreimageOracle::BYTECODE, &arguments.abi_encode_params())?;
        let arguments = (verifier.oracle, U256::from(state_version));
        verifier.mips = verifier.deploy(&MIPS64::BYTECODE, &arguments.abi_encode_params())?;
        Ok(verifier)
    }

    /// The account that calls. Local data is only seen by the account that loaded it.
    pub fn caller(&self) -> Address {
        self.caller
    }

    /// Makes another account call from now on.
    pub fn set_caller(&mut self, caller: Address) {
        self.caller = caller;
    }

    /// Address of the PreimageOracle.
    pub fn oracle(&self) -> Address {
        self.oracle
    }

    /// Address of the MIPS64 verifier.
    pub fn mips(&self) -> Address {
        self.mips
    }

    /// Loads the 32 bytes at `part_offset` of `length (8 bytes) || data` into the oracle, where they stay.
    pub fn load_preimage(
        &mut self,
        preimage: &Preimage,
        part_offset: u64,
    ) -> Result<LoadOutcome, CallError> {
        self.call_oracle(preimage.load_call(U256::from(part_offset)))
    }

    /// Makes any call to the oracle, and keeps what it changes.
    pub fn call_oracle(&mut self, call: Bytes) -> Result<LoadOutcome, CallError> {
        let answer = self.call(TxKind::Call(self.oracle), call)?;
        self.commit();
        Ok(LoadOutcome { gas_used: answer.gas_used })
    }

    /// Reads a part from the oracle as the verifier does: 32 bytes, and how many of them count. `key` is
    /// the oracle's, that is the localised one for local data.
    pub fn read_preimage(
        &mut self,
        key: B256,
        part_offset: u64,
    ) -> Result<(B256, usize), CallError> {
        let call = PreimageOracle::readPreimageCall { _key: key, _offset: U256::from(part_offset) };
        let answer = self.call(TxKind::Call(self.oracle), call.abi_encode().into())?;
        self.discard();
        let part = PreimageOracle::readPreimageCall::abi_decode_returns(&answer.output)
            .map_err(|_| CallError::Answer)?;
        let length = usize::try_from(part.datLen_).map_err(|_| CallError::Answer)?;
        Ok((part.dat_, length))
    }

    /// Executes one step. `state_data` is the packed pre-state, `proof` the step proof.
    pub fn step(
        &mut self,
        state_data: &[u8],
        proof: &[u8],
        local_context: B256,
    ) -> Result<StepOutcome, CallError> {
        let call = MIPS64::stepCall {
            _stateData: Bytes::copy_from_slice(state_data),
            _proof: Bytes::copy_from_slice(proof),
            _localContext: local_context,
        };
        self.step_raw(call.abi_encode().into())
    }

    /// As [`Self::step`], with the call's bytes as they are: for encodings that are not canonical.
    pub fn step_raw(&mut self, call: Bytes) -> Result<StepOutcome, CallError> {
        let answer = self.call(TxKind::Call(self.mips), call)?;
        self.discard();
        let post_state_hash =
            MIPS64::stepCall::abi_decode_returns(&answer.output).map_err(|_| CallError::Answer)?;
        // One log, without topics.
        match answer.logs.as_slice() {
            [log] if log.topics().is_empty() => Ok(StepOutcome {
                post_state_hash,
                post_state: log.data.data.to_vec(),
                gas_used: answer.gas_used,
            }),
            _ => Err(CallError::Answer),
        }
    }

    fn deploy(&mut self, creation_code: &[u8], arguments: &[u8]) -> Result<Address, CallError> {
        let data = [creation_code, arguments].concat();
        let answer = self.call(TxKind::Create, data.into())?;
        self.commit();
        answer.created.ok_or(CallError::Answer)
    }

    /// Executes a call and leaves its changes in the journal, unless it failed.
    ///
    /// The handler's system call is an ordinary call without a transaction around it: no intrinsic gas, no
    /// balances, no nonces. So gas is that of the execution, and nothing is written but what contracts write.
    fn call(&mut self, kind: TxKind, data: Bytes) -> Result<Answer, CallError> {
        let tx =
            TxEnv { caller: self.caller, kind, data, gas_limit: GAS_LIMIT, ..TxEnv::default() };
        self.evm.ctx.set_tx(tx);
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

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("oracle", &self.oracle)
            .field("mips", &self.mips)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}

type Run = MainnetHandler<MainnetEvm, EVMError<Infallible>, EthFrame<EthInterpreter>>;

/// A successful call.
struct Answer {
    output: Bytes,
    created: Option<Address>,
    logs: Vec<alloy_primitives::Log>,
    gas_used: u64,
}
