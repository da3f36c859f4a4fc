//! The fields of a header that a host follows, whatever fields later forks append.

use alloy_primitives::B256;
use alloy_rlp::{Decodable, PayloadView};

/// A block header, as far as a host needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) parent_hash: B256,
    pub(crate) state_root: B256,
    pub(crate) transactions_root: B256,
    pub(crate) receipts_root: B256,
    pub(crate) number: u64,
    /// From Shanghai on. On L2 from Isthmus on the storage root of the message passer.
    pub(crate) withdrawals_root: Option<B256>,
}

impl Header {
    /// Reads an encoded header. Fields after the withdrawals root are not looked at.
    pub(crate) fn decode(raw: &[u8]) -> Option<Self> {
        let mut rest = raw;
        let PayloadView::List(items) = alloy_rlp::Header::decode_raw(&mut rest).ok()? else {
            return None;
        };
        if !rest.is_empty() {
            return None;
        }
        let item = |index: usize| items.get(index).copied();
        let hash = |index| B256::decode(&mut item(index)?).ok();
        Some(Self {
            parent_hash: hash(0)?,
            state_root: hash(3)?,
            transactions_root: hash(4)?,
            receipts_root: hash(5)?,
            number: u64::decode(&mut item(8)?).ok()?,
            withdrawals_root: hash(16),
        })
    }
}
