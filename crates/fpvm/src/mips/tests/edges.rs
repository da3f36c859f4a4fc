//! Every row of the instruction table with operands at all edges.

use super::{Both, CODE, Tested, asm, newest, place, rows};
use crate::State;
use crate::isa::Format;
use crate::mips::state::Cpu;
use crate::mips::threads::{Reservation, ReservationStatus};
use crate::mips::{Mips32, Mips64};

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

fn state<A: Tested>() -> State<A> {
    let mut state = State::<A>::at(newest::<A>(), CODE);
    for offset in (0..4096).step_by(8) {
        state.memory.store_u64(DATA + offset, 0x8182_8384_8586_8788 ^ offset << 51);
    }
    place(&mut state, MORE_CODE, &[0; 120]);
    state
}

#[test]
fn every_row_at_all_edges() {
    every_row::<Mips64>(5178); // gettid, for the system call
}

#[test]
fn every_row_of_32_bits_at_all_edges() {
    every_row::<Mips32>(4045); // brk
}

fn every_row<A: Tested>(syscall: u64) {
    for row in rows::<A>() {
        let uses_rt = !matches!(row.format, Format::Rs | Format::Rd | Format::Bare);
        let mut in_blocks = 0;
        for fields @ [rs, rt, rd] in FIELDS {
            // New machines, since pages that are written too often are no longer decoded.
            let mut pair = Both::<A>::new(state);
            for imm in IMMEDIATES {
                let word = asm(row.op, rs, rt, rd, imm);
                pair.each(|m| m.state.memory.store_u32(CODE, word));
                for a in VALUES {
                    for b in &VALUES[..if uses_rt { VALUES.len() } else { 1 }] {
                        let mut cpu = Cpu { hi: 3, lo: 4, ..Cpu::at(CODE) };
                        cpu.registers[2] = syscall;
                        cpu.registers[10] = 77;
                        cpu.registers[usize::from(rt)] = A::extend(*b);
                        cpu.registers[usize::from(rs)] = A::extend(a);
                        cpu.registers[0] = 0;
                        let reservation = Reservation {
                            status: ReservationStatus::Word,
                            address: DATA + 4,
                            owner: 0,
                        };
                        pair.each(|m| {
                            m.state.registers.step = 0;
                            A::settle(&mut m.state);
                            A::hold(&mut m.state, reservation);
                            if let Some(running) = A::cpu_mut(&mut m.state.registers.processor) {
                                running.clone_from(&cpu);
                            }
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
