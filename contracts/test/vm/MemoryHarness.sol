// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { foldWord, peekMemory } from "../../src/vm/MIPS64Memory.sol";
import { foldProof } from "../../src/vm/MemoryTree.sol";

/// @notice Opens the assembly of the memory tree to tests. The proof is the second argument of each function, so that in
///         a canonical encoding its first byte is at 100 of calldata.
contract MemoryHarness {
    uint256 private constant PROOF = 100;

    function fold(uint256 addr, bytes calldata) external pure returns (bytes32) {
        return foldProof(addr, PROOF);
    }

    function foldWrite(uint256 addr, bytes calldata, uint256 word) external pure returns (bytes32, bytes32) {
        return foldWord(addr, PROOF + 32, word);
    }

    function peek(uint256 addr, bytes calldata) external pure returns (uint256) {
        return peekMemory(addr, PROOF);
    }
}
