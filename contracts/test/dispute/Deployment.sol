// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { AnchorStateRegistry } from "../../src/dispute/AnchorStateRegistry.sol";
import { DelayedWETH } from "../../src/dispute/DelayedWETH.sol";
import { DisputeGameFactory } from "../../src/dispute/DisputeGameFactory.sol";
import { FaultDisputeGame } from "../../src/dispute/FaultDisputeGame.sol";
import { Claim, Duration, GameConstructorParams, GameType, Hash, Proposal } from "../../src/dispute/Types.sol";
import { IRegistry, OptimismPortal } from "../../src/l1/OptimismPortal.sol";
import { Proxy } from "../../src/l1/Proxy.sol";
import { ProxyAdmin } from "../../src/l1/ProxyAdmin.sol";
import { SuperchainConfig } from "../../src/l1/SuperchainConfig.sol";
import { SystemConfig } from "../../src/l1/SystemConfig.sol";
import { PreimageOracle } from "../../src/preimage/PreimageOracle.sol";
import { IBigStepper } from "../../src/vm/IBigStepper.sol";
import { Test } from "../Test.sol";

/// @notice Deploys everything a game needs, each contract behind its proxy as on a real chain, and creates games.
abstract contract Deployment is Test {
    GameType internal constant CANNON = GameType.wrap(0);
    Claim internal constant ROOT = Claim.wrap(bytes32(uint256(0x0107)));
    Hash internal constant ANCHOR = Hash.wrap(bytes32(uint256(0xa7c407)));
    uint256 internal constant ANCHOR_NUMBER = 100;
    uint256 internal constant L2_NUMBER = 108;
    uint256 internal constant L2_CHAIN_ID = 901;
    uint256 internal constant INIT_BOND = 0.08 ether;
    uint256 internal constant WETH_DELAY = 7 days;
    uint256 internal constant FINALITY_DELAY = 3.5 days;
    uint64 internal constant MAX_CLOCK = 3.5 days;
    uint64 internal constant EXTENSION = 3 hours;
    uint64 internal constant CHALLENGE_PERIOD = 1 days;

    address internal guardian = account("guardian");
    address internal proposer = account("proposer");
    address internal honest = account("honest");
    address internal liar = account("liar");

    ProxyAdmin internal admin;
    SuperchainConfig internal superchain;
    SystemConfig internal config;
    OptimismPortal internal portal;
    DisputeGameFactory internal factory;
    AnchorStateRegistry internal registry;
    DelayedWETH internal weth;
    PreimageOracle internal oracle;
    IBigStepper internal stepper;
    Claim internal absolutePrestate;

    /// @dev Deploys all but the machine and the games.
    function deploySystem() internal {
        vm.warp(1_700_000_000);
        vm.roll(20_000_000);
        admin = new ProxyAdmin(address(this));
        superchain = SuperchainConfig(proxy());
        config = SystemConfig(proxy());
        portal = OptimismPortal(proxy());
        factory = DisputeGameFactory(proxy());
        registry = AnchorStateRegistry(proxy());
        weth = DelayedWETH(proxy());
        oracle = new PreimageOracle(126_000, CHALLENGE_PERIOD);

        install(address(superchain), address(new SuperchainConfig()), abi.encodeCall(SuperchainConfig.initialize, (guardian)));
        install(address(config), address(new SystemConfig()), configuration());
        install(
            address(portal),
            address(new OptimismPortal(7 days)),
            abi.encodeCall(OptimismPortal.initialize, (config, IRegistry(address(registry)), address(0)))
        );
        install(
            address(factory),
            address(new DisputeGameFactory()),
            abi.encodeCall(DisputeGameFactory.initialize, (address(this)))
        );
        install(
            address(registry),
            address(new AnchorStateRegistry(FINALITY_DELAY)),
            abi.encodeCall(AnchorStateRegistry.initialize, (config, factory, Proposal(ANCHOR, ANCHOR_NUMBER), CANNON))
        );
        install(address(weth), address(new DelayedWETH(WETH_DELAY)), abi.encodeCall(DelayedWETH.initialize, (config)));
        // Games of the block in which the registry starts count as retired.
        vm.warp(block.timestamp + 1);
    }

    function configuration() private view returns (bytes memory) {
        SystemConfig.Addresses memory addresses;
        addresses.optimismPortal = address(portal);
        addresses.delayedWETH = address(weth);
        return abi.encodeCall(
            SystemConfig.initialize,
            (
                address(this),
                0,
                0,
                0,
                60_000_000,
                address(0),
                SystemConfig.ResourceConfig(20_000_000, 10, 8, 1 gwei, 1_000_000, type(uint128).max),
                address(0),
                addresses,
                L2_CHAIN_ID,
                superchain
            )
        );
    }

    function proxy() internal returns (address payable) {
        return payable(address(new Proxy(address(admin))));
    }

    function install(address at, address implementation, bytes memory initialization) internal {
        admin.upgradeAndCall(payable(at), implementation, initialization);
    }

    /// @dev Clocks of the standard configuration at any depths.
    function parameters(uint256 maxDepth, uint256 splitDepth)
        internal
        pure
        returns (GameConstructorParams memory)
    {
        return GameConstructorParams(
            maxDepth, splitDepth, Duration.wrap(EXTENSION), Duration.wrap(MAX_CLOCK)
        );
    }

    /// @dev Lets games of these depths be created.
    function register(uint256 maxDepth, uint256 splitDepth) internal {
        register(new FaultDisputeGame(parameters(maxDepth, splitDepth)), "");
    }

    function register(FaultDisputeGame implementation, bytes memory further) internal {
        factory.setImplementation(CANNON, implementation, abi.encodePacked(gameArguments(), further));
        factory.setInitBond(CANNON, INIT_BOND);
    }

    function gameArguments() internal view returns (bytes memory) {
        return abi.encodePacked(absolutePrestate, address(stepper), address(registry), address(weth), L2_CHAIN_ID);
    }

    function create(Claim root, uint256 number) internal returns (FaultDisputeGame) {
        return create(root, abi.encode(number));
    }

    function create(Claim root, bytes memory extraData) internal returns (FaultDisputeGame) {
        vm.deal(proposer, INIT_BOND);
        vm.prank(proposer, proposer);
        return FaultDisputeGame(address(factory.create{ value: INIT_BOND }(CANNON, root, extraData)));
    }
}
