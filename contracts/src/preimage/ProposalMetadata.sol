// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @notice The state of a large preimage proposal in one word.
///
///     256         192           160            128              96              64          0
///      +-----------+-------------+--------------+----------------+---------------+-----------+
///      | timestamp | part offset | claimed size | blocks         | bytes         | countered |
///      |           |             |              | processed      | processed     |           |
///      +-----------+-------------+--------------+----------------+---------------+-----------+
///
/// The timestamp is 0 until the last block is there. A proposal exists if its claimed size is not 0. Blocks count the padding,
/// bytes do not.
type ProposalMetadata is bytes32;

using {
    timestamp, partOffset, claimedSize, blocksProcessed, bytesProcessed, isCountered, setTimestamp, grow, setCountered
} for ProposalMetadata global;

uint256 constant TIMESTAMP_SHIFT = 192;
uint256 constant PART_OFFSET_SHIFT = 160;
uint256 constant CLAIMED_SIZE_SHIFT = 128;
uint256 constant BLOCKS_SHIFT = 96;
uint256 constant BYTES_SHIFT = 64;

function newProposal(uint32 partOffset_, uint32 claimedSize_) pure returns (ProposalMetadata) {
    return wrap((uint256(partOffset_) << PART_OFFSET_SHIFT) | (uint256(claimedSize_) << CLAIMED_SIZE_SHIFT));
}

function timestamp(ProposalMetadata metadata) pure returns (uint256) {
    return unwrap(metadata) >> TIMESTAMP_SHIFT;
}

function partOffset(ProposalMetadata metadata) pure returns (uint256) {
    return uint32(unwrap(metadata) >> PART_OFFSET_SHIFT);
}

function claimedSize(ProposalMetadata metadata) pure returns (uint256) {
    return uint32(unwrap(metadata) >> CLAIMED_SIZE_SHIFT);
}

function blocksProcessed(ProposalMetadata metadata) pure returns (uint256) {
    return uint32(unwrap(metadata) >> BLOCKS_SHIFT);
}

function bytesProcessed(ProposalMetadata metadata) pure returns (uint256) {
    return uint32(unwrap(metadata) >> BYTES_SHIFT);
}

function isCountered(ProposalMetadata metadata) pure returns (bool) {
    return uint64(unwrap(metadata)) != 0;
}

function setTimestamp(ProposalMetadata metadata, uint256 value) pure returns (ProposalMetadata) {
    return wrap(unwrap(metadata) | (value << TIMESTAMP_SHIFT));
}

// More blocks and bytes. At most 65,535 blocks pass, so neither field overflows.
function grow(ProposalMetadata metadata, uint256 blocks, uint256 bytes_) pure returns (ProposalMetadata) {
    return wrap(unwrap(metadata) + (blocks << BLOCKS_SHIFT) + (bytes_ << BYTES_SHIFT));
}

function setCountered(ProposalMetadata metadata) pure returns (ProposalMetadata) {
    return wrap(unwrap(metadata) | 1);
}

function wrap(uint256 word) pure returns (ProposalMetadata) {
    return ProposalMetadata.wrap(bytes32(word));
}

function unwrap(ProposalMetadata metadata) pure returns (uint256) {
    return uint256(ProposalMetadata.unwrap(metadata));
}
