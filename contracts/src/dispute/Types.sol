// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Position } from "./Position.sol";

// The vocabulary of dispute games. Each type is a word of its own, so that the compiler tells a claim from a hash and a
// time from a duration.

/// @notice The number of a kind of game.
type GameType is uint32;

/// @notice What a player commits to: an output root, or the hash of a machine's state with the status in its first byte.
type Claim is bytes32;

/// @notice The hash of something else.
type Hash is bytes32;

/// @notice Unix time in seconds.
type Timestamp is uint64;

/// @notice Seconds.
type Duration is uint64;

/// @notice A chess clock: `duration << 64 | timestamp`.
///
///     128               64                 0
///      +-----------------+-----------------+
///      | seconds used up | last update     |
///      +-----------------+-----------------+
type Clock is uint128;

/// @notice A game as the factory lists it: `type << 224 | timestamp << 160 | address`.
///
///     256      224         160                    0
///      +--------+-----------+----------------------+
///      | type   | timestamp | address              |
///      +--------+-----------+----------------------+
type GameId is bytes32;

enum GameStatus {
    IN_PROGRESS,
    CHALLENGER_WINS,
    DEFENDER_WINS
}

/// @notice To whom bonds are paid: to the winners, or back to those who paid them.
enum BondDistributionMode {
    UNDECIDED,
    NORMAL,
    REFUND
}

/// @notice An output root and the L2 block it belongs to.
struct Proposal {
    Hash root;
    uint256 l2SequenceNumber;
}

/// @notice Parameters that all games of an implementation share.
struct GameConstructorParams {
    uint256 maxGameDepth;
    uint256 splitDepth;
    Duration clockExtension;
    Duration maxClockDuration;
}

/// @notice The preimage of an output root.
struct OutputRootProof {
    bytes32 version;
    bytes32 stateRoot;
    bytes32 messagePasserStorageRoot;
    bytes32 latestBlockhash;
}

// First byte of the hash of a machine's state: how the program ended, or that it did not.
uint8 constant VM_STATUS_VALID = 0;
uint8 constant VM_STATUS_INVALID = 1;
uint8 constant VM_STATUS_PANIC = 2;

function packClock(uint256 duration, uint256 timestamp) pure returns (Clock) {
    return Clock.wrap(uint128((duration << 64) | timestamp));
}

function packGameId(GameType gameType, Timestamp timestamp, address proxy) pure returns (GameId) {
    uint256 id = (uint256(GameType.unwrap(gameType)) << 224) | (uint256(Timestamp.unwrap(timestamp)) << 160);
    return GameId.wrap(bytes32(id | uint160(proxy)));
}

function unpackGameId(GameId id) pure returns (GameType gameType, Timestamp timestamp, address proxy) {
    uint256 word = uint256(GameId.unwrap(id));
    gameType = GameType.wrap(uint32(word >> 224));
    timestamp = Timestamp.wrap(uint64(word >> 160));
    proxy = address(uint160(word));
}
