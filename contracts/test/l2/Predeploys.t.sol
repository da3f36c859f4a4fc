// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { L1Block } from "../../src/l2/L1Block.sol";
import { L2ToL1MessagePasser } from "../../src/l2/L2ToL1MessagePasser.sol";
import { L2Proxy } from "../../src/l2/L2Proxy.sol";
import { L2ProxyAdmin } from "../../src/l2/L2ProxyAdmin.sol";
import { Predeploys } from "../../src/l2/Predeploys.sol";
import { Test } from "../Test.sol";

/// @notice What L1 and the upgrade transactions rely on: who may upgrade, and where storage is.
contract PredeploysTest is Test {
    L2ProxyAdmin private admin;
    L2Proxy private proxy;

    function setUp() public {
        admin = new L2ProxyAdmin(address(1));
        proxy = new L2Proxy(address(admin));
    }

    function implementation() private returns (address) {
        vm.prank(address(0));
        return proxy.implementation();
    }

    function test_theZeroAddressUpgrades() public {
        L1Block target = new L1Block();
        vm.prank(address(0));
        proxy.upgradeTo(address(target));
        assertEq(uint160(implementation()), uint160(address(target)), "implementation");
    }

    function test_theAdminUpgrades() public {
        L1Block target = new L1Block();
        vm.prank(address(admin));
        proxy.upgradeTo(address(target));
        assertEq(uint160(implementation()), uint160(address(target)), "implementation");
    }

    function test_nobodyElseUpgrades() public {
        L1Block target = new L1Block();
        vm.prank(address(admin));
        proxy.upgradeTo(address(target));
        // The call goes to the implementation, which has no such function.
        vm.expectRevert();
        proxy.upgradeTo(address(this));
        vm.expectRevert(text("Ownable: caller is not the owner"));
        admin.upgrade(payable(address(proxy)), address(this));
    }

    function test_aProxyWithoutImplementationRefuses() public {
        vm.expectRevert(text("Proxy: implementation not initialized"));
        L1Block(address(proxy)).number();
    }

    function test_onlyTheDepositorTellsOfL1() public {
        L1Block target = new L1Block();
        vm.expectRevert(L1Block.NotDepositor.selector);
        target.setL1BlockValues(1, 2, 3, bytes32(uint256(4)), 5, bytes32(uint256(6)), 7, 8);
        vm.prank(Predeploys.DEPOSITOR);
        target.setL1BlockValues(1, 2, 3, bytes32(uint256(4)), 5, bytes32(uint256(6)), 7, 8);
        assertEq(uint256(vm.load(address(target), 0)), 2 << 64 | 1, "number and timestamp");
        assertEq(uint256(vm.load(address(target), bytes32(uint256(1)))), 3, "base fee");
        assertEq(uint256(vm.load(address(target), bytes32(uint256(5)))), 7, "overhead");
        assertEq(uint256(vm.load(address(target), bytes32(uint256(6)))), 8, "scalar");
    }

    function test_aWithdrawalIsInTheStorageThatL1Proves() public {
        L2ToL1MessagePasser passer = new L2ToL1MessagePasser();
        uint256 nonce = 1 << 240;
        assertEq(passer.messageNonce(), nonce, "first nonce");
        passer.initiateWithdrawal(address(7), 8, hex"09");
        bytes32 withdrawal = keccak256(abi.encode(nonce, address(this), address(7), uint256(0), uint256(8), hex"09"));
        bytes32 slot = keccak256(abi.encode(withdrawal, uint256(0)));
        assertEq(uint256(vm.load(address(passer), slot)), 1, "sent");
        assertEq(passer.messageNonce(), nonce + 1, "next nonce");
    }
}
