//! One game, from its creation to the last bond: two challengers in turns, and time that passes.

use super::liar::{Belief, Book, Lies, lie};
use super::stage::{L2_BLOCKS, Stage, Who};
use crate::log::print;
use alloy_primitives::{Address, B256};
use anyhow::{Context, anyhow, bail};
use rebut_challenger::agent::{Agent, Options, Player, Rules, Traces};
use rebut_challenger::chain::{Block, Reader, Scope, Snapshot};
use rebut_challenger::health::Health;
use rebut_challenger::inspect;
use rebut_challenger::proposer::{Proposed, Proposer, Schedule, create_game, rollup_nodes};
use rebut_challenger::sender::{Policy, Sender, Sent};
use rebut_contracts::bindings::DisputeGameFactory as Factory;
use rebut_dispute::{GameStatus, GameType};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Turns within which a game has to end.
const TURNS: u32 = 400;
/// Claims between two lines of progress.
const LINE: usize = 10;

/// Both sides.
pub struct Sides {
    honest: Agent,
    liar: Agent,
    /// The accounts by who they are.
    pub challenger: Address,
    pub proposer: Address,
    pub liar_account: Address,
    proposers: Arc<Sender>,
    liars: Arc<Sender>,
    /// What the honest side's traces took.
    pub book: Book,
}

/// A game that is over.
pub struct Played {
    /// As it stood when it was resolved.
    pub resolved: Arc<Snapshot>,
    /// The L1 block before it was created.
    pub first: u64,
    /// Seconds that it took.
    pub seconds: f64,
}

fn policy() -> Policy {
    Policy {
        confirmations: 1,
        resubmission_timeout: Duration::from_secs(10),
        receipt_interval: Duration::from_millis(3),
        ..Policy::default()
    }
}

async fn sender(stage: &Stage, who: Who) -> anyhow::Result<Arc<Sender>> {
    let signer = who.keys().open(Duration::from_secs(1))?;
    Ok(Arc::new(Sender::new(stage.lens.node().clone(), signer, policy()).await?))
}

/// The challenger as `rebut challenger` runs it, but for who gives it turns.
fn agent(
    stage: &Stage,
    sender: Arc<Sender>,
    traces: Arc<dyn Traces>,
    ours: Vec<Address>,
    game_types: &[u32],
) -> Agent {
    let lens = stage.lens.clone();
    let scope = Scope {
        factory: stage.at.dispute_game_factory,
        game_types: game_types.iter().copied().collect(),
        allowed: Vec::new(),
        window_seconds: 0,
    };
    // Whoever has nothing to win resolves nothing.
    let rules = Rules { selective_resolution: ours.is_empty(), ours, ..Rules::default() };
    let player = Player { lens: lens.clone(), sender, rules };
    let options = Options { poll_interval: Duration::from_millis(50), ..Options::default() };
    let health = Arc::new(Health::new(Duration::from_secs(600)));
    Agent::new(Reader::new(lens, scope), player, traces, options, health)
}

impl Sides {
    /// Two sides; the liar lies by the type of the game.
    pub async fn new(stage: &Stage, lies: BTreeMap<u32, Lies>) -> anyhow::Result<Self> {
        let game_types: Vec<u32> = lies.keys().copied().collect();
        let [challengers, proposers, liars] = [
            sender(stage, Who::Challenger).await?,
            sender(stage, Who::Proposer).await?,
            sender(stage, Who::Liar).await?,
        ];
        let (challenger, proposer) = (challengers.address(), proposers.address());
        let book = Book::default();
        let prestate = (stage.prestates()?, stage.prestate, stage.vm);
        let truth = Belief::truth(stage.traces("honest")?, prestate.clone(), Arc::clone(&book));
        let lies = Belief::lies(stage.traces("liar")?, prestate, lies);
        let ours = vec![challenger, proposer];
        let honest = agent(stage, challengers, Arc::new(truth), ours, &game_types);
        let liar_account = liars.address();
        let liar = agent(stage, Arc::clone(&liars), Arc::new(lies), Vec::new(), &game_types);
        Ok(Self { honest, liar, challenger, proposer, liar_account, proposers, liars, book })
    }

    /// The honest accounts.
    pub const fn honest_accounts(&self) -> [Address; 2] {
        [self.challenger, self.proposer]
    }

    /// Creates a game about the last block of L2, and plays it to the last bond.
    pub async fn play(
        &mut self,
        stage: &Stage,
        game_type: u32,
        is_true: bool,
    ) -> anyhow::Result<Played> {
        let begin = std::time::Instant::now();
        let first = stage.lens.node().head().await?.number;
        let root = match is_true {
            true => self.propose(stage, game_type).await?,
            false => self.propose_lie(stage, game_type).await?,
        };
        let game = find(stage, game_type, root).await?;
        print(&format!("game {game} of type {game_type}: {root} for block {L2_BLOCKS}\n"));
        // The rollup node has to have seen the game's L1 head, and one block more.
        stage.pass(1).await?;
        stage.follow(0).await?;
        let resolved = self.play_out(stage, game).await?;
        let delays = [stage.config.finality_delay_seconds, stage.config.weth_delay_seconds];
        for delay in delays {
            stage.pass(delay + 1).await?;
            self.honest.round().await?;
        }
        let seconds = begin.elapsed().as_secs_f64();
        print(&format!("game over and paid out after {seconds:.1} s\n"));
        Ok(Played { resolved, first, seconds })
    }

    /// The liar's proposer: another root than the block's.
    async fn propose_lie(&self, stage: &Stage, game_type: u32) -> anyhow::Result<B256> {
        let root = lie(stage.output(L2_BLOCKS).await?);
        let head = stage.lens.node().head().await?;
        let factory = stage.at.dispute_game_factory;
        let kind = GameType(game_type);
        let intent = create_game(&stage.lens, factory, kind, root, L2_BLOCKS, &head).await?;
        match self.liars.send(&intent).await? {
            Sent::Done(_) => Ok(root),
            other => bail!("the false root is not proposed: {other:?}"),
        }
    }

    /// The honest proposer, as `rebut proposer` runs it.
    async fn propose(&self, stage: &Stage, game_type: u32) -> anyhow::Result<B256> {
        let schedule = Schedule {
            factory: stage.at.dispute_game_factory,
            game_type: GameType(game_type),
            proposal_interval: Duration::from_secs(1),
            poll_interval: Duration::from_secs(1),
            allow_non_finalized: true,
        };
        // A node that has not seen the last game's blocks would count as one that does not keep up.
        stage.follow(0).await?;
        let urls = [stage.rollup_url()?];
        let rollups = rollup_nodes(&stage.lens, &schedule, &urls, &Default::default()).await?;
        let proposer =
            Proposer::new(stage.lens.clone(), rollups, Arc::clone(&self.proposers), schedule);
        match proposer.propose().await? {
            Proposed::Created { block, root } if block.number == L2_BLOCKS => Ok(root),
            other => bail!("block {L2_BLOCKS} is not proposed: {other:?}"),
        }
    }

    /// Both sides in turns until neither has anything to say, then time passes, until the game is resolved.
    async fn play_out(&mut self, stage: &Stage, game: Address) -> anyhow::Result<Arc<Snapshot>> {
        let mut told = 0;
        let mut quiet = false;
        let clock = stage.config.games.iter().map(|game| game.max_clock_duration_seconds).max();
        for _ in 0..TURNS {
            let before = stage.lens.node().head().await?;
            self.honest.round().await?;
            self.liar.round().await?;
            let after = stage.lens.node().head().await?;
            let snapshot = inspect::game(&stage.lens, game, &after).await?;
            told = tell(&snapshot, told);
            if snapshot.game.status != GameStatus::InProgress {
                return Ok(Arc::new(snapshot));
            }
            // Where blocks come with transactions alone, a block is something that was done.
            if before.hash == after.hash {
                if !std::mem::replace(&mut quiet, true) {
                    print("neither side has an answer left: the clocks run out\n");
                }
                stage.pass(clock.unwrap_or_default() / 2 + 1).await?;
            }
        }
        bail!("the game does not end")
    }
}

/// A line now and then while claims are made. Gives the claim that was told of last.
fn tell(snapshot: &Snapshot, told: usize) -> usize {
    let Some((index, claim)) = snapshot.game.claims().last() else { return told };
    let (number, depth) = (index.0 as usize, claim.position.depth());
    if number < told + LINE {
        return told;
    }
    let is_output = depth <= snapshot.game.parameters().split_depth();
    let about = if is_output { "output roots" } else { "states of the machine" };
    print(&format!("  claim {number} at depth {}, about {about}\n", depth.get()));
    number
}

/// The game that was created last about the block.
async fn find(stage: &Stage, game_type: u32, root: B256) -> anyhow::Result<Address> {
    let head: Block = stage.lens.node().head().await?;
    let call = Factory::gamesCall {
        _gameType: game_type,
        _rootClaim: root,
        _extraData: alloy_primitives::U256::from(L2_BLOCKS).to_be_bytes_vec().into(),
    };
    let found = stage.lens.view(stage.at.dispute_game_factory, &call, &head).await?;
    let game = found.context("the factory does not answer")?.proxy_;
    if game.is_zero() { Err(anyhow!("the factory does not know the game")) } else { Ok(game) }
}
