// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Fields of a packed state that lies in memory, read and written in their place.
//
// Invariant: a field is read clean, that is without bits above its width, and a write drops whatever its value carries
// above that width. Arithmetic may therefore be done modulo 2^256 and is modulo 2^32 or 2^64 once stored.

// A field of one byte, by its place in memory.
type U8 is uint256;
// A field of four bytes, big-endian.
type U32 is uint256;
// A field of eight bytes, big-endian.
type U64 is uint256;
// A field of 32 bytes.
type Word is uint256;

using U8Field for U8 global;
using U32Field for U32 global;
using U64Field for U64 global;
using WordField for Word global;

library U8Field {
    function load(U8 field) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(field))
        }
    }

    function store(U8 field, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore8(field, value)
        }
    }
}

library U32Field {
    function load(U32 field) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(field))
        }
    }

    function store(U32 field, uint256 value) internal pure {
        assembly ("memory-safe") {
            // As for eight bytes, below.
            mstore(field, or(shl(224, value), shr(32, shl(32, mload(field)))))
        }
    }
}

library U64Field {
    function load(U64 field) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(192, mload(field))
        }
    }

    function store(U64 field, uint256 value) internal pure {
        assembly ("memory-safe") {
            // The 24 bytes behind the field are kept: shifting left and back drops the field's own eight.
            mstore(field, or(shl(192, value), shr(64, shl(64, mload(field)))))
        }
    }
}

library WordField {
    function load(Word field) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(field)
        }
    }

    function store(Word field, bytes32 value) internal pure {
        assembly ("memory-safe") {
            mstore(field, value)
        }
    }
}
