// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @notice The lanes of a sponge.
struct StateMatrix {
    uint64[25] state;
}

/// @title Keccak
/// @notice The sponge of keccak256, block by block, where the built-in function can only hash what fits into one call.
///
/// The state is 25 lanes of 64 bits, lane (x, y) at index x + 5y. A lane is read from, and written to, bytes in little-endian
/// order. A block of 136 bytes goes into the first 17 lanes; the digest is the first four.
library Keccak {
    uint256 internal constant BLOCK_BYTES = 136;

    /// @dev Each pair of bytes, each pair of pairs, each half of a lane, of four lanes in a word.
    uint256 private constant BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant PAIRS = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    uint256 private constant HALVES = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;

    /// @dev What a large preimage proposal commits to after each block: the hash of the lanes, each in a word.
    function commitment(StateMatrix memory matrix) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            // The struct holds a pointer to its array, which is 25 words.
            hash := keccak256(mload(matrix), 800)
        }
    }

    /// @dev Mixes a block of 136 bytes in.
    function absorb(StateMatrix memory matrix, bytes calldata data) internal pure {
        require(data.length == BLOCK_BYTES);
        unchecked {
            for (uint256 lane = 0; lane < 16; lane += 4) {
                uint256 four = reverseLanes(uint256(bytes32(data[lane * 8:lane * 8 + 32])));
                matrix.state[lane] ^= uint64(four >> 192);
                matrix.state[lane + 1] ^= uint64(four >> 128);
                matrix.state[lane + 2] ^= uint64(four >> 64);
                matrix.state[lane + 3] ^= uint64(four);
            }
            matrix.state[16] ^= uint64(reverseLanes(uint64(bytes8(data[128:136]))));
        }
        permute(matrix);
    }

    /// @dev The digest.
    function squeeze(StateMatrix memory matrix) internal pure returns (bytes32) {
        uint64[25] memory a = matrix.state;
        return bytes32(reverseLanes((uint256(a[0]) << 192) | (uint256(a[1]) << 128) | (uint256(a[2]) << 64) | a[3]));
    }

    /// @dev Reverses the bytes of each of four lanes: neighbours change places, then pairs of them, then halves.
    function reverseLanes(uint256 word) internal pure returns (uint256) {
        word = ((word & BYTES) << 8) | ((word >> 8) & BYTES);
        word = ((word & PAIRS) << 16) | ((word >> 16) & PAIRS);
        return ((word & HALVES) << 32) | ((word >> 32) & HALVES);
    }

    /// @dev The permutation, 24 rounds.
    ///
    /// `a` are the lanes, 25 words of memory; `b`, the 25 words of free memory behind them that the second step fills. Written
    /// out by lanes, since a lane's place and rotation are then constants. A rotation to the left by n is a shift to the left
    /// by n, together with the bits that fell out, which a shift to the right by 64 - n brings back; the mask cuts off what
    /// the first shift left above 64 bits.
    function permute(StateMatrix memory matrix) internal pure {
        assembly ("memory-safe") {
            let a := mload(matrix)
            let b := mload(0x40)
            // Round constants, 8 bytes each, the first one in the highest place; four to a word. They lie behind `b`.
            mstore(add(b, 0x320), 0x00000000000000010000000000008082800000000000808a8000000080008000)
            mstore(add(b, 0x340), 0x000000000000808b000000008000000180000000800080818000000000008009)
            mstore(add(b, 0x360), 0x000000000000008a00000000000000880000000080008009000000008000000a)
            mstore(add(b, 0x380), 0x000000008000808b800000000000008b80000000000080898000000000008003)
            mstore(add(b, 0x3a0), 0x80000000000080028000000000000080000000000000800a800000008000000a)
            mstore(add(b, 0x3c0), 0x8000000080008081800000000000808000000000800000018000000080008008)

            for { let constant_ := add(b, 0x320) } lt(constant_, add(b, 0x3e0)) { constant_ := add(constant_, 8) } {
                // theta: the parity of each column ...
                let c0 := xor(xor(xor(mload(a), mload(add(a, 0x0a0))), xor(mload(add(a, 0x140)), mload(add(a, 0x1e0)))), mload(add(a, 0x280)))
                let c1 := xor(xor(xor(mload(add(a, 0x020)), mload(add(a, 0x0c0))), xor(mload(add(a, 0x160)), mload(add(a, 0x200)))), mload(add(a, 0x2a0)))
                let c2 := xor(xor(xor(mload(add(a, 0x040)), mload(add(a, 0x0e0))), xor(mload(add(a, 0x180)), mload(add(a, 0x220)))), mload(add(a, 0x2c0)))
                let c3 := xor(xor(xor(mload(add(a, 0x060)), mload(add(a, 0x100))), xor(mload(add(a, 0x1a0)), mload(add(a, 0x240)))), mload(add(a, 0x2e0)))
                let c4 := xor(xor(xor(mload(add(a, 0x080)), mload(add(a, 0x120))), xor(mload(add(a, 0x1c0)), mload(add(a, 0x260)))), mload(add(a, 0x300)))
                // ... of which each lane takes the left neighbour's and, rotated by 1, the right neighbour's.
                let d0 := xor(c4, and(or(shl(1, c1), shr(63, c1)), 0xffffffffffffffff))
                let d1 := xor(c0, and(or(shl(1, c2), shr(63, c2)), 0xffffffffffffffff))
                let d2 := xor(c1, and(or(shl(1, c3), shr(63, c3)), 0xffffffffffffffff))
                let d3 := xor(c2, and(or(shl(1, c4), shr(63, c4)), 0xffffffffffffffff))
                let d4 := xor(c3, and(or(shl(1, c0), shr(63, c0)), 0xffffffffffffffff))

                // rho and pi: lane (x, y), rotated, goes to (y, 2x + 3y).
                mstore(b, xor(mload(a), d0))
                { let v := xor(mload(add(a, 0x020)), d1)  mstore(add(b, 0x140), and(or(shl(1, v), shr(63, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x040)), d2)  mstore(add(b, 0x280), and(or(shl(62, v), shr(2, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x060)), d3)  mstore(add(b, 0x0a0), and(or(shl(28, v), shr(36, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x080)), d4)  mstore(add(b, 0x1e0), and(or(shl(27, v), shr(37, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x0a0)), d0)  mstore(add(b, 0x200), and(or(shl(36, v), shr(28, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x0c0)), d1)  mstore(add(b, 0x020), and(or(shl(44, v), shr(20, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x0e0)), d2)  mstore(add(b, 0x160), and(or(shl(6, v), shr(58, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x100)), d3)  mstore(add(b, 0x2a0), and(or(shl(55, v), shr(9, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x120)), d4)  mstore(add(b, 0x0c0), and(or(shl(20, v), shr(44, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x140)), d0)  mstore(add(b, 0x0e0), and(or(shl(3, v), shr(61, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x160)), d1)  mstore(add(b, 0x220), and(or(shl(10, v), shr(54, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x180)), d2)  mstore(add(b, 0x040), and(or(shl(43, v), shr(21, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x1a0)), d3)  mstore(add(b, 0x180), and(or(shl(25, v), shr(39, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x1c0)), d4)  mstore(add(b, 0x2c0), and(or(shl(39, v), shr(25, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x1e0)), d0)  mstore(add(b, 0x2e0), and(or(shl(41, v), shr(23, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x200)), d1)  mstore(add(b, 0x100), and(or(shl(45, v), shr(19, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x220)), d2)  mstore(add(b, 0x240), and(or(shl(15, v), shr(49, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x240)), d3)  mstore(add(b, 0x060), and(or(shl(21, v), shr(43, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x260)), d4)  mstore(add(b, 0x1a0), and(or(shl(8, v), shr(56, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x280)), d0)  mstore(add(b, 0x1c0), and(or(shl(18, v), shr(46, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x2a0)), d1)  mstore(add(b, 0x300), and(or(shl(2, v), shr(62, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x2c0)), d2)  mstore(add(b, 0x120), and(or(shl(61, v), shr(3, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x2e0)), d3)  mstore(add(b, 0x260), and(or(shl(56, v), shr(8, v)), 0xffffffffffffffff)) }
                { let v := xor(mload(add(a, 0x300)), d4)  mstore(add(b, 0x080), and(or(shl(14, v), shr(50, v)), 0xffffffffffffffff)) }
                // chi: each lane takes the two on its right in its row.
                for { let row := 0 } lt(row, 0x320) { row := add(row, 0x0a0) } {
                    let from := add(b, row)
                    let to := add(a, row)
                    c0 := mload(from)
                    c1 := mload(add(from, 0x20))
                    c2 := mload(add(from, 0x40))
                    c3 := mload(add(from, 0x60))
                    c4 := mload(add(from, 0x80))
                    mstore(to, xor(c0, and(not(c1), c2)))
                    mstore(add(to, 0x20), xor(c1, and(not(c2), c3)))
                    mstore(add(to, 0x40), xor(c2, and(not(c3), c4)))
                    mstore(add(to, 0x60), xor(c3, and(not(c4), c0)))
                    mstore(add(to, 0x80), xor(c4, and(not(c0), c1)))
                }
                // iota: the round's constant, the 8 bytes at its place.
                mstore(a, xor(mload(a), shr(192, mload(constant_))))
            }
        }
    }
}
