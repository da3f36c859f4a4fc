//! Preimages on their way into the oracle, by the plans that the challenger follows.

use alloy_primitives::{Address, B256, Log, U256};
use rebut_challenger::preimage::{Call, LargeProposal, Metadata, Next, Schedule, Target, Upload};
use rebut_contracts::CallError;
use rebut_contracts::bindings::PreimageOracle;
use rebut_dispute::Step;
use rebut_table::Table;

/// The standard configuration's: smaller preimages are loaded by one call.
pub const MIN_PROPOSAL_BYTES: u64 = 126_000;

/// What it took to load a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    pub transactions: usize,
    pub waited_seconds: u64,
}

/// Loads what a step reads.
pub fn load(table: &mut Table, from: Address, step: &Step) -> Result<Effort, CallError> {
    let Some(part) = &step.data.preimage else { return Ok(Effort::default()) };
    let upload = Upload::plan(part, step.claim, from, MIN_PROPOSAL_BYTES).expect("a plan");
    match upload {
        Upload::Local(call) | Upload::Direct { call, .. } => {
            send(table, from, &call)?;
            Ok(Effort { transactions: 1, waited_seconds: 0 })
        }
        Upload::Large { proposal, .. } => propose(table, &proposal),
    }
}

fn propose(table: &mut Table, proposal: &LargeProposal) -> Result<Effort, CallError> {
    let mut effort = Effort::default();
    loop {
        let found = metadata(table, proposal.claimant(), proposal.uuid());
        match proposal.next(&found, schedule(table)).expect("a next call") {
            Next::Send(calls) => {
                for call in &calls {
                    send(table, proposal.claimant(), call)?;
                    effort.transactions += 1;
                }
                // A closed proposal needs the squeeze alone.
                if found.timestamp != 0 {
                    return Ok(effort);
                }
            }
            Next::Wait(until) => {
                let seconds = until.0 - table.timestamp().0;
                table.wait(seconds);
                effort.waited_seconds += seconds;
            }
        }
    }
}

pub fn schedule(table: &Table) -> Schedule {
    let challenge_period = table.game.parameters().challenge_period();
    Schedule { now: table.timestamp(), challenge_period }
}

/// What the oracle says of a proposal.
pub fn metadata(table: &mut Table, claimant: Address, uuid: U256) -> Metadata {
    let call = PreimageOracle::proposalMetadataCall { claimant, uuid };
    Metadata::unpack(read(table, &call))
}

/// Reads from the oracle.
pub fn read<C: alloy_sol_types::SolCall>(table: &mut Table, call: &C) -> C::Return {
    let answer = table.chain.call(Address::ZERO, table.oracle, call);
    answer.unwrap_or_else(|error| panic!("{}: {error}", C::SIGNATURE)).output
}

/// Sends one call of a plan; its logs.
pub fn send(table: &mut Table, from: Address, call: &Call) -> Result<Vec<Log>, CallError> {
    let to = match call.target {
        Target::Oracle => table.oracle,
        Target::Game => table.address,
    };
    let receipt = table.chain.transact_raw(from, to, call.value, call.data.clone())?;
    Ok(receipt.logs)
}

/// What the oracle answers a machine.
pub fn part(table: &mut Table, key: B256, offset: u64) -> Result<B256, CallError> {
    let call = PreimageOracle::readPreimageCall { _key: key, _offset: U256::from(offset) };
    let answer = table.chain.call(Address::ZERO, table.oracle, &call)?;
    Ok(answer.output.dat_)
}
