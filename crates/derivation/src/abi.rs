//! The one shape that events of the L1 contracts have: `abi.encode(bytes)`.
//!
//! ```text
//!   ┌───────────┬───────────┬─────────┬─────────────────────┐
//!   │ offset 32 │ length 32 │ content │ zeros up to 32 more │
//!   └───────────┴───────────┴─────────┴─────────────────────┘
//! ```

use alloy_primitives::{Address, U256};

/// The content, where nothing precedes, follows or is missing.
pub(crate) fn bytes(data: &[u8]) -> Option<&[u8]> {
    let (offset, rest) = data.split_first_chunk::<32>()?;
    let (length, rest) = rest.split_first_chunk::<32>()?;
    let length: usize = number(length)?;
    let (content, padding) = rest.split_at_checked(length)?;
    let complete = U256::from_be_bytes(*offset) == U256::from(32)
        && rest.len().is_multiple_of(32)
        && padding.len() < 32
        && padding.iter().all(|byte| *byte == 0);
    complete.then_some(content)
}

/// A number that fits its type.
pub(crate) fn number<T>(word: &[u8; 32]) -> Option<T>
where
    U256: TryInto<T>,
{
    U256::from_be_bytes(*word).try_into().ok()
}

/// An address behind twelve zeros.
pub(crate) fn address(word: &[u8; 32]) -> Option<Address> {
    let (zeros, address) = word.split_first_chunk::<12>()?;
    (*zeros == [0; 12]).then(|| Address::from_slice(address))
}
