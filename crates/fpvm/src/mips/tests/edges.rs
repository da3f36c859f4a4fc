//! Every row of the instruction table with operands at all edges.

use super::{CODE, Pair, asm, place};
use crate::State;
use crate::blocks::LONGEST_PATH;
use crate::isa::{Format, ROWS};
use crate::mips::state::{Cpu, StateVersion};
use crate::mips::threads::{Reservation, ReservationStatus};

const DATA: u64 = 0x2_0000;
/// Where jumps go; not in the page of the tested instruction, which stores must not hit.
const MORE_CODE: u64 = CODE + 0x1000;

/// Values of a register: edges of 32 and 64 bits, and addresses of every alignment at edges of pages,
/// windows and the address space.
const VALUES: [u64; 28] = [
    0,
    1,
    5,
    31,
    32,
    63,
    64,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0xffff_ffff_8000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX - 31,
    u64::MAX,
    DATA,
    DATA + 1,
    DATA + 2,
    DATA + 3,
    DATA + 4,
    DATA + 6,
    DATA + 7,
    DATA + 0xffd,
    (1 << 36) - 3,
    0x3000_0000_0005,
    MORE_CODE + 2,
    MORE_CODE + 0x7c,
];

const IMMEDIATES: [i32; 6] = [0, 1, 4, 7, 0x7fff, -1];

/// Register fields rs, rt, rd: distinct, equal, zero, and the link register.
const FIELDS: [[u8; 3]; 5] = [[8, 9, 10], [8, 8, 8], [8, 9, 0], [8, 0, 31], [31, 9, 9]];

fn state() -> State {
    let mut state = State::at(StateVersion::V8, CODE);
    for offset in (0..4096).step_by(8) {
        state.memory.store_u64(DATA + offset, 0x8182_8384_8586_8788 ^ offset << 51);
    }
    place(&mut state, MORE_CODE, &[0; 120]);
    state
}

#[test]
fn every_row_at_all_edges() {
    for row in ROWS {
        let uses_rt = !matches!(row.format, Format::Rs | Format::Rd | Format::Bare);
        let mut in_blocks = 0;
        for fields @ [rs, rt, rd] in FIELDS {
            // New machines, since pages that are written too often are no longer decoded.
            let mut pair = Pair::new(state);
            for imm in IMMEDIATES {
                let word = asm(row.op, rs, rt, rd, imm);
                pair.each(|m| m.state.memory.store_u32(CODE, word));
                for a in VALUES {
                    for b in &VALUES[..if uses_rt { VALUES.len() } else { 1 }] {
                        let mut cpu = Cpu { hi: 3, lo: 4, ..Cpu::at(CODE) };
                        cpu.registers[2] = 5178; // gettid, for the system call
                        cpu.registers[10] = 77;
                        cpu.registers[usize::from(rt)] = *b;
                        cpu.registers[usize::from(rs)] = a;
                        cpu.registers[0] = 0;
                        let reservation = Reservation {
                            status: ReservationStatus::Word,
                            address: DATA + 4,
                            owner: 0,
                        };
                        pair.each(|m| {
                            m.state.registers.step = 0;
                            // As in `Pair::of_code`.
                            m.state.registers.processor.steps_since_switch = LONGEST_PATH;
                            m.state.registers.processor.reservation = reservation;
                            m.state.registers.processor.left[0].cpu = cpu.clone();
                        });
                        let context = format!("{} {fields:?} {imm} {a:#x} {b:#x}", row.name);
                        let _ = pair.advance(70, &context);
                    }
                }
            }
            pair.compare_hashes(row.name);
            in_blocks += pair.blocks.blocks.executed;
        }
        assert!(in_blocks > 10_000, "{}", row.name);
    }
}
