//! The fault proof program: a pure function of the preimage oracle.
