//! Resolution: in which order, in which parts, and who is paid.
//!
//! A claim's subgame can be resolved once the time for answers to it has run out and all answers are resolved.
//! The leftmost answer that nobody has countered counters the claim, and its claimant is paid the claim's bond;
//! without one the claim stands and its own claimant is.
//!
//! Source: fault dispute game specification, "Resolution"; `resolveClaim` of the deployed contracts.

use crate::{Bond, Claim, ClaimIndex, Game, GameStatus, Timestamp};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use alloy_primitives::Address;

/// A call of `resolveClaim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The claim.
    pub claim: ClaimIndex,
    /// How many more of its children the call looks at. 0 for a claim without children.
    pub children: u32,
}

/// How a game ends and who is paid, if nobody does anything any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Who wins.
    pub status: GameStatus,
    /// For each claim, in the order of the chain, who has countered it.
    pub countered_by: Vec<Option<Address>>,
    /// For each claim who gets its bond.
    pub paid_to: Vec<Address>,
}

/// The calls that resolve all that can be resolved at `now`, in an order in which each succeeds after those
/// before it: children before their parents, and many children in parts of `children_per_call`, at least 1.
///
/// The game itself can be resolved once the root claim is: see [`Game::is_decided`].
pub fn plan_resolution(game: &Game, now: Timestamp, children_per_call: u32) -> Vec<Resolve> {
    let mut calls = Vec::new();
    if game.status != GameStatus::InProgress {
        return calls;
    }
    let mut resolved: Vec<bool> =
        game.claims().map(|(claim, _)| game.resolution(claim).resolved).collect();
    let max = game.parameters().max_clock_duration();
    for (claim, _) in game.claims().rev() {
        let children = game.children(claim);
        let is = |index: &ClaimIndex| resolved.get(index.0 as usize) == Some(&true);
        let open = game.challenger_duration(claim, now) != Ok(max);
        if is(&claim) || open || !children.iter().all(is) {
            continue;
        }
        let visited = (game.resolution(claim).visited as usize).min(children.len());
        let mut left = u32::try_from(children.len() - visited).unwrap_or(u32::MAX);
        loop {
            let part = left.min(children_per_call.max(1));
            calls.push(Resolve { claim, children: part });
            left -= part;
            if left == 0 {
                break;
            }
        }
        if let Some(place) = resolved.get_mut(claim.0 as usize) {
            *place = true;
        }
    }
    calls
}

/// How a game ends with the claims that it has.
///
/// What is resolved already is taken as it is, except that a step against a claim after it was resolved, which
/// counters it, does not take back its bond.
pub fn settle(game: &Game) -> Settlement {
    let count = game.claims().len();
    let mut countered_by = vec![None; count];
    let mut paid_to = vec![Address::ZERO; count];
    for (index, claim) in game.claims().rev() {
        let by = match game.l2_block_number_challenger {
            // A challenge that comes after the root is resolved changes nothing.
            Some(by) if claim.parent.is_none() && !game.resolution(index).resolved => Some(by),
            _ => counter(game, index, claim, &countered_by),
        };
        let place = index.0 as usize;
        if let (Some(countered), Some(paid)) = (countered_by.get_mut(place), paid_to.get_mut(place))
        {
            *countered = by;
            *paid = by.unwrap_or(claim.claimant);
        }
    }
    let status = match (game.status, countered_by.first()) {
        (GameStatus::InProgress, Some(None)) => GameStatus::DefenderWins,
        (GameStatus::InProgress, _) => GameStatus::ChallengerWins,
        (status, _) => status,
    };
    Settlement { status, countered_by, paid_to }
}

/// Who counters a claim, given who counters its children.
fn counter(
    game: &Game,
    index: ClaimIndex,
    claim: &Claim,
    countered_by: &[Option<Address>],
) -> Option<Address> {
    let children = game.children(index);
    if game.resolution(index).resolved || (children.is_empty() && claim.parent.is_some()) {
        return claim.countered_by;
    }
    let standing = |child: &ClaimIndex| countered_by.get(child.0 as usize) == Some(&None);
    let claims = children.iter().filter(|child| standing(child));
    // Of several at one position the first one made.
    let winner = claims.filter_map(|child| game.claim(*child).ok()).min_by_key(|c| c.position);
    winner.map(|winner| winner.claimant)
}

impl Settlement {
    /// What everybody gets, in the mode in which winners are paid.
    pub fn credits(&self, game: &Game) -> BTreeMap<Address, Bond> {
        let mut credits = BTreeMap::new();
        for ((_, claim), recipient) in game.claims().zip(&self.paid_to) {
            let credit = credits.entry(*recipient).or_insert(Bond(0));
            *credit = *credit + claim.bond;
        }
        credits
    }
}

impl Game {
    /// Whether the game can be resolved: its root claim is.
    pub fn is_decided(&self) -> bool {
        self.status == GameStatus::InProgress && self.resolution(ClaimIndex::ROOT).resolved
    }

    /// What these accounts have put up while the game is not decided: their capital in use.
    pub fn at_stake(&self, accounts: &[Address]) -> Bond {
        if self.status != GameStatus::InProgress {
            return Bond(0);
        }
        let own = self.claims().filter(|(_, claim)| accounts.contains(&claim.claimant));
        own.map(|(_, claim)| claim.bond).sum()
    }

    /// Whether anything can still be answered: a claim by a move before its clock has run out, or by a step before
    /// the claim above it is resolved, or the root by its block number before it is.
    pub fn is_open(&self, now: Timestamp) -> bool {
        if self.status != GameStatus::InProgress
            || self.l2_block_number_challenger.is_some()
            || self.resolution(ClaimIndex::ROOT).resolved
        {
            return false;
        }
        let max = self.parameters().max_clock_duration();
        self.claims().any(|(index, claim)| match claim.parent {
            Some(parent) if claim.position.depth() == self.parameters().max_depth() => {
                claim.countered_by.is_none() && !self.resolution(parent).resolved
            }
            None if self.children(index).is_empty() => true,
            _ => self.challenger_duration(index, now) != Ok(max),
        })
    }

    /// What everybody has put up, and gets back in the mode in which bonds are refunded.
    pub fn deposits(&self) -> BTreeMap<Address, Bond> {
        let mut deposits = BTreeMap::new();
        for (_, claim) in self.claims() {
            let deposit = deposits.entry(claim.claimant).or_insert(Bond(0));
            *deposit = *deposit + claim.bond;
        }
        deposits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Resolution;
    use crate::Side::Attack;
    use crate::fixtures::{claim, parameters, path};
    use core::iter::repeat_n;

    const RESOLVED: Resolution = Resolution { resolved: true, visited: 0 };

    #[test]
    fn attack09_capital_in_use_is_that_of_all_own_claims() {
        let (own, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let mut game = path(parameters(4, 2), repeat_n(Attack, 3));
        for (parent, gindex, claimant, wei) in [(0, 2, own, 50), (0, 2, other, 700), (1, 4, own, 9)]
        {
            let bond = Bond(wei);
            game.push(Claim { claimant, bond, ..claim(Some(parent), gindex) }).unwrap();
        }
        // The path has four claims of one wei.
        assert_eq!(game.at_stake(&[own]), Bond(4 + 50 + 9));
        assert_eq!(game.at_stake(&[own, other]), Bond(4 + 50 + 9 + 700));
        assert_eq!(game.at_stake(&[]), Bond(0));
        game.status = GameStatus::ChallengerWins;
        assert_eq!(game.at_stake(&[own]), Bond(0));
    }

    #[test]
    fn a_game_is_open_while_something_can_be_answered() {
        let late = Timestamp(302_400);
        let check = |moves, change: fn(&mut Game), now, want| {
            let mut game = path(parameters(4, 2), repeat_n(Attack, moves));
            change(&mut game);
            assert_eq!(game.is_open(now), want, "{moves} moves");
        };
        check(2, |_| {}, Timestamp(302_399), true);
        check(2, |_| {}, late, false);
        // The number of an uncontested root's block has no clock.
        check(0, |_| {}, late, true);
        check(0, |game| game.set_resolution(ClaimIndex(0), RESOLVED).unwrap(), late, false);
        check(0, |game| game.status = GameStatus::DefenderWins, late, false);
        check(0, |game| game.l2_block_number_challenger = Some(Address::ZERO), late, false);
        // Nor has a step, until it changes nothing any more.
        check(4, |_| {}, late, true);
        check(4, |game| game.set_resolution(ClaimIndex(4), RESOLVED).unwrap(), late, true);
        check(4, |game| game.set_resolution(ClaimIndex(3), RESOLVED).unwrap(), late, false);
        check(
            4,
            |game| game.set_countered_by(ClaimIndex(4), Some(Address::repeat_byte(2))).unwrap(),
            late,
            false,
        );
    }
}
