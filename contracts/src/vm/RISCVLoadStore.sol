// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { funct3Of, immOf, rdOf, rs1Of, rs2Of, storeOffsetOf } from "./RISCVDecode.sol";
import { BAD_INSTRUCTION, BAD_STORE_SIZE, fault } from "./RISCVFaults.sol";
import { loadBytes, storeBytes } from "./RISCVMemory.sol";
import { U64_MASK, advance, register, setRegister } from "./RISCVState.sol";
import { U32_MASK, signed16, signed32, signed8 } from "./Words.sol";

// Loads and stores: funct3 is the logarithm of the size, and with bit 2 a load is without sign. A load gives the new value of
// rd from `mem`, the bytes at the address as a number.

function executeLoad(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    if (funct3 == 7) fault(BAD_INSTRUCTION);
    uint256 mem;
    unchecked {
        mem = loadBytes((register(rs1Of(insn)) + immOf(insn)) & U64_MASK, 1 << (funct3 & 3));
    }
    uint256 value;
    if (funct3 == 0) value = lb(mem);
    else if (funct3 == 1) value = lh(mem);
    else if (funct3 == 2) value = lw(mem);
    else if (funct3 == 3) value = ld(mem);
    else if (funct3 == 4) value = lbu(mem);
    else if (funct3 == 5) value = lhu(mem);
    else value = lwu(mem);
    setRegister(rdOf(insn), value);
    advance();
}

function executeStore(uint256 insn) pure {
    uint256 funct3 = funct3Of(insn);
    uint256 addr;
    unchecked {
        addr = (register(rs1Of(insn)) + storeOffsetOf(insn)) & U64_MASK;
    }
    uint256 value = register(rs2Of(insn));
    if (funct3 == 0) sb(addr, value);
    else if (funct3 == 1) sh(addr, value);
    else if (funct3 == 2) sw(addr, value);
    else if (funct3 == 3) sd(addr, value);
    else fault(BAD_STORE_SIZE);
    advance();
}

// lb     iiiiiiiiiiii sssss 000 ddddd 0000011
function lb(uint256 mem) pure returns (uint256) {
    return uint256(signed8(mem));
}

// lh     iiiiiiiiiiii sssss 001 ddddd 0000011
function lh(uint256 mem) pure returns (uint256) {
    return uint256(signed16(mem));
}

// lw     iiiiiiiiiiii sssss 010 ddddd 0000011
function lw(uint256 mem) pure returns (uint256) {
    return uint256(signed32(mem));
}

// ld     iiiiiiiiiiii sssss 011 ddddd 0000011
function ld(uint256 mem) pure returns (uint256) {
    return mem;
}

// lbu    iiiiiiiiiiii sssss 100 ddddd 0000011
function lbu(uint256 mem) pure returns (uint256) {
    return mem & 0xff;
}

// lhu    iiiiiiiiiiii sssss 101 ddddd 0000011
function lhu(uint256 mem) pure returns (uint256) {
    return mem & 0xffff;
}

// lwu    iiiiiiiiiiii sssss 110 ddddd 0000011
function lwu(uint256 mem) pure returns (uint256) {
    return mem & U32_MASK;
}

// sb     iiiiiii ttttt sssss 000 iiiii 0100011
function sb(uint256 addr, uint256 rs2) pure {
    storeBytes(addr, 1, rs2);
}

// sh     iiiiiii ttttt sssss 001 iiiii 0100011
function sh(uint256 addr, uint256 rs2) pure {
    storeBytes(addr, 2, rs2);
}

// sw     iiiiiii ttttt sssss 010 iiiii 0100011
function sw(uint256 addr, uint256 rs2) pure {
    storeBytes(addr, 4, rs2);
}

// sd     iiiiiii ttttt sssss 011 iiiii 0100011
function sd(uint256 addr, uint256 rs2) pure {
    storeBytes(addr, 8, rs2);
}
