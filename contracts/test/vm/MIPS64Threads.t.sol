// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Encode, Machine, MachineTest, Thread } from "./Machine.sol";

/// @notice Stacks, scheduling, clone, exit and futex.
contract MIPS64ThreadsTest is MachineTest {
    uint64 private constant CLONE_FLAGS = 0x00050f00;

    /// @dev Moves the top thread to the other stack by hand.
    function switched(Machine memory m) private pure returns (Machine memory n) {
        n = copy(m);
        Thread memory t = active(n);
        if (n.s.traverseRight == 0) {
            n.right = push(n.right, t);
            n.left = pop(n.left);
            if (n.left.length == 0) n.s.traverseRight = 1;
        } else {
            n.left = push(n.left, t);
            n.right = pop(n.right);
            if (n.right.length == 0) n.s.traverseRight = 0;
        }
        n.s.stepsSinceSwitch = 0;
    }

    /// @dev `left` and `right` threads, the one on top of the active stack about to execute `insn`.
    function crowd(uint32 insn, uint64 left, uint64 right, uint8 traverseRight) private pure returns (Machine memory m) {
        m = machine(insn);
        m.left = new Thread[](0);
        for (uint64 i = 0; i < left; i++) {
            m.left = push(m.left, thread(10 + i));
        }
        for (uint64 i = 0; i < right; i++) {
            m.right = push(m.right, thread(20 + i));
        }
        m.s.traverseRight = traverseRight;
        m.s.nextThreadId = 30;
    }

    function crowdCall(uint64 number, uint64 left, uint64 right, uint8 side) private pure returns (Machine memory m) {
        m = crowd(SYSCALL, left, right, side);
        active(m).r[2] = number;
    }

    function test_anInstructionChangesTheActiveStackOnly() public {
        for (uint8 side = 0; side < 2; side++) {
            Machine memory m = crowd(Encode.r(0x21, 8, 0, 10, 0), 2, 3, side);
            Machine memory n = advanced(m);
            active(n).r[10] = 0xffff_ffff_bb00_0008;
            check(m, n, "addu on either stack");
        }
    }

    function test_attack21_quantumEdge() public {
        uint32 addu = Encode.r(0x21, 8, 0, 10, 0);
        Machine memory m = crowd(addu, 1, 1, 0);
        m.s.stepsSinceSwitch = 99_999;
        Machine memory n = advanced(m);
        active(n).r[10] = 0xffff_ffff_bb00_0008;
        check(m, n, "the last step of the quantum executes");

        m.s.stepsSinceSwitch = 100_000;
        n = switched(m);
        n.s.step++;
        check(m, n, "the next one is only the switch");

        m.s.stepsSinceSwitch = ALL_ONES;
        check(m, n, "and so it is far beyond");
    }

    function test_attack21_aSingleThreadIsPreemptedToo() public {
        Machine memory m = crowd(0, 1, 0, 0);
        m.s.stepsSinceSwitch = 100_000;
        Machine memory n = switched(m);
        n.s.step++;
        assertEq(n.s.traverseRight, 1, "the direction turns");
        check(m, n, "to the right");

        m = crowd(0, 0, 1, 1);
        m.s.stepsSinceSwitch = 100_000;
        n = switched(m);
        n.s.step++;
        check(m, n, "to the left");
    }

    function test_yieldAndNanosleepAnswerAndGiveWay() public {
        uint64[2] memory numbers = [uint64(5023), 5034];
        for (uint256 i = 0; i < 2; i++) {
            Machine memory m = crowdCall(numbers[i], 2, 1, 0);
            check(m, switched(answered(m, 0, 0)), "to the right");
            m = crowdCall(numbers[i], 1, 1, 1);
            check(m, switched(answered(m, 0, 0)), "back to the left");
        }
    }

    function test_exitedThreadIsPopped() public {
        Machine memory m = crowd(0, 2, 1, 0);
        active(m).exited = 1;
        active(m).exitCode = 9;
        Machine memory n = copy(m);
        n.left = pop(n.left);
        n.s.step++;
        n.s.stepsSinceSwitch = 0;
        check(m, n, "another is left on the stack");

        m = crowd(0, 2, 1, 1);
        active(m).exited = 7; // the record's byte may be anything but 0
        n = copy(m);
        n.right = pop(n.right);
        n.s.step++;
        n.s.stepsSinceSwitch = 0;
        n.s.traverseRight = 0;
        check(m, n, "the stack is empty, the direction turns");
    }

    /// @dev Without a machine's exit no sequence of steps gets here; a forged state does, and has no successor.
    function test_attack21_poppingTheLastThreadFaults() public {
        Machine memory m = crowd(0, 1, 0, 0);
        active(m).exited = 1;
        checkFault(m, 0, text("MIPS64: post-state active thread stack is empty"));
    }

    function test_exitOfOneOfMany() public {
        for (uint8 side = 0; side < 2; side++) {
            Machine memory m = crowdCall(5058, 1, 1, side);
            active(m).r[4] = 0x1ff;
            Machine memory n = copy(m);
            n.s.step++;
            n.s.stepsSinceSwitch++;
            active(n).exited = 1;
            active(n).exitCode = 0xff;
            check(m, n, "the thread stays until it is visited");
        }
        Machine memory below = crowdCall(5058, 2, 0, 0);
        Machine memory after_ = copy(below);
        after_.s.step++;
        after_.s.stepsSinceSwitch++;
        active(after_).exited = 1;
        active(after_).exitCode = uint8(active(below).r[4]);
        check(below, after_, "one below on the same stack");
    }

    function test_exitOfTheLastThreadEndsTheMachine() public {
        Machine memory m = crowdCall(5058, 0, 1, 1);
        active(m).r[4] = 0x102;
        Machine memory n = copy(m);
        n.s.step++;
        n.s.stepsSinceSwitch++;
        n.s.exited = 1;
        n.s.exitCode = 2;
        active(n).exited = 1;
        active(n).exitCode = 2;
        check(m, n, "with its code");
    }

    function test_cloneRunsTheChildNext() public {
        for (uint8 side = 0; side < 2; side++) {
            Machine memory m = crowdCall(5055, 1, 1, side);
            active(m).r[4] = CLONE_FLAGS;
            active(m).r[5] = 0x5555_0000;
            active(m).lo = 5;
            active(m).hi = 6;
            active(m).exitCode = 3;
            active(m).nextPC = 0x7000;
            Machine memory n = answered(m, 30, 0);
            Thread memory child = abi.decode(abi.encode(active(n)), (Thread));
            child.id = 30;
            child.exitCode = 0;
            child.pc = 0x7000;
            child.nextPC = 0x7004;
            child.r[2] = 0;
            child.r[7] = 0;
            child.r[29] = 0x5555_0000;
            if (side == 0) n.left = push(n.left, child);
            else n.right = push(n.right, child);
            n.s.nextThreadId = 31;
            n.s.stepsSinceSwitch = 0;
            check(m, n, "clone");
        }
    }

    function test_cloneWithOtherFlagsEndsTheMachine() public {
        uint64[3] memory flags = [uint64(0), CLONE_FLAGS | 1, CLONE_FLAGS | (1 << 32)];
        for (uint256 i = 0; i < 3; i++) {
            Machine memory m = crowdCall(5055, 1, 1, 0);
            active(m).r[4] = flags[i];
            Machine memory n = copy(m);
            n.s.step++;
            n.s.stepsSinceSwitch++;
            n.s.exited = 1;
            n.s.exitCode = 2;
            check(m, n, "panic, the thread untouched");
        }
    }

    function futex(uint64 addr, uint64 op, uint64 value) private pure returns (Machine memory m) {
        m = crowdCall(5194, 1, 1, 0);
        active(m).r[4] = addr;
        active(m).r[5] = op;
        active(m).r[6] = value;
        store8(m, DATA, 0x1111_1111_2222_2222);
    }

    function test_attack21_futexWaitComparesAWord() public {
        Machine memory m = futex(DATA, 128, 0x1111_1111);
        check(m, switched(answered(m, 0, 0)), DATA, "equal: gives way");
        m = futex(DATA + 7, 128, 0xffff_ffff_2222_2222);
        check(m, switched(answered(m, 0, 0)), DATA, "the word at the rounded address, the low half of the value");
        m = futex(DATA + 4, 128, 0x1111_1111);
        check(m, answered(m, 11, ALL_ONES), DATA, "different: EAGAIN, goes on");
    }

    function test_attack21_futexWakeGivesWayAndOthersFail() public {
        Machine memory m = futex(DATA, 129, 0);
        check(m, switched(answered(m, 0, 0)), 0x9000, "wake looks at no memory");
        m = futex(DATA, 0, 0);
        check(m, answered(m, 22, ALL_ONES), 0x9000, "not private");
        m = futex(DATA, 128 + (1 << 32), 0);
        check(m, answered(m, 22, ALL_ONES), 0x9000, "all 64 bits of the operation count");
    }

    // The witness.

    function test_attack21_emptyActiveStackFaults() public {
        Machine memory m = crowd(0, 1, 1, 0);
        bytes memory proof = stepProof(m, 0);
        m.left = new Thread[](0);
        checkFault(packState(m), proof, text("MIPS64: active thread stack is empty"));
        m = crowd(0, 1, 1, 1);
        m.right = new Thread[](0);
        checkFault(packState(m), proof, text("MIPS64: active thread stack is empty"));
    }

    function test_attack21_threadWitnessOfAnotherThreadFaults() public {
        Machine memory m = crowd(0, 2, 1, 0);
        bytes memory state = packState(m);
        bytes memory proof = stepProof(m, 0);
        // Any bit of the record or of the root below it.
        uint256[8] memory places = [uint256(0), 7, 8, 9, 17, 42, 297, 329];
        for (uint256 i = 0; i < places.length; i++) {
            bytes memory forged = bytes.concat(proof);
            forged[places[i]] ^= 0x01;
            checkFault(state, forged, text("MIPS64: invalid thread witness"));
        }
        // The top thread of the stack that is not active.
        m.s.traverseRight = 1;
        checkFault(state, stepProof(m, 0), text("MIPS64: invalid thread witness"));
        // The thread below the top.
        m.s.traverseRight = 0;
        m.left = pop(m.left);
        checkFault(state, stepProof(m, 0), text("MIPS64: invalid thread witness"));
    }
}
