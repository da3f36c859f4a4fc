// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Proxy } from "../l1/Proxy.sol";

/// @title L2Proxy
/// @notice The proxy in front of a predeploy: the same as on L1, compiled for the EVM of Bedrock. On L2 the protocol itself
///         sends from the zero address, to upgrade predeploys.
contract L2Proxy is Proxy {
    constructor(address _admin) Proxy(_admin) { }
}
