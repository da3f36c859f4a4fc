//! The multithreaded 64-bit Cannon machine.
//!
//! [`state`] is what a witness commits to, [`step`] executes one instruction on it, [`fast`] executes
//! pre-decoded blocks of them, and [`machine`] ties state, kernel and host together.

pub mod error;
mod fast;
pub mod machine;
pub mod state;
pub mod stats;
mod step;
