//! Every instruction, every system call, every thread event and every fault, with operands at all
//! edges, on every engine: plain step, block interpreter, Solidity.

mod faults;
mod instructions;
mod preimages;
mod syscalls;
mod threads;

use rebut_fpvm::StateVersion;
use rebut_fpvm::kernel::ERROR;
use rebut_fpvm::mips::threads::{Reservation, ReservationStatus};
use rebut_fpvm::{Arch, Mips64};
use rebut_tests::Case;

/// Where the instruction of a case stands, unless it matters.
const PC: u64 = 0x1_0000;
/// Where its data is: the middle of a page, 8-aligned, last word of a leaf.
const DATA: u64 = 0x00c0_0000_0118;

/// A case that executes `word` in a state where nothing is zero that could be something.
fn executing(version: StateVersion, pc: u64, word: u32) -> Case {
    let mut case = Case::<Mips64>::at(version, pc);
    case.instruction(pc, word);
    let r = &mut case.registers;
    r.step = 12_345_678;
    r.processor.steps_since_switch = 77;
    r.heap = Mips64::HEAP_START + 0x5000;
    r.processor.next_thread_id = 9;
    r.processor.reservation =
        Reservation { status: ReservationStatus::Word, address: 0x2000, owner: 5 };
    let cpu = &mut case.thread().cpu;
    (cpu.lo, cpu.hi) = (0x1357_9bdf_0246_8ace, 0xfedc_ba98_7654_3210);
    for (i, register) in cpu.registers.iter_mut().enumerate().skip(1) {
        *register = 0x0101_0101_8101_0101 * i as u64;
    }
    case.dword(DATA, 0x8182_8384_0506_0708);
    case.dword(DATA + 8, 0x1112_1314_9596_9798);
    case
}

/// A case that makes a system call.
fn calling(version: StateVersion, number: u64, arguments: [u64; 3]) -> Case {
    let mut case = executing(version, PC + 4, 0x0000_000c);
    *case.register(2) = number;
    for (register, argument) in (4..).zip(arguments) {
        *case.register(register) = argument;
    }
    *case.register(ERROR) = 0x77;
    case
}

/// The reservations that a memory access at `address` by thread 0 may meet.
fn reservations(address: u64) -> Vec<Reservation> {
    let mut all = Vec::new();
    for status in [ReservationStatus::None, ReservationStatus::Word, ReservationStatus::Doubleword]
    {
        for at in [address, address ^ 1, address ^ 4, address.wrapping_add(8), 0] {
            all.extend([0, 3].map(|owner| Reservation { status, address: at, owner }));
        }
    }
    all
}
