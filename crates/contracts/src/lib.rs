//! Bindings and bytecode of the on-chain verifiers, and an embedded EVM to run them.
