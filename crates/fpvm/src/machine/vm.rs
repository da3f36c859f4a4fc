//! What makes one virtual machine differ from another.

use super::Machine;
use super::error::StepError;
use super::state::{Registers, State};
use crate::blocks::{Core, Engine, Entrance, Progress};
use crate::memory::AddressSpace;
use crate::witness::ShownInstruction;
use alloy_primitives::B256;
use std::fmt::Debug;

/// The release of a machine, whose rules a state follows.
pub trait Version: Copy + Debug + Eq + 'static {
    /// The machine.
    type Vm: Vm<Version = Self>;
}

/// A virtual machine: its processor, its steps, and what the chain sees of it. Running, stopping, proving,
/// saving and the oracle are the same for all, see [`Machine`].
///
/// Implemented by the machines of this crate only.
pub trait Vm: Engine {
    /// Its releases.
    type Version: Version<Vm = Self>;
    /// What only this machine has in its state.
    type Processor: Clone + Debug + Eq;

    /// Its addresses.
    const ADDRESSES: AddressSpace;
    /// Step proofs are filled up with zeros to so many bytes; with 0 they end with the last memory proof.
    const PROOF_BYTES: usize;
    /// A transfer on the preimage channels stays within an aligned part of memory of so many bytes.
    const TRANSFER_BYTES: usize;

    /// A processor about to execute its first instruction at `pc`.
    fn processor(pc: u64) -> Self::Processor;

    /// The address of the next instruction; nothing where none can run.
    fn pc(processor: &Self::Processor) -> Option<u64>;

    /// The packed state over a memory root.
    fn pack(registers: &Registers<Self::Processor>, root: B256) -> Vec<u8>;

    /// What a step proof holds before its memory proofs.
    fn proof_head(processor: &Self::Processor) -> Vec<u8>;

    /// The instruction that the next step of a state fetches that has not exited; nothing where it fetches none.
    fn next_instruction(state: &State<Self>) -> Option<ShownInstruction>;

    /// The instruction that a packed state and the proof of its next step show; nothing where they are of another
    /// layout, and where the step fetches none.
    fn shown_instruction(state: &[u8], proof: &[u8]) -> Option<ShownInstruction>;

    /// Executes one step of a machine that has not exited and whose step counter was just advanced.
    ///
    /// # Errors
    /// The guest's fault, or the oracle's failure. Then nothing has changed.
    fn step(machine: &mut Machine<'_, Self>) -> Result<(), StepError>;

    /// The processor as blocks enter it; nothing where they cannot.
    fn entrance(processor: &Self::Processor) -> Option<Entrance>;

    /// Gives blocks what they work on.
    fn enter(processor: &Self::Processor, core: &mut Core<Self>);

    /// Takes back what blocks have done, the address and the number of their steps included.
    fn leave(core: &Core<Self>, progress: Progress, processor: &mut Self::Processor);

    /// The kernel has written the part of memory at `aligned` that transfers may touch.
    fn transferred(machine: &mut Machine<'_, Self>, aligned: u64);
}
