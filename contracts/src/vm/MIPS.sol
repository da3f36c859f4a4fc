// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";
import { IMIPS } from "./IMIPS.sol";
import { lwu } from "./MIPS64LoadStore.sol";
import { DOUBLEWORD_MASK } from "./MIPS64State.sol";
import { execute } from "./MIPSInstructions.sol";
import { FETCH_PROOF, readMemory } from "./MIPSMemory.sol";
import { EXITED, PC, STATE_BYTES, STEP, closeState, openState } from "./MIPSState.sol";
import { executeSyscall } from "./MIPSSyscalls.sol";

/// @title MIPS
/// @notice Executes one step of Cannon's single-threaded 32-bit MIPS machine on the state and the pieces of memory that
///         the caller proves, and returns the hash of the state that follows.
///
/// The contract keeps nothing between calls. It reads its arguments where the canonical encoding puts them:
///
///     byte   4  three heads: offset of the state, offset of the proof, local context
///          100  length of the state, 132 the state (226 bytes, padded to 256)
///          388  length of the proof, 420 fetch, 1316 memory proof
contract MIPS is IMIPS {
    /// @inheritdoc IMIPS
    string public constant version = "1.2.0";

    uint256 private constant STATE_OFFSET = 132;

    /// @dev Opcode 0 with funct 0x0c, and the bits of both.
    uint256 private constant SYSCALL = 0x0000000c;
    uint256 private constant SYSCALL_MASK = 0xfc00003f;

    IPreimageOracle private immutable ORACLE;
    uint256 private immutable STATE_VERSION;

    /// @param _oracle Where the program's preimages are.
    /// @param _stateVersion 0 or 2.
    constructor(IPreimageOracle _oracle, uint256 _stateVersion) {
        if (_stateVersion != 0 && _stateVersion != 2) revert UnsupportedStateVersion();
        ORACLE = _oracle;
        STATE_VERSION = _stateVersion;
    }

    /// @inheritdoc IMIPS
    function oracle() external view returns (IPreimageOracle oracle_) {
        oracle_ = ORACLE;
    }

    /// @inheritdoc IMIPS
    function stateVersion() external view returns (uint256 stateVersion_) {
        stateVersion_ = STATE_VERSION;
    }

    /// @inheritdoc IMIPS
    function step(
        bytes calldata _stateData,
        bytes calldata _proof,
        bytes32 _localContext
    )
        external
        returns (bytes32 postState_)
    {
        uint256 stateOffset;
        uint256 proofOffset;
        assembly ("memory-safe") {
            stateOffset := _stateData.offset
            proofOffset := _proof.offset
        }
        // From here on everything is read at fixed places of calldata, so the arguments must be there.
        require(stateOffset == STATE_OFFSET && _stateData.length == STATE_BYTES && proofOffset == FETCH_PROOF);
        openState(STATE_OFFSET);
        uint256 exited = EXITED.load();
        if (exited > 1) revert InvalidExitedValue();
        if (exited == 0) _transition(_localContext);
        postState_ = closeState();
    }

    /// @dev One step of a machine that has not exited.
    function _transition(bytes32 localContext) private view {
        unchecked {
            STEP.store(STEP.load() + 1);
        }
        uint256 pc = PC.load();
        if (pc & 3 != 0) revert InvalidPC();
        uint256 insn = lwu(pc, readMemory(pc & DOUBLEWORD_MASK, FETCH_PROOF));
        if (insn & SYSCALL_MASK == SYSCALL) executeSyscall(ORACLE, STATE_VERSION, localContext);
        else execute(insn);
    }
}
