//! Large preimages: the agent's own, and false ones of others.

use crate::games::{BLOCK, DEFENDER_WINS, play_out};
use crate::machine::{Belief, READ, large, large_key, output};
use crate::node::Anvil;
use crate::player::sure_agent;
use crate::system::{CHALLENGE_PERIOD, HONEST, HONEST_KEY, LIAR, LIAR_KEY, System, view};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolCall;
use rebut_challenger::chain::At;
use rebut_challenger::preimage::{LargeProposal, Metadata, Next, Schedule};
use rebut_contracts::bindings::PreimageOracle as Oracle;
use rebut_dispute::{Seconds, Timestamp};

/// The disputed instruction reads a large preimage: it is proposed once, although the agent starts anew all the time,
/// squeezed after the challenge period, and the step is made.
pub async fn a_large_preimage_is_loaded_by_many_lives() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, true), BLOCK).await;
    let belief = Belief { outputs_lie_from: BLOCK - 3, states_lie_from: Some(u64::from(READ) + 1) };
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    let part = || Oracle::preimagePartOkCall::new((large_key(), U256::from(8)));
    for round in 0.. {
        assert!(round < 100, "the preimage is not loaded");
        // A new life each time: nothing is remembered.
        let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
        honest.round().await.expect("a readable chain");
        anvil.mine().await;
        liar.round().await.expect("a readable chain");
        anvil.mine().await;
        if view(&anvil, system.oracle, part()).await {
            break;
        }
        if view(&anvil, system.oracle, Oracle::proposalCountCall {}).await > U256::ZERO {
            anvil.pass(CHALLENGE_PERIOD / 4).await;
        }
    }
    let count = view(&anvil, system.oracle, Oracle::proposalCountCall {}).await;
    assert_eq!(count, U256::from(1), "proposed once");
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    assert_eq!(play_out(&anvil, game, &mut honest, &mut liar).await, DEFENDER_WINS);
    assert_eq!(crate::faults::reverted(&anvil, HONEST).await, 0, "nothing is paid twice");
}

/// Proposals of somebody else with one wrong commitment each, and a right one.
pub async fn false_large_preimages_are_challenged() {
    audit(0).await;
}

/// Nobody has looked during the challenge period, and nobody has squeezed yet.
pub async fn a_false_large_preimage_is_challenged_late() {
    audit(2 * CHALLENGE_PERIOD).await;
}

/// An agent that looks at proposals some seconds after they were closed.
async fn audit(seconds: u64) {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    system.create_game(&anvil, output(BLOCK, true), BLOCK).await;
    let blocks = large().len() / 136 + 1;
    let wrong = [Some(0), Some(1), Some(blocks / 2), Some(blocks - 1), None];
    let mut proposals = Vec::new();
    for (offset, wrong) in (8..).zip(wrong) {
        let proposal = LargeProposal::new(large(), offset, LIAR).expect("a proposal");
        let schedule = Schedule { now: Timestamp(0), challenge_period: Seconds(CHALLENGE_PERIOD) };
        let Ok(Next::Send(calls)) = proposal.next(&Metadata::default(), schedule) else {
            panic!("nothing to send")
        };
        for call in calls {
            let data = match Oracle::addLeavesLPPCall::abi_decode(&call.data) {
                Ok(mut leaves) => {
                    let first = leaves._inputStartBlock.to::<usize>();
                    let place = wrong.and_then(|at| at.checked_sub(first));
                    if let Some(commitment) =
                        place.and_then(|at| leaves._stateCommitments.get_mut(at))
                    {
                        *commitment = B256::repeat_byte(0x66);
                    }
                    leaves.abi_encode().into()
                }
                Err(_) => call.data,
            };
            anvil.transact(LIAR, Some(system.oracle), call.value, data).await;
        }
        proposals.push((proposal.uuid(), wrong));
    }
    if seconds > 0 {
        anvil.pass(seconds).await;
    }
    let before = anvil.node.balance(HONEST, At::Latest).await.expect("an answer");
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    honest.round().await.expect("a readable chain");
    for (uuid, wrong) in proposals {
        let word =
            view(&anvil, system.oracle, Oracle::proposalMetadataCall::new((LIAR, uuid))).await;
        let countered = Metadata::unpack(word).countered;
        assert_eq!(countered, wrong.is_some(), "wrong at {wrong:?} of {blocks}");
    }
    let after = anvil.node.balance(HONEST, At::Latest).await.expect("an answer");
    // Four bonds of a quarter of an ether, less some gas.
    let won = after.saturating_sub(before);
    assert!(won > U256::from(900_000_000_000_000_000_u64), "{won} wei won");
    assert_eq!(crate::faults::reverted(&anvil, HONEST).await, 0, "nothing is paid twice");
}
