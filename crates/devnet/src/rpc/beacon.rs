//! The part of a beacon node that clients of blobs use, over the blocks of the embedded L1.
//!
//! ```text
//!   /eth/v1/beacon/genesis                                 /eth/v1/config/spec
//!   /eth/v1/beacon/blobs/{block}?versioned_hashes=…        today
//!   /eth/v1/beacon/blob_sidecars/{block}?indices=…         until Fusaka
//!   /eth/v1/node/version                                   /eth/v1/node/syncing
//! ```
//!
//! There is no beacon chain: a slot lasts one second, so that every block has one of its own whatever its
//! time, and what only a beacon block could say (its header, proofs of inclusion) is zero.
//!
//! Specification: the Ethereum beacon APIs.

use super::{Get, HttpAnswer};
use crate::l1::{Chain, L1Block, Node};
use alloy_consensus::Transaction;
use alloy_eips::{
    eip4844::{Blob, env_settings::EnvKzgSettings},
    eip7594::BlobTransactionSidecarVariant as Sidecar,
};
use alloy_primitives::{B256, Bytes, FixedBytes, hex};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long a slot lasts.
const SECONDS_PER_SLOT: u64 = 1;
/// Depth of a blob's commitment in a beacon block.
const INCLUSION_PROOF_DEPTH: usize = 17;

/// The beacon API of an embedded L1 node.
#[derive(Debug)]
pub struct Beacon(pub Arc<Node>);

/// A request that cannot be answered: status and message.
struct Refused(u16, String);

type Answered = Result<Value, Refused>;

impl Get for Beacon {
    fn get(&self, path: &str, query: &str) -> HttpAnswer {
        let chain = self.0.chain();
        let answered = match path.trim_end_matches('/') {
            "/eth/v1/beacon/genesis" => Ok(genesis(&chain)),
            "/eth/v1/config/spec" => Ok(spec(&chain)),
            "/eth/v1/node/version" => {
                Ok(json!({ "data": { "version": concat!("rebut/", env!("CARGO_PKG_VERSION")) } }))
            }
            "/eth/v1/node/syncing" => Ok(json!({ "data": {
                "head_slot": slot(&chain, chain.latest()).to_string(),
                "sync_distance": "0",
                "is_syncing": false,
                "is_optimistic": false,
                "el_offline": false,
            }})),
            path => match path.strip_prefix("/eth/v1/beacon/") {
                Some(rest) => blobs_of(&chain, rest, query),
                None => Err(not_found("no such path")),
            },
        };
        match answered {
            Ok(answer) => HttpAnswer { status: 200, body: answer.to_string() },
            Err(Refused(code, message)) => {
                let body = json!({ "code": code, "message": message }).to_string();
                HttpAnswer { status: code, body }
            }
        }
    }
}

fn not_found(what: &str) -> Refused {
    Refused(404, what.to_owned())
}

fn bad_request(what: &str) -> Refused {
    Refused(400, what.to_owned())
}

fn genesis(chain: &Chain) -> Value {
    json!({ "data": {
        "genesis_time": chain.config().genesis_time.to_string(),
        "genesis_validators_root": B256::ZERO,
        "genesis_fork_version": "0x00000000",
    }})
}

fn spec(chain: &Chain) -> Value {
    json!({ "data": {
        "CONFIG_NAME": "devnet",
        "PRESET_BASE": "mainnet",
        "SECONDS_PER_SLOT": SECONDS_PER_SLOT.to_string(),
        "SLOTS_PER_EPOCH": "32",
        "DEPOSIT_CHAIN_ID": chain.config().chain_id.to_string(),
        "DEPOSIT_NETWORK_ID": chain.config().chain_id.to_string(),
    }})
}

fn slot(chain: &Chain, block: &L1Block) -> u64 {
    block.header.timestamp.saturating_sub(chain.config().genesis_time) / SECONDS_PER_SLOT
}

/// `blobs/{block}` or `blob_sidecars/{block}`.
fn blobs_of(chain: &Chain, path: &str, query: &str) -> Answered {
    let (kind, id) = path.split_once('/').ok_or_else(|| not_found("no such path"))?;
    let block = || find(chain, id);
    match kind {
        "blobs" => blobs(chain, &*block()?, query),
        "blob_sidecars" => sidecars(chain, &*block()?, query),
        _ => Err(not_found("no such path")),
    }
}

/// A block by slot, by name, or by the root that the header after it would have as its parent's beacon
/// root; as these are made up, the block's own hash does as well.
fn find(chain: &Chain, id: &str) -> Result<Arc<L1Block>, Refused> {
    let ledger = chain.ledger();
    let found = match id {
        "head" => Some(ledger.latest()),
        "finalized" => Some(ledger.finalized()),
        "justified" => Some(ledger.safe()),
        "genesis" => ledger.block(0),
        id => match (id.parse::<u64>(), id.parse::<B256>()) {
            (Ok(slot), _) => {
                let since = slot.checked_mul(SECONDS_PER_SLOT);
                let time = since.and_then(|since| since.checked_add(chain.config().genesis_time));
                time.and_then(|time| ledger.at_time(time))
            }
            (_, Ok(hash)) => ledger.by_hash(hash),
            _ => return Err(bad_request("the block id is neither a slot nor a root nor a name")),
        },
    };
    found.cloned().ok_or_else(|| not_found("there is no block at this slot"))
}

/// A blob of a block.
struct Placed<'a> {
    versioned_hash: B256,
    commitment: &'a FixedBytes<48>,
    /// Unless there are only proofs of cells.
    proof: Option<&'a FixedBytes<48>>,
    blob: &'a Blob,
}

/// The blobs of a block, in order. An error when they were dropped.
fn placed<'a>(chain: &'a Chain, block: &L1Block) -> Result<Vec<Placed<'a>>, Refused> {
    let mut placed = Vec::new();
    for pooled in chain.blob_transactions(block.hash()) {
        let hashes = pooled.transaction().blob_versioned_hashes().unwrap_or_default();
        let (blobs, commitments, proofs) = match pooled.sidecar() {
            Some(Sidecar::Eip4844(all)) => {
                (&all.blobs, &all.commitments, Some(all.proofs.as_slice()))
            }
            Some(Sidecar::Eip7594(all)) => (&all.blobs, &all.commitments, None),
            None => continue,
        };
        for (index, (versioned_hash, (commitment, blob))) in
            hashes.iter().zip(commitments.iter().zip(blobs)).enumerate()
        {
            let proof = proofs.and_then(|proofs| proofs.get(index));
            placed.push(Placed { versioned_hash: *versioned_hash, commitment, proof, blob });
        }
    }
    let expected = block.header.blob_gas_used.unwrap_or_default() / 131_072;
    if placed.len() as u64 != expected {
        return Err(not_found("the blobs of this block are not kept any more"));
    }
    Ok(placed)
}

/// The values of a parameter, given more than once or separated by commas.
fn values<'a>(query: &'a str, name: &str) -> Vec<&'a str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let chosen = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    chosen.flat_map(|value| value.split(',').flat_map(|value| value.split("%2C"))).collect()
}

fn blobs(chain: &Chain, block: &L1Block, query: &str) -> Answered {
    let wanted = values(query, "versioned_hashes")
        .into_iter()
        .map(str::parse)
        .collect::<Result<Vec<B256>, _>>()
        .map_err(|_| bad_request("a versioned hash is malformed"))?;
    let data: Vec<_> = placed(chain, block)?
        .into_iter()
        .filter(|blob| wanted.is_empty() || wanted.contains(&blob.versioned_hash))
        .map(|blob| hex::encode_prefixed(blob.blob))
        .collect();
    Ok(json!({ "execution_optimistic": false, "finalized": is_final(chain, block), "data": data }))
}

fn sidecars(chain: &Chain, block: &L1Block, query: &str) -> Answered {
    let wanted = values(query, "indices")
        .into_iter()
        .map(str::parse)
        .collect::<Result<Vec<usize>, _>>()
        .map_err(|_| bad_request("an index is malformed"))?;
    let mut data = Vec::new();
    for (index, blob) in placed(chain, block)?.into_iter().enumerate() {
        if wanted.is_empty() || wanted.contains(&index) {
            data.push(sidecar(slot(chain, block), index, &blob)?);
        }
    }
    Ok(json!({
        "version": "electra",
        "execution_optimistic": false,
        "finalized": is_final(chain, block),
        "data": data,
    }))
}

fn is_final(chain: &Chain, block: &L1Block) -> bool {
    block.number() <= chain.ledger().finalized().number()
}

fn sidecar(slot: u64, index: usize, blob: &Placed<'_>) -> Answered {
    let proof = match blob.proof {
        Some(proof) => *proof,
        None => prove(blob).ok_or_else(|| Refused(500, "the blob cannot be proven".into()))?,
    };
    Ok(json!({
        "index": index.to_string(),
        "blob": hex::encode_prefixed(blob.blob),
        "kzg_commitment": blob.commitment,
        "kzg_proof": proof,
        "signed_block_header": {
            "message": {
                "slot": slot.to_string(),
                "proposer_index": "0",
                "parent_root": B256::ZERO,
                "state_root": B256::ZERO,
                "body_root": B256::ZERO,
            },
            "signature": Bytes::from_static(&[0; 96]),
        },
        "kzg_commitment_inclusion_proof": vec![B256::ZERO; INCLUSION_PROOF_DEPTH],
    }))
}

/// The proof of a blob that came with proofs of its cells.
fn prove(blob: &Placed<'_>) -> Option<FixedBytes<48>> {
    let settings = EnvKzgSettings::Default;
    let bytes = c_kzg::Blob::from_bytes(blob.blob.as_slice()).ok()?;
    let commitment = c_kzg::Bytes48::from_bytes(blob.commitment.as_slice()).ok()?;
    let proof = settings.get().compute_blob_kzg_proof(&bytes, &commitment).ok()?;
    Some(FixedBytes::new(proof.to_bytes().into_inner()))
}
