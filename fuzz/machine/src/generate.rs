//! Programs, registers and threads that have a chance to get somewhere.
//!
//! Random words fault at once. A generated program is made of table rows with operands that point at
//! code and data, of system calls with their number in place, and of a few random words.

use crate::many::Many;
use arbitrary::{Arbitrary, Unstructured};
use rebut_fpvm::isa::{Format, Op, Operands, ROWS};
use rebut_fpvm::kernel::table::Syscall;
use rebut_fpvm::memory::Memory;
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::{QUANTUM, Reservation, ReservationStatus, Thread};
use rebut_fpvm::{Arch, Mips64, Registers, Vm};
use rebut_fpvm::{Output, State, StateVersion, Stream, Until};
use rebut_preimage::{OracleError, PreimageKey, PreimageOracle};
use std::cell::RefCell;

/// First page of code; the code may start anywhere in it.
const CODE: u64 = 0x1_0000;
/// Most words of code.
const CODE_WORDS: usize = 512;
/// Most steps of a case.
const STEPS_PER_STOP: u64 = 400;
const V0: u8 = 2;

/// A machine to run.
#[derive(Arbitrary, Debug)]
pub struct Case {
    version_8: bool,
    code_start: u16,
    threads: [ThreadCase; 2],
    second_thread: bool,
    traverse_right: bool,
    reservation: Option<(bool, Value)>,
    step: u32,
    steps_to_quantum: Option<u8>,
    stops: [(u16, bool); 3],
    data: Many<(Value, u64), 15>,
    key: [u8; 32],
    hint: Many<u8, 15>,
    code: Many<Instruction, 255>,
}

#[derive(Arbitrary, Debug)]
struct ThreadCase {
    pc: u16,
    exited: Rare,
    registers: [Value; 31],
    hi_lo: [u64; 2],
}

#[derive(Debug)]
enum Instruction {
    Row {
        row: u8,
        rs: u8,
        rt: u8,
        rd: u8,
        sa: u8,
        imm: i16,
    },
    /// A branch or jump to an instruction nearby.
    Jump {
        row: u8,
        rs: u8,
        rt: u8,
        words: i8,
    },
    /// The number is loaded first.
    Call {
        number: u8,
    },
    Constant {
        register: u8,
        value: u8,
    },
    Word(u32),
}

/// True for one byte in 16.
#[derive(Debug)]
struct Rare(bool);

impl<'a> Arbitrary<'a> for Rare {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self(u8::arbitrary(u)? >= 0xf0))
    }
}

impl<'a> Arbitrary<'a> for Instruction {
    /// Mostly rows: what ends a program early is rare.
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let kind = u8::arbitrary(u)?;
        Ok(match kind {
            0..=1 => Self::Word(u.arbitrary()?),
            2..=29 => Self::Call { number: u.arbitrary()? },
            30..=59 => {
                let (row, rs, rt, words) = u.arbitrary()?;
                Self::Jump { row, rs, rt, words }
            }
            60..=79 => {
                let (register, value) = u.arbitrary()?;
                Self::Constant { register, value }
            }
            80.. => {
                let (row, rs, rt, rd, sa, imm) = u.arbitrary()?;
                // Small offsets mostly: bases point at something.
                let imm = if kind & 3 == 0 { imm } else { imm % 64 };
                Self::Row { row, rs, rt, rd, sa, imm }
            }
        })
    }
}

/// A register's content.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Small(i8),
    Code(u16),
    Stack(u16),
    Heap(u16),
    /// Beyond all windows.
    Far(u16),
    Edge(u8),
    Any(u64),
}

impl Value {
    fn get(self) -> u64 {
        match self {
            Self::Small(value) => value as u64,
            Self::Code(offset) => CODE + u64::from(offset) % 0x2000,
            Self::Stack(offset) => Mips64::STACK_TOP - u64::from(offset),
            Self::Heap(offset) => Mips64::HEAP_START + u64::from(offset),
            Self::Far(offset) => 0x1234_5678_0000_0000 + u64::from(offset),
            Self::Edge(edge) => [
                i32::MAX as u64,
                i32::MIN as u64,
                u32::MAX.into(),
                1 << 32,
                i64::MAX as u64,
                i64::MIN as u64,
                u64::MAX,
                u64::MAX - 8,
                rebut_fpvm::kernel::CLONE_FLAGS,
            ][usize::from(edge) % 9],
            Self::Any(value) => value,
        }
    }
}

impl Instruction {
    fn encode(&self, code: &mut Vec<u32>) {
        let mut push = |op: Op, operands| code.push(op.encode(operands).0);
        match *self {
            Self::Row { row, rs, rt, rd, sa, imm } => {
                let rows: Vec<&_> = ROWS.iter().filter(|row| !is_jump(row.format)).collect();
                let op = rows[usize::from(row) % rows.len()].op;
                push(op, Operands { rs, rt, rd, sa, imm: imm as u16, target: CODE as u32 >> 2 });
            }
            Self::Jump { row, rs, rt, words } => {
                let jumps: Vec<&_> = ROWS.iter().filter(|row| is_jump(row.format)).collect();
                let op = jumps[usize::from(row) % jumps.len()].op;
                let target = (CODE as u32 >> 2) + u32::from(words as u8);
                let imm = i16::from(words) as u16;
                push(op, Operands { rs, rt, imm, target, ..Operands::default() });
                // A delay slot without a jump in it.
                push(Op::addu, Operands { rs, rt, rd: rt, ..Operands::default() });
            }
            Self::Call { number } => {
                let (_, number) = Syscall::ALL[usize::from(number) % Syscall::ALL.len()];
                push(Op::ori, Operands { rt: V0, imm: number as u16, ..Operands::default() });
                push(Op::syscall, Operands::default());
            }
            Self::Constant { register, value } => {
                push(Op::ori, Operands { rt: register, imm: value.into(), ..Operands::default() });
            }
            Self::Word(word) => code.push(word),
        }
    }
}

fn is_jump(format: Format) -> bool {
    matches!(format, Format::RsOff | Format::RsRtOff | Format::Jump)
}

impl Case {
    /// Where the case stops, in order.
    pub fn stops(&self) -> Vec<Until> {
        let mut step = u64::from(self.step);
        let stop = |(steps, preimage_read): &(u16, bool)| {
            step += u64::from(*steps) % STEPS_PER_STOP;
            Until { step, preimage_read: *preimage_read }
        };
        self.stops.iter().map(stop).collect()
    }

    /// The state to start from, in the given empty memory.
    pub fn state(&self, mut memory: Memory) -> State {
        let mut code = vec![];
        self.code.0.iter().for_each(|instruction| instruction.encode(&mut code));
        code.truncate(CODE_WORDS);
        let start = CODE + u64::from(self.code_start % 1024) * 4;
        for (address, value) in &self.data.0 {
            memory.store_u64(address.get() & !7, *value);
        }
        for (word, address) in code.iter().zip((start..).step_by(4)) {
            memory.store_u32(address, *word);
        }
        let version = if self.version_8 { StateVersion::V8 } else { StateVersion::V7 };
        State { version, registers: self.registers(start), memory }
    }

    fn registers(&self, start: u64) -> Registers {
        let [first, second] = [0, 1].map(|id: u8| self.threads[usize::from(id)].thread(id, start));
        let mut registers = Registers::<Mips64>::new(Mips64::processor(start));
        registers.processor.left =
            if self.second_thread { vec![second, first] } else { vec![first] };
        if self.traverse_right {
            registers.processor.traverse_right = true;
            std::mem::swap(&mut registers.processor.left, &mut registers.processor.right);
        }
        registers.processor.reservation =
            self.reservation.map_or_else(Reservation::default, |(wide, at)| {
                let status =
                    if wide { ReservationStatus::Doubleword } else { ReservationStatus::Word };
                Reservation { status, address: at.get(), owner: 0 }
            });
        registers.heap = Mips64::HEAP_START;
        registers.step = self.step.into();
        registers.processor.steps_since_switch =
            self.steps_to_quantum.map_or(0, |steps| QUANTUM - u64::from(steps));
        registers.processor.next_thread_id = 2;
        registers.preimage_key = self.key.into();
        registers.last_hint.clone_from(&self.hint.0);
        registers
    }
}

impl ThreadCase {
    fn thread(&self, id: u8, start: u64) -> Thread {
        let mut cpu = Cpu::at(start + u64::from(self.pc % 16) * 4);
        for (register, value) in cpu.registers[1..].iter_mut().zip(&self.registers) {
            *register = value.get();
        }
        [cpu.hi, cpu.lo] = self.hi_lo;
        Thread { id: id.into(), exit_code: 0, exited: self.exited.0, cpu }
    }
}

/// What a machine told its host.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Journal {
    hints: RefCell<Vec<Vec<u8>>>,
    printed: RefCell<Vec<(bool, usize, Vec<u8>)>>,
}

impl Journal {
    /// An oracle that answers most keys with a value made from the key.
    pub fn oracle(&self) -> impl PreimageOracle {
        struct Host<'a>(&'a Journal);
        impl PreimageOracle for Host<'_> {
            fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
                let bytes = key.as_bytes();
                if bytes[30] == 0xff {
                    return Err(OracleError::Missing { key });
                }
                Ok(bytes[..usize::from(bytes[31] % 32)].to_vec())
            }

            fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
                self.0.hints.borrow_mut().push(hint.to_vec());
                Ok(())
            }
        }
        Host(self)
    }

    /// Keeps what is printed.
    pub fn output(&self) -> impl Output {
        struct Printer<'a>(&'a Journal);
        impl Output for Printer<'_> {
            fn write(&mut self, stream: Stream, bytes: &[u8], _: u64) {
                // Long prints are of zeros mostly: a part of them will do.
                let start = bytes[..bytes.len().min(256)].to_vec();
                let is_error = stream == Stream::Stderr;
                self.0.printed.borrow_mut().push((is_error, bytes.len(), start));
            }
        }
        Printer(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::many::noise;
    use rebut_fpvm::memory::AddressSpace;
    use rebut_fpvm::{Machine, Silent};

    #[test]
    fn programs_of_noise_get_somewhere() {
        let steps = (0..64u64).map(|number| {
            let noise = noise(number, 2048);
            let case = Case::arbitrary(&mut Unstructured::new(&noise)).unwrap();
            let journal = Journal::default();
            let state = case.state(Memory::without_windows(AddressSpace::Bits64));
            let mut machine = Machine::new(state, journal.oracle(), Silent);
            // How it ends is not asked here.
            let _ = machine.run_plain(Until::step(u64::from(case.step) + 1000));
            machine.registers().step - u64::from(case.step)
        });
        let steps: u64 = steps.sum();
        assert!(steps > 64 * 20, "{steps} steps in 64 programs");
    }
}
