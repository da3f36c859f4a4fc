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
//! Invariant: only verified data enters the store, and only what is verified in full leaves it, also
//! where somebody else filled the store. A wrong value is an error, never an answer.

use crate::{
    PayloadForm,
    beacon::BeaconNode,
    blob,
    blocks::{Blocks, Found},
    chain::{ChainKind, L1_METHODS},
    l2::{self, L2_METHODS},
    proven::{self, Owners},
    routes::{BlockName, Request, Routed, precompile_preimages},
    source::{NodeUrl, Patience, Policy, Pool, RpcNode, SourceError},
    store::AnyStore,
    verified::{Evidence, EvidenceError, VerifiedStore},
};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use rebut_execution::ChainParameters;
use rebut_preimage::{
    HintError, KeyType, OracleError, PreimageKey, PreimageOracle, PreimageStore, StoreError,
};
use rebut_program::{Boot, config};

/// Local identifier of the rollup configuration, off-chain only.
const ROLLUP_CONFIG_IDENTIFIER: u64 = 6;
/// Local identifier of the L1 chain's configuration, off-chain only.
const L1_CONFIG_IDENTIFIER: u64 = 7;

/// What the program is told before it asks for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalValues {
    /// Keys 1 to 5, the only ones that a dispute knows.
    pub boot: Boot,
    /// Key 6, off-chain only: the rollup configuration as JSON text.
    pub rollup_config: Option<Vec<u8>>,
    /// Key 7, off-chain only: the L1 chain configuration as JSON text.
    pub l1_config: Option<Vec<u8>>,
}

impl LocalValues {
    /// The value of a local key.
    pub fn get(&self, identifier: u64) -> Option<Vec<u8>> {
        match identifier {
            ROLLUP_CONFIG_IDENTIFIER => self.rollup_config.clone(),
            L1_CONFIG_IDENTIFIER => self.l1_config.clone(),
            _ => {
                let mut values = self.boot.local_values().into_iter();
                values.find(|(known, _)| *known == identifier).map(|(_, value)| value)
            }
        }
    }
}

/// What a host serves and from where.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The local keys.
    pub local: LocalValues,
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
    /// A precompile hint cannot be followed.
    #[error(transparent)]
    Hint(#[from] HintError),
    /// What the store holds is wrong.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A block of the nodes cannot be executed from proofs of what it looks up.
    #[error("L2 block {number}, from proofs: {why}")]
    Unexecuted {
        /// Its number.
        number: u64,
        /// What is missing or wrong.
        why: String,
    },
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A host that answers a program, natively or behind pipes (see [`rebut_preimage::serve`]).
pub struct Host {
    local: LocalValues,
    agreed_l2_head: B256,
    l1: Blocks,
    beacon: Pool<BeaconNode>,
    l2: Blocks,
    store: VerifiedStore,
    form: PayloadForm,
    hints: Hints,
    owners: Owners,
    /// The number of the next block whose execution witness may hold what nodes do not give by hash.
    next_witness: Option<u64>,
    /// The number of the next block that may look it up, when it is executed from proofs.
    next_proven: Option<u64>,
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
        f.debug_struct("Host").field("local", &self.local).finish_non_exhaustive()
    }
}

impl Host {
    /// A host over a store. Does not connect.
    pub fn new(config: HostConfig, store: AnyStore) -> Self {
        let HostConfig { local, agreed_l2_head, policy, .. } = config;
        let l2_chain_id = local.boot.chain_id;
        let nodes = |urls: Vec<NodeUrl>, chain, methods| {
            let node = |url| RpcNode::new(url, chain, methods, &policy);
            Pool::new(urls.into_iter().map(node).collect(), policy.clone())
        };
        let beacon = config.l1_beacon.into_iter().map(|url| BeaconNode::new(url, &policy));
        Self {
            l1: Blocks::new(ChainKind::L1, nodes(config.l1, config.l1_chain_id, L1_METHODS)),
            beacon: Pool::new(beacon.collect(), policy.clone()),
            l2: Blocks::new(ChainKind::L2, nodes(config.l2, Some(l2_chain_id), L2_METHODS)),
            local,
            agreed_l2_head,
            store: VerifiedStore::new(store, config.payload_form),
            form: config.payload_form,
            hints: Hints::default(),
            owners: Owners::new(),
            next_witness: None,
            next_proven: None,
        }
    }

    /// The claim, and what the program is told of the chain.
    pub const fn local(&self) -> &LocalValues {
        &self.local
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
        self.store.inner()
    }

    /// The value of `key` in the store, verified in full.
    fn stored(&mut self, key: PreimageKey) -> Result<Option<Vec<u8>>, HostError> {
        Ok(match self.store.get(key)? {
            Some((value, Evidence::Full)) => Some(value),
            Some((_, Evidence::Shape)) | None => None,
        })
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
            Request::L1Header(hash) => {
                self.l1.header(*hash, Patience::Rounds, self.store.inner_mut()).map(drop)
            }
            Request::L1Transactions(hash) => self.l1.transactions(*hash, self.store.inner_mut()),
            Request::L1Receipts(hash) => self.l1.receipts(*hash, self.store.inner_mut()),
            Request::Blob { hash, timestamp } => self.blob(*hash, *timestamp),
            Request::Precompile { name, payload } => {
                let entries = precompile_preimages(name, payload, self.form)?;
                Ok(self.store.inner_mut().put_all(&entries)?)
            }
            Request::L2Header(hash) => {
                self.l2.header(*hash, Patience::Rounds, self.store.inner_mut()).map(drop)
            }
            Request::L2Transactions(hash) => self.l2.transactions(*hash, self.store.inner_mut()),
            Request::L2Receipts(hash) => self.l2.receipts(*hash, self.store.inner_mut()),
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
        let found = self.beacon.fetch(wanted, Patience::Rounds, |node| node.blob(hash, timestamp));
        let found = found.map_err(|mut error| {
            // Nodes have blocks that are not canonical any more, but no blobs of them.
            let reorged = (!self.l1.pool().is_empty())
                .then(|| self.l1.reorged(self.local.boot.l1_head, self.store.inner()));
            error.attempts.extend(reorged.flatten());
            error
        })?;
        self.store.inner_mut().put_all(&blob::preimages(&found.commitment, &found.blob))?;
        Ok(())
    }

    fn state_node(&mut self, hash: B256) -> Result<(), HostError> {
        let pool = self.l2.require("a trie node")?;
        let wanted = format!("the L2 trie node {hash}");
        match pool.fetch(wanted, Patience::Rounds, |node| l2::state_node(node, hash)) {
            Ok(node) => self.put_hashed(&[node]),
            Err(error) => self.by_block(hash, error),
        }
    }

    /// Looks for what no node gives by its hash among what the blocks after the agreed one touch, as far as
    /// nodes tell: the blocks that are derived are those that nodes have, unless there is something wrong.
    /// Fails with `error` if it is not there, and with what else was tried.
    fn by_block(&mut self, hash: B256, mut error: SourceError) -> Result<(), HostError> {
        let block = self.agreed_l2_head;
        let found = self.l2.header(block, Patience::Once, self.store.inner_mut());
        // What is missing is what was asked for, not where else it could have been.
        let Ok(Found { header, .. }) = found else { return Err(error.into()) };
        let first = header.number.saturating_add(1);
        let witness = self.by_witness(hash, first);
        match witness {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(HostError::Source(witness)) => error.attempts.extend(witness.attempts),
            Err(other) => return Err(other),
        }
        match self.by_proofs(hash, first) {
            Ok(true) => Ok(()),
            Ok(false) => Err(error.into()),
            Err(HostError::Source(proofs)) => {
                error.attempts.extend(proofs.attempts);
                Err(error.into())
            }
            // The nodes' block is not what it should be, or something that is no node's fault.
            Err(other) => {
                tracing::debug!(module = "host", error = %other, "no block from proofs");
                Err(error.into())
            }
        }
    }

    /// Whether it is in the execution witnesses of the blocks from `first` on.
    fn by_witness(&mut self, hash: B256, first: u64) -> Result<bool, HostError> {
        let mut number = self.next_witness.unwrap_or(first);
        while number <= self.local.boot.claimed_number {
            let wanted = format!("a witness of L2 block {number}");
            let pool = self.l2.require("an execution witness")?;
            let values = pool
                .fetch(wanted, Patience::Once, |node| Ok(l2::execution_witness(node, number)?))?;
            self.put_hashed(&values)?;
            number += 1;
            self.next_witness = Some(number);
            if self.stored(PreimageKey::keccak256(hash))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether it is in the proofs of what the blocks from `first` on look up.
    fn by_proofs(&mut self, hash: B256, first: u64) -> Result<bool, HostError> {
        let Some(chain) = self.chain() else { return Ok(false) };
        let mut number = self.next_proven.unwrap_or(first);
        while number <= self.local.boot.claimed_number {
            let Self { l2, store, owners, .. } = self;
            proven::prove_block(l2, store.inner_mut(), owners, &chain, number)?;
            number += 1;
            self.next_proven = Some(number);
            if self.stored(PreimageKey::keccak256(hash))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The rules of the L2 chain, where they are known here.
    fn chain(&self) -> Option<ChainParameters> {
        let LocalValues { boot, rollup_config, l1_config } = &self.local;
        let config = match rollup_config {
            Some(text) => config::json::read(text, l1_config.as_deref()).ok()?,
            None => config::find(&[], boot.chain_id).ok()?,
        };
        Some(config.chain)
    }

    fn code(&mut self, hash: B256) -> Result<(), HostError> {
        let owner = self.owners.get(&hash).copied();
        let pool = self.l2.require("code")?;
        let wanted = format!("the L2 code {hash}");
        match pool.fetch(wanted, Patience::Rounds, |node| l2::code(node, hash, owner)) {
            Ok(code) => self.put_hashed(&[code]),
            Err(error) => self.by_block(hash, error),
        }
    }

    fn output(&mut self, root: B256) -> Result<(), HostError> {
        let block = self.agreed_l2_head;
        let Found { header, .. } =
            self.l2.header(block, Patience::Rounds, self.store.inner_mut())?;
        let wanted = format!("the L2 output {root}");
        let pool = self.l2.require("an output")?;
        let output =
            pool.fetch(wanted, Patience::Rounds, |node| l2::output(node, root, block, &header))?;
        self.put_hashed(&[output.into()])
    }

    fn proof(
        &mut self,
        block: BlockName,
        address: Address,
        slots: &[B256],
    ) -> Result<(), HostError> {
        let found = match block {
            BlockName::Hash(hash) => {
                self.l2.header(hash, Patience::Once, self.store.inner_mut())?
            }
            BlockName::Number(number) => self.l2.header_at(number, self.store.inner_mut())?,
        };
        let Self { l2, store, owners, .. } = self;
        proven::prove(l2, store.inner_mut(), owners, &found, address, slots).map(drop)
    }

    fn payload_witness(
        &mut self,
        parent: B256,
        attributes: &serde_json::Value,
    ) -> Result<(), HostError> {
        let Found { header, .. } =
            self.l2.header(parent, Patience::Once, self.store.inner_mut())?;
        let wanted = format!("a witness of the payload on L2 block {parent}");
        let pool = self.l2.require("a payload witness")?;
        let values = pool.fetch(wanted, Patience::Once, |node| {
            l2::payload_witness(node, parent, header.number, attributes)
        })?;
        self.put_hashed(&values)
    }

    /// Stores values under their own hashes.
    fn put_hashed(&mut self, values: &[Bytes]) -> Result<(), HostError> {
        put_hashed(self.store.inner_mut(), values)
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
            return key.local_identifier().and_then(|id| self.local.get(id)).ok_or(missing);
        }
        match self.answer(key) {
            Ok(value) => value.ok_or(missing),
            Err(error) => Err(OracleError::Fetch { key, source: Box::new(error) }),
        }
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        let (hint, Routed { request, chain_id }) = Routed::parse(hint)?;
        let (name, expected) = (hint.name, self.local.boot.chain_id);
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
