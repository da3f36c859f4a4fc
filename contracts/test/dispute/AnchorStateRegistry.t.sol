// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { AnchorStateRegistry } from "../../src/dispute/AnchorStateRegistry.sol";
import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Claim, GameType, Hash, Proposal } from "../../src/dispute/Types.sol";
import { Player } from "./Player.sol";

/// @notice Which games count, and the anchor.
contract AnchorStateRegistryTest is Player {
    function setUp() public {
        start(8, 4);
    }

    function finish() private {
        runOut();
        resolveAll();
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
    }

    function checkAnchor(bytes32 root, uint256 number) private view {
        (Hash r, uint256 n) = registry.getAnchorRoot();
        assertEq(Hash.unwrap(r), root, "root");
        assertEq(n, number, "number");
        (r, n) = registry.anchors(GameType.wrap(99));
        assertEq(Hash.unwrap(r), root, "by its older name");
        assertEq(n, number, "by its older name");
    }

    function refuse(FaultDisputeGame at) private {
        vm.expectRevert(AnchorStateRegistry.AnchorStateRegistry_InvalidAnchorGame.selector);
        registry.setAnchorState(at);
    }

    function test_aGameBecomesTheAnchorOnceItIsFinal() public {
        checkAnchor(Hash.unwrap(ANCHOR), ANCHOR_NUMBER);
        refuse(game);
        runOut();
        resolveAll();
        assertTrue(registry.isGameResolved(game) && !registry.isGameFinalized(game), "resolved");
        vm.warp(block.timestamp + FINALITY_DELAY);
        refuse(game);
        vm.warp(block.timestamp + 1);
        assertTrue(registry.isGameFinalized(game) && registry.isGameClaimValid(game), "valid");
        vm.recordLogs();
        registry.setAnchorState(game);
        assertEq(onlyLog().topics[1], bytes32(uint256(uint160(address(game)))), "told");
        checkAnchor(bytes32(uint256(0x0107)), L2_NUMBER);
        assertEq(registry.getStartingAnchorRoot().l2SequenceNumber, ANCHOR_NUMBER, "the first one");
        refuse(game);
        // New games start here.
        FaultDisputeGame next = create(someClaim(1), L2_NUMBER + 1);
        assertEq(next.startingBlockNumber(), L2_NUMBER, "start");
        assertEq(Hash.unwrap(next.startingRootHash()), bytes32(uint256(0x0107)), "start");
    }

    function test_attack12_aLostGameIsNoAnchor() public {
        attack(honest, 0, someClaim(1));
        finish();
        assertTrue(!registry.isGameClaimValid(game), "not valid");
        refuse(game);
    }

    function test_attack12_aBlacklistedGameIsNoAnchor() public {
        finish();
        vm.prank(guardian);
        registry.blacklistDisputeGame(game);
        assertTrue(registry.isGameBlacklisted(game) && !registry.isGameProper(game), "blacklisted");
        refuse(game);
    }

    function test_attack12_aRetiredGameIsNoAnchor() public {
        vm.prank(guardian);
        registry.updateRetirementTimestamp();
        FaultDisputeGame sameBlock = create(someClaim(1), L2_NUMBER);
        vm.warp(block.timestamp + 1);
        FaultDisputeGame later = create(someClaim(2), L2_NUMBER);
        assertTrue(registry.isGameRetired(game) && registry.isGameRetired(sameBlock), "up to this block");
        assertTrue(!registry.isGameRetired(later) && registry.isGameProper(later), "not the next");
        finish();
        refuse(game);
    }

    function test_attack12_aGameOfAnotherTypeIsNoAnchor() public {
        vm.prank(guardian);
        registry.setRespectedGameType(GameType.wrap(8));
        FaultDisputeGame later = create(someClaim(1), L2_NUMBER);
        assertTrue(registry.isGameRespected(game) && !registry.isGameRespected(later), "as at creation");
        game = later;
        finish();
        refuse(later);
        // It ends normally: only withdrawals do not rest on it.
        assertEq(payOut(proposer), INIT_BOND, "paid");
        checkAnchor(Hash.unwrap(ANCHOR), ANCHOR_NUMBER);
    }

    /// @dev Somebody's own contract that says of itself whatever is wanted is not in the factory.
    function test_attack12_aGameFromElsewhereIsNoAnchor() public {
        finish();
        address copy_ = account("copy");
        vm.etch(copy_, address(game).code);
        assertTrue(!registry.isGameRegistered(FaultDisputeGame(copy_)), "not registered");
        refuse(FaultDisputeGame(copy_));
    }

    function test_attack12_anOlderGameDoesNotMoveTheAnchorBack() public {
        FaultDisputeGame newer = create(someClaim(1), L2_NUMBER + 5);
        FaultDisputeGame older = game;
        finish();
        game = newer;
        resolveAll();
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        newer.closeGame();
        checkAnchor(Claim.unwrap(someClaim(1)), L2_NUMBER + 5);
        refuse(older);
        older.closeGame();
        checkAnchor(Claim.unwrap(someClaim(1)), L2_NUMBER + 5);
    }

    function test_aPauseStopsNewAnchors() public {
        finish();
        vm.prank(guardian);
        superchain.pause(address(portal));
        assertTrue(registry.paused() && !registry.isGameProper(game), "paused");
        refuse(game);
    }

    function test_onlyTheGuardianDecides() public {
        bytes4 reason = AnchorStateRegistry.AnchorStateRegistry_Unauthorized.selector;
        vm.expectRevert(reason);
        registry.setRespectedGameType(CANNON);
        vm.expectRevert(reason);
        registry.updateRetirementTimestamp();
        vm.expectRevert(reason);
        registry.blacklistDisputeGame(game);
    }

    function test_aLaterInitialisationReplacesTheAnchorByANewerOneOnly() public {
        finish();
        game.closeGame();
        checkRestart(ANCHOR, L2_NUMBER, true);
        // The same starting anchor changes nothing.
        checkRestart(ANCHOR, ANCHOR_NUMBER, false);
        checkAnchor(bytes32(uint256(0x0107)), L2_NUMBER);
        checkRestart(Hash.wrap(bytes32(uint256(9))), L2_NUMBER + 1, false);
        checkAnchor(bytes32(uint256(9)), L2_NUMBER + 1);
    }

    function checkRestart(Hash root, uint256 number, bool fails) private {
        // As a later version would find it: the version of the last initialisation, the first byte of storage, is lower.
        uint256 first = uint256(vm.load(address(registry), 0));
        assertEq(first & 0xff, 1, "version");
        vm.store(address(registry), 0, bytes32(first - 1));
        address implementation = admin.getProxyImplementation(address(registry));
        bytes memory call =
            abi.encodeCall(AnchorStateRegistry.initialize, (config, factory, Proposal(root, number), CANNON));
        if (fails) vm.expectRevert(text("Proxy: delegatecall to new implementation contract failed"));
        admin.upgradeAndCall(payable(address(registry)), implementation, call);
        vm.store(address(registry), 0, bytes32(first));
    }
}
