// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Memory is a binary tree over 2^64 bytes: leaves of 32 bytes, not hashed, 59 levels above them, and a node is
// keccak256(left || right). A proof is the leaf and its 59 siblings from the bottom to the top, 60 words of calldata.
// Bit 5 + i of the address says which child the running node is at level i: 0 left, 1 right.

uint256 constant PROOF_BYTES = 1920;

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
        {
            let s := and(path, 32)
            mstore(s, n)
            mstore(xor(s, 32), calldataload(p))
        }
        {
            let s := and(shr(1, path), 32)
            mstore(s, keccak256(0, 64))
            mstore(xor(s, 32), calldataload(add(p, 0x020)))
        }
        {
            let s := and(shr(2, path), 32)
            mstore(s, keccak256(0, 64))
            mstore(xor(s, 32), calldataload(add(p, 0x040)))
        }
        {
            let s := and(shr(3, path), 32)
            mstore(s, keccak256(0, 64))
            mstore(xor(s, 32), calldataload(add(p, 0x060)))
        }
        p := add(p, 0x80)
        path := shr(4, path)
        for { let end := add(proof, PROOF_BYTES) } lt(p, end) {
            p := add(p, 0x160)
            path := shr(11, path)
        } {
            {
                let s := and(path, 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(p))
            }
            {
                let s := and(shr(1, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x020)))
            }
            {
                let s := and(shr(2, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x040)))
            }
            {
                let s := and(shr(3, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x060)))
            }
            {
                let s := and(shr(4, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x080)))
            }
            {
                let s := and(shr(5, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x0a0)))
            }
            {
                let s := and(shr(6, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x0c0)))
            }
            {
                let s := and(shr(7, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x0e0)))
            }
            {
                let s := and(shr(8, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x100)))
            }
            {
                let s := and(shr(9, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x120)))
            }
            {
                let s := and(shr(10, path), 32)
                mstore(s, keccak256(0, 64))
                mstore(xor(s, 32), calldataload(add(p, 0x140)))
            }
        }
        root := keccak256(0, 64)
    }
}

// The root to which the proof leads, and the root after the leaf was replaced by `leaf`: as above, with two nodes, `n` the
// old and `m` the new one, that take turns beside the same sibling.
function foldProofs(uint256 addr, uint256 proof, uint256 leaf) pure returns (bytes32 oldRoot, bytes32 newRoot) {
    assembly ("memory-safe") {
        let n := calldataload(proof)
        let m := leaf
        let p := add(proof, 0x20)
        let path := addr
        {
            let s := and(path, 32)
            mstore(xor(s, 32), calldataload(p))
            mstore(s, n)
            n := keccak256(0, 64)
            mstore(s, m)
            m := keccak256(0, 64)
        }
        {
            let s := and(shr(1, path), 32)
            mstore(xor(s, 32), calldataload(add(p, 0x020)))
            mstore(s, n)
            n := keccak256(0, 64)
            mstore(s, m)
            m := keccak256(0, 64)
        }
        {
            let s := and(shr(2, path), 32)
            mstore(xor(s, 32), calldataload(add(p, 0x040)))
            mstore(s, n)
            n := keccak256(0, 64)
            mstore(s, m)
            m := keccak256(0, 64)
        }
        {
            let s := and(shr(3, path), 32)
            mstore(xor(s, 32), calldataload(add(p, 0x060)))
            mstore(s, n)
            n := keccak256(0, 64)
            mstore(s, m)
            m := keccak256(0, 64)
        }
        p := add(p, 0x80)
        path := shr(4, path)
        for { let end := add(proof, PROOF_BYTES) } lt(p, end) {
            p := add(p, 0x160)
            path := shr(11, path)
        } {
            {
                let s := and(path, 32)
                mstore(xor(s, 32), calldataload(p))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(1, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x020)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(2, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x040)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(3, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x060)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(4, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x080)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(5, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x0a0)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(6, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x0c0)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(7, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x0e0)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(8, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x100)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(9, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x120)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
            {
                let s := and(shr(10, path), 32)
                mstore(xor(s, 32), calldataload(add(p, 0x140)))
                mstore(s, n)
                n := keccak256(0, 64)
                mstore(s, m)
                m := keccak256(0, 64)
            }
        }
        oldRoot := n
        newRoot := m
    }
}
