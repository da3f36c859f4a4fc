//! What the guardian does to games: their bonds go back to those who gave them.

use crate::games::{BLOCK, DEFENDER_WINS, play_out};
use crate::machine::{Belief, output};
use crate::node::Anvil;
use crate::player::{policy, sure_agent};
use crate::system::{
    DEPLOYER_KEY, FINALITY_DELAY, GAME_TYPE, HONEST, HONEST_KEY, LIAR, LIAR_KEY, System,
    WETH_DELAY, view,
};
use alloy_primitives::{Address, U256};
use rebut_challenger::agent::{Agent, claim_credit};
use rebut_challenger::chain::At;
use rebut_challenger::guardian;
use rebut_challenger::sender::{Intent, KeySource, Sender, Sent};
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, FaultDisputeGame as Game,
};
use std::time::Duration;

const UNDECIDED: u8 = 0;
const NORMAL: u8 = 1;
const REFUND: u8 = 2;
/// How long a game that cannot be closed is left alone, and a second more.
const PAUSE: u64 = 301;

async fn sender(anvil: &Anvil, key: &str) -> Sender {
    let keys = KeySource { private_key: Some(key.into()), ..KeySource::default() };
    let signer = keys.open(Duration::from_secs(1)).expect("a key");
    Sender::new(anvil.node.clone(), signer, policy()).await.expect("a sender")
}

async fn done(sender: &Sender, intent: &Intent) {
    let sent = sender.send(intent).await.expect("it is sent");
    assert!(matches!(sent, Sent::Done(_)), "{}: {sent:?}", intent.what);
}

/// What an account has given for its claims.
async fn given(anvil: &Anvil, game: Address, account: Address) -> U256 {
    let mut sum = U256::ZERO;
    let claims = view(anvil, game, Game::claimDataLenCall {}).await.to::<u64>();
    for index in 0..claims {
        let claim = view(anvil, game, Game::claimDataCall { _index: U256::from(index) }).await;
        if claim.claimant == account {
            sum += U256::from(claim.bond);
        }
    }
    sum
}

async fn balance(anvil: &Anvil, account: Address) -> U256 {
    anvil.node.balance(account, At::Latest).await.expect("an answer")
}

/// A game that the honest agent and a liar play to its end: the game, the agent, and who won.
async fn disputed(anvil: &Anvil, system: &System, is_right: bool) -> (Address, Agent, u8) {
    let game = system.create_game(anvil, output(BLOCK, is_right), BLOCK).await;
    let mut honest = sure_agent(&anvil.url, system, HONEST_KEY, Belief::TRUTH).await;
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(5) };
    let mut liar = sure_agent(&anvil.url, system, LIAR_KEY, belief).await;
    let status = play_out(anvil, game, &mut honest, &mut liar).await;
    (game, honest, status)
}

/// Plays a game that the guardian makes worthless, and takes all bonds out.
async fn refunded(worthless: impl Fn(&System, Address) -> Intent) {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let guardian = sender(&anvil, DEPLOYER_KEY).await;
    let (game, mut honest, _) = disputed(&anvil, &system, false).await;
    done(&guardian, &worthless(&system, game)).await;
    let [ours, theirs] = [given(&anvil, game, HONEST).await, given(&anvil, game, LIAR).await];
    assert!(ours > U256::ZERO && theirs > U256::ZERO, "both have given something");
    anvil.pass(FINALITY_DELAY + PAUSE).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::bondDistributionModeCall {}).await, REFUND);
    assert_eq!(view(&anvil, game, Game::creditCall { _recipient: HONEST }).await, ours);
    assert_eq!(view(&anvil, game, Game::creditCall { _recipient: LIAR }).await, theirs);

    // Whoever pays the gas: the liar's bonds are the liar's.
    let helper = sender(&anvil, DEPLOYER_KEY).await;
    let rich = balance(&anvil, LIAR).await;
    done(&helper, &claim_credit(game, LIAR)).await;
    anvil.pass(WETH_DELAY + PAUSE).await;
    done(&helper, &claim_credit(game, LIAR)).await;
    assert_eq!(balance(&anvil, LIAR).await - rich, theirs);
    honest.round().await.expect("a readable chain");
    let left = view(&anvil, system.weth, Weth::balanceOfCall { src: game }).await;
    assert_eq!(left, U256::ZERO, "everything is paid out");
}

/// One game on the blacklist.
pub async fn a_blacklisted_game_gives_bonds_back() {
    refunded(|system, game| guardian::blacklist(system.registry, game)).await;
}

/// All games so far retired.
pub async fn a_retired_game_gives_bonds_back() {
    refunded(|system, _| guardian::retire(system.registry)).await;
}

/// A game of a type that was not respected when it was created: its winners are paid, and the anchor stays where it is.
pub async fn a_game_of_another_type_pays_but_moves_no_anchor() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let guardian = sender(&anvil, DEPLOYER_KEY).await;
    done(&guardian, &guardian::set_respected_type(system.registry, GAME_TYPE - 1)).await;
    let (game, mut honest, status) = disputed(&anvil, &system, true).await;
    assert_eq!(status, DEFENDER_WINS);
    anvil.pass(FINALITY_DELAY + PAUSE).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::bondDistributionModeCall {}).await, NORMAL);
    assert_ne!(view(&anvil, system.registry, Registry::anchorGameCall {}).await, game);
}

/// While everything is paused nothing is paid, and afterwards it is.
pub async fn a_pause_holds_payments_back() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let guardian = sender(&anvil, DEPLOYER_KEY).await;
    let (game, mut honest, _) = disputed(&anvil, &system, false).await;
    done(&guardian, &guardian::pause(system.superchain, Address::ZERO, true)).await;
    anvil.pass(FINALITY_DELAY + PAUSE).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::bondDistributionModeCall {}).await, UNDECIDED);
    done(&guardian, &guardian::pause(system.superchain, Address::ZERO, false)).await;
    anvil.pass(PAUSE).await;
    honest.round().await.expect("a readable chain");
    assert_eq!(view(&anvil, game, Game::bondDistributionModeCall {}).await, NORMAL);
    assert_eq!(crate::faults::reverted(&anvil, HONEST).await, 0, "nothing was tried in vain");
}

/// Three lives of one account under one cap: what the first two spend, the third cannot.
pub async fn the_spending_cap_outlives_the_agent() {
    let anvil = Anvil::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("spending.json");
    let ether = |tenths: u64| U256::from(tenths) * U256::from(100_000_000_000_000_000_u64);
    let keys = KeySource { private_key: Some(HONEST_KEY.into()), ..KeySource::default() };
    let gift =
        Intent { to: LIAR, value: ether(10), data: Default::default(), what: "a gift".into() };
    let mut sent = Vec::new();
    for _ in 0..3 {
        let signer = keys.open(Duration::from_secs(1)).expect("a key");
        let capped = rebut_challenger::sender::Policy { spending_cap: Some(ether(25)), ..policy() };
        let sender = Sender::new(anvil.node.clone(), signer, capped).await.expect("a sender");
        let sender = sender.keep_spending(&file).expect("a file");
        sent.push(sender.send(&gift).await.map(drop).map_err(|error| error.to_string()));
    }
    assert!(sent[0].is_ok() && sent[1].is_ok(), "{sent:?}");
    assert!(sent[2].as_ref().is_err_and(|error| error.starts_with("spending cap")), "{sent:?}");
    assert_eq!(anvil.node.nonce(HONEST, At::Latest).await.expect("an answer"), 2);
}
