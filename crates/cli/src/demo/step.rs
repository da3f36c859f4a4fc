//! The proof of single steps: a block's execution, some of its instructions, the contract's verdict on
//! each of them, and on each after tampering.
//!
//! ```text
//!   block ──► native execution ──► block hash ┐
//!     └─────► machine ─► exit code            ┴─ the expected one?
//!               └─► trace ──► samples ──► proofs ──► contract: accepted
//!                                           └─► tampered ──► contract: refused
//! ```

mod referee;
mod report;
mod sample;
mod tamper;
mod trace;

use crate::Outcome;
use crate::block::{self, BlockId, Native};
use crate::cannon::in_words;
use crate::guest::{Builtin, VmName, with_machine};
use crate::log::BARS;
use anyhow::{Context, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rebut_fpvm::StepProof;
use rebut_host::{BlockWitness, WitnessOracle, demo::demo_block};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use referee::{Claim, Referee};
use report::{PreimageReport, Report, StepReport, TamperingReport};
use sample::{Draws, Reason, Sample};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tamper::Tampering;
use trace::Trace;

/// What the demonstration takes.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A recorded block, as `rebut block run` takes it. Without one, a small block that this binary
    /// carries.
    file: Option<PathBuf>,
    /// The machine.
    #[arg(long, value_enum, default_value_t)]
    vm: VmName,
    /// Instructions to pick at random, besides the chosen ones.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(..=10_000))]
    samples: u16,
    /// Seed of everything that is picked at random; printed, and taken from the clock if not given.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// The oracle of the machine, also seen from outside: proving a precompile's result on chain takes the
/// call that the guest hinted at.
#[derive(Clone)]
struct SharedOracle(Rc<RefCell<WitnessOracle>>);

impl PreimageOracle for SharedOracle {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.0.borrow_mut().get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.0.borrow_mut().hint(hint)
    }
}

/// Plays the demonstration.
pub fn run(arguments: &Arguments) -> Outcome {
    with_machine!(arguments.vm, V => run_in::<V>(arguments))
}

fn run_in<V: Builtin>(arguments: &Arguments) -> Outcome {
    let started = Instant::now();
    let witness = match &arguments.file {
        Some(file) => BlockWitness::read(file)?,
        None => demo_block()?,
    };
    let seed = arguments.seed.unwrap_or_else(clock_seed);
    let mut draws = Draws::new(seed);
    let native = Native::execute(&witness).context("native execution")?;
    let oracle = SharedOracle(Rc::new(RefCell::new(witness.oracle())));
    let trace = Trace::<V>::record(oracle.clone(), &mut draws);
    let mut trace = trace.with_context(|| format!("execution in {}", V::NAME))?;
    let samples = sample::choose(&mut trace, &mut draws, arguments.samples.into())?;

    let progress = proof_progress(samples.len());
    let mut steps = Vec::with_capacity(samples.len());
    for (step, reason) in samples {
        let report = play(&mut trace, &oracle, &mut draws, Sample { step, reason });
        steps.push(report.with_context(|| format!("at step {step}"))?);
        progress.inc(1);
    }
    progress.finish_and_clear();

    let report = Report {
        id: BlockId::of(&witness),
        source: witness.source.clone(),
        native,
        vm: V::VM,
        run: trace.outcome().clone(),
        seed,
        ends_meet: ends_meet(&trace, &steps),
        steps,
        seconds: started.elapsed().as_secs_f64(),
    };
    if arguments.json {
        block::print_json(&report.to_json())?;
    } else {
        block::print(&report.to_text()?)?;
    }
    Ok(if report.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Proves one step, has it judged, and has its tamperings judged.
fn play<V: Builtin>(
    trace: &mut Trace<'_, V>,
    oracle: &SharedOracle,
    draws: &mut Draws,
    sample: Sample,
) -> anyhow::Result<StepReport> {
    trace.seek(sample.step)?;
    let (pc, next, head_bytes) = (trace.pc(), trace.next_instruction(), trace.proof_head_bytes());
    let proof = trace.prove_step()?;
    ensure!(
        V::shown_instruction(&proof.state_data.0, &proof.proof_data) == next,
        "the proof is about another instruction"
    );
    // A verifier of its own for each step: the oracle is cold, and holds no preimage of another step.
    let mut referee = Referee::new::<V>()?;
    let honest = Claim::of(&proof);
    let mut tamperings = Vec::new();
    let mut judge = |referee: &mut Referee, tampering: Tampering| -> anyhow::Result<()> {
        let ruling = referee.rule(&tampering.apply(&honest))?;
        tamperings.push(TamperingReport { tampering, ruling });
        Ok(())
    };
    let preimage = match &proof.preimage {
        None => None,
        Some(read) => {
            judge(&mut referee, Tampering::NoPreimage)?;
            Some(PreimageReport {
                key: read.key,
                offset: read.offset,
                load_gas: referee.load(read, oracle.0.borrow().store())?,
            })
        }
    };
    let ruling = referee.rule(&honest)?;
    // A step that executes nothing has no use for proofs of memory.
    let proofs = if next.is_some() { V::ADDRESSES.proof_bytes() } else { 0 };
    for tampering in Tampering::of(&proof, head_bytes, proofs, draws) {
        judge(&mut referee, tampering)?;
    }
    let StepProof { pre, post, .. } = proof;
    let instruction = next.map_or_else(|| "(thread switch)".into(), in_words::<V>);
    Ok(StepReport { sample, pc, instruction, pre, post, preimage, ruling, tamperings })
}

/// Whether the first proof starts at the hash of the loaded program, and the last one ends at the hash
/// at which the uninterrupted run ended.
fn ends_meet<V: Builtin>(trace: &Trace<'_, V>, steps: &[StepReport]) -> bool {
    let [Some(first), Some(last)] = [steps.first(), steps.last()] else { return false };
    first.pre == trace.outcome().prestate_hash && last.post == trace.outcome().state_hash
}

fn clock_seed() -> u64 {
    // A clock before 1970 gives the same seed every time, which is no harm.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}

fn proof_progress(count: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} proving and verifying {pos}/{len} {bar:40}");
    let bar = BARS.add(ProgressBar::new(count as u64));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// What to prove, steps ascending.
type Samples = BTreeMap<u64, Reason>;
