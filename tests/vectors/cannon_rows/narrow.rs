//! Rows of the 32-bit machine: those of its own tests, and those of tests that both machines have.

use crate::kernel::{answered, key};
use crate::row::{self, Row};
use crate::{After, Scenario, advanced, calling, check, executing, instructions, kernel, memory};
use alloy_primitives::{B256, b256, keccak256};
use rebut_fpvm::{Arch, Mips32, State, StateVersion32, StepError};
use rebut_tests::{Case, Engines, Mips};

type Scenarios = Vec<Scenario<Mips32>>;
type Read = fn(&Row, StateVersion32) -> Scenarios;

/// Test, rows, what is done with them on both versions and all engines.
const KINDS: &[(&str, usize, Read)] = &[
    ("TestLoadSubWord_32bits", 18, load_sub_word),
    ("TestStoreSubWord_32bits", 12, store_sub_word),
    ("TestEVM_LL", 5, load_linked),
    ("TestEVM_SC", 5, store_conditional),
    ("TestEVM_SysRead_Preimage", 16, read_preimage),
    ("TestEVMSingleStep_Operators", 16, instructions::operators32),
    ("TestEVMSingleStepBranch", 33, instructions::branches32),
    ("TestEVMSingleStep_Jump", 4, instructions::jumps),
    ("TestEVMSingleStep_MulDiv", 7, instructions::products),
    ("TestEVMSingleStep_MovzMovn", 2, instructions::moves),
    ("TestEVMSingleStep_LoadStore", 35, memory::load_store32),
    ("TestEVM_MMap", 9, kernel::mmap),
];

/// Root of 27 levels over zeros.
const EMPTY_MEMORY: B256 =
    b256!("0x838c5655cb21c6cb83313b5a631175dff4963772cce9108188b34ac87c81c41e");

/// Rows about the state hash alone.
const STATE_HASHES: (&str, usize) = ("TestStateHash", 8);

pub fn check_rows() {
    let Some(folder) = rebut_recordings::path("vm-vectors") else { return };
    let rows = row::read(&folder.join("go_table_cases.json"));
    let of = |test: &str| rows.iter().filter(|row| row.test() == test).collect::<Vec<_>>();
    let mut engines = Engines::<Mips32>::new();
    let mut ran = 0;
    for (test, count, scenarios) in KINDS {
        let rows = of(test);
        assert_eq!(rows.len(), *count, "{test}");
        for row in &rows {
            for version in StateVersion32::ALL {
                let all = scenarios(row, version);
                assert!(!all.is_empty(), "{row}");
                for (i, scenario) in all.iter().enumerate() {
                    let name = format!("{row} (variation {i}, version {})", version.number());
                    check(&mut engines, &name, scenario);
                }
            }
        }
        ran += rows.len();
    }
    let rows = of(STATE_HASHES.0);
    assert_eq!(rows.len(), STATE_HASHES.1);
    rows.iter().for_each(|row| state_hash(row));
    println!("{} rows ran ({} scenarios)", ran + rows.len(), engines.taken + engines.refused);
}

fn scenario(before: Case<Mips32>, change: impl FnOnce(&mut Case<Mips32>)) -> Scenarios {
    let mut after = advanced(&before);
    change(&mut after);
    vec![Scenario { before, after: After::State(Box::new(after)) }]
}

fn bytes(word: u64) -> Vec<u8> {
    (word as u32).to_be_bytes().to_vec()
}

/// `opcode $8, 0($9)`, not where the data is.
fn access(version: StateVersion32, opcode: u32, address: u64) -> Case<Mips32> {
    let mut case = executing(version, 0x9000, opcode << 26 | 9 << 21 | 8 << 16);
    *case.register(9) = Mips32::extend(address);
    case
}

fn load_sub_word(row: &Row, version: StateVersion32) -> Scenarios {
    let opcode = match (row.word("byteLength"), row.is("signExtend")) {
        (4, _) => 0x23,
        (2, true) => 0x21,
        (2, false) => 0x25,
        (1, true) => 0x20,
        (1, false) => 0x24,
        (length, _) => panic!("{length} bytes"),
    };
    let address = row.word("addr");
    let mut before = access(version, opcode, address);
    before.memory.push((address & !3, bytes(row.word("memVal"))));
    scenario(before, |after| *after.register(8) = Mips32::extend(row.word("expectedValue")))
}

/// Parts of a word that is all ones before.
fn store_sub_word(row: &Row, version: StateVersion32) -> Scenarios {
    let opcode = match row.word("byteLength") {
        4 => 0x2b,
        2 => 0x29,
        1 => 0x28,
        length => panic!("{length} bytes"),
    };
    let address = row.word("addr");
    let mut before = access(version, opcode, address);
    *before.register(8) = 0x1234_5678;
    before.memory.push((address & !3, vec![0xff; 4]));
    let want = bytes(row.word_or("expectedValue", &[("value", 0x1234_5678)]));
    scenario(before, |after| after.memory.push((address & !3, want)))
}

/// `opcode rt, offset($6)`
fn linked(row: &Row, version: StateVersion32, opcode: u32) -> Case<Mips32> {
    let word = opcode << 26 | 6 << 21 | row.bits("rtReg") << 16 | row.bits("offset");
    let mut case = executing(version, 0x40, word);
    *case.register(6) = Mips32::extend(row.word("base"));
    case
}

fn load_linked(row: &Row, version: StateVersion32) -> Scenarios {
    let mut before = linked(row, version, 0x30);
    before.memory.push((row.word("effAddr"), bytes(row.word("value"))));
    scenario(before, |after| match row.word("rtReg") as usize {
        0 => {}
        register => *after.register(register) = Mips32::extend(row.word("value")),
    })
}

/// Always stores; register 0 holds nothing to store.
fn store_conditional(row: &Row, version: StateVersion32) -> Scenarios {
    let mut before = linked(row, version, 0x38);
    let register = row.word("rtReg") as usize;
    let value = if register == 0 { 0 } else { row.word("value") };
    *before.register(register) = Mips32::extend(value);
    before.memory.push((row.word("effAddr"), vec![0xee; 4]));
    scenario(before, |after| {
        after.memory.push((row.word("effAddr"), bytes(value)));
        if register != 0 {
            *after.register(register) = 1;
        }
    })
}

fn read_preimage(row: &Row, version: StateVersion32) -> Scenarios {
    let (address, length) = (row.word("addr"), row.word("writeLen"));
    let mut before = calling(version, Mips32::READ, &[5, address, row.word("count")]);
    before.registers.preimage_key = key();
    before.registers.preimage_offset = row.word("preimageOffset");
    before.memory.push((address & !3, bytes(row.word("prestateMem"))));
    if row.is("shouldPanic") {
        let beyond = |error: &StepError| matches!(error, StepError::PreimageEnd { .. });
        return vec![Scenario { before, after: After::Fault(beyond) }];
    }
    vec![answered(before, length, |after| {
        after.memory.push((address & !3, bytes(row.word("postateMem"))));
        after.registers.preimage_offset += length;
    })]
}

/// The state of these rows is empty but for what they say, the next pc included.
fn state_hash(row: &Row) {
    let (exited, exit_code) = (row.is("exited"), row.word("exitCode") as u8);
    let mut state = State::at(StateVersion32::V2, 0);
    state.registers.processor.next_pc = 0;
    state.registers.exited = exited;
    state.registers.exit_code = exit_code;

    let mut packed = [0; 226];
    packed[..32].copy_from_slice(EMPTY_MEMORY.as_slice());
    packed[88..90].copy_from_slice(&[exit_code, exited.into()]);
    let mut want = keccak256(packed);
    want[0] = if exited { exit_code.min(2) } else { 3 };
    assert_eq!(state.hash(), want, "{row}");
}
