//! The progress line of a run, on standard error when that is a terminal.

use crate::log::BARS;
use indicatif::{ProgressBar, ProgressStyle};
use rebut_fpvm::memory::PAGE_BYTES;
use rebut_fpvm::{Machine, Vm};
use std::time::{Duration, Instant};

const WITH_END: &str = "{wide_bar} {percent}% {msg}, {eta} left";
const WITHOUT_END: &str = "{spinner} {msg}, {elapsed}";
/// How often the line is brought up to date.
const REFRESH: Duration = Duration::from_millis(200);

/// Measures a run and shows how far it is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    start: Instant,
    first_step: u64,
    shown: Instant,
}

impl Progress {
    /// Starts measuring at `first_step`. `stop` is where the run will stop at the latest, if that is known.
    pub fn start(first_step: u64, stop: Option<u64>) -> Self {
        let known = stop.map(|stop| stop.saturating_sub(first_step)).filter(|steps| *steps > 0);
        let (bar, template) = match known {
            Some(steps) => (ProgressBar::new(steps), WITH_END),
            None => (ProgressBar::new_spinner(), WITHOUT_END),
        };
        // A test checks that both templates can be parsed.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let start = Instant::now();
        Self { bar: BARS.add(bar), start, first_step, shown: start }
    }

    /// Steps a second since the start.
    pub fn steps_per_second(&self, step: u64) -> f64 {
        let seconds = self.start.elapsed().as_secs_f64();
        if seconds > 0.0 { (step - self.first_step) as f64 / seconds } else { 0.0 }
    }

    /// Shows where the machine is, not more often than a reader can follow.
    pub fn show<V: Vm>(&mut self, machine: &Machine<'_, V>) {
        if self.bar.is_hidden() || self.shown.elapsed() < REFRESH {
            return;
        }
        self.shown = Instant::now();
        let step = machine.registers().step;
        let pages = machine.memory().page_count();
        self.bar.set_message(format!(
            "step {step}, {:.1} MIPS, {pages} pages, {}",
            self.steps_per_second(step) / 1e6,
            memory_size(pages)
        ));
        self.bar.set_position(step - self.first_step);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The size of so many pages as logs show it, in binary units.
pub fn memory_size(pages: usize) -> String {
    let mut size = (pages * PAGE_BYTES) as f64;
    let mut units = ["B", "KiB", "MiB", "GiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{size} B") } else { format!("{size:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_can_be_parsed() {
        for template in [WITH_END, WITHOUT_END] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn sizes() {
        let check = |pages, want| assert_eq!(memory_size(pages), want, "{pages} pages");
        check(0, "0 B");
        check(1, "4.0 KiB");
        check(256, "1.0 MiB");
        check(384 * 1024, "1.5 GiB");
    }
}
