//! `rebut block vm`: the block program as a guest of a virtual machine.

use super::{BlockId, VmArguments, in_words, mips, print_json, print_lines};
use crate::Outcome;
use crate::guest::{self, Builtin, VmName, with_machine};
use alloy_primitives::B256;
use indicatif::HumanCount;
use rebut_fpvm::Machine;
use rebut_host::BlockWitness;
use rebut_program::{EXIT_ERROR, EXIT_INVALID, EXIT_VALID};
use serde::Serialize;
use std::process::ExitCode;

/// What a run in the machine gives.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    id: BlockId,
    vm: VmName,
    expected: B256,
    /// Whether the block has the expected hash; nothing without a verdict.
    equal: Option<bool>,
    exit_code: u8,
    steps: u64,
    seconds: f64,
    /// Million steps a second.
    mips: f64,
    pages: usize,
    preimages: u64,
    preimage_bytes: u64,
    /// After the last step.
    state_hash: B256,
}

pub(super) fn run(VmArguments { vm, arguments }: &VmArguments) -> Outcome {
    let witness = arguments.recorded.read()?;
    let report = with_machine!(vm, V => execute::<V>(&witness))?;
    if arguments.json {
        print_json(&report)?;
    } else {
        report.print()?;
    }
    Ok(ExitCode::from(match report.equal {
        Some(true) => EXIT_VALID,
        Some(false) => EXIT_INVALID,
        None => EXIT_ERROR,
    }))
}

fn execute<V: Builtin>(witness: &BlockWitness) -> anyhow::Result<Report> {
    let program = V::BLOCK.load::<V>(V::VERSION)?;
    let mut machine = Machine::new(program.state, witness.oracle(), guest::Relay);
    let (exit_code, seconds) = guest::run(&mut machine)?;
    let steps = machine.registers().step;
    let (preimages, preimage_bytes) = machine.preimage_requests();
    Ok(Report {
        id: BlockId::of(witness),
        vm: V::VM,
        expected: witness.expected_block_hash,
        equal: verdict_of(exit_code),
        exit_code,
        steps,
        seconds,
        mips: mips(steps, seconds),
        pages: machine.memory().page_count(),
        preimages,
        preimage_bytes,
        state_hash: machine.state_hash(),
    })
}

/// What the guest's exit code says about the hash.
pub const fn verdict_of(exit_code: u8) -> Option<bool> {
    match exit_code {
        EXIT_VALID => Some(true),
        EXIT_INVALID => Some(false),
        _ => None,
    }
}

impl Report {
    fn print(&self) -> anyhow::Result<()> {
        print_lines(&[
            ("block", format!("{} of chain {}", self.id.block, self.id.chain)),
            ("steps", HumanCount(self.steps).to_string()),
            ("time", format!("{:.2} s, {:.1} MIPS", self.seconds, self.mips)),
            ("memory", format!("{} pages", HumanCount(self.pages as u64))),
            (
                "preimages",
                format!(
                    "{}, {} bytes",
                    HumanCount(self.preimages),
                    HumanCount(self.preimage_bytes)
                ),
            ),
            ("final state hash", self.state_hash.to_string()),
            ("expected hash", self.expected.to_string()),
            ("exit code", self.exit_code.to_string()),
            ("verdict", in_words(self.equal).into()),
        ])
    }
}
