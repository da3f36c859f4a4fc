//! Off-chain agents of the dispute game.

pub mod preimage;
pub mod trace;
