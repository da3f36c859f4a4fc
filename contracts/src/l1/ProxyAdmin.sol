// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Owned } from "./Owned.sol";
import { Proxy } from "./Proxy.sol";

/// @dev What a proxy answers its admin. The proxy itself cannot declare it without effects, since it passes the same call of
///      anybody else on.
interface IProxyState {
    function admin() external view returns (address);
    function implementation() external view returns (address);
}

/// @title ProxyAdmin
/// @notice The admin of all proxies of a deployment. Every proxy is one of EIP-1967; the older kinds that the deployed
///         contract also knows do not occur in new deployments.
contract ProxyAdmin is Owned {
    constructor(address _owner) {
        _setOwner(_owner);
    }

    /// @notice The implementation behind a proxy.
    function getProxyImplementation(address _proxy) external view returns (address) {
        return IProxyState(_proxy).implementation();
    }

    /// @notice The admin of a proxy, which is this contract unless it was given away.
    function getProxyAdmin(address payable _proxy) external view returns (address) {
        return IProxyState(_proxy).admin();
    }

    /// @notice Gives a proxy to another admin.
    function changeProxyAdmin(address payable _proxy, address _newAdmin) external onlyOwner {
        Proxy(_proxy).changeAdmin(_newAdmin);
    }

    /// @notice Puts `_implementation` behind a proxy.
    function upgrade(address payable _proxy, address _implementation) external onlyOwner {
        Proxy(_proxy).upgradeTo(_implementation);
    }

    /// @notice The same, and calls it with `_data` in the same transaction.
    function upgradeAndCall(address payable _proxy, address _implementation, bytes calldata _data) external payable onlyOwner {
        Proxy(_proxy).upgradeToAndCall{ value: msg.value }(_implementation, _data);
    }
}
