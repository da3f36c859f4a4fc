//! A machine to step, put together by hand: memory as a map of leaves, one thread on the left stack.
//!
//! Written from the layouts alone, so that what the contract says is checked by something else.

use alloy_primitives::{B256, keccak256};
use std::collections::BTreeMap;

const DEPTH: u32 = 59;

/// Memory tree with the leaves that are not zero.
#[derive(Clone, Default)]
pub struct Memory {
    leaves: BTreeMap<u64, [u8; 32]>,
}

impl Memory {
    pub fn write(&mut self, addr: u64, bytes: &[u8]) {
        for (i, byte) in bytes.iter().enumerate() {
            let at = addr + i as u64;
            self.leaves.entry(at >> 5).or_default()[(at & 31) as usize] = *byte;
        }
    }

    pub fn root(&self) -> B256 {
        self.node(DEPTH, 0)
    }

    /// Leaf of `addr` and its siblings from the bottom up.
    pub fn proof(&self, addr: u64) -> Vec<u8> {
        let leaf = addr >> 5;
        let siblings = (0..DEPTH).flat_map(|level| self.node(level, (leaf >> level) ^ 1).0);
        self.node(0, leaf).0.into_iter().chain(siblings).collect()
    }

    fn node(&self, level: u32, index: u64) -> B256 {
        let first = index << level;
        let last = first + ((1u64 << level) - 1);
        if self.leaves.range(first..=last).next().is_none() {
            return zero(level);
        }
        if level == 0 {
            return B256::from(self.leaves[&index]);
        }
        pair(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))
    }
}

pub fn pair(left: B256, right: B256) -> B256 {
    keccak256([left.0, right.0].concat())
}

fn zero(level: u32) -> B256 {
    (0..level).fold(B256::ZERO, |node, _| pair(node, node))
}

pub fn empty_stack() -> B256 {
    pair(B256::ZERO, B256::ZERO)
}

#[derive(Clone)]
pub struct Thread {
    pub id: u64,
    pub exit_code: u8,
    pub exited: u8,
    pub pc: u64,
    pub next_pc: u64,
    pub lo: u64,
    pub hi: u64,
    pub registers: [u64; 32],
}

impl Thread {
    pub fn at(pc: u64) -> Self {
        Self {
            id: 0,
            exit_code: 0,
            exited: 0,
            pc,
            next_pc: pc + 4,
            lo: 0,
            hi: 0,
            registers: [0; 32],
        }
    }

    pub fn pack(&self) -> Vec<u8> {
        let mut packed = self.id.to_be_bytes().to_vec();
        packed.extend([self.exit_code, self.exited]);
        for word in [self.pc, self.next_pc, self.lo, self.hi].iter().chain(&self.registers) {
            packed.extend(word.to_be_bytes());
        }
        assert_eq!(packed.len(), 298);
        packed
    }
}

#[derive(Clone)]
pub struct State {
    pub memory_root: B256,
    pub preimage_key: B256,
    pub preimage_offset: u64,
    pub heap: u64,
    pub ll_status: u8,
    pub ll_address: u64,
    pub ll_owner: u64,
    pub exit_code: u8,
    pub exited: u8,
    pub step: u64,
    pub steps_since_switch: u64,
    pub traverse_right: u8,
    pub left: B256,
    pub right: B256,
    pub next_thread_id: u64,
}

impl State {
    pub fn pack(&self) -> Vec<u8> {
        let mut packed = [self.memory_root.0, self.preimage_key.0].concat();
        packed.extend(self.preimage_offset.to_be_bytes());
        packed.extend(self.heap.to_be_bytes());
        packed.push(self.ll_status);
        packed.extend(self.ll_address.to_be_bytes());
        packed.extend(self.ll_owner.to_be_bytes());
        packed.extend([self.exit_code, self.exited]);
        packed.extend(self.step.to_be_bytes());
        packed.extend(self.steps_since_switch.to_be_bytes());
        packed.push(self.traverse_right);
        packed.extend([self.left.0, self.right.0].concat());
        packed.extend(self.next_thread_id.to_be_bytes());
        assert_eq!(packed.len(), 188);
        packed
    }

    pub fn hash(&self) -> B256 {
        let mut hash = keccak256(self.pack());
        hash[0] = match (self.exited, self.exit_code) {
            (0, _) => 3,
            (_, 0) => 0,
            (_, 1) => 1,
            _ => 2,
        };
        hash
    }
}

/// A machine with one thread.
#[derive(Clone)]
pub struct Machine {
    pub state: State,
    pub thread: Thread,
    pub memory: Memory,
}

impl Machine {
    /// One instruction at `pc`, some neighbours in memory, step 41 of the run.
    pub fn with_instruction(pc: u64, insn: u32) -> Self {
        let mut memory = Memory::default();
        memory.write(pc, &insn.to_be_bytes());
        memory.write(0x40_0000, &[0x11; 64]);
        let state = State {
            memory_root: B256::ZERO,
            preimage_key: B256::ZERO,
            preimage_offset: 0,
            heap: 0x1000_0000_0000,
            ll_status: 0,
            ll_address: 0,
            ll_owner: 0,
            exit_code: 0,
            exited: 0,
            step: 41,
            steps_since_switch: 7,
            traverse_right: 0,
            left: empty_stack(),
            right: empty_stack(),
            next_thread_id: 1,
        };
        Self { state, thread: Thread::at(pc), memory }
    }

    /// Brings the roots in the state up to date and returns it.
    pub fn seal(&mut self) -> State {
        self.state.memory_root = self.memory.root();
        self.state.left = pair(empty_stack(), keccak256(self.thread.pack()));
        self.state.clone()
    }

    /// The step proof, with proofs for the pages a step is going to touch. `second` must already hold the
    /// memory after the first write.
    pub fn proof(&self, access: u64, second: Option<(&Memory, u64)>) -> Vec<u8> {
        let mut proof = self.thread.pack();
        proof.extend(empty_stack().0);
        proof.extend(self.memory.proof(self.thread.pc & !7));
        proof.extend(self.memory.proof(access & !7));
        match second {
            Some((memory, addr)) => proof.extend(memory.proof(addr & !7)),
            None => proof.extend([0; 1920]),
        }
        assert_eq!(proof.len(), 6090);
        proof
    }

    /// The state one step later, before the instruction did anything but go on to the next one.
    pub fn advanced(&self) -> Self {
        let mut next = self.clone();
        next.state.step += 1;
        next.state.steps_since_switch += 1;
        next.thread.pc = self.thread.next_pc;
        next.thread.next_pc = self.thread.next_pc + 4;
        next
    }
}
