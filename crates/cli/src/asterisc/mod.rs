//! `rebut asterisc`: the RISC-V virtual machine with the options, files and exit codes of the deployed tool.
//!
//! ```text
//!   exit code   0 done, whatever the guest's own exit code
//!               1 error, a fault of the guest included
//!             130 interrupted
//! ```
//!
//! Step patterns, conditions on preimages, the server and the proof files are those of `rebut cannon`.
//!
//! Invariant: standard output carries the JSON that was asked for and nothing else.

use crate::Outcome;
use crate::cannon::{
    CannonError, LoadFiles, Place, Plan, RunArguments, Tool, Transfer, WitnessArguments, load_for,
    not_empty, print_witness, run_state,
};
use crate::files::read_asterisc_state;
use alloy_primitives::{B256, Bytes};
use clap::Subcommand;
use rebut_contracts::{CallError, Verifier};
use rebut_fpvm::isa::riscv::{Format, Op, Word};
use rebut_fpvm::kernel::riscv::Syscall;
use rebut_fpvm::memory::Memory;
use rebut_fpvm::riscv::Hart;
use rebut_fpvm::state_file::asterisc::Seal;
use rebut_fpvm::witness::ShownInstruction;
use rebut_fpvm::{Asterisc, AsteriscVersion, State, StateWitness};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

const INPUT: &str = "The state: binary if its name ends in .bin or .bin.gz, else JSON";
const OUTPUT: &str =
    "Where the state goes: binary if the name ends in .bin or .bin.gz, else JSON; nowhere if empty";

/// Subcommands of `asterisc`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Turn an ELF file into the state of a machine about to run it.
    #[command(
        args_override_self = true,
        mut_arg("path", |a| a.help("The ELF file: 64-bit RISC-V, with its symbol table")),
        mut_arg("out", |a| a.default_value("state.json").help(OUTPUT)),
    )]
    LoadElf(LoadFiles),
    /// Run a state, writing proofs and snapshots on the way.
    #[command(
        args_override_self = true,
        mut_arg("input", |a| a.help(INPUT)),
        mut_arg("output", |a| a.default_value("out.json").help(OUTPUT)),
        mut_arg("snapshot_fmt", |a| a.default_value("state-%d.json")),
        mut_arg("info_at", |a| a.default_value("%100000")),
        mut_arg("debug", |a| a.hide(true)),
        mut_arg("debug_info", |a| a.hide(true)),
    )]
    Run(Box<RunArguments>),
    /// Print the witness of a state and its hash as JSON.
    #[command(args_override_self = true, mut_arg("input", |a| a.help(INPUT)))]
    Witness(WitnessArguments),
}

/// What `witness` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WitnessRecord {
    witness: Bytes,
    state_hash: B256,
    step: u64,
    exited: bool,
    exit_code: u8,
    pc: u64,
}

/// Executes one subcommand.
///
/// # Errors
/// Whatever went wrong, an interrupt included.
pub fn run(command: Command) -> Outcome {
    let outcome = match command {
        Command::LoadElf(arguments) => load_for(AsteriscVersion, &arguments),
        Command::Run(arguments) => run_from_file(&arguments),
        Command::Witness(arguments) => witness(&arguments),
    };
    match outcome {
        Ok(()) => Ok(ExitCode::SUCCESS),
        // The deployed tool has no exit code of its own for faults.
        Err(error @ CannonError::Step { .. }) => Err(anyhow::anyhow!("{error}")),
        Err(error) => Err(error.into()),
    }
}

/// Runs a state, unless an option is given that the deployed tool lacks.
fn run_from_file(arguments: &RunArguments) -> Result<(), CannonError> {
    for (option, given) in
        [("--debug", arguments.debug), ("--debug-info", arguments.debug_info != Path::new(""))]
    {
        if given {
            return Err(CannonError::NotOfAsterisc { option });
        }
    }
    let plan = Plan::new(arguments)?;
    run_state(arguments, plan, read_asterisc_state(&arguments.input)?)
}

/// Prints the witness as JSON and writes its bytes to the file that was asked for.
fn witness(arguments: &WitnessArguments) -> Result<(), CannonError> {
    print_witness(arguments, read_asterisc_state(not_empty(&arguments.input)?)?)
}

impl Tool for Asterisc {
    type Seal = Seal;
    type Record = WitnessRecord;

    const SWITCHES: bool = false;
    const VERSIONS: &'static [AsteriscVersion] = &[];

    fn number(_: AsteriscVersion) -> Option<u8> {
        None
    }

    fn has_json(_: AsteriscVersion) -> bool {
        true
    }

    fn instruction(memory: &Memory, pc: u64) -> u32 {
        memory.load_u32(pc & !3).swap_bytes()
    }

    fn place(_: &Hart) -> Option<Place> {
        None
    }

    fn transfer(_: u32) -> Option<Transfer> {
        None
    }

    fn seal(state: &mut State<Self>) -> Seal {
        state.seal()
    }

    fn write(state: &State<Self>, seal: &Seal, out: &mut dyn Write) -> io::Result<()> {
        state.write_binary(out, seal)
    }

    fn write_json(state: &State<Self>, seal: &Seal, out: &mut dyn Write) -> io::Result<()> {
        state.write_json(out, seal)
    }

    fn record(state: &State<Self>, witness: StateWitness) -> WitnessRecord {
        let r = &state.registers;
        WitnessRecord {
            state_hash: state.hash_of(&witness),
            witness: witness.0.into(),
            step: r.step,
            exited: r.exited,
            exit_code: r.exit_code,
            pc: r.processor.pc,
        }
    }

    fn deploy(_: AsteriscVersion) -> Result<Verifier, CallError> {
        Verifier::riscv()
    }

    fn disassemble(shown: ShownInstruction) -> String {
        Word(shown.word).disassemble(shown.pc).to_string()
    }

    fn call(shown: ShownInstruction) -> Option<&'static str> {
        let call = Syscall::from_number(shown.call_number)?;
        (Op::decode(Word(shown.word)) == Some(Op::ecall)).then(|| call.name())
    }

    fn stores(shown: ShownInstruction) -> bool {
        Op::decode(Word(shown.word)).is_some_and(|op| op.row().format == Format::Store)
    }
}
