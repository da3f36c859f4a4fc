// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS64 } from "../../src/vm/IMIPS64.sol";
import { Vm } from "../Test.sol";
import { Encode, Machine, MachineTest, Thread } from "./Machine.sol";

/// @notice The verifier as a whole: interface, calldata, state hash, log, and the exited state.
contract MIPS64Test is MachineTest {
    function test_interfaceIsThatOfTheDeployedContract() public view {
        assertEq(bytes32(IMIPS64.step.selector), bytes32(bytes4(0xe14ced32)), "step");
        assertEq(bytes32(IMIPS64.oracle.selector), bytes32(bytes4(0x7dc0d1d0)), "oracle");
        assertEq(bytes32(IMIPS64.stateVersion.selector), bytes32(bytes4(0x1219a4e4)), "stateVersion");
        assertEq(bytes32(IMIPS64.InvalidExitedValue.selector), bytes32(bytes4(0x0136cc76)), "InvalidExitedValue");
        assertEq(bytes32(IMIPS64.InvalidPC.selector), bytes32(bytes4(0x3f8200bc)), "InvalidPC");
        assertEq(bytes32(IMIPS64.InvalidMemoryProof.selector), bytes32(bytes4(0x8e77b2b7)), "InvalidMemoryProof");
        assertEq(
            bytes32(IMIPS64.InvalidSecondMemoryProof.selector), bytes32(bytes4(0x834c4cd4)), "InvalidSecondMemoryProof"
        );
        assertEq(
            bytes32(IMIPS64.UnsupportedStateVersion.selector), bytes32(bytes4(0x1f8b02a2)), "UnsupportedStateVersion"
        );
        assertTrue(address(mips.oracle()) == address(oracle), "oracle()");
        assertEq(mips.stateVersion(), 8, "stateVersion() of one");
        assertEq(mips7.stateVersion(), 7, "stateVersion() of the other");
        assertEq(mips.version(), "1.9.0", "version()");
    }

    function test_otherStateVersionsAreRefused() public {
        uint256[7] memory versions = [uint256(7), 8, 0, 6, 9, 263, type(uint256).max];
        for (uint256 i = 0; i < versions.length; i++) {
            bytes memory code = bytes.concat(vm.getCode("MIPS64.sol:MIPS64"), abi.encode(oracle, versions[i]));
            address created;
            assembly ("memory-safe") {
                created := create(0, add(code, 32), mload(code))
                // What a constructor reverts with, or nothing.
                mstore(code, returndatasize())
                returndatacopy(add(code, 32), 0, returndatasize())
            }
            assertTrue((created != address(0)) == (i < 2), "7 and 8 only");
            if (i >= 2) {
                assertEq(code, abi.encodeWithSelector(IMIPS64.UnsupportedStateVersion.selector), "by name");
            }
        }
    }

    /// @dev Known values: the builder of these tests agrees with them before anything is compared with the builder, and
    ///      the verifier finds the same thread on the same stack.
    function test_hashesOfTheEmptyState() public {
        Machine memory m;
        m.left = new Thread[](1);
        m.left[0].nextPC = 4;
        m.s.nextThreadId = 1;
        assertEq(
            keccak256(packThread(m.left[0])),
            0x142eef1e422e67c394d8fab4a0ce5c04ee405cb059176f719d9c2efb8e28d3a0,
            "thread hash"
        );
        assertEq(
            stackRoot(m.left, 1), 0x505ea3064aed44444fa938e2d1385d799ec3b37386d433a611439aed796ea153, "stack root"
        );
        assertEq(stateHash(m), 0x035b096e17d7b97f6bbaa13d179958e729b70813e931dc90dbf4193372f3dc71, "state hash");

        // Its first instruction, in empty memory, is sll $0, $0, 0.
        check(m, advanced(m), "nop");
    }

    function exitedMachine(uint8 exited, uint8 code) private pure returns (Machine memory m) {
        m = machine(0);
        m.s.exited = exited;
        m.s.exitCode = code;
    }

    function test_exitedStateStaysAsItIs() public {
        for (uint8 code = 0; code < 4; code++) {
            Machine memory m = exitedMachine(1, code);
            // No thread and no memory are needed.
            bytes32 hash = mips.step(packState(m), "", CONTEXT);
            assertEq(hash, stateHash(m), "the same state");
            assertEq(uint256(hash) >> 248, code > 2 ? 2 : code, "its status");
        }
    }

    function test_exitedStateWithAnEmptyStackFaults() public {
        Machine memory m = exitedMachine(1, 0);
        m.s.traverseRight = 1;
        checkFault(packState(m), "", text("MIPS64: post-state active thread stack is empty"));
    }

    function test_attack20_exitedByteOtherThanZeroOrOneFaults() public {
        for (uint256 value = 2; value < 256; value += 127) {
            Machine memory m = exitedMachine(uint8(value), 0);
            checkFault(packState(m), stepProof(m, 0), abi.encodeWithSelector(IMIPS64.InvalidExitedValue.selector));
        }
    }

    function test_statusIsUnfinishedUntilTheExit() public {
        Machine memory m = machine(Encode.r(0x21, 8, 9, 10, 0));
        m.s.exitCode = 1; // means nothing before the exit
        bytes32 hash = mips.step(packState(m), stepProof(m, 0), CONTEXT);
        assertEq(uint256(hash) >> 248, 3, "unfinished");
    }

    function test_postStateIsLogged() public {
        Machine memory m = machine(Encode.r(0x21, 8, 0, 10, 0));
        Machine memory n = advanced(m);
        active(n).r[10] = 0xffff_ffff_bb00_0008;
        bytes memory state = packState(m);
        bytes memory proof = stepProof(m, 0);
        vm.recordLogs();
        bytes32 hash = mips.step(state, proof, CONTEXT);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "one log");
        assertEq(logs[0].topics.length, 0, "without topics");
        assertEq(logs[0].data, packState(n), "the packed post-state");
        assertEq(uint256(hash) << 8, uint256(keccak256(logs[0].data)) << 8, "whose hash is the answer");
    }

    function test_unusedBytesOfTheStateSurvive() public {
        // Fields that no addu touches, with every bit set.
        Machine memory m = machine(Encode.r(0x21, 8, 0, 10, 0));
        m.s.preimageKey = bytes32(type(uint256).max);
        m.s.preimageOffset = ALL_ONES;
        m.s.heap = ALL_ONES;
        (m.s.llStatus, m.s.llAddress, m.s.llOwner) = (255, ALL_ONES, ALL_ONES);
        m.s.exitCode = 255;
        m.s.nextThreadId = ALL_ONES;
        active(m).id = ALL_ONES;
        active(m).exitCode = 255;
        active(m).lo = ALL_ONES;
        active(m).hi = ALL_ONES;
        Machine memory n = advanced(m);
        active(n).r[10] = 0xffff_ffff_bb00_0008;
        check(m, n, "neighbours of the fields that change");
    }

    function test_countersWrap() public {
        Machine memory m = machine(Encode.r(0x21, 8, 0, 10, 0));
        m.s.step = ALL_ONES;
        Machine memory n = advanced(m);
        active(n).r[10] = 0xffff_ffff_bb00_0008;
        assertEq(n.s.step, 0, "the step after the last");
        check(m, n, "step wraps");
    }

    function test_attack20_unalignedPcFaults() public {
        uint8[4] memory offsets = [1, 2, 3, 5];
        for (uint256 i = 0; i < offsets.length; i++) {
            Machine memory m = machine(0);
            active(m).pc = PC + offsets[i];
            checkFault(m, 0, abi.encodeWithSelector(IMIPS64.InvalidPC.selector));
        }
    }

    function test_instructionIsTheHalfThatPcSelects() public {
        Machine memory m = machine(Encode.r(0x21, 8, 0, 10, 0));
        store4(m, PC + 4, Encode.r(0x21, 9, 0, 11, 0));
        Machine memory n = advanced(m);
        active(n).r[10] = 0xffff_ffff_bb00_0008;
        check(m, n, "the upper half");
        active(m).pc = PC + 4;
        active(m).nextPC = PC + 8;
        n = advanced(m);
        active(n).r[11] = 0xffff_ffff_bb00_0009;
        check(m, n, "the lower half");
    }

    // Calldata.

    function call(bytes memory data) private returns (bool ok, bytes memory answer) {
        (ok, answer) = address(mips).call(data);
    }

    function test_nonCanonicalCalldataIsRefusedWithoutData() public {
        Machine memory m = machine(Encode.r(0x21, 8, 9, 10, 0));
        bytes memory state = packState(m);
        bytes memory proof = stepProof(m, 0);
        (bool ok,) = call(abi.encodeCall(IMIPS64.step, (state, proof, CONTEXT)));
        assertTrue(ok, "canonical");

        bytes[5] memory forged;
        // The same content, one word further on.
        forged[0] = abi.encodePacked(
            IMIPS64.step.selector,
            abi.encode(uint256(0x80), uint256(0x160), CONTEXT, uint256(0)),
            abi.encode(state.length),
            state,
            bytes4(0),
            abi.encode(proof.length),
            proof
        );
        // The proof in front of the state.
        forged[1] = abi.encodePacked(
            IMIPS64.step.selector,
            abi.encode(uint256(0x60 + 32 + 6112), uint256(0x60), CONTEXT, proof.length),
            proof,
            bytes22(0),
            abi.encode(state.length),
            state,
            bytes4(0)
        );
        // A longer and a shorter state: what is hashed must be what was claimed.
        forged[2] = abi.encodeCall(IMIPS64.step, (bytes.concat(state, hex"00"), proof, CONTEXT));
        bytes memory shorter = bytes.concat(state);
        assembly ("memory-safe") {
            mstore(shorter, 187)
        }
        forged[3] = abi.encodeCall(IMIPS64.step, (shorter, proof, CONTEXT));
        // One array for both.
        forged[4] = abi.encodePacked(
            IMIPS64.step.selector, abi.encode(uint256(0x60), uint256(0x60), CONTEXT, state.length), state, bytes4(0)
        );
        for (uint256 i = 0; i < forged.length; i++) {
            bytes memory answer;
            (ok, answer) = call(forged[i]);
            assertTrue(!ok, "not canonical");
            assertEq(answer, "", "no data");
        }
    }

    function test_calldataThatIsTooShortFaults() public {
        Machine memory m = machine(Encode.i(0x37, 0, 9, 0)); // ld $9, 0($0)
        bytes memory state = packState(m);
        bytes memory proof = stepProof(m, 0);
        checkFault(state, cut(proof, 0), text("MIPS64: insufficient calldata for thread witness"));
        // The encoding pads to 32 bytes, so cut at multiples of 32: 320 is less than 330.
        checkFault(state, cut(proof, 320), text("MIPS64: insufficient calldata for thread witness"));
        checkFault(state, cut(proof, 352), text("MIPS64Memory: check that there is enough calldata"));
        checkFault(state, cut(proof, 2240), text("MIPS64Memory: check that there is enough calldata"));
        checkFault(state, cut(proof, 4160), text("MIPS64Memory: check that there is enough calldata"));
        bytes32 want = mips.step(state, proof, CONTEXT);
        assertEq(mips.step(state, cut(proof, 4192), CONTEXT), want, "the second memory proof is not needed");
    }

    function test_clockGettimeNeedsCalldataForTheSecondProof() public {
        Machine memory m = syscall(5222, 1, DATA, 0);
        bytes memory proof = stepProof(m, DATA);
        checkFault(packState(m), cut(proof, 4192), text("MIPS64Memory: check that there is enough calldata"));
    }

    function cut(bytes memory data, uint256 length) private pure returns (bytes memory shorter) {
        shorter = bytes.concat(data);
        assembly ("memory-safe") {
            mstore(shorter, length)
        }
    }

    function test_aStepDependsOnNothingElse() public {
        Machine memory m = machine(Encode.r(0x21, 8, 9, 10, 0));
        bytes32 here = mips.step(packState(m), stepProof(m, 0), CONTEXT);
        bytes memory state = packState(m);
        // Proofs that are not used may hold anything; so may the context.
        bytes memory proof = stepProof(m, 0);
        for (uint256 i = 330 + 1920; i < proof.length; i++) {
            proof[i] = 0xee;
        }
        vm.prank(address(0xcafe));
        assertEq(mips.step(state, proof, bytes32(0)), here, "the same answer");
        assertEq(mips7.step(state, proof, bytes32(0)), here, "in both versions");
    }
}
