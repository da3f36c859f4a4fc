// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { LargePreimages } from "../../src/preimage/LargePreimages.sol";
import { Leaf } from "../../src/preimage/LeafTree.sol";
import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { ProposalMetadata } from "../../src/preimage/ProposalMetadata.sol";
import { Vm } from "../Test.sol";
import { ProposalTest } from "./Proposal.sol";

/// @notice The life of large preimage proposals, honest and not. The least size here is 400 bytes, three blocks.
contract LargePreimagesTest is ProposalTest {
    uint256 private constant PERIOD = 86_400;
    uint256 private constant LENGTH = 1000;

    /// @dev Bonds are paid to this contract where it challenges.
    receive() external payable { }

    function setUp() public {
        vm.warp(1_700_000_000);
        vm.roll(777);
        oracle = new PreimageOracle(400, PERIOD);
        take(LENGTH);
    }

    function afterPeriod() private {
        vm.warp(block.timestamp + PERIOD + 1);
    }

    // What is right becomes a preimage.

    /// @dev The part, and how many of its bytes count, equal those of the same preimage loaded at once.
    function checkLoaded(uint256 offset) private {
        PreimageOracle direct = new PreimageOracle(400, PERIOD);
        direct.loadKeccak256PreimagePart(offset, preimage);
        (bytes32 wanted, uint256 wantedLength) = direct.readPreimage(key(), offset);
        (bytes32 data, uint256 length) = oracle.readPreimage(key(), offset);
        assertEq(data, wanted, "part");
        assertEq(length, wantedLength, "bytes that count");
        assertEq(oracle.preimageLengths(key()), preimage.length, "length");
    }

    function checkWhole(uint256 uuid, uint32 offset, uint256 chunk) private {
        propose(uuid, offset, chunk);
        afterPeriod();
        uint256 before = claimant.balance;
        squeeze(uuid);
        assertEq(claimant.balance - before, 0.25 ether, "the bond is back");
        checkLoaded(offset);
    }

    function test_attack18_everyKindOfPartOffsetIsLoaded() public {
        uint32[13] memory offsets = [uint32(0), 1, 4, 7, 8, 9, 40, 144, 300, 976, 999, 1006, 1007];
        for (uint256 i = 0; i < offsets.length; i++) checkWhole(i, offsets[i], 8);
    }

    function test_lengthsAroundTheEndOfABlock() public {
        for (uint256 length = 678; length <= 682; length++) {
            take(length);
            checkWhole(length, uint32(length + 7), 6);
            checkWhole(length + 1000, 8, 2);
        }
    }

    function test_manySmallCallsAndOneLargeAreTheSame() public {
        checkWhole(1, 8, 1);
        checkWhole(2, 8, 3);
        checkWhole(3, 8, 100);
        assertEq(oracle.proposalCount(), 3, "proposals");
        assertEq(oracle.proposalBlocksLen(claimant, 1), 8, "calls");
        assertEq(oracle.proposalBlocks(claimant, 1, 7), 777, "block of L1");
        (address who, uint256 uuid) = oracle.proposals(2);
        assertEq(who, claimant, "claimant");
        assertEq(uuid, 3, "uuid");
    }

    function metadataOf(uint256 uuid) private view returns (bytes32) {
        return ProposalMetadata.unwrap(oracle.proposalMetadata(claimant, uuid));
    }

    function test_treeAndMetadataAreThoseOfTheSpecification() public {
        begin(1, 40);
        assertEq(oracle.getTreeRootLPP(claimant, 1), empty(16), "empty");
        post(1, 0, 3);
        bytes32 metadata = metadataOf(1);
        assertEq(metadata, bytes32((uint256(40) << 160) | (uint256(1000) << 128) | (3 << 96) | (uint256(408) << 64)), "open");
        post(1, 3, 5);
        assertEq(oracle.getTreeRootLPP(claimant, 1), node(0, 16), "whole");
        metadata = metadataOf(1);
        uint256 word = (block.timestamp << 192) | (uint256(40) << 160) | (uint256(1000) << 128) | (8 << 96);
        assertEq(metadata, bytes32(word | (uint256(1000) << 64)), "finalized");
        for (uint256 i = 0; i < 16; i++) assertEq(oracle.zeroHashes(i), empty(i), "zero hash");
    }

    function test_eachCallIsLogged() public {
        begin(1, 8);
        bytes32[] memory some = commitmentsFrom(0, 2);
        bytes memory input = part(preimage, 0, 272);
        vm.recordLogs();
        vm.prank(claimant, claimant);
        oracle.addLeavesLPP(1, 0, input, some, false);
        Vm.Log memory log = onlyLog();
        assertEq(log.topics.length, 0, "anonymous");
        bytes memory call = abi.encodeCall(oracle.addLeavesLPP, (1, 0, input, some, false));
        assertEq(log.data, abi.encodePacked(claimant, call), "caller and calldata");
    }

    function test_aSqueezedProposalSqueezesAgainWithoutABond() public {
        checkWhole(1, 8, 8);
        uint256 before = claimant.balance;
        squeeze(1);
        assertEq(claimant.balance, before, "nothing is paid twice");
    }

    // Attack 17: what is wrong does not.

    /// @dev Makes the claim about one block wrong and proposes all.
    function proposeWrong(uint256 uuid, uint256 at) private {
        take(LENGTH);
        commitments[at] = keccak256("wrong");
        propose(uuid, 8, 3);
    }

    function test_attack17_aWrongStateIsChallengedAtAnyBlock() public {
        for (uint256 at = 0; at < 8; at++) {
            proposeWrong(at, at);
            uint256 before = address(this).balance;
            challenge(at, at);
            assertEq(address(this).balance - before, 0.25 ether, "the bond is the challenger's");
            assertEq(oracle.proposalBonds(claimant, at), 0, "and gone");
            afterPeriod();
            vm.expectRevert(LargePreimages.BadProposal.selector);
            oracle.squeezeLPP(claimant, at, matrix(6), leaf(6), new bytes32[](16), leaf(7), new bytes32[](16));
            // A second challenge finds no bond.
            before = address(this).balance;
            challenge(at, at);
            assertEq(address(this).balance, before, "once");
        }
    }

    function test_attack17_aRightStateCannotBeChallenged() public {
        propose(1, 8, 8);
        for (uint256 at = 0; at < 8; at++) {
            vm.expectRevert(LargePreimages.PostStateMatches.selector);
            this.challengeFor(1, at);
        }
    }

    function challengeFor(uint256 uuid, uint256 at) external {
        challenge(uuid, at);
    }

    function squeezeFor(uint256 uuid) external {
        squeeze(uuid);
    }

    function test_attack17_aChallengeIsPossibleBeforeTheEnd() public {
        commitments[2] = keccak256("wrong");
        begin(1, 8);
        post(1, 0, 5);
        // The tree holds five leaves only.
        bytes32[] memory all = commitments;
        while (commitments.length > 5) commitments.pop();
        challenge(1, 2);
        commitments = all;
        assertEq(oracle.proposalBonds(claimant, 1), 0, "paid");
    }

    function test_attack17_nothingIsFinalDuringTheChallengePeriod() public {
        begin(1, 8);
        post(1, 0, 5);
        vm.expectRevert(LargePreimages.ActiveProposal.selector);
        this.squeezeFor(1);
        post(1, 5, 3);
        vm.warp(block.timestamp + PERIOD);
        vm.expectRevert(LargePreimages.ActiveProposal.selector);
        this.squeezeFor(1);
        vm.warp(block.timestamp + 1);
        squeeze(1);
    }

    function test_attack17_proofsOfOtherLeavesAreRefused() public {
        propose(1, 8, 8);
        afterPeriod();
        bytes32[] memory bent = proof(7);
        bent[3] ^= bytes32(uint256(1));
        vm.expectRevert(LargePreimages.InvalidProof.selector);
        oracle.squeezeLPP(claimant, 1, matrix(6), leaf(6), proof(6), leaf(7), bent);
        vm.expectRevert(LargePreimages.InvalidProof.selector);
        oracle.squeezeLPP(claimant, 1, matrix(6), leaf(6), proof(7), leaf(7), proof(7));
        vm.expectRevert(LargePreimages.InvalidProof.selector);
        oracle.squeezeLPP(claimant, 1, matrix(6), leaf(6), new bytes32[](15), leaf(7), proof(7));
        vm.expectRevert(LargePreimages.InvalidPreimage.selector);
        oracle.squeezeLPP(claimant, 1, matrix(5), leaf(6), proof(6), leaf(7), proof(7));
        vm.expectRevert(LargePreimages.StatesNotContiguous.selector);
        oracle.squeezeLPP(claimant, 1, matrix(5), leaf(5), proof(5), leaf(7), proof(7));
        // Neighbours, but not the last ones.
        vm.expectRevert(LargePreimages.StatesNotContiguous.selector);
        oracle.squeezeLPP(claimant, 1, matrix(5), leaf(5), proof(5), leaf(6), proof(6));
        vm.expectRevert(LargePreimages.StatesNotContiguous.selector);
        oracle.challengeFirstLPP(claimant, 1, leaf(1), proof(1));
        vm.expectRevert(LargePreimages.InvalidProof.selector);
        oracle.challengeFirstLPP(claimant, 2, leaf(0), proof(0));
    }

    /// @dev A leaf whose bytes are cut elsewhere hashes alike only where the cut is the same, so an inner node is no leaf.
    function test_attack17_aNodeIsNoLeaf() public {
        propose(1, 8, 8);
        Leaf memory forged = Leaf("", uint256(node(0, 0)), node(1, 0));
        vm.expectRevert(LargePreimages.InvalidProof.selector);
        oracle.challengeFirstLPP(claimant, 1, forged, proof(0));
    }

    function checkInit(uint256 value, uint32 offset, uint32 size, bytes4 reason) private {
        vm.deal(claimant, value);
        vm.prank(claimant, claimant);
        vm.expectRevert(reason);
        oracle.initLPP{ value: value }(1, offset, size);
    }

    function test_attack17_unsoundBeginningsAreRefused() public {
        checkInit(0.25 ether - 1, 0, 1000, LargePreimages.InsufficientBond.selector);
        checkInit(0.25 ether, 408, 400, LargePreimages.PartOffsetOOB.selector);
        checkInit(0.25 ether, 0, 399, LargePreimages.InvalidInputSize.selector);
        vm.deal(address(this), 1 ether);
        vm.prank(claimant, claimant);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        oracle.initLPP{ value: 0.25 ether }(1, 0, type(uint32).max - 7);
        vm.prank(address(this), claimant);
        vm.expectRevert(LargePreimages.NotEOA.selector);
        oracle.initLPP{ value: 0.25 ether }(1, 0, 1000);
    }

    function test_attack17_aProposalBeginsOnce() public {
        begin(1, 8);
        checkInit(0.25 ether, 8, 1000, LargePreimages.AlreadyInitialized.selector);
        post(1, 0, 8);
        checkInit(0.25 ether, 8, 1000, LargePreimages.AlreadyInitialized.selector);
        afterPeriod();
        squeeze(1);
        checkInit(0.25 ether, 8, 1000, LargePreimages.AlreadyInitialized.selector);
    }

    function checkPost(uint256 first, uint256 length, uint256 count, bool last, bytes4 reason) private {
        bytes memory input = part(preimage, 0, length);
        bytes32[] memory some = new bytes32[](count);
        vm.prank(claimant, claimant);
        vm.expectRevert(reason);
        oracle.addLeavesLPP(1, first, input, some, last);
    }

    function test_attack17_unsoundBlocksAreRefused() public {
        checkPost(0, 136, 1, false, LargePreimages.NotInitialized.selector);
        begin(1, 500);
        checkPost(1, 136, 1, false, LargePreimages.WrongStartingBlock.selector);
        checkPost(0, 135, 1, false, LargePreimages.InvalidInputSize.selector);
        checkPost(0, 136, 2, false, LargePreimages.InvalidInputSize.selector);
        checkPost(0, 272, 1, false, LargePreimages.InvalidInputSize.selector);
        // With the padding a whole block is two.
        checkPost(0, 136, 1, true, LargePreimages.InvalidInputSize.selector);
        // Sizes fit each other, but not what was claimed.
        checkPost(0, 136, 2, true, LargePreimages.InvalidInputSize.selector);
        vm.prank(address(this), claimant);
        vm.expectRevert(LargePreimages.NotEOA.selector);
        oracle.addLeavesLPP(1, 0, "", new bytes32[](0), false);
    }

    function test_attack17_aPartMustLieWithinOneCall() public {
        begin(1, 8 + 380);
        // Bytes 380 to 411 of the preimage: the fourth block must come with the third.
        checkPost(0, 408, 3, false, LargePreimages.PartOffsetOOB.selector);
        begin(2, 8 + 376);
        bytes memory input = part(preimage, 0, 408);
        vm.prank(claimant, claimant);
        vm.expectRevert(LargePreimages.PartOffsetOOB.selector);
        oracle.addLeavesLPP(2, 0, input, new bytes32[](3), false);
        begin(3, 8 + 375);
        vm.prank(claimant, claimant);
        oracle.addLeavesLPP(3, 0, input, new bytes32[](3), false);
        bytes memory wanted = part(preimage, 375, 32);
        assertEq(oracle.proposalParts(claimant, 3), bytes32(wanted), "part");
    }

    function test_attack17_nothingFollowsTheEnd() public {
        propose(1, 8, 8);
        checkPost(8, 136, 1, false, LargePreimages.AlreadyFinalized.selector);
    }

    function test_attack17_theTreeDoesNotOverflow() public {
        vm.deal(claimant, 1 ether);
        vm.prank(claimant, claimant);
        oracle.initLPP{ value: 0.25 ether }(1, 0, type(uint32).max - 8);
        // 65,535 blocks fit. They are posted in large calls, whose content does not matter here.
        uint256 at = 0;
        for (; at + 4095 <= 65_535; at += 4095) postZeros(at, 4095);
        postZeros(at, 65_535 - at);
        vm.prank(claimant, claimant);
        vm.expectRevert(LargePreimages.TreeSizeOverflow.selector);
        oracle.addLeavesLPP(1, 65_535, new bytes(136), new bytes32[](1), false);
    }

    function postZeros(uint256 at, uint256 count) private {
        vm.prank(claimant, claimant);
        oracle.addLeavesLPP(1, at, new bytes(136 * count), new bytes32[](count), false);
    }

    function test_attack17_aReceiverThatRefusesTheBondStopsOnlyItself() public {
        vm.etch(claimant, "");
        propose(1, 8, 8);
        afterPeriod();
        vm.etch(claimant, hex"fe");
        vm.expectRevert(LargePreimages.BondTransferFailed.selector);
        this.squeezeFor(1);
    }
}
