// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { immOf, opcodeOf, rsOf, rtOf } from "./MIPS64Decode.sol";
import { NEXT_PC, PC, U64_MASK, advanceTo, register, setRegister } from "./MIPS64State.sol";
import { signed64 } from "./Words.sol";

// Opcodes 1 to 7: branches and jumps. The instruction behind them, the delay slot, is an ordinary step of its own and
// must not be a branch or a jump itself. Operands are read before a link is written.

uint256 constant REG_RA = 31;

// Bits of a jump's address that the instruction does not hold: the region of 256 MiB.
uint256 constant JUMP_REGION = 0xfffffffff0000000;

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
    else if (selector == 0x10) bltzal(insn, rs);
    else if (selector == 0x11) bgezal(insn, rs);
    else bnever(insn);
}

// bltz   000001 sssss 00000 iiiiiiiiiiiiiiii
function bltz(uint256 insn, uint256 rs) pure {
    branch(insn, signed64(rs) < 0);
}

// bgez   000001 sssss 00001 iiiiiiiiiiiiiiii
function bgez(uint256 insn, uint256 rs) pure {
    branch(insn, signed64(rs) >= 0);
}

// bltzal 000001 sssss 10000 iiiiiiiiiiiiiiii    links whether taken or not
function bltzal(uint256 insn, uint256 rs) pure {
    link(REG_RA);
    branch(insn, signed64(rs) < 0);
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

// Goes to `immediate` words behind the delay slot, or to the instruction after it.
function branch(uint256 insn, bool taken) pure {
    require(!inDelaySlot(), "MIPS64: branch in delay slot");
    unchecked {
        advanceTo(NEXT_PC.load() + (taken ? immOf(insn) << 2 : 4));
    }
}

// Goes to `target` and leaves the way back in register `linkRegister`, unless that is 0.
function jump(uint256 target, uint256 linkRegister) pure {
    require(!inDelaySlot(), "MIPS64: jump in delay slot");
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
        return NEXT_PC.load() != (PC.load() + 4) & U64_MASK;
    }
}
