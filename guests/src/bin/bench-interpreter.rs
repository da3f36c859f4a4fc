//! Bench: an interpreter of a small stack machine, running a nested loop.

#![no_std]
#![no_main]

use guest::{STDOUT, print_line};

/// Iterations of the interpreted outer loop.
const OUTER: u64 = 3_000;
/// Iterations of the interpreted inner loop.
const INNER: u64 = 400;

guest::main!(main);

/// One instruction. Operands are popped from the stack, results pushed to it.
#[derive(Clone, Copy)]
enum Op {
    Push(u64),
    /// Copies a variable to the stack, or back.
    Load(u8),
    Store(u8),
    Add,
    Mul,
    Xor,
    /// Rotates by a constant.
    Rotate(u8),
    /// Subtracts one from a variable and jumps unless it became zero.
    Loop(u8, u16),
    Halt,
}

/// Sums up mixed loop counters: two loops around an expression.
const PROGRAM: [Op; 17] = [
    Op::Push(OUTER),
    Op::Store(0),
    // Outer loop.
    Op::Push(INNER),
    Op::Store(1),
    // Inner loop.
    Op::Load(0),
    Op::Load(1),
    Op::Mul,
    Op::Load(2),
    Op::Xor,
    Op::Rotate(11),
    Op::Push(0x9e37_79b9_7f4a_7c15),
    Op::Add,
    Op::Store(2),
    Op::Loop(1, 4),
    Op::Loop(0, 2),
    Op::Load(2),
    Op::Halt,
];

/// Runs a program and returns what it left on the stack.
#[inline(never)]
fn interpret(program: &[Op]) -> Option<u64> {
    let mut stack = [0_u64; 16];
    let mut variables = [0_u64; 4];
    let mut depth = 0_usize;
    let mut next = 0_usize;
    loop {
        let op = *program.get(next)?;
        next += 1;
        match op {
            Op::Push(value) => {
                *stack.get_mut(depth)? = value;
                depth += 1;
            }
            Op::Load(variable) => {
                *stack.get_mut(depth)? = *variables.get(usize::from(variable))?;
                depth += 1;
            }
            Op::Store(variable) => {
                depth = depth.checked_sub(1)?;
                *variables.get_mut(usize::from(variable))? = *stack.get(depth)?;
            }
            Op::Add | Op::Mul | Op::Xor => {
                depth = depth.checked_sub(1)?;
                let right = *stack.get(depth)?;
                let left = stack.get_mut(depth.checked_sub(1)?)?;
                *left = match op {
                    Op::Add => left.wrapping_add(right),
                    Op::Mul => left.wrapping_mul(right),
                    _ => *left ^ right,
                };
            }
            Op::Rotate(bits) => {
                let top = stack.get_mut(depth.checked_sub(1)?)?;
                *top = top.rotate_left(bits.into());
            }
            Op::Loop(variable, target) => {
                let counter = variables.get_mut(usize::from(variable))?;
                *counter = counter.wrapping_sub(1);
                if *counter != 0 {
                    next = target.into();
                }
            }
            Op::Halt => return stack.get(depth.checked_sub(1)?).copied(),
        }
    }
}

fn main() -> u8 {
    // The optimiser must not run the program itself.
    let Some(result) = interpret(core::hint::black_box(&PROGRAM)) else { return 2 };
    print_line(STDOUT, format_args!("interpreter {result:016x}"));
    0
}
