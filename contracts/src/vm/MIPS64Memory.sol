// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS64 } from "./IMIPS64.sol";
import { DOUBLEWORD_MASK, LL_ADDRESS, MEMORY_ROOT, clearReservation } from "./MIPS64State.sol";

// Memory is a binary tree over 2^64 bytes: leaves of 32 bytes, not hashed, 59 levels above them, and a node is
// keccak256(left || right). A proof is the leaf and its 59 siblings from the bottom to the top, 60 words of calldata.
// Bit 5 + i of the address says which child the running node is at level i: 0 left, 1 right. A doubleword at address a
// lies big-endian at byte a mod 32 of its leaf.
//
// Every address here is that of a doubleword, a multiple of 8; callers round down. A write re-uses the proof of the
// word it replaces: both roots come from one walk, since they share all siblings and sides.

uint256 constant PROOF_BYTES = 1920;
// Where the proofs lie in calldata, behind the thread witness.
uint256 constant FETCH_PROOF = 686;
uint256 constant MEMORY_PROOF = 686 + 1920;
uint256 constant SECOND_MEMORY_PROOF = 686 + 2 * 1920;

// Reads the doubleword at `addr`.
function readMemory(uint256 addr, uint256 proof) pure returns (uint256 word) {
    word = peekMemory(addr, proof);
    if (foldProof(addr, proof) != MEMORY_ROOT.load()) revert IMIPS64.InvalidMemoryProof();
}

// Replaces the doubleword at `addr`, which `peekMemory` showed, by `word` (its low 64 bits).
function writeMemory(uint256 addr, uint256 word) pure {
    (bytes32 oldRoot, bytes32 newRoot) = foldProofs(addr, MEMORY_PROOF, word);
    if (oldRoot != MEMORY_ROOT.load()) revert IMIPS64.InvalidMemoryProof();
    MEMORY_ROOT.store(newRoot);
    touchMemory(addr);
}

// Replaces the doubleword at `addr` by `word`, with the second proof, which belongs to the memory after the first write.
function writeMemoryAgain(uint256 addr, uint256 word) pure {
    checkCalldata(SECOND_MEMORY_PROOF);
    (bytes32 oldRoot, bytes32 newRoot) = foldProofs(addr, SECOND_MEMORY_PROOF, word);
    if (oldRoot != MEMORY_ROOT.load()) revert IMIPS64.InvalidSecondMemoryProof();
    MEMORY_ROOT.store(newRoot);
    touchMemory(addr);
}

// The doubleword at `addr` as the proof states it. It is not proven until the proof is folded.
function peekMemory(uint256 addr, uint256 proof) pure returns (uint256 word) {
    checkCalldata(proof);
    assembly ("memory-safe") {
        // Shift the leaf left to drop the bytes in front of the word, then right to drop those behind.
        word := shr(192, shl(shl(3, and(addr, 31)), calldataload(proof)))
    }
}

// A write to the reserved doubleword ends the reservation, whoever writes.
function touchMemory(uint256 addr) pure {
    if (LL_ADDRESS.load() & DOUBLEWORD_MASK == addr) clearReservation();
}

function checkCalldata(uint256 proof) pure {
    unchecked {
        require(msg.data.length >= proof + PROOF_BYTES, "MIPS64Memory: check that there is enough calldata");
    }
}

// The root to which the proof leads.
//
// One line is one level, from the bottom up. `s` is the node's side: bit 5 + level of the address, moved to bit 5, is 0 for
// a left child and 32 for a right one, and so is the place of that child in the 64 bytes of scratch space whose hash is the
// parent. The line stores the node there, which is the hash of what the line before left behind, and its sibling in the
// other half. Levels are written out, since a loop over single ones would count and jump back 59 times: first 4, then five
// rounds of 11, which saves 4.8 KB of bytecode against writing out all of them.
//
// `p` runs over the siblings in calldata, `path` is the address without the bits that are done.
function foldProof(uint256 addr, uint256 proof) pure returns (bytes32 root) {
    assembly ("memory-safe") {
        let n := calldataload(proof)
        let p := add(proof, 0x20)
        let path := addr
        { let s := and(path, 32)           mstore(s, n)                 mstore(xor(s, 32), calldataload(p)) }
        { let s := and(shr(1, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x020))) }
        { let s := and(shr(2, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x040))) }
        { let s := and(shr(3, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x060))) }
        p := add(p, 0x80)
        path := shr(4, path)
        for { let end := add(proof, PROOF_BYTES) } lt(p, end) { p := add(p, 0x160) path := shr(11, path) } {
            { let s := and(path, 32)           mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(p)) }
            { let s := and(shr(1, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x020))) }
            { let s := and(shr(2, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x040))) }
            { let s := and(shr(3, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x060))) }
            { let s := and(shr(4, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x080))) }
            { let s := and(shr(5, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x0a0))) }
            { let s := and(shr(6, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x0c0))) }
            { let s := and(shr(7, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x0e0))) }
            { let s := and(shr(8, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x100))) }
            { let s := and(shr(9, path), 32)   mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x120))) }
            { let s := and(shr(10, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x140))) }
        }
        root := keccak256(0, 64)
    }
}

// The root to which the proof leads, and the root after the doubleword at `addr` was replaced by `word`: as above, with two
// nodes, `n` the old and `m` the new one, that take turns beside the same sibling.
function foldProofs(uint256 addr, uint256 proof, uint256 word) pure returns (bytes32 oldRoot, bytes32 newRoot) {
    assembly ("memory-safe") {
        let n := calldataload(proof)
        // The word's distance from the right end of the leaf, in bits.
        let shift := shl(3, xor(and(addr, 24), 24))
        // x ^ ((x ^ y) & mask) takes the masked bits from y, the others from x.
        let m := xor(n, shl(shift, and(xor(shr(shift, n), word), 0xffffffffffffffff)))

        let p := add(proof, 0x20)
        let path := addr
        { let s := and(path, 32)           mstore(xor(s, 32), calldataload(p))                 mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(1, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x020)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(2, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x040)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(3, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x060)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        p := add(p, 0x80)
        path := shr(4, path)
        for { let end := add(proof, PROOF_BYTES) } lt(p, end) { p := add(p, 0x160) path := shr(11, path) } {
            { let s := and(path, 32)           mstore(xor(s, 32), calldataload(p))                 mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(1, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x020)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(2, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x040)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(3, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x060)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(4, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x080)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(5, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x0a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(6, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x0c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(7, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x0e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(8, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x100)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(9, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x120)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
            { let s := and(shr(10, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x140)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        }
        oldRoot := n
        newRoot := m
    }
}
