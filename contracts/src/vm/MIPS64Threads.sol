// SPDX-License-Identifier: MIT
pragma solidity ^0.8.34;

import {
    Word,
    INNER_STACK,
    LEFT_STACK,
    NEXT_THREAD_ID,
    RIGHT_STACK,
    STEPS_SINCE_SWITCH,
    THREAD,
    THREAD_BYTES,
    THREAD_WITNESS_BYTES,
    TRAVERSE_RIGHT
} from "./MIPS64State.sol";

// Threads lie on two stacks and are taken from the active one. A stack is known by its root alone, a chain of hashes
// from the bottom thread to the top one:
//
//     root(empty) = EMPTY_STACK        root(stack + thread) = keccak256(root(stack) || keccak256(thread))
//
// so that the top thread is proven by its 298 bytes and the root below it. A thread that gives way moves to the other
// stack; when the active stack is empty, the direction turns.

// keccak256 of 64 zero bytes.
bytes32 constant EMPTY_STACK = 0xad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5;

// Steps after which a thread gives way.
uint256 constant QUANTUM = 100_000;

// The root of the stack in use.
function activeStack() pure returns (Word) {
    return TRAVERSE_RIGHT.load() == 0 ? LEFT_STACK : RIGHT_STACK;
}

function inactiveStack() pure returns (Word) {
    return TRAVERSE_RIGHT.load() == 0 ? RIGHT_STACK : LEFT_STACK;
}

// Copies the thread witness at `offset` of calldata to its place and checks it against the active stack.
function openThread(uint256 offset) pure {
    require(msg.data.length >= offset + THREAD_WITNESS_BYTES, "MIPS64: insufficient calldata for thread witness");
    assembly ("memory-safe") {
        calldatacopy(THREAD, offset, THREAD_WITNESS_BYTES)
    }
    require(push(INNER_STACK.load()) == activeStack().load(), "MIPS64: invalid thread witness");
}

// Puts the changed thread back on its stack.
function closeThread() pure {
    activeStack().store(push(INNER_STACK.load()));
}

// Takes the thread, which has exited, off the active stack.
function popThread() pure {
    activeStack().store(INNER_STACK.load());
    switchThread();
}

// Moves the thread to the other stack.
function preempt() pure {
    Word other = inactiveStack();
    other.store(push(other.load()));
    popThread();
}

// Puts the thread in memory, a new one by now, on top of the active stack, so that it runs next.
function pushThread() pure {
    Word active = activeStack();
    active.store(push(active.load()));
    STEPS_SINCE_SWITCH.store(0);
}

// Whether no other thread is left on either stack, running or exited.
function isLastThread() pure returns (bool) {
    return INNER_STACK.load() == EMPTY_STACK && inactiveStack().load() == EMPTY_STACK;
}

// Hands out the next thread id.
function takeThreadId() pure returns (uint256 id) {
    unchecked {
        id = NEXT_THREAD_ID.load();
        NEXT_THREAD_ID.store(id + 1);
    }
}

// After a thread has left the active stack: another one gets a full quantum, in the other direction if need be.
function switchThread() pure {
    STEPS_SINCE_SWITCH.store(0);
    if (activeStack().load() == EMPTY_STACK) TRAVERSE_RIGHT.store(TRAVERSE_RIGHT.load() == 0 ? 1 : 0);
}

// The root of the stack `root` with the thread in memory on top.
function push(bytes32 root) pure returns (bytes32 newRoot) {
    assembly ("memory-safe") {
        // Both words of the scratch space are the input of the second hash.
        mstore(0, root)
        mstore(32, keccak256(THREAD, THREAD_BYTES))
        newRoot := keccak256(0, 64)
    }
}
