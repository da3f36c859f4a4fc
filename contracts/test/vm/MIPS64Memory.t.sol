// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS64 } from "../../src/vm/IMIPS64.sol";
import { Encode, Machine, MachineTest } from "./Machine.sol";
import { MemoryHarness } from "./MemoryHarness.sol";

/// @notice The memory tree: its assembly against plain Solidity, and proofs that must not pass.
contract MIPS64MemoryTest is MachineTest {
    MemoryHarness private harness;

    function setUp() public override {
        super.setUp();
        harness = new MemoryHarness();
    }

    /// @dev The rule as it reads: bit i of the leaf's index says on which side the node is at level i.
    function plainRoot(bytes32 leaf, bytes32[59] memory siblings, uint256 index) private pure returns (bytes32 node) {
        node = leaf;
        for (uint256 level = 0; level < 59; level++) {
            bool right = (index / 2 ** level) % 2 == 1;
            node = right ? pair(siblings[level], node) : pair(node, siblings[level]);
        }
    }

    /// @dev Replaces eight bytes of a leaf one by one.
    function plainWrite(bytes32 leaf, uint256 at, uint64 word) private pure returns (bytes32) {
        bytes memory data = abi.encode(leaf);
        bytes memory fresh = abi.encodePacked(word);
        for (uint256 i = 0; i < 8; i++) {
            data[at + i] = fresh[i];
        }
        return abi.decode(data, (bytes32));
    }

    function testFuzz_foldsAgreeWithPlainSolidity(uint64 addr, bytes32 seed, uint64 word, uint256 above) public view {
        addr &= ~uint64(7);
        bytes32 leaf = keccak256(abi.encode(seed, "leaf"));
        bytes32[59] memory siblings;
        for (uint256 i = 0; i < 59; i++) {
            siblings[i] = keccak256(abi.encode(seed, i));
        }
        bytes memory proof = abi.encodePacked(leaf, siblings);
        bytes32 root = plainRoot(leaf, siblings, addr >> 5);
        assertEq(harness.fold(addr, proof), root, "root");

        bytes32 written = plainRoot(plainWrite(leaf, addr & 31, word), siblings, addr >> 5);
        // Whatever stands above the 64 bits of the word must not matter.
        (bytes32 oldRoot, bytes32 newRoot) = harness.foldWrite(addr, proof, (above << 64) | word);
        assertEq(oldRoot, root, "root before the write");
        assertEq(newRoot, written, "root after the write");

        uint256 shown = uint64(uint256(leaf) >> (8 * (24 - (addr & 31))));
        assertEq(harness.peek(addr, proof), shown, "the word");
    }

    /// @dev Known value of a memory with one doubleword.
    function test_knownRoot() public view {
        Machine memory m;
        store8(m, 0x10008, 0x0102030405060708);
        bytes32 known = 0x5b585c0040abd31b7ef8a7bd8da3a3dd1e1db388a186e2ac963b5071502ac90b;
        (bytes32 root, bytes memory proof) = memoryProof(m, 0x10008);
        assertEq(root, known, "of the builder");
        assertEq(harness.fold(0x10008, proof), known, "of the contract");

        Machine memory empty;
        (root, proof) = memoryProof(empty, 0x10008);
        assertEq(root, 0x14af5385bcbb1e4738bbae8106046e6e2fca42875aa5c000c582587742bcc748, "empty memory");
        (bytes32 oldRoot, bytes32 newRoot) = harness.foldWrite(0x10008, proof, 0x0102030405060708);
        assertEq(oldRoot, root, "empty before");
        assertEq(newRoot, known, "one doubleword after");
    }

    // Forged proofs. Memory holds ld $9, 0($8) and sd $9, 0($8), and neighbours of the data that are not zero.

    function access() private pure returns (Machine memory m) {
        m = machine(Encode.i(0x37, 8, 9, 0));
        store4(m, PC + 4, Encode.i(0x3f, 8, 9, 0));
        active(m).r[8] = DATA;
        store8(m, DATA, 0x1111_2222_3333_4444);
        store8(m, DATA + 32, 0x5555_6666_7777_8888);
        store8(m, DATA ^ 0x1000, 0x9999_aaaa_bbbb_cccc);
    }

    /// @dev The same, about to execute the store.
    function accessByStore() private pure returns (Machine memory m) {
        m = access();
        active(m).pc = PC + 4;
        active(m).nextPC = PC + 8;
    }

    function forgedFetch(Machine memory m, bytes memory fetch) private view returns (bytes memory) {
        bytes memory proof = stepProof(m, DATA);
        for (uint256 i = 0; i < 1920; i++) {
            proof[330 + i] = fetch[i];
        }
        return proof;
    }

    function forgedAccess(Machine memory m, bytes memory data) private view returns (bytes memory) {
        bytes memory proof = stepProof(m, DATA);
        for (uint256 i = 0; i < 1920; i++) {
            proof[330 + 1920 + i] = data[i];
        }
        return proof;
    }

    /// @dev A forged proof of the data is refused in a load and in a store, one of the instruction in the fetch.
    function refuse(bytes memory data, bytes memory fetch) private {
        bytes memory reason = abi.encodeWithSelector(IMIPS64.InvalidMemoryProof.selector);
        Machine memory m = access();
        checkFault(packState(m), forgedAccess(m, data), reason);
        checkFault(packState(m), forgedFetch(m, fetch), reason);
        m = accessByStore();
        checkFault(packState(m), forgedAccess(m, data), reason);
    }

    function test_honestProofsPass() public {
        Machine memory m = access();
        Machine memory n = advanced(m);
        active(n).r[9] = 0x1111_2222_3333_4444;
        check(m, n, DATA, "ld");
        m = accessByStore();
        n = advanced(m);
        store8(n, DATA, active(m).r[9]);
        check(m, n, DATA, "sd");
    }

    function test_attack23_corruptedProofIsRefused() public {
        Machine memory m = access();
        // One bit, in the leaf, in each level's sibling, first and last byte.
        for (uint256 node = 0; node < 60; node += 7) {
            (, bytes memory data) = memoryProof(m, DATA);
            (, bytes memory fetch) = memoryProof(m, PC);
            data[32 * node] ^= 0x80;
            fetch[32 * node + 31] ^= 0x01;
            this.refuseExternal(data, fetch);
        }
    }

    /// @dev In a call of its own, which gives its memory back.
    function refuseExternal(bytes calldata data, bytes calldata fetch) external {
        refuse(data, fetch);
    }

    function test_attack23_proofOfAnotherAddressIsRefused() public {
        Machine memory m = access();
        // The next leaf, the same place in another page, and an empty place.
        uint64[3] memory others = [DATA + 32, DATA ^ 0x1000, 0x9000];
        for (uint256 i = 0; i < others.length; i++) {
            (, bytes memory data) = memoryProof(m, others[i]);
            this.refuseExternal(data, data);
        }
    }

    function test_attack23_proofOfTheSiblingIsRefused() public {
        Machine memory m = access();
        (, bytes memory data) = memoryProof(m, DATA ^ 32);
        (, bytes memory fetch) = memoryProof(m, PC ^ 32);
        refuse(data, fetch);
    }

    /// @dev Leaf and first sibling change places: the same pair of children in the other order.
    function test_attack23_swappedChildrenAreRefused() public {
        Machine memory m = access();
        (, bytes memory data) = memoryProof(m, DATA);
        (, bytes memory fetch) = memoryProof(m, PC);
        swap(data, 0, 1);
        swap(fetch, 0, 1);
        refuse(data, fetch);
    }

    /// @dev Two siblings of neighbouring levels change places.
    function test_attack23_swappedLevelsAreRefused() public {
        Machine memory m = access();
        (, bytes memory data) = memoryProof(m, DATA);
        (, bytes memory fetch) = memoryProof(m, PC);
        swap(data, 1, 2);
        swap(fetch, 1, 2);
        refuse(data, fetch);
    }

    function swap(bytes memory proof, uint256 a, uint256 b) private pure {
        assertTrue(wordAt(proof, a) != wordAt(proof, b), "a swap that changes nothing");
        for (uint256 i = 0; i < 32; i++) {
            (proof[32 * a + i], proof[32 * b + i]) = (proof[32 * b + i], proof[32 * a + i]);
        }
    }

    function wordAt(bytes memory proof, uint256 index) private pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(proof, 32), mul(index, 32)))
        }
    }

    /// @dev A proof that was right before another word changed.
    function test_attack23_proofOfAStaleRootIsRefused() public {
        Machine memory m = access();
        (, bytes memory data) = memoryProof(m, DATA);
        (, bytes memory fetch) = memoryProof(m, PC);
        bytes memory reason = abi.encodeWithSelector(IMIPS64.InvalidMemoryProof.selector);
        store8(m, 0x7777_0000, 1);
        checkFault(packState(m), forgedAccess(m, data), reason);
        checkFault(packState(m), forgedFetch(m, fetch), reason);
    }

    /// @dev An inner node in the place of a leaf, with the upper part of the proof: too short a path.
    function test_attack23_innerNodeIsNoLeaf() public {
        Machine memory m = access();
        (, bytes memory data) = memoryProof(m, DATA);
        bytes32 parent = DATA & 32 == 0 ? pair(wordAt(data, 0), wordAt(data, 1)) : pair(wordAt(data, 1), wordAt(data, 0));
        bytes memory shifted = abi.encodePacked(parent);
        for (uint256 i = 2; i < 60; i++) {
            shifted = abi.encodePacked(shifted, wordAt(data, i));
        }
        shifted = abi.encodePacked(shifted, bytes32(0));
        refuse(shifted, shifted);
    }

    function test_attack23_wrongMemoryRootIsRefused() public {
        Machine memory m = access();
        bytes memory state = packState(m);
        bytes memory proof = stepProof(m, DATA);
        state[31] ^= 0x01;
        checkFault(state, proof, abi.encodeWithSelector(IMIPS64.InvalidMemoryProof.selector));
    }
}
