//! Preimages on their way into the oracle: looked for first, then sent by the plan, waited for where others may
//! challenge them.

use super::{Failure, Turn};
use crate::chain::{Lens, Snapshot};
use crate::preimage::{Call, LargeProposal, Metadata, Next, Schedule, Target, Upload as Plan};
use crate::sender::{Intent, Sender, Sent};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::PreimageOracle as Oracle;
use rebut_dispute::{ClaimIndex, PreimagePart, Timestamp};

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// The part can be read.
    Ready(Turn),
    /// It can be read once others have had the time to challenge it.
    Waiting {
        /// What was done.
        done: Turn,
        /// No earlier than this.
        until: Timestamp,
    },
}

/// Loads what a step on `claim` reads.
///
/// # Errors
/// [`Failure`] where a call is refused, or the part is not one that the oracle takes.
pub async fn upload(
    lens: &Lens,
    sender: &Sender,
    snapshot: &Snapshot,
    claim: ClaimIndex,
    part: &PreimagePart,
) -> Result<Upload, Failure> {
    let facts = &snapshot.facts;
    let plan = Plan::plan(part, claim, sender.address(), facts.min_large_preimage_bytes)?;
    let game = &snapshot.game;
    let key = match plan.global_key() {
        Some(key) => key,
        None => {
            let span = game.span(claim, game.claim(claim)?.position)?;
            localised(part.key, facts.listing.address, game.local_context(span)?)
        }
    };
    let call = Oracle::preimagePartOkCall::new((key, U256::from(part.offset)));
    // At the newest block, not that of the poll: somebody may just have loaded it.
    let head = lens.node().head().await?;
    let loaded = lens.view(facts.oracle, &call, &head).await?;
    let mut done = Turn::default();
    if loaded.ok_or(Failure::Unreadable("preimagePartOk"))? {
        return Ok(Upload::Ready(done));
    }
    let now = Timestamp(head.timestamp);
    match plan {
        Plan::Local(call) | Plan::Direct { call, .. } => {
            send(sender, snapshot, &call, &mut done).await?;
            Ok(Upload::Ready(done))
        }
        Plan::Large { proposal, .. } => propose(lens, sender, snapshot, &proposal, now).await,
    }
}

/// Takes a large preimage as far as it can be taken now.
async fn propose(
    lens: &Lens,
    sender: &Sender,
    snapshot: &Snapshot,
    proposal: &LargeProposal,
    mut now: Timestamp,
) -> Result<Upload, Failure> {
    let facts = &snapshot.facts;
    let mut done = Turn::default();
    let (claimant, uuid) = (proposal.claimant(), proposal.uuid());
    let call = Oracle::proposalMetadataCall { claimant, uuid };
    loop {
        let head = lens.node().head().await?;
        now = now.max(Timestamp(head.timestamp));
        let word = lens.view(facts.oracle, &call, &head).await?;
        let found = Metadata::unpack(word.ok_or(Failure::Unreadable("proposalMetadata"))?);
        let challenge_period = facts.parameters.challenge_period();
        match proposal.next(&found, Schedule { now, challenge_period })? {
            Next::Wait(until) => return Ok(Upload::Waiting { done, until }),
            Next::Send(calls) => {
                for call in &calls {
                    send(sender, snapshot, call, &mut done).await?;
                }
                // The squeeze is the last call: it loads the part.
                if found.timestamp != 0 {
                    return Ok(Upload::Ready(done));
                }
                if done.done == 0 {
                    // A dry run gets no further.
                    return Ok(Upload::Waiting { done, until: now });
                }
            }
        }
    }
}

async fn send(
    sender: &Sender,
    snapshot: &Snapshot,
    call: &Call,
    done: &mut Turn,
) -> Result<(), Failure> {
    let game = snapshot.facts.listing.address;
    let to = match call.target {
        Target::Game => game,
        Target::Oracle => snapshot.facts.oracle,
    };
    let what = format!("load a preimage for game {game}");
    let intent = Intent { to, value: call.value, data: call.data.clone(), what };
    match sender.send(&intent).await? {
        Sent::Refused(revert) => Err(Failure::Upload(revert)),
        sent => {
            done.note(&sent);
            Ok(())
        }
    }
}

/// The oracle's key of local data: a hash over the key, the contract that vouches for it, and the context.
fn localised(key: B256, game: Address, context: B256) -> B256 {
    let words = [key, game.into_word(), context].concat();
    let mut hash = keccak256(words);
    hash[0] = 1;
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    /// Expected: the hash of the three words, computed with the `cast keccak` of Foundry.
    #[test]
    fn local_keys_belong_to_one_game_and_one_trace() {
        let mut key = B256::with_last_byte(4);
        key[0] = 1;
        let game = Address::repeat_byte(0x11);
        let check = |context: B256, want: B256| assert_eq!(localised(key, game, context), want);
        check(
            B256::repeat_byte(0x22),
            B256::new(hex!("015c7e43327409e4cfb02428ec57109008e64f7ad005c1a12e27dcb865d14aeb")),
        );
    }
}
