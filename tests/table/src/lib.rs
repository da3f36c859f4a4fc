//! Games on the real contracts, in an embedded EVM: where tests of whole games are played.
//!
//! ```text
//!   configuration ─► Contracts: a deployed system ─► Table: one game on a copy of it, and what a reader knows of it
//! ```
//!
//! A table's view of its game is kept from action to action, as an agent would; [`Table::check_view`] compares it
//! with the contract. Nothing here knows a machine, or who is right; a liar is made of whoever does.

mod contracts;
mod lying;
mod table;

pub use contracts::{Contracts, OWNER};
pub use lying::Lying;
pub use table::{Refusal, Table};
