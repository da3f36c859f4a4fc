// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS64 } from "../../src/vm/IMIPS64.sol";
import { Machine, MachineTest } from "./Machine.sol";

/// @notice Every syscall: results, errors, and what it leaves alone.
contract MIPS64SyscallsTest is MachineTest {
    uint64 private constant MEM = 0x8182_8384_8586_8788;
    uint64 private constant EBADF = 9;
    uint64 private constant EAGAIN = 11;
    uint64 private constant EINVAL = 22;

    function answers(uint64 number, uint64 a0, uint64 a1, uint64 a2, uint64 v0, string memory what) private {
        Machine memory m = syscall(number, a0, a1, a2);
        check(m, answered(m, v0, 0), what);
    }

    function fails(uint64 number, uint64 a0, uint64 a1, uint64 a2, uint64 errno, string memory what) private {
        Machine memory m = syscall(number, a0, a1, a2);
        check(m, answered(m, errno, ALL_ONES), what);
    }

    // Numbers.

    /// @dev Each number from 4990 to 5400 and some far away does one of three things: its own, nothing, or fault.
    function test_attack20_unknownSyscallsFaultAndKnownOnesAreIgnored() public {
        uint16[31] memory ignored = [
            5003, 5004, 5005, 5008, 5010, 5011, 5013, 5014, 5015, 5016, 5026, 5027, 5036, 5061, 5087, 5095,
            5100, 5102, 5129, 5196, 5208, 5216, 5217, 5220, 5225, 5247, 5257, 5272, 5285, 5287, 5297
        ];
        uint16[17] memory own = [
            5000, 5001, 5002, 5009, 5012, 5023, 5034, 5038, 5055, 5058, 5070, 5178, 5194, 5205, 5222, 5284, 5313
        ];
        for (uint64 number = 4990; number < 5400; number++) {
            bool isOwn = false;
            bool isIgnored = false;
            for (uint256 i = 0; i < own.length; i++) {
                isOwn = isOwn || own[i] == number;
            }
            for (uint256 i = 0; i < ignored.length; i++) {
                isIgnored = isIgnored || ignored[i] == number;
            }
            // Each in a call of its own: the memory of hundreds of machines would be too much for one.
            if (isIgnored) this.checkIgnored(number);
            else if (!isOwn) this.checkUnknown(number);
        }
        uint64[6] memory far = [uint64(0), 4, 4003, 5512, 5003 + (1 << 32), ALL_ONES];
        for (uint256 i = 0; i < far.length; i++) {
            this.checkUnknown(far[i]);
        }
    }

    function checkIgnored(uint64 number) external {
        answers(number, 1, 2, 3, 0, "a call that is ignored");
    }

    function checkUnknown(uint64 number) external {
        checkFault(syscall(number, 1, 2, 3), 0, text("MIPS64: unimplemented syscall"));
    }

    function test_attack20_simpleAnswers() public {
        answers(5012, 123, 0, 0, 0x4000_0000_0000, "brk");
        answers(5038, 0, 0, 0, 0, "getpid");
        fails(5002, 0, 0, 0, EBADF, "open");
        Machine memory m = syscall(5178, 0, 0, 0);
        active(m).id = 77;
        check(m, answered(m, 77, 0), "gettid");
    }

    function test_eventfd2() public {
        answers(5284, 5, 0x80, 0, 100, "eventfd2 without blocking");
        answers(5284, 5, 0x8080, 0, 100, "eventfd2 with more flags");
        fails(5284, 5, 0, 0, EINVAL, "eventfd2 that would block");
        fails(5284, 5, 0xffff_ffff_ffff_ff7f, 0, EINVAL, "eventfd2 with every other flag");
    }

    // mmap.

    function mmap(uint64 heap, uint64 addr, uint64 length, uint64 newHeap, string memory what) private {
        Machine memory m = syscall(5009, addr, length, 0);
        m.s.heap = heap;
        Machine memory n = answered(m, addr == 0 ? heap : addr, 0);
        n.s.heap = newHeap;
        check(m, n, what);
    }

    function mmapFails(uint64 heap, uint64 length, string memory what) private {
        Machine memory m = syscall(5009, 0, length, 0);
        m.s.heap = heap;
        check(m, answered(m, EINVAL, ALL_ONES), what);
    }

    function test_mmapTakesWholePagesFromTheHeap() public {
        uint64 heap = 0x1000_0000_0000;
        mmap(heap, 0, 4096, heap + 4096, "a page");
        mmap(heap, 0, 1, heap + 4096, "rounded up");
        mmap(heap, 0, 4097, heap + 8192, "two pages");
        mmap(heap, 0, 0, heap, "nothing");
        mmap(0x6000_0000_0000 - 4096, 0, 4096, 0x6000_0000_0000, "up to the limit");
    }

    function test_attack19_mmapThatWrapsOrPassesTheLimitFails() public {
        uint64 heap = 0x1000_0000_0000;
        mmapFails(0x6000_0000_0000 - 4096, 4097, "past the limit");
        mmapFails(heap, 0x5000_0000_0001, "past the limit at once");
        mmapFails(heap, ALL_ONES, "the rounding wraps");
        mmapFails(heap, ALL_ONES - 0xfff, "the sum wraps");
        mmapFails(ALL_ONES, 4096, "the heap wraps");
    }

    function test_attack19_mmapAtAnAddressChecksNothing() public {
        mmap(0x1000_0000_0000, PC, ALL_ONES, 0x1000_0000_0000, "in program text, of any length");
    }

    // Files.

    function test_attack20_readByDescriptor() public {
        answers(5000, 0, DATA, 99, 0, "stdin is empty");
        fails(5000, 1, DATA, 9, EBADF, "stdout");
        fails(5000, 2, DATA, 9, EBADF, "stderr");
        answers(5000, 3, DATA, 99, 99, "hint responses are all there");
        fails(5000, 4, DATA, 9, EBADF, "hint requests");
        fails(5000, 6, DATA, 9, EBADF, "preimage requests");
        fails(5000, 7, DATA, 9, EBADF, "no such descriptor");
        fails(5000, 100, DATA, 9, EAGAIN, "the event is never ready");
        fails(5000, 5 + (1 << 32), DATA, 9, EBADF, "descriptors have 64 bits");
    }

    function test_attack20_writeByDescriptor() public {
        fails(5001, 0, DATA, 9, EBADF, "stdin");
        answers(5001, 1, DATA, ALL_ONES, ALL_ONES, "stdout takes all");
        answers(5001, 2, DATA, 1 << 40, 1 << 40, "stderr takes all");
        fails(5001, 3, DATA, 9, EBADF, "hint responses");
        answers(5001, 4, DATA, 1000, 1000, "hint requests take all");
        fails(5001, 5, DATA, 9, EBADF, "preimage responses");
        fails(5001, 100, DATA, 9, EAGAIN, "the event");
        fails(5001, 101, DATA, 9, EBADF, "no such descriptor");
    }

    function test_fcntl() public {
        for (uint64 fd = 0; fd < 7; fd++) {
            answers(5070, fd, 1, 0, 0, "F_GETFD");
            answers(5070, fd, 3, 0, fd == 1 || fd == 2 || fd == 4 || fd == 6 ? 1 : 0, "F_GETFL");
        }
        fails(5070, 7, 1, 0, EBADF, "F_GETFD of another");
        fails(5070, 100, 3, 0, EBADF, "F_GETFL of the event");
        fails(5070, 1, 4, 0, EINVAL, "another command");
        fails(5070, 99, 2, 0, EINVAL, "another command of another");
    }

    // The preimage key.

    function writeKey(uint64 offset, uint64 count, bytes32 want, uint64 taken, string memory what) private {
        Machine memory m = syscall(5001, 6, DATA + offset, count);
        m.s.preimageKey = 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f;
        m.s.preimageOffset = 55;
        store8(m, DATA, MEM);
        Machine memory n = answered(m, taken, 0);
        n.s.preimageKey = want;
        n.s.preimageOffset = 0;
        check(m, n, DATA, what);
    }

    function test_preimageKeyIsShiftedIn() public {
        writeKey(0, 8, 0x08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f8182838485868788, 8, "a doubleword");
        writeKey(0, 99, 0x08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f8182838485868788, 8, "no more than one");
        writeKey(5, 99, 0x030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f868788, 3, "to its end");
        writeKey(2, 3, 0x030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f838485, 3, "from its middle");
        writeKey(7, ALL_ONES, 0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f88, 1, "its last byte");
        writeKey(3, 0, 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f, 0, "nothing, yet a reset");
    }

    // Preimages.

    bytes private constant VALUE = "A preimage that is longer than one part of the oracle.";

    /// @dev Reads `count` bytes to DATA + shift from offset `at`; `want` is the doubleword afterwards.
    function readValue(uint64 at, uint64 shift, uint64 count, uint64 moved, uint64 want, string memory what) private {
        oracle.loadKeccak256PreimagePart(at, VALUE);
        Machine memory m = syscall(5000, 5, DATA + shift, count);
        m.s.preimageKey = bytes32((uint256(keccak256(VALUE)) << 8 >> 8) | (2 << 248));
        m.s.preimageOffset = at;
        m.s.llStatus = 1;
        m.s.llAddress = DATA + 4;
        m.s.llOwner = 12;
        store8(m, DATA, MEM);
        Machine memory n = answered(m, moved, 0);
        n.s.preimageOffset = at + moved;
        (n.s.llStatus, n.s.llAddress, n.s.llOwner) = (0, 0, 0);
        store8(n, DATA, want);
        check(m, n, DATA, what);
    }

    function test_preimageReadMovesUpToTheEndOfTheDoubleword() public {
        readValue(0, 0, 8, 8, 54, "the length prefix");
        readValue(8, 0, 100, 8, 0x4120_7072_6569_6d61, "'A preima'");
        readValue(8, 5, 100, 3, 0x8182_8384_8541_2070, "the last three bytes of the doubleword");
        readValue(8, 3, 2, 2, 0x8182_8341_2086_8788, "two bytes inside");
        readValue(4, 0, 8, 8, 0x0000_0036_4120_7072, "across the prefix");
        readValue(8, 0, 0, 0, MEM, "nothing, which still ends the reservation");
        readValue(59, 0, 8, 3, 0x6c65_2e84_8586_8788, "'le.', the last three bytes");
        readValue(61, 7, 8, 1, 0x8182_8384_8586_872e, "the last byte");
    }

    function test_preimageReadWithoutThePartFaults() public {
        Machine memory m = syscall(5000, 5, DATA, 8);
        m.s.preimageKey = bytes32((uint256(keccak256(VALUE)) << 8 >> 8) | (2 << 248));
        m.s.preimageOffset = 8;
        checkFault(m, DATA, text("pre-image must exist"));
        // The part at 0 covers these bytes, but parts are kept by their exact offset.
        oracle.loadKeccak256PreimagePart(0, VALUE);
        checkFault(m, DATA, text("pre-image must exist"));
        // Reading nothing asks too.
        active(m).r[6] = 0;
        checkFault(m, DATA, text("pre-image must exist"));
    }

    function test_preimageReadPastTheEndFaults() public {
        oracle.loadKeccak256PreimagePart(61, VALUE);
        Machine memory m = syscall(5000, 5, DATA, 8);
        m.s.preimageKey = bytes32((uint256(keccak256(VALUE)) << 8 >> 8) | (2 << 248));
        m.s.preimageOffset = 62;
        checkFault(m, DATA, text("pre-image must exist"));
    }

    function test_localDataBelongsToTheCallerAndTheContext() public {
        oracle.loadLocalData(4, CONTEXT, bytes32(uint256(0x1122334455667788) << 192), 8, 8);
        Machine memory m = syscall(5000, 5, DATA, 8);
        m.s.preimageKey = bytes32((uint256(1) << 248) | 4);
        m.s.preimageOffset = 8;
        Machine memory n = answered(m, 8, 0);
        n.s.preimageOffset = 16;
        store8(n, DATA, 0x1122334455667788);
        check(m, n, DATA, "the state keeps the plain key");

        bytes memory state = packState(m);
        bytes memory proof = stepProof(m, DATA);
        vm.expectRevert(text("pre-image must exist"));
        mips.step(state, proof, bytes32(uint256(CONTEXT) + 1));
        vm.prank(address(0xbad));
        vm.expectRevert(text("pre-image must exist"));
        mips.step(state, proof, CONTEXT);
    }

    // Time and chance.

    function clock(uint64 id, uint64 addr, uint64 step, uint64 secs, uint64 nanos, string memory what) private {
        Machine memory m = syscall(5222, id, addr, 0);
        m.s.step = step;
        store8(m, addr & ~uint64(7), MEM);
        Machine memory n = answered(m, 0, 0);
        uint64 first = addr & ~uint64(7);
        store8(n, first, secs);
        bytes memory proof;
        unchecked {
            (, proof) = memoryProof(n, first + 8);
            store8(n, first + 8, nanos);
        }
        checkOn(mips, m, n, stepProof(m, addr, proof), what);
    }

    function test_clockGettime() public {
        clock(1, DATA, 0, 0, 100, "the first step has been counted");
        clock(1, DATA + 7, 9_999_999, 1, 0, "ten million steps are a second");
        clock(1, DATA + 8, 123_456_788, 12, 345_678_900, "in two leaves");
        clock(0, DATA, 123_456_788, 0, 0, "the wall clock stands still");
        fails(5222, 2, DATA, 0, EINVAL, "another clock");
        fails(5222, ALL_ONES, DATA, 0, EINVAL, "no clock");
    }

    /// @dev The second doubleword after the last one of memory is the first.
    function test_clockGettimeAtTheEndOfMemory() public {
        Machine memory m = syscall(5222, 1, ALL_ONES - 3, 0);
        m.s.step = 19_999_999;
        Machine memory n = answered(m, 0, 0);
        store8(n, ALL_ONES - 7, 2);
        (, bytes memory proof) = memoryProof(n, 0);
        checkOn(mips, m, n, stepProof(m, ALL_ONES - 7, proof), "2 s, 0 ns");
    }

    function test_clockGettimeEndsReservationsOfBothWords() public {
        for (uint64 i = 0; i < 2; i++) {
            Machine memory m = syscall(5222, 0, DATA, 0);
            (m.s.llStatus, m.s.llAddress, m.s.llOwner) = (2, DATA + 8 * i + 3, 5);
            store8(m, DATA, MEM);
            Machine memory n = answered(m, 0, 0);
            (n.s.llStatus, n.s.llAddress, n.s.llOwner) = (0, 0, 0);
            store8(n, DATA, 0);
            (, bytes memory proof) = memoryProof(n, DATA + 8);
            checkOn(mips, m, n, stepProof(m, DATA, proof), "a reservation of either word");
        }
    }

    /// @dev Proven against the memory before the first write, the second proof is stale.
    function test_clockGettimeNeedsTheSecondProofAfterTheFirstWrite() public {
        Machine memory m = syscall(5222, 1, DATA, 0);
        store8(m, DATA, MEM);
        (, bytes memory stale) = memoryProof(m, DATA + 8);
        checkFault(
            packState(m),
            stepProof(m, DATA, stale),
            abi.encodeWithSelector(IMIPS64.InvalidSecondMemoryProof.selector)
        );
    }

    function random(uint64 step, uint64 shift, uint64 count, uint64 moved, uint64 want, string memory what) private {
        Machine memory m = syscall(5313, DATA + shift, count, 0);
        m.s.step = step - 1;
        (m.s.llStatus, m.s.llAddress, m.s.llOwner) = (1, DATA, 5);
        store8(m, DATA, 0x1234567887654321);
        Machine memory n = answered(m, moved, 0);
        (n.s.llStatus, n.s.llAddress, n.s.llOwner) = (0, 0, 0);
        store8(n, DATA, want);
        check(m, n, DATA, what);
    }

    /// @dev Published values of SplitMix64, and the positions the bytes go to.
    function test_getrandom() public {
        random(1, 0, 8, 8, 0x910a2dec89025cc1, "seed 1");
        random(2, 0, 8, 8, 0x975835de1c9756ce, "seed 2");
        random(100, 0, 8, 8, 0x23259b94f13cf544, "seed 100");
        random(1 << 32, 0, 8, 8, 0xc42c5a1aa3820138, "seed 2^32");
        random(ALL_ONES, 0, 8, 8, 0xe4d971771b652c20, "seed 2^64 - 1");
        random(0x1a2b3c4d5e6f7531, 0, 1, 1, 0x4134567887654321, "the first byte");
        random(0x1a2b3c4d5e6f7531, 1, 8, 7, 0x1241302768c9e9d0 & 0x00ffffffffffffff | (0x12 << 56), "all but the first");
        random(0x1a2b3c4d5e6f7531, 6, 6, 2, 0x123456788765e9d0, "the last two");
        random(0x1a2b3c4d5e6f7531, 3, 0, 0, 0x1234567887654321, "none, which still ends the reservation");
    }

    function test_getrandomOfVersion7DoesNothing() public {
        Machine memory m = syscall(5313, DATA, 8, 0);
        (m.s.llStatus, m.s.llAddress, m.s.llOwner) = (1, DATA, 5);
        store8(m, DATA, MEM);
        checkOn(mips7, m, answered(m, 0, 0), stepProof(m, DATA), "a call that is ignored");
    }

    // The end.

    function test_exitGroupEndsTheMachine() public {
        for (uint64 code = 0; code < 4; code++) {
            Machine memory m = syscall(5205, code + 0x300, 0, 0);
            Machine memory n = copy(m);
            n.s.step++;
            n.s.stepsSinceSwitch++;
            n.s.exited = 1;
            n.s.exitCode = uint8(code);
            check(m, n, "the low byte; the thread stays where it is");
        }
    }
}
