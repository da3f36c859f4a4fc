// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";
import { PreimageKeys } from "../preimage/PreimageKeys.sol";
import { IBigStepper } from "./IBigStepper.sol";

/// @title AlphabetVM
/// @notice A machine with one short program, so that games can be played without a real machine. The output root of L2 block
///         `n` is the number `n`: a block is executed by adding one, and anybody sees which root is right.
///
///     step   reads from the oracle           does
///     0      agreed output root (2)          notes it
///     1      disputed output root (3)        notes it
///     2      L2 block number (4)             notes it, and whether the disputed root is right
///     3..5                                   nothing
///     6..                                    nothing: the program has ended, and the state stays as it is
///
/// Like a real machine it trusts its local data, which games load, and nothing else.
contract AlphabetVM is IBigStepper {
    /// @notice The state is not four words, or no state that a program is ever in.
    error InvalidState();

    /// @dev Steps after which the program has ended.
    uint64 private constant LENGTH = 6;

    uint256 private constant VALID = 0;
    uint256 private constant INVALID = 1;
    uint256 private constant UNFINISHED = 3;

    /// @dev Offset of the data behind its length.
    uint256 private constant DATA_OFFSET = 8;

    /// @notice The state, packed as four words: steps done, and the local data read so far.
    struct State {
        uint256 step;
        bytes32 agreed;
        bytes32 disputed;
        uint256 number;
    }

    /// @inheritdoc IBigStepper
    IPreimageOracle public immutable oracle;

    constructor(IPreimageOracle _oracle) {
        oracle = _oracle;
    }

    /// @inheritdoc IBigStepper
    /// @dev There is nothing to prove: the proof is not looked at.
    function step(bytes calldata _stateData, bytes calldata, bytes32 _localContext) external view returns (bytes32 postState_) {
        if (_stateData.length != 128) revert InvalidState();
        State memory state = abi.decode(_stateData, (State));
        if (state.step > LENGTH) revert InvalidState();
        if (state.step == 0) state.agreed = _read(2, _localContext);
        if (state.step == 1) state.disputed = _read(3, _localContext);
        if (state.step == 2) state.number = uint256(_read(4, _localContext)) >> 192;
        if (state.step < LENGTH) state.step++;
        postState_ = PreimageKeys.typed(_status(state), keccak256(abi.encode(state)));
    }

    /// @dev An agreed block that is the claimed one already needs no execution.
    function _status(State memory state) private pure returns (uint256) {
        if (state.step < LENGTH) return UNFINISHED;
        uint256 agreed = uint256(state.agreed);
        uint256 computed = agreed < state.number ? agreed + 1 : agreed;
        return uint256(state.disputed) == computed ? VALID : INVALID;
    }

    function _read(uint256 ident, bytes32 localContext) private view returns (bytes32 data) {
        bytes32 key = PreimageKeys.typed(PreimageKeys.LOCAL, bytes32(ident));
        (data,) = oracle.readPreimage(PreimageKeys.localize(key, msg.sender, localContext), DATA_OFFSET);
    }
}
