//! The client half of the wire protocol, for a program inside a machine or as a native process.
//!
//! ```text
//!   preimage channel    request  ┌──────────────┐   answer  ┌───────────────────┬────────┐
//!                                │ key 32 bytes │           │ length u64 big-e. │ value  │
//!                                └──────────────┘           └───────────────────┴────────┘
//!   hint channel        request  ┌───────────────────┬──────┐   answer  ┌────────┐
//!                                │ length u32 big-e. │ hint │           │ 1 byte │
//!                                └───────────────────┴──────┘           └────────┘
//! ```
//!
//! Either side may cut a transfer anywhere; a [`Channel`] hides that.

use crate::{OracleError, PreimageKey, PreimageOracle};
use alloc::vec::Vec;

/// The longest value a client takes from a server unless told otherwise, in bytes.
///
/// A large preimage proposal holds below 65,535 blocks of 136 bytes, so no longer value can be
/// proven on chain; the limit lies above that and below what would exhaust a guest's heap.
pub const VALUE_LIMIT_BYTES: usize = 16 << 20;

/// How much memory is taken before the bytes that fill it have arrived.
const RESERVE_BYTES: usize = 64 << 10;

/// Two pipes to the peer, one in each direction.
pub trait Channel {
    /// Fills `buffer`, over as many reads as the peer makes necessary.
    ///
    /// # Errors
    /// [`ChannelError::Closed`] when the peer ends first.
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError>;

    /// Hands all of `bytes` to the peer, over as many writes as it makes necessary.
    ///
    /// # Errors
    /// [`ChannelError::Closed`] when the peer no longer reads.
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError>;
}

impl<C: Channel + ?Sized> Channel for &mut C {
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError> {
        (**self).read_exact(buffer)
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        (**self).write_all(bytes)
    }
}

/// What can happen to a channel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The peer closed its end in the middle of an exchange.
    #[error("the peer closed its end")]
    Closed,
    /// The peer was silent for longer than the channel's deadline.
    #[error("the peer did not react within {limit:?}")]
    TimedOut {
        /// The deadline.
        limit: core::time::Duration,
    },
    /// A system call failed with this error number.
    #[error("the system reports error number {0}")]
    Os(i32),
    /// The process at the other end has ended.
    #[cfg(feature = "std")]
    #[error("the preimage server has ended ({status})")]
    Exited {
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The user asked this process to stop.
    #[cfg(feature = "std")]
    #[error("interrupted")]
    Interrupted,
}

/// A [`PreimageOracle`] at the other end of two channels.
///
/// Values are not checked here: inside a machine the verifier contract has checked them, and a
/// native program wraps the client in a [`VerifyingOracle`](crate::VerifyingOracle).
#[derive(Debug)]
pub struct ClientOracle<P, H> {
    preimages: P,
    hints: H,
    value_limit_bytes: usize,
}

impl<P: Channel, H: Channel> ClientOracle<P, H> {
    /// A client with the default length limit, [`VALUE_LIMIT_BYTES`].
    pub const fn new(preimages: P, hints: H) -> Self {
        Self { preimages, hints, value_limit_bytes: VALUE_LIMIT_BYTES }
    }

    /// Refuses values above `limit_bytes`.
    #[must_use]
    pub const fn with_value_limit(mut self, limit_bytes: usize) -> Self {
        self.value_limit_bytes = limit_bytes;
        self
    }

    /// Gives the channels back: preimages, hints.
    pub fn into_channels(self) -> (P, H) {
        (self.preimages, self.hints)
    }

    fn request(&mut self, key: &PreimageKey) -> Result<u64, ChannelError> {
        self.preimages.write_all(key.as_bytes())?;
        let mut length = [0; 8];
        self.preimages.read_exact(&mut length)?;
        Ok(u64::from_be_bytes(length))
    }

    /// Reads a value in pieces, so that memory grows with what was really sent.
    fn receive(&mut self, length_bytes: usize) -> Result<Vec<u8>, ChannelError> {
        let mut value = Vec::new();
        while value.len() < length_bytes {
            let start = value.len();
            // Doubling keeps the number of moves logarithmic.
            let piece = (length_bytes - start).min(start.max(RESERVE_BYTES));
            value.reserve_exact(piece);
            value.resize(start + piece, 0);
            self.preimages.read_exact(&mut value[start..])?;
        }
        Ok(value)
    }
}

impl<P: Channel, H: Channel> PreimageOracle for ClientOracle<P, H> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let failed = |source| OracleError::PreimageChannel { key, source };
        let length_bytes = self.request(&key).map_err(failed)?;
        let limit_bytes = self.value_limit_bytes;
        match usize::try_from(length_bytes) {
            Ok(length_bytes) if length_bytes <= limit_bytes => {
                self.receive(length_bytes).map_err(failed)
            }
            _ => Err(OracleError::TooLong { key, length_bytes, limit_bytes }),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        let length_bytes = u32::try_from(hint.len())
            .map_err(|_| OracleError::HintTooLong { length_bytes: hint.len() })?;
        let failed = |source| OracleError::HintChannel { source };
        self.hints.write_all(&length_bytes.to_be_bytes()).map_err(failed)?;
        self.hints.write_all(hint).map_err(failed)?;
        // The byte itself carries no meaning: servers acknowledge failures alike.
        self.hints.read_exact(&mut [0]).map_err(failed)
    }
}

#[cfg(test)]
mod tests;
