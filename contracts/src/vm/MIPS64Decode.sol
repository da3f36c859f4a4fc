// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Fields of an instruction word, and the arithmetic that all instruction classes share.
//
//     31    26 25   21 20   16 15   11 10    6 5      0
//     +-------+-------+-------+-------+-------+-------+
//     |opcode |  rs   |  rt   |  rd   |  sa   | funct |
//     +-------+-------+-------+-------+-------+-------+
//                             |       immediate       |
//                     |            jump target (26)   |
//
// In the rows of the instruction files `s`, `t`, `d` are the three register fields, `a` the shift amount, `i` the
// immediate, `j` the jump target, and `-` a bit that does not matter.

uint256 constant U32_MASK = type(uint32).max;

function opcodeOf(uint256 insn) pure returns (uint256) {
    return insn >> 26;
}

function rsOf(uint256 insn) pure returns (uint256) {
    return (insn >> 21) & 31;
}

function rtOf(uint256 insn) pure returns (uint256) {
    return (insn >> 16) & 31;
}

function rdOf(uint256 insn) pure returns (uint256) {
    return (insn >> 11) & 31;
}

function saOf(uint256 insn) pure returns (uint256) {
    return (insn >> 6) & 31;
}

function functOf(uint256 insn) pure returns (uint256) {
    return insn & 63;
}

// The immediate with its sign, as an operand. Its upper bits are dropped where the result is stored.
function immOf(uint256 insn) pure returns (uint256) {
    return uint256(signed16(insn));
}

// The immediate without sign.
function uimmOf(uint256 insn) pure returns (uint256) {
    return insn & 0xffff;
}

// The low 8 bits as a signed number; whatever lies above them is ignored, here and below.
function signed8(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(0, value)
    }
}

function signed16(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(1, value)
    }
}

function signed32(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(3, value)
    }
}

function signed64(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(7, value)
    }
}

// A result of 32 bits as the register keeps it: with its sign in the upper half.
function word(uint256 value) pure returns (uint256) {
    return uint256(signed32(value));
}

// 1 or 0.
function flag(bool condition) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := condition
    }
}

// No row matches.
function invalidInstruction() pure returns (uint256) {
    revert("MIPS64: invalid instruction");
}
