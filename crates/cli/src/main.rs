//! Rebut: fault proofs for OP Stack chains.

fn main() {}
