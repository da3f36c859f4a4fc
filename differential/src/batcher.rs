//! A batcher that writes the sequencer's blocks to L1, and mixes in whatever can be wrong with batches,
//! channels, frames and transactions.

use crate::{
    batch::{Singular, Span},
    channel::{self, Compression, Frame},
    parameters::{Parameters, Upgrade},
    random::Random,
    sequencer::Sequencer,
    user_transaction::UserTransaction,
};
use alloy_primitives::B256;
use std::ops::Range;

/// Data for one transaction or blob.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The L1 block to put it in.
    pub due: u64,
    /// Version byte and frames, or something else.
    pub data: Vec<u8>,
}

/// What the batcher has done so far.
#[derive(Clone, Debug, Default)]
pub struct Batcher {
    /// Number of the next L2 block to write.
    pub next: u64,
    /// L1 block at which blocks became safe, or at which the batcher started over.
    progress: u64,
    /// The safe head then.
    safe: u64,
    /// What waits for its L1 block.
    pub queue: Vec<Payload>,
}

impl Batcher {
    /// Starts with the first block after genesis.
    pub fn new() -> Self {
        Self { next: 1, ..Self::default() }
    }

    /// Notices what became safe. Starts over from the safe head when nothing does for a while.
    pub fn observe(
        &mut self,
        random: &mut Random,
        sequencer: &mut Sequencer,
        safe: u64,
        differs: Option<u64>,
        l1_number: u64,
    ) {
        if let Some(first) = differs {
            self.next = self.next.min(first.max(1));
        }
        self.next = self.next.max(safe + 1);
        if safe > self.safe || self.next == safe + 1 {
            (self.safe, self.progress) = (safe, l1_number);
        } else if l1_number >= self.progress + 4 {
            self.progress = l1_number;
            self.next = safe + 1;
            if random.chance(50) {
                sequencer.rewind();
            }
        }
    }

    /// Writes a channel with the blocks that were not written yet, for L1 blocks after `tip`.
    pub fn write(
        &mut self,
        random: &mut Random,
        parameters: &Parameters,
        sequencer: &Sequencer,
        tip: (u64, u64),
    ) {
        let end = sequencer.chain.len() as u64;
        // What comes too late becomes empty blocks in any case.
        let deadline = |number: u64| {
            sequencer.chain[number as usize].block.place.origin_number + parameters.seq_window_size
        };
        while self.next < end && deadline(self.next) < tip.0 + 1 {
            self.next += 1;
        }
        if self.next >= end {
            return;
        }
        let in_hurry = deadline(self.next) < tip.0 + 5;
        let last = if in_hurry { end } else { random.between(self.next + 1, end) };
        let blocks = self.next..last;
        self.next = blocks.end;
        let (batches, is_clean) =
            batches(random, parameters, sequencer, blocks.clone(), tip.1, in_hurry);
        let first = sequencer.chain[blocks.start as usize].block.header.timestamp;
        let compression = compression(random, parameters, first, tip.1, is_clean);
        let mut channel = channel::compress(&channel::content(&batches), compression);
        if random.chance(2) {
            // Not a known compression.
            channel[0] = 0x42;
        }
        let frames = channel::frames(random, &channel);
        if in_hurry {
            let mut data = vec![0];
            frames.iter().for_each(|frame| data.extend(frame.encode()));
            self.queue.push(Payload { due: tip.0 + 1, data });
        } else {
            let margin = 30 * parameters.slot_time;
            let in_order = parameters.is_active(Upgrade::Holocene, tip.1 + margin);
            self.send(random, frames, tip.0, in_order);
        }
    }

    /// Spreads frames over payloads and L1 blocks.
    ///
    /// With `in_order` the disorder is such that all agree on what it means in Holocene: nothing is ahead
    /// of its turn in another transaction.
    fn send(&mut self, random: &mut Random, mut frames: Vec<Frame>, tip: u64, in_order: bool) {
        let first = usize::from(in_order);
        let mut in_one = false;
        if random.chance(4) {
            let index = random.index(frames.len());
            frames.remove(index);
        }
        if random.chance(6) && frames.len() > first {
            let index = first + random.index(frames.len() - first);
            let copy = frames[index].clone();
            let to = if in_order { index + 1 } else { 0 };
            let to = to + random.index(frames.len() + 1 - to);
            frames.insert(to, copy);
        }
        if random.chance(8) && frames.len() > first + 1 {
            let any = |random: &mut Random| first + random.index(frames.len() - first);
            let (a, b) = (any(random), any(random));
            frames.swap(a, b);
            in_one = in_order;
            // A first frame behind frames of its own channel.
            if in_order && a == b {
                frames.insert(a + 1, frames[0].clone());
            }
        }
        if random.chance(3) && !frames.is_empty() {
            let index = random.index(frames.len());
            let frame = &mut frames[index];
            if random.chance(50) { frame.id[0] ^= 1 } else { frame.number += 100 }
        }
        let mut due = tip + 1 + random.below(2);
        while !frames.is_empty() {
            let least = if in_one { frames.len() as u64 } else { 1 };
            let count = random.between(least, frames.len() as u64) as usize;
            let mut data = vec![0];
            frames.drain(..count).for_each(|frame| data.extend(frame.encode()));
            damage(random, &mut data);
            self.queue.push(Payload { due, data });
            due += [0, 0, 0, 1, 1, 3][random.index(6)];
        }
        if random.chance(2) {
            self.queue.iter_mut().for_each(|payload| payload.due += 4);
        }
    }
}

/// Damages what surrounds the frames, now and then.
fn damage(random: &mut Random, data: &mut Vec<u8>) {
    if random.chance(95) {
        return;
    }
    match random.below(6) {
        // Another version.
        0 => data[0] = 1 + random.below(255) as u8,
        // The length of the first frame.
        1 => data[1 + 18 + random.index(4)] ^= 1 << random.below(8),
        2 => data.truncate(1 + random.index(30)),
        3 => data.extend(random.bytes(10)),
        4 => data.clear(),
        // A frame that begins too late.
        _ => data.insert(0, 0),
    }
}

/// Brotli once all agree that it is allowed, or well before.
fn compression(
    random: &mut Random,
    parameters: &Parameters,
    first_timestamp: u64,
    tip: u64,
    is_clean: bool,
) -> Compression {
    let margin = 30 * parameters.slot_time;
    let active = |time: u64| parameters.is_active(Upgrade::Fjord, time);
    let allowed = active(tip) && active(first_timestamp.saturating_sub(4 * parameters.block_time));
    let early = !active(tip + margin) && random.chance(5);
    let brotli = (allowed && is_clean && random.chance(30)) || early;
    if brotli { Compression::Brotli } else { Compression::Zlib }
}

/// Encoded batches for the blocks, and whether none has random bytes.
fn batches(
    random: &mut Random,
    parameters: &Parameters,
    sequencer: &Sequencer,
    blocks: Range<u64>,
    tip: u64,
    in_hurry: bool,
) -> (Vec<Vec<u8>>, bool) {
    let mut out = Vec::new();
    let mut is_clean = true;
    let mut start = blocks.start;
    while start < blocks.end {
        let end = random.between(start + 1, blocks.end);
        let range = start..end;
        start = end;
        let origin = sequencer.chain[range.start as usize].block.place.origin_number;
        let spans = parameters.is_active(Upgrade::Delta, tip);
        let is_span = if spans { random.chance(60) } else { random.chance(3) };
        let bad = random
            .chance(if in_hurry { 2 } else { 10 })
            .then(|| bad_batches(random, parameters, sequencer, range.clone(), is_span, origin));
        let at = random.chance(50);
        if let (true, Some(bad)) = (at, &bad) {
            out.extend(bad.clone());
        }
        if is_span {
            // A span may begin with blocks that are known.
            let overlap = if random.chance(15) { random.below(4) } else { 0 };
            let from = range.start.saturating_sub(overlap).max(1);
            out.push(span(parameters, sequencer, from..range.end).encode());
        } else {
            out.extend(range.clone().map(|number| singular(sequencer, number).encode()));
        }
        if let (false, Some(bad)) = (at, bad) {
            out.extend(bad);
        }
        if random.chance(2) {
            let index = random.index(out.len());
            let byte = random.index(out[index].len());
            out[index][byte] ^= 1 << random.below(8);
            is_clean = false;
        }
    }
    if random.chance(3) && out.len() > 1 {
        let (a, b) = (random.index(out.len()), random.index(out.len()));
        out.swap(a, b);
    }
    (out, is_clean)
}

fn singular(sequencer: &Sequencer, number: u64) -> Singular {
    let sequenced = &sequencer.chain[number as usize];
    let (header, place) = (&sequenced.block.header, sequenced.block.place);
    Singular {
        parent_hash: header.parent_hash,
        epoch_number: place.origin_number,
        epoch_hash: place.origin_hash,
        timestamp: header.timestamp,
        transactions: sequenced.transactions.iter().map(UserTransaction::encode).collect(),
    }
}

fn span(parameters: &Parameters, sequencer: &Sequencer, blocks: Range<u64>) -> Span {
    let chain = &sequencer.chain[blocks.start as usize..blocks.end as usize];
    let (first, last) = (&chain[0].block, &chain[chain.len() - 1].block);
    let start = |hash: B256| hash[..20].try_into().expect("twenty bytes");
    Span {
        relative_timestamp: first.header.timestamp - parameters.genesis_time,
        l1_origin_number: last.place.origin_number,
        parent_check: start(first.header.parent_hash),
        l1_origin_check: start(last.place.origin_hash),
        origin_bits: chain.iter().map(|block| block.block.place.sequence_number == 0).collect(),
        blocks: chain.iter().map(|block| block.transactions.clone()).collect(),
    }
}

/// Batches of the blocks that break a rule, or try to.
fn bad_batches(
    random: &mut Random,
    parameters: &Parameters,
    sequencer: &Sequencer,
    range: Range<u64>,
    is_span: bool,
    origin: u64,
) -> Vec<Vec<u8>> {
    let count = if random.chance(70) { 1 } else { 2 };
    (0..count)
        .map(|_| {
            if is_span {
                let overlap = if random.chance(30) { random.below(5) } else { 0 };
                let from = range.start.saturating_sub(overlap).max(1);
                let mut span = span(parameters, sequencer, from..range.end);
                spoil_span(random, parameters, &mut span);
                span.encode()
            } else {
                let number = random.between(range.start, range.end - 1);
                let mut batch = singular(sequencer, number);
                spoil_singular(random, parameters, sequencer, &mut batch, origin);
                batch.encode()
            }
        })
        .collect()
}

/// A time that is off by a little or a lot.
fn shift(random: &mut Random, time: u64, step: u64) -> u64 {
    match random.below(6) {
        0 => time.saturating_sub(1),
        1 => time + 1,
        2 => time.saturating_sub(step),
        3 => time + step,
        4 => time + 7 * step,
        _ => time.saturating_sub(5 * step),
    }
}

/// Breaks one rule of a singular batch.
fn spoil_singular(
    random: &mut Random,
    parameters: &Parameters,
    sequencer: &Sequencer,
    batch: &mut Singular,
    origin: u64,
) {
    let other = random.index(sequencer.chain.len());
    let other = &sequencer.chain[other].block;
    match random.below(12) {
        0 => batch.parent_hash = random.hash(),
        1 => batch.parent_hash = other.hash,
        2 => batch.epoch_hash = random.hash(),
        3 => batch.epoch_number = batch.epoch_number.wrapping_add(*random.pick(&[1, 2, 9])),
        4 => batch.epoch_number = origin.saturating_sub(random.between(1, 3)),
        // Another origin, with its hash.
        5 => {
            batch.epoch_number = other.place.origin_number;
            batch.epoch_hash = other.place.origin_hash;
        }
        6 => batch.timestamp = shift(random, batch.timestamp, parameters.block_time),
        7 => batch.transactions.push(Vec::new()),
        8 => batch.transactions.push([vec![0x7e], random.bytes(40)].concat()),
        9 => {
            let mut transaction = UserTransaction::random(random, true);
            transaction.kind = crate::user_transaction::Kind::Eip7702;
            transaction.to = Some(transaction.to.unwrap_or_default());
            batch.transactions.push(transaction.encode());
        }
        // What only execution can refuse.
        10 => batch.transactions.push(random.bytes(30)),
        // As long after the origin as is allowed, or a bit more.
        _ => batch.transactions.push(UserTransaction::random(random, false).encode()),
    }
}

/// Breaks one rule of a span batch.
fn spoil_span(random: &mut Random, parameters: &Parameters, span: &mut Span) {
    let block = random.index(span.blocks.len());
    match random.below(13) {
        0 => span.parent_check[random.index(20)] ^= 1,
        1 => span.l1_origin_check[random.index(20)] ^= 1,
        2 => {
            span.relative_timestamp = shift(random, span.relative_timestamp, parameters.block_time);
        }
        3 => span.l1_origin_number += *random.pick(&[1, 2, 9]),
        4 => span.l1_origin_number = span.l1_origin_number.saturating_sub(random.between(1, 3)),
        5 | 6 => span.origin_bits[block] = !span.origin_bits[block],
        7 => {
            span.origin_bits.truncate(block + 1);
            span.blocks.truncate(block + 1);
        }
        8 => {
            span.blocks.clear();
            span.origin_bits.clear();
        }
        9 => {
            let mut transaction = UserTransaction::random(random, true);
            transaction.kind = crate::user_transaction::Kind::Eip7702;
            transaction.to = Some(transaction.to.unwrap_or_default());
            span.blocks[block].push(transaction);
        }
        10 => span.blocks[block].push(UserTransaction::random(random, false).poisoned()),
        11 => span.blocks[block].clear(),
        _ => {
            // Blocks that the sequencer never made, as far as the origins allow.
            let more = random.between(1, 20) as usize;
            span.origin_bits.extend(vec![false; more]);
            let transaction = UserTransaction::random(random, false);
            span.blocks.extend(vec![vec![transaction; random.index(2)]; more]);
        }
    }
}
