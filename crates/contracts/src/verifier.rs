//! The contracts that decide about a step, deployed in an EVM of this process.

use crate::bindings::{MIPS, MIPS64, PreimageOracle, RISCV};
use crate::{CallError, Chain, Preimage};
use alloy_primitives::{Address, B256, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolValue};
use std::fmt;

/// The account that deploys, loads and steps unless told otherwise. Any account does: the contracts know
/// no owner.
const CALLER: Address = address!("00000000000000000000000000000000000d15be");

/// What the standard deployment gives the oracle: least size of a large preimage in bytes, and the
/// challenge period in seconds.
const MIN_PROPOSAL_SIZE: u64 = 126_000;
const CHALLENGE_PERIOD: u64 = 86_400;

/// A deployed PreimageOracle and a step verifier that reads it, with the preimages loaded so far.
pub struct Verifier {
    chain: Chain,
    oracle: Address,
    vm: Address,
    caller: Address,
}

/// What a step gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepOutcome {
    /// The hash of the post-state, with the status in its first byte.
    pub post_state_hash: B256,
    /// The packed post-state, as the contract logs it.
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

impl Verifier {
    /// Deploys MIPS64 and its oracle under Cancun's rules. `state_version` is 7 or 8, else the error is the
    /// contract's `UnsupportedStateVersion()`.
    pub fn new(state_version: u8) -> Result<Self, CallError> {
        Self::of_version(&MIPS64::BYTECODE, state_version)
    }

    /// As [`Self::new`], with the 32-bit MIPS: `state_version` is 0 or 2.
    pub fn mips32(state_version: u8) -> Result<Self, CallError> {
        Self::of_version(&MIPS::BYTECODE, state_version)
    }

    fn of_version(creation_code: &[u8], state_version: u8) -> Result<Self, CallError> {
        Self::with(creation_code, |oracle| (oracle, U256::from(state_version)).abi_encode_params())
    }

    /// Deploys RISCV and its oracle under Cancun's rules.
    pub fn riscv() -> Result<Self, CallError> {
        Self::with(&RISCV::BYTECODE, |oracle| (oracle,).abi_encode_params())
    }

    /// Deploys an oracle and the verifier with this creation code and the arguments for that oracle.
    fn with(
        creation_code: &[u8],
        arguments: impl FnOnce(Address) -> Vec<u8>,
    ) -> Result<Self, CallError> {
        let mut chain = Chain::new();
        let oracle_arguments = (U256::from(MIN_PROPOSAL_SIZE), U256::from(CHALLENGE_PERIOD));
        let oracle = chain.deploy(
            CALLER,
            &PreimageOracle::BYTECODE,
            &oracle_arguments.abi_encode_params(),
        )?;
        let vm = chain.deploy(CALLER, creation_code, &arguments(oracle))?;
        Ok(Self { chain, oracle, vm, caller: CALLER })
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

    /// Address of the step verifier.
    pub fn vm(&self) -> Address {
        self.vm
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
        let receipt = self.chain.transact_raw(self.caller, self.oracle, U256::ZERO, call)?;
        Ok(LoadOutcome { gas_used: receipt.gas_used })
    }

    /// Reads a part from the oracle as the verifier does: 32 bytes, and how many of them count. `key` is
    /// the oracle's, that is the localised one for local data.
    pub fn read_preimage(
        &mut self,
        key: B256,
        part_offset: u64,
    ) -> Result<(B256, usize), CallError> {
        let call = PreimageOracle::readPreimageCall { _key: key, _offset: U256::from(part_offset) };
        let part = self.chain.call(self.caller, self.oracle, &call)?.output;
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
        // All verifiers have this function.
        let call = MIPS64::stepCall {
            _stateData: Bytes::copy_from_slice(state_data),
            _proof: Bytes::copy_from_slice(proof),
            _localContext: local_context,
        };
        self.step_raw(call.abi_encode().into())
    }

    /// As [`Self::step`], with the call's bytes as they are: for encodings that are not canonical.
    pub fn step_raw(&mut self, call: Bytes) -> Result<StepOutcome, CallError> {
        let receipt = self.chain.call_raw::<MIPS64::stepCall>(self.caller, self.vm, call)?;
        // One log, without topics.
        match receipt.logs.as_slice() {
            [log] if log.topics().is_empty() => Ok(StepOutcome {
                post_state_hash: receipt.output,
                post_state: log.data.data.to_vec(),
                gas_used: receipt.gas_used,
            }),
            _ => Err(CallError::Answer),
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("oracle", &self.oracle)
            .field("vm", &self.vm)
            .field("caller", &self.caller)
            .finish_non_exhaustive()
    }
}
