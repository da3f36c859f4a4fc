// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { DelayedWETH } from "../../src/dispute/DelayedWETH.sol";
import { Vm } from "../Test.sol";
import { Player } from "./Player.sol";

/// @notice An account of wrapped ether that does something when it is paid.
contract Receiver {
    error Refused();

    event Paid(uint256 wad);

    enum Kind {
        Frugal,
        Wasteful,
        Refusing
    }

    DelayedWETH private immutable WETH;
    Kind private immutable KIND;
    uint256 private payments;

    constructor(DelayedWETH weth, Kind kind) {
        (WETH, KIND) = (weth, kind);
    }

    function open() external payable {
        WETH.deposit{ value: msg.value }();
        WETH.unlock(address(this), msg.value);
    }

    function take(uint256 wad) external {
        WETH.withdraw(wad);
    }

    receive() external payable {
        if (KIND == Kind.Wasteful) payments++;
        if (KIND == Kind.Refusing) revert Refused();
        emit Paid(msg.value);
    }
}

/// @notice Wrapped ether with a delay, beside what games do with it.
contract DelayedWETHTest is Player {
    function setUp() public {
        start(8, 4);
    }

    function test_heldEtherGoesToTheOwnerOfTheAdmin() public {
        vm.expectRevert(text("DelayedWETH: insufficient unlocked withdrawal"));
        weth.withdraw(1);
        vm.prank(liar);
        vm.expectRevert(text("DelayedWETH: not owner"));
        weth.hold(address(game));
        vm.prank(liar);
        vm.expectRevert(text("DelayedWETH: not owner"));
        weth.recover(1);
        weth.hold(address(game));
        assertEq(weth.balanceOf(address(this)), INIT_BOND, "held");
        assertEq(weth.balanceOf(address(game)), 0, "taken");
        weth.recover(type(uint256).max);
        assertEq(address(weth).balance, 0, "recovered");
    }

    receive() external payable { }

    function test_wrappedEtherIsAToken() public {
        vm.deal(liar, 10);
        vm.startPrank(liar, liar);
        (bool ok,) = address(weth).call{ value: 3 }("");
        (bool too,) = address(weth).call{ value: 2 }("data");
        assertTrue(ok && too, "deposits");
        weth.deposit{ value: 5 }();
        assertEq(weth.balanceOf(liar), 10, "balance");
        weth.transfer(honest, 4);
        weth.approve(proposer, 3);
        vm.stopPrank();
        vm.startPrank(proposer, proposer);
        weth.transferFrom(liar, guardian, 2);
        vm.expectRevert();
        weth.transferFrom(liar, guardian, 2);
        vm.stopPrank();
        assertEq(weth.balanceOf(guardian), 2, "transferred");
        assertEq(weth.allowance(liar, proposer), 1, "allowance");
        assertEq(weth.totalSupply(), INIT_BOND + 10, "supply");
    }

    function test_aSecondUnlockStartsTheDelayAnew() public {
        vm.deal(liar, 10);
        vm.startPrank(liar, liar);
        weth.deposit{ value: 10 }();
        weth.unlock(liar, 4);
        vm.warp(block.timestamp + WETH_DELAY - 1);
        weth.unlock(liar, 4);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(text("DelayedWETH: withdrawal delay not met"));
        weth.withdraw(4);
        vm.warp(block.timestamp + WETH_DELAY);
        weth.withdraw(8);
        assertEq(liar.balance, 8, "taken out");
        vm.expectRevert(text("DelayedWETH: insufficient unlocked withdrawal"));
        weth.withdraw(1);
        vm.expectRevert(text("DelayedWETH: withdrawal not unlocked"));
        weth.withdraw(honest, 0);
        vm.stopPrank();
    }

    function checkRequest(uint256 amount, uint256 timestamp) private view {
        (uint256 unlocked, uint256 since) = weth.withdrawals(liar, honest);
        assertEq(unlocked, amount, "unlocked");
        assertEq(since, timestamp, "since");
    }

    function test_attack01_anUnlockedAmountIsReadBackAsItWas() public {
        vm.startPrank(liar, liar);
        checkRequest(0, 0);
        weth.unlock(honest, type(uint192).max - 1);
        checkRequest(type(uint192).max - 1, block.timestamp);
        weth.unlock(honest, 1);
        weth.unlock(honest, type(uint256).max - type(uint192).max);
        checkRequest(type(uint256).max, block.timestamp);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        weth.unlock(honest, 1);
        vm.stopPrank();
    }

    function test_aRequestShrinksAndEnds() public {
        vm.deal(liar, 10);
        vm.startPrank(liar, liar);
        weth.deposit{ value: 10 }();
        weth.unlock(honest, 10);
        uint256 since = block.timestamp;
        vm.warp(since + WETH_DELAY);
        weth.withdraw(honest, 3);
        checkRequest(7, since);
        weth.withdraw(honest, 7);
        // It was unlocked, which is remembered: to take out nothing is no failure.
        checkRequest(0, since);
        vm.recordLogs();
        weth.withdraw(honest, 0);
        Vm.Log memory log = onlyLog();
        assertEq(log.topics[0], keccak256("Withdrawal(address,uint256)"), "told");
        assertEq(log.data, abi.encode(0), "nothing");
        vm.expectRevert(text("DelayedWETH: insufficient unlocked withdrawal"));
        weth.withdraw(honest, 1);
        vm.stopPrank();
    }

    /// @dev A call that must revert with this data.
    function checkRefusal(bytes memory call, bytes memory reason, string memory what) private {
        (bool ok, bytes memory data) = address(weth).call(call);
        assertTrue(!ok, what);
        assertEq(data, reason, what);
    }

    function test_whatIsNotThereIsRefusedWithoutAReason() public {
        vm.deal(liar, 10);
        vm.startPrank(liar, liar);
        weth.deposit{ value: 5 }();
        weth.unlock(liar, 6);
        vm.warp(block.timestamp + WETH_DELAY);
        checkRefusal(abi.encodeWithSignature("withdraw(uint256)", 6), "", "more than the balance");
        checkRefusal(abi.encodeCall(weth.transfer, (honest, 6)), "", "more than the balance");
        checkRefusal(abi.encodeCall(weth.transferFrom, (address(game), honest, 1)), "", "not allowed");
        vm.stopPrank();
        checkRefusal(abi.encodeCall(weth.transfer, (honest, 1)), "", "no balance");
    }

    function checkPayment(Receiver.Kind kind, bytes memory reason, string memory what) private {
        Receiver receiver = new Receiver(weth, kind);
        vm.deal(address(this), 5);
        receiver.open{ value: 5 }();
        vm.warp(block.timestamp + WETH_DELAY);
        (bool ok, bytes memory data) = address(receiver).call(abi.encodeCall(receiver.take, (5)));
        assertTrue(ok == (kind == Receiver.Kind.Frugal), what);
        assertEq(data, reason, what);
        assertEq(address(receiver).balance, ok ? 5 : 0, what);
        // Where there is nothing to send, the gas is the same.
        (ok,) = address(receiver).call(abi.encodeCall(receiver.take, (0)));
        assertTrue(ok == (kind == Receiver.Kind.Frugal), what);
    }

    function test_aReceiverHasGasForALogOnly() public {
        checkPayment(Receiver.Kind.Frugal, "", "a log");
        checkPayment(Receiver.Kind.Wasteful, "", "more than a log");
        checkPayment(Receiver.Kind.Refusing, abi.encodeWithSelector(Receiver.Refused.selector), "its reason is passed on");
    }
}
