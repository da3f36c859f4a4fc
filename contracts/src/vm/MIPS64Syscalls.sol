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
import { lwu, merge } from "./MIPS64LoadStore.sol";
import { MEMORY_PROOF, peekMemory, readMemory, writeMemory, writeMemoryAgain } from "./MIPS64Memory.sol";
import {
    DOUBLEWORD_MASK,
    EXITED,
    EXIT_CODE,
    HEAP,
    PREIMAGE_KEY,
    PREIMAGE_OFFSET,
    STATUS_PANIC,
    STEP,
    THREAD_EXITED,
    THREAD_EXIT_CODE,
    THREAD_ID,
    U64_MASK,
    advance,
    register,
    setRegister
} from "./MIPS64State.sol";
import { closeThread, isLastThread, preempt, pushThread, takeThreadId } from "./MIPS64Threads.sol";
import { U32_MASK } from "./Words.sol";

// The kernel. A call has its number in $2 and arguments in $4, $5, $6. It answers in $2, with $7 = 0, or with an error
// number in $2 and $7 = all ones. No other register changes.

uint256 constant SYS_READ = 5000;
uint256 constant SYS_WRITE = 5001;
uint256 constant SYS_OPEN = 5002;
uint256 constant SYS_MMAP = 5009;
uint256 constant SYS_BRK = 5012;
uint256 constant SYS_SCHED_YIELD = 5023;
uint256 constant SYS_NANOSLEEP = 5034;
uint256 constant SYS_GETPID = 5038;
uint256 constant SYS_CLONE = 5055;
uint256 constant SYS_EXIT = 5058;
uint256 constant SYS_FCNTL = 5070;
uint256 constant SYS_GETTID = 5178;
uint256 constant SYS_FUTEX = 5194;
uint256 constant SYS_EXIT_GROUP = 5205;
uint256 constant SYS_CLOCK_GETTIME = 5222;
uint256 constant SYS_EVENTFD2 = 5284;
uint256 constant SYS_GETRANDOM = 5313;

// Calls that answer 0 and do nothing, one bit each, counted from 5000 and from 5256.
uint256 constant NO_OPS_5000 =
    (1 << 3) // close
    | (1 << 4) // stat
    | (1 << 5) // fstat
    | (1 << 8) // lseek
    | (1 << 10) // mprotect
    | (1 << 11) // munmap
    | (1 << 13) // rt_sigaction
    | (1 << 14) // rt_sigprocmask
    | (1 << 15) // ioctl
    | (1 << 16) // pread64
    | (1 << 26) // mincore
    | (1 << 27) // madvise
    | (1 << 36) // setitimer
    | (1 << 61) // uname
    | (1 << 87) // readlink
    | (1 << 95) // getrlimit
    | (1 << 100) // getuid
    | (1 << 102) // getgid
    | (1 << 129) // sigaltstack
    | (1 << 196) // sched_getaffinity
    | (1 << 208) // epoll_ctl
    | (1 << 216) // timer_create
    | (1 << 217) // timer_settime
    | (1 << 220) // timer_delete
    | (1 << 225) // tgkill
    | (1 << 247); // openat
uint256 constant NO_OPS_5256 =
    (1 << (5257 - 5256)) // readlinkat
    | (1 << (5272 - 5256)) // epoll_pwait
    | (1 << (5285 - 5256)) // epoll_create1
    | (1 << (5287 - 5256)) // pipe2
    | (1 << (5297 - 5256)); // prlimit64

uint256 constant EBADF = 9;
uint256 constant EAGAIN = 11;
uint256 constant FD_EVENT = 100;

uint256 constant PROGRAM_BREAK = 0x4000_0000_0000;
uint256 constant HEAP_END = 0x6000_0000_0000;

// CLONE_VM, FS, FILES, SIGHAND, THREAD and SYSVSEM: what a Go program asks for.
uint256 constant CLONE_FLAGS = 0x00050f00;
uint256 constant FUTEX_WAIT_PRIVATE = 128;
uint256 constant FUTEX_WAKE_PRIVATE = 129;
uint256 constant CLOCK_REALTIME = 0;
uint256 constant CLOCK_MONOTONIC = 1;
uint256 constant EFD_NONBLOCK = 0x80;

// Steps that make a second of the monotonic clock, and the nanoseconds of one.
uint256 constant STEPS_PER_SECOND = 10_000_000;
uint256 constant NANOSECONDS_PER_STEP = 100;

// Version of the state from which getrandom works.
uint256 constant VERSION_GETRANDOM = 8;

uint256 constant REG_V0 = 2;
uint256 constant REG_A0 = 4;
uint256 constant REG_A1 = 5;
uint256 constant REG_A2 = 6;
uint256 constant REG_ERROR = 7;
uint256 constant REG_SP = 29;

// syscall 000000 ----- ----- ----- ----- 001100
function executeSyscall(IPreimageOracle oracle, uint256 stateVersion, bytes32 localContext) view {
    uint256 number = register(REG_V0);
    uint256 a0 = register(REG_A0);
    uint256 a1 = register(REG_A1);
    uint256 a2 = register(REG_A2);
    if (number < SYS_CLONE) {
        if (number == SYS_READ) read(a0, a1, a2, oracle, localContext);
        else if (number == SYS_WRITE) write(a0, a1, a2);
        else if (number == SYS_OPEN) fail(EBADF);
        else if (number == SYS_MMAP) mmap(a0, a1);
        else if (number == SYS_BRK) succeed(PROGRAM_BREAK);
        else if (number == SYS_SCHED_YIELD || number == SYS_NANOSLEEP) return yield();
        else if (number == SYS_GETPID) succeed(0);
        else noOp(number);
    } else {
        if (number == SYS_CLONE) return clone(a0, a1);
        else if (number == SYS_EXIT) exit(a0);
        else if (number == SYS_FCNTL) fcntl(a0, a1);
        else if (number == SYS_GETTID) succeed(THREAD_ID.load());
        else if (number == SYS_FUTEX) return futex(a0, a1, a2);
        else if (number == SYS_EXIT_GROUP) exitGroup(a0);
        else if (number == SYS_CLOCK_GETTIME) clockGettime(a0, a1);
        else if (number == SYS_EVENTFD2) eventfd2(a1);
        else if (number == SYS_GETRANDOM) getrandom(a0, a1, stateVersion);
        else noOp(number);
    }
    closeThread();
}

// Answers `value`.
function succeed(uint256 value) pure {
    setRegister(REG_V0, value);
    setRegister(REG_ERROR, 0);
    advance();
}

// Answers an error, as Linux does on MIPS.
function fail(uint256 errno) pure {
    setRegister(REG_V0, errno);
    setRegister(REG_ERROR, U64_MASK);
    advance();
}

// A call that is known and ignored; any other number is a fault.
function noOp(uint256 number) pure {
    unchecked {
        // A shift by 256 or more, which a number below or above the range gives, leaves nothing.
        require(
            ((NO_OPS_5000 >> (number - 5000)) | (NO_OPS_5256 >> (number - 5256))) & 1 == 1,
            "MIPS64: unimplemented syscall"
        );
    }
    succeed(0);
}

// read(fd, buf, count)
function read(uint256 fd, uint256 addr, uint256 count, IPreimageOracle oracle, bytes32 localContext) view {
    if (fd == FD_STDIN) succeed(0);
    else if (fd == FD_HINT_READ) succeed(count); // says all was read, stores nothing
    else if (fd == FD_PREIMAGE_READ) succeed(readPreimage(addr, count, oracle, localContext));
    else if (fd == FD_EVENT) fail(EAGAIN);
    else fail(EBADF);
}

// write(fd, buf, count)
function write(uint256 fd, uint256 addr, uint256 count) pure {
    if (fd == FD_STDOUT || fd == FD_STDERR || fd == FD_HINT_WRITE) succeed(count);
    else if (fd == FD_PREIMAGE_WRITE) succeed(writePreimageKey(addr, count));
    else if (fd == FD_EVENT) fail(EAGAIN);
    else fail(EBADF);
}

// Stores up to `count` bytes of the preimage at `addr`, within the doubleword there; returns how many.
// Even a read of 0 bytes needs the part of the preimage.
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
        // The part's first 8 bytes, moved to where the transfer starts.
        replaceBytes(addr, transferred, (uint256(part) >> 192) >> ((addr & 7) << 3));
    }
}

// Writes the `count` bytes from `addr` on, in the doubleword there, with those at the same places of `value`.
function replaceBytes(uint256 addr, uint256 count, uint256 value) pure {
    uint256 start = addr & DOUBLEWORD_MASK;
    writeMemory(start, merge(peekMemory(start, MEMORY_PROOF), value, bytesMask(addr, count)));
}

// Shifts up to `count` bytes from `addr`, within the doubleword there, into the key from the right; returns how many.
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
        // All three are below 2^65, so neither the rounding nor the sum can wrap before it is compared.
        uint256 newHeap = heap + wholePages(length);
        if (newHeap > HEAP_END) return fail(EINVAL);
        HEAP.store(newHeap);
    }
    succeed(heap);
}

// clone(flags, stack): a thread that goes on where this one does, with its own stack pointer and the answer 0. It runs
// next. Other flags than Go's end the machine.
function clone(uint256 flags, uint256 stack) pure {
    if (flags != CLONE_FLAGS) return exitMachine(STATUS_PANIC);
    uint256 id = takeThreadId();
    succeed(id);
    closeThread();
    // From here on the thread in memory is the new one. The parent has not exited, and its $7 is 0 by now.
    THREAD_ID.store(id);
    THREAD_EXIT_CODE.store(0);
    setRegister(REG_SP, stack);
    setRegister(REG_V0, 0);
    pushThread();
}

// exit(code): ends the thread, and with the last one the machine.
function exit(uint256 code) pure {
    THREAD_EXITED.store(1);
    THREAD_EXIT_CODE.store(code);
    if (isLastThread()) exitMachine(code);
}

// exit_group(code)
function exitGroup(uint256 code) pure {
    exitMachine(code);
}

// fcntl(fd, cmd)
function fcntl(uint256 fd, uint256 cmd) pure {
    if (cmd != F_GETFD && cmd != F_GETFL) return fail(EINVAL);
    if (fd > FD_PREIMAGE_WRITE) return fail(EBADF);
    succeed(flagsOf(fd, cmd));
}

// futex(addr, op, value): nobody sleeps here. Waiting gives way to the other threads and reports a wake-up.
function futex(uint256 addr, uint256 op, uint256 value) pure {
    if (op == FUTEX_WAIT_PRIVATE) {
        uint256 current = lwu(addr, readMemory(addr & DOUBLEWORD_MASK, MEMORY_PROOF));
        if (current == value & U32_MASK) return yield();
        fail(EAGAIN);
    } else if (op == FUTEX_WAKE_PRIVATE) {
        return yield();
    } else {
        fail(EINVAL);
    }
    closeThread();
}

// sched_yield(), nanosleep()
function yield() pure {
    succeed(0);
    preempt();
}

// clock_gettime(id, addr): time is counted in steps, this one included; the wall clock stands at 0.
function clockGettime(uint256 id, uint256 addr) pure {
    if (id > CLOCK_MONOTONIC) return fail(EINVAL);
    uint256 start = addr & DOUBLEWORD_MASK;
    unchecked {
        uint256 steps = id == CLOCK_REALTIME ? 0 : STEP.load();
        writeMemory(start, steps / STEPS_PER_SECOND);
        writeMemoryAgain((start + 8) & U64_MASK, (steps % STEPS_PER_SECOND) * NANOSECONDS_PER_STEP);
    }
    succeed(0);
}

// eventfd2(initial, flags): one descriptor, which is never ready.
function eventfd2(uint256 flags) pure {
    if (flags & EFD_NONBLOCK == 0) fail(EINVAL);
    else succeed(FD_EVENT);
}

// getrandom(buf, count): up to `count` bytes at `addr`, within the doubleword there, become those at the same places of
// a doubleword that depends on the step alone.
function getrandom(uint256 addr, uint256 count, uint256 stateVersion) pure {
    if (stateVersion < VERSION_GETRANDOM) return succeed(0);
    uint256 transferred = min(count, bytesFrom(addr));
    replaceBytes(addr, transferred, splitmix64(uint64(STEP.load())));
    succeed(transferred);
}

// Ends the machine; the low byte of `code` remains.
function exitMachine(uint256 code) pure {
    EXITED.store(1);
    EXIT_CODE.store(code);
}

// Bytes from `addr` to the end of its doubleword.
function bytesFrom(uint256 addr) pure returns (uint256) {
    unchecked {
        return 8 - (addr & 7);
    }
}

// `count` bytes from `addr` on, as bits of its doubleword. `count` is at most `bytesFrom(addr)`.
function bytesMask(uint256 addr, uint256 count) pure returns (uint256) {
    unchecked {
        uint256 fromStart = U64_MASK >> ((addr & 7) << 3);
        uint256 fromEnd = U64_MASK >> (((addr & 7) + count) << 3);
        return fromStart ^ fromEnd;
    }
}

// `key` with the `count` bytes from `addr` on, in the doubleword `mem` there, shifted in from the right.
function shiftedIn(bytes32 key, uint256 mem, uint256 addr, uint256 count) pure returns (bytes32) {
    unchecked {
        uint256 bits = count << 3;
        uint256 fresh = (mem >> ((8 - (addr & 7) - count) << 3)) & ((1 << bits) - 1);
        return bytes32((uint256(key) << bits) | fresh);
    }
}

// The generator SplitMix64, one draw from `seed`.
function splitmix64(uint64 seed) pure returns (uint64 z) {
    unchecked {
        z = seed + 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        z = z ^ (z >> 31);
    }
}
