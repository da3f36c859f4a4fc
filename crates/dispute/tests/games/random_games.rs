//! Random games. `REBUT_TEST_SEED` is the number of the first, `REBUT_TEST_CASES` how many there are.

use crate::alphabet::{Alphabet, root_of};
use crate::players::{Dishonest, Random, STRATEGIES};
use crate::table::{
    Contracts, EXTENSION, MAX_CLOCK, PROPOSER, Refusal, STARTING_BLOCK, Table, create, deploy,
};
use alloy_primitives::Address;
use rebut_dispute::{
    Action, Bond, ClaimIndex, GameStatus, Reason, Settlement, plan_resolution, settle, solve,
};
use std::collections::BTreeMap;

const CASES: u64 = 5000;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn honest(index: u8) -> Address {
    Address::repeat_byte(0x10 + index)
}

/// A game in play, and what its honest players have done.
struct Play {
    table: Table,
    truth: Alphabet,
    honest: Vec<Address>,
    dishonest: Vec<Dishonest>,
    random: Random,
    /// Steps of honest players, by claim.
    steps: BTreeMap<ClaimIndex, Address>,
}

impl Play {
    /// All honest players do what the solver tells them, from one reading of the chain.
    fn honest_turn(&mut self) {
        let mut truth = self.truth.clone();
        let solution = solve(&self.table.game, &mut truth, self.table.timestamp());
        assert!(solution.failures.is_empty(), "{:?}", solution.failures);
        let late = solution.verdicts.iter().find(|verdict| verdict.reason == Reason::BelowLate);
        for action in &solution.actions {
            let first = self.random.below(self.honest.len() as u64) as usize;
            self.honest.rotate_left(first);
            for (turn, player) in self.honest.clone().into_iter().enumerate() {
                let done = self.table.act(player, action);
                assert_eq!(done, expected(turn, action), "{action:?} {late:?}");
                if let (0, Action::Step(step)) = (turn, action) {
                    self.steps.insert(step.claim, player);
                }
            }
        }
    }

    fn dishonest_turn(&mut self) {
        for player in self.dishonest.clone() {
            player.play(&mut self.table, &self.truth, &mut self.random);
        }
    }

    /// Time passes while the honest players wait for others.
    fn pause(&mut self) {
        let table = &self.table;
        let left = |index| {
            let used = table.game.challenger_duration(index, table.timestamp()).unwrap().0;
            (used < MAX_CLOCK).then_some(MAX_CLOCK - used)
        };
        let clocks: Vec<u64> = table.game.claims().filter_map(|(index, _)| left(index)).collect();
        let seconds = match self.random.below(4) {
            // To the last second of some clock.
            0 if !clocks.is_empty() => self.random.pick(&clocks) - 1,
            1 => self.random.below(MAX_CLOCK),
            _ => self.random.below(EXTENSION),
        };
        self.table.wait(seconds);
    }

    /// Resolves what can be resolved, each call as planned.
    fn resolve_claims(&mut self) {
        let part = 1 + self.random.below(3) as u32;
        for call in plan_resolution(&self.table.game, self.table.timestamp(), part) {
            assert_eq!(self.table.resolve_claim(PROPOSER, call), Ok(()), "{call:?}");
        }
    }

    fn finish(&mut self, right_root: bool) {
        self.table.wait(2 * MAX_CLOCK);
        let foreseen = settle(&self.table.game);
        self.resolve_claims();
        assert!(self.table.game.is_decided());
        self.table.check_view();
        let status = self.table.resolve(PROPOSER).unwrap();
        let want = if right_root { GameStatus::DefenderWins } else { GameStatus::ChallengerWins };
        assert_eq!(status, want, "the root claim");
        assert_eq!(foreseen.status, status);
        let settled = settle(&self.table.game);
        assert_eq!(settled, foreseen);
        self.check_bonds(&settled);
    }

    fn check_bonds(&mut self, settled: &Settlement) {
        let mut settled = settled.clone();
        for index in &self.table.late_steps {
            settled.paid_to[index.0 as usize] = self.table.game.claim(*index).unwrap().claimant;
        }
        let credits = settled.credits(&self.table.game);
        let mut total = Bond(0);
        for (account, credit) in &credits {
            assert_eq!(self.table.credit(*account), *credit, "{account}");
            total = total + *credit;
        }
        let game = &self.table.game;
        assert_eq!(total, game.claims().map(|(_, claim)| claim.bond).sum());
        let paid_to = |index: ClaimIndex| settled.paid_to[index.0 as usize];
        for (index, claim) in game.claims().filter(|(_, c)| self.honest.contains(&c.claimant)) {
            assert_eq!(paid_to(index), claim.claimant, "the bond of claim {index}");
            let parent = claim.parent.unwrap();
            assert_eq!(paid_to(parent), claim.claimant, "the bond that claim {index} counters");
            let countered = game.claim(parent).unwrap().claimant;
            assert!(!self.honest.contains(&countered), "claim {index} counters an honest one");
        }
        for (index, player) in &self.steps {
            assert_eq!(paid_to(*index), *player, "the bond of the stepped claim {index}");
            let countered = game.claim(*index).unwrap().claimant;
            assert!(!self.honest.contains(&countered), "an honest claim is stepped on");
        }
    }
}

/// The first honest player's action succeeds, further ones find it done.
fn expected(turn: usize, action: &Action) -> Result<(), Refusal> {
    let found_done = match action {
        _ if turn == 0 => return Ok(()),
        Action::Move(_) => "ClaimAlreadyExists",
        Action::Step(_) => "DuplicateStep",
        Action::ChallengeL2Block(_) => "L2BlockNumberChallenged",
    };
    Err(found_done.into())
}

fn play(contracts: &Contracts, seed: u64) -> Play {
    let mut random = Random::new(seed);
    // As many blocks as the output tree has leaves, or fewer: then the rest of the leaves repeat the last.
    let leaves = 1 << contracts.parameters.split_depth().get();
    let l2_block = STARTING_BLOCK + 1 + random.below(leaves);
    let right_root = random.one_in(2);
    let root = if right_root { root_of(l2_block) } else { root_of(random.below(120)) };
    let right_root = root == root_of(l2_block);
    let honest = (0..1 + random.below(3) as u8).map(honest).collect();
    let dishonest = (0..1 + random.below(4) as u8)
        .map(|index| Dishonest {
            address: Address::repeat_byte(0x50 + index),
            strategy: random.pick(&STRATEGIES),
        })
        .collect();
    let rounds = 2 + random.below(12);
    let table = create(contracts, root, l2_block);
    let truth = Alphabet::default();
    let mut play = Play { table, truth, honest, dishonest, random, steps: BTreeMap::new() };
    let players = play.honest.iter().chain(play.dishonest.iter().map(|player| &player.address));
    for player in players {
        play.table.endow(*player);
    }
    for round in 0..rounds {
        // Only once the honest players have answered all there is can the others take their time.
        if round > 0 {
            play.pause();
        }
        play.dishonest_turn();
        if play.random.one_in(3) {
            play.resolve_claims();
        }
        play.table.wait(play.random.below(EXTENSION));
        play.honest_turn();
    }
    play.finish(right_root);
    play
}

/// Says how to repeat a game that fails.
struct Repeat(u64);

impl Drop for Repeat {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat with REBUT_TEST_SEED={} REBUT_TEST_CASES=1", self.0);
        }
    }
}

#[test]
fn honest_play_keeps_its_promises_in_random_games() {
    let contracts = [(6, 2), (7, 2), (7, 3), (8, 4)].map(|(max, split)| deploy(max, split));
    let (first, cases) = (number("REBUT_TEST_SEED", 0), number("REBUT_TEST_CASES", CASES));
    let (mut claims, mut answers, mut steps) = (0, 0, 0);
    for seed in first..first + cases {
        let contracts = &contracts[seed as usize % contracts.len()];
        let repeat = Repeat(seed);
        let play = play(contracts, seed);
        drop(repeat);
        claims += play.table.game.claims().len();
        let honest = play.table.game.claims().filter(|(_, c)| play.honest.contains(&c.claimant));
        answers += honest.count();
        steps += play.steps.len();
    }
    println!("{cases} games, {claims} claims, {answers} of them honest, {steps} honest steps");
    if cases >= CASES {
        // The games are worth something: they are long, and many are decided by steps.
        assert!(
            claims as u64 > 10 * cases && answers as u64 > 3 * cases && steps as u64 > cases / 5
        );
    }
}
