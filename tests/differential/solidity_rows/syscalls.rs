//! The system calls, row by row, with arguments at all edges.

use crate::{DATA, calling, reservations};
use rebut_fpvm::StateVersion;
use rebut_fpvm::kernel::{CLONE_FLAGS, STEPS_PER_SECOND, Syscall};
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::Thread;
use rebut_fpvm::{Arch, Mips64};
use rebut_tests::program::EDGES;
use rebut_tests::verdict::Step;
use rebut_tests::{Case, Engines};

/// Addresses: every offset in a doubleword, the end of a page, nothing there, the end of everything.
fn addresses() -> impl Iterator<Item = u64> + Clone {
    (DATA..DATA + 8).chain([0x1ff9, 0x7fff_ffff_fff8, 0xffff_ffff_ffff_fff8, u64::MAX])
}

const COUNTS: [u64; 9] = [0, 1, 4, 7, 8, 9, 4097, 0x1_0000_0000, u64::MAX];
const DESCRIPTORS: [u64; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 99, 100, 0x1_0000_0001, u64::MAX];
const EXIT_CODES: [u64; 7] = [0, 1, 2, 3, 255, 256, u64::MAX];

/// Arguments for a call: what its row distinguishes, and edges for those that distinguish nothing.
fn arguments(syscall: Syscall) -> Vec<[u64; 3]> {
    let mut all = Vec::new();
    match syscall {
        Syscall::read | Syscall::write => {
            for fd in DESCRIPTORS {
                // A hint of that length would be waited for; reading preimages is a module of its own.
                let long = |count: &&u64| fd != 4 || **count <= 4097;
                for count in COUNTS.iter().filter(long) {
                    all.extend(addresses().map(|address| [fd, address, *count]));
                }
            }
            all.retain(|[fd, ..]| !(syscall == Syscall::read && *fd == 5));
        }
        Syscall::fcntl => {
            for command in [0, 1, 2, 3, 4, 0x1_0000_0001, u64::MAX] {
                all.extend(DESCRIPTORS.map(|fd| [fd, command, 0]));
            }
        }
        Syscall::mmap => {
            for address in [0, 1, 0x5000, 0x1_0000_0000, u64::MAX] {
                all.extend(EDGES.map(|length| [address, length, 0]));
            }
        }
        Syscall::clone => {
            let flags = [
                CLONE_FLAGS,
                CLONE_FLAGS | 1,
                CLONE_FLAGS | 1 << 32,
                CLONE_FLAGS ^ 0x100,
                0,
                u64::MAX,
            ];
            all.extend(flags.iter().flat_map(|f| [0, DATA, u64::MAX].map(|sp| [*f, sp, 0])));
        }
        Syscall::exit | Syscall::exit_group => all.extend(EXIT_CODES.map(|code| [code, 1, 2])),
        Syscall::futex => {
            // The words at DATA, at DATA + 4, one that differs in the upper half alone, one that differs.
            let values = [0x8182_8384, 0x0506_0708, 0xffff_ffff_8182_8384, 0x1_0506_0708, 1, 0];
            for operation in [128, 129, 0, 1, 130, 128 | 1 << 32, u64::MAX] {
                for value in values {
                    all.extend(addresses().map(|address| [address, operation, value]));
                }
            }
        }
        Syscall::clock_gettime => {
            for id in [0, 1, 2, 1 << 32, u64::MAX] {
                all.extend(addresses().map(|address| [id, address, 0]));
            }
        }
        Syscall::getrandom => {
            for count in COUNTS {
                all.extend(addresses().map(|address| [address, count, 0]));
            }
        }
        Syscall::eventfd2 => {
            for flags in [0, 0x80, 0x7f, 0x100, 0x180, 1 << 39, u64::MAX] {
                all.extend([0, 1, u64::MAX].map(|initial| [initial, flags, 0]));
            }
        }
        _ => all.extend(EDGES.iter().zip(EDGES.iter().rev()).map(|(a, b)| [*a, *b, a ^ b])),
    }
    all
}

fn check_all(engines: &mut Engines, syscall: Syscall, number: u64, set_up: impl Fn(&mut Case)) {
    for (i, arguments) in arguments(syscall).into_iter().enumerate() {
        let versions: &[StateVersion] = match syscall {
            Syscall::getrandom => &StateVersion::ALL,
            _ => &StateVersion::ALL[i % 2..][..1],
        };
        for version in versions {
            let mut case = calling(*version, number, arguments);
            set_up(&mut case);
            engines.expect(&format!("{} {arguments:x?}", syscall.name()), &case, Step::Taken);
        }
    }
}

#[test]
fn every_call_agrees_at_all_edges() {
    let mut engines = Engines::new();
    for (syscall, number) in Syscall::ALL {
        check_all(&mut engines, *syscall, *number, |_| {});
    }
    println!("{} system calls: {} cases", Syscall::ALL.len(), engines.taken);
}

#[test]
fn every_number_beside_the_rows_faults() {
    let mut engines = Engines::new();
    let beside = (4990..5400).filter(|n| Syscall::from_number(*n).is_none());
    for number in beside.chain([0, 1, 4003, 4246, 5001 | 1 << 32, u64::MAX]) {
        let case = calling(StateVersion::V8, number, [0; 3]);
        engines.expect(&format!("system call {number}"), &case, Step::Refused);
    }
    println!("{} unknown system calls", engines.refused);
}

#[test]
fn calls_that_write_memory_clear_reservations() {
    let mut engines = Engines::new();
    for reservation in reservations(DATA) {
        for offset in 0..8 {
            for (number, arguments) in [
                (5222, [1, DATA - 8 + offset, 0]),
                (5222, [0, DATA + offset, 0]),
                (5313, [DATA + offset, 8, 0]),
                (5313, [DATA + offset, 0, 0]),
                (5001, [6, DATA + offset, 8]),
                (5194, [DATA + offset, 128, 0x0506_0708]),
            ] {
                for version in StateVersion::ALL {
                    let mut case = calling(version, number, arguments);
                    case.registers.processor.reservation = reservation;
                    engines.expect(&format!("{number} {arguments:x?}"), &case, Step::Taken);
                }
            }
        }
    }
    println!("{} cases", engines.taken);
}

#[test]
fn the_clock_counts_steps() {
    let mut engines = Engines::new();
    for second in [0, 1, 2, 1 << 32, u64::MAX / STEPS_PER_SECOND] {
        let whole = second * STEPS_PER_SECOND;
        for step in [whole, whole.saturating_sub(1), whole.saturating_sub(2), whole + 1, whole + 99]
        {
            for number in [5222, 5313] {
                let arguments = if number == 5222 { [1, DATA, 0] } else { [DATA, 8, 0] };
                let mut case = calling(StateVersion::V8, number, arguments);
                case.registers.step = step;
                engines.expect(&format!("{number} at step {step}"), &case, Step::Taken);
            }
        }
    }
}

#[test]
fn the_heap_ends_where_it_ends() {
    let mut engines = Engines::new();
    for heap in [
        0,
        Mips64::HEAP_START,
        Mips64::HEAP_END - 8192,
        Mips64::HEAP_END - 4096,
        Mips64::HEAP_END,
        !4095,
    ] {
        for length in
            [0, 1, 4095, 4096, 4097, 8192, Mips64::HEAP_END, u64::MAX - 4096, u64::MAX - 4095]
        {
            for address in [0, 4096] {
                let mut case = calling(StateVersion::V8, 5009, [address, length, 0]);
                case.registers.heap = heap;
                engines.expect(&format!("mmap {length:#x} at {heap:#x}"), &case, Step::Taken);
            }
        }
    }
}

#[test]
fn calls_of_threads_depend_on_both_stacks() {
    let mut engines = Engines::new();
    for (left, right, traverse_right) in
        [(1, 0, false), (2, 0, false), (1, 1, false), (3, 2, false), (0, 1, true), (2, 3, true)]
    {
        let calls = [Syscall::exit, Syscall::exit_group, Syscall::clone, Syscall::gettid];
        let yields = [Syscall::sched_yield, Syscall::nanosleep, Syscall::futex];
        for syscall in calls.into_iter().chain(yields) {
            let number = Syscall::ALL.iter().find(|(s, _)| *s == syscall).map_or(0, |(_, n)| *n);
            check_all(&mut engines, syscall, number, |case| {
                let top = case.thread().clone();
                let below =
                    |id| Thread { id, exit_code: 0, exited: id == 12, cpu: Cpu::at(id * 64) };
                let r = &mut case.registers;
                r.processor.traverse_right = traverse_right;
                r.processor.left = (10..10 + left).map(below).collect();
                r.processor.right = (20..20 + right).map(below).collect();
                if let Some(last) = r.processor.active_stack_mut().last_mut() {
                    *last = Thread { id: 33, ..top };
                }
                r.processor.next_thread_id = if left == 3 { u64::MAX } else { 40 };
            });
        }
    }
    println!("{} cases", engines.taken);
}
