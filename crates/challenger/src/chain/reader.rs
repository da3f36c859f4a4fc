//! Polls of the factory and of all its games.
//!
//! A game costs a full reading only when something in it may have changed. What can change, and how it is noticed:
//!
//! | what | changes | noticed by |
//! |---|---|---|
//! | move | a new claim | the number of claims |
//! | step | `counteredBy` of a claim at the largest depth | that claim is watched until it is countered |
//! | resolveClaim | one claim whose clock has run out | that claim is watched until it is resolved |
//! | challengeRootL2Block | a flag | the flag |
//! | resolve | the status | the status |
//! | addLocalData | the oracle, not the game | whoever is about to load the part looks first |
//! | time | clocks run out | known beforehand from the claims |
//! | a reorganisation | anything | the last block is no longer on the chain: everything is read anew |
//!
//! All of the third column is one hash a game, and one request covers hundreds of games. So a poll without changes
//! asks for the newest block, for the number of games, and for the hashes. Everything is read after the same block;
//! a node that has left its chain meanwhile refuses.

use super::facts::{Facts, Listing, Malformed, facts, listings};
use super::lens::{Answer, CLAIM_BYTES, Lens, View, Watch};
use super::node::{Block, NodeError};
use alloy_primitives::{Address, B256, U256};
use rebut_contracts::bindings::{DisputeGameFactory as Factory, FaultDisputeGame as Fault};
use rebut_dispute::{
    Bond, Claim, ClaimIndex, Clock, Game, GameStatus, GameType, Position, Resolution, Timestamp,
};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;

/// Entries of the factory's list that are asked for at once.
const LISTING_STEP: u64 = 500;
/// Claims of a game at most. The cheapest of them would take bonds of more than 80,000 ether, and all gas of L1 for
/// half a day: a contract that says so is no game.
const MOST_CLAIMS: u32 = 1 << 20;

/// Which games are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The factory.
    pub factory: Address,
    /// Kinds of games; all others are left alone.
    pub game_types: BTreeSet<u32>,
    /// Only these games, where there are any.
    pub allowed: Vec<Address>,
    /// Games that are older than this are left alone, in seconds; 0 for no limit.
    pub window_seconds: u64,
}

/// A game as it stands after one block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What never changes.
    pub facts: Arc<Facts>,
    /// The block.
    pub block: Block,
    /// The game.
    pub game: Game,
}

/// What a poll found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// After which block.
    pub block: Block,
    /// Games that are new, have changed, or in which a clock has run out.
    pub changed: Vec<Address>,
    /// Whether blocks of earlier polls have left the chain. All games count as changed then.
    pub reorganised: bool,
}

/// Why there is no poll. The next one may do better.
#[derive(Clone, Debug, Error)]
pub enum PollError {
    /// The node does not answer as it should.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// There is no factory at the address, or not after this block.
    #[error("no DisputeGameFactory answers at {0}")]
    Factory(Address),
    /// The node lags behind what it has said before.
    #[error("the node's newest block is {found}, it was {known} before")]
    Stale {
        /// The newest block's number.
        found: u64,
        /// What it was.
        known: u64,
    },
}

/// A game that is followed.
#[derive(Debug)]
struct Followed {
    listing: Listing,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing is known yet.
    New,
    /// It cannot be read, and is not tried again while it looks the same.
    Malformed { why: Malformed, print: B256 },
    /// As it was read, what is watched, its hash, and when the next clock runs out.
    Read { snapshot: Arc<Snapshot>, watched: Vec<u32>, print: B256, expiry: Option<Timestamp> },
}

/// Reads a factory's games, and remembers them.
#[derive(Debug)]
pub struct Reader {
    lens: Lens,
    scope: Scope,
    games: HashMap<Address, Followed>,
    listed: u64,
    last: Option<Block>,
}

impl Reader {
    /// A reader that knows nothing yet.
    pub fn new(lens: Lens, scope: Scope) -> Self {
        Self { lens, scope, games: HashMap::new(), listed: 0, last: None }
    }

    /// The lens.
    pub const fn lens(&self) -> &Lens {
        &self.lens
    }

    /// The game as it was last read; none where it is not followed or cannot be read.
    pub fn snapshot(&self, game: Address) -> Option<Arc<Snapshot>> {
        match &self.games.get(&game)?.state {
            State::Read { snapshot, .. } => Some(Arc::clone(snapshot)),
            _ => None,
        }
    }

    /// All games that can be read.
    pub fn snapshots(&self) -> impl Iterator<Item = &Arc<Snapshot>> {
        self.games.values().filter_map(|followed| match &followed.state {
            State::Read { snapshot, .. } => Some(snapshot),
            _ => None,
        })
    }

    /// The games that cannot be read, and why.
    pub fn malformed(&self) -> impl Iterator<Item = (&Listing, &Malformed)> {
        self.games.values().filter_map(|followed| match &followed.state {
            State::Malformed { why, .. } => Some((&followed.listing, why)),
            _ => None,
        })
    }

    /// Makes the next poll read everything anew.
    pub fn forget(&mut self) {
        self.games.clear();
        self.listed = 0;
    }

    /// Looks at the newest block.
    ///
    /// # Errors
    /// [`PollError`]; what was known before is kept.
    pub async fn poll(&mut self) -> Result<Poll, PollError> {
        let block = self.lens.node().head().await?;
        let mut reorganised = false;
        if let Some(last) = self.last {
            if last.hash == block.hash {
                return Ok(Poll { block, changed: Vec::new(), reorganised });
            }
            if block.number < last.number {
                return Err(PollError::Stale { found: block.number, known: last.number });
            }
            reorganised = block.parent_hash != last.hash
                && self.lens.node().block_at(last.number).await?.hash != last.hash;
        }
        if reorganised {
            tracing::warn!(block = block.number, "L1 was reorganised; reading all games anew");
            self.forget();
        }
        // Only a complete poll counts: until then the last block stays, and the next poll looks again.
        self.list(&block).await?;
        let changed = self.refresh(&block).await?;
        self.last = Some(block);
        Ok(Poll { block, changed, reorganised })
    }

    /// Adds the games that are new in the factory, and drops those that have become too old.
    async fn list(&mut self, block: &Block) -> Result<(), PollError> {
        let factory = self.scope.factory;
        let count = self.lens.view(factory, &Factory::gameCountCall {}, block).await?;
        let count = count.ok_or(PollError::Factory(factory))?.saturating_to::<u64>();
        let earliest = match self.scope.window_seconds {
            0 => Timestamp(0),
            window => Timestamp(block.timestamp.saturating_sub(window)),
        };
        let mut found = Vec::new();
        let mut to = count;
        // From the newest to the oldest: the list is in the order of time.
        while to > self.listed {
            let from = to.saturating_sub(LISTING_STEP).max(self.listed);
            let mut entries = listings(&self.lens, factory, from, to, block).await?;
            let complete = entries.iter().any(|entry| entry.created_at < earliest);
            entries.retain(|entry| entry.created_at >= earliest);
            found.extend(entries);
            if complete {
                break;
            }
            to = from;
        }
        self.listed = count;
        self.games.retain(|_, followed| followed.listing.created_at >= earliest);
        let Scope { game_types, allowed, .. } = &self.scope;
        for listing in found {
            let wanted = game_types.contains(&listing.game_type.0)
                && (allowed.is_empty() || allowed.contains(&listing.address));
            if wanted {
                let followed = Followed { listing, state: State::New };
                self.games.entry(listing.address).or_insert(followed);
            }
        }
        Ok(())
    }

    /// Reads the games that have changed.
    async fn refresh(&mut self, block: &Block) -> Result<Vec<Address>, PollError> {
        let now = Timestamp(block.timestamp);
        let mut watches = Vec::with_capacity(self.games.len());
        for (address, followed) in &self.games {
            let claims = match &followed.state {
                State::New | State::Malformed { .. } => Vec::new(),
                State::Read { snapshot, .. } if snapshot.game.status != GameStatus::InProgress => {
                    continue;
                }
                // A clock that has run out makes further claims worth watching.
                State::Read { expiry: Some(at), snapshot, .. } if *at <= now => {
                    watched(&snapshot.game, now)
                }
                State::Read { watched, .. } => watched.clone(),
            };
            watches.push(Watch { game: *address, claims });
        }
        let prints = self.lens.glance(&watches, block).await?;
        let mut changed = Vec::new();
        for (watch, print) in watches.into_iter().zip(prints) {
            let Some(followed) = self.games.get(&watch.game) else { continue };
            let known = match &followed.state {
                State::New => None,
                State::Malformed { print, .. } => Some(*print),
                State::Read { print, watched, .. } => {
                    Some(*print).filter(|_| *watched == watch.claims)
                }
            };
            if known != Some(print) {
                changed.push(watch.game);
            }
        }
        self.read(&changed, block).await?;
        Ok(changed)
    }

    /// Reads games: all of them that is not known to be the same.
    async fn read(&mut self, games: &[Address], block: &Block) -> Result<(), PollError> {
        if games.is_empty() {
            return Ok(());
        }
        let unknown: Vec<Listing> = games
            .iter()
            .filter_map(|game| self.games.get(game))
            .filter(|followed| !matches!(followed.state, State::Read { .. }))
            .map(|followed| followed.listing)
            .collect();
        let now = Timestamp(block.timestamp);
        let read = facts(&self.lens, &unknown, block).await?;
        let mut facts: HashMap<Address, Result<Arc<Facts>, Malformed>> = unknown
            .iter()
            .zip(read)
            .map(|(listing, facts)| (listing.address, facts.map(Arc::new)))
            .collect();

        let heads = heads(&self.lens, games, block).await?;
        let mut plans = Vec::with_capacity(games.len());
        for (address, head) in games.iter().zip(heads) {
            let plan = match (self.snapshot(*address), facts.remove(address)) {
                (Some(known), _) => head.map(|head| Plan::after(head, &known, now)),
                (None, Some(facts)) => {
                    facts.and_then(|facts| head.map(|head| Plan::new(head, facts)))
                }
                (None, None) => continue,
            };
            plans.push((*address, plan));
        }
        let addresses: Vec<Address> = plans.iter().map(|(address, _)| *address).collect();
        let read = read_claims(&self.lens, plans, block).await?;
        let states = addresses.into_iter().zip(read).collect();
        self.remember(states, block).await
    }

    /// Stores what was read, with the hash of what is watched from now on.
    async fn remember(
        &mut self,
        states: Vec<(Address, Result<Snapshot, Malformed>)>,
        block: &Block,
    ) -> Result<(), PollError> {
        let now = Timestamp(block.timestamp);
        let watches: Vec<Watch> = states
            .iter()
            .map(|(game, state)| Watch {
                game: *game,
                claims: state.as_ref().map_or_else(|_| Vec::new(), |s| watched(&s.game, now)),
            })
            .collect();
        let prints = self.lens.glance(&watches, block).await?;
        for (((address, state), watch), print) in states.into_iter().zip(watches).zip(prints) {
            let Some(followed) = self.games.get_mut(&address) else { continue };
            followed.state = match state {
                Ok(snapshot) => State::Read {
                    expiry: next_expiry(&snapshot.game, now),
                    snapshot: Arc::new(snapshot),
                    watched: watch.claims,
                    print,
                },
                Err(why) => {
                    tracing::warn!(game = %address, %why, "a game cannot be read, and is left alone");
                    State::Malformed { why, print }
                }
            };
        }
        Ok(())
    }
}

/// Games as they stand after a block, each read in full.
///
/// # Errors
/// [`NodeError`] where the node fails.
pub async fn snapshots(
    lens: &Lens,
    games: &[Listing],
    block: &Block,
) -> Result<Vec<Result<Snapshot, Malformed>>, NodeError> {
    let addresses: Vec<Address> = games.iter().map(|listing| listing.address).collect();
    let facts = facts(lens, games, block).await?;
    let heads = heads(lens, &addresses, block).await?;
    let plans = facts.into_iter().zip(heads).map(|(facts, head)| {
        let facts = Arc::new(facts?);
        Ok(Plan::new(head?, facts))
    });
    read_claims(lens, addresses.into_iter().zip(plans).collect(), block).await
}

/// Reads the claims that plans ask for.
async fn read_claims(
    lens: &Lens,
    plans: Vec<(Address, Result<Plan, Malformed>)>,
    block: &Block,
) -> Result<Vec<Result<Snapshot, Malformed>>, NodeError> {
    let ranges: Vec<(Address, Range<u32>)> = plans
        .iter()
        .flat_map(|(address, plan)| {
            let ranges = plan.as_ref().map(|plan| plan.ranges.as_slice()).unwrap_or_default();
            ranges.iter().map(|range| (*address, range.clone()))
        })
        .collect();
    let claims = lens.claims(&ranges, block).await?;
    let mut rest = claims.as_slice();
    let snapshots = plans.into_iter().map(|(_, plan)| {
        let plan = plan?;
        let (own, others) = rest.split_at_checked(plan.ranges.len()).unwrap_or_default();
        rest = others;
        let game = plan.game(own)?;
        Ok(Snapshot { facts: plan.facts, block: *block, game })
    });
    Ok(snapshots.collect())
}

/// What of a game can change besides its claims.
#[derive(Clone, Copy, Debug)]
struct Head {
    status: GameStatus,
    claims: u32,
    l2_block_number_challenger: Option<Address>,
}

async fn heads(
    lens: &Lens,
    games: &[Address],
    block: &Block,
) -> Result<Vec<Result<Head, Malformed>>, NodeError> {
    let views: Vec<View> = games
        .iter()
        .flat_map(|game| {
            [
                View::new(*game, &Fault::statusCall {}),
                View::new(*game, &Fault::claimDataLenCall {}),
                View::new(*game, &Fault::l2BlockNumberChallengedCall {}),
                View::new(*game, &Fault::l2BlockNumberChallengerCall {}),
            ]
        })
        .collect();
    let answers = lens.views(&views, block).await?;
    Ok(answers.chunks(4).map(head).collect())
}

fn head(answers: &[Answer]) -> Result<Head, Malformed> {
    let [status, length, challenged, challenger] = answers else {
        return Err(Malformed::Getter("status()"));
    };
    let status = status.decode::<Fault::statusCall>().ok_or(Malformed::Getter("status()"))?;
    let length =
        length.decode::<Fault::claimDataLenCall>().ok_or(Malformed::Getter("claimDataLen()"))?;
    let claims = u32::try_from(length)
        .ok()
        .filter(|claims| *claims <= MOST_CLAIMS)
        .ok_or(Malformed::Range { what: "claimDataLen", value: length })?;
    let challenged = challenged.decode::<Fault::l2BlockNumberChallengedCall>().unwrap_or(false);
    Ok(Head {
        status: GameStatus::try_from(status)?,
        claims,
        l2_block_number_challenger: challenged
            .then(|| challenger.decode::<Fault::l2BlockNumberChallengerCall>().unwrap_or_default()),
    })
}

/// Which claims are to be read, and what they are added to.
#[derive(Debug)]
struct Plan {
    facts: Arc<Facts>,
    head: Head,
    known: Option<Arc<Snapshot>>,
    ranges: Vec<Range<u32>>,
}

impl Plan {
    fn new(head: Head, facts: Arc<Facts>) -> Self {
        Self { facts, head, known: None, ranges: std::iter::once(0..head.claims).collect() }
    }

    /// Only what may differ from what is known: new claims, and those that can have changed without one.
    fn after(head: Head, known: &Arc<Snapshot>, now: Timestamp) -> Self {
        let length = known.game.claims().len() as u32;
        let facts = Arc::clone(&known.facts);
        if head.claims < length {
            return Self::new(head, facts);
        }
        let mut ranges: Vec<_> = watched(&known.game, now).into_iter().map(|i| i..i + 1).collect();
        ranges.push(length..head.claims);
        Self { facts, head, known: Some(Arc::clone(known)), ranges }
    }

    fn game(&self, claims: &[Vec<u8>]) -> Result<Game, Malformed> {
        let short = |read: usize| Malformed::Claims {
            read: read as u64,
            claims: U256::from(self.head.claims),
        };
        let mut game = match &self.known {
            Some(known) => {
                let mut game = known.game.clone();
                for (range, words) in self.ranges.iter().zip(claims) {
                    for (index, words) in range.clone().zip(words.chunks_exact(CLAIM_BYTES)) {
                        let (claim, resolution) = claim(words)?;
                        let index = ClaimIndex(index);
                        if (index.0 as usize) < game.claims().len() {
                            game.set_countered_by(index, claim.countered_by)?;
                        } else {
                            game.push(claim)?;
                        }
                        game.set_resolution(index, resolution)?;
                    }
                }
                game
            }
            None => {
                let words = claims.first().map(Vec::as_slice).unwrap_or_default();
                let read: Vec<_> =
                    words.chunks_exact(CLAIM_BYTES).map(claim).collect::<Result<_, Malformed>>()?;
                let mut game = Game::new(
                    self.facts.parameters,
                    self.facts.starting,
                    self.facts.l2_sequence_number,
                    read.iter().map(|(claim, _)| *claim),
                )?;
                for (index, (_, resolution)) in (0..).zip(&read) {
                    game.set_resolution(ClaimIndex(index), *resolution)?;
                }
                game
            }
        };
        if game.claims().len() != self.head.claims as usize {
            return Err(short(game.claims().len()));
        }
        let root = game.claim(ClaimIndex::ROOT)?.value;
        if root != self.facts.root_claim {
            return Err(Malformed::Listing("root claim"));
        }
        game.status = self.head.status;
        game.l2_block_number_challenger = self.head.l2_block_number_challenger;
        Ok(game)
    }
}

/// One claim from the lens's nine words.
fn claim(words: &[u8]) -> Result<(Claim, Resolution), Malformed> {
    let word = |index: usize| {
        let bytes = words.get(index * 32..(index + 1) * 32).unwrap_or(&[0; 32]);
        U256::from_be_slice(bytes)
    };
    fn number<T: TryFrom<U256>>(what: &'static str, value: U256) -> Result<T, Malformed> {
        T::try_from(value).map_err(|_| Malformed::Range { what, value })
    }
    let address = |index| Address::from_word(word(index).into());
    let parent: u32 = number("parent", word(0))?;
    let countered_by = address(1);
    let claim = Claim {
        parent: (parent != u32::MAX).then_some(ClaimIndex(parent)),
        countered_by: (!countered_by.is_zero()).then_some(countered_by),
        claimant: address(2),
        bond: Bond(number("bond", word(3))?),
        value: word(4).into(),
        position: Position::new(number("position", word(5))?)
            .map_err(rebut_dispute::GameError::from)?,
        clock: Clock::unpack(number("clock", word(6))?),
    };
    let resolution =
        Resolution { resolved: !word(7).is_zero(), visited: number("checkpoint", word(8))? };
    Ok((claim, resolution))
}

/// Claims that can change `now` without a new claim: by a step, or by being resolved.
fn watched(game: &Game, now: Timestamp) -> Vec<u32> {
    let max = game.parameters().max_depth();
    let clock = game.parameters().max_clock_duration();
    let watched = game.claims().filter(|(index, claim)| {
        let steppable = claim.position.depth() == max && claim.countered_by.is_none();
        let expired = game.challenger_duration(*index, now).is_ok_and(|used| used >= clock);
        steppable || (expired && !game.resolution(*index).resolved)
    });
    watched.map(|(index, _)| index.0).collect()
}

/// When the next clock runs out; none where all have.
fn next_expiry(game: &Game, now: Timestamp) -> Option<Timestamp> {
    let clock = game.parameters().max_clock_duration();
    let left = game.claims().filter_map(|(index, _)| {
        let used = game.challenger_duration(index, now).ok()?;
        clock.0.checked_sub(used.0).filter(|left| *left > 0)
    });
    left.min().map(|left| Timestamp(now.0.saturating_add(left)))
}

/// Kinds of games that this agent can play.
pub const PLAYED_TYPES: [GameType; 7] = [
    GameType::CANNON,
    GameType::PERMISSIONED_CANNON,
    GameType::ASTERISC,
    GameType::ASTERISC_KONA,
    GameType::CANNON_KONA,
    GameType::FAST,
    GameType::ALPHABET,
];
