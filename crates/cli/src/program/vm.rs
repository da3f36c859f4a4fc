//! `rebut program vm`: the program as a guest of a virtual machine.

use super::{Case, ClaimId, VmArguments, in_words};
use crate::Outcome;
use crate::block::{mips, print_json, print_lines};
use crate::guest::{self, Builtin, VmName, with_machine};
use alloy_primitives::B256;
use anyhow::Context;
use indicatif::HumanCount;
use rebut_fpvm::{Machine, Output, Program, Stream, load_elf};
use rebut_program::{
    EXIT_ERROR, EXIT_INVALID, EXIT_VALID,
    config::{Chain, Table, section},
};
use serde::Serialize;
use std::cell::RefCell;
use std::process::ExitCode;

/// What a run in the machine gives.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    id: ClaimId,
    vm: VmName,
    /// Whether the claim is valid; nothing without a verdict.
    valid: Option<bool>,
    exit_code: u8,
    steps: u64,
    /// The blocks that were derived, each with the steps since the one before.
    blocks: Vec<BlockSteps>,
    seconds: f64,
    /// Million steps a second.
    mips: f64,
    pages: usize,
    preimages: u64,
    preimage_bytes: u64,
    /// Before the first step: the absolute prestate.
    prestate: B256,
    /// After the last step.
    state_hash: B256,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct BlockSteps {
    block: u64,
    steps: u64,
}

pub(super) fn run(VmArguments { vm, arguments }: &VmArguments) -> Outcome {
    let case = arguments.claim.open()?;
    let report = with_machine!(vm, V => execute::<V>(case))?;
    if arguments.json {
        print_json(&report)?;
    } else {
        report.print()?;
    }
    Ok(ExitCode::from(match report.valid {
        Some(true) => EXIT_VALID,
        Some(false) => EXIT_INVALID,
        None => EXIT_ERROR,
    }))
}

/// The program, carrying the parameters of the claim's chain.
fn program<V: Builtin>(case: &Case) -> anyhow::Result<Program<V>> {
    let mut elf = V::PROGRAM.elf()?;
    // Without a name, as `rebut prestate build` does it: the prestate depends on the parameters alone.
    let chain = Chain::new("", case.config.clone());
    section::fill(&mut elf, &Table::encode(&[chain])?)?;
    load_elf(V::VERSION, &elf).context("the built-in guest")
}

fn execute<V: Builtin>(case: Case) -> anyhow::Result<Report> {
    let program = program::<V>(&case)?;
    let lines = Lines::default();
    let id = ClaimId::from(&case.boot);
    let mut machine = Machine::new(program.state, case.oracle, &lines);
    let prestate = machine.state_hash();
    let (exit_code, seconds) = guest::run(&mut machine)?;
    let steps = machine.registers().step;
    let (preimages, preimage_bytes) = machine.preimage_requests();
    let valid = match exit_code {
        EXIT_VALID => Some(true),
        EXIT_INVALID => Some(false),
        _ => None,
    };
    let (pages, state_hash) = (machine.memory().page_count(), machine.state_hash());
    drop(machine);
    Ok(Report {
        id,
        vm: V::VM,
        valid,
        exit_code,
        steps,
        blocks: lines.blocks(),
        seconds,
        mips: mips(steps, seconds),
        pages,
        preimages,
        preimage_bytes,
        prestate,
        state_hash,
    })
}

/// What the guest says: a line for each block it has derived, with the step it was written at. Anything
/// else goes to standard error.
#[derive(Debug, Default)]
struct Lines(RefCell<Vec<(u64, u64)>>);

impl Output for &Lines {
    fn write(&mut self, stream: Stream, bytes: &[u8], step: u64) {
        let text = String::from_utf8_lossy(bytes);
        let number = text.trim_end().strip_prefix("block ").and_then(|number| number.parse().ok());
        match number.filter(|_| stream == Stream::Stdout) {
            Some(number) => self.0.borrow_mut().push((number, step)),
            None => crate::log::print(&text),
        }
    }
}

impl Lines {
    fn blocks(self) -> Vec<BlockSteps> {
        let mut before = 0;
        let steps_since = |(block, step)| {
            let steps = step - before;
            before = step;
            BlockSteps { block, steps }
        };
        self.0.into_inner().into_iter().map(steps_since).collect()
    }
}

impl Report {
    fn print(&self) -> anyhow::Result<()> {
        let mut lines = self.id.lines();
        lines.extend([
            ("absolute prestate", self.prestate.to_string()),
            ("steps", HumanCount(self.steps).to_string()),
        ]);
        for BlockSteps { block, steps } in &self.blocks {
            lines.push(("", format!("{} up to block {block}", HumanCount(*steps))));
        }
        lines.extend([
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
            ("exit code", self.exit_code.to_string()),
            ("verdict", in_words(self.valid).into()),
        ]);
        print_lines(&lines)
    }
}
