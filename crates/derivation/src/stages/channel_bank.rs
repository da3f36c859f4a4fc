//! The channel bank: gathers frames into channels before Holocene.
//!
//! Order of calls: [`ChannelBank::read`] until it has nothing, then [`ChannelBank::add`] with one
//! frame, and again; the order decides which channels are pruned.
//!
//! Invariants: channels stand in the order in which they were opened, so they also time out in this
//! order; the bank counts no more bytes than the protocol allows.
//!
//! Specification: "Channel Bank"; Canyon and Granite change which channels are read and how long they
//! live.

use crate::{L1BlockRef, RollupConfig, channel::Channel, frame::ChannelId, frame::Frame};
use alloc::collections::{BTreeMap, BTreeSet};
use alloy_primitives::Bytes;
use rebut_execution::Fork;

/// When a channel was opened, counted in channels.
type Place = u64;

/// The open channels.
#[derive(Clone, Debug, Default)]
pub(crate) struct ChannelBank {
    channels: BTreeMap<Place, (ChannelId, Channel)>,
    places: BTreeMap<ChannelId, Place>,
    ready: BTreeSet<Place>,
    next_place: Place,
    bytes: usize,
}

impl ChannelBank {
    /// Takes a frame that stands in the L1 block `origin`. What breaks a rule is dropped.
    pub(crate) fn add(&mut self, config: &RollupConfig, frame: Frame, origin: &L1BlockRef) {
        let place = self.place(frame.channel, origin);
        let Some((_, channel)) = self.channels.get_mut(&place) else { return };
        if channel.is_timed_out(config, origin) {
            return;
        }
        let before = channel.bytes();
        if channel.add(frame).is_err() {
            return;
        }
        self.bytes = self.bytes - before + channel.bytes();
        if channel.is_ready() {
            self.ready.insert(place);
        }
        while self.bytes > config.max_channel_bank_bytes(origin.timestamp) {
            self.remove_first();
        }
    }

    /// The data of the next complete channel, at the L1 block `origin`.
    pub(crate) fn read(&mut self, config: &RollupConfig, origin: &L1BlockRef) -> Option<Bytes> {
        while self.first().is_some_and(|channel| channel.is_timed_out(config, origin)) {
            self.remove_first();
        }
        // The first channel is the oldest, so none of the others is timed out either.
        let place = if config.is_active(Fork::Canyon, origin.timestamp) {
            *self.ready.first()?
        } else {
            let (first, _) = self.channels.first_key_value()?;
            *self.ready.get(first)?
        };
        self.remove(place).map(Channel::into_data)
    }

    /// The place of the channel of that name, which is opened unless it is there.
    fn place(&mut self, id: ChannelId, origin: &L1BlockRef) -> Place {
        if let Some(place) = self.places.get(&id) {
            return *place;
        }
        let place = self.next_place;
        self.next_place += 1;
        self.places.insert(id, place);
        self.channels.insert(place, (id, Channel::new(origin.id.number)));
        place
    }

    fn first(&self) -> Option<&Channel> {
        self.channels.first_key_value().map(|(_, (_, channel))| channel)
    }

    fn remove_first(&mut self) {
        if let Some(place) = self.channels.first_key_value().map(|(place, _)| *place) {
            self.remove(place);
        }
    }

    fn remove(&mut self, place: Place) -> Option<Channel> {
        let (id, channel) = self.channels.remove(&place)?;
        self.places.remove(&id);
        self.ready.remove(&place);
        self.bytes -= channel.bytes();
        Some(channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{config_at, frame, l1_block};
    use alloc::{string::String, vec, vec::Vec};

    const CANYON: u64 = 1000;
    const FJORD: u64 = 2000;
    const GRANITE: u64 = 3000;

    fn rules() -> RollupConfig {
        config_at(&[(Fork::Canyon, CANYON), (Fork::Fjord, FJORD), (Fork::Granite, GRANITE)])
    }

    /// What the bank gives out at each step: an L1 block by number and time, and the frames in it.
    fn check(steps: &[(u64, u64, &[&str])], expected: &[&str]) {
        let (config, mut bank) = (rules(), ChannelBank::default());
        let mut given = Vec::new();
        let mut read = |bank: &mut ChannelBank, origin: &L1BlockRef| {
            while let Some(data) = bank.read(&config, origin) {
                given.push(String::from_utf8(data.to_vec()).unwrap());
            }
        };
        for (number, time, shorts) in steps {
            let origin = l1_block(*number, *time);
            read(&mut bank, &origin);
            for short in *shorts {
                bank.add(&config, frame(short), &origin);
                read(&mut bank, &origin);
            }
        }
        assert_eq!(given, expected, "{steps:?}");
    }

    #[test]
    fn a_channel_is_given_out_once_it_is_complete() {
        check(&[(1, 0, &["a:0:1", "a:1:2!"])], &["12"]);
        check(&[(1, 0, &["a:1:2!", "a:0:1"])], &["12"]);
        check(&[(1, 0, &["a:1:2!"]), (2, 12, &["a:0:1"])], &["12"]);
        check(&[(1, 0, &["a:0:1", "a:2:3!"])], &[]);
        // Its name is free again afterwards.
        check(&[(1, 0, &["a:0:1!", "a:0:2!"])], &["1", "2"]);
    }

    #[test]
    fn before_canyon_only_the_first_channel_is_read() {
        let frames = &["a:0:1", "b:0:2!", "c:0:3!"][..];
        check(&[(1, CANYON - 1, frames)], &[]);
        check(&[(1, CANYON - 1, frames), (2, CANYON - 1, &["a:1:x!"])], &["1x", "2", "3"]);
    }

    #[test]
    fn from_canyon_on_the_first_complete_channel_is_read() {
        let frames = &["a:0:1", "b:0:2!", "c:0:3!"][..];
        check(&[(1, CANYON, frames)], &["2", "3"]);
        // What is complete before comes out with the first block of Canyon.
        check(&[(1, CANYON - 1, frames), (2, CANYON, &["a:1:x!"])], &["2", "3", "1x"]);
    }

    #[test]
    fn frames_that_a_channel_refuses_change_nothing() {
        check(&[(1, 0, &["a:0:1", "a:0:x", "a:1:2!", "b:0:4!"])], &["12", "4"]);
        check(&[(1, 0, &["a:2:3!", "a:1:x!", "a:3:x", "a:1:2", "a:0:1"])], &["123"]);
    }

    #[test]
    fn a_channel_times_out_and_blocks_nothing_after() {
        // 300 blocks after it was opened it still counts.
        check(&[(1, 0, &["a:0:1"]), (301, 0, &["a:1:2!"])], &["12"]);
        check(&[(1, 0, &["a:0:1"]), (302, 0, &["a:1:2!"])], &[]);
        // The late frame opens a new channel of the same name.
        check(&[(1, 0, &["a:0:1"]), (302, 0, &["a:1:2!", "a:0:3"])], &["32"]);
        // The first channel makes room when it times out.
        check(&[(1, 0, &["a:0:1"]), (2, 0, &["b:0:2!"]), (302, 0, &[])], &["2"]);
        // Complete, but never the first in time: b waits behind a, and both time out together.
        check(&[(1, 0, &["a:0:1", "b:0:2!"]), (302, 0, &[])], &[]);
    }

    #[test]
    fn granite_shortens_the_timeout_of_channels_that_are_open() {
        check(&[(1, GRANITE - 1, &["a:0:1"]), (52, GRANITE - 1, &["a:1:2!"])], &["12"]);
        check(&[(1, GRANITE - 1, &["a:0:1"]), (51, GRANITE, &["a:1:2!"])], &["12"]);
        check(&[(1, GRANITE - 1, &["a:0:1"]), (52, GRANITE, &["a:1:2!"])], &[]);
    }

    #[test]
    fn frames_of_a_channel_that_timed_out_and_was_not_yet_removed_are_dropped() {
        let (config, mut bank) = (rules(), ChannelBank::default());
        bank.add(&config, frame("a:0:1"), &l1_block(1, 0));
        bank.add(&config, frame("a:1:2!"), &l1_block(302, 0));
        assert_eq!(bank.bytes, 201);
        assert_eq!(bank.read(&config, &l1_block(302, 0)), None);
        assert_eq!(bank.bytes, 0);
    }

    /// A frame of channel `name` that counts `bytes`.
    fn large(name: char, number: u16, bytes: usize) -> Frame {
        let data = vec![0; bytes - 200].into();
        Frame { number, data, ..frame(&alloc::format!("{name}:0:")) }
    }

    #[test]
    fn the_oldest_channels_make_room() {
        for (time, limit) in [(FJORD - 1, 100_000_000), (FJORD, 1_000_000_000)] {
            let (config, origin) = (rules(), l1_block(1, time));
            let mut bank = ChannelBank::default();
            bank.add(&config, frame("a:0:x"), &origin);
            bank.add(&config, large('b', 0, limit - 402), &origin);
            bank.add(&config, frame("c:0:y"), &origin);
            // Full to the last byte.
            assert_eq!((bank.bytes, bank.channels.len()), (limit, 3));
            bank.add(&config, frame("c:1:"), &origin);
            assert_eq!((bank.bytes, bank.channels.len()), (limit - 1, 2));
            bank.add(&config, frame("c:2:zz!"), &origin);
            // One byte too many again: now b goes, and c is not harmed.
            assert_eq!((bank.bytes, bank.channels.len()), (603, 1));
            assert_eq!(bank.read(&config, &origin), Some(Bytes::from_static(b"yzz")));
            assert_eq!((bank.bytes, bank.places.len()), (0, 0));
        }
    }

    #[test]
    fn a_channel_that_is_too_large_by_itself_goes_too() {
        let (config, origin) = (rules(), l1_block(1, 0));
        let mut bank = ChannelBank::default();
        bank.add(&config, large('a', 0, 100_000_000), &origin);
        bank.add(&config, frame("a:1:!"), &origin);
        assert_eq!((bank.bytes, bank.channels.len(), bank.ready.len()), (0, 0, 0));
        assert_eq!(bank.read(&config, &origin), None);
    }

    #[test]
    fn a_channel_whose_end_prunes_frames_counts_anew() {
        let (config, origin) = (rules(), l1_block(1, CANYON));
        let mut bank = ChannelBank::default();
        bank.add(&config, frame("b:0:"), &origin);
        bank.add(&config, frame("a:3:abc"), &origin);
        bank.add(&config, frame("a:0:a"), &origin);
        assert_eq!(bank.bytes, 200 + 404);
        bank.add(&config, frame("a:1:b!"), &origin);
        assert_eq!(bank.bytes, 200 + 201);
        assert_eq!(bank.read(&config, &origin), Some(Bytes::from_static(b"ab")));
        assert_eq!(bank.bytes, 200);
    }
}
