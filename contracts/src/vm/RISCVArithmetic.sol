// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { funct3Of, funct7Of, immOf, rdOf, rs1Of, rs2Of, shamtOf, upperOf } from "./RISCVDecode.sol";
import { BAD_INSTRUCTION, noResult } from "./RISCVFaults.sol";
import { PC, U64_MASK, advance, register, setRegister } from "./RISCVState.sol";
import { U32_MASK, flag, signed32, signed64, word } from "./Words.sol";

// Instructions that compute rd from rs1 and an immediate or rs2. Shifts take the low six bits of their amount, those of words
// the low five. Names that end in `w` work on the low halves and give a word with its sign.

// Opcode 0x13.
function executeImmediate(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    uint256 rs1 = register(rs1Of(insn));
    uint256 value;
    if (funct3 == 0) value = addi(rs1, immOf(insn));
    else if (funct3 == 1) value = slli(rs1, shamtOf(insn));
    else if (funct3 == 2) value = slti(rs1, immOf(insn));
    else if (funct3 == 3) value = sltiu(rs1, immOf(insn));
    else if (funct3 == 4) value = xori(rs1, immOf(insn));
    else if (funct3 == 5 && insn >> 26 == 0x00) value = srli(rs1, shamtOf(insn));
    else if (funct3 == 5 && insn >> 26 == 0x10) value = srai(rs1, shamtOf(insn));
    else if (funct3 == 5) value = noResult(BAD_INSTRUCTION);
    else if (funct3 == 6) value = ori(rs1, immOf(insn));
    else value = andi(rs1, immOf(insn));
    setRegister(rdOf(insn), value);
    advance();
}

// Opcode 0x17.
function executeAuipc(uint256 insn) pure {
    setRegister(rdOf(insn), auipc(upperOf(insn)));
    advance();
}

// Opcode 0x1b.
function executeImmediateWord(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    uint256 rs1 = register(rs1Of(insn));
    uint256 value;
    if (funct3 == 0) value = addiw(rs1, immOf(insn));
    else if (funct3 == 1 && shamtOf(insn) < 32) value = slliw(rs1, shamtOf(insn));
    else if (funct3 == 5 && funct7Of(insn) == 0x00) value = srliw(rs1, shamtOf(insn));
    else if (funct3 == 5 && funct7Of(insn) == 0x20) value = sraiw(rs1, shamtOf(insn));
    else value = noResult(BAD_INSTRUCTION);
    setRegister(rdOf(insn), value);
    advance();
}

// Opcode 0x33.
function executeRegister(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    uint256 funct7 = funct7Of(insn);
    uint256 rs1 = register(rs1Of(insn));
    uint256 rs2 = register(rs2Of(insn));
    uint256 value;
    if (funct7 == 0x01) {
        if (funct3 == 0) value = mul(rs1, rs2);
        else if (funct3 == 1) value = mulh(rs1, rs2);
        else if (funct3 == 2) value = mulhsu(rs1, rs2);
        else if (funct3 == 3) value = mulhu(rs1, rs2);
        else if (funct3 == 4) value = div(rs1, rs2);
        else if (funct3 == 5) value = divu(rs1, rs2);
        else if (funct3 == 6) value = rem(rs1, rs2);
        else value = remu(rs1, rs2);
    } else {
        if (funct3 == 0 && funct7 == 0x00) value = add(rs1, rs2);
        else if (funct3 == 0 && funct7 == 0x20) value = sub(rs1, rs2);
        else if (funct3 == 1) value = sll(rs1, rs2);
        else if (funct3 == 2) value = slt(rs1, rs2);
        else if (funct3 == 3) value = sltu(rs1, rs2);
        else if (funct3 == 4) value = xor(rs1, rs2);
        else if (funct3 == 5 && funct7 == 0x00) value = srl(rs1, rs2);
        else if (funct3 == 5 && funct7 == 0x20) value = sra(rs1, rs2);
        else if (funct3 == 6) value = or(rs1, rs2);
        else if (funct3 == 7) value = and(rs1, rs2);
        else value = noResult(BAD_INSTRUCTION);
    }
    setRegister(rdOf(insn), value);
    advance();
}

// Opcode 0x37.
function executeLui(uint256 insn) pure {
    setRegister(rdOf(insn), lui(upperOf(insn)));
    advance();
}

// Opcode 0x3b.
function executeRegisterWord(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    uint256 funct7 = funct7Of(insn);
    uint256 rs1 = register(rs1Of(insn));
    uint256 rs2 = register(rs2Of(insn));
    uint256 value;
    if (funct7 == 0x01) {
        if (funct3 == 0) value = mulw(rs1, rs2);
        else if (funct3 == 4) value = divw(rs1, rs2);
        else if (funct3 == 5) value = divuw(rs1, rs2);
        else if (funct3 == 6) value = remw(rs1, rs2);
        else if (funct3 == 7) value = remuw(rs1, rs2);
        else value = noResult(BAD_INSTRUCTION);
    } else {
        if (funct3 == 0 && funct7 == 0x00) value = addw(rs1, rs2);
        else if (funct3 == 0 && funct7 == 0x20) value = subw(rs1, rs2);
        else if (funct3 == 1) value = sllw(rs1, rs2);
        else if (funct3 == 5 && funct7 == 0x00) value = srlw(rs1, rs2);
        else if (funct3 == 5 && funct7 == 0x20) value = sraw(rs1, rs2);
        else value = noResult(BAD_INSTRUCTION);
    }
    setRegister(rdOf(insn), value);
    advance();
}

// addi   iiiiiiiiiiii sssss 000 ddddd 0010011
function addi(uint256 rs1, uint256 imm) pure returns (uint256) {
    unchecked {
        return rs1 + imm;
    }
}

// slli   ------ aaaaaa sssss 001 ddddd 0010011
function slli(uint256 rs1, uint256 shamt) pure returns (uint256) {
    return rs1 << shamt;
}

// slti   iiiiiiiiiiii sssss 010 ddddd 0010011
function slti(uint256 rs1, uint256 imm) pure returns (uint256) {
    return flag(signed64(rs1) < signed64(imm));
}

// sltiu  iiiiiiiiiiii sssss 011 ddddd 0010011    the immediate is sign-extended, then compared without sign
function sltiu(uint256 rs1, uint256 imm) pure returns (uint256) {
    return flag(rs1 < imm & U64_MASK);
}

// xori   iiiiiiiiiiii sssss 100 ddddd 0010011
function xori(uint256 rs1, uint256 imm) pure returns (uint256) {
    return rs1 ^ imm;
}

// srli   000000 aaaaaa sssss 101 ddddd 0010011
function srli(uint256 rs1, uint256 shamt) pure returns (uint256) {
    return rs1 >> shamt;
}

// srai   010000 aaaaaa sssss 101 ddddd 0010011
function srai(uint256 rs1, uint256 shamt) pure returns (uint256) {
    return uint256(signed64(rs1) >> shamt);
}

// ori    iiiiiiiiiiii sssss 110 ddddd 0010011
function ori(uint256 rs1, uint256 imm) pure returns (uint256) {
    return rs1 | imm;
}

// andi   iiiiiiiiiiii sssss 111 ddddd 0010011
function andi(uint256 rs1, uint256 imm) pure returns (uint256) {
    return rs1 & imm;
}

// auipc  iiiiiiiiiiiiiiiiiiii ddddd 0010111
function auipc(uint256 imm) pure returns (uint256) {
    unchecked {
        return PC.load() + imm;
    }
}

// addiw  iiiiiiiiiiii sssss 000 ddddd 0011011
function addiw(uint256 rs1, uint256 imm) pure returns (uint256) {
    unchecked {
        return word(rs1 + imm);
    }
}

// slliw  ------0 aaaaa sssss 001 ddddd 0011011
function slliw(uint256 rs1, uint256 shamt) pure returns (uint256) {
    return word(rs1 << shamt);
}

// srliw  0000000 aaaaa sssss 101 ddddd 0011011
function srliw(uint256 rs1, uint256 shamt) pure returns (uint256) {
    return word((rs1 & U32_MASK) >> shamt);
}

// sraiw  0100000 aaaaa sssss 101 ddddd 0011011
function sraiw(uint256 rs1, uint256 shamt) pure returns (uint256) {
    return uint256(signed32(rs1) >> shamt);
}

// add    0000000 ttttt sssss 000 ddddd 0110011
function add(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return rs1 + rs2;
    }
}

// sub    0100000 ttttt sssss 000 ddddd 0110011
function sub(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return rs1 - rs2;
    }
}

// sll    ------- ttttt sssss 001 ddddd 0110011
function sll(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return rs1 << (rs2 & 63);
}

// slt    ------- ttttt sssss 010 ddddd 0110011
function slt(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return flag(signed64(rs1) < signed64(rs2));
}

// sltu   ------- ttttt sssss 011 ddddd 0110011
function sltu(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return flag(rs1 < rs2);
}

// xor    ------- ttttt sssss 100 ddddd 0110011
function xor(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return rs1 ^ rs2;
}

// srl    0000000 ttttt sssss 101 ddddd 0110011
function srl(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return rs1 >> (rs2 & 63);
}

// sra    0100000 ttttt sssss 101 ddddd 0110011
function sra(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return uint256(signed64(rs1) >> (rs2 & 63));
}

// or     ------- ttttt sssss 110 ddddd 0110011
function or(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return rs1 | rs2;
}

// and    ------- ttttt sssss 111 ddddd 0110011
function and(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return rs1 & rs2;
}

// mul    0000001 ttttt sssss 000 ddddd 0110011    the lower half of the product
function mul(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return rs1 * rs2;
    }
}

// mulh   0000001 ttttt sssss 001 ddddd 0110011    the upper half, signed
function mulh(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return uint256(signed64(rs1) * signed64(rs2)) >> 64;
    }
}

// mulhsu 0000001 ttttt sssss 010 ddddd 0110011    the upper half, rs1 signed
function mulhsu(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return (uint256(signed64(rs1)) * rs2) >> 64;
    }
}

// mulhu  0000001 ttttt sssss 011 ddddd 0110011    the upper half, unsigned
function mulhu(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return (rs1 * rs2) >> 64;
    }
}

// div    0000001 ttttt sssss 100 ddddd 0110011    all ones where rs2 = 0
function div(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return quotient(signed64(rs1), signed64(rs2));
}

// divu   0000001 ttttt sssss 101 ddddd 0110011    all ones where rs2 = 0
function divu(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return quotient(int256(rs1), int256(rs2));
}

// rem    0000001 ttttt sssss 110 ddddd 0110011    rs1 where rs2 = 0
function rem(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return remainder(signed64(rs1), signed64(rs2));
}

// remu   0000001 ttttt sssss 111 ddddd 0110011    rs1 where rs2 = 0
function remu(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return remainder(int256(rs1), int256(rs2));
}

// lui    iiiiiiiiiiiiiiiiiiii ddddd 0110111
function lui(uint256 imm) pure returns (uint256) {
    return imm;
}

// addw   0000000 ttttt sssss 000 ddddd 0111011
function addw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return word(rs1 + rs2);
    }
}

// subw   0100000 ttttt sssss 000 ddddd 0111011
function subw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return word(rs1 - rs2);
    }
}

// sllw   ------- ttttt sssss 001 ddddd 0111011
function sllw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return word(rs1 << (rs2 & 31));
}

// srlw   0000000 ttttt sssss 101 ddddd 0111011
function srlw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return word((rs1 & U32_MASK) >> (rs2 & 31));
}

// sraw   0100000 ttttt sssss 101 ddddd 0111011
function sraw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return uint256(signed32(rs1) >> (rs2 & 31));
}

// mulw   0000001 ttttt sssss 000 ddddd 0111011
function mulw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    unchecked {
        return word(rs1 * rs2);
    }
}

// divw   0000001 ttttt sssss 100 ddddd 0111011    all ones where rs2 = 0
function divw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return word(quotient(signed32(rs1), signed32(rs2)));
}

// divuw  0000001 ttttt sssss 101 ddddd 0111011    all ones where rs2 = 0
function divuw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return word(quotient(int256(rs1 & U32_MASK), int256(rs2 & U32_MASK)));
}

// remw   0000001 ttttt sssss 110 ddddd 0111011    rs1 where rs2 = 0
function remw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return word(remainder(signed32(rs1), signed32(rs2)));
}

// remuw  0000001 ttttt sssss 111 ddddd 0111011    rs1 where rs2 = 0
function remuw(uint256 rs1, uint256 rs2) pure returns (uint256) {
    return word(remainder(int256(rs1 & U32_MASK), int256(rs2 & U32_MASK)));
}

// a / b towards zero, all ones where b = 0. Numbers of 64 bits do not overflow here; the least divided by -1 is cut back to
// itself where it is stored.
function quotient(int256 a, int256 b) pure returns (uint256 value) {
    if (b == 0) return U64_MASK;
    assembly ("memory-safe") {
        value := sdiv(a, b)
    }
}

// What a / b leaves, with the sign of a; a where b = 0.
function remainder(int256 a, int256 b) pure returns (uint256 value) {
    if (b == 0) return uint256(a);
    assembly ("memory-safe") {
        value := smod(a, b)
    }
}
