//! What can go wrong in `cannon`, and the exit code for it.

use crate::files::FileError;
use rebut_fpvm::{LoadError, StepError};
use rebut_preimage::{ChannelError, OracleError, PreimageKey, ProcessError};
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_ERROR: u8 = 1;
const EXIT_FAULT: u8 = 2;
const EXIT_INTERRUPTED: u8 = 130;

/// Why a subcommand of `cannon` failed.
#[derive(Debug, thiserror::Error)]
pub enum CannonError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An ELF file that cannot be loaded.
    #[error("cannot load {}: {source}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: LoadError,
    },
    /// The name of a version that belongs to another machine.
    #[error("--type {name} (version {number}) is not supported; supported are {supported}")]
    UnsupportedType {
        /// The name.
        name: String,
        /// Its number.
        number: usize,
        /// What is supported.
        supported: String,
    },
    /// A name that no version ever had.
    #[error("--type {name:?} is no state version; supported are {supported}")]
    UnknownType {
        /// The name.
        name: String,
        /// What is supported.
        supported: String,
    },
    /// A name for a state that is none of a binary file.
    #[error(
        "{option} {name:?} does not end in .bin or .bin.gz, the only formats of a state of this version"
    )]
    StateName {
        /// The option.
        option: &'static str,
        /// Its value.
        name: String,
    },
    /// An option that `asterisc` lacks.
    #[error("asterisc has no option {option}")]
    NotOfAsterisc {
        /// The option.
        option: &'static str,
    },
    /// No input.
    #[error("--input is empty")]
    NoInput,
    /// A traceback needs names.
    #[error("--debug needs the symbols of --meta")]
    DebugWithoutSymbols,
    /// No type of preimage.
    #[error(
        "--stop-at-preimage-type {name:?} is none of local, keccak, sha256, blob, precompile, any"
    )]
    PreimageType {
        /// What was given.
        name: String,
    },
    /// The preimage server cannot be started.
    #[error(transparent)]
    Server(#[from] ProcessError),
    /// The handlers of interrupts cannot be set.
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
    /// A step failed.
    #[error("failed at step {step} (pc 0x{pc:x}): {source}")]
    Step {
        /// Counter of the step.
        step: u64,
        /// Address of its instruction.
        pc: u64,
        /// Why.
        source: StepError,
    },
    /// The guest wants a preimage, and there is nobody to ask.
    #[error(
        "failed at step {step} (pc 0x{pc:x}): the program reads the preimage of {key}, but no preimage server was given; put its command behind --"
    )]
    NoServer {
        /// Counter of the step.
        step: u64,
        /// Address of its instruction.
        pc: u64,
        /// The key.
        key: PreimageKey,
    },
    /// The user or the system asked to stop.
    #[error("command interrupted")]
    Interrupted,
}

impl CannonError {
    /// The error of a failed step.
    pub fn at_step(step: u64, pc: u64, source: StepError) -> Self {
        match source {
            StepError::Oracle(
                OracleError::PreimageChannel { source: ChannelError::Interrupted, .. }
                | OracleError::HintChannel { source: ChannelError::Interrupted },
            ) => Self::Interrupted,
            source => Self::Step { step, pc, source },
        }
    }
}

/// The exit code for an error of any command.
pub fn exit_code_of(error: &anyhow::Error) -> ExitCode {
    let code = match error.downcast_ref::<CannonError>() {
        Some(CannonError::Interrupted) => EXIT_INTERRUPTED,
        Some(CannonError::Step { source, .. }) if source.is_fault() => EXIT_FAULT,
        _ => EXIT_ERROR,
    };
    ExitCode::from(code)
}

/// True when the command did not fail but was asked to stop.
pub fn is_interrupt(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(CannonError::Interrupted))
}
