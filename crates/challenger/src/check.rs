//! What can be known before a game is played: whether nodes, contracts, prestates and money are there.

use crate::chain::{At, Block, Blueprint, Factory, FactoryError, Lens, Node, NodeError, View};
use crate::trace::{LAG_LIMIT_BLOCKS, RollupNode, TraceError};
use alloy_primitives::{Address, B256, U256};
use rebut_contracts::bindings::{FaultDisputeGame as Game, MIPS64, PreimageOracle as Oracle};
use rebut_dispute::{Bond, GameError, Parameters, Seconds};
use rebut_host::source::{NodeUrl, Policy};
use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub what: String,
    /// Whether it is as it has to be.
    pub ok: bool,
    /// What was found.
    pub found: String,
}

/// What is checked.
pub struct Subject<'a> {
    /// Reads of L1.
    pub lens: &'a Lens,
    /// The factory.
    pub factory: Address,
    /// Kinds of games to be played.
    pub game_types: &'a [u32],
    /// The account that would play, where there is a key.
    pub account: Option<Address>,
    /// Rollup nodes.
    pub rollup: &'a [NodeUrl],
    /// How patiently they are asked.
    pub policy: &'a Policy,
    /// Execution nodes of L2.
    pub l2: &'a [Node],
    /// Looks for the prestate of a kind of game: where it is, or why it is not to be had.
    pub prestate: &'a (dyn Fn(u32, B256) -> Result<String, String> + Sync),
}

impl Finding {
    fn new(what: impl Into<String>, found: Result<String, impl ToString>) -> Self {
        let (ok, found) = match found {
            Ok(found) => (true, found),
            Err(error) => (false, error.to_string()),
        };
        Self { what: what.into(), ok, found }
    }
}

/// Looks at everything. Nothing is sent.
pub async fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let node = subject.lens.node();
    let chain = node.chain_id().await.map(|id| format!("chain {id}"));
    findings.push(Finding::new("L1 chain", chain));
    let block = match node.head().await {
        Ok(block) => block,
        Err(error) => {
            findings.push(Finding::new("L1 head", Err::<String, _>(error)));
            return findings;
        }
    };
    let head = format!("block {} at {}", block.number, block.timestamp);
    findings.push(Finding::new("L1 head", Ok::<_, String>(head)));
    let factory = Factory::find(subject.lens, subject.factory, &block).await;
    let reads = factory.is_ok();
    let found = match factory {
        Ok(Factory { version, games }) => Ok(format!("version {version}, {games} games")),
        Err(FactoryError::Node(error)) => {
            Err(format!("{error}; does the node take code for the length of a call?"))
        }
        Err(error) => Err(error.to_string()),
    };
    findings.push(Finding::new("factory", found));
    let mut chain_ids = Vec::new();
    if reads {
        let mut kinds = Vec::new();
        for game_type in subject.game_types {
            kinds.push((*game_type, Kind::read(subject, *game_type, &block).await));
        }
        // Who names several kinds plays those that there are.
        let some = kinds.iter().any(|(_, kind)| matches!(kind, Ok(Some(_))));
        for (game_type, read) in kinds {
            let what = format!("type {game_type}: implementation");
            let none = "the factory has none: there are no such games".to_owned();
            match read {
                Ok(Some(read)) => {
                    findings
                        .push(Finding::new(what, Ok::<_, String>(read.implementation.to_string())));
                    chain_ids.extend(read.chain_id);
                    kind(subject, game_type, &read, &block, &mut findings).await;
                }
                Ok(None) => {
                    findings.push(Finding::new(what, if some { Ok(none) } else { Err(none) }));
                }
                Err(error) => findings.push(Finding::new(what, Err::<String, _>(error))),
            }
        }
    }
    nodes(subject, &block, &chain_ids, &mut findings).await;
    findings
}

/// Checks one kind of game.
async fn kind(
    subject: &Subject<'_>,
    game_type: u32,
    kind: &Kind,
    block: &Block,
    findings: &mut Vec<Finding>,
) {
    let what = |what: &str| format!("type {game_type}: {what}");
    let prestate = (subject.prestate)(game_type, kind.prestate);
    let prestate = prestate.map(|place| format!("{} from {place}", kind.prestate));
    findings.push(Finding::new(what("prestate"), prestate));
    findings.push(Finding::new(what("oracle"), kind.oracle.as_ref().map(|o| o.found.clone())));
    let period = kind.oracle.as_ref().map_or(0, |oracle| oracle.challenge_period);
    let capital = kind.parameters(period).map(|parameters| parameters.path_capital());
    let worst = capital.as_ref().map_or(Bond(0), |c| c.challenging.max(c.defending));
    let stated = capital.map(|capital| {
        format!(
            "one opponent who plays every level: {} challenging, {} defending",
            capital.challenging, capital.defending
        )
    });
    findings.push(Finding::new(what("bond capital"), stated));
    if let Some(account) = subject.account {
        let balance = subject.lens.node().balance(account, At::Block(block.hash)).await;
        let found = match balance {
            Ok(balance) => {
                let balance = Bond(balance.saturating_to());
                let found = format!("{account} has {balance}");
                if balance >= worst {
                    Ok(found)
                } else {
                    Err(format!("{found}, less than {worst}"))
                }
            }
            Err(error) => Err(error.to_string()),
        };
        findings.push(Finding::new(what("balance"), found));
    }
}

/// What the factory and an implementation say of a kind of game.
struct Kind {
    implementation: Address,
    prestate: B256,
    chain_id: Option<u64>,
    oracle: Result<OracleFound, String>,
    depths: Option<(u64, u64)>,
    clocks: Option<(u64, u64)>,
}

struct OracleFound {
    found: String,
    challenge_period: u64,
}

impl Kind {
    /// None where the factory has no games of this kind.
    async fn read(
        subject: &Subject<'_>,
        game_type: u32,
        block: &Block,
    ) -> Result<Option<Self>, String> {
        let (lens, factory) = (subject.lens, subject.factory);
        let text = |error: NodeError| error.to_string();
        let blueprint = Blueprint::read(lens, factory, game_type, block).await.map_err(text)?;
        let Some(blueprint) = blueprint else { return Ok(None) };
        let chain_id = blueprint.l2_chain_id(lens, block).await.map_err(text)?;
        let Blueprint { implementation, arguments } = blueprint;
        let views = [
            View::new(implementation, &Game::maxGameDepthCall {}),
            View::new(implementation, &Game::splitDepthCall {}),
            View::new(implementation, &Game::maxClockDurationCall {}),
            View::new(implementation, &Game::clockExtensionCall {}),
            View::new(implementation, &Game::absolutePrestateCall {}),
            View::new(implementation, &Game::vmCall {}),
        ];
        let answers = lens.views(&views, block).await.map_err(text)?;
        let [max, split, clock, extension, prestate, vm] = answers.as_slice() else {
            return Err("it does not answer".into());
        };
        // Since games have arguments of their own, prestate and machine are among them.
        let (prestate, vm) = match (arguments.get(..32), arguments.get(32..52)) {
            (Some(prestate), Some(vm)) => (B256::from_slice(prestate), Address::from_slice(vm)),
            _ => (
                prestate.decode::<Game::absolutePrestateCall>().ok_or("it has no prestate")?,
                vm.decode::<Game::vmCall>().ok_or("it has no machine")?,
            ),
        };
        let number = |value: Option<U256>| value.and_then(|value| u64::try_from(value).ok());
        let max = number(max.decode::<Game::maxGameDepthCall>());
        let split = number(split.decode::<Game::splitDepthCall>());
        let clock = clock.decode::<Game::maxClockDurationCall>();
        let extension = extension.decode::<Game::clockExtensionCall>();
        Ok(Some(Self {
            implementation,
            prestate,
            chain_id,
            oracle: oracle(lens, vm, block).await,
            depths: max.zip(split),
            clocks: clock.zip(extension),
        }))
    }

    fn parameters(&self, challenge_period: u64) -> Result<Parameters, String> {
        let (max, split) = self.depths.ok_or("it does not say how deep games are")?;
        let (clock, extension) = self.clocks.ok_or("it does not say how long games are")?;
        Parameters::new(max, split, Seconds(clock), Seconds(extension), Seconds(challenge_period))
            .map_err(|error: GameError| error.to_string())
    }
}

async fn oracle(lens: &Lens, vm: Address, block: &Block) -> Result<OracleFound, String> {
    let text = |error: NodeError| error.to_string();
    let oracle = lens.view(vm, &MIPS64::oracleCall {}, block).await.map_err(text)?;
    let oracle = oracle.ok_or_else(|| format!("the machine {vm} names none"))?;
    let period = lens.view(oracle, &Oracle::challengePeriodCall {}, block).await.map_err(text)?;
    let period = period.and_then(|period| u64::try_from(period).ok());
    let challenge_period = period.ok_or_else(|| format!("{oracle} is no oracle"))?;
    let found = format!("{oracle}, large preimages can be challenged for {challenge_period} s");
    Ok(OracleFound { found, challenge_period })
}

type Answer<T> = Result<T, String>;

/// Checks the nodes of L2.
async fn nodes(
    subject: &Subject<'_>,
    block: &Block,
    chain_ids: &[u64],
    findings: &mut Vec<Finding>,
) {
    let right = |id: u64| match chain_ids.iter().all(|expected| *expected == id) {
        true => Ok(format!("chain {id}")),
        false => Err(format!("chain {id}, games are about {chain_ids:?}")),
    };
    for (index, node) in subject.l2.iter().enumerate() {
        let id = node.chain_id().await.map_err(|error| error.to_string()).and_then(right);
        findings.push(Finding::new(format!("L2 node {index}: chain"), id));
    }
    for (index, url) in subject.rollup.iter().enumerate() {
        let node = RollupNode::new(url.clone(), None, subject.policy);
        let head = block.number;
        // It waits for answers.
        let asked = tokio::task::spawn_blocking(move || rollup(node, head)).await;
        let Ok((chain, progress, safe_heads)) = asked else { continue };
        let what = |what: &str| format!("rollup node {index}: {what}");
        findings.push(Finding::new(what("chain"), chain.and_then(right)));
        findings.push(Finding::new(what("progress"), progress));
        findings.push(Finding::new(what("safe heads"), safe_heads));
    }
}

/// What a rollup node says: its chain, how far it is, and whether it knows the safe head of a while ago.
fn rollup(mut node: RollupNode, head: u64) -> (Answer<u64>, Answer<String>, Answer<String>) {
    let text = |error: TraceError| error.to_string();
    let chain = node.chain_id().map_err(text);
    let progress = node.sync_status().map_err(text).and_then(|status| {
        let (at, safe) = (status.current_l1.number, status.safe_l2.number);
        let found = format!("at L1 block {at}, L2 safe {safe}");
        if status.keeps_up(head) { Ok(found) } else { Err(found) }
    });
    // A short game looks back as far.
    let past = head.saturating_sub(LAG_LIMIT_BLOCKS);
    let safe_heads = match node.safe_head_at(past) {
        Ok((_, safe)) => Ok(format!("L2 block {} at L1 block {past}", safe.number)),
        Err(error) => Err(format!("{error}; it needs a safe-head database")),
    };
    (chain, progress, safe_heads)
}
