// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @title PreimageKeys
/// @notice Preimage keys: one type byte, then 31 bytes that depend on the type.
///
///     byte  0   1                             31
///         +---+--------------------------------+
///         | 1 | identifier of local data       |   localised on chain: see `localize`
///         | 2 | keccak256(data)[1..32]         |
///         | 4 | sha256(data)[1..32]            |
///         | 5 | keccak256(commitment || z)     |   [1..32], the value is y
///         | 6 | keccak256(address || gas ||    |
///         |   |           input)               |   [1..32], the value is status || output
///         +---+--------------------------------+
library PreimageKeys {
    uint256 internal constant LOCAL = 1;
    uint256 internal constant KECCAK256 = 2;
    uint256 internal constant SHA256 = 4;
    uint256 internal constant BLOB = 5;
    uint256 internal constant PRECOMPILE = 6;

    uint256 private constant BODY_MASK = type(uint256).max >> 8;

    /// @dev Replaces the first byte of `digest` by the type.
    function typed(uint256 keyType, bytes32 digest) internal pure returns (bytes32) {
        return bytes32((uint256(digest) & BODY_MASK) | (keyType << 248));
    }

    /// @dev Whether `key` is of type 1.
    function isLocal(bytes32 key) internal pure returns (bool) {
        return uint256(key) >> 248 == LOCAL;
    }

    /// @dev Binds a local key to the account that disputes and to the claims it disputes. Without this, one game could
    ///      feed another its own answers.
    function localize(bytes32 key, address caller, bytes32 localContext) internal pure returns (bytes32) {
        return typed(LOCAL, keccak256(abi.encode(key, caller, localContext)));
    }
}
