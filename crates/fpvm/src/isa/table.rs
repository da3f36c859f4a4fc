//! From the rows of a table to the enum of its instructions, their list, their decoder and their text, and the
//! trait of its visitors.

use super::pattern::Pattern;

/// What a table knows of one instruction: `O` names it, `F` is how it is written.
#[derive(Clone, Copy, Debug)]
pub struct Row<O, F> {
    /// The instruction.
    pub op: O,
    /// Its mnemonic, `_` for `.`.
    pub name: &'static str,
    /// How it is written.
    pub format: F,
    /// Its bits.
    pub pattern: Pattern,
    /// The machines it exists on.
    pub width: Width,
    /// True where it stands for what no other row of its group matches; it may overlap those rows.
    pub rest: bool,
    /// What it does.
    pub doc: &'static str,
}

/// On which machines an instruction exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32-bit and 64-bit machines.
    Both,
    /// 64-bit machines only.
    Wide,
}

/// A field of instruction words: its lowest bit, and how many it has.
pub type Field = (u32, u32);

/// Finds the row of a word. Two fields together are its key; each key knows the rows that its words may match,
/// those for the rest of a group last.
pub struct Decoder<const KEYS: usize, const CANDIDATES: usize> {
    fields: [Field; 2],
    /// Where a key's candidates begin, and where they end.
    spans: [[u16; 2]; KEYS],
    candidates: [u8; CANDIDATES],
}

impl<const KEYS: usize, const CANDIDATES: usize> Decoder<KEYS, CANDIDATES> {
    /// The decoder of a machine that has the rows for `width`. Fails the build where `KEYS` or `CANDIDATES` are
    /// too few.
    pub const fn new<O, F>(fields: [Field; 2], rows: &[Row<O, F>], width: Width) -> Self {
        let mut t = Self { fields, spans: [[0; 2]; KEYS], candidates: [0; CANDIDATES] };
        t.count(rows, width);
        let (mut key, mut start) = (0, 0);
        while key < KEYS {
            let count = t.spans[key][1];
            t.spans[key] = [start, start];
            start += count;
            key += 1;
        }
        t.fill(rows, width, false);
        t.fill(rows, width, true);
        t
    }

    /// Counts the candidates of each key in the place of their end.
    const fn count<O, F>(&mut self, rows: &[Row<O, F>], width: Width) {
        let mut i = 0;
        while i < rows.len() {
            if exists(&rows[i], width) {
                let mut keys = self.keys_of(&rows[i].pattern);
                while let Some(key) = keys.next() {
                    self.spans[key][1] += 1;
                }
            }
            i += 1;
        }
    }

    /// Adds the rows that do, or do not, stand for the rest of a group.
    const fn fill<O, F>(&mut self, rows: &[Row<O, F>], width: Width, rest: bool) {
        let mut i = 0;
        while i < rows.len() {
            if exists(&rows[i], width) && rows[i].rest == rest {
                let mut keys = self.keys_of(&rows[i].pattern);
                while let Some(key) = keys.next() {
                    self.candidates[self.spans[key][1] as usize] = i as u8;
                    self.spans[key][1] += 1;
                }
            }
            i += 1;
        }
    }

    /// The fields of a word, side by side.
    #[inline(always)]
    const fn key(&self, word: u32) -> usize {
        let [(low, bits), (high, more)] = self.fields;
        let (low, high) = (word >> low & ((1 << bits) - 1), word >> high & ((1 << more) - 1));
        (high << bits | low) as usize
    }

    const fn keys_of(&self, pattern: &Pattern) -> Keys {
        let fixed = self.key(pattern.mask);
        Keys { value: self.key(pattern.value), free: self.key(u32::MAX) & !fixed, next: Some(0) }
    }

    /// The first of the rows that matches a word.
    #[inline(always)]
    pub fn find<O: Copy, F>(&self, rows: &[Row<O, F>], word: u32) -> Option<O> {
        let [start, end] = *self.spans.get(self.key(word))?;
        let candidates = self.candidates.get(usize::from(start)..usize::from(end))?;
        let mut rows = candidates.iter().filter_map(|&i| rows.get(usize::from(i)));
        rows.find(|row| word & row.pattern.mask == row.pattern.value).map(|row| row.op)
    }
}

const fn exists<O, F>(row: &Row<O, F>, width: Width) -> bool {
    matches!((row.width, width), (Width::Both, _) | (_, Width::Wide))
}

/// The keys of a pattern: its fixed bits with every choice of the free ones.
struct Keys {
    value: usize,
    free: usize,
    /// The next choice.
    next: Option<usize>,
}

impl Keys {
    const fn next(&mut self) -> Option<usize> {
        let Some(choice) = self.next else { return None };
        let next = choice.wrapping_sub(self.free) & self.free;
        self.next = if next == 0 { None } else { Some(next) };
        Some(self.value | choice)
    }
}

/// The last column of a row: its width, and whether it stands for the rest of a group.
macro_rules! column {
    (both) => {
        (Width::Both, false)
    };
    (wide) => {
        (Width::Wide, false)
    };
    (rest) => {
        (Width::Both, true)
    };
    () => {
        (Width::Both, false)
    };
}

/// Expects in scope: a `Format`, a `Decoder` named `DECODER`, and `fn operands`, which writes the operands of a
/// word behind its mnemonic.
macro_rules! define_instructions {
    ($(#[doc = $doc:literal] $name:ident $format:ident $bits:literal $($column:ident)?;)*) => {
        /// An instruction, named by its mnemonic.
        #[expect(non_camel_case_types, reason = "mnemonics are written in lower case")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $doc] $name,)*
        }

        /// What the table knows of one instruction.
        pub type Row = $crate::isa::table::Row<Op, Format>;

        /// All rows, in the order of the table; `ROWS[op as usize]` is the row of `op`.
        pub const ROWS: &[Row] = &[$({
            let (width, rest) = column!($($column)?);
            Row {
                op: Op::$name,
                name: stringify!($name),
                format: Format::$format,
                pattern: Pattern::parse($bits),
                width,
                rest,
                doc: $doc,
            }
        },)*];

        /// One method per row. An engine is a visitor; [`Op::visit`] calls the method of an instruction.
        pub trait Visitor {
            /// What visiting an instruction gives.
            type Output;
            $(#[doc = $doc] fn $name(&mut self, word: Word) -> Self::Output;)*
        }

        impl Op {
            /// Calls the visitor's method for this instruction.
            #[inline(always)]
            pub fn visit<V: Visitor>(self, word: Word, visitor: &mut V) -> V::Output {
                match self {
                    $(Op::$name => visitor.$name(word),)*
                }
            }

            /// The row of this instruction.
            pub fn row(self) -> &'static Row {
                &ROWS[self as usize]
            }

            /// The instruction that a word encodes, or nothing where no row matches.
            #[inline]
            pub fn decode(word: Word) -> Option<Op> {
                DECODER.find(ROWS, word.0)
            }
        }

        /// One instruction word, read by its fields.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Word(pub u32);

        impl Word {
            /// The text of this word when it stands at `pc`; targets are absolute.
            pub const fn disassemble(self, pc: u64) -> Disassembly {
                Disassembly { pc, word: self }
            }
        }

        /// An instruction word at an address, printable as assembly.
        #[derive(Clone, Copy, Debug)]
        pub struct Disassembly {
            pc: u64,
            word: Word,
        }

        impl std::fmt::Display for Disassembly {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let Self { pc, word } = *self;
                let Some(op) = Op::decode(word) else {
                    return write!(f, "invalid 0x{:08x}", word.0);
                };
                f.write_str(&op.row().name.replace('_', "."))?;
                operands(f, op.row().format, word, pc)
            }
        }

        // No word may match two rows, but for those that stand for the rest of a group.
        const _: () = {
            let mut i = 0;
            while i < ROWS.len() {
                assert!(ROWS[i].op as usize == i, "rows are in the order of the enum");
                let mut k = i + 1;
                while k < ROWS.len() {
                    assert!(
                        ROWS[i].rest
                            || ROWS[k].rest
                            || !ROWS[i].pattern.overlaps(&ROWS[k].pattern),
                        "two rows overlap"
                    );
                    k += 1;
                }
                i += 1;
            }
        };
    };
}

/// The methods of a visitor that are one call each: `mnemonic: method(arguments);`.
macro_rules! rows {
    ($($name:ident: $method:ident($($argument:expr),*);)*) => {
        $(#[inline(always)]
        fn $name(&mut self, word: Word) -> Self::Output { self.$method(word, $($argument),*) })*
    };
}

pub(crate) use rows;
