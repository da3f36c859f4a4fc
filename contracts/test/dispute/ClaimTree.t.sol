// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Position } from "../../src/dispute/Position.sol";
import { Claim, Hash } from "../../src/dispute/Types.sol";
import { PreimageKeys } from "../../src/preimage/PreimageKeys.sol";
import { ClaimData, Player } from "./Player.sol";

/// @notice The game finds the claims before and after a claim without a search. Here they are searched for, as the specification
///         describes it, among the ancestors, in random games; and every claim must have the same execution, the same
///         pre-state and the same verdict by both.
contract ClaimTreeTest is Player {
    uint256 private constant MAX_DEPTH = 9;
    uint256 private constant SPLIT = 4;

    /// @dev The number in the state that an execution claim commits to, by the claim without its status.
    mapping(bytes32 => uint256) private numbers;
    uint256 private seed;

    function setUp() public {
        start(MAX_DEPTH, SPLIT);
    }

    function random(uint256 below) private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed % below;
    }

    function withStatus(bytes32 hash, uint256 status) private pure returns (Claim) {
        return Claim.wrap((hash << 8 >> 8) | bytes32(status << 248));
    }

    // The specification.

    function depthOf(uint256 position) private pure returns (uint256 depth) {
        while (position >> (depth + 1) != 0) depth++;
    }

    /// @dev The highest node that commits to the same trace index.
    function traceAncestor(uint256 position) private pure returns (uint256) {
        while (position > 1 && position % 2 == 1) position /= 2;
        return position;
    }

    /// @dev The same, but not above the first level about executions.
    function executionTraceAncestor(uint256 position) private pure returns (uint256 found) {
        found = traceAncestor(position);
        for (uint256 depth = depthOf(found); depth <= SPLIT; depth++) found = 2 * found + 1;
    }

    function positionOf(uint256 index) private view returns (uint256) {
        return Position.unwrap(data(index).position);
    }

    /// @dev The claim at a position, upwards from a claim.
    function search(uint256 index, uint256 position) private view returns (uint256) {
        while (positionOf(index) != position) index = data(index).parentIndex;
        return index;
    }

    /// @dev The claims about outputs around an execution; type(uint256).max stands for the anchor.
    function outputs(uint256 index) private view returns (uint256 starting, uint256 disputed) {
        uint256 execution = index;
        while (depthOf(positionOf(execution)) > SPLIT + 1) execution = data(execution).parentIndex;
        uint256 leaf = data(execution).parentIndex;
        uint256 position = positionOf(leaf);
        if (positionOf(execution) / 2 != position) return (leaf, search(leaf, traceAncestor(position + 1)));
        if (position == 1 << SPLIT) return (type(uint256).max, leaf);
        return (search(leaf, traceAncestor(position - 1)), leaf);
    }

    function contextOf(uint256 index) private view returns (bytes32) {
        (uint256 starting, uint256 disputed) = outputs(index);
        ClaimData memory after_ = data(disputed);
        if (starting == type(uint256).max) return keccak256(abi.encode(after_.claim, after_.position));
        ClaimData memory before = data(starting);
        return keccak256(abi.encode(before.claim, before.position, after_.claim, after_.position));
    }

    /// @dev The status that the first claim about an execution must have: 0, or 1 which stands for 1 and 2.
    function statusAllowed(uint256 leaf, bool isAttack) private view returns (uint256) {
        if (isAttack) return 1;
        uint256 next = search(leaf, traceAncestor(positionOf(leaf) + 1));
        return depthOf(positionOf(next)) % 2 == SPLIT % 2 ? 1 : 0;
    }

    // The game.

    /// @dev Makes a random move, which may be one that the game refuses.
    function moveSomewhere() private {
        uint256 parent = random(4) == 0 ? random(game.claimDataLen()) : game.claimDataLen() - 1;
        if (depthOf(positionOf(parent)) == MAX_DEPTH) return;
        bool isAttack = random(2) == 0;
        uint256 depth = data(parent).position.move(isAttack).depth();
        if (!isAttack && (parent == 0 || depth == SPLIT + 2)) return;

        uint256 number = random(5);
        Claim claim = withStatus(machine.hash(number), 3);
        numbers[Claim.unwrap(claim) << 8] = number;
        if (depth == SPLIT + 1) {
            uint256 status = statusAllowed(parent, isAttack);
            claim = withStatus(Claim.unwrap(claim), status * (1 + random(2)));
            checkRefused(parent, withStatus(Claim.unwrap(claim), 1 - status), isAttack);
            checkRefused(parent, withStatus(Claim.unwrap(claim), 3), isAttack);
        }
        bytes32 place = bytes32(positionOf(parent) * 2 + (isAttack ? 0 : 2 - 2 * (positionOf(parent) % 2)));
        if (game.claims(Hash.wrap(keccak256(abi.encode(claim, place << 128 | bytes32(parent)))))) return;
        move(random(2) == 0 ? honest : liar, parent, claim, isAttack);
    }

    function checkRefused(uint256 parent, Claim claim, bool isAttack) private {
        uint256 bond = bondOf(parent, isAttack);
        Claim disputed = data(parent).claim;
        vm.deal(address(this), bond);
        vm.expectRevert(abi.encodeWithSelector(FaultDisputeGame.UnexpectedRootClaim.selector, claim));
        game.move{ value: bond }(disputed, parent, claim, isAttack);
    }

    function checkExecution(uint256 index) private {
        (uint256 starting, uint256 disputed) = outputs(index);
        bytes32 context = contextOf(index);
        bytes32 root = starting == type(uint256).max ? Hash.unwrap(ANCHOR) : Claim.unwrap(data(starting).claim);
        checkLocal(index, 1, context, Hash.unwrap(game.l1Head()), 32);
        checkLocal(index, 2, context, root, 32);
        checkLocal(index, 3, context, Claim.unwrap(data(disputed).claim), 32);
        uint256 position = positionOf(disputed);
        // Follow the right edge down to the split depth; the leaf with index i is the block 1 + i after the anchor.
        while (position < 1 << SPLIT) position = 2 * position + 1;
        uint256 number = ANCHOR_NUMBER + 1 + position - (1 << SPLIT);
        checkLocal(index, 4, context, bytes32((number > L2_NUMBER ? L2_NUMBER : number) << 192), 8);
        checkLocal(index, 5, context, bytes32(L2_CHAIN_ID << 192), 8);
        vm.expectRevert(FaultDisputeGame.InvalidLocalIdent.selector);
        game.addLocalData(6, index, 8);
    }

    function checkLocal(uint256 index, uint256 ident, bytes32 context, bytes32 value, uint256 size) private {
        game.addLocalData(ident, index, 8);
        bytes32 key = PreimageKeys.typed(PreimageKeys.LOCAL, bytes32(ident));
        (bytes32 part, uint256 length) = oracle.readPreimage(PreimageKeys.localize(key, address(game), context), 8);
        assertEq(part, value, "local data");
        assertEq(length, size, "size of local data");
    }

    function checkStep(uint256 index, bool isAttack) private {
        uint256 position = positionOf(index);
        uint256 leftmost = (positionOf(index) >> (MAX_DEPTH - SPLIT - 1)) << (MAX_DEPTH - SPLIT - 1);
        bytes32 pre;
        uint256 postIndex = index;
        if (!isAttack) {
            pre = Claim.unwrap(data(index).claim);
            postIndex = search(index, executionTraceAncestor(position + 1));
        } else if (position == leftmost) {
            pre = Claim.unwrap(absolutePrestate);
        } else {
            pre = Claim.unwrap(data(search(index, executionTraceAncestor(position - 1))).claim);
        }
        uint256 number = numbers[pre << 8];

        vm.expectRevert(FaultDisputeGame.InvalidPrestate.selector);
        game.step(index, isAttack, abi.encode(number + 1), "");

        bool holds = machine.hash(number + 1) == Claim.unwrap(data(postIndex).claim);
        bool sameSide = (MAX_DEPTH - depthOf(positionOf(postIndex))) % 2 == 0;
        if (holds == sameSide) {
            vm.expectRevert(FaultDisputeGame.ValidStep.selector);
            game.step(index, isAttack, abi.encode(number), "");
            return;
        }
        if (data(index).counteredBy != address(0)) {
            vm.expectRevert(FaultDisputeGame.DuplicateStep.selector);
            game.step(index, isAttack, abi.encode(number), "");
            return;
        }
        vm.prank(honest);
        game.step(index, isAttack, abi.encode(number), "");
        assertEq(data(index).counteredBy, honest, "countered");
        assertEq(machine.lastContext(), contextOf(index), "context of the step");
    }

    function testFuzz_searchingFindsTheSameClaims(uint256 _seed) public {
        seed = _seed;
        for (uint256 i = 0; i < 60; i++) moveSomewhere();
        uint256 count = game.claimDataLen();
        for (uint256 i = 0; i < count; i++) {
            uint256 depth = depthOf(positionOf(i));
            if (depth <= SPLIT) {
                vm.expectRevert(FaultDisputeGame.ClaimAboveSplit.selector);
                game.addLocalData(1, i, 8);
            } else {
                checkExecution(i);
            }
            if (depth != MAX_DEPTH) {
                vm.expectRevert(FaultDisputeGame.InvalidParent.selector);
                game.step(i, true, "", "");
                continue;
            }
            checkStep(i, true);
            checkStep(i, false);
        }
    }

    /// @dev Every shape of path to the full depth, so that both edges and every turn are met.
    function test_searchingFindsTheSameClaimsOnEveryPath() public {
        for (uint256 path = 0; path < 1 << (MAX_DEPTH - 1); path += 3) {
            game = create(someClaim(path), L2_NUMBER);
            uint256 last = attack(honest, 0, someClaim(0));
            for (uint256 depth = 2; depth <= MAX_DEPTH; depth++) {
                bool isAttack = (path >> (depth - 2)) & 1 == 0 || depth == SPLIT + 2;
                Claim claim = withStatus(machine.hash(depth), depth == SPLIT + 1 ? statusAllowed(last, isAttack) : 3);
                numbers[Claim.unwrap(claim) << 8] = depth;
                last = move(depth % 2 == 0 ? liar : honest, last, claim, isAttack);
            }
            checkExecution(last);
            checkStep(last, true);
            checkStep(last, false);
        }
    }
}
