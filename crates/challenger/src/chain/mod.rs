//! L1 as the agents see it: a node, many reads in one request, games.

mod factory;
mod facts;
mod lens;
mod node;
mod reader;

pub use factory::{Blueprint, Factory, FactoryError};
pub use facts::{Facts, Listing, Malformed, facts, listings};
pub use lens::{Answer, CLAIM_BYTES, Lens, View, Watch};
pub use node::{At, Block, Node, NodeError, NodeFault, Receipt, Request};
pub(crate) use node::{cause, shortened};
pub use reader::{PLAYED_TYPES, Poll, PollError, Reader, Scope, Snapshot, snapshots};
