//! What happens between instructions: preemption, leaving threads, the end.

use crate::executing;
use rebut_fpvm::StateVersion;
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::{QUANTUM, Thread};
use rebut_tests::verdict::Step;
use rebut_tests::{Case, Engines};

/// `daddiu $9, $9, 1`
const COUNT: u32 = 0x6529_0001;

fn with_stacks(version: StateVersion, left: u64, right: u64, traverse_right: bool) -> Case {
    let mut case = executing(version, 0x4000, COUNT);
    let top = case.thread().clone();
    let r = &mut case.registers;
    let thread = |id| Thread { id, exit_code: 3, exited: false, cpu: Cpu::at(0x9000 + id * 8) };
    r.processor.left = (0..left).map(thread).collect();
    r.processor.right = (50..50 + right).map(thread).collect();
    r.processor.traverse_right = traverse_right;
    if let Some(last) = r.processor.active_stack_mut().last_mut() {
        *last = top;
    }
    case
}

fn all_stacks() -> impl Iterator<Item = (StateVersion, u64, u64, bool)> {
    StateVersion::ALL.into_iter().flat_map(|version| {
        (0..16).flat_map(move |n| [false, true].map(|right| (version, n % 4, n / 4, right)))
    })
}

#[test]
fn a_quantum_ends_exactly() {
    let mut engines = Engines::new();
    for (version, left, right, traverse_right) in all_stacks() {
        for steps in [0, QUANTUM - 2, QUANTUM - 1, QUANTUM, QUANTUM + 1, u64::MAX] {
            let mut case = with_stacks(version, left, right, traverse_right);
            case.registers.processor.steps_since_switch = steps;
            let active = if traverse_right { right } else { left };
            let want = if active == 0 { Step::Refused } else { Step::Taken };
            engines.expect(&format!("{left} {right} {traverse_right} {steps}"), &case, want);
        }
    }
    assert!(engines.taken > 0 && engines.refused > 0);
    println!("{} taken, {} refused", engines.taken, engines.refused);
}

#[test]
fn exited_threads_leave() {
    let mut engines = Engines::new();
    for (version, left, right, traverse_right) in all_stacks() {
        let active = if traverse_right { right } else { left };
        for steps in [5, QUANTUM] {
            let mut case = with_stacks(version, left, right, traverse_right);
            case.registers.processor.steps_since_switch = steps;
            if active > 0 {
                case.thread().exited = true;
            }
            // The last thread takes the machine with it; without one, no state is legal.
            let want = if active == 0 || left + right == 1 { Step::Refused } else { Step::Taken };
            engines.expect(&format!("{left} {right} {traverse_right} {steps}"), &case, want);
        }
    }
    assert!(engines.taken > 0 && engines.refused > 0);
}

#[test]
fn an_exited_machine_stays() {
    let mut engines = Engines::new();
    for (version, left, right, traverse_right) in all_stacks() {
        // No run leads to an exited machine without a thread, and there the contract differs from every
        // machine: it still looks for the thread that runs next.
        if (if traverse_right { right } else { left }) == 0 {
            continue;
        }
        for code in [0, 1, 2, 3, 255] {
            let mut case = with_stacks(version, left, right, traverse_right);
            case.registers.exited = true;
            case.registers.exit_code = code;
            engines.expect("exited", &case, Step::Taken);
        }
    }
}

#[test]
fn counters_at_their_ends() {
    let mut engines = Engines::new();
    for step in [0, u64::MAX - 8, u64::MAX >> 1] {
        let mut case = with_stacks(StateVersion::V8, 1, 0, false);
        case.registers.step = step;
        engines.expect(&format!("step {step}"), &case, Step::Taken);
    }
    for pc in [0, 0xffff_ffff_ffff_fff8, 0xffff_ffff_ffff_fffc] {
        let mut case = executing(StateVersion::V8, pc, COUNT);
        case.thread().cpu.next_pc = pc.wrapping_add(4);
        engines.expect(&format!("pc {pc:#x}"), &case, Step::Taken);
    }
}
