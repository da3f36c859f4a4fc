//! Log lines: on standard error, beside the progress line. `RUST_LOG` chooses what is logged.

use indicatif::MultiProgress;
use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::{Level, Metadata};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::writer::{MakeWriter, OptionalWriter};

/// All progress lines of this process. Hidden when standard error is no terminal.
pub static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// Standard error, with the progress lines out of the way while something is written.
struct BesideBars;

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        BARS.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Prints text for the user, beside the log.
pub fn print(text: &str) {
    // There is nobody left to tell when standard error is closed.
    let _ = BesideBars.write_all(text.as_bytes());
}

/// Whether lines that are no warnings are left out, see [`only_warnings`].
static QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves out what is no warning from now on, unless `RUST_LOG` says what is wanted. For commands that tell what they
/// do in words of their own.
pub fn only_warnings() {
    QUIET.store(std::env::var_os(EnvFilter::DEFAULT_ENV).is_none(), Ordering::Relaxed);
}

/// Where log lines go.
struct Lines;

impl<'w> MakeWriter<'w> for Lines {
    type Writer = OptionalWriter<BesideBars>;

    fn make_writer(&'w self) -> Self::Writer {
        OptionalWriter::some(BesideBars)
    }

    fn make_writer_for(&'w self, line: &Metadata<'_>) -> Self::Writer {
        match QUIET.load(Ordering::Relaxed) && *line.level() > Level::WARN {
            true => OptionalWriter::none(),
            false => OptionalWriter::some(BesideBars),
        }
    }
}

/// Sends log lines to standard error from now on.
pub fn start() {
    let filter =
        EnvFilter::builder().with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Lines)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .with_target(false)
        .log_internal_errors(false)
        .init();
}
