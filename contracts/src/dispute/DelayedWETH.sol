// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Proxied } from "../l1/Proxied.sol";
import { SuperchainConfig } from "../l1/SuperchainConfig.sol";
import { SystemConfig } from "../l1/SystemConfig.sol";

/// @title DelayedWETH
/// @notice Wrapped ether that is taken out in two steps with a delay between them, so that what a faulty game pays out can
///         still be held back. Games keep their bonds here: a game is the account, each recipient a sub-account of it.
contract DelayedWETH is Proxied {
    event Approval(address indexed src, address indexed guy, uint256 wad);
    event Transfer(address indexed src, address indexed dst, uint256 wad);
    event Deposit(address indexed dst, uint256 wad);
    event Withdrawal(address indexed src, uint256 wad);

    /// @dev What a sub-account may take out, and when it was last unlocked, in unix time; the time outlives the amount.
    struct WithdrawalRequest {
        uint256 amount;
        uint256 timestamp;
    }

    /// @notice Version of the interface this contract answers.
    string public constant version = "1.5.1";
    string public constant name = "Wrapped Ether";
    string public constant symbol = "WETH";
    uint8 public constant decimals = 18;

    /// @dev What a receiver of ether has for a log: more would let it call on.
    uint256 private constant STIPEND_GAS = 2300;

    uint256 private immutable DELAY_SECONDS;

    /// @notice Wrapped ether by account.
    mapping(address src => uint256) public balanceOf;
    /// @notice What others may transfer.
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    /// @notice What was unlocked for a sub-account and is not taken out, wei, and when.
    mapping(address account => mapping(address subAccount => WithdrawalRequest)) public withdrawals;
    /// @notice The chain's parameters, among them pauses.
    SystemConfig public systemConfig;

    /// @param _delay Seconds between the two steps.
    constructor(uint256 _delay) Proxied(1) {
        DELAY_SECONDS = _delay;
    }

    /// @notice Sets the chain.
    function initialize(SystemConfig _systemConfig) external initializer {
        systemConfig = _systemConfig;
    }

    receive() external payable {
        deposit();
    }

    fallback() external payable {
        deposit();
    }

    /// @notice Wraps the ether sent.
    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
    }

    /// @notice First step: lets `_guy`, a sub-account of the caller, take out `_wad` more. The delay starts anew for all of it.
    function unlock(address _guy, uint256 _wad) external {
        WithdrawalRequest storage request = withdrawals[msg.sender][_guy];
        request.amount += _wad;
        request.timestamp = block.timestamp;
    }

    /// @notice Second step for the caller itself.
    function withdraw(uint256 _wad) external {
        withdraw(msg.sender, _wad);
    }

    /// @notice Second step: takes `_wad` of what was unlocked for `_guy` out of the caller's account, to the caller.
    function withdraw(address _guy, uint256 _wad) public {
        require(!systemConfig.paused(), "DelayedWETH: contract is paused");
        WithdrawalRequest storage request = withdrawals[msg.sender][_guy];
        (uint256 amount, uint256 timestamp) = (request.amount, request.timestamp);
        require(amount >= _wad, "DelayedWETH: insufficient unlocked withdrawal");
        require(timestamp != 0, "DelayedWETH: withdrawal not unlocked");
        require(timestamp + DELAY_SECONDS <= block.timestamp, "DelayedWETH: withdrawal delay not met");
        request.amount = amount - _wad;
        uint256 balance = balanceOf[msg.sender];
        require(balance >= _wad);
        balanceOf[msg.sender] = balance - _wad;
        _pay(msg.sender, _wad);
        emit Withdrawal(msg.sender, _wad);
    }

    /// @notice Lets the owner of the proxy's admin take ether out in an emergency, at most what is here.
    function recover(uint256 _wad) external {
        _onlyOwner();
        uint256 amount = _wad < address(this).balance ? _wad : address(this).balance;
        (bool sent,) = msg.sender.call{ value: amount }("");
        require(sent, "DelayedWETH: recover failed");
    }

    /// @notice Lets the same owner take over all that an account has.
    function hold(address _guy) external {
        hold(_guy, balanceOf[_guy]);
    }

    /// @notice Lets the same owner take over `_wad` of an account.
    function hold(address _guy, uint256 _wad) public {
        _onlyOwner();
        allowance[_guy][msg.sender] = _wad;
        emit Approval(_guy, msg.sender, _wad);
        transferFrom(_guy, msg.sender, _wad);
    }

    function approve(address _guy, uint256 _wad) external returns (bool) {
        allowance[msg.sender][_guy] = _wad;
        emit Approval(msg.sender, _guy, _wad);
        return true;
    }

    function transfer(address _dst, uint256 _wad) external returns (bool) {
        return transferFrom(msg.sender, _dst, _wad);
    }

    function transferFrom(address _src, address _dst, uint256 _wad) public returns (bool) {
        require(balanceOf[_src] >= _wad);
        uint256 allowed = allowance[_src][msg.sender];
        if (_src != msg.sender && allowed != type(uint256).max) {
            require(allowed >= _wad);
            allowance[_src][msg.sender] = allowed - _wad;
        }
        balanceOf[_src] -= _wad;
        balanceOf[_dst] += _wad;
        emit Transfer(_src, _dst, _wad);
        return true;
    }

    /// @notice Seconds between the two steps.
    function delay() external view returns (uint256) {
        return DELAY_SECONDS;
    }

    function config() external view returns (SuperchainConfig) {
        return systemConfig.superchainConfig();
    }

    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    /// @dev Sends ether with the stipend and nothing more. A refusal is passed on.
    function _pay(address to, uint256 amount) private {
        // The stipend comes with the ether, so only a payment of nothing needs it added.
        (bool sent, bytes memory reason) = to.call{ value: amount, gas: amount == 0 ? STIPEND_GAS : 0 }("");
        if (sent) return;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }

    function _onlyOwner() private view {
        require(msg.sender == proxyAdminOwner(), "DelayedWETH: not owner");
    }
}
