//! The channel assembler: from Holocene on, frames arrive in order and there is one channel at a time.
//!
//! Order of calls: [`ChannelAssembler::read`] after each [`ChannelAssembler::add`].
//!
//! Specification: Holocene, "Channel Bank".

use crate::{
    L1BlockRef, RollupConfig,
    channel::is_timed_out,
    frame::{ChannelId, Frame},
};
use alloc::vec::Vec;
use alloy_primitives::Bytes;

/// The channel that is being assembled, if any.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelAssembler {
    staging: Option<StagingChannel>,
}

#[derive(Clone, Debug)]
struct StagingChannel {
    id: ChannelId,
    opened: u64,
    /// The number of the frame to come. One more than a frame can have after the last possible one.
    next_number: u32,
    data: Vec<u8>,
    /// What the frames count, in bytes.
    bytes: usize,
    closed: bool,
}

impl ChannelAssembler {
    /// Takes a frame that stands in the L1 block `origin`. What breaks a rule is dropped.
    pub(crate) fn add(&mut self, config: &RollupConfig, frame: Frame, origin: &L1BlockRef) {
        self.drop_timed_out(config, origin);
        if frame.number == 0 {
            self.staging = Some(StagingChannel::new(frame.channel, origin.id.number));
        }
        let Some(staging) = &mut self.staging else { return };
        if !staging.expects(&frame) {
            return;
        }
        staging.bytes += frame.buffered_bytes();
        if staging.bytes > config.max_rlp_bytes_per_channel(origin.timestamp) {
            self.staging = None;
            return;
        }
        staging.data.extend_from_slice(&frame.data);
        staging.next_number += 1;
        staging.closed = frame.is_last;
    }

    /// The data of the channel, at the L1 block `origin`, if it is complete.
    pub(crate) fn read(&mut self, config: &RollupConfig, origin: &L1BlockRef) -> Option<Bytes> {
        self.drop_timed_out(config, origin);
        let complete = self.staging.take_if(|staging| staging.closed)?;
        Some(complete.data.into())
    }

    fn drop_timed_out(&mut self, config: &RollupConfig, origin: &L1BlockRef) {
        self.staging.take_if(|staging| is_timed_out(staging.opened, config, origin));
    }
}

impl StagingChannel {
    fn new(id: ChannelId, opened: u64) -> Self {
        Self { id, opened, next_number: 0, data: Vec::new(), bytes: 0, closed: false }
    }

    fn expects(&self, frame: &Frame) -> bool {
        !self.closed && frame.channel == self.id && u32::from(frame.number) == self.next_number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{config_at, frame, l1_block};
    use alloc::{string::String, vec};
    use rebut_execution::Fork;

    fn rules() -> RollupConfig {
        config_at(&[(Fork::Holocene, 0)])
    }

    /// What comes out of frames, each in an L1 block of that number.
    fn check(given: &[(u64, &str)], expected: &[&str]) {
        let (config, mut assembler) = (rules(), ChannelAssembler::default());
        let mut channels = Vec::new();
        for (number, short) in given {
            let origin = l1_block(*number, 0);
            assembler.add(&config, frame(short), &origin);
            let data = assembler.read(&config, &origin);
            channels.extend(data.map(|data| String::from_utf8(data.to_vec()).unwrap()));
        }
        assert_eq!(channels, expected, "{given:?}");
    }

    #[test]
    fn frames_in_order_make_a_channel() {
        check(&[(1, "a:0:1!")], &["1"]);
        check(&[(1, "a:0:1"), (2, "a:1:2"), (3, "a:2:3!"), (3, "b:0:4!")], &["123", "4"]);
    }

    #[test]
    fn frames_out_of_order_are_dropped() {
        check(&[(1, "a:1:2!"), (1, "a:0:1")], &[]);
        check(&[(1, "a:0:1"), (1, "a:2:x!"), (1, "a:1:2!")], &["12"]);
        check(&[(1, "a:0:1"), (1, "b:1:x!"), (1, "a:1:2!")], &["12"]);
        check(&[(1, "a:0:1"), (1, "a:1:2"), (1, "a:1:x!"), (1, "a:2:3!")], &["123"]);
        check(&[(1, "a:0:1!"), (1, "a:1:x!")], &["1"]);
    }

    #[test]
    fn a_first_frame_replaces_the_channel() {
        check(&[(1, "a:0:1"), (1, "b:0:2"), (1, "a:1:x!"), (1, "b:1:3!")], &["23"]);
        check(&[(1, "a:0:1"), (1, "a:0:2"), (1, "a:1:3!")], &["23"]);
    }

    #[test]
    fn a_channel_times_out() {
        check(&[(1, "a:0:1"), (51, "a:1:2!")], &["12"]);
        check(&[(1, "a:0:1"), (52, "a:1:2!")], &[]);
        // Each first frame begins a new time.
        check(&[(1, "a:0:1"), (40, "a:0:2"), (60, "a:1:3!")], &["23"]);
    }

    #[test]
    fn a_channel_that_is_too_large_is_dropped() {
        for (fjord, limit) in [(0, 100_000_000), (u64::MAX, 10_000_000)] {
            for (excess, complete) in [(0, true), (1, false)] {
                // Without Holocene's time the limit is what the fork at the origin says.
                let config = config_at(&[(Fork::Fjord, fjord)]);
                let (origin, mut assembler) = (l1_block(1, 0), ChannelAssembler::default());
                let data = vec![0; limit - 400 + excess].into();
                assembler.add(&config, Frame { data, ..frame("a:0:") }, &origin);
                assembler.add(&config, frame("a:1:!"), &origin);
                assert_eq!(assembler.read(&config, &origin).is_some(), complete, "{limit}");
                assert!(assembler.staging.is_none());
            }
        }
    }
}
