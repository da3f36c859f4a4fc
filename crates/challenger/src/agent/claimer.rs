//! Bonds of finished games: closed, unlocked, withdrawn.
//!
//! ```text
//!   resolved ──finality delay──► closeGame decides who gets what ──► unlock ──delay of the WETH──► withdraw
//! ```
//!
//! `claimCredit` does whichever of the last three is next, so a claim takes two calls. A game in which nothing is ours
//! is closed all the same, because closing moves the anchor; in selective mode it is not.

use super::Player;
use crate::chain::{Answer, Block, Snapshot, View};
use crate::sender::{Intent, Sent};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, FaultDisputeGame as Game,
};
use std::collections::HashMap;
use std::sync::Arc;

/// How long a game that cannot be closed (paused, blacklisted meanwhile) is left alone, in seconds of L1 time.
const PAUSE_SECONDS: u64 = 300;

/// Collects bonds.
#[derive(Debug)]
pub struct Claimer {
    player: Arc<Player>,
    /// When to look at a game again, in L1 time; `u64::MAX` when all of it is done.
    due: HashMap<Address, u64>,
}

/// What stands in the way of one account's credit, or what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing is left to do.
    Done,
    /// Nothing before this time.
    Wait(u64),
    /// The game has to be closed, and nothing else.
    Close,
    /// The credit has to be claimed: unlocked, or withdrawn.
    Claim {
        /// Whether this pays it out.
        pays: bool,
    },
}

/// How a game stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closing {
    /// None before contracts had a mode: credit is withdrawn at once there.
    mode: Option<u8>,
    resolved_at: u64,
    finality_delay: u64,
    finalised: bool,
    paused: bool,
    weth_delay: u64,
}

/// How an account stands in a game.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Credit {
    credit: U256,
    unlocked: bool,
    unlocked_at: u64,
}

const UNDECIDED: u8 = 0;

/// What is next for an account. `close` is whether games without credit are closed as well.
fn next(game: &Closing, own: &Credit, close: bool, now: u64) -> Next {
    let later = Next::Wait(now.saturating_add(PAUSE_SECONDS));
    match game.mode {
        Some(UNDECIDED) if own.credit.is_zero() && !close => Next::Done,
        Some(UNDECIDED) if !game.finalised => {
            let at = game.resolved_at.saturating_add(game.finality_delay).saturating_add(1);
            // Past that time something else is missing: the registry does not know the game, for example.
            if at > now { Next::Wait(at) } else { later }
        }
        Some(UNDECIDED) if game.paused => later,
        Some(UNDECIDED) if own.credit.is_zero() => Next::Close,
        Some(UNDECIDED) => Next::Claim { pays: false },
        _ if own.credit.is_zero() => Next::Done,
        Some(_) if !own.unlocked => Next::Claim { pays: false },
        None | Some(_) => {
            let at = own.unlocked_at.saturating_add(game.weth_delay);
            if at > now {
                Next::Wait(at)
            } else if game.paused {
                later
            } else {
                Next::Claim { pays: true }
            }
        }
    }
}

impl Claimer {
    /// A claimer that knows nothing yet.
    pub fn new(player: Arc<Player>) -> Self {
        Self { player, due: HashMap::new() }
    }

    /// Looks at all games again, those that were done with as well: what was paid may be on no chain any more.
    pub fn forget(&mut self) {
        self.due.clear();
    }

    /// Claims what can be claimed in finished games.
    pub async fn claim(&mut self, finished: &[Arc<Snapshot>], block: &Block) {
        self.due.retain(|game, _| finished.iter().any(|s| s.facts.listing.address == *game));
        let due: Vec<&Arc<Snapshot>> = finished
            .iter()
            .filter(|s| {
                self.due.get(&s.facts.listing.address).is_none_or(|at| *at <= block.timestamp)
            })
            .collect();
        if due.is_empty() {
            return;
        }
        let views: Vec<View> = due.iter().flat_map(|s| self.views(s)).collect();
        let answers = match self.player.lens.views(&views, block).await {
            Ok(answers) => answers,
            Err(error) => {
                tracing::warn!(%error, "cannot read credits");
                return;
            }
        };
        let width = GAME_VIEWS + CREDIT_VIEWS * self.player.rules.ours.len();
        for (snapshot, answers) in due.into_iter().zip(answers.chunks(width.max(1))) {
            let at = self.one(snapshot, answers, block.timestamp).await;
            self.due.insert(snapshot.facts.listing.address, at);
        }
    }

    fn views(&self, snapshot: &Snapshot) -> Vec<View> {
        let facts = &snapshot.facts;
        let game = facts.listing.address;
        let registry = facts.anchor_state_registry;
        let mut views = vec![
            View::new(game, &Game::bondDistributionModeCall {}),
            View::new(game, &Game::resolvedAtCall {}),
            View::new(registry, &Registry::disputeGameFinalityDelaySecondsCall {}),
            View::new(registry, &Registry::isGameFinalizedCall { _game: game }),
            View::new(registry, &Registry::pausedCall {}),
            View::new(facts.weth, &Weth::delayCall {}),
        ];
        for account in &self.player.rules.ours {
            views.extend([
                View::new(game, &Game::creditCall { _recipient: *account }),
                View::new(game, &Game::refundModeCreditCall(*account)),
                View::new(game, &Game::hasUnlockedCreditCall(*account)),
                View::new(
                    facts.weth,
                    &Weth::withdrawalsCall { account: game, subAccount: *account },
                ),
            ]);
        }
        views
    }

    /// Does what is next in one game. Gives when to look again.
    async fn one(&self, snapshot: &Snapshot, answers: &[Answer], now: u64) -> u64 {
        let game = snapshot.facts.listing.address;
        let Some((closing, credits)) = read(answers) else {
            tracing::warn!(%game, "the state of its bonds is not readable");
            return now.saturating_add(PAUSE_SECONDS);
        };
        let close = !self.player.rules.selective_resolution;
        let mut at = u64::MAX;
        let mut closed = false;
        for (account, credit) in self.player.rules.ours.iter().zip(credits) {
            let (intent, pays) = match next(&closing, &credit, close, now) {
                Next::Done => continue,
                Next::Wait(until) => {
                    at = at.min(until);
                    continue;
                }
                // Closing is the same for all accounts.
                Next::Close if std::mem::replace(&mut closed, true) => continue,
                Next::Close => (close_game(game), false),
                Next::Claim { pays } => (claim_credit(game, *account), pays),
            };
            at = at.min(match self.player.sender.send_patiently(&intent).await {
                // What is next now is seen at the next look.
                Ok(Sent::Done(_)) => {
                    if pays {
                        // In wei, as deployed challengers count.
                        metrics::gauge!("op_challenger_bonds").increment(f64::from(credit.credit));
                    }
                    now
                }
                Ok(Sent::Refused(revert)) => {
                    tracing::info!(what = intent.what, %revert, "not possible yet");
                    now.saturating_add(PAUSE_SECONDS)
                }
                Ok(Sent::Dry { .. }) => now.saturating_add(PAUSE_SECONDS),
                Err(error) => {
                    metrics::counter!("op_challenger_claim_failures").increment(1);
                    tracing::warn!(%error, what = intent.what, "not claimed");
                    now.saturating_add(PAUSE_SECONDS)
                }
            });
        }
        at
    }
}

const GAME_VIEWS: usize = 6;
const CREDIT_VIEWS: usize = 4;

fn read(answers: &[Answer]) -> Option<(Closing, Vec<Credit>)> {
    let (game, credits) = answers.split_at_checked(GAME_VIEWS)?;
    let [mode, resolved_at, delay, finalised, paused, weth_delay] = game else { return None };
    let closing = Closing {
        mode: mode.decode::<Game::bondDistributionModeCall>(),
        resolved_at: resolved_at.decode::<Game::resolvedAtCall>()?,
        finality_delay: delay
            .decode::<Registry::disputeGameFinalityDelaySecondsCall>()
            .unwrap_or_default()
            .saturating_to(),
        finalised: finalised.decode::<Registry::isGameFinalizedCall>().unwrap_or_default(),
        paused: paused.decode::<Registry::pausedCall>().unwrap_or_default(),
        weth_delay: weth_delay.decode::<Weth::delayCall>()?.saturating_to(),
    };
    let credits = credits.chunks(CREDIT_VIEWS).map(|own| {
        let [credit, refund, unlocked, withdrawal] = own else { return None };
        let credit = credit.decode::<Game::creditCall>()?;
        let refund = refund.decode::<Game::refundModeCreditCall>().unwrap_or_default();
        let withdrawal = withdrawal.decode::<Weth::withdrawalsCall>()?;
        Some(Credit {
            // Until the mode is decided it may become either.
            credit: if closing.mode == Some(UNDECIDED) { credit.max(refund) } else { credit },
            unlocked: unlocked.decode::<Game::hasUnlockedCreditCall>().unwrap_or_default(),
            unlocked_at: withdrawal.timestamp.saturating_to(),
        })
    });
    Some((closing, credits.collect::<Option<_>>()?))
}

/// The call that unlocks an account's credit, or pays it out once it is unlocked.
pub fn claim_credit(game: Address, recipient: Address) -> Intent {
    let data = Game::claimCreditCall { _recipient: recipient }.abi_encode().into();
    let what = format!("claim the credit of {recipient} in game {game}");
    Intent { to: game, value: U256::ZERO, data, what }
}

fn close_game(game: Address) -> Intent {
    let data = Game::closeGameCall {}.abi_encode().into();
    Intent { to: game, value: U256::ZERO, data, what: format!("close game {game}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bonds_are_closed_unlocked_and_withdrawn_in_this_order() {
        let open = Closing {
            mode: Some(UNDECIDED),
            resolved_at: 1000,
            finality_delay: 100,
            finalised: false,
            paused: false,
            weth_delay: 50,
        };
        let ours = Credit { credit: U256::from(5), ..Credit::default() };
        let none = Credit::default();
        let check = |game: Closing, own: Credit, now, want| {
            assert_eq!(next(&game, &own, true, now), want, "{game:?} {own:?} at {now}");
        };
        check(open, ours, 1050, Next::Wait(1101));
        check(open, ours, 1101, Next::Wait(1101 + PAUSE_SECONDS));
        let finalised = Closing { finalised: true, ..open };
        check(finalised, ours, 1101, Next::Claim { pays: false });
        check(finalised, none, 1101, Next::Close);
        assert_eq!(next(&finalised, &none, false, 1101), Next::Done);
        check(Closing { paused: true, ..finalised }, ours, 1101, Next::Wait(1101 + PAUSE_SECONDS));
        for mode in [1, 2] {
            let closed = Closing { mode: Some(mode), ..finalised };
            check(closed, none, 1101, Next::Done);
            check(closed, ours, 1101, Next::Claim { pays: false });
            let unlocked = Credit { unlocked: true, unlocked_at: 1200, ..ours };
            check(closed, unlocked, 1201, Next::Wait(1250));
            check(closed, unlocked, 1250, Next::Claim { pays: true });
            let paused = Closing { paused: true, ..closed };
            check(paused, unlocked, 1250, Next::Wait(1250 + PAUSE_SECONDS));
        }
        // Before there were modes, credit was unlocked when a claim was resolved.
        let old = Closing { mode: None, ..open };
        let own = Credit { unlocked_at: 1000, ..ours };
        check(old, own, 1049, Next::Wait(1050));
        check(old, own, 1050, Next::Claim { pays: true });
    }
}
