//! Which game is worked on when.

use super::{Auditor, BoxedTrace, Claimer, Failure, Player, Traces, Turn};
use crate::chain::{Block, PollError, Reader, Snapshot};
use crate::health::Health;
use alloy_primitives::Address;
use rebut_dispute::{Bond, GameStatus, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};

/// The longest pause before a failed game is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// Traces that are kept open between turns. Each may hold snapshots of machines, and everybody can create games.
const KEPT_TRACES: usize = 8;

/// How the agent works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Between two polls.
    pub poll_interval: Duration,
    /// Blocks that come sooner than this after the last one that was looked at are skipped, in seconds of L1 time.
    pub min_update_seconds: u64,
    /// Games that are thought about at the same time. Those whose transactions are awaited do not count.
    pub concurrency: usize,
}

impl Default for Options {
    fn default() -> Self {
        let concurrency = std::thread::available_parallelism().map_or(1, usize::from);
        Self { poll_interval: Duration::from_secs(12), min_update_seconds: 0, concurrency }
    }
}

type SharedTrace = Arc<Mutex<BoxedTrace>>;

/// What is remembered of a game between its turns. All of it can be lost.
#[derive(Default)]
struct Memory {
    trace: Option<SharedTrace>,
    /// When the trace was last asked, as a number of turns of all games.
    asked: u64,
    in_flight: bool,
    /// Whether what is kept for its trace is cleared away.
    forgotten: bool,
    /// Whether there may be something to do.
    due: bool,
    /// When to look again although nothing changes.
    retry: Option<Instant>,
    failures: u32,
    /// Our latest transaction: readings of earlier blocks do not show it.
    not_before: u64,
    moves: u64,
    /// Up to which block it was looked at.
    acted: u64,
}

/// The challenger.
pub struct Agent {
    reader: Reader,
    player: Arc<Player>,
    traces: Arc<dyn Traces>,
    /// Away while it works.
    claimer: Option<Claimer>,
    /// Away while it works.
    auditor: Option<Auditor>,
    options: Options,
    health: Arc<Health>,
    games: HashMap<Address, Memory>,
    jobs: JoinSet<Job>,
    slots: Arc<Semaphore>,
    /// Turns that are finished.
    turns: u64,
    /// Whether what was paid may not have been.
    reorganised: bool,
    /// The last block that was looked at.
    block: Option<Block>,
}

/// A finished job.
enum Job {
    Game { game: Address, block: u64, outcome: Outcome },
    Claims(Claimer),
    Audit(Auditor),
    Cleared,
}

/// What became of a turn.
#[derive(Default)]
struct Outcome {
    turn: Turn,
    trace: Option<SharedTrace>,
    failures: Vec<Failure>,
}

impl Agent {
    /// An agent that has not looked yet.
    pub fn new(
        reader: Reader,
        player: Player,
        traces: Arc<dyn Traces>,
        options: Options,
        health: Arc<Health>,
    ) -> Self {
        let player = Arc::new(player);
        Self {
            reader,
            claimer: Some(Claimer::new(Arc::clone(&player))),
            auditor: Some(Auditor::new(Arc::clone(&player))),
            player,
            traces,
            options,
            health,
            games: HashMap::new(),
            turns: 0,
            reorganised: false,
            jobs: JoinSet::new(),
            slots: Arc::new(Semaphore::new(options.concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            block: None,
        }
    }

    /// Works until `stop` becomes true, and finishes what is in flight then.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        metrics::gauge!("op_challenger_up").set(1);
        let mut ticks = tokio::time::interval(self.options.poll_interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.tick().await,
                Some(job) = self.jobs.join_next() => self.finish(job),
                () = crate::stopped(&mut stop) => break,
            }
            self.report();
        }
        while let Some(job) = self.jobs.join_next().await {
            self.finish(job);
        }
        metrics::gauge!("op_challenger_up").set(0);
    }

    /// Looks at the chain once and starts what is to be done. Returns when all of it is finished.
    ///
    /// # Errors
    /// [`PollError`] where L1 is not readable.
    pub async fn round(&mut self) -> Result<Block, PollError> {
        let block = self.poll().await?;
        self.start(&block);
        while let Some(job) = self.jobs.join_next().await {
            self.finish(job);
        }
        self.report();
        Ok(block)
    }

    /// The games as they were last read.
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    async fn tick(&mut self) {
        match self.poll().await {
            Ok(block) => {
                self.start(&block);
                self.player.sender.report_balance().await;
            }
            Err(error) => {
                metrics::counter!("op_challenger_poll_failures").increment(1);
                self.health.failed(&error);
                tracing::warn!(%error, "cannot look at L1");
            }
        }
    }

    async fn poll(&mut self) -> Result<Block, PollError> {
        let begin = Instant::now();
        let calls = self.reader.lens().node().calls();
        let poll = self.reader.poll().await?;
        self.health.polled(poll.block.number);
        let calls = self.reader.lens().node().calls().saturating_sub(calls);
        metrics::histogram!("op_challenger_poll_time").record(begin.elapsed().as_secs_f64());
        metrics::gauge!("op_challenger_poll_requests").set(calls as f64);
        if poll.reorganised {
            self.reorganised = true;
            // Whatever was decided was decided on another chain.
            for memory in self.games.values_mut() {
                memory.due = true;
            }
        }
        for game in poll.changed {
            self.games.entry(game).or_default().due = true;
        }
        Ok(poll.block)
    }

    /// Starts a job for every game that has something to do, and one for each of the other tasks.
    fn start(&mut self, block: &Block) {
        let early = self.block.is_some_and(|last| {
            block.timestamp < last.timestamp.saturating_add(self.options.min_update_seconds)
        });
        if early && self.block.map(|last| last.hash) != Some(block.hash) {
            return;
        }
        self.block = Some(*block);
        let followed: Vec<Arc<Snapshot>> = self.reader.snapshots().cloned().collect();
        let now = Instant::now();
        let mut over = Vec::new();
        for snapshot in &followed {
            let game = snapshot.facts.listing.address;
            let memory = self.games.entry(game).or_default();
            if snapshot.game.status != GameStatus::InProgress {
                memory.trace = None;
                if !memory.in_flight && !memory.forgotten {
                    memory.forgotten = true;
                    over.push(game);
                }
                continue;
            }
            memory.forgotten = false;
            let due = memory.due || memory.retry.is_some_and(|at| at <= now);
            // A reading from before our own transaction does not show it.
            if memory.in_flight || !due || block.number < memory.not_before {
                if !due && !memory.in_flight {
                    memory.acted = block.number;
                }
                continue;
            }
            (memory.in_flight, memory.due, memory.retry) = (true, false, None);
            let job = Work {
                player: Arc::clone(&self.player),
                traces: Arc::clone(&self.traces),
                snapshot: Arc::clone(snapshot),
                trace: memory.trace.clone(),
                block: *block,
                moves: memory.moves,
                slots: Arc::clone(&self.slots),
            };
            self.jobs.spawn(async move {
                // On a task of its own, so that a panic is that of this game alone.
                let block = job.block.number;
                let interrupted =
                    |_| Outcome { failures: vec![Failure::Interrupted], ..Outcome::default() };
                let outcome = tokio::spawn(job.turn()).await.unwrap_or_else(interrupted);
                Job::Game { game, block, outcome }
            });
        }
        if !over.is_empty() {
            let traces = Arc::clone(&self.traces);
            let forget = move || over.iter().for_each(|game| traces.forget(*game));
            self.jobs.spawn(async move {
                // What a trace leaves behind, and be it by a panic, is a cache.
                let _ = tokio::task::spawn_blocking(forget).await;
                Job::Cleared
            });
        }
        let gone: Vec<Address> = self
            .games
            .iter()
            .filter(|(game, memory)| !memory.in_flight && self.reader.snapshot(**game).is_none())
            .map(|(game, _)| *game)
            .collect();
        for game in gone {
            self.games.remove(&game);
        }
        let block = *block;
        if let Some(mut claimer) = self.claimer.take() {
            if std::mem::take(&mut self.reorganised) {
                claimer.forget();
            }
            let finished = finished(&followed);
            self.jobs.spawn(async move {
                claimer.claim(&finished, &block).await;
                Job::Claims(claimer)
            });
        }
        if let Some(mut auditor) = self.auditor.take() {
            self.jobs.spawn(async move {
                auditor.audit(&followed, &block).await;
                Job::Audit(auditor)
            });
        }
    }

    fn finish(&mut self, job: Result<Job, JoinError>) {
        match job {
            Ok(Job::Claims(claimer)) => self.claimer = Some(claimer),
            Ok(Job::Audit(auditor)) => self.auditor = Some(auditor),
            Ok(Job::Cleared) => {}
            Ok(Job::Game { game, block, outcome }) => {
                let memory = self.games.entry(game).or_default();
                memory.in_flight = false;
                memory.acted = block;
                let Outcome { turn, trace, failures } = outcome;
                self.turns += 1;
                if trace.is_some() {
                    (memory.trace, memory.asked) = (trace, self.turns);
                }
                memory.moves += turn.done;
                memory.not_before = memory.not_before.max(turn.last_block.unwrap_or(0));
                // Whatever was done may make more possible, whether or not the game shows it.
                memory.due |= turn.done > 0;
                if let Some(why) = &turn.again {
                    tracing::info!(%game, why, "to be continued");
                }
                let again = turn.again.is_some() || !failures.is_empty();
                for failure in failures {
                    failure.report();
                    tracing::warn!(%game, why = %failure, "not acting");
                }
                memory.failures = if again { memory.failures.saturating_add(1) } else { 0 };
                memory.retry = again.then(|| {
                    let doubled = 1_u32.checked_shl(memory.failures - 1).unwrap_or(u32::MAX);
                    let pause = self.options.poll_interval.saturating_mul(doubled);
                    Instant::now() + pause.min(LONGEST_PAUSE)
                });
                self.close_traces();
            }
            // Work on games is on tasks of its own, so this was one of the other two. What they know is a cache.
            Err(error) => {
                tracing::error!(%error, "claiming or auditing broke off, and starts anew");
                self.claimer.get_or_insert_with(|| Claimer::new(Arc::clone(&self.player)));
                self.auditor.get_or_insert_with(|| Auditor::new(Arc::clone(&self.player)));
            }
        }
    }

    /// Closes the traces that were not asked for longest. They are opened again when they are needed.
    fn close_traces(&mut self) {
        let mut kept: Vec<&mut Memory> =
            self.games.values_mut().filter(|memory| memory.trace.is_some()).collect();
        kept.sort_unstable_by_key(|memory| std::cmp::Reverse(memory.asked));
        for memory in kept.into_iter().skip(KEPT_TRACES) {
            memory.trace = None;
        }
    }

    fn report(&self) {
        let mut counts = [0_u32; 3];
        for snapshot in self.reader.snapshots() {
            counts[snapshot.game.status as usize % 3] += 1;
        }
        for (status, count) in
            ["in_progress", "challenger_won", "defender_won"].into_iter().zip(counts)
        {
            metrics::gauge!("op_challenger_tracked_games", "status" => status).set(count);
        }
        let at_stake: Bond =
            self.reader.snapshots().map(|s| s.game.at_stake(&self.player.rules.ours)).sum();
        // In wei, as are the bonds that were won.
        metrics::gauge!("op_challenger_bonds_at_stake").set(at_stake.0 as f64);
        let in_flight = self.games.values().filter(|memory| memory.in_flight).count();
        metrics::gauge!("op_challenger_inflight_games").set(in_flight as f64);
        let idle = self.slots.available_permits();
        let busy = self.options.concurrency.saturating_sub(idle);
        metrics::gauge!("op_challenger_executors", "status" => "active").set(busy as f64);
        metrics::gauge!("op_challenger_executors", "status" => "idle").set(idle as f64);
        metrics::gauge!("op_challenger_malformed_games")
            .set(self.reader.malformed().count() as f64);
        let acted = self.games.values().map(|memory| memory.acted).min();
        if let Some(acted) = acted.or(self.block.map(|block| block.number)) {
            metrics::gauge!("op_challenger_highest_acted_l1_block").set(acted as f64);
        }
    }
}

fn finished(followed: &[Arc<Snapshot>]) -> Vec<Arc<Snapshot>> {
    let finished = followed.iter().filter(|s| s.game.status != GameStatus::InProgress);
    finished.cloned().collect()
}

/// One turn of one game.
struct Work {
    player: Arc<Player>,
    traces: Arc<dyn Traces>,
    snapshot: Arc<Snapshot>,
    trace: Option<SharedTrace>,
    block: Block,
    moves: u64,
    slots: Arc<Semaphore>,
}

impl Work {
    async fn turn(mut self) -> Outcome {
        let begin = Instant::now();
        let now = Timestamp(self.block.timestamp);
        let mut outcome = Outcome::default();
        if self.player.plays(&self.snapshot, now) {
            match self.play().await {
                Ok(played) => outcome.turn = played,
                Err(failure) => outcome.failures.push(failure),
            }
        }
        // Nothing is resolved against a step that is on its way.
        if !outcome.turn.waits {
            match self.player.resolve(&self.snapshot, now).await {
                Ok(resolved) => outcome.turn.merge(resolved),
                Err(failure) => outcome.failures.push(failure),
            }
        }
        metrics::histogram!("op_challenger_game_act_time").record(begin.elapsed().as_secs_f64());
        Outcome { trace: self.trace, ..outcome }
    }

    async fn play(&mut self) -> Result<Turn, Failure> {
        let solution = {
            // The semaphore is never closed.
            let _slot = self.slots.acquire().await;
            let trace = match &self.trace {
                Some(trace) => Arc::clone(trace),
                None => Arc::clone(self.trace.insert(self.open().await?)),
            };
            self.player.decide(&self.snapshot, &trace, &self.block).await?
        };
        self.player.play(&self.snapshot, solution, &self.block, self.moves).await
    }

    async fn open(&self) -> Result<SharedTrace, Failure> {
        let facts = Arc::clone(&self.snapshot.facts);
        let traces = Arc::clone(&self.traces);
        let l1_head = self.player.lens.node().block(facts.l1_head).await?.number;
        let opened = tokio::task::spawn_blocking(move || traces.open(&facts, l1_head)).await;
        let trace = opened.map_err(|_| Failure::Interrupted)?.map_err(Failure::Trace)?;
        Ok(Arc::new(Mutex::new(trace)))
    }
}
