//! Decompression of channels, piece by piece.
//!
//! The first byte of a channel tells how it is compressed: zlib, or from Fjord on also Brotli behind a
//! byte of its own. A reader takes as many bytes as it wants, so that nobody has to hold all that a
//! small channel may expand to.
//!
//! What precedes an error in the stream counts, but for one case: where an error comes to light together
//! with the last bytes that are asked for, and these are handed out without a buffer between, op-node
//! gives up on all of them. So this reader has the same buffer, and asks the decoders for as much as
//! op-node does at a time, also of their input.
//!
//! Invariant: memory stays below a constant beyond what is asked for, whatever the input (68 KiB for
//! zlib; for Brotli its window of up to 16 MiB and tables).
//!
//! Specification: "Channel Format"; Fjord, "Brotli Channel Compression"; RFC 1950, RFC 7932.

use crate::inflate::{Inflate, Progress};
use alloc::{boxed::Box, vec, vec::Vec};
use alloy_primitives::Bytes;
use brotli_decompressor::{
    Allocator, BrotliDecoderHasMoreOutput, BrotliDecompressStream, BrotliResult, BrotliState,
    SliceWrapper, SliceWrapperMut,
};
use core::ops::{Index, IndexMut, Range};

/// Reads of fewer bytes go through a buffer of so many.
const BUFFER_BYTES: usize = 4096;

/// How much input the Brotli decoder is given at a time, in bytes. At first it gets what op-node has
/// looked at to tell the compression, without the first byte.
const BROTLI_INPUT_BYTES: usize = 32 * 1024;
const FIRST_BROTLI_INPUT_BYTES: usize = BUFFER_BYTES - 1;

/// How much Brotli is decompressed at a time, in bytes.
const BROTLI_PIECE_BYTES: usize = 16 * 1024;

/// Why a channel cannot be decompressed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CompressionError {
    /// There is no first byte.
    #[error("the channel is empty")]
    Empty,
    /// The first byte stands for no compression.
    #[error("no compression begins with {0:#04x}")]
    Unknown(u8),
    /// The first bytes are no header of zlib.
    #[error("the channel begins with no header of zlib")]
    ZlibHeader,
    /// Brotli came with Fjord.
    #[error("Brotli is not allowed before Fjord")]
    BrotliBeforeFjord,
}

/// A channel that is being decompressed.
pub(crate) struct Decompressor {
    codec: Codec,
    buffer: Vec<u8>,
    /// What of the buffer has been read.
    read: usize,
    progress: Progress,
}

enum Codec {
    Zlib(Box<Zlib>),
    Brotli(Box<Brotli>),
}

impl Decompressor {
    /// Begins with a channel.
    pub(crate) fn new(channel: Bytes, is_fjord: bool) -> Result<Self, CompressionError> {
        let first = *channel.first().ok_or(CompressionError::Empty)?;
        let codec = match first {
            _ if matches!(first & 0x0f, 8 | 15) => Codec::Zlib(Box::new(Zlib::new(channel)?)),
            1 if is_fjord => Codec::Brotli(Box::new(Brotli::new(channel.slice(1..)))),
            1 => return Err(CompressionError::BrotliBeforeFjord),
            _ => return Err(CompressionError::Unknown(first)),
        };
        Ok(Self { codec, buffer: Vec::new(), read: 0, progress: Progress::More })
    }

    /// Appends the next `count` bytes to `output`. `false` where they cannot be had: then some of them
    /// may have been appended, and there is nothing more.
    pub(crate) fn read(&mut self, count: usize, output: &mut Vec<u8>) -> bool {
        let mut missing = count;
        while missing > 0 {
            let buffered = self.buffer.get(self.read..).unwrap_or_default();
            if !buffered.is_empty() {
                let taken = buffered.get(..missing).unwrap_or(buffered);
                output.extend_from_slice(taken);
                self.read += taken.len();
                missing -= taken.len();
            } else if self.progress != Progress::More {
                return false;
            } else if missing < BUFFER_BYTES {
                self.buffer.clear();
                self.read = 0;
                self.progress = self.codec.read(BUFFER_BYTES, &mut self.buffer);
            } else {
                let before = output.len();
                self.progress = self.codec.read(missing, output);
                missing -= output.len() - before;
                if self.progress == Progress::Broken {
                    return false;
                }
            }
        }
        true
    }
}

impl Codec {
    /// Appends the next bytes, `room` at most, and says what the stream has come to with them.
    fn read(&mut self, room: usize, output: &mut Vec<u8>) -> Progress {
        match self {
            Self::Zlib(zlib) => zlib.read(room, output),
            Self::Brotli(brotli) => brotli.read(room, output),
        }
    }
}

/// A stream of zlib: a header, DEFLATE and a checksum.
///
/// A dictionary is allowed if it is empty, as its checksum of 1 says.
struct Zlib {
    inflate: Inflate,
    chunk: Vec<u8>,
    /// What of the chunk has been read.
    read: usize,
    progress: Progress,
    checksum: Adler32,
}

impl Zlib {
    fn new(channel: Bytes) -> Result<Self, CompressionError> {
        const METHOD: u8 = 8;
        const LARGEST_WINDOW: u8 = 7;
        const DICTIONARY: u8 = 1 << 5;
        let header = channel.first_chunk().ok_or(CompressionError::ZlibHeader)?;
        let [method, flags] = *header;
        let valid = method & 0x0f == METHOD
            && method >> 4 <= LARGEST_WINDOW
            && u16::from_be_bytes(*header).is_multiple_of(31);
        let start = match channel.get(2..6) {
            _ if !valid => return Err(CompressionError::ZlibHeader),
            _ if flags & DICTIONARY == 0 => 2,
            Some([0, 0, 0, 1]) => 6,
            _ => return Err(CompressionError::ZlibHeader),
        };
        Ok(Self {
            inflate: Inflate::new(channel, start),
            chunk: Vec::new(),
            read: 0,
            progress: Progress::More,
            checksum: Adler32::default(),
        })
    }

    fn read(&mut self, room: usize, output: &mut Vec<u8>) -> Progress {
        loop {
            let left = self.chunk.get(self.read..).unwrap_or_default();
            if !left.is_empty() {
                let taken = left.get(..room).unwrap_or(left);
                output.extend_from_slice(taken);
                self.read += taken.len();
                return if taken.len() < left.len() { Progress::More } else { self.progress };
            }
            if self.progress != Progress::More {
                return self.progress;
            }
            let (chunk, progress) = self.inflate.chunk();
            self.chunk.clear();
            self.chunk.extend_from_slice(chunk);
            self.checksum.update(chunk);
            self.read = 0;
            self.progress = progress;
            if progress == Progress::Ended
                && self.inflate.rest().first_chunk() != Some(&self.checksum.value().to_be_bytes())
            {
                self.progress = Progress::Broken;
            }
        }
    }
}

/// The checksum of zlib (RFC 1950).
struct Adler32 {
    bytes: u32,
    sums: u32,
}

impl Default for Adler32 {
    fn default() -> Self {
        Self { bytes: 1, sums: 0 }
    }
}

impl Adler32 {
    const MODULUS: u32 = 65_521;
    /// So many bytes can be added before the sums exceed 32 bits.
    const CHUNK_BYTES: usize = 5_552;

    fn update(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(Self::CHUNK_BYTES) {
            for byte in chunk {
                self.bytes += u32::from(*byte);
                self.sums += self.bytes;
            }
            self.bytes %= Self::MODULUS;
            self.sums %= Self::MODULUS;
        }
    }

    fn value(&self) -> u32 {
        self.sums << 16 | self.bytes
    }
}

/// A stream of Brotli.
struct Brotli {
    state: BrotliState<Heap, Heap, Heap>,
    input: Bytes,
    /// What of the input the decoder has been given, and not taken yet.
    given: Range<usize>,
}

impl Brotli {
    fn new(input: Bytes) -> Self {
        // Strict: the larger windows of some encoders are no part of the RFC.
        let state = BrotliState::new_strict(Heap, Heap, Heap);
        Self { state, input, given: 0..0 }
    }

    fn read(&mut self, room: usize, output: &mut Vec<u8>) -> Progress {
        if self.given.is_empty() && !BrotliDecoderHasMoreOutput(&self.state) && !self.give() {
            return Progress::Ended;
        }
        loop {
            let before = output.len();
            let result = self.decode(room, output);
            match result {
                BrotliResult::ResultSuccess if self.given.is_empty() => return Progress::More,
                // Something follows the stream, or it is malformed.
                BrotliResult::ResultSuccess | BrotliResult::ResultFailure => {
                    return Progress::Broken;
                }
                BrotliResult::NeedsMoreOutput => return Progress::More,
                BrotliResult::NeedsMoreInput if output.len() > before => return Progress::More,
                BrotliResult::NeedsMoreInput => {}
            }
            if !self.give() {
                return Progress::Broken;
            }
        }
    }

    /// Gives the decoder more input. `false` where there is none.
    fn give(&mut self) -> bool {
        let start = self.given.end;
        let most = if start == 0 { FIRST_BROTLI_INPUT_BYTES } else { BROTLI_INPUT_BYTES };
        self.given = start..self.input.len().min(start + most);
        !self.given.is_empty()
    }

    /// Appends `room` bytes at most, as if the decoder had all the room at once.
    fn decode(&mut self, room: usize, output: &mut Vec<u8>) -> BrotliResult {
        let mut left = room;
        loop {
            let start = output.len();
            let (mut piece, mut written) = (left.min(BROTLI_PIECE_BYTES), 0);
            output.resize(start + piece, 0);
            let given = self.input.get(self.given.clone()).unwrap_or_default();
            let (mut available, mut consumed, mut total) = (given.len(), 0, 0);
            let result = BrotliDecompressStream(
                &mut available,
                &mut consumed,
                given,
                &mut piece,
                &mut written,
                output.get_mut(start..).unwrap_or_default(),
                &mut total,
                &mut self.state,
            );
            self.given.start += consumed;
            output.truncate(start + written);
            left -= written;
            // A full piece is no reason to stop. With a full piece the decoder asks for input although
            // it may have more output.
            let has_more = match result {
                BrotliResult::NeedsMoreOutput => true,
                BrotliResult::NeedsMoreInput => BrotliDecoderHasMoreOutput(&self.state),
                _ => false,
            };
            if left == 0 || piece > 0 || !has_more {
                return result;
            }
        }
    }
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
            // The second byte of zlib makes both a multiple of 31.
            let second = (31 - u16::from(first) * 256 % 31) as u8 % 31;
            Decompressor::new(Bytes::copy_from_slice(&[first, second]), is_fjord).err()
        };
        for first in [0x08, 0x18, 0x78] {
            assert_eq!(check(first, false), None, "{first:02x}");
        }
        for first in [0x0f, 0x7f, 0x88, 0xf8] {
            assert_eq!(check(first, false), Some(CompressionError::ZlibHeader), "{first:02x}");
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
    fn headers_that_the_rfc_forbids_are_refused() {
        let with_header = |header| [bytes(header), bytes(ZLIB)[2..].to_vec()].concat();
        // Wrong check bits; a dictionary; another method; a window of 64 KiB.
        for header in ["789d", "78bb", "78bb00000002", "7f00", "881c"] {
            let error = Decompressor::new(with_header(header).into(), true).err();
            assert_eq!(error, Some(CompressionError::ZlibHeader), "{header}");
        }
        for cut in ["78", "78bb000000"] {
            let error = Decompressor::new(bytes(cut).into(), true).err();
            assert_eq!(error, Some(CompressionError::ZlibHeader), "{cut}");
        }
        // The dictionary is the empty one.
        assert_eq!(all_of(with_header("78bb00000001")), bytes(PLAIN));
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
            assert!(stream.buffer.capacity() <= BUFFER_BYTES);
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
        fn any_input_ends(is_zlib in any::<bool>(), rest in vec_of(any::<u8>(), 0..200)) {
            let first: &[u8] = if is_zlib { &[0x78, 0x9c] } else { &[1] };
            let channel = [first, &rest].concat();
            let mut output = Vec::new();
            let mut stream = Decompressor::new(channel.into(), true).unwrap();
            while stream.read(1_000_000, &mut output) && output.len() < 50_000_000 {}
        }
    }
}
