//! Decompression of channels, piece by piece.
//!
//! The first byte of a channel tells how it is compressed: zlib, or from Fjord on also Brotli behind a
//! byte of its own. A reader takes as many bytes as it wants, so that nobody has to hold all that a
//! small channel may expand to.
//!
//! Invariants: memory stays below a constant, whatever the input (160 KiB and 32 KiB of state for
//! zlib; for Brotli its window of up to 16 MiB and tables); what precedes an error in the stream can
//! be read, and an error looks like the end of the stream.
//!
//! Specification: "Channel Format"; Fjord, "Brotli Channel Compression"; RFC 1950, RFC 7932.

use alloc::{boxed::Box, vec, vec::Vec};
use alloy_primitives::Bytes;
use brotli_decompressor::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper, SliceWrapperMut,
};
use core::ops::{Index, IndexMut, Range};
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags},
};

/// How far back zlib may refer, in bytes.
const ZLIB_HISTORY_BYTES: usize = 32 * 1024;

/// How much is decompressed at a time, in bytes.
const PIECE_BYTES: usize = 128 * 1024;

/// Why a channel cannot be decompressed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CompressionError {
    /// There is no first byte.
    #[error("the channel is empty")]
    Empty,
    /// The first byte stands for no compression.
    #[error("no compression begins with {0:#04x}")]
    Unknown(u8),
    /// Brotli came with Fjord.
    #[error("Brotli is not allowed before Fjord")]
    BrotliBeforeFjord,
}

/// A channel that is being decompressed.
pub(crate) struct Decompressor {
    codec: Codec,
    input: Bytes,
    /// Decompressed bytes: `ready` is still to be read, what lies before is history.
    window: Box<[u8]>,
    ready: Range<usize>,
    ended: bool,
}

enum Codec {
    Zlib(Box<DecompressorOxide>),
    Brotli(Box<BrotliState<Heap, Heap, Heap>>),
}

impl Decompressor {
    /// Begins with a channel.
    pub(crate) fn new(channel: Bytes, is_fjord: bool) -> Result<Self, CompressionError> {
        let first = *channel.first().ok_or(CompressionError::Empty)?;
        let (codec, input, window_bytes) = match first {
            _ if matches!(first & 0x0f, 8 | 15) => {
                (Codec::Zlib(Box::default()), channel, ZLIB_HISTORY_BYTES + PIECE_BYTES)
            }
            // Strict: the larger windows of some encoders are no part of the RFC.
            1 if is_fjord => {
                let state = BrotliState::new_strict(Heap, Heap, Heap);
                (Codec::Brotli(Box::new(state)), channel.slice(1..), PIECE_BYTES)
            }
            1 => return Err(CompressionError::BrotliBeforeFjord),
            _ => return Err(CompressionError::Unknown(first)),
        };
        let window = vec![0; window_bytes].into();
        Ok(Self { codec, input, window, ready: 0..0, ended: false })
    }

    /// Appends the next `count` bytes to `output`. `false` where the stream ends before: then what was
    /// left is appended.
    pub(crate) fn read(&mut self, mut count: usize, output: &mut Vec<u8>) -> bool {
        while count > 0 {
            if self.ready.is_empty() && !self.refill() {
                return false;
            }
            let taken = self.ready.start..self.ready.end.min(self.ready.start + count);
            output.extend_from_slice(self.window.get(taken.clone()).unwrap_or_default());
            self.ready.start = taken.end;
            count -= taken.len();
        }
        true
    }

    /// Decompresses the next piece. `false` where nothing is left.
    fn refill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let (consumed, state) = match &mut self.codec {
            Codec::Zlib(codec) => {
                // What zlib may refer to moves to the front.
                let history = self.ready.end.min(ZLIB_HISTORY_BYTES);
                self.window.copy_within(self.ready.end - history..self.ready.end, 0);
                inflate(codec, &self.input, &mut self.window, history)
            }
            Codec::Brotli(codec) => unbrotli(codec, &self.input, &mut self.window),
        };
        self.input = self.input.slice(consumed.min(self.input.len())..);
        self.ready = state.ready;
        self.ended = state.ended || self.ready.is_empty();
        !self.ready.is_empty()
    }
}

/// What a piece of input came to.
struct Piece {
    /// Where in the window the new bytes are.
    ready: Range<usize>,
    /// No more will come.
    ended: bool,
}

fn inflate(
    codec: &mut DecompressorOxide,
    input: &[u8],
    window: &mut [u8],
    start: usize,
) -> (usize, Piece) {
    // The checksum does not matter: it comes when all data is out, and what is out counts. The window
    // never wraps for the codec, which therefore notices references to before the first byte.
    const FLAGS: u32 = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
        | inflate_flags::TINFL_FLAG_IGNORE_ADLER32
        | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, consumed, produced) = decompress(codec, input, window, start, FLAGS);
    let ended = status != TINFLStatus::HasMoreOutput;
    (consumed, Piece { ready: start..start + produced, ended })
}

fn unbrotli(
    codec: &mut BrotliState<Heap, Heap, Heap>,
    input: &[u8],
    window: &mut [u8],
) -> (usize, Piece) {
    let (mut available, mut consumed) = (input.len(), 0);
    let (mut room, mut produced, mut total) = (window.len(), 0, 0);
    let result = BrotliDecompressStream(
        &mut available,
        &mut consumed,
        input,
        &mut room,
        &mut produced,
        window,
        &mut total,
        codec,
    );
    let ended = match result {
        BrotliResult::ResultSuccess | BrotliResult::ResultFailure => true,
        // With a full window it asks for input although it may have more output.
        BrotliResult::NeedsMoreInput => room > 0,
        BrotliResult::NeedsMoreOutput => false,
    };
    (consumed, Piece { ready: 0..produced, ended })
}

/// Memory for the Brotli decoder: plain vectors.
#[derive(Clone, Copy)]
struct Heap;

/// Memory of the Brotli decoder.
struct HeapCells<T>(Vec<T>);

impl<T> Default for HeapCells<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + Default> Allocator<T> for Heap {
    type AllocatedMemory = HeapCells<T>;

    fn alloc_cell(&mut self, count: usize) -> HeapCells<T> {
        HeapCells(vec![T::default(); count])
    }

    fn free_cell(&mut self, _: HeapCells<T>) {}
}

impl<T> SliceWrapper<T> for HeapCells<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for HeapCells<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T> Index<usize> for HeapCells<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.0[at]
    }
}

impl<T> IndexMut<usize> for HeapCells<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.0[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::seeded;
    use hex::FromHex;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::{collection::vec as vec_of, prelude::*};

    // The same bytes, compressed by other implementations.
    const PLAIN: &str = "8b6669727374206261746368b8426672616d65732c206672616d65732c206672616d6573206f66206120\
                         6368616e6e656c3b206672616d6573206f662061206368616e6e656c206f66206672616d6573";
    const ZLIB: &str = "789ceb4ecb2c2a2e51484a2c49ced8e1945694989b5aaca3804a2be4a729242a246724e6e5a5e65863130\
                        47120c200b8411d2c";
    const BROTLI: &str = "011b4f0000046276a4370f2c8bacda5a1694d8a33c6cc00940c0094e030e366c8c4d9f7482205e16e1\
                          97fdede159c1600a67796a215300";
    /// With a window of 2^26 bytes.
    const LARGE_WINDOW: &str = "01115a3c01001088d991de3cb02cb26a6b5950628ff2b00127000127380d38d8b031367dd20\
                                9827859845ff6b787670583299ce5a9854c01";

    fn bytes(hex: &str) -> Vec<u8> {
        Vec::from_hex(hex).unwrap()
    }

    fn all_of(channel: Vec<u8>) -> Vec<u8> {
        let mut output = Vec::new();
        let mut stream = Decompressor::new(channel.into(), true).unwrap();
        assert!(!stream.read(usize::MAX, &mut output));
        output
    }

    #[test]
    fn the_first_byte_decides_on_the_compression() {
        let check = |first: u8, is_fjord: bool| {
            Decompressor::new(Bytes::copy_from_slice(&[first, 0]), is_fjord).err()
        };
        for first in [0x08, 0x78, 0xf8, 0x0f, 0x7f] {
            assert_eq!(check(first, false), None, "{first:02x}");
        }
        assert_eq!(check(1, true), None);
        assert_eq!(check(1, false), Some(CompressionError::BrotliBeforeFjord));
        for first in [0, 2, 0x11, 0x79, 0xff ^ 0x10 ^ 0x0f] {
            assert_eq!(check(first, true), Some(CompressionError::Unknown(first)), "{first:02x}");
        }
        assert_eq!(Decompressor::new(Bytes::new(), true).err(), Some(CompressionError::Empty));
    }

    #[test]
    fn both_compressions_are_read() {
        assert_eq!(all_of(bytes(ZLIB)), bytes(PLAIN));
        assert_eq!(all_of(bytes(BROTLI)), bytes(PLAIN));
    }

    #[test]
    fn what_follows_the_stream_is_ignored() {
        for channel in [ZLIB, BROTLI] {
            assert_eq!(all_of([bytes(channel), bytes("ffff")].concat()), bytes(PLAIN));
        }
    }

    #[test]
    fn the_checksum_decides_nothing() {
        let mut channel = bytes(ZLIB);
        *channel.last_mut().unwrap() ^= 1;
        assert_eq!(all_of(channel.clone()), bytes(PLAIN));
        channel.truncate(channel.len() - 4);
        assert_eq!(all_of(channel), bytes(PLAIN));
    }

    #[test]
    fn brotli_windows_beyond_the_rfc_are_rejected() {
        assert_eq!(all_of(bytes(LARGE_WINDOW)), b"");
    }

    #[test]
    fn headers_that_the_rfc_forbids_yield_nothing() {
        // Wrong check bits; a dictionary; another method; a window of 64 KiB.
        for header in ["789d", "78bb", "7f00", "881c"] {
            let channel = [bytes(header), bytes(ZLIB)[2..].to_vec()].concat();
            assert_eq!(all_of(channel), b"", "{header}");
        }
    }

    #[test]
    fn a_reference_to_before_the_first_byte_ends_the_stream() {
        // One block of fixed codes: the literals "ab", then length 3 at distance 3.
        assert_eq!(all_of(bytes("78014b4c022200")), b"ab");
        // The same at distance 2 is fine, which shows that the codes above are what they claim.
        assert_eq!(all_of(bytes("78014b4c024200")), b"ababa");
    }

    /// 200,000,000 zeros in 185 bytes.
    #[test]
    fn a_bomb_needs_no_more_than_the_window() {
        let bomb = bytes(
            "01cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f0088c32200ddfb7ffeffff\
             c33f0110870500baf7fffcffff877f02200e0b0074effff9ffff0fff04401c1600e8defff3ffff1ffe098038\
             2c00d0bdffe7ffff3ffc1300715800a07bffcfffff7ff82700e2b00040f7fe9ffffffff04f00c4610180eefd\
             3fffffffe19f0088c30200ddfbfffc0f5ec73f0110870500bab9eb",
        );
        let mut stream = Decompressor::new(bomb.into(), true).unwrap();
        let (mut total, mut output) = (0, Vec::new());
        loop {
            output.clear();
            let more = stream.read(1_000_000, &mut output);
            assert!(output.iter().all(|byte| *byte == 0));
            total += output.len();
            if !more {
                break;
            }
            assert_eq!(stream.window.len(), PIECE_BYTES);
        }
        assert_eq!(total, 200_000_000);
    }

    #[test]
    fn history_reaches_over_pieces() {
        // Noise that zlib cannot compress, again and again: each copy refers to the one before.
        let mut state = 1u32;
        let noise: Vec<u8> = (0..30_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let plain = noise.repeat(20);
        let channel = compress_to_vec_zlib(&plain, 9);
        assert!(channel.len() < 2 * noise.len(), "{}", channel.len());
        assert_eq!(all_of(channel), plain);
    }

    proptest! {
        #![proptest_config(seeded(128))]

        #[test]
        fn reading_in_any_steps_gives_the_same(
            plain in vec_of(0u8..3, 0..5000), steps in vec_of(0usize..2000, 1..20),
        ) {
            let channel = compress_to_vec_zlib(&plain, 6);
            let mut stream = Decompressor::new(channel.into(), false).unwrap();
            let mut output = Vec::new();
            for step in steps.into_iter().cycle() {
                let before = output.len();
                let more = stream.read(step.max(1), &mut output);
                prop_assert_eq!(more, output.len() - before == step.max(1));
                if !more {
                    break;
                }
            }
            prop_assert_eq!(output, plain);
        }

        #[test]
        fn a_cut_or_damaged_stream_gives_what_precedes(
            plain in vec_of(any::<u8>(), 1..3000), cut in any::<prop::sample::Index>(),
        ) {
            let mut channel = compress_to_vec_zlib(&plain, 6);
            channel.truncate(2 + cut.index(channel.len() - 2));
            let output = all_of(channel);
            prop_assert_eq!(&output[..], &plain[..output.len()]);
        }

        #[test]
        fn any_input_ends(first in prop_oneof![Just(1u8), Just(0x78)], rest in vec_of(any::<u8>(), 0..200)) {
            let channel = [&[first][..], &rest].concat();
            let mut output = Vec::new();
            let mut stream = Decompressor::new(channel.into(), true).unwrap();
            while stream.read(1_000_000, &mut output) && output.len() < 50_000_000 {}
        }
    }
}
