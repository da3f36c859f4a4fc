// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "./IPreimageOracle.sol";
import { LargePreimages } from "./LargePreimages.sol";
import { PreimageKeys } from "./PreimageKeys.sol";

/// @title PreimageOracle
/// @notice Stores parts of preimages, each proven to belong to its key before it is stored, so that a verifier of a
///         single instruction can read them.
///
/// Anyone may load anything, any number of times: what a key stands for never depends on who loads it or when. Local
/// data is the exception, and its key therefore contains the loading account.
contract PreimageOracle is IPreimageOracle, LargePreimages {
    /// @notice The SHA-256 precompile failed.
    error ShaFailed();
    /// @notice Too little gas for a precompile to be sure that a failure is the precompile's own.
    error NotEnoughGas();

    /// @notice Version of the interface this contract answers.
    string public constant version = "1.1.5";

    /// @notice Gas kept for what follows a precompile call, on top of the gas the call requires.
    uint256 public constant PRECOMPILE_CALL_RESERVED_GAS = 100_000;

    address private constant SHA256_PRECOMPILE = address(0x02);
    address private constant POINT_EVALUATION_PRECOMPILE = address(0x0a);

    /// @dev 32 bytes of a value. They may be zero, so that they were loaded is said apart.
    struct Part {
        bytes32 data;
        bool loaded;
    }

    /// @notice Length in bytes of the data of a key, without the prefix.
    mapping(bytes32 key => uint256) public preimageLengths;
    mapping(bytes32 key => mapping(uint256 offset => Part)) private _parts;

    /// @param _minProposalSize Least size in bytes of a large preimage proposal.
    /// @param _challengePeriod Seconds during which one can be challenged; games add it to clocks of 64 bits.
    constructor(
        uint256 _minProposalSize,
        uint256 _challengePeriod
    )
        LargePreimages(_minProposalSize, _challengePeriod)
    { }

    /// @notice Least size in bytes of a large preimage proposal.
    function minProposalSize() external view returns (uint256 minProposalSize_) {
        minProposalSize_ = MIN_LPP_SIZE_BYTES;
    }

    /// @inheritdoc IPreimageOracle
    function challengePeriod() external view returns (uint256 challengePeriod_) {
        challengePeriod_ = CHALLENGE_PERIOD;
    }

    /// @inheritdoc IPreimageOracle
    function readPreimage(bytes32 _key, uint256 _offset) external view returns (bytes32 dat_, uint256 datLen_) {
        Part storage part = _parts[_key][_offset];
        require(part.loaded, "pre-image must exist");
        uint256 end = preimageLengths[_key] + PREFIX_BYTES;
        datLen_ = _offset + 32 >= end ? end - _offset : 32;
        dat_ = part.data;
    }

    /// @notice The part of a key at an offset, 32 bytes; zero where it was not loaded.
    function preimageParts(bytes32 _key, uint256 _offset) external view returns (bytes32) {
        return _parts[_key][_offset].data;
    }

    /// @notice Whether a part was loaded.
    function preimagePartOk(bytes32 _key, uint256 _offset) external view returns (bool) {
        return _parts[_key][_offset].loaded;
    }

    /// @inheritdoc IPreimageOracle
    function loadLocalData(
        uint256 _ident,
        bytes32 _localContext,
        bytes32 _word,
        uint256 _size,
        uint256 _partOffset
    )
        external
        returns (bytes32 key_)
    {
        if (_size > 32) revert PartOffsetOOB();
        bytes memory value = abi.encodePacked(uint64(_size), _word);
        assembly ("memory-safe") {
            // Cut the value off behind the data: it was written with all 32 bytes of the word.
            mstore(value, add(_size, PREFIX_BYTES))
        }
        bytes32 plain = PreimageKeys.typed(PreimageKeys.LOCAL, bytes32(_ident));
        key_ = PreimageKeys.localize(plain, msg.sender, _localContext);
        _store(key_, value, _partOffset);
    }

    /// @notice Loads the part at `_partOffset` of `_preimage` under its keccak256 key.
    function loadKeccak256PreimagePart(uint256 _partOffset, bytes calldata _preimage) external {
        uint256 length = _preimage.length;
        unchecked {
            // No data is so long that this overflows.
            if (_partOffset >= length + PREFIX_BYTES) revert PartOffsetOOB();
        }
        bytes32 digest;
        bytes32 part;
        assembly ("memory-safe") {
            // The value is put together in free memory, a word of zeros behind it, as nothing here outlives the block: the
            // length in the 8 high bytes of the first word, the data in their place.
            let value := mload(0x40)
            let data := add(value, 8)
            mstore(value, shl(192, length))
            calldatacopy(data, _preimage.offset, length)
            mstore(add(data, length), 0)
            digest := keccak256(data, length)
            part := mload(add(value, _partOffset))
        }
        _store(PreimageKeys.typed(PreimageKeys.KECCAK256, digest), _partOffset, part, length);
    }

    /// @notice Loads the part at `_partOffset` of `_preimage` under its sha256 key.
    function loadSha256PreimagePart(uint256 _partOffset, bytes calldata _preimage) external {
        bytes memory value = abi.encodePacked(uint64(_preimage.length), _preimage);
        bool hashed;
        bytes32 digest;
        assembly ("memory-safe") {
            // As above, in place; the digest is returned to scratch space. An out-of-gas precompile answers false and
            // leaves the scratch space as it was, hence the check behind it. 2 is the address of SHA-256.
            hashed := staticcall(gas(), 2, add(value, 40), _preimage.length, 0, 32)
            digest := mload(0)
        }
        require(hashed);
        _store(PreimageKeys.typed(PreimageKeys.SHA256, digest), value, _partOffset);
    }

    /// @notice Loads the part at `_partOffset` of `_y` as the value at `_z` of the polynomial with `_commitment`.
    /// @dev    The i-th field element of a blob is the value at the bit-reversed i-th 4096-th root of unity, which is
    ///         then `_z`; this contract takes any point.
    /// @param _commitment KZG commitment, 48 bytes.
    /// @param _proof KZG proof, 48 bytes.
    function loadBlobPreimagePart(
        uint256 _z,
        uint256 _y,
        bytes calldata _commitment,
        bytes calldata _proof,
        uint256 _partOffset
    )
        external
    {
        // Other lengths would shift the fields of the packed input and of the key.
        if (_commitment.length != 48 || _proof.length != 48) revert InvalidProof();

        bytes memory evaluation = abi.encodePacked(_versionedHash(_commitment), _z, _y, _commitment, _proof);
        (bool proven,) = POINT_EVALUATION_PRECOMPILE.staticcall(evaluation);
        if (!proven) revert InvalidProof();

        bytes32 key = PreimageKeys.typed(PreimageKeys.BLOB, keccak256(abi.encodePacked(_commitment, _z)));
        _store(key, abi.encodePacked(uint64(32), _y), _partOffset);
    }

    /// @notice Calls `_precompile` with `_input` and loads the part at `_partOffset` of `status (1 byte) || output`.
    /// @dev    A call that runs out of gas looks like one that failed. The check makes sure that all of `_requiredGas`
    ///         reaches the callee although a call is given at most 63/64 of what is left, so nobody can store a failure
    ///         that is none. Nothing between check and call may cost gas that grows with the input.
    /// @param _requiredGas Gas with which the precompile finishes; part of the key.
    function loadPrecompilePreimagePart(
        uint256 _partOffset,
        address _precompile,
        uint64 _requiredGas,
        bytes calldata _input
    )
        external
    {
        bytes memory request = abi.encodePacked(_precompile, _requiredGas, _input);
        bytes32 key = PreimageKeys.typed(PreimageKeys.PRECOMPILE, keccak256(request));

        if (gasleft() * 63 < uint256(_requiredGas) * 64 + PRECOMPILE_CALL_RESERVED_GAS * 63) revert NotEnoughGas();
        bool success;
        assembly ("memory-safe") {
            // The input lies in the request behind its length (32 bytes), the address (20) and the gas (8). Passing it
            // from there means that no memory is touched, hence paid for, between the check and the call.
            success := staticcall(gas(), _precompile, add(request, 60), _input.length, 0, 0)
        }
        bytes memory output = _returned();
        bytes memory value = abi.encodePacked(uint64(1 + output.length), success, output);
        _store(key, value, _partOffset);
    }

    /// @dev The name of a commitment in blob transactions: its SHA-256 hash with the version, 1, as first byte.
    function _versionedHash(bytes calldata commitment) private view returns (bytes32) {
        (bool hashed, bytes memory digest) = SHA256_PRECOMPILE.staticcall(commitment);
        if (!hashed || digest.length != 32) revert ShaFailed();
        return PreimageKeys.typed(1, bytes32(digest));
    }

    /// @inheritdoc LargePreimages
    function _storeLarge(bytes32 digest, uint256 offset, bytes32 part, uint256 size) internal override {
        _store(PreimageKeys.typed(PreimageKeys.KECCAK256, digest), offset, part, size);
    }

    /// @dev Stores the part at `offset` of `value`, which is `length prefix || data`.
    function _store(bytes32 key, bytes memory value, uint256 offset) private {
        if (offset >= value.length) revert PartOffsetOOB();
        uint256 available = value.length - offset;
        uint256 part;
        assembly ("memory-safe") {
            part := mload(add(add(value, 32), offset))
        }
        // Whatever lies in memory behind the value is none of its bytes.
        if (available < 32) part &= ~(type(uint256).max >> (available * 8));
        _store(key, offset, bytes32(part), value.length - PREFIX_BYTES);
    }

    function _store(bytes32 key, uint256 offset, bytes32 part, uint256 length) private {
        Part storage stored = _parts[key][offset];
        stored.data = part;
        stored.loaded = true;
        preimageLengths[key] = length;
    }

    /// @dev Copies what the last call returned.
    function _returned() private pure returns (bytes memory data) {
        assembly ("memory-safe") {
            let size := returndatasize()
            // The array is taken from the free memory: length first, then the bytes ...
            data := mload(0x40)
            mstore(data, size)
            returndatacopy(add(data, 32), 0, size)
            // ... and the next free place is the following multiple of 32.
            mstore(0x40, and(add(add(data, 63), size), not(31)))
        }
    }
}
