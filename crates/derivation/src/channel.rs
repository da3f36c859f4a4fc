//! A channel whose frames may arrive in any order, as before Holocene.
//!
//! Invariant: no frame lies behind the closing one.
//!
//! Specification: "Channel Bank", "Loading frames".

use crate::{L1BlockRef, RollupConfig, frame::Frame};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::Bytes;

/// The frames of a channel so far.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    opened: u64,
    frames: BTreeMap<u16, Bytes>,
    closed_by: Option<u16>,
    /// What the frames count in a buffer. Where the closing frame drops any, none of those that came
    /// before it counts any more: every node keeps its accounts like this.
    bytes: usize,
}

/// Why a channel does not take a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The channel is closed already.
    SecondClose,
    /// The channel has a frame of this number.
    Duplicate,
    /// The frame lies behind the closing one.
    BehindEnd,
}

impl Channel {
    /// An empty channel, opened in the L1 block of that number.
    pub(crate) fn new(opened: u64) -> Self {
        Self { opened, frames: BTreeMap::new(), closed_by: None, bytes: 0 }
    }

    /// Takes a frame of this channel.
    pub(crate) fn add(&mut self, frame: Frame) -> Result<(), Refused> {
        if frame.is_last && self.closed_by.is_some() {
            return Err(Refused::SecondClose);
        }
        if self.frames.contains_key(&frame.number) {
            return Err(Refused::Duplicate);
        }
        if self.closed_by.is_some_and(|end| frame.number > end) {
            return Err(Refused::BehindEnd);
        }
        if frame.is_last {
            self.closed_by = Some(frame.number);
            if !self.frames.split_off(&frame.number).is_empty() {
                self.bytes = 0;
            }
        }
        self.bytes += frame.buffered_bytes();
        self.frames.insert(frame.number, frame.data);
        Ok(())
    }

    /// What the channel counts in the bank, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the channel took too long for an L1 block `origin`.
    pub(crate) fn is_timed_out(&self, config: &RollupConfig, origin: &L1BlockRef) -> bool {
        is_timed_out(self.opened, config, origin)
    }

    /// Whether no frame is missing.
    pub(crate) fn is_ready(&self) -> bool {
        // Numbers are distinct and none lies behind the end, so their count decides.
        self.closed_by.is_some_and(|end| self.frames.len() == usize::from(end) + 1)
    }

    /// The data of all frames in order.
    pub(crate) fn into_data(self) -> Bytes {
        if self.frames.len() == 1 {
            return self.frames.into_values().next().unwrap_or_default();
        }
        let mut data = Vec::with_capacity(self.frames.values().map(|frame| frame.len()).sum());
        for frame in self.frames.values() {
            data.extend_from_slice(frame);
        }
        data.into()
    }
}

/// Whether a channel that was opened in L1 block `opened` took too long for an L1 block `origin`.
pub(crate) fn is_timed_out(opened: u64, config: &RollupConfig, origin: &L1BlockRef) -> bool {
    opened.saturating_add(config.channel_timeout(origin.timestamp)) < origin.id.number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{config_at, frame, l1_block, seeded};
    use proptest::{collection::vec, prelude::*, sample::Index};
    use rebut_execution::Fork;

    /// Adds frames; the last is refused for a reason or not. Then the channel counts so many bytes, and
    /// has this data if it is ready.
    fn check(shorts: &[&str], refused: Option<Refused>, bytes: usize, data: Option<&str>) {
        let mut channel = Channel::new(0);
        let (last, first) = shorts.split_last().unwrap();
        for short in first {
            channel.add(frame(short)).unwrap();
        }
        assert_eq!(channel.add(frame(last)).err(), refused, "{shorts:?}");
        assert_eq!(channel.bytes(), bytes, "{shorts:?}");
        assert_eq!(channel.is_ready(), data.is_some(), "{shorts:?}");
        if let Some(data) = data {
            assert_eq!(channel.into_data()[..], *data.as_bytes(), "{shorts:?}");
        }
    }

    #[test]
    fn frames_are_ordered_and_the_ones_that_break_a_rule_refused() {
        use Refused::{BehindEnd, Duplicate, SecondClose};
        check(&["a:0:xyz"], None, 203, None);
        check(&["a:0:xyz!"], None, 203, Some("xyz"));
        check(&["a:1:!"], None, 200, None);
        check(&["a:1:cd!", "a:0:ab"], None, 404, Some("abcd"));
        check(&["a:2:e!", "a:0:ab", "a:1:cd"], None, 605, Some("abcde"));
        check(&["a:0:ab", "a:0:xx"], Some(Duplicate), 202, None);
        check(&["a:0:ab", "a:0:xx!"], Some(Duplicate), 202, None);
        check(&["a:1:ab!", "a:1:xx"], Some(Duplicate), 202, None);
        check(&["a:1:ab!", "a:0:xx!"], Some(SecondClose), 202, None);
        check(&["a:1:ab!", "a:2:xx!"], Some(SecondClose), 202, None);
        check(&["a:1:ab!", "a:2:xx"], Some(BehindEnd), 202, None);
        check(&["a:65535:!", "a:65534:"], None, 400, None);
    }

    #[test]
    fn a_closing_frame_prunes_what_lies_behind_it() {
        check(&["a:2:pruned", "a:3:pruned", "a:1:cd!"], None, 202, None);
        check(&["a:2:pruned", "a:0:cd!"], None, 202, Some("cd"));
        // The frames that stay count no more, either. What comes later does.
        check(&["a:0:ab", "a:2:pruned", "a:7:pruned", "a:1:cd!"], None, 202, Some("abcd"));
        check(&["a:0:ab", "a:3:x", "a:2:ef!", "a:1:cde"], None, 202 + 203, Some("abcdeef"));
    }

    #[test]
    fn granite_shortens_the_timeout_by_the_time_of_the_current_block() {
        let config = config_at(&[(Fork::Granite, 1000)]);
        let channel = Channel::new(100);
        for (number, time, timed_out) in
            [(400, 999, false), (401, 999, true), (150, 1000, false), (151, 1000, true)]
        {
            let origin = l1_block(number, time);
            assert_eq!(channel.is_timed_out(&config, &origin), timed_out, "{number} at {time}");
        }
        assert!(!Channel::new(u64::MAX).is_timed_out(&config, &l1_block(u64::MAX, 999)));
    }

    proptest! {
        #![proptest_config(seeded(256))]

        #[test]
        fn frames_in_any_order_make_the_data(
            data in vec(any::<u8>(), 0..200), cuts in vec(any::<Index>(), 0..10), seed in any::<u64>(),
        ) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
            cuts.extend([0, data.len()]);
            cuts.sort_unstable();
            let last = cuts.len() - 2;
            let mut frames: Vec<Frame> = cuts.windows(2).enumerate().map(|(number, cut)| Frame {
                number: number as u16,
                data: Bytes::copy_from_slice(&data[cut[0]..cut[1]]),
                is_last: number == last,
                ..frame("a:0:")
            }).collect();
            frames.sort_by_key(|frame| (u64::from(frame.number) + 1).wrapping_mul(seed | 1) % 997);

            let mut channel = Channel::new(0);
            for frame in frames {
                prop_assert!(!channel.is_ready());
                prop_assert_eq!(channel.add(frame), Ok(()));
            }
            prop_assert!(channel.is_ready());
            prop_assert_eq!(channel.bytes(), data.len() + 200 * (last + 1));
            prop_assert_eq!(&channel.into_data()[..], &data[..]);
        }
    }
}
