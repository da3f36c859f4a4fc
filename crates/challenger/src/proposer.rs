//! The proposer: posts output roots to the factory, one an interval.
//!
//! Nothing is stored: when the last proposal was made is what the factory's list says. Only what L1 data implies is
//! proposed, and only final data unless told otherwise; several rollup nodes must agree on the root.

use crate::chain::{Block, Lens, Listing, NodeError, View, listings};
use crate::health::Health;
use crate::rollup::{output_at, sync_status};
use crate::sender::{Intent, SendError, Sender, Sent};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::Revert;
use rebut_contracts::bindings::{DisputeGameFactory as Factory, FaultDisputeGame as Game};
use rebut_dispute::GameType;
use std::sync::Arc;
use std::time::Duration;
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
    /// A node does not answer as it should.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The transaction is not done.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The factory does not answer.
    #[error("the factory at {0} does not answer")]
    Factory(Address),
    /// The factory refuses.
    #[error("the factory refuses: {0}")]
    Refused(Revert),
    /// Rollup nodes disagree.
    #[error("rollup nodes disagree about block {block}: {first} and {second}")]
    Disagreement {
        /// The block.
        block: u64,
        /// What the first says.
        first: B256,
        /// What another says.
        second: B256,
    },
    /// No rollup node is given.
    #[error("no rollup node")]
    NoSource,
}

/// What a look at the chains led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proposed {
    /// A game was created, or would have been.
    Created {
        /// The block whose root was proposed.
        block: u64,
        /// The root.
        root: B256,
    },
    /// It is not time yet.
    NotDue,
    /// There is nothing that is safe enough.
    NothingSafe,
}

/// Posts output roots.
#[derive(Debug)]
pub struct Proposer {
    lens: Lens,
    rollups: Vec<crate::chain::Node>,
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

impl Proposer {
    /// A proposer; the roots are those that all of `rollups` say.
    pub const fn new(
        lens: Lens,
        rollups: Vec<crate::chain::Node>,
        sender: Arc<Sender>,
        schedule: Schedule,
    ) -> Self {
        Self { lens, rollups, sender, schedule }
    }

    /// Waits until the rollup nodes have derived up to the newest L1 block.
    ///
    /// # Errors
    /// [`NodeError`] where L1 does not answer.
    pub async fn wait_for_sync(&self) -> Result<(), NodeError> {
        let head = self.lens.node().head().await?.number;
        for rollup in &self.rollups {
            loop {
                match sync_status(rollup).await {
                    Ok(status) if status.current_l1.number >= head => break,
                    Ok(status) => {
                        tracing::info!(
                            at = status.current_l1.number,
                            head,
                            "waiting for the rollup node"
                        );
                    }
                    Err(error) => tracing::warn!(%error, "waiting for the rollup node"),
                }
                tokio::time::sleep(self.schedule.poll_interval).await;
            }
        }
        Ok(())
    }

    /// Proposes until `stop` becomes true.
    pub async fn run(self, health: Arc<Health>, mut stop: watch::Receiver<bool>) {
        metrics::gauge!("op_proposer_default_up").set(1);
        let mut ticks = tokio::time::interval(self.schedule.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = crate::stopped(&mut stop) => break,
            }
            match self.look(&health).await {
                Ok(Proposed::Created { block, root }) => {
                    metrics::gauge!("op_proposer_default_proposed_sequence_number")
                        .set(block as f64);
                    tracing::info!(block, %root, "proposed");
                }
                Ok(Proposed::NotDue) => {}
                Ok(Proposed::NothingSafe) => tracing::debug!("no block is safe enough"),
                Err(error) => {
                    metrics::counter!("op_proposer_default_not_proposed").increment(1);
                    health.failed(&error);
                    tracing::warn!(%error, "not proposing");
                }
            }
        }
        metrics::gauge!("op_proposer_default_up").set(0);
    }

    async fn look(&self, health: &Health) -> Result<Proposed, ProposeError> {
        let head = self.lens.node().head().await?;
        health.polled(head.number);
        self.sender.report_balance().await;
        self.propose(&head).await
    }

    /// Proposes the newest safe block, if it is time to.
    ///
    /// # Errors
    /// [`ProposeError`]; then nothing was proposed, or it is not known to be on chain.
    pub async fn propose(&self, head: &Block) -> Result<Proposed, ProposeError> {
        if self.proposed_recently(head).await? {
            return Ok(Proposed::NotDue);
        }
        let Some(block) = self.safe_block().await? else { return Ok(Proposed::NothingSafe) };
        let root = self.agreed_root(block).await?;
        let Schedule { factory, game_type, .. } = self.schedule;
        let games = Factory::gamesCall {
            _gameType: game_type.0,
            _rootClaim: root,
            _extraData: U256::from(block).to_be_bytes_vec().into(),
        };
        let known = self.lens.view(factory, &games, head).await?;
        if !known.ok_or(ProposeError::Factory(factory))?.proxy_.is_zero() {
            // Somebody has proposed the same.
            return Ok(Proposed::NotDue);
        }
        let intent = create_game(&self.lens, factory, game_type, root, block, head).await?;
        match self.sender.send(&intent).await? {
            Sent::Done(_) | Sent::Dry { .. } => Ok(Proposed::Created { block, root }),
            Sent::Refused(revert) => Err(ProposeError::Refused(revert)),
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

    /// The newest block that all nodes call safe enough; none while that is genesis.
    async fn safe_block(&self) -> Result<Option<u64>, ProposeError> {
        let mut safe = None;
        for rollup in &self.rollups {
            let status = sync_status(rollup).await?;
            let own = match self.schedule.allow_non_finalized {
                true => status.safe_l2.number,
                false => status.finalized_l2.number,
            };
            safe = Some(safe.map_or(own, |safe: u64| safe.min(own)));
        }
        Ok(safe.ok_or(ProposeError::NoSource).map(Some)?.filter(|block| *block > 0))
    }

    async fn agreed_root(&self, block: u64) -> Result<B256, ProposeError> {
        let mut agreed = None;
        for rollup in &self.rollups {
            let root = output_at(rollup, block).await?.output_root;
            match agreed {
                Some(first) if first != root => {
                    return Err(ProposeError::Disagreement { block, first, second: root });
                }
                _ => agreed = Some(root),
            }
        }
        agreed.ok_or(ProposeError::NoSource)
    }
}
