//! Table cases of the deployed machine's own tests, recorded in late 2024.
//!
//! A row gives operands and results; the name of its test says in which state the instruction stands.
//! Every row either runs here on both versions and all engines, or belongs to a kind that is skipped
//! for a reason given in [`KINDS`]. The counts are part of the table: no row is lost in silence.

mod instructions;
mod kernel;
mod memory;
mod narrow;
mod row;
mod threads;

use rebut_fpvm::mips::threads::Reservation;
use rebut_fpvm::{Arch, Mips64, StateVersion, StepError, Version};
use rebut_tests::verdict::{Step, machine};
use rebut_tests::{Case, Engines, Mips};
use row::Row;
use std::collections::BTreeMap;

/// What a row says: a state, and what one step makes of it.
struct Scenario<A: Mips = Mips64> {
    before: Case<A>,
    after: After<A>,
}

enum After<A: Mips = Mips64> {
    /// It is taken, to this state.
    State(Box<Case<A>>),
    /// It is refused, for this reason.
    Fault(fn(&StepError) -> bool),
}

/// What to do with the rows of a test: run them in every variation, or skip them.
enum Kind {
    Run(fn(&Row, StateVersion) -> Vec<Scenario>),
    /// Rows that the function finds no scenario for are skipped, for this reason.
    Some(fn(&Row, StateVersion) -> Vec<Scenario>, &'static str),
    Skip(&'static str),
}

use Kind::{Run, Skip};

const FUTEX: &str = "futexes only yield since version 6: no waiting, no wake-up traversal";
const NARROW: &str = "of the 32-bit machine alone, where they run: see narrow.rs";

/// Test, rows, rows that are skipped, what is done.
const KINDS: &[(&str, usize, usize, Kind)] = &[
    ("TestLoadSubWord_32bits", 18, 18, Skip(NARROW)),
    ("TestStoreSubWord_32bits", 12, 12, Skip(NARROW)),
    ("TestLoadSubWord_64bits", 24, 0, Run(memory::load_sub_word)),
    ("TestStoreSubWord_64bits", 17, 0, Run(memory::store_sub_word)),
    ("TestInstrumentedState_Alloc", 3, 3, Skip("measures the memory of a whole Go program")),
    ("TestState_EncodeWitness", 8, 0, Run(threads::encode_witness)),
    ("TestValidate_shouldCatchMutations", 19, 19, Skip("tests the test harness of its authors")),
    ("TestStateHash", 8, 8, Skip(NARROW)),
    ("TestEVMSingleStep_Operators64", 57, 0, Run(instructions::operators)),
    ("TestEVMSingleStep_Shift", 31, 0, Run(instructions::shifts)),
    ("TestEVMSingleStep_LoadStore64", 172, 0, Run(memory::load_store)),
    ("TestEVMSingleStep_DivMult", 52, 0, Run(instructions::products)),
    ("TestEVMSingleStepBranch64", 33, 0, Run(instructions::branches)),
    ("TestEVMSingleStep_Jump", 4, 0, Run(instructions::jumps)),
    ("TestEVMSingleStep_Operators", 16, 0, Run(instructions::operators32)),
    ("TestEVMSingleStep_LoadStore", 35, 0, Run(memory::load_store32)),
    ("TestEVMSingleStep_MovzMovn", 2, 0, Run(instructions::moves)),
    ("TestEVMSingleStep_MfhiMflo", 2, 0, Run(instructions::from_hi_lo)),
    ("TestEVMSingleStep_MulDiv", 7, 0, Run(instructions::products)),
    ("TestEVMSingleStep_MthiMtlo", 2, 0, Run(instructions::to_hi_lo)),
    ("TestEVM_MMap", 9, 0, Run(kernel::mmap)),
    ("TestEVMSingleStepBranch", 33, 0, Run(instructions::branches32)),
    ("TestEVM_MT64_LL", 11, 0, Run(memory::load_linked)),
    ("TestEVM_MT64_SC", 16, 0, Run(memory::store_conditional)),
    ("TestEVM_MT64_LLD", 12, 0, Run(memory::load_linked)),
    ("TestEVM_MT64_SCD", 18, 0, Run(memory::store_conditional)),
    ("TestEVM_MT_LL", 6, 0, Run(memory::load_linked32)),
    ("TestEVM_MT_SC", 11, 0, Run(memory::store_conditional)),
    (
        "TestEVM_MT_SysRead_Preimage",
        23,
        2,
        Kind::Some(kernel::read_preimage, "a word of 4 bytes cuts the transfer"),
    ),
    ("TestEVM_MT_StoreOpsClearMemReservation", 14, 0, Run(memory::stores_clear)),
    ("TestEVM_SysExit", 3, 0, Run(threads::exit)),
    ("TestEVM_PopExitedThread", 4, 0, Run(threads::pop)),
    ("TestEVM_SysFutex_WaitPrivate", 8, 8, Skip(FUTEX)),
    ("TestEVM_SysFutex_WakePrivate", 12, 12, Skip(FUTEX)),
    ("runPreemptSyscall", 4, 0, Run(threads::yields)),
    ("testEVM_SysClockGettime", 11, 0, Run(kernel::clock)),
    ("TestEVM_EmptyThreadStacks", 4, 0, Run(threads::empty)),
    ("TestEVM_NormalTraversalStep_HandleWaitingThread", 14, 14, Skip(FUTEX)),
    ("TestEVM_WakeupTraversalStep", 21, 21, Skip(FUTEX)),
    ("TestEVM_WakeupTraversal_WithExitedThreads", 5, 5, Skip(FUTEX)),
    ("TestEVM_SchedQuantumThreshold", 3, 0, Run(threads::quantum)),
    ("TestEVM_LL", 5, 5, Skip(NARROW)),
    ("TestEVM_SC", 5, 5, Skip(NARROW)),
    ("TestEVM_SysRead_Preimage", 16, 16, Skip(NARROW)),
    ("TestTraceIndex", 32, 32, Skip("positions in the game tree, no steps")),
    ("TestRelativeToAncestorAtDepth", 45, 45, Skip("positions in the game tree, no steps")),
];

/// Rows of the recording, and those among them that are about a machine.
const ROWS: usize = 867;
const MACHINE_ROWS: usize = 790;

fn check<A: Mips>(engines: &mut Engines<A>, name: &str, scenario: &Scenario<A>) {
    let step = engines.check(name, &scenario.before);
    let mut plain = machine(scenario.before.state());
    match (&scenario.after, plain.step()) {
        (After::State(after), Ok(())) => {
            assert_eq!(step, Step::Taken);
            assert_eq!(*plain.registers(), after.registers, "{name}");
            assert_eq!(plain.witness(), after.state().witness(), "{name}: memory differs");
        }
        (After::Fault(is_it), Err(error)) => {
            assert_eq!(step, Step::Refused);
            assert!(is_it(&error), "{name}: refused, but because of this: {error}");
        }
        (After::State(_), Err(error)) => panic!("{name}: {error}"),
        (After::Fault(_), Ok(())) => panic!("{name}: should be refused"),
    }
}

#[test]
fn rows_of_32_bits_hold_on_every_engine() {
    narrow::check_rows();
}

#[test]
fn rows_hold_on_every_engine() {
    let Some(folder) = rebut_recordings::path("vm-vectors") else { return };
    let rows = row::read(&folder.join("go_table_cases.json"));
    assert_eq!(rows.len(), ROWS);
    let games = rows.iter().filter(|row| row.file().contains("/op-challenger/")).count();
    assert_eq!(rows.len() - games, MACHINE_ROWS);

    let mut by_test: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        by_test.entry(row.test()).or_default().push(row);
    }
    let mut engines = Engines::new();
    let (mut ran, mut skipped) = (0, 0);
    for (test, count, expected_skips, kind) in KINDS {
        let rows = by_test.remove(test).unwrap_or_default();
        assert_eq!(rows.len(), *count, "{test}");
        let mut skips = 0;
        for row in &rows {
            skips += usize::from(!run(&mut engines, kind, row));
        }
        if let Skip(reason) | Kind::Some(_, reason) = kind {
            println!("skipped {skips} of {count} rows of {test}: {reason}");
        }
        assert_eq!(skips, *expected_skips, "{test}");
        skipped += skips;
        ran += count - skips;
    }
    assert!(by_test.is_empty(), "tests without a kind: {:?}", by_test.keys());
    println!(
        "{ran} rows ran ({} scenarios), {skipped} are skipped",
        engines.taken + engines.refused
    );
}

/// Runs all scenarios of a row; false when it has none.
fn run(engines: &mut Engines, kind: &Kind, row: &Row) -> bool {
    let (Run(scenarios) | Kind::Some(scenarios, _)) = kind else { return false };
    let mut any = false;
    for version in StateVersion::ALL {
        for (i, scenario) in scenarios(row, version).iter().enumerate() {
            let name = format!("{row} (variation {i}, version {})", version.number());
            check(engines, &name, scenario);
            any = true;
        }
    }
    any
}

/// The state of `before` one instruction later, in which only the instruction's own effects are missing.
fn advanced<A: Mips>(before: &Case<A>) -> Case<A> {
    let mut after = before.clone();
    after.registers.step += 1;
    A::count_step(&mut after);
    let cpu = after.cpu();
    cpu.pc = cpu.next_pc;
    cpu.next_pc = A::wrap(cpu.next_pc.wrapping_add(4));
    after
}

/// One thread at `pc` that executes `word`, in the middle of a run.
fn executing<N: Version<Vm: Mips>>(version: N, pc: u64, word: u32) -> Case<N::Vm> {
    let mut case = Case::<N::Vm>::at(version, pc);
    case.registers.step = 4_321_000;
    N::Vm::fill(&mut case);
    N::Vm::hold(&mut case, Reservation::default());
    case.instruction(pc, word);
    case
}

/// One thread that makes a system call.
fn calling<N: Version<Vm: Mips>>(version: N, number: u64, arguments: &[u64]) -> Case<N::Vm> {
    let mut case = executing(version, 0x40, 0x0000_000c);
    *case.register(2) = number;
    for (register, argument) in (4..).zip(arguments) {
        *case.register(register) = N::Vm::extend(*argument);
    }
    case
}

fn sign_extended(value: u64) -> u64 {
    value as i32 as u64
}
