//! Agents that are killed at any moment, and two at once on one key.

use crate::faults::reverted;
use crate::games::{BLOCK, CHALLENGER_WINS};
use crate::machine::{Belief, output};
use crate::node::Anvil;
use crate::player::{agent as open, policy, sure_agent};
use crate::system::{CLOCK, HONEST, HONEST_KEY, LIAR_KEY, System, view};
use rebut_contracts::bindings::FaultDisputeGame as Game;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The argument that makes this executable an agent.
pub const AGENT: &str = "--agent";

const KILLS: u32 = 50;
/// Time between blocks.
const BLOCK_TIME: Duration = Duration::from_millis(60);

/// An agent as a process of its own, until it is killed. Arguments: URL, factory.
pub async fn agent(arguments: &[String]) {
    let [url, factory] = arguments else { panic!("URL and factory") };
    let factory = factory.parse().expect("an address");
    let timeout = Duration::from_secs(20);
    let agent = open(url, factory, HONEST_KEY, Belief::TRUTH, timeout, policy()).await;
    let (_keep, never) = watch::channel(false);
    agent.expect("an agent").run(never).await;
}

fn start(anvil: &Anvil, system: &System) -> Child {
    Command::new(std::env::current_exe().expect("this executable"))
        .args([AGENT, &anvil.url, &system.factory.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("this executable starts")
}

/// Blocks at their time, and a liar who answers everything.
struct World {
    anvil: Arc<Anvil>,
    system: System,
    game: alloy_primitives::Address,
    stop: watch::Sender<bool>,
}

impl World {
    async fn start() -> Self {
        let anvil = Arc::new(Anvil::start(&[]));
        let system = System::deploy(&anvil).await;
        let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
        anvil.ask("evm_setAutomine", serde_json::json!([false])).await;
        let (stop, stopped) = watch::channel(false);
        let (miner, until) = (Arc::clone(&anvil), stopped.clone());
        tokio::spawn(async move {
            while !*until.borrow() {
                miner.mine().await;
                tokio::time::sleep(BLOCK_TIME).await;
            }
        });
        let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(4) };
        let liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
        tokio::spawn(liar.run(stopped));
        Self { anvil, system, game, stop }
    }

    async fn claims(&self) -> u64 {
        view(&self.anvil, self.game, Game::claimDataLenCall {}).await.to()
    }

    /// Lets time pass whenever nobody moves, until the game ends.
    async fn end(self) {
        let mut still = (0, 0);
        let status = loop {
            tokio::time::sleep(BLOCK_TIME * 2).await;
            let status = view(&self.anvil, self.game, Game::statusCall {}).await;
            if status != 0 {
                break status;
            }
            let claims = self.claims().await;
            still = if claims == still.0 { (claims, still.1 + 1) } else { (claims, 0) };
            if still.1 > 15 {
                self.anvil.pass(CLOCK / 2 + 1).await;
                still.1 = 0;
            }
        };
        assert_eq!(status, CHALLENGER_WINS);
        assert_eq!(reverted(&self.anvil, HONEST).await, 0, "nothing is paid twice");
        let _ = self.stop.send(true);
    }
}

/// SIGKILL at fifty moments, from before the first request to after the last transaction.
pub async fn fifty_kills() {
    let world = World::start().await;
    let mut random = 0x6b69_6c6c_u64;
    for _ in 0..KILLS {
        let mut child = start(&world.anvil, &world.system);
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(5 + (random >> 33) % 250)).await;
        // SIGKILL: nothing is finished first.
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }
    let mut child = start(&world.anvil, &world.system);
    world.end().await;
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// Two agents with the same key: moves are made once, and no transaction fails.
pub async fn two_agents_on_one_key() {
    let world = World::start().await;
    for _ in 0..2 {
        let own = sure_agent(&world.anvil.url, &world.system, HONEST_KEY, Belief::TRUTH).await;
        tokio::spawn(own.run(world.stop.subscribe()));
    }
    world.end().await;
}
