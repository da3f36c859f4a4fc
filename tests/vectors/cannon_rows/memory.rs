//! Rows of loads, stores and reservations.

use crate::row::Row;
use crate::{After, Scenario, advanced, executing, sign_extended};
use rebut_fpvm::mips::threads::{Reservation, ReservationStatus};
use rebut_fpvm::{Arch, StateVersion, Version};
use rebut_tests::{Case, Mips};

fn scenario<A: Mips>(before: Case<A>, change: impl FnOnce(&mut Case<A>)) -> Scenario<A> {
    let mut after = advanced(&before);
    change(&mut after);
    Scenario { before, after: After::State(Box::new(after)) }
}

/// `opcode $8, imm($9)`
fn access<N: Version<Vm: Mips>>(
    version: N,
    opcode: u32,
    imm: u32,
    base: u64,
    rt: u64,
) -> Case<N::Vm> {
    let mut case = executing(version, 0, opcode << 26 | 9 << 21 | 8 << 16 | imm);
    *case.register(9) = N::Vm::extend(base);
    *case.register(8) = N::Vm::extend(rt);
    case
}

/// Parts of a doubleword, by instructions of that width.
pub fn load_sub_word(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let opcode = match (row.word("byteLength"), row.is("signExtend")) {
        (8, _) => 0x37,
        (4, true) => 0x23,
        (4, false) => 0x27,
        (2, true) => 0x21,
        (2, false) => 0x25,
        (1, true) => 0x20,
        (1, false) => 0x24,
        (length, _) => panic!("{length} bytes"),
    };
    // The instruction must not stand where the data is.
    let address = row.word("addr");
    let mut before = executing(version, 0x9000, opcode << 26 | 9 << 21 | 8 << 16);
    *before.register(9) = address;
    before.dword(address & !7, row.word_or("memVal", &[("memVal", 0x1234_5678_9876_5432)]));
    vec![scenario(before, |after| *after.register(8) = row.word("expectedValue"))]
}

/// Parts of a doubleword that is all ones before.
pub fn store_sub_word(row: &Row, version: StateVersion) -> Vec<Scenario> {
    const VALUE: u64 = 0x1234_5678_9876_5432;
    let opcode = match row.word("byteLength") {
        8 => 0x3f,
        4 => 0x2b,
        2 => 0x29,
        1 => 0x28,
        length => panic!("{length} bytes"),
    };
    let address = row.word("addr");
    let mut before = executing(version, 0x9000, opcode << 26 | 9 << 21 | 8 << 16);
    *before.register(9) = address;
    *before.register(8) = VALUE;
    before.dword(address & !7, u64::MAX);
    let want = row.word_or("expectedValue", &[("value", VALUE)]);
    vec![scenario(before, |after| after.dword(address & !7, want))]
}

pub fn load_store(row: &Row, version: StateVersion) -> Vec<Scenario> {
    const BASE: u64 = 0xff00_0000_0000_0108;
    let (opcode, imm) = (row.bits("opcode"), row.bits("imm"));
    let mut before = access(version, opcode, imm, BASE, row.word_or_zero("rt"));
    let address = (BASE + u64::from(imm)) & !7;
    before.dword(address, row.word("memVal"));
    vec![scenario(before, |after| {
        if row.has("expectMemVal") {
            after.dword(address, row.word("expectMemVal"));
        } else {
            *after.register(8) = row.word("expectRes");
        }
    })]
}

/// Rows of the 32-bit machine: memory words are halves of doublewords here, results sign-extended,
/// except that `lwr` of less than a word keeps the upper half of its register.
pub fn load_store32<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    let names =
        [("loadMemVal", 0x1122_3344), ("loadMemValNeg", 0xf1f2_f3f4), ("rtVal", 0xaabb_ccdd)];
    let (opcode, imm) = (row.bits("opcode"), row.bits("imm"));
    let rt = if row.has("rt") { row.word_or("rt", &names) } else { 0 };
    let mut before = access(version, opcode, imm, row.word("base"), rt);
    let address = (row.word("base") + u64::from(imm)) & !3;
    let word = |value: u64| (value as u32).to_be_bytes().to_vec();
    if row.has("memVal") {
        before.memory.push((address, word(row.word_or("memVal", &names))));
    }
    vec![scenario(before, |after| {
        if row.has("expectMemVal") {
            after.memory.push((address, word(row.word_or("expectMemVal", &names))));
        } else {
            let result = row.word_or("expectRes", &names);
            let partial_lwr = opcode == 0x26;
            *after.register(8) =
                if partial_lwr { N::Vm::extend(result) } else { sign_extended(result) };
        }
    })]
}

const MEM: u64 = 0x1122_3344_5566_7788;
const MEM_NEGATIVE: u64 = 0xf122_3344_f566_7788;

/// `ll` or `lld` with base $6, without and with a reservation of another thread.
fn linked(
    row: &Row,
    before: Case,
    address: u64,
    status: ReservationStatus,
    result: u64,
) -> Vec<Scenario> {
    let register = if row.has("retReg") { "retReg" } else { "rtReg" };
    let register = row.word(register) as usize;
    let other = Reservation { status, address: address.wrapping_add(1), owner: 123 };
    [Reservation::default(), other]
        .map(|reservation| {
            let mut before = before.clone();
            before.registers.processor.reservation = reservation;
            scenario(before, |after| {
                after.registers.processor.reservation = Reservation { status, address, owner: 0 };
                if register != 0 {
                    *after.register(register) = result;
                }
            })
        })
        .into()
}

fn with_base_6(row: &Row, version: StateVersion, opcode: u32, register: u64) -> Case {
    let word = opcode << 26 | 6 << 21 | (register as u32) << 16 | row.bits("offset") & 0xffff;
    let mut case = executing(version, 0x40, word);
    *case.register(6) = row.word("base");
    case
}

pub fn load_linked(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let wide = row.test() == "TestEVM_MT64_LLD";
    let opcode = if wide { 0x34 } else { 0x30 };
    let mut before = with_base_6(row, version, opcode, row.word("retReg"));
    let address = row.word("addr");
    let value = row.word_or("memVal", &[("memVal", MEM), ("memValNeg", MEM_NEGATIVE)]);
    before.dword(address & !7, value);
    let (status, result) = if wide {
        (ReservationStatus::Doubleword, value)
    } else {
        (ReservationStatus::Word, row.word("retVal"))
    };
    linked(row, before, address, status, result)
}

/// Rows in which memory is one 32-bit word.
pub fn load_linked32(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let mut before = with_base_6(row, version, 0x30, row.word("rtReg"));
    let address = row.word("expectedAddr");
    let names = [
        ("posValue", 0x1122_3344),
        ("negValue", 0x8877_6655),
        ("posValueRet", 0x1122_3344),
        ("negRetValue", 0xffff_ffff_8877_6655),
    ];
    let value = row.word_or("memValue", &names) as u32;
    before.memory.push((address & !3, value.to_be_bytes().to_vec()));
    let result = row.word_or("retVal", &names);
    linked(row, before, address, ReservationStatus::Word, result)
}

fn status(row: &Row) -> ReservationStatus {
    match row.text("llReservationStatus") {
        Some("multithreaded.LLStatusNone") => ReservationStatus::None,
        Some("multithreaded.LLStatusActive32bit") => ReservationStatus::Word,
        Some("multithreaded.LLStatusActive64bit") => ReservationStatus::Doubleword,
        other => panic!("{row}: {other:?}"),
    }
}

/// The tables of `sc` and `scd` are crossed: some rows are reservations, the others addresses. Each of
/// the former meets one address here, each of the latter every reservation.
pub fn store_conditional(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let wide = row.test() == "TestEVM_MT64_SCD";
    let own = if wide { ReservationStatus::Doubleword } else { ReservationStatus::Word };
    let mut all = Vec::new();
    if row.has("llReservationStatus") {
        let word = (if wide { 0x3c } else { 0x38 }) << 26 | 6 << 21 | 5 << 16 | 0x133;
        let mut case = executing(version, 0x40, word);
        *case.register(6) = 1;
        let address = 0x134;
        let reservation = Reservation {
            status: status(row),
            address: if row.is("matchAddr") { address } else { address + 1 },
            owner: if row.is("matchThreadId") { 4 } else { 5 },
        };
        all.push((case, address, 5, reservation, row.is("shouldSucceed"), 0xaabb_ccdd));
    } else {
        let opcode = if wide { 0x3c } else { 0x38 };
        let register = row.word("rtReg") as usize;
        let case = with_base_6(row, version, opcode, row.word("rtReg"));
        let field = if row.test() == "TestEVM_MT_SC" { "expectedAddr" } else { "addr" };
        let address = row.word_or_zero(field);
        let value = match (wide, row.has("value")) {
            (true, _) => MEM,
            (false, true) => row.word("value"),
            (false, false) => row.word("storeValue"),
        };
        let owner = row.word("threadId");
        let held = Reservation { status: own, address, owner };
        all.push((case.clone(), address, register, held, true, value));
        let others = [
            Reservation { owner: owner + 1, ..held },
            Reservation { address: address + 1, ..held },
            Reservation { status: ReservationStatus::None, ..held },
        ];
        all.extend(others.map(|r| (case.clone(), address, register, r, false, value)));
    }
    let id = if row.has("threadId") { row.word("threadId") } else { 4 };
    all.into_iter()
        .map(|(mut before, address, register, reservation, succeeds, value)| {
            before.thread().id = id;
            before.dword(address & !7, 0);
            // Register 0 holds nothing to store.
            let value = if register == 0 { 0 } else { value };
            *before.register(register) = value;
            before.registers.processor.reservation = reservation;
            scenario(before, |after| {
                if succeeds {
                    after.registers.processor.reservation = Reservation::default();
                    let bytes = value.to_be_bytes();
                    let stored = if wide { &bytes[..] } else { &bytes[4..] };
                    let at = if wide { address & !7 } else { address & !3 };
                    after.memory.push((at, stored.to_vec()));
                    check_recorded_memory(row, after, address, value);
                }
                if register != 0 {
                    *after.register(register) = succeeds.into();
                }
            })
        })
        .collect()
}

/// Where the row says what memory holds after a store, it is what the scenario says.
fn check_recorded_memory(row: &Row, after: &Case, address: u64, value: u64) {
    if row.has("expectedMemVal") && value != 0 {
        let found = after.state().memory.load_u64(address & !7);
        assert_eq!(found, row.word("expectedMemVal"), "{row}");
    }
}

/// A reservation row meets every store, a store row a reservation that it clears.
pub fn stores_clear(row: &Row, version: StateVersion) -> Vec<Scenario> {
    // sb, sh, swl, sw, swr at 4 bytes behind the base, with $5 = 0x12345678 over ones.
    let stores: [(u32, u32); 5] = [
        (0x28, 0x78ff_ffff),
        (0x29, 0x5678_ffff),
        (0x2a, 0x1234_5678),
        (0x2b, 0x1234_5678),
        (0x2e, 0x78ff_ffff),
    ];
    let address = 0xff00_000c;
    let of = |opcode: u32, want: u32, reservation: Reservation, clears: bool| {
        let mut before = executing(version, 0x40, opcode << 26 | 6 << 21 | 5 << 16 | 8);
        *before.register(6) = 0xff00_0004;
        *before.register(5) = 0x1234_5678;
        before.memory.push((address, vec![0xff; 4]));
        before.registers.processor.reservation = reservation;
        scenario(before, |after| {
            after.memory.push((address, want.to_be_bytes().to_vec()));
            if clears {
                after.registers.processor.reservation = Reservation::default();
            }
        })
    };
    if row.has("llReservationStatus") {
        let reservation = Reservation {
            status: status(row),
            address: address + row.word_or_zero("effAddrOffset"),
            owner: if row.is("matchThreadId") { 0 } else { 1 },
        };
        let clears = row.is("shouldClearReservation");
        return stores.map(|(opcode, want)| of(opcode, want, reservation, clears)).into();
    }
    let binary = row.text("opcode").and_then(|text| text.strip_prefix("0b")).unwrap_or_default();
    let opcode = u32::from_str_radix(&binary.replace('_', ""), 2)
        .unwrap_or_else(|error| panic!("{row}: {error}"));
    assert_eq!((row.word("effAddr"), row.word("preMem")), (address, 0xffff_ffff));
    let held = Reservation { status: ReservationStatus::Word, address, owner: 0 };
    vec![of(opcode, row.word("postMem") as u32, held, true)]
}

pub fn status_of(row: &Row) -> ReservationStatus {
    status(row)
}
