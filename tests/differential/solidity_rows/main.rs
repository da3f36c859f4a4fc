//! Every instruction, every system call, every thread event and every fault, with operands at all
//! edges, on every engine: plain step, block interpreter, Solidity.

mod faults;
mod instructions;
mod preimages;
mod syscalls;
mod syscalls32;
mod threads;

use rebut_fpvm::kernel::ERROR;
use rebut_fpvm::mips::threads::{Reservation, ReservationStatus};
use rebut_fpvm::{Arch, Mips64, Version};
use rebut_tests::{Case, Mips};

/// Where the instruction of a case stands, unless it matters.
const PC: u64 = 0x1_0000;
/// Where its data is on the 64-bit machine.
const DATA: u64 = Mips64::DATA;

/// A case that executes `word` in a state where nothing is zero that could be something.
fn executing<N: Version<Vm: Mips>>(version: N, pc: u64, word: u32) -> Case<N::Vm> {
    let mut case = Case::<N::Vm>::at(version, pc);
    case.instruction(pc, word);
    let r = &mut case.registers;
    r.step = 12_345_678;
    r.heap = N::Vm::HEAP_START + 0x5000;
    N::Vm::fill(&mut case);
    let extend = N::Vm::extend;
    let cpu = case.cpu();
    (cpu.lo, cpu.hi) = (extend(0x1357_9bdf_0246_8ace), extend(0xfedc_ba98_7654_3210));
    for (i, register) in cpu.registers.iter_mut().enumerate().skip(1) {
        *register = extend(0x0101_0101_8101_0101 * i as u64);
    }
    case.dword(N::Vm::DATA, 0x8182_8384_0506_0708);
    case.dword(N::Vm::DATA + 8, 0x1112_1314_9596_9798);
    case
}

/// A case that makes a system call.
fn calling<N: Version<Vm: Mips>>(version: N, number: u64, arguments: [u64; 3]) -> Case<N::Vm> {
    let mut case = executing(version, PC + 4, 0x0000_000c);
    *case.register(2) = N::Vm::extend(number);
    for (register, argument) in (4..).zip(arguments) {
        *case.register(register) = N::Vm::extend(argument);
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
