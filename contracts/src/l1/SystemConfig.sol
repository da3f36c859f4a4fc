// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Owned } from "./Owned.sol";
import { Proxied } from "./Proxied.sol";
import { SuperchainConfig } from "./SuperchainConfig.sol";

/// @notice What a system config asks of its portal.
interface IPortal {
    function disputeGameFactory() external view returns (address);
    function ethLockbox() external view returns (address);
}

/// @title SystemConfig
/// @notice The parameters of one L2 chain that are set on L1. The chain's nodes, and the fault proof program, follow them
///         by the `ConfigUpdate` events, whose payload has one form for each kind.
///
/// Addresses that other software reads out of storage lie in the slots that the deployed contract names.
contract SystemConfig is Proxied, Owned {
    /// @notice The feature is in the state asked for, or must not change now.
    error SystemConfig_InvalidFeatureState();

    enum UpdateType {
        BATCHER,
        FEE_SCALARS,
        GAS_LIMIT,
        UNSAFE_BLOCK_SIGNER,
        EIP_1559_PARAMS,
        OPERATOR_FEE_PARAMS,
        MIN_BASE_FEE,
        DA_FOOTPRINT_GAS_SCALAR
    }

    /// @notice Other contracts of the chain.
    struct Addresses {
        address l1CrossDomainMessenger;
        address l1ERC721Bridge;
        address l1StandardBridge;
        address optimismPortal;
        address optimismMintableERC20Factory;
        address delayedWETH;
        address opcm;
    }

    /// @notice The market for L2 gas bought by deposits.
    struct ResourceConfig {
        uint32 maxResourceLimit;
        uint8 elasticityMultiplier;
        uint8 baseFeeMaxChangeDenominator;
        uint32 minimumBaseFee;
        uint32 systemTxMaxGas;
        uint128 maximumBaseFee;
    }

    event ConfigUpdate(uint256 indexed version, UpdateType indexed updateType, bytes data);
    event FeatureSet(bytes32 indexed feature, bool indexed enabled);

    /// @notice Version of the events.
    uint256 public constant VERSION = 0;

    bytes32 public constant UNSAFE_BLOCK_SIGNER_SLOT = keccak256("systemconfig.unsafeblocksigner");
    bytes32 public constant L1_CROSS_DOMAIN_MESSENGER_SLOT =
        bytes32(uint256(keccak256("systemconfig.l1crossdomainmessenger")) - 1);
    bytes32 public constant L1_ERC_721_BRIDGE_SLOT = bytes32(uint256(keccak256("systemconfig.l1erc721bridge")) - 1);
    bytes32 public constant L1_STANDARD_BRIDGE_SLOT = bytes32(uint256(keccak256("systemconfig.l1standardbridge")) - 1);
    bytes32 public constant OPTIMISM_PORTAL_SLOT = bytes32(uint256(keccak256("systemconfig.optimismportal")) - 1);
    bytes32 public constant OPTIMISM_MINTABLE_ERC20_FACTORY_SLOT =
        bytes32(uint256(keccak256("systemconfig.optimismmintableerc20factory")) - 1);
    bytes32 public constant DELAYED_WETH_SLOT = bytes32(uint256(keccak256("systemconfig.delayedweth")) - 1);
    bytes32 public constant OPCM_SLOT = bytes32(uint256(keccak256("systemconfig.opcm")) - 1);
    bytes32 public constant BATCH_INBOX_SLOT = bytes32(uint256(keccak256("systemconfig.batchinbox")) - 1);
    bytes32 public constant START_BLOCK_SLOT = bytes32(uint256(keccak256("systemconfig.startBlock")) - 1);

    /// @dev First byte of a scalar that holds two scalars of 32 bits, as since Ecotone.
    uint256 private constant ECOTONE_SCALAR = 1 << 248;
    /// @dev First byte of a scalar; other versions than 0 cannot be set directly.
    uint256 private constant SCALAR_VERSION_MASK = 0xff << 248;

    bytes32 private constant ETH_LOCKBOX = "ETH_LOCKBOX";
    bytes32 private constant CUSTOM_GAS_TOKEN = "CUSTOM_GAS_TOKEN";

    uint64 private constant MAX_GAS_LIMIT = 500_000_000;

    /// @notice Fixed L1 gas of an L2 transaction, before Ecotone.
    uint256 public overhead;
    /// @notice The scalar, or scalars, of the L1 fee as the events hold them.
    uint256 public scalar;
    /// @notice The batcher's address, left-padded.
    bytes32 public batcherHash;
    /// @notice Gas limit of an L2 block.
    uint64 public gasLimit;
    /// @notice Scalar of the L1 base fee, millionths.
    uint32 public basefeeScalar;
    /// @notice Scalar of the L1 blob base fee, millionths.
    uint32 public blobbasefeeScalar;
    /// @notice Denominator by which the L2 base fee moves.
    uint32 public eip1559Denominator;
    /// @notice Gas limit over gas target of an L2 block.
    uint32 public eip1559Elasticity;
    /// @notice Scalar of the operator fee.
    uint32 public operatorFeeScalar;
    /// @notice Constant of the operator fee, wei.
    uint64 public operatorFeeConstant;
    /// @notice The L2 base fee does not fall below this, wei.
    uint64 public minBaseFee;
    /// @notice Gas of the data footprint of a transaction, for each byte.
    uint16 public daFootprintGasScalar;
    /// @notice The L2 chain's id.
    uint256 public l2ChainId;
    /// @notice Who pauses.
    SuperchainConfig public superchainConfig;
    /// @notice Features switched on, by name.
    mapping(bytes32 feature => bool) public isFeatureEnabled;

    ResourceConfig private _resourceConfig;

    constructor() Proxied(4) { }

    /// @notice Sets everything that deployment decides. The resource config is checked against the gas limit and the other
    ///         way round.
    function initialize(
        address _owner,
        uint32 _basefeeScalar,
        uint32 _blobbasefeeScalar,
        bytes32 _batcherHash,
        uint64 _gasLimit,
        address _unsafeBlockSigner,
        ResourceConfig calldata _config,
        address _batchInbox,
        Addresses calldata _addresses,
        uint256 _l2ChainId,
        SuperchainConfig _superchainConfig
    )
        external
        initializer
    {
        // The caller owns the contract for a moment, which the events tell.
        _setOwner(msg.sender);
        transferOwnership(_owner);
        _setResourceConfig(_config);
        _setBatcherHash(_batcherHash);
        _setGasConfigEcotone(_basefeeScalar, _blobbasefeeScalar);
        _setGasLimit(_gasLimit);
        l2ChainId = _l2ChainId;
        superchainConfig = _superchainConfig;

        _store(UNSAFE_BLOCK_SIGNER_SLOT, uint160(_unsafeBlockSigner));
        _store(BATCH_INBOX_SLOT, uint160(_batchInbox));
        _store(L1_CROSS_DOMAIN_MESSENGER_SLOT, uint160(_addresses.l1CrossDomainMessenger));
        _store(L1_ERC_721_BRIDGE_SLOT, uint160(_addresses.l1ERC721Bridge));
        _store(L1_STANDARD_BRIDGE_SLOT, uint160(_addresses.l1StandardBridge));
        _store(OPTIMISM_PORTAL_SLOT, uint160(_addresses.optimismPortal));
        _store(OPTIMISM_MINTABLE_ERC20_FACTORY_SLOT, uint160(_addresses.optimismMintableERC20Factory));
        _store(DELAYED_WETH_SLOT, uint160(_addresses.delayedWETH));
        _store(OPCM_SLOT, uint160(_addresses.opcm));
        if (startBlock() == 0) _store(START_BLOCK_SLOT, block.number);
    }

    // --- what the owner sets, in the order of the kinds of update -------------------------------------------------------

    /// @notice Sets the batcher by its address.
    function setBatcherHash(address _batcher) external onlyOwner {
        _setBatcherHash(bytes32(uint256(uint160(_batcher))));
    }

    /// @notice Sets the batcher by the hash that names it.
    function setBatcherHash(bytes32 _batcherHash) external onlyOwner {
        _setBatcherHash(_batcherHash);
    }

    /// @notice Sets overhead and scalar in their first form.
    function setGasConfig(uint256 _overhead, uint256 _scalar) external onlyOwner {
        require(_scalar & SCALAR_VERSION_MASK == 0, "SystemConfig: scalar exceeds max.");
        overhead = _overhead;
        scalar = _scalar;
        _update(UpdateType.FEE_SCALARS, abi.encode(_overhead, _scalar));
    }

    /// @notice Sets the two scalars of the L1 fee since Ecotone.
    function setGasConfigEcotone(uint32 _basefeeScalar, uint32 _blobbasefeeScalar) external onlyOwner {
        _setGasConfigEcotone(_basefeeScalar, _blobbasefeeScalar);
    }

    /// @notice Sets the gas limit of an L2 block.
    function setGasLimit(uint64 _gasLimit) external onlyOwner {
        _setGasLimit(_gasLimit);
    }

    /// @notice Sets whose signature nodes accept on blocks not yet derived.
    function setUnsafeBlockSigner(address _unsafeBlockSigner) external onlyOwner {
        _store(UNSAFE_BLOCK_SIGNER_SLOT, uint160(_unsafeBlockSigner));
        _update(UpdateType.UNSAFE_BLOCK_SIGNER, abi.encode(_unsafeBlockSigner));
    }

    /// @notice Sets how the L2 base fee moves.
    function setEIP1559Params(uint32 _denominator, uint32 _elasticity) external onlyOwner {
        require(_denominator != 0, "SystemConfig: denominator must be >= 1");
        require(_elasticity != 0, "SystemConfig: elasticity must be >= 1");
        eip1559Denominator = _denominator;
        eip1559Elasticity = _elasticity;
        _update(UpdateType.EIP_1559_PARAMS, abi.encode((uint256(_denominator) << 32) | _elasticity));
    }

    /// @notice Sets the operator fee.
    function setOperatorFeeScalars(uint32 _operatorFeeScalar, uint64 _operatorFeeConstant) external onlyOwner {
        operatorFeeScalar = _operatorFeeScalar;
        operatorFeeConstant = _operatorFeeConstant;
        _update(
            UpdateType.OPERATOR_FEE_PARAMS, abi.encode((uint256(_operatorFeeScalar) << 64) | _operatorFeeConstant)
        );
    }

    /// @notice Sets the least L2 base fee.
    function setMinBaseFee(uint64 _minBaseFee) external onlyOwner {
        minBaseFee = _minBaseFee;
        _update(UpdateType.MIN_BASE_FEE, abi.encode(_minBaseFee));
    }

    /// @notice Sets the scalar of the data footprint.
    function setDAFootprintGasScalar(uint16 _daFootprintGasScalar) external onlyOwner {
        daFootprintGasScalar = _daFootprintGasScalar;
        _update(UpdateType.DA_FOOTPRINT_GAS_SCALAR, abi.encode(_daFootprintGasScalar));
    }

    /// @notice Switches a feature on or off. The lockbox gives pauses their identifier, so it cannot change in a pause, nor
    ///         be switched off while the portal has one.
    function setFeature(bytes32 _feature, bool _enabled) external {
        _assertOnlyProxyAdminOrProxyAdminOwner();
        if (_enabled == isFeatureEnabled[_feature]) revert SystemConfig_InvalidFeatureState();
        if (_feature == ETH_LOCKBOX) {
            bool keepsLockbox = _enabled || IPortal(optimismPortal()).ethLockbox() == address(0);
            if (!keepsLockbox || paused()) revert SystemConfig_InvalidFeatureState();
        }
        isFeatureEnabled[_feature] = _enabled;
        emit FeatureSet(_feature, _enabled);
    }

    // --- what others read -----------------------------------------------------------------------------------------------

    /// @notice Version of the interface this contract answers.
    function version() external pure returns (string memory) {
        return "3.14.2";
    }

    /// @notice Whether the chain is paused: everything is, or its portal or lockbox.
    function paused() public view returns (bool) {
        address portal = optimismPortal();
        address identifier = isFeatureEnabled[ETH_LOCKBOX] ? IPortal(portal).ethLockbox() : portal;
        return superchainConfig.paused(address(0)) || superchainConfig.paused(identifier);
    }

    /// @notice The account that pauses, blacklists and retires games.
    function guardian() external view returns (address) {
        return superchainConfig.guardian();
    }

    /// @notice The least gas limit of an L2 block: deposits and the system's transaction must fit.
    function minimumGasLimit() public view returns (uint64) {
        return uint64(_resourceConfig.maxResourceLimit) + uint64(_resourceConfig.systemTxMaxGas);
    }

    /// @notice The largest gas limit of an L2 block.
    function maximumGasLimit() external pure returns (uint64) {
        return MAX_GAS_LIMIT;
    }

    /// @notice The market for L2 gas bought by deposits.
    function resourceConfig() external view returns (ResourceConfig memory) {
        return _resourceConfig;
    }

    /// @notice Whether the L2's gas is paid in another token than ether.
    function isCustomGasToken() external view returns (bool) {
        return isFeatureEnabled[CUSTOM_GAS_TOKEN];
    }

    /// @notice The factory of the chain's dispute games.
    function disputeGameFactory() external view returns (address addr_) {
        addr_ = IPortal(optimismPortal()).disputeGameFactory();
    }

    function unsafeBlockSigner() external view returns (address addr_) {
        addr_ = _address(UNSAFE_BLOCK_SIGNER_SLOT);
    }

    function batchInbox() external view returns (address addr_) {
        addr_ = _address(BATCH_INBOX_SLOT);
    }

    /// @notice The L1 block of the first initialisation.
    function startBlock() public view returns (uint256 startBlock_) {
        startBlock_ = _load(START_BLOCK_SLOT);
    }

    function l1CrossDomainMessenger() public view returns (address addr_) {
        addr_ = _address(L1_CROSS_DOMAIN_MESSENGER_SLOT);
    }

    function l1ERC721Bridge() public view returns (address addr_) {
        addr_ = _address(L1_ERC_721_BRIDGE_SLOT);
    }

    function l1StandardBridge() public view returns (address addr_) {
        addr_ = _address(L1_STANDARD_BRIDGE_SLOT);
    }

    function optimismPortal() public view returns (address addr_) {
        addr_ = _address(OPTIMISM_PORTAL_SLOT);
    }

    function optimismMintableERC20Factory() public view returns (address addr_) {
        addr_ = _address(OPTIMISM_MINTABLE_ERC20_FACTORY_SLOT);
    }

    function delayedWETH() public view returns (address addr_) {
        addr_ = _address(DELAYED_WETH_SLOT);
    }

    function lastUsedOPCM() public view returns (address addr_) {
        addr_ = _address(OPCM_SLOT);
    }

    /// @notice All of the addresses.
    function getAddresses() external view returns (Addresses memory) {
        return Addresses({
            l1CrossDomainMessenger: l1CrossDomainMessenger(),
            l1ERC721Bridge: l1ERC721Bridge(),
            l1StandardBridge: l1StandardBridge(),
            optimismPortal: optimismPortal(),
            optimismMintableERC20Factory: optimismMintableERC20Factory(),
            delayedWETH: delayedWETH(),
            opcm: lastUsedOPCM()
        });
    }

    // --- inside -----------------------------------------------------------------------------------------------------------

    function _setBatcherHash(bytes32 hash) private {
        batcherHash = hash;
        _update(UpdateType.BATCHER, abi.encode(hash));
    }

    function _setGasConfigEcotone(uint32 base, uint32 blob) private {
        basefeeScalar = base;
        blobbasefeeScalar = blob;
        scalar = ECOTONE_SCALAR | (uint256(blob) << 32) | base;
        _update(UpdateType.FEE_SCALARS, abi.encode(overhead, scalar));
    }

    function _setGasLimit(uint64 limit) private {
        require(limit >= minimumGasLimit(), "SystemConfig: gas limit too low");
        require(limit <= MAX_GAS_LIMIT, "SystemConfig: gas limit too high");
        gasLimit = limit;
        _update(UpdateType.GAS_LIMIT, abi.encode(limit));
    }

    function _setResourceConfig(ResourceConfig calldata config) private {
        require(
            config.minimumBaseFee <= config.maximumBaseFee, "SystemConfig: min base fee must be less than max base"
        );
        require(config.baseFeeMaxChangeDenominator > 1, "SystemConfig: denominator must be larger than 1");
        require(config.elasticityMultiplier != 0, "SystemConfig: elasticity multiplier cannot be 0");
        require(
            config.maxResourceLimit % config.elasticityMultiplier == 0,
            "SystemConfig: precision loss with target resource limit"
        );
        _resourceConfig = config;
    }

    function _update(UpdateType kind, bytes memory data) private {
        emit ConfigUpdate(VERSION, kind, data);
    }

    function _address(bytes32 slot) private view returns (address) {
        return address(uint160(_load(slot)));
    }

    function _load(bytes32 slot) private view returns (uint256 value) {
        assembly ("memory-safe") {
            value := sload(slot)
        }
    }

    function _store(bytes32 slot, uint256 value) private {
        assembly ("memory-safe") {
            sstore(slot, value)
        }
    }
}
