// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { ProposalTest } from "./Proposal.sol";

/// @notice Records what transactions to the oracle cost: whole transactions, with the fixed cost and that of the data, everything
///         cold. `atMost` is what the deployed contract takes.
contract OracleGasTest is ProposalTest {
    function setUp() public {
        vm.warp(1_700_000_000);
        oracle = new PreimageOracle(1000, 86_400);
        vm.deal(claimant, 10 ether);
        take(2000);
        propose(7, 8, 100);
    }

    function record(string memory name, uint256 atMost) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("PreimageOracle", name, used);
        assertTrue(used <= atMost, string.concat(name, " takes more gas than allowed"));
    }

    /// forge-config: default.isolate = true
    function test_gasOfLoading() public {
        oracle.loadKeccak256PreimagePart(0, hex"01020304");
        record("load of a 4-byte keccak part", 89_000);
    }

    /// @dev Random bytes, of which few are zero.
    function random(uint256 words) private pure returns (bytes32[] memory data) {
        data = new bytes32[](words);
        for (uint256 i = 0; i < words; i++) data[i] = keccak256(abi.encode(words, i));
    }

    /// forge-config: default.isolate = true
    function test_gasOfFiveHundredBlocks() public {
        bytes memory input = abi.encodePacked(random(500 * 136 / 32));
        bytes32[] memory some = random(500);
        vm.prank(claimant, claimant);
        oracle.initLPP{ value: 0.25 ether }(1, 8, 136_000);
        record("begin of a large preimage", 160_000);
        vm.prank(claimant, claimant);
        oracle.addLeavesLPP(1, 0, input, some, false);
        record("500 blocks, the first", 2_650_000);
        vm.prank(claimant, claimant);
        oracle.addLeavesLPP(1, 500, input, some, false);
        record("500 blocks, later", 2_650_000);
    }

    /// forge-config: default.isolate = true
    function test_gasOfASqueeze() public {
        vm.warp(block.timestamp + 86_401);
        squeeze(7);
        record("squeeze of a large preimage", 338_000);
    }
}
