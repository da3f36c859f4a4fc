// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PreimageKeys } from "../preimage/PreimageKeys.sol";

// What the kernels of all machines share: descriptors, and numbers that do not depend on the width of a register.

uint256 constant FD_STDIN = 0;
uint256 constant FD_STDOUT = 1;
uint256 constant FD_STDERR = 2;
uint256 constant FD_HINT_READ = 3;
uint256 constant FD_HINT_WRITE = 4;
uint256 constant FD_PREIMAGE_READ = 5;
uint256 constant FD_PREIMAGE_WRITE = 6;

uint256 constant F_GETFD = 1;
uint256 constant F_GETFL = 3;

uint256 constant EINVAL = 22;
uint256 constant PAGE_MASK = 4095;

// Descriptors to which one writes, one bit each.
uint256 constant WRITABLE = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 6);

// What fcntl answers for one of the descriptors above: 1 where its flags are asked for and it is for writing.
function flagsOf(uint256 fd, uint256 cmd) pure returns (uint256) {
    return cmd == F_GETFL ? (WRITABLE >> fd) & 1 : 0;
}

// The key under which the oracle has the preimage of a machine's key: local data belongs to the caller.
function oracleKey(bytes32 key, bytes32 localContext) view returns (bytes32) {
    return PreimageKeys.isLocal(key) ? PreimageKeys.localize(key, msg.sender, localContext) : key;
}

// Whole pages that hold `length` bytes. `length` is so small that this does not wrap, or means to.
function wholePages(uint256 length) pure returns (uint256) {
    unchecked {
        return (length + PAGE_MASK) & ~PAGE_MASK;
    }
}

function min(uint256 a, uint256 b) pure returns (uint256) {
    return a < b ? a : b;
}
