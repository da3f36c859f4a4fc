// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Proxied } from "./Proxied.sol";
import { SuperchainConfig } from "./SuperchainConfig.sol";
import { SystemConfig } from "./SystemConfig.sol";

/// @notice What a portal asks of the registry of its dispute games.
interface IRegistry {
    function disputeGameFactory() external view returns (address);
    function respectedGameType() external view returns (uint32);
    function retirementTimestamp() external view returns (uint64);
    function disputeGameBlacklist(address game) external view returns (bool);
    function disputeGameFinalityDelaySeconds() external view returns (uint256);
}

/// @title OptimismPortal
/// @notice The half of the portal that the fault proof depends on: deposits, which the L2 derives from the event, and where
///         the chain's dispute games are found. It proves and finalises no withdrawals, so it is for development networks
///         and takes the place of the deployed portal in nothing else. Deposits of L2 gas are not metered.
contract OptimismPortal is Proxied {
    /// @notice The value sent is not the value to be deposited.
    error OptimismPortal_InsufficientDeposit();
    /// @notice A contract creation names a target.
    error OptimismPortal_BadTarget();
    /// @notice The gas limit does not pay for the data.
    error OptimismPortal_GasLimitTooLow();
    /// @notice The data is longer than nodes pass on.
    error OptimismPortal_CalldataTooLarge();

    event TransactionDeposited(address indexed from, address indexed to, uint256 indexed version, bytes opaqueData);

    uint256 private constant DEPOSIT_VERSION = 0;
    uint256 private constant MAX_DATA_BYTES = 120_000;
    uint64 private constant RECEIVE_GAS_LIMIT = 100_000;
    /// @dev Added to a contract's address, so that it cannot pose on L2 as whoever has the same address there.
    uint160 private constant ALIAS_OFFSET = uint160(0x1111000000000000000000000000000000001111);

    uint256 private immutable PROOF_MATURITY_DELAY_SECONDS;

    /// @notice The chain's parameters.
    SystemConfig public systemConfig;
    /// @notice The registry of the chain's dispute games.
    IRegistry public anchorStateRegistry;
    /// @notice Where deposited ether lies, or zero where it lies here.
    address public ethLockbox;

    /// @param _proofMaturityDelaySeconds Seconds between the proof of a withdrawal and its end.
    constructor(uint256 _proofMaturityDelaySeconds) Proxied(3) {
        PROOF_MATURITY_DELAY_SECONDS = _proofMaturityDelaySeconds;
    }

    /// @notice Sets what the portal works with.
    function initialize(SystemConfig _systemConfig, IRegistry _anchorStateRegistry, address _ethLockbox) external initializer {
        systemConfig = _systemConfig;
        anchorStateRegistry = _anchorStateRegistry;
        ethLockbox = _ethLockbox;
    }

    /// @notice Ether sent without data is deposited to the sender's account on L2.
    receive() external payable {
        depositTransaction(msg.sender, msg.value, RECEIVE_GAS_LIMIT, false, "");
    }

    /// @notice Takes ether without a deposit.
    function donateETH() external payable { }

    /// @notice Deposits a transaction, which the L2 must execute. The ether sent is minted there to the sender.
    /// @param _to The target, zero for a creation.
    /// @param _value The value of the transaction on L2, which is the ether sent.
    function depositTransaction(
        address _to,
        uint256 _value,
        uint64 _gasLimit,
        bool _isCreation,
        bytes memory _data
    )
        public
        payable
    {
        if (msg.value != _value) revert OptimismPortal_InsufficientDeposit();
        if (_isCreation && _to != address(0)) revert OptimismPortal_BadTarget();
        if (_gasLimit < minimumGasLimit(uint64(_data.length))) revert OptimismPortal_GasLimitTooLow();
        if (_data.length > MAX_DATA_BYTES) revert OptimismPortal_CalldataTooLarge();

        bytes memory opaqueData = abi.encodePacked(msg.value, _value, _gasLimit, _isCreation, _data);
        emit TransactionDeposited(_depositor(), _to, DEPOSIT_VERSION, opaqueData);
    }

    /// @notice Version of the interface this contract answers.
    function version() external pure returns (string memory) {
        return "5.6.1";
    }

    /// @notice The least gas limit of a deposit with `_byteCount` bytes of data.
    function minimumGasLimit(uint64 _byteCount) public pure returns (uint64) {
        return _byteCount * 40 + 21_000;
    }

    function proofMaturityDelaySeconds() external view returns (uint256) {
        return PROOF_MATURITY_DELAY_SECONDS;
    }

    function paused() external view returns (bool) {
        return systemConfig.paused();
    }

    function guardian() external view returns (address) {
        return systemConfig.guardian();
    }

    function superchainConfig() external view returns (SuperchainConfig) {
        return systemConfig.superchainConfig();
    }

    function disputeGameFactory() external view returns (address) {
        return anchorStateRegistry.disputeGameFactory();
    }

    function respectedGameType() external view returns (uint32) {
        return anchorStateRegistry.respectedGameType();
    }

    function respectedGameTypeUpdatedAt() external view returns (uint64) {
        return anchorStateRegistry.retirementTimestamp();
    }

    function disputeGameBlacklist(address _disputeGame) external view returns (bool) {
        return anchorStateRegistry.disputeGameBlacklist(_disputeGame);
    }

    function disputeGameFinalityDelaySeconds() external view returns (uint256) {
        return anchorStateRegistry.disputeGameFinalityDelaySeconds();
    }

    /// @dev The sender as the L2 sees it: contracts are aliased, other accounts and those that delegate to code (EIP-7702:
    ///      23 bytes beginning with 0xef0100) are not.
    function _depositor() private view returns (address) {
        if (msg.sender == tx.origin || _delegates(msg.sender)) return msg.sender;
        unchecked {
            return address(uint160(msg.sender) + ALIAS_OFFSET);
        }
    }

    function _delegates(address account) private view returns (bool) {
        bytes memory code = account.code;
        return code.length == 23 && bytes3(code) == 0xef0100;
    }
}
