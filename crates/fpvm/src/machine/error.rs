//! Why a step could not be executed. The state is then as it was before the step.

use alloy_primitives::B256;
use rebut_preimage::OracleError;

/// Something that the guest did and that no machine of its version can execute; the verifier contract
/// reverts on the same step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No row of the instruction table matches.
    #[error("invalid instruction 0x{word:08x} at pc 0x{pc:x}")]
    InvalidInstruction {
        /// The word.
        word: u32,
        /// Its address.
        pc: u64,
    },
    /// A branch in the delay slot of another jump or branch.
    #[error("branch in a delay slot at pc 0x{pc:x}")]
    BranchInDelaySlot {
        /// Address of the branch.
        pc: u64,
    },
    /// A jump in the delay slot of another jump or branch.
    #[error("jump in a delay slot at pc 0x{pc:x}")]
    JumpInDelaySlot {
        /// Address of the jump.
        pc: u64,
    },
    /// Division by zero.
    #[error("division by zero at pc 0x{pc:x}")]
    DivisionByZero {
        /// Address of the division.
        pc: u64,
    },
    /// A number that is in no row of the system call table.
    #[error("unknown system call {number} at pc 0x{pc:x}")]
    UnknownSyscall {
        /// The number.
        number: u64,
        /// Address of the call.
        pc: u64,
    },
    /// The address of the instruction is not a multiple of 4.
    #[error("unaligned instruction address 0x{pc:x}")]
    UnalignedPc {
        /// The address.
        pc: u64,
    },
    /// No thread can run.
    #[error("the active thread stack is empty")]
    NoThread,
    /// The step would leave no thread.
    #[error("the step would leave the active thread stack empty")]
    NoThreadLeft,
}

/// Why a step was not executed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The guest faulted.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The guest of an Asterisc machine faulted.
    #[error(transparent)]
    Riscv(#[from] crate::riscv::error::Fault),
    /// The guest read a preimage beyond its end, which no chain can verify.
    #[error(
        "read of preimage {key} at offset {offset}, beyond its {length} bytes (prefix included)"
    )]
    PreimageEnd {
        /// Key of the preimage.
        key: B256,
        /// Offset of the read.
        offset: u64,
        /// Length of the preimage with its prefix.
        length: u64,
    },
    /// The guest left more hint bytes unfinished than a machine holds.
    #[error("more than {limit} bytes of an unfinished hint")]
    HintTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The oracle did not answer.
    #[error(transparent)]
    Oracle(#[from] OracleError),
}

impl StepError {
    /// True when the guest itself is at fault, so that repeating the step cannot help.
    pub const fn is_fault(&self) -> bool {
        matches!(self, Self::Fault(_) | Self::Riscv(_) | Self::PreimageEnd { .. })
    }
}
