//! `cannon run`: drives a machine from one point of interest to the next.
//!
//! At each step the order is: log line, stop, snapshot, then the step itself, proven if asked for, then
//! the conditions on preimages. Between two steps at which any pattern matches the machine runs freely.

use super::arguments::Run;
use super::error::CannonError;
use super::guest_output::GuestOutput;
use super::pattern::StepPattern;
use super::preimage_stop::{PreimageStop, Read};
use super::progress::{Progress, memory_size};
use super::records::{DebugInfo, ProofRecord};
use super::server::Server;
use super::tool::Tool;
use super::traceback::Calls;
use crate::files::{self, is_binary_state, json_output, state_output, write_json};
use rebut_fpvm::{AnyState, Machine, State, StepError, Stop, Symbols, Until};
use rebut_preimage::OracleError;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Steps after which a run looks up at the latest, for interrupts and the progress line.
const STRETCH_STEPS: u64 = 5_000_000;
/// Most bytes of a symbol file, unpacked.
const SYMBOLS_LIMIT_BYTES: u64 = 1 << 30;

/// Runs a state and writes what was asked for.
///
/// # Errors
/// Bad arguments or files, a failed step, or an interrupt. Proofs and snapshots written until then stay;
/// the last state and the counters are not written.
pub fn run(arguments: &Run) -> Result<(), CannonError> {
    let plan = Plan::new(arguments)?;
    match files::read_state(&arguments.input)? {
        AnyState::Mips32(state) => run_state(arguments, plan, state),
        AnyState::Mips64(state) => run_state(arguments, plan, state),
    }
}

/// The same for a state of any machine.
///
/// # Errors
/// As [`run`].
pub fn run_state<V: Tool>(arguments: &Run, plan: Plan, state: State<V>) -> Result<(), CannonError> {
    let has_json = V::has_json(state.version);
    check_state_name("--output", &arguments.output, has_json)?;
    check_state_name("--snapshot-fmt", &numbered(&arguments.snapshot_fmt, 0), has_json)?;
    let interrupt = listen_to_interrupts().map_err(CannonError::Signals)?;
    tracing::info!(module = "vm", version = V::number(state.version), "loaded input state");

    let mut server = Server::start(&arguments.server, Arc::clone(&interrupt))?;
    let has_server = matches!(server, Server::Process(_));
    let first_step = state.registers.step;
    let mut runner = Runner {
        machine: Machine::new(state, &mut server, GuestOutput::default()),
        progress: Progress::start(first_step, plan.stop_at.first_from(first_step)),
        calls: arguments.debug.then(Calls::default),
        plan,
        interrupt,
        has_server,
    };
    runner.run()?;
    runner.finish(arguments)?;
    server.finish();
    Ok(())
}

/// Refuses the empty name of an input.
pub fn not_empty(input: &Path) -> Result<&Path, CannonError> {
    if input == Path::new("") { Err(CannonError::NoInput) } else { Ok(input) }
}

/// Refuses names that are none of a binary state, unless the state has a JSON form. Empty names stand for no
/// file.
pub fn check_state_name(
    option: &'static str,
    name: &Path,
    has_json: bool,
) -> Result<(), CannonError> {
    if has_json || name == Path::new("") || is_binary_state(name) {
        return Ok(());
    }
    Err(CannonError::StateName { option, name: name.display().to_string() })
}

fn read_symbols(name: &Path) -> Result<Symbols, CannonError> {
    if name == Path::new("") {
        return Ok(Symbols::default());
    }
    Ok(files::read_json(name, SYMBOLS_LIMIT_BYTES, "a symbol file of load-elf")?)
}

/// A flag that the first signal raises. The second one ends the process at once.
fn listen_to_interrupts() -> std::io::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}

/// What to do at which step, and names for the log.
pub struct Plan {
    info_at: StepPattern,
    stop_at: StepPattern,
    snapshot_at: StepPattern,
    snapshot_format: String,
    proof_at: StepPattern,
    proof_format: String,
    preimage_stop: PreimageStop,
    symbols: Symbols,
}

impl Plan {
    pub fn new(arguments: &Run) -> Result<Self, CannonError> {
        not_empty(&arguments.input)?;
        if arguments.debug && arguments.meta == Path::new("") {
            return Err(CannonError::DebugWithoutSymbols);
        }
        if arguments.pprof_cpu {
            tracing::warn!("--pprof.cpu has no effect: no profile will be written");
        }
        check_folders(arguments)?;
        Ok(Self {
            info_at: arguments.info_at,
            stop_at: arguments.stop_at,
            snapshot_at: arguments.snapshot_at,
            snapshot_format: arguments.snapshot_fmt.clone(),
            proof_at: arguments.proof_at,
            proof_format: arguments.proof_fmt.clone(),
            preimage_stop: PreimageStop::new(arguments)?,
            symbols: read_symbols(&arguments.meta)?,
        })
    }

    /// How far the machine may run freely once the step `now` has been dealt with.
    fn until(&self, now: u64) -> Until {
        let next = now.saturating_add(1);
        let patterns = [self.info_at, self.stop_at, self.snapshot_at, self.proof_at];
        let first = patterns.into_iter().filter_map(|pattern| pattern.first_from(next)).min();
        let stretch = now.saturating_add(STRETCH_STEPS);
        Until {
            step: first.unwrap_or(u64::MAX).min(stretch),
            preimage_read: self.preimage_stop != PreimageStop::Never,
        }
    }
}

/// Makes sure that everything a run may write has a folder. Of one whose name has the step in it nothing is known yet.
fn check_folders(arguments: &Run) -> Result<(), CannonError> {
    files::check_folder(&arguments.output)?;
    files::check_folder(&arguments.debug_info)?;
    for (at, format) in [
        (arguments.proof_at, &arguments.proof_fmt),
        (arguments.snapshot_at, &arguments.snapshot_fmt),
    ] {
        let folder_has_step = format.rsplit_once('/').is_some_and(|(path, _)| path.contains("%d"));
        if at != StepPattern::Never && !folder_has_step {
            files::check_folder(&numbered(format, 0))?;
        }
    }
    Ok(())
}

/// The file name for a step.
fn numbered(format: &str, step: u64) -> PathBuf {
    format.replace("%d", &step.to_string()).into()
}

struct Runner<'h, V: Tool> {
    machine: Machine<'h, V>,
    plan: Plan,
    /// Present when calls are followed, which takes a look at every single step.
    calls: Option<Calls>,
    progress: Progress,
    interrupt: Arc<AtomicBool>,
    has_server: bool,
}

impl<V: Tool> Runner<'_, V> {
    fn run(&mut self) -> Result<(), CannonError> {
        while !self.machine.registers().exited {
            if self.interrupt.load(Ordering::Relaxed) {
                return Err(CannonError::Interrupted);
            }
            self.progress.show(&self.machine);
            let step = self.machine.registers().step;
            if self.plan.info_at.matches(step) {
                self.log_step(step);
            }
            if self.plan.stop_at.matches(step) {
                tracing::info!(module = "vm", step, "reached --stop-at");
                break;
            }
            if self.plan.snapshot_at.matches(step) {
                let name = numbered(&self.plan.snapshot_format, step);
                state_output(&name, self.machine.state(), &V::Seal::default())?.commit()?;
            }
            let read_preimage = if self.plan.proof_at.matches(step) {
                self.prove(step)?;
                true
            } else {
                let until = self.plan.until(step);
                self.advance(until).map_err(|error| self.failed(error))? == Stop::PreimageRead
            };
            if read_preimage && self.is_stopping_read() {
                break;
            }
        }
        Ok(())
    }

    /// Whether the last step read a preimage that ends the run.
    fn is_stopping_read(&self) -> bool {
        let Some((key, value, offset)) = self.machine.last_preimage_read() else { return false };
        let step = self.machine.registers().step.saturating_sub(1);
        let stops =
            self.plan.preimage_stop.matches(Read { key, length: value.len() as u64, offset, step });
        if stops {
            let bytes = value.len();
            tracing::info!(module = "vm", step, %key, offset, bytes, "stopping at a preimage read");
        }
        stops
    }

    fn prove(&mut self, step: u64) -> Result<(), CannonError> {
        let pending = self.calls.as_ref().and_then(|_| Calls::before_step(&self.machine));
        let proof = self.machine.prove_step().map_err(|error| self.failed(error))?;
        if let (Some(calls), Some(pending)) = (&mut self.calls, pending) {
            calls.after_step(&self.machine, pending);
        }
        let name = numbered(&self.plan.proof_format, step);
        Ok(write_json(&name, &ProofRecord::from(proof))?)
    }

    /// Runs freely, or step by step where calls are followed.
    fn advance(&mut self, until: Until) -> Result<Stop, StepError> {
        let Some(calls) = &mut self.calls else { return self.machine.run(until) };
        loop {
            let pending = Calls::before_step(&self.machine);
            self.machine.step()?;
            if let Some(pending) = pending {
                calls.after_step(&self.machine, pending);
            }
            let registers = self.machine.registers();
            if until.preimage_read && self.machine.last_preimage_read().is_some() {
                return Ok(Stop::PreimageRead);
            } else if registers.exited {
                return Ok(Stop::Exited(registers.exit_code));
            } else if registers.step >= until.step {
                return Ok(Stop::Step);
            }
        }
    }

    fn failed(&self, error: StepError) -> CannonError {
        let registers = self.machine.registers();
        let step = registers.step;
        let pc = self.machine.pc().unwrap_or(0);
        match error {
            StepError::Oracle(OracleError::Missing { key }) if !self.has_server => {
                CannonError::NoServer { step, pc, key }
            }
            error => CannonError::at_step(step, pc, error),
        }
    }

    fn log_step(&self, step: u64) {
        let machine = &self.machine;
        let pc = machine.pc().unwrap_or(0);
        let pages = machine.memory().page_count();
        tracing::info!(
            module = "vm",
            step,
            pc = format_args!("{pc:08x}"),
            insn = format_args!("{:08x}", V::instruction(machine.memory(), pc)),
            ips = format_args!("{:.0}", self.progress.steps_per_second(step)),
            pages,
            mem = format_args!("{}", memory_size(pages)),
            name = self.plan.symbols.name_of(pc),
            "processing"
        );
    }

    /// Writes the last state and the counters: both, or neither.
    fn finish(self, arguments: &Run) -> Result<(), CannonError> {
        let registers = self.machine.registers();
        let (step, exited, code) = (registers.step, registers.exited, registers.exit_code);
        tracing::info!(module = "vm", step, exited, code, "execution stopped");
        if let Some(calls) = &self.calls {
            crate::log::print(&calls.traceback(&self.machine, &self.plan.symbols));
        }
        let counters = json_output(&arguments.debug_info, &DebugInfo::of(&self.machine))?;
        let mut state = self.machine.into_state();
        let seal = V::seal(&mut state);
        let state = state_output(&arguments.output, &state, &seal)?;
        counters.commit()?;
        Ok(state.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_carry_the_step() {
        let check = |format: &str, want: &str| {
            assert_eq!(numbered(format, 42), PathBuf::from(want), "{format}");
        };
        check("proofs/%d.json.gz", "proofs/42.json.gz");
        check("%d-%d", "42-42");
        check("-", "-");
        check("", "");
    }
}
