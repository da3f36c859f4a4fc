// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { DisputeGameFactory } from "../../src/dispute/DisputeGameFactory.sol";
import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { IDisputeGame } from "../../src/dispute/IDisputeGame.sol";
import { PermissionedDisputeGame } from "../../src/dispute/PermissionedDisputeGame.sol";
import { Claim, GameId, GameType, Timestamp, packGameId, unpackGameId } from "../../src/dispute/Types.sol";
import { Vm } from "../Test.sol";
import { Player } from "./Player.sol";

/// @notice A game without arguments, which tells what stands behind its code.
contract Telling {
    bytes public behind;

    function initialize() external payable {
        behind = msg.data;
    }
}

/// @notice Creation, names and lists of games, and games with two players only.
contract DisputeGameFactoryTest is Player {
    function setUp() public {
        start(8, 4);
    }

    function createWith(GameType gameType, uint256 value, bytes memory reason) private {
        vm.deal(address(this), value);
        vm.expectRevert(reason);
        factory.create{ value: value }(gameType, ROOT, abi.encode(L2_NUMBER));
    }

    function test_creationIsRefusedInOrder() public {
        GameType unknown = GameType.wrap(77);
        createWith(unknown, 0, abi.encodeWithSelector(DisputeGameFactory.NoImplementation.selector, unknown));
        createWith(CANNON, INIT_BOND - 1, abi.encodeWithSelector(DisputeGameFactory.IncorrectBondAmount.selector));
        createWith(CANNON, INIT_BOND + 1, abi.encodeWithSelector(DisputeGameFactory.IncorrectBondAmount.selector));
        bytes32 uuid = keccak256(abi.encode(uint256(0), ROOT, uint256(96), uint256(32), L2_NUMBER));
        assertEq(factory.getGameUUID(CANNON, ROOT, abi.encode(L2_NUMBER)), uuid, "uuid");
        createWith(CANNON, INIT_BOND, abi.encodeWithSelector(DisputeGameFactory.GameAlreadyExists.selector, uuid));
    }

    /// @dev The first owner is the account that initialises, for a moment.
    function test_ownersAreTold() public {
        address payable another = proxy();
        vm.recordLogs();
        install(another, address(new DisputeGameFactory()), abi.encodeCall(DisputeGameFactory.initialize, (honest)));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[3] memory owners;
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != keccak256("OwnershipTransferred(address,address)")) continue;
            assertEq(logs[i].topics[1], owners[count], "from the last one");
            owners[++count] = logs[i].topics[2];
        }
        assertEq(count, 2, "events");
        assertEq(owners[1], bytes32(uint256(uint160(address(admin)))), "who initialises");
        assertEq(owners[2], bytes32(uint256(uint160(honest))), "who owns");
    }

    function test_creationIsTold() public {
        vm.deal(address(this), INIT_BOND);
        vm.recordLogs();
        IDisputeGame created = factory.create{ value: INIT_BOND }(CANNON, ROOT, abi.encode(L2_NUMBER + 1));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory log = logs[logs.length - 1];
        assertEq(log.topics[0], 0x5b565efe82411da98814f356d0e7bcb8f0219b8d970307c5afb4a6903a8b2e35, "event");
        assertEq(log.topics[1], bytes32(uint256(uint160(address(created)))), "proxy");
        assertEq(log.topics[2], bytes32(0), "type");
        assertEq(log.topics[3], Claim.unwrap(ROOT), "root claim");
        (IDisputeGame listed, Timestamp at) = factory.games(CANNON, ROOT, abi.encode(L2_NUMBER + 1));
        assertEq(address(listed), address(created), "listed");
        assertEq(Timestamp.unwrap(at), block.timestamp, "time");
        (listed, at) = factory.games(CANNON, ROOT, abi.encode(L2_NUMBER + 2));
        assertEq(address(listed), address(0), "no such game");
        vm.expectRevert();
        factory.gameAtIndex(2);
    }

    /// @dev The layouts, with and without arguments.
    function test_argumentsLieBehindTheCode() public {
        IDisputeGame telling = IDisputeGame(address(new Telling()));
        factory.setImplementation(GameType.wrap(5), telling);
        bytes memory head = abi.encodePacked(address(this), ROOT, blockhash(block.number - 1));
        address made = address(factory.create(GameType.wrap(5), ROOT, "extra"));
        bytes memory behind = abi.encodePacked(head, "extra");
        assertEq(
            Telling(made).behind(),
            abi.encodePacked(IDisputeGame.initialize.selector, behind, uint16(behind.length + 2)),
            "without arguments"
        );
        factory.setImplementation(GameType.wrap(6), telling, "arguments");
        made = address(factory.create(GameType.wrap(6), ROOT, "extra"));
        behind = abi.encodePacked(head, uint32(6), "extra", "arguments");
        assertEq(
            Telling(made).behind(),
            abi.encodePacked(IDisputeGame.initialize.selector, behind, uint16(behind.length + 2)),
            "with arguments"
        );
    }

    function testFuzz_attack01_packedFieldsAreReadBackWhole(uint32 gameType, uint64 time, address proxy_) public pure {
        GameId id = packGameId(GameType.wrap(gameType), Timestamp.wrap(time), proxy_);
        uint256 word = uint256(GameId.unwrap(id));
        assertEq(word, uint256(gameType) * 2 ** 224 + uint256(time) * 2 ** 160 + uint160(proxy_), "packed");
        (GameType t, Timestamp at, address p) = unpackGameId(id);
        assertEq(GameType.unwrap(t), gameType, "type");
        assertEq(Timestamp.unwrap(at), time, "time");
        assertEq(p, proxy_, "proxy");
    }

    function test_attack01_theLargestTypeIsNotTruncated() public {
        GameType largest = GameType.wrap(type(uint32).max);
        factory.setImplementation(largest, factory.gameImpls(CANNON), gameArguments());
        IDisputeGame made = factory.create(largest, ROOT, abi.encode(L2_NUMBER));
        assertEq(GameType.unwrap(made.gameType()), type(uint32).max, "of the game");
        (GameType listed,,) = factory.gameAtIndex(1);
        assertEq(GameType.unwrap(listed), type(uint32).max, "of the list");
        (GameType told,,) = made.gameData();
        assertEq(GameType.unwrap(told), type(uint32).max, "of its data");
        assertTrue(registry.isGameRegistered(made), "registered");
    }

    function checkFound(uint256 startAt, uint256 count, uint256[] memory numbers) private view {
        DisputeGameFactory.GameSearchResult[] memory found = factory.findLatestGames(CANNON, startAt, count);
        assertEq(found.length, numbers.length, "found");
        for (uint256 i = 0; i < found.length; i++) {
            assertEq(found[i].extraData, abi.encode(numbers[i]), "extra data");
            (,, IDisputeGame at) = factory.gameAtIndex(found[i].index);
            assertEq(Claim.unwrap(found[i].rootClaim), Claim.unwrap(at.rootClaim()), "root claim");
            (,, address proxy_) = unpackGameId(found[i].metadata);
            assertEq(proxy_, address(at), "metadata");
            assertEq(Timestamp.unwrap(found[i].timestamp), Timestamp.unwrap(at.createdAt()), "time");
        }
    }

    function list(uint256 a, uint256 b, uint256 c, uint256 count) private pure returns (uint256[] memory numbers) {
        numbers = new uint256[](count);
        uint256[3] memory all = [a, b, c];
        for (uint256 i = 0; i < count; i++) numbers[i] = all[i];
    }

    function test_latestGamesAreFoundBackwards() public {
        GameType another = GameType.wrap(3);
        factory.setImplementation(another, factory.gameImpls(CANNON), gameArguments());
        create(ROOT, 200);
        factory.create(another, ROOT, abi.encode(300));
        create(ROOT, 400);
        checkFound(3, 10, list(400, 200, L2_NUMBER, 3));
        checkFound(3, 2, list(400, 200, 0, 2));
        checkFound(2, 2, list(200, L2_NUMBER, 0, 2));
        checkFound(0, 5, list(L2_NUMBER, 0, 0, 1));
        checkFound(3, 0, list(0, 0, 0, 0));
        checkFound(4, 5, list(0, 0, 0, 0));
        checkFound(3, type(uint256).max, list(400, 200, L2_NUMBER, 3));
    }

    function test_onlyTheOwnerSets() public {
        IDisputeGame implementation = factory.gameImpls(CANNON);
        vm.startPrank(liar, liar);
        bytes memory reason = text("Ownable: caller is not the owner");
        vm.expectRevert(reason);
        factory.setImplementation(CANNON, implementation);
        vm.expectRevert(reason);
        factory.setImplementation(CANNON, implementation, "");
        vm.expectRevert(reason);
        factory.setInitBond(CANNON, 1);
        vm.stopPrank();
        factory.setImplementation(CANNON, IDisputeGame(address(1)));
        assertEq(factory.gameArgs(CANNON), gameArguments(), "arguments stay");
    }

    /// @dev A reorganisation of L1 gives the same proposal another address.
    function test_attack03_theParentBlockIsInTheAddress() public {
        assertTrue(blockhash(block.number - 1) != 0, "there is a parent");
        address predicted = address(create(ROOT, 500));
        vm.setBlockhash(block.number - 1, keccak256("another"));
        assertTrue(address(create(ROOT, 501)) != predicted, "another game");
        assertEq(bytes32(uint256(keccak256("another"))), blockhash(block.number - 1), "reorganised");
    }

    // Two players.

    function permissioned() private returns (PermissionedDisputeGame) {
        PermissionedDisputeGame implementation = new PermissionedDisputeGame(parameters(8, 4));
        register(implementation, abi.encodePacked(proposer, honest));
        return PermissionedDisputeGame(address(create(ROOT, 600)));
    }

    function test_onlyTheProposerStarts() public {
        PermissionedDisputeGame made = permissioned();
        assertEq(made.proposer(), proposer, "proposer");
        assertEq(made.challenger(), honest, "challenger");
        assertEq(made.version(), "2.4.0", "version");
        vm.deal(liar, INIT_BOND);
        vm.prank(liar, liar);
        vm.expectRevert(PermissionedDisputeGame.BadAuth.selector);
        factory.create{ value: INIT_BOND }(CANNON, ROOT, abi.encode(601));
    }

    function test_onlyTheTwoPlayersPlay() public {
        game = permissioned();
        uint256 bond = bondOf(0, true);
        vm.deal(liar, bond);
        vm.startPrank(liar, liar);
        vm.expectRevert(PermissionedDisputeGame.BadAuth.selector);
        game.attack{ value: bond }(ROOT, 0, someClaim(1));
        vm.expectRevert(PermissionedDisputeGame.BadAuth.selector);
        game.defend{ value: bond }(ROOT, 0, someClaim(1));
        vm.expectRevert(PermissionedDisputeGame.BadAuth.selector);
        game.move{ value: bond }(ROOT, 0, someClaim(1), true);
        vm.expectRevert(PermissionedDisputeGame.BadAuth.selector);
        game.step(0, true, "", "");
        vm.stopPrank();
        attack(honest, 0, someClaim(1));
        attack(proposer, 1, someClaim(2));
        // Resolving is open to all.
        runOut();
        resolveAll();
    }
}
