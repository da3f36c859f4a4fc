//! Both chains as the preimages that the fault proof program asks for, in this process.
//!
//! What a host fetches from nodes is here computed from the chains themselves: headers, code and state
//! are looked up, tries of lists are built when a hint names them, precompiles are run. So the program
//! derives and executes exactly as it does in a dispute, without a server between.

use super::Chain;
use crate::l1;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes};
use rebut_host::{ListTrie, PayloadForm, blob_preimages, precompile_preimages};
use rebut_preimage::{Hint, KeyType, OracleError, PreimageKey, PreimageOracle};
use rebut_program::{Boot, Output};
use std::collections::HashMap;

/// Preimages that took some work, for the next run.
#[derive(Clone, Debug, Default)]
pub struct Cache(HashMap<PreimageKey, Vec<u8>>);

/// The most preimages that are kept from one run to the next: those of some dozen blobs.
const CACHE_LIMIT: usize = 1 << 18;

/// The preimages of one claim.
#[derive(Debug)]
pub struct Oracle<'a> {
    boot: Boot,
    agreed: Output,
    l1: &'a l1::Record,
    l2: &'a Chain,
    cache: &'a mut Cache,
    /// What the last hint named.
    named: Option<B256>,
}

impl<'a> Oracle<'a> {
    /// The preimages of a claim whose agreed output root is that of `agreed`.
    pub fn new(
        boot: Boot,
        agreed: Output,
        l1: &'a l1::Record,
        l2: &'a Chain,
        cache: &'a mut Cache,
    ) -> Self {
        if cache.0.len() > CACHE_LIMIT {
            cache.0.clear();
        }
        Self { boot, agreed, l1, l2, cache, named: None }
    }

    /// Keeps the nodes of the trie of a list.
    fn list(&mut self, items: &[Bytes]) {
        for node in ListTrie::new(items).nodes {
            let key = PreimageKey::keccak256(alloy_primitives::keccak256(&node));
            self.cache.0.insert(key, node.into());
        }
    }

    fn blob(&mut self, versioned_hash: B256) {
        if self.cache.0.contains_key(&PreimageKey::sha256(versioned_hash.0)) {
            return;
        }
        let Some((commitment, blob)) = find_blob(self.l1, versioned_hash) else { return };
        for (key, value) in blob_preimages(&commitment, &blob) {
            if key.key_type() != KeyType::Keccak256 {
                self.cache.0.insert(key, value);
            }
        }
    }

    fn precompile(&mut self, payload: &[u8]) -> Result<(), OracleError> {
        let inputs = PreimageKey::keccak256(alloy_primitives::keccak256(payload));
        if !self.cache.0.contains_key(&inputs.result_key()) {
            let form = PayloadForm::WithGas;
            let [(key, value), _] = precompile_preimages("l1-precompile", payload, form)?;
            self.cache.0.insert(key, value);
        }
        Ok(())
    }

    fn find(&self, key: PreimageKey) -> Option<Vec<u8>> {
        if let Some(value) = self.cache.0.get(&key) {
            return Some(value.clone());
        }
        // A key lacks the first byte of its hash, which the hint named in full.
        let hash = self.named.filter(|hash| PreimageKey::keccak256(*hash) == key)?;
        if hash == self.boot.agreed_output {
            return Some(self.agreed.encode().to_vec());
        }
        let stored = self.l2.store().get(hash).or_else(|| self.l1.store().get(hash));
        stored.map(Into::into)
    }
}

/// A blob of the canonical chain and the commitment that came with it.
pub(super) fn find_blob(l1: &l1::Record, versioned_hash: B256) -> Option<([u8; 48], Vec<u8>)> {
    let ledger = l1.ledger();
    let mut number = ledger.latest().number();
    loop {
        let hash = ledger.block(number)?.hash();
        for pooled in l1.blob_transactions(hash) {
            if let Some(found) = pooled.blob(versioned_hash) {
                return Some(found);
            }
        }
        number = number.checked_sub(1)?;
    }
}

impl PreimageOracle for Oracle<'_> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let value = match key.local_identifier() {
            Some(identifier) => {
                let mut values = self.boot.local_values().into_iter();
                values.find(|(known, _)| *known == identifier).map(|(_, value)| value)
            }
            None => self.find(key),
        };
        value.ok_or(OracleError::Missing { key })
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        let Hint { name, payload } = Hint::parse(hint)?;
        self.named = payload.first_chunk::<32>().map(|hash| B256::new(*hash));
        let (l1, l2) = (self.l1, self.l2);
        match (name.as_str(), self.named) {
            ("l1-transactions", Some(hash)) => {
                if let Some(block) = l1.ledger().by_hash(hash) {
                    let raw = block.transactions.iter().map(|tx| tx.encoded_2718().into());
                    self.list(&raw.collect::<Vec<_>>());
                }
            }
            ("l1-receipts", Some(hash)) => {
                if let Some(block) = l1.ledger().by_hash(hash) {
                    self.list(&block.encoded_receipts());
                }
            }
            ("l2-transactions", Some(hash)) => {
                if let Some(block) = l2.ledger().by_hash(hash) {
                    self.list(&super::chain::raw(block));
                }
            }
            ("l1-blob", Some(hash)) => self.blob(hash),
            ("l1-precompile", _) => self.precompile(&payload)?,
            _ => {}
        }
        Ok(())
    }
}
