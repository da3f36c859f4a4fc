// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "./FaultDisputeGame.sol";
import { Claim, GameConstructorParams } from "./Types.sol";

/// @title PermissionedDisputeGame
/// @notice A fault dispute game that only a proposer starts and only the proposer and a challenger play. Resolving and paying
///         stay open to all. Two more arguments:
///
///     byte  244        264          284
///          +----------+------------+
///          | proposer | challenger |
///          +----------+------------+
contract PermissionedDisputeGame is FaultDisputeGame {
    /// @notice The caller has no part in this game.
    error BadAuth();

    uint256 private constant PROPOSER_ARG = ARGS_END;
    uint256 private constant CHALLENGER_ARG = ARGS_END + 20;
    uint256 private constant PERMISSIONED_ARGS_END = ARGS_END + 40;

    modifier onlyPlayers() {
        if (msg.sender != proposer() && msg.sender != challenger()) revert BadAuth();
        _;
    }

    constructor(GameConstructorParams memory _params) FaultDisputeGame(_params) { }

    /// @inheritdoc FaultDisputeGame
    function initialize() public payable override {
        super.initialize();
        // The factory calls, on behalf of the account that pays for the transaction.
        if (tx.origin != proposer()) revert BadAuth();
    }

    /// @inheritdoc FaultDisputeGame
    function move(Claim _disputed, uint256 _challengeIndex, Claim _claim, bool _isAttack) public payable override onlyPlayers {
        super.move(_disputed, _challengeIndex, _claim, _isAttack);
    }

    /// @inheritdoc FaultDisputeGame
    function step(
        uint256 _claimIndex,
        bool _isAttack,
        bytes calldata _stateData,
        bytes calldata _proof
    )
        public
        override
        onlyPlayers
    {
        super.step(_claimIndex, _isAttack, _stateData, _proof);
    }

    /// @notice The account that starts games.
    function proposer() public pure returns (address proposer_) {
        proposer_ = _getArgAddress(PROPOSER_ARG);
    }

    /// @notice The account that plays against them.
    function challenger() public pure returns (address challenger_) {
        challenger_ = _getArgAddress(CHALLENGER_ARG);
    }

    /// @inheritdoc FaultDisputeGame
    function version() public pure override returns (string memory) {
        return "2.4.0";
    }

    function _argumentsBytes() internal pure override returns (uint256) {
        return PERMISSIONED_ARGS_END;
    }
}
