// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { L2ToL1MessagePasser } from "./L2ToL1MessagePasser.sol";
import { Predeploys } from "./Predeploys.sol";

/// @title FeeVault
/// @notice Collects one kind of fee until somebody sends it on to the recipient.
contract FeeVault {
    enum Network {
        L1,
        L2
    }

    event Withdrawal(uint256 value, address to, address from, Network network);

    error TooLittle();
    error Refused();

    uint256 private constant GAS_LIMIT = 400_000;

    address public immutable RECIPIENT;
    uint256 public immutable MIN_WITHDRAWAL_AMOUNT;
    Network public immutable WITHDRAWAL_NETWORK;

    uint256 public totalProcessed;

    constructor(address recipient, uint256 minWithdrawalAmount, Network network) {
        RECIPIENT = recipient;
        MIN_WITHDRAWAL_AMOUNT = minWithdrawalAmount;
        WITHDRAWAL_NETWORK = network;
    }

    receive() external payable { }

    function withdraw() external returns (uint256 value) {
        value = address(this).balance;
        if (value < MIN_WITHDRAWAL_AMOUNT) revert TooLittle();
        totalProcessed += value;
        emit Withdrawal(value, RECIPIENT, msg.sender, WITHDRAWAL_NETWORK);
        if (WITHDRAWAL_NETWORK == Network.L2) {
            (bool ok,) = RECIPIENT.call{ value: value }("");
            if (!ok) revert Refused();
        } else {
            L2ToL1MessagePasser passer = L2ToL1MessagePasser(payable(Predeploys.MESSAGE_PASSER));
            passer.initiateWithdrawal{ value: value }(RECIPIENT, GAS_LIMIT, "");
        }
    }
}
