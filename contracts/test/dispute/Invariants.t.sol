// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Position } from "../../src/dispute/Position.sol";
import { Claim, Clock, Duration, GameStatus } from "../../src/dispute/Types.sol";
import { ClaimData, Player } from "./Player.sol";

/// @notice What holds in every game, whoever plays it how: random games by four players, resolved in random orders.
contract InvariantsTest is Player {
    uint256 private constant MAX_DEPTH = 7;
    uint256 private constant SPLIT = 3;
    uint256 private constant MOVES = 40;

    uint256 private seed;
    address[4] private players;
    uint256 private paidIn;

    function setUp() public {
        start(MAX_DEPTH, SPLIT);
        players = [proposer, honest, liar, guardian];
    }

    function random(uint256 below) private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed % below;
    }

    function depthOf(uint256 index) private view returns (uint256) {
        return data(index).position.depth();
    }

    /// @dev Time passes, sometimes until shortly before a clock runs out.
    function wait_() private {
        uint256 kind = random(6);
        if (kind < 3) vm.warp(block.timestamp + random(3 hours));
        else if (kind == 3) vm.warp(block.timestamp + random(1 days));
    }

    /// @dev What the side against a claim has used up: what it had at its last claim, which is the parent's, and the time since.
    function usedAgainst(uint256 index) private view returns (uint256 used) {
        ClaimData memory d = data(index);
        if (d.parentIndex != type(uint32).max) used = Clock.unwrap(data(d.parentIndex).clock) >> 64;
        used += block.timestamp - uint64(Clock.unwrap(d.clock));
        if (used > MAX_CLOCK) used = MAX_CLOCK;
    }

    /// @dev A move by somebody somewhere. Checks what it does to the clock.
    function moveSomewhere() private {
        uint256 parent = random(3) == 0 ? random(game.claimDataLen()) : game.claimDataLen() - 1;
        uint256 depth = depthOf(parent);
        if (depth == MAX_DEPTH) return;
        uint256 before = usedAgainst(parent);
        assertEq(Duration.unwrap(game.getChallengerDuration(parent)), before, "used up");
        if (before == MAX_CLOCK) return;
        bool isAttack = random(2) == 0 || parent == 0 || depth + 1 == SPLIT + 2;
        Claim claim = someClaim(random(2 ** 64));
        if (depth == SPLIT && !isAttack) claim = Claim.wrap(Claim.unwrap(claim) & ~bytes32(uint256(0xff) << 248));
        uint256 bond = bondOf(parent, isAttack);
        Claim disputed = data(parent).claim;
        address player = players[random(4)];
        vm.deal(player, bond);
        vm.prank(player, player);
        // The status of a defence at the split depth may be the wrong one; then there is no move.
        try game.move{ value: bond }(disputed, parent, claim, isAttack) { }
        catch {
            return;
        }
        paidIn += bond;
        checkClock(game.claimDataLen() - 1, before, depth + 1);
    }

    /// @dev A stored duration is what the side had used up, lowered only by the extension, and then to the maximum less it.
    function checkClock(uint256 index, uint256 before, uint256 depth) private view {
        uint256 extension = EXTENSION;
        if (depth == SPLIT - 1) extension = 2 * EXTENSION;
        if (depth == MAX_DEPTH - 1) extension = EXTENSION + CHALLENGE_PERIOD;
        uint256 stored = Clock.unwrap(data(index).clock) >> 64;
        if (before > MAX_CLOCK - extension) assertEq(stored, MAX_CLOCK - extension, "the maximum less the extension");
        else assertEq(stored, before, "as it was");
        assertEq(uint64(Clock.unwrap(data(index).clock)), block.timestamp, "and from now on");
    }

    /// @dev Somebody steps on some of the claims at the full depth, where the machine lets it.
    function stepSomewhere() private {
        for (uint256 i = 0; i < game.claimDataLen(); i++) {
            if (depthOf(i) != MAX_DEPTH || random(2) == 0) continue;
            vm.prank(players[random(4)]);
            try game.step(i, true, abi.encode(0), "") { } catch { }
        }
    }

    /// @dev Resolves claims in any order that the game allows, with or without parts.
    function resolveInSomeOrder() private {
        uint256 left = game.claimDataLen();
        while (left != 0) {
            uint256 index = random(game.claimDataLen());
            if (game.resolvedSubgames(index)) continue;
            try game.resolveClaim(index, random(3)) { } catch { }
            if (game.resolvedSubgames(index)) left--;
        }
        game.resolve();
    }

    function credits() private view returns (uint256[4] memory normal, uint256[4] memory refund) {
        for (uint256 i = 0; i < 4; i++) {
            normal[i] = game.normalModeCredit(players[i]);
            refund[i] = game.refundModeCredit(players[i]);
        }
    }

    function sum(uint256[4] memory values) private pure returns (uint256) {
        return values[0] + values[1] + values[2] + values[3];
    }

    function play(uint256 _seed) private {
        seed = _seed;
        paidIn = INIT_BOND;
        for (uint256 i = 0; i < MOVES; i++) {
            wait_();
            moveSomewhere();
        }
        stepSomewhere();
        runOut();
    }

    /// @dev Each subgame is won by the leftmost child that stands, or by who stepped; computed here from the claims alone.
    function checkWinners() private view {
        uint256 count = game.claimDataLen();
        for (uint256 i = 0; i < count; i++) {
            uint128 leftmost = type(uint128).max;
            address winner = address(0);
            for (uint256 child = i + 1; child < count; child++) {
                ClaimData memory d = data(child);
                if (d.parentIndex != i || d.counteredBy != address(0)) continue;
                if (Position.unwrap(d.position) >= leftmost) continue;
                leftmost = Position.unwrap(d.position);
                winner = d.claimant;
            }
            if (depthOf(i) != MAX_DEPTH) assertEq(data(i).counteredBy, winner, "winner of a subgame");
        }
        GameStatus expected =
            data(0).counteredBy == address(0) ? GameStatus.DEFENDER_WINS : GameStatus.CHALLENGER_WINS;
        assertTrue(game.status() == expected, "winner of the game");
    }

    function testFuzz_bondsAreConservedAndEachSubgameHasOneWinner(uint256 _seed) public {
        play(_seed);
        resolveInSomeOrder();
        checkWinners();
        (uint256[4] memory normal, uint256[4] memory refund) = credits();
        assertEq(sum(normal), paidIn, "the winners get what was paid");
        assertEq(sum(refund), paidIn, "as would those who paid");
        assertEq(weth.balanceOf(address(game)), paidIn, "it is there");

        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        bool refunds = random(2) == 0;
        if (refunds) {
            vm.prank(guardian);
            registry.blacklistDisputeGame(game);
        }
        for (uint256 i = 0; i < 4; i++) {
            uint256 due = refunds ? refund[i] : normal[i];
            vm.deal(players[i], 0);
            if (due != 0) assertEq(payOut(players[i]), due, "paid");
            else game.claimCredit(players[i]);
            vm.expectRevert(FaultDisputeGame.NoCreditToClaim.selector);
            game.claimCredit(players[i]);
        }
        assertEq(weth.balanceOf(address(game)), 0, "nothing is left");
        assertEq(address(game).balance, 0, "nor in the game");
    }

    /// @dev The same moves, resolved in two orders.
    function testFuzz_theOrderOfResolutionDoesNotMatter(uint256 _seed) public {
        play(_seed);
        uint256 state = vm.snapshotState();
        resolveAll();
        (uint256[4] memory one,) = credits();
        GameStatus status = game.status();
        bytes32 claims_ = claimsHash();
        vm.revertToState(state);
        seed = uint256(keccak256(abi.encode(_seed)));
        resolveInSomeOrder();
        (uint256[4] memory other,) = credits();
        assertEq(keccak256(abi.encode(one)), keccak256(abi.encode(other)), "credits");
        assertTrue(status == game.status(), "status");
        assertEq(claims_, claimsHash(), "claims");
    }

    function claimsHash() private view returns (bytes32 hash) {
        for (uint256 i = 0; i < game.claimDataLen(); i++) hash = keccak256(abi.encode(hash, data(i)));
    }
}
