// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Encode, Machine, MachineTest } from "./Machine.sol";

/// @notice Opcodes 8 to 0x19 and 0x1c.
contract MIPS64ImmediateTest is MachineTest {
    function imm(uint32 opcode, uint64 rs, uint16 immediate, uint64 want, string memory what) private {
        Machine memory m = machine(Encode.i(opcode, 8, 9, immediate));
        active(m).r[8] = rs;
        Machine memory n = advanced(m);
        active(n).r[9] = want;
        check(m, n, what);
    }

    function alu2(uint32 funct, uint64 rs, uint64 rt, uint64 want, string memory what) private {
        Machine memory m = machine(Encode.r2(funct, 8, 9, 10));
        active(m).r[8] = rs;
        active(m).r[9] = rt;
        active(m).lo = 0x1111;
        active(m).hi = 0x2222;
        Machine memory n = advanced(m);
        active(n).r[10] = want;
        check(m, n, what);
    }

    function test_addImmediate() public {
        imm(0x08, 0x7fff_ffff, 1, 0xffff_ffff_8000_0000, "addi wraps and does not trap");
        imm(0x09, 0, 0x8000, 0xffff_ffff_ffff_8000, "addiu extends the immediate");
        imm(0x18, 0x7fff_ffff_ffff_ffff, 1, 0x8000_0000_0000_0000, "daddi wraps and does not trap");
        imm(0x19, 0, 0xffff, ALL_ONES, "daddiu extends the immediate");
    }

    function test_compareImmediate() public {
        imm(0x0a, ALL_ONES, 0, 1, "slti: -1 below 0");
        imm(0x0a, 0, 0xffff, 0, "slti: 0 not below -1");
        imm(0x0b, 5, 0xffff, 1, "sltiu extends, then compares without sign");
        imm(0x0b, ALL_ONES, 0xffff, 0, "sltiu: not below itself");
    }

    function test_logicImmediateHasNoSign() public {
        imm(0x0c, ALL_ONES, 0xf00f, 0xf00f, "andi");
        imm(0x0d, 0xff00_0000_0000_0000, 0xf00f, 0xff00_0000_0000_f00f, "ori");
        imm(0x0e, ALL_ONES, 0xf00f, 0xffff_ffff_ffff_0ff0, "xori");
    }

    function test_luiHasASign() public {
        imm(0x0f, 123, 0x8001, 0xffff_ffff_8001_0000, "lui");
        imm(0x0f, 123, 0x7fff, 0x7fff_0000, "lui");
    }

    function test_mulKeepsHiAndLo() public {
        alu2(0x02, 0x1_0000, 0x8000, 0xffff_ffff_8000_0000, "mul gives the low word with its sign");
        alu2(0x02, 0xffff_ffff, 0xffff_ffff, 1, "mul: -1 x -1");
    }

    function test_countLeadingBits() public {
        alu2(0x20, 0xffff_ffff_0000_0000, 0, 32, "clz of a zero word");
        alu2(0x20, 0x0000_0000_0001_0000, 0, 15, "clz");
        alu2(0x21, 0x0000_0000_ffff_ffff, 0, 32, "clo of a full word");
        alu2(0x21, 0xffff_ffff_fff0_0000, 0, 12, "clo");
        alu2(0x24, 0, 0, 64, "dclz of 0");
        alu2(0x24, 1, 0, 63, "dclz of 1");
        alu2(0x25, ALL_ONES, 0, 64, "dclo of all ones");
        alu2(0x25, 0xffff_ffff_7fff_ffff, 0, 32, "dclo");
    }

    function testFuzz_countLeadingBits(uint64 value, uint8 zeros) public {
        value >>= zeros % 65;
        uint64 count = 0;
        while (count < 64 && value & (uint64(1) << (63 - count)) == 0) count++;
        alu2(0x24, value, 0, count, "dclz");
        alu2(0x25, ~value, 0, count, "dclo");
        alu2(0x20, value, 0, count > 32 ? count - 32 : wordZeros(uint32(value)), "clz");
    }

    function wordZeros(uint32 value) private pure returns (uint64 count) {
        while (count < 32 && value & (uint32(1) << uint32(31 - count)) == 0) count++;
    }

    function test_registerZeroNeverChanges() public {
        Machine memory m = machine(Encode.i(0x19, 8, 0, 1));
        check(m, advanced(m), "daddiu to $0");
    }

    function test_invalidOpcodesFault() public {
        // Coprocessors, branches likely, traps and SPECIAL3.
        bytes memory opcodes = hex"10111213141516171d1e1f";
        for (uint256 i = 0; i < opcodes.length; i++) {
            checkFault(machine(Encode.i(uint8(opcodes[i]), 8, 9, 1)), 0, text("MIPS64: invalid instruction"));
        }
        // madd, maddu, msub and gaps of SPECIAL2.
        bytes memory functs = hex"000103040522232627";
        for (uint256 i = 0; i < functs.length; i++) {
            checkFault(machine(Encode.r2(uint8(functs[i]), 8, 9, 10)), 0, text("MIPS64: invalid instruction"));
        }
    }
}
