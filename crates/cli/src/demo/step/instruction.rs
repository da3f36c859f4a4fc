//! What a machine is about to do.

use rebut_fpvm::Machine;
use rebut_fpvm::isa::{Format, Op, Word};
use rebut_fpvm::kernel::{Syscall, V0};
use rebut_fpvm::mips::threads::QUANTUM;
use std::fmt;

/// The next step of a machine.
#[derive(Clone, Copy, Debug)]
pub struct Instruction {
    /// Where the running thread is.
    pub pc: u64,
    /// What it executes; nothing where the scheduler takes the step for itself.
    word: Option<Word>,
    syscall: Option<Syscall>,
}

impl Instruction {
    /// The step that `machine` would take now.
    pub fn next(machine: &Machine<'_>) -> Self {
        let registers = machine.registers();
        let Some(thread) = registers.processor.current_thread() else {
            return Self { pc: 0, word: None, syscall: None };
        };
        let pc = thread.cpu.pc;
        if registers.exited || thread.exited || registers.processor.steps_since_switch >= QUANTUM {
            return Self { pc, word: None, syscall: None };
        }
        let word = Word(machine.memory().load_u32(pc));
        let syscall = match Op::decode(word) {
            Some(Op::syscall) => Syscall::from_number(thread.cpu.registers[V0]),
            _ => None,
        };
        Self { pc, word: Some(word), syscall }
    }

    /// Whether the step fetches an instruction.
    pub const fn is_fetched(&self) -> bool {
        self.word.is_some()
    }

    /// The system call, where it is one.
    pub const fn syscall(&self) -> Option<Syscall> {
        self.syscall
    }

    /// Whether it is an unconditional store.
    pub fn is_store(&self) -> bool {
        let Some(op) = self.word.and_then(Op::decode) else { return false };
        // Among the instructions with a memory operand, mnemonics of stores begin with an s, and only
        // the conditional ones go on with a c.
        let row = op.row();
        row.format == Format::RtMem && row.name.starts_with('s') && !row.name.starts_with("sc")
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.word, self.syscall) {
            (None, _) => f.write_str("(thread switch)"),
            (Some(word), None) => write!(f, "{}", word.disassemble(self.pc)),
            (Some(word), Some(call)) => write!(f, "{} {}", word.disassemble(self.pc), call.name()),
        }
    }
}
