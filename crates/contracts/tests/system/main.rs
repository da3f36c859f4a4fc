//! A whole deployment on an EVM with real transactions: what a plan puts there, and large preimages from recorded
//! inputs.

mod chain;
mod deployment;
mod large_preimages;
