//! The channel reader: takes encoded batches out of a compressed channel, one at a time.
//!
//! A channel decompresses to byte strings in RLP, one a batch.
//!
//! Invariants: batches count as long as they end within the limit of the channel; a batch is
//! decompressed when it is asked for, so memory is bounded by the longest batch that the limit allows
//! and a constant.
//!
//! Specification: "Channel Reader", "Channel Format".

use crate::{L1BlockRef, RollupConfig, decompress::Decompressor};
use alloc::vec::Vec;
use alloy_primitives::Bytes;
use rebut_execution::Fork;

/// The channel that is being read, if any.
#[derive(Default)]
pub(crate) struct ChannelReader {
    channel: Option<OpenChannel>,
}

struct OpenChannel {
    stream: Decompressor,
    /// How many more bytes may be read.
    remaining: usize,
}

impl ChannelReader {
    /// Begins with a channel that became complete in the L1 block `origin`. One that is not compressed
    /// in an allowed way is ignored.
    pub(crate) fn load(&mut self, config: &RollupConfig, channel: Bytes, origin: &L1BlockRef) {
        let is_fjord = config.is_active(Fork::Fjord, origin.timestamp);
        let remaining = config.max_rlp_bytes_per_channel(origin.timestamp);
        self.channel = Decompressor::new(channel, is_fjord)
            .ok()
            .map(|stream| OpenChannel { stream, remaining });
    }

    /// The next batch in its encoded form, `None` at the end of the channel.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        let batch = self.channel.as_mut().and_then(OpenChannel::next);
        if batch.is_none() {
            self.channel = None;
        }
        batch
    }

    /// Forgets the rest of the channel: a batch in it is malformed, or (Holocene) invalid.
    pub(crate) fn stop(&mut self) {
        self.channel = None;
    }

    /// Whether there is a channel, of which more may come.
    #[cfg(test)]
    pub(crate) fn is_reading(&self) -> bool {
        self.channel.is_some()
    }
}

impl OpenChannel {
    /// The next byte string, `None` where none begins or it is cut off.
    fn next(&mut self) -> Option<Bytes> {
        let [first] = self.read_array()?;
        let length = match first {
            0x00..0x80 => return Some(Bytes::copy_from_slice(&[first])),
            0x80..=0xb7 => usize::from(first - 0x80),
            0xb8..=0xbf => self.long_length(usize::from(first - 0xb7))?,
            0xc0..=0xff => return None,
        };
        let string = self.read(length)?;
        // A single small byte stands for itself; written as a string it is malformed.
        (!matches!(string.as_slice(), [0x00..0x80])).then(|| string.into())
    }

    /// The length in the next `count` bytes, as RLP wants it: no zero in front, and 56 at least.
    fn long_length(&mut self, count: usize) -> Option<usize> {
        let length = self.read(count)?;
        if length.first() == Some(&0) {
            return None;
        }
        let length = length
            .iter()
            .try_fold(0usize, |all, byte| Some(all.checked_mul(256)? | usize::from(*byte)))?;
        (length >= 56).then_some(length)
    }

    fn read_array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.read(N)?.try_into().ok()
    }

    fn read(&mut self, count: usize) -> Option<Vec<u8>> {
        self.remaining = self.remaining.checked_sub(count)?;
        let mut bytes = Vec::with_capacity(count);
        self.stream.read(count, &mut bytes).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{config_at, l1_block, seeded};
    use alloc::vec;
    use alloy_rlp::Encodable;
    use hex::FromHex;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::{collection::vec as vec_of, prelude::*};

    const FJORD: u64 = 1000;

    fn read_at(channel: Bytes, timestamp: u64) -> Vec<Bytes> {
        let (config, mut reader) = (config_at(&[(Fork::Fjord, FJORD)]), ChannelReader::default());
        reader.load(&config, channel, &l1_block(1, timestamp));
        let batches = core::iter::from_fn(|| reader.next()).collect();
        assert!(!reader.is_reading());
        batches
    }

    /// The batches in the zlib channel of `decompressed`.
    fn check(decompressed: &[u8], expected: &[&[u8]]) {
        let channel = compress_to_vec_zlib(decompressed, 1).into();
        let batches = read_at(channel, 0);
        let batches: Vec<&[u8]> = batches.iter().map(|batch| &batch[..]).collect();
        assert_eq!(batches, expected, "{:02x?}", decompressed.get(..60));
    }

    fn rlp(batch: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::new();
        batch.encode(&mut encoded);
        encoded
    }

    #[test]
    fn batches_are_byte_strings() {
        check(&[], &[]);
        check(&[0x80], &[&[]]);
        check(&[0x00, 0x7f], &[&[0], &[0x7f]]);
        check(&[0x81, 0x80, 0x82, 1, 2], &[&[0x80], &[1, 2]]);
        let (short, long) = ([7; 55], [8; 56]);
        check(&[&[0xb7][..], &short, &[0xb8, 56], &long].concat(), &[&short, &long]);
        let longer = [9; 300];
        check(&[&[0xb9, 1, 44][..], &longer].concat(), &[&longer]);
    }

    #[test]
    fn malformed_data_ends_the_channel() {
        // A list; a small byte written as a string; a length with a zero in front; one that is too
        // small for its form; one that no machine can count; a string that is cut off; a length that is.
        check(&[5, 0xc0, 6], &[&[5]]);
        check(&[5, 0xf8, 56], &[&[5]]);
        check(&[5, 0x81, 0x7f, 6], &[&[5]]);
        check(&[&[5, 0xb9, 0, 56][..], &[8; 56]].concat(), &[&[5]]);
        check(&[&[5, 0xb8, 55][..], &[8; 55]].concat(), &[&[5]]);
        check(&[5, 0xbf, 255, 255, 255, 255, 255, 255, 255, 255, 6], &[&[5]]);
        check(&[5, 0x83, 1, 2], &[&[5]]);
        check(&[5, 0xb8], &[&[5]]);
    }

    #[test]
    fn stopping_forgets_the_rest() {
        let (config, mut reader) = (config_at(&[]), ChannelReader::default());
        reader.load(&config, compress_to_vec_zlib(&[1, 2, 3], 1).into(), &l1_block(1, 0));
        assert_eq!(reader.next(), Some(Bytes::from_static(&[1])));
        assert!(reader.is_reading());
        reader.stop();
        assert!(!reader.is_reading());
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn a_new_channel_replaces_the_old_one_even_if_it_is_unreadable() {
        let (config, mut reader) = (config_at(&[]), ChannelReader::default());
        reader.load(&config, compress_to_vec_zlib(&[1, 2], 1).into(), &l1_block(1, 0));
        reader.load(&config, Bytes::from_static(&[2, 2, 2]), &l1_block(1, 0));
        assert!(!reader.is_reading());
    }

    #[test]
    fn batches_count_that_end_within_the_limit() {
        for (timestamp, limit) in [(FJORD - 1, 10_000_000), (FJORD, 100_000_000)] {
            // Four bytes say how long the string is, and one batch of a byte stands before.
            let fits = [vec![1], rlp(&vec![0; limit - 6]), vec![2, 3]].concat();
            let batches = read_at(compress_to_vec_zlib(&fits, 1).into(), timestamp);
            let lengths: Vec<usize> = batches.iter().map(|batch| batch.len()).collect();
            let header = fits.len() - 3 - (limit - 6);
            // What ends with the last byte counts, what begins behind it does not.
            assert_eq!(
                lengths,
                if header == 4 { vec![1, limit - 6, 1] } else { vec![1, limit - 6] }
            );

            let exceeds = [vec![1], rlp(&vec![0; limit - 4]), vec![2, 3]].concat();
            let batches = read_at(compress_to_vec_zlib(&exceeds, 1).into(), timestamp);
            assert_eq!(batches, [Bytes::from_static(&[1])]);
        }
    }

    /// Byte strings of zeros that fill a channel exactly, and with one byte more; from another
    /// implementation of Brotli.
    #[test]
    fn bombs_count_up_to_the_limit() {
        const FULL: &str = "cfffff7ff88f94ab8b735db05bbfaf00c0e3b64000edfdbf74fcffff877f02200e0b0074effff9\
                            ffff0fff04401c1601e8defff3ffff1ffe0980382c00d0bdffe7ffff3ffc1300715800a07bff9f\
                            ffe0f5f82700e2b0004017bb1e";
        const TOO_LONG: &str = "cfffff7ff88f94ab8b735db05bcfaf00c0e3b64000edfdbf74fcffff877f02200e0b0074ef\
                                fff9ffff0fff04401c1601e8defff3ffff1ffe0980382c00d0bdffe7ffff3ffc1300715800\
                                a07bff9f00e1f5f82700e2b0006017bb1e";
        let brotli = |data: &str| Bytes::from([&[1], &Vec::from_hex(data).unwrap()[..]].concat());
        let batches = read_at(brotli(FULL), FJORD);
        assert_eq!(batches.iter().map(|batch| batch.len()).collect::<Vec<_>>(), [99_999_995]);
        assert_eq!(read_at(brotli(TOO_LONG), FJORD), [] as [Bytes; 0]);
    }

    /// The lengths of the batches that op-node's decoders (Go's zlib, the Brotli that op-node uses, and
    /// the RLP of go-ethereum) read from these channels.
    #[test]
    fn of_malformed_streams_that_counts_which_op_node_reads() {
        let check = |what: &str, channel: &str, expected: &[usize]| {
            let batches = read_at(Vec::from_hex(channel).unwrap().into(), FJORD);
            let lengths: Vec<usize> = batches.iter().map(|batch| batch.len()).collect();
            assert_eq!(lengths, expected, "{what}");
        };
        // An error at the very end, in the checksum or behind the stream, matters where the last bytes
        // of a batch come with it: the last 4096 or more, that is.
        check(
            "4000 zeros, wrong checksum",
            "78daecc0210100000803301ad0df5183768f71b3fdde0000000075090000ffff0cd60168",
            &[4000],
        );
        check(
            "8100 zeros, wrong checksum",
            "78daecc0c10000000803c04c924f22bb59ec75f77b030000000000000054240000ffff1ce5017c",
            &[8100],
        );
        check(
            "8200 zeros, wrong checksum",
            "78daecc0411100000802309fc6b07f03dbd183dbfe7600000000000000801a090000ffff4b2a00e3",
            &[],
        );
        check(
            "32765 zeros, wrong checksum, which a chunk separates from them",
            "78daecc0010d00000802309b9bcb706e04e1bffd0100000000000000000000000000000000000000000000000000\
             00000000008076090000ffff0e1c0237",
            &[32_765],
        );
        check(
            "5000 zeros, no checksum",
            "78daecc0c10000000803c01c924e29bb51ec77f77b0300000000d4250000ffff",
            &[5000],
        );
        check(
            "5000 zeros and a byte, wrong checksum",
            "78daecc0310100000404408b044aaba49d14bfdddd6c010000000071fd010000ffff09e4015b",
            &[5000, 1],
        );
        let zeros = "011ba61ff8a7013e4873c5698140d705c00609";
        check("Brotli, 8100 zeros, a byte behind it", zeros, &[8100]);
        let zeros = "011b0a20f8a701104072c5698140f005c009";
        check("Brotli, 8200 zeros", zeros, &[8200]);
        check("the same, a byte behind it", &[zeros, "09"].concat(), &[]);
        check("Brotli, 5000 zeros, cut", "011b8a13f8a701261073c5698140d002c0", &[]);
        // Literals, a reference of three bytes to the byte before, a literal.
        check("one distance, of one bit", "78010de081080000000441b28dbfd4ee9800", &[1; 5]);
        check("the bit is the other", "78010de081080000000441b28dbfd4eeb800", &[1]);
        check("one distance, of two bits", "78010de081080000000441b28dbfd4ee1a01", &[]);
        check("no distance", "78010de081080000000441b28dbfd46e04", &[1, 1]);
        check("no distance, but a reference", "78010de081080000000441b28dbfd46e0c", &[1, 1]);
        check("one literal, of two bits", "780105e081080000000441fa5b6f00", &[]);
        check("literals with a pattern to spare", "780105e081080000000441b2adbfd45400", &[]);
        check(
            "no end of the block, which is the stream's end",
            "780105e081080000000441b2cdf8532900",
            &[1; 14],
        );
        // The end of the block would have three bits, so two that are left are no symbol.
        check("two symbols and two bits", "780105e081080000000441b2cd9ebfd305", &[1; 2]);
        check("eight bits more", "780105e081080000000441b2cd9ebfd30500", &[1; 10]);
    }

    proptest! {
        #![proptest_config(seeded(512))]

        /// The reader takes the strings that alloy's decoder takes.
        #[test]
        fn strings_are_those_of_another_decoder(
            data in vec_of(prop_oneof![any::<u8>(), 0x7eu8..0x84, 0xb6u8..0xbb, 0u8..2], 0..120),
        ) {
            let mut rest = &data[..];
            let mut expected = Vec::new();
            while let Ok(string) = alloy_rlp::Header::decode_bytes(&mut rest, false) {
                expected.push(Bytes::copy_from_slice(string));
            }
            prop_assert_eq!(read_at(compress_to_vec_zlib(&data, 1).into(), 0), expected);
        }

        #[test]
        fn batches_survive_the_way(batches in vec_of(vec_of(any::<u8>(), 0..300), 0..8)) {
            let encoded: Vec<u8> = batches.iter().flat_map(|batch| rlp(batch)).collect();
            let read = read_at(compress_to_vec_zlib(&encoded, 6).into(), 0);
            prop_assert_eq!(read, batches.into_iter().map(Bytes::from).collect::<Vec<_>>());
        }
    }
}
