//! What a server prints, as log lines of this process.

use std::{
    io::{BufRead, BufReader, Read},
    thread::{self, JoinHandle},
};

/// Longer lines are cut into several records.
const LINE_LIMIT_BYTES: u64 = 64 << 10;

/// Reads `stream` to its end in a thread of its own and logs each line to the caller's subscriber.
pub(super) fn forward(stream: impl Read + Send + 'static, name: &'static str) -> JoinHandle<()> {
    let subscriber = tracing::dispatcher::get_default(Clone::clone);
    thread::spawn(move || {
        tracing::dispatcher::with_default(&subscriber, || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            // A stream that cannot be read is over: there is nothing left to log.
            while let Ok(1..) = reader.by_ref().take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line)
            {
                let text = String::from_utf8_lossy(&line);
                tracing::info!(module = "host", stream = name, "{}", text.trim_end());
                line.clear();
            }
        });
    })
}
