//! The proposer: when it proposes what, and when nothing at all.

use crate::node::Anvil;
use crate::player::{policy, sender};
use crate::rollup::{Rollup, Wrong, root};
use crate::system::{
    DEPLOYER, GAME_TYPE, HONEST, HONEST_KEY, INIT_BOND, STARTING_BLOCK, System, view,
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use rebut_challenger::chain::{At, Lens, Node};
use rebut_challenger::health::Health;
use rebut_challenger::proposer::{ProposeError, Proposed, Proposer, Schedule, rollup_nodes};
use rebut_challenger::sender::Policy;
use rebut_contracts::bindings::{DisputeGameFactory as Factory, FaultDisputeGame as Game};
use rebut_dispute::GameType;
use rebut_host::source;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The argument that makes this executable a proposer.
pub const PROPOSER: &str = "--proposer";

/// Seconds between two proposals.
const INTERVAL: u64 = 100;
/// The newest block that is final, and the newest that is safe.
const FINALIZED: u64 = STARTING_BLOCK + 10;
const SAFE: u64 = STARTING_BLOCK + 20;
const PATIENCE: Duration = Duration::from_secs(30);

fn schedule(factory: Address, allow_non_finalized: bool) -> Schedule {
    Schedule {
        factory,
        game_type: GameType(GAME_TYPE),
        proposal_interval: Duration::from_secs(INTERVAL),
        poll_interval: Duration::from_millis(20),
        allow_non_finalized,
    }
}

fn schedule_of(world: &World) -> Schedule {
    schedule(world.system.factory, false)
}

/// Who waits for as long as a test does.
fn patient() -> Policy {
    Policy { resubmission_timeout: PATIENCE, ..policy() }
}

/// A proposer on these nodes.
async fn open(l1: &str, rollups: &[&str], schedule: Schedule, policy: Policy) -> Proposer {
    let lens = Lens::new(Node::new(l1, Duration::from_secs(20)).expect("a URL"));
    let urls: Vec<_> = rollups.iter().map(|url| url.parse().expect("a URL")).collect();
    let patience = source::Policy { rounds: 1, ..source::Policy::default() };
    let rollups = rollup_nodes(&lens, &schedule, &urls, &patience).await.expect("a factory");
    let sender = sender(l1, HONEST_KEY, policy).await.expect("a sender");
    Proposer::new(lens, rollups, Arc::new(sender), schedule)
}

struct World {
    anvil: Anvil,
    system: System,
    rollup: Rollup,
}

/// A game, as the factory and it have it.
#[derive(Debug, PartialEq, Eq)]
struct Posted {
    created_at: u64,
    creator: Address,
    root: B256,
    block: U256,
    bond: u128,
}

impl World {
    async fn start() -> Self {
        let anvil = Anvil::start(&[]);
        let system = System::deploy(&anvil).await;
        let rollup = Rollup::start(&anvil.node, FINALIZED, SAFE).await;
        Self { anvil, system, rollup }
    }

    async fn proposer(&self, policy: Policy) -> Proposer {
        open(&self.anvil.url, &[&self.rollup.url], schedule_of(self), policy).await
    }

    async fn games(&self) -> Vec<Posted> {
        let (anvil, factory) = (&self.anvil, self.system.factory);
        let count = view(anvil, factory, Factory::gameCountCall {}).await.to::<u64>();
        let mut games = Vec::new();
        for index in 0..count {
            let call = Factory::gameAtIndexCall { _index: U256::from(index) };
            let entry = view(anvil, factory, call).await;
            let game = entry.proxy_;
            games.push(Posted {
                created_at: entry.timestamp_,
                creator: view(anvil, game, Game::gameCreatorCall {}).await,
                root: view(anvil, game, Game::rootClaimCall {}).await,
                block: view(anvil, game, Game::l2SequenceNumberCall {}).await,
                bond: view(anvil, game, Game::claimDataCall { _index: U256::ZERO }).await.bond,
            });
        }
        games
    }

    /// Checks which blocks were proposed, in order, and that all of it was done rightly.
    async fn check_games(&self, blocks: &[u64]) {
        let games = self.games().await;
        let found: Vec<_> = games.iter().map(|game| game.block.to::<u64>()).collect();
        assert_eq!(found, blocks);
        for (game, block) in games.iter().zip(blocks) {
            let bond = u128::from(INIT_BOND);
            assert_eq!((game.creator, game.root, game.bond), (HONEST, root(*block), bond));
        }
    }

    async fn nonce(&self, at: At) -> u64 {
        self.anvil.node.nonce(HONEST, at).await.expect("an answer")
    }
}

fn created(proposed: &Proposed) -> u64 {
    match proposed {
        Proposed::Created { block, .. } => block.number,
        other => panic!("{other:?}"),
    }
}

/// One an interval, of the newest final block; of the newest safe one where that is allowed.
pub async fn proposals_come_on_their_interval() {
    let world = World::start().await;
    let proposer = world.proposer(policy()).await;
    let propose = async || proposer.propose().await.expect("working nodes");
    world.rollup.set(|knows| knows.finalized = 0);
    assert_eq!(propose().await, Proposed::NothingSafe);
    world.rollup.set(|knows| knows.finalized = FINALIZED);
    assert_eq!(created(&propose().await), FINALIZED);
    world.check_games(&[FINALIZED]).await;

    world.rollup.set(|knows| knows.finalized += 1);
    world.anvil.mine().await;
    assert_eq!(propose().await, Proposed::NotDue);
    world.anvil.pass(INTERVAL - 10).await;
    assert_eq!(propose().await, Proposed::NotDue);
    world.anvil.pass(10).await;
    assert_eq!(created(&propose().await), FINALIZED + 1);
    world.check_games(&[FINALIZED, FINALIZED + 1]).await;

    // Nothing new is final: the same root twice is no proposal.
    world.anvil.pass(INTERVAL + 1).await;
    assert_eq!(propose().await, Proposed::Known { block: FINALIZED + 1 });
    let schedule = schedule(world.system.factory, true);
    let safe = open(&world.anvil.url, &[&world.rollup.url], schedule, policy()).await;
    assert_eq!(created(&safe.propose().await.expect("working nodes")), SAFE);
    world.check_games(&[FINALIZED, FINALIZED + 1, SAFE]).await;
    // It was this account's, whatever it was told to propose.
    assert_eq!(propose().await, Proposed::NotDue);

    // Of several nodes the slowest says how far it goes.
    world.anvil.pass(INTERVAL + 1).await;
    let slow = Rollup::start(&world.anvil.node, SAFE + 3, SAFE + 3).await;
    world.rollup.set(|knows| knows.finalized = SAFE + 5);
    let urls = [world.rollup.url.as_str(), slow.url.as_str()];
    let both = open(&world.anvil.url, &urls, schedule_of(&world), policy()).await;
    assert_eq!(created(&both.propose().await.expect("working nodes")), SAFE + 3);
}

/// Whatever a rollup node does wrong, nothing is proposed, and it is said why.
pub async fn rollup_nodes_that_err_or_lie() {
    let world = World::start().await;
    let other = Rollup::start(&world.anvil.node, FINALIZED, SAFE).await;
    // Further from its origin than a node may be behind.
    for _ in 0..70 {
        world.anvil.mine().await;
    }
    let urls = [world.rollup.url.as_str(), other.url.as_str()];
    for (wrong, reason, words) in [
        (Wrong::Error, "rollup", "the engine is out"),
        (Wrong::Garbage, "rollup", "optimism_"),
        (Wrong::Unhashed, "wrong_answer", "does not hash to its root"),
        (Wrong::OtherBlock, "wrong_answer", "it answers for block"),
        (Wrong::OtherState, "disagreement", "says"),
        (Wrong::Behind(65), "not_synced", "lags"),
        (Wrong::OtherChain, "wrong_answer", "a node of chain 902, not 901"),
    ] {
        // Both orders: the first that is asked, and the last.
        for (one, two) in [(Wrong::Nothing, wrong), (wrong, Wrong::Nothing)] {
            world.rollup.set(|knows| knows.wrong = one);
            other.set(|knows| knows.wrong = two);
            let both = open(&world.anvil.url, &urls, schedule_of(&world), policy()).await;
            let error = both.propose().await.expect_err("something is wrong");
            let text = error.to_string();
            assert_eq!((error.reason(), text.contains(words)), (reason, true), "{wrong:?}: {text}");
        }
    }
    for rollup in [&world.rollup, &other] {
        rollup.set(|knows| knows.wrong = Wrong::OtherL1);
    }
    let both = open(&world.anvil.url, &urls, schedule_of(&world), policy()).await;
    let error = both.propose().await.expect_err("another L1");
    assert!(matches!(error, ProposeError::OtherL1 { block: FINALIZED, .. }), "{error}");
    let none = open(&world.anvil.url, &[], schedule_of(&world), policy()).await;
    assert_eq!(none.propose().await.expect_err("no node").reason(), "wrong_answer");
    let dead = open(&world.anvil.url, &["http://127.0.0.1:1"], schedule_of(&world), policy()).await;
    assert_eq!(dead.propose().await.expect_err("nobody").reason(), "rollup");
    assert_eq!(world.nonce(At::Pending).await, 0, "nothing was sent");

    // The same proposer goes on when all is well again; a few blocks behind is well.
    world.rollup.set(|knows| knows.wrong = Wrong::Nothing);
    other.set(|knows| knows.wrong = Wrong::Behind(60));
    assert_eq!(created(&both.propose().await.expect("working nodes")), FINALIZED);
    world.check_games(&[FINALIZED]).await;
}

/// What may not or cannot be spent is not; the bond is the one that the factory asks for now.
pub async fn bonds_are_those_of_the_factory_and_within_limits() {
    let world = World::start().await;
    let spending_cap = Some(U256::from(INIT_BOND));
    let capped = world.proposer(Policy { spending_cap, ..policy() }).await;
    let error = capped.propose().await.expect_err("the bond and gas are more than the cap");
    assert_eq!(error.reason(), "spending_cap", "{error}");
    let dry = world.proposer(Policy { dry_run: true, ..policy() }).await;
    let would = dry.propose().await.expect("working nodes");
    assert_eq!(would, Proposed::Dry { root: root(FINALIZED), block: FINALIZED });

    let balance = world.anvil.node.balance(HONEST, At::Latest).await.expect("an answer");
    let set = async |wei: U256| {
        world.anvil.ask("anvil_setBalance", json!([HONEST, wei])).await;
    };
    let proposer = world.proposer(policy()).await;
    set(U256::from(INIT_BOND - 1)).await;
    let error = proposer.propose().await.expect_err("less than the bond");
    assert_eq!(error.reason(), "funds", "{error}");
    assert!(error.to_string().contains(&(INIT_BOND - 1).to_string()), "{error}");
    set(balance).await;

    // A block that is not after the anchor's.
    world.rollup.set(|knows| knows.finalized = STARTING_BLOCK);
    let error = proposer.propose().await.expect_err("not after the anchor");
    assert_eq!(error.reason(), "refused", "{error}");
    let unknown = Schedule { game_type: GameType(77), ..schedule_of(&world) };
    let unknown = open(&world.anvil.url, &[&world.rollup.url], unknown, policy()).await;
    assert_eq!(unknown.propose().await.expect_err("no such games").reason(), "refused");
    assert_eq!(world.nonce(At::Pending).await, 0, "nothing was sent");

    world.rollup.set(|knows| knows.finalized = FINALIZED);
    let bond = U256::from(3 * INIT_BOND);
    let set = Factory::setInitBondCall { _gameType: GAME_TYPE, _initBond: bond };
    let factory = Some(world.system.factory);
    world.anvil.transact(DEPLOYER, factory, U256::ZERO, set.abi_encode().into()).await;
    assert_eq!(created(&proposer.propose().await.expect("working nodes")), FINALIZED);
    assert_eq!(world.games().await[0].bond, u128::from(3 * INIT_BOND));
}

/// A game that L1 forgets is proposed again; one that it remembers is not.
pub async fn a_reorganisation_takes_a_game_away() {
    let world = World::start().await;
    let proposer = world.proposer(policy()).await;
    assert_eq!(created(&proposer.propose().await.expect("working nodes")), FINALIZED);
    world.anvil.mine().await;
    world.anvil.ask("anvil_reorg", json!([1, []])).await;
    assert_eq!(proposer.propose().await.expect("working nodes"), Proposed::NotDue);
    world.check_games(&[FINALIZED]).await;

    world.rollup.set(|knows| knows.finalized += 1);
    world.anvil.ask("anvil_reorg", json!([3, []])).await;
    world.check_games(&[]).await;
    assert_eq!(created(&proposer.propose().await.expect("working nodes")), FINALIZED + 1);
    world.check_games(&[FINALIZED + 1]).await;
}

/// While a proposal waits to be deep enough L1 is looked at all the same, and nothing else is proposed.
pub async fn waiting_is_not_ill() {
    let world = World::start().await;
    world.anvil.ask("evm_setAutomine", json!([false])).await;
    world.rollup.set(|knows| knows.grows = true);
    let health = Arc::new(Health::new(Duration::from_millis(500)));
    let (stop, stopped) = watch::channel(false);
    let proposer = world.proposer(patient()).await;
    let running = tokio::spawn(proposer.run(Arc::clone(&health), stopped));
    published(&world, 1).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert!(health.line().0, "{}", health.line().1);
    assert_eq!(world.nonce(At::Pending).await, 1);
    // Asked to end, it waits for what is in flight.
    stop.send(true).expect("it runs");
    assert!(!running.is_finished());
    world.anvil.mine().await;
    running.await.expect("it ends");
    assert_eq!(world.games().await.len(), 1);
}

/// A proposer as a process of its own, until it is killed. Arguments: L1, factory, rollup node.
pub async fn run(arguments: &[String]) {
    let [l1, factory, rollup] = arguments else { panic!("L1, factory and rollup node") };
    let schedule = schedule(factory.parse().expect("an address"), false);
    let health = Arc::new(Health::new(PATIENCE));
    let (_keep, never) = watch::channel(false);
    open(l1, &[rollup], schedule, patient()).await.run(health, never).await;
}

fn start(world: &World) -> Child {
    Command::new(std::env::current_exe().expect("this executable"))
        .args([PROPOSER, &world.anvil.url, &world.system.factory.to_string(), &world.rollup.url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this executable starts")
}

/// SIGKILL: nothing is finished first.
fn kill(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// Waits until the account has published so many transactions.
async fn published(world: &World, count: u64) {
    let begin = Instant::now();
    while world.nonce(At::Pending).await < count {
        assert!(begin.elapsed() < PATIENCE, "{count} transactions are not published");
    }
}

/// Killed at the worst moment, at many random ones, and started again: one proposal an interval, none left out.
pub async fn a_killed_proposer_goes_on() {
    let world = World::start().await;
    world.anvil.ask("evm_setAutomine", json!([false])).await;
    // Each look finds another block, so that what is proposed twice is not refused as the same.
    world.rollup.set(|knows| knows.grows = true);
    kill({
        let child = start(&world);
        published(&world, 1).await;
        child
    });
    // Its transaction waits, and nobody remembers it.
    let child = start(&world);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.nonce(At::Pending).await, 1, "what waits may be a proposal");
    for _ in 0..5 {
        world.anvil.mine().await;
    }
    kill(child);
    assert_eq!(world.games().await.len(), 1);

    // A transaction that the pool loses is made anew.
    world.anvil.pass(INTERVAL).await;
    kill({
        let child = start(&world);
        published(&world, 2).await;
        child
    });
    let pool = world.anvil.ask("txpool_content", json!([])).await;
    let pending = pool["pending"].as_object().expect("accounts");
    let waiting = &pending.values().next().expect("ours")["1"]["hash"];
    let dropped: Value = world.anvil.ask("anvil_dropTransaction", json!([waiting])).await;
    assert_eq!(&dropped, waiting);
    let child = start(&world);
    published(&world, 2).await;
    world.anvil.mine().await;
    kill(child);
    assert_eq!(world.games().await.len(), 2);

    let mut random = 0x7072_6f70_u64;
    for _ in 0..30 {
        let child = start(&world);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(5 + (random >> 33) % 150)).await;
        kill(child);
        world.anvil.pass(INTERVAL / 5).await;
    }
    let child = start(&world);
    let before = world.games().await.len();
    world.anvil.pass(INTERVAL).await;
    let begin = Instant::now();
    while world.games().await.len() == before {
        assert!(begin.elapsed() < PATIENCE, "the last life proposes nothing");
        world.anvil.mine().await;
    }
    kill(child);
    let times: Vec<u64> = world.games().await.iter().map(|game| game.created_at).collect();
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] >= INTERVAL, "{times:?}");
    }
    assert!(times.len() >= 4, "{times:?}");
    assert_eq!(crate::faults::reverted(&world.anvil, HONEST).await, 0, "nothing is paid twice");
}
