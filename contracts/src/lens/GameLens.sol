// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

/// @title GameLens
/// @notice Reads many games in one call. Nothing is deployed: agents place this code at an unused address for the
///         length of an `eth_call`, so that a poll of a thousand games is a handful of requests.
///
///         What is read may be malformed. Every read has a limit of gas and of copied bytes, and one that fails
///         is told apart from every answer; it never ends the others. A call that cannot grant a read all of its
///         gas reverts: what a getter answers must not depend on what those before it have burnt.
contract GameLens {
    /// @notice A game, and the claims whose state may change without a new claim.
    struct Watch {
        address game;
        uint256[] claims;
    }

    /// @notice Claims `from` to `to`, `to` not included, of a game.
    struct Range {
        address game;
        uint256 from;
        uint256 to;
    }

    /// @notice Any view.
    struct Call {
        address target;
        bytes data;
    }

    /// @notice What a view gave.
    struct Answer {
        bool success;
        bytes data;
    }

    /// @notice The gas that is left does not suffice for all reads. Fewer of them may do.
    error TooManyReads();

    /// @notice Gas for one read: many times what any getter takes.
    uint256 private constant READ_GAS = 250_000;

    /// @notice What must be left for a read to get that: a call passes on 63 of 64 parts, after its own cost.
    uint256 private constant GAS_BEFORE_READ = 260_000;

    /// @notice Bytes that are copied of one answer at most.
    uint256 private constant ANSWER_LIMIT = 4096;

    /// @notice Words of one claim in the answer of `claims`: seven of its data, then whether its subgame is resolved
    ///         and how many children a resolution in parts has visited.
    uint256 private constant CLAIM_WORDS = 9;

    bytes4 private constant STATUS = bytes4(keccak256("status()"));
    bytes4 private constant CLAIM_DATA_LEN = bytes4(keccak256("claimDataLen()"));
    bytes4 private constant BLOCK_CHALLENGED = bytes4(keccak256("l2BlockNumberChallenged()"));
    bytes4 private constant CLAIM_DATA = bytes4(keccak256("claimData(uint256)"));
    bytes4 private constant RESOLVED = bytes4(keccak256("resolvedSubgames(uint256)"));
    bytes4 private constant CHECKPOINT = bytes4(keccak256("resolutionCheckpoints(uint256)"));

    /// @notice One hash a game over everything that can change in it: its status, the number of its claims, whether
    ///         its block number is challenged, and the state of the watched claims. Equal hashes of the same
    ///         watch, within one chain of blocks: nothing has changed.
    function glance(Watch[] calldata _watches) external view returns (bytes32[] memory prints_) {
        prints_ = new bytes32[](_watches.length);
        for (uint256 i; i < _watches.length; i++) {
            address game = _watches[i].game;
            uint256[] calldata watched = _watches[i].claims;
            bytes32 print = _absorb(0, game, STATUS, 0, 1);
            print = _absorb(print, game, CLAIM_DATA_LEN, 0, 1);
            print = _absorb(print, game, BLOCK_CHALLENGED, 0, 1);
            for (uint256 j; j < watched.length; j++) {
                print = _absorb(print, game, CLAIM_DATA, watched[j], 7);
                print = _absorb(print, game, RESOLVED, watched[j], 1);
                print = _absorb(print, game, CHECKPOINT, watched[j], 4);
            }
            prints_[i] = print;
        }
    }

    /// @notice The claims of each range, nine words a claim, up to the first that the game does not answer for.
    function claims(Range[] calldata _ranges) external view returns (bytes[] memory claims_) {
        claims_ = new bytes[](_ranges.length);
        for (uint256 i; i < _ranges.length; i++) {
            claims_[i] = _claims(_ranges[i]);
        }
    }

    /// @notice The answers of any views, each on its own.
    function views(Call[] calldata _calls) external view returns (Answer[] memory answers_) {
        answers_ = new Answer[](_calls.length);
        for (uint256 i; i < _calls.length; i++) {
            address target = _calls[i].target;
            bytes memory data = _calls[i].data;
            bytes memory answer = new bytes(ANSWER_LIMIT);
            bool success;
            _checkGas();
            assembly ("memory-safe") {
                success := staticcall(READ_GAS, target, add(data, 0x20), mload(data), add(answer, 0x20), ANSWER_LIMIT)
                // A longer answer is cut, and so will not decode.
                let size := returndatasize()
                if gt(size, ANSWER_LIMIT) { size := ANSWER_LIMIT }
                mstore(answer, size)
                // Gives back what the answer does not use: the array was the last allocation.
                mstore(0x40, and(add(add(answer, size), 0x3f), not(0x1f)))
            }
            answers_[i] = Answer({ success: success && target.code.length != 0, data: answer });
        }
    }

    function _claims(Range calldata _range) private view returns (bytes memory packed_) {
        address game = _range.game;
        uint256 count = _range.to - _range.from;
        packed_ = new bytes(count * CLAIM_WORDS * 32);
        uint256 read;
        for (; read < count; read++) {
            uint256 index = _range.from + read;
            uint256 at;
            assembly ("memory-safe") {
                at := add(add(packed_, 0x20), mul(read, 288))
            }
            if (!_read(game, CLAIM_DATA, index, at, 7)) break;
            if (!_read(game, RESOLVED, index, at + 7 * 32, 1)) break;
            // The second word of a checkpoint is what is wanted; contracts without checkpoints resolve in one go.
            uint256 scratch;
            assembly ("memory-safe") {
                scratch := mload(0x40)
            }
            bool partly = _read(game, CHECKPOINT, index, scratch, 4);
            assembly ("memory-safe") {
                mstore(add(at, 256), mul(partly, mload(add(scratch, 0x20))))
            }
        }
        assembly ("memory-safe") {
            mstore(packed_, mul(read, 288))
        }
    }

    /// @dev The hash over what was absorbed before, whether the getter answered, and its first words.
    function _absorb(bytes32 _before, address _game, bytes4 _getter, uint256 _argument, uint256 _words)
        private
        view
        returns (bytes32 print_)
    {
        uint256 at;
        assembly ("memory-safe") {
            at := mload(0x40)
        }
        bool success = _read(_game, _getter, _argument, at + 64, _words);
        assembly ("memory-safe") {
            mstore(at, _before)
            mstore(add(at, 0x20), success)
            // A failed read leaves nothing to hash but the failure.
            print_ := keccak256(at, add(0x40, mul(success, mul(_words, 0x20))))
        }
    }

    /// @dev Calls a getter with one argument (getters without one ignore it) and copies the first words of its
    ///      answer to `_at`. False where it reverts or answers less.
    function _read(address _game, bytes4 _getter, uint256 _argument, uint256 _at, uint256 _words)
        private
        view
        returns (bool success_)
    {
        _checkGas();
        assembly ("memory-safe") {
            // The call stands in the scratch space: 4 bytes of selector, 32 of argument.
            mstore(0x00, _getter)
            mstore(0x04, _argument)
            success_ :=
                and(
                    iszero(lt(returndatasize(), mul(_words, 0x20))),
                    staticcall(READ_GAS, _game, 0x00, 0x24, _at, mul(_words, 0x20))
                )
        }
    }

    function _checkGas() private view {
        if (gasleft() < GAS_BEFORE_READ) revert TooManyReads();
    }
}
