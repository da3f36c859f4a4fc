//! State out of proofs: for nodes that give no trie node by its hash, and no witness of a block.
//!
//! ```text
//!   a missing node ─► the block that needs it is executed here, from its parent's state
//!                       │ account or slot is looked up ─► its proof at the parent ─► store
//!                       │ a node beside that path      ─► a proof of some key below it
//!                       └ code                         ─► by the account that was proven to have it
//! ```
//!
//! Programs ask for nodes by hash, proofs are had by address and slot; whoever executes the block knows both.
//! Every proof is verified against the parent's state root, and what is stored has its own hash, so a node
//! that tells something wrong about the block leads to no more than proofs that nobody needs.
//!
//! Source: EIP-1186; "Execution engine", the blocks of every fork.

use crate::{
    PrecompileCall,
    blocks::{Blocks, Found},
    chain::ProvenAccount,
    l2::{self, MESSAGE_PASSER},
    online::{HostError, put_hashed},
    source::Patience,
    store::AnyStore,
};
use alloy_consensus::{Header, Sealable};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::{Nibbles, nodes::TrieNode};
use rebut_execution::{
    ChainParameters, Fork, PayloadAttributes, State, StateOracle, execute_block,
};
use rebut_preimage::{PreimageKey, PreimageStore};
use std::collections::BTreeMap;

/// Accounts that were proven to have a code, by its hash, and the block where they have it.
pub(crate) type Owners = BTreeMap<B256, (Address, B256)>;

/// The most keys that are tried to find one below a node.
const TRIES: u64 = 1 << 26;

/// What a block with this header and these transactions was built from.
///
/// The parameters of the base fee are those of the header: where the attributes had zeros, which stand for
/// the chain's constants, these have the constants.
pub fn block_attributes(
    chain: &ChainParameters,
    header: &Header,
    transactions: Vec<Bytes>,
) -> PayloadAttributes {
    let fork = chain.forks.active(header.timestamp);
    // The executor wrote the extra data: a version, 8 bytes, and from Jovian on 8 more.
    let part = |at: usize| {
        let bytes = header.extra_data.get(at..at + 8).and_then(|part| part.try_into().ok());
        bytes.unwrap_or_default()
    };
    PayloadAttributes {
        timestamp: header.timestamp,
        prev_randao: header.mix_hash,
        suggested_fee_recipient: header.beneficiary,
        gas_limit: header.gas_limit,
        parent_beacon_block_root: header.parent_beacon_block_root,
        eip_1559_params: (fork >= Fork::Holocene).then(|| part(1)),
        min_base_fee: (fork >= Fork::Jovian).then(|| u64::from_be_bytes(part(9))),
        transactions,
    }
}

/// The proof of an account and of slots of it at a block: stored, and the account.
pub(crate) fn prove(
    blocks: &Blocks,
    store: &mut AnyStore,
    owners: &mut Owners,
    block: &Found,
    address: Address,
    slots: &[B256],
) -> Result<ProvenAccount, HostError> {
    let Found { hash, header } = block;
    let wanted = format!("a proof of account {address} at L2 block {hash}");
    let pool = blocks.require("a proof")?;
    let (account, nodes) = pool.fetch(wanted, Patience::Once, |node| {
        Ok(l2::proof(node, *hash, header, address, slots)?)
    })?;
    owners.insert(account.code_hash, (address, *hash));
    put_hashed(store, &nodes)?;
    Ok(account)
}

/// Stores what executing the nodes' L2 block `number` looks up.
///
/// # Errors
/// [`HostError`] when the block cannot be had, a proof is refused, or the block cannot be executed.
pub(crate) fn prove_block(
    blocks: &mut Blocks,
    store: &mut AnyStore,
    owners: &mut Owners,
    chain: &ChainParameters,
    number: u64,
) -> Result<(), HostError> {
    let block = blocks.header_at(number, store)?;
    let parent = blocks.header(block.header.parent_hash, Patience::Once, store)?;
    let transactions = blocks.transaction_list(block.hash, store)?;
    let full = |found: &Found, store: &AnyStore| -> Result<Header, HostError> {
        let raw = store.get(PreimageKey::keccak256(found.hash))?.unwrap_or_default();
        let undecodable = |_| HostError::Unexecuted { number, why: "its header".into() };
        alloy_rlp::decode_exact(&raw).map_err(undecodable)
    };
    let attributes = block_attributes(chain, &full(&block, store)?, transactions);
    let parent_header = full(&parent, store)?.seal_slow();
    let mut state = State::new(parent_header.state_root);
    let mut prover = Prover { blocks, store, owners, parent, names: Vec::new(), refusal: None };
    let executed = execute_block(chain, &parent_header, &attributes, &mut state, &mut prover)
        .map(drop)
        .map_err(|error| error.to_string());
    // Programs read the message passer for the output.
    let executed = executed.and_then(|()| {
        let storage = state.storage_root(MESSAGE_PASSER, &mut prover);
        storage.map(drop).map_err(|error| error.to_string())
    });
    match (executed, prover.refusal) {
        (Ok(()), _) => Ok(()),
        (Err(_), Some(refusal)) => Err(refusal),
        (Err(why), None) => Err(HostError::Unexecuted { number, why }),
    }
}

/// Gets proofs of what is looked up.
struct Prover<'a> {
    blocks: &'a mut Blocks,
    store: &'a mut AnyStore,
    owners: &'a mut Owners,
    /// The block on whose state another one is executed.
    parent: Found,
    /// What was looked up: the root of a trie, the key in it, and the account where it is a storage trie.
    names: Vec<(B256, B256, Option<Address>)>,
    /// The first proof that could not be had.
    refusal: Option<HostError>,
}

impl Prover<'_> {
    fn prove(&mut self, address: Address, slot: Option<B256>) {
        let Self { blocks, store, owners, parent, .. } = self;
        match prove(blocks, store, owners, parent, address, slot.as_slice()) {
            Ok(account) => self.names.push(match slot {
                None => (self.parent.header.state_root, keccak256(address), None),
                Some(slot) => (account.storage_root, keccak256(slot), Some(address)),
            }),
            Err(error) => {
                self.refusal.get_or_insert(error);
            }
        }
    }

    fn stored(&self, hash: B256) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.store.get(PreimageKey::keccak256(hash))?)
    }

    /// A node beside the path of something that was looked up: what is left of a branch when the rest of it
    /// is removed. It is in the proof of any key below it.
    fn beside(&mut self, hash: B256) -> Result<(), HostError> {
        let names = self.names.clone();
        for (root, key, account) in names {
            let Some(prefix) = self.prefix(root, key, hash)? else { continue };
            let below = (0..TRIES).map(|number| B256::from(U256::from(number)));
            match account {
                None => {
                    let mut below = below.map(Address::from_word);
                    let found = below.find(|address| starts_with(keccak256(address), &prefix));
                    if let Some(address) = found {
                        self.prove(address, None);
                    }
                }
                Some(account) => {
                    let mut below = below;
                    let found = below.find(|slot| starts_with(keccak256(slot), &prefix));
                    if let Some(slot) = found {
                        self.prove(account, Some(slot));
                    }
                }
            }
            if self.stored(hash)?.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The path to the node `wanted`, if it is a child of a branch on the way from `root` to `key`.
    fn prefix(&self, root: B256, key: B256, wanted: B256) -> Result<Option<Nibbles>, HostError> {
        let key = Nibbles::unpack(key);
        let (mut depth, mut hash) = (0, root);
        while let Some(node) = self.stored(hash)? {
            let next = match alloy_rlp::decode_exact::<TrieNode>(&node) {
                Ok(TrieNode::Branch(branch)) => {
                    let bits = (0..16_u8).filter(|bit| branch.state_mask.is_bit_set(*bit));
                    let mut children = bits.zip(&branch.stack);
                    let mut path = key.slice(..depth);
                    let sought = children.clone().find(|(_, node)| node.as_hash() == Some(wanted));
                    if let Some((bit, _)) = sought {
                        path.push(bit);
                        return Ok(Some(path));
                    }
                    let Some(nibble) = key.get(depth) else { return Ok(None) };
                    depth += 1;
                    children.find(|(bit, _)| *bit == nibble).and_then(|(_, node)| node.as_hash())
                }
                Ok(TrieNode::Extension(extension)) => {
                    depth += extension.key.len();
                    extension.child.as_hash()
                }
                _ => None,
            };
            let Some(next) = next.filter(|_| depth < key.len()) else { return Ok(None) };
            hash = next;
        }
        Ok(None)
    }
}

fn starts_with(hash: B256, prefix: &Nibbles) -> bool {
    Nibbles::unpack(hash).starts_with(prefix)
}

impl StateOracle for Prover<'_> {
    type Error = HostError;

    fn expect_account(&mut self, address: Address) {
        self.prove(address, None);
    }

    fn expect_slot(&mut self, address: Address, slot: B256) {
        self.prove(address, Some(slot));
    }

    fn trie_node(&mut self, hash: B256) -> Result<Vec<u8>, HostError> {
        if self.stored(hash)?.is_none() {
            self.beside(hash)?;
        }
        self.stored(hash)?.ok_or(HostError::Unhinted)
    }

    fn code(&mut self, hash: B256) -> Result<Vec<u8>, HostError> {
        if let Some(code) = self.stored(hash)? {
            return Ok(code);
        }
        let owner = self.owners.get(&hash).copied();
        let wanted = format!("the L2 code {hash}");
        let pool = self.blocks.require("code")?;
        match pool.fetch(wanted, Patience::Once, |node| l2::code(node, hash, owner)) {
            Ok(code) => {
                put_hashed(self.store, std::slice::from_ref(&code))?;
                Ok(code.into())
            }
            Err(error) => {
                self.refusal.get_or_insert(error.into());
                Err(HostError::Unhinted)
            }
        }
    }

    fn header(&mut self, hash: B256) -> Result<Vec<u8>, HostError> {
        self.blocks.header(hash, Patience::Once, self.store)?;
        self.stored(hash)?.ok_or(HostError::Unhinted)
    }

    fn precompile(
        &mut self,
        address: Address,
        gas: u64,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, HostError> {
        let call = PrecompileCall { address, gas: Some(gas), input };
        let result = call.execute("l1-precompile")?;
        Ok(result.strip_prefix(&[1]).map(<[u8]>::to_vec))
    }
}
