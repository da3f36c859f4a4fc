// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";

/// @title IMIPS
/// @notice Verifier of one step of Cannon's single-threaded 32-bit MIPS machine, as a dispute game calls it.
interface IMIPS {
    /// @notice The constructor was given a state version other than 0 or 2.
    error UnsupportedStateVersion();
    /// @notice The `exited` byte of the state is neither 0 nor 1.
    error InvalidExitedValue();
    /// @notice The program counter is not a multiple of 4.
    error InvalidPC();
    /// @notice A memory proof does not lead to the state's memory root.
    error InvalidMemoryProof();

    /// @notice Executes one step.
    /// @dev    Calldata must be in the canonical layout: the state's content at byte 132, the proof's at byte 420.
    ///         Emits one anonymous log with the packed post-state. Faults of the program revert, since a machine that
    ///         faults has no next state.
    /// @param _stateData The packed pre-state, 226 bytes.
    /// @param _proof     Proofs of 896 bytes each for the instruction and the memory access. The second may have any
    ///                   content where the step does not use it; neither is needed where the pre-state has exited.
    /// @param _localContext Which local preimages the program sees, together with the calling account.
    /// @return postState_ The state hash after the step: keccak256 of the packed state, its first byte the status.
    function step(
        bytes calldata _stateData,
        bytes calldata _proof,
        bytes32 _localContext
    )
        external
        returns (bytes32 postState_);

    /// @notice The oracle from which the program reads preimages.
    function oracle() external view returns (IPreimageOracle oracle_);

    /// @notice The state version: 0, or 2 in which fcntl knows F_GETFD.
    function stateVersion() external view returns (uint256 stateVersion_);

    /// @notice Version of the interface this contract answers.
    function version() external view returns (string memory);
}
