//! The dispute game protocol: claims, positions, clocks, bonds, and the honest answer to a claim.
//!
//! A [`Game`] is what one reading of the contract gives, a [`Trace`] is what is true. This crate does no I/O, and
//! knows neither a virtual machine nor a chain client.

#![no_std]

extern crate alloc;

mod action;
mod bond;
mod claim;
mod clock;
#[cfg(test)]
mod fixtures;
mod game;
mod parameters;
mod position;
mod resolution;
mod rules;
mod solver;
mod span;
mod trace;

pub use action::{Action, Move, Reason, Response, Step, Verdict};
pub use bond::{Bond, Capital};
pub use claim::{Claim, ClaimIndex, Proposal, Resolution};
pub use clock::{Clock, Seconds, Timestamp};
pub use game::{Game, GameError, GameStatus};
pub use parameters::{GameType, Parameters};
pub use position::{Depth, Position, PositionError, Side, TraceIndex};
pub use resolution::{Resolve, Settlement, plan_resolution, settle};
pub use rules::{RULES, Rule, Violation};
pub use solver::{Failure, Solution, SolveError, explain, solve};
pub use span::Span;
pub use trace::{Evidence, L2BlockChallenge, PreimagePart, StepData, Trace};
