// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Position } from "../../src/dispute/Position.sol";
import { Claim, Clock } from "../../src/dispute/Types.sol";
import { CountingMachine } from "./CountingMachine.sol";
import { Deployment } from "./Deployment.sol";

/// @notice A claim as the game tells it.
struct ClaimData {
    uint32 parentIndex;
    address counteredBy;
    address claimant;
    uint128 bond;
    Claim claim;
    Position position;
    Clock clock;
}

/// @notice Plays games: moves with the right bond, reads claims, resolves from the bottom up.
abstract contract Player is Deployment {
    CountingMachine internal machine;
    FaultDisputeGame internal game;

    /// @dev A system with a counting machine and one game.
    function start(uint256 maxDepth, uint256 splitDepth) internal {
        deploySystem();
        machine = new CountingMachine(oracle);
        stepper = machine;
        absolutePrestate = Claim.wrap(machine.hash(0));
        register(maxDepth, splitDepth);
        game = create(ROOT, L2_NUMBER);
    }

    function data(uint256 index) internal view returns (ClaimData memory d) {
        (d.parentIndex, d.counteredBy, d.claimant, d.bond, d.claim, d.position, d.clock) = game.claimData(index);
    }

    function bondOf(uint256 parent, bool isAttack) internal view returns (uint256) {
        return game.getRequiredBond(data(parent).position.move(isAttack));
    }

    /// @dev A claim that nobody makes twice, with the status that opens an execution by attack.
    function someClaim(uint256 seed) internal pure returns (Claim) {
        return Claim.wrap((keccak256(abi.encode("claim", seed)) << 8 >> 8) | bytes32(uint256(1) << 248));
    }

    /// @dev Moves and returns the index of the new claim.
    function move(address player, uint256 parent, Claim claim, bool isAttack) internal returns (uint256) {
        uint256 bond = bondOf(parent, isAttack);
        Claim disputed = data(parent).claim;
        vm.deal(player, player.balance + bond);
        vm.prank(player, player);
        game.move{ value: bond }(disputed, parent, claim, isAttack);
        return game.claimDataLen() - 1;
    }

    function attack(address player, uint256 parent, Claim claim) internal returns (uint256) {
        return move(player, parent, claim, true);
    }

    function defend(address player, uint256 parent, Claim claim) internal returns (uint256) {
        return move(player, parent, claim, false);
    }

    /// @dev Attacks from a claim down to a depth, the honest side at odd depths and the liar at even ones. Returns the last
    ///      claim.
    function attackDownTo(uint256 depth, uint256 from) internal returns (uint256 last) {
        last = from;
        for (uint256 at = data(from).position.depth(); at < depth; at++) {
            last = attack(at % 2 == 0 ? honest : liar, last, someClaim(at + 1));
        }
    }

    /// @dev Lets all clocks run out.
    function runOut() internal {
        vm.warp(block.timestamp + MAX_CLOCK);
    }

    /// @dev Resolves all claims from the last to the first and the game.
    function resolveAll() internal {
        for (uint256 i = game.claimDataLen(); i != 0; i--) {
            if (!game.resolvedSubgames(i - 1)) game.resolveClaim(i - 1, 0);
        }
        game.resolve();
    }

    /// @dev Closes the game, which must be final, and pays an account in its two steps. Returns what it got.
    function payOut(address player) internal returns (uint256) {
        game.claimCredit(player);
        vm.warp(block.timestamp + WETH_DELAY);
        uint256 before = player.balance;
        game.claimCredit(player);
        return player.balance - before;
    }
}
