// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";
import { IMIPS64 } from "./IMIPS64.sol";
import { executeBranch } from "./MIPS64Branch.sol";
import { opcodeOf } from "./MIPS64Decode.sol";
import { executeImmediate, executeSpecial2 } from "./MIPS64Immediate.sol";
import { executeLoadStore, lwu } from "./MIPS64LoadStore.sol";
import { FETCH_PROOF, readMemory } from "./MIPS64Memory.sol";
import { executeSpecial } from "./MIPS64Special.sol";
import {
    DOUBLEWORD_MASK,
    EXITED,
    PC,
    STATE_BYTES,
    STEP,
    STEPS_SINCE_SWITCH,
    THREAD_EXITED,
    closeState,
    openState
} from "./MIPS64State.sol";
import { executeSyscall } from "./MIPS64Syscalls.sol";
import {
    EMPTY_STACK, QUANTUM, activeStack, closeThread, openThread, popThread, preempt
} from "./MIPS64Threads.sol";

/// @title MIPS64
/// @notice Executes one step of Cannon's multithreaded 64-bit MIPS machine on the state and the pieces of memory that
///         the caller proves, and returns the hash of the state that follows.
///
/// The contract keeps nothing between calls. It reads its arguments where the canonical encoding puts them:
///
///     byte   4  three heads: offset of the state, offset of the proof, local context
///          100  length of the state, 132 the state (188 bytes, padded to 192)
///          324  length of the proof, 356 thread witness, 686 fetch, 2606 memory, 4526 second memory proof
contract MIPS64 is IMIPS64 {
    /// @inheritdoc IMIPS64
    string public constant version = "1.9.0";

    uint256 private constant STATE_OFFSET = 132;
    uint256 private constant PROOF_OFFSET = 356;

    /// @dev Opcode 0 with funct 0x0c, and the bits of both.
    uint256 private constant SYSCALL = 0x0000000c;
    uint256 private constant SYSCALL_MASK = 0xfc00003f;

    IPreimageOracle private immutable ORACLE;
    uint256 private immutable STATE_VERSION;

    /// @param _oracle Where the program's preimages are.
    /// @param _stateVersion 7 or 8.
    constructor(IPreimageOracle _oracle, uint256 _stateVersion) {
        if (_stateVersion != 7 && _stateVersion != 8) revert UnsupportedStateVersion();
        ORACLE = _oracle;
        STATE_VERSION = _stateVersion;
    }

    /// @inheritdoc IMIPS64
    function oracle() external view returns (IPreimageOracle oracle_) {
        oracle_ = ORACLE;
    }

    /// @inheritdoc IMIPS64
    function stateVersion() external view returns (uint256 stateVersion_) {
        stateVersion_ = STATE_VERSION;
    }

    /// @inheritdoc IMIPS64
    function step(
        bytes calldata _stateData,
        bytes calldata _proof,
        bytes32 _localContext
    )
        external
        returns (bytes32 postState_)
    {
        _requireCanonical(_stateData, _proof);
        openState(STATE_OFFSET);
        uint256 exited = EXITED.load();
        if (exited > 1) revert InvalidExitedValue();
        if (exited == 0) _transition(_localContext);
        postState_ = closeState();
        require(activeStack().load() != EMPTY_STACK, "MIPS64: post-state active thread stack is empty");
    }

    /// @dev From here on everything is read at fixed places of calldata, so the arguments must be there.
    function _requireCanonical(bytes calldata stateData, bytes calldata proof) private pure {
        uint256 stateOffset;
        uint256 proofOffset;
        assembly ("memory-safe") {
            stateOffset := stateData.offset
            proofOffset := proof.offset
        }
        require(stateOffset == STATE_OFFSET && stateData.length == STATE_BYTES && proofOffset == PROOF_OFFSET);
    }

    /// @dev One step of a machine that has not exited.
    function _transition(bytes32 localContext) private view {
        require(activeStack().load() != EMPTY_STACK, "MIPS64: active thread stack is empty");
        unchecked {
            STEP.store(STEP.load() + 1);
        }
        openThread(PROOF_OFFSET);
        if (THREAD_EXITED.load() != 0) return popThread();
        uint256 stepsSinceSwitch = STEPS_SINCE_SWITCH.load();
        if (stepsSinceSwitch >= QUANTUM) return preempt();
        unchecked {
            STEPS_SINCE_SWITCH.store(stepsSinceSwitch + 1);
        }

        uint256 insn = _fetch();
        if (insn & SYSCALL_MASK == SYSCALL) return executeSyscall(ORACLE, STATE_VERSION, localContext);
        _execute(insn);
        closeThread();
    }

    /// @dev The instruction at pc.
    function _fetch() private pure returns (uint256 insn) {
        uint256 pc = PC.load();
        if (pc & 3 != 0) revert InvalidPC();
        return lwu(pc, readMemory(pc & DOUBLEWORD_MASK, FETCH_PROOF));
    }

    /// @dev The classes of instructions, by opcode.
    function _execute(uint256 insn) private pure {
        uint256 opcode = opcodeOf(insn);
        if (opcode == 0x00) executeSpecial(insn);
        else if (opcode >= 0x20 || opcode == 0x1a || opcode == 0x1b) executeLoadStore(insn);
        else if (opcode < 0x08) executeBranch(insn);
        else if (opcode == 0x1c) executeSpecial2(insn);
        else executeImmediate(insn);
    }
}
