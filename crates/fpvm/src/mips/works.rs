//! What slots of MIPS instructions do.

use super::state::Cpu;
use super::threads::ReservationStatus;
use super::{Arch, Mips32, Mips64};
use crate::blocks::fuse::fused;
use crate::blocks::handlers::{self, select, tests, works};
use crate::blocks::{Condition, Core, Handler, Kinds, Part, Progress, Slot, Tests, Work, fuse};
use crate::isa::semantics as op;
use crate::memory::Memory;

/// Registers behind the general ones.
pub const HI: u8 = 32;
pub const LO: u8 = 33;

/// Puts the registers of a processor where handlers find them.
pub fn load<A: Arch>(core: &mut Core<A>, cpu: &Cpu) {
    core.registers[..32].copy_from_slice(&cpu.registers);
    core.set(HI, cpu.hi);
    core.set(LO, cpu.lo);
}

/// Takes them back.
pub fn save<A: Arch>(core: &Core<A>, progress: Progress, cpu: &mut Cpu) {
    cpu.registers.copy_from_slice(&core.registers[..32]);
    cpu.hi = core.get(HI);
    cpu.lo = core.get(LO);
    cpu.pc = progress.pc;
    cpu.next_pc = progress.next_pc;
}

#[inline(always)]
fn product<A: Arch>(
    core: &mut Core<A>,
    _: &mut Memory,
    s: &Slot<A>,
    f: impl Fn(u64, u64) -> op::HiLo,
) -> bool {
    let (hi, lo) = f(core.get(s.b), core.get(s.c));
    core.set(HI, hi);
    core.set(LO, lo);
    true
}

#[inline(always)]
fn quotient<A: Arch>(
    core: &mut Core<A>,
    _: &mut Memory,
    s: &Slot<A>,
    f: impl Fn(u64, u64) -> Option<op::HiLo>,
) -> bool {
    let Some((hi, lo)) = f(core.get(s.b), core.get(s.c)) else { return false };
    core.set(HI, hi);
    core.set(LO, lo);
    true
}

#[inline(always)]
fn address<A: Arch>(core: &Core<A>, s: &Slot<A>) -> u64 {
    A::wrap(core.get(s.b).wrapping_add(s.value()))
}

#[inline(always)]
fn load_from<A: Arch>(
    core: &mut Core<A>,
    memory: &mut Memory,
    s: &Slot<A>,
    f: impl Fn(&Memory, u64) -> u64,
) -> bool {
    core.set(s.a, f(memory, address(core, s)));
    true
}

/// Loads that keep a part of their register c.
#[inline(always)]
fn load_part<A: Arch>(
    core: &mut Core<A>,
    memory: &mut Memory,
    s: &Slot<A>,
    f: impl Fn(u64, u64, u64) -> u64,
) -> bool {
    let address = address(core, s);
    core.set(s.a, f(address, memory.load_u64(address & !7), core.get(s.c)));
    true
}

/// Stores of register c, but not into a code page or the reserved doubleword.
#[inline(always)]
fn store<A: Arch>(
    core: &mut Core<A>,
    memory: &mut Memory,
    s: &Slot<A>,
    f: impl Fn(&mut Memory, u64, u64) -> bool,
) -> bool {
    let address = address(core, s);
    A::may_store(core, address) && f(memory, address, core.get(s.c))
}

#[inline(always)]
fn store_part<A: Arch>(
    core: &mut Core<A>,
    memory: &mut Memory,
    s: &Slot<A>,
    f: impl Fn(u64, u64, u64) -> u64,
) -> bool {
    store(core, memory, s, |memory, address, value| {
        let aligned = address & !7;
        memory.try_store_u64(aligned, f(address, memory.load_u64(aligned), value))
    })
}

/// The width of a reservation, and what is loaded or stored under it.
type Linked<F> = (ReservationStatus, F);

#[inline(always)]
fn load_linked<A: Arch>(
    core: &mut Core<A>,
    memory: &mut Memory,
    s: &Slot<A>,
    (status, f): Linked<impl Fn(u64, u64) -> u64>,
) -> bool {
    let address = address(core, s);
    A::reserve(core, status, address, s.d);
    core.set(s.a, f(address, memory.load_u64(address & !7)));
    true
}

#[inline(always)]
fn store_conditional<A: Arch>(
    core: &mut Core<A>,
    memory: &mut Memory,
    s: &Slot<A>,
    (status, f): Linked<impl Fn(u64, u64, u64) -> u64>,
) -> bool {
    let address = address(core, s);
    let holds = A::holds(core, status, address);
    if holds {
        let aligned = address & !7;
        let value = f(address, memory.load_u64(aligned), core.get(s.c));
        if !memory.try_store_u64(aligned, value) {
            return false;
        }
    }
    A::store_conditional(core, s.d, holds);
    core.set(s.a, holds.into());
    true
}

works! {
    for A: Arch;
    Nor: three(op::nor);
    Clz32: two(op::clz32);
    Clo32: two(op::clo32);
    Clz64: two(op::clz64);
    Clo64: two(op::clo64);
    Target: two(A::wrap);
    MoveIfZero: select(|v| v == 0);
    MoveIfNot: select(|v| v != 0);
    Mult: product(op::mult);
    Multu: product(op::multu);
    Dmult: product(op::dmult);
    Dmultu: product(op::dmultu);
    Div: quotient(op::div);
    Divu: quotient(op::divu);
    Ddiv: quotient(op::ddiv);
    Ddivu: quotient(op::ddivu);
    Lb: load_from(|m, a| m.load_u8(a) as i8 as u64);
    Lbu: load_from(|m, a| m.load_u8(a).into());
    Lh: load_from(|m, a| m.load_u16(a & !1) as i16 as u64);
    Lhu: load_from(|m, a| m.load_u16(a & !1).into());
    Lw: load_from(|m, a| m.load_u32(a & !3) as i32 as u64);
    Lwu: load_from(|m, a| m.load_u32(a & !3).into());
    Ld: load_from(|m, a| m.load_u64(a & !7));
    Lwl: load_part(op::lwl);
    Lwr: load_part(op::lwr);
    Ldl: load_part(op::ldl);
    Ldr: load_part(op::ldr);
    Sb: store(|m, a, v| m.try_store_u8(a, v as u8));
    Sh: store(|m, a, v| m.try_store_u16(a & !1, v as u16));
    Sw: store(|m, a, v| m.try_store_u32(a & !3, v as u32));
    Sd: store(|m, a, v| m.try_store_u64(a & !7, v));
    Swl: store_part(op::swl);
    Swr: store_part(op::swr);
    Sdl: store_part(op::sdl);
    Sdr: store_part(op::sdr);
    Ll: load_linked((ReservationStatus::Word, op::lw));
    Lld: load_linked((ReservationStatus::Doubleword, |_, dword| dword));
    Sc: store_conditional((ReservationStatus::Word, op::sw));
    Scd: store_conditional((ReservationStatus::Doubleword, |_, _, rt| rt));
}

tests! {
    for A: Arch;
    Eq: op::eq, not Ne;
    Ne: op::ne, not Eq;
    Lez: op::lez, not Gtz;
    Gtz: op::gtz, not Lez;
    Ltz: op::ltz, not Gez;
    Gez: op::gez, not Ltz;
}

pub mod mips64 {
    //! What is fused on the 64-bit machine.

    use super::*;

    fused! {
        Mips64;
        pairs: Add32 Add64 Sub64 And Or Xor Nor Sltu Add32Imm Add64Imm AndImm SltuImm Sll32Imm Sll64Imm
            Srl64Imm Move Target Set MoveIfZero Lbu Lw Lwu Ld Sb Sw Sd;
        triples: Add64 And Or Xor Nor Sll64Imm Srl64Imm Ld Sd;
        branches: Eq Ne Lez Gtz Ltz Gez;
    }
}

pub mod mips32 {
    //! What is fused on the 32-bit machine.

    use super::*;

    fused! {
        Mips32;
        pairs: Add32 Sub32 And Or Xor Nor Slt Sltu Add32Imm AndImm OrImm SltuImm Sll32Imm Srl32Imm Move
            Target Set MoveIfZero Lbu Lw Sb Sw;
        triples: Add32 And Or Xor Nor Sll32Imm Srl32Imm Lw Sw;
        branches: Eq Ne Lez Gtz Ltz Gez;
    }
}
