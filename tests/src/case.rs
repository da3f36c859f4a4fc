//! A machine state written down, to be built as often as an engine needs it.

use rebut_fpvm::memory::Memory;
use rebut_fpvm::mips::state::Cpu;
use rebut_fpvm::mips::threads::Thread;
use rebut_fpvm::{Arch, Mips64, Registers, State, Version, Vm};

/// A state: registers, and what memory holds.
#[derive(Clone, Debug)]
pub struct Case<A: Vm = Mips64> {
    /// The version whose rules apply.
    pub version: A::Version,
    /// Everything but memory.
    pub registers: Registers<A>,
    /// Address and content; all else is absent.
    pub memory: Vec<(u64, Vec<u8>)>,
}

impl<A: Arch> Case<A> {
    /// One thread at `pc`, nothing in memory.
    pub fn at<N: Version<Vm = A>>(version: N, pc: u64) -> Self
    where
        A: Vm<Version = N>,
    {
        Self { version, registers: Registers::<A>::new(A::processor(pc)), memory: Vec::new() }
    }

    /// Puts an instruction word at the address.
    pub fn instruction(&mut self, address: u64, word: u32) {
        self.memory.push((address, word.to_be_bytes().to_vec()));
    }

    /// Puts a doubleword at the address.
    pub fn dword(&mut self, address: u64, value: u64) {
        self.memory.push((address, value.to_be_bytes().to_vec()));
    }

    /// The running processor.
    ///
    /// # Panics
    /// When there is none.
    pub fn cpu(&mut self) -> &mut Cpu {
        let cpu = A::cpu_mut(&mut self.registers.processor);
        cpu.unwrap_or_else(|| panic!("the case has no running processor"))
    }

    /// Register of the running processor.
    pub fn register(&mut self, number: usize) -> &mut u64 {
        &mut self.cpu().registers[number]
    }

    /// The state, built anew.
    pub fn state(&self) -> State<A> {
        self.build(Memory::of(A::ADDRESSES))
    }

    /// The state, built anew, its memory in the page map alone.
    pub fn state_without_windows(&self) -> State<A> {
        self.build(Memory::without_windows(A::ADDRESSES))
    }

    fn build(&self, memory: Memory) -> State<A> {
        let (version, registers) = (self.version, self.registers.clone());
        let mut state = State { version, registers, memory };
        for (address, bytes) in &self.memory {
            state.memory.write_range(*address, bytes);
        }
        state
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
