// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Proxied } from "./Proxied.sol";

/// @title SuperchainConfig
/// @notice Who may stop withdrawals and bond payments, and what is stopped.
///
/// A pause is of one identifier, the address of a portal or a lockbox, or of everything: the zero address. It ends by
/// itself after three months, and an identifier whose pause ran out cannot be paused again before it was unpaused, so a
/// guardian who lost its key does not stop the system for good.
contract SuperchainConfig is Proxied {
    /// @notice The caller is not the guardian.
    error SuperchainConfig_OnlyGuardian();
    /// @notice The identifier has a pause, running or run out.
    error SuperchainConfig_AlreadyPaused(address identifier);
    /// @notice The identifier has no pause to extend.
    error SuperchainConfig_NotAlreadyPaused(address identifier);

    enum UpdateType {
        GUARDIAN
    }

    event Paused(address identifier);
    event Unpaused(address identifier);
    event ConfigUpdate(UpdateType indexed updateType, bytes data);

    /// @notice Version of the interface this contract answers.
    string public constant version = "2.5.0";

    uint256 private constant PAUSE_EXPIRY = 7_884_000;

    /// @notice The account that pauses.
    address public guardian;
    /// @notice When each identifier was paused, in unix time; 0 where it is not.
    mapping(address identifier => uint256) public pauseTimestamps;

    modifier onlyGuardian() {
        if (msg.sender != guardian) revert SuperchainConfig_OnlyGuardian();
        _;
    }

    constructor() Proxied(3) { }

    /// @notice Sets the guardian.
    function initialize(address _guardian) external initializer {
        guardian = _guardian;
        emit ConfigUpdate(UpdateType.GUARDIAN, abi.encode(_guardian));
    }

    /// @notice Seconds after which a pause ends by itself.
    function pauseExpiry() external pure returns (uint256) {
        return PAUSE_EXPIRY;
    }

    /// @notice Starts a pause.
    function pause(address _identifier) external onlyGuardian {
        if (!pausable(_identifier)) revert SuperchainConfig_AlreadyPaused(_identifier);
        _startPause(_identifier);
    }

    /// @notice Starts the time of a pause anew.
    function extend(address _identifier) external onlyGuardian {
        if (pausable(_identifier)) revert SuperchainConfig_NotAlreadyPaused(_identifier);
        _startPause(_identifier);
    }

    /// @notice Ends a pause.
    function unpause(address _identifier) external onlyGuardian {
        delete pauseTimestamps[_identifier];
        emit Unpaused(_identifier);
    }

    /// @notice Whether everything is paused.
    function paused() external view returns (bool) {
        return paused(address(0));
    }

    /// @notice Whether the identifier is paused now.
    function paused(address _identifier) public view returns (bool) {
        return block.timestamp < expiration(_identifier);
    }

    /// @notice When the pause ends, in unix time; 0 where there is none.
    function expiration(address _identifier) public view returns (uint256) {
        return pausable(_identifier) ? 0 : pauseTimestamps[_identifier] + PAUSE_EXPIRY;
    }

    /// @notice Whether a pause can be started.
    function pausable(address _identifier) public view returns (bool) {
        return pauseTimestamps[_identifier] == 0;
    }

    function _startPause(address identifier) private {
        pauseTimestamps[identifier] = block.timestamp;
        emit Paused(identifier);
    }
}
