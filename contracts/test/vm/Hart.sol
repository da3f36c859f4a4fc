// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { IRISCV } from "../../src/vm/IRISCV.sol";
import { Leaf, LeavesTest } from "./Leaves.sol";

/// @notice A whole RISC-V machine, unpacked.
struct Hart {
    bytes32 preimageKey;
    uint64 preimageOffset;
    uint64 pc;
    uint8 exitCode;
    uint8 exited;
    uint64 step;
    uint64 heap;
    uint64 reservation;
    uint64[32] x;
    Leaf[] leaves;
}

/// @notice Builds machines, their witnesses and proofs from the layouts alone, in plain Solidity, and compares a step of
///         the verifier with a machine that the test changed by hand.
abstract contract HartTest is LeavesTest {
    uint64 internal constant PC = 0x0012_3450;
    uint64 internal constant DATA = 0x7fff_ffff_e010;
    uint64 internal constant ALL_ONES = type(uint64).max;
    bytes32 internal constant CONTEXT = bytes32(uint256(0x1234));
    uint32 internal constant ECALL = 0x00000073;
    uint64 internal constant NO_ACCESS = 0;

    PreimageOracle internal oracle;
    IRISCV internal riscv;

    function setUp() public virtual {
        oracle = new PreimageOracle(126_000, 86_400);
        riscv = IRISCV(vm.deployCode("RISCV.sol:RISCV", abi.encode(oracle)));
    }

    /// @dev About to execute `insn`, in the middle of a run.
    function hart(uint32 insn) internal pure returns (Hart memory h) {
        h.pc = PC;
        h.step = 41;
        h.heap = 0x7f00_0000_0000;
        // Registers that tell one another apart.
        for (uint64 i = 1; i < 32; i++) {
            h.x[i] = 0xaa00_0000_bb00_0000 + i;
        }
        h.leaves = new Leaf[](0);
        store(h, PC, insn, 4);
    }

    /// @dev A system call with its number and arguments.
    function syscall(uint64 number, uint64 a0, uint64 a1, uint64 a2) internal pure returns (Hart memory h) {
        h = hart(ECALL);
        (h.x[17], h.x[10], h.x[11], h.x[12]) = (number, a0, a1, a2);
    }

    function copy(Hart memory h) internal pure returns (Hart memory) {
        return abi.decode(abi.encode(h), (Hart));
    }

    /// @dev The machine after an instruction that only goes on.
    function advanced(Hart memory h) internal pure returns (Hart memory n) {
        n = copy(h);
        n.step++;
        n.pc += 4;
    }

    /// @dev The machine after a system call that answered.
    function answered(Hart memory h, uint64 a0, uint64 a1) internal pure returns (Hart memory n) {
        n = advanced(h);
        (n.x[10], n.x[11]) = (a0, a1);
    }

    /// @dev Writes the low `size` bytes of `value`, the lowest first.
    function store(Hart memory h, uint64 addr, uint64 value, uint256 size) internal pure {
        bytes memory data = new bytes(size);
        for (uint256 i = 0; i < size; i++) {
            data[i] = bytes1(uint8(value >> (8 * i)));
        }
        h.leaves = written(h.leaves, addr, data);
    }

    function pack(Hart memory h) internal view returns (bytes memory packed) {
        (bytes32 root,) = memoryProof(h.leaves, 0);
        packed = abi.encodePacked(root, h.preimageKey, h.preimageOffset, h.pc, h.exitCode, h.exited, h.step, h.heap);
        packed = abi.encodePacked(packed, h.reservation);
        for (uint256 i = 0; i < 32; i++) {
            packed = abi.encodePacked(packed, h.x[i]);
        }
        assertEq(packed.length, 362, "bytes of a state");
    }

    function stateHash(Hart memory h) internal view returns (bytes32) {
        uint256 status = h.exited != 1 ? 3 : h.exitCode > 1 ? 2 : h.exitCode;
        return bytes32((uint256(keccak256(pack(h))) << 8 >> 8) | (status << 248));
    }

    /// @dev Proof of the instruction and, unless `access` is `NO_ACCESS`, of the leaf of `access`.
    function stepProof(Hart memory h, uint64 access) internal view returns (bytes memory proof) {
        (, proof) = memoryProof(h.leaves, h.pc);
        if (access == NO_ACCESS) return proof;
        (, bytes memory data) = memoryProof(h.leaves, access);
        return bytes.concat(proof, data);
    }

    /// @dev As above for an access that goes on in the next leaf, `between` being the memory when that is touched.
    function stepProof(Hart memory h, uint64 access, Hart memory between) internal view returns (bytes memory) {
        (, bytes memory right) = memoryProof(between.leaves, access + 32);
        return bytes.concat(stepProof(h, access), right);
    }

    /// @dev One step of `h`, which touches the leaf of `access`, gives `want`.
    function check(Hart memory h, Hart memory want, uint64 access, string memory what) internal {
        checkProof(h, want, stepProof(h, access), what);
    }

    function checkProof(Hart memory h, Hart memory want, bytes memory proof, string memory what) internal {
        assertEq(riscv.step(pack(h), proof, CONTEXT), stateHash(want), what);
    }

    /// @dev One step of `h` reverts with the number `code`.
    function checkFault(Hart memory h, uint64 access, uint256 code) internal {
        checkFault(pack(h), stepProof(h, access), code);
    }

    function checkFault(bytes memory state, bytes memory proof, uint256 code) internal {
        vm.expectRevert(abi.encode(code));
        riscv.step(state, proof, CONTEXT);
    }
}

/// @dev Instruction words from their fields.
library EncodeRiscv {
    function r(uint32 opcode, uint32 funct3, uint32 funct7) internal pure returns (uint32) {
        // rd = x10, rs1 = x8, rs2 = x9.
        return (funct7 << 25) | (9 << 20) | (8 << 15) | (funct3 << 12) | (10 << 7) | opcode;
    }

    function i(uint32 opcode, uint32 funct3, uint32 imm) internal pure returns (uint32) {
        // rd = x10, rs1 = x8.
        return (imm << 20) | (8 << 15) | (funct3 << 12) | (10 << 7) | opcode;
    }

    function s(uint32 funct3, uint32 offset) internal pure returns (uint32) {
        // rs1 = x8, rs2 = x9.
        return ((offset >> 5) << 25) | (9 << 20) | (8 << 15) | (funct3 << 12) | ((offset & 31) << 7) | 0x23;
    }
}
