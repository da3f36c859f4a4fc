//! DEFLATE, chunk by chunk, as strict as the decoder of op-node.
//!
//! Decoders agree on what is well-formed, and differ in what they still take of a stream that is not.
//! A batcher can write such streams, so what counts of them is consensus. This decoder refuses
//! - codes that leave bit patterns unused, except for a single code of one bit;
//! - a symbol for which there are fewer bits left than the end-of-block symbol has.
//!
//! It does not want an end-of-block symbol to be there, nor codes for distances.
//!
//! Invariant: a chunk ends where the decoder of op-node hands out data: where its window of 32 KiB is
//! full, at an empty stored block, and at the end.
//!
//! Specification: RFC 1951.

use alloc::boxed::Box;
use alloy_primitives::Bytes;

/// How far back a stream may refer, and the most a chunk has, in bytes.
const WINDOW_BYTES: usize = 32 * 1024;

/// The longest code, in bits.
const MAX_CODE_BITS: usize = 15;
/// Codes up to this length are looked up at once.
const TABLE_BITS: usize = 9;

/// Symbols of literals and lengths, and of distances, that have a meaning.
const LITERALS: usize = 286;
const DISTANCES: usize = 30;
const END_OF_BLOCK: usize = 256;

/// The order in which the lengths of the codes for lengths stand.
const LENGTH_ORDER: [usize; 19] =
    [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// What a stream has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is more.
    More,
    /// The final block has ended.
    Ended,
    /// The stream is malformed or ends too early.
    Broken,
}

/// A decoder in the middle of a stream.
pub(crate) struct Inflate {
    input: BitReader,
    next: Next,
    is_final: bool,
    literals: Codes,
    distances: Codes,
    /// The chunk before, and behind it the one that is being written.
    window: Box<[u8]>,
    /// Where the next byte goes.
    at: usize,
    /// Bytes that may be referred to.
    history: usize,
}

/// What the next step is.
enum Next {
    Block,
    Symbol,
    Copy { length: usize, distance: usize },
    Stored(usize),
}

/// What a step leads to.
enum Step {
    Next(Next),
    /// The chunk ends here.
    Flush(Next),
    /// The block ends here.
    Block,
    Broken,
}

impl Inflate {
    /// Begins with a stream at byte `at` of the input.
    pub(crate) fn new(input: Bytes, at: usize) -> Self {
        Self {
            input: BitReader { input, at, bits: 0, count: 0 },
            next: Next::Block,
            is_final: false,
            literals: Codes::EMPTY,
            distances: Codes::EMPTY,
            window: alloc::vec![0; 2 * WINDOW_BYTES].into(),
            at: WINDOW_BYTES,
            history: 0,
        }
    }

    /// The next chunk. With [`Progress::More`] it may be empty.
    pub(crate) fn chunk(&mut self) -> (&[u8], Progress) {
        if self.at == self.window.len() {
            self.window.copy_within(WINDOW_BYTES.., 0);
            self.at = WINDOW_BYTES;
        }
        let start = self.at;
        let progress = self.decode();
        (self.window.get(start..self.at).unwrap_or_default(), progress)
    }

    /// The bytes behind the stream, once it has ended.
    pub(crate) fn rest(&mut self) -> &[u8] {
        self.input.align();
        self.input.rest()
    }

    /// Decodes up to the end of the chunk.
    fn decode(&mut self) -> Progress {
        loop {
            let step = match core::mem::replace(&mut self.next, Next::Block) {
                Next::Block => self.block(),
                Next::Symbol => self.symbols(),
                Next::Copy { length, distance } => self.copy(length, distance),
                Next::Stored(length) => self.stored(length),
            };
            match step {
                Step::Next(next) => self.next = next,
                Step::Flush(next) => {
                    self.next = next;
                    return Progress::More;
                }
                Step::Block if self.is_final => return Progress::Ended,
                Step::Block => {}
                Step::Broken => return Progress::Broken,
            }
        }
    }

    fn block(&mut self) -> Step {
        let Some(header) = self.input.take(3) else { return Step::Broken };
        self.is_final = header & 1 == 1;
        match header >> 1 {
            0 => self.stored_header(),
            1 => {
                (self.literals, self.distances) = fixed_codes();
                Step::Next(Next::Symbol)
            }
            2 => match self.dynamic_codes() {
                Some((literals, distances)) => {
                    (self.literals, self.distances) = (literals, distances);
                    Step::Next(Next::Symbol)
                }
                None => Step::Broken,
            },
            _ => Step::Broken,
        }
    }

    fn stored_header(&mut self) -> Step {
        self.input.align();
        let Some(length) = self.input.take(16) else { return Step::Broken };
        let Some(complement) = self.input.take(16) else { return Step::Broken };
        match length as usize {
            _ if length ^ complement != 0xffff => Step::Broken,
            0 if self.is_final => Step::Block,
            0 => Step::Flush(Next::Block),
            length => Step::Next(Next::Stored(length)),
        }
    }

    fn stored(&mut self, length: usize) -> Step {
        self.input.align();
        let rest = self.input.rest();
        let Some(room) = self.window.get_mut(self.at..) else { return Step::Broken };
        let count = length.min(room.len());
        let available = count.min(rest.len());
        if let (Some(to), Some(from)) = (room.get_mut(..available), rest.get(..available)) {
            to.copy_from_slice(from);
        }
        self.input.at += available;
        self.wrote(available);
        match length - count {
            _ if available < count => Step::Broken,
            // The block ends with the chunk, or before it.
            0 if self.at < self.window.len() => Step::Block,
            left => Step::Flush(Next::Stored(left)),
        }
    }

    /// Literals, up to a reference, the end of the block or of the chunk.
    fn symbols(&mut self) -> Step {
        loop {
            let Some(symbol) = self.input.symbol(&self.literals) else { return Step::Broken };
            if symbol < END_OF_BLOCK {
                let Some(to) = self.window.get_mut(self.at) else { return Step::Broken };
                *to = symbol as u8;
                self.wrote(1);
                if self.at == self.window.len() {
                    return Step::Flush(Next::Symbol);
                }
                continue;
            }
            if symbol == END_OF_BLOCK {
                return Step::Block;
            }
            let Some((length, distance)) = self.reference(symbol) else { return Step::Broken };
            match self.copy(length, distance) {
                Step::Next(Next::Symbol) => {}
                step => return step,
            }
        }
    }

    fn reference(&mut self, symbol: usize) -> Option<(usize, usize)> {
        let length = match symbol - END_OF_BLOCK - 1 {
            code @ 0..8 => code + 3,
            code @ 8..28 => {
                let extra = code / 4 - 1;
                ((4 + code % 4) << extra) + 3 + self.input.take(extra as u32)? as usize
            }
            28 => 258,
            _ => return None,
        };
        let distance = match self.input.symbol(&self.distances)? {
            code @ 0..4 => code + 1,
            code @ 4..DISTANCES => {
                let extra = code / 2 - 1;
                ((2 + code % 2) << extra) + 1 + self.input.take(extra as u32)? as usize
            }
            _ => return None,
        };
        (distance <= self.history).then_some((length, distance))
    }

    fn copy(&mut self, length: usize, distance: usize) -> Step {
        let count = length.min(self.window.len() - self.at);
        let Some(from) = self.at.checked_sub(distance) else { return Step::Broken };
        if count <= distance && count > 16 {
            self.window.copy_within(from..from + count, self.at);
        } else {
            for offset in 0..count {
                self.window[self.at + offset] = self.window[from + offset];
            }
        }
        self.wrote(count);
        match length - count {
            0 if self.at < self.window.len() => Step::Next(Next::Symbol),
            length => Step::Flush(Next::Copy { length, distance }),
        }
    }

    fn wrote(&mut self, count: usize) {
        self.at += count;
        self.history = WINDOW_BYTES.min(self.history + count);
    }

    fn dynamic_codes(&mut self) -> Option<(Codes, Codes)> {
        let literals = self.input.take(5)? as usize + 257;
        let distances = self.input.take(5)? as usize + 1;
        let ordered = self.input.take(4)? as usize + 4;
        if literals > LITERALS || distances > DISTANCES {
            return None;
        }
        let mut lengths = [0; LENGTH_ORDER.len()];
        for place in LENGTH_ORDER.iter().take(ordered) {
            *lengths.get_mut(*place)? = self.input.take(3)? as u8;
        }
        let codes = Codes::new(&lengths)?;

        let mut lengths = [0; LITERALS + DISTANCES];
        let lengths = lengths.get_mut(..literals + distances)?;
        let mut at = 0;
        while at < lengths.len() {
            let (value, count) = match self.input.symbol(&codes)? {
                length @ 0..16 => (length as u8, 1),
                16 => (*lengths.get(at.checked_sub(1)?)?, self.input.take(2)? + 3),
                17 => (0, self.input.take(3)? + 3),
                _ => (0, self.input.take(7)? + 11),
            };
            let end = at + count as usize;
            lengths.get_mut(at..end)?.fill(value);
            at = end;
        }
        let (literals, distances) = lengths.split_at_checked(literals)?;
        let mut codes = Codes::new(literals)?;
        codes.least_bits = codes.least_bits.max(u32::from(*literals.get(END_OF_BLOCK)?));
        Some((codes, Codes::new(distances)?))
    }
}

fn fixed_codes() -> (Codes, Codes) {
    let mut lengths = [8; 288];
    lengths[144..256].fill(9);
    lengths[256..280].fill(7);
    let codes = |lengths| Codes::new(lengths).unwrap_or(Codes::EMPTY);
    (codes(&lengths), codes(&[5; 32]))
}

/// Symbols by their codes.
struct Codes {
    /// So many bits have to be there for any symbol.
    least_bits: u32,
    /// For each value of the next bits, the symbol and, in the four lowest bits, the length of its code;
    /// 0 where the code is longer, or there is none.
    table: [u16; 1 << TABLE_BITS],
    /// How many codes there are of each length.
    counts: [u16; MAX_CODE_BITS + 1],
    /// The symbols, ordered by the lengths of their codes.
    symbols: [u16; 288],
}

impl Codes {
    const EMPTY: Self = Self {
        least_bits: 0,
        table: [0; 1 << TABLE_BITS],
        counts: [0; MAX_CODE_BITS + 1],
        symbols: [0; 288],
    };

    /// The codes of symbols with these lengths, 0 for those without.
    fn new(lengths: &[u8]) -> Option<Self> {
        let mut codes = Self::EMPTY;
        for length in lengths.iter().filter(|length| **length > 0) {
            *codes.counts.get_mut(usize::from(*length))? += 1;
        }
        let (mut next, mut place) = ([0; MAX_CODE_BITS + 1], [0; MAX_CODE_BITS + 1]);
        let (mut code, mut before) = (0u32, 0usize);
        for length in 1..=MAX_CODE_BITS {
            code <<= 1;
            (next[length], place[length]) = (code, before);
            code += u32::from(codes.counts[length]);
            before += usize::from(codes.counts[length]);
        }
        // Every pattern stands for a symbol, or there is one symbol of one bit, or none at all.
        let single = before == 1 && codes.counts[1] == 1;
        if code != 1 << MAX_CODE_BITS && !single && before > 0 {
            return None;
        }
        codes.least_bits = (1..=MAX_CODE_BITS).find(|n| codes.counts[*n] > 0).unwrap_or(0) as u32;
        for (symbol, length) in lengths.iter().enumerate().filter(|(_, length)| **length > 0) {
            let length = usize::from(*length);
            *codes.symbols.get_mut(place[length])? = symbol as u16;
            place[length] += 1;
            let code = next[length];
            next[length] += 1;
            if length <= TABLE_BITS {
                let reversed = (code.reverse_bits() >> (32 - length)) as usize;
                let entry = (symbol << 4 | length) as u16;
                codes
                    .table
                    .iter_mut()
                    .skip(reversed)
                    .step_by(1 << length)
                    .for_each(|at| *at = entry);
            }
        }
        Some(codes)
    }

    /// The symbol whose code begins `bits`, and the length of the code.
    fn find(&self, bits: u64) -> Option<(usize, u32)> {
        let entry = self.table[bits as usize % self.table.len()];
        if entry != 0 {
            return Some((usize::from(entry >> 4), u32::from(entry & 15)));
        }
        let (mut code, mut first, mut before) = (0, 0, 0);
        for length in 1..=MAX_CODE_BITS {
            code = code << 1 | (bits >> (length - 1)) as usize & 1;
            first <<= 1;
            let count = usize::from(self.counts[length]);
            if code < first + count {
                let symbol = self.symbols.get(before + code - first)?;
                return Some((usize::from(*symbol), length as u32));
            }
            first += count;
            before += count;
        }
        None
    }
}

/// The input, bit by bit from the lowest on.
struct BitReader {
    input: Bytes,
    /// Where the bytes begin that are not in `bits`.
    at: usize,
    /// The next `count` bits. What stands above them is what follows, as far as it is known.
    bits: u64,
    count: u32,
}

impl BitReader {
    /// Makes sure that there are 56 bits at least, or all that are left.
    fn fill(&mut self) {
        if let Some(word) = self.rest().first_chunk() {
            self.bits |= u64::from_le_bytes(*word) << self.count;
            let bytes = (63 - self.count) / 8;
            self.at += bytes as usize;
            self.count += 8 * bytes;
            return;
        }
        while self.count <= 56
            && let Some(byte) = self.input.get(self.at)
        {
            self.bits |= u64::from(*byte) << self.count;
            self.at += 1;
            self.count += 8;
        }
    }

    /// The next `count` bits, 16 at most.
    fn take(&mut self, count: u32) -> Option<u32> {
        if self.count < count {
            self.fill();
        }
        let taken = self.bits as u32 & ((1 << count) - 1);
        self.skip(count)?;
        Some(taken)
    }

    fn symbol(&mut self, codes: &Codes) -> Option<usize> {
        if self.count < MAX_CODE_BITS as u32 {
            self.fill();
        }
        let (symbol, length) = codes.find(self.bits)?;
        if self.count < codes.least_bits {
            return None;
        }
        self.skip(length)?;
        Some(symbol)
    }

    fn skip(&mut self, count: u32) -> Option<()> {
        self.count = self.count.checked_sub(count)?;
        self.bits >>= count;
        Some(())
    }

    /// Goes on with the next whole byte.
    fn align(&mut self) {
        self.at -= (self.count / 8) as usize;
        (self.bits, self.count) = (0, 0);
    }

    /// The bytes that are not in `bits`.
    fn rest(&self) -> &[u8] {
        self.input.get(self.at..).unwrap_or_default()
    }
}
