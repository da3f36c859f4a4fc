// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @notice The keccak permutation as its definition says it, with rotations and constants computed from the definition: what
///         the fast one is compared with.
library PlainKeccak {
    function permute(uint64[25] memory a) internal pure {
        uint256 register = 1;
        for (uint256 round = 0; round < 24; round++) {
            theta(a);
            rhoPi(a);
            chi(a);
            uint64 constant_;
            for (uint256 j = 0; j < 7; j++) {
                if (register & 1 == 1) constant_ |= uint64(1) << uint64(2 ** j - 1);
                // A linear feedback shift register of 8 bits.
                register = register & 0x80 == 0 ? register << 1 : ((register << 1) ^ 0x171);
            }
            a[0] ^= constant_;
        }
    }

    function rotate(uint64 lane, uint256 by) private pure returns (uint64) {
        return by == 0 ? lane : (lane << uint64(by)) | (lane >> uint64(64 - by));
    }

    function theta(uint64[25] memory a) private pure {
        uint64[5] memory c;
        for (uint256 i = 0; i < 25; i++) c[i % 5] ^= a[i];
        for (uint256 i = 0; i < 25; i++) a[i] ^= c[(i + 4) % 5] ^ rotate(c[(i + 1) % 5], 1);
    }

    function rhoPi(uint64[25] memory a) private pure {
        uint64[25] memory b;
        b[0] = a[0];
        (uint256 x, uint256 y) = (1, 0);
        for (uint256 t = 0; t < 24; t++) {
            uint256 next = (2 * x + 3 * y) % 5;
            b[y + 5 * next] = rotate(a[x + 5 * y], ((t + 1) * (t + 2) / 2) % 64);
            (x, y) = (y, next);
        }
        for (uint256 i = 0; i < 25; i++) a[i] = b[i];
    }

    function chi(uint64[25] memory a) private pure {
        for (uint256 y = 0; y < 25; y += 5) {
            uint64[5] memory row;
            for (uint256 x = 0; x < 5; x++) row[x] = a[y + x];
            for (uint256 x = 0; x < 5; x++) a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
    }
}
