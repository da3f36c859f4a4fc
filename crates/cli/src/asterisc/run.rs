//! `asterisc run`: drives a machine from one point of interest to the next, in the order of `cannon run`.

use crate::cannon::{
    CannonError, GuestOutput, Plan, Progress, ProofRecord, Read, RunArguments, Server,
    listen_to_interrupts, memory_size, numbered, read_symbols,
};
use crate::files::{asterisc_output, read_asterisc_state, write_json};
use rebut_fpvm::machine::Machine;
use rebut_fpvm::state_file::asterisc::Seal;
use rebut_fpvm::{Asterisc, StepError, Stop, Symbols};
use rebut_preimage::OracleError;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs a state and writes what was asked for.
///
/// # Errors
/// Bad arguments or files, a failed step, or an interrupt. Proofs and snapshots written until then stay;
/// the last state is not written.
pub fn run(arguments: &RunArguments) -> Result<(), CannonError> {
    for (option, given) in
        [("--debug", arguments.debug), ("--debug-info", arguments.debug_info != Path::new(""))]
    {
        if given {
            return Err(CannonError::NotOfAsterisc { option });
        }
    }
    let plan = Plan::new(arguments)?;
    let symbols = read_symbols(&arguments.meta)?;
    let state = read_asterisc_state(&arguments.input)?;
    let interrupt = listen_to_interrupts().map_err(CannonError::Signals)?;
    tracing::info!(module = "vm", "loaded input state");

    let mut server = Server::start(&arguments.server, Arc::clone(&interrupt))?;
    let has_server = matches!(server, Server::Process(_));
    let first_step = state.registers.step;
    let mut runner = Runner {
        machine: Machine::new(state, &mut server, GuestOutput::default()),
        progress: Progress::start(first_step, plan.stop_at.first_from(first_step)),
        plan,
        symbols,
        interrupt,
        has_server,
    };
    runner.run()?;
    runner.finish(&arguments.output)?;
    server.finish();
    Ok(())
}

struct Runner<'h> {
    machine: Machine<'h, Asterisc>,
    plan: Plan,
    symbols: Symbols,
    progress: Progress,
    interrupt: Arc<AtomicBool>,
    has_server: bool,
}

impl Runner<'_> {
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
                asterisc_output(&name, self.machine.state(), &Seal::default())?.commit()?;
            }
            let read_preimage = if self.plan.proof_at.matches(step) {
                let proof = self.machine.prove_step().map_err(|error| self.failed(error))?;
                let name = numbered(&self.plan.proof_format, step);
                write_json(&name, &ProofRecord::from(proof))?;
                true
            } else {
                let until = self.plan.until(step);
                self.machine.run(until).map_err(|error| self.failed(error))? == Stop::PreimageRead
            };
            if read_preimage && self.is_stopping_read() {
                break;
            }
        }
        Ok(())
    }

    /// Writes the last state.
    fn finish(self, output: &Path) -> Result<(), CannonError> {
        let mut state = self.machine.into_state();
        let r = &state.registers;
        let (step, exited, code) = (r.step, r.exited, r.exit_code);
        tracing::info!(module = "vm", step, exited, code, "execution stopped");
        let seal = state.seal();
        Ok(asterisc_output(output, &state, &seal)?.commit()?)
    }

    /// Whether the last step read a preimage that ends the run.
    fn is_stopping_read(&self) -> bool {
        let Some((key, value, offset)) = self.machine.last_preimage_read() else { return false };
        let step = self.machine.registers().step.saturating_sub(1);
        let length = value.len() as u64;
        let stops = self.plan.preimage_stop.matches(Read { key, length, offset, step });
        if stops {
            tracing::info!(module = "vm", step, %key, offset, length, "stopping at a preimage read");
        }
        stops
    }

    fn failed(&self, error: StepError) -> CannonError {
        let registers = self.machine.registers();
        let (step, pc) = (registers.step, registers.processor.pc);
        match error {
            StepError::Oracle(OracleError::Missing { key }) if !self.has_server => {
                CannonError::NoServer { step, pc, key }
            }
            error => CannonError::at_step(step, pc, error),
        }
    }

    fn log_step(&self, step: u64) {
        let machine = &self.machine;
        let pc = machine.registers().processor.pc;
        let pages = machine.memory().page_count();
        tracing::info!(
            module = "vm",
            step,
            pc = format_args!("{pc:08x}"),
            insn = format_args!("{:08x}", machine.memory().load_u32(pc & !3).swap_bytes()),
            ips = format_args!("{:.0}", self.progress.steps_per_second(step)),
            pages,
            mem = format_args!("{}", memory_size(pages)),
            name = self.symbols.name_of(pc),
            "processing"
        );
    }
}
