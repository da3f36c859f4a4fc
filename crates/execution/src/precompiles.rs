//! Precompiles that cost too much inside a proven machine are answered by the oracle.
//!
//! Price and length of the input are checked here first, as on chain; only then the oracle is
//! asked. The gas in the oracle's key is what the call costs on L1 at most, which for some
//! precompiles is more than the L2 charges.
//!
//! Invariant: with the same answers from the oracle, a call ends as with the precompile itself.
//! All failures are alike to a caller (no output, all gas gone), so the order of checks is free.

use crate::{StateOracle, forks::InputLimits, state::StateView};
use alloc::{boxed::Box, string::String};
use alloy_primitives::Address;
use op_revm::{OpSpecId, precompiles::OpPrecompiles};
use revm::{
    context::Cfg,
    context_interface::ContextTr,
    handler::PrecompileProvider,
    interpreter::{CallInputs, Gas, InstructionResult, InterpreterResult},
    precompile::{
        bls12_381_const::{
            DISCOUNT_TABLE_G1_MSM, DISCOUNT_TABLE_G2_MSM, G1_MSM_BASE_GAS_FEE, G2_MSM_BASE_GAS_FEE,
        },
        bls12_381_utils::msm_required_gas,
        u64_to_address,
    },
    primitives::Bytes,
};

/// `ecrecover`, which also recovers the senders of transactions.
pub(crate) const ECRECOVER: Address = u64_to_address(0x01);
/// What `ecrecover` costs, on L1 and L2 alike.
pub(crate) const ECRECOVER_GAS: u64 = 3_000;

/// A precompile that the oracle answers.
struct Accelerated {
    address: u64,
    /// Which lengths of input, in bytes, are not refused outright.
    length: fn(usize, &InputLimits) -> bool,
    /// Bytes of the input that count; what follows is ignored.
    significant: usize,
    /// What the call costs, by length of the input.
    gas: fn(usize) -> u64,
    /// The gas in the oracle's key, by length of the input.
    oracle_gas: fn(usize) -> u64,
}

impl Accelerated {
    const fn new(
        address: u64,
        length: fn(usize, &InputLimits) -> bool,
        gas: fn(usize) -> u64,
        oracle_gas: fn(usize) -> u64,
    ) -> Self {
        Self { address, length, significant: usize::MAX, gas, oracle_gas }
    }
}

const fn pairs(length: usize, pair_bytes: usize) -> u64 {
    (length / pair_bytes) as u64
}

fn g1_msm_gas(length: usize) -> u64 {
    msm_required_gas(length / 160, &DISCOUNT_TABLE_G1_MSM, G1_MSM_BASE_GAS_FEE)
}

fn g2_msm_gas(length: usize) -> u64 {
    msm_required_gas(length / 288, &DISCOUNT_TABLE_G2_MSM, G2_MSM_BASE_GAS_FEE)
}

/// Every precompile that the oracle answers: EIP-196 to EIP-198, EIP-4844, EIP-2537, with the
/// prices of EIP-7904 in the oracle's key.
const ACCELERATED: [Accelerated; 10] = [
    Accelerated {
        significant: 128,
        ..Accelerated::new(0x01, |_, _| true, |_| ECRECOVER_GAS, |_| ECRECOVER_GAS)
    },
    // Pairing check on bn254.
    Accelerated::new(
        0x08,
        |n, limits| n <= limits.bn254_pairing && n.is_multiple_of(192),
        |n| 45_000 + 34_000 * pairs(n, 192),
        |n| 45_000 + 34_103 * pairs(n, 192),
    ),
    // Evaluation of a blob's polynomial.
    Accelerated::new(0x0a, |n, _| n == 192, |_| 50_000, |_| 89_363),
    // BLS12-381: G1 addition.
    Accelerated::new(0x0b, |n, _| n == 256, |_| 375, |_| 643),
    // G1 multi-scalar multiplication.
    Accelerated::new(
        0x0c,
        |n, limits| n > 0 && n <= limits.bls_g1_msm && n.is_multiple_of(160),
        g1_msm_gas,
        g1_msm_gas,
    ),
    // G2 addition.
    Accelerated::new(0x0d, |n, _| n == 512, |_| 600, |_| 765),
    // G2 multi-scalar multiplication.
    Accelerated::new(
        0x0e,
        |n, limits| n > 0 && n <= limits.bls_g2_msm && n.is_multiple_of(288),
        g2_msm_gas,
        g2_msm_gas,
    ),
    // Pairing check.
    Accelerated::new(
        0x0f,
        |n, limits| n > 0 && n <= limits.bls_pairing && n.is_multiple_of(384),
        |n| 37_700 + 32_600 * pairs(n, 384),
        |n| 37_700 + 32_600 * pairs(n, 384),
    ),
    // A field element to G1, and a pair of them to G2.
    Accelerated::new(0x10, |n, _| n == 64, |_| 5_500, |_| 5_500),
    Accelerated::new(0x11, |n, _| n == 128, |_| 23_800, |_| 23_800),
];

/// The precompiles of one block.
#[derive(Debug)]
pub(crate) struct OraclePrecompiles {
    /// Which precompiles exist, and those that are computed here.
    builtin: OpPrecompiles,
    limits: InputLimits,
}

impl OraclePrecompiles {
    pub(crate) fn new(spec: OpSpecId, limits: InputLimits) -> Self {
        Self { builtin: OpPrecompiles::new_with_spec(spec), limits }
    }

    fn accelerated(&self, address: &Address) -> Option<&'static Accelerated> {
        let row = ACCELERATED.iter().find(|row| u64_to_address(row.address) == *address)?;
        self.builtin.precompiles().contains(address).then_some(row)
    }
}

impl<'a, O, CTX> PrecompileProvider<CTX> for OraclePrecompiles
where
    O: StateOracle + 'a,
    CTX: ContextTr<Cfg: Cfg<Spec = OpSpecId>, Db = StateView<'a, O>>,
{
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: OpSpecId) -> bool {
        PrecompileProvider::<CTX>::set_spec(&mut self.builtin, spec)
    }

    fn run(
        &mut self,
        context: &mut CTX,
        inputs: &CallInputs,
    ) -> Result<Option<InterpreterResult>, String> {
        let Some(row) = self.accelerated(&inputs.bytecode_address) else {
            return self.builtin.run(context, inputs);
        };
        let input = inputs.input.bytes(context);
        let mut result = InterpreterResult {
            result: InstructionResult::PrecompileError,
            output: Bytes::new(),
            gas: Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit, inputs.reservoir),
        };
        let answer = if !(row.length)(input.len(), &self.limits) {
            None
        } else if !result.gas.record_regular_cost((row.gas)(input.len())) {
            result.result = InstructionResult::PrecompileOOG;
            None
        } else {
            let significant = &input[..input.len().min(row.significant)];
            let gas = (row.oracle_gas)(input.len());
            context.db_mut().precompile(inputs.bytecode_address, gas, significant)?
        };
        match answer {
            Some(output) => {
                result.result = InstructionResult::Return;
                result.output = output.into();
            }
            None => result.gas.spend_all(),
        }
        Ok(Some(result))
    }

    fn warm_addresses(&self) -> Box<impl Iterator<Item = Address>> {
        Box::new(self.builtin.precompiles().addresses().copied())
    }

    fn contains(&self, address: &Address) -> bool {
        self.builtin.precompiles().contains(address)
    }
}

#[cfg(test)]
mod tests;
