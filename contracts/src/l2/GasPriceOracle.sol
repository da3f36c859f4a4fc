// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { L1Block } from "./L1Block.sol";
import { Predeploys } from "./Predeploys.sol";

/// @title GasPriceOracle
/// @notice What a transaction costs for being posted to L1, as Bedrock charges it; the upgrade transactions of later forks
///         replace the contract. Its slot 0 stays empty: they keep their switches there.
contract GasPriceOracle {
    uint256 private constant DECIMALS = 6;
    /// @dev Bytes of a signature, which the transaction that is asked about does not have yet.
    uint256 private constant SIGNATURE_BYTES = 68;

    function gasPrice() external view returns (uint256) {
        return block.basefee;
    }

    function baseFee() external view returns (uint256) {
        return block.basefee;
    }

    function overhead() public view returns (uint256) {
        return l1Block().l1FeeOverhead();
    }

    function scalar() public view returns (uint256) {
        return l1Block().l1FeeScalar();
    }

    function l1BaseFee() public view returns (uint256) {
        return l1Block().basefee();
    }

    function decimals() external pure returns (uint256) {
        return DECIMALS;
    }

    function getL1Fee(bytes calldata unsignedTransaction) external view returns (uint256) {
        return getL1GasUsed(unsignedTransaction) * l1BaseFee() * scalar() / 10 ** DECIMALS;
    }

    function getL1GasUsed(bytes calldata unsignedTransaction) public view returns (uint256 total) {
        for (uint256 i = 0; i < unsignedTransaction.length; i++) {
            total += unsignedTransaction[i] == 0 ? 4 : 16;
        }
        total += SIGNATURE_BYTES * 16 + overhead();
    }

    function l1Block() private pure returns (L1Block) {
        return L1Block(Predeploys.L1_BLOCK);
    }
}
