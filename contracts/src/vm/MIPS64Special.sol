// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { functOf, invalidInstruction, rdOf, rsOf, rtOf, saOf } from "./MIPS64Decode.sol";
import { HI, LO, U64_MASK, advance, register, setRegister } from "./MIPS64State.sol";
import { jump } from "./MIPS64Branch.sol";
import { U32_MASK, flag, signed32, signed64, word } from "./Words.sol";

// Opcode 0: operations on registers, selected by the funct field, with the result in rd. Those that write HI and LO, or
// nothing, give 0, which a non-zero rd receives. The row of `syscall` is in MIPS64Syscalls.sol.

function executeSpecial(uint256 insn) pure {
    uint256 funct = functOf(insn);
    uint256 rs = register(rsOf(insn));
    uint256 rt = register(rtOf(insn));
    uint256 rd = rdOf(insn);
    uint256 sa = saOf(insn);
    uint256 value;
    if (funct < 0x20) {
        if (funct < 0x08) {
            if (funct == 0x00) value = sll(rt, sa);
            else if (funct == 0x02) value = srl(rt, sa);
            else if (funct == 0x03) value = sra(rt, sa);
            else if (funct == 0x04) value = sllv(rt, rs);
            else if (funct == 0x06) value = srlv(rt, rs);
            else if (funct == 0x07) value = srav(rt, rs);
            else value = invalidInstruction();
        } else if (funct < 0x10) {
            if (funct == 0x08) return jr(rs);
            else if (funct == 0x09) return jalr(rd, rs);
            else if (funct == 0x0a) value = movz(rs, rt, register(rd));
            else if (funct == 0x0b) value = movn(rs, rt, register(rd));
            else if (funct == 0x0f) value = sync(rs);
            else value = invalidInstruction();
        } else if (funct < 0x18) {
            if (funct == 0x10) value = mfhi();
            else if (funct == 0x11) value = mthi(rs);
            else if (funct == 0x12) value = mflo();
            else if (funct == 0x13) value = mtlo(rs);
            else if (funct == 0x14) value = dsllv(rt, rs);
            else if (funct == 0x16) value = dsrlv(rt, rs);
            else if (funct == 0x17) value = dsrav(rt, rs);
            else value = invalidInstruction();
        } else {
            if (funct == 0x18) value = mult(rs, rt);
            else if (funct == 0x19) value = multu(rs, rt);
            else if (funct == 0x1a) value = div(rs, rt);
            else if (funct == 0x1b) value = divu(rs, rt);
            else if (funct == 0x1c) value = dmult(rs, rt);
            else if (funct == 0x1d) value = dmultu(rs, rt);
            else if (funct == 0x1e) value = ddiv(rs, rt);
            else value = ddivu(rs, rt);
        }
    } else if (funct < 0x28) {
        if (funct == 0x20) value = add(rs, rt);
        else if (funct == 0x21) value = addu(rs, rt);
        else if (funct == 0x22) value = sub(rs, rt);
        else if (funct == 0x23) value = subu(rs, rt);
        else if (funct == 0x24) value = and(rs, rt);
        else if (funct == 0x25) value = or(rs, rt);
        else if (funct == 0x26) value = xor(rs, rt);
        else value = nor(rs, rt);
    } else if (funct < 0x30) {
        if (funct == 0x2a) value = slt(rs, rt);
        else if (funct == 0x2b) value = sltu(rs, rt);
        else if (funct == 0x2c) value = dadd(rs, rt);
        else if (funct == 0x2d) value = daddu(rs, rt);
        else if (funct == 0x2e) value = dsub(rs, rt);
        else if (funct == 0x2f) value = dsubu(rs, rt);
        else value = invalidInstruction();
    } else {
        if (funct == 0x38) value = dsll(rt, sa);
        else if (funct == 0x3a) value = dsrl(rt, sa);
        else if (funct == 0x3b) value = dsra(rt, sa);
        else if (funct == 0x3c) value = dsll32(rt, sa);
        else if (funct == 0x3e) value = dsrl32(rt, sa);
        else if (funct == 0x3f) value = dsra32(rt, sa);
        else value = invalidInstruction();
    }
    setRegister(rd, value);
    advance();
}

// sll    000000 ----- ttttt ddddd aaaaa 000000
function sll(uint256 rt, uint256 sa) pure returns (uint256) {
    return word(rt << sa);
}

// srl    000000 ----- ttttt ddddd aaaaa 000010
function srl(uint256 rt, uint256 sa) pure returns (uint256) {
    return word((rt & U32_MASK) >> sa);
}

// sra    000000 ----- ttttt ddddd aaaaa 000011
function sra(uint256 rt, uint256 sa) pure returns (uint256) {
    return uint256(signed32(rt) >> sa);
}

// sllv   000000 sssss ttttt ddddd ----- 000100
function sllv(uint256 rt, uint256 rs) pure returns (uint256) {
    return word(rt << (rs & 31));
}

// srlv   000000 sssss ttttt ddddd ----- 000110
function srlv(uint256 rt, uint256 rs) pure returns (uint256) {
    return word((rt & U32_MASK) >> (rs & 31));
}

// srav   000000 sssss ttttt ddddd ----- 000111
function srav(uint256 rt, uint256 rs) pure returns (uint256) {
    return uint256(signed32(rt) >> (rs & 31));
}

// jr     000000 sssss ----- ----- ----- 001000
function jr(uint256 rs) pure {
    jump(rs, 0);
}

// jalr   000000 sssss ----- ddddd ----- 001001    links in rd
function jalr(uint256 rd, uint256 rs) pure {
    jump(rs, rd);
}

// movz   000000 sssss ttttt ddddd ----- 001010
function movz(uint256 rs, uint256 rt, uint256 old) pure returns (uint256) {
    return rt == 0 ? rs : old;
}

// movn   000000 sssss ttttt ddddd ----- 001011
function movn(uint256 rs, uint256 rt, uint256 old) pure returns (uint256) {
    return rt != 0 ? rs : old;
}

// sync   000000 sssss ----- ddddd ----- 001111    a non-zero rd, which no real encoding has, receives rs
function sync(uint256 rs) pure returns (uint256) {
    return rs;
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

// dsllv  000000 sssss ttttt ddddd ----- 010100
function dsllv(uint256 rt, uint256 rs) pure returns (uint256) {
    return rt << (rs & 63);
}

// dsrlv  000000 sssss ttttt ddddd ----- 010110
function dsrlv(uint256 rt, uint256 rs) pure returns (uint256) {
    return rt >> (rs & 63);
}

// dsrav  000000 sssss ttttt ddddd ----- 010111
function dsrav(uint256 rt, uint256 rs) pure returns (uint256) {
    return uint256(signed64(rt) >> (rs & 63));
}

// mult   000000 sssss ttttt ddddd ----- 011000    HI, LO = the halves of the signed product of words
function mult(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return setHalves(uint256(signed32(rs) * signed32(rt)));
    }
}

// multu  000000 sssss ttttt ddddd ----- 011001    HI, LO = the halves of the unsigned product of words
function multu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return setHalves((rs & U32_MASK) * (rt & U32_MASK));
    }
}

// div    000000 sssss ttttt ddddd ----- 011010    LO = quotient towards zero, HI = remainder, of signed words
function div(uint256 rs, uint256 rt) pure returns (uint256) {
    int256 divisor = signed32(rt);
    checkDivisor(uint256(divisor));
    unchecked {
        // The least number divided by -1 does not fit; its low 32 bits are again the least number.
        LO.store(word(uint256(signed32(rs) / divisor)));
        HI.store(uint256(signed32(rs) % divisor));
    }
    return 0;
}

// divu   000000 sssss ttttt ddddd ----- 011011    LO = quotient, HI = remainder, of unsigned words
function divu(uint256 rs, uint256 rt) pure returns (uint256) {
    uint256 divisor = rt & U32_MASK;
    checkDivisor(divisor);
    unchecked {
        LO.store(word((rs & U32_MASK) / divisor));
        HI.store(word((rs & U32_MASK) % divisor));
    }
    return 0;
}

// dmult  000000 sssss ttttt ddddd ----- 011100    HI, LO = the halves of the signed product
function dmult(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return setDoubleHalves(uint256(signed64(rs) * signed64(rt)));
    }
}

// dmultu 000000 sssss ttttt ddddd ----- 011101    HI, LO = the halves of the unsigned product
function dmultu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return setDoubleHalves(rs * rt);
    }
}

// ddiv   000000 sssss ttttt ddddd ----- 011110    LO = quotient towards zero, HI = remainder, signed
function ddiv(uint256 rs, uint256 rt) pure returns (uint256) {
    checkDivisor(rt);
    unchecked {
        LO.store(uint256(signed64(rs) / signed64(rt)));
        HI.store(uint256(signed64(rs) % signed64(rt)));
    }
    return 0;
}

// ddivu  000000 sssss ttttt ddddd ----- 011111    LO = quotient, HI = remainder, unsigned
function ddivu(uint256 rs, uint256 rt) pure returns (uint256) {
    checkDivisor(rt);
    unchecked {
        LO.store(rs / rt);
        HI.store(rs % rt);
    }
    return 0;
}

// add    000000 sssss ttttt ddddd ----- 100000    never traps
function add(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return word(rs + rt);
    }
}

// addu   000000 sssss ttttt ddddd ----- 100001
function addu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return word(rs + rt);
    }
}

// sub    000000 sssss ttttt ddddd ----- 100010    never traps
function sub(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return word(rs - rt);
    }
}

// subu   000000 sssss ttttt ddddd ----- 100011
function subu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return word(rs - rt);
    }
}

// and    000000 sssss ttttt ddddd ----- 100100
function and(uint256 rs, uint256 rt) pure returns (uint256) {
    return rs & rt;
}

// or     000000 sssss ttttt ddddd ----- 100101
function or(uint256 rs, uint256 rt) pure returns (uint256) {
    return rs | rt;
}

// xor    000000 sssss ttttt ddddd ----- 100110
function xor(uint256 rs, uint256 rt) pure returns (uint256) {
    return rs ^ rt;
}

// nor    000000 sssss ttttt ddddd ----- 100111
function nor(uint256 rs, uint256 rt) pure returns (uint256) {
    return ~(rs | rt);
}

// slt    000000 sssss ttttt ddddd ----- 101010
function slt(uint256 rs, uint256 rt) pure returns (uint256) {
    return flag(signed64(rs) < signed64(rt));
}

// sltu   000000 sssss ttttt ddddd ----- 101011
function sltu(uint256 rs, uint256 rt) pure returns (uint256) {
    return flag(rs < rt);
}

// dadd   000000 sssss ttttt ddddd ----- 101100    never traps
function dadd(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return rs + rt;
    }
}

// daddu  000000 sssss ttttt ddddd ----- 101101
function daddu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return rs + rt;
    }
}

// dsub   000000 sssss ttttt ddddd ----- 101110    never traps
function dsub(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return rs - rt;
    }
}

// dsubu  000000 sssss ttttt ddddd ----- 101111
function dsubu(uint256 rs, uint256 rt) pure returns (uint256) {
    unchecked {
        return rs - rt;
    }
}

// dsll   000000 ----- ttttt ddddd aaaaa 111000
function dsll(uint256 rt, uint256 sa) pure returns (uint256) {
    return rt << sa;
}

// dsrl   000000 ----- ttttt ddddd aaaaa 111010
function dsrl(uint256 rt, uint256 sa) pure returns (uint256) {
    return rt >> sa;
}

// dsra   000000 ----- ttttt ddddd aaaaa 111011
function dsra(uint256 rt, uint256 sa) pure returns (uint256) {
    return uint256(signed64(rt) >> sa);
}

// dsll32 000000 ----- ttttt ddddd aaaaa 111100
function dsll32(uint256 rt, uint256 sa) pure returns (uint256) {
    return rt << (sa | 32);
}

// dsrl32 000000 ----- ttttt ddddd aaaaa 111110
function dsrl32(uint256 rt, uint256 sa) pure returns (uint256) {
    return rt >> (sa | 32);
}

// dsra32 000000 ----- ttttt ddddd aaaaa 111111
function dsra32(uint256 rt, uint256 sa) pure returns (uint256) {
    return uint256(signed64(rt) >> (sa | 32));
}

// HI and LO receive the two words of a product, each with its own sign.
function setHalves(uint256 product) pure returns (uint256) {
    LO.store(word(product));
    HI.store(word(product >> 32));
    return 0;
}

// HI and LO receive the two doublewords of a product.
function setDoubleHalves(uint256 product) pure returns (uint256) {
    LO.store(product & U64_MASK);
    HI.store(product >> 64);
    return 0;
}

function checkDivisor(uint256 divisor) pure {
    require(divisor != 0, "MIPS64: division by zero");
}
