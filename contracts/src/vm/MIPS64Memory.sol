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
function foldProof(uint256 addr, uint256 proof) pure returns (bytes32 root) {
    assembly ("memory-safe") {
        let n := calldataload(proof)
        let p := add(proof, 0x20)
        let path := addr
        { let s := and(path, 32)           mstore(s, n)                 mstore(xor(s, 32), calldataload(p)) }
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
        { let s := and(shr(11, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x160))) }
        { let s := and(shr(12, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x180))) }
        { let s := and(shr(13, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x1a0))) }
        { let s := and(shr(14, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x1c0))) }
        { let s := and(shr(15, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x1e0))) }
        { let s := and(shr(16, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x200))) }
        { let s := and(shr(17, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x220))) }
        { let s := and(shr(18, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x240))) }
        { let s := and(shr(19, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x260))) }
        { let s := and(shr(20, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x280))) }
        { let s := and(shr(21, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x2a0))) }
        { let s := and(shr(22, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x2c0))) }
        { let s := and(shr(23, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x2e0))) }
        { let s := and(shr(24, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x300))) }
        { let s := and(shr(25, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x320))) }
        { let s := and(shr(26, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x340))) }
        { let s := and(shr(27, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x360))) }
        { let s := and(shr(28, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x380))) }
        { let s := and(shr(29, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x3a0))) }
        { let s := and(shr(30, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x3c0))) }
        { let s := and(shr(31, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x3e0))) }
        { let s := and(shr(32, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x400))) }
        { let s := and(shr(33, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x420))) }
        { let s := and(shr(34, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x440))) }
        { let s := and(shr(35, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x460))) }
        { let s := and(shr(36, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x480))) }
        { let s := and(shr(37, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x4a0))) }
        { let s := and(shr(38, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x4c0))) }
        { let s := and(shr(39, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x4e0))) }
        { let s := and(shr(40, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x500))) }
        { let s := and(shr(41, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x520))) }
        { let s := and(shr(42, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x540))) }
        { let s := and(shr(43, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x560))) }
        { let s := and(shr(44, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x580))) }
        { let s := and(shr(45, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x5a0))) }
        { let s := and(shr(46, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x5c0))) }
        { let s := and(shr(47, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x5e0))) }
        { let s := and(shr(48, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x600))) }
        { let s := and(shr(49, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x620))) }
        { let s := and(shr(50, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x640))) }
        { let s := and(shr(51, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x660))) }
        { let s := and(shr(52, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x680))) }
        { let s := and(shr(53, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x6a0))) }
        { let s := and(shr(54, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x6c0))) }
        { let s := and(shr(55, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x6e0))) }
        { let s := and(shr(56, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x700))) }
        { let s := and(shr(57, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x720))) }
        { let s := and(shr(58, path), 32)  mstore(s, keccak256(0, 64))  mstore(xor(s, 32), calldataload(add(p, 0x740))) }
        root := keccak256(0, 64)
    }
}

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
        { let s := and(shr(4, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x080)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(5, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x0a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(6, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x0c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(7, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x0e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(8, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x100)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(9, path), 32)   mstore(xor(s, 32), calldataload(add(p, 0x120)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(10, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x140)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(11, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x160)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(12, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x180)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(13, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x1a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(14, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x1c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(15, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x1e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(16, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x200)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(17, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x220)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(18, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x240)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(19, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x260)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(20, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x280)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(21, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x2a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(22, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x2c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(23, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x2e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(24, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x300)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(25, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x320)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(26, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x340)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(27, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x360)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(28, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x380)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(29, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x3a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(30, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x3c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(31, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x3e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(32, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x400)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(33, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x420)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(34, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x440)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(35, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x460)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(36, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x480)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(37, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x4a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(38, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x4c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(39, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x4e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(40, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x500)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(41, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x520)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(42, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x540)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(43, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x560)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(44, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x580)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(45, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x5a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(46, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x5c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(47, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x5e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(48, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x600)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(49, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x620)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(50, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x640)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(51, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x660)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(52, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x680)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(53, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x6a0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(54, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x6c0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(55, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x6e0)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(56, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x700)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(57, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x720)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        { let s := and(shr(58, path), 32)  mstore(xor(s, 32), calldataload(add(p, 0x740)))     mstore(s, n)  n := keccak256(0, 64)  mstore(s, m)  m := keccak256(0, 64) }
        oldRoot := n
        newRoot := m
    }
}
