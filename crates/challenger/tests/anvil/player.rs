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

/// What sends the transactions of a key, on a node that works.
pub async fn sender(url: &str, key: &str, policy: Policy) -> Result<Sender, Failed> {
    sender_within(url, key, Duration::from_secs(20), policy).await
}

async fn sender_within(
    url: &str,
    key: &str,
    timeout: Duration,
    policy: Policy,
) -> Result<Sender, Failed> {
    let keys = KeySource { private_key: Some(key.into()), ..KeySource::default() };
    Ok(Sender::new(Node::new(url, timeout)?, keys.open(timeout)?, policy).await?)
}

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
    let sender = sender_within(url, key, timeout, policy).await?;
    Ok(with_sender(Node::new(url, timeout)?, factory, sender, traces, rules))
}

/// An honest agent with rules of its own, on a node that works.
pub async fn with_rules(
    url: &str,
    factory: Address,
    key: &str,
    traces: Arc<dyn Traces>,
    rules: Rules,
) -> Agent {
    let sender = sender(url, key, policy()).await.expect("a sender");
    let node = Node::new(url, Duration::from_secs(20)).expect("a URL");
    with_sender(node, factory, sender, traces, rules)
}

/// An agent that sends by this sender.
pub fn with_sender(
    node: Node,
    factory: Address,
    sender: Sender,
    traces: Arc<dyn Traces>,
    mut rules: Rules,
) -> Agent {
    let lens = Lens::new(node);
    if !rules.selective_resolution {
        rules.ours.push(sender.address());
    }
    let player = Player { lens: lens.clone(), sender: Arc::new(sender), rules };
    let options =
        Options { poll_interval: Duration::from_millis(20), min_update_seconds: 0, concurrency: 4 };
    let health = Arc::new(Health::new(Duration::from_secs(60)));
    Agent::new(Reader::new(lens, scope(factory)), player, traces, options, health)
}

/// As [`agent`], on a node that works.
pub async fn sure_agent(url: &str, system: &System, key: &str, belief: Belief) -> Agent {
    let timeout = Duration::from_secs(20);
    agent(url, system.factory, key, belief, timeout, policy()).await.expect("an agent")
}
