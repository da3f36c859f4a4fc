// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { PreimageOracle } from "../src/preimage/PreimageOracle.sol";
import { Test } from "./Test.sol";

/// @notice Records the size of the code of what is deployed on L1. All of it in one test, because a run writes its file from
///         what it recorded itself.
contract SizesSnapshotsTest is Test {
    uint256 private constant MOST_BYTES = 23_500;

    function test_bytecodeSizes() public {
        string[12] memory names = [
            "AnchorStateRegistry",
            "DelayedWETH",
            "DisputeGameFactory",
            "FaultDisputeGame",
            "MIPS",
            "MIPS64",
            "OptimismPortal",
            "PermissionedDisputeGame",
            "ProxyAdmin",
            "RISCV",
            "SuperchainConfig",
            "SystemConfig"
        ];
        for (uint256 i = 0; i < names.length; i++) {
            record(names[i], vm.getDeployedCode(string.concat(names[i], ".sol:", names[i])).length);
        }
        // Some tests need it compiled as verifiers are, so its name alone means either.
        record("PreimageOracle", address(new PreimageOracle(0, 0)).code.length);
    }

    function record(string memory name, uint256 size) private {
        vm.snapshotValue("sizes", name, size);
        assertTrue(size <= MOST_BYTES, string.concat(name, " is larger than allowed"));
    }
}
