//! Faults of RISC-V guests, with the numbers that the verifier reverts with.

use crate::isa::riscv::Word;

/// Something that the guest did and that has no next state; the verifier contract reverts on the same
/// step, with the number of [`code`](Self::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An opcode that the machine does not have.
    #[error("revert {:x}: unknown opcode of instruction 0x{word:08x} at pc 0x{pc:x}", self.code())]
    Opcode {
        /// The instruction.
        word: u32,
        /// Its address.
        pc: u64,
    },
    /// A known opcode whose other bits mean nothing.
    #[error("revert {:x}: illegal instruction 0x{word:08x} at pc 0x{pc:x}", self.code())]
    Instruction {
        /// The instruction.
        word: u32,
        /// Its address.
        pc: u64,
    },
    /// A store of more than 8 bytes.
    #[error("revert {:x}: size of store 0x{word:08x} at pc 0x{pc:x}", self.code())]
    StoreSize {
        /// The instruction.
        word: u32,
        /// Its address.
        pc: u64,
    },
    /// An atomic instruction of a size other than 4 and 8 bytes.
    #[error("revert {:x}: size of atomic instruction 0x{word:08x} at pc 0x{pc:x}", self.code())]
    AtomicSize {
        /// The instruction.
        word: u32,
        /// Its address.
        pc: u64,
    },
    /// An atomic operation that does not exist.
    #[error("revert {:x}: unknown atomic instruction 0x{word:08x} at pc 0x{pc:x}", self.code())]
    AtomicOperation {
        /// The instruction.
        word: u32,
        /// Its address.
        pc: u64,
    },
    /// An atomic access or a jump to an address that is not a multiple of its size.
    #[error("revert {:x}: unaligned address 0x{address:x} in the instruction at pc 0x{pc:x}", self.code())]
    Alignment {
        /// The address.
        address: u64,
        /// Address of the instruction.
        pc: u64,
    },
    /// An instruction that lies in two leaves of memory.
    #[error("revert {:x}: the instruction at pc 0x{pc:x} crosses the end of a leaf", self.code())]
    Fetch {
        /// Its address.
        pc: u64,
    },
    /// A system call that the machine refuses.
    #[error("revert {:x}: unsupported system call {number} at pc 0x{pc:x}", self.code())]
    Syscall {
        /// The number.
        number: u64,
        /// Address of the call.
        pc: u64,
    },
    /// `getrlimit` of something else than open files.
    #[error("revert {:x}: unknown resource {resource} at pc 0x{pc:x}", self.code())]
    Resource {
        /// The resource.
        resource: u64,
        /// Address of the call.
        pc: u64,
    },
}

impl Fault {
    /// The number that the verifier reverts with.
    pub const fn code(&self) -> u64 {
        match self {
            Self::Opcode { .. } => 0xf001_c0de,
            Self::Instruction { .. } => 0xbad_c0de,
            Self::StoreSize { .. } => 0xbad5_12e8,
            Self::AtomicSize { .. } => 0xba_da70,
            Self::AtomicOperation { .. } => 0xf00_1a70,
            Self::Alignment { .. } => 0xbad1_0ad0,
            Self::Fetch { .. } => 0xbad2_2220,
            Self::Syscall { .. } => 0xf001_ca11,
            Self::Resource { .. } => 0xf_0012,
        }
    }
}

const LOAD: u32 = 0x03;
const IMMEDIATE: u32 = 0x13;
const IMMEDIATE_WORD: u32 = 0x1b;
const STORE: u32 = 0x23;
const ATOMIC: u32 = 0x2f;
const REGISTER: u32 = 0x33;
const REGISTER_WORD: u32 = 0x3b;

/// The fault of a word at `pc` that no row of the table matches. `address` is what its rs1 holds.
pub(crate) fn undefined(Word(word): Word, pc: u64, address: u64) -> Fault {
    match word & 0x7f {
        LOAD | IMMEDIATE | IMMEDIATE_WORD | REGISTER | REGISTER_WORD => {
            Fault::Instruction { word, pc }
        }
        STORE => Fault::StoreSize { word, pc },
        ATOMIC => match word >> 12 & 7 {
            log @ (2 | 3) if address & ((1 << log) - 1) != 0 => Fault::Alignment { address, pc },
            2 | 3 => Fault::AtomicOperation { word, pc },
            _ => Fault::AtomicSize { word, pc },
        },
        _ => Fault::Opcode { word, pc },
    }
}
