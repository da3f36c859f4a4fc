// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { IMIPS64 } from "../../src/vm/IMIPS64.sol";
import { Leaf, LeavesTest } from "./Leaves.sol";

/// @notice The fields of a thread, unpacked.
struct Thread {
    uint64 id;
    uint8 exitCode;
    uint8 exited;
    uint64 pc;
    uint64 nextPC;
    uint64 lo;
    uint64 hi;
    uint64[32] r;
}

/// @notice The fields of a state, unpacked, without the memory root.
struct State {
    bytes32 preimageKey;
    uint64 preimageOffset;
    uint64 heap;
    uint8 llStatus;
    uint64 llAddress;
    uint64 llOwner;
    uint8 exitCode;
    uint8 exited;
    uint64 step;
    uint64 stepsSinceSwitch;
    uint8 traverseRight;
    uint64 nextThreadId;
}

/// @notice A whole machine: both stacks from the bottom to the top, and memory.
struct Machine {
    State s;
    Thread[] left;
    Thread[] right;
    Leaf[] leaves;
}

/// @notice Builds machines, their witnesses and proofs from the layouts alone, in plain Solidity, and compares a step of
///         the verifier with a machine that the test changed by hand.
abstract contract MachineTest is LeavesTest {
    uint64 internal constant PC = 0x0012_3450;
    uint64 internal constant DATA = 0x7fff_ffff_e010;
    uint64 internal constant ALL_ONES = type(uint64).max;
    bytes32 internal constant CONTEXT = bytes32(uint256(0x1234));
    uint32 internal constant SYSCALL = 0x0000000c;

    PreimageOracle internal oracle;
    IMIPS64 internal mips;
    IMIPS64 internal mips7;

    function setUp() public virtual {
        oracle = new PreimageOracle(126_000, 86_400);
        mips = IMIPS64(vm.deployCode("MIPS64.sol:MIPS64", abi.encode(oracle, 8)));
        mips7 = IMIPS64(vm.deployCode("MIPS64.sol:MIPS64", abi.encode(oracle, 7)));
    }

    // Building.

    /// @dev One thread on the left stack, about to execute `insn`, in the middle of a run.
    function machine(uint32 insn) internal pure returns (Machine memory m) {
        m.left = new Thread[](1);
        m.right = new Thread[](0);
        m.left[0] = thread(0);
        m.s.heap = 0x1000_0000_0000;
        m.s.step = 41;
        m.s.stepsSinceSwitch = 7;
        m.s.nextThreadId = 1;
        m.leaves = new Leaf[](0);
        store4(m, PC, insn);
    }

    function thread(uint64 id) internal pure returns (Thread memory t) {
        t.id = id;
        t.pc = PC;
        t.nextPC = PC + 4;
        // Registers that tell one another apart.
        for (uint64 i = 1; i < 32; i++) {
            t.r[i] = 0xaa00_0000_bb00_0000 + i;
        }
    }

    /// @dev A syscall with its number and arguments.
    function syscall(uint64 number, uint64 a0, uint64 a1, uint64 a2) internal pure returns (Machine memory m) {
        m = machine(SYSCALL);
        active(m).r[2] = number;
        active(m).r[4] = a0;
        active(m).r[5] = a1;
        active(m).r[6] = a2;
    }

    function copy(Machine memory m) internal pure returns (Machine memory) {
        return abi.decode(abi.encode(m), (Machine));
    }

    /// @dev The machine after an instruction that did nothing but go on.
    function advanced(Machine memory m) internal pure returns (Machine memory n) {
        n = copy(m);
        unchecked {
            n.s.step++;
            n.s.stepsSinceSwitch++;
            active(n).pc = active(m).nextPC;
            active(n).nextPC = active(m).nextPC + 4;
        }
    }

    /// @dev The machine after a syscall that answered.
    function answered(Machine memory m, uint64 v0, uint64 error) internal pure returns (Machine memory n) {
        n = advanced(m);
        active(n).r[2] = v0;
        active(n).r[7] = error;
    }

    /// @dev The thread that runs.
    function active(Machine memory m) internal pure returns (Thread memory) {
        Thread[] memory stack = m.s.traverseRight == 0 ? m.left : m.right;
        return stack[stack.length - 1];
    }

    function push(Thread[] memory stack, Thread memory t) internal pure returns (Thread[] memory longer) {
        longer = new Thread[](stack.length + 1);
        for (uint256 i = 0; i < stack.length; i++) {
            longer[i] = stack[i];
        }
        longer[stack.length] = t;
    }

    function pop(Thread[] memory stack) internal pure returns (Thread[] memory shorter) {
        shorter = new Thread[](stack.length - 1);
        for (uint256 i = 0; i < shorter.length; i++) {
            shorter[i] = stack[i];
        }
    }

    // Memory.

    function store8(Machine memory m, uint64 addr, uint64 value) internal pure {
        storeBytes(m, addr, abi.encodePacked(value));
    }

    function store4(Machine memory m, uint64 addr, uint32 value) internal pure {
        storeBytes(m, addr, abi.encodePacked(value));
    }

    function storeBytes(Machine memory m, uint64 addr, bytes memory data) internal pure {
        m.leaves = written(m.leaves, addr, data);
    }

    function memoryProof(Machine memory m, uint64 addr) internal view returns (bytes32 root, bytes memory proof) {
        return memoryProof(m.leaves, addr);
    }

    // Packing.

    function packThread(Thread memory t) internal pure returns (bytes memory packed) {
        packed = abi.encodePacked(t.id, t.exitCode, t.exited, t.pc, t.nextPC, t.lo, t.hi);
        for (uint256 i = 0; i < 32; i++) {
            packed = abi.encodePacked(packed, t.r[i]);
        }
        assertEq(packed.length, 298, "bytes of a thread");
    }

    /// @dev Root of the first `count` threads of a stack.
    function stackRoot(Thread[] memory stack, uint256 count) internal pure returns (bytes32 root) {
        root = pair(0, 0);
        for (uint256 i = 0; i < count; i++) {
            root = pair(root, keccak256(packThread(stack[i])));
        }
    }

    function packState(Machine memory m) internal view returns (bytes memory packed) {
        State memory s = m.s;
        (bytes32 root,) = memoryProof(m, 0);
        packed = abi.encodePacked(root, s.preimageKey, s.preimageOffset, s.heap, s.llStatus, s.llAddress, s.llOwner);
        packed = abi.encodePacked(packed, s.exitCode, s.exited, s.step, s.stepsSinceSwitch, s.traverseRight);
        packed = abi.encodePacked(
            packed, stackRoot(m.left, m.left.length), stackRoot(m.right, m.right.length), s.nextThreadId
        );
        assertEq(packed.length, 188, "bytes of a state");
    }

    function stateHash(Machine memory m) internal view returns (bytes32) {
        uint256 status = m.s.exited == 0 ? 3 : m.s.exitCode > 1 ? 2 : m.s.exitCode;
        return bytes32((uint256(keccak256(packState(m))) << 8 >> 8) | (status << 248));
    }

    /// @dev Thread witness, fetch proof, proof for the doubleword of `access`, and `last` (1920 bytes).
    function stepProof(Machine memory m, uint64 access, bytes memory last) internal view returns (bytes memory) {
        Thread[] memory stack = m.s.traverseRight == 0 ? m.left : m.right;
        (, bytes memory fetch) = memoryProof(m, active(m).pc & ~uint64(7));
        (, bytes memory data) = memoryProof(m, access & ~uint64(7));
        return abi.encodePacked(packThread(active(m)), stackRoot(stack, stack.length - 1), fetch, data, last);
    }

    function stepProof(Machine memory m, uint64 access) internal view returns (bytes memory) {
        return stepProof(m, access, new bytes(1920));
    }

    // Stepping.

    /// @dev One step of `m`, which touches `access`, gives `want`.
    function check(Machine memory m, Machine memory want, uint64 access, string memory what) internal {
        checkOn(mips, m, want, stepProof(m, access), what);
    }

    /// @dev One step of `m`, which touches no memory but its instruction, gives `want`.
    function check(Machine memory m, Machine memory want, string memory what) internal {
        check(m, want, 0, what);
    }

    function checkOn(
        IMIPS64 verifier,
        Machine memory m,
        Machine memory want,
        bytes memory proof,
        string memory what
    )
        internal
    {
        bytes32 actual = verifier.step(packState(m), proof, CONTEXT);
        assertEq(actual, stateHash(want), what);
    }

    /// @dev One step of `m` reverts with `reason`.
    function checkFault(Machine memory m, uint64 access, bytes memory reason) internal {
        checkFault(packState(m), stepProof(m, access), reason);
    }

    function checkFault(bytes memory state, bytes memory proof, bytes memory reason) internal {
        vm.expectRevert(reason);
        mips.step(state, proof, CONTEXT);
    }
}

/// @dev Instruction words from their fields.
library Encode {
    function r(uint32 funct, uint32 rs, uint32 rt, uint32 rd, uint32 sa) internal pure returns (uint32) {
        return (rs << 21) | (rt << 16) | (rd << 11) | (sa << 6) | funct;
    }

    function r2(uint32 funct, uint32 rs, uint32 rt, uint32 rd) internal pure returns (uint32) {
        return (uint32(0x1c) << 26) | r(funct, rs, rt, rd, 0);
    }

    function i(uint32 opcode, uint32 rs, uint32 rt, uint16 imm) internal pure returns (uint32) {
        return (opcode << 26) | (rs << 21) | (rt << 16) | imm;
    }
}
