// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Levels of the tree.
uint256 constant TREE_DEPTH = 16;

/// @notice A block of the preimage and the claim about the sponge after it.
struct Leaf {
    bytes input;
    uint256 index;
    bytes32 stateCommitment;
}

/// @title LeafTree
/// @notice The tree over the blocks of a large preimage: 16 levels, filled from the left, nodes are keccak256(left || right),
///         what is not filled is zero. Kept between calls is one node a level, the last full one that waits for its right
///         neighbour. Bit i of the number of leaves says whether level i has one.
library LeafTree {
    /// @dev One less than there is room for, so that no level above the tree is ever needed.
    uint256 internal constant MAX_LEAVES = 2 ** TREE_DEPTH - 1;

    function hash(Leaf calldata leaf) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(leaf.input, leaf.index, leaf.stateCommitment));
    }

    /// @dev Adds the leaves of `count` blocks of 136 bytes that lie in memory from `input`, with their commitments, behind the
    ///      `size` leaves that are there. `branch` are the 16 waiting nodes.
    function append(
        bytes32[TREE_DEPTH] memory branch,
        uint256 size,
        uint256 input,
        bytes32[] calldata commitments
    )
        internal
        pure
    {
        assembly ("memory-safe") {
            // A leaf is put together behind the free memory: input (136 bytes), index, commitment; 200 bytes.
            let leaf := mload(0x40)
            let end := add(size, commitments.length)
            let commitment := commitments.offset
            for { let index := size } lt(index, end) { index := add(index, 1) } {
                mcopy(leaf, input, 136)
                mstore(add(leaf, 136), index)
                mstore(add(leaf, 168), calldataload(commitment))
                let node := keccak256(leaf, 200)

                // The leaf is the (index + 1)-th. For each trailing zero of that number a node waits for this one; the first
                // level without one lets this one wait.
                let at := branch
                let path := add(index, 1)
                for { } iszero(and(path, 1)) { path := shr(1, path) } {
                    mstore(0x00, mload(at))
                    mstore(0x20, node)
                    node := keccak256(0x00, 0x40)
                    at := add(at, 0x20)
                }
                mstore(at, node)
                input := add(input, 136)
                commitment := add(commitment, 0x20)
            }
        }
    }

    /// @dev Whether `leaf` is in the tree. The proof are its siblings from the bottom.
    function contains(bytes32 root, Leaf calldata leaf, bytes32[] calldata proof) internal pure returns (bool) {
        if (proof.length != TREE_DEPTH) return false;
        bytes32 node = hash(leaf);
        for (uint256 level = 0; level < TREE_DEPTH; level++) {
            node = (leaf.index >> level) & 1 == 1 ? pair(proof[level], node) : pair(node, proof[level]);
        }
        return node == root;
    }

    function pair(bytes32 left, bytes32 right) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            node := keccak256(0x00, 0x40)
        }
    }
}
