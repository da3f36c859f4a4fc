// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { JUMP_REGION, REG_RA } from "./MIPS64Branch.sol";
import { functOf, immOf, opcodeOf, rdOf, rsOf, rtOf, saOf, uimmOf } from "./MIPS64Decode.sol";
import { addi, addiu, andi, clo, clz, lui, mul, ori, slti, sltiu, xori } from "./MIPS64Immediate.sol";
import { lb, lbu, lh, lhu, lw, lwl, lwr, sb, sh, sw, swl, swr } from "./MIPS64LoadStore.sol";
import {
    add, addu, and, movn, movz, nor, or, sll, sllv, slt, sltu, sra, srav, srl, srlv, sub, subu, sync, xor
} from "./MIPS64Special.sol";
import { DOUBLEWORD_MASK } from "./MIPS64State.sol";
import { MEMORY_PROOF, peekMemory, readMemory, writeMemory } from "./MIPSMemory.sol";
import { HI, LO, NEXT_PC, PC, advance, advanceTo, register, setRegister } from "./MIPSState.sol";
import { U32_MASK, signed32, signed64 } from "./Words.sol";

// The instructions of the 32-bit machine. Rows that compute a value from values are those of MIPS64; here are the rows
// that work on the state, and which numbers stand for which rows. The row of `syscall` is in MIPSSyscalls.sol.

// The classes of instructions, by opcode.
function execute(uint256 insn) pure {
    uint256 opcode = opcodeOf(insn);
    if (opcode == 0x00) executeSpecial(insn);
    else if (opcode >= 0x20) executeLoadStore(insn);
    else if (opcode < 0x08) executeBranch(insn);
    else if (opcode == 0x1c) executeSpecial2(insn);
    else executeImmediate(insn);
}

// Opcode 0: operations on registers, selected by the funct field, with the result in rd. Those that write HI and LO give
// 0, which a non-zero rd receives.
function executeSpecial(uint256 insn) pure {
    uint256 funct = functOf(insn);
    uint256 rs = register(rsOf(insn));
    uint256 rt = register(rtOf(insn));
    uint256 rd = rdOf(insn);
    uint256 value;
    if (funct < 0x10) {
        if (funct == 0x00) value = sll(rt, saOf(insn));
        else if (funct == 0x02) value = srl(rt, saOf(insn));
        else if (funct == 0x03) value = sra(rt, saOf(insn));
        else if (funct == 0x04) value = sllv(rt, rs);
        else if (funct == 0x06) value = srlv(rt, rs);
        else if (funct == 0x07) value = srav(rt, rs);
        else if (funct == 0x08) return jr(rs);
        else if (funct == 0x09) return jalr(rd, rs);
        else if (funct == 0x0a) value = movz(rs, rt, register(rd));
        else if (funct == 0x0b) value = movn(rs, rt, register(rd));
        else if (funct == 0x0f) value = sync(rs);
        else value = invalidInstruction();
    } else if (funct < 0x20) {
        if (funct == 0x10) value = mfhi();
        else if (funct == 0x11) value = mthi(rs);
        else if (funct == 0x12) value = mflo();
        else if (funct == 0x13) value = mtlo(rs);
        else if (funct == 0x18) value = mult(rs, rt);
        else if (funct == 0x19) value = multu(rs, rt);
        else if (funct == 0x1a) value = div(rs, rt);
        else if (funct == 0x1b) value = divu(rs, rt);
        else value = invalidInstruction();
    } else {
        if (funct == 0x20) value = add(rs, rt);
        else if (funct == 0x21) value = addu(rs, rt);
        else if (funct == 0x22) value = sub(rs, rt);
        else if (funct == 0x23) value = subu(rs, rt);
        else if (funct == 0x24) value = and(rs, rt);
        else if (funct == 0x25) value = or(rs, rt);
        else if (funct == 0x26) value = xor(rs, rt);
        else if (funct == 0x27) value = nor(rs, rt);
        else if (funct == 0x2a) value = slt(rs, rt);
        else if (funct == 0x2b) value = sltu(rs, rt);
        else value = invalidInstruction();
    }
    setRegister(rd, value);
    advance();
}

// Opcodes 1 to 7: branches and jumps. The delay slot behind them is a step of its own and must not be a branch or a jump.
function executeBranch(uint256 insn) pure {
    uint256 opcode = opcodeOf(insn);
    uint256 rs = register(rsOf(insn));
    if (opcode == 0x01) regimm(insn, rs);
    else if (opcode == 0x02) j(insn);
    else if (opcode == 0x03) jal(insn);
    else if (opcode == 0x04) beq(insn, rs, register(rtOf(insn)));
    else if (opcode == 0x05) bne(insn, rs, register(rtOf(insn)));
    else if (opcode == 0x06) blez(insn, rs);
    else bgtz(insn, rs);
}

// Opcode 1, selected by the rt field.
function regimm(uint256 insn, uint256 rs) pure {
    uint256 selector = rtOf(insn);
    if (selector == 0x00) bltz(insn, rs);
    else if (selector == 0x01) bgez(insn, rs);
    else if (selector == 0x11) bgezal(insn, rs);
    else bnever(insn);
}

// Opcodes 8 to 0x0f: a register and an immediate, the result in rt.
function executeImmediate(uint256 insn) pure {
    uint256 opcode = opcodeOf(insn);
    uint256 rs = register(rsOf(insn));
    uint256 value;
    if (opcode == 0x08) value = addi(rs, immOf(insn));
    else if (opcode == 0x09) value = addiu(rs, immOf(insn));
    else if (opcode == 0x0a) value = slti(rs, immOf(insn));
    else if (opcode == 0x0b) value = sltiu(rs, immOf(insn));
    else if (opcode == 0x0c) value = andi(rs, uimmOf(insn));
    else if (opcode == 0x0d) value = ori(rs, uimmOf(insn));
    else if (opcode == 0x0e) value = xori(rs, uimmOf(insn));
    else if (opcode == 0x0f) value = lui(uimmOf(insn));
    else value = invalidInstruction();
    setRegister(rtOf(insn), value);
    advance();
}

// Opcode 0x1c: operations on registers, selected by the funct field, the result in rd.
function executeSpecial2(uint256 insn) pure {
    uint256 funct = functOf(insn);
    uint256 rs = register(rsOf(insn));
    uint256 value;
    if (funct == 0x02) value = mul(rs, register(rtOf(insn)));
    else if (funct == 0x20) value = clz(rs);
    else if (funct == 0x21) value = clo(rs);
    else value = invalidInstruction();
    setRegister(rdOf(insn), value);
    advance();
}

// Opcodes 0x20 and above: loads and stores. Addresses of halves and words are rounded down, so nothing is ever misaligned.
function executeLoadStore(uint256 insn) pure {
    uint256 opcode = opcodeOf(insn);
    uint256 rt = register(rtOf(insn));
    uint256 addr;
    unchecked {
        addr = (register(rsOf(insn)) + immOf(insn)) & U32_MASK;
    }
    uint256 value;
    if (opcode < 0x28) {
        uint256 mem = readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
        if (opcode == 0x20) value = lb(addr, mem);
        else if (opcode == 0x21) value = lh(addr, mem);
        else if (opcode == 0x22) value = lwl(addr, mem, rt);
        else if (opcode == 0x23) value = lw(addr, mem);
        else if (opcode == 0x24) value = lbu(addr, mem);
        else if (opcode == 0x25) value = lhu(addr, mem);
        else if (opcode == 0x26) value = lwr(addr, mem, rt);
        else value = invalidInstruction();
        setRegister(rtOf(insn), value);
    } else if (opcode < 0x30) {
        uint256 mem = peekMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
        if (opcode == 0x28) value = sb(addr, mem, rt);
        else if (opcode == 0x29) value = sh(addr, mem, rt);
        else if (opcode == 0x2a) value = swl(addr, mem, rt);
        else if (opcode == 0x2b) value = sw(addr, mem, rt);
        else if (opcode == 0x2e) value = swr(addr, mem, rt);
        else value = unknownAccess(addr);
        writeMemory(addr & DOUBLEWORD_MASK, value);
    } else {
        if (opcode == 0x30) value = ll(addr);
        else if (opcode == 0x38) value = sc(addr, rt);
        else value = unknownAccess(addr);
        setRegister(rtOf(insn), value);
    }
    advance();
}

// jr     000000 sssss ----- ----- ----- 001000
function jr(uint256 rs) pure {
    jump(rs, 0);
}

// jalr   000000 sssss ----- ddddd ----- 001001    links in rd
function jalr(uint256 rd, uint256 rs) pure {
    jump(rs, rd);
}

// mfhi   000000 ----- ----- ddddd ----- 010000
function mfhi() pure returns (uint256) {
    return HI.load();
}

// mthi   000000 sssss ----- ddddd ----- 010001
function mthi(uint256 rs) pure returns (uint256) {
    HI.store(rs);
    return 0;
}

// mflo   000000 ----- ----- ddddd ----- 010010
function mflo() pure returns (uint256) {
    return LO.load();
}

// mtlo   000000 sssss ----- ddddd ----- 010011
function mtlo(uint256 rs) pure returns (uint256) {
    LO.store(rs);
    return 0;
}

// mult   000000 sssss ttttt ddddd ----- 011000    HI, LO = the halves of the signed product
function mult(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return setHalves(uint256(signed32(rs) * signed32(rt)));
    }
}

// multu  000000 sssss ttttt ddddd ----- 011001    HI, LO = the halves of the unsigned product
function multu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return setHalves((rs & U32_MASK) * (rt & U32_MASK));
    }
}

// div    000000 sssss ttttt ddddd ----- 011010    LO = quotient towards zero, HI = remainder, signed
function div(uint256 rs, uint256 rt) pure returns (uint256) {
    checkDivisor(rt);
    unchecked {
        LO.store(uint256(signed32(rs) / signed32(rt)));
        HI.store(uint256(signed32(rs) % signed32(rt)));
    }
    return 0;
}

// divu   000000 sssss ttttt ddddd ----- 011011    LO = quotient, HI = remainder, unsigned
function divu(uint256 rs, uint256 rt) pure returns (uint256) {
    checkDivisor(rt);
    unchecked {
        LO.store((rs & U32_MASK) / (rt & U32_MASK));
        HI.store((rs & U32_MASK) % (rt & U32_MASK));
    }
    return 0;
}

// bltz   000001 sssss 00000 iiiiiiiiiiiiiiii
function bltz(uint256 insn, uint256 rs) pure {
    branch(insn, signed64(rs) < 0);
}

// bgez   000001 sssss 00001 iiiiiiiiiiiiiiii
function bgez(uint256 insn, uint256 rs) pure {
    branch(insn, signed64(rs) >= 0);
}

// bgezal 000001 sssss 10001 iiiiiiiiiiiiiiii    links whether taken or not
function bgezal(uint256 insn, uint256 rs) pure {
    link(REG_RA);
    branch(insn, signed64(rs) >= 0);
}

// bnever 000001 sssss ttttt iiiiiiiiiiiiiiii    every other rt: a branch that is never taken
function bnever(uint256 insn) pure {
    branch(insn, false);
}

// j      000010 jjjjjjjjjjjjjjjjjjjjjjjjjj
function j(uint256 insn) pure {
    jump(jumpTarget(insn), 0);
}

// jal    000011 jjjjjjjjjjjjjjjjjjjjjjjjjj
function jal(uint256 insn) pure {
    jump(jumpTarget(insn), REG_RA);
}

// beq    000100 sssss ttttt iiiiiiiiiiiiiiii
function beq(uint256 insn, uint256 rs, uint256 rt) pure {
    branch(insn, rs == rt);
}

// bne    000101 sssss ttttt iiiiiiiiiiiiiiii
function bne(uint256 insn, uint256 rs, uint256 rt) pure {
    branch(insn, rs != rt);
}

// blez   000110 sssss ----- iiiiiiiiiiiiiiii
function blez(uint256 insn, uint256 rs) pure {
    branch(insn, signed64(rs) <= 0);
}

// bgtz   000111 sssss ----- iiiiiiiiiiiiiiii
function bgtz(uint256 insn, uint256 rs) pure {
    branch(insn, signed64(rs) > 0);
}

// ll     110000 sssss ttttt iiiiiiiiiiiiiiii    lw: with one thread there is nothing to reserve
function ll(uint256 addr) pure returns (uint256) {
    return lw(addr, readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF));
}

// sc     111000 sssss ttttt iiiiiiiiiiiiiiii    sw, and rt = 1: nothing can have come between
function sc(uint256 addr, uint256 rt) pure returns (uint256) {
    uint256 mem = peekMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
    writeMemory(addr & DOUBLEWORD_MASK, sw(addr, mem, rt));
    return 1;
}

// Opcodes 0x28 and above without a row. The access is made first, so a bad proof is reported as such.
function unknownAccess(uint256 addr) pure returns (uint256) {
    readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
    return invalidInstruction();
}

// No row matches.
function invalidInstruction() pure returns (uint256) {
    revert("MIPS: invalid instruction");
}

// HI and LO receive the two words of a product.
function setHalves(uint256 product) pure returns (uint256) {
    LO.store(product);
    HI.store(product >> 32);
    return 0;
}

function checkDivisor(uint256 divisor) pure {
    require(divisor != 0, "MIPS: division by zero");
}

// Goes to `immediate` words behind the delay slot, or to the instruction after it.
function branch(uint256 insn, bool taken) pure {
    require(!inDelaySlot(), "MIPS: branch in delay slot");
    unchecked {
        advanceTo(NEXT_PC.load() + (taken ? immOf(insn) << 2 : 4));
    }
}

// Goes to `target` and leaves the way back in register `linkRegister`, unless that is 0.
function jump(uint256 target, uint256 linkRegister) pure {
    require(!inDelaySlot(), "MIPS: jump in delay slot");
    link(linkRegister);
    advanceTo(target);
}

// The way back: the instruction behind the delay slot.
function link(uint256 linkRegister) pure {
    unchecked {
        setRegister(linkRegister, PC.load() + 8);
    }
}

// The region is that of the delay slot, which may already be the next one.
function jumpTarget(uint256 insn) pure returns (uint256) {
    return (NEXT_PC.load() & JUMP_REGION) | ((insn & 0x03ffffff) << 2);
}

function inDelaySlot() pure returns (bool) {
    unchecked {
        return NEXT_PC.load() != (PC.load() + 4) & U32_MASK;
    }
}
