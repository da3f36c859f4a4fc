//! Frames: the pieces in which channels travel through batcher transactions.
//!
//! ```text
//!   data of a transaction   ┌───┬─────────┬─────────┬───
//!                           │ 0 │ frame   │ frame   │ ...
//!                           └───┴─────────┴─────────┴───
//!   frame   ┌────────────┬──────────┬──────────┬────────────────┬───────────┐
//!           │ channel 16 │ number 2 │ length 4 │ data (length)  │ is_last 1 │
//!           └────────────┴──────────┴──────────┴────────────────┴───────────┘
//! ```
//!
//! Invariant: the frames of a transaction are parsed all or none, and parsing copies nothing.
//!
//! Specification: "Batcher Transaction Format", "Frame Format".

use alloc::vec::Vec;
use alloy_primitives::{B128, Bytes};

/// The only version of batcher data that carries frames.
const VERSION: u8 = 0;

/// Bytes of a frame before its data.
const HEADER_BYTES: usize = 16 + 2 + 4;

/// The most data one frame may carry, in bytes.
const MAX_DATA_BYTES: usize = 1_000_000;

/// What buffering a frame counts beyond its data, in bytes.
const BUFFER_OVERHEAD_BYTES: usize = 200;

/// Names a channel. Batchers choose it at random.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub B128);

/// A piece of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The channel it belongs to.
    pub channel: ChannelId,
    /// Its place in the channel, from 0.
    pub number: u16,
    /// Its part of the channel's compressed data.
    pub data: Bytes,
    /// It closes the channel.
    pub is_last: bool,
}

/// Why the data of a batcher transaction is no sequence of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// There is no version byte.
    #[error("the data is empty")]
    Empty,
    /// Data of this version carries no frames.
    #[error("data of version {0} carries no frames")]
    Version(u8),
    /// Nothing follows the version.
    #[error("there is no frame behind the version")]
    NoFrames,
    /// The data ends before the frame does.
    #[error("the data ends within the frame at byte {0}")]
    Truncated(usize),
    /// A frame claims more data than one may carry.
    #[error("the frame at byte {at} claims {length} bytes of data")]
    TooLong {
        /// Where the frame begins.
        at: usize,
        /// What it claims.
        length: usize,
    },
    /// The last byte of a frame is no boolean.
    #[error("the frame at byte {at} ends with {value} instead of 0 or 1")]
    IsLast {
        /// Where the frame begins.
        at: usize,
        /// The byte.
        value: u8,
    },
}

impl Frame {
    /// The frames in the data of a batcher transaction: at least one, and nothing else.
    ///
    /// # Errors
    /// When any byte does not belong to a well-formed frame.
    pub fn decode_all(data: &Bytes) -> Result<Vec<Self>, FrameError> {
        match data.first() {
            None => return Err(FrameError::Empty),
            Some(&VERSION) if data.len() == 1 => return Err(FrameError::NoFrames),
            Some(&VERSION) => {}
            Some(&version) => return Err(FrameError::Version(version)),
        }
        let mut frames = Vec::new();
        let mut at = 1;
        while at < data.len() {
            let frame = Self::decode_at(data, at)?;
            at += HEADER_BYTES + frame.data.len() + 1;
            frames.push(frame);
        }
        Ok(frames)
    }

    fn decode_at(data: &Bytes, at: usize) -> Result<Self, FrameError> {
        let truncated = FrameError::Truncated(at);
        let rest = data.get(at..).ok_or(truncated)?;
        let (channel, rest) = rest.split_first_chunk::<16>().ok_or(truncated)?;
        let (number, rest) = rest.split_first_chunk::<2>().ok_or(truncated)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(truncated)?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_DATA_BYTES {
            return Err(FrameError::TooLong { at, length });
        }
        let is_last = match rest.get(length) {
            None => return Err(truncated),
            Some(0) => false,
            Some(1) => true,
            Some(&value) => return Err(FrameError::IsLast { at, value }),
        };
        let start = at + HEADER_BYTES;
        Ok(Self {
            channel: ChannelId((*channel).into()),
            number: u16::from_be_bytes(*number),
            data: data.slice(start..start + length),
            is_last,
        })
    }

    /// The data of a batcher transaction that carries `frames`.
    ///
    /// It decodes again where no frame holds more than 1,000,000 bytes and there is at least one.
    pub fn encode_all(frames: &[Self]) -> Bytes {
        let mut data = Vec::from([VERSION]);
        for frame in frames {
            data.extend_from_slice(frame.channel.0.as_slice());
            data.extend_from_slice(&frame.number.to_be_bytes());
            data.extend_from_slice(&(frame.data.len() as u32).to_be_bytes());
            data.extend_from_slice(&frame.data);
            data.push(u8::from(frame.is_last));
        }
        data.into()
    }

    /// What the frame counts in a buffer whose size is limited, in bytes.
    pub(crate) fn buffered_bytes(&self) -> usize {
        self.data.len() + BUFFER_OVERHEAD_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{frames, seeded};
    use alloc::string::String;
    use proptest::{collection::vec, prelude::*};

    /// Channel 0xaa.., number, length, data and last byte, as the specification draws them.
    const FIRST: &str =
        concat!("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "0001", "00000003", "010203", "00");
    const LAST: &str = concat!("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "ffff", "00000000", "", "01");

    fn check(data: &str, expected: Result<Vec<Frame>, FrameError>) {
        assert_eq!(Frame::decode_all(&Bytes::from(hex::decode(data).unwrap())), expected, "{data}");
    }

    #[test]
    fn frames_are_read_as_the_specification_draws_them() {
        let first = Frame {
            channel: ChannelId(B128::repeat_byte(0xaa)),
            number: 1,
            data: [1, 2, 3].into(),
            is_last: false,
        };
        let last = Frame {
            channel: ChannelId(B128::repeat_byte(0xbb)),
            number: 0xffff,
            data: Bytes::new(),
            is_last: true,
        };
        check(&["00", FIRST].concat(), Ok([first.clone()].into()));
        check(&["00", FIRST, LAST].concat(), Ok([first, last].into()));
    }

    #[test]
    fn one_malformed_frame_rejects_all() {
        let too_long = FIRST.replace("00000003", "000f4241");
        let beyond = FIRST.replace("00000003", "000f4240");
        let no_boolean = [&FIRST[..FIRST.len() - 2], "02"].concat();
        let cases: [(String, FrameError); 10] = [
            (String::new(), FrameError::Empty),
            ("00".into(), FrameError::NoFrames),
            (["01", FIRST].concat(), FrameError::Version(1)),
            (["ff", FIRST].concat(), FrameError::Version(0xff)),
            (["00", FIRST, LAST, "00"].concat(), FrameError::Truncated(50)),
            (["00", FIRST, &LAST[..LAST.len() - 2]].concat(), FrameError::Truncated(27)),
            (["00", &FIRST[..FIRST.len() - 2]].concat(), FrameError::Truncated(1)),
            (["00", &too_long].concat(), FrameError::TooLong { at: 1, length: 1_000_001 }),
            (["00", &beyond].concat(), FrameError::Truncated(1)),
            (["00", LAST, &no_boolean].concat(), FrameError::IsLast { at: 24, value: 2 }),
        ];
        for (data, error) in cases {
            check(&data, Err(error));
        }
    }

    #[test]
    fn every_shorter_data_is_rejected_or_has_fewer_frames() {
        let whole = Bytes::from(hex::decode(["00", FIRST, LAST].concat()).unwrap());
        for length in 0..whole.len() {
            let frames = Frame::decode_all(&whole.slice(..length));
            assert_eq!(frames.map(|frames| frames.len()).ok(), (length == 27).then_some(1));
        }
    }

    #[test]
    fn the_longest_frame_is_read() {
        let mut longest = frames(&["a:0:!"]);
        longest[0].data = alloc::vec![7; 1_000_000].into();
        assert_eq!(Frame::decode_all(&Frame::encode_all(&longest)), Ok(longest));
    }

    fn any_frame() -> impl Strategy<Value = Frame> {
        (any::<u128>(), any::<u16>(), vec(any::<u8>(), 0..50), any::<bool>()).prop_map(
            |(channel, number, data, is_last)| Frame {
                channel: ChannelId(channel.into()),
                number,
                data: data.into(),
                is_last,
            },
        )
    }

    proptest! {
        #![proptest_config(seeded(256))]

        #[test]
        fn frames_survive_the_way(frames in vec(any_frame(), 1..8)) {
            prop_assert_eq!(Frame::decode_all(&Frame::encode_all(&frames)), Ok(frames));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(
            frames in vec(any_frame(), 1..4), at in any::<prop::sample::Index>(), value in any::<u8>(),
        ) {
            let mut data = Frame::encode_all(&frames).to_vec();
            let at = at.index(data.len());
            data[at] = value;
            let data = Bytes::from(data);
            if let Ok(frames) = Frame::decode_all(&data) {
                prop_assert_eq!(Frame::encode_all(&frames), data);
            }
        }
    }
}
