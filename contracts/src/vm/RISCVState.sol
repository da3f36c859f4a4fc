// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { U64, U8, Word } from "./Fields.sol";

// The working copy of the state: it stays packed as it is hashed, at a fixed place in memory.
//
//     0x080  state, 362 bytes
//     +---------------------------------+
//     |   0  memory root             32 |
//     |  32  preimage key            32 |
//     |  64  preimage offset          8 |
//     |  72  pc                       8 |
//     |  80  exit code                1 |
//     |  81  exited                   1 |
//     |  82  step                     8 |
//     |  90  heap                     8 |
//     |  98  load reservation         8 |
//     | 106  registers           32 x 8 |
//     +---------------------------------+
//     0x200  free memory
//
// The constants below are written as sums of literals, which the compiler adds up.

uint256 constant STATE = 0x80;
uint256 constant STATE_BYTES = 362;
uint256 constant FREE_MEMORY = 0x200;

Word constant MEMORY_ROOT = Word.wrap(0x80);
Word constant PREIMAGE_KEY = Word.wrap(0x80 + 32);
U64 constant PREIMAGE_OFFSET = U64.wrap(0x80 + 64);
U64 constant PC = U64.wrap(0x80 + 72);
U8 constant EXIT_CODE = U8.wrap(0x80 + 80);
U8 constant EXITED = U8.wrap(0x80 + 81);
U64 constant STEP = U64.wrap(0x80 + 82);
U64 constant HEAP = U64.wrap(0x80 + 90);
U64 constant LOAD_RESERVATION = U64.wrap(0x80 + 98);
uint256 constant REGISTERS = 0x80 + 106;

uint256 constant U64_MASK = 0xffffffffffffffff;

// First byte of a state hash.
uint256 constant STATUS_INVALID = 1;
uint256 constant STATUS_PANIC = 2;
uint256 constant STATUS_UNFINISHED = 3;

// Register `index` (0 to 31).
function register(uint256 index) pure returns (uint256) {
    unchecked {
        return U64.wrap(REGISTERS + 8 * index).load();
    }
}

// Writes register `index`; register 0 never changes.
function setRegister(uint256 index, uint256 value) pure {
    unchecked {
        if (index != 0) U64.wrap(REGISTERS + 8 * index).store(value);
    }
}

// Goes on with the next instruction.
function advance() pure {
    unchecked {
        PC.store(PC.load() + 4);
    }
}

// Takes the memory of the state for this call and copies the packed state at `offset` of calldata to its place. Must come
// before anything that allocates. The compiler may want the first memory for itself, should a function need more variables
// than the stack can reach; then every call reverts here, instead of some going wrong.
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

// What the state says about the claim that the program checks. An `exited` byte other than 0 and 1, which no step leaves
// behind, is a machine that does not run and has not finished.
function status() pure returns (uint256) {
    if (EXITED.load() != 1) return STATUS_UNFINISHED;
    uint256 code = EXIT_CODE.load();
    return code > STATUS_INVALID ? STATUS_PANIC : code;
}
