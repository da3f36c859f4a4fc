//! Fault proof virtual machines: state hash at any step and the proof of one step.

pub mod memory;
