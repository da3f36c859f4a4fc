//! What slots of RISC-V instructions do.

use super::Asterisc;
use crate::blocks::fuse::{self, fused};
use crate::blocks::handlers::{self, tests, works};
use crate::blocks::{Condition, Core, Engine, Handler, Kinds, Part, Slot, Tests, Work};
use crate::isa::riscv::semantics as riscv;
use crate::isa::semantics as op;
use crate::memory::{Memory, PAGE_BYTES};

/// The machine these works belong to.
pub trait Riscv: Engine<Kind = Kind, Test = Test, Extra = u64> {}
impl Riscv for Asterisc {}

#[inline(always)]
fn address<V: Riscv>(core: &Core<V>, s: &Slot<V>) -> u64 {
    core.get(s.b).wrapping_add(s.value())
}

/// Whether `N` bytes at an address are in one page, as fast accesses want it.
#[inline(always)]
const fn in_one_page<const N: usize>(address: u64) -> bool {
    address as usize % PAGE_BYTES <= PAGE_BYTES - N
}

/// Loads `N` bytes of any alignment.
#[inline(always)]
fn load<V: Riscv, const N: usize>(
    core: &mut Core<V>,
    memory: &mut Memory,
    s: &Slot<V>,
    f: Access<N, impl Fn(&Memory, u64) -> u64>,
) -> bool {
    let address = address(core, s);
    if !in_one_page::<N>(address) {
        return false;
    }
    core.set(s.a, (f.0)(memory, address));
    true
}

/// Stores the low `N` bytes of register c, but not into a code page.
#[inline(always)]
fn store<V: Riscv, const N: usize>(
    core: &mut Core<V>,
    memory: &mut Memory,
    s: &Slot<V>,
    f: Access<N, impl Fn(&mut Memory, u64, u64) -> bool>,
) -> bool {
    let address = address(core, s);
    in_one_page::<N>(address) && (f.0)(memory, address, core.get(s.c))
}

/// An access of `N` bytes.
struct Access<const N: usize, F>(F);

/// Where an atomic instruction of `N` bytes may go.
#[inline(always)]
fn aligned<V: Riscv, const N: usize>(core: &Core<V>, s: &Slot<V>) -> Option<u64> {
    let address = core.get(s.b);
    address.is_multiple_of(N as u64).then_some(address)
}

#[inline(always)]
fn reserve<V: Riscv, const N: usize>(
    core: &mut Core<V>,
    memory: &mut Memory,
    s: &Slot<V>,
    f: Access<N, impl Fn(&Memory, u64) -> u64>,
) -> bool {
    let Some(address) = aligned::<V, N>(core, s) else { return false };
    core.set(s.a, (f.0)(memory, address));
    core.extra = address;
    true
}

#[inline(always)]
fn store_conditional<V: Riscv, const N: usize>(
    core: &mut Core<V>,
    memory: &mut Memory,
    s: &Slot<V>,
    f: Access<N, impl Fn(&mut Memory, u64, u64) -> bool>,
) -> bool {
    let Some(address) = aligned::<V, N>(core, s) else { return false };
    let holds = core.extra == address;
    if holds && !(f.0)(memory, address, core.get(s.c)) {
        return false;
    }
    core.extra = 0;
    core.set(s.a, (!holds).into());
    true
}

#[inline(always)]
fn modify_word<V: Riscv>(
    core: &mut Core<V>,
    memory: &mut Memory,
    s: &Slot<V>,
    f: impl Fn(u64, u64) -> u64,
) -> bool {
    let Some(address) = aligned::<V, 4>(core, s) else { return false };
    let old = lw(memory, address);
    let stored = sw(memory, address, f(old, op::sext32(core.get(s.c))));
    if stored {
        core.set(s.a, old);
    }
    stored
}

#[inline(always)]
fn modify_doubleword<V: Riscv>(
    core: &mut Core<V>,
    memory: &mut Memory,
    s: &Slot<V>,
    f: impl Fn(u64, u64) -> u64,
) -> bool {
    let Some(address) = aligned::<V, 8>(core, s) else { return false };
    let old = ld(memory, address);
    let stored = sd(memory, address, f(old, core.get(s.c)));
    if stored {
        core.set(s.a, old);
    }
    stored
}

/// The target of a jump through register b, unless it is not aligned.
#[inline(always)]
fn target<V: Riscv>(core: &mut Core<V>, _: &mut Memory, s: &Slot<V>, clear: u64) -> bool {
    let target = address(core, s) & !clear;
    if target & 3 != 0 {
        return false;
    }
    core.set(s.a, target);
    true
}

/// Loads within one page.
macro_rules! loads {
    ($($name:ident: |$m:ident, $a:ident| $loaded:expr;)*) => {
        $(#[inline(always)] fn $name($m: &Memory, $a: u64) -> u64 { $loaded })*
    };
}

/// Stores within one page.
macro_rules! stores {
    ($($name:ident: |$m:ident, $a:ident, $v:ident| $stored:expr;)*) => {
        $(#[inline(always)] fn $name($m: &mut Memory, $a: u64, $v: u64) -> bool { $stored })*
    };
}

loads! {
    lb: |m, a| m.load_u8(a) as i8 as u64;
    lbu: |m, a| m.load_u8(a).into();
    lh: |m, a| m.load_u16(a).swap_bytes() as i16 as u64;
    lhu: |m, a| m.load_u16(a).swap_bytes().into();
    lw: |m, a| m.load_u32(a).swap_bytes() as i32 as u64;
    lwu: |m, a| m.load_u32(a).swap_bytes().into();
    ld: |m, a| m.load_u64(a).swap_bytes();
}

stores! {
    sb: |m, a, v| m.try_store_u8(a, v as u8);
    sh: |m, a, v| m.try_store_u16(a, (v as u16).swap_bytes());
    sw: |m, a, v| m.try_store_u32(a, (v as u32).swap_bytes());
    sd: |m, a, v| m.try_store_u64(a, v.swap_bytes());
}

works! {
    for V: Riscv;
    Mul: three(riscv::mul);
    Mulh: three(riscv::mulh);
    Mulhsu: three(riscv::mulhsu);
    Mulhu: three(riscv::mulhu);
    Div: three(riscv::div);
    Divu: three(riscv::divu);
    Rem: three(riscv::rem);
    Remu: three(riscv::remu);
    Divw: three(riscv::divw);
    Divuw: three(riscv::divuw);
    Remw: three(riscv::remw);
    Remuw: three(riscv::remuw);
    Target: target(1);
    Lb: load(Access::<1, _>(lb));
    Lbu: load(Access::<1, _>(lbu));
    Lh: load(Access::<2, _>(lh));
    Lhu: load(Access::<2, _>(lhu));
    Lw: load(Access::<4, _>(lw));
    Lwu: load(Access::<4, _>(lwu));
    Ld: load(Access::<8, _>(ld));
    Sb: store(Access::<1, _>(sb));
    Sh: store(Access::<2, _>(sh));
    Sw: store(Access::<4, _>(sw));
    Sd: store(Access::<8, _>(sd));
    LrW: reserve(Access::<4, _>(lw));
    LrD: reserve(Access::<8, _>(ld));
    ScW: store_conditional(Access::<4, _>(sw));
    ScD: store_conditional(Access::<8, _>(sd));
    AddW: modify_word(op::add64);
    SwapW: modify_word(riscv::second);
    XorW: modify_word(op::xor);
    OrW: modify_word(op::or);
    AndW: modify_word(op::and);
    MinW: modify_word(riscv::min);
    MaxW: modify_word(riscv::max);
    MinuW: modify_word(riscv::minu);
    MaxuW: modify_word(riscv::maxu);
    AddD: modify_doubleword(op::add64);
    SwapD: modify_doubleword(riscv::second);
    XorD: modify_doubleword(op::xor);
    OrD: modify_doubleword(op::or);
    AndD: modify_doubleword(op::and);
    MinD: modify_doubleword(riscv::min);
    MaxD: modify_doubleword(riscv::max);
    MinuD: modify_doubleword(riscv::minu);
    MaxuD: modify_doubleword(riscv::maxu);
}

tests! {
    for V: Riscv;
    Eq: op::eq, not Ne;
    Ne: op::ne, not Eq;
    Lt: riscv::lt, not Ge;
    Ge: riscv::ge, not Lt;
    Ltu: riscv::ltu, not Geu;
    Geu: riscv::geu, not Ltu;
}

fused! {
    Asterisc;
    pairs: Add32 Add64 Sub64 And Or Xor Sltu Add32Imm Add64Imm AndImm XorImm SltuImm Sll32Imm Sll64Imm
        Srl64Imm Move Set Lbu Lw Lwu Ld Sb Sw Sd;
    triples: Add64 And Or Xor Add64Imm XorImm Sll64Imm Srl64Imm Ld Sd;
    branches: Eq Ne Lt Ge Ltu Geu;
}
