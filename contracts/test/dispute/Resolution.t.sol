// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Position } from "../../src/dispute/Position.sol";
import { BondDistributionMode, Claim, GameStatus } from "../../src/dispute/Types.sol";
import { Player } from "./Player.sol";

/// @notice A receiver that claims again while it is paid.
contract Reentrant {
    FaultDisputeGame private game;
    uint256 public failures;

    function attack(FaultDisputeGame at, Claim disputed, Claim claim) external payable {
        game = at;
        at.attack{ value: msg.value }(disputed, 0, claim);
    }

    receive() external payable {
        try game.claimCredit(address(this)) { }
        catch {
            failures++;
        }
    }
}

/// @notice A receiver that takes no ether.
contract Refusing {
    function attack(FaultDisputeGame at, Claim disputed, Claim claim) external payable {
        at.attack{ value: msg.value }(disputed, 0, claim);
    }
}

/// @notice How games are resolved, closed and paid.
contract ResolutionTest is Player {
    uint256 private constant MAX_DEPTH = 8;
    uint256 private constant SPLIT = 4;

    function setUp() public {
        start(MAX_DEPTH, SPLIT);
    }

    function checkRefused(uint256 index, uint256 count, bytes4 reason) private {
        vm.expectRevert(reason);
        game.resolveClaim(index, count);
    }

    function credited(address player) private view returns (uint256) {
        return game.normalModeCredit(player);
    }

    // Order.

    function test_attack05_subgamesAreResolvedFromTheBottom() public {
        attackDownTo(3, 0);
        runOut();
        checkRefused(0, 0, FaultDisputeGame.OutOfOrderResolution.selector);
        checkRefused(2, 0, FaultDisputeGame.OutOfOrderResolution.selector);
        vm.expectRevert(FaultDisputeGame.OutOfOrderResolution.selector);
        game.resolve();
        game.resolveClaim(3, 0);
        checkRefused(3, 0, FaultDisputeGame.ClaimAlreadyResolved.selector);
        checkRefused(1, 0, FaultDisputeGame.OutOfOrderResolution.selector);
        game.resolveClaim(2, 0);
        game.resolveClaim(1, 0);
        game.resolveClaim(0, 0);
        game.resolve();
        assertTrue(game.status() == GameStatus.CHALLENGER_WINS, "the last word was the honest side's");
    }

    /// @dev Once a subgame can be resolved, nobody can add to it any more: its clock has run out.
    function test_attack05_noMoveAfterResolution() public {
        attack(honest, 0, someClaim(1));
        runOut();
        game.resolveClaim(1, 0);
        uint256 bond = bondOf(1, true);
        vm.deal(liar, bond);
        vm.prank(liar, liar);
        vm.expectRevert(FaultDisputeGame.ClockTimeExceeded.selector);
        game.attack{ value: bond }(someClaim(1), 1, someClaim(2));
    }

    /// @dev A step comes too late for the bond of a resolved leaf, but its parent reads what it left.
    function test_attack05_aStepAfterResolutionMovesNoBond() public {
        uint256 last = attackDownTo(MAX_DEPTH, 0);
        runOut();
        game.resolveClaim(last, 0);
        uint256 before = credited(liar);
        vm.prank(honest, honest);
        game.step(last, true, abi.encode(0), "");
        assertEq(credited(liar), before, "the bond was assigned");
        assertEq(data(last).counteredBy, honest, "noted");
        game.resolveClaim(last - 1, 0);
        assertEq(data(last - 1).counteredBy, address(0), "the parent stands");
    }

    // Winners.

    function test_attack08_theLeftmostChildThatStandsWins() public {
        attack(honest, 0, someClaim(1));
        // Beside each other below claim 1: a defence, attacks, all at one depth; the attack is further left.
        defend(liar, 1, someClaim(2));
        attack(proposer, 1, someClaim(3));
        attack(guardian, 1, someClaim(4));
        runOut();
        for (uint256 i = 4; i >= 2; i--) game.resolveClaim(i, 0);
        game.resolveClaim(1, 0);
        // The first of the two that are equally far left.
        assertEq(data(1).counteredBy, proposer, "winner");
        assertEq(credited(proposer), data(3).bond + data(1).bond, "gets the bond");
        assertEq(credited(liar), data(2).bond, "a freeloader on the right gets only its own back");
        assertEq(credited(guardian), data(4).bond, "and so does a duplicate");
    }

    function test_attack08_aFreeloaderLeftOfTheHonestClaimLosesWhenCountered() public {
        attack(liar, 0, someClaim(1));
        // The honest answer is a defence; the freeloader attacks, further left.
        uint256 right = defend(honest, 1, someClaim(2));
        uint256 left = attack(proposer, 1, someClaim(3));
        attack(honest, left, someClaim(4));
        runOut();
        for (uint256 i = 4; i >= 1; i--) game.resolveClaim(i, 0);
        assertEq(data(left).counteredBy, honest, "the freeloader is countered");
        assertEq(data(right).counteredBy, address(0), "the honest claim stands");
        assertEq(data(1).counteredBy, honest, "and wins");
        uint256 sum = data(1).bond + data(2).bond + data(3).bond + data(4).bond;
        assertEq(credited(honest), sum, "all of it is the honest side's");
    }

    function test_aSteppedLeafLosesItsBondToWhoStepped() public {
        uint256 last = attackDownTo(MAX_DEPTH, 0);
        vm.prank(guardian, guardian);
        game.step(last, true, abi.encode(0), "");
        runOut();
        game.resolveClaim(last, 0);
        assertEq(credited(guardian), data(last).bond, "bond of the leaf");
        game.resolveClaim(last - 1, 0);
        assertEq(data(last - 1).counteredBy, address(0), "its parent stands");
    }

    // Parts.

    function checkpoint(uint256 index, bool begun, uint32 cursor, uint256 leftmost, address by) private view {
        (bool b, uint32 c, Position p, address a) = game.resolutionCheckpoints(index);
        assertTrue(b == begun, "begun");
        assertEq(c, cursor, "cursor");
        assertEq(Position.unwrap(p), leftmost, "leftmost");
        assertEq(a, by, "countered by");
    }

    function test_attack07_resolutionInParts() public {
        attack(honest, 0, someClaim(1));
        for (uint256 i = 0; i < 5; i++) defend(liar, 1, someClaim(10 + i));
        attack(proposer, 1, someClaim(20));
        runOut();
        for (uint256 i = 7; i >= 2; i--) game.resolveClaim(i, 0);
        checkpoint(1, false, 0, 0, address(0));
        assertEq(game.getNumToResolve(1), 6, "children");
        game.resolveClaim(1, 2);
        checkpoint(1, true, 2, 6, liar);
        assertEq(game.getNumToResolve(1), 4, "left");
        assertTrue(!game.resolvedSubgames(1), "not yet");
        // Nothing more with 0 after the first part.
        game.resolveClaim(1, 0);
        checkpoint(1, true, 2, 6, liar);
        game.resolveClaim(1, 3);
        checkpoint(1, true, 5, 6, liar);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        game.resolveClaim(1, type(uint256).max);
        game.resolveClaim(1, 100);
        checkpoint(1, true, 6, 4, proposer);
        assertTrue(game.resolvedSubgames(1), "all");
        assertEq(game.getNumToResolve(1), 0, "nothing left");
        checkRefused(1, 1, FaultDisputeGame.ClaimAlreadyResolved.selector);
        game.resolveClaim(0, 0);
        assertEq(data(1).counteredBy, proposer, "winner");
    }

    function test_attack07_aThousandChildrenCanBeResolved() public {
        attack(honest, 0, someClaim(1));
        for (uint256 i = 0; i < 1000; i++) attack(liar, 1, someClaim(100 + i));
        runOut();
        for (uint256 i = 2; i < 1002; i++) game.resolveClaim(i, 0);
        for (uint256 i = 0; i < 10; i++) {
            uint256 before = gasleft();
            game.resolveClaim(1, 100);
            assertTrue(before - gasleft() < 1_000_000, "a part is cheap");
        }
        game.resolveClaim(0, 0);
        game.resolve();
        assertTrue(game.status() == GameStatus.DEFENDER_WINS, "the claim was countered");
        assertEq(credited(liar), data(1).bond + 1000 * uint256(data(2).bond), "first of equals");
    }

    function test_aRootWithoutChildrenStands() public {
        runOut();
        game.resolveClaim(0, 0);
        checkpoint(0, true, 0, type(uint128).max, address(0));
        assertEq(credited(proposer), INIT_BOND, "its bond");
    }

    // Payment.

    function finish() private {
        runOut();
        resolveAll();
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
    }

    function test_gamesAreClosedInTime() public {
        vm.expectRevert(FaultDisputeGame.GameNotResolved.selector);
        game.closeGame();
        runOut();
        resolveAll();
        vm.warp(block.timestamp + FINALITY_DELAY);
        vm.expectRevert(FaultDisputeGame.GameNotFinalized.selector);
        game.closeGame();
        vm.expectRevert(FaultDisputeGame.GameNotFinalized.selector);
        game.claimCredit(proposer);
        vm.warp(block.timestamp + 1);
        vm.recordLogs();
        game.closeGame();
        assertEq(vm.getRecordedLogs().length, 2, "anchor and closing");
        game.closeGame();
        assertEq(vm.getRecordedLogs().length, 0, "closed once");
    }

    function test_aPauseStopsClosingAndPaying() public {
        finish();
        vm.prank(guardian);
        superchain.pause(address(0));
        vm.expectRevert(FaultDisputeGame.GamePaused.selector);
        game.closeGame();
        vm.prank(guardian);
        superchain.unpause(address(0));
        game.claimCredit(proposer);
        vm.warp(block.timestamp + WETH_DELAY);
        vm.prank(guardian);
        superchain.pause(address(portal));
        vm.expectRevert(text("DelayedWETH: contract is paused"));
        game.claimCredit(proposer);
    }

    function test_paymentTakesTwoStepsAndTheDelay() public {
        finish();
        game.claimCredit(proposer);
        assertTrue(game.hasUnlockedCredit(proposer), "first step");
        assertEq(game.credit(proposer), INIT_BOND, "still there");
        vm.warp(block.timestamp + WETH_DELAY - 1);
        vm.expectRevert(text("DelayedWETH: withdrawal delay not met"));
        game.claimCredit(proposer);
        vm.warp(block.timestamp + 1);
        game.claimCredit(proposer);
        assertEq(proposer.balance, INIT_BOND, "paid");
        assertEq(game.credit(proposer) + game.refundModeCredit(proposer), 0, "nothing left");
        vm.expectRevert(FaultDisputeGame.NoCreditToClaim.selector);
        game.claimCredit(proposer);
        // Somebody without credit gets through the first step only.
        game.claimCredit(liar);
        vm.expectRevert(FaultDisputeGame.NoCreditToClaim.selector);
        game.claimCredit(liar);
    }

    function test_attack04_aReentrantReceiverIsPaidOnce() public {
        Reentrant receiver = new Reentrant();
        uint256 bond = bondOf(0, true);
        vm.deal(address(this), bond);
        receiver.attack{ value: bond }(game, ROOT, someClaim(1));
        attack(honest, 0, someClaim(2));
        finish();
        assertEq(payOut(address(receiver)), INIT_BOND + bond, "what it won");
        assertEq(receiver.failures(), 1, "it tried");
        assertEq(payOut(honest), bond, "the other's is there");
    }

    function test_attack04_aRefusingReceiverLosesNothingAndStopsNobody() public {
        Refusing receiver = new Refusing();
        uint256 bond = bondOf(0, true);
        vm.deal(address(this), bond);
        receiver.attack{ value: bond }(game, ROOT, someClaim(1));
        attack(honest, 0, someClaim(2));
        finish();
        game.claimCredit(address(receiver));
        game.claimCredit(honest);
        vm.warp(block.timestamp + WETH_DELAY);
        vm.expectRevert(FaultDisputeGame.BondTransferFailed.selector);
        game.claimCredit(address(receiver));
        assertEq(game.credit(address(receiver)), INIT_BOND + bond, "still there");
        game.claimCredit(honest);
        assertEq(honest.balance, bond, "the other is paid");
    }

    /// @dev A claim belongs to the account that called, not to the one that signed.
    function test_attack04_bondsBelongToTheCaller() public {
        Refusing contract_ = new Refusing();
        uint256 bond = bondOf(0, true);
        vm.deal(honest, bond);
        vm.prank(honest, honest);
        contract_.attack{ value: bond }(game, ROOT, someClaim(1));
        assertEq(data(1).claimant, address(contract_), "claimant");
        vm.deal(liar, INIT_BOND);
        vm.prank(liar, honest);
        FaultDisputeGame other =
            FaultDisputeGame(address(factory.create{ value: INIT_BOND }(CANNON, ROOT, abi.encode(109))));
        assertEq(other.gameCreator(), liar, "creator");
    }

    // Refunds.

    function checkRefund() private {
        attackDownTo(3, 0);
        finish();
        uint256 honestPaid = uint256(data(1).bond) + data(3).bond;
        assertEq(payOut(honest), honestPaid, "what the honest side paid");
        assertTrue(game.bondDistributionMode() == BondDistributionMode.REFUND, "refund");
        assertEq(payOut(liar), data(2).bond, "what the liar paid");
        assertEq(payOut(proposer), INIT_BOND, "what the proposer paid");
        assertEq(weth.balanceOf(address(game)), 0, "nothing left");
        assertEq(address(registry.anchorGame()), address(0), "no anchor");
    }

    function test_attack12_aBlacklistedGameRefunds() public {
        vm.prank(guardian);
        registry.blacklistDisputeGame(game);
        checkRefund();
    }

    function test_attack12_aRetiredGameRefunds() public {
        vm.prank(guardian);
        registry.updateRetirementTimestamp();
        checkRefund();
    }

    function test_aClosedGameStaysAsItWas() public {
        finish();
        game.closeGame();
        vm.prank(guardian);
        registry.blacklistDisputeGame(game);
        assertEq(payOut(proposer), INIT_BOND, "normal");
        assertTrue(game.bondDistributionMode() == BondDistributionMode.NORMAL, "normal");
    }
}
