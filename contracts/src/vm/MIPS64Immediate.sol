// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { functOf, immOf, invalidInstruction, opcodeOf, rdOf, rsOf, rtOf, uimmOf } from "./MIPS64Decode.sol";
import { U64_MASK, advance, register, setRegister } from "./MIPS64State.sol";
import { U32_MASK, flag, signed64, word } from "./Words.sol";

// Opcodes 8 to 0x19: a register and an immediate, the result in rt.
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
    else if (opcode == 0x18) value = daddi(rs, immOf(insn));
    else if (opcode == 0x19) value = daddiu(rs, immOf(insn));
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
    else if (funct == 0x24) value = dclz(rs);
    else if (funct == 0x25) value = dclo(rs);
    else value = invalidInstruction();
    setRegister(rdOf(insn), value);
    advance();
}

// addi   001000 sssss ttttt iiiiiiiiiiiiiiii    never traps
function addi(uint256 rs, uint256 imm) pure returns (uint256) {
    unchecked {
        return word(rs + imm);
    }
}

// addiu  001001 sssss ttttt iiiiiiiiiiiiiiii
function addiu(uint256 rs, uint256 imm) pure returns (uint256) {
    unchecked {
        return word(rs + imm);
    }
}

// slti   001010 sssss ttttt iiiiiiiiiiiiiiii
function slti(uint256 rs, uint256 imm) pure returns (uint256) {
    return flag(signed64(rs) < signed64(imm));
}

// sltiu  001011 sssss ttttt iiiiiiiiiiiiiiii    the immediate is sign-extended, then compared without sign
function sltiu(uint256 rs, uint256 imm) pure returns (uint256) {
    return flag(rs < imm & U64_MASK);
}

// andi   001100 sssss ttttt iiiiiiiiiiiiiiii
function andi(uint256 rs, uint256 uimm) pure returns (uint256) {
    return rs & uimm;
}

// ori    001101 sssss ttttt iiiiiiiiiiiiiiii
function ori(uint256 rs, uint256 uimm) pure returns (uint256) {
    return rs | uimm;
}

// xori   001110 sssss ttttt iiiiiiiiiiiiiiii
function xori(uint256 rs, uint256 uimm) pure returns (uint256) {
    return rs ^ uimm;
}

// lui    001111 ----- ttttt iiiiiiiiiiiiiiii
function lui(uint256 uimm) pure returns (uint256) {
    return word(uimm << 16);
}

// daddi  011000 sssss ttttt iiiiiiiiiiiiiiii    never traps
function daddi(uint256 rs, uint256 imm) pure returns (uint256) {
    unchecked {
        return rs + imm;
    }
}

// daddiu 011001 sssss ttttt iiiiiiiiiiiiiiii
function daddiu(uint256 rs, uint256 imm) pure returns (uint256) {
    unchecked {
        return rs + imm;
    }
}

// mul    011100 sssss ttttt ddddd ----- 000010    the low word of the product; HI and LO stay
function mul(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return word(rs * rt);
    }
}

// clz    011100 sssss ----- ddddd ----- 100000
function clz(uint256 rs) pure returns (uint256) {
    return leadingZeros(rs & U32_MASK, 32);
}

// clo    011100 sssss ----- ddddd ----- 100001
function clo(uint256 rs) pure returns (uint256) {
    return leadingZeros(~rs & U32_MASK, 32);
}

// dclz   011100 sssss ----- ddddd ----- 100100
function dclz(uint256 rs) pure returns (uint256) {
    return leadingZeros(rs, 64);
}

// dclo   011100 sssss ----- ddddd ----- 100101
function dclo(uint256 rs) pure returns (uint256) {
    return leadingZeros(~rs & U64_MASK, 64);
}

// Zeros above the highest set bit of `value`, a number of `width` bits (32 or 64).
function leadingZeros(uint256 value, uint256 width) pure returns (uint256 count) {
    unchecked {
        count = width;
        // Halve the range in which the highest bit lies: if something is left above `bits`, the bit is there.
        for (uint256 bits = 32; bits != 0; bits >>= 1) {
            if (value >> bits != 0) {
                value >>= bits;
                count -= bits;
            }
        }
        count -= value;
    }
}
