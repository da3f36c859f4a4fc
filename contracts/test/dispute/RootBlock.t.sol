// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { HeaderRLP } from "../../src/dispute/HeaderRLP.sol";
import { Claim, GameStatus, OutputRootProof } from "../../src/dispute/Types.sol";
import { Player } from "./Player.sol";

/// @notice Root claims whose output root belongs to another block than they say.
contract RootBlockTest is Player {
    address private other = account("other");

    function setUp() public {
        start(8, 4);
    }

    // Encoding, as far as headers need it.

    function string_(bytes memory data) private pure returns (bytes memory) {
        if (data.length == 1 && uint8(data[0]) < 0x80) return data;
        return abi.encodePacked(prefix(data.length, 0x80), data);
    }

    function prefix(uint256 length, uint256 kind) private pure returns (bytes memory) {
        if (length <= 55) return abi.encodePacked(uint8(kind + length));
        if (length <= 255) return abi.encodePacked(uint8(kind + 56), uint8(length));
        return abi.encodePacked(uint8(kind + 57), uint16(length));
    }

    function number_(uint256 value) private pure returns (bytes memory) {
        bytes memory data;
        for (; value != 0; value >>= 8) data = abi.encodePacked(uint8(value), data);
        return string_(data);
    }

    /// @dev A header with `number`, encoded, as its ninth item.
    function header(bytes memory number) private pure returns (bytes memory) {
        bytes memory items;
        for (uint256 i = 0; i < 8; i++) {
            // Hashes, an address, a bloom of 256 bytes, an empty string.
            bytes memory item = abi.encodePacked(keccak256(abi.encode(i)));
            if (i == 2) item = abi.encodePacked(address(0xc01));
            if (i == 6) item = new bytes(256);
            if (i == 7) item = "";
            items = abi.encodePacked(items, string_(item));
        }
        items = abi.encodePacked(items, number, number_(30_000_000), number_(21_000), number_(1_700_000_000), string_("extra"));
        return abi.encodePacked(prefix(items.length, 0xc0), items);
    }

    /// @dev A game about the output root of a block with that header.
    function claimWith(bytes memory encoded) private returns (OutputRootProof memory proof) {
        proof = OutputRootProof(0, keccak256("state"), keccak256("messages"), keccak256(encoded));
        game = create(Claim.wrap(keccak256(abi.encode(proof))), L2_NUMBER);
    }

    function check(bytes memory encoded, bytes4 reason) private {
        OutputRootProof memory proof = claimWith(encoded);
        vm.prank(other);
        if (reason != 0) vm.expectRevert(reason);
        game.challengeRootL2Block(proof, encoded);
        assertTrue(game.l2BlockNumberChallenged() == (reason == 0), "challenged");
    }

    function test_attack10_anotherNumberIsProven() public {
        check(header(number_(L2_NUMBER + 1)), 0);
        check(header(number_(0)), 0);
        check(header(number_(127)), 0);
        check(header(number_(128)), 0);
        check(header(number_(type(uint64).max)), 0);
        check(header(number_(type(uint256).max)), 0);
        assertEq(game.l2BlockNumberChallenger(), other, "challenger");
    }

    function test_attack10_theClaimedNumberIsRight() public {
        check(header(number_(L2_NUMBER)), FaultDisputeGame.BlockNumberMatches.selector);
        // Leading zeros are the same number; whoever built such a block has a wrong hash elsewhere.
        check(header(string_(abi.encodePacked(uint16(L2_NUMBER)))), FaultDisputeGame.BlockNumberMatches.selector);
    }

    function test_attack10_malformedHeadersAreRefused() public {
        bytes memory good = header(number_(5));
        check(header(string_(new bytes(33))), HeaderRLP.InvalidHeaderRLP.selector);
        check(header(abi.encodePacked(uint8(0xc1), uint8(5))), HeaderRLP.UnexpectedList.selector);
        check("", HeaderRLP.EmptyItem.selector);
        check(string_(new bytes(60)), HeaderRLP.UnexpectedString.selector);
        check(hex"05", HeaderRLP.UnexpectedString.selector);
        check(abi.encodePacked(good, uint8(0)), HeaderRLP.InvalidDataRemainder.selector);
        check(hex"c0", HeaderRLP.InvalidHeaderRLP.selector);
        check(hex"c80102030405060708", HeaderRLP.InvalidHeaderRLP.selector);
        check(hex"c90102030405060708", HeaderRLP.ContentLengthMismatch.selector);
        check(hex"f8", HeaderRLP.ContentLengthMismatch.selector);
        check(hex"f90001", HeaderRLP.InvalidHeader.selector);
        check(hex"f80101", HeaderRLP.InvalidHeader.selector);
        check(hex"ffffffffffffffffff01", HeaderRLP.ContentLengthMismatch.selector);
        // A single small byte has one encoding only.
        check(header(hex"8105"), HeaderRLP.InvalidHeader.selector);
        // A string of a length that reaches behind the list.
        check(hex"c90102030405060708b7", HeaderRLP.ContentLengthMismatch.selector);
    }

    /// @dev 33 items, more than any header has.
    function test_attack10_longListsAreRefused() public {
        bytes memory items;
        for (uint256 i = 0; i < 32; i++) items = abi.encodePacked(items, uint8(1));
        check(abi.encodePacked(prefix(32, 0xc0), items), 0);
        items = abi.encodePacked(items, uint8(1));
        check(abi.encodePacked(prefix(33, 0xc0), items), HeaderRLP.InvalidHeaderRLP.selector);
    }

    function test_attack10_onlyThePreimageOfTheClaimProves() public {
        bytes memory encoded = header(number_(5));
        OutputRootProof memory proof = claimWith(encoded);
        proof.version = bytes32(uint256(1));
        vm.expectRevert(FaultDisputeGame.InvalidOutputRootProof.selector);
        game.challengeRootL2Block(proof, encoded);
        proof.version = 0;
        vm.expectRevert(HeaderRLP.InvalidHeaderRLP.selector);
        game.challengeRootL2Block(proof, header(number_(6)));
        game.challengeRootL2Block(proof, encoded);
        vm.expectRevert(FaultDisputeGame.L2BlockNumberChallenged.selector);
        game.challengeRootL2Block(proof, encoded);
    }

    function test_attack10_theChallengerGetsTheRootsBondWhateverIsPlayed() public {
        bytes memory encoded = header(number_(5));
        OutputRootProof memory proof = claimWith(encoded);
        attack(honest, 0, someClaim(1));
        vm.prank(other);
        game.challengeRootL2Block(proof, encoded);

        uint256 bond = bondOf(0, true);
        Claim root = game.rootClaim();
        vm.deal(liar, bond);
        vm.prank(liar, liar);
        vm.expectRevert(FaultDisputeGame.L2BlockNumberChallenged.selector);
        game.attack{ value: bond }(root, 0, someClaim(2));

        attack(liar, 1, someClaim(3));
        runOut();
        resolveAll();
        assertTrue(game.status() == GameStatus.CHALLENGER_WINS, "status");
        assertEq(game.normalModeCredit(other), INIT_BOND, "bond of the root");
        assertEq(game.normalModeCredit(honest), 0, "not the attacker's");
    }

    /// @dev Between the resolution of the root and that of the game it comes too late: who gets the bond is decided.
    function test_attack10_aLateChallengeChangesNothing() public {
        bytes memory encoded = header(number_(5));
        OutputRootProof memory proof = claimWith(encoded);
        runOut();
        game.resolveClaim(0, 0);
        vm.prank(other);
        game.challengeRootL2Block(proof, encoded);
        assertTrue(game.resolve() == GameStatus.DEFENDER_WINS, "status");
        assertEq(game.normalModeCredit(other), 0, "no bond");
        assertEq(game.normalModeCredit(proposer), INIT_BOND, "paid once");
        vm.expectRevert(FaultDisputeGame.GameNotInProgress.selector);
        game.challengeRootL2Block(proof, encoded);
    }
}
