//! The preimage oracle: the only way by which data enters a fault proof program.
//!
//! The core of the crate (keys, values checked against keys, hints as text, the client half of the
//! wire protocol) is `no_std` and runs inside the proven machine. The feature `std` adds what the
//! machine's surroundings need: pipes, stores, the serving half, and server child processes.
//!
//! Invariant: a [`PreimageKey`] is always of a type the protocol serves, and whatever leaves a
//! [`VerifyingOracle`], a store or a server process has been checked against its key as far as key
//! and value alone allow (types 2, 4 fully; 1, 5, 6 in shape).
//!
//! Source: OP Stack specification, "Fault Proof", sections "Pre-image Oracle" and "Pre-image
//! communication".

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod blob;
mod hint;
mod key;
mod oracle;
#[cfg(feature = "std")]
mod pipes;
#[cfg(feature = "std")]
mod process;
#[cfg(feature = "std")]
mod serve;
#[cfg(feature = "std")]
pub mod store;
mod wire;

pub use blob::{BLOB_ELEMENTS, blob_points};
pub use hint::{Hint, HintError};
pub use key::{KeyError, KeyTextError, KeyType, LOCAL_VALUE_LIMIT_BYTES, PreimageKey, ValueError};
pub use oracle::{OracleError, PreimageOracle, VerifyingOracle};
#[cfg(feature = "std")]
pub use pipes::{FileChannel, Pipes, PipesError};
#[cfg(feature = "std")]
pub use process::{FinishTimes, ProcessError, ProcessOptions, ProcessOracle};
#[cfg(feature = "std")]
pub use serve::{HINT_LIMIT_BYTES, ServeError, Served, serve};
#[cfg(feature = "std")]
pub use store::{MemoryStore, PreimageStore, StoreError, StoreOracle};
pub use wire::{Channel, ChannelError, ClientOracle, VALUE_LIMIT_BYTES};
