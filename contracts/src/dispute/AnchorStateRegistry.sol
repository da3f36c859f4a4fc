// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Proxied } from "../l1/Proxied.sol";
import { SuperchainConfig } from "../l1/SuperchainConfig.sol";
import { SystemConfig } from "../l1/SystemConfig.sol";
import { DisputeGameFactory } from "./DisputeGameFactory.sol";
import { IDisputeGame } from "./IDisputeGame.sol";
import { Claim, GameStatus, GameType, Hash, Proposal, Timestamp } from "./Types.sol";

/// @title AnchorStateRegistry
/// @notice Says which games count, and holds the anchor: the newest output root that a game proved, from which new games
///         start.
///
/// The guardian decides which type of game counts, takes single games out (blacklist), or all up to now (retirement).
/// Nothing of it is decided from the outcome of a game alone before the finality delay has passed.
contract AnchorStateRegistry is Proxied {
    /// @notice The game cannot be the anchor.
    error AnchorStateRegistry_InvalidAnchorGame();
    /// @notice The caller is not the guardian.
    error AnchorStateRegistry_Unauthorized();

    event AnchorUpdated(IDisputeGame indexed game);
    event DisputeGameBlacklisted(IDisputeGame indexed disputeGame);
    event RespectedGameTypeSet(GameType gameType);
    event RetirementTimestampSet(uint256 timestamp);

    /// @notice Version of the interface this contract answers.
    string public constant version = "3.9.0";

    uint256 private immutable FINALITY_DELAY_SECONDS;

    /// @notice The chain's parameters.
    SystemConfig public systemConfig;
    /// @notice Where games are listed.
    DisputeGameFactory public disputeGameFactory;
    /// @notice The game that proved the anchor; zero while the starting anchor holds.
    IDisputeGame public anchorGame;
    /// @notice The type of game on which withdrawals rest.
    GameType public respectedGameType;
    /// @notice Games created up to this unix time do not count.
    uint64 public retirementTimestamp;
    /// @notice Games that do not count.
    mapping(IDisputeGame game => bool) public disputeGameBlacklist;

    Proposal private _startingAnchor;

    modifier onlyGuardian() {
        if (msg.sender != systemConfig.guardian()) revert AnchorStateRegistry_Unauthorized();
        _;
    }

    /// @param _disputeGameFinalityDelaySeconds Seconds between the resolution of a game and its finality.
    constructor(uint256 _disputeGameFinalityDelaySeconds) Proxied(1) {
        FINALITY_DELAY_SECONDS = _disputeGameFinalityDelaySeconds;
    }

    /// @notice Sets what the registry works with. A later initialisation may replace an anchor that a game proved, by a
    ///         newer one only.
    function initialize(
        SystemConfig _systemConfig,
        DisputeGameFactory _disputeGameFactory,
        Proposal calldata _startingAnchorRoot,
        GameType _startingRespectedGameType
    )
        external
        initializer
    {
        systemConfig = _systemConfig;
        disputeGameFactory = _disputeGameFactory;
        _restart(_startingAnchorRoot);
        respectedGameType = _startingRespectedGameType;
        if (retirementTimestamp == 0) retirementTimestamp = uint64(block.timestamp);
    }

    /// @notice Makes a game the anchor: its claim must be valid and newer than the anchor.
    function setAnchorState(IDisputeGame _game) external {
        (, uint256 anchorNumber) = getAnchorRoot();
        if (!isGameClaimValid(_game) || _game.l2SequenceNumber() <= anchorNumber) {
            revert AnchorStateRegistry_InvalidAnchorGame();
        }
        anchorGame = _game;
        emit AnchorUpdated(_game);
    }

    // --- the guardian -------------------------------------------------------------------------------------------------------

    /// @notice Sets the type of game on which withdrawals rest.
    function setRespectedGameType(GameType _gameType) external onlyGuardian {
        respectedGameType = _gameType;
        emit RespectedGameTypeSet(_gameType);
    }

    /// @notice Retires all games created up to now, including those of this block.
    function updateRetirementTimestamp() external onlyGuardian {
        retirementTimestamp = uint64(block.timestamp);
        emit RetirementTimestampSet(block.timestamp);
    }

    /// @notice Takes a game out, for good.
    function blacklistDisputeGame(IDisputeGame _disputeGame) external onlyGuardian {
        disputeGameBlacklist[_disputeGame] = true;
        emit DisputeGameBlacklisted(_disputeGame);
    }

    // --- the anchor ---------------------------------------------------------------------------------------------------------

    /// @notice The anchor: the root claim of the game that proved it, or the starting anchor. A game that is blacklisted or
    ///         retired after it became the anchor stays so.
    function getAnchorRoot() public view returns (Hash, uint256) {
        IDisputeGame game = anchorGame;
        if (address(game) == address(0)) return (_startingAnchor.root, _startingAnchor.l2SequenceNumber);
        return (Hash.wrap(Claim.unwrap(game.rootClaim())), game.l2SequenceNumber());
    }

    /// @notice The same, by the name it has where each type of game had its anchor.
    function anchors(GameType) external view returns (Hash, uint256) {
        return getAnchorRoot();
    }

    /// @notice The anchor before any game proved one.
    function getStartingAnchorRoot() external view returns (Proposal memory) {
        return _startingAnchor;
    }

    // --- what a game is -----------------------------------------------------------------------------------------------------

    /// @notice Whether the factory created it.
    function isGameRegistered(IDisputeGame _game) public view returns (bool) {
        (GameType gameType, Claim rootClaim, bytes memory extraData) = _game.gameData();
        (IDisputeGame listed,) = disputeGameFactory.games(gameType, rootClaim, extraData);
        return address(listed) == address(_game);
    }

    /// @notice Whether withdrawals rested on its type when it was created.
    function isGameRespected(IDisputeGame _game) public view returns (bool) {
        return _game.wasRespectedGameTypeWhenCreated();
    }

    /// @notice Whether the guardian took it out.
    function isGameBlacklisted(IDisputeGame _game) public view returns (bool) {
        return disputeGameBlacklist[_game];
    }

    /// @notice Whether it was created before the last retirement.
    function isGameRetired(IDisputeGame _game) public view returns (bool) {
        return Timestamp.unwrap(_game.createdAt()) <= retirementTimestamp;
    }

    /// @notice Whether anything may rest on it: created by the factory, not taken out, not retired, nothing paused.
    function isGameProper(IDisputeGame _game) public view returns (bool) {
        return isGameRegistered(_game) && !isGameBlacklisted(_game) && !isGameRetired(_game) && !paused();
    }

    /// @notice Whether it ended.
    function isGameResolved(IDisputeGame _game) public view returns (bool) {
        return Timestamp.unwrap(_game.resolvedAt()) != 0 && _game.status() != GameStatus.IN_PROGRESS;
    }

    /// @notice Whether it ended more than the finality delay ago.
    function isGameFinalized(IDisputeGame _game) public view returns (bool) {
        return isGameResolved(_game)
            && block.timestamp - Timestamp.unwrap(_game.resolvedAt()) > FINALITY_DELAY_SECONDS;
    }

    /// @notice Whether its root claim may be relied on.
    function isGameClaimValid(IDisputeGame _game) public view returns (bool) {
        return isGameProper(_game) && isGameRespected(_game) && isGameFinalized(_game)
            && _game.status() == GameStatus.DEFENDER_WINS;
    }

    /// @notice Whether the chain is paused.
    function paused() public view returns (bool) {
        return systemConfig.paused();
    }

    function superchainConfig() external view returns (SuperchainConfig) {
        return systemConfig.superchainConfig();
    }

    function disputeGameFinalityDelaySeconds() external view returns (uint256) {
        return FINALITY_DELAY_SECONDS;
    }

    /// @dev Sets the starting anchor and, where it changes, lets it hold instead of the game that proved the last.
    function _restart(Proposal calldata anchor) private {
        bool changes = Hash.unwrap(anchor.root) != Hash.unwrap(_startingAnchor.root)
            || anchor.l2SequenceNumber != _startingAnchor.l2SequenceNumber;
        if (changes && address(anchorGame) != address(0)) {
            (, uint256 number) = getAnchorRoot();
            if (anchor.l2SequenceNumber <= number) revert AnchorStateRegistry_InvalidAnchorGame();
            delete anchorGame;
        }
        _startingAnchor = anchor;
    }
}
