// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { LibBit } from "solady/src/utils/LibBit.sol";

/// @notice A node of the game tree as a generalised index: the root is 1, the children of n are 2n and 2n + 1. At most 126
///         bits are used, that is depths up to 125.
///
/// A position stands for the range of trace indices below it and commits to the last of them. An attack moves to the left
/// half, a defence to the left half of the right neighbour, so below the root every claim is a left child.
type Position is uint128;

using { depth, indexAtDepth, move, traceIndex } for Position global;

// Steps from the root; 0, too, for what is no position, 0.
function depth(Position position) pure returns (uint256) {
    return LibBit.fls(Position.unwrap(position) | 1);
}

// How many nodes of the same depth are left of it.
function indexAtDepth(Position position) pure returns (uint256) {
    return Position.unwrap(position) - (1 << depth(position));
}

// Where an attack or a defence of the position goes.
function move(Position position, bool isAttack) pure returns (Position) {
    uint256 from = isAttack ? Position.unwrap(position) : Position.unwrap(position) | 1;
    return Position.wrap(uint128(from << 1));
}

// The trace index to which it commits in a tree of `maxDepth`, which is not less than its own depth.
function traceIndex(Position position, uint256 maxDepth) pure returns (uint256) {
    uint256 below = maxDepth - depth(position);
    uint256 last = ((uint256(Position.unwrap(position)) + 1) << below) - 1;
    return last - (1 << maxDepth);
}
