// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

/// @notice The cheat codes of forge that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function deal(address account, uint256 balance) external;
    function deployCode(string calldata artifact, bytes calldata arguments) external returns (address);
    function etch(address account, bytes calldata code) external;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getDeployedCode(string calldata artifact) external view returns (bytes memory);
    function getRecordedLogs() external returns (Log[] memory);
    function lastCallGas() external view returns (Gas memory);
    function load(address account, bytes32 slot) external view returns (bytes32);
    function prank(address sender) external;
    function prank(address sender, address origin) external;
    function recordLogs() external;
    function roll(uint256 number) external;
    function revertToState(uint256 snapshot) external returns (bool);
    function setBlockhash(uint256 number, bytes32 hash) external;
    function snapshotState() external returns (uint256);
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function startPrank(address sender, address origin) external;
    function stopPrank() external;
    function store(address account, bytes32 slot, bytes32 value) external;
    function warp(uint256 timestamp) external;
}

/// @notice What a test contract needs: cheat codes and comparisons that say what differs.
abstract contract Test {
    error Differs(string what, uint256 actual, uint256 expected);
    error DiffersBytes(string what, bytes actual, bytes expected);
    error Fails(string what);

    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    function assertTrue(bool condition, string memory what) internal pure {
        if (!condition) revert Fails(what);
    }

    function assertEq(uint256 actual, uint256 expected, string memory what) internal pure {
        if (actual != expected) revert Differs(what, actual, expected);
    }

    function assertEq(bytes32 actual, bytes32 expected, string memory what) internal pure {
        if (actual != expected) revert Differs(what, uint256(actual), uint256(expected));
    }

    function assertEq(address actual, address expected, string memory what) internal pure {
        assertEq(uint160(actual), uint160(expected), what);
    }

    function assertEq(bytes memory actual, bytes memory expected, string memory what) internal pure {
        if (keccak256(actual) != keccak256(expected)) revert DiffersBytes(what, actual, expected);
    }

    function assertEq(string memory actual, string memory expected, string memory what) internal pure {
        assertEq(bytes(actual), bytes(expected), what);
    }

    /// @dev An account without code that no test meets by chance.
    function account(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    /// @dev The only log since `recordLogs`.
    function onlyLog() internal returns (Vm.Log memory log) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "logs");
        log = logs[0];
    }

    /// @dev The data of a revert with a text.
    function text(string memory reason) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("Error(string)", reason);
    }
}
