//! The system calls of the 32-bit machine, row by row, with arguments at all edges; and all other numbers, which do
//! nothing.

use crate::calling;
use rebut_fpvm::kernel::Syscall32;
use rebut_fpvm::{Arch, Mips32, StateVersion32};
use rebut_tests::program::EDGES;
use rebut_tests::verdict::Step;
use rebut_tests::{Engines, Mips};

const DATA: u64 = Mips32::DATA;
const COUNTS: [u64; 8] = [0, 1, 3, 4, 5, 8, 4097, 0xffff_ffff];
const DESCRIPTORS: [u64; 11] = [0, 1, 2, 3, 4, 5, 6, 7, 100, 0x8000_0000, 0xffff_ffff];

/// Addresses: every offset in a doubleword, the end of a page, nothing there, the end of everything.
fn addresses() -> impl Iterator<Item = u64> + Clone {
    (DATA..DATA + 8).chain([0x1ffd, 0x7fff_fff8, 0x8000_0000, 0xffff_fff8, 0xffff_ffff])
}

fn arguments(syscall: Syscall32) -> Vec<[u64; 3]> {
    let mut all = Vec::new();
    match syscall {
        Syscall32::read | Syscall32::write => {
            for fd in DESCRIPTORS {
                // A hint of that length would be waited for; reading preimages is a module of its own.
                let long = |count: &&u64| fd != 4 || **count <= 4097;
                for count in COUNTS.iter().filter(long) {
                    all.extend(addresses().map(|address| [fd, address, *count]));
                }
            }
            all.retain(|[fd, ..]| !(syscall == Syscall32::read && *fd == 5));
        }
        Syscall32::fcntl => {
            for command in [0, 1, 2, 3, 4, 0x8000_0001, 0xffff_ffff] {
                all.extend(DESCRIPTORS.map(|fd| [fd, command, 0]));
            }
        }
        Syscall32::mmap => {
            for address in [0, 1, 0x5000, 0x8000_0000, 0xffff_ffff] {
                all.extend(EDGES.map(|length| [address, length, 0]));
            }
        }
        _ => all.extend(EDGES.iter().zip(EDGES.iter().rev()).map(|(a, b)| [*a, *b, a ^ b])),
    }
    all
}

#[test]
fn every_call_agrees_at_all_edges() {
    let mut engines = Engines::<Mips32>::new();
    for (syscall, number) in Syscall32::ALL {
        for arguments in arguments(*syscall) {
            for version in StateVersion32::ALL {
                let case = calling(version, *number, arguments);
                engines.expect(&format!("{} {arguments:x?}", syscall.name()), &case, Step::Taken);
            }
        }
    }
    println!("{} system calls: {} cases", Syscall32::ALL.len(), engines.taken);
}

/// What deployed machines do, and what programs rely on: a number without a row succeeds.
#[test]
fn every_other_number_is_ignored() {
    let mut engines = Engines::<Mips32>::new();
    let beside = (3990..4400).filter(|n| Syscall32::from_number(*n).is_none());
    for number in beside.chain([0, 1, 5001, 0x8000_0fa3, 0xffff_ffff]) {
        let case = calling(StateVersion32::V2, number, [1, DATA, 3]);
        engines.expect(&format!("system call {number}"), &case, Step::Taken);
        let mut machine = rebut_tests::verdict::machine(case.state());
        machine.step().unwrap_or_else(|error| panic!("system call {number}: {error}"));
        let cpu = &machine.registers().processor;
        assert_eq!((cpu.registers[2], cpu.registers[7]), (0, 0), "system call {number}");
    }
}

#[test]
fn the_heap_ends_where_it_ends() {
    let mut engines = Engines::<Mips32>::new();
    let end = Mips32::HEAP_END;
    for heap in [0, Mips32::HEAP_START, end - 8192, end - 4096, end, 0xffff_f000] {
        for length in [0, 1, 4095, 4096, 4097, 8192, end, 0xffff_f000, 0xffff_f001, 0xffff_ffff] {
            for address in [0, 4096] {
                let mut case = calling(StateVersion32::V2, 4090, [address, length, 0]);
                case.registers.heap = heap;
                engines.expect(&format!("mmap {length:#x} at {heap:#x}"), &case, Step::Taken);
            }
        }
    }
}

/// The two versions differ in one command of one call, and nowhere else.
#[test]
fn only_the_newer_version_knows_the_flags_of_a_descriptor() {
    for (version, want) in [(StateVersion32::V0, (u64::MAX, 22)), (StateVersion32::V2, (0, 0))] {
        let mut machine = rebut_tests::verdict::machine(calling(version, 4055, [1, 1, 0]).state());
        machine.step().unwrap_or_else(|error| panic!("{version:?}: {error}"));
        let cpu = &machine.registers().processor;
        assert_eq!((cpu.registers[2], cpu.registers[7]), want, "{version:?}");
    }
}
