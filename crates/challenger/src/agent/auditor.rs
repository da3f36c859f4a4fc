//! Large preimages of others: every proposal that can still be challenged is checked, and challenged where it is wrong.
//!
//! A proposal that nobody checks can make a false step succeed, whoever's game it is. So all oracles of all followed
//! games are watched. A proposal that cannot be judged is no proposal that is right: it is reported, counted, and looked
//! at again.

use super::{Failure, Player};
use crate::chain::{Block, NodeError, Snapshot, View};
use crate::preimage::{Metadata, ProposalData, parse_leaf_log};
use crate::sender::{Intent, Sent};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use rebut_contracts::bindings::PreimageOracle as Oracle;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// Blocks of one proposal that are looked at: more than the contract's limit of leaves needs.
const MOST_BLOCKS: u64 = 65_536;
/// Proposals of an oracle that are listed at one look; the others follow at the next ones.
const LISTING_STEP: u64 = 10_000;

/// Checks large preimages.
#[derive(Debug)]
pub struct Auditor {
    player: Arc<Player>,
    oracles: HashMap<Address, Watched>,
}

/// What is known of an oracle's proposals.
#[derive(Debug, Default)]
struct Watched {
    challenge_period: u64,
    /// How many of them are in one of the sets below.
    listed: u64,
    /// Those that can still become wrong, or squeezed.
    open: Vec<(Address, U256)>,
    /// Trees that are known to be right.
    right: HashSet<(Address, U256, B256)>,
}

#[derive(Debug, Deserialize)]
struct Log {
    data: Bytes,
}

impl Auditor {
    /// An auditor that knows nothing yet.
    pub fn new(player: Arc<Player>) -> Self {
        Self { player, oracles: HashMap::new() }
    }

    /// Checks the proposals of all oracles that games use.
    pub async fn audit(&mut self, followed: &[Arc<Snapshot>], block: &Block) {
        let used: BTreeMap<Address, u64> = followed
            .iter()
            .map(|s| (s.facts.oracle, s.facts.parameters.challenge_period().0))
            .collect();
        self.oracles.retain(|oracle, _| used.contains_key(oracle));
        for (oracle, challenge_period) in used {
            let known = self.oracles.entry(oracle).or_default();
            known.challenge_period = challenge_period;
            if let Err(failure) = one(&self.player, oracle, known, block).await {
                failure.report();
                tracing::warn!(%oracle, why = %failure, "cannot watch large preimages");
            }
        }
        let open: usize = self.oracles.values().map(|known| known.open.len()).sum();
        metrics::gauge!("op_challenger_preimage_count").set(open as f64);
    }
}

async fn one(
    player: &Player,
    oracle: Address,
    known: &mut Watched,
    block: &Block,
) -> Result<(), Failure> {
    let lens = &player.lens;
    let count = lens.view(oracle, &Oracle::proposalCountCall {}, block).await?;
    let count = count.ok_or(Failure::Unreadable("proposalCount"))?.saturating_to::<u64>();
    if count < known.listed {
        // A reorganisation took some away.
        *known = Watched { challenge_period: known.challenge_period, ..Watched::default() };
    }
    let asked: Vec<View> = (known.listed..count.min(known.listed.saturating_add(LISTING_STEP)))
        .map(|index| View::new(oracle, &Oracle::proposalsCall(U256::from(index))))
        .collect();
    for answer in lens.views(&asked, block).await? {
        let entry = answer.decode::<Oracle::proposalsCall>();
        let entry = entry.ok_or(Failure::Unreadable("proposals"))?;
        known.open.push((entry.claimant, entry.uuid));
        known.listed += 1;
    }
    let asked: Vec<View> = known
        .open
        .iter()
        .flat_map(|(claimant, uuid)| {
            [
                View::new(
                    oracle,
                    &Oracle::proposalMetadataCall { claimant: *claimant, uuid: *uuid },
                ),
                View::new(oracle, &Oracle::getTreeRootLPPCall { _owner: *claimant, _uuid: *uuid }),
                View::new(oracle, &Oracle::proposalBondsCall { claimant: *claimant, uuid: *uuid }),
            ]
        })
        .collect();
    let answers = lens.views(&asked, block).await?;
    let mut open = Vec::new();
    for ((claimant, uuid), answers) in known.open.iter().zip(answers.chunks(3)) {
        let [metadata, root, bond] = answers else { continue };
        let word = metadata.decode::<Oracle::proposalMetadataCall>();
        let metadata = Metadata::unpack(word.ok_or(Failure::Unreadable("proposalMetadata"))?);
        let end = metadata.timestamp.saturating_add(known.challenge_period);
        let closed = metadata.timestamp != 0;
        // The bond is there until a proposal is squeezed: before that a challenge stops it, however late.
        let bond = bond.decode::<Oracle::proposalBondsCall>();
        let squeezed = bond.ok_or(Failure::Unreadable("proposalBonds"))?.is_zero();
        if metadata.countered || (closed && end < block.timestamp && squeezed) {
            continue;
        }
        open.push((*claimant, *uuid));
        let root = root.decode::<Oracle::getTreeRootLPPCall>();
        let root = root.ok_or(Failure::Unreadable("getTreeRootLPP"))?;
        if !closed || known.right.contains(&(*claimant, *uuid, root)) {
            continue;
        }
        match check(player, oracle, *claimant, *uuid, &metadata, root, block).await {
            Ok(true) => {
                known.right.insert((*claimant, *uuid, root));
            }
            Ok(false) => {}
            Err(failure) => {
                metrics::counter!("op_challenger_preimage_challenge_failed").increment(1);
                tracing::warn!(%oracle, %claimant, %uuid, why = %failure, "a large preimage is not checked");
            }
        }
    }
    known.open = open;
    Ok(())
}

/// Checks one proposal, and challenges it where it is wrong. True where it is right.
async fn check(
    player: &Player,
    oracle: Address,
    claimant: Address,
    uuid: U256,
    metadata: &Metadata,
    root: B256,
    block: &Block,
) -> Result<bool, Failure> {
    let logs = leaves(player, oracle, claimant, uuid, block).await?;
    let calls: Vec<&[u8]> =
        logs.iter().filter_map(|log| parse_leaf_log(&log.data, claimant, uuid)).collect();
    let data = ProposalData::new(claimant, uuid, metadata, calls)?;
    // Some ten million hashes at most, so on a thread that can wait.
    let challenge = tokio::task::spawn_blocking(move || data.challenge(root)).await;
    let Some(call) = challenge.map_err(|_| Failure::Interrupted)?? else { return Ok(true) };
    let what = format!("challenge the large preimage {uuid} of {claimant}");
    let intent = Intent { to: oracle, value: call.value, data: call.data, what };
    match player.sender.send(&intent).await? {
        Sent::Done(_) => metrics::counter!("op_challenger_preimage_challenged").increment(1),
        Sent::Refused(revert) => return Err(Failure::Upload(revert)),
        Sent::Dry { .. } => {}
    }
    Ok(false)
}

/// The oracle's logs in the blocks that added leaves.
async fn leaves(
    player: &Player,
    oracle: Address,
    claimant: Address,
    uuid: U256,
    block: &Block,
) -> Result<Vec<Log>, Failure> {
    let lens = &player.lens;
    let call = Oracle::proposalBlocksLenCall { _claimant: claimant, _uuid: uuid };
    let count = lens.view(oracle, &call, block).await?;
    let count = count.ok_or(Failure::Unreadable("proposalBlocksLen"))?.saturating_to::<u64>();
    let asked: Vec<View> = (0..count.min(MOST_BLOCKS))
        .map(|index| {
            let call = Oracle::proposalBlocksCall { claimant, uuid, _2: U256::from(index) };
            View::new(oracle, &call)
        })
        .collect();
    let mut numbers = Vec::new();
    for answer in lens.views(&asked, block).await? {
        let number = answer.decode::<Oracle::proposalBlocksCall>();
        numbers.push(number.ok_or(Failure::Unreadable("proposalBlocks"))?);
    }
    // Several calls in one block are listed several times.
    numbers.dedup();
    let mut logs = Vec::new();
    for number in numbers {
        let number = U64::from(number);
        let filter = json!({ "address": oracle, "fromBlock": number, "toBlock": number });
        let found: Result<Vec<Log>, NodeError> =
            lens.node().ask("eth_getLogs", json!([filter])).await;
        logs.extend(found?);
    }
    Ok(logs)
}
