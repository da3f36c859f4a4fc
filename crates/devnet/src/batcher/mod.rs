//! The batcher: writes L2 blocks to L1, in every form that the protocol has, and on request wrongly.
//!
//! ```text
//!   blocks ─► batches ─► channel ─► frames ─► data of transactions ─► transactions of L1
//!             singular   zlib       cut to     several frames          calldata or blobs
//!             or span    or brotli  a size     each
//! ```
//!
//! Batches, frames and their data are written by crate `derivation`; compression and blobs here.
//!
//! Specification: "Derivation", batch submission wire format; Delta, Ecotone and Fjord.

mod blob;
mod fault;
mod transaction;

pub use blob::{BLOB_DATA_LIMIT_BYTES, encode as encode_blob};
pub use fault::{Damage, Fault, Faults};
pub use transaction::{BlobError, Envelope, L1Fees, blob_transaction, calldata_transaction};

use crate::{
    l1::Record,
    l2::{Block, Chain, Transaction},
};
use alloy_eips::Encodable2718;
use alloy_primitives::{B128, B256, Bytes, keccak256};
use alloy_rlp::Encodable;
use rebut_derivation::{
    Batch, ChannelId, CriticalError, Frame, RollupConfig, SingularBatch, SpanBatch, SpanEncodeError,
};
use rebut_execution::Fork;
use std::io::Write;

/// How a channel is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1950.
    #[default]
    Zlib,
    /// RFC 7932 behind a version byte; from Fjord on.
    Brotli,
}

/// How blocks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// As one span batch, from Delta on, instead of one batch a block.
    pub span: bool,
    /// Of the channel.
    pub compression: Compression,
    /// In blobs, from Ecotone on, instead of calldata.
    pub blobs: bool,
    /// The most bytes of a channel that one frame carries.
    pub frame_bytes: usize,
    /// Frames in one transaction's calldata, or in one blob.
    pub frames_together: usize,
    /// The most L2 blocks in one channel.
    pub blocks_together: u64,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            span: false,
            compression: Compression::Zlib,
            blobs: false,
            frame_bytes: 100_000,
            frames_together: 1,
            blocks_together: 100,
        }
    }
}

impl Form {
    /// This form as far as it is allowed in L1 blocks after one at `timestamp`, for blocks the first of
    /// which has an L1 origin at `origin`.
    #[must_use]
    pub fn allowed(mut self, config: &RollupConfig, timestamp: u64, origin: u64) -> Self {
        self.span &= config.is_delta(origin);
        self.blobs &= config.is_active(Fork::Ecotone, timestamp);
        if !config.is_active(Fork::Fjord, timestamp) {
            self.compression = Compression::Zlib;
        }
        self
    }
}

/// Why blocks cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// A block is none of the chain's.
    #[error(transparent)]
    Block(#[from] CriticalError),
    /// The blocks make no span.
    #[error(transparent)]
    Span(#[from] SpanEncodeError),
    /// The channel cannot be compressed.
    #[error("a channel cannot be compressed: {0}")]
    Compression(#[from] std::io::Error),
    /// A channel has more frames than can be numbered.
    #[error("a channel of {0} bytes needs more frames than can be numbered")]
    Frames(usize),
}

/// A block in the batcher's words.
///
/// # Errors
/// When it is no block of the chain.
pub fn singular(chain: &Chain, block: &Block) -> Result<SingularBatch, CriticalError> {
    let place = chain.place(block)?;
    let is_users = |transaction: &&Transaction| !transaction.is_deposit();
    let users = block.transactions.iter().filter(is_users);
    Ok(SingularBatch {
        parent_hash: block.header.parent_hash,
        epoch_number: place.l1_origin.number,
        epoch_hash: place.l1_origin.hash,
        timestamp: block.header.timestamp,
        transactions: users.map(|transaction| transaction.encoded_2718().into()).collect(),
    })
}

/// The batches of consecutive blocks.
///
/// # Errors
/// [`BatchError`].
pub fn batches(
    chain: &Chain,
    blocks: &[SingularBatch],
    starts_epoch: bool,
    span: bool,
) -> Result<Vec<Vec<u8>>, BatchError> {
    let config = chain.config();
    if !span {
        let encode = |block: &SingularBatch| Batch::Singular(block.clone()).encode(config);
        return Ok(blocks.iter().map(encode).collect::<Result<_, _>>()?);
    }
    let span = SpanBatch::from_singular(blocks, starts_epoch);
    Ok(span.map(|span| Batch::Span(span).encode(config)).transpose()?.into_iter().collect())
}

/// A compressed channel of batches.
///
/// # Errors
/// [`BatchError::Compression`], which writing to memory never leads to.
pub fn channel(batches: &[Vec<u8>], compression: Compression) -> Result<Vec<u8>, BatchError> {
    let mut content = Vec::new();
    for batch in batches {
        batch.as_slice().encode(&mut content);
    }
    match compression {
        Compression::Zlib => {
            let level = flate2::Compression::new(6);
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(&content)?;
            Ok(encoder.finish()?)
        }
        Compression::Brotli => {
            let mut out = vec![1];
            let parameters =
                brotli::enc::BrotliEncoderParams { quality: 5, lgwin: 18, ..Default::default() };
            brotli::BrotliCompress(&mut &content[..], &mut out, &parameters)?;
            Ok(out)
        }
    }
}

/// Cuts a channel into frames.
///
/// # Errors
/// [`BatchError::Frames`] for too small a size.
pub fn frames(id: ChannelId, channel: &[u8], frame_bytes: usize) -> Result<Vec<Frame>, BatchError> {
    let parts: Vec<&[u8]> = channel.chunks(frame_bytes.max(1)).collect();
    let count = parts.len();
    let frame = |(index, data): (usize, &&[u8])| {
        let number = u16::try_from(index).map_err(|_| BatchError::Frames(channel.len()))?;
        let data = Bytes::copy_from_slice(data);
        Ok(Frame { channel: id, number, data, is_last: index + 1 == count })
    };
    parts.iter().enumerate().map(frame).collect()
}

/// The data of transactions, or of blobs, that carry the frames.
pub fn payloads(frames: &[Frame], frames_together: usize) -> Vec<Bytes> {
    frames.chunks(frames_together.max(1)).map(Frame::encode_all).collect()
}

/// Writes L2 blocks from one on, a channel at a time.
#[derive(Clone, Debug)]
pub struct Batcher {
    /// How.
    pub form: Form,
    next: u64,
    channels: u64,
    seed: B256,
}

/// A channel, ready to be sent.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Numbers of the first and the last block.
    pub blocks: (u64, u64),
    /// Data of transactions or of blobs, in order.
    pub payloads: Vec<Bytes>,
    /// How it was written.
    pub form: Form,
}

impl Batcher {
    /// A batcher that begins with the block after genesis.
    pub fn new(form: Form, seed: u64) -> Self {
        Self { form, next: 1, channels: 0, seed: keccak256(seed.to_be_bytes()) }
    }

    /// The number of the next block to be written.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Goes on with block `number`: after a reorg, or when what was sent did not arrive.
    pub const fn restart(&mut self, number: u64) {
        self.next = number;
    }

    /// A channel of the blocks that have not been written. `None` when there are none. What forms are
    /// allowed depends on how far `l1` has come.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn channel(&mut self, chain: &Chain, l1: &Record) -> Result<Option<Channel>, BatchError> {
        let blocks = self.pending(chain)?;
        self.channel_of(chain, l1, &blocks)
    }

    /// The blocks of the next channel.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn pending(&self, chain: &Chain) -> Result<Vec<SingularBatch>, BatchError> {
        let ledger = chain.ledger();
        let end = self.next.saturating_add(self.form.blocks_together);
        let numbers = self.next..end.min(ledger.latest().number().saturating_add(1));
        let blocks = numbers.filter_map(|number| ledger.block(number));
        Ok(blocks.map(|block| singular(chain, block)).collect::<Result<_, _>>()?)
    }

    /// A channel of the next blocks, with what is given in place of them.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn channel_of(
        &mut self,
        chain: &Chain,
        l1: &Record,
        blocks: &[SingularBatch],
    ) -> Result<Option<Channel>, BatchError> {
        let Some(batch) = blocks.first() else { return Ok(None) };
        let origin = l1.ledger().block(batch.epoch_number);
        let origin = origin.map_or(0, |block| block.header.timestamp);
        let form = self.form.allowed(chain.config(), l1.latest().header.timestamp, origin);
        let first = self.next;
        let starts_epoch = match chain.ledger().block(first) {
            Some(block) => chain.place(block)?.sequence_number == 0,
            None => false,
        };
        let batches = batches(chain, blocks, starts_epoch, form.span)?;
        let compressed = channel(&batches, form.compression)?;
        let frames = frames(self.next_id(), &compressed, form.frame_bytes)?;
        let last = first + blocks.len() as u64 - 1;
        self.next = last + 1;
        let payloads = payloads(&frames, form.frames_together);
        Ok(Some(Channel { blocks: (first, last), payloads, form }))
    }

    fn next_id(&mut self) -> ChannelId {
        self.channels += 1;
        let hash = keccak256([self.seed.as_slice(), &self.channels.to_be_bytes()].concat());
        ChannelId(B128::from_slice(&hash[..16]))
    }
}
