//! The proposer: posts output roots to the factory, one an interval.
//!
//! ```text
//!   nothing of ours waits ─► none of ours within the interval ─► newest block that is safe enough ─► create
//! ```
//!
//! Nothing is stored: when the last proposal was made is what the factory's list says, read after a block that shows all
//! that this account has published. Only what L1 data implies is proposed, and only final data unless told otherwise;
//! several rollup nodes must agree. Where one of them errs, lags or follows another L1, nothing is proposed.

use crate::chain::{Block, Blueprint, Lens, Listing, NodeError, NodeFault, View, listings};
use crate::health::Health;
use crate::sender::{Intent, SendError, Sender, Sent};
use crate::trace::{Agreeing, BlockId, L2Block, OutputSource, RollupNode, TraceError};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::Revert;
use rebut_contracts::bindings::{DisputeGameFactory as Factory, FaultDisputeGame as Game};
use rebut_dispute::GameType;
use rebut_host::source::{NodeUrl, Policy};
use rebut_program::Output;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::sync::watch;

/// Entries of the factory's list that are asked for at once.
const LISTING_STEP: u64 = 100;

/// What is proposed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The factory.
    pub factory: Address,
    /// Kind of the games that are created.
    pub game_type: GameType,
    /// Between two proposals.
    pub proposal_interval: Duration,
    /// Between two looks.
    pub poll_interval: Duration,
    /// Whether blocks are proposed that final L1 data does not imply yet.
    pub allow_non_finalized: bool,
}

/// Why nothing was proposed.
#[derive(Debug, Error)]
pub enum ProposeError {
    /// L1 does not answer as it should.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A rollup node does not answer as it should, or two of them disagree.
    #[error(transparent)]
    Rollup(#[from] TraceError),
    /// The transaction is not done.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The factory does not answer.
    #[error("the factory at {0} does not answer")]
    Factory(Address),
    /// The factory refuses.
    #[error("the factory refuses: {0}")]
    Refused(Revert),
    /// A rollup node has not seen much of L1.
    #[error("{source_name} lags: it has processed L1 up to block {at}, the newest is {head}")]
    Lagging {
        /// The node.
        source_name: String,
        /// Where it is.
        at: u64,
        /// Where L1 is.
        head: u64,
    },
    /// The rollup nodes follow another L1 than the L1 node.
    #[error(
        "L2 block {block} builds on L1 block {} with the hash {}, which the L1 node does not have", origin.number, origin.hash
    )]
    OtherL1 {
        /// The L2 block.
        block: u64,
        /// Its L1 origin.
        origin: BlockId,
    },
    /// Asking the rollup nodes broke off.
    #[error("asking the rollup nodes broke off")]
    Interrupted,
}

impl ProposeError {
    /// A word for the metric.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Node(_) | Self::Send(SendError::Node(_)) => "l1",
            Self::Rollup(TraceError::Disagreement { .. }) => "disagreement",
            Self::Rollup(TraceError::Answer { .. }) => "wrong_answer",
            Self::Rollup(_) => "rollup",
            Self::Send(SendError::Spending(_)) => "spending_cap",
            Self::Send(SendError::Funds { .. }) => "funds",
            Self::Send(SendError::Signer(_)) => "signer",
            Self::Send(_) => "transaction",
            Self::Factory(_) => "factory",
            Self::Refused(_) => "refused",
            Self::Lagging { .. } => "not_synced",
            Self::OtherL1 { .. } => "other_l1",
            Self::Interrupted => "interrupted",
        }
    }
}

/// What a look at the chains led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// A game was created.
    Created {
        /// The root that was proposed.
        root: B256,
        /// The block that it is of.
        block: L2Block,
    },
    /// A game would have been created, in a dry run.
    Dry {
        /// The root.
        root: B256,
        /// The number of its block.
        block: u64,
    },
    /// It is not time yet.
    NotDue,
    /// It is time, but the newest block that is safe enough is proposed already, by whomever.
    Known {
        /// Its number.
        block: u64,
    },
    /// There is nothing that is safe enough.
    NothingSafe,
}

/// Posts output roots.
#[derive(Debug)]
pub struct Proposer {
    lens: Lens,
    rollups: Arc<Mutex<Agreeing<RollupNode>>>,
    sender: Arc<Sender>,
    schedule: Schedule,
}

/// The call that creates a game about an L2 block, with the bond that the factory asks for.
///
/// # Errors
/// [`ProposeError::Factory`] where there is no factory, or [`ProposeError::Node`].
pub async fn create_game(
    lens: &Lens,
    factory: Address,
    game_type: GameType,
    root: B256,
    l2_block: u64,
    block: &Block,
) -> Result<Intent, ProposeError> {
    let bond = lens.view(factory, &Factory::initBondsCall(game_type.0), block).await?;
    let call = Factory::createCall {
        _gameType: game_type.0,
        _rootClaim: root,
        _extraData: U256::from(l2_block).to_be_bytes_vec().into(),
    };
    Ok(Intent {
        to: factory,
        value: bond.ok_or(ProposeError::Factory(factory))?,
        data: call.abi_encode().into(),
        what: format!("propose {root} for L2 block {l2_block}"),
    })
}

/// Rollup nodes of the chain that games of this type are about, where the factory says which.
///
/// # Errors
/// [`NodeError`] where L1 does not answer.
pub async fn rollup_nodes(
    lens: &Lens,
    schedule: &Schedule,
    urls: &[NodeUrl],
    policy: &Policy,
) -> Result<Agreeing<RollupNode>, NodeError> {
    let head = lens.node().head().await?;
    let game_type = schedule.game_type;
    let blueprint = Blueprint::read(lens, schedule.factory, game_type.0, &head).await?;
    let chain_id = match blueprint {
        Some(blueprint) => blueprint.l2_chain_id(lens, &head).await?,
        None => {
            tracing::warn!("the factory makes no {game_type} games, as yet");
            None
        }
    };
    let node = |url: &NodeUrl| RollupNode::new(url.clone(), chain_id, policy);
    Ok(Agreeing::new(urls.iter().map(node).collect()))
}

impl Proposer {
    /// A proposer; the roots are those that all of `rollups` say.
    pub fn new(
        lens: Lens,
        rollups: Agreeing<RollupNode>,
        sender: Arc<Sender>,
        schedule: Schedule,
    ) -> Self {
        Self { lens, rollups: Arc::new(Mutex::new(rollups)), sender, schedule }
    }

    /// Asks the rollup nodes on a thread that can wait.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Agreeing<RollupNode>) -> Result<T, ProposeError> + Send + 'static,
    ) -> Result<T, ProposeError> {
        let rollups = Arc::clone(&self.rollups);
        let asked = tokio::task::spawn_blocking(move || {
            question(&mut rollups.lock().unwrap_or_else(PoisonError::into_inner))
        });
        asked.await.unwrap_or(Err(ProposeError::Interrupted))
    }

    /// Waits until the rollup nodes have derived up to the newest L1 block.
    ///
    /// # Errors
    /// [`NodeError`] where L1 does not answer.
    pub async fn wait_for_sync(&self) -> Result<(), NodeError> {
        let head = self.lens.node().head().await?.number;
        let behind = move |rollups: &mut Agreeing<RollupNode>| {
            let mut least = u64::MAX;
            for rollup in rollups.each() {
                least = least.min(rollup.sync_status()?.current_l1.number);
            }
            Ok(least)
        };
        loop {
            match self.ask(behind).await {
                Ok(at) if at >= head => return Ok(()),
                Ok(at) => tracing::info!(at, head, "waiting for the rollup nodes"),
                Err(error) => tracing::warn!(%error, "waiting for the rollup nodes"),
            }
            tokio::time::sleep(self.schedule.poll_interval).await;
        }
    }

    /// Proposes until `stop` becomes true, and finishes what is in flight then.
    pub async fn run(self, health: Arc<Health>, mut stop: watch::Receiver<bool>) {
        metrics::gauge!("op_proposer_default_up").set(1);
        let proposer = Arc::new(self);
        let mut ticks = tokio::time::interval(proposer.schedule.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // A proposal may take until its transaction is deep enough; L1 is looked at meanwhile.
        let mut proposal = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    proposer.look(&health).await;
                    if proposal.is_none() {
                        let proposer = Arc::clone(&proposer);
                        proposal = Some(tokio::spawn(async move { proposer.propose().await }));
                    }
                }
                ended = finished(&mut proposal) => report(ended, &health),
                () = crate::stopped(&mut stop) => break,
            }
        }
        if proposal.is_some() {
            report(finished(&mut proposal).await, &health);
        }
        metrics::gauge!("op_proposer_default_up").set(0);
    }

    async fn look(&self, health: &Health) {
        match self.lens.node().head().await {
            Ok(head) => health.polled(head.number),
            Err(error) => health.failed(&error),
        }
        self.sender.report_balance().await;
    }

    /// Proposes the newest block that is safe enough, if it is time to. Only one of these may be under way.
    ///
    /// # Errors
    /// [`ProposeError`]; then nothing was proposed, or it is not known to be on chain.
    pub async fn propose(&self) -> Result<Proposed, ProposeError> {
        let head = self.sender.settled().await?;
        if self.proposed_recently(&head).await? {
            return Ok(Proposed::NotDue);
        }
        let Schedule { factory, game_type, allow_non_finalized, .. } = self.schedule;
        let number = head.number;
        let newest = self.ask(move |rollups| newest(rollups, number, allow_non_finalized)).await?;
        let Some((output, block)) = newest else { return Ok(Proposed::NothingSafe) };
        self.check_origin(&block).await?;
        let (root, number) = (output.root(), block.number);
        let games = Factory::gamesCall {
            _gameType: game_type.0,
            _rootClaim: root,
            _extraData: U256::from(number).to_be_bytes_vec().into(),
        };
        let known = self.lens.view(factory, &games, &head).await?;
        if !known.ok_or(ProposeError::Factory(factory))?.proxy_.is_zero() {
            return Ok(Proposed::Known { block: number });
        }
        let intent = create_game(&self.lens, factory, game_type, root, number, &head).await?;
        // Where another process with this key was faster, it may have proposed another block.
        match self.sender.send_once(&intent).await? {
            Sent::Done(_) => Ok(Proposed::Created { root, block }),
            Sent::Dry { .. } => Ok(Proposed::Dry { root, block: number }),
            Sent::Refused(revert) => Err(ProposeError::Refused(revert)),
        }
    }

    /// Whether the L1 block that an L2 block builds on is one of the L1 node's.
    async fn check_origin(&self, block: &L2Block) -> Result<(), ProposeError> {
        let L2Block { number, l1_origin: origin, .. } = *block;
        match self.lens.node().block_at(origin.number).await {
            Ok(found) if found.hash == origin.hash => Ok(()),
            Ok(_) | Err(NodeError { fault: NodeFault::Absent, .. }) => {
                Err(ProposeError::OtherL1 { block: number, origin })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this account has created a game of this kind within the interval.
    async fn proposed_recently(&self, head: &Block) -> Result<bool, ProposeError> {
        let factory = self.schedule.factory;
        let count = self.lens.view(factory, &Factory::gameCountCall {}, head).await?;
        let mut to = count.ok_or(ProposeError::Factory(factory))?.saturating_to::<u64>();
        let earliest = head.timestamp.saturating_sub(self.schedule.proposal_interval.as_secs());
        while to > 0 {
            let from = to.saturating_sub(LISTING_STEP);
            let entries = listings(&self.lens, factory, from, to, head).await?;
            let recent: Vec<&Listing> = entries
                .iter()
                .filter(|entry| entry.created_at.0 > earliest)
                .filter(|entry| entry.game_type == self.schedule.game_type)
                .collect();
            let views: Vec<View> = recent
                .iter()
                .map(|entry| View::new(entry.address, &Game::gameCreatorCall {}))
                .collect();
            for answer in self.lens.views(&views, head).await? {
                if answer.decode::<Game::gameCreatorCall>() == Some(self.sender.address()) {
                    return Ok(true);
                }
            }
            if entries.iter().any(|entry| entry.created_at.0 <= earliest) {
                break;
            }
            to = from;
        }
        Ok(false)
    }
}

/// The newest block that all nodes call safe enough, and its output; none while that is genesis.
fn newest(
    rollups: &mut Agreeing<RollupNode>,
    head: u64,
    allow_non_finalized: bool,
) -> Result<Option<(Output, L2Block)>, ProposeError> {
    let mut newest = None;
    for rollup in rollups.each() {
        let status = rollup.sync_status()?;
        if !status.keeps_up(head) {
            let (source_name, at) = (rollup.name(), status.current_l1.number);
            return Err(ProposeError::Lagging { source_name, at, head });
        }
        let own = match allow_non_finalized {
            true => status.safe_l2.number,
            false => status.finalized_l2.number,
        };
        newest = Some(newest.map_or(own, |newest: u64| newest.min(own)));
    }
    match newest {
        Some(0) => Ok(None),
        // Without any node this is the error that says so.
        newest => Ok(Some(rollups.output_and_block(newest.unwrap_or_default())?)),
    }
}

type Proposal = tokio::task::JoinHandle<Result<Proposed, ProposeError>>;

/// How the proposal under way ended; for ever where there is none.
async fn finished(proposal: &mut Option<Proposal>) -> Result<Proposed, ProposeError> {
    let ended = match proposal.as_mut() {
        Some(proposal) => proposal.await.unwrap_or(Err(ProposeError::Interrupted)),
        None => std::future::pending().await,
    };
    *proposal = None;
    ended
}

fn report(ended: Result<Proposed, ProposeError>, health: &Health) {
    match ended {
        Ok(Proposed::Created { root, block }) => {
            show(&block);
            tracing::info!(block = block.number, %root, "proposed");
        }
        Ok(Proposed::Dry { root, block }) => tracing::info!(block, %root, "would be proposed"),
        Ok(Proposed::NotDue) => {}
        Ok(Proposed::Known { block }) => {
            tracing::info!(block, "a proposal is due, but that block's root is proposed already");
        }
        Ok(Proposed::NothingSafe) => tracing::info!("no block is safe enough"),
        Err(error) => {
            let reason = error.reason();
            metrics::counter!("op_proposer_default_not_proposed", "reason" => reason).increment(1);
            health.failed(&error);
            tracing::warn!(%error, reason, "not proposing");
        }
    }
}

/// Shows the block that was proposed, as deployed services show blocks.
fn show(block: &L2Block) {
    let L2Block { hash, number, timestamp, l1_origin, sequence_number } = *block;
    metrics::gauge!("op_proposer_default_proposed_sequence_number").set(number as f64);
    let of = |layer: &'static str| [("layer", layer), ("type", "proposed")];
    // The hash's beginning, so that two that differ are seen to.
    let print = |hash: B256| u64::from_le_bytes(*hash.first_chunk().unwrap_or(&[0; 8])) as f64;
    for (layer, number, hash) in
        [("l2", number, hash), ("l1_origin", l1_origin.number, l1_origin.hash)]
    {
        metrics::gauge!("op_proposer_default_refs_number", &of(layer)).set(number as f64);
        metrics::gauge!("op_proposer_default_refs_hash", &of(layer)).set(print(hash));
    }
    metrics::gauge!("op_proposer_default_refs_time", &of("l2")).set(timestamp as f64);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    metrics::gauge!("op_proposer_default_refs_latency", &of("l2")).set(timestamp as f64 - now);
    metrics::gauge!("op_proposer_default_refs_seqnr", "type" => "proposed")
        .set(sequence_number as f64);
}
