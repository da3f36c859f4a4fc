// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

// Storage slots of EIP-1967: keccak256("eip1967.proxy.implementation") - 1 and keccak256("eip1967.proxy.admin") - 1.
bytes32 constant IMPLEMENTATION_SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
bytes32 constant ADMIN_SLOT = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;

/// @title Proxy
/// @notice Runs the code of its implementation on its own storage. Its admin, and a simulated call from the zero address,
///         talk to the proxy itself instead, so no function of an implementation can be mistaken for one of these.
contract Proxy {
    event Upgraded(address indexed implementation);
    event AdminChanged(address previousAdmin, address newAdmin);

    modifier forAdmin() {
        if (msg.sender == _load(ADMIN_SLOT) || msg.sender == address(0)) _;
        else _delegate();
    }

    constructor(address _admin) {
        _setAdmin(_admin);
    }

    receive() external payable {
        _delegate();
    }

    fallback() external payable {
        _delegate();
    }

    /// @notice Makes `_implementation` the code of this proxy.
    function upgradeTo(address _implementation) external forAdmin {
        _setImplementation(_implementation);
    }

    /// @notice The same, and then calls it with `_data`, so that nobody comes in between.
    function upgradeToAndCall(address _implementation, bytes calldata _data) external payable forAdmin returns (bytes memory) {
        _setImplementation(_implementation);
        (bool success, bytes memory answer) = _implementation.delegatecall(_data);
        require(success, "Proxy: delegatecall to new implementation contract failed");
        return answer;
    }

    /// @notice Makes `_admin` the admin.
    function changeAdmin(address _admin) external forAdmin {
        _setAdmin(_admin);
    }

    /// @notice The admin.
    function admin() external forAdmin returns (address) {
        return _load(ADMIN_SLOT);
    }

    /// @notice The implementation.
    function implementation() external forAdmin returns (address) {
        return _load(IMPLEMENTATION_SLOT);
    }

    function _setImplementation(address code) private {
        _store(IMPLEMENTATION_SLOT, code);
        emit Upgraded(code);
    }

    function _setAdmin(address newAdmin) private {
        emit AdminChanged(_load(ADMIN_SLOT), newAdmin);
        _store(ADMIN_SLOT, newAdmin);
    }

    function _load(bytes32 slot) private view returns (address value) {
        assembly ("memory-safe") {
            value := sload(slot)
        }
    }

    function _store(bytes32 slot, address value) private {
        assembly ("memory-safe") {
            sstore(slot, value)
        }
    }

    /// @dev Passes the call on as it came, and its answer back as it came. Does not return to the caller in this contract.
    function _delegate() private {
        address target = _load(IMPLEMENTATION_SLOT);
        require(target != address(0), "Proxy: implementation not initialized");
        assembly {
            // Memory from 0 is overwritten: no Solidity code runs after this.
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(success) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
