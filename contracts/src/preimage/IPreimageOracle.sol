// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @title IPreimageOracle
/// @notice What a single-step verifier and a dispute game ask of the store of preimages.
///
/// A stored value is `length (8 bytes, big-endian) || data`. It is stored and read in parts of 32 bytes, one part for
/// each exact offset into that value; a part that reaches past the end is filled with zeros. The length itself never
/// counts the prefix, an offset always does.
interface IPreimageOracle {
    /// @notice Reads the part of a preimage at `offset`.
    /// @dev    Reverts with the string "pre-image must exist" unless exactly this part was loaded. No part can be loaded
    ///         at or behind the end, so the end of a preimage cannot be read.
    /// @return dat_ The 32 bytes at `offset`.
    /// @return datLen_ How many of them belong to the value: 32, or fewer in its last part.
    function readPreimage(bytes32 _key, uint256 _offset) external view returns (bytes32 dat_, uint256 datLen_);

    /// @notice Loads the part at `_partOffset` of `_size` bytes (at most 32, left-aligned in `_word`) under the local
    ///         key `_ident`, which belongs to the calling account and `_localContext`.
    /// @return key_ The key under which a verifier called by the same account finds it.
    function loadLocalData(
        uint256 _ident,
        bytes32 _localContext,
        bytes32 _word,
        uint256 _size,
        uint256 _partOffset
    )
        external
        returns (bytes32 key_);

    /// @notice Seconds during which a large preimage proposal can be challenged. A game leaves its players that much more
    ///         time before the last move.
    function challengePeriod() external view returns (uint256 challengePeriod_);
}
