// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Proxied } from "../../src/l1/Proxied.sol";
import { Proxy } from "../../src/l1/Proxy.sol";
import { ProxyAdmin } from "../../src/l1/ProxyAdmin.sol";
import { Test } from "../Test.sol";

contract Counter is Proxied {
    uint256 public count;

    constructor(uint8 _version) Proxied(_version) { }

    function initialize(uint256 _count) external initializer {
        count = _count;
    }

    function add() external payable returns (uint256) {
        require(msg.value < 5, "too much");
        return count += msg.value;
    }

    function admin() external pure returns (address) {
        return address(1);
    }
}

/// @notice Proxies, their admin, and who may initialise what lives behind them.
contract ProxyTest is Test {
    address private owner = account("owner");
    ProxyAdmin private admin = new ProxyAdmin(owner);
    address payable private proxy = payable(address(new Proxy(address(admin))));
    Counter private counter = Counter(proxy);

    function install(uint8 version, uint256 count) private {
        address implementation = address(new Counter(version));
        vm.prank(owner);
        admin.upgradeAndCall(proxy, implementation, abi.encodeCall(Counter.initialize, (count)));
    }

    function test_callsRunOnTheProxysStorage() public {
        vm.expectRevert(text("Proxy: implementation not initialized"));
        counter.count();
        install(1, 7);
        assertEq(counter.add{ value: 2 }(), 9, "answer");
        assertEq(counter.count(), 9, "storage of the proxy");
        assertEq(proxy.balance, 2, "ether stays with the proxy");
        vm.expectRevert(text("too much"));
        counter.add{ value: 5 }();
    }

    function test_onlyTheAdminReachesTheProxyItself() public {
        install(1, 0);
        assertEq(counter.admin(), address(1), "others reach the implementation");
        vm.prank(address(0));
        assertEq(counter.admin(), address(admin), "so does a simulation reach the proxy");
        assertEq(admin.getProxyAdmin(proxy), address(admin), "admin");
        assertTrue(admin.getProxyImplementation(proxy) != address(0), "implementation");
        (bool ok,) = proxy.call(abi.encodeCall(Proxy.upgradeTo, (address(1))));
        assertTrue(!ok, "the implementation knows no upgradeTo");
    }

    function test_onlyTheOwnerUpgrades() public {
        address implementation = address(new Counter(1));
        vm.expectRevert(text("Ownable: caller is not the owner"));
        admin.upgrade(proxy, implementation);
        vm.expectRevert(text("Ownable: caller is not the owner"));
        admin.upgradeAndCall(proxy, implementation, "");
        vm.expectRevert(text("Ownable: caller is not the owner"));
        admin.changeProxyAdmin(proxy, address(this));

        vm.prank(owner);
        admin.changeProxyAdmin(proxy, address(this));
        assertEq(Proxy(proxy).admin(), address(this), "the new admin");
        Proxy(proxy).upgradeTo(implementation);
        assertEq(Proxy(proxy).implementation(), implementation, "upgraded");
    }

    function test_initialisationIsOncePerVersionAndOnlyByTheAdminOrItsOwner() public {
        Counter implementation = new Counter(1);
        vm.prank(owner);
        admin.upgrade(proxy, address(implementation));
        vm.expectRevert(Proxied.ProxyAdminOwnedBase_NotProxyAdminOrProxyAdminOwner.selector);
        counter.initialize(1);
        vm.recordLogs();
        vm.prank(owner);
        counter.initialize(1);
        assertEq(onlyLog().data, abi.encode(uint8(1)), "Initialized(1)");
        vm.prank(owner);
        vm.expectRevert(text("Initializable: contract is already initialized"));
        counter.initialize(2);

        install(3, 5);
        assertEq(counter.count(), 5, "a later version initialises again");
        assertEq(counter.initVersion(), 3, "version");
        implementation = new Counter(2);
        vm.prank(owner);
        vm.expectRevert(text("Proxy: delegatecall to new implementation contract failed"));
        admin.upgradeAndCall(proxy, address(implementation), abi.encodeCall(Counter.initialize, (6)));
    }

    function test_anImplementationIsNeverInitialised() public {
        Counter implementation = new Counter(1);
        vm.expectRevert(text("Initializable: contract is already initialized"));
        implementation.initialize(1);
        vm.expectRevert(Proxied.ProxyAdminOwnedBase_NotResolvedDelegateProxy.selector);
        implementation.proxyAdmin();
        vm.expectRevert(Proxied.ReinitializableBase_ZeroInitVersion.selector);
        new Counter(0);
    }

    function test_ownershipPassesOn() public {
        install(1, 0);
        assertEq(counter.proxyAdminOwner(), owner, "owner");
        vm.expectRevert(text("Ownable: caller is not the owner"));
        admin.transferOwnership(address(this));
        vm.prank(owner);
        vm.expectRevert(text("Ownable: new owner is the zero address"));
        admin.transferOwnership(address(0));
        vm.prank(owner);
        admin.transferOwnership(address(this));
        assertEq(counter.proxyAdminOwner(), address(this), "new owner");
        admin.renounceOwnership();
        assertEq(counter.proxyAdminOwner(), address(0), "nobody");
    }
}
