// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { EncodeRiscv, Hart, HartTest } from "./vm/Hart.sol";
import { Encode, Machine, MachineTest } from "./vm/Machine.sol";

/// @notice Records gas and sizes in `snapshots/`. A figure that differs from the recorded one fails the run; to record new
///         ones, run `npm run snapshots` and look at the difference before committing it.
///
/// Gas is that of the execution: neither the fixed cost of a transaction nor that of its data, and with the oracle cold.
contract SnapshotsTest is MachineTest {
    bytes private constant VALUE = "some data of a preimage, longer than a part";

    /// @dev Steps `m` and records the gas between the call's first and last instruction.
    function record(string memory name, Machine memory m, bytes memory proof, uint256 atMost) private {
        bytes memory state = packState(m);
        bytes memory data = abi.encodeCall(mips.step, (state, proof, CONTEXT));
        (bool ok,) = address(mips).call(data);
        assertTrue(ok, name);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        assertTrue(used <= atMost, string.concat(name, " takes more gas than allowed"));
        vm.snapshotValue("MIPS64", name, used);
    }

    function test_stepGas() public {
        record("add", machine(Encode.r(0x20, 8, 9, 10, 0)), 12_000);
        record("mult", machine(Encode.r(0x18, 8, 9, 0, 0)), 12_500);
        record("beq", machine(Encode.i(4, 8, 8, 9)), 12_000);
        record("dclz of 1", one(Encode.r2(0x24, 8, 0, 9)), 13_000);
        record("ld", at(Encode.i(0x37, 8, 9, 0)), 18_000);
        record("sd", at(Encode.i(0x3f, 8, 9, 0)), 23_000);
        record("swr", at(Encode.i(0x2e, 8, 9, 0)), 23_000);
    }

    function record(string memory name, Machine memory m, uint256 atMost) private {
        record(name, m, stepProof(m, DATA), atMost);
    }

    function at(uint32 insn) private pure returns (Machine memory m) {
        m = machine(insn);
        active(m).r[8] = DATA;
    }

    function one(uint32 insn) private pure returns (Machine memory m) {
        m = machine(insn);
        active(m).r[8] = 1;
    }

    function test_syscallGas() public {
        record("getpid", syscall(5038, 0, 0, 0), 12_500);
        record("sched_yield", syscall(5023, 0, 0, 0), 12_500);
        Machine memory m = syscall(5055, 0x00050f00, 0x9000, 0);
        record("clone", m, 13_500);

        m = syscall(5222, 1, DATA, 0);
        m.s.step = 25_000_000;
        Machine memory n = copy(m);
        store8(n, DATA, 2);
        (, bytes memory second) = memoryProof(n, DATA + 8);
        record("clock_gettime", m, stepProof(m, DATA, second), 32_000);
    }

    /// @dev What was loaded before the test is cold in it.
    function setUp() public override {
        super.setUp();
        oracle.loadKeccak256PreimagePart(8, VALUE);
        oracle.loadLocalData(1, CONTEXT, bytes32(uint256(1)), 32, 8);
    }

    function readFrom(uint256 keyType, uint256 body) private pure returns (Machine memory m) {
        m = syscall(5000, 5, DATA, 8);
        m.s.preimageKey = bytes32((body << 8 >> 8) | (keyType << 248));
        m.s.preimageOffset = 8;
    }

    function test_preimageReadGas() public {
        record("read of a preimage, cold oracle", readFrom(2, uint256(keccak256(VALUE))), 36_000);
    }

    function test_localReadGas() public {
        record("read of local data, cold oracle", readFrom(1, 1), 36_000);
    }
}

/// @notice The same for the RISC-V verifier.
contract RiscvSnapshotsTest is HartTest {
    bytes private constant VALUE = "some data of a preimage, longer than a part";

    function record(string memory name, Hart memory h, bytes memory proof, uint256 atMost) private {
        (bool ok,) = address(riscv).call(abi.encodeCall(riscv.step, (pack(h), proof, CONTEXT)));
        assertTrue(ok, name);
        uint256 used = vm.lastCallGas().gasTotalUsed;
        assertTrue(used <= atMost, string.concat(name, " takes more gas than allowed"));
        vm.snapshotValue("RISCV", name, used);
    }

    function record(string memory name, uint32 insn, uint64 access, uint256 atMost) private {
        Hart memory h = hart(insn);
        h.x[8] = DATA;
        record(name, h, stepProof(h, access), atMost);
    }

    function test_stepGas() public {
        record("add", EncodeRiscv.r(0x33, 0, 0), NO_ACCESS, 12_000);
        record("mulh", EncodeRiscv.r(0x33, 1, 1), NO_ACCESS, 12_000);
        record("remw", EncodeRiscv.r(0x3b, 6, 1), NO_ACCESS, 12_000);
        record("beq", EncodeRiscv.r(0x63, 0, 0), NO_ACCESS, 12_000);
        record("ld", EncodeRiscv.i(0x03, 3, 0), DATA, 18_000);
        record("sd", EncodeRiscv.s(3, 0), DATA, 23_000);
        record("amoadd.d", EncodeRiscv.r(0x2f, 3, 0), DATA, 26_000);
    }

    function test_syscallGas() public {
        record("brk", syscall(214, 0, 0, 0), stepProof(syscall(214, 0, 0, 0), NO_ACCESS), 12_000);
        uint64 addr = DATA | 0x18;
        Hart memory h = syscall(113, 0, addr, 0);
        Hart memory between = copy(h);
        store(between, addr, 1337, 8);
        record("clock_gettime across leaves", h, stepProof(h, addr, between), 38_000);
    }

    /// @dev What was loaded before the test is cold in it.
    function setUp() public override {
        super.setUp();
        oracle.loadKeccak256PreimagePart(8, VALUE);
    }

    function test_preimageReadGas() public {
        Hart memory h = syscall(63, 5, DATA, 8);
        h.preimageKey = bytes32((uint256(keccak256(VALUE)) << 8 >> 8) | (2 << 248));
        h.preimageOffset = 8;
        record("read of a preimage, cold oracle", h, stepProof(h, DATA), 36_000);
    }
}
