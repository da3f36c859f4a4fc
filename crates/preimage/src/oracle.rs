//! The oracle as a program sees it, and the wrapper that trusts none.

use crate::{ChannelError, HintError, KeyError, PreimageKey, ValueError};
use alloc::vec::Vec;

/// Answers preimage requests.
///
/// Order of calls: any. A host that fetches its data acts on hints only, so a program sends the
/// hint that covers a key before it asks for the key.
pub trait PreimageOracle {
    /// The value behind `key`.
    ///
    /// # Errors
    /// [`OracleError::Missing`] when there is none, other variants when it could not be had.
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError>;

    /// Tells the host what will be asked for next. `hint` is the text without a length prefix,
    /// see [`Hint`](crate::Hint). Returns once the host has dealt with it.
    ///
    /// # Errors
    /// Fails when the host is gone or, where host and program share a process, refuses the hint.
    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError>;
}

impl<O: PreimageOracle + ?Sized> PreimageOracle for &mut O {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        (**self).get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        (**self).hint(hint)
    }
}

impl<O: PreimageOracle + ?Sized> PreimageOracle for alloc::boxed::Box<O> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        (**self).get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        (**self).hint(hint)
    }
}

/// Why an oracle did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The oracle has no value for the key.
    #[error("there is no preimage for the {t} key {key}", t = key.key_type())]
    Missing {
        /// The key asked for.
        key: PreimageKey,
    },
    /// The oracle answered with a value that cannot belong to the key.
    #[error("the preimage for the {t} key {key} is wrong: {source}", t = key.key_type())]
    Mismatch {
        /// The key asked for.
        key: PreimageKey,
        /// What is wrong with the value.
        source: ValueError,
    },
    /// The bytes asked for are no key.
    #[error(transparent)]
    Illegal(#[from] KeyError),
    /// The server announced a value above the client's limit. Nothing of it was read.
    #[error(
        "the preimage for key {key} is announced with {length_bytes} bytes, the limit is {limit_bytes}"
    )]
    TooLong {
        /// The key asked for.
        key: PreimageKey,
        /// The announced length.
        length_bytes: u64,
        /// The client's limit.
        limit_bytes: usize,
    },
    /// A hint longer than its 32-bit length prefix can say.
    #[error("a hint of {length_bytes} bytes is longer than the protocol can carry")]
    HintTooLong {
        /// Length of the hint.
        length_bytes: usize,
    },
    /// The host refused the hint.
    #[error(transparent)]
    Hint(#[from] HintError),
    /// The preimage channel broke while the key was asked for.
    #[error("the preimage channel failed at key {key}: {source}")]
    PreimageChannel {
        /// The key asked for.
        key: PreimageKey,
        /// What happened to the channel.
        source: ChannelError,
    },
    /// The hint channel broke.
    #[error("the hint channel failed: {source}")]
    HintChannel {
        /// What happened to the channel.
        source: ChannelError,
    },
    /// The oracle had to get the value from somewhere else, and could not.
    #[cfg(feature = "std")]
    #[error("the preimage for the {t} key {key} cannot be had: {source}", t = key.key_type())]
    Fetch {
        /// The key asked for.
        key: PreimageKey,
        /// Why, in the words of the oracle's own error type.
        source: std::boxed::Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store behind the oracle failed.
    #[cfg(feature = "std")]
    #[error(transparent)]
    Store(#[from] crate::StoreError),
}

/// Checks every value of the oracle inside against its key.
#[derive(Clone, Debug)]
pub struct VerifyingOracle<O>(pub O);

impl<O: PreimageOracle> PreimageOracle for VerifyingOracle<O> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let value = self.0.get(key)?;
        key.verify(&value).map_err(|source| OracleError::Mismatch { key, source })?;
        Ok(value)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.0.hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    /// Gives the same value for every key.
    struct Constant(Vec<u8>);

    impl PreimageOracle for Constant {
        fn get(&mut self, _: PreimageKey) -> Result<Vec<u8>, OracleError> {
            Ok(self.0.clone())
        }

        fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
            self.0 = hint.to_vec();
            Ok(())
        }
    }

    #[test]
    fn wrong_values_do_not_pass() {
        let mut oracle = VerifyingOracle(Constant(b"right".to_vec()));
        let right = PreimageKey::keccak256(keccak256(b"right"));
        let other = PreimageKey::keccak256(keccak256(b"other"));
        assert_eq!(oracle.get(right).unwrap(), b"right");
        match oracle.get(other) {
            Err(OracleError::Mismatch { key, .. }) => assert_eq!(key, other),
            result => panic!("{result:?}"),
        }
    }

    #[test]
    fn hints_pass_through() {
        let mut oracle = VerifyingOracle(Constant(b"right".to_vec()));
        oracle.hint(b"other").unwrap();
        let other = PreimageKey::keccak256(keccak256(b"other"));
        assert_eq!(oracle.get(other).unwrap(), b"other");
    }
}
