// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { FixedPointMathLib } from "solady/src/utils/FixedPointMathLib.sol";
import { CWIA } from "solady/src/utils/legacy/CWIA.sol";

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";
import { IBigStepper } from "../vm/IBigStepper.sol";
import { AnchorStateRegistry } from "./AnchorStateRegistry.sol";
import { NO_CLAIM, Node, Resolution } from "./ClaimTree.sol";
import { DelayedWETH } from "./DelayedWETH.sol";
import { HeaderRLP } from "./HeaderRLP.sol";
import { IDisputeGame } from "./IDisputeGame.sol";
import { Position } from "./Position.sol";
import {
    BondDistributionMode,
    Claim,
    Clock,
    Duration,
    GameConstructorParams,
    GameStatus,
    GameType,
    Hash,
    OutputRootProof,
    Proposal,
    Timestamp,
    VM_STATUS_INVALID,
    VM_STATUS_PANIC,
    VM_STATUS_VALID,
    packClock
} from "./Types.sol";

/// @title FaultDisputeGame
/// @notice A dispute about an output root, played by bisection. Players attack or defend claims, first about the output roots
///         of L2 blocks, below the split depth about the states of a machine that computes one block from the one before.
///         At the full depth two neighbouring states are left, and the machine's verifier decides by executing the one
///         instruction between them.
///
/// Each claim carries a bond. When the clocks have run out, claims are resolved from the bottom up: a claim is countered if a
/// child of it stands, and the leftmost of those that stand gets its bond.
contract FaultDisputeGame is IDisputeGame, CWIA {
    error AlreadyInitialized();
    error AnchorRootNotFound();
    error BadExtraData();
    error BlockNumberMatches();
    error BondTransferFailed();
    error CannotDefendRootClaim();
    error ClaimAboveSplit();
    error ClaimAlreadyExists();
    error ClaimAlreadyResolved();
    error ClockNotExpired();
    error ClockTimeExceeded();
    error DuplicateStep();
    error GameDepthExceeded();
    error GameNotFinalized();
    error GameNotInProgress();
    error GameNotResolved();
    error GamePaused();
    error IncorrectBondAmount();
    error InvalidBondDistributionMode();
    error InvalidChallengePeriod();
    error InvalidClockExtension();
    error InvalidDisputedClaimIndex();
    error InvalidLocalIdent();
    error InvalidOutputRootProof();
    error InvalidParent();
    error InvalidPrestate();
    error InvalidSplitDepth();
    error L2BlockNumberChallenged();
    error MaxDepthTooLarge();
    error NoCreditToClaim();
    error OutOfOrderResolution();
    error UnexpectedRootClaim(Claim rootClaim);
    error UnknownChainId();
    error ValidStep();

    /// @notice A claim was made.
    event Move(uint256 indexed parentIndex, Claim indexed claim, address indexed claimant);
    /// @notice It is decided to whom bonds are paid.
    event GameClosed(BondDistributionMode bondDistributionMode);

    // Arguments behind the code of the proxy: their offsets.
    uint256 private constant CREATOR_ARG = 0;
    uint256 private constant ROOT_CLAIM_ARG = 20;
    uint256 private constant L1_HEAD_ARG = 52;
    uint256 private constant GAME_TYPE_ARG = 84;
    uint256 private constant EXTRA_DATA_ARG = 88;
    uint256 private constant ABSOLUTE_PRESTATE_ARG = 120;
    uint256 private constant VM_ARG = 152;
    uint256 private constant REGISTRY_ARG = 172;
    uint256 private constant WETH_ARG = 192;
    uint256 private constant L2_CHAIN_ID_ARG = 212;
    uint256 internal constant ARGS_END = 244;

    /// @dev Selector and length of the arguments, which stand around them in the data of a call.
    uint256 private constant CALL_OVERHEAD_BYTES = 6;

    /// @dev Positions have at most 126 bits.
    uint256 private constant MAX_POSITION_DEPTH = 125;
    Position private constant ROOT_POSITION = Position.wrap(1);

    // A bond grows with the depth, from the gas of a cheap move to that of the most expensive defence.
    uint256 private constant BOND_BASE_FEE_WEI = 200 gwei;
    uint256 private constant BOND_FIRST_GAS = 400_000;
    uint256 private constant BOND_LAST_GAS = 300_000_000;
    uint256 private constant WAD = 1e18;

    // Local data of the program.
    uint256 private constant L1_HEAD_IDENT = 1;
    uint256 private constant STARTING_OUTPUT_ROOT_IDENT = 2;
    uint256 private constant DISPUTED_OUTPUT_ROOT_IDENT = 3;
    uint256 private constant DISPUTED_BLOCK_NUMBER_IDENT = 4;
    uint256 private constant CHAIN_ID_IDENT = 5;

    uint256 private immutable MAX_GAME_DEPTH;
    uint256 private immutable SPLIT_DEPTH;
    uint256 private immutable CLOCK_EXTENSION;
    uint256 private immutable MAX_CLOCK_DURATION;
    /// @dev Logarithm of the factor between the bonds of two depths, fixed-point with 18 decimals.
    int256 private immutable BOND_FACTOR_LN;

    // --- one word of state, read and written by almost every call -----------------------------------------------------------

    /// @inheritdoc IDisputeGame
    Timestamp public createdAt;
    /// @inheritdoc IDisputeGame
    Timestamp public resolvedAt;
    /// @inheritdoc IDisputeGame
    GameStatus public status;
    bool private _initialized;
    /// @notice Whether the block number of the root claim was proven wrong.
    bool public l2BlockNumberChallenged;
    /// @inheritdoc IDisputeGame
    bool public wasRespectedGameTypeWhenCreated;
    /// @notice To whom bonds are paid.
    BondDistributionMode public bondDistributionMode;
    uint32 private _claimCount;

    // --- the rest -----------------------------------------------------------------------------------------------------------

    uint64 private _startingBlockNumber;
    uint128 private _rootBond;
    Hash private _startingRoot;

    /// @notice Who proved the block number wrong.
    address public l2BlockNumberChallenger;

    mapping(uint256 index => Node) private _nodes;
    mapping(uint256 index => uint32[]) private _children;

    /// @notice Claims made, by claim, position and the claim they answer, so that nobody makes one twice.
    mapping(Hash => bool) public claims;
    /// @notice What each account is paid where bonds go to the winners, wei.
    mapping(address => uint256) public normalModeCredit;
    /// @notice What each account paid in, wei.
    mapping(address => uint256) public refundModeCredit;
    /// @notice Whether the first of the two steps of `claimCredit` was done.
    mapping(address => bool) public hasUnlockedCredit;

    modifier inProgress() {
        _requireInProgress();
        _;
    }

    constructor(GameConstructorParams memory _params) {
        uint256 extension = Duration.unwrap(_params.clockExtension);
        uint256 maxDuration = Duration.unwrap(_params.maxClockDuration);
        if (_params.maxGameDepth > MAX_POSITION_DEPTH) revert MaxDepthTooLarge();
        if (_params.splitDepth < 2 || _params.splitDepth >= _params.maxGameDepth) revert InvalidSplitDepth();
        if (_params.splitDepth + 1 >= _params.maxGameDepth) revert InvalidSplitDepth();
        _requireExtension(2 * extension, maxDuration);

        MAX_GAME_DEPTH = _params.maxGameDepth;
        SPLIT_DEPTH = _params.splitDepth;
        CLOCK_EXTENSION = extension;
        MAX_CLOCK_DURATION = maxDuration;

        // The factor is the depth-th root of the ratio of last and first gas. It is rounded at the places where the deployed
        // contract rounds it, so that bonds agree to the wei.
        int256 ratioLn = FixedPointMathLib.lnWad(int256(BOND_LAST_GAS / BOND_FIRST_GAS * WAD));
        uint256 perLevel = FixedPointMathLib.divWad(WAD, _params.maxGameDepth * WAD);
        uint256 factor = uint256(FixedPointMathLib.expWad(int256(FixedPointMathLib.mulWad(uint256(ratioLn), perLevel))));
        BOND_FACTOR_LN = FixedPointMathLib.lnWad(int256(factor));
    }

    /// @inheritdoc IDisputeGame
    /// @dev Data of a call to `initialize` has one length only, so that the same proposal cannot be made twice with extra data
    ///      that differs behind its end.
    function initialize() public payable virtual {
        if (_initialized) revert AlreadyInitialized();
        if (msg.data.length != CALL_OVERHEAD_BYTES + _argumentsBytes()) revert BadExtraData();

        (Hash root, uint256 anchorNumber) = anchorStateRegistry().getAnchorRoot();
        if (Hash.unwrap(root) == 0) revert AnchorRootNotFound();
        uint256 number = l2SequenceNumber();
        if (number <= anchorNumber || number > type(uint64).max) revert UnexpectedRootClaim(rootClaim());

        uint256 period = vm().oracle().challengePeriod();
        if (period > type(uint64).max) revert InvalidChallengePeriod();
        _requireExtension(CLOCK_EXTENSION + period, MAX_CLOCK_DURATION);

        _startingRoot = root;
        _startingBlockNumber = uint64(anchorNumber);
        _rootBond = _bond(msg.value);

        GameType respected = anchorStateRegistry().respectedGameType();
        wasRespectedGameTypeWhenCreated = GameType.unwrap(respected) == GameType.unwrap(gameType());
        createdAt = Timestamp.wrap(uint64(block.timestamp));
        _initialized = true;
        _claimCount = 1;

        Node storage node = _nodes[0];
        node.position = ROOT_POSITION;
        node.claimant = gameCreator();
        node.updatedAt = uint48(block.timestamp);
        node.claim = rootClaim();
        _deposit(gameCreator());
    }

    // --- playing ------------------------------------------------------------------------------------------------------------

    /// @notice Answers the claim at `_parentIndex` with `_claim` about the first half of its range.
    function attack(Claim _disputed, uint256 _parentIndex, Claim _claim) external payable {
        move(_disputed, _parentIndex, _claim, true);
    }

    /// @notice Answers the claim at `_parentIndex` with `_claim` about the first half of the range behind it.
    function defend(Claim _disputed, uint256 _parentIndex, Claim _claim) external payable {
        move(_disputed, _parentIndex, _claim, false);
    }

    /// @notice Answers a claim, with the bond of the new claim's depth.
    /// @param _disputed The claim answered. It protects against a reorganisation of L1 that puts another one in its place.
    function move(Claim _disputed, uint256 _challengeIndex, Claim _claim, bool _isAttack) public payable virtual inProgress {
        Node storage parent = _node(_challengeIndex);
        if (Claim.unwrap(parent.claim) != Claim.unwrap(_disputed)) revert InvalidDisputedClaimIndex();

        Position position = parent.position.move(_isAttack);
        uint256 depth = position.depth();
        // There is nothing to the right of the root, nor of the first claim on execution.
        if (!_isAttack && (_challengeIndex == 0 || depth == SPLIT_DEPTH + 2)) revert CannotDefendRootClaim();
        if (_challengeIndex == 0 && l2BlockNumberChallenged) revert L2BlockNumberChallenged();
        if (depth > MAX_GAME_DEPTH) revert GameDepthExceeded();
        if (depth == SPLIT_DEPTH + 1) _requireExecutionStatus(parent, _claim, _isAttack);
        if (msg.value != getRequiredBond(position)) revert IncorrectBondAmount();

        uint256 duration = _challengerDuration(parent);
        if (duration == MAX_CLOCK_DURATION) revert ClockTimeExceeded();
        duration = _extended(duration, depth);
        _record(_claim, position, _challengeIndex);

        uint256 index = _claimCount;
        _claimCount = _reference(index);
        Node storage node = _nodes[index];
        node.position = position;
        _setBounds(node, parent, _reference(_challengeIndex), depth, _isAttack);
        node.claimant = msg.sender;
        node.updatedAt = uint48(block.timestamp);
        node.duration = uint48(duration);
        node.claim = _claim;
        _children[_challengeIndex].push(uint32(index));

        _deposit(msg.sender);
        emit Move(_challengeIndex, _claim, msg.sender);
    }

    /// @notice Counters a claim at the full depth by the machine's verdict on one instruction.
    /// @param _stateData The state before the instruction, whose hash is the pre-state claim's apart from the first byte.
    /// @param _proof What the verifier needs besides.
    function step(uint256 _claimIndex, bool _isAttack, bytes calldata _stateData, bytes calldata _proof) public virtual inProgress {
        Node storage node = _node(_claimIndex);
        if (node.position.depth() != MAX_GAME_DEPTH) revert InvalidParent();

        // An attack claims that the instruction leads elsewhere than to the claim, a defence that from the claim it does not
        // lead to the next one.
        Claim prestate = _isAttack ? _claimBefore(node) : node.claim;
        Node storage poststate = _isAttack ? node : _nodes[node.high - 1];
        if (keccak256(_stateData) << 8 != Claim.unwrap(prestate) << 8) revert InvalidPrestate();

        bytes32 result = vm().step(_stateData, _proof, Hash.unwrap(_localContext(node)));
        bool valid = result == Claim.unwrap(poststate.claim);
        // Claims at depths of the same parity belong to the same side.
        bool sameSide = (MAX_GAME_DEPTH - poststate.position.depth()) % 2 == 0;
        if (sameSide == valid) revert ValidStep();
        if (node.resolution.counteredBy != address(0)) revert DuplicateStep();
        node.resolution.counteredBy = msg.sender;
    }

    /// @notice Loads local data of the program into the machine's oracle.
    /// @param _execLeafIdx A claim about the execution that the data belongs to.
    function addLocalData(uint256 _ident, uint256 _execLeafIdx, uint256 _partOffset) external inProgress {
        (Claim starting, Position startingPosition, Claim disputed, Position disputedPosition) =
            _outputs(_node(_execLeafIdx));
        bytes32 word;
        uint256 size = 32;
        if (_ident == L1_HEAD_IDENT) {
            word = Hash.unwrap(l1Head());
        } else if (_ident == STARTING_OUTPUT_ROOT_IDENT) {
            word = Claim.unwrap(starting);
        } else if (_ident == DISPUTED_OUTPUT_ROOT_IDENT) {
            word = Claim.unwrap(disputed);
        } else if (_ident == DISPUTED_BLOCK_NUMBER_IDENT) {
            // Positions behind the claimed block repeat it.
            uint256 number = _startingBlockNumber + disputedPosition.traceIndex(SPLIT_DEPTH) + 1;
            if (number > l2SequenceNumber()) number = l2SequenceNumber();
            (word, size) = (bytes32(number << 192), 8);
        } else if (_ident == CHAIN_ID_IDENT) {
            (word, size) = (bytes32(l2ChainId() << 192), 8);
        } else {
            revert InvalidLocalIdent();
        }
        bytes32 context = Hash.unwrap(_hashOutputs(starting, startingPosition, disputed, disputedPosition));
        vm().oracle().loadLocalData(_ident, context, word, size, _partOffset);
    }

    /// @notice Proves that the root claim is the output root of a block with another number. Its creator's bond then goes to the
    ///         caller, whatever the claims say.
    function challengeRootL2Block(OutputRootProof calldata _outputRootProof, bytes calldata _headerRLP) external inProgress {
        if (l2BlockNumberChallenged) revert L2BlockNumberChallenged();
        if (keccak256(abi.encode(_outputRootProof)) != Claim.unwrap(rootClaim())) revert InvalidOutputRootProof();
        if (keccak256(_headerRLP) != _outputRootProof.latestBlockhash) revert HeaderRLP.InvalidHeaderRLP();
        if (HeaderRLP.blockNumber(_headerRLP) == l2SequenceNumber()) revert BlockNumberMatches();
        l2BlockNumberChallenged = true;
        l2BlockNumberChallenger = msg.sender;
    }

    // --- resolving ----------------------------------------------------------------------------------------------------------

    /// @notice Resolves the subgame of a claim, whose children must be resolved. A claim with many children is resolved in
    ///         several calls.
    /// @param _numToResolve How many children to look at; 0 stands for all of them, in the first call only.
    function resolveClaim(uint256 _claimIndex, uint256 _numToResolve) external inProgress {
        Node storage node = _node(_claimIndex);
        if (_challengerDuration(node) < MAX_CLOCK_DURATION) revert ClockNotExpired();
        Resolution memory resolution = node.resolution;
        if (resolution.resolved) revert ClaimAlreadyResolved();

        uint32[] storage children = _children[_claimIndex];
        uint256 count = children.length;
        if (_claimIndex != 0 && count == 0) {
            resolution.resolved = true;
        } else {
            uint256 page = !resolution.paged && _numToResolve == 0 ? count : _numToResolve;
            resolution.paged = true;
            uint256 end = resolution.cursor + page;
            _lookAt(resolution, children, end < count ? end : count);
            if (resolution.cursor == count) {
                resolution.resolved = true;
                if (resolution.winner != NO_CLAIM) resolution.counteredBy = _nodes[resolution.winner - 1].claimant;
                if (_claimIndex == 0 && l2BlockNumberChallenged) resolution.counteredBy = l2BlockNumberChallenger;
            }
        }
        node.resolution = resolution;
        if (!resolution.resolved) return;

        address winner = resolution.counteredBy == address(0) ? node.claimant : resolution.counteredBy;
        normalModeCredit[winner] += _bondOf(_claimIndex, node);
    }

    /// @inheritdoc IDisputeGame
    function resolve() external inProgress returns (GameStatus status_) {
        Resolution storage root = _nodes[0].resolution;
        if (!root.resolved) revert OutOfOrderResolution();
        status_ = root.counteredBy == address(0) ? GameStatus.DEFENDER_WINS : GameStatus.CHALLENGER_WINS;
        resolvedAt = Timestamp.wrap(uint64(block.timestamp));
        status = status_;
        emit Resolved(status_);
    }

    /// @notice Decides, once the game is final, to whom bonds are paid: to the winners if the game counts, else back.
    function closeGame() public {
        if (bondDistributionMode != BondDistributionMode.UNDECIDED) return;
        AnchorStateRegistry registry = anchorStateRegistry();
        if (registry.paused()) revert GamePaused();
        if (Timestamp.unwrap(resolvedAt) == 0) revert GameNotResolved();
        if (!registry.isGameFinalized(this)) revert GameNotFinalized();

        // The newest valid game becomes the anchor, and is then known to be proper. That another is newer is no failure.
        bool proper = false;
        if (status == GameStatus.DEFENDER_WINS) {
            try registry.setAnchorState(this) {
                proper = true;
            } catch { }
        }
        if (!proper) proper = registry.isGameProper(this);

        BondDistributionMode mode = proper ? BondDistributionMode.NORMAL : BondDistributionMode.REFUND;
        bondDistributionMode = mode;
        emit GameClosed(mode);
    }

    /// @notice Pays what an account has coming, in two calls with the delay of the WETH contract between them.
    function claimCredit(address _recipient) external {
        closeGame();
        uint256 amount = credit(_recipient);
        if (!hasUnlockedCredit[_recipient]) {
            hasUnlockedCredit[_recipient] = true;
            weth().unlock(_recipient, amount);
            return;
        }
        normalModeCredit[_recipient] = 0;
        refundModeCredit[_recipient] = 0;
        if (amount == 0) revert NoCreditToClaim();
        weth().withdraw(_recipient, amount);
        (bool sent,) = _recipient.call{ value: amount }("");
        if (!sent) revert BondTransferFailed();
    }

    // --- reading claims -----------------------------------------------------------------------------------------------------

    /// @notice How many claims there are.
    function claimDataLen() external view returns (uint256 len_) {
        len_ = _claimCount;
    }

    /// @notice A claim by its index, in order of moves; the root claim is 0.
    function claimData(uint256 _index)
        external
        view
        returns (
            uint32 parentIndex,
            address counteredBy,
            address claimant,
            uint128 bond,
            Claim claim,
            Position position,
            Clock clock
        )
    {
        require(_index < _claimCount);
        Node storage node = _nodes[_index];
        parentIndex = node.parentIndex();
        counteredBy = node.resolution.counteredBy;
        claimant = node.claimant;
        bond = uint128(_bondOf(_index, node));
        claim = node.claim;
        position = node.position;
        clock = packClock(node.duration, node.updatedAt);
    }

    /// @notice The children of a claim, in order of moves.
    function subgames(uint256 _claimIndex, uint256 _place) external view returns (uint256) {
        uint32[] storage children = _children[_claimIndex];
        require(_place < children.length);
        return children[_place];
    }

    /// @notice Whether the subgame of a claim is resolved.
    function resolvedSubgames(uint256 _claimIndex) external view returns (bool) {
        return _nodes[_claimIndex].resolution.resolved;
    }

    /// @notice How far the resolution of a claim with children is.
    function resolutionCheckpoints(uint256 _claimIndex)
        external
        view
        returns (
            bool initialCheckpointComplete,
            uint32 subgameIndex,
            Position leftmostPosition,
            address counteredBy
        )
    {
        Resolution storage resolution = _nodes[_claimIndex].resolution;
        initialCheckpointComplete = resolution.paged;
        subgameIndex = resolution.cursor;
        if (!initialCheckpointComplete) return (false, 0, Position.wrap(0), address(0));
        if (resolution.winner == NO_CLAIM) return (true, subgameIndex, Position.wrap(type(uint128).max), address(0));
        Node storage winner = _nodes[resolution.winner - 1];
        leftmostPosition = winner.position;
        counteredBy = winner.claimant;
    }

    /// @notice How many children of a claim are left to look at.
    function getNumToResolve(uint256 _claimIndex) external view returns (uint256 numRemainingChildren_) {
        numRemainingChildren_ = _children[_claimIndex].length - _nodes[_claimIndex].resolution.cursor;
    }

    /// @notice The bond of a claim at a position, wei.
    function getRequiredBond(Position _position) public view returns (uint256 requiredBond_) {
        uint256 depth = _position.depth();
        if (depth > MAX_GAME_DEPTH) revert GameDepthExceeded();
        uint256 growth = uint256(FixedPointMathLib.expWad(BOND_FACTOR_LN * int256(depth)));
        requiredBond_ = BOND_BASE_FEE_WEI * FixedPointMathLib.mulWad(BOND_FIRST_GAS, growth);
    }

    /// @notice The seconds that the side against a claim has used up.
    function getChallengerDuration(uint256 _claimIndex) external view inProgress returns (Duration duration_) {
        duration_ = Duration.wrap(uint64(_challengerDuration(_node(_claimIndex))));
    }

    /// @notice What an account is paid, or gets back where bonds are paid back, wei.
    function credit(address _recipient) public view returns (uint256 credit_) {
        credit_ = bondDistributionMode == BondDistributionMode.REFUND
            ? refundModeCredit[_recipient]
            : normalModeCredit[_recipient];
    }

    // --- reading parameters -------------------------------------------------------------------------------------------------

    /// @notice Version of the interface this contract answers.
    function version() public pure virtual returns (string memory) {
        return "2.4.2";
    }

    /// @inheritdoc IDisputeGame
    function gameType() public pure returns (GameType gameType_) {
        gameType_ = GameType.wrap(uint32(_getArgUint256(GAME_TYPE_ARG) >> 224));
    }

    /// @inheritdoc IDisputeGame
    function gameCreator() public pure returns (address creator_) {
        creator_ = _getArgAddress(CREATOR_ARG);
    }

    /// @inheritdoc IDisputeGame
    function rootClaim() public pure returns (Claim rootClaim_) {
        rootClaim_ = Claim.wrap(_getArgBytes32(ROOT_CLAIM_ARG));
    }

    /// @inheritdoc IDisputeGame
    function rootClaimByChainId(uint256 _chainId) external pure returns (Claim rootClaim_) {
        if (_chainId != l2ChainId()) revert UnknownChainId();
        rootClaim_ = rootClaim();
    }

    /// @inheritdoc IDisputeGame
    function l1Head() public pure returns (Hash l1Head_) {
        l1Head_ = Hash.wrap(_getArgBytes32(L1_HEAD_ARG));
    }

    /// @inheritdoc IDisputeGame
    function l2SequenceNumber() public pure returns (uint256 l2SequenceNumber_) {
        l2SequenceNumber_ = _getArgUint256(EXTRA_DATA_ARG);
    }

    /// @notice The L2 block of the root claim.
    function l2BlockNumber() external pure returns (uint256 l2BlockNumber_) {
        l2BlockNumber_ = l2SequenceNumber();
    }

    /// @inheritdoc IDisputeGame
    function extraData() public pure returns (bytes memory extraData_) {
        extraData_ = abi.encode(l2SequenceNumber());
    }

    /// @inheritdoc IDisputeGame
    function gameData() external pure returns (GameType gameType_, Claim rootClaim_, bytes memory extraData_) {
        (gameType_, rootClaim_, extraData_) = (gameType(), rootClaim(), extraData());
    }

    /// @notice Hash of the machine's first state.
    function absolutePrestate() public pure returns (Claim absolutePrestate_) {
        absolutePrestate_ = Claim.wrap(_getArgBytes32(ABSOLUTE_PRESTATE_ARG));
    }

    /// @notice The machine's verifier.
    function vm() public pure returns (IBigStepper vm_) {
        vm_ = IBigStepper(_getArgAddress(VM_ARG));
    }

    /// @notice Which games count.
    function anchorStateRegistry() public pure returns (AnchorStateRegistry registry_) {
        registry_ = AnchorStateRegistry(_getArgAddress(REGISTRY_ARG));
    }

    /// @notice Where bonds are kept.
    function weth() public pure returns (DelayedWETH weth_) {
        weth_ = DelayedWETH(payable(_getArgAddress(WETH_ARG)));
    }

    /// @notice The id of the L2 chain.
    function l2ChainId() public pure returns (uint256 l2ChainId_) {
        l2ChainId_ = _getArgUint256(L2_CHAIN_ID_ARG);
    }

    /// @notice Depth of the last claims.
    function maxGameDepth() external view returns (uint256 maxGameDepth_) {
        maxGameDepth_ = MAX_GAME_DEPTH;
    }

    /// @notice Depth of the last claims about output roots.
    function splitDepth() external view returns (uint256 splitDepth_) {
        splitDepth_ = SPLIT_DEPTH;
    }

    /// @notice Seconds that each side has in all.
    function maxClockDuration() external view returns (Duration maxClockDuration_) {
        maxClockDuration_ = Duration.wrap(uint64(MAX_CLOCK_DURATION));
    }

    /// @notice Seconds that a side has at least for its next answer.
    function clockExtension() external view returns (Duration clockExtension_) {
        clockExtension_ = Duration.wrap(uint64(CLOCK_EXTENSION));
    }

    /// @notice The anchor from which this game starts.
    function startingOutputRoot() external view returns (Hash root, uint256 l2SequenceNumber) {
        (root, l2SequenceNumber) = (_startingRoot, _startingBlockNumber);
    }

    function startingBlockNumber() external view returns (uint256 startingBlockNumber_) {
        startingBlockNumber_ = _startingBlockNumber;
    }

    function startingRootHash() external view returns (Hash startingRootHash_) {
        startingRootHash_ = _startingRoot;
    }

    // --- inside: claims -----------------------------------------------------------------------------------------------------

    /// @dev The claim at `index`, which must be there.
    function _node(uint256 index) private view returns (Node storage node) {
        if (index >= _claimCount) _panicOutOfBounds();
        node = _nodes[index];
    }

    /// @dev What the compiler's own check of an array does.
    function _panicOutOfBounds() private pure {
        assembly ("memory-safe") {
            // `Panic(0x32)`: selector and argument.
            mstore(0x00, shl(224, 0x4e487b71))
            mstore(0x04, 0x32)
            revert(0x00, 0x24)
        }
    }

    /// @dev The reference to the claim at `index`.
    function _reference(uint256 index) private pure returns (uint32) {
        if (index >= type(uint32).max) _panicOutOfBounds();
        unchecked {
            return uint32(index + 1);
        }
    }

    /// @dev Notes that a claim was made, once.
    function _record(Claim claim, Position position, uint256 parent) private {
        uint256 place = (uint256(Position.unwrap(position)) << 128) | uint128(parent);
        Hash id = Hash.wrap(keccak256(abi.encode(claim, place)));
        if (claims[id]) revert ClaimAlreadyExists();
        claims[id] = true;
    }

    /// @dev The claims that bound the range of a new claim. The first one on execution starts anew.
    function _setBounds(Node storage node, Node storage parent, uint32 parentRef, uint256 depth, bool isAttack) private {
        if (depth == SPLIT_DEPTH + 1) {
            node.leaf = parentRef;
            return;
        }
        (node.low, node.high) = isAttack ? (parent.low, parentRef) : (parentRef, parent.high);
        node.leaf = parent.leaf;
    }

    /// @dev The status of the first state claimed about an execution. A side that opens it against an output root says that the
    ///      program finds that root invalid or ends in panic; one that opens it behind an output root which its own side
    ///      follows up says that it ends valid.
    function _requireExecutionStatus(Node storage leaf, Claim claim, bool isAttack) private view {
        uint8 vmStatus = uint8(Claim.unwrap(claim)[0]);
        bool agrees = !isAttack && (_nodes[leaf.high - 1].position.depth() % 2) != SPLIT_DEPTH % 2;
        bool allowed =
            agrees ? vmStatus == VM_STATUS_VALID : vmStatus == VM_STATUS_INVALID || vmStatus == VM_STATUS_PANIC;
        if (!allowed) revert UnexpectedRootClaim(claim);
    }

    /// @dev The claim that commits to the state before the last one of a claim's range.
    function _claimBefore(Node storage node) private view returns (Claim) {
        return node.low == NO_CLAIM ? absolutePrestate() : _nodes[node.low - 1].claim;
    }

    /// @dev The output roots between which the execution leads that a claim is about. A starting position of 0 stands for the
    ///      anchor.
    function _outputs(Node storage node)
        private
        view
        returns (Claim starting, Position startingPosition, Claim disputed, Position disputedPosition)
    {
        if (node.leaf == NO_CLAIM) revert ClaimAboveSplit();
        Node storage leaf = _nodes[node.leaf - 1];
        Position position = node.position;
        uint256 belowSplit = position.depth() - SPLIT_DEPTH;
        // Above the claim, at the split depth, stands the leaf if it was attacked, else its right neighbour.
        bool isAttacked = Position.unwrap(position) >> belowSplit == Position.unwrap(leaf.position);
        uint32 before = isAttacked ? leaf.low : node.leaf;
        uint32 after_ = isAttacked ? node.leaf : leaf.high;

        if (before == NO_CLAIM) {
            starting = Claim.wrap(Hash.unwrap(_startingRoot));
        } else {
            (starting, startingPosition) = (_nodes[before - 1].claim, _nodes[before - 1].position);
        }
        (disputed, disputedPosition) = (_nodes[after_ - 1].claim, _nodes[after_ - 1].position);
    }

    /// @dev What binds local data to one execution.
    function _localContext(Node storage node) private view returns (Hash) {
        (Claim starting, Position startingPosition, Claim disputed, Position disputedPosition) = _outputs(node);
        return _hashOutputs(starting, startingPosition, disputed, disputedPosition);
    }

    function _hashOutputs(
        Claim starting,
        Position startingPosition,
        Claim disputed,
        Position disputedPosition
    )
        private
        pure
        returns (Hash)
    {
        bytes memory outputs = Position.unwrap(startingPosition) == 0
            ? abi.encode(disputed, disputedPosition)
            : abi.encode(starting, startingPosition, disputed, disputedPosition);
        return Hash.wrap(keccak256(outputs));
    }

    // --- inside: clocks -----------------------------------------------------------------------------------------------------

    /// @dev The seconds that the side against a claim has used up: what it had when it last moved, that is at the claim's parent,
    ///      and the time since the claim.
    function _challengerDuration(Node storage node) private view returns (uint256 duration) {
        uint256 parent = node.parentIndex();
        uint256 before = parent == type(uint32).max ? 0 : _nodes[parent].duration;
        duration = before + block.timestamp - node.updatedAt;
        if (duration > MAX_CLOCK_DURATION) duration = MAX_CLOCK_DURATION;
    }

    /// @dev Leaves a side that moves to `depth` some time for its next answer.
    function _extended(uint256 duration, uint256 depth) private view returns (uint256) {
        uint256 extension = CLOCK_EXTENSION;
        if (depth == MAX_GAME_DEPTH - 1) {
            // The answer is a step, and may need a large preimage.
            extension += vm().oracle().challengePeriod();
        } else if (depth == SPLIT_DEPTH - 1) {
            // The answer opens an execution, which has to be run first.
            extension *= 2;
        }
        uint256 most = MAX_CLOCK_DURATION - extension;
        return duration > most ? most : duration;
    }

    /// @dev An extension must fit into the time that there is.
    function _requireExtension(uint256 extension, uint256 maxDuration) private pure {
        if (extension > type(uint64).max || extension > maxDuration) revert InvalidClockExtension();
    }

    // --- inside: bonds and resolution ---------------------------------------------------------------------------------------

    /// @dev Looks at the children up to `end` and keeps the leftmost that stands; the first of equals.
    function _lookAt(Resolution memory resolution, uint32[] storage children, uint256 end) private view {
        uint256 leftmost = resolution.winner == NO_CLAIM
            ? type(uint128).max
            : Position.unwrap(_nodes[resolution.winner - 1].position);
        for (uint256 i = resolution.cursor; i < end; i++) {
            uint32 index = children[i];
            Node storage child = _nodes[index];
            if (!child.resolution.resolved) revert OutOfOrderResolution();
            if (child.resolution.counteredBy != address(0)) continue;
            uint256 position = Position.unwrap(child.position);
            if (position >= leftmost) continue;
            leftmost = position;
            resolution.winner = _reference(index);
        }
        resolution.cursor = uint32(end);
    }

    /// @dev What was paid for a claim: for the root claim what the factory asked for, else what its position requires.
    function _bondOf(uint256 index, Node storage node) private view returns (uint256) {
        return index == 0 ? _rootBond : getRequiredBond(node.position);
    }

    /// @dev Puts the value sent aside and notes who paid it.
    function _deposit(address payer) private {
        refundModeCredit[payer] += msg.value;
        weth().deposit{ value: msg.value }();
    }

    function _bond(uint256 value) private pure returns (uint128) {
        if (value > type(uint128).max) revert IncorrectBondAmount();
        return uint128(value);
    }

    function _requireInProgress() private view {
        if (status != GameStatus.IN_PROGRESS) revert GameNotInProgress();
    }

    /// @dev How many bytes of arguments a game has.
    function _argumentsBytes() internal pure virtual returns (uint256) {
        return ARGS_END;
    }
}
