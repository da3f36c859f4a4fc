// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PROOF_BYTES, foldProof, foldProofs } from "./MemoryTree.sol";
import { BAD_FETCH, BAD_PROOF, fault } from "./RISCVFaults.sol";
import { MEMORY_ROOT, U64_MASK } from "./RISCVState.sol";

// Accesses of any alignment to the memory tree (MemoryTree.sol). Bytes lie in their leaf in the order of their addresses.
// An access that crosses the end of a leaf takes two proofs; the second belongs to the memory after the first leaf was
// written, if it is a store. Proofs that a step does not use are absent, and what is absent from calldata reads as zero.

// Where the proofs lie in calldata.
uint256 constant FETCH_PROOF = 548;
uint256 constant LEFT_PROOF = 548 + 1920;
uint256 constant RIGHT_PROOF = 548 + 2 * 1920;

uint256 constant LEAF_MASK = 0xffffffffffffffe0;

// The instruction at `addr`, which may not cross the end of a leaf.
function fetch(uint256 addr) pure returns (uint256) {
    uint256 leaf = readLeaf(addr, FETCH_PROOF);
    if (addr & 31 > 28) fault(BAD_FETCH);
    return bytesAt(leaf, addr) & 0xffffffff;
}

// The `size` bytes at `addr`, at most 8, as a number; above it is whatever follows in the leaf.
function loadBytes(uint256 addr, uint256 size) pure returns (uint256) {
    unchecked {
        uint256 start = addr & 31;
        uint256 data = readLeaf(addr, LEFT_PROOF) << (start << 3);
        if (start + size > 32) data |= readLeaf(rightOf(addr), RIGHT_PROOF) >> ((32 - start) << 3);
        return reversed8(data >> 192);
    }
}

// The bytes of a leaf from `addr` on as a number, as far as it goes and at most 8.
function bytesAt(uint256 leaf, uint256 addr) pure returns (uint256) {
    return reversed8((leaf << ((addr & 31) << 3)) >> 192);
}

// Writes the low `size` bytes of `value`, at most 8, at `addr`.
function storeBytes(uint256 addr, uint256 size, uint256 value) pure {
    replaceBytes(addr, size, reversed8(value & U64_MASK) << 192);
}

// Writes two doublewords at `addr`.
function storePair(uint256 addr, uint256 first, uint256 second) pure {
    replaceBytes(addr, 16, (reversed8(first) << 192) | (reversed8(second) << 128));
}

// Writes the first `size` bytes of `data` at `addr`.
function replaceBytes(uint256 addr, uint256 size, uint256 data) pure {
    unchecked {
        uint256 start = (addr & 31) << 3;
        uint256 mask = ~(type(uint256).max >> (size << 3));
        replaceLeaf(addr, LEFT_PROOF, data >> start, mask >> start);
        if ((addr & 31) + size > 32) {
            uint256 rest = 256 - start;
            replaceLeaf(rightOf(addr), RIGHT_PROOF, data << rest, mask << rest);
        }
    }
}

// The leaf of `addr`, proven.
function readLeaf(uint256 addr, uint256 proof) pure returns (uint256 leaf) {
    if (foldProof(addr, proof) != MEMORY_ROOT.load()) fault(BAD_PROOF);
    leaf = peekLeaf(proof);
}

// Takes the bits in `mask` of the leaf of `addr` from `data`.
function replaceLeaf(uint256 addr, uint256 proof, uint256 data, uint256 mask) pure {
    (bytes32 oldRoot, bytes32 newRoot) = foldProofs(addr, proof, (peekLeaf(proof) & ~mask) | (data & mask));
    if (oldRoot != MEMORY_ROOT.load()) fault(BAD_PROOF);
    MEMORY_ROOT.store(newRoot);
}

// The leaf as a proof states it. It is not proven until the proof is folded.
function peekLeaf(uint256 proof) pure returns (uint256 leaf) {
    assembly ("memory-safe") {
        leaf := calldataload(proof)
    }
}

// The start of the leaf behind that of `addr`; behind the last one comes the first.
function rightOf(uint256 addr) pure returns (uint256) {
    unchecked {
        return (addr + 32) & LEAF_MASK;
    }
}

// Eight bytes in the opposite order: neighbours change places, then pairs, then halves.
function reversed8(uint256 v) pure returns (uint256) {
    v = ((v & 0x00ff00ff00ff00ff) << 8) | ((v >> 8) & 0x00ff00ff00ff00ff);
    v = ((v & 0x0000ffff0000ffff) << 16) | ((v >> 16) & 0x0000ffff0000ffff);
    return ((v & 0xffffffff) << 32) | (v >> 32);
}
