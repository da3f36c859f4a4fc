// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @title L2ToL1MessagePasser
/// @notice Where withdrawals begin. An output root commits to this contract's storage, and L1 asks for a proof of one slot
///         of it, so the layout is fixed:
///
///     slot 0   hash of a withdrawal => whether it was sent
///     slot 1   number of withdrawals, 240 bits
contract L2ToL1MessagePasser {
    event MessagePassed(
        uint256 indexed nonce,
        address indexed sender,
        address indexed target,
        uint256 value,
        uint256 gasLimit,
        bytes data,
        bytes32 withdrawalHash
    );
    event WithdrawerBalanceBurnt(uint256 indexed amount);

    uint16 public constant MESSAGE_VERSION = 1;
    uint256 private constant RECEIVE_GAS_LIMIT = 100_000;

    mapping(bytes32 => bool) public sentMessages;
    uint240 private count;

    receive() external payable {
        initiateWithdrawal(msg.sender, RECEIVE_GAS_LIMIT, "");
    }

    /// @notice Removes from L2 what was withdrawn.
    function burn() external {
        uint256 amount = address(this).balance;
        emit WithdrawerBalanceBurnt(amount);
        new Burn{ value: amount }();
    }

    function initiateWithdrawal(address target, uint256 gasLimit, bytes memory data) public payable {
        uint256 nonce = messageNonce();
        bytes32 withdrawalHash = keccak256(abi.encode(nonce, msg.sender, target, msg.value, gasLimit, data));
        sentMessages[withdrawalHash] = true;
        emit MessagePassed(nonce, msg.sender, target, msg.value, gasLimit, data, withdrawalHash);
        unchecked {
            ++count;
        }
    }

    /// @notice The next withdrawal's nonce: its version in the first 16 bits, then its number.
    function messageNonce() public view returns (uint256) {
        return uint256(MESSAGE_VERSION) << 240 | count;
    }
}

/// @notice Takes what it is given out of existence.
contract Burn {
    constructor() payable {
        selfdestruct(payable(address(this)));
    }
}
