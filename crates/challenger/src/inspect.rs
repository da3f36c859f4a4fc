//! Games for people: lists, claims, credits, as they stand after one block.

use crate::chain::{
    Answer, Block, Lens, Listing, Malformed, NodeError, Snapshot, View, listings, snapshots,
};
use crate::trace::{GameTrace, TraceError};
use alloy_primitives::{Address, B256, U256};
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, DisputeGameFactory as Factory,
    FaultDisputeGame as Game,
};
use rebut_dispute::{ClaimIndex, Game as Claims, GameStatus, GameType, Timestamp, Trace};
use serde::Serialize;
use std::collections::BTreeSet;
use thiserror::Error;

/// Entries of the factory's list that are asked for at once.
const LISTING_STEP: u64 = 200;

/// Why there is nothing to show.
#[derive(Debug, Error)]
pub enum InspectError {
    /// The node does not answer as it should.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// No factory answers.
    #[error("no DisputeGameFactory answers at {0}")]
    Factory(Address),
    /// The address is no game, or none that can be read.
    #[error("{game} is no readable game: {why}")]
    Game {
        /// The address.
        game: Address,
        /// Why.
        why: Malformed,
    },
}

/// A game in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GameLine {
    /// Place in the factory's list.
    pub index: u64,
    /// The game.
    pub game: Address,
    /// Number of its kind.
    pub game_type: u32,
    /// Unix time of its creation, in seconds.
    pub created_at: u64,
    /// Block number or timestamp that it is about; none where it does not say.
    pub l2_sequence_number: Option<U256>,
    /// What it claims.
    pub root_claim: Option<B256>,
    /// Number of claims; 0 in kinds of games that have none.
    pub claims: U256,
    /// Where it stands.
    pub status: Option<&'static str>,
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimLine {
    /// Its index.
    pub index: u32,
    /// What it answers.
    pub parent: Option<u32>,
    /// `attack`, `defend`, or nothing for the root.
    pub side: Option<String>,
    /// Levels below the root.
    pub depth: u8,
    /// Index on its level.
    pub index_at_depth: String,
    /// Position, a generalised index.
    pub position: String,
    /// Its value.
    pub value: B256,
    /// Who made it.
    pub claimant: Address,
    /// Who has countered it.
    pub countered_by: Option<Address>,
    /// Its bond in wei.
    pub bond: String,
    /// What its side had used when it was made, in seconds.
    pub clock_duration: u64,
    /// When it was made.
    pub clock_timestamp: u64,
    /// What the other side has left to answer it, in seconds.
    pub time_left: u64,
    /// Whether its subgame is resolved.
    pub resolved: bool,
}

/// What an account can get from a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditLine {
    /// The account.
    pub account: Address,
    /// Wei.
    pub credit: U256,
    /// Whether the first of the two calls is made.
    pub unlocked: bool,
    /// Wei that wait in the WETH.
    pub withdrawal: U256,
    /// Since when they do.
    pub unlocked_at: U256,
}

/// All credits of a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Credits {
    /// The game.
    pub game: Address,
    /// `undecided`, `normal`, `refund`, or `legacy` for contracts without modes.
    pub mode: &'static str,
    /// Where the bonds are.
    pub weth: Address,
    /// Wei that the WETH holds, for all games.
    pub weth_balance: U256,
    /// Its delay in seconds.
    pub delay: U256,
    /// By account.
    pub accounts: Vec<CreditLine>,
}

/// Whether anything may rest on a game. Without a value is what its contracts do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The factory created it.
    pub registered: Option<bool>,
    /// Its type was the respected one when it was created.
    pub respected: bool,
    /// The guardian took it out.
    pub blacklisted: Option<bool>,
    /// The guardian took out all games up to then.
    pub retired: Option<bool>,
    /// The system is paused.
    pub paused: Option<bool>,
    /// It was resolved longer ago than the finality delay.
    pub finalized: Option<bool>,
    /// To whom bonds go: `undecided`, `normal`, `refund`, or `legacy` for contracts without modes.
    pub bonds: &'static str,
}

/// What the registry and the game say about whether it counts.
///
/// # Errors
/// [`NodeError`].
pub async fn standing(
    lens: &Lens,
    snapshot: &Snapshot,
    block: &Block,
) -> Result<Standing, NodeError> {
    let facts = &snapshot.facts;
    let (game, registry) = (facts.listing.address, facts.anchor_state_registry);
    let views = [
        View::new(registry, &Registry::isGameRegisteredCall { _game: game }),
        View::new(registry, &Registry::isGameBlacklistedCall { _game: game }),
        View::new(registry, &Registry::isGameRetiredCall { _game: game }),
        View::new(registry, &Registry::isGameFinalizedCall { _game: game }),
        View::new(registry, &Registry::pausedCall {}),
        View::new(game, &Game::bondDistributionModeCall {}),
    ];
    let answers = lens.views(&views, block).await?;
    // All of them answer with one word.
    let is = |place: usize| answers.get(place)?.decode::<Registry::pausedCall>();
    Ok(Standing {
        registered: is(0),
        respected: facts.was_respected,
        blacklisted: is(1),
        retired: is(2),
        finalized: is(3),
        paused: is(4),
        bonds: mode_name(answers.get(5)),
    })
}

/// A bond distribution mode in a word.
fn mode_name(answer: Option<&Answer>) -> &'static str {
    match answer.and_then(|mode| mode.decode::<Game::bondDistributionModeCall>()) {
        Some(0) => "undecided",
        Some(1) => "normal",
        Some(2) => "refund",
        Some(_) => "unknown",
        None => "legacy",
    }
}

/// What is true in a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Truth {
    /// Claims that hold what is true at their place.
    pub right: Vec<u32>,
    /// Claims that hold something else.
    pub wrong: Vec<u32>,
    /// Execution traces that were looked into.
    pub traces: u32,
    /// Instructions of the longest of them.
    pub instructions: u64,
    /// Instructions executed to know all this.
    pub executed: u64,
    /// Time spent on that, in milliseconds.
    pub trace_milliseconds: u64,
}

/// Compares every claim with what is true at its place.
///
/// # Errors
/// [`TraceError`] where that is not known of one of them.
pub fn truth(game: &Claims, trace: &mut GameTrace) -> Result<Truth, TraceError> {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for (index, claim) in game.claims() {
        let is_right = trace.claim(game, index, claim.position)? == claim.value;
        if is_right { &mut right } else { &mut wrong }.push(index.0);
    }
    let work = trace.work();
    Ok(Truth {
        right,
        wrong,
        traces: work.traces,
        instructions: work.longest,
        executed: work.executed,
        trace_milliseconds: u64::try_from(work.time.as_millis()).unwrap_or(u64::MAX),
    })
}

/// A status in a word, as tooling writes it.
pub const fn status_name(status: GameStatus) -> &'static str {
    match status {
        GameStatus::InProgress => "In Progress",
        GameStatus::ChallengerWins => "Challenger Won",
        GameStatus::DefenderWins => "Defender Won",
    }
}

/// The factory's games that are at most `window_seconds` old (0: all), the oldest first.
///
/// # Errors
/// [`InspectError`].
pub async fn games(
    lens: &Lens,
    factory: Address,
    window_seconds: u64,
    block: &Block,
) -> Result<Vec<GameLine>, InspectError> {
    let count = lens.view(factory, &Factory::gameCountCall {}, block).await?;
    let mut to = count.ok_or(InspectError::Factory(factory))?.saturating_to::<u64>();
    let earliest = match window_seconds {
        0 => Timestamp(0),
        window => Timestamp(block.timestamp.saturating_sub(window)),
    };
    let mut entries: Vec<Listing> = Vec::new();
    while to > 0 {
        let from = to.saturating_sub(LISTING_STEP);
        let piece = listings(lens, factory, from, to, block).await?;
        let complete = piece.iter().any(|entry| entry.created_at < earliest);
        entries.extend(piece.into_iter().filter(|entry| entry.created_at >= earliest));
        if complete {
            break;
        }
        to = from;
    }
    entries.sort_by_key(|entry| entry.index);
    let views: Vec<View> = entries
        .iter()
        .flat_map(|entry| {
            [
                View::new(entry.address, &Game::l2SequenceNumberCall {}),
                View::new(entry.address, &Game::rootClaimCall {}),
                View::new(entry.address, &Game::claimDataLenCall {}),
                View::new(entry.address, &Game::statusCall {}),
                View::new(entry.address, &Game::l2BlockNumberCall {}),
            ]
        })
        .collect();
    let answers = lens.views(&views, block).await?;
    let lines = entries.iter().zip(answers.chunks(5)).filter_map(|(entry, answers)| {
        let [sequence, root, claims, status, number] = answers else { return None };
        let status = status.decode::<Game::statusCall>();
        Some(GameLine {
            index: entry.index,
            game: entry.address,
            game_type: entry.game_type.0,
            created_at: entry.created_at.0,
            l2_sequence_number: sequence
                .decode::<Game::l2SequenceNumberCall>()
                .or_else(|| number.decode::<Game::l2BlockNumberCall>()),
            root_claim: root.decode::<Game::rootClaimCall>(),
            claims: claims.decode::<Game::claimDataLenCall>().unwrap_or_default(),
            status: status.and_then(|s| GameStatus::try_from(s).ok()).map(status_name),
        })
    });
    Ok(lines.collect())
}

/// One game, whatever factory it is of.
///
/// # Errors
/// [`InspectError::Game`] where there is none that can be read.
pub async fn game(lens: &Lens, game: Address, block: &Block) -> Result<Snapshot, InspectError> {
    let malformed = |what| InspectError::Game { game, why: Malformed::Getter(what) };
    let kind = lens.view(game, &Game::gameTypeCall {}, block).await?;
    let created = lens.view(game, &Game::createdAtCall {}, block).await?;
    let listing = Listing {
        index: 0,
        game_type: GameType(kind.ok_or_else(|| malformed("gameType()"))?),
        created_at: Timestamp(created.ok_or_else(|| malformed("createdAt()"))?),
        address: game,
    };
    let snapshot = snapshots(lens, &[listing], block).await?.pop();
    let snapshot = snapshot.ok_or_else(|| malformed("gameType()"))?;
    snapshot.map_err(|why| InspectError::Game { game, why })
}

/// The claims of a game, in their order.
pub fn claims(game: &Claims, now: Timestamp) -> Vec<ClaimLine> {
    let line = |index: ClaimIndex, claim: &rebut_dispute::Claim| {
        let max = game.parameters().max_clock_duration().0;
        let used = game.challenger_duration(index, now).map_or(max, |used| used.0);
        ClaimLine {
            index: index.0,
            parent: claim.parent.map(|parent| parent.0),
            side: claim.side().map(|side| side.to_string()),
            depth: claim.position.depth().get(),
            index_at_depth: claim.position.index_at_depth().to_string(),
            position: claim.position.to_string(),
            value: claim.value,
            claimant: claim.claimant,
            countered_by: claim.countered_by,
            bond: claim.bond.0.to_string(),
            clock_duration: claim.clock.duration.0,
            clock_timestamp: claim.clock.timestamp.0,
            time_left: max.saturating_sub(used),
            resolved: game.resolution(index).resolved,
        }
    };
    game.claims().map(|(index, claim)| line(index, claim)).collect()
}

/// What every account that took part can get.
///
/// # Errors
/// [`InspectError`].
pub async fn credits(
    lens: &Lens,
    snapshot: &Snapshot,
    block: &Block,
) -> Result<Credits, InspectError> {
    let facts = &snapshot.facts;
    let (game, weth) = (facts.listing.address, facts.weth);
    let mut accounts = BTreeSet::from([facts.creator]);
    for (_, claim) in snapshot.game.claims() {
        accounts.insert(claim.claimant);
        accounts.extend(claim.countered_by);
    }
    accounts.extend(snapshot.game.l2_block_number_challenger);
    let views =
        [View::new(game, &Game::bondDistributionModeCall {}), View::new(weth, &Weth::delayCall {})];
    let shared = lens.views(&views, block).await?;
    let views: Vec<View> = accounts
        .iter()
        .flat_map(|account| {
            [
                View::new(game, &Game::creditCall { _recipient: *account }),
                View::new(game, &Game::hasUnlockedCreditCall(*account)),
                View::new(weth, &Weth::withdrawalsCall { account: game, subAccount: *account }),
            ]
        })
        .collect();
    let answers = lens.views(&views, block).await?;
    let accounts = accounts.iter().zip(answers.chunks(3)).filter_map(|(account, answers)| {
        let [credit, unlocked, withdrawal] = answers else { return None };
        let withdrawal = withdrawal.decode::<Weth::withdrawalsCall>();
        let (withdrawal, unlocked_at) =
            withdrawal.map_or_else(Default::default, |w| (w.amount, w.timestamp));
        Some(CreditLine {
            account: *account,
            credit: credit.decode::<Game::creditCall>()?,
            unlocked: unlocked.decode::<Game::hasUnlockedCreditCall>().unwrap_or_default(),
            withdrawal,
            unlocked_at,
        })
    });
    let delay = shared.get(1).and_then(|delay| delay.decode::<Weth::delayCall>());
    Ok(Credits {
        game,
        mode: mode_name(shared.first()),
        weth,
        weth_balance: lens.node().balance(weth, crate::chain::At::Block(block.hash)).await?,
        delay: delay.unwrap_or_default(),
        accounts: accounts.collect(),
    })
}
