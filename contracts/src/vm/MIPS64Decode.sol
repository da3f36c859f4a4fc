// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { signed16 } from "./Words.sol";

// Fields of an instruction word.
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

// No row matches.
function invalidInstruction() pure returns (uint256) {
    revert("MIPS64: invalid instruction");
}
