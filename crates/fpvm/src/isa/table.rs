//! From the rows of a table to the enum of its instructions, its list, and the trait of its visitors.

/// Expects in scope: `Word`, `Pattern`, a `Format`, a `Row` with `new` and `is_fallback`, and a macro
/// `column` that turns the last column of a row into what `Row::new` takes.
macro_rules! define_instructions {
    ($(#[doc = $doc:literal] $name:ident $format:ident $bits:literal $($column:ident)?;)*) => {
        /// An instruction, named by its mnemonic.
        #[expect(non_camel_case_types, reason = "mnemonics are written in lower case")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $doc] $name,)*
        }

        /// All rows, in the order of the table; `ROWS[op as usize]` is the row of `op`.
        pub const ROWS: &[Row] = &[$(Row::new(
            Op::$name,
            [stringify!($name), $doc],
            Format::$format,
            Pattern::parse($bits),
            column!($($column)?),
        ),)*];

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
        }

        // No word may match two rows, but for those that stand for the rest of a group.
        const _: () = {
            let mut i = 0;
            while i < ROWS.len() {
                assert!(ROWS[i].op as usize == i, "rows are in the order of the enum");
                let mut k = i + 1;
                while k < ROWS.len() {
                    let exempt = ROWS[i].is_fallback() || ROWS[k].is_fallback();
                    assert!(
                        exempt || !ROWS[i].pattern.overlaps(&ROWS[k].pattern),
                        "two rows overlap"
                    );
                    k += 1;
                }
                i += 1;
            }
        };
    };
}
