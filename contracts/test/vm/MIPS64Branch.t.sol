// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Encode, Machine, MachineTest } from "./Machine.sol";

/// @notice Branches and jumps, their delay slots and links.
contract MIPS64BranchTest is MachineTest {
    uint64 private constant RS = 0xaa00_0000_bb00_0008;

    /// @dev `insn` with $8 = rs and $9 = rt goes to `target` after the delay slot and links or not.
    function go(uint32 insn, uint64 rs, uint64 rt, uint64 target, bool links, string memory what) private {
        Machine memory m = machine(insn);
        active(m).r[8] = rs;
        active(m).r[9] = rt;
        Machine memory n = advanced(m);
        active(n).nextPC = target;
        if (links) active(n).r[31] = PC + 8;
        check(m, n, what);
    }

    function test_branchesTakenAndNot() public {
        uint64 taken = PC + 4 + 0x40;
        uint64 next = PC + 8;
        go(Encode.i(4, 8, 9, 0x10), 5, 5, taken, false, "beq equal");
        go(Encode.i(4, 8, 9, 0x10), 5, 0x1_0000_0005, next, false, "beq looks at all 64 bits");
        go(Encode.i(5, 8, 9, 0x10), 5, 6, taken, false, "bne differs");
        go(Encode.i(5, 8, 9, 0x10), 5, 5, next, false, "bne equal");
        go(Encode.i(6, 8, 0, 0x10), 0, 0, taken, false, "blez 0");
        go(Encode.i(6, 8, 0, 0x10), ALL_ONES, 0, taken, false, "blez -1");
        go(Encode.i(6, 8, 0, 0x10), 0x8000_0000, 0, next, false, "blez looks at all 64 bits");
        go(Encode.i(7, 8, 0, 0x10), 1, 0, taken, false, "bgtz 1");
        go(Encode.i(7, 8, 0, 0x10), 0, 0, next, false, "bgtz 0");
        go(Encode.i(1, 8, 0, 0x10), 1 << 63, 0, taken, false, "bltz");
        go(Encode.i(1, 8, 0, 0x10), 0, 0, next, false, "bltz 0");
        go(Encode.i(1, 8, 1, 0x10), 0, 0, taken, false, "bgez 0");
        go(Encode.i(1, 8, 1, 0x10), ALL_ONES, 0, next, false, "bgez -1");
        go(Encode.i(4, 0, 0, 0xffff), 0, 0, PC, false, "the offset has a sign");
        go(Encode.i(4, 0, 0, 0x8000), 0, 0, PC + 4 - 0x2_0000, false, "the farthest back");
    }

    function test_attack20_bltzalAndBgezalLinkWhetherTakenOrNot() public {
        uint64 taken = PC + 4 + 0x40;
        go(Encode.i(1, 8, 0x10, 0x10), ALL_ONES, 0, taken, true, "bltzal taken");
        go(Encode.i(1, 8, 0x10, 0x10), 0, 0, PC + 8, true, "bltzal not taken");
        go(Encode.i(1, 8, 0x11, 0x10), 0, 0, taken, true, "bgezal taken");
        go(Encode.i(1, 8, 0x11, 0x10), ALL_ONES, 0, PC + 8, true, "bgezal not taken");
    }

    function test_conditionIsReadBeforeTheLink() public {
        Machine memory m = machine(Encode.i(1, 31, 0x10, 0x10)); // bltzal on $31
        active(m).r[31] = ALL_ONES;
        Machine memory n = advanced(m);
        active(n).nextPC = PC + 4 + 0x40;
        active(n).r[31] = PC + 8;
        check(m, n, "the old $31 is negative, the new one is not");
    }

    function test_otherSelectorsOfOpcode1NeverBranch() public {
        bytes memory selectors = hex"02030708090a0b0c0e0f12131c1f";
        for (uint256 i = 0; i < selectors.length; i++) {
            go(Encode.i(1, 8, uint8(selectors[i]), 0x10), 0, 0, PC + 8, false, "not taken, no link");
            go(Encode.i(1, 8, uint8(selectors[i]), 0x10), ALL_ONES, 0, PC + 8, false, "not taken, no link");
        }
    }

    function test_jumps() public {
        go((2 << 26) | 0x10, RS, 0, 0x40, false, "j");
        go((3 << 26) | 0x03ff_ffff, RS, 0, 0x0fff_fffc, true, "jal");
        go(Encode.r(0x08, 8, 0, 10, 0), 0x1234_5678_9abc_def1, 0, 0x1234_5678_9abc_def1, false, "jr to any address");
    }

    function test_jalrLinksInRd() public {
        Machine memory m = machine(Encode.r(0x09, 8, 0, 8, 0)); // target and link are one register
        Machine memory n = advanced(m);
        active(n).nextPC = RS;
        active(n).r[8] = PC + 8;
        check(m, n, "the target is read before the link is written");

        m = machine(Encode.r(0x09, 8, 0, 0, 0));
        n = advanced(m);
        active(n).nextPC = RS;
        check(m, n, "no link in $0");
    }

    /// @dev The delay slot of a jump in the last bytes of a region of 256 MiB lies in the next region, and so does the
    ///      target. The region is that of all upper bits.
    function test_attack20_jumpBaseIsTheRegionOfTheDelaySlot() public {
        uint64 pc = 0xffff_ffff_8fff_fffc;
        Machine memory m = machine(0);
        store4(m, pc, (2 << 26) | 1);
        active(m).pc = pc;
        active(m).nextPC = pc + 4;
        Machine memory n = advanced(m);
        active(n).nextPC = 0xffff_ffff_9000_0004;
        check(m, n, "j across the end of a region");
    }

    function test_addressesWrap() public {
        uint64 pc = ALL_ONES - 3;
        Machine memory m = machine(0);
        store4(m, pc, Encode.i(4, 0, 0, 2));
        active(m).pc = pc;
        active(m).nextPC = 0;
        Machine memory n = advanced(m);
        active(n).nextPC = 8;
        check(m, n, "a branch in the last word of memory");
    }

    function test_attack20_branchInDelaySlotFaults() public {
        uint32[9] memory branches = [
            Encode.i(1, 8, 0, 1),
            Encode.i(1, 8, 1, 1),
            Encode.i(1, 8, 0x10, 1),
            Encode.i(1, 8, 0x11, 1),
            Encode.i(1, 8, 5, 1),
            0x11020003,
            Encode.i(5, 8, 9, 1),
            Encode.i(6, 8, 0, 1),
            Encode.i(7, 8, 0, 1)
        ];
        for (uint256 i = 0; i < branches.length; i++) {
            Machine memory m = machine(branches[i]);
            active(m).nextPC = PC + 8;
            checkFault(m, 0, text("MIPS64: branch in delay slot"));
        }
    }

    function test_attack20_jumpInDelaySlotFaults() public {
        uint32[4] memory jumps = [uint32(0x0800000c), 0x0c00000c, Encode.r(8, 8, 0, 0, 0), Encode.r(9, 8, 0, 31, 0)];
        for (uint256 i = 0; i < jumps.length; i++) {
            Machine memory m = machine(jumps[i]);
            active(m).nextPC = 0x40;
            checkFault(m, 0, text("MIPS64: jump in delay slot"));
        }
    }

    function test_otherInstructionsRunInDelaySlots() public {
        Machine memory m = machine(Encode.r(0x21, 8, 0, 10, 0)); // addu
        active(m).r[8] = 3;
        active(m).nextPC = 0x4000;
        Machine memory n = advanced(m);
        active(n).r[10] = 3;
        check(m, n, "addu in a delay slot");

        m = syscall(5038, 0, 0, 0); // getpid
        active(m).nextPC = 0x4000;
        check(m, answered(m, 0, 0), "a syscall in a delay slot");
    }
}
