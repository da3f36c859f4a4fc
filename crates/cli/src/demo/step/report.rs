//! The demonstration's result: a table for people, an object for machines.

use super::referee::Ruling;
use super::sample::Sample;
use super::tamper::Tampering;
use super::trace::Outcome;
use crate::block::{self, BlockId, Native};
use crate::guest::VmName;
use alloy_primitives::B256;
use indicatif::HumanCount;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::{self, Write};

/// What was done with one step.
#[derive(Debug)]
pub struct StepReport {
    /// The step, and why it was picked.
    pub sample: Sample,
    /// Where the machine is.
    pub pc: u64,
    /// What it does.
    pub instruction: String,
    /// State hash before.
    pub pre: B256,
    /// State hash after.
    pub post: B256,
    /// The preimage it reads.
    pub preimage: Option<PreimageReport>,
    /// The verdict on its proof.
    pub ruling: Ruling,
    /// The verdicts on what was made of its proof.
    pub tamperings: Vec<TamperingReport>,
}

/// A preimage part that was loaded for a step.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PreimageReport {
    /// The key.
    pub key: B256,
    /// Offset of the part, the length prefix included.
    pub offset: u64,
    /// Gas of loading it.
    pub load_gas: u64,
}

/// A tampering and its verdict.
#[derive(Debug)]
pub struct TamperingReport {
    /// What was changed.
    pub tampering: Tampering,
    /// The verdict.
    pub ruling: Ruling,
}

impl StepReport {
    /// Tamperings that were refused.
    fn refused(&self) -> usize {
        self.tamperings.iter().filter(|report| report.ruling.is_refusal()).count()
    }

    fn held(&self) -> bool {
        !self.ruling.is_refusal() && self.refused() == self.tamperings.len()
    }

    fn gas(&self) -> Option<u64> {
        match self.ruling {
            Ruling::Accepted { gas } => Some(gas),
            Ruling::Reverted(_) | Ruling::OtherPostState => None,
        }
    }

    /// The cells of its line in the table.
    fn cells(&self) -> [String; 7] {
        [
            self.sample.step.to_string(),
            format!("{:#x}", self.pc),
            self.instruction.clone(),
            self.sample.reason.to_string(),
            self.gas().map_or_else(|| "-".into(), |gas| gas.to_string()),
            self.ruling.to_string(),
            format!("{} of {}", self.refused(), self.tamperings.len()),
        ]
    }
}

/// Head of the table. Numbers stand to the right.
const HEAD: [(&str, bool); 7] = [
    ("step", true),
    ("pc", true),
    ("instruction", false),
    ("picked as", false),
    ("gas", true),
    ("contract", false),
    ("tampered, refused", false),
];

/// Everything that was done.
#[derive(Debug)]
pub struct Report {
    /// The block.
    pub id: BlockId,
    /// Where it comes from.
    pub source: String,
    /// Native execution.
    pub native: Native,
    /// The machine.
    pub vm: VmName,
    /// Execution in it.
    pub run: Outcome,
    /// Seed of the samples.
    pub seed: u64,
    /// The first proof starts, and the last one ends, where the uninterrupted run did.
    pub ends_meet: bool,
    /// The steps, ascending.
    pub steps: Vec<StepReport>,
    /// Wall time of everything.
    pub seconds: f64,
}

impl Report {
    /// Whether all is as it should be.
    pub fn held(&self) -> bool {
        self.native.equal
            && self.vm_equal() == Some(true)
            && self.ends_meet
            && self.steps.iter().all(StepReport::held)
    }

    fn vm_equal(&self) -> Option<bool> {
        block::verdict_of(self.run.exit_code)
    }

    fn mips(&self) -> f64 {
        block::mips(self.run.steps, self.run.seconds)
    }

    fn accepted(&self) -> usize {
        self.steps.iter().filter(|step| !step.ruling.is_refusal()).count()
    }

    fn tamperings(&self) -> impl Iterator<Item = &TamperingReport> {
        self.steps.iter().flat_map(|step| &step.tamperings)
    }

    /// The table and what stands around it.
    ///
    /// # Errors
    /// None that a report could cause; formatting has an error type.
    pub fn to_text(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        self.write_execution(&mut out)?;
        writeln!(out)?;
        write_table(&mut out, &self.steps)?;
        writeln!(out)?;
        self.write_tamperings(&mut out)?;
        writeln!(out)?;
        self.write_close(&mut out)?;
        Ok(out)
    }

    fn write_execution(&self, out: &mut String) -> fmt::Result {
        let Self { id, native, run, .. } = self;
        writeln!(out, "Block {} of chain {}: {}", id.block, id.chain, self.source)?;
        writeln!(out, "  expected hash  {}", native.expected)?;
        writeln!(
            out,
            "  native         {}  {}: {} transactions, {} gas, {:.1} ms",
            native.computed,
            block::in_words(Some(native.equal)),
            native.transactions,
            HumanCount(native.gas_used),
            native.seconds * 1e3,
        )?;
        writeln!(
            out,
            "  {:13}  exit code {}, {}: {} steps, {} pages, {:.1} s, {:.1} MIPS",
            self.vm.to_string(),
            run.exit_code,
            block::in_words(self.vm_equal()),
            HumanCount(run.steps),
            HumanCount(run.pages as u64),
            run.seconds,
            self.mips(),
        )?;
        writeln!(out, "  prestate       {}", run.prestate_hash)?;
        writeln!(out, "  last state     {}", run.state_hash)?;
        writeln!(out, "Samples by seed {}", self.seed)
    }

    /// What was tried, how often it was refused, and for which reasons.
    fn write_tamperings(&self, out: &mut String) -> fmt::Result {
        let mut kinds = BTreeMap::<_, (usize, usize, BTreeMap<String, usize>)>::new();
        for TamperingReport { tampering, ruling } in self.tamperings() {
            let (tried, refused, reasons) = kinds.entry(tampering.kind()).or_default();
            *tried += 1;
            *refused += usize::from(ruling.is_refusal());
            *reasons.entry(ruling.to_string()).or_default() += 1;
        }
        for (kind, (tried, refused, reasons)) in kinds {
            let reasons: Vec<_> = reasons.iter().map(|(why, n)| format!("{why} {n}x")).collect();
            writeln!(out, "{kind:19}  refused {refused} of {tried}: {}", reasons.join(", "))?;
        }
        Ok(())
    }

    fn write_close(&self, out: &mut String) -> fmt::Result {
        let refused = self.tamperings().filter(|report| report.ruling.is_refusal()).count();
        let tampered = self.tamperings().count();
        let (accepted, steps) = (self.accepted(), self.steps.len());
        if !self.ends_meet {
            writeln!(out, "The proofs do not begin and end at the states of the run.")?;
        }
        writeln!(
            out,
            "{} {accepted} of {steps} proofs accepted, {refused} of {tampered} tamperings refused, \
             in {:.1} s.",
            if self.held() { "All held:" } else { "NOT all held:" },
            self.seconds,
        )
    }

    /// The object for machines.
    pub fn to_json(&self) -> impl Serialize {
        let Self { id, source, native, vm, run, seed, ends_meet, steps, seconds } = self;
        JsonReport {
            held: self.held(),
            id: *id,
            source,
            native,
            vm: *vm,
            run: JsonRun {
                exit_code: run.exit_code,
                equal: self.vm_equal(),
                steps: run.steps,
                pages: run.pages,
                seconds: run.seconds,
                mips: self.mips(),
                prestate_hash: run.prestate_hash,
                state_hash: run.state_hash,
            },
            seed: *seed,
            ends_meet: *ends_meet,
            steps: steps.iter().map(JsonStep::of).collect(),
            seconds: *seconds,
        }
    }
}

fn write_table(out: &mut String, steps: &[StepReport]) -> fmt::Result {
    let rows: Vec<_> = steps.iter().map(StepReport::cells).collect();
    let widths: [usize; HEAD.len()] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].len());
        cells.chain([HEAD[column].0.len()]).max().unwrap_or(0)
    });
    let mut line = |cells: [&str; HEAD.len()]| {
        let mut text = String::new();
        for ((cell, width), (_, right)) in cells.iter().zip(widths).zip(HEAD) {
            text += &if right { format!("{cell:>width$}  ") } else { format!("{cell:width$}  ") };
        }
        writeln!(out, "{}", text.trim_end())
    };
    line(HEAD.map(|(name, _)| name))?;
    for row in &rows {
        line(row.each_ref().map(String::as_str))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct JsonReport<'a> {
    held: bool,
    #[serde(flatten)]
    id: BlockId,
    source: &'a str,
    native: &'a Native,
    vm: VmName,
    run: JsonRun,
    seed: u64,
    ends_meet: bool,
    steps: Vec<JsonStep>,
    seconds: f64,
}

#[derive(Serialize)]
struct JsonRun {
    exit_code: u8,
    equal: Option<bool>,
    steps: u64,
    pages: usize,
    seconds: f64,
    mips: f64,
    prestate_hash: B256,
    state_hash: B256,
}

#[derive(Serialize)]
struct JsonStep {
    step: u64,
    pc: String,
    instruction: String,
    picked_as: String,
    pre: B256,
    post: B256,
    preimage: Option<PreimageReport>,
    accepted: bool,
    gas: Option<u64>,
    contract: String,
    tamperings: Vec<JsonTampering>,
}

#[derive(Serialize)]
struct JsonTampering {
    kind: &'static str,
    what: String,
    refused: bool,
    contract: String,
}

impl JsonStep {
    fn of(report: &StepReport) -> Self {
        let tamperings =
            report.tamperings.iter().map(|TamperingReport { tampering, ruling }| JsonTampering {
                kind: tampering.kind(),
                what: tampering.to_string(),
                refused: ruling.is_refusal(),
                contract: ruling.to_string(),
            });
        Self {
            step: report.sample.step,
            pc: format!("{:#x}", report.pc),
            instruction: report.instruction.clone(),
            picked_as: report.sample.reason.to_string(),
            pre: report.pre,
            post: report.post,
            preimage: report.preimage,
            accepted: !report.ruling.is_refusal(),
            gas: report.gas(),
            contract: report.ruling.to_string(),
            tamperings: tamperings.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Reason;
    use super::*;

    fn report(ruling: Ruling, tampered: Ruling) -> Report {
        let tampering = Tampering::StateByte(3);
        let step = StepReport {
            sample: Sample { step: 0, reason: Reason::First },
            pc: 0,
            instruction: "nop".into(),
            pre: B256::ZERO,
            post: B256::ZERO,
            preimage: None,
            ruling,
            tamperings: vec![TamperingReport { tampering, ruling: tampered }],
        };
        Report {
            id: BlockId { chain: 1, block: 2 },
            source: String::new(),
            native: Native {
                expected: B256::ZERO,
                computed: B256::ZERO,
                equal: true,
                transactions: 1,
                gas_used: 0,
                seconds: 1.0,
            },
            vm: VmName::Cannon,
            run: Outcome {
                prestate_hash: B256::ZERO,
                state_hash: B256::ZERO,
                exit_code: 0,
                steps: 1,
                pages: 1,
                seconds: 1.0,
            },
            seed: 0,
            ends_meet: true,
            steps: vec![step],
            seconds: 1.0,
        }
    }

    const ACCEPTED: Ruling = Ruling::Accepted { gas: 1 };

    #[test]
    fn everything_has_to_hold() {
        let check = |want, change: fn(&mut Report)| {
            let mut report = report(ACCEPTED, Ruling::OtherPostState);
            change(&mut report);
            assert_eq!(report.held(), want, "{report:?}");
        };
        check(true, |_| {});
        check(false, |report| report.native.equal = false);
        check(false, |report| report.run.exit_code = 1);
        check(false, |report| report.run.exit_code = 2);
        check(false, |report| report.ends_meet = false);
        check(false, |report| report.steps[0].ruling = Ruling::OtherPostState);
        check(false, |report| report.steps[0].tamperings[0].ruling = ACCEPTED);
    }

    #[test]
    fn an_accepted_tampering_is_told() {
        let step = &report(ACCEPTED, ACCEPTED).steps[0];
        assert_eq!(step.cells()[6], "0 of 1");
        assert!(!JsonStep::of(step).tamperings[0].refused);
    }
}
