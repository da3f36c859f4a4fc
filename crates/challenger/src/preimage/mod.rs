//! Preimages on their way into the oracle contract.
//!
//! ```text
//!   what a step reads ─► Upload ─┬─► one call: local data, hashed data, blob element, precompile result
//!                                └─► a large proposal: open ─► leaves ─► challenge period ─► squeeze
//!
//!   the leaves of somebody's proposal ─► first leaf that is wrong ─► the call that challenges it
//! ```
//!
//! Everything here is a plan: which calls, in which order, and when they may be sent. Nothing is sent, and
//! nothing is asked; what stands on chain already comes in as an argument.
//!
//! Source: fault proof specification, "Pre-image Oracle"; the deployed PreimageOracle and FaultDisputeGame.

mod audit;
mod large;
mod leaves;
mod plan;
mod sponge;

pub use audit::{AuditError, ProposalData, parse_leaf_log};
pub use large::{LargeProposal, Metadata, Next, ProposalError, Schedule};
pub use leaves::{Leaf, LeafTree, MAX_LEAVES, TREE_DEPTH};
pub use plan::{Call, PlanError, Target, Upload};
pub use sponge::{BLOCK_BYTES, Sponge};
