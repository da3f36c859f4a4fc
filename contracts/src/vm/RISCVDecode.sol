// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Fields of an instruction word.
//
//     31      25 24   20 19   15 14    12 11    7 6      0
//     +---------+-------+-------+--------+-------+--------+
//     | funct7  |  rs2  |  rs1  | funct3 |  rd   | opcode |
//     +---------+-------+-------+--------+-------+--------+
//     |    immediate    |
//     | upper part of the offset         | lower |   stores and branches
//     |           upper immediate        |
//
// In the rows of the instruction files `s`, `t`, `d` are rs1, rs2 and rd, `a` is the shift amount, `i` the immediate, and
// `-` a bit that does not matter.

function opcodeOf(uint256 insn) pure returns (uint256) {
    return insn & 127;
}

function rdOf(uint256 insn) pure returns (uint256) {
    return (insn >> 7) & 31;
}

function funct3Of(uint256 insn) pure returns (uint256) {
    return (insn >> 12) & 7;
}

function rs1Of(uint256 insn) pure returns (uint256) {
    return (insn >> 15) & 31;
}

function rs2Of(uint256 insn) pure returns (uint256) {
    return (insn >> 20) & 31;
}

function funct7Of(uint256 insn) pure returns (uint256) {
    return insn >> 25;
}

// The shift amount of 64-bit shifts.
function shamtOf(uint256 insn) pure returns (uint256) {
    return (insn >> 20) & 63;
}

// The immediate with its sign, as an operand; its upper bits are dropped where the result is stored. Here and below the
// sign is spread by moving it to the top and back.
function immOf(uint256 insn) pure returns (uint256 imm) {
    assembly ("memory-safe") {
        imm := sar(244, shl(224, insn))
    }
}

// The offset of a store.
function storeOffsetOf(uint256 insn) pure returns (uint256 offset) {
    assembly ("memory-safe") {
        offset := or(shl(5, sar(249, shl(224, insn))), and(shr(7, insn), 31))
    }
}

// The offset of a branch: bits 12 | 10 to 5 and 4 to 1 | 11.
function branchOffsetOf(uint256 insn) pure returns (uint256 offset) {
    assembly ("memory-safe") {
        offset := or(shl(12, sar(255, shl(224, insn))), and(shl(4, insn), 0x800))
        offset := or(offset, or(and(shr(20, insn), 0x7e0), and(shr(7, insn), 0x1e)))
    }
}

// The offset of `jal`: bits 20 | 10 to 1 | 11 | 19 to 12.
function jumpOffsetOf(uint256 insn) pure returns (uint256 offset) {
    assembly ("memory-safe") {
        offset := or(shl(20, sar(255, shl(224, insn))), and(insn, 0xff000))
        offset := or(offset, or(and(shr(9, insn), 0x800), and(shr(20, insn), 0x7fe)))
    }
}

// The upper immediate in its place.
function upperOf(uint256 insn) pure returns (uint256 imm) {
    assembly ("memory-safe") {
        imm := signextend(3, and(insn, 0xfffff000))
    }
}
