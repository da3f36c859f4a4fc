// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";
import { IRISCV } from "./IRISCV.sol";
import { PROOF_BYTES } from "./MemoryTree.sol";
import {
    executeAuipc,
    executeImmediate,
    executeImmediateWord,
    executeLui,
    executeRegister,
    executeRegisterWord
} from "./RISCVArithmetic.sol";
import { executeAtomic } from "./RISCVAtomic.sol";
import { executeBranch, jal, jalr } from "./RISCVBranch.sol";
import { funct3Of, opcodeOf, rdOf } from "./RISCVDecode.sol";
import { BAD_OPCODE, fault } from "./RISCVFaults.sol";
import { executeLoad, executeStore } from "./RISCVLoadStore.sol";
import { fetch } from "./RISCVMemory.sol";
import { EXITED, PC, STATE_BYTES, STEP, advance, closeState, openState, setRegister } from "./RISCVState.sol";
import { ecall } from "./RISCVSyscalls.sol";

/// @title RISCV
/// @notice Executes one step of Asterisc's RISC-V machine (RV64IMA) on the state and the pieces of memory that the caller
///         proves, and returns the hash of the state that follows.
///
/// The contract keeps nothing between calls. It reads its arguments where the canonical encoding puts them:
///
///     byte   4  three heads: offset of the state, offset of the proof, local context
///          100  length of the state, 132 the state (362 bytes, padded to 384)
///          516  length of the proof, 548 fetch, 2468 memory, 4388 second memory proof
contract RISCV is IRISCV {
    /// @inheritdoc IRISCV
    string public constant version = "1.2.0-rc.1";

    uint256 private constant STATE_OFFSET = 132;
    uint256 private constant PROOF_OFFSET = 548;

    IPreimageOracle private immutable ORACLE;

    /// @param _oracle Where the program's preimages are.
    constructor(IPreimageOracle _oracle) {
        ORACLE = _oracle;
    }

    /// @inheritdoc IRISCV
    function oracle() external view returns (IPreimageOracle oracle_) {
        oracle_ = ORACLE;
    }

    /// @inheritdoc IRISCV
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
        if (EXITED.load() == 0) _transition(_localContext);
        postState_ = closeState();
    }

    /// @dev From here on everything is read at fixed places of calldata, so the arguments must be there.
    function _requireCanonical(bytes calldata stateData, bytes calldata proof) private pure {
        uint256 stateOffset;
        uint256 proofOffset;
        assembly ("memory-safe") {
            stateOffset := stateData.offset
            proofOffset := proof.offset
        }
        require(
            stateOffset == STATE_OFFSET && stateData.length == STATE_BYTES && proofOffset == PROOF_OFFSET
                && proof.length % PROOF_BYTES == 0
        );
    }

    /// @dev One step of a machine that has not exited: the classes of instructions, by opcode.
    function _transition(bytes32 localContext) private view {
        unchecked {
            STEP.store(STEP.load() + 1);
        }
        uint256 insn = fetch(PC.load());
        uint256 opcode = opcodeOf(insn);
        if (opcode == 0x13) executeImmediate(insn);
        else if (opcode == 0x03) executeLoad(insn);
        else if (opcode == 0x23) executeStore(insn);
        else if (opcode == 0x33) executeRegister(insn);
        else if (opcode == 0x63) executeBranch(insn);
        else if (opcode == 0x1b) executeImmediateWord(insn);
        else if (opcode == 0x3b) executeRegisterWord(insn);
        else if (opcode == 0x37) executeLui(insn);
        else if (opcode == 0x17) executeAuipc(insn);
        else if (opcode == 0x6f) jal(insn);
        else if (opcode == 0x67) jalr(insn);
        else if (opcode == 0x2f) executeAtomic(insn);
        else if (opcode == 0x73) _system(insn, localContext);
        else _ignored(opcode);
    }

    /// @dev Opcode 0x73: the system call; breakpoints, waits and returns from traps, which do nothing; and control
    ///      registers, which there are none of, so that they read as zero.
    function _system(uint256 insn, bytes32 localContext) private view {
        if (funct3Of(insn) == 0 && insn >> 20 == 0) return ecall(ORACLE, localContext);
        if (funct3Of(insn) != 0) setRegister(rdOf(insn), 0);
        advance();
    }

    /// @dev Fences (0x0f) and all of floating point that has no effect here (0x07, 0x27, 0x53). No other opcode exists.
    function _ignored(uint256 opcode) private pure {
        if (opcode != 0x0f && opcode != 0x07 && opcode != 0x27 && opcode != 0x53) fault(BAD_OPCODE);
        advance();
    }
}
