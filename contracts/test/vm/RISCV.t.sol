// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { EncodeRiscv, Hart, HartTest } from "./Hart.sol";

/// @notice The RISC-V verifier: interface, memory accesses of every alignment, faults, and proofs that must not pass. What
///         each row of the instruction table does is compared with the other engines in Rust.
contract RISCVTest is HartTest {
    uint256 private constant BAD_ALIGNMENT = 0xbad10ad0;
    uint256 private constant BAD_PROOF = 0xbadf00d1;

    function test_interface() public view {
        assertEq(riscv.version(), "1.2.0-rc.1", "version");
        assertEq(uint160(address(riscv.oracle())), uint160(address(oracle)), "oracle");
        assertEq(uint32(riscv.step.selector), 0xe14ced32, "selector");
    }

    function test_exitedStatesStay() public {
        uint8[4] memory codes = [0, 1, 2, 255];
        for (uint256 i = 0; i < codes.length; i++) {
            Hart memory h = hart(0);
            h.exited = 1;
            h.exitCode = codes[i];
            checkProof(h, h, "", "exited");
        }
        Hart memory odd = hart(0);
        odd.exited = 2;
        checkProof(odd, odd, "", "exited byte 2");
    }

    /// @dev State and proof must lie where the canonical encoding puts them.
    function test_onlyCanonicalCalldata() public {
        Hart memory h = hart(EncodeRiscv.r(0x33, 0, 0));
        (bytes memory state, bytes memory proof) = (pack(h), stepProof(h, NO_ACCESS));
        checkEmpty(bytes.concat(state, hex"00"), proof);
        checkEmpty(new bytes(361), proof);
        checkEmpty(state, bytes.concat(proof, hex"00"));
        checkEmpty(state, new bytes(1919));
    }

    function checkEmpty(bytes memory state, bytes memory proof) private {
        vm.expectRevert(bytes(""));
        riscv.step(state, proof, CONTEXT);
    }

    function test_add() public {
        Hart memory h = hart(EncodeRiscv.r(0x33, 0, 0));
        (h.x[8], h.x[9]) = (ALL_ONES, 3);
        Hart memory n = advanced(h);
        n.x[10] = 2;
        check(h, n, NO_ACCESS, "add");
    }

    /// @dev Loads and stores of every size at every place of a leaf, across its end where they reach beyond.
    function test_accessesOfEveryAlignment() public {
        for (uint32 funct3 = 0; funct3 < 4; funct3++) {
            for (uint64 at = 0; at < 32; at += 3) {
                this.accessAt(funct3, at);
            }
            this.accessAt(funct3, 31);
        }
    }

    /// @dev In a call of its own, which gives its memory back.
    function accessAt(uint32 funct3, uint64 at) external {
        uint64 base = (DATA & ~uint64(31)) + at;
        uint256 size = 1 << funct3;
        uint64 value = 0x8796_a5b4_c3d2_e1f0;
        Hart memory h = hart(EncodeRiscv.s(funct3, 0));
        (h.x[8], h.x[9]) = (base, value);
        h.leaves = written(h.leaves, base - 8, hex"5152535455565758595a5b5c5d5e5f60616263646566676869");
        Hart memory n = advanced(h);
        store(n, base, value, size);
        bool crosses = at + size > 32;
        // After the left leaf was written, the right one is still as it was.
        Hart memory between = copy(h);
        if (crosses) store(between, base, value, 32 - at);
        checkProof(h, n, crosses ? stepProof(h, base, between) : stepProof(h, base), "store");

        uint64 low = uint64(value & (type(uint256).max >> (256 - 8 * size)));
        Hart memory l = copy(n);
        l.pc = PC;
        store(l, PC, EncodeRiscv.i(0x03, funct3, 0), 4);
        n = advanced(l);
        // The sign of every size is set but for the doubleword, which has its own.
        n.x[10] = size == 8 ? value : low | (low >> (8 * size - 1) == 1 ? uint64(ALL_ONES << (8 * size)) : 0);
        checkProof(l, n, crosses ? stepProof(l, base, l) : stepProof(l, base), "load");
        if (crosses) checkFault(pack(l), stepProof(l, base), BAD_PROOF);
    }

    function test_atomics() public {
        Hart memory h = hart(EncodeRiscv.r(0x2f, 3, 0));
        (h.x[8], h.x[9]) = (DATA, 5);
        store(h, DATA, ALL_ONES - 1, 8);
        Hart memory n = advanced(h);
        n.x[10] = ALL_ONES - 1;
        store(n, DATA, 3, 8);
        check(h, n, DATA, "amoadd.d");

        h.x[8] = DATA + 4;
        checkFault(h, DATA, BAD_ALIGNMENT);
        h = hart(EncodeRiscv.r(0x2f, 1, 0));
        checkFault(h, DATA, 0xbada70);
        h = hart(EncodeRiscv.r(0x2f, 3, 0x14));
        h.x[8] = DATA;
        checkFault(h, DATA, 0xf001a70);
    }

    function test_attack21_reservation() public {
        Hart memory h = hart(EncodeRiscv.r(0x2f, 2, 0x08));
        h.x[8] = DATA;
        store(h, DATA, 0x8000_0000, 4);
        Hart memory n = advanced(h);
        (n.x[10], n.reservation) = (0xffff_ffff_8000_0000, DATA);
        check(h, n, DATA, "lr.w");

        // Another size, the same address: it holds.
        h = hart(EncodeRiscv.r(0x2f, 3, 0x0c));
        (h.x[8], h.reservation) = (DATA, DATA);
        n = advanced(h);
        (n.x[10], n.reservation) = (0, 0);
        store(n, DATA, h.x[9], 8);
        check(h, n, DATA, "sc.d");

        h.reservation = DATA + 8;
        n = advanced(h);
        (n.x[10], n.reservation) = (1, 0);
        check(h, n, NO_ACCESS, "sc.d without a reservation takes no proof");
    }

    function test_faults() public {
        checkFault(hart(0x00007003), NO_ACCESS, 0xbadc0de); // a load of no kind
        checkFault(hart(0x00004023), NO_ACCESS, 0xbad512e8); // a store of 16 bytes
        checkFault(hart(0x80045513), NO_ACCESS, 0xbadc0de); // srli with a bit above
        checkFault(hart(0x0204151b), NO_ACCESS, 0xbadc0de); // slliw by 32
        checkFault(hart(0x0294153b), NO_ACCESS, 0xbadc0de); // an upper half of words
        checkFault(hart(0x04940533), NO_ACCESS, 0xbadc0de); // add with another funct7
    }

    function test_opcodesWithoutRow() public {
        uint32[6] memory words = [uint32(0x43), 0x47, 0x4b, 0x4f, 0x4501, 0];
        for (uint256 i = 0; i < words.length; i++) {
            checkFault(hart(words[i]), NO_ACCESS, 0xf001c0de);
        }
    }

    function test_jumpsAreAligned() public {
        Hart memory h = hart(EncodeRiscv.i(0x67, 0, 0));
        h.x[8] = 0x1002;
        checkFault(h, NO_ACCESS, BAD_ALIGNMENT);
        h.x[8] = 0x1001;
        Hart memory n = advanced(h);
        (n.pc, n.x[10]) = (0x1000, PC + 4);
        check(h, n, NO_ACCESS, "jalr drops the lowest bit");
    }

    function test_fetchDoesNotCrossLeaves() public {
        Hart memory h = hart(0);
        h.pc = (PC & ~uint64(31)) + 30;
        checkFault(h, NO_ACCESS, 0xbad22220);
    }

    function test_system() public {
        // Instruction words that only go on: fence, fld, fsd, fadd.s, ebreak, mret.
        uint32[6] memory words = [uint32(0x0000000f), 0x07, 0x27, 0x53, 0x00100073, 0x30200073];
        for (uint256 i = 0; i < words.length; i++) {
            Hart memory h = hart(words[i]);
            check(h, advanced(h), NO_ACCESS, "nothing happens");
        }
        Hart memory c = hart(0xc0002573); // rdcycle a0
        Hart memory n = advanced(c);
        n.x[10] = 0;
        check(c, n, NO_ACCESS, "counters read as zero");
    }

    function test_syscalls() public {
        Hart memory h = syscall(214, 9, 9, 9);
        check(h, answered(h, 0x40000000, 0), NO_ACCESS, "brk");
        h = syscall(220, 9, 9, 9);
        check(h, answered(h, 1, 0), NO_ACCESS, "clone");
        h = syscall(9999, 9, 9, 9);
        check(h, answered(h, 0, 0), NO_ACCESS, "unknown");
        h = syscall(56, 9, 9, 9);
        check(h, answered(h, ALL_ONES, 0x0d), NO_ACCESS, "openat");
        h = syscall(93, 0x101, 9, 9);
        Hart memory n = advanced(h);
        (n.exited, n.exitCode) = (1, 1);
        check(h, n, NO_ACCESS, "exit");
        uint64[3] memory faults = [uint64(261), 422, 101];
        for (uint256 i = 0; i < 3; i++) {
            checkFault(syscall(faults[i], 0, 0, 0), NO_ACCESS, 0xf001ca11);
        }
        checkFault(syscall(163, 6, DATA, 0), DATA, 0xf0012);
    }

    function test_clockAcrossLeaves() public {
        uint64 addr = DATA | 0x1b;
        Hart memory h = syscall(113, 7, addr, 0);
        Hart memory n = answered(h, 0, 0);
        store(n, addr, 1337, 8);
        store(n, addr + 8, 42, 8);
        Hart memory between = copy(h);
        store(between, addr, 1337, 5);
        checkProof(h, n, stepProof(h, addr, between), "clock_gettime");
    }

    function test_attack19_mmapChecksNothing() public {
        Hart memory h = syscall(222, 0, 5000, 0);
        (h.x[13], h.x[14]) = (0x22, ALL_ONES);
        Hart memory n = answered(h, h.heap, 0);
        n.heap += 8192;
        check(h, n, NO_ACCESS, "mmap");
        h.heap = ALL_ONES - 4095;
        n = answered(h, h.heap, 0);
        n.heap = 4096;
        check(h, n, NO_ACCESS, "mmap beyond the end of memory");
        h.x[10] = 0x1234;
        check(h, answered(h, 0x1234, 0), NO_ACCESS, "mmap at an address");
        h.x[13] = 2;
        check(h, answered(h, ALL_ONES, 0x4d), NO_ACCESS, "mmap of a file");
    }

    function test_preimages() public {
        bytes memory value = "some data of a preimage, longer than a part";
        bytes32 key = bytes32((uint256(keccak256(value)) << 8 >> 8) | (2 << 248));
        uint64 addr = (DATA & ~uint64(31)) + 12;
        Hart memory h = syscall(64, 6, addr - 12, 40);
        h.leaves = written(h.leaves, addr - 12, abi.encode(key));
        h.preimageOffset = 7;
        Hart memory n = answered(h, 32, 0);
        (n.preimageKey, n.preimageOffset) = (key, 0);
        check(h, n, addr, "the key in one write");

        h = syscall(63, 5, addr, 40);
        (h.preimageKey, h.preimageOffset) = (key, 8);
        checkFault(h, addr, 0xbadf00d0);
        oracle.loadKeccak256PreimagePart(8, value);
        n = answered(h, 20, 0);
        n.preimageOffset = 28;
        n.leaves = written(n.leaves, addr, "some data of a preim");
        check(h, n, addr, "to the end of the leaf");
    }

    /// @dev One bit in the leaf and in siblings, of the instruction and of the data, in a load and in a store.
    function test_attack23_corruptedProofIsRefused() public {
        for (uint256 node = 0; node < 120; node += 7) {
            this.refuseBit(EncodeRiscv.i(0x03, 3, 0), 32 * node + (node % 32));
            this.refuseBit(EncodeRiscv.s(3, 0), 32 * node + (node % 32));
        }
    }

    function refuseBit(uint32 insn, uint256 at) external {
        Hart memory h = hart(insn);
        h.x[8] = DATA - 8;
        store(h, DATA - 8, 0x1111_2222_3333_4444, 8);
        bytes memory proof = stepProof(h, DATA - 8);
        proof[at] ^= 0x10;
        checkFault(pack(h), proof, BAD_PROOF);
    }

    function test_attack23_proofOfAnotherLeafIsRefused() public {
        Hart memory h = hart(EncodeRiscv.i(0x03, 3, 0));
        h.x[8] = DATA - 8;
        store(h, DATA - 8, 1, 8);
        store(h, DATA + 24, 2, 8);
        uint64[3] memory others = [DATA + 24, DATA ^ 0x1000, PC];
        for (uint256 i = 0; i < others.length; i++) {
            checkFault(h, others[i], BAD_PROOF);
        }
    }
}
