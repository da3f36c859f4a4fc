//! What the guest prints, as log lines.

use rebut_fpvm::{Output, Stream};

/// Longer lines are cut into several records.
const LINE_LIMIT_BYTES: usize = 64 << 10;

/// Logs each line of the guest's two streams; a rest without line feed when dropped.
#[derive(Debug, Default)]
pub struct GuestOutput {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Output for GuestOutput {
    fn write(&mut self, stream: Stream, bytes: &[u8], _: u64) {
        let rest = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") || rest.len() >= LINE_LIMIT_BYTES {
                log(stream, rest);
                rest.clear();
            }
        }
    }
}

impl Drop for GuestOutput {
    fn drop(&mut self) {
        for (stream, rest) in [(Stream::Stdout, &self.stdout), (Stream::Stderr, &self.stderr)] {
            if !rest.is_empty() {
                log(stream, rest);
            }
        }
    }
}

fn log(stream: Stream, line: &[u8]) {
    let stream = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    let text = String::from_utf8_lossy(line);
    tracing::info!(module = "guest", stream, "{}", text.trim_end_matches(['\r', '\n']));
}
