//! `rebut program run`: the program as native code.

use super::{Arguments, Case, ClaimId, in_words, only};
use crate::Outcome;
use crate::block::{Reminder, print_json, print_lines};
use crate::log::BARS;
use alloy_primitives::B256;
use indicatif::{HumanCount, ProgressBar};
use rebut_program::{Verdict, claim};
use serde::Serialize;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    id: ClaimId,
    /// The output root that decides, nothing for a block before the agreed one.
    computed_output: Option<B256>,
    valid: bool,
    /// The last block that was derived; nothing if none was.
    last_block: Option<u64>,
    blocks: u64,
    /// Blocks whose batch was invalid, so that they hold deposits only.
    deposits_only: u64,
    transactions: u64,
    gas_used: u64,
    seconds: f64,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    decide(arguments.claim.open()?, arguments.json)
}

/// Decides a claim and prints what came of it.
///
/// # Errors
/// There is no verdict.
pub fn decide(case: Case, json: bool) -> Outcome {
    let Case { boot, config, mut oracle } = case;
    let mut report = Report {
        id: ClaimId::from(&boot),
        computed_output: None,
        valid: false,
        last_block: None,
        blocks: 0,
        deposits_only: 0,
        transactions: 0,
        gas_used: 0,
        seconds: 0.0,
    };
    let bar = BARS.add(ProgressBar::new_spinner().with_message("deriving"));
    bar.enable_steady_tick(Duration::from_millis(100));
    let mut reminder = Reminder::start();
    let started = Instant::now();
    let verdict = claim::run(&mut oracle, only(config), |derived| {
        let number = derived.block.id.number;
        let line = format!("derived block {number} of {}", boot.claimed_number);
        if reminder.is_due() {
            tracing::info!("{line}");
        }
        bar.set_message(line);
        report.last_block = Some(number);
        report.blocks += 1;
        report.deposits_only += u64::from(derived.deposits_only);
        report.transactions += derived.executed.transactions.len() as u64;
        report.gas_used += derived.executed.header.gas_used;
    });
    report.seconds = started.elapsed().as_secs_f64();
    bar.finish_and_clear();
    let verdict: Verdict = verdict?;
    report.computed_output = verdict.computed;
    report.valid = verdict.is_valid();
    if json {
        print_json(&report)?;
    } else {
        report.print()?;
    }
    Ok(ExitCode::from(verdict.exit_code()))
}

impl Report {
    fn print(&self) -> anyhow::Result<()> {
        let computed = self.computed_output.map_or("none".into(), |root| root.to_string());
        let mut lines = self.id.lines();
        lines.extend([("computed output", computed), ("blocks derived", self.blocks.to_string())]);
        if let Some(last) = self.last_block.filter(|last| *last < self.id.claimed_block) {
            lines.push(("L1 data ends", format!("after L2 block {last}, which decides")));
        }
        if self.deposits_only > 0 {
            lines.push(("deposits only", format!("{} blocks", self.deposits_only)));
        }
        lines.extend([
            ("transactions", HumanCount(self.transactions).to_string()),
            ("gas used", HumanCount(self.gas_used).to_string()),
            ("time", format!("{:.1} ms", self.seconds * 1e3)),
            ("verdict", in_words(Some(self.valid)).into()),
        ]);
        print_lines(&lines)
    }
}
