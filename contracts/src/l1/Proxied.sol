// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Owned } from "./Owned.sol";
import { ADMIN_SLOT } from "./Proxy.sol";

/// @title Proxied
/// @notice A contract that lives behind a proxy: initialised once for each version, and by nobody but those who administer
///         the proxy.
abstract contract Proxied {
    /// @notice The caller is not the owner of the proxy's admin.
    error ProxyAdminOwnedBase_NotProxyAdminOwner();
    /// @notice The caller is neither the proxy's admin nor its owner.
    error ProxyAdminOwnedBase_NotProxyAdminOrProxyAdminOwner();
    /// @notice The contract is not behind a proxy with an admin, nor behind a legacy one, which nothing here is.
    error ProxyAdminOwnedBase_NotResolvedDelegateProxy();
    /// @notice Versions count from 1.
    error ReinitializableBase_ZeroInitVersion();

    event Initialized(uint8 version);

    uint8 private immutable INIT_VERSION;

    /// @dev Version of the last initialisation; 0 before the first, 255 in an implementation, which must never have one.
    uint8 private _initialized;

    /// @dev Guards an `initialize`.
    modifier initializer() {
        require(_initialized < INIT_VERSION, "Initializable: contract is already initialized");
        _assertOnlyProxyAdminOrProxyAdminOwner();
        _initialized = INIT_VERSION;
        _;
        emit Initialized(INIT_VERSION);
    }

    constructor(uint8 _initVersion) {
        if (_initVersion == 0) revert ReinitializableBase_ZeroInitVersion();
        INIT_VERSION = _initVersion;
        _initialized = type(uint8).max;
        emit Initialized(type(uint8).max);
    }

    /// @notice The version that `initialize` sets.
    function initVersion() external view returns (uint8) {
        return INIT_VERSION;
    }

    /// @notice The admin of the proxy in front of this contract.
    function proxyAdmin() public view returns (address) {
        address admin;
        assembly ("memory-safe") {
            admin := sload(ADMIN_SLOT)
        }
        if (admin == address(0)) revert ProxyAdminOwnedBase_NotResolvedDelegateProxy();
        return admin;
    }

    /// @notice The owner of that admin.
    function proxyAdminOwner() public view returns (address) {
        return Owned(proxyAdmin()).owner();
    }

    function _assertOnlyProxyAdminOwner() internal view {
        if (msg.sender != proxyAdminOwner()) revert ProxyAdminOwnedBase_NotProxyAdminOwner();
    }

    function _assertOnlyProxyAdminOrProxyAdminOwner() internal view {
        if (msg.sender != proxyAdmin() && msg.sender != proxyAdminOwner()) {
            revert ProxyAdminOwnedBase_NotProxyAdminOrProxyAdminOwner();
        }
    }
}
