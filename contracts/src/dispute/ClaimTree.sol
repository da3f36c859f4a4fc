// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Position } from "./Position.sol";
import { Claim } from "./Types.sol";

// How a game stores its claims: three words when a claim is made, a fourth once somebody counters or resolves it.
//
//              128       160       192      224      256
//     +---------+---------+---------+--------+--------+
//  0  | position (128)    | low     | high   | leaf   | spare |    references: 1 + index of a claim, 0 for none
//     +-------------------+---------+--------+--------+
//  1  | claimant (160)              | updatedAt (48) | duration (48)
//     +-----------------------------+----------------+
//  2  | claim (256)
//     +-----------------------------+--------------------------------------------+
//  3  | counteredBy (160)           | resolved, paged (8 each) | cursor | winner |
//     +-----------------------------+--------------------------------------------+
//
// A position stands for a range of trace indices. To its left ends the range of the claim `low`, and its parent's range, or
// that of a claim further up, ends where the range of its right neighbour does: the claim `high`. So `low` commits to the
// trace index before the range of the claim, and `high` to the first one that the players below disagree about on the
// other side. They change by one rule only:
//
//     attack of c:  low(c), c            defence of c:  c, high(c)
//
// This is why the game never searches for the pre- or post-state of a step among the ancestors, of which there can be 73:
// it has them at hand. It is also why the parent needs no field: it is the later one of the two.
//
// Below the split depth a claim is about the execution that leads from one output root to the next. There `low` and `high`
// start anew, and `leaf` is the claim at the split depth from which the execution was opened.

// Reference to no claim. As `low` it means what the game starts from: the anchor, or the absolute prestate.
uint32 constant NO_CLAIM = 0;

/// @notice A claim as it is stored.
struct Node {
    Position position;
    uint32 low;
    uint32 high;
    uint32 leaf;
    address claimant;
    uint48 updatedAt;
    uint48 duration;
    Claim claim;
    Resolution resolution;
}

/// @notice How far the subgame of a claim is resolved, and who won it.
struct Resolution {
    /// @dev Who countered the claim: by a step, or as the winner of the subgame.
    address counteredBy;
    /// @dev The subgame is resolved and its bond assigned.
    bool resolved;
    /// @dev The first page of children was looked at.
    bool paged;
    /// @dev How many children were looked at.
    uint32 cursor;
    /// @dev The leftmost child so far that nobody countered, as a reference.
    uint32 winner;
}

using { parentIndex } for Node global;

// Index of the claim that this one answers; 0xffffffff for the root. The bounds are ancestors, and among those the parent
// was made last. A first claim on execution has no bounds and answers its leaf.
function parentIndex(Node storage node) view returns (uint32) {
    uint32 parent = node.low > node.high ? node.low : node.high;
    if (node.leaf > parent) parent = node.leaf;
    unchecked {
        return parent - 1;
    }
}
