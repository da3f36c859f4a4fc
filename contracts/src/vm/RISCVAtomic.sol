// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { funct3Of, funct7Of, rdOf, rs1Of, rs2Of } from "./RISCVDecode.sol";
import { BAD_ALIGNMENT, BAD_ATOMIC_OPERATION, BAD_ATOMIC_SIZE, fault, noResult } from "./RISCVFaults.sol";
import { LEFT_PROOF, bytesAt, loadBytes, peekLeaf, readLeaf, storeBytes } from "./RISCVMemory.sol";
import { LOAD_RESERVATION, U64_MASK, advance, register, setRegister } from "./RISCVState.sol";
import { signed64, word } from "./Words.sol";

// Atomic instructions: on words (`_w`, funct3 2) and doublewords (`_d`, funct3 3), by the upper five bits of funct7. The lower
// two, which order accesses, do not matter to one hart. The address is aligned, so one leaf holds it.
//
// An operation gives the new value in memory from the old one and rs2; of words both are with their sign. The reservation is
// an address alone; only a store-conditional ends it.

uint256 constant LR = 0x02;
uint256 constant SC = 0x03;

function executeAtomic(uint256 insn) pure {
    uint256 size = 1 << funct3Of(insn);
    if (size != 4 && size != 8) fault(BAD_ATOMIC_SIZE);
    uint256 addr = register(rs1Of(insn));
    unchecked {
        if (addr & (size - 1) != 0) fault(BAD_ALIGNMENT);
    }
    uint256 operation = funct7Of(insn) >> 2;
    uint256 rs2 = register(rs2Of(insn));
    uint256 value;
    if (size == 4) {
        if (operation == LR) value = lr_w(addr);
        else if (operation == SC) value = sc_w(addr, rs2);
        else value = modifyWord(addr, word(rs2), operation);
    } else {
        if (operation == LR) value = lr_d(addr);
        else if (operation == SC) value = sc_d(addr, rs2);
        else value = modifyDoubleword(addr, rs2, operation);
    }
    setRegister(rdOf(insn), value);
    advance();
}

// The old word at `addr`, which is replaced. An operation without a row faults behind the access, so a bad proof is reported as
// such.
function modifyWord(uint256 addr, uint256 rs2, uint256 operation) pure returns (uint256 old) {
    uint256 leaf = peekLeaf(LEFT_PROOF);
    old = word(bytesAt(leaf, addr));
    uint256 value;
    if (operation == 0x00) value = amoadd_w(old, rs2);
    else if (operation == 0x01) value = amoswap_w(old, rs2);
    else if (operation == 0x04) value = amoxor_w(old, rs2);
    else if (operation == 0x08) value = amoor_w(old, rs2);
    else if (operation == 0x0c) value = amoand_w(old, rs2);
    else if (operation == 0x10) value = amomin_w(old, rs2);
    else if (operation == 0x14) value = amomax_w(old, rs2);
    else if (operation == 0x18) value = amominu_w(old, rs2);
    else if (operation == 0x1c) value = amomaxu_w(old, rs2);
    else value = unknownOperation(addr);
    storeBytes(addr, 4, value);
}

// The old doubleword at `addr`, which is replaced. An operation without a row faults behind the access, so a bad proof is reported as
// such.
function modifyDoubleword(uint256 addr, uint256 rs2, uint256 operation) pure returns (uint256 old) {
    uint256 leaf = peekLeaf(LEFT_PROOF);
    old = bytesAt(leaf, addr);
    uint256 value;
    if (operation == 0x00) value = amoadd_d(old, rs2);
    else if (operation == 0x01) value = amoswap_d(old, rs2);
    else if (operation == 0x04) value = amoxor_d(old, rs2);
    else if (operation == 0x08) value = amoor_d(old, rs2);
    else if (operation == 0x0c) value = amoand_d(old, rs2);
    else if (operation == 0x10) value = amomin_d(old, rs2);
    else if (operation == 0x14) value = amomax_d(old, rs2);
    else if (operation == 0x18) value = amominu_d(old, rs2);
    else if (operation == 0x1c) value = amomaxu_d(old, rs2);
    else value = unknownOperation(addr);
    storeBytes(addr, 8, value);
}

// amoadd_w  00000 -- ttttt sssss 010 ddddd 0101111
function amoadd_w(uint256 old, uint256 rs2) pure returns (uint256) {
    unchecked {
        return old + rs2;
    }
}

// amoswap_w 00001 -- ttttt sssss 010 ddddd 0101111
function amoswap_w(uint256, uint256 rs2) pure returns (uint256) {
    return rs2;
}

// lr_w      00010 -- ----- sssss 010 ddddd 0101111
function lr_w(uint256 addr) pure returns (uint256) {
    LOAD_RESERVATION.store(addr);
    return word(loadBytes(addr, 4));
}

// sc_w      00011 -- ttttt sssss 010 ddddd 0101111
function sc_w(uint256 addr, uint256 rs2) pure returns (uint256) {
    if (!takeReservation(addr)) return 1;
    storeBytes(addr, 4, rs2);
    return 0;
}

// amoxor_w  00100 -- ttttt sssss 010 ddddd 0101111
function amoxor_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return old ^ rs2;
}

// amoor_w   01000 -- ttttt sssss 010 ddddd 0101111
function amoor_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return old | rs2;
}

// amoand_w  01100 -- ttttt sssss 010 ddddd 0101111
function amoand_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return old & rs2;
}

// amomin_w  10000 -- ttttt sssss 010 ddddd 0101111
function amomin_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return signed64(rs2) < signed64(old) ? rs2 : old;
}

// amomax_w  10100 -- ttttt sssss 010 ddddd 0101111
function amomax_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return signed64(rs2) > signed64(old) ? rs2 : old;
}

// amominu_w 11000 -- ttttt sssss 010 ddddd 0101111
function amominu_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return (rs2 & U64_MASK) < (old & U64_MASK) ? rs2 : old;
}

// amomaxu_w 11100 -- ttttt sssss 010 ddddd 0101111
function amomaxu_w(uint256 old, uint256 rs2) pure returns (uint256) {
    return (rs2 & U64_MASK) > (old & U64_MASK) ? rs2 : old;
}

// amoadd_d  00000 -- ttttt sssss 011 ddddd 0101111
function amoadd_d(uint256 old, uint256 rs2) pure returns (uint256) {
    unchecked {
        return old + rs2;
    }
}

// amoswap_d 00001 -- ttttt sssss 011 ddddd 0101111
function amoswap_d(uint256, uint256 rs2) pure returns (uint256) {
    return rs2;
}

// lr_d      00010 -- ----- sssss 011 ddddd 0101111
function lr_d(uint256 addr) pure returns (uint256) {
    LOAD_RESERVATION.store(addr);
    return loadBytes(addr, 8);
}

// sc_d      00011 -- ttttt sssss 011 ddddd 0101111
function sc_d(uint256 addr, uint256 rs2) pure returns (uint256) {
    if (!takeReservation(addr)) return 1;
    storeBytes(addr, 8, rs2);
    return 0;
}

// amoxor_d  00100 -- ttttt sssss 011 ddddd 0101111
function amoxor_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return old ^ rs2;
}

// amoor_d   01000 -- ttttt sssss 011 ddddd 0101111
function amoor_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return old | rs2;
}

// amoand_d  01100 -- ttttt sssss 011 ddddd 0101111
function amoand_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return old & rs2;
}

// amomin_d  10000 -- ttttt sssss 011 ddddd 0101111
function amomin_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return signed64(rs2) < signed64(old) ? rs2 : old;
}

// amomax_d  10100 -- ttttt sssss 011 ddddd 0101111
function amomax_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return signed64(rs2) > signed64(old) ? rs2 : old;
}

// amominu_d 11000 -- ttttt sssss 011 ddddd 0101111
function amominu_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return (rs2 & U64_MASK) < (old & U64_MASK) ? rs2 : old;
}

// amomaxu_d 11100 -- ttttt sssss 011 ddddd 0101111
function amomaxu_d(uint256 old, uint256 rs2) pure returns (uint256) {
    return (rs2 & U64_MASK) > (old & U64_MASK) ? rs2 : old;
}

// Ends the reservation; whether it was of this address. None is one of address 0.
function takeReservation(uint256 addr) pure returns (bool held) {
    held = LOAD_RESERVATION.load() == addr;
    LOAD_RESERVATION.store(0);
}

function unknownOperation(uint256 addr) pure returns (uint256) {
    readLeaf(addr, LEFT_PROOF);
    return noResult(BAD_ATOMIC_OPERATION);
}
