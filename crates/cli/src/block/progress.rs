//! Progress of a run, on standard error while that is a terminal.

use crate::log::BARS;
use indicatif::{HumanCount, ProgressBar};
use std::time::{Duration, Instant};

/// How often the display moves by itself.
const TICK: Duration = Duration::from_millis(100);
const BYTES_PER_PAGE: u64 = 4096;

/// Shows how far a run has come whose end is not known.
#[derive(Debug)]
pub struct StepProgress {
    bar: ProgressBar,
    what: &'static str,
    started: Instant,
}

impl StepProgress {
    /// Starts to show and to count time.
    pub fn start(what: &'static str) -> Self {
        let bar = BARS.add(ProgressBar::new_spinner().with_message(what));
        bar.enable_steady_tick(TICK);
        Self { bar, what, started: Instant::now() }
    }

    /// Shows the step counter and the pages in use.
    pub fn at(&self, step: u64, pages: usize) {
        let mips = mips(step, self.started.elapsed().as_secs_f64());
        let mebibytes = (pages as u64 * BYTES_PER_PAGE) >> 20;
        let steps = HumanCount(step);
        let what = self.what;
        self.bar.set_message(format!(
            "{what}: {steps} steps, {mips:.1} MIPS, {pages} pages ({mebibytes} MiB)"
        ));
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
