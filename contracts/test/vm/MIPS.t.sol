// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { IMIPS } from "../../src/vm/IMIPS.sol";
import { Leaf, LeavesTest } from "./Leaves.sol";

/// @notice A whole 32-bit machine, unpacked.
struct Narrow {
    uint32 pc;
    uint64 step;
    uint8 exitCode;
    uint8 exited;
    uint32[32] r;
    Leaf[] leaves;
}

/// @notice Builds machines, witnesses and proofs from the layouts alone, compares a step of the verifier with a machine
///         that the test changed by hand, and records the gas of steps.
contract MIPSSnapshotsTest is LeavesTest {
    uint32 private constant PC = 0x0001_0000;
    uint32 private constant DATA = 0x00c0_0118;
    bytes32 private constant CONTEXT = bytes32(uint256(0x1234));

    PreimageOracle private oracle;
    IMIPS private mips;

    function setUp() public {
        oracle = new PreimageOracle(126_000, 86_400);
        mips = IMIPS(vm.deployCode("MIPS.sol:MIPS", abi.encode(oracle, uint256(2))));
    }

    function machine(uint32 insn) private pure returns (Narrow memory m) {
        (m.pc, m.step) = (PC, 41);
        for (uint32 i = 1; i < 32; i++) {
            m.r[i] = 0xbb00_0000 + i;
        }
        m.r[9] = DATA;
        m.leaves = written(written(new Leaf[](0), PC, abi.encodePacked(insn)), DATA, abi.encodePacked(uint32(0x81828384)));
    }

    function advanced(Narrow memory m) private pure returns (Narrow memory n) {
        n = abi.decode(abi.encode(m), (Narrow));
        n.step++;
        n.pc += 4;
    }

    /// @dev The tree of 32-bit addresses is the lowest subtree of that of 64-bit ones, so its proofs begin those.
    function narrowProof(Leaf[] memory leaves, uint32 addr) private view returns (bytes32 root, bytes memory proof) {
        (, bytes memory long) = memoryProof(leaves, addr);
        proof = new bytes(896);
        for (uint256 i = 0; i < 896; i++) {
            proof[i] = long[i];
        }
        uint256 path = addr >> 5;
        for (uint256 i = 0; i < 28; i++) {
            bytes32 node;
            assembly {
                node := mload(add(add(proof, 32), mul(32, i)))
            }
            if (i == 0) root = node;
            else {
                root = path & 1 == 0 ? pair(root, node) : pair(node, root);
                path >>= 1;
            }
        }
    }

    function pack(Narrow memory m) private view returns (bytes memory packed) {
        (bytes32 root,) = narrowProof(m.leaves, 0);
        packed = abi.encodePacked(root, bytes32(0), uint32(0), m.pc, m.pc + 4, uint32(7), uint32(8), uint32(0x0500_0000));
        packed = abi.encodePacked(packed, m.exitCode, m.exited, m.step);
        for (uint256 i = 0; i < 32; i++) {
            packed = abi.encodePacked(packed, m.r[i]);
        }
        assertEq(packed.length, 226, "bytes of a state");
    }

    function hashOf(Narrow memory m) private view returns (bytes32) {
        uint256 status = m.exited != 1 ? 3 : m.exitCode > 1 ? 2 : m.exitCode;
        return bytes32((uint256(keccak256(pack(m))) << 8 >> 8) | (status << 248));
    }

    function stepProof(Narrow memory m) private view returns (bytes memory) {
        (, bytes memory fetch) = narrowProof(m.leaves, m.pc);
        (, bytes memory data) = narrowProof(m.leaves, DATA);
        return bytes.concat(fetch, data);
    }

    /// @dev One step of `m` gives `want`, for at most `atMost` gas; what it takes is recorded.
    function record(string memory name, Narrow memory m, Narrow memory want, uint256 atMost) private {
        bytes memory data = abi.encodeCall(mips.step, (pack(m), stepProof(m), CONTEXT));
        (bool ok, bytes memory answer) = address(mips).call(data);
        assertTrue(ok, name);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        assertEq(abi.decode(answer, (bytes32)), hashOf(want), name);
        assertTrue(used <= atMost, string.concat(name, " takes more gas than allowed"));
        vm.snapshotValue("MIPS", name, used);
    }

    function test_stepGas() public {
        // add $10, $8, $9
        Narrow memory m = machine(8 << 21 | 9 << 16 | 10 << 11 | 0x20);
        Narrow memory n = advanced(m);
        n.r[10] = 0xbb00_0008 + DATA;
        record("add", m, n, 10_000);

        // lw $8, 0($9)
        m = machine(0x23 << 26 | 9 << 21 | 8 << 16);
        n = advanced(m);
        n.r[8] = 0x81828384;
        record("lw", m, n, 14_000);

        // sw $8, 0($9)
        m = machine(0x2b << 26 | 9 << 21 | 8 << 16);
        n = advanced(m);
        n.leaves = written(n.leaves, DATA, abi.encodePacked(uint32(0xbb00_0008)));
        record("sw", m, n, 18_000);

        // syscall brk
        m = machine(0x0c);
        m.r[2] = 4045;
        n = advanced(m);
        (n.r[2], n.r[7]) = (0x4000_0000, 0);
        record("brk", m, n, 10_000);
    }

    function test_exitedMachineStays() public {
        Narrow memory m = machine(0);
        (m.exited, m.exitCode) = (1, 1);
        assertEq(mips.step(pack(m), "", CONTEXT), hashOf(m), "exited");
        m.exited = 2;
        bytes memory state = pack(m);
        vm.expectRevert(IMIPS.InvalidExitedValue.selector);
        mips.step(state, "", CONTEXT);
    }

    function test_everyPartOfAUsedProofMatters() public {
        Narrow memory m = machine(0x2b << 26 | 9 << 21 | 8 << 16);
        bytes memory state = pack(m);
        for (uint256 at = 0; at < 1792; at += 37) {
            bytes memory proof = stepProof(m);
            proof[at] ^= 0x10;
            (bool ok,) = address(mips).call(abi.encodeCall(mips.step, (state, proof, CONTEXT)));
            assertTrue(!ok, "tampered proof");
        }
    }

    function deploy(uint256 version) external returns (address) {
        return vm.deployCode("MIPS.sol:MIPS", abi.encode(oracle, version));
    }

    function test_onlyTwoVersions() public {
        for (uint256 version = 0; version < 10; version++) {
            bool known = version == 0 || version == 2;
            try this.deploy(version) returns (address) {
                assertTrue(known, "unknown version");
            } catch (bytes memory reason) {
                assertTrue(!known, "known version");
                assertEq(reason, abi.encodeWithSelector(IMIPS.UnsupportedStateVersion.selector), "by name");
            }
        }
    }
}
