// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS64 } from "./IMIPS64.sol";
import { DOUBLEWORD_MASK, LL_ADDRESS, MEMORY_ROOT, clearReservation } from "./MIPS64State.sol";
import { PROOF_BYTES, foldProof, foldProofs } from "./MemoryTree.sol";

// Doublewords of the memory tree (MemoryTree.sol): the one at address a lies big-endian at byte a mod 32 of its leaf.
//
// Every address here is that of a doubleword, a multiple of 8; callers round down. A write re-uses the proof of the
// word it replaces: both roots come from one walk, since they share all siblings and sides.

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
    (bytes32 oldRoot, bytes32 newRoot) = foldWord(addr, MEMORY_PROOF, word);
    if (oldRoot != MEMORY_ROOT.load()) revert IMIPS64.InvalidMemoryProof();
    MEMORY_ROOT.store(newRoot);
    touchMemory(addr);
}

// Replaces the doubleword at `addr` by `word`, with the second proof, which belongs to the memory after the first write.
function writeMemoryAgain(uint256 addr, uint256 word) pure {
    checkCalldata(SECOND_MEMORY_PROOF);
    (bytes32 oldRoot, bytes32 newRoot) = foldWord(addr, SECOND_MEMORY_PROOF, word);
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

// The root to which the proof leads, and the root after the doubleword at `addr` was replaced by `word`.
function foldWord(uint256 addr, uint256 proof, uint256 word) pure returns (bytes32 oldRoot, bytes32 newRoot) {
    uint256 leaf;
    assembly ("memory-safe") {
        leaf := calldataload(proof)
        // The word's distance from the right end of the leaf, in bits.
        let shift := shl(3, xor(and(addr, 24), 24))
        // x ^ ((x ^ y) & mask) takes the masked bits from y, the others from x.
        leaf := xor(leaf, shl(shift, and(xor(shr(shift, leaf), word), 0xffffffffffffffff)))
    }
    return foldProofs(addr, proof, leaf);
}
