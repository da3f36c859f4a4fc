//! Our derivation and kona's derive the same from generated histories of L1.
//!
//! `REBUT_TEST_SEED` names the first history, `REBUT_TEST_CASES` how many there are.

use rebut_differential::{
    compare,
    history::{self, Extras, History},
    kona,
    l2::{self, L2Block},
    random::Random,
    rebut,
    run::{self, Built, Halt, Run, Shared},
};

/// Half a minute.
const CASES: u64 = 60;

/// Histories that showed a defect of ours: batches have to be read one before each block.
const DEFECTS: [u64; 2] = [154, 350];

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// What became of a run, or that it did not begin.
fn run(start: fn(Shared) -> Result<Run, Halt>, world: Shared) -> Run {
    let mut run = start(world).expect("pipelines start at every safe block");
    run.advance();
    run
}

/// Both runs over a history that goes on after some safe blocks.
fn both(history: &History, safe: &[L2Block]) -> (Run, Run) {
    let world = || history.world_after(safe.to_vec());
    (run(rebut::start, world()), run(kona::start, world()))
}

/// Whether kona gave up in a way that is known. Up to there the runs can be compared.
fn gave_up(theirs: &Run) -> bool {
    match &theirs.halt {
        // Span batches that are cut off, and batches of an unknown version.
        Some(Halt::Panic(message)) => message.contains("kona-protocol"),
        // A span batch with an L1 origin that is not among those at hand.
        Some(Halt::Critical(message)) => message.contains("Missing L1 origin"),
        _ => false,
    }
}

/// How ours and theirs differ, with the fewest L1 blocks that show it.
fn difference(history: &History, safe: &[L2Block]) -> Option<String> {
    let differ = |history: &History| {
        let (mut ours, mut theirs) = both(history, safe);
        if gave_up(&theirs) {
            ours.steps.truncate(theirs.steps.len());
            theirs.halt = None;
        }
        compare::difference(&ours, &theirs)
    };
    let whole = differ(history)?;
    let blocks = 1..history.l1.blocks.len();
    let shortest = blocks.filter_map(|blocks| differ(&history.shortened(blocks))).next();
    Some(shortest.unwrap_or(whole))
}

#[derive(Debug, Default)]
struct Statistics {
    histories: usize,
    blocks: usize,
    with_transactions: usize,
    deposits_only: usize,
    dropped: usize,
    given_up: usize,
}

impl Statistics {
    fn add(&mut self, history: &History, ours: &Run) {
        self.histories += 1;
        for step in &ours.steps {
            self.blocks += usize::from(step.built != Built::Nothing);
            let has_transactions =
                l2::user_transactions(&step.attributes.transactions).next().is_some();
            self.with_transactions += usize::from(has_transactions && step.built == Built::Block);
            self.deposits_only += usize::from(step.built == Built::DepositsOnly);
            self.dropped += usize::from(step.built == Built::Nothing);
        }
        self.given_up += usize::from(gave_up(&run(kona::start, history.world())));
    }
}

#[test]
fn both_derive_the_same() {
    run::keep_panic_messages();
    let (first, cases) = (number("REBUT_TEST_SEED", 0), number("REBUT_TEST_CASES", CASES));
    let mut statistics = Statistics::default();
    for seed in (first..first + cases).chain(DEFECTS) {
        let (history, _) = history::make(seed, Extras::default(), rebut::start).expect("a start");
        let genesis = [l2::genesis(&history.parameters)];
        let ours = run(rebut::start, history.world());
        // From the first block on, and again from some other.
        let safe = ours.world.lock().l2.clone();
        let other = 1 + Random::new(seed).index(safe.len());
        for safe in [&genesis[..], &safe[..other]] {
            if let Some(difference) = difference(&history, safe) {
                let number = safe.len() - 1;
                eprintln!("REBUT_TEST_SEED={seed} REBUT_TEST_CASES=1, after block {number}");
                eprintln!("{difference}");
                panic!("the derivations of history {seed} differ");
            }
        }
        statistics.add(&history, &ours);
    }
    eprintln!("{statistics:?}");
    if cases >= CASES {
        // Otherwise the histories do not test what they should.
        assert!(statistics.with_transactions * 4 > statistics.blocks, "few batches are accepted");
        assert!(statistics.deposits_only > 0 && statistics.dropped > 0, "all blocks are valid");
        assert!(statistics.given_up * 10 < statistics.histories, "few histories are compared");
    }
}

#[test]
fn updates_that_nobody_understands_are_skipped_where_kona_gives_up() {
    run::keep_panic_messages();
    let mut given_up = 0;
    for seed in 0..6 {
        let extras = Extras { malformed_updates: true };
        let (history, _) = history::make(seed, extras, rebut::start).expect("a start");
        let (ours, theirs) = both(&history, &[l2::genesis(&history.parameters)]);
        assert_eq!(ours.halt, None, "history {seed}");
        if let Some(Halt::Critical(message)) = &theirs.halt {
            assert!(message.contains("system config"), "{message}");
            assert!(ours.steps.starts_with(&theirs.steps), "history {seed}");
            given_up += 1;
        }
    }
    assert!(given_up > 0, "no history has such an update");
}

/// From Holocene on, a span with an invalid block is dropped behind that block by whoever reads it once. Whoever
/// starts at the block that took its place reads the span again, for it reads L1 from before that block on, and
/// goes on with the rest of it. Both libraries do either alike.
#[test]
fn whoever_starts_at_a_replaced_block_reads_its_span_again() {
    run::keep_panic_messages();
    let (mut places, mut ours_part, mut theirs_part) = (0, 0, 0);
    for seed in 0..CASES {
        let (history, _) = history::make(seed, Extras::default(), rebut::start).expect("a start");
        let ours = run(rebut::start, history.world());
        let chain = ours.world.lock().l2.clone();
        let mut number = 0;
        for (index, step) in ours.steps.iter().enumerate() {
            number += usize::from(step.built != Built::Nothing);
            if step.built != Built::DepositsOnly {
                continue;
            }
            let safe = &chain[..=number];
            assert_eq!(difference(&history, safe), None, "history {seed}, after block {number}");
            let (ours_again, theirs_again) = both(&history, safe);
            let once = &ours.steps[index + 1..];
            places += 1;
            ours_part += usize::from(ours_again.steps != once);
            let length = theirs_again.steps.len().min(once.len());
            theirs_part += usize::from(theirs_again.steps[..length] != once[..length]);
        }
    }
    eprintln!(
        "{places} replaced blocks; starting there parts ours {ours_part} times, theirs {theirs_part}"
    );
    assert!(
        ours_part > 0 && theirs_part > 0 && ours_part < places,
        "{places} {ours_part} {theirs_part}"
    );
}
