//! Jump destinations, decided when they are jumped to.
//!
//! What a push carries is no instruction, so whether a byte is a destination depends on what stands in
//! front of it. The EVM analyses each code it meets from start to end, which is more work than a block
//! does with most of them. Here a destination is looked at when it is first used: an instruction starts
//! wherever no push of the 32 bytes in front can reach, and from the nearest such place on instructions
//! are followed up to the destination.
//!
//! Invariants: a destination is accepted exactly if the EVM's own analysis accepts it. Where looking back
//! finds no such place soon, the whole code is analysed, once, so that no code costs much more than it
//! would have.

use crate::{StateOracle, block::EvmContext, state::StateView};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use revm::{
    bytecode::{Bytecode, BytecodeDecodeError, JumpTable, eip7702::EIP7702_MAGIC_BYTES, opcode},
    context_interface::ContextTr,
    interpreter::{
        Instruction, InstructionContext, InstructionResult,
        interpreter::EthInterpreter,
        interpreter_types::{Jumps, StackTr},
    },
    primitives::{Bytes, U256},
};

/// What a push carries at most.
const PUSH_LIMIT_BYTES: usize = 32;
/// How far in front of a destination an undoubted instruction is looked for.
const WINDOW_BYTES: usize = 256;
/// Codes above this, which no transaction can deploy, are left to the EVM.
const CODE_LIMIT_BYTES: usize = 0x6000;
/// Number of destinations that are remembered.
const SLOTS: usize = 1 << 14;

/// Stands for the table of a code whose destinations are not known.
static UNKNOWN: [u8; CODE_LIMIT_BYTES / 8] = [0; CODE_LIMIT_BYTES / 8];

/// A code of the state, to be run with the instructions of this module.
pub(crate) fn bytecode(mut code: Vec<u8>) -> Result<Bytecode, BytecodeDecodeError> {
    let length_bytes = code.len();
    if length_bytes == 0 || length_bytes > CODE_LIMIT_BYTES || code.starts_with(EIP7702_MAGIC_BYTES)
    {
        return Bytecode::new_raw_checked(code.into());
    }
    // Behind the code the EVM must find what its last instruction carries, and a stop.
    let padding = PUSH_LIMIT_BYTES + 2;
    code.reserve_exact(padding);
    code.resize(length_bytes + padding, opcode::STOP);
    let table = JumpTable::from_static_slice(&UNKNOWN, CODE_LIMIT_BYTES);
    Ok(Bytecode::new_analyzed(code.into(), length_bytes, table))
}

/// The destinations known so far, of all codes of a state.
///
/// Destinations go by their address in memory: a code that [`bytecode`] made is kept by the state and
/// neither dropped nor moved, as long as this lives beside it.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    /// Addresses of destinations, each in the slot that its last bits name.
    proven: Vec<usize>,
    /// Tables of codes that had to be analysed, by the code's address.
    tables: BTreeMap<usize, JumpTable>,
}

impl Destinations {
    pub(crate) fn new() -> Self {
        Self { proven: vec![0; SLOTS], tables: BTreeMap::new() }
    }

    /// Whether one may jump to `target`.
    fn contains(&mut self, code: &[u8], target: usize) -> bool {
        self.remembers(code, target) || self.prove(code, target)
    }

    /// Whether `target` was proven, and not long ago.
    fn remembers(&self, code: &[u8], target: usize) -> bool {
        // No code starts at address 0, so an empty slot equals none.
        let address = code.as_ptr().addr().wrapping_add(target);
        target < code.len() && self.proven.get(address % SLOTS) == Some(&address)
    }

    #[cold]
    #[inline(never)]
    fn prove(&mut self, code: &[u8], target: usize) -> bool {
        if code.get(target) != Some(&opcode::JUMPDEST) {
            return false;
        }
        let start = code.as_ptr().addr();
        let found = match self.tables.get(&start) {
            Some(table) => table.is_valid(target),
            None => match starts_instruction(code, target) {
                Some(found) => found,
                None => self.analyse(code, target),
            },
        };
        let address = start.wrapping_add(target);
        if found && let Some(slot) = self.proven.get_mut(address % SLOTS) {
            *slot = address;
        }
        found
    }

    #[cold]
    fn analyse(&mut self, code: &[u8], target: usize) -> bool {
        let analysed = Bytecode::new_legacy(Bytes::copy_from_slice(code));
        let Some(table) = analysed.legacy_jump_table() else { return false };
        self.tables.entry(code.as_ptr().addr()).or_insert_with(|| table.clone()).is_valid(target)
    }
}

/// Whether an instruction starts at `target`; `None` if the window in front of it does not tell.
fn starts_instruction(code: &[u8], target: usize) -> Option<bool> {
    let floor = target.saturating_sub(WINDOW_BYTES);
    let mut start = target;
    while let Some(nearer) = push_over(code.get(..start)?) {
        if nearer < floor {
            return None;
        }
        start = nearer;
    }
    let mut at = start;
    while at < target {
        at += 1 + carried_bytes(*code.get(at)?);
    }
    Some(at == target)
}

/// The last byte of `code` that, if it is an instruction, carries what comes next.
fn push_over(code: &[u8]) -> Option<usize> {
    // Steps count here, so the usual case has a fixed number of them.
    let distance = match code.last_chunk::<PUSH_LIMIT_BYTES>() {
        Some(window) => (0..PUSH_LIMIT_BYTES)
            .find(|&distance| reaches(window[PUSH_LIMIT_BYTES - 1 - distance], distance)),
        None => code
            .iter()
            .rev()
            .enumerate()
            .find_map(|(distance, &byte)| reaches(byte, distance).then_some(distance)),
    };
    distance.map(|distance| code.len() - 1 - distance)
}

/// Whether an instruction carries more than `distance` bytes. Pushes are the largest opcodes but for
/// those with the highest bit set, which are negative here.
const fn reaches(instruction: u8, distance: usize) -> bool {
    instruction.cast_signed() as isize >= opcode::PUSH1 as isize + distance.cast_signed()
}

/// How many bytes an instruction carries.
const fn carried_bytes(instruction: u8) -> usize {
    match instruction {
        opcode::PUSH1..=opcode::PUSH32 => (instruction - opcode::PUSH0) as usize,
        _ => 0,
    }
}

type Host<'o, O> = EvmContext<StateView<'o, O>>;
type Context<'a, 'o, O> = InstructionContext<'a, Host<'o, O>, EthInterpreter>;
type JumpInstruction<'o, O> = Instruction<EthInterpreter, Host<'o, O>>;

/// `JUMP` and `JUMPI` with their fixed cost, by opcode.
pub(crate) fn instructions<'o, O: StateOracle>() -> [(u8, JumpInstruction<'o, O>); 2] {
    [(opcode::JUMP, Instruction::new(jump, 8)), (opcode::JUMPI, Instruction::new(jumpi, 10))]
}

fn jump<O: StateOracle>(context: Context<'_, '_, O>) {
    match StackTr::popn(&mut context.interpreter.stack) {
        Some([target]) => jump_to(context, target),
        None => context.interpreter.halt_underflow(),
    }
}

fn jumpi<O: StateOracle>(context: Context<'_, '_, O>) {
    match StackTr::popn(&mut context.interpreter.stack) {
        Some([_, condition]) if condition.is_zero() => {}
        Some([target, _]) => jump_to(context, target),
        None => context.interpreter.halt_underflow(),
    }
}

fn jump_to<O: StateOracle>(context: Context<'_, '_, O>, target: U256) {
    let Context { interpreter, host } = context;
    let code = &mut interpreter.bytecode;
    let valid = |target: &usize| match code.legacy_jump_table() {
        Some(table) if table.as_slice().as_ptr() == UNKNOWN.as_ptr() => {
            host.db_mut().destinations().contains(code.original_byte_slice(), *target)
        }
        Some(table) => table.is_valid(*target),
        None => false,
    };
    let &[target, a, b, c] = target.as_limbs();
    let target = if a | b | c == 0 { usize::try_from(target).ok() } else { None };
    match target.filter(valid) {
        Some(target) => code.absolute_jump(target),
        None => interpreter.halt(InstructionResult::InvalidJump),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(code: Vec<u8>) {
        let expected = Bytecode::new_raw(code.clone().into());
        let bytecode = bytecode(code).expect("a code");
        assert_eq!(bytecode.original_byte_slice(), expected.original_byte_slice());
        assert!(bytecode.bytes_slice().starts_with(expected.bytes_slice()));
        let expected = expected.legacy_jump_table().expect("a table");
        let mut destinations = Destinations::new();
        let code = bytecode.original_byte_slice();
        // The second time from memory.
        for target in (0..code.len() + 3).chain(0..code.len()) {
            let found = destinations.contains(code, target);
            assert_eq!(found, expected.is_valid(target), "{target} of {code:02x?}");
        }
    }

    #[test]
    fn what_a_push_carries_is_no_destination() {
        check(vec![]);
        check(vec![0x5b]);
        check(vec![0x60, 0x5b, 0x5b]);
        check(vec![0x7f, 0x5b]);
        check(vec![0xef, 0x5b]);
    }

    #[test]
    fn a_window_full_of_pushes_is_no_obstacle() {
        for push in 0x60..0x80 {
            for length_bytes in [100, 300, 1000] {
                let mut code = vec![push; length_bytes];
                for at in (0..length_bytes).step_by(7) {
                    code[at] = 0x5b;
                }
                check(code);
            }
        }
    }

    /// Mostly destinations and pushes.
    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![
            3 => Just(0x5b_u8),
            3 => 0x60_u8..0x80,
            1 => Just(0x7f_u8),
            2 => any::<u8>(),
        ]
    }

    proptest! {
        #[test]
        fn the_evm_finds_the_same(code in prop::collection::vec(byte(), 0..600)) {
            prop_assume!(!code.starts_with(&[0xef, 0x01]));
            check(code);
        }

        #[test]
        fn the_evm_finds_the_same_among_few_pushes(
            code in prop::collection::vec(prop_oneof![9 => Just(0x5b_u8), 1 => byte()], 0..600)
        ) {
            prop_assume!(!code.starts_with(&[0xef, 0x01]));
            check(code);
        }
    }
}
