//! A machine state written down, to be built as often as an engine needs it.

use crate::subject::{Mips, Subject, mips};
use rebut_fpvm::memory::Memory;
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::Thread;
use rebut_fpvm::{Mips64, Registers, State, Vm};

/// A state: registers, and what memory holds.
#[derive(Clone, Debug)]
pub struct Case<V: Vm = Mips64> {
    /// The version whose rules apply.
    pub version: V::Version,
    /// Everything but memory.
    pub registers: Registers<V>,
    /// Address and content; all else is absent.
    pub memory: Vec<(u64, Vec<u8>)>,
}

impl<V: Vm> Case<V> {
    /// About to execute at `pc`, nothing in memory.
    pub fn at(version: V::Version, pc: u64) -> Self {
        Self { version, registers: Registers::<V>::new(V::processor(pc)), memory: Vec::new() }
    }

    /// The state, built anew.
    pub fn state(&self) -> State<V> {
        self.build(Memory::of(V::ADDRESSES))
    }

    /// The state, built anew, its memory in the page map alone.
    pub fn state_without_windows(&self) -> State<V> {
        self.build(Memory::without_windows(V::ADDRESSES))
    }

    fn build(&self, memory: Memory) -> State<V> {
        let (version, registers) = (self.version, self.registers.clone());
        let mut state = State { version, registers, memory };
        for (address, bytes) in &self.memory {
            state.memory.write_range(*address, bytes);
        }
        state
    }
}

impl<V: Subject> Case<V> {
    /// Puts an instruction word at the address.
    pub fn instruction(&mut self, address: u64, word: u32) {
        let bytes = if V::BIG_ENDIAN { word.to_be_bytes() } else { word.to_le_bytes() };
        self.memory.push((address, bytes.to_vec()));
    }

    /// Puts a doubleword at the address.
    pub fn dword(&mut self, address: u64, value: u64) {
        let bytes = if V::BIG_ENDIAN { value.to_be_bytes() } else { value.to_le_bytes() };
        self.memory.push((address, bytes.to_vec()));
    }

    /// Register of the running processor.
    ///
    /// # Panics
    /// When none runs.
    pub fn register(&mut self, number: usize) -> &mut u64 {
        &mut V::registers(&mut self.registers.processor)[number]
    }
}

impl<A: Mips> Case<A> {
    /// The running processor.
    ///
    /// # Panics
    /// When there is none.
    pub fn cpu(&mut self) -> &mut Cpu {
        mips::running::<A>(&mut self.registers.processor)
    }
}

impl Case {
    /// The running thread.
    ///
    /// # Panics
    /// When the active stack is empty.
    pub fn thread(&mut self) -> &mut Thread {
        let stack = self.registers.processor.active_stack_mut();
        stack.last_mut().unwrap_or_else(|| panic!("the case has no running thread"))
    }
}
