//! Games on the contracts, in an embedded EVM: what honest play promises, whatever others play.
//!
//! 1. The root claim stands in the end exactly when it is right.
//! 2. Every bond that an honest player puts up comes back, and with it that of the claim that it counters.
//! 3. Honest players never counter honest claims.

mod alphabet;
mod players;
mod random_games;
mod scenarios;
mod table;
