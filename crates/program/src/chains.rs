//! Both chains as the program sees them: through the oracle, from their heads backwards.
//!
//! Headers are found by walking from a head to the parent's hash; what was fetched once is kept, and
//! blocks that the program builds itself join the L2 chain in memory.
//!
//! Invariant: every answer hangs on the two hashes the program starts from, the L1 head and the
//! block of the agreed output.

use crate::{
    list::{self, ListError},
    oracle,
};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::Decodable;
use rebut_derivation::{L1Source, L2Block, L2Source};
use rebut_execution::StateOracle;
use rebut_preimage::{BLOB_ELEMENTS, Hint, OracleError, PreimageKey, PreimageOracle, blob_points};

/// Why data of a chain could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The oracle lacks something; its error names the key.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// The bytes are no block header.
    #[error("block header {hash} is malformed: {source}")]
    Header {
        /// Its hash.
        hash: B256,
        /// What the decoder says.
        source: alloy_rlp::Error,
    },
    /// The chain of parents does not count down by one.
    #[error("block header {hash} has number {number}, its place in the chain is {expected}")]
    HeaderNumber {
        /// Its hash.
        hash: B256,
        /// Its number.
        number: u64,
        /// One below its child's.
        expected: u64,
    },
    /// The transactions or receipts of a block are no list.
    #[error(transparent)]
    List(Box<ListError<OracleError>>),
    /// A preimage of another length than its type has.
    #[error("the preimage of the {kind} key {key} has {length_bytes} bytes, not {expected_bytes}", kind = .key.key_type())]
    Length {
        /// The key.
        key: PreimageKey,
        /// Of the value.
        length_bytes: usize,
        /// Of its type.
        expected_bytes: usize,
    },
}

impl From<ListError<OracleError>> for SourceError {
    fn from(error: ListError<OracleError>) -> Self {
        match error {
            ListError::Source(error) => Self::Oracle(error),
            error => Self::List(Box::new(error)),
        }
    }
}

/// Headers from a head downwards, without a gap.
#[derive(Debug)]
struct Headers {
    /// The name of the hint that makes a host fetch one.
    hint: &'static str,
    /// In the order of the chain. Never empty.
    known: VecDeque<Sealed<Header>>,
}

impl Headers {
    fn new<O: PreimageOracle>(
        hint: &'static str,
        head: B256,
        oracle: &mut O,
    ) -> Result<Self, SourceError> {
        let known = VecDeque::from([fetch_header(hint, head, oracle)?]);
        Ok(Self { hint, known })
    }

    fn get<O: PreimageOracle>(
        &mut self,
        number: u64,
        oracle: &mut O,
    ) -> Result<Option<Sealed<Header>>, SourceError> {
        while let Some(lowest) = self.known.front()
            && number < lowest.number
        {
            let (hash, expected) = (lowest.parent_hash, lowest.number - 1);
            let header = fetch_header(self.hint, hash, oracle)?;
            if header.number != expected {
                return Err(SourceError::HeaderNumber { hash, number: header.number, expected });
            }
            self.known.push_front(header);
        }
        let lowest = self.known.front().map_or(0, |header| header.number);
        let index = usize::try_from(number - lowest).ok();
        Ok(index.and_then(|index| self.known.get(index)).cloned())
    }
}

fn fetch_header<O: PreimageOracle>(
    hint: &str,
    hash: B256,
    oracle: &mut O,
) -> Result<Sealed<Header>, SourceError> {
    let bytes = oracle::hinted(oracle, hint, hash)?;
    let mut rest = bytes.as_slice();
    let header = Header::decode(&mut rest);
    let wrong = |source| SourceError::Header { hash, source };
    let header = header.map_err(wrong)?;
    if !rest.is_empty() {
        return Err(wrong(alloy_rlp::Error::UnexpectedLength));
    }
    // The oracle's values have the hash they were asked for by.
    Ok(Sealed::new_unchecked(header, hash))
}

/// L1 up to its head and the L2 chain up to the safe head.
#[derive(Debug)]
pub(crate) struct Chains<'a, O> {
    oracle: &'a mut O,
    l1: Headers,
    l2: Headers,
    /// Number of the L2 chain's first block.
    l2_genesis: u64,
    /// Transactions of L2 blocks that were fetched or built.
    transactions: BTreeMap<u64, Vec<Bytes>>,
    /// The points of blob elements, once they are needed.
    points: Vec<[u8; 32]>,
}

impl<'a, O: PreimageOracle> Chains<'a, O> {
    /// The chains that end in these blocks.
    pub(crate) fn new(
        oracle: &'a mut O,
        l1_head: B256,
        l2_head: B256,
        l2_genesis: u64,
    ) -> Result<Self, SourceError> {
        let l1 = Headers::new("l1-block-header", l1_head, oracle)?;
        let l2 = Headers::new("l2-block-header", l2_head, oracle)?;
        let (transactions, points) = (BTreeMap::new(), Vec::new());
        Ok(Self { oracle, l1, l2, l2_genesis, transactions, points })
    }

    /// The safe head's number.
    pub(crate) fn l2_head_number(&self) -> u64 {
        self.l2.known.back().map_or(self.l2_genesis, |header| header.number)
    }

    /// Makes a block that was built on the safe head the safe head.
    pub(crate) fn extend(&mut self, block: L2Block) {
        self.transactions.insert(block.header.number, block.transactions);
        self.l2.known.push_back(block.header);
    }

    /// Makes block `number` the safe head again.
    pub(crate) fn truncate(&mut self, number: u64) {
        while self.l2.known.len() > 1 && self.l2_head_number() > number {
            if let Some(header) = self.l2.known.pop_back() {
                self.transactions.remove(&header.number);
            }
        }
    }

    fn list(&mut self, root: B256) -> Result<Vec<Bytes>, SourceError> {
        Ok(list::read(root, |hash| self.oracle.get(PreimageKey::keccak256(hash)))?)
    }

    fn hinted_list(
        &mut self,
        hint: &str,
        block: B256,
        root: B256,
    ) -> Result<Vec<Bytes>, SourceError> {
        self.oracle.hint(&Hint::encode(hint, block.as_slice()))?;
        self.list(root)
    }

    fn sized<const N: usize>(&mut self, key: PreimageKey) -> Result<[u8; N], SourceError> {
        let value = self.oracle.get(key)?;
        let length_bytes = value.len();
        <[u8; N]>::try_from(value).map_err(|_| SourceError::Length {
            key,
            length_bytes,
            expected_bytes: N,
        })
    }
}

impl<O: PreimageOracle> L1Source for Chains<'_, O> {
    type Error = SourceError;

    fn header(&mut self, number: u64) -> Result<Option<Sealed<Header>>, SourceError> {
        self.l1.get(number, self.oracle)
    }

    fn transactions(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, SourceError> {
        self.hinted_list("l1-transactions", block.hash(), block.transactions_root)
    }

    fn receipts(&mut self, block: &Sealed<Header>) -> Result<Vec<Bytes>, SourceError> {
        self.hinted_list("l1-receipts", block.hash(), block.receipts_root)
    }

    fn blob(
        &mut self,
        block: &Sealed<Header>,
        versioned_hash: B256,
    ) -> Result<Box<[u8; 131_072]>, SourceError> {
        let payload = [versioned_hash.as_slice(), &block.timestamp.to_be_bytes()].concat();
        self.oracle.hint(&Hint::encode("l1-blob", &payload))?;
        let commitment: [u8; 48] = self.sized(PreimageKey::sha256(versioned_hash.0))?;
        if self.points.is_empty() {
            self.points = blob_points();
        }
        let mut blob: Box<[u8; BLOB_ELEMENTS * 32]> = zeroed();
        for (index, element) in blob.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            *element = self.sized(PreimageKey::blob(&commitment, &self.points[index]))?;
        }
        Ok(blob)
    }

    fn ecrecover(&mut self, input: &[u8; 128]) -> Result<Option<Address>, SourceError> {
        /// The precompile's address and price.
        const ECRECOVER: (Address, u64) = (Address::with_last_byte(1), 3000);
        let (address, gas) = ECRECOVER;
        let output = oracle::precompile(self.oracle, address, gas, input)?;
        // Nobody: no output. Otherwise a word with the address.
        let word = output.and_then(|output| <[u8; 32]>::try_from(output).ok());
        Ok(word.map(|word| Address::from_word(word.into())))
    }
}

/// A blob on the heap, without a copy on the stack.
fn zeroed() -> Box<[u8; BLOB_ELEMENTS * 32]> {
    match Box::try_from(alloc::vec![0; BLOB_ELEMENTS * 32].into_boxed_slice()) {
        Ok(blob) => blob,
        Err(_) => Box::new([0; BLOB_ELEMENTS * 32]),
    }
}

impl<O: PreimageOracle> L2Source for Chains<'_, O> {
    type Error = SourceError;

    fn block(&mut self, number: u64) -> Result<Option<L2Block>, SourceError> {
        if number < self.l2_genesis {
            return Ok(None);
        }
        let Some(header) = self.l2.get(number, self.oracle)? else { return Ok(None) };
        let transactions = match self.transactions.get(&number) {
            Some(transactions) => transactions.clone(),
            None => {
                let root = header.transactions_root;
                let list = self.hinted_list("l2-transactions", header.hash(), root)?;
                self.transactions.insert(number, list.clone());
                list
            }
        };
        Ok(Some(L2Block { header, transactions }))
    }
}

impl<O: PreimageOracle> StateOracle for Chains<'_, O> {
    type Error = OracleError;

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        oracle::hinted(self.oracle, "l2-state-node", hash)
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        oracle::hinted(self.oracle, "l2-code", hash)
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, OracleError> {
        match self.l2.known.iter().rev().find(|header| header.hash() == hash) {
            Some(header) => Ok(alloy_rlp::encode(header.inner())),
            None => oracle::hinted(self.oracle, "l2-block-header", hash),
        }
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, OracleError> {
        oracle::precompile(self.oracle, address, gas, input)
    }
}
