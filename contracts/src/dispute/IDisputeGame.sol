// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Claim, GameStatus, GameType, Hash, Timestamp } from "./Types.sol";

/// @title IDisputeGame
/// @notice What every dispute game answers, whatever its rules.
interface IDisputeGame {
    /// @notice The game ended.
    event Resolved(GameStatus indexed status);

    /// @notice Starts the game. Called once, by the factory, with the bond of the root claim.
    function initialize() external payable;

    /// @notice Ends the game once its outcome is decided, and tells it.
    function resolve() external returns (GameStatus status_);

    function createdAt() external view returns (Timestamp);

    /// @notice When the game was resolved; 0 before.
    function resolvedAt() external view returns (Timestamp);

    function status() external view returns (GameStatus);

    function gameType() external view returns (GameType gameType_);

    /// @notice The account that called the factory.
    function gameCreator() external view returns (address creator_);

    /// @notice What the game is about.
    function rootClaim() external view returns (Claim rootClaim_);

    /// @notice The part of the root claim that concerns one chain.
    function rootClaimByChainId(uint256 _chainId) external view returns (Claim rootClaim_);

    /// @notice Hash of the L1 block before the game's creation.
    function l1Head() external view returns (Hash l1Head_);

    /// @notice The L2 block, or the timestamp, of the root claim.
    function l2SequenceNumber() external view returns (uint256 l2SequenceNumber_);

    /// @notice Further parameters given at creation.
    function extraData() external view returns (bytes memory extraData_);

    /// @notice The three values that name a game in the factory.
    function gameData() external view returns (GameType gameType_, Claim rootClaim_, bytes memory extraData_);

    /// @notice Whether withdrawals rested on this type of game when it was created.
    function wasRespectedGameTypeWhenCreated() external view returns (bool);
}
