// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { immOf, invalidInstruction, opcodeOf, rsOf, rtOf } from "./MIPS64Decode.sol";
import { MEMORY_PROOF, peekMemory, readMemory, writeMemory } from "./MIPS64Memory.sol";
import {
    DOUBLEWORD_MASK,
    LL_32,
    LL_64,
    LL_ADDRESS,
    LL_OWNER,
    LL_STATUS,
    THREAD_ID,
    U64_MASK,
    advance,
    clearReservation,
    register,
    setRegister
} from "./MIPS64State.sol";
import { U32_MASK, signed8, signed16, word } from "./Words.sol";

// Loads and stores. The address is rs plus the signed immediate; memory is read and written by the doubleword `mem` in
// which it lies, and addresses of halves and words are rounded down, so nothing is ever misaligned. A load gives the new
// value of rt, a store the new doubleword.

function executeLoadStore(uint256 insn) pure {
    uint256 opcode = opcodeOf(insn);
    uint256 rt = register(rtOf(insn));
    uint256 addr;
    unchecked {
        addr = (register(rsOf(insn)) + immOf(insn)) & U64_MASK;
    }
    uint256 value;
    if (opcode < 0x28 || opcode == 0x37) {
        uint256 mem = readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
        if (opcode == 0x1a) value = ldl(addr, mem, rt);
        else if (opcode == 0x1b) value = ldr(addr, mem, rt);
        else if (opcode == 0x20) value = lb(addr, mem);
        else if (opcode == 0x21) value = lh(addr, mem);
        else if (opcode == 0x22) value = lwl(addr, mem, rt);
        else if (opcode == 0x23) value = lw(addr, mem);
        else if (opcode == 0x24) value = lbu(addr, mem);
        else if (opcode == 0x25) value = lhu(addr, mem);
        else if (opcode == 0x26) value = lwr(addr, mem, rt);
        else if (opcode == 0x27) value = lwu(addr, mem);
        else value = ld(mem);
        setRegister(rtOf(insn), value);
    } else if (opcode < 0x2f || opcode == 0x3f) {
        uint256 mem = peekMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
        if (opcode == 0x28) value = sb(addr, mem, rt);
        else if (opcode == 0x29) value = sh(addr, mem, rt);
        else if (opcode == 0x2a) value = swl(addr, mem, rt);
        else if (opcode == 0x2b) value = sw(addr, mem, rt);
        else if (opcode == 0x2c) value = sdl(addr, mem, rt);
        else if (opcode == 0x2d) value = sdr(addr, mem, rt);
        else if (opcode == 0x2e) value = swr(addr, mem, rt);
        else value = sd(rt);
        writeMemory(addr & DOUBLEWORD_MASK, value);
    } else {
        if (opcode == 0x30) value = ll(addr);
        else if (opcode == 0x34) value = lld(addr);
        else if (opcode == 0x38) value = sc(addr, rt);
        else if (opcode == 0x3c) value = scd(addr, rt);
        else value = unknownAccess(addr);
        setRegister(rtOf(insn), value);
    }
    advance();
}

// ldl    011010 sssss ttttt iiiiiiiiiiiiiiii    from addr to the end of the doubleword, into the upper bytes of rt
function ldl(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBefore(addr, 7);
    return (mem << bits) | (rt & ~(U64_MASK << bits));
}

// ldr    011011 sssss ttttt iiiiiiiiiiiiiiii    from the start of the doubleword to addr, into the lower bytes of rt
function ldr(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 7);
    return (mem >> bits) | (rt & ~(U64_MASK >> bits));
}

// lb     100000 sssss ttttt iiiiiiiiiiiiiiii
function lb(uint256 addr, uint256 mem) pure returns (uint256) {
    return uint256(signed8(mem >> bitsBehind(addr, 7)));
}

// lh     100001 sssss ttttt iiiiiiiiiiiiiiii
function lh(uint256 addr, uint256 mem) pure returns (uint256) {
    return uint256(signed16(mem >> bitsBehind(addr, 6)));
}

// lwl    100010 sssss ttttt iiiiiiiiiiiiiiii    as ldl within the word, the result with its sign
function lwl(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBefore(addr, 3);
    return word((lwu(addr, mem) << bits) | (rt & ~(U32_MASK << bits)));
}

// lw     100011 sssss ttttt iiiiiiiiiiiiiiii
function lw(uint256 addr, uint256 mem) pure returns (uint256) {
    return word(lwu(addr, mem));
}

// lbu    100100 sssss ttttt iiiiiiiiiiiiiiii
function lbu(uint256 addr, uint256 mem) pure returns (uint256) {
    return (mem >> bitsBehind(addr, 7)) & 0xff;
}

// lhu    100101 sssss ttttt iiiiiiiiiiiiiiii
function lhu(uint256 addr, uint256 mem) pure returns (uint256) {
    return (mem >> bitsBehind(addr, 6)) & 0xffff;
}

// lwr    100110 sssss ttttt iiiiiiiiiiiiiiii    as ldr within the word; the upper half of rt stays unless all four
//                                               bytes are loaded, which gives the word with its sign
function lwr(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 3);
    if (bits == 0) return lw(addr, mem);
    return (lwu(addr, mem) >> bits) | (rt & ~(U32_MASK >> bits));
}

// lwu    100111 sssss ttttt iiiiiiiiiiiiiiii
function lwu(uint256 addr, uint256 mem) pure returns (uint256) {
    return (mem >> bitsBehind(addr, 4)) & U32_MASK;
}

// sb     101000 sssss ttttt iiiiiiiiiiiiiiii
function sb(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 7);
    return merge(mem, rt << bits, 0xff << bits);
}

// sh     101001 sssss ttttt iiiiiiiiiiiiiiii
function sh(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 6);
    return merge(mem, rt << bits, 0xffff << bits);
}

// swl    101010 sssss ttttt iiiiiiiiiiiiiiii    the upper bytes of the word rt, from addr to the end of the word
function swl(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBefore(addr, 3);
    uint256 half = bitsBehind(addr, 4);
    return merge(mem, ((rt & U32_MASK) >> bits) << half, (U32_MASK >> bits) << half);
}

// sw     101011 sssss ttttt iiiiiiiiiiiiiiii
function sw(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 4);
    return merge(mem, rt << bits, U32_MASK << bits);
}

// sdl    101100 sssss ttttt iiiiiiiiiiiiiiii    the upper bytes of rt, from addr to the end of the doubleword
function sdl(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBefore(addr, 7);
    return merge(mem, rt >> bits, U64_MASK >> bits);
}

// sdr    101101 sssss ttttt iiiiiiiiiiiiiiii    the lower bytes of rt, from the start of the doubleword to addr
function sdr(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 7);
    return merge(mem, rt << bits, U64_MASK << bits);
}

// swr    101110 sssss ttttt iiiiiiiiiiiiiiii    the lower bytes of the word rt, from the start of the word to addr
function swr(uint256 addr, uint256 mem, uint256 rt) pure returns (uint256) {
    uint256 bits = bitsBehind(addr, 3);
    uint256 half = bitsBehind(addr, 4);
    return merge(mem, (rt << bits) << half, ((U32_MASK << bits) & U32_MASK) << half);
}

// ll     110000 sssss ttttt iiiiiiiiiiiiiiii    lw, and reserves addr
function ll(uint256 addr) pure returns (uint256) {
    reserve(addr, LL_32);
    return lw(addr, readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF));
}

// lld    110100 sssss ttttt iiiiiiiiiiiiiiii    ld, and reserves addr
function lld(uint256 addr) pure returns (uint256) {
    reserve(addr, LL_64);
    return ld(readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF));
}

// ld     110111 sssss ttttt iiiiiiiiiiiiiiii
function ld(uint256 mem) pure returns (uint256) {
    return mem;
}

// sc     111000 sssss ttttt iiiiiiiiiiiiiiii    sw if addr is still reserved by ll; rt = whether it was
function sc(uint256 addr, uint256 rt) pure returns (uint256) {
    if (!takeReservation(addr, LL_32)) return 0;
    uint256 mem = peekMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
    writeMemory(addr & DOUBLEWORD_MASK, sw(addr, mem, rt));
    return 1;
}

// scd    111100 sssss ttttt iiiiiiiiiiiiiiii    sd if addr is still reserved by lld; rt = whether it was
function scd(uint256 addr, uint256 rt) pure returns (uint256) {
    if (!takeReservation(addr, LL_64)) return 0;
    writeMemory(addr & DOUBLEWORD_MASK, sd(rt));
    return 1;
}

// sd     111111 sssss ttttt iiiiiiiiiiiiiiii
function sd(uint256 rt) pure returns (uint256) {
    return rt;
}

// Opcodes 0x28 and above without a row. The access is made first, so a bad proof is reported as such.
function unknownAccess(uint256 addr) pure returns (uint256) {
    readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
    return invalidInstruction();
}

// A new reservation replaces the old one. Its address is kept as it is, unaligned.
function reserve(uint256 addr, uint256 kind) pure {
    LL_STATUS.store(kind);
    LL_ADDRESS.store(addr);
    LL_OWNER.store(THREAD_ID.load());
}

// Ends the reservation if it is of this kind, thread and very address; else leaves it.
function takeReservation(uint256 addr, uint256 kind) pure returns (bool) {
    if (LL_STATUS.load() != kind || LL_OWNER.load() != THREAD_ID.load() || LL_ADDRESS.load() != addr) return false;
    clearReservation();
    return true;
}

// Bits of the unit (`mask` 7: doubleword, 3: word) in front of the byte at `addr`.
function bitsBefore(uint256 addr, uint256 mask) pure returns (uint256) {
    return (addr & mask) << 3;
}

// Bits behind the byte (`mask` 7), half (6) or word (4) at `addr` in its doubleword, or behind the byte in its word (3):
// the mask is the address of the last one there is.
function bitsBehind(uint256 addr, uint256 mask) pure returns (uint256) {
    return (~addr & mask) << 3;
}

// Takes the bits in `mask` from `value` and the others from `mem`.
function merge(uint256 mem, uint256 value, uint256 mask) pure returns (uint256) {
    return (mem & ~mask) | (value & mask);
}
