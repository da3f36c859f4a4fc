// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IRegistry, OptimismPortal } from "../../src/l1/OptimismPortal.sol";
import { Proxy } from "../../src/l1/Proxy.sol";
import { ProxyAdmin } from "../../src/l1/ProxyAdmin.sol";
import { SuperchainConfig } from "../../src/l1/SuperchainConfig.sol";
import { SystemConfig } from "../../src/l1/SystemConfig.sol";
import { Test, Vm } from "../Test.sol";

/// @notice The parameters of a chain and the events by which nodes follow them, the pauses, and deposits.
contract SystemConfigTest is Test {
    bytes32 private constant CONFIG_UPDATE = 0x1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be;
    bytes32 private constant TRANSACTION_DEPOSITED = 0xb3813568d9991fc951961fcb4c784893574240a28925604d09fc577c55bb7c32;

    address private owner = account("owner");
    address private guardian = account("guardian");
    ProxyAdmin private admin = new ProxyAdmin(address(this));
    SuperchainConfig private superchain = SuperchainConfig(proxy());
    SystemConfig private config = SystemConfig(proxy());
    OptimismPortal private portal = OptimismPortal(proxy());

    function proxy() private returns (address payable) {
        return payable(address(new Proxy(address(admin))));
    }

    function setUp() public {
        vm.warp(1_700_000_000);
        vm.roll(1234);
        admin.upgradeAndCall(
            payable(address(superchain)),
            address(new SuperchainConfig()),
            abi.encodeCall(SuperchainConfig.initialize, (guardian))
        );
        admin.upgradeAndCall(payable(address(config)), address(new SystemConfig()), initialization(resources(), 30_000_000));
        admin.upgradeAndCall(
            payable(address(portal)),
            address(new OptimismPortal(12)),
            abi.encodeCall(OptimismPortal.initialize, (config, IRegistry(address(0)), address(0)))
        );
    }

    function resources() private pure returns (SystemConfig.ResourceConfig memory) {
        return SystemConfig.ResourceConfig(20_000_000, 10, 8, 1 gwei, 1_000_000, type(uint128).max);
    }

    function addresses() private view returns (SystemConfig.Addresses memory) {
        return SystemConfig.Addresses(
            account("messenger"), account("erc721"), account("bridge"), address(portal), account("erc20"), account("weth"), account("opcm")
        );
    }

    function initialization(SystemConfig.ResourceConfig memory r, uint64 gasLimit) private view returns (bytes memory) {
        return abi.encodeCall(
            SystemConfig.initialize,
            (owner, 11, 22, bytes32(uint256(0xba)), gasLimit, account("signer"), r, account("inbox"), addresses(), 901, superchain)
        );
    }

    function test_initialValuesAreRead() public view {
        assertEq(config.owner(), owner, "owner");
        assertEq(config.basefeeScalar(), 11, "basefeeScalar");
        assertEq(config.blobbasefeeScalar(), 22, "blobbasefeeScalar");
        assertEq(config.scalar(), (1 << 248) | (22 << 32) | 11, "scalar");
        assertEq(config.overhead(), 0, "overhead");
        assertEq(config.batcherHash(), bytes32(uint256(0xba)), "batcherHash");
        assertEq(config.gasLimit(), 30_000_000, "gasLimit");
        assertEq(config.l2ChainId(), 901, "l2ChainId");
        assertEq(config.startBlock(), 1234, "startBlock");
        assertEq(config.batchInbox(), account("inbox"), "batchInbox");
        assertEq(config.guardian(), guardian, "guardian");
        assertEq(address(config.superchainConfig()), address(superchain), "superchainConfig");
        assertEq(keccak256(abi.encode(config.getAddresses())), keccak256(abi.encode(addresses())), "addresses");
        assertEq(keccak256(abi.encode(config.resourceConfig())), keccak256(abi.encode(resources())), "resources");
        assertTrue(!config.paused() && !config.isCustomGasToken(), "nothing is on");
    }

    /// @dev op-node reads this slot directly.
    function test_theBlockSignerLiesInItsSlot() public view {
        bytes32 slot = 0x65a7ed542fb37fe237fdfbdd70b31598523fe5b32879e307bae27a0bd9581c08;
        assertEq(config.UNSAFE_BLOCK_SIGNER_SLOT(), slot, "slot");
        assertEq(vm.load(address(config), slot), bytes32(uint256(uint160(account("signer")))), "content");
        assertEq(config.unsafeBlockSigner(), account("signer"), "getter");
    }

    /// @dev Lets the owner make a call and compares its one event with the payload as the specification has it.
    function checkUpdate(uint8 kind, bytes memory call, bytes memory payload) private {
        vm.recordLogs();
        vm.prank(owner);
        (bool ok,) = address(config).call(call);
        assertTrue(ok, "the owner may");
        Vm.Log memory log = onlyLog();
        assertEq(log.topics.length, 3, "topics");
        assertEq(log.topics[0], CONFIG_UPDATE, "event");
        assertEq(log.topics[1], bytes32(0), "version");
        assertEq(log.topics[2], bytes32(uint256(kind)), "kind");
        assertEq(log.data, abi.encodePacked(uint256(32), payload.length, payload), "payload");

        vm.expectRevert(text("Ownable: caller is not the owner"));
        (ok,) = address(config).call(call);
    }

    function test_everyKindOfUpdateHasItsPayload() public {
        checkUpdate(0, abi.encodeWithSignature("setBatcherHash(address)", address(0xabc)), abi.encode(0xabc));
        checkUpdate(0, abi.encodeWithSignature("setBatcherHash(bytes32)", bytes32(uint256(7))), abi.encode(7));
        checkUpdate(1, abi.encodeCall(config.setGasConfig, (188, 684_000)), abi.encode(188, 684_000));
        uint256 scalar = 0x0100000000000000000000000000000000000000000000000000000500000003;
        checkUpdate(1, abi.encodeCall(config.setGasConfigEcotone, (3, 5)), abi.encode(188, scalar));
        checkUpdate(2, abi.encodeCall(config.setGasLimit, (60_000_000)), abi.encode(60_000_000));
        checkUpdate(3, abi.encodeCall(config.setUnsafeBlockSigner, (address(0xdef))), abi.encode(0xdef));
        checkUpdate(4, abi.encodeCall(config.setEIP1559Params, (250, 6)), abi.encode(250 * 2 ** 32 + 6));
        checkUpdate(5, abi.encodeCall(config.setOperatorFeeScalars, (9, 8)), abi.encode(9 * 2 ** 64 + 8));
        checkUpdate(6, abi.encodeCall(config.setMinBaseFee, (1000)), abi.encode(1000));
        checkUpdate(7, abi.encodeCall(config.setDAFootprintGasScalar, (400)), abi.encode(400));

        assertEq(config.batcherHash(), bytes32(uint256(7)), "batcherHash");
        assertEq(config.gasLimit(), 60_000_000, "gasLimit");
        assertEq(config.unsafeBlockSigner(), address(0xdef), "unsafeBlockSigner");
        assertEq(config.eip1559Denominator(), 250, "eip1559Denominator");
        assertEq(config.eip1559Elasticity(), 6, "eip1559Elasticity");
        assertEq(config.operatorFeeScalar(), 9, "operatorFeeScalar");
        assertEq(config.operatorFeeConstant(), 8, "operatorFeeConstant");
        assertEq(config.minBaseFee(), 1000, "minBaseFee");
        assertEq(config.daFootprintGasScalar(), 400, "daFootprintGasScalar");
    }

    function checkRefused(bytes memory call, string memory reason) private {
        vm.prank(owner);
        vm.expectRevert(text(reason));
        (bool ok,) = address(config).call(call);
        ok;
    }

    function test_valuesOutOfRangeAreRefused() public {
        checkRefused(abi.encodeCall(config.setGasConfig, (0, 1 << 248)), "SystemConfig: scalar exceeds max.");
        checkRefused(abi.encodeCall(config.setGasLimit, (20_999_999)), "SystemConfig: gas limit too low");
        checkRefused(abi.encodeCall(config.setGasLimit, (500_000_001)), "SystemConfig: gas limit too high");
        checkRefused(abi.encodeCall(config.setEIP1559Params, (0, 1)), "SystemConfig: denominator must be >= 1");
        checkRefused(abi.encodeCall(config.setEIP1559Params, (1, 0)), "SystemConfig: elasticity must be >= 1");
    }

    function checkRefused(SystemConfig.ResourceConfig memory r, uint64 gasLimit, string memory reason) private {
        address payable fresh = proxy();
        address implementation = address(new SystemConfig());
        admin.upgrade(fresh, implementation);
        vm.expectRevert(text(reason));
        (bool ok,) = fresh.call(initialization(r, gasLimit));
        ok;
    }

    function test_unsoundResourcesAreRefused() public {
        SystemConfig.ResourceConfig memory r = resources();
        checkRefused(r, 20_999_999, "SystemConfig: gas limit too low");
        r.maximumBaseFee = 1;
        checkRefused(r, 30_000_000, "SystemConfig: min base fee must be less than max base");
        r = resources();
        r.baseFeeMaxChangeDenominator = 1;
        checkRefused(r, 30_000_000, "SystemConfig: denominator must be larger than 1");
        r = resources();
        r.elasticityMultiplier = 0;
        checkRefused(r, 30_000_000, "SystemConfig: elasticity multiplier cannot be 0");
        r = resources();
        r.maxResourceLimit += 1;
        checkRefused(r, 30_000_000, "SystemConfig: precision loss with target resource limit");
    }

    // Pauses.

    function pause(address identifier) private {
        vm.prank(guardian);
        superchain.pause(identifier);
    }

    function test_aPauseStopsWhatItNamesAndRunsOut() public {
        pause(account("another portal"));
        assertTrue(!config.paused(), "another chain's pause");
        pause(address(portal));
        assertTrue(config.paused() && portal.paused() && !superchain.paused(), "this chain's pause");
        assertEq(superchain.expiration(address(portal)), 1_707_884_000, "three months");
        vm.warp(1_707_883_999);
        assertTrue(config.paused(), "its last second");
        vm.warp(1_707_884_000);
        assertTrue(!config.paused(), "run out");

        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(SuperchainConfig.SuperchainConfig_AlreadyPaused.selector, address(portal)));
        superchain.pause(address(portal));
        vm.prank(guardian);
        superchain.extend(address(portal));
        assertTrue(config.paused(), "extended");
        vm.prank(guardian);
        superchain.unpause(address(portal));
        assertTrue(!config.paused() && superchain.pausable(address(portal)), "unpaused");
        assertEq(superchain.expiration(address(portal)), 0, "no pause, no end");
    }

    function test_theGlobalPauseStopsEveryChain() public {
        pause(address(0));
        assertTrue(config.paused() && superchain.paused(), "paused");
        vm.prank(guardian);
        superchain.unpause(address(0));
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(SuperchainConfig.SuperchainConfig_NotAlreadyPaused.selector, address(0)));
        superchain.extend(address(0));
    }

    function test_onlyTheGuardianPauses() public {
        vm.expectRevert(SuperchainConfig.SuperchainConfig_OnlyGuardian.selector);
        superchain.pause(address(0));
        vm.expectRevert(SuperchainConfig.SuperchainConfig_OnlyGuardian.selector);
        superchain.unpause(address(0));
        vm.expectRevert(SuperchainConfig.SuperchainConfig_OnlyGuardian.selector);
        superchain.extend(address(0));
    }

    function test_featuresAreSetByTheAdminsOwnerAndNeverTwice() public {
        vm.prank(owner);
        vm.expectRevert();
        config.setFeature("INTEROP", true);
        config.setFeature("INTEROP", true);
        assertTrue(config.isFeatureEnabled("INTEROP"), "on");
        vm.expectRevert(SystemConfig.SystemConfig_InvalidFeatureState.selector);
        config.setFeature("INTEROP", true);
        pause(address(0));
        vm.expectRevert(SystemConfig.SystemConfig_InvalidFeatureState.selector);
        config.setFeature("ETH_LOCKBOX", true);
    }

    // Deposits.

    function checkDeposit(Vm.Log memory log, address from, address to, bytes memory opaque) private view {
        assertEq(log.emitter, address(portal), "emitter");
        assertEq(log.topics[0], TRANSACTION_DEPOSITED, "event");
        assertEq(log.topics[1], bytes32(uint256(uint160(from))), "from");
        assertEq(log.topics[2], bytes32(uint256(uint160(to))), "to");
        assertEq(log.topics[3], bytes32(0), "version");
        assertEq(log.data, abi.encode(opaque), "opaque data");
    }

    function test_aDepositIsTheEventTheL2DerivesFrom() public {
        address user = account("user");
        vm.deal(user, 100);
        vm.recordLogs();
        vm.prank(user, user);
        portal.depositTransaction{ value: 5 }(account("to"), 5, 100_000, false, "data");
        checkDeposit(
            onlyLog(),
            user,
            account("to"),
            abi.encodePacked(uint256(5), uint256(5), uint64(100_000), uint8(0), "data")
        );

        vm.recordLogs();
        vm.prank(user, user);
        (bool ok,) = address(portal).call{ value: 6 }("");
        assertTrue(ok, "ether alone");
        checkDeposit(onlyLog(), user, user, abi.encodePacked(uint256(6), uint256(6), uint64(100_000), uint8(0)));

        vm.recordLogs();
        portal.donateETH{ value: 1 }();
        assertEq(vm.getRecordedLogs().length, 0, "a donation deposits nothing");
        assertEq(address(portal).balance, 12, "all of it is here");
    }

    function test_contractsAreAliasedAndDelegatingAccountsAreNot() public {
        address sender = address(0xC0ffee00);
        vm.etch(sender, hex"00");
        vm.recordLogs();
        vm.prank(sender, account("user"));
        portal.depositTransaction(address(0), 0, 100_000, true, "");
        bytes memory opaque = abi.encodePacked(uint256(0), uint256(0), uint64(100_000), uint8(1));
        checkDeposit(onlyLog(), address((uint160(0x1111) << 144) | 0xC0ffff11), address(0), opaque);

        address top = address(uint160(0xeeef) << 144);
        vm.etch(top, hex"00");
        vm.recordLogs();
        vm.prank(top, account("user"));
        portal.depositTransaction(address(0), 0, 100_000, true, "");
        checkDeposit(onlyLog(), address(0x1111), address(0), opaque);

        vm.etch(sender, abi.encodePacked(hex"ef0100", address(1)));
        vm.recordLogs();
        vm.prank(sender, account("user"));
        portal.depositTransaction(address(0), 0, 100_000, true, "");
        checkDeposit(onlyLog(), sender, address(0), opaque);
    }

    function test_unsoundDepositsAreRefused() public {
        vm.expectRevert(OptimismPortal.OptimismPortal_InsufficientDeposit.selector);
        portal.depositTransaction(address(1), 1, 100_000, false, "");
        vm.expectRevert(OptimismPortal.OptimismPortal_BadTarget.selector);
        portal.depositTransaction(address(1), 0, 100_000, true, "");
        vm.expectRevert(OptimismPortal.OptimismPortal_GasLimitTooLow.selector);
        portal.depositTransaction(address(1), 0, 21_039, false, "a");
        portal.depositTransaction(address(1), 0, 21_040, false, "a");
        bytes memory data = new bytes(120_001);
        vm.expectRevert(OptimismPortal.OptimismPortal_CalldataTooLarge.selector);
        portal.depositTransaction(address(1), 0, 10_000_000, false, data);
    }
}
