//! Symbols of a program: the metadata file beside a state.

use serde::{Deserialize, Serialize};

/// A named range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// Its first address.
    pub start: u64,
    /// Its bytes.
    pub size: u64,
}

/// The symbols of a program, sorted by their start. As JSON it is what `--meta` reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symbols {
    /// May be `null` in files of other tools.
    #[serde(deserialize_with = "null_is_empty")]
    symbols: Vec<Symbol>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Vec<Symbol>, D::Error> {
    let mut symbols = Option::<Vec<Symbol>>::deserialize(d)?.unwrap_or_default();
    symbols.sort_by_key(|s| s.start);
    Ok(symbols)
}

impl Symbols {
    /// Sorts the symbols by their start; those that start together keep their order.
    pub fn new(mut symbols: Vec<Symbol>) -> Self {
        symbols.sort_by_key(|s| s.start);
        Self { symbols }
    }

    /// All symbols, sorted by start.
    pub fn all(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The name for an address, as logs show it: `!unknown` without symbols, `!start` before the first,
    /// `!gap` between two.
    pub fn name_of(&self, address: u64) -> &str {
        if self.symbols.is_empty() {
            return "!unknown";
        }
        match self.symbols.partition_point(|s| s.start <= address).checked_sub(1) {
            None => "!start",
            // The address behind the last byte still counts, as in the deployed tool.
            Some(i) if self.symbols[i].start.wrapping_add(self.symbols[i].size) < address => "!gap",
            Some(i) => &self.symbols[i].name,
        }
    }

    /// The innermost symbol whose bytes an address is among. Labels without a size, which RISC-V has inside of
    /// functions, have none.
    pub fn at(&self, address: u64) -> Option<&Symbol> {
        let end = self.symbols.partition_point(|s| s.start <= address);
        self.symbols.get(..end)?.iter().rev().find(|s| address - s.start < s.size)
    }

    /// The first symbol of that name.
    pub fn find(&self, name: &str) -> Option<&Symbol> {
        self.symbols.iter().find(|s| s.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses() {
        let symbol = |name: &str, start, size| Symbol { name: name.into(), start, size };
        let symbols = Symbols::new(vec![symbol("b", 0x40, 8), symbol("a", 0x10, 4)]);
        let check = |address, want| assert_eq!(symbols.name_of(address), want, "{address:#x}");
        check(0xf, "!start");
        check(0x10, "a");
        check(0x14, "a");
        check(0x15, "!gap");
        check(0x47, "b");
        assert_eq!(Symbols::default().name_of(0), "!unknown");
    }

    #[test]
    fn labels_do_not_hide_functions() {
        let symbol = |name: &str, start, size| Symbol { name: name.into(), start, size };
        let symbols = Symbols::new(vec![
            symbol("f", 0x10, 0x20),
            symbol(".L1", 0x14, 0),
            symbol("g", 0x18, 4),
        ]);
        let check = |address, want: Option<&str>| {
            assert_eq!(symbols.at(address).map(|s| s.name.as_str()), want, "{address:#x}");
        };
        check(0xf, None);
        check(0x10, Some("f"));
        check(0x14, Some("f"));
        check(0x1b, Some("g"));
        check(0x1c, Some("f"));
        check(0x2f, Some("f"));
        check(0x30, None);
    }
}
