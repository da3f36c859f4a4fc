// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Claim } from "../../src/dispute/Types.sol";
import { IBigStepper } from "../../src/vm/IBigStepper.sol";
import { Encode, Machine, MachineTest } from "../vm/Machine.sol";
import { Player } from "./Player.sol";

/// @notice A real machine before an addition: its state, the proof of the step, and the hash of the state before.
contract Addition is MachineTest {
    bytes public state;
    bytes public proof;
    bytes32 public hash;

    constructor() {
        Machine memory m = machine(Encode.r(0x20, 8, 9, 10, 0));
        state = packState(m);
        hash = stateHash(m);
        bytes memory used = stepProof(m, 0, "");
        // Behind the thread and the instruction, what the step does not use is zero.
        proof = abi.encodePacked(cut(used, 330 + 1920), new bytes(2 * 1920));
    }

    function cut(bytes memory long, uint256 length) private pure returns (bytes memory) {
        assembly ("memory-safe") {
            mstore(long, length)
        }
        return long;
    }
}

/// @notice Records what each transaction of a game costs: depth 73, split at 30, the machine's real verifier, every contract
///         behind its proxy. The figures are those of whole transactions, with the fixed cost and that of the data, everything
///         cold. `atMost` is what the deployed contracts take, or less where we ask more of ours.
contract DisputeGasTest is Player {
    uint256 private constant MAX_DEPTH = 73;
    uint256 private constant SPLIT = 30;

    Addition private addition;

    function setUp() public {
        deploySystem();
        addition = new Addition();
        stepper = IBigStepper(vm.deployCode("MIPS64.sol:MIPS64", abi.encode(oracle, 7)));
        absolutePrestate = someClaim(0);
        register(MAX_DEPTH, SPLIT);
        // Accounts that exist, as those of players do.
        vm.deal(honest, 1 ether);
        vm.deal(liar, 1 ether);
        // A first game, so that the lists are not empty.
        create(someClaim(1), L2_NUMBER);
    }

    /// @dev Records the gas of the last call, a transaction of its own.
    function record(string memory name, uint256 atMost) private {
        uint256 used = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("DisputeGame", name, used);
        assertTrue(used <= atMost, string.concat(name, " takes more gas than allowed"));
    }

    /// forge-config: default.isolate = true
    function test_gasOfAGame() public {
        game = create(ROOT, L2_NUMBER);
        record("create", 450_000);
        vm.warp(block.timestamp + 600);

        uint256 last = played("attack, first move of an account", honest, 0, true, 259_000);
        last = attack(liar, last, someClaim(2));
        last = played("attack", honest, last, true, 242_000);
        last = played("defend", liar, last, false, 242_000);
        last = attackDownTo(50, last);
        last = attack(honest, last, Claim.wrap(addition.hash()));
        last = attackDownTo(MAX_DEPTH - 2, defend(liar, last, someClaim(52)));
        last = played("attack above the last level", liar, last, true, 259_000);
        last = played("attack at the last level", honest, last, true, 242_000);
        stepAndLoad(last);
        resolution(last);
    }

    function played(string memory name, address player, uint256 parent, bool isAttack, uint256 atMost) private returns (uint256 index) {
        uint256 bond = bondOf(parent, isAttack);
        Claim disputed = data(parent).claim;
        index = game.claimDataLen();
        vm.deal(player, player.balance + bond);
        vm.prank(player, player);
        game.move{ value: bond }(disputed, parent, someClaim(1000 + index), isAttack);
        record(name, atMost);
    }

    function stepAndLoad(uint256 last) private {
        game.addLocalData(1, last, 0);
        record("addLocalData", 316_000);

        // The addition does not lead from the claim at depth 51 to the last one.
        bytes memory state = addition.state();
        bytes memory proof = addition.proof();
        vm.prank(liar, liar);
        game.step(last, true, state, proof);
        record("step of an addition", 250_000);
    }

    function resolution(uint256 last) private {
        // Another child of the first claim's child, so that one claim has two.
        uint256 sibling = defend(honest, 2, someClaim(100));
        runOut();
        game.resolveClaim(last, 0);
        record("resolveClaim of a leaf", 71_000);
        for (uint256 i = last - 1; i >= 3; i--) {
            game.resolveClaim(i, 0);
        }
        game.resolveClaim(sibling, 0);
        game.resolveClaim(2, 0);
        record("resolveClaim with two children", 136_000);
        game.resolveClaim(1, 0);
        game.resolveClaim(0, 0);
        game.resolve();
        record("resolve", 37_000);
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        game.closeGame();
        record("closeGame", 137_000);
        payments();
    }

    function payments() private {
        game.claimCredit(honest);
        record("claimCredit, first call", 105_000);
        vm.warp(block.timestamp + WETH_DELAY);
        game.claimCredit(honest);
        // The deployed contracts take 96,540 here.
        record("claimCredit, second call, every pause asked for", 96_500);
    }

    /// @dev The payment as the deployed contracts' 66,000 were measured: the recipient sends the transaction, and the source of
    ///      pauses answers at once instead of through two proxies. Theirs take 66,009 here.
    /// forge-config: default.isolate = true
    function test_gasOfAPayment() public {
        game = create(ROOT, L2_NUMBER);
        runOut();
        resolveAll();
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        game.closeGame();
        vm.startPrank(proposer, proposer);
        game.claimCredit(proposer);
        vm.warp(block.timestamp + WETH_DELAY);
        // returns one word of zeros
        vm.etch(address(config), hex"60205ff3");
        game.claimCredit(proposer);
        vm.stopPrank();
        record("claimCredit, second call", 66_000);
    }

    /// forge-config: default.isolate = true
    function test_gasOfAnUncontestedGame() public {
        game = create(ROOT, L2_NUMBER);
        runOut();
        game.resolveClaim(0, 0);
        record("resolveClaim of an uncontested root", 136_000);
        game.resolve();
        vm.warp(block.timestamp + FINALITY_DELAY + 1);
        game.closeGame();
        record("closeGame, first anchor", 137_000);
    }
}
