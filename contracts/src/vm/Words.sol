// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Arithmetic that the instruction sets share: numbers of fewer than 256 bits in the machine's words.

uint256 constant U32_MASK = type(uint32).max;

// The low 8 bits as a signed number; whatever lies above them is ignored, here and below.
function signed8(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(0, value)
    }
}

function signed16(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(1, value)
    }
}

function signed32(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(3, value)
    }
}

function signed64(uint256 value) pure returns (int256 result) {
    assembly ("memory-safe") {
        result := signextend(7, value)
    }
}

// A result of 32 bits as the register keeps it: with its sign in the upper half.
function word(uint256 value) pure returns (uint256) {
    return uint256(signed32(value));
}

// 1 or 0.
function flag(bool condition) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := condition
    }
}
