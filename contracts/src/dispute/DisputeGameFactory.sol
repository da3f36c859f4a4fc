// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { LibCWIA } from "solady/src/utils/legacy/LibCWIA.sol";

import { Owned } from "../l1/Owned.sol";
import { Proxied } from "../l1/Proxied.sol";
import { IDisputeGame } from "./IDisputeGame.sol";
import { Claim, GameId, GameType, Timestamp, packGameId, unpackGameId } from "./Types.sol";

/// @title DisputeGameFactory
/// @notice Creates dispute games and lists them. A game is a small proxy in front of the implementation of its type, with
///         its parameters behind its code; it appends them to the data of every call.
///
///     byte  0        20           52             84          88             88 + n
///          +---------+------------+--------------+-----------+--------------+---------------------+
///          | creator | root claim | hash of the  | game type | extra data   | arguments of the    |
///          |         |            | parent block | (*)       | (n bytes)    | implementation (*)  |
///          +---------+------------+--------------+-----------+--------------+---------------------+
///
/// What is marked (*) is there for types that have arguments. One combination of type, root claim and extra data exists once.
contract DisputeGameFactory is Proxied, Owned {
    /// @notice Nothing plays this type of game.
    error NoImplementation(GameType gameType);
    /// @notice The value sent is not the bond of this type.
    error IncorrectBondAmount();
    /// @notice The same game exists.
    error GameAlreadyExists(bytes32 uuid);

    event DisputeGameCreated(address indexed disputeProxy, GameType indexed gameType, Claim indexed rootClaim);
    event ImplementationSet(address indexed impl, GameType indexed gameType);
    event ImplementationArgsSet(GameType indexed gameType, bytes args);
    event InitBondUpdated(GameType indexed gameType, uint256 indexed newBond);

    /// @notice A game in a list, with what is read from the game itself.
    struct GameSearchResult {
        uint256 index;
        GameId metadata;
        Timestamp timestamp;
        Claim rootClaim;
        bytes extraData;
    }

    /// @notice Version of the interface this contract answers.
    string public constant version = "1.6.1";

    /// @notice What plays a type of game.
    mapping(GameType => IDisputeGame) public gameImpls;
    /// @notice The bond of a root claim, wei.
    mapping(GameType => uint256) public initBonds;
    /// @notice Arguments of an implementation, packed.
    mapping(GameType => bytes) public gameArgs;

    mapping(bytes32 uuid => GameId) private _games;
    GameId[] private _list;

    constructor() Proxied(1) { }

    /// @notice Sets the owner.
    function initialize(address _owner) external initializer {
        // The caller owns the contract for a moment, which the events tell.
        _setOwner(msg.sender);
        _setOwner(_owner);
    }

    /// @notice How many games there are.
    function gameCount() external view returns (uint256 gameCount_) {
        gameCount_ = _list.length;
    }

    /// @notice The game of that name; zeros where there is none.
    function games(
        GameType _gameType,
        Claim _rootClaim,
        bytes calldata _extraData
    )
        external
        view
        returns (IDisputeGame proxy_, Timestamp timestamp_)
    {
        address proxy;
        (, timestamp_, proxy) = unpackGameId(_games[getGameUUID(_gameType, _rootClaim, _extraData)]);
        proxy_ = IDisputeGame(proxy);
    }

    /// @notice The game at a place in the list, in order of creation.
    function gameAtIndex(uint256 _index)
        external
        view
        returns (GameType gameType_, Timestamp timestamp_, IDisputeGame proxy_)
    {
        address proxy;
        (gameType_, timestamp_, proxy) = unpackGameId(_list[_index]);
        proxy_ = IDisputeGame(proxy);
    }

    /// @notice Creates a game about `_rootClaim`, whose bond is the value sent.
    /// @dev    The parent block is in the game's parameters and thereby in its address: a reorganisation of L1 gives another
    ///         game, never the same address with other contents.
    function create(
        GameType _gameType,
        Claim _rootClaim,
        bytes calldata _extraData
    )
        external
        payable
        returns (IDisputeGame proxy_)
    {
        IDisputeGame implementation = gameImpls[_gameType];
        if (address(implementation) == address(0)) revert NoImplementation(_gameType);
        if (msg.value != initBonds[_gameType]) revert IncorrectBondAmount();
        bytes32 uuid = getGameUUID(_gameType, _rootClaim, _extraData);
        if (GameId.unwrap(_games[uuid]) != 0) revert GameAlreadyExists(uuid);

        proxy_ = IDisputeGame(
            LibCWIA.cloneDeterministic(address(implementation), _parameters(_gameType, _rootClaim, _extraData), uuid)
        );
        proxy_.initialize{ value: msg.value }();

        GameId id = packGameId(_gameType, Timestamp.wrap(uint64(block.timestamp)), address(proxy_));
        _games[uuid] = id;
        _list.push(id);
        emit DisputeGameCreated(address(proxy_), _gameType, _rootClaim);
    }

    /// @notice The name of a game. Neither its creator nor its arguments enter it.
    function getGameUUID(
        GameType _gameType,
        Claim _rootClaim,
        bytes calldata _extraData
    )
        public
        pure
        returns (bytes32 uuid_)
    {
        uuid_ = keccak256(abi.encode(_gameType, _rootClaim, _extraData));
    }

    /// @notice Up to `_n` games of a type, from the one at `_start` backwards. Empty where there is no such place.
    function findLatestGames(
        GameType _gameType,
        uint256 _start,
        uint256 _n
    )
        external
        view
        returns (GameSearchResult[] memory games_)
    {
        if (_start >= _list.length || _n == 0) return games_;
        uint256 most = _n <= _start ? _n : _start + 1;
        games_ = new GameSearchResult[](most);
        uint256 found = 0;
        for (uint256 i = _start + 1; i != 0 && found != most; i--) {
            GameId id = _list[i - 1];
            (GameType gameType, Timestamp timestamp, address proxy) = unpackGameId(id);
            if (GameType.unwrap(gameType) != GameType.unwrap(_gameType)) continue;
            IDisputeGame game = IDisputeGame(proxy);
            games_[found++] = GameSearchResult(i - 1, id, timestamp, game.rootClaim(), game.extraData());
        }
        assembly ("memory-safe") {
            // Fewer were found: shorten the array.
            mstore(games_, found)
        }
    }

    /// @notice Sets what plays a type of game, and leaves its arguments.
    function setImplementation(GameType _gameType, IDisputeGame _impl) external onlyOwner {
        _setImplementation(_gameType, _impl);
    }

    /// @notice Sets what plays a type of game, and its arguments.
    function setImplementation(GameType _gameType, IDisputeGame _impl, bytes calldata _args) external onlyOwner {
        _setImplementation(_gameType, _impl);
        gameArgs[_gameType] = _args;
        emit ImplementationArgsSet(_gameType, _args);
    }

    /// @notice Sets the bond of a root claim, wei.
    function setInitBond(GameType _gameType, uint256 _initBond) external onlyOwner {
        initBonds[_gameType] = _initBond;
        emit InitBondUpdated(_gameType, _initBond);
    }

    function _setImplementation(GameType gameType, IDisputeGame implementation) private {
        gameImpls[gameType] = implementation;
        emit ImplementationSet(address(implementation), gameType);
    }

    /// @dev What the new game finds behind its code.
    function _parameters(
        GameType gameType,
        Claim rootClaim,
        bytes calldata extraData
    )
        private
        view
        returns (bytes memory)
    {
        bytes32 parentHash = blockhash(block.number - 1);
        bytes memory arguments = gameArgs[gameType];
        if (arguments.length == 0) return abi.encodePacked(msg.sender, rootClaim, parentHash, extraData);
        return abi.encodePacked(msg.sender, rootClaim, parentHash, gameType, extraData, arguments);
    }
}
