//! What blocks must notice around them: stops, quanta, stores into code, reservations, faults.

use super::{CODE, Pair, asm};
use crate::Until;
use crate::blocks::LONGEST_PATH;
use crate::isa::Op;
use crate::mips::CODE_CACHE_END;
use crate::mips::state::Cpu;
use crate::mips::threads::{QUANTUM, Reservation, ReservationStatus};

const NOP: u32 = 0;

/// Adds 1 to $8 and stores it at $9, for ever.
fn counting_loop() -> [u32; 4] {
    [
        asm(Op::daddiu, 8, 8, 0, 1),
        asm(Op::sd, 9, 8, 0, 0x4000),
        asm(Op::beq, 0, 0, 0, -3),
        asm(Op::xor, 8, 10, 10, 0),
    ]
}

#[test]
fn stops_at_every_step() {
    let mut pair = Pair::of_code(&counting_loop());
    for _ in 0..300 {
        pair.advance(1, "one step").unwrap();
    }
    for steps in 60..200 {
        pair.advance(steps, "some steps").unwrap();
    }
    pair.compare_hashes("at the end");
    assert!(pair.blocks.blocks.executed > 10_000);
}

#[test]
fn quanta_end_in_loops() {
    let mut pair = Pair::of_code(&counting_loop());
    pair.each(|m| m.state.registers.processor.steps_since_switch = 0);
    pair.advance(QUANTUM - 1, "before").unwrap();
    pair.advance(1, "at").unwrap();
    pair.advance(1, "preemption").unwrap();
    assert_eq!(pair.plain.stats().forced_preemptions, 1);
    pair.advance(5 * QUANTUM, "beyond").unwrap();
    assert!(pair.blocks.blocks.executed > 5 * QUANTUM);
}

#[test]
fn stores_into_the_running_block() {
    // The loop increments the immediate of its own first instruction.
    let code = [
        asm(Op::daddiu, 8, 8, 0, 1),
        asm(Op::lw, 9, 10, 0, 0),
        asm(Op::addiu, 10, 10, 0, 1),
        asm(Op::sw, 9, 10, 0, 0),
        asm(Op::bne, 10, 0, 0, -5),
        NOP,
    ];
    let mut pair = Pair::of_code(&code);
    pair.each(|m| m.cpu_mut().unwrap().registers[9] = CODE);
    pair.advance(6 * 100, "self-modifying").unwrap();
    assert_eq!(pair.cpu().registers[8], (1..=100).sum::<u64>());
    pair.compare_hashes("self-modifying");
}

#[test]
fn going_back_brings_old_code_back() {
    let mut pair = Pair::of_code(&counting_loop());
    pair.advance(400, "old code").unwrap();
    let (blocks, plain) = (pair.blocks.snapshot(), pair.plain.snapshot());
    pair.each(|m| m.state.memory.store_u32(CODE, asm(Op::daddiu, 8, 8, 0, 5)));
    pair.advance(400, "new code").unwrap();
    pair.blocks.restore(&blocks);
    pair.plain.restore(&plain);
    pair.advance(400, "old code again").unwrap();
    assert_eq!(pair.cpu().registers[8], 200);
    pair.compare_hashes("old code again");
}

#[test]
fn stores_end_reservations() {
    let mut pair = Pair::of_code(&counting_loop());
    for (address, count) in [(0x4003, 1), (0x4008, 0), (0x4000, 1)] {
        let reservation = Reservation { status: ReservationStatus::Word, address, owner: 0 };
        pair.each(|m| m.state.registers.processor.reservation = reservation);
        let before = pair.plain.stats().reservation_invalidations;
        pair.advance(200, "reserved").unwrap();
        assert_eq!(pair.plain.stats().reservation_invalidations - before, count, "{address:x}");
    }
}

#[test]
fn groups_stop_in_the_middle() {
    // The store hits the reserved doubleword, as last of a group of any length.
    for before in 0..5 {
        let mut code = vec![asm(Op::lld, 9, 11, 0, 0x4000)];
        code.extend(vec![asm(Op::daddu, 8, 12, 8, 0); before]);
        code.extend([asm(Op::sd, 9, 8, 0, 0x4000), asm(Op::xor, 8, 13, 8, 0)]);
        let back = -(code.len() as i32) - 1;
        code.extend([asm(Op::beq, 0, 0, 0, back), NOP]);
        let mut pair = Pair::of_code(&code);
        pair.each(|m| m.cpu_mut().unwrap().registers[12] = 3);
        let turns = 200;
        pair.advance(turns * code.len() as u64, "groups").unwrap();
        assert_eq!(pair.plain.stats().reservation_invalidations, turns, "{before} before");
        assert!(pair.blocks.blocks.executed > turns * before as u64);
    }
}

#[test]
fn stores_to_address_zero_count_without_a_reservation() {
    let mut pair = Pair::of_code(&counting_loop());
    pair.each(|m| m.cpu_mut().unwrap().registers[9] = 0u64.wrapping_sub(0x4000));
    pair.advance(400, "address zero").unwrap();
    assert_eq!(pair.plain.stats().reservation_invalidations, 100);
}

#[test]
fn faults_leave_the_state_before_them() {
    let check = |code: &[u32], step: u64, text: &str| {
        let mut pair = Pair::of_code(code);
        let error = pair.run(Until::EXIT, text).unwrap_err();
        assert!(error.contains(text), "{error}");
        assert_eq!(pair.plain.registers().step, step, "{text}");
        pair.compare_hashes(text);
    };
    let jump = asm(Op::beq, 0, 0, 0, 2);
    check(&[NOP, NOP, 0xf800_0000], 2, "invalid instruction 0xf8000000 at pc 0x10008");
    check(&[NOP, asm(Op::ddivu, 0, 0, 0, 0)], 1, "division by zero at pc 0x10004");
    check(&[jump, asm(Op::div, 0, 0, 0, 0)], 1, "division by zero at pc 0x10004");
    check(&[jump, jump], 1, "branch in a delay slot at pc 0x10004");
    check(&[jump, asm(Op::jr, 8, 0, 0, 0)], 1, "jump in a delay slot at pc 0x10004");
    check(&[asm(Op::ori, 0, 8, 0, 6), asm(Op::jr, 8, 0, 0, 0), NOP], 3, "unaligned");
    check(&[jump, asm(Op::syscall, 0, 0, 0, 0)], 1, "unknown system call 0 at pc 0x10004");
}

#[test]
fn a_branch_behind_one_that_is_not_taken_is_no_fault() {
    let code = [asm(Op::bne, 0, 0, 0, 5), asm(Op::blez, 8, 0, 0, -2), NOP, NOP];
    let mut pair = Pair::of_code(&code);
    pair.advance(100, "branch after branch").unwrap();
    assert!(pair.blocks.blocks.executed > 0);
}

#[test]
fn cache_misses_are_counted_in_blocks() {
    // Of the loop's four instructions, how many are beyond the decode cache.
    let check = |base: u64, beyond: u64| {
        let mut pair = Pair::of_code(&[]);
        pair.each(|m| {
            super::place(&mut m.state, base, &counting_loop());
            m.state.registers.processor.left[0].cpu = Cpu::at(base);
        });
        pair.advance(1000, "high code").unwrap();
        assert_eq!(pair.plain.stats().code_cache_misses, 250 * beyond, "{base:x}");
        pair
    };
    check(CODE_CACHE_END - 16, 0);
    check(CODE_CACHE_END - 12, 1);
    check(CODE_CACHE_END - 8, 2);
    check(CODE_CACHE_END - 4, 3);
    let pair = check(CODE_CACHE_END, 4);
    assert!(pair.blocks.blocks.executed > 900);
    // The delay slot is at address 0.
    check(0u64.wrapping_sub(12), 3);
}

#[test]
fn blocks_read_no_preimage() {
    let mut pair = Pair::of_code(&counting_loop());
    pair.each(|m| m.host.read_offset = Some(8));
    // Ends with a block, as a block is 16 turns of the loop.
    pair.advance(10 * LONGEST_PATH, "after a read").unwrap();
    assert_eq!(pair.blocks.blocks.executed, 10 * LONGEST_PATH);
    assert_eq!(pair.blocks.host.read_offset, None);
}

#[test]
fn long_chains_of_blocks_need_no_stack() {
    let mut pair = Pair::of_code(&counting_loop());
    pair.each(|m| m.state.registers.processor.steps_since_switch = 0);
    pair.blocks.run(Until::step(50_000_000)).unwrap();
    let preemptions = 50_000_000 / (QUANTUM + 1);
    assert_eq!(pair.blocks.stats().forced_preemptions, preemptions);
    let additions = (50_000_000 - preemptions).div_ceil(4);
    assert_eq!(pair.blocks.cpu().unwrap().registers[8], additions);
}
