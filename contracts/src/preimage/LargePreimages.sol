// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { Keccak, StateMatrix } from "./Keccak.sol";
import { Leaf, LeafTree, TREE_DEPTH } from "./LeafTree.sol";
import { ProposalMetadata, newProposal } from "./ProposalMetadata.sol";

/// @title LargePreimages
/// @notice Keccak preimages that are too long to be hashed in one transaction. Somebody proposes one with a bond, posts its
///         blocks of 136 bytes over several transactions, and with each block the state of the sponge after it. Nothing of that
///         is checked, but all of it is put into a tree, and anybody who finds two neighbouring states that do not follow from
///         each other proves it and takes the bond. What stands after the challenge period is right.
abstract contract LargePreimages {
    /// @notice The challenge period runs, or has not begun.
    error ActiveProposal();
    /// @notice All blocks are there.
    error AlreadyFinalized();
    /// @notice The proposer has a proposal of that name.
    error AlreadyInitialized();
    /// @notice The proposal was proven wrong.
    error BadProposal();
    /// @notice The receiver does not take the bond.
    error BondTransferFailed();
    /// @notice The value sent is too small a bond.
    error InsufficientBond();
    /// @notice The sizes of input and commitments do not fit, or the whole is not as long as claimed.
    error InvalidInputSize();
    /// @notice The lanes are not those that the earlier leaf commits to.
    error InvalidPreimage();
    /// @notice A leaf is not in the tree, or a blob's proof is refused.
    error InvalidProof();
    /// @notice The caller is a contract.
    error NotEOA();
    /// @notice There is no such proposal.
    error NotInitialized();
    /// @notice The part is not inside the value, or not wholly inside this input.
    error PartOffsetOOB();
    /// @notice The claimed state is right.
    error PostStateMatches();
    /// @notice The leaves are not the neighbours, or not the last ones, that they should be.
    error StatesNotContiguous();
    /// @notice The tree has no room for so many blocks.
    error TreeSizeOverflow();
    /// @notice The input does not begin where the last one ended.
    error WrongStartingBlock();

    /// @notice A proposal by name.
    struct Proposal {
        address claimant;
        uint256 uuid;
    }

    /// @notice Levels of the tree over the blocks.
    uint256 public constant KECCAK_TREE_DEPTH = TREE_DEPTH;
    /// @notice The most blocks of a preimage.
    uint256 public constant MAX_LEAF_COUNT = LeafTree.MAX_LEAVES;
    /// @notice The least bond of a proposal, wei.
    uint256 public constant MIN_BOND_SIZE = 0.25 ether;

    /// @dev Bytes of the length in front of each value.
    uint256 internal constant PREFIX_BYTES = 8;

    /// @dev Least size in bytes of a proposal.
    uint256 internal immutable MIN_LPP_SIZE_BYTES;
    /// @dev Seconds during which a proposal can be challenged.
    uint256 internal immutable CHALLENGE_PERIOD;

    /// @notice All proposals, in order.
    Proposal[] public proposals;
    /// @notice Nodes of the tree that wait for their right neighbours.
    mapping(address claimant => mapping(uint256 uuid => bytes32[TREE_DEPTH])) public proposalBranches;
    /// @notice State of a proposal.
    mapping(address claimant => mapping(uint256 uuid => ProposalMetadata)) public proposalMetadata;
    /// @notice Bond that is still there, wei.
    mapping(address claimant => mapping(uint256 uuid => uint256)) public proposalBonds;
    /// @notice The part that the proposal is about, once its bytes were posted.
    mapping(address claimant => mapping(uint256 uuid => bytes32)) public proposalParts;
    /// @notice The blocks of L1 in which leaves were added.
    mapping(address claimant => mapping(uint256 uuid => uint64[])) public proposalBlocks;

    modifier onlyAccount() {
        if (msg.sender != tx.origin) revert NotEOA();
        _;
    }

    constructor(uint256 minSize, uint256 period) {
        require(period <= type(uint64).max, "PreimageOracle: challenge period too large");
        MIN_LPP_SIZE_BYTES = minSize;
        CHALLENGE_PERIOD = period;
    }

    /// @notice How many proposals there are.
    function proposalCount() external view returns (uint256 count_) {
        count_ = proposals.length;
    }

    /// @notice In how many calls leaves were added.
    function proposalBlocksLen(address _claimant, uint256 _uuid) external view returns (uint256 len_) {
        len_ = proposalBlocks[_claimant][_uuid].length;
    }

    /// @notice Root of an empty tree of so many levels.
    function zeroHashes(uint256 _level) external pure returns (bytes32) {
        require(_level < TREE_DEPTH);
        bytes32 node;
        for (uint256 i = 0; i < _level; i++) node = LeafTree.pair(node, node);
        return node;
    }

    /// @notice Root of the tree of a proposal.
    function getTreeRootLPP(address _owner, uint256 _uuid) public view returns (bytes32 treeRoot_) {
        uint256 size = proposalMetadata[_owner][_uuid].blocksProcessed();
        bytes32[TREE_DEPTH] storage branch = proposalBranches[_owner][_uuid];
        bytes32 empty;
        for (uint256 level = 0; level < TREE_DEPTH; level++) {
            bool waits = (size >> level) & 1 == 1;
            treeRoot_ = waits ? LeafTree.pair(branch[level], treeRoot_) : LeafTree.pair(treeRoot_, empty);
            empty = LeafTree.pair(empty, empty);
        }
    }

    /// @notice Begins a proposal; the value sent is its bond.
    /// @param _partOffset The part to be loaded in the end.
    /// @param _claimedSize Bytes of the preimage.
    function initLPP(uint256 _uuid, uint32 _partOffset, uint32 _claimedSize) external payable {
        if (msg.value < MIN_BOND_SIZE) revert InsufficientBond();
        if (msg.sender != tx.origin) revert NotEOA();
        // In 32 bits: the largest sizes overflow, and make no proposal.
        if (_partOffset >= _claimedSize + uint32(PREFIX_BYTES)) revert PartOffsetOOB();
        if (_claimedSize < MIN_LPP_SIZE_BYTES) revert InvalidInputSize();
        if (proposalMetadata[msg.sender][_uuid].claimedSize() != 0) revert AlreadyInitialized();

        proposalMetadata[msg.sender][_uuid] = newProposal(_partOffset, _claimedSize);
        proposals.push(Proposal(msg.sender, _uuid));
        proposalBonds[msg.sender][_uuid] = msg.value;
    }

    /// @notice Posts the next blocks with the states of the sponge after them. One anonymous log holds the caller's address and
    ///         the data of the call, so that others can follow from logs alone.
    /// @param _inputStartBlock How many blocks were posted before.
    /// @param _input Whole blocks of 136 bytes; with `_finalize` the rest of the preimage, which is padded here.
    /// @param _stateCommitments For each block the hash of the sponge's lanes, a word each.
    function addLeavesLPP(
        uint256 _uuid,
        uint256 _inputStartBlock,
        bytes calldata _input,
        bytes32[] calldata _stateCommitments,
        bool _finalize
    )
        external
        onlyAccount
    {
        ProposalMetadata metadata = proposalMetadata[msg.sender][_uuid];
        if (metadata.claimedSize() == 0) revert NotInitialized();
        if (metadata.timestamp() != 0) revert AlreadyFinalized();
        if (metadata.blocksProcessed() != _inputStartBlock) revert WrongStartingBlock();
        _notePart(_uuid, metadata, _input, _finalize);

        uint256 input = _logCall(_input);
        uint256 length = _finalize ? _pad(input, _input.length) : _input.length;
        uint256 blocks = _stateCommitments.length;
        if (length != blocks * Keccak.BLOCK_BYTES) revert InvalidInputSize();
        if (_inputStartBlock + blocks > LeafTree.MAX_LEAVES) revert TreeSizeOverflow();
        _append(_uuid, _inputStartBlock, input, _stateCommitments);

        metadata = metadata.grow(blocks, _input.length);
        if (_finalize) {
            if (metadata.bytesProcessed() != metadata.claimedSize()) revert InvalidInputSize();
            metadata = metadata.setTimestamp(block.timestamp);
        }
        proposalMetadata[msg.sender][_uuid] = metadata;
        proposalBlocks[msg.sender][_uuid].push(uint64(block.number));
    }

    /// @notice Proves that the first state does not follow from the empty sponge. The bond goes to the caller.
    function challengeFirstLPP(
        address _claimant,
        uint256 _uuid,
        Leaf calldata _postState,
        bytes32[] calldata _postStateProof
    )
        external
    {
        if (!LeafTree.contains(getTreeRootLPP(_claimant, _uuid), _postState, _postStateProof)) revert InvalidProof();
        if (_postState.index != 0) revert StatesNotContiguous();
        StateMatrix memory matrix;
        _counter(_claimant, _uuid, matrix, _postState);
    }

    /// @notice Proves that a state does not follow from the one before. The bond goes to the caller.
    /// @param _stateMatrix The lanes to which the earlier leaf commits.
    function challengeLPP(
        address _claimant,
        uint256 _uuid,
        StateMatrix memory _stateMatrix,
        Leaf calldata _preState,
        bytes32[] calldata _preStateProof,
        Leaf calldata _postState,
        bytes32[] calldata _postStateProof
    )
        external
    {
        _requireLeaves(_claimant, _uuid, _preState, _preStateProof, _postState, _postStateProof);
        _requireNeighbours(_stateMatrix, _preState, _postState);
        _counter(_claimant, _uuid, _stateMatrix, _postState);
    }

    /// @notice Ends a proposal that was not proven wrong: the sponge after the last block gives the key, under which the part is
    ///         loaded. The bond goes back.
    /// @param _stateMatrix The lanes to which the last leaf but one commits.
    function squeezeLPP(
        address _claimant,
        uint256 _uuid,
        StateMatrix memory _stateMatrix,
        Leaf calldata _preState,
        bytes32[] calldata _preStateProof,
        Leaf calldata _postState,
        bytes32[] calldata _postStateProof
    )
        external
    {
        _requireUnchallenged(proposalMetadata[_claimant][_uuid]);
        _requireLeaves(_claimant, _uuid, _preState, _preStateProof, _postState, _postStateProof);
        _requireNeighbours(_stateMatrix, _preState, _postState);
        _finish(_claimant, _uuid, _stateMatrix, _postState);
    }

    /// @dev Stores a part under the keccak256 key of `digest`.
    function _storeLarge(bytes32 digest, uint256 offset, bytes32 part, uint256 size) internal virtual;

    // --- inside -------------------------------------------------------------------------------------------------------------

    /// @dev Notes the part, if it begins in this input: 32 bytes of `claimed size (8 bytes) || preimage`. Unless the preimage
    ///      ends here, the part must do so before the input does; who posts the blocks cuts them accordingly.
    function _notePart(uint256 uuid, ProposalMetadata metadata, bytes calldata input, bool last) private {
        uint256 offset = metadata.partOffset();
        uint256 begin = metadata.bytesProcessed();
        bytes memory window;
        if (offset < PREFIX_BYTES) {
            if (begin != 0) return;
            window = abi.encodePacked(uint64(metadata.claimedSize()), input[:input.length < 32 ? input.length : 32]);
        } else {
            offset -= PREFIX_BYTES;
            if (offset < begin || offset >= begin + input.length) return;
            offset -= begin;
            if (!last && offset + 32 >= input.length) revert PartOffsetOOB();
            window = input[offset:input.length - offset < 32 ? input.length : offset + 32];
            offset = 0;
        }
        bytes32 part;
        assembly ("memory-safe") {
            // Behind the window lies nothing: it is the last piece of memory taken, and what follows is cleared here.
            mstore(add(add(window, 32), mload(window)), 0)
            part := mload(add(add(window, 32), offset))
        }
        proposalParts[msg.sender][uuid] = part;
    }

    /// @dev Logs caller and calldata, and returns where the copy of `input` lies in memory.
    function _logCall(bytes calldata input) private returns (uint256 at) {
        assembly {
            // The copy is taken from the free memory, with room for a padded block and rounded up to words.
            let log := mload(0x40)
            mstore(0x40, and(add(add(log, calldatasize()), 255), not(31)))
            mstore(log, shl(96, caller()))
            calldatacopy(add(log, 20), 0, calldatasize())
            log0(log, add(20, calldatasize()))
            at := add(add(log, 20), input.offset)
        }
    }

    /// @dev Pads the last `length` bytes from `at` to whole blocks: a byte 0x01, zeros, and 0x80 in the last byte; both in one
    ///      where only one is missing. Returns the padded length. What is overwritten lies in the copy of calldata and is no longer
    ///      needed, or behind it.
    function _pad(uint256 at, uint256 length) private pure returns (uint256 padded) {
        padded = (length / Keccak.BLOCK_BYTES + 1) * Keccak.BLOCK_BYTES;
        assembly ("memory-safe") {
            let end := add(at, length)
            let last := sub(add(at, padded), 1)
            // Calldata ends where the copy ends, so copying from there gives zeros.
            calldatacopy(end, calldatasize(), sub(padded, length))
            mstore8(last, 0x80)
            mstore8(end, or(0x01, shl(7, eq(end, last))))
        }
    }

    /// @dev Adds leaves to the tree of a proposal. Only nodes that change are written.
    function _append(uint256 uuid, uint256 size, uint256 input, bytes32[] calldata commitments) private {
        bytes32[TREE_DEPTH] storage stored = proposalBranches[msg.sender][uuid];
        bytes32[TREE_DEPTH] memory branch;
        uint256 newSize = size + commitments.length;
        for (uint256 level = 0; size >> level != 0; level++) {
            if ((size >> level) & 1 == 1) branch[level] = stored[level];
        }
        LeafTree.append(branch, size, input, commitments);
        // A node changes if a leaf went through its level, that is if its number of nodes did.
        for (uint256 level = 0; size >> level != newSize >> level; level++) {
            if (branch[level] != 0) stored[level] = branch[level];
        }
    }

    function _requireLeaves(
        address claimant,
        uint256 uuid,
        Leaf calldata preState,
        bytes32[] calldata preProof,
        Leaf calldata postState,
        bytes32[] calldata postProof
    )
        private
        view
    {
        bytes32 root = getTreeRootLPP(claimant, uuid);
        bool contained = LeafTree.contains(root, preState, preProof) && LeafTree.contains(root, postState, postProof);
        if (!contained) revert InvalidProof();
    }

    /// @dev The earlier leaf commits to the lanes of `matrix`, and the other follows it.
    function _requireNeighbours(
        StateMatrix memory matrix,
        Leaf calldata preState,
        Leaf calldata postState
    )
        private
        pure
    {
        if (Keccak.commitment(matrix) != preState.stateCommitment) revert InvalidPreimage();
        if (preState.index + 1 != postState.index) revert StatesNotContiguous();
    }

    function _requireUnchallenged(ProposalMetadata metadata) private view {
        if (metadata.isCountered()) revert BadProposal();
        uint256 finalized = metadata.timestamp();
        if (finalized == 0 || block.timestamp - finalized <= CHALLENGE_PERIOD) revert ActiveProposal();
    }

    /// @dev Loads the part of a proposal whose last block is `leaf`, and pays the bond back.
    function _finish(address claimant, uint256 uuid, StateMatrix memory matrix, Leaf calldata leaf) private {
        ProposalMetadata metadata = proposalMetadata[claimant][uuid];
        if (leaf.index + 1 != metadata.blocksProcessed()) revert StatesNotContiguous();
        Keccak.absorb(matrix, leaf.input);
        bytes32 part = proposalParts[claimant][uuid];
        _storeLarge(Keccak.squeeze(matrix), metadata.partOffset(), part, metadata.claimedSize());
        _payBond(claimant, uuid, claimant);
    }

    /// @dev Counters a proposal if its claim about the sponge after `leaf` is wrong, given the sponge before it.
    function _counter(address claimant, uint256 uuid, StateMatrix memory matrix, Leaf calldata leaf) private {
        Keccak.absorb(matrix, leaf.input);
        if (Keccak.commitment(matrix) == leaf.stateCommitment) revert PostStateMatches();
        proposalMetadata[claimant][uuid] = proposalMetadata[claimant][uuid].setCountered();
        _payBond(claimant, uuid, msg.sender);
    }

    function _payBond(address claimant, uint256 uuid, address to) private {
        uint256 bond = proposalBonds[claimant][uuid];
        proposalBonds[claimant][uuid] = 0;
        (bool sent,) = to.call{ value: bond }("");
        if (!sent) revert BondTransferFailed();
    }
}
