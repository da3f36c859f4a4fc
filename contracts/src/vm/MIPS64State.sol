// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { U64, U8, Word } from "./Fields.sol";

// The working copies of state and thread: both stay packed as they are hashed, at fixed places in memory, and a field is
// read and written where it lies. Nothing is unpacked, so nothing has to be packed again.
//
//     0x080  state, 188 bytes                  0x140  thread, 298 bytes
//     +---------------------------------+      +--------------------------+
//     |   0  memory root             32 |      |   0  thread id         8 |
//     |  32  preimage key            32 |      |   8  exit code         1 |
//     |  64  preimage offset          8 |      |   9  exited            1 |
//     |  72  heap                     8 |      |  10  pc                8 |
//     |  80  LL reservation status    1 |      |  18  nextPC            8 |
//     |  81  LL address               8 |      |  26  LO                8 |
//     |  89  LL owner (thread id)     8 |      |  34  HI                8 |
//     |  97  exit code                1 |      |  42  registers    32 x 8 |
//     |  98  exited                   1 |      +--------------------------+
//     |  99  step                     8 |      | 298  root of the active  |
//     | 107  steps since switch       8 |      |      stack without   32  |
//     | 115  traverse right           1 |      |      this thread         |
//     | 116  left stack root         32 |      +--------------------------+
//     | 148  right stack root        32 |      0x2a0  free memory
//     | 180  next thread id           8 |
//     +---------------------------------+
//
// The constants below are written as sums of literals, which the compiler adds up; sums of constants it would compute,
// with an overflow check, each time one is used.

uint256 constant STATE = 0x80;
uint256 constant STATE_BYTES = 188;
uint256 constant THREAD = 0x140;
uint256 constant THREAD_BYTES = 298;
uint256 constant THREAD_WITNESS_BYTES = 330;
uint256 constant FREE_MEMORY = 0x2a0;

Word constant MEMORY_ROOT = Word.wrap(0x80);
Word constant PREIMAGE_KEY = Word.wrap(0x80 + 32);
U64 constant PREIMAGE_OFFSET = U64.wrap(0x80 + 64);
U64 constant HEAP = U64.wrap(0x80 + 72);
U8 constant LL_STATUS = U8.wrap(0x80 + 80);
U64 constant LL_ADDRESS = U64.wrap(0x80 + 81);
U64 constant LL_OWNER = U64.wrap(0x80 + 89);
U8 constant EXIT_CODE = U8.wrap(0x80 + 97);
U8 constant EXITED = U8.wrap(0x80 + 98);
U64 constant STEP = U64.wrap(0x80 + 99);
U64 constant STEPS_SINCE_SWITCH = U64.wrap(0x80 + 107);
U8 constant TRAVERSE_RIGHT = U8.wrap(0x80 + 115);
Word constant LEFT_STACK = Word.wrap(0x80 + 116);
Word constant RIGHT_STACK = Word.wrap(0x80 + 148);
U64 constant NEXT_THREAD_ID = U64.wrap(0x80 + 180);

U64 constant THREAD_ID = U64.wrap(0x140);
U8 constant THREAD_EXIT_CODE = U8.wrap(0x140 + 8);
U8 constant THREAD_EXITED = U8.wrap(0x140 + 9);
U64 constant PC = U64.wrap(0x140 + 10);
U64 constant NEXT_PC = U64.wrap(0x140 + 18);
U64 constant LO = U64.wrap(0x140 + 26);
U64 constant HI = U64.wrap(0x140 + 34);
uint256 constant REGISTERS = 0x140 + 42;
Word constant INNER_STACK = Word.wrap(0x140 + 298);

uint256 constant U64_MASK = 0xffffffffffffffff;
// Clears the low three bits: the doubleword in which an address lies.
uint256 constant DOUBLEWORD_MASK = 0xfffffffffffffff8;

// LL reservation status.
uint256 constant LL_NONE = 0;
uint256 constant LL_32 = 1;
uint256 constant LL_64 = 2;

// First byte of a state hash.
uint256 constant STATUS_VALID = 0;
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

// Takes the memory of state and thread for this call and copies the packed state at `offset` of calldata to its place.
// Must come before anything that allocates. The compiler may want the first memory for itself, should a function need more
// variables than the stack can reach; then every call reverts here, instead of some going wrong.
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

// Forgets the reservation of a load-linked instruction.
function clearReservation() pure {
    LL_STATUS.store(LL_NONE);
    LL_ADDRESS.store(0);
    LL_OWNER.store(0);
}
