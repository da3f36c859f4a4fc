//! Rows of the scheduler and of the packed state.

use crate::row::Row;
use crate::{After, Scenario, advanced, calling, executing};
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::{QUANTUM, Thread};
use rebut_fpvm::{Fault, StateVersion, StepError};
use rebut_tests::Case;

/// Puts other threads below the running one, and beside it on the other stack.
fn with_threads(mut case: Case, active: u64, other: u64, traverse_right: bool) -> Case {
    let running = case.thread().clone();
    let thread = |id: u64| {
        let mut cpu = Cpu::at(0x7000 + 16 * id);
        cpu.registers[9] = id;
        Thread { id, exit_code: 0, exited: false, cpu }
    };
    let mut stack: Vec<Thread> = (1..active).map(thread).collect();
    stack.extend((active > 0).then_some(running));
    let beside = (20..20 + other).map(thread).collect();
    let r = &mut case.registers;
    (r.processor.left, r.processor.right) =
        if traverse_right { (beside, stack) } else { (stack, beside) };
    r.processor.traverse_right = traverse_right;
    r.processor.next_thread_id = 40;
    case
}

/// The running thread goes to the other stack; an empty stack turns the direction.
fn preempted(mut case: Case) -> Case {
    let r = &mut case.registers;
    let (from, to) = if r.processor.traverse_right {
        (&mut r.processor.right, &mut r.processor.left)
    } else {
        (&mut r.processor.left, &mut r.processor.right)
    };
    to.extend(from.pop());
    r.processor.traverse_right ^= from.is_empty();
    r.processor.steps_since_switch = 0;
    case
}

pub fn exit(row: &Row, version: StateVersion) -> Vec<Scenario> {
    [true, false]
        .map(|traverse_right| {
            let call = calling(version, 5058, &[3]);
            let before = with_threads(call, row.word("threadCount"), 0, traverse_right);
            let mut after = before.clone();
            after.registers.step += 1;
            after.registers.processor.steps_since_switch += 1;
            after.thread().exited = true;
            after.thread().exit_code = 3;
            if row.is("shouldExitGlobally") {
                after.registers.exited = true;
                after.registers.exit_code = 3;
            }
            Scenario { before, after: After::State(Box::new(after)) }
        })
        .into()
}

pub fn pop(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let case = executing(version, 0x40, 0);
    let (active, right) = (row.word("activeStackThreadCount"), row.is("traverseRight"));
    let mut before = with_threads(case, active, 1, right);
    before.thread().exited = true;
    before.thread().exit_code = 1;
    let mut after = before.clone();
    after.registers.processor.active_stack_mut().pop();
    after.registers.step += 1;
    after.registers.processor.steps_since_switch = 0;
    after.registers.processor.traverse_right = row.is("expectTraverseRightPostState");
    vec![Scenario { before, after: After::State(Box::new(after)) }]
}

/// `sched_yield` and `nanosleep`.
pub fn yields(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let of = |number: u64, traverse_right: bool| {
        let call = calling(version, number, &[]);
        let (active, other) = (row.word("activeThreads"), row.word("inactiveThreads"));
        let before = with_threads(call, active, other, traverse_right);
        let mut after = advanced(&before);
        *after.register(2) = 0;
        *after.register(7) = 0;
        Scenario { before, after: After::State(Box::new(preempted(after))) }
    };
    vec![of(5023, true), of(5023, false), of(5034, true), of(5034, false)]
}

pub fn empty(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let case = executing(version, 0x40, 0);
    let before = with_threads(case, 0, row.word("otherStackSize"), row.is("traverseRight"));
    let no_thread = |error: &StepError| matches!(error, StepError::Fault(Fault::NoThread));
    vec![Scenario { before, after: After::Fault(no_thread) }]
}

pub fn quantum(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let names = [
        ("exec.SchedQuantum - 1", QUANTUM - 1),
        ("exec.SchedQuantum", QUANTUM),
        ("exec.SchedQuantum + 1", QUANTUM + 1),
    ];
    assert_eq!(QUANTUM, 100_000);
    let mut before = with_threads(calling(version, 5178, &[]), 1, 2, false);
    before.registers.processor.steps_since_switch =
        row.word_or("stepsSinceLastContextSwitch", &names);
    let after = if row.is("shouldPreempt") {
        let mut after = preempted(before.clone());
        after.registers.step += 1;
        after
    } else {
        let mut after = advanced(&before);
        *after.register(2) = 0; // the id of the running thread
        *after.register(7) = 0;
        after
    };
    vec![Scenario { before, after: After::State(Box::new(after)) }]
}

/// The row is about a packed state and its hash; that a step leaves an exited state alone comes on top.
pub fn encode_witness(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let mut case = executing(version, 0x40, 0);
    case.registers.exited = row.is("exited");
    case.registers.exit_code = row.word("exitCode") as u8;
    let mut state = case.state();
    let witness = state.witness().0;
    assert_eq!((witness[97], witness[98]), (case.registers.exit_code, row.is("exited").into()));
    // 0 valid, 1 invalid, 2 panic, 3 unfinished.
    let status = if row.is("exited") { row.word("exitCode").min(2) as u8 } else { 3 };
    assert_eq!(state.hash()[0], status, "{row}");
    let after = if row.is("exited") { case.clone() } else { advanced(&case) };
    vec![Scenario { before: case, after: After::State(Box::new(after)) }]
}
