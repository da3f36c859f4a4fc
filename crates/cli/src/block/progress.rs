//! Progress of a run, on standard error while that is a terminal.

use crate::log::BARS;
use indicatif::{HumanCount, ProgressBar};
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// How often the display moves by itself.
const TICK: Duration = Duration::from_millis(100);
const BYTES_PER_PAGE: u64 = 4096;
/// How often it is logged how far something is, where there is no display.
const SECONDS_PER_LINE: u64 = 30;

/// When to log how far something is: from time to time, where standard error is no terminal.
#[derive(Debug)]
pub struct Reminder {
    is_seen: bool,
    last: Instant,
}

impl Reminder {
    /// The first one is due after an interval.
    pub fn start() -> Self {
        Self { is_seen: io::stderr().is_terminal(), last: Instant::now() }
    }

    /// Whether it is time again.
    pub fn is_due(&mut self) -> bool {
        let is_due = !self.is_seen && self.last.elapsed().as_secs() >= SECONDS_PER_LINE;
        if is_due {
            self.last = Instant::now();
        }
        is_due
    }
}

/// Shows how far a run has come whose end is not known.
#[derive(Debug)]
pub struct StepProgress {
    bar: ProgressBar,
    what: &'static str,
    started: Instant,
    reminder: Reminder,
}

impl StepProgress {
    /// Starts to show and to count time.
    pub fn start(what: &'static str) -> Self {
        let bar = BARS.add(ProgressBar::new_spinner().with_message(what));
        bar.enable_steady_tick(TICK);
        Self { bar, what, started: Instant::now(), reminder: Reminder::start() }
    }

    /// Shows the step counter and the pages in use.
    pub fn at(&mut self, step: u64, pages: usize) {
        let mips = mips(step, self.started.elapsed().as_secs_f64());
        let mebibytes = (pages as u64 * BYTES_PER_PAGE) >> 20;
        let steps = HumanCount(step);
        let what = self.what;
        let line =
            format!("{what}: {steps} steps, {mips:.1} MIPS, {pages} pages ({mebibytes} MiB)");
        if self.reminder.is_due() {
            tracing::info!("{line}");
        }
        self.bar.set_message(line);
    }

    /// Stops to show; seconds since the start.
    pub fn finish(self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

impl Drop for StepProgress {
    /// An error must not be written into the middle of the display.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Million steps a second.
pub fn mips(steps: u64, seconds: f64) -> f64 {
    steps as f64 / seconds.max(1e-9) / 1e6
}
