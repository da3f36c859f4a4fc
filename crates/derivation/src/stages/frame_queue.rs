//! The frame queue: frames of batcher transactions in their order.
//!
//! Invariant from Holocene on: in the queue, the frames of a channel are contiguous, and the first
//! frame of another channel is preceded by a closing frame or by nothing.
//!
//! Specification: "Frame Queue"; Holocene, "Frame Queue", with one difference: a first frame has to
//! continue its own channel like any other frame. Every node decides so, against the words, which let
//! it replace its channel.

use crate::frame::Frame;
use alloc::collections::VecDeque;
use alloy_primitives::Bytes;

/// Frames on their way to a channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameQueue {
    frames: VecDeque<Frame>,
}

impl FrameQueue {
    /// Takes the data of a batcher transaction. Data that is no sequence of frames is ignored.
    ///
    /// With `holocene`, frames out of order are dropped at once.
    pub(crate) fn load(&mut self, data: &Bytes, holocene: bool) {
        for frame in Frame::decode_all(data).unwrap_or_default() {
            if !holocene || self.make_room(&frame) {
                self.frames.push_back(frame);
            }
        }
    }

    /// The next frame.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        self.frames.pop_front()
    }

    /// Forgets all frames.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
    }

    /// Whether no frame waits.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether `frame` may follow the last one, after the frames that it replaces are gone.
    fn make_room(&mut self, frame: &Frame) -> bool {
        while let Some(last) = self.frames.back() {
            if frame.channel == last.channel {
                // Numbers wrap around, so that a first frame may follow the last possible one.
                return !last.is_last && frame.number == last.number.wrapping_add(1);
            }
            if frame.number != 0 {
                return false;
            }
            if last.is_last {
                break;
            }
            self.frames.pop_back();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::frames;
    use alloc::vec::Vec;

    fn drain(queue: &mut FrameQueue) -> Vec<Frame> {
        core::iter::from_fn(|| queue.next()).collect()
    }

    /// One transaction with these frames leaves those in the queue.
    fn check(given: &[&str], expected: &[&str]) {
        let mut queue = FrameQueue::default();
        let data = Frame::encode_all(&frames(given));
        queue.load(&data, true);
        assert_eq!(drain(&mut queue), frames(expected), "{given:?}");
        queue.load(&data, false);
        assert_eq!(drain(&mut queue), frames(given), "{given:?} before Holocene");
    }

    #[test]
    fn holocene_drops_frames_out_of_order() {
        // In order: all stay.
        check(
            &["a:0:", "a:1:", "a:2:!", "b:0:", "b:1:!", "c:0:"],
            &["a:0:", "a:1:", "a:2:!", "b:0:", "b:1:!", "c:0:"],
        );
        // The first frame in the queue may be any: the one before may have left it.
        check(&["a:5:", "a:6:!", "b:0:"], &["a:5:", "a:6:!", "b:0:"]);
        // Not the previous number plus one.
        check(&["a:0:", "a:2:", "a:1:"], &["a:0:", "a:1:"]);
        check(&["a:1:", "a:1:"], &["a:1:"]);
        check(&["a:65535:", "a:1:"], &["a:65535:"]);
        // The number after the last possible one is 0.
        check(&["a:65535:", "a:0:", "a:1:"], &["a:65535:", "a:0:", "a:1:"]);
        // The channel is closed.
        check(&["a:0:!", "a:1:"], &["a:0:!"]);
        // Another channel than the previous frame's.
        check(&["a:0:", "b:1:", "a:1:!"], &["a:0:", "a:1:!"]);
        check(&["a:0:!", "b:1:"], &["a:0:!"]);
    }

    #[test]
    fn a_first_frame_replaces_an_unfinished_channel() {
        check(&["a:0:", "a:1:", "a:2:", "b:0:", "a:3:!"], &["b:0:"]);
        check(&["a:0:!", "b:0:", "b:1:", "c:0:!"], &["a:0:!", "c:0:!"]);
        check(&["a:4:", "b:0:"], &["b:0:"]);
        // A closed one stays.
        check(&["a:0:!", "b:0:"], &["a:0:!", "b:0:"]);
    }

    #[test]
    fn a_first_frame_behind_its_own_channel_is_dropped() {
        check(&["a:0:x", "a:0:y", "a:1:!"], &["a:0:x", "a:1:!"]);
        check(&["a:0:x", "a:1:x", "a:0:y", "a:1:y!", "a:2:!"], &["a:0:x", "a:1:x", "a:2:!"]);
        check(&["a:4:", "a:0:!"], &["a:4:"]);
        // Also behind the frame that closes it, and then the frames that would follow.
        check(&["a:0:x!", "a:0:y", "a:1:y!", "b:0:"], &["a:0:x!", "b:0:"]);
        // And when frames of another channel that it replaces stand between.
        check(&["a:0:x!", "b:0:", "b:1:", "a:0:y!"], &["a:0:x!"]);
        check(&["a:65535:!", "a:0:x"], &["a:65535:!"]);
    }

    #[test]
    fn the_rules_hold_across_transactions() {
        let mut queue = FrameQueue::default();
        for (given, expected) in [
            (["a:0:", "a:1:"], &["a:0:", "a:1:"][..]),
            (["a:3:", "a:2:!"], &["a:0:", "a:1:", "a:2:!"]),
            (["b:0:", "c:0:"], &["a:0:", "a:1:", "a:2:!", "c:0:"]),
        ] {
            queue.load(&Frame::encode_all(&frames(&given)), true);
            assert_eq!(drain(&mut queue.clone()), frames(expected));
        }
        queue.clear();
        assert!(queue.is_empty());
    }

    #[test]
    fn data_that_is_no_sequence_of_frames_is_ignored() {
        let mut queue = FrameQueue::default();
        let mut data = Frame::encode_all(&frames(&["a:0:", "a:1:"])).to_vec();
        data.push(0);
        queue.load(&data.into(), true);
        queue.load(&Bytes::new(), true);
        queue.load(&Bytes::from_static(&[1, 2, 3]), true);
        assert!(queue.is_empty());
    }
}
