// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Claim, Hash } from "../../src/dispute/Types.sol";
import { IPreimageOracle } from "../../src/preimage/IPreimageOracle.sol";
import { PreimageKeys } from "../../src/preimage/PreimageKeys.sol";
import { IBigStepper } from "../../src/vm/IBigStepper.sol";
import { Player } from "./Player.sol";

/// @notice A machine whose program has ended, invalid.
contract Resting is IBigStepper {
    bytes public constant PREIMAGE = "ended";
    bytes32 public constant LAST = (keccak256(PREIMAGE) << 8 >> 8) | bytes32(uint256(1) << 248);

    IPreimageOracle public immutable oracle;

    constructor(IPreimageOracle _oracle) {
        oracle = _oracle;
    }

    function step(bytes calldata, bytes calldata, bytes32) external pure returns (bytes32) {
        return LAST;
    }
}

/// @notice Steps at the edges of a trace, and local data that belongs to another dispute. The trace of a dispute about one
///         block has 8 instructions here; the machine's state after instruction i is the number i + 1.
contract StepsTest is Player {
    uint256 private constant MAX_DEPTH = 8;
    uint256 private constant SPLIT = 4;

    function setUp() public {
        start(MAX_DEPTH, SPLIT);
    }

    function state(uint256 number) private view returns (Claim) {
        return Claim.wrap(machine.hash(number));
    }

    /// @dev Opens an execution below the leftmost leaf. Returns the first claim about it, by the honest side.
    function openExecution() private returns (uint256) {
        uint256 leaf = attackDownTo(SPLIT, 0);
        return attack(honest, leaf, someClaim(99));
    }

    /// @dev Goes down by attacks only, to the first instruction.
    function toTheFirst(Claim last) private returns (uint256 at) {
        at = openExecution();
        at = attack(liar, at, someClaim(6));
        at = attack(honest, at, someClaim(7));
        at = attack(liar, at, last);
    }

    /// @dev Goes down the right edge: every claim after the second is defended.
    function toTheLast(Claim second, Claim third, Claim fourth) private returns (uint256 at) {
        at = attack(liar, openExecution(), second);
        at = defend(honest, at, third);
        at = defend(liar, at, fourth);
    }

    function refuse(uint256 at, bool isAttack, uint256 number, bytes4 reason) private {
        vm.expectRevert(reason);
        game.step(at, isAttack, abi.encode(number), "");
    }

    function test_attack14_aWrongFirstInstructionIsCountered() public {
        uint256 at = toTheFirst(someClaim(8));
        refuse(at, true, 1, FaultDisputeGame.InvalidPrestate.selector);
        game.step(at, true, abi.encode(0), "");
        assertEq(data(at).counteredBy, address(this), "countered");
        refuse(at, true, 0, FaultDisputeGame.DuplicateStep.selector);
    }

    function test_attack14_aRightFirstInstructionStands() public {
        uint256 at = toTheFirst(state(1));
        refuse(at, true, 0, FaultDisputeGame.ValidStep.selector);
        // Nor does a defence counter it: from 1 the machine goes on to 2, and the claim above says something else, but that
        // is the other side's claim.
        refuse(at, false, 1, FaultDisputeGame.ValidStep.selector);
    }

    /// @dev The claim at the end of the right edge is about the last instruction but one; its defence is the last one, which
    ///      must lead to the first claim about the execution.
    function test_attack14_theLastInstructionLeadsToTheFirstClaim() public {
        uint256 at = toTheLast(state(4), state(6), state(7));
        // The first claim, by the honest side, is not where the machine goes from 7: the honest side cannot use a step.
        refuse(at, false, 7, FaultDisputeGame.ValidStep.selector);
        refuse(at, true, 6, FaultDisputeGame.ValidStep.selector);
    }

    function test_attack14_aLieBeforeTheLastInstructionIsCountered() public {
        uint256 at = toTheLast(state(4), state(6), state(8));
        refuse(at, false, 8, FaultDisputeGame.ValidStep.selector);
        game.step(at, true, abi.encode(6), "");
        assertEq(data(at).counteredBy, address(this), "countered");
    }

    /// @dev Behind its end a program stays in its last state, so claims about the rest of the trace repeat it, and a step from
    ///      it leads to itself. Whoever leaves it is countered, by an attack or by a defence.
    function test_attack14_theTraceIsExtendedPastTheEnd() public {
        Resting resting = new Resting(oracle);
        vm.etch(address(machine), address(resting).code);
        Claim last = Claim.wrap(resting.LAST());
        bytes memory preimage = resting.PREIMAGE();
        uint256 first = attack(honest, attackDownTo(SPLIT, 0), last);
        uint256 right = defend(honest, attack(liar, first, last), last);

        // It repeats the state; but the first claim, which it attacks, does so as well, and a step from it leads there.
        uint256 repeats = defend(liar, right, last);
        vm.expectRevert(FaultDisputeGame.ValidStep.selector);
        game.step(repeats, true, preimage, "");
        game.step(repeats, false, preimage, "");
        assertEq(data(repeats).counteredBy, address(this), "countered by a defence");

        uint256 leaves = defend(liar, right, someClaim(50));
        vm.expectRevert(FaultDisputeGame.InvalidPrestate.selector);
        game.step(leaves, false, preimage, "");
        game.step(leaves, true, preimage, "");
        assertEq(data(leaves).counteredBy, address(this), "countered by an attack");
    }

    // Local data.

    function localKey(uint256 ident, bytes32 context) private view returns (bytes32) {
        return PreimageKeys.localize(PreimageKeys.typed(PreimageKeys.LOCAL, bytes32(ident)), address(game), context);
    }

    /// @dev Two executions in one game, and one in another: what is loaded for one is not seen by the others.
    function test_attack13_localDataOfAnotherDisputeIsNotSeen() public {
        uint256 leaf = attackDownTo(SPLIT, 0);
        uint256 first = attack(honest, leaf, someClaim(60));
        uint256 other = defend(honest, leaf, Claim.wrap(bytes32(uint256(61))));
        game.addLocalData(3, first, 8);

        bytes32 context = keccak256(abi.encode(data(leaf).claim, data(leaf).position));
        (bytes32 word,) = oracle.readPreimage(localKey(3, context), 8);
        assertEq(word, Claim.unwrap(data(leaf).claim), "of the first");

        uint256 above = data(leaf).parentIndex;
        context = keccak256(abi.encode(data(leaf).claim, data(leaf).position, data(above).claim, data(above).position));
        vm.expectRevert(text("pre-image must exist"));
        oracle.readPreimage(localKey(3, context), 8);
        game.addLocalData(3, other, 8);
        (word,) = oracle.readPreimage(localKey(3, context), 8);
        assertEq(word, Claim.unwrap(data(above).claim), "of the second");

        FaultDisputeGame here = game;
        game = create(someClaim(70), L2_NUMBER);
        vm.expectRevert(text("pre-image must exist"));
        oracle.readPreimage(localKey(3, context), 8);
        assertTrue(address(here) != address(game), "another game");
    }

    /// @dev Nobody can load data in a game's name.
    function test_attack13_nobodyLoadsDataForAGame() public {
        uint256 at = openExecution();
        bytes32 context = keccak256(abi.encode(data(4).claim, data(4).position));
        oracle.loadLocalData(1, context, keccak256("forged"), 32, 8);
        vm.expectRevert(text("pre-image must exist"));
        oracle.readPreimage(localKey(1, context), 8);
        game.addLocalData(1, at, 8);
        (bytes32 word,) = oracle.readPreimage(localKey(1, context), 8);
        assertEq(word, Hash.unwrap(game.l1Head()), "the game's own");
    }
}
