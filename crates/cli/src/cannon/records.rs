//! The JSON documents of the deployed tool: names and order of their keys are its own.

use alloy_primitives::{B256, Bytes, U64};
use rebut_fpvm::memory::PAGE_BYTES;
use rebut_fpvm::{Machine, State, StateWitness, StepProof, Vm};
use serde::Serialize;

/// A proof file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ProofRecord {
    step: u64,
    pre: B256,
    post: B256,
    state_data: Bytes,
    proof_data: Bytes,
    #[serde(flatten)]
    preimage: Option<PreimageRecord>,
}

/// The part of a proof file that only steps reading a preimage have.
#[derive(Debug, Serialize)]
struct PreimageRecord {
    #[serde(rename = "oracle-key")]
    key: B256,
    #[serde(rename = "oracle-value")]
    value: Bytes,
    #[serde(rename = "oracle-offset", skip_serializing_if = "is_zero")]
    offset: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(offset: &u64) -> bool {
    *offset == 0
}

impl From<StepProof> for ProofRecord {
    fn from(proof: StepProof) -> Self {
        Self {
            step: proof.step,
            pre: proof.pre,
            post: proof.post,
            state_data: proof.state_data.0.into(),
            proof_data: proof.proof_data.into(),
            preimage: proof.preimage.map(|read| PreimageRecord {
                key: read.key,
                value: read.value.into(),
                offset: read.offset,
            }),
        }
    }
}

/// What `witness` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WitnessRecord {
    state_version: u8,
    witness_hash: B256,
    witness: Bytes,
    step: u64,
    exited: bool,
    exit_code: u8,
}

impl WitnessRecord {
    /// The record of a state and its witness.
    pub fn new<V: Vm>(state_version: u8, state: &State<V>, witness: StateWitness) -> Self {
        Self {
            state_version,
            witness_hash: state.hash_of(&witness),
            witness: witness.0.into(),
            step: state.registers.step,
            exited: state.registers.exited,
            exit_code: state.registers.exit_code,
        }
    }
}

/// What `--debug-info` asks for. Counters are those of this run; the steps are those of the state.
#[derive(Debug, Serialize)]
pub struct DebugInfo {
    pages: usize,
    memory_used: U64,
    num_preimage_requests: u64,
    total_preimage_size: u64,
    total_steps: u64,
    instruction_cache_miss_count: u64,
    highest_icache_miss_pc: U64,
    rmw_success_count: u64,
    rmw_fail_count: u64,
    max_steps_between_ll_and_sc: u64,
    reservation_invalidation_count: u64,
    forced_preemption_count: u64,
    idle_step_count_thread_0: u64,
}

impl DebugInfo {
    /// The counters of a machine.
    pub fn of<V: Vm>(machine: &Machine<'_, V>) -> Self {
        let pages = machine.memory().page_count();
        let (num_preimage_requests, total_preimage_size) = machine.preimage_requests();
        let stats = machine.stats();
        Self {
            pages,
            memory_used: U64::from(pages * PAGE_BYTES),
            num_preimage_requests,
            total_preimage_size,
            total_steps: machine.registers().step,
            instruction_cache_miss_count: stats.code_cache_misses,
            highest_icache_miss_pc: U64::from(stats.highest_code_cache_miss_pc),
            rmw_success_count: stats.rmw_successes,
            rmw_fail_count: stats.rmw_failures,
            max_steps_between_ll_and_sc: stats.max_steps_between_ll_and_sc,
            reservation_invalidation_count: stats.reservation_invalidations,
            forced_preemption_count: stats.forced_preemptions,
            idle_step_count_thread_0: stats.idle_steps_of_thread_0,
        }
    }
}
