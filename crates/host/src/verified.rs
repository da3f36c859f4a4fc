//! A store whose values are verified beyond what a key tells.
//!
//! ```text
//!   key          a store checks            here in addition
//!   keccak256    the hash                  nothing
//!   sha256       the hash                  nothing
//!   blob         the length                the commitment in the key's inputs, over the whole blob
//!   precompile   the status byte           the call in the key's inputs is run again
//!   local        the length                nothing: a host never serves these from a store
//! ```
//!
//! The inputs of a blob or precompile key are stored beside it by every host. Where they are missing,
//! or parts of the blob are, nothing can be said; that is reported as such.

use crate::{
    PayloadForm,
    blob::{self, Commitment},
    routes::precompile_preimages,
    store::AnyStore,
};
use alloy_primitives::hex;
use rebut_preimage::{HintError, KeyType, PreimageKey, PreimageStore, StoreError};
use std::collections::BTreeSet;

/// How far a value was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It is the value of its key.
    Full,
    /// It could be; what it would take to tell is not in the store.
    Shape,
}

/// A value that is wrong, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A value that is none of the blob that its key belongs to.
    #[error("the store holds a wrong element of the blob with commitment {commitment}; remove it")]
    WrongElement {
        /// The commitment.
        commitment: String,
    },
    /// A value that is not what the call gives.
    #[error("the store holds a wrong precompile result; remove it")]
    WrongResult,
    /// A call that no host answers.
    #[error("the store holds the result of a call that has none: {0}")]
    Call(#[source] HintError),
    /// The store cannot be read, or holds a value with another hash.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A store, and what was found out about it.
pub struct VerifiedStore {
    store: AnyStore,
    form: PayloadForm,
    /// Commitments whose whole blob was recomputed.
    blobs: BTreeSet<Commitment>,
}

impl std::fmt::Debug for VerifiedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifiedStore").field("blobs", &self.blobs.len()).finish_non_exhaustive()
    }
}

impl VerifiedStore {
    /// Nothing is known of `store` at first. `form` is that of calls without a gas in their inputs.
    pub const fn new(store: AnyStore, form: PayloadForm) -> Self {
        Self { store, form, blobs: BTreeSet::new() }
    }

    /// The store itself.
    pub const fn inner(&self) -> &AnyStore {
        &self.store
    }

    /// The store itself, to put something into it.
    pub const fn inner_mut(&mut self) -> &mut AnyStore {
        &mut self.store
    }

    /// The value of `key`, and how far it was verified.
    ///
    /// # Errors
    /// [`EvidenceError`] when it is wrong.
    pub fn get(&mut self, key: PreimageKey) -> Result<Option<(Vec<u8>, Evidence)>, EvidenceError> {
        let Some(value) = self.store.get(key)? else { return Ok(None) };
        let evidence = match key.key_type() {
            KeyType::Keccak256 | KeyType::Sha256 => Evidence::Full,
            KeyType::Local => Evidence::Shape,
            KeyType::Blob => self.element(key)?,
            KeyType::Precompile => self.result(key, &value)?,
        };
        Ok(Some((value, evidence)))
    }

    /// Whether the whole blob of an element is there and has the commitment in the key.
    fn element(&mut self, key: PreimageKey) -> Result<Evidence, EvidenceError> {
        let inputs = self.store.get(key.inputs_key())?;
        let Some(commitment) = inputs.as_deref().and_then(blob::commitment_of_inputs) else {
            return Ok(Evidence::Shape);
        };
        if self.blobs.contains(&commitment) {
            return Ok(Evidence::Full);
        }
        let mut bytes = Vec::with_capacity(blob::BLOB_BYTES);
        for element in blob::element_keys(&commitment) {
            match self.store.get(element)? {
                Some(value) => bytes.extend_from_slice(&value),
                None => return Ok(Evidence::Shape),
            }
        }
        if blob::commitment(&bytes) != Some(commitment) {
            let commitment = hex::encode_prefixed(commitment);
            return Err(EvidenceError::WrongElement { commitment });
        }
        self.blobs.insert(commitment);
        Ok(Evidence::Full)
    }

    /// Whether the call is there and gives this result.
    fn result(&self, key: PreimageKey, value: &[u8]) -> Result<Evidence, EvidenceError> {
        let Some(payload) = self.store.get(key.inputs_key())? else { return Ok(Evidence::Shape) };
        let entries = precompile_preimages("l1-precompile", &payload, self.form);
        let [(_, result), _] = entries.map_err(EvidenceError::Call)?;
        if result == value { Ok(Evidence::Full) } else { Err(EvidenceError::WrongResult) }
    }
}
