// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../../src/preimage/IPreimageOracle.sol";
import { IBigStepper } from "../../src/vm/IBigStepper.sol";

/// @notice A machine that counts: its state is a number, its program adds one for ever. It remembers the local context that it
///         was last given.
contract CountingMachine is IBigStepper {
    IPreimageOracle public immutable oracle;
    bytes32 public lastContext;

    constructor(IPreimageOracle _oracle) {
        oracle = _oracle;
    }

    /// @dev The hash of the state that holds `number`, of a program that has not ended.
    function hash(uint256 number) public pure returns (bytes32) {
        return (keccak256(abi.encode(number)) << 8 >> 8) | bytes32(uint256(3) << 248);
    }

    function step(bytes calldata _stateData, bytes calldata, bytes32 _localContext) external returns (bytes32) {
        lastContext = _localContext;
        return hash(abi.decode(_stateData, (uint256)) + 1);
    }
}
