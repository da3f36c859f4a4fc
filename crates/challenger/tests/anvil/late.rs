//! Agents that come late, go on after a reorganisation, or are not the only honest ones.

use crate::faults::reverted;
use crate::games::{BLOCK, CHALLENGER_WINS, play_out};
use crate::machine::{Belief, output};
use crate::node::Anvil;
use crate::player::{policy, sure_agent, with_rules, with_traces};
use crate::system::{
    CLOCK, FINALITY_DELAY, HONEST, HONEST_KEY, LIAR, LIAR_KEY, MAX_DEPTH, System, WETH_DELAY, view,
};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256, address, keccak256};
use rebut_challenger::agent::{Agent, BoxedTrace, Rules, TraceFailure, Traces};
use rebut_challenger::chain::{At, Facts};
use rebut_contracts::bindings::{DelayedWETH as Weth, FaultDisputeGame as Game};
use rebut_dispute::{ClaimIndex, L2BlockChallenge, Position, StepData, Trace};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Another honest account.
const SECOND: Address = address!("90F79bf6EB2c4f870365E785982E1f101E93b906");
const SECOND_KEY: &str = "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";

async fn with(anvil: &Anvil, system: &System, traces: impl Traces + 'static) -> Agent {
    let timeout = Duration::from_secs(20);
    let agent =
        with_traces(&anvil.url, system.factory, HONEST_KEY, Arc::new(traces), timeout, policy());
    agent.await.expect("an agent")
}

/// All clocks have run out, and the liar's last claim is not stepped on: a step still counts, and comes before anything
/// is resolved.
pub async fn a_late_agent_steps_before_it_resolves() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(5) };
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    for round in 0.. {
        assert!(round < 20, "the liar does not get to the largest depth");
        anvil.mine().await;
        honest.round().await.expect("a readable chain");
        anvil.mine().await;
        liar.round().await.expect("a readable chain");
        let count = view(&anvil, game, Game::claimDataLenCall {}).await;
        let last = view(&anvil, game, Game::claimDataCall { _index: count - U256::from(1) }).await;
        let position = Position::new(last.position).expect("a position");
        if u64::from(position.depth().get()) == MAX_DEPTH {
            assert_eq!(last.claimant, LIAR);
            break;
        }
    }
    drop(honest);
    anvil.pass(2 * CLOCK).await;
    let mut late = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    assert_eq!(play_out(&anvil, game, &mut late, &mut liar).await, CHALLENGER_WINS);
    assert_eq!(reverted(&anvil, HONEST).await, 0, "nothing is paid for nothing");
}

/// A header, and the output root of its block.
fn early_root() -> (B256, L2BlockChallenge) {
    let header_rlp = alloy_rlp::encode(Header { number: BLOCK - 1, ..Header::default() });
    let parts = [B256::ZERO, B256::repeat_byte(1), B256::repeat_byte(2), keccak256(&header_rlp)];
    let [version, state_root, message_passer_storage_root, latest_block_hash] = parts;
    let challenge = L2BlockChallenge {
        version,
        state_root,
        message_passer_storage_root,
        latest_block_hash,
        header_rlp,
    };
    (keccak256(parts.concat()), challenge)
}

/// The chain ends at that block.
#[derive(Clone, Copy)]
struct Early;

impl Traces for Early {
    fn open(&self, _: &Facts, _: u64) -> Result<BoxedTrace, TraceFailure> {
        Ok(BoxedTrace::new(*self))
    }
}

impl Trace for Early {
    type Error = TraceFailure;

    fn claim(
        &mut self,
        _: &rebut_dispute::Game,
        _: ClaimIndex,
        _: Position,
    ) -> Result<B256, TraceFailure> {
        Ok(early_root().0)
    }

    fn step_data(
        &mut self,
        _: &rebut_dispute::Game,
        _: ClaimIndex,
        _: Position,
    ) -> Result<StepData, TraceFailure> {
        Err("nothing is executed".into())
    }

    fn l2_block_challenge(
        &mut self,
        _: &rebut_dispute::Game,
    ) -> Result<Option<L2BlockChallenge>, TraceFailure> {
        Ok(Some(early_root().1))
    }
}

/// Attack 10: the root of an earlier block, left alone until its clock has run out. The agent shows the number before it
/// resolves the root, wins, and has its bond.
pub async fn a_late_agent_challenges_the_block_number_before_it_resolves() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, early_root().0, BLOCK).await;
    anvil.pass(CLOCK + 1).await;
    let mut honest = with(&anvil, &system, Early).await;
    for _ in 0..3 {
        honest.round().await.expect("a readable chain");
        anvil.mine().await;
    }
    assert_eq!(view(&anvil, game, Game::l2BlockNumberChallengerCall {}).await, HONEST);
    assert_eq!(view(&anvil, game, Game::statusCall {}).await, CHALLENGER_WINS);
    let credit = view(&anvil, game, Game::creditCall { _recipient: HONEST }).await;
    assert_eq!(credit, U256::from(crate::system::INIT_BOND));
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(1), "no move");
}

/// A payment that was on chain is reorganised away, and claimed again.
pub async fn a_payment_that_is_lost_is_claimed_again() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, Belief::TRUTH).await;
    assert_eq!(play_out(&anvil, game, &mut honest, &mut liar).await, CHALLENGER_WINS);
    anvil.pass(FINALITY_DELAY + 1).await;
    honest.round().await.expect("a readable chain");
    anvil.pass(WETH_DELAY + 1).await;
    let left = async || {
        let call = Weth::withdrawalsCall { account: game, subAccount: HONEST };
        view(&anvil, system.weth, call).await.amount
    };
    honest.round().await.expect("a readable chain");
    assert_eq!(left().await, U256::ZERO, "paid");
    anvil.mine().await;
    // The agent has seen that nothing is left to do.
    honest.round().await.expect("a readable chain");
    anvil.ask("anvil_reorg", json!([2, []])).await;
    anvil.pass(WETH_DELAY).await;
    assert!(left().await > U256::ZERO, "not paid any more");
    for _ in 0..2 {
        honest.round().await.expect("a readable chain");
        anvil.mine().await;
    }
    assert_eq!(left().await, U256::ZERO, "paid again");
}

/// A trace that counts how many there are.
struct Counted(Arc<()>);

impl Traces for Counted {
    fn open(&self, facts: &Facts, l1_head: u64) -> Result<BoxedTrace, TraceFailure> {
        struct Counting {
            trace: BoxedTrace,
            _count: Arc<()>,
        }
        impl Trace for Counting {
            type Error = TraceFailure;

            fn claim(
                &mut self,
                game: &rebut_dispute::Game,
                reference: ClaimIndex,
                position: Position,
            ) -> Result<B256, TraceFailure> {
                self.trace.claim(game, reference, position)
            }

            fn step_data(
                &mut self,
                game: &rebut_dispute::Game,
                reference: ClaimIndex,
                position: Position,
            ) -> Result<StepData, TraceFailure> {
                self.trace.step_data(game, reference, position)
            }

            fn l2_block_challenge(
                &mut self,
                game: &rebut_dispute::Game,
            ) -> Result<Option<L2BlockChallenge>, TraceFailure> {
                self.trace.l2_block_challenge(game)
            }
        }
        let trace = Belief::TRUTH.open(facts, l1_head)?;
        Ok(BoxedTrace::new(Counting { trace, _count: Arc::clone(&self.0) }))
    }
}

/// Everybody can create games, and an open trace may hold much memory: few are kept, whatever the number of games.
pub async fn few_traces_stay_open() {
    const GAMES: u64 = 20;
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let mut games = Vec::new();
    for block in BLOCK..BLOCK + GAMES {
        games.push(system.create_game(&anvil, output(block, false), block).await);
    }
    let open = Arc::new(());
    let mut honest = with(&anvil, &system, Counted(Arc::clone(&open))).await;
    honest.round().await.expect("a readable chain");
    for game in games {
        assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(2), "answered");
    }
    // This one, and that of the agent.
    let kept = Arc::strong_count(&open) - 2;
    assert!((1..=8).contains(&kept), "{kept} traces of {GAMES} are open");
}

/// Attack 31: of two honest challengers with keys of their own, the one that waits before it answers finds the answers of
/// the other, and pays for nothing.
pub async fn a_redundant_challenger_burns_no_gas() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(5) };
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    let mut first = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    let rules = Rules { response_delay: Duration::from_secs(1), ..Rules::default() };
    let mut second =
        with_rules(&anvil.url, system.factory, SECOND_KEY, Arc::new(Belief::TRUTH), rules).await;
    let status = 'played: {
        for _ in 0..100 {
            let before = view(&anvil, game, Game::claimDataLenCall {}).await;
            anvil.mine().await;
            let (one, two) = tokio::join!(first.round(), second.round());
            one.and(two).expect("a readable chain");
            anvil.mine().await;
            liar.round().await.expect("a readable chain");
            let status = view(&anvil, game, Game::statusCall {}).await;
            if status != 0 {
                break 'played status;
            }
            if view(&anvil, game, Game::claimDataLenCall {}).await == before {
                anvil.pass(CLOCK / 2 + 1).await;
            }
        }
        panic!("the game does not end");
    };
    assert_eq!(status, CHALLENGER_WINS);
    let sent = async |account| anvil.node.nonce(account, At::Latest).await.expect("an answer");
    assert!(sent(HONEST).await >= 5, "the first plays");
    assert_eq!(sent(SECOND).await, 0, "the second finds everything done");
    assert_eq!(reverted(&anvil, HONEST).await + reverted(&anvil, SECOND).await, 0);
}
