//! Rows of system calls that move data or hand out memory.

use crate::memory::status_of;
use crate::row::Row;
use crate::{After, Scenario, advanced, calling};
use alloy_primitives::{B256, keccak256};
use rebut_fpvm::kernel::Errno;
use rebut_fpvm::mips::threads::{Reservation, ReservationStatus};
use rebut_fpvm::{Arch, StateVersion, StepError, Version, Vm};
use rebut_tests::preimages::RECORDED;
use rebut_tests::{Case, Mips};

const PAGE: u64 = 4096;

pub fn answered<A: Mips>(
    before: Case<A>,
    answer: u64,
    change: impl FnOnce(&mut Case<A>),
) -> Scenario<A> {
    let mut after = advanced(&before);
    *after.register(2) = A::extend(answer);
    *after.register(7) = 0;
    change(&mut after);
    Scenario { before, after: After::State(Box::new(after)) }
}

/// Where a refusal puts its number differs between the machines.
pub fn mmap<N: Version<Vm: Mips>>(row: &Row, version: N) -> Vec<Scenario<N::Vm>> {
    let (start, end) = (N::Vm::HEAP_START, N::Vm::HEAP_END);
    let ones = N::Vm::ADDRESSES.last_address();
    let names = [
        ("program.HEAP_START", start),
        ("program.HEAP_END", end),
        ("program.HEAP_END - memory.PageSize", end - PAGE),
        ("program.HEAP_END - 2*memory.PageSize", end - 2 * PAGE),
        ("^arch.Word(0) - program.HEAP_START + 1", ones - start + 1),
        ("^arch.Word(0) - program.HEAP_START - memory.PageSize + 1", ones - start - PAGE + 1),
        ("^arch.Word(0) & ^arch.Word(memory.PageAddrMask)", ones & !(PAGE - 1)),
    ];
    let (address, size) = (row.word("address"), row.word_or("size", &names));
    let heap = row.word_or("heap", &names);
    let mut before = calling(version, N::Vm::MMAP, &[address, size]);
    before.registers.heap = heap;
    if row.is("shouldFail") {
        let (answer, error) = N::Vm::error(Errno::EINVAL);
        return vec![answered(before, answer, |after| *after.register(7) = error)];
    }
    let answer = if address == 0 { heap } else { address };
    let heap = row.word_or("expectedHeap", &names);
    vec![answered(before, answer, |after| after.registers.heap = heap)]
}

/// The preimage of these rows.
pub fn key() -> B256 {
    let mut key = keccak256(RECORDED);
    key[0] = 2;
    key
}

/// Rows that read are run with a reservation elsewhere; rows that are reservations with one read.
pub fn read_preimage(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let read = |address, count| {
        let mut before = calling(version, 5000, &[5, address, count]);
        before.registers.preimage_key = key();
        before
    };
    if row.has("llReservationStatus") {
        let address = 0xff00;
        let mut before = read(address, 1);
        before.memory.push((address, vec![0xff; 4]));
        before.registers.preimage_offset = 8;
        before.registers.processor.reservation = Reservation {
            status: status_of(row),
            address: address + row.word_or_zero("effAddrOffset"),
            owner: if row.is("matchThreadId") { 0 } else { 1 },
        };
        let clears = row.is("shouldClearReservation");
        return vec![answered(before, 1, |after| {
            after.memory.push((address, vec![RECORDED[0]]));
            after.registers.preimage_offset += 1;
            if clears {
                after.registers.processor.reservation = Reservation::default();
            }
        })];
    }
    let (address, count, offset) =
        (row.word("addr"), row.word("count"), row.word("preimageOffset"));
    if count > 4 {
        return Vec::new();
    }
    let mut before = read(address, count);
    let word = |field| (row.word(field) as u32).to_be_bytes().to_vec();
    before.memory.push((address & !3, word("prestateMem")));
    before.registers.preimage_offset = offset;
    let elsewhere = Reservation { status: ReservationStatus::Word, address: 0x8000, owner: 0 };
    before.registers.processor.reservation = elsewhere;
    if row.is("shouldPanic") {
        let beyond = |error: &StepError| matches!(error, StepError::PreimageEnd { .. });
        return vec![Scenario { before, after: After::Fault(beyond) }];
    }
    vec![answered(before, row.word("writeLen"), |after| {
        after.memory.push((address & !3, word("postateMem")));
        after.registers.preimage_offset += row.word("writeLen");
    })]
}

/// Both clocks, aligned and not. The doublewords of the time begin at 0x1000.
pub fn clock(row: &Row, version: StateVersion) -> Vec<Scenario> {
    let of = |clock: u64, address: u64| {
        let mut before = calling(version, 5222, &[clock, address]);
        before.registers.step = 31_234_566;
        before.registers.processor.reservation = Reservation {
            status: status_of(row),
            address: match (row.is("matchEffAddr"), row.is("matchEffAddr2")) {
                (true, _) => 0x1000,
                (_, true) => 0x1008,
                _ => 0x1010,
            },
            owner: if row.is("matchThreadId") { 0 } else { 1 },
        };
        // Step 31,234,567 at ten million steps a second.
        let (seconds, nanoseconds) = if clock == 1 { (3, 123_456_700) } else { (0, 0) };
        let clears = row.is("shouldClearReservation");
        answered(before, 0, |after| {
            after.dword(0x1000, seconds);
            after.dword(0x1008, nanoseconds);
            if clears {
                after.registers.processor.reservation = Reservation::default();
            }
        })
    };
    vec![of(0, 0x1000), of(0, 0x1003), of(1, 0x1000), of(1, 0x1003)]
}
