// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { branchOffsetOf, funct3Of, immOf, jumpOffsetOf, rdOf, rs1Of, rs2Of } from "./RISCVDecode.sol";
import { BAD_ALIGNMENT, fault } from "./RISCVFaults.sol";
import { PC, register, setRegister } from "./RISCVState.sol";
import { signed64 } from "./Words.sol";

// Branches and jumps. Whatever comes next must be aligned to an instruction. Operands are read before a link is written.

// Opcode 0x63.
function executeBranch(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    uint256 rs1 = register(rs1Of(insn));
    uint256 rs2 = register(rs2Of(insn));
    bool taken;
    if (funct3 == 0) taken = beq(rs1, rs2);
    else if (funct3 == 1) taken = bne(rs1, rs2);
    else if (funct3 < 4) taken = bnever(rs1, rs2);
    else if (funct3 == 4) taken = blt(rs1, rs2);
    else if (funct3 == 5) taken = bge(rs1, rs2);
    else if (funct3 == 6) taken = bltu(rs1, rs2);
    else taken = bgeu(rs1, rs2);
    unchecked {
        jumpTo(PC.load() + (taken ? branchOffsetOf(insn) : 4));
    }
}

// beq    iiiiiii ttttt sssss 000 iiiii 1100011
function beq(uint256 rs1, uint256 rs2) pure returns (bool) {
    return rs1 == rs2;
}

// bne    iiiiiii ttttt sssss 001 iiiii 1100011
function bne(uint256 rs1, uint256 rs2) pure returns (bool) {
    return rs1 != rs2;
}

// bnever iiiiiii ttttt sssss 01- iiiii 1100011
function bnever(uint256, uint256) pure returns (bool) {
    return false;
}

// blt    iiiiiii ttttt sssss 100 iiiii 1100011
function blt(uint256 rs1, uint256 rs2) pure returns (bool) {
    return signed64(rs1) < signed64(rs2);
}

// bge    iiiiiii ttttt sssss 101 iiiii 1100011
function bge(uint256 rs1, uint256 rs2) pure returns (bool) {
    return signed64(rs1) >= signed64(rs2);
}

// bltu   iiiiiii ttttt sssss 110 iiiii 1100011
function bltu(uint256 rs1, uint256 rs2) pure returns (bool) {
    return rs1 < rs2;
}

// bgeu   iiiiiii ttttt sssss 111 iiiii 1100011
function bgeu(uint256 rs1, uint256 rs2) pure returns (bool) {
    return rs1 >= rs2;
}

// jalr   iiiiiiiiiiii sssss --- ddddd 1100111    without the lowest bit of the sum
function jalr(uint256 insn) pure {
    unchecked {
        uint256 target = (register(rs1Of(insn)) + immOf(insn)) & ~uint256(1);
        link(insn);
        jumpTo(target);
    }
}

// jal    iiiiiiiiiiiiiiiiiiii ddddd 1101111
function jal(uint256 insn) pure {
    unchecked {
        link(insn);
        jumpTo(PC.load() + jumpOffsetOf(insn));
    }
}

// The way back, in rd.
function link(uint256 insn) pure {
    unchecked {
        setRegister(rdOf(insn), PC.load() + 4);
    }
}

function jumpTo(uint256 target) pure {
    if (target & 3 != 0) fault(BAD_ALIGNMENT);
    PC.store(target);
}
