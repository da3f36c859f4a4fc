//! Whole games between the agent and a liar, on the deployed contracts.

use crate::machine::{Belief, LENGTH, output};
use crate::node::Anvil;
use crate::player::sure_agent;
use crate::system::{
    CLOCK, FINALITY_DELAY, HONEST, HONEST_KEY, LIAR_KEY, STARTING_BLOCK, System, WETH_DELAY, view,
};
use alloy_primitives::{Address, U256};
use rebut_challenger::agent::Agent;
use rebut_challenger::chain::At;
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, FaultDisputeGame as Game,
};

pub const CHALLENGER_WINS: u8 = 1;
pub const DEFENDER_WINS: u8 = 2;

/// The block that games are about.
pub const BLOCK: u64 = STARTING_BLOCK + 6;

/// Both sides in turns until neither has anything to say, then time passes until the game ends.
pub async fn play_out(anvil: &Anvil, game: Address, honest: &mut Agent, liar: &mut Agent) -> u8 {
    for _ in 0..200 {
        let before = state(anvil, game).await;
        anvil.mine().await;
        honest.round().await.expect("a readable chain");
        anvil.mine().await;
        liar.round().await.expect("a readable chain");
        let status = view(anvil, game, Game::statusCall {}).await;
        if status != 0 {
            return status;
        }
        if state(anvil, game).await == before {
            anvil.pass(CLOCK / 2 + 1).await;
        }
    }
    panic!("the game does not end");
}

/// What a move, a step or a resolution changes.
async fn state(anvil: &Anvil, game: Address) -> (u64, u64) {
    let claims = view(anvil, game, Game::claimDataLenCall {}).await;
    let nonces = anvil.node.nonce(HONEST, At::Latest).await.expect("an answer");
    (claims.to(), nonces)
}

/// Plays one game to its end and through both phases of its bonds.
async fn game(honest_root: bool, liar_belief: Belief, want: u8) {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let root = output(BLOCK, honest_root);
    let game = system.create_game(&anvil, root, BLOCK).await;
    let before = anvil.node.balance(HONEST, At::Latest).await.expect("an answer");
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, liar_belief).await;
    assert_eq!(play_out(&anvil, game, &mut honest, &mut liar).await, want);

    // Nobody can step on a leaf that is right; the honest side has.
    let claims = view(&anvil, game, Game::claimDataLenCall {}).await.to::<u64>();
    assert!(claims >= 4, "only {claims} claims");

    anvil.pass(FINALITY_DELAY + 1).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::bondDistributionModeCall {}).await, 1, "closed");
    anvil.pass(WETH_DELAY + 1).await;
    honest.round().await.expect("a readable chain");
    anvil.mine().await;
    honest.round().await.expect("a readable chain");
    let after = anvil.node.balance(HONEST, At::Latest).await.expect("an answer");
    assert!(after > before, "paid: {before} before, {after} after");
    let left =
        view(&anvil, system.weth, Weth::withdrawalsCall { account: game, subAccount: HONEST })
            .await;
    assert_eq!(left.amount, U256::ZERO, "all of it is withdrawn");
    let anchor = view(&anvil, system.registry, Registry::anchorGameCall {}).await;
    assert_eq!(anchor == game, want == DEFENDER_WINS, "closing moves the anchor");
}

/// A false root, defended by lies about states.
pub async fn a_false_root_loses() {
    let liar = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(5) };
    game(false, liar, CHALLENGER_WINS).await;
}

/// The first instruction is disputed: it reads local data, which has to be loaded.
pub async fn a_false_root_loses_at_the_first_instruction() {
    let liar = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(1) };
    game(false, liar, CHALLENGER_WINS).await;
}

/// A true root, attacked by lies about outputs and states.
pub async fn a_true_root_survives() {
    let liar = Belief { outputs_lie_from: BLOCK - 3, states_lie_from: Some(7) };
    game(true, liar, DEFENDER_WINS).await;
}

/// The disputed state is past the end of the trace.
pub async fn a_true_root_survives_lies_past_the_end() {
    let states_lie_from = Some(u64::from(LENGTH) + 2);
    let liar = Belief { outputs_lie_from: BLOCK - 3, states_lie_from };
    game(true, liar, DEFENDER_WINS).await;
}

/// A policy under which an agent that disagrees with the root does nothing.
async fn nothing_happens(policy: rebut_challenger::sender::Policy) {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let timeout = std::time::Duration::from_secs(20);
    let mut honest = crate::player::agent(
        &anvil.url,
        system.factory,
        HONEST_KEY,
        Belief::TRUTH,
        timeout,
        policy,
    )
    .await
    .expect("an agent");
    honest.round().await.expect("a readable chain");
    assert_eq!(anvil.node.nonce(HONEST, At::Latest).await.expect("an answer"), 0);
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(1));
    // The same agent without that policy does something.
    let mut honest = sure_agent(&anvil.url, &system, HONEST_KEY, Belief::TRUTH).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::claimDataLenCall {}).await, U256::from(2));
}

/// A dry run simulates only.
pub async fn a_dry_run_sends_nothing() {
    nothing_happens(rebut_challenger::sender::Policy { dry_run: true, ..crate::player::policy() })
        .await;
}

/// The first answer costs more than the cap.
pub async fn the_spending_cap_holds() {
    let spending_cap = Some(U256::from(crate::system::INIT_BOND));
    nothing_happens(rebut_challenger::sender::Policy { spending_cap, ..crate::player::policy() })
        .await;
}
