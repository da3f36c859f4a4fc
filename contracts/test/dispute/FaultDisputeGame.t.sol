// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Position } from "../../src/dispute/Position.sol";
import {
    BondDistributionMode, Claim, Clock, Duration, GameConstructorParams, GameStatus, GameType, Hash, Timestamp
} from "../../src/dispute/Types.sol";
import { ClaimData, Player } from "./Player.sol";

/// @notice The rules of a game, one by one. Depth 8, split at 4: outputs at depths 0 to 4, execution at 5 to 8.
contract FaultDisputeGameTest is Player {
    uint256 private constant MAX_DEPTH = 8;
    uint256 private constant SPLIT = 4;

    function setUp() public {
        start(MAX_DEPTH, SPLIT);
    }

    function checkClaim(uint256 index, uint32 parent, address claimant, uint256 bond, uint256 position, uint256 clock) private view {
        ClaimData memory d = data(index);
        assertEq(d.parentIndex, parent, "parent");
        assertEq(d.counteredBy, address(0), "counteredBy");
        assertEq(d.claimant, claimant, "claimant");
        assertEq(d.bond, bond, "bond");
        assertEq(Position.unwrap(d.position), position, "position");
        assertEq(Clock.unwrap(d.clock), clock, "clock");
    }

    // Creation.

    function test_aNewGameHasItsParameters() public view {
        assertEq(game.gameCreator(), proposer, "creator");
        assertEq(Claim.unwrap(game.rootClaim()), Claim.unwrap(ROOT), "root claim");
        assertEq(Hash.unwrap(game.l1Head()), blockhash(block.number - 1), "l1Head");
        assertEq(GameType.unwrap(game.gameType()), 0, "gameType");
        assertEq(game.extraData(), abi.encode(L2_NUMBER), "extraData");
        assertEq(game.l2SequenceNumber(), L2_NUMBER, "l2SequenceNumber");
        assertEq(game.l2BlockNumber(), L2_NUMBER, "l2BlockNumber");
        assertEq(Claim.unwrap(game.absolutePrestate()), machine.hash(0), "absolutePrestate");
        assertEq(address(game.vm()), address(machine), "vm");
        assertEq(address(game.anchorStateRegistry()), address(registry), "registry");
        assertEq(address(game.weth()), address(weth), "weth");
        assertEq(game.l2ChainId(), L2_CHAIN_ID, "l2ChainId");
        assertEq(game.maxGameDepth(), MAX_DEPTH, "maxGameDepth");
        assertEq(game.splitDepth(), SPLIT, "splitDepth");
        assertEq(Duration.unwrap(game.maxClockDuration()), MAX_CLOCK, "maxClockDuration");
        assertEq(Duration.unwrap(game.clockExtension()), EXTENSION, "clockExtension");
        assertEq(game.startingBlockNumber(), ANCHOR_NUMBER, "startingBlockNumber");
        assertEq(Hash.unwrap(game.startingRootHash()), Hash.unwrap(ANCHOR), "startingRootHash");
        assertEq(Claim.unwrap(game.rootClaimByChainId(L2_CHAIN_ID)), Claim.unwrap(ROOT), "by chain id");
    }

    function test_aNewGameHoldsItsRootClaim() public view {
        assertEq(Timestamp.unwrap(game.createdAt()), block.timestamp, "createdAt");
        assertTrue(game.wasRespectedGameTypeWhenCreated(), "respected");
        assertTrue(game.status() == GameStatus.IN_PROGRESS, "in progress");
        assertEq(game.claimDataLen(), 1, "one claim");
        checkClaim(0, type(uint32).max, proposer, INIT_BOND, 1, block.timestamp);
        assertEq(Claim.unwrap(data(0).claim), Claim.unwrap(ROOT), "claim");
        assertEq(weth.balanceOf(address(game)), INIT_BOND, "the bond is put aside");
        assertEq(game.refundModeCredit(proposer), INIT_BOND, "and noted");
    }

    function test_movesAreRecorded() public {
        vm.warp(block.timestamp + 100);
        uint256 first = attack(honest, 0, someClaim(1));
        checkClaim(first, 0, honest, bondOf(0, true), 2, (uint256(100) << 64) | block.timestamp);
        vm.warp(block.timestamp + 30);
        uint256 second = defend(liar, first, someClaim(2));
        checkClaim(second, 1, liar, bondOf(first, false), 6, (uint256(30) << 64) | block.timestamp);
        vm.warp(block.timestamp + 7);
        uint256 third = attack(honest, second, someClaim(3));
        checkClaim(third, 2, honest, bondOf(second, true), 12, (uint256(107) << 64) | block.timestamp);
        assertEq(game.subgames(0, 0), first, "child of the root");
        assertEq(game.subgames(first, 0), second, "child of the first");
        assertEq(weth.balanceOf(address(game)), INIT_BOND + data(1).bond + data(2).bond + data(3).bond, "all bonds");
    }

    function test_aFalseRootLosesItsBondToWhoAttackedIt() public {
        attack(honest, 0, someClaim(1));
        runOut();
        resolveAll();
        assertTrue(game.status() == GameStatus.CHALLENGER_WINS, "status");
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        uint256 bond = data(1).bond;
        assertEq(payOut(honest), INIT_BOND + bond, "both bonds");
        assertTrue(game.bondDistributionMode() == BondDistributionMode.NORMAL, "normal");
        assertEq(weth.balanceOf(address(game)), 0, "nothing is left");
    }

    function test_anUncontestedRootStandsAndBecomesTheAnchor() public {
        runOut();
        resolveAll();
        assertTrue(game.status() == GameStatus.DEFENDER_WINS, "status");
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        assertEq(payOut(proposer), INIT_BOND, "its bond");
        assertEq(address(registry.anchorGame()), address(game), "anchor");
    }

    // Moves that are refused, in the order of the checks.

    function checkRefused(uint256 parent, Claim disputed, Claim claim, bool isAttack, uint256 bond, bytes memory reason) private {
        vm.deal(liar, bond);
        vm.prank(liar, liar);
        vm.expectRevert(reason);
        game.move{ value: bond }(disputed, parent, claim, isAttack);
    }

    function checkRefused(uint256 parent, Claim claim, bool isAttack, bytes4 reason) private {
        uint256 bond = data(parent).position.depth() < MAX_DEPTH ? bondOf(parent, isAttack) : 1 ether;
        checkRefused(parent, data(parent).claim, claim, isAttack, bond, abi.encodeWithSelector(reason));
    }

    function test_attack03_movesCarryTheClaimTheyAnswer() public {
        attack(honest, 0, someClaim(1));
        bytes memory reason = abi.encodeWithSelector(FaultDisputeGame.InvalidDisputedClaimIndex.selector);
        // What a reorganisation of L1 might have put in the place of the claim.
        checkRefused(1, someClaim(2), someClaim(3), true, bondOf(1, true), reason);
    }

    function test_claimsThatAreNotThereCannotBeAnswered() public {
        bytes memory reason = abi.encodeWithSignature("Panic(uint256)", 0x32);
        checkRefused(1, ROOT, someClaim(1), true, 1 ether, reason);
        vm.expectRevert(reason);
        game.resolveClaim(1, 0);
        vm.expectRevert(reason);
        game.addLocalData(1, type(uint256).max, 0);
        checkNoElement(abi.encodeCall(game.claimData, (1)));
        checkNoElement(abi.encodeCall(game.subgames, (0, 0)));
        checkNoElement(abi.encodeCall(game.subgames, (7, 0)));
    }

    /// @dev What the compiler makes of a public array answers without a reason.
    function checkNoElement(bytes memory call) private view {
        (bool ok, bytes memory reason) = address(game).staticcall(call);
        assertTrue(!ok, "no element");
        assertEq(reason, "", "no reason");
    }

    function test_rootsCannotBeDefended() public {
        checkRefused(0, someClaim(1), false, FaultDisputeGame.CannotDefendRootClaim.selector);
        uint256 executionRoot = attackDownTo(SPLIT + 1, 0);
        checkRefused(executionRoot, someClaim(9), false, FaultDisputeGame.CannotDefendRootClaim.selector);
        // One below, it is possible again.
        defend(liar, attack(honest, executionRoot, someClaim(10)), someClaim(11));
    }

    function test_nothingIsBelowTheFullDepth() public {
        uint256 last = attackDownTo(MAX_DEPTH, 0);
        checkRefused(last, someClaim(100), true, FaultDisputeGame.GameDepthExceeded.selector);
        checkRefused(last, someClaim(100), false, FaultDisputeGame.GameDepthExceeded.selector);
    }

    function test_bondsAreExact() public {
        bytes memory reason = abi.encodeWithSelector(FaultDisputeGame.IncorrectBondAmount.selector);
        uint256 bond = bondOf(0, true);
        checkRefused(0, ROOT, someClaim(1), true, bond - 1, reason);
        checkRefused(0, ROOT, someClaim(1), true, bond + 1, reason);
        checkRefused(0, ROOT, someClaim(1), true, 0, reason);
    }

    function test_attack08_aClaimIsMadeOnce() public {
        attack(honest, 0, someClaim(1));
        checkRefused(0, someClaim(1), true, FaultDisputeGame.ClaimAlreadyExists.selector);
        assertTrue(game.claims(Hash.wrap(keccak256(abi.encode(someClaim(1), uint256(2) << 128)))), "noted");
        // Another claim there, or the same elsewhere, is another claim.
        attack(liar, 0, someClaim(2));
        attack(liar, 1, someClaim(1));
    }

    function test_nothingIsPlayedAfterTheEnd() public {
        uint256 last = attackDownTo(MAX_DEPTH, 0);
        runOut();
        resolveAll();
        bytes4 reason = FaultDisputeGame.GameNotInProgress.selector;
        checkRefused(0, someClaim(50), true, reason);
        vm.expectRevert(reason);
        game.step(last, true, "", "");
        vm.expectRevert(reason);
        game.addLocalData(1, last, 0);
        vm.expectRevert(reason);
        game.resolveClaim(0, 0);
        vm.expectRevert(reason);
        game.resolve();
        vm.expectRevert(reason);
        game.getChallengerDuration(0);
    }

    // Clocks.

    function durationOf(uint256 index) private view returns (uint256) {
        return Clock.unwrap(data(index).clock) >> 64;
    }

    function test_attack06_theClockOfASideGoesOnWhereItStopped() public {
        vm.warp(block.timestamp + 1000);
        attack(honest, 0, someClaim(1));
        vm.warp(block.timestamp + 200);
        attack(liar, 1, someClaim(2));
        vm.warp(block.timestamp + 30);
        assertEq(Duration.unwrap(game.getChallengerDuration(2)), 1030, "the honest side's");
        assertEq(Duration.unwrap(game.getChallengerDuration(1)), 230, "the liar's, on the claim that was answered");
        attack(honest, 2, someClaim(3));
        assertEq(durationOf(3), 1030, "stored");
        vm.warp(block.timestamp + 4);
        assertEq(Duration.unwrap(game.getChallengerDuration(3)), 204, "the liar's");
    }

    /// @dev A move in the last second leaves the mover the extension for its next answer, whatever the depth.
    function test_attack06_lastSecondMovesAreExtended() public {
        uint256 at = 0;
        for (uint256 depth = 1; depth <= MAX_DEPTH; depth++) {
            vm.warp(block.timestamp + MAX_CLOCK - 1 - (depth < 3 ? 0 : durationOf(at - 1)));
            at = attack(depth % 2 == 1 ? honest : liar, at, someClaim(depth));
            uint256 extension = EXTENSION;
            if (depth == SPLIT - 1) extension = 2 * EXTENSION;
            if (depth == MAX_DEPTH - 1) extension = EXTENSION + CHALLENGE_PERIOD;
            assertEq(durationOf(at), MAX_CLOCK - extension, "the maximum less the extension");
        }
    }

    function test_attack06_noExtensionBeforeItIsNeeded() public {
        vm.warp(block.timestamp + MAX_CLOCK - EXTENSION);
        attack(honest, 0, someClaim(1));
        assertEq(durationOf(1), MAX_CLOCK - EXTENSION, "just enough is left");
    }

    function test_anExpiredClockAllowsNoMove() public {
        vm.warp(block.timestamp + MAX_CLOCK - 1);
        vm.expectRevert(FaultDisputeGame.ClockNotExpired.selector);
        game.resolveClaim(0, 0);
        vm.warp(block.timestamp + 1);
        checkRefused(0, someClaim(1), true, FaultDisputeGame.ClockTimeExceeded.selector);
        assertEq(Duration.unwrap(game.getChallengerDuration(0)), MAX_CLOCK, "no more than the maximum");
        vm.warp(block.timestamp + 1000);
        assertEq(Duration.unwrap(game.getChallengerDuration(0)), MAX_CLOCK, "later, too");
    }

    // Creation that is refused.

    function checkNoGame(bytes memory extraData, bytes memory reason) private {
        vm.deal(proposer, INIT_BOND);
        vm.prank(proposer, proposer);
        vm.expectRevert(reason);
        factory.create{ value: INIT_BOND }(CANNON, ROOT, extraData);
    }

    /// @dev Padded data would give the same proposal a second name.
    function test_extraDataHasOneLength() public {
        bytes memory reason = abi.encodeWithSelector(FaultDisputeGame.BadExtraData.selector);
        checkNoGame("", reason);
        checkNoGame(abi.encodePacked(uint248(109)), reason);
        checkNoGame(abi.encodePacked(uint256(109), uint8(0)), reason);
        checkNoGame(abi.encode(109, 0), reason);
    }

    function test_attack02_blockNumbersOutOfRangeMakeNoGame() public {
        bytes memory reason = abi.encodeWithSelector(FaultDisputeGame.UnexpectedRootClaim.selector, ROOT);
        checkNoGame(abi.encode(0), reason);
        checkNoGame(abi.encode(ANCHOR_NUMBER), reason);
        checkNoGame(abi.encode(uint256(type(uint64).max) + 1), reason);
        checkNoGame(abi.encode(type(uint256).max), reason);
        // The largest possible number is a game like others, and others can still be made.
        FaultDisputeGame huge = create(ROOT, type(uint64).max);
        assertEq(huge.l2BlockNumber(), type(uint64).max, "huge");
        create(ROOT, ANCHOR_NUMBER + 1);
        assertEq(factory.gameCount(), 3, "games");
        game = huge;
        uint256 last = attackDownTo(MAX_DEPTH, 0);
        game.addLocalData(4, last, 0);
        runOut();
        resolveAll();
    }

    function test_gamesAreInitialisedOnce() public {
        vm.expectRevert(FaultDisputeGame.AlreadyInitialized.selector);
        game.initialize();
    }

    function checkConstructor(uint256 maxDepth, uint256 split, uint64 extension, uint64 maxClock, bytes4 reason) private {
        if (reason != 0) vm.expectRevert(reason);
        new FaultDisputeGame(
            GameConstructorParams(maxDepth, split, Duration.wrap(extension), Duration.wrap(maxClock))
        );
    }

    function test_attack11_unsoundDepthsAndClocksAreRefused() public {
        checkConstructor(126, 4, 0, 10, FaultDisputeGame.MaxDepthTooLarge.selector);
        checkConstructor(8, 1, 0, 10, FaultDisputeGame.InvalidSplitDepth.selector);
        // One level about executions would have no first move below it.
        checkConstructor(8, 7, 0, 10, FaultDisputeGame.InvalidSplitDepth.selector);
        checkConstructor(8, 8, 0, 10, FaultDisputeGame.InvalidSplitDepth.selector);
        checkConstructor(8, type(uint256).max, 0, 10, FaultDisputeGame.InvalidSplitDepth.selector);
        checkConstructor(8, 4, 6, 11, FaultDisputeGame.InvalidClockExtension.selector);
        checkConstructor(8, 4, type(uint64).max, type(uint64).max, FaultDisputeGame.InvalidClockExtension.selector);
        checkConstructor(125, 123, 5, 10, 0);
        checkConstructor(4, 2, 5, 10, 0);
    }

    /// @dev The extension before the last move contains the oracle's challenge period, which is known at creation.
    function test_extensionAndChallengePeriodFitIntoTheClock() public {
        uint64 maxClock = EXTENSION + CHALLENGE_PERIOD;
        register(
            new FaultDisputeGame(
                GameConstructorParams(MAX_DEPTH, SPLIT, Duration.wrap(EXTENSION), Duration.wrap(maxClock - 1))
            ),
            ""
        );
        checkNoGame(abi.encode(109), abi.encodeWithSelector(FaultDisputeGame.InvalidClockExtension.selector));
        register(
            new FaultDisputeGame(GameConstructorParams(MAX_DEPTH, SPLIT, Duration.wrap(EXTENSION), Duration.wrap(maxClock))),
            ""
        );
        create(ROOT, 109);
    }

    function test_anUnknownChainHasNoRoot() public {
        vm.expectRevert(FaultDisputeGame.UnknownChainId.selector);
        game.rootClaimByChainId(L2_CHAIN_ID + 1);
    }

    // Bonds.

    /// @dev Published figures for depth 73, and those of depth 8, from another implementation of the same arithmetic.
    function test_bondsAreThoseOfTheSpecification() public {
        FaultDisputeGame standard = new FaultDisputeGame(parameters(73, 30));
        uint24[6] memory low = [400_000, 437_970, 479_544, 525_065, 574_906, 990_612];
        uint8[6] memory lowDepths = [0, 1, 2, 3, 4, 10];
        for (uint256 i = 0; i < 6; i++) checkBond(standard, lowDepths[i], low[i]);
        checkBond(standard, 20, 2_453_285);
        checkBond(standard, 29, 5_548_909);
        checkBond(standard, 30, 6_075_639);
        checkBond(standard, 31, 6_652_370);
        checkBond(standard, 50, 37_263_190);
        checkBond(standard, 72, 273_991_351);
        checkBond(standard, 73, 299_999_999);
        uint32[9] memory ladder =
            [400_000, 915_045, 2_093_270, 4_788_593, 10_954_451, 25_059_550, 57_326_567, 131_141_031, 299_999_999];
        for (uint256 i = 0; i < 9; i++) checkBond(game, i, ladder[i]);
        vm.expectRevert(FaultDisputeGame.GameDepthExceeded.selector);
        game.getRequiredBond(Position.wrap(1 << 9));
        assertEq(game.getRequiredBond(Position.wrap(0)), 400_000 * 200 gwei, "no position");
    }

    function checkBond(FaultDisputeGame at, uint256 depth, uint256 gas) private view {
        assertEq(at.getRequiredBond(Position.wrap(uint128(1 << depth))), gas * 200 gwei, "leftmost");
        assertEq(at.getRequiredBond(Position.wrap(uint128((2 << depth) - 1))), gas * 200 gwei, "rightmost");
    }

    /// @dev To follow a rich opponent one level down costs the honest side little more than the opponent paid.
    function test_attack09_eachAnswerCostsAFixedFactor() public {
        FaultDisputeGame standard = new FaultDisputeGame(parameters(73, 30));
        uint256 sum = 0;
        for (uint256 depth = 0; depth < 73; depth++) {
            uint256 bond = standard.getRequiredBond(Position.wrap(uint128(1 << depth)));
            uint256 next = standard.getRequiredBond(Position.wrap(uint128(1 << (depth + 1))));
            assertTrue(next > bond && next * 1000 < bond * 1095, "about 9.5 % more");
            sum += bond;
        }
        assertTrue(sum > 630 ether && sum < 632 ether, "all levels above the last");
    }

    // Depth 125, as deep as positions go.

    function test_attack11_theDeepestGameIsPlayedAlongBothEdges() public {
        register(125, 60);
        game = create(ROOT, 200);
        uint256 left = attackDownTo(125, 0);
        assertEq(Position.unwrap(data(left).position), 1 << 125, "left edge");
        game.step(left, true, abi.encode(0), "");

        uint256 right = attack(honest, 0, someClaim(1000));
        for (uint256 depth = 2; depth <= 125; depth++) {
            bool isAttack = depth == 61 || depth == 62;
            Claim claim = depth == 61 ? someClaim(1061) : Claim.wrap(machine.hash(depth));
            right = move(depth % 2 == 1 ? honest : liar, right, claim, isAttack);
        }
        game.addLocalData(4, right, 0);
        vm.expectRevert(FaultDisputeGame.ValidStep.selector);
        game.step(right, true, abi.encode(124), "");
    }
}
