//! A machine state written down, to be built as often as an engine needs it.

use rebut_fpvm::memory::Memory;
use rebut_fpvm::mips::threads::Thread;
use rebut_fpvm::{Asterisc, Mips64, Registers, State, Vm};

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
        self.build(Memory::without_windows())
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

impl Case {
    /// Puts an instruction word at the address.
    pub fn instruction(&mut self, address: u64, word: u32) {
        self.memory.push((address, word.to_be_bytes().to_vec()));
    }

    /// Puts a doubleword at the address.
    pub fn dword(&mut self, address: u64, value: u64) {
        self.memory.push((address, value.to_be_bytes().to_vec()));
    }

    /// The running thread.
    ///
    /// # Panics
    /// When the active stack is empty.
    pub fn thread(&mut self) -> &mut Thread {
        let stack = self.registers.processor.active_stack_mut();
        stack.last_mut().unwrap_or_else(|| panic!("the case has no running thread"))
    }

    /// Register of the running thread.
    pub fn register(&mut self, number: usize) -> &mut u64 {
        &mut self.thread().cpu.registers[number]
    }
}

impl Case<Asterisc> {
    /// Puts an instruction word at the address.
    pub fn instruction(&mut self, address: u64, word: u32) {
        self.memory.push((address, word.to_le_bytes().to_vec()));
    }

    /// Puts a doubleword at the address.
    pub fn dword(&mut self, address: u64, value: u64) {
        self.memory.push((address, value.to_le_bytes().to_vec()));
    }

    /// A register.
    pub fn register(&mut self, number: usize) -> &mut u64 {
        &mut self.registers.processor.registers[number]
    }
}
