//! Calls answered by the oracle against the precompiles themselves.

use super::*;
use crate::{Fork, State};
use alloc::{vec, vec::Vec};
use alloy_consensus::{Header, Sealable};
use alloy_primitives::{B256, U256, hex};
use alloy_trie::EMPTY_ROOT_HASH;
use op_revm::{L1BlockInfo, OpTransaction};
use revm::{
    Context, MainContext,
    context::CfgEnv,
    interpreter::{CallInput, CallScheme, CallValue},
    precompile::{PrecompileSpecId, Precompiles},
};

/// Computes what it is asked for with no more gas than the key names.
struct Computing;

#[derive(Debug, thiserror::Error)]
#[error("there is no state")]
struct NoState;

impl StateOracle for Computing {
    type Error = NoState;

    fn trie_node(&mut self, _: B256) -> Result<Vec<u8>, NoState> {
        Err(NoState)
    }

    fn code(&mut self, _: B256) -> Result<Vec<u8>, NoState> {
        Err(NoState)
    }

    fn header(&mut self, _: B256) -> Result<Vec<u8>, NoState> {
        Err(NoState)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, NoState> {
        let precompiles = Precompiles::new(PrecompileSpecId::OSAKA);
        let output = precompiles.get(&address).unwrap().execute(input, gas, 0).unwrap();
        Ok(output.status.is_success().then(|| output.bytes.to_vec()))
    }
}

fn inputs(address: u64, input: &[u8], gas_limit: u64) -> CallInputs {
    let address = u64_to_address(address);
    CallInputs {
        input: CallInput::Bytes(Bytes::copy_from_slice(input)),
        return_memory_offset: 0..0,
        gas_limit,
        reservoir: 0,
        bytecode_address: address,
        known_bytecode: Default::default(),
        target_address: address,
        caller: Address::ZERO,
        value: CallValue::Transfer(U256::ZERO),
        scheme: CallScheme::Call,
        is_static: false,
    }
}

/// What a caller can tell of a call, `None` if there is no such precompile.
fn outcome(result: Option<InterpreterResult>) -> Outcome {
    result.map(|result| (result.result.is_ok(), result.output, result.gas.remaining()))
}

type Outcome = Option<(bool, Bytes, u64)>;

/// Runs the call with the oracle's answer and with the precompile itself.
fn both_ways(fork: Fork, address: u64, input: &[u8], gas_limit: u64) -> (Outcome, Outcome) {
    let rules = fork.rules();
    let mut oracle = Computing;
    let mut state = State::new(EMPTY_ROOT_HASH);
    let parent = Header::default().seal_slow();
    let mut context = Context::mainnet()
        .with_tx(OpTransaction::default())
        .with_chain(L1BlockInfo::default())
        .with_cfg(CfgEnv::new_with_spec(rules.spec))
        .with_db(StateView::new(&parent, &mut state, &mut oracle));
    let call = inputs(address, input, gas_limit);
    let answered = OraclePrecompiles::new(rules.spec, rules.input_limits).run(&mut context, &call);
    let computed = OpPrecompiles::new_with_spec(rules.spec).run(&mut context, &call);
    (outcome(answered.unwrap()), outcome(computed.unwrap()))
}

fn check(fork: Fork, address: u64, input: &[u8], gas_limit: u64) {
    let (answered, computed) = both_ways(fork, address, input, gas_limit);
    let length = input.len();
    assert_eq!(
        answered, computed,
        "{fork:?}, precompile {address:#x}, {length} bytes, {gas_limit} gas"
    );
}

/// With exactly enough gas, with one too little, and with plenty.
fn check_with_gas(fork: Fork, address: u64, input: &[u8], gas: u64) {
    for gas_limit in [0, gas.saturating_sub(1), gas, 100_000_000] {
        check(fork, address, input, gas_limit);
    }
}

const FORKS: [Fork; 10] = {
    let [a, b, c, d, e, f, g, h, i] = Fork::TIMED;
    [Fork::Bedrock, a, b, c, d, e, f, g, h, i]
};

/// A message hash with its signature: recovery bit, r, s.
const SIGNED: [u8; 128] = hex!(
    "456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3"
    "000000000000000000000000000000000000000000000000000000000000001c"
    "9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608"
    "4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada"
);

#[test]
fn ecrecover_with_input_of_any_length() {
    let mut longer = SIGNED.to_vec();
    longer.extend([0xff; 40]);
    for fork in FORKS {
        for length in [0, 1, 64, 127, 128, 129, 168] {
            check_with_gas(fork, 0x01, &longer[..length], ECRECOVER_GAS);
        }
    }
}

/// Input of zeros means points at infinity, which all groups contain.
#[test]
fn zeros_of_many_lengths() {
    let units = [0x08, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11]
        .into_iter()
        .zip([192, 192, 256, 160, 512, 288, 384, 64, 128]);
    for fork in FORKS {
        for (address, unit) in units.clone() {
            let row = ACCELERATED.iter().find(|row| row.address == address).unwrap();
            for length in [0, 1, unit - 1, unit, unit + 1, 2 * unit, 3 * unit] {
                check_with_gas(fork, address, &vec![0; length], (row.gas)(length));
            }
        }
    }
}

/// At its limit an input of zeros passes, one element above it fails, whatever the gas.
#[test]
fn input_above_the_limits_is_refused() {
    for fork in FORKS {
        let limits = fork.rules().input_limits;
        let rows = [
            (0x08, limits.bn254_pairing, 192),
            (0x0c, limits.bls_g1_msm, 160),
            (0x0e, limits.bls_g2_msm, 288),
            (0x0f, limits.bls_pairing, 384),
        ];
        for (address, limit, unit) in rows.into_iter().filter(|row| row.1 != usize::MAX) {
            for (elements, accepted) in [(limit / unit, true), (limit / unit + 1, false)] {
                let input = vec![0; elements * unit];
                let (answered, computed) = both_ways(fork, address, &input, u64::MAX);
                let case = (fork, address, elements);
                assert_eq!(answered.as_ref().map(|outcome| outcome.0), Some(accepted), "{case:?}");
                // The crate's own table does not have Karst's limit for the pairing.
                if (fork, address) != (Fork::Karst, 0x08) {
                    assert_eq!(answered, computed, "{case:?}");
                }
            }
        }
    }
}

#[test]
fn points_of_no_curve_are_refused() {
    for (address, length) in [(0x08, 192), (0x0a, 192), (0x0b, 256), (0x0d, 512), (0x0f, 384)] {
        check(Fork::Karst, address, &vec![0x01; length], 1_000_000);
    }
}

#[test]
fn other_precompiles_are_computed_here() {
    for fork in FORKS {
        for address in [0x02, 0x03, 0x04, 0x06, 0x07, 0x09, 0x100] {
            check(fork, address, &[0x5a; 64], 1_000_000);
        }
    }
}
