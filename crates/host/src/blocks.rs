//! Blocks of one chain: from the store, else from a node, verified and stored.

use crate::{
    chain::{self, ChainKind, EMPTY_LIST, Header, ListTrie},
    online::{HostError, put_hashed},
    source::{Attempt, Failure, Failures, Fault, Patience, Pool, RpcNode},
    store::AnyStore,
};
use alloy_primitives::{B256, Bytes};
use rebut_preimage::{PreimageKey, PreimageStore};
use std::{collections::HashMap, fmt};

/// The nodes of a chain, and what is known of its blocks.
#[derive(Debug)]
pub(crate) struct Blocks {
    kind: ChainKind,
    pool: Pool<RpcNode>,
    /// Heights of blocks that a header names as its parent: where to look whether a block that no
    /// node has was reorganised away.
    heights: HashMap<B256, u64>,
}

/// A verified header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) hash: B256,
    pub(crate) header: Header,
}

impl Blocks {
    pub(crate) fn new(kind: ChainKind, pool: Pool<RpcNode>) -> Self {
        Self { kind, pool, heights: HashMap::new() }
    }

    pub(crate) const fn pool(&self) -> &Pool<RpcNode> {
        &self.pool
    }

    /// The nodes, of which there must be one to get `wanted`.
    pub(crate) fn require(&self, wanted: &'static str) -> Result<&Pool<RpcNode>, HostError> {
        if !self.pool.is_empty() {
            return Ok(&self.pool);
        }
        let (kind, option) = match self.kind {
            ChainKind::L1 => ("L1 node", "--l1-node-address"),
            ChainKind::L2 => ("L2 node", "--l2-node-address"),
        };
        Err(HostError::NoNode { wanted, kind, option })
    }

    /// The header with this hash.
    pub(crate) fn header(
        &mut self,
        hash: B256,
        patience: Patience,
        store: &mut AnyStore,
    ) -> Result<Found, HostError> {
        let stored = store.get(PreimageKey::keccak256(hash))?;
        let header = match stored.as_deref().and_then(Header::decode) {
            Some(header) => header,
            None => {
                let wanted = format!("the header of {}", self.name(hash));
                let height = self.heights.get(&hash).copied();
                let (raw, header) = self.require("a header")?.fetch(wanted, patience, |node| {
                    let found = chain::header(node, hash);
                    found.map_err(|failures| explain_absence(node, failures, hash, height))
                })?;
                put_hashed(store, &[raw])?;
                header
            }
        };
        self.heights.insert(header.parent_hash, header.number.saturating_sub(1));
        Ok(Found { hash, header })
    }

    /// The header at this height, as far as one can trust a node that says so: it is stored by its
    /// own hash, so nothing wrong is.
    pub(crate) fn header_at(
        &mut self,
        number: u64,
        store: &mut AnyStore,
    ) -> Result<Found, HostError> {
        let wanted = format!("the header of {:?} block {number}", self.kind);
        let pool = self.require("a header")?;
        let (hash, raw, header) =
            pool.fetch(wanted, Patience::Once, |node| crate::l2::header_at(node, number))?;
        put_hashed(store, &[raw])?;
        Ok(Found { hash, header })
    }

    /// Stores the trie of a block's transactions.
    pub(crate) fn transactions(
        &mut self,
        hash: B256,
        store: &mut AnyStore,
    ) -> Result<(), HostError> {
        let Found { header, .. } = self.header(hash, Patience::Rounds, store)?;
        let kind = self.kind;
        let wanted = format!("the transactions of {}", self.name(hash));
        self.list("transactions", wanted, hash, header, store, |node| {
            chain::transactions(node, kind, hash, &header)
        })
    }

    /// The transactions of a block, in order; their trie is stored as well.
    pub(crate) fn transaction_list(
        &mut self,
        hash: B256,
        store: &mut AnyStore,
    ) -> Result<Vec<Bytes>, HostError> {
        let Found { header, .. } = self.header(hash, Patience::Once, store)?;
        let kind = self.kind;
        let wanted = format!("the transactions of {}", self.name(hash));
        let trie = self
            .require("transactions")?
            .fetch(wanted, Patience::Once, |node| chain::transactions(node, kind, hash, &header))?;
        put_hashed(store, &trie.nodes)?;
        Ok(trie.items)
    }

    /// Stores the trie of a block's receipts.
    pub(crate) fn receipts(&mut self, hash: B256, store: &mut AnyStore) -> Result<(), HostError> {
        let Found { header, .. } = self.header(hash, Patience::Rounds, store)?;
        let wanted = format!("the receipts of {}", self.name(hash));
        self.list("receipts", wanted, hash, header, store, |node| {
            chain::receipts(node, hash, &header)
        })
    }

    fn list(
        &self,
        what: &'static str,
        wanted: String,
        hash: B256,
        header: Header,
        store: &mut AnyStore,
        ask: impl Fn(&RpcNode) -> Result<ListTrie, Failures>,
    ) -> Result<(), HostError> {
        let root = if what == "receipts" { header.receipts_root } else { header.transactions_root };
        if root == ListTrie::new(&[]).root {
            return put_hashed(store, &[Bytes::from_static(EMPTY_LIST)]);
        }
        let trie = self.require(what)?.fetch(wanted, Patience::Rounds, |node| {
            ask(node).map_err(|failures| explain_absence(node, failures, hash, Some(header.number)))
        })?;
        put_hashed(store, &trie.nodes)
    }

    /// That a node has another block in place of the one with this hash, whose header is stored.
    pub(crate) fn reorged(&self, hash: B256, store: &AnyStore) -> Option<Attempt> {
        let raw = store.get(PreimageKey::keccak256(hash)).ok()??;
        let number = Header::decode(&raw)?.number;
        let wanted = format!("the hash of {:?} block {number}", self.kind);
        let (url, canonical) = self
            .pool
            .fetch(wanted, Patience::Once, |node| {
                Ok((node.url().clone(), chain::block_hash_at(node, number)?))
            })
            .ok()?;
        let fault = Fault::Reorged { number, canonical };
        let failure = Failure { method: "eth_getBlockByNumber", fault };
        (canonical != hash).then_some(Attempt { url, failure })
    }

    fn name(&self, hash: B256) -> impl fmt::Display {
        format!("{:?} block {hash}", self.kind)
    }
}

/// A block that is missing where another one stands was reorganised away: waiting does not help.
fn explain_absence(
    node: &RpcNode,
    mut failures: Failures,
    hash: B256,
    height: Option<u64>,
) -> Failures {
    let is_absent = |failure: &Failure| matches!(failure.fault, Fault::Absent);
    let Some(number) = height.filter(|_| failures.0.iter().any(is_absent)) else {
        return failures;
    };
    if let Ok(canonical) = chain::block_hash_at(node, number)
        && canonical != hash
    {
        failures.0.retain(|failure| !is_absent(failure));
        let fault = Fault::Reorged { number, canonical };
        failures.0.push(Failure { method: "eth_getBlockByNumber", fault });
    }
    failures
}
