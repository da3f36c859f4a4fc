//! The frame queue: frames of batcher transactions in their order.
//!
//! Invariant from Holocene on: in the queue, the frames of a channel are contiguous, and each first
//! frame is preceded by a closing frame or by nothing.
//!
//! Specification: "Frame Queue"; Holocene, "Frame Queue".

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
        let Some(last) = self.frames.back() else { return true };
        if frame.number > 0 {
            return frame.channel == last.channel
                && !last.is_last
                && last.number.checked_add(1) == Some(frame.number);
        }
        if !last.is_last {
            let abandoned = last.channel;
            while self.frames.back().is_some_and(|last| last.channel == abandoned && !last.is_last)
            {
                self.frames.pop_back();
            }
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
        check(&["a:0:x", "a:1:x", "a:0:y", "a:1:y!"], &["a:0:y", "a:1:y!"]);
        // A closed one stays.
        check(&["a:0:!", "b:0:"], &["a:0:!", "b:0:"]);
        check(&["a:0:x!", "a:0:y", "b:0:"], &["a:0:x!", "b:0:"]);
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
