//! Who called whom: the call stack of each guest thread, followed instruction by instruction.
//!
//! A call is a jump that links to the return address register, a return is a jump to what that register
//! holds. A return ends the innermost call that it goes back behind, and all calls within: those were left
//! by other means.

use super::tool::Tool;
use rebut_fpvm::isa::{Op, Word};
use rebut_fpvm::mips::state::{Cpu, RA};
use rebut_fpvm::{Arch, Machine, Symbols};
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

/// What an instruction does to the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// Opens one.
    Call,
    /// Ends one.
    Return,
}

/// Where a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    thread: u64,
    /// Its next instruction.
    pc: u64,
    /// The one behind that.
    next_pc: u64,
}

/// Where a thread of MIPS is.
pub const fn place_of(thread: u64, cpu: &Cpu) -> Place {
    Place { thread, pc: cpu.pc, next_pc: cpu.next_pc }
}

/// What an instruction of MIPS does to the calls.
pub fn transfer_of<A: Arch>(word: u32) -> Option<Transfer> {
    let word = Word(word);
    match A::decode(word)? {
        Op::jal => Some(Transfer::Call),
        Op::jalr if word.rd() == RA => Some(Transfer::Call),
        Op::jr if word.rs() == RA => Some(Transfer::Return),
        _ => None,
    }
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
    pub fn before_step<V: Tool>(machine: &Machine<'_, V>) -> Option<Pending> {
        let Place { thread, pc, .. } = V::place(&machine.registers().processor)?;
        let transfer = V::transfer(V::instruction(machine.memory(), pc))?;
        Some(Pending { thread, pc, transfer })
    }

    /// Takes note of that instruction once it was executed.
    pub fn after_step<V: Tool>(&mut self, machine: &Machine<'_, V>, pending: Pending) {
        let Some(place) = V::place(&machine.registers().processor) else { return };
        // The step was a context switch: the instruction is still to come.
        if place.thread != pending.thread || place.pc == pending.pc {
            return;
        }
        let calls = self.by_thread.entry(pending.thread).or_default();
        match pending.transfer {
            Transfer::Call => {
                calls.push(Call { caller: pending.pc, target: place.next_pc });
            }
            Transfer::Return => {
                let target = place.next_pc;
                let ended = calls.iter().rposition(|call| call.return_address() == target);
                calls.truncate(ended.unwrap_or(calls.len()));
            }
        }
    }

    /// The open calls of the running thread, innermost first, one a line.
    pub fn traceback<V: Tool>(&self, machine: &Machine<'_, V>, symbols: &Symbols) -> String {
        let registers = machine.registers();
        let pc = machine.pc().unwrap_or(0);
        let mut text = format!("traceback at pc={pc:x}. step={}\n", registers.step);
        let place = V::place(&registers.processor);
        let calls = place.and_then(|place| self.by_thread.get(&place.thread));
        for (i, call) in calls.into_iter().flatten().rev().enumerate() {
            let Call { caller, target } = call;
            let name = symbols.name_of(*target);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\t{i} {target:x} in {name} caller={caller:08x}");
        }
        text
    }
}
