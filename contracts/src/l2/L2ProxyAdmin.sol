// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { ProxyAdmin } from "../l1/ProxyAdmin.sol";

/// @title L2ProxyAdmin
/// @notice The admin of every predeploy's proxy: the same as on L1, compiled for the EVM of Bedrock. Its owner is in slot 0.
contract L2ProxyAdmin is ProxyAdmin {
    constructor(address _owner) ProxyAdmin(_owner) { }
}
