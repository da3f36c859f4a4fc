//! Channels, frames and blobs as a batcher writes them.

use crate::{random::Random, rlp};
use std::io::Write;

/// How a channel is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1950.
    Zlib,
    /// RFC 7932 after a version byte.
    Brotli,
}

/// A frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Of the channel.
    pub id: [u8; 16],
    /// In the channel.
    pub number: u16,
    /// Part of the channel.
    pub data: Vec<u8>,
    /// Whether the channel ends.
    pub is_last: bool,
}

impl Frame {
    /// In its binary form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.id.to_vec();
        out.extend(self.number.to_be_bytes());
        out.extend((self.data.len() as u32).to_be_bytes());
        out.extend(&self.data);
        out.push(u8::from(self.is_last));
        out
    }
}

/// A channel's content from encoded batches.
pub fn content(batches: &[Vec<u8>]) -> Vec<u8> {
    batches.iter().flat_map(|batch| rlp::string(batch)).collect()
}

/// Compresses a channel's content.
pub fn compress(content: &[u8], compression: Compression) -> Vec<u8> {
    match compression {
        Compression::Zlib => {
            let level = flate2::Compression::new(6);
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(content).expect("a vector takes everything");
            encoder.finish().expect("a vector takes everything")
        }
        Compression::Brotli => {
            let mut out = vec![1];
            let parameters =
                brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 16, ..Default::default() };
            brotli::BrotliCompress(&mut &content[..], &mut out, &parameters)
                .expect("a vector takes everything");
            out
        }
    }
}

/// Cuts a channel into frames of random lengths.
pub fn frames(random: &mut Random, channel: &[u8]) -> Vec<Frame> {
    let mut id = [0; 16];
    id.copy_from_slice(&random.bytes(16));
    let count = random.between(1, 5) as usize;
    let longest = channel.len().div_ceil(count).max(1);
    let mut parts: Vec<Vec<u8>> = channel.chunks(longest).map(<[u8]>::to_vec).collect();
    if random.chance(5) {
        parts.push(Vec::new());
    }
    let last = parts.len() - 1;
    let frame = |(index, data)| Frame { id, number: index as u16, data, is_last: index == last };
    parts.into_iter().enumerate().map(frame).collect()
}

/// The blob that carries `data`.
pub fn blob(data: &[u8]) -> Box<[u8; 131_072]> {
    // Version 0, the length in three bytes, the data.
    let mut bytes = vec![0];
    bytes.extend(&(data.len() as u32).to_be_bytes()[1..]);
    bytes.extend(data);
    bytes.resize(127 * 1024, 0);

    let mut blob = Box::new([0; 131_072]);
    for (group, bytes) in blob.chunks_exact_mut(128).zip(bytes.chunks_exact(127)) {
        // Four elements of 31 bytes each; three more bytes are spread over their first bytes.
        let (x, y, z) = (bytes[31], bytes[63], bytes[95]);
        let heads = [x & 0x3f, (y & 0x0f) | (x & 0xc0) >> 2, z & 0x3f, (z & 0xc0) >> 2 | y >> 4];
        for (index, element) in group.chunks_exact_mut(32).enumerate() {
            element[0] = heads[index];
            element[1..].copy_from_slice(&bytes[index * 32..index * 32 + 31]);
        }
    }
    blob
}
