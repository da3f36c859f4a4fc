// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Predeploys } from "./Predeploys.sol";

/// @title L1Block
/// @notice What L2 knows of its L1 origin, as Bedrock deploys it; the upgrade transactions of later forks replace it.
///         The execution engine reads this storage for the L1 fee of every transaction, so its layout is fixed:
///
///     slot 0   number u64, timestamp u64        slot 4   batcher
///     slot 1   base fee                         slot 5   fee overhead
///     slot 2   hash                             slot 6   fee scalar
///     slot 3   sequence number u64
contract L1Block {
    error NotDepositor();

    uint64 public number;
    uint64 public timestamp;
    uint256 public basefee;
    bytes32 public hash;
    uint64 public sequenceNumber;
    bytes32 public batcherHash;
    uint256 public l1FeeOverhead;
    uint256 public l1FeeScalar;

    function DEPOSITOR_ACCOUNT() external pure returns (address) {
        return Predeploys.DEPOSITOR;
    }

    function setL1BlockValues(
        uint64 newNumber,
        uint64 newTimestamp,
        uint256 newBasefee,
        bytes32 newHash,
        uint64 newSequenceNumber,
        bytes32 newBatcherHash,
        uint256 newOverhead,
        uint256 newScalar
    ) external {
        if (msg.sender != Predeploys.DEPOSITOR) revert NotDepositor();
        number = newNumber;
        timestamp = newTimestamp;
        basefee = newBasefee;
        hash = newHash;
        sequenceNumber = newSequenceNumber;
        batcherHash = newBatcherHash;
        l1FeeOverhead = newOverhead;
        l1FeeScalar = newScalar;
    }
}
