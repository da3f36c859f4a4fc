// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Encode, Machine, MachineTest } from "./Machine.sol";

/// @notice Opcode 0: results at the edges of the operands, as literals, and random ones against typed integers.
contract MIPS64SpecialTest is MachineTest {
    uint64 private constant MIN32 = 0xffff_ffff_8000_0000;
    uint64 private constant MIN64 = 0x8000_0000_0000_0000;

    /// @dev `funct` on rs = $8 and rt = $9 gives `want` in rd = $10, and in LO and HI what they had.
    function alu(uint32 funct, uint64 rs, uint64 rt, uint64 want, string memory what) private {
        shift(funct, 0, rs, rt, want, what);
    }

    function shift(uint32 funct, uint32 sa, uint64 rs, uint64 rt, uint64 want, string memory what) private {
        Machine memory m = machine(Encode.r(funct, 8, 9, 10, sa));
        active(m).r[8] = rs;
        active(m).r[9] = rt;
        active(m).lo = 0x1111;
        active(m).hi = 0x2222;
        Machine memory n = advanced(m);
        active(n).r[10] = want;
        check(m, n, what);
    }

    /// @dev As `alu`, for rows that write HI and LO; rd is 0.
    function wide(uint32 funct, uint64 rs, uint64 rt, uint64 hi, uint64 lo, string memory what) private {
        Machine memory m = machine(Encode.r(funct, 8, 9, 0, 0));
        active(m).r[8] = rs;
        active(m).r[9] = rt;
        Machine memory n = advanced(m);
        active(n).hi = hi;
        active(n).lo = lo;
        check(m, n, what);
    }

    function test_attack20_shiftsOfWords() public {
        shift(0x00, 4, 0, 0x0fff_ffff, 0xffff_ffff_ffff_fff0, "sll into the sign");
        shift(0x00, 31, 0, 3, MIN32, "sll drops what leaves the word");
        shift(0x00, 0, 0, 0x1234_5678_8765_4321, 0xffff_ffff_8765_4321, "sll by 0 keeps the word with its sign");
        shift(0x02, 4, 0, 0xffff_ffff_f000_0000, 0x0f00_0000, "srl brings zeros");
        shift(0x02, 0, 0, 0x0000_0000_8000_0000, MIN32, "srl by 0 gives the word with its sign");
        shift(0x03, 4, 0, 0x0000_0000_8000_0000, 0xffff_ffff_f800_0000, "sra brings the sign of bit 31");
        shift(0x03, 31, 0, 0xffff_ffff_7fff_ffff, 0, "sra ignores the upper half");
        alu(0x04, 33, 1, 2, "sllv takes 5 bits");
        alu(0x06, 32 + 8, 0xffff_ffff, 0x00ff_ffff, "srlv takes 5 bits");
        alu(0x06, 32, 0x8000_0000, MIN32, "srlv by 0");
        alu(0x07, 4, 0xffff_ffff_8000_0000, 0xffff_ffff_f800_0000, "srav");
        alu(0x07, 63, 0x0000_0000_8000_0000, ALL_ONES, "srav takes 5 bits of rs, the sign of bit 31");
    }

    function test_shiftsOfDoublewords() public {
        alu(0x14, 64 + 63, 3, MIN64, "dsllv takes 6 bits");
        alu(0x16, 63, MIN64, 1, "dsrlv");
        alu(0x17, 63, MIN64, ALL_ONES, "dsrav");
        alu(0x17, 64, MIN64, MIN64, "dsrav by 0");
        shift(0x38, 31, 0, 0x1_0000_0001, 0x8000_0000_8000_0000, "dsll");
        shift(0x3a, 31, 0, MIN64, 0x1_0000_0000, "dsrl");
        shift(0x3b, 31, 0, MIN64, 0xffff_ffff_0000_0000, "dsra");
        shift(0x3c, 31, 0, 3, MIN64, "dsll32");
        shift(0x3e, 0, 0, 0x1234_5678_9abc_def0, 0x1234_5678, "dsrl32");
        shift(0x3f, 31, 0, MIN64, ALL_ONES, "dsra32");
    }

    function test_movesDependOnRt() public {
        alu(0x0a, 5, 0, 5, "movz moves");
        alu(0x0a, 5, 1, 0xaa00_0000_bb00_000a, "movz keeps");
        alu(0x0b, 5, 1 << 63, 5, "movn moves");
        alu(0x0b, 5, 0, 0xaa00_0000_bb00_000a, "movn keeps");
    }

    function test_attack20_syncWritesRsToRd() public {
        alu(0x0f, 77, 1, 77, "sync with a destination");
    }

    function test_attack20_hiAndLoMove() public {
        alu(0x10, 0, 0, 0x2222, "mfhi");
        alu(0x12, 0, 0, 0x1111, "mflo");
        wide(0x11, 7, 0, 7, 0, "mthi");
        wide(0x13, 7, 0, 0, 7, "mtlo");
    }

    /// @dev Real encodings have rd = 0 in these rows; the machine writes 0 to any other.
    function test_rowsThatWriteHiLoClearRd() public {
        uint32[10] memory functs = [uint32(0x11), 0x13, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f];
        for (uint256 i = 0; i < functs.length; i++) {
            Machine memory m = machine(Encode.r(functs[i], 8, 9, 10, 0));
            active(m).r[8] = 3;
            active(m).r[9] = 3;
            Machine memory n = advanced(m);
            active(n).r[10] = 0;
            active(n).hi = functs[i] == 0x11 ? 3 : 0;
            active(n).lo = functs[i] == 0x11 ? 0 : functs[i] == 0x13 ? 3 : functs[i] & 3 < 2 ? 9 : 1;
            check(m, n, "rd is cleared");
        }
    }

    function test_multiply() public {
        wide(0x18, 0xffff_ffff, 0xffff_ffff, 0, 1, "mult: -1 x -1");
        wide(0x18, MIN32, MIN32, 0x4000_0000, 0, "mult: the least squared");
        wide(0x18, 0x7fff_ffff, 2, 0, 0xffff_ffff_ffff_fffe, "mult: LO has a sign of its own");
        wide(0x19, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff_ffff_fffe, 1, "multu: HI has a sign too");
        wide(0x19, 0xffff_ffff_0000_0002, 3, 0, 6, "multu ignores the upper halves");
        wide(0x1c, ALL_ONES, ALL_ONES, 0, 1, "dmult: -1 x -1");
        wide(0x1c, MIN64, 2, ALL_ONES, 0, "dmult: the least doubled");
        wide(0x1d, ALL_ONES, ALL_ONES, ALL_ONES - 1, 1, "dmultu");
    }

    function test_divide() public {
        wide(0x1a, 0xffff_ffff_ffff_fff9, 2, ALL_ONES, 0xffff_ffff_ffff_fffd, "div: -7 by 2 goes towards zero");
        wide(0x1a, 7, 0xffff_fffe, 1, 0xffff_ffff_ffff_fffd, "div: 7 by -2");
        wide(0x1a, MIN32, ALL_ONES, 0, MIN32, "div: the least by -1");
        wide(0x1b, ALL_ONES, 16, 15, 0x0fff_ffff, "divu");
        wide(0x1b, 0xffff_ffff, 1, 0, ALL_ONES, "divu: LO has a sign of its own");
        wide(0x1e, MIN64, ALL_ONES, 0, MIN64, "ddiv: the least by -1");
        wide(0x1e, 0xffff_ffff_ffff_fff9, 2, ALL_ONES, 0xffff_ffff_ffff_fffd, "ddiv: -7 by 2");
        wide(0x1f, ALL_ONES, 10, 5, 1844674407370955161, "ddivu");
    }

    function test_divisionByZeroFaults() public {
        uint32[4] memory functs = [uint32(0x1a), 0x1b, 0x1e, 0x1f];
        for (uint256 i = 0; i < functs.length; i++) {
            Machine memory m = machine(Encode.r(functs[i], 8, 9, 0, 0));
            active(m).r[9] = 0;
            checkFault(m, 0, text("MIPS64: division by zero"));
            // Only the words divide in the first two.
            active(m).r[9] = 0x5_0000_0000;
            if (i < 2) checkFault(m, 0, text("MIPS64: division by zero"));
        }
    }

    function test_attack20_addAndSubtract() public {
        alu(0x20, 0x7fff_ffff, 1, MIN32, "add wraps and does not trap");
        alu(0x21, 0xffff_ffff, 1, 0, "addu wraps");
        alu(0x22, MIN32, 1, 0x7fff_ffff, "sub wraps and does not trap");
        alu(0x23, 0, 1, ALL_ONES, "subu");
        alu(0x2c, 0x7fff_ffff_ffff_ffff, 1, MIN64, "dadd wraps and does not trap");
        alu(0x2d, ALL_ONES, 1, 0, "daddu wraps");
        alu(0x2e, MIN64, 1, 0x7fff_ffff_ffff_ffff, "dsub wraps and does not trap");
        alu(0x2f, 0, 1, ALL_ONES, "dsubu");
    }

    function test_logicAndComparison() public {
        alu(0x24, 0xf0f0, 0xff00, 0xf000, "and");
        alu(0x25, 0xf0f0, 0xff00, 0xfff0, "or");
        alu(0x26, 0xf0f0, 0xff00, 0x0ff0, "xor");
        alu(0x27, 0xf0f0, 0xff00, 0xffff_ffff_ffff_000f, "nor");
        alu(0x2a, ALL_ONES, 0, 1, "slt: -1 below 0");
        alu(0x2a, 0x8000_0000, 0, 0, "slt looks at all 64 bits");
        alu(0x2b, ALL_ONES, 0, 0, "sltu");
        alu(0x2b, 0, ALL_ONES, 1, "sltu");
    }

    function test_registerZeroNeverChanges() public {
        Machine memory m = machine(Encode.r(0x21, 8, 9, 0, 0));
        check(m, advanced(m), "addu to $0");
    }

    function test_invalidFunctsFault() public {
        // Every funct without a row: break, traps (teq is 0x34) and gaps.
        bytes memory functs = hex"01050d0e1528293031323334353637393d";
        for (uint256 i = 0; i < functs.length; i++) {
            Machine memory m = machine(Encode.r(uint8(functs[i]), 8, 9, 10, 0));
            checkFault(m, 0, text("MIPS64: invalid instruction"));
        }
    }

    // Random operands against Solidity's own integers of the right width.

    function testFuzz_words(uint64 rs, uint64 rt, uint8 sa) public {
        sa &= 31;
        uint32 a = uint32(rs);
        uint32 b = uint32(rt);
        unchecked {
            shift(0x00, sa, rs, rt, extend(b << sa), "sll");
            shift(0x02, sa, rs, rt, extend(b >> sa), "srl");
            shift(0x03, sa, rs, rt, extend(uint32(int32(b) >> sa)), "sra");
            alu(0x04, rs, rt, extend(b << (a % 32)), "sllv");
            alu(0x06, rs, rt, extend(b >> (a % 32)), "srlv");
            alu(0x07, rs, rt, extend(uint32(int32(b) >> (a % 32))), "srav");
            alu(0x20, rs, rt, extend(a + b), "add");
            alu(0x23, rs, rt, extend(a - b), "subu");
            wide(0x19, rs, rt, extend(uint32((uint64(a) * b) >> 32)), extend(uint32(uint64(a) * b)), "multu");
            uint64 product = uint64(int64(int32(a)) * int64(int32(b)));
            wide(0x18, rs, rt, extend(uint32(product >> 32)), extend(uint32(product)), "mult");
            if (b == 0) return;
            wide(0x1a, rs, rt, extend(uint32(int32(a) % int32(b))), extend(uint32(int32(a) / int32(b))), "div");
            wide(0x1b, rs, rt, extend(a % b), extend(a / b), "divu");
        }
    }

    function testFuzz_doublewords(uint64 rs, uint64 rt, uint8 sa) public {
        sa &= 31;
        unchecked {
            shift(0x38, sa, rs, rt, rt << sa, "dsll");
            shift(0x3b, sa, rs, rt, uint64(int64(rt) >> sa), "dsra");
            shift(0x3e, sa, rs, rt, rt >> (sa + 32), "dsrl32");
            alu(0x14, rs, rt, rt << (rs % 64), "dsllv");
            alu(0x17, rs, rt, uint64(int64(rt) >> (rs % 64)), "dsrav");
            alu(0x2d, rs, rt, rs + rt, "daddu");
            alu(0x2f, rs, rt, rs - rt, "dsubu");
            alu(0x2a, rs, rt, int64(rs) < int64(rt) ? 1 : 0, "slt");
            alu(0x2b, rs, rt, rs < rt ? 1 : 0, "sltu");
            uint128 product = uint128(rs) * rt;
            wide(0x1d, rs, rt, uint64(product >> 64), uint64(product), "dmultu");
            int128 signed = int128(int64(rs)) * int64(rt);
            wide(0x1c, rs, rt, uint64(uint128(signed) >> 64), uint64(uint128(signed)), "dmult");
            if (rt == 0) return;
            wide(0x1e, rs, rt, uint64(int64(rs) % int64(rt)), uint64(int64(rs) / int64(rt)), "ddiv");
            wide(0x1f, rs, rt, rs % rt, rs / rt, "ddivu");
        }
    }

    function extend(uint32 word) private pure returns (uint64) {
        return uint64(int64(int32(word)));
    }
}
