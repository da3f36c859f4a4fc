// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { U32, U64, U8, Word } from "./Fields.sol";
import { STATUS_INVALID, STATUS_PANIC, STATUS_UNFINISHED, U64_MASK } from "./MIPS64State.sol";
import { signed32 } from "./Words.sol";

// The working copy of the state: packed as it is hashed, at a fixed place in memory, its fields read and written where
// they lie.
//
//     0x080  state, 226 bytes
//     +---------------------------------+
//     |   0  memory root             32 |
//     |  32  preimage key            32 |
//     |  64  preimage offset          4 |
//     |  68  pc                       4 |
//     |  72  nextPC                   4 |
//     |  76  LO                       4 |
//     |  80  HI                       4 |
//     |  84  heap                     4 |
//     |  88  exit code                1 |
//     |  89  exited                   1 |
//     |  90  step                     8 |
//     |  98  registers           32 x 4 |
//     +---------------------------------+
//     0x180  free memory
//
// A register is read with its sign in 64 bits, as a 64-bit processor holds 32-bit values, and written by its low 32
// bits: so the rows of instructions that exist on both machines are those of MIPS64.

uint256 constant STATE = 0x80;
uint256 constant STATE_BYTES = 226;
uint256 constant FREE_MEMORY = 0x180;

Word constant MEMORY_ROOT = Word.wrap(0x80);
Word constant PREIMAGE_KEY = Word.wrap(0x80 + 32);
U32 constant PREIMAGE_OFFSET = U32.wrap(0x80 + 64);
U32 constant PC = U32.wrap(0x80 + 68);
U32 constant NEXT_PC = U32.wrap(0x80 + 72);
U32 constant LO = U32.wrap(0x80 + 76);
U32 constant HI = U32.wrap(0x80 + 80);
U32 constant HEAP = U32.wrap(0x80 + 84);
U8 constant EXIT_CODE = U8.wrap(0x80 + 88);
U8 constant EXITED = U8.wrap(0x80 + 89);
U64 constant STEP = U64.wrap(0x80 + 90);
uint256 constant REGISTERS = 0x80 + 98;

// Register `index` (0 to 31), with its sign in 64 bits.
function register(uint256 index) pure returns (uint256) {
    unchecked {
        return uint256(signed32(U32.wrap(REGISTERS + 4 * index).load())) & U64_MASK;
    }
}

// Writes register `index`; register 0 never changes.
function setRegister(uint256 index, uint256 value) pure {
    unchecked {
        if (index != 0) U32.wrap(REGISTERS + 4 * index).store(value);
    }
}

// Goes on behind the delay slot, if this was one, else to the next instruction.
function advance() pure {
    unchecked {
        advanceTo(NEXT_PC.load() + 4);
    }
}

// Executes the delay slot next, then `target`.
function advanceTo(uint256 target) pure {
    PC.store(NEXT_PC.load());
    NEXT_PC.store(target);
}

// Takes the memory of the state for this call and copies the packed state at `offset` of calldata to its place. Must come
// before anything that allocates; see MIPS64State.sol.
function openState(uint256 offset) pure {
    uint256 free;
    assembly ("memory-safe") {
        free := mload(0x40)
    }
    assert(free == STATE);
    assembly ("memory-safe") {
        mstore(0x40, FREE_MEMORY)
        calldatacopy(STATE, offset, STATE_BYTES)
    }
}

// Emits the packed state and returns its hash.
function closeState() returns (bytes32 stateHash) {
    assembly ("memory-safe") {
        log0(STATE, STATE_BYTES)
        stateHash := keccak256(STATE, STATE_BYTES)
    }
    return bytes32((uint256(stateHash) & (type(uint256).max >> 8)) | (status() << 248));
}

// What the state says about the claim that the program checks.
function status() pure returns (uint256) {
    if (EXITED.load() == 0) return STATUS_UNFINISHED;
    uint256 code = EXIT_CODE.load();
    return code > STATUS_INVALID ? STATUS_PANIC : code;
}
