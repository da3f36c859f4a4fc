//! Agents for these tests: the real one, with the beliefs of the test's machine.

use crate::machine::Belief;
use crate::system::{GAME_TYPE, LIAR_KEY, System};
use alloy_primitives::Address;
use rebut_challenger::agent::{Agent, Options, Player, Rules, Traces};
use rebut_challenger::chain::{Lens, Node, Reader, Scope};
use rebut_challenger::health::Health;
use rebut_challenger::sender::{FeeLimits, KeySource, Policy, Sender};
use std::sync::Arc;
use std::time::Duration;

/// How agents of a test poll and send: as fast as an anvil answers.
pub fn policy() -> Policy {
    Policy {
        confirmations: 1,
        resubmission_timeout: Duration::from_millis(800),
        send_timeout: Duration::from_secs(20),
        receipt_interval: Duration::from_millis(15),
        fees: FeeLimits::default(),
        max_pending: 10,
        nonce_too_low_limit: 20,
        spending_cap: None,
        dry_run: false,
    }
}

/// What polls look at.
pub fn scope(factory: Address) -> Scope {
    Scope { factory, game_types: [GAME_TYPE].into(), allowed: Vec::new(), window_seconds: 0 }
}

/// An agent on the node at `url`. Fails where the node does.
pub async fn agent(
    url: &str,
    factory: Address,
    key: &str,
    belief: Belief,
    timeout: Duration,
    policy: Policy,
) -> Result<Agent, Failed> {
    with_traces(url, factory, key, Arc::new(belief), timeout, policy).await
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// As [`agent`], with any idea of the truth.
pub async fn with_traces(
    url: &str,
    factory: Address,
    key: &str,
    traces: Arc<dyn Traces>,
    timeout: Duration,
    policy: Policy,
) -> Result<Agent, Failed> {
    // The liar resolves nothing: two that resolve the same would make each other's transactions fail.
    let rules = Rules { selective_resolution: key == LIAR_KEY, ..Rules::default() };
    open(url, factory, key, traces, timeout, policy, rules).await
}

/// An honest agent with rules of its own, on a node that works.
pub async fn with_rules(
    url: &str,
    factory: Address,
    key: &str,
    traces: Arc<dyn Traces>,
    rules: Rules,
) -> Agent {
    let timeout = Duration::from_secs(20);
    open(url, factory, key, traces, timeout, policy(), rules).await.expect("an agent")
}

async fn open(
    url: &str,
    factory: Address,
    key: &str,
    traces: Arc<dyn Traces>,
    timeout: Duration,
    policy: Policy,
    mut rules: Rules,
) -> Result<Agent, Failed> {
    let node = Node::new(url, timeout)?;
    let keys = KeySource { private_key: Some(key.into()), ..KeySource::default() };
    let sender = Sender::new(node.clone(), keys.open(timeout)?, policy).await?;
    let lens = Lens::new(node);
    if !rules.selective_resolution {
        rules.ours.push(sender.address());
    }
    let player = Player { lens: lens.clone(), sender: Arc::new(sender), rules };
    let options =
        Options { poll_interval: Duration::from_millis(20), min_update_seconds: 0, concurrency: 4 };
    let health = Arc::new(Health::new(Duration::from_secs(60)));
    Ok(Agent::new(Reader::new(lens, scope(factory)), player, traces, options, health))
}

/// As [`agent`], on a node that works.
pub async fn sure_agent(url: &str, system: &System, key: &str, belief: Belief) -> Agent {
    let timeout = Duration::from_secs(20);
    agent(url, system.factory, key, belief, timeout, policy()).await.expect("an agent")
}
