// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";

/// @title IBigStepper
/// @notice What a dispute game asks of the verifier of a machine, whichever machine it is.
interface IBigStepper {
    /// @notice Executes one step and returns the hash of the state after it.
    function step(bytes calldata _stateData, bytes calldata _proof, bytes32 _localContext) external returns (bytes32 postState_);

    /// @notice Where the program's preimages are.
    function oracle() external view returns (IPreimageOracle oracle_);
}
