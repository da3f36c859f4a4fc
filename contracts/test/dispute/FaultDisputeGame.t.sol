// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Position } from "../../src/dispute/Position.sol";
import {
    BondDistributionMode, Claim, Clock, Duration, GameStatus, GameType, Hash, Timestamp
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
}
