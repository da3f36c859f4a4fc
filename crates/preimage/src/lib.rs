//! The preimage oracle: the only way by which data enters a fault proof program.
//!
//! The core of the crate (keys, values checked against keys, hints as text, the client half of the
//! wire protocol) is `no_std` and runs inside the proven machine. The feature `std` adds what the
//! machine's surroundings need: stores, the serving half, and server child processes.
//!
//! Invariant: a [`PreimageKey`] is always of a type the protocol serves, and whatever leaves a
//! [`VerifyingOracle`], a store or a server process has been checked against its key as far as key
//! and value alone allow (types 2, 4 fully; 1, 5, 6 in shape).
//!
//! Source: OP Stack specification, "Fault Proof", sections "Pre-image Oracle" and "Pre-image
//! communication".

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod hint;
mod key;
mod oracle;
mod wire;

pub use hint::{Hint, HintError};
pub use key::{KeyError, KeyTextError, KeyType, LOCAL_VALUE_LIMIT_BYTES, PreimageKey, ValueError};
pub use oracle::{OracleError, PreimageOracle, VerifyingOracle};
pub use wire::{Channel, ChannelError, ClientOracle, VALUE_LIMIT_BYTES};
