// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Test } from "../Test.sol";

/// @notice A leaf of memory that is not zero.
struct Leaf {
    uint64 index;
    bytes32 value;
}

/// @notice The memory of a machine, its root and its proofs, in plain Solidity.
abstract contract LeavesTest is Test {
    bytes32[60] private zeroHashes;

    constructor() {
        for (uint256 level = 1; level < 60; level++) {
            zeroHashes[level] = pair(zeroHashes[level - 1], zeroHashes[level - 1]);
        }
    }

    /// @dev The memory after `data` was written at `addr`. Leaves that are there change in their place.
    function written(Leaf[] memory leaves, uint64 addr, bytes memory data) internal pure returns (Leaf[] memory) {
        for (uint256 i = 0; i < data.length; i++) {
            uint64 at;
            unchecked {
                at = addr + uint64(i);
            }
            leaves = withLeaf(leaves, at >> 5);
            Leaf memory leaf = leafAt(leaves, at >> 5);
            uint256 shift = 8 * (31 - (at & 31));
            leaf.value = bytes32((uint256(leaf.value) & ~(0xff << shift)) | (uint256(uint8(data[i])) << shift));
        }
        return leaves;
    }

    function leafAt(Leaf[] memory leaves, uint64 index) private pure returns (Leaf memory leaf) {
        for (uint256 i = 0; i < leaves.length; i++) {
            if (leaves[i].index == index) return leaves[i];
        }
    }

    function withLeaf(Leaf[] memory leaves, uint64 index) private pure returns (Leaf[] memory more) {
        for (uint256 i = 0; i < leaves.length; i++) {
            if (leaves[i].index == index) return leaves;
        }
        more = new Leaf[](leaves.length + 1);
        for (uint256 i = 0; i < leaves.length; i++) {
            more[i] = leaves[i];
        }
        more[leaves.length] = Leaf(index, 0);
    }

    /// @dev The root of memory, and the leaf of `addr` with its 59 siblings from the bottom up.
    function memoryProof(Leaf[] memory leaves, uint64 addr) internal view returns (bytes32 root, bytes memory proof) {
        bytes32[60] memory words;
        Leaf[] memory nodes = abi.decode(abi.encode(leaves), (Leaf[]));
        uint64 path = addr >> 5;
        words[0] = find(nodes, path, 0);
        for (uint256 level = 0; level < 59; level++) {
            words[level + 1] = find(nodes, path ^ 1, zeroHashes[level]);
            nodes = parents(nodes, zeroHashes[level]);
            path >>= 1;
        }
        root = find(nodes, 0, zeroHashes[59]);
        proof = abi.encodePacked(words);
    }

    function find(Leaf[] memory nodes, uint64 index, bytes32 otherwise) private pure returns (bytes32) {
        for (uint256 i = 0; i < nodes.length; i++) {
            if (nodes[i].index == index) return nodes[i].value;
        }
        return otherwise;
    }

    /// @dev The next level. Two children of one parent both give it; that does no harm.
    function parents(Leaf[] memory nodes, bytes32 absent) private pure returns (Leaf[] memory up) {
        up = new Leaf[](nodes.length);
        for (uint256 i = 0; i < nodes.length; i++) {
            uint64 index = nodes[i].index;
            bytes32 sibling = find(nodes, index ^ 1, absent);
            bytes32 node = nodes[i].value;
            up[i] = Leaf(index >> 1, index & 1 == 0 ? pair(node, sibling) : pair(sibling, node));
        }
    }

    function pair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return keccak256(abi.encode(a, b));
    }
}
