//! Off-chain agents of the dispute game.
//!
//! ```text
//!   L1 ──► chain: polls, games ──► agent: what to do ──► sender: transactions ──► L1
//!                                     ▲
//!            trace: what is true ─────┘        proposer: output roots ──► sender
//! ```
//!
//! Nothing that matters is stored. What an agent knows it reads from L1 again after a start, and what it has done it
//! finds there.

pub mod agent;
pub mod chain;
pub mod check;
pub mod deploy;
pub mod guardian;
pub mod health;
pub mod inspect;
pub mod preimage;
pub mod proposer;
pub mod sender;
pub mod trace;

/// Ends when an agent is asked to end, or when nobody is left to ask.
async fn stopped(stop: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
