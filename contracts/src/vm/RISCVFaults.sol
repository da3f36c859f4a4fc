// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Reasons for which a step has no successor. Each reverts with its number as one word.

uint256 constant BAD_RESOURCE = 0xf0012;
uint256 constant BAD_ATOMIC_OPERATION = 0xf001a70;
uint256 constant BAD_OPCODE = 0xf001c0de;
uint256 constant BAD_SYSCALL = 0xf001ca11;
uint256 constant BAD_ALIGNMENT = 0xbad10ad0;
uint256 constant BAD_STORE_SIZE = 0xbad512e8;
uint256 constant BAD_FETCH = 0xbad22220;
uint256 constant BAD_INSTRUCTION = 0xbadc0de;
uint256 constant BAD_ATOMIC_SIZE = 0xbada70;
uint256 constant BAD_PREIMAGE = 0xbadf00d0;
uint256 constant BAD_PROOF = 0xbadf00d1;

function fault(uint256 code) pure {
    assembly ("memory-safe") {
        mstore(0, code)
        revert(0, 32)
    }
}

// As `fault`, where a result is wanted.
function noResult(uint256 code) pure returns (uint256) {
    fault(code);
}
