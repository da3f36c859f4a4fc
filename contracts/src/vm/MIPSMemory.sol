// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IMIPS } from "./IMIPS.sol";
import { MEMORY_ROOT } from "./MIPSState.sol";

// Memory is a binary tree over 2^32 bytes: leaves of 32 bytes, not hashed, 27 levels above them, and a node is
// keccak256(left || right). A proof is the leaf and its 27 siblings from the bottom to the top, 28 words of calldata.
// Bit 5 + i of the address says which child the running node is at level i: 0 left, 1 right.
//
// Memory is read and written by the doubleword in which an access lies, as on the 64-bit machine: both its words are in
// one leaf. Addresses here are multiples of 8.

uint256 constant PROOF_BYTES = 896;

// Where the proofs lie in calldata.
uint256 constant FETCH_PROOF = 420;
uint256 constant MEMORY_PROOF = 420 + 896;

// Reads the doubleword at `addr`.
function readMemory(uint256 addr, uint256 proof) pure returns (uint256 mem) {
    mem = peekMemory(addr, proof);
    if (foldProof(addr, proof) != MEMORY_ROOT.load()) revert IMIPS.InvalidMemoryProof();
}

// Replaces the doubleword at `addr`, which `peekMemory` showed, by `mem` (its low 64 bits).
function writeMemory(uint256 addr, uint256 mem) pure {
    uint256 leaf;
    assembly ("memory-safe") {
        leaf := calldataload(MEMORY_PROOF)
        // The doubleword's distance from the right end of the leaf, in bits.
        let shift := shl(3, xor(and(addr, 24), 24))
        // x ^ ((x ^ y) & mask) takes the masked bits from y, the others from x.
        leaf := xor(leaf, shl(shift, and(xor(shr(shift, leaf), mem), 0xffffffffffffffff)))
    }
    (bytes32 oldRoot, bytes32 newRoot) = foldProofs(addr, MEMORY_PROOF, leaf);
    if (oldRoot != MEMORY_ROOT.load()) revert IMIPS.InvalidMemoryProof();
    MEMORY_ROOT.store(newRoot);
}

// The doubleword at `addr` as the proof states it. It is not proven until the proof is folded.
function peekMemory(uint256 addr, uint256 proof) pure returns (uint256 mem) {
    unchecked {
        require(msg.data.length >= proof + PROOF_BYTES, "MIPSMemory: check that there is enough calldata");
    }
    assembly ("memory-safe") {
        mem := shr(192, shl(shl(3, and(addr, 31)), calldataload(proof)))
    }
}

// The root to which the proof leads. `side` is 0 for a left child and 32 for a right one, and so is the place of that
// child in the 64 bytes of scratch space whose hash is the parent. `p` runs over the siblings in calldata.
function foldProof(uint256 addr, uint256 proof) pure returns (bytes32 root) {
    assembly ("memory-safe") {
        root := calldataload(proof)
        let path := addr
        let end := add(proof, PROOF_BYTES)
        for { let p := add(proof, 32) } lt(p, end) { p := add(p, 32) } {
            let side := and(path, 32)
            mstore(side, root)
            mstore(xor(side, 32), calldataload(p))
            root := keccak256(0, 64)
            path := shr(1, path)
        }
    }
}

// The root to which the proof leads, and the root after the leaf was replaced by `leaf`: the old and the new node take
// turns beside the same sibling.
function foldProofs(uint256 addr, uint256 proof, uint256 leaf) pure returns (bytes32 oldRoot, bytes32 newRoot) {
    assembly ("memory-safe") {
        oldRoot := calldataload(proof)
        newRoot := leaf
        let path := addr
        let end := add(proof, PROOF_BYTES)
        for { let p := add(proof, 32) } lt(p, end) { p := add(p, 32) } {
            let side := and(path, 32)
            mstore(xor(side, 32), calldataload(p))
            mstore(side, oldRoot)
            oldRoot := keccak256(0, 64)
            mstore(side, newRoot)
            newRoot := keccak256(0, 64)
            path := shr(1, path)
        }
    }
}
