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
import { BAD_PREIMAGE, BAD_RESOURCE, BAD_SYSCALL, fault } from "./RISCVFaults.sol";
import { LEFT_PROOF, readLeaf, replaceBytes, storePair } from "./RISCVMemory.sol";
import {
    EXITED,
    EXIT_CODE,
    HEAP,
    PREIMAGE_KEY,
    PREIMAGE_OFFSET,
    U64_MASK,
    advance,
    register,
    setRegister
} from "./RISCVState.sol";

// The kernel. A call has its number in a7 and arguments from a0 on. It answers in a0, with a1 = 0, or with all ones in a0 and
// an error number in a1. A number that is not here answers 0.

uint256 constant SYS_FCNTL = 25;
uint256 constant SYS_OPENAT = 56;
uint256 constant SYS_READ = 63;
uint256 constant SYS_WRITE = 64;
uint256 constant SYS_EXIT = 93;
uint256 constant SYS_EXIT_GROUP = 94;
uint256 constant SYS_NANOSLEEP = 101;
uint256 constant SYS_CLOCK_GETTIME = 113;
uint256 constant SYS_GETRLIMIT = 163;
uint256 constant SYS_BRK = 214;
uint256 constant SYS_CLONE = 220;
uint256 constant SYS_MMAP = 222;
uint256 constant SYS_PRLIMIT64 = 261;
uint256 constant SYS_FUTEX = 422;

// Linux has 9 for this one; the deployed machine has not.
uint256 constant EBADF = 0x4d;
uint256 constant EACCES = 0x0d;

uint256 constant PROGRAM_BREAK = 0x40000000;
uint256 constant MAP_ANONYMOUS = 0x20;
uint256 constant RLIMIT_NOFILE = 7;

// What the clock shows and how many files may be open, always.
uint256 constant SECONDS = 1337;
uint256 constant NANOSECONDS = 42;
uint256 constant OPEN_FILES = 1024;

uint256 constant REG_A0 = 10;
uint256 constant REG_A1 = 11;
uint256 constant REG_A2 = 12;
uint256 constant REG_A3 = 13;
uint256 constant REG_A4 = 14;
uint256 constant REG_A7 = 17;

// ecall  000000000000 ----- 000 ----- 1110011
function ecall(IPreimageOracle oracle, bytes32 localContext) view {
    uint256 number = register(REG_A7);
    uint256 a0 = register(REG_A0);
    uint256 a1 = register(REG_A1);
    uint256 a2 = register(REG_A2);
    if (number == SYS_READ) read(a0, a1, a2, oracle, localContext);
    else if (number == SYS_WRITE) write(a0, a1, a2);
    else if (number == SYS_MMAP) mmap(a0, a1);
    else if (number == SYS_EXIT || number == SYS_EXIT_GROUP) exit(a0);
    else if (number == SYS_FCNTL) fcntl(a0, a1);
    else if (number == SYS_OPENAT) fail(EACCES);
    else if (number == SYS_CLOCK_GETTIME) clockGettime(a1);
    else if (number == SYS_GETRLIMIT) getrlimit(a0, a1);
    else if (number == SYS_BRK) succeed(PROGRAM_BREAK);
    else if (number == SYS_CLONE) succeed(1);
    else if (number == SYS_NANOSLEEP || number == SYS_PRLIMIT64 || number == SYS_FUTEX) fault(BAD_SYSCALL);
    else succeed(0);
    advance();
}

// Answers `value`.
function succeed(uint256 value) pure {
    setRegister(REG_A0, value);
    setRegister(REG_A1, 0);
}

// Answers an error.
function fail(uint256 errno) pure {
    setRegister(REG_A0, U64_MASK);
    setRegister(REG_A1, errno);
}

// read(fd, buf, count)
function read(uint256 fd, uint256 addr, uint256 count, IPreimageOracle oracle, bytes32 localContext) view {
    if (fd == FD_STDIN) succeed(0);
    else if (fd == FD_HINT_READ) succeed(count); // says all was read, stores nothing
    else if (fd == FD_PREIMAGE_READ) succeed(readPreimage(addr, count, oracle, localContext));
    else fail(EBADF);
}

// write(fd, buf, count): what is written to the streams and as hints is for whoever runs the machine.
function write(uint256 fd, uint256 addr, uint256 count) pure {
    if (fd == FD_STDOUT || fd == FD_STDERR || fd == FD_HINT_WRITE) succeed(count);
    else if (fd == FD_PREIMAGE_WRITE) succeed(writePreimageKey(addr, count));
    else fail(EBADF);
}

// Stores up to `count` bytes of the preimage at `addr`, within the leaf there; returns how many. Even a read of 0 bytes
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
    (uint256 part, uint256 available) = readPart(oracle, localContext, offset);
    // No oracle that is deployed says so; the machine then touches nothing.
    if (available == 0) return 0;
    transferred = min(min(count, available), bytesFrom(addr));
    unchecked {
        PREIMAGE_OFFSET.store(offset + transferred);
    }
    replaceBytes(addr, transferred, part);
}

// The part of the preimage at `offset`, and how many of its bytes there are.
function readPart(
    IPreimageOracle oracle,
    bytes32 localContext,
    uint256 offset
)
    view
    returns (uint256 part, uint256 available)
{
    try oracle.readPreimage(oracleKey(PREIMAGE_KEY.load(), localContext), offset) returns (bytes32 dat, uint256 length) {
        return (uint256(dat), length);
    } catch {
        fault(BAD_PREIMAGE);
    }
}

// Shifts up to `count` bytes from `addr`, within the leaf there, into the key from the right; returns how many.
function writePreimageKey(uint256 addr, uint256 count) pure returns (uint256 transferred) {
    uint256 leaf = readLeaf(addr, LEFT_PROOF);
    transferred = min(count, bytesFrom(addr));
    unchecked {
        // Shifts by all 256 bits leave nothing.
        uint256 fresh = (leaf << ((addr & 31) << 3)) >> (256 - (transferred << 3));
        PREIMAGE_KEY.store(bytes32((uint256(PREIMAGE_KEY.load()) << (transferred << 3)) | fresh));
    }
    PREIMAGE_OFFSET.store(0);
}

// mmap(addr, length, prot, flags, fd): anonymous memory only, whole pages from the heap, or just what was asked for where an
// address is given. The heap has no end; it wraps.
function mmap(uint256 addr, uint256 length) pure {
    if (register(REG_A3) & MAP_ANONYMOUS == 0 || register(REG_A4) != U64_MASK) return fail(EBADF);
    if (addr != 0) return succeed(addr);
    uint256 heap = HEAP.load();
    unchecked {
        HEAP.store(heap + wholePages(length));
    }
    succeed(heap);
}

// exit(code), exit_group(code): no register changes.
function exit(uint256 code) pure {
    EXIT_CODE.store(code);
    EXITED.store(1);
}

// fcntl(fd, cmd)
function fcntl(uint256 fd, uint256 cmd) pure {
    if (cmd != F_GETFD && cmd != F_GETFL) return fail(EINVAL);
    if (fd > FD_PREIMAGE_WRITE) return fail(EBADF);
    succeed(flagsOf(fd, cmd));
}

// clock_gettime(clock, addr): every clock stands still.
function clockGettime(uint256 addr) pure {
    storePair(addr, SECONDS, NANOSECONDS);
    succeed(0);
}

// getrlimit(resource, addr): the soft and the hard limit of open files.
function getrlimit(uint256 resource, uint256 addr) pure {
    if (resource != RLIMIT_NOFILE) fault(BAD_RESOURCE);
    storePair(addr, OPEN_FILES, OPEN_FILES);
    succeed(0);
}

// Bytes from `addr` to the end of its leaf.
function bytesFrom(uint256 addr) pure returns (uint256) {
    unchecked {
        return 32 - (addr & 31);
    }
}
