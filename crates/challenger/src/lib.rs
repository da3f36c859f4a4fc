//! Off-chain agents of the dispute game.
