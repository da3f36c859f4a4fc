// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @title Traffic
/// @notice Does what contracts do, on request: the devnet's generated load calls it.
contract Traffic {
    event Worked(address indexed caller, uint256 indexed seed, bytes note);

    error Asked();

    mapping(uint256 => uint256) public slots;
    uint256 public created;

    /// @notice Writes `count` slots from `seed` on, clears as many that an earlier seed wrote, and logs.
    function store(uint256 seed, uint256 count) external {
        for (uint256 i = 0; i < count; i++) {
            uint256 slot = uint256(keccak256(abi.encode(seed, i))) % 4096;
            slots[slot] = slots[slot] == 0 ? seed + i + 1 : 0;
        }
        emit Worked(msg.sender, seed, abi.encode(count));
    }

    /// @notice Calls a precompiled contract and keeps a hash of its answer. That it fails is an answer too.
    function precompile(address target, uint256 gasLimit, bytes calldata input) external {
        (bool ok, bytes memory output) = target.call{ gas: gasLimit }(input);
        slots[uint160(target)] = uint256(keccak256(abi.encode(ok, output)));
        emit Worked(msg.sender, uint160(target), output);
    }

    /// @notice Creates a contract, at an address that depends on `salt` or on how many there are.
    function create(uint256 salt) external payable returns (address child) {
        child = salt % 2 == 0
            ? address(new Child{ value: msg.value }(salt))
            : address(new Child{ value: msg.value, salt: keccak256(abi.encode(salt, created)) }(salt));
        created++;
        if (salt % 3 == 0) Child(payable(child)).end(payable(msg.sender));
    }

    /// @notice Reads what the block says of itself and of those before it.
    function look(uint256 back) external {
        slots[0] = uint256(
            keccak256(
                abi.encode(
                    block.timestamp, block.number, block.basefee, block.prevrandao, block.coinbase, block.gaslimit,
                    blockhash(block.number - 1 - back % 4), tx.gasprice, address(msg.sender).codehash
                )
            )
        );
    }

    /// @notice Takes any data and remembers its hash.
    function note(bytes calldata data) external {
        slots[1] = uint256(keccak256(data));
        emit Worked(msg.sender, data.length, "");
    }

    /// @notice Writes, and then takes it back.
    function fail(uint256 seed) external {
        slots[seed % 4096] = seed;
        revert Asked();
    }
}

/// @notice Made by `Traffic`: keeps a number until it is told to end.
contract Child {
    uint256 public number;

    constructor(uint256 initial) payable {
        number = initial;
    }

    function end(address payable heir) external {
        selfdestruct(heir);
    }
}
