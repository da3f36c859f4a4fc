//! Who called whom: the call stack of each guest thread, followed instruction by instruction.
//!
//! A call is a jump that links to the return address register, a return is a jump to what that register
//! holds. A return ends the innermost call that it goes back behind, and all calls within: those were left
//! by other means.

use super::machine::Cannon;
use rebut_fpvm::isa::{Op, Word};
use rebut_fpvm::mips::state::RA;
use rebut_fpvm::{Machine, Symbols};
use std::collections::HashMap;
use std::fmt::Write;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Call {
    caller: u64,
    target: u64,
}

impl Call {
    /// Behind the call and its delay slot.
    const fn return_address(self) -> u64 {
        self.caller.wrapping_add(8)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transfer {
    Call,
    Return,
}

/// The open calls of each thread, seen since the run began.
#[derive(Debug, Default)]
pub struct Calls {
    by_thread: HashMap<u64, Vec<Call>>,
}

/// What the next instruction will do, seen before it is executed.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    thread: u64,
    pc: u64,
    transfer: Transfer,
}

impl Calls {
    /// Looks at the instruction that the machine is about to execute.
    pub fn before_step<V: Cannon>(machine: &Machine<'_, V>) -> Option<Pending> {
        let thread = V::thread(&machine.registers().processor)?;
        let pc = V::cpu(&machine.registers().processor)?.pc;
        let word = Word(machine.memory().load_u32(pc));
        let transfer = match V::decode(word)? {
            Op::jal => Transfer::Call,
            Op::jalr if word.rd() == RA => Transfer::Call,
            Op::jr if word.rs() == RA => Transfer::Return,
            _ => return None,
        };
        Some(Pending { thread, pc, transfer })
    }

    /// Takes note of that instruction once it was executed.
    pub fn after_step<V: Cannon>(&mut self, machine: &Machine<'_, V>, pending: Pending) {
        let processor = &machine.registers().processor;
        let (Some(thread), Some(cpu)) = (V::thread(processor), V::cpu(processor)) else { return };
        // The step was a context switch: the instruction is still to come.
        if thread != pending.thread || cpu.pc == pending.pc {
            return;
        }
        let calls = self.by_thread.entry(pending.thread).or_default();
        match pending.transfer {
            Transfer::Call => {
                calls.push(Call { caller: pending.pc, target: cpu.next_pc });
            }
            Transfer::Return => {
                let target = cpu.next_pc;
                let ended = calls.iter().rposition(|call| call.return_address() == target);
                calls.truncate(ended.unwrap_or(calls.len()));
            }
        }
    }

    /// The open calls of the running thread, innermost first, one a line.
    pub fn traceback<V: Cannon>(&self, machine: &Machine<'_, V>, symbols: &Symbols) -> String {
        let registers = machine.registers();
        let pc = machine.pc().unwrap_or(0);
        let mut text = format!("traceback at pc={pc:x}. step={}\n", registers.step);
        let thread = V::thread(&registers.processor);
        let calls = thread.and_then(|thread| self.by_thread.get(&thread));
        for (i, call) in calls.into_iter().flatten().rev().enumerate() {
            let Call { caller, target } = call;
            let name = symbols.name_of(*target);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\t{i} {target:x} in {name} caller={caller:08x}");
        }
        text
    }
}
