//! The host that fetches: hints are remembered, and followed when a preimage is missing.
//!
//! ```text
//!   get(key) ─► store ─► there: checked, given out
//!                  │
//!                  └► missing ─► the last payload witness, then the last proof hint   (once, bulk)
//!                                the last other hint                                  (granular)
//!                                  └► nodes ─► verified ─► store ─► given out
//! ```
//!
//! Invariant: only verified data enters the store, and what a store already held is verified as far as
//! mathematics goes before it leaves: hashes by hashing, blob elements by the commitment to the whole
//! blob, precompile results by running the call again. A wrong value is an error, never an answer.

use crate::{
    PayloadForm,
    beacon::BeaconNode,
    blob,
    blocks::{Blocks, Found},
    chain::{ChainKind, L1_METHODS},
    l2::{self, L2_METHODS},
    routes::{BlockName, Request, Routed, precompile_preimages},
    source::{NodeUrl, Policy, Pool, RpcNode, SourceError},
    store::AnyStore,
};
use alloy_primitives::{Address, B256, Bytes, hex, keccak256};
use rebut_preimage::{
    HintError, KeyType, OracleError, PreimageKey, PreimageOracle, PreimageStore, StoreError,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the program is told before it asks for anything: the local keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// Key 1: the L1 block up to which data counts.
    pub l1_head: B256,
    /// Key 2: the output root both sides agree on.
    pub agreed_output_root: B256,
    /// Key 3: the output root in dispute.
    pub claimed_output_root: B256,
    /// Key 4: the L2 block the claim is about.
    pub claimed_block_number: u64,
    /// Key 5: the L2 chain.
    pub l2_chain_id: u64,
    /// Key 6, off-chain only: the rollup configuration as JSON text.
    pub rollup_config: Option<Vec<u8>>,
    /// Key 7, off-chain only: the L1 chain configuration as JSON text.
    pub l1_config: Option<Vec<u8>>,
}

impl Boot {
    /// The value of a local key.
    pub fn local(&self, identifier: u64) -> Option<Vec<u8>> {
        match identifier {
            1 => Some(self.l1_head.to_vec()),
            2 => Some(self.agreed_output_root.to_vec()),
            3 => Some(self.claimed_output_root.to_vec()),
            4 => Some(self.claimed_block_number.to_be_bytes().to_vec()),
            5 => Some(self.l2_chain_id.to_be_bytes().to_vec()),
            6 => self.rollup_config.clone(),
            7 => self.l1_config.clone(),
            _ => None,
        }
    }
}

/// What a host serves and from where.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The local keys.
    pub boot: Boot,
    /// The L2 block that the agreed output root belongs to.
    pub agreed_l2_head: B256,
    /// Execution nodes of L1. With no node of any kind the host works offline.
    pub l1: Vec<NodeUrl>,
    /// Beacon nodes of L1.
    pub l1_beacon: Vec<NodeUrl>,
    /// Execution nodes of L2.
    pub l2: Vec<NodeUrl>,
    /// The chain the L1 nodes must serve, where it is known.
    pub l1_chain_id: Option<u64>,
    /// How the hint `l1-precompile` is read.
    pub payload_form: PayloadForm,
    /// How patiently nodes are asked.
    pub policy: Policy,
}

/// Why a host has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// No node gave it.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no node to ask.
    #[error("{wanted} is needed, and no {kind} is configured; name one with {option}")]
    NoNode {
        /// What was asked for.
        wanted: &'static str,
        /// What kind of node has it.
        kind: &'static str,
        /// The option that names such nodes.
        option: &'static str,
    },
    /// The program asked for a key without a hint at it.
    #[error("it is not in the store, and no hint says what it belongs to")]
    Unhinted,
    /// A hint was followed, and what it asked for does not include the key.
    #[error("it does not belong to what the last hint, {hint:?}, asked for")]
    Uncovered {
        /// The hint's name.
        hint: String,
    },
    /// A value from the store that is none of the blob that its key belongs to.
    #[error("the store holds a wrong element of the blob with commitment {commitment}; remove it")]
    WrongElement {
        /// The commitment.
        commitment: String,
    },
    /// A value from the store that is not what the call gives.
    #[error("the store holds a wrong precompile result; remove it")]
    WrongResult,
    /// A precompile hint cannot be followed.
    #[error(transparent)]
    Hint(#[from] HintError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A host that answers a program, natively or behind pipes (see [`rebut_preimage::serve`]).
pub struct Host {
    boot: Boot,
    agreed_l2_head: B256,
    l1: Blocks,
    beacon: Pool<BeaconNode>,
    l2: Blocks,
    store: AnyStore,
    form: PayloadForm,
    hints: Hints,
    /// Commitments whose blob in the store was recomputed.
    blobs: BTreeSet<blob::Commitment>,
    /// Accounts that were proven to have a code, by its hash, and where.
    owners: BTreeMap<B256, (Address, B256)>,
}

/// The last hints. A bulk hint is spent on the first key that is missing after it.
#[derive(Debug, Default)]
struct Hints {
    witness: Option<Request>,
    proof: Option<Request>,
    granular: Option<(String, Request)>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("boot", &self.boot).finish_non_exhaustive()
    }
}

impl Host {
    /// A host over a store. Does not connect.
    pub fn new(config: HostConfig, store: AnyStore) -> Self {
        let HostConfig { boot, agreed_l2_head, policy, .. } = config;
        let nodes = |urls: Vec<NodeUrl>, chain, methods| {
            let node = |url| RpcNode::new(url, chain, methods, &policy);
            Pool::new(urls.into_iter().map(node).collect(), policy.clone())
        };
        let beacon = config.l1_beacon.into_iter().map(|url| BeaconNode::new(url, &policy));
        Self {
            l1: Blocks::new(ChainKind::L1, nodes(config.l1, config.l1_chain_id, L1_METHODS)),
            beacon: Pool::new(beacon.collect(), policy.clone()),
            l2: Blocks::new(ChainKind::L2, nodes(config.l2, Some(boot.l2_chain_id), L2_METHODS)),
            boot,
            agreed_l2_head,
            store,
            form: config.payload_form,
            hints: Hints::default(),
            blobs: BTreeSet::new(),
            owners: BTreeMap::new(),
        }
    }

    /// Whether there is nobody to ask.
    pub fn is_offline(&self) -> bool {
        self.l1.pool().is_empty() && self.l2.pool().is_empty() && self.beacon.is_empty()
    }

    /// Asks all nodes who they are and what they offer; one line each goes to the log.
    ///
    /// # Errors
    /// [`SourceError`] when all nodes of a kind serve another chain.
    pub fn greet(&self) -> Result<(), SourceError> {
        self.l1.pool().greet("L1 node")?;
        self.beacon.greet("L1 beacon node")?;
        self.l2.pool().greet("L2 node")
    }

    /// What is stored by now.
    pub const fn store(&self) -> &AnyStore {
        &self.store
    }

    /// The value of `key` in the store, verified.
    fn stored(&mut self, key: PreimageKey) -> Result<Option<Vec<u8>>, HostError> {
        let Some(value) = self.store.get(key)? else { return Ok(None) };
        match key.key_type() {
            KeyType::Blob => Ok(self.blob_is_verified(key)?.then_some(value)),
            KeyType::Precompile => Ok(self.result_is_verified(key, &value)?.then_some(value)),
            KeyType::Local | KeyType::Keccak256 | KeyType::Sha256 => Ok(Some(value)),
        }
    }

    /// Whether the whole blob of an element is in the store and has the commitment in the key.
    fn blob_is_verified(&mut self, key: PreimageKey) -> Result<bool, HostError> {
        let Some(inputs) = self.store.get(key.inputs_key())? else { return Ok(false) };
        let Some(commitment) = blob::commitment_of_inputs(&inputs) else { return Ok(false) };
        if self.blobs.contains(&commitment) {
            return Ok(true);
        }
        let mut bytes = Vec::with_capacity(blob::BLOB_BYTES);
        for element in blob::element_keys(&commitment) {
            match self.store.get(element)? {
                Some(value) => bytes.extend_from_slice(&value),
                None => return Ok(false),
            }
        }
        if blob::commitment(&bytes) != Some(commitment) {
            let commitment = hex::encode_prefixed(commitment);
            return Err(HostError::WrongElement { commitment });
        }
        self.blobs.insert(commitment);
        Ok(true)
    }

    /// Whether the call is in the store and gives this result.
    fn result_is_verified(&self, key: PreimageKey, value: &[u8]) -> Result<bool, HostError> {
        let Some(payload) = self.store.get(key.inputs_key())? else { return Ok(false) };
        let [(_, result), _] = precompile_preimages("l1-precompile", &payload, self.form)?;
        if result == value { Ok(true) } else { Err(HostError::WrongResult) }
    }

    /// Follows hints until `key` is in the store.
    fn fetch(&mut self, key: PreimageKey) -> Result<Vec<u8>, HostError> {
        for request in [self.hints.witness.take(), self.hints.proof.take()].into_iter().flatten() {
            if let Err(error) = self.follow(&request) {
                // It was an offer. What it would have brought has hints of its own.
                tracing::debug!(module = "host", %error, "a bulk hint was not followed");
            }
            if let Some(value) = self.stored(key)? {
                return Ok(value);
            }
        }
        let (hint, request) = self.hints.granular.clone().ok_or(HostError::Unhinted)?;
        self.follow(&request)?;
        self.stored(key)?.ok_or(HostError::Uncovered { hint })
    }

    /// Gets what a hint asks for, and stores it.
    fn follow(&mut self, request: &Request) -> Result<(), HostError> {
        match request {
            Request::L1Header(hash) => self.l1.header(*hash, &mut self.store).map(drop),
            Request::L1Transactions(hash) => self.l1.transactions(*hash, &mut self.store),
            Request::L1Receipts(hash) => self.l1.receipts(*hash, &mut self.store),
            Request::Blob { hash, timestamp } => self.blob(*hash, *timestamp),
            Request::Precompile { name, payload } => {
                let entries = precompile_preimages(name, payload, self.form)?;
                Ok(self.store.put_all(&entries)?)
            }
            Request::L2Header(hash) => self.l2.header(*hash, &mut self.store).map(drop),
            Request::L2Transactions(hash) => self.l2.transactions(*hash, &mut self.store),
            Request::L2Receipts(hash) => self.l2.receipts(*hash, &mut self.store),
            Request::Code(hash) => self.code(*hash),
            Request::StateNode(hash) => self.state_node(*hash),
            Request::Output(root) => self.output(*root),
            Request::AccountProof { block, address } => self.proof(*block, *address, &[]),
            Request::StorageProof { block, address, slot } => {
                self.proof(*block, *address, &[*slot])
            }
            Request::PayloadWitness { parent, attributes } => {
                self.payload_witness(*parent, attributes)
            }
            // Refused and passed over when they arrive.
            Request::Interop | Request::Advice => Ok(()),
        }
    }

    fn blob(&mut self, hash: B256, timestamp: u64) -> Result<(), HostError> {
        if self.beacon.is_empty() {
            let (kind, option) = ("L1 beacon node", "--l1-beacon-address");
            return Err(HostError::NoNode { wanted: "a blob", kind, option });
        }
        let wanted = format!("{} of L1 time {timestamp}", blob::name(hash));
        let found = self.beacon.fetch(wanted, |node| node.blob(hash, timestamp))?;
        self.store.put_all(&blob::preimages(&found.commitment, &found.blob))?;
        self.blobs.insert(found.commitment);
        Ok(())
    }

    fn state_node(&mut self, hash: B256) -> Result<(), HostError> {
        let pool = self.l2.require("a trie node")?;
        let wanted = format!("the L2 trie node {hash}");
        let node = pool.fetch(wanted, |node| l2::state_node(node, hash))?;
        self.put_hashed(&[node])
    }

    fn code(&mut self, hash: B256) -> Result<(), HostError> {
        let owner = self.owners.get(&hash).copied();
        let pool = self.l2.require("code")?;
        let wanted = format!("the L2 code {hash}");
        let code = pool.fetch(wanted, |node| l2::code(node, hash, owner))?;
        self.put_hashed(&[code])
    }

    fn output(&mut self, root: B256) -> Result<(), HostError> {
        let block = self.agreed_l2_head;
        let Found { header, .. } = self.l2.header(block, &mut self.store)?;
        let wanted = format!("the L2 output {root}");
        let pool = self.l2.require("an output")?;
        let output = pool.fetch(wanted, |node| l2::output(node, root, block, &header))?;
        self.put_hashed(&[output.into()])
    }

    fn proof(
        &mut self,
        block: BlockName,
        address: Address,
        slots: &[B256],
    ) -> Result<(), HostError> {
        let Found { hash, header } = match block {
            BlockName::Hash(hash) => self.l2.header(hash, &mut self.store)?,
            BlockName::Number(number) => self.l2.header_at(number, &mut self.store)?,
        };
        let wanted = format!("a proof of account {address} at L2 block {hash}");
        let pool = self.l2.require("a proof")?;
        let (account, nodes) =
            pool.offer(wanted, |node| Ok(l2::proof(node, hash, &header, address, slots)?))?;
        self.owners.insert(account.code_hash, (address, hash));
        self.put_hashed(&nodes)
    }

    fn payload_witness(
        &mut self,
        parent: B256,
        attributes: &serde_json::Value,
    ) -> Result<(), HostError> {
        let Found { header, .. } = self.l2.header(parent, &mut self.store)?;
        let wanted = format!("a witness of the payload on L2 block {parent}");
        let pool = self.l2.require("a payload witness")?;
        let values = pool
            .offer(wanted, |node| l2::payload_witness(node, parent, header.number, attributes))?;
        self.put_hashed(&values)
    }

    /// Stores values under their own hashes.
    fn put_hashed(&mut self, values: &[Bytes]) -> Result<(), HostError> {
        put_hashed(&mut self.store, values)
    }

    fn answer(&mut self, key: PreimageKey) -> Result<Option<Vec<u8>>, HostError> {
        match self.stored(key)? {
            Some(value) => Ok(Some(value)),
            None if self.is_offline() && !self.precompile_is_hinted() => Ok(None),
            None => self.fetch(key).map(Some),
        }
    }

    /// Precompiles need no node.
    fn precompile_is_hinted(&self) -> bool {
        matches!(self.hints.granular, Some((_, Request::Precompile { .. })))
    }
}

/// Stores values under their own keccak256 keys.
pub(crate) fn put_hashed(store: &mut AnyStore, values: &[Bytes]) -> Result<(), HostError> {
    let entry = |value: &Bytes| (PreimageKey::keccak256(keccak256(value)), value.to_vec());
    let entries: Vec<_> = values.iter().map(entry).collect();
    Ok(store.put_all(&entries)?)
}

impl PreimageOracle for Host {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let missing = OracleError::Missing { key };
        if key.key_type() == KeyType::Local {
            return key.local_identifier().and_then(|id| self.boot.local(id)).ok_or(missing);
        }
        match self.answer(key) {
            Ok(value) => value.ok_or(missing),
            Err(error) => Err(OracleError::Fetch { key, source: Box::new(error) }),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        let (hint, Routed { request, chain_id }) = Routed::parse(hint)?;
        let (name, expected) = (hint.name, self.boot.l2_chain_id);
        if let Some(found) = chain_id.filter(|found| *found != expected) {
            return Err(HintError::Chain { name, expected, found }.into());
        }
        match request {
            Request::Interop => {
                return Err(HintError::Unserved { name, program: "the interop program" }.into());
            }
            Request::Advice => {}
            Request::PayloadWitness { .. } => self.hints.witness = Some(request),
            Request::AccountProof { .. } | Request::StorageProof { .. } => {
                self.hints.proof = Some(request);
            }
            request => self.hints.granular = Some((name, request)),
        }
        Ok(())
    }
}
