// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";

/// @title IMIPS64
/// @notice Verifier of one step of Cannon's multithreaded 64-bit MIPS machine, as a dispute game calls it.
interface IMIPS64 {
    /// @notice The constructor was given a state version other than 7 or 8.
    error UnsupportedStateVersion();
    /// @notice The `exited` byte of the state is neither 0 nor 1.
    error InvalidExitedValue();
    /// @notice The program counter is not a multiple of 4.
    error InvalidPC();
    /// @notice A memory proof does not lead to the state's memory root.
    error InvalidMemoryProof();
    /// @notice Part of the interface as deployed; no instruction gives rise to it.
    error InvalidRMWInstruction();
    /// @notice The second memory proof of clock_gettime does not lead to the root after the first write.
    error InvalidSecondMemoryProof();

    /// @notice Executes one step.
    /// @dev    Calldata must be in the canonical layout: the state's content at byte 132, the proof's at byte 356.
    ///         Emits one anonymous log with the packed post-state. Faults of the program revert, since a machine that
    ///         faults has no next state.
    /// @param _stateData The packed pre-state, 188 bytes.
    /// @param _proof     Thread witness (298 + 32 bytes), then proofs of 1920 bytes each for the instruction, the memory
    ///                   access and the second memory access. Those a step does not use may have any content; it is not
    ///                   needed at all where the pre-state has exited.
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

    /// @notice The state version: 7, or 8 in which getrandom works.
    function stateVersion() external view returns (uint256 stateVersion_);

    /// @notice Version of the interface this contract answers.
    function version() external view returns (string memory);
}
