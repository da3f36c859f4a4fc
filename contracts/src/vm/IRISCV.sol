// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";

/// @title IRISCV
/// @notice Verifier of one step of Asterisc's RISC-V machine, as a dispute game calls it.
interface IRISCV {
    /// @notice Executes one step.
    /// @dev    Calldata must be in the canonical layout: the state's content at byte 132, the proof's at byte 548; anything
    ///         else reverts without data. Emits one anonymous log with the packed post-state. A fault of the program or a
    ///         wrong proof reverts with its number as one word, see RISCVFaults.sol.
    /// @param _stateData The packed pre-state, 362 bytes.
    /// @param _proof     Memory proofs of 1920 bytes each: of the instruction, of the data, and of the second leaf where
    ///                   the data crosses the end of one, as many as the step uses. Those it does not use may be absent.
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

    /// @notice Version of the interface this contract answers.
    function version() external view returns (string memory);
}
