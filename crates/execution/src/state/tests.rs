//! BLOCKHASH over a chain of headers.

use super::{State, StateView};
use crate::{StateError, StateOracle};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_consensus::{Header, Sealable, Sealed};
use alloy_primitives::{Address, B256, keccak256};
use revm::Database;

/// Number of the youngest header: the parent of the block in the making.
const PARENT: u64 = 1000;

/// Headers by hash, and which were asked for.
#[derive(Default)]
struct Headers {
    values: BTreeMap<B256, Vec<u8>>,
    asked: Vec<B256>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no header {0}")]
struct Missing(B256);

impl StateOracle for Headers {
    type Error = Missing;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        Err(Missing(hash))
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        Err(Missing(hash))
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, Missing> {
        self.asked.push(hash);
        self.values.get(&hash).cloned().ok_or(Missing(hash))
    }

    fn precompile(&mut self, _: Address, _: u64, _: &[u8]) -> Result<Option<Vec<u8>>, Missing> {
        Ok(None)
    }
}

/// The headers up to [`PARENT`], oldest first, each with the hash of the one before it, and what
/// the last one is. `renumber` may give a header a number that is not its own.
fn chain(length: u64, renumber: impl Fn(u64) -> u64) -> (Headers, Vec<B256>, Sealed<Header>) {
    let mut headers = Headers::default();
    let mut hashes = Vec::new();
    let mut header = Header::default();
    for number in PARENT + 1 - length..=PARENT {
        let parent_hash = hashes.last().copied().unwrap_or_default();
        header = Header { number: renumber(number), parent_hash, ..Header::default() };
        let bytes = alloy_rlp::encode(&header);
        let hash = keccak256(&bytes);
        headers.values.insert(hash, bytes);
        hashes.push(hash);
    }
    (headers, hashes, header.seal_slow())
}

/// The hash of the block `back` before the parent.
fn block_hash(
    parent: &Sealed<Header>,
    headers: &mut Headers,
    back: u64,
) -> Result<B256, StateError<Missing>> {
    let mut state = State::new(parent.state_root);
    StateView::new(parent, &mut state, headers).block_hash(PARENT - back)
}

#[test]
fn a_block_hash_is_that_of_the_header_so_far_back() {
    let check = |back: u64, expected_asked: usize| {
        let (mut headers, hashes, parent) = chain(257, |number| number);
        let expected = hashes[hashes.len() - 1 - back as usize];
        let hash = block_hash(&parent, &mut headers, back);
        assert_eq!(hash.unwrap(), expected, "{back} before the parent");
        let asked: Vec<B256> = hashes.iter().rev().skip(1).copied().take(expected_asked).collect();
        assert_eq!(headers.asked, asked, "{back} before the parent");
    };
    // The parent's header, which is there from the start, has two hashes.
    check(0, 0);
    check(1, 0);
    check(2, 1);
    check(3, 2);
    check(100, 99);
    // The oldest block that a contract can ask for.
    check(255, 254);
}

#[test]
fn headers_are_asked_for_once_a_block() {
    let (mut headers, hashes, parent) = chain(20, |number| number);
    let mut state = State::new(parent.state_root);
    let mut view = StateView::new(&parent, &mut state, &mut headers);
    for back in [9, 5, 9, 10] {
        let expected = hashes[hashes.len() - 1 - back];
        assert_eq!(view.block_hash(PARENT - back as u64).unwrap(), expected);
    }
    assert_eq!(headers.asked.len(), 9);
}

#[test]
fn a_missing_header_is_named_by_its_hash() {
    let (mut headers, hashes, parent) = chain(20, |number| number);
    let absent = hashes[hashes.len() - 1 - 5];
    headers.values.remove(&absent);
    // The hash itself stands in the child's header.
    assert_eq!(block_hash(&parent, &mut headers, 5).unwrap(), absent);
    let error = block_hash(&parent, &mut headers, 6).unwrap_err();
    assert!(matches!(error, StateError::Oracle(Missing(hash)) if hash == absent), "{error}");
}

#[test]
fn a_header_in_the_wrong_place_is_refused() {
    let wrong = PARENT - 5;
    let (mut headers, hashes, parent) =
        chain(20, |number| if number == wrong { number + 1 } else { number });
    let at = hashes[hashes.len() - 1 - 5];
    let error = block_hash(&parent, &mut headers, 6).unwrap_err();
    assert!(
        matches!(error, StateError::HeaderNumber { hash, number, expected }
            if hash == at && number == wrong + 1 && expected == wrong),
        "{error}"
    );
}

#[test]
fn a_header_that_is_none_is_refused() {
    let (mut headers, hashes, parent) = chain(20, |number| number);
    let at = hashes[hashes.len() - 1 - 5];
    headers.values.get_mut(&at).unwrap().push(0);
    let error = block_hash(&parent, &mut headers, 6).unwrap_err();
    assert!(matches!(error, StateError::Header { hash, .. } if hash == at), "{error}");
}
