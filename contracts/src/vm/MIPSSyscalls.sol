// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import { IPreimageOracle } from "../preimage/IPreimageOracle.sol";
import {
    EINVAL,
    FD_HINT_READ,
    FD_HINT_WRITE,
    FD_PREIMAGE_READ,
    FD_PREIMAGE_WRITE,
    FD_STDERR,
    FD_STDIN,
    FD_STDOUT,
    F_GETFD,
    F_GETFL,
    flagsOf,
    min,
    oracleKey,
    wholePages
} from "./Descriptors.sol";
import { merge } from "./MIPS64LoadStore.sol";
import { DOUBLEWORD_MASK } from "./MIPS64State.sol";
import {
    EBADF,
    REG_A0,
    REG_A1,
    REG_A2,
    REG_ERROR,
    REG_V0,
    bytesMask,
    shiftedIn
} from "./MIPS64Syscalls.sol";
import { MEMORY_PROOF, peekMemory, readMemory, writeMemory } from "./MIPSMemory.sol";
import { EXITED, EXIT_CODE, HEAP, PREIMAGE_KEY, PREIMAGE_OFFSET, advance, register, setRegister } from "./MIPSState.sol";
import { U32_MASK } from "./Words.sol";

// The kernel of the 32-bit machine. A call has its number in $2 and arguments in $4, $5, $6. It answers in $2, with
// $7 = 0, or with all ones in $2 and an error number in $7. No other register changes.

uint256 constant SYS_READ = 4003;
uint256 constant SYS_WRITE = 4004;
uint256 constant SYS_BRK = 4045;
uint256 constant SYS_FCNTL = 4055;
uint256 constant SYS_MMAP = 4090;
uint256 constant SYS_CLONE = 4120;
uint256 constant SYS_EXIT_GROUP = 4246;

uint256 constant PROGRAM_BREAK = 0x4000_0000;
uint256 constant HEAP_END = 0x6000_0000;

// What clone answers: the id of a thread that never runs.
uint256 constant CLONED = 1;

// Version of the state from which fcntl knows F_GETFD.
uint256 constant VERSION_GETFD = 2;

// syscall 000000 ----- ----- ----- ----- 001100
function executeSyscall(IPreimageOracle oracle, uint256 stateVersion, bytes32 localContext) view {
    uint256 number = register(REG_V0);
    uint256 a0 = register(REG_A0) & U32_MASK;
    uint256 a1 = register(REG_A1) & U32_MASK;
    uint256 a2 = register(REG_A2) & U32_MASK;
    if (number == SYS_READ) read(a0, a1, a2, oracle, localContext);
    else if (number == SYS_WRITE) write(a0, a1, a2);
    else if (number == SYS_MMAP) mmap(a0, a1);
    else if (number == SYS_BRK) succeed(PROGRAM_BREAK);
    else if (number == SYS_CLONE) succeed(CLONED);
    else if (number == SYS_EXIT_GROUP) exitGroup(a0);
    else if (number == SYS_FCNTL) fcntl(a0, a1, stateVersion);
    else succeed(0); // every other call is known and ignored
}

// Answers `value`.
function succeed(uint256 value) pure {
    setRegister(REG_V0, value);
    setRegister(REG_ERROR, 0);
    advance();
}

// Answers an error.
function fail(uint256 errno) pure {
    setRegister(REG_V0, U32_MASK);
    setRegister(REG_ERROR, errno);
    advance();
}

// read(fd, buf, count)
function read(uint256 fd, uint256 addr, uint256 count, IPreimageOracle oracle, bytes32 localContext) view {
    if (fd == FD_STDIN) succeed(0);
    else if (fd == FD_HINT_READ) succeed(count); // says all was read, stores nothing
    else if (fd == FD_PREIMAGE_READ) succeed(readPreimage(addr, count, oracle, localContext));
    else fail(EBADF);
}

// write(fd, buf, count)
function write(uint256 fd, uint256 addr, uint256 count) pure {
    if (fd == FD_STDOUT || fd == FD_STDERR || fd == FD_HINT_WRITE) succeed(count);
    else if (fd == FD_PREIMAGE_WRITE) succeed(writePreimageKey(addr, count));
    else fail(EBADF);
}

// Stores up to `count` bytes of the preimage at `addr`, within the word there; returns how many. Even a read of 0 bytes
// needs the part of the preimage.
function readPreimage(
    uint256 addr,
    uint256 count,
    IPreimageOracle oracle,
    bytes32 localContext
)
    view
    returns (uint256 transferred)
{
    uint256 offset = PREIMAGE_OFFSET.load();
    (bytes32 part, uint256 available) = oracle.readPreimage(oracleKey(PREIMAGE_KEY.load(), localContext), offset);
    transferred = min(min(count, available), bytesFrom(addr));
    unchecked {
        PREIMAGE_OFFSET.store(offset + transferred);
    }
    uint256 start = addr & DOUBLEWORD_MASK;
    // The part's first 8 bytes, moved to where the transfer starts.
    uint256 value = (uint256(part) >> 192) >> ((addr & 7) << 3);
    writeMemory(start, merge(peekMemory(start, MEMORY_PROOF), value, bytesMask(addr, transferred)));
}

// Shifts up to `count` bytes from `addr`, within the word there, into the key from the right; returns how many.
function writePreimageKey(uint256 addr, uint256 count) pure returns (uint256 transferred) {
    uint256 mem = readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF);
    transferred = min(count, bytesFrom(addr));
    PREIMAGE_KEY.store(shiftedIn(PREIMAGE_KEY.load(), mem, addr, transferred));
    PREIMAGE_OFFSET.store(0);
}

// mmap(addr, length): whole pages from the heap, or just what was asked for where an address is given.
function mmap(uint256 addr, uint256 length) pure {
    if (addr != 0) return succeed(addr);
    uint256 heap = HEAP.load();
    unchecked {
        // All three are below 2^33, so neither the rounding nor the sum can wrap before it is compared.
        uint256 newHeap = heap + wholePages(length);
        if (newHeap > HEAP_END) return fail(EINVAL);
        HEAP.store(newHeap);
    }
    succeed(heap);
}

// exit_group(code): the low byte of the code remains.
function exitGroup(uint256 code) pure {
    EXITED.store(1);
    EXIT_CODE.store(code);
}

// fcntl(fd, cmd)
function fcntl(uint256 fd, uint256 cmd, uint256 stateVersion) pure {
    bool known = cmd == F_GETFL || (cmd == F_GETFD && stateVersion >= VERSION_GETFD);
    if (!known) return fail(EINVAL);
    if (fd > FD_PREIMAGE_WRITE) return fail(EBADF);
    succeed(flagsOf(fd, cmd));
}

// Bytes from `addr` to the end of its word.
function bytesFrom(uint256 addr) pure returns (uint256) {
    unchecked {
        return 4 - (addr & 3);
    }
}
