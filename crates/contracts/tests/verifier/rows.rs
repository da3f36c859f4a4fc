//! The contract has one function for each row of the instruction table, with the same name and bits, and in
//! the table's order. A row that is added to one side only is found here.

use rebut_fpvm::isa::{Pattern, ROWS};
use std::path::Path;

/// Sources whose functions are rows.
const SOURCES: [&str; 5] = [
    "MIPS64Special.sol",
    "MIPS64Syscalls.sol",
    "MIPS64Branch.sol",
    "MIPS64Immediate.sol",
    "MIPS64LoadStore.sol",
];

/// Name and bits of each row in a source: a comment `// name  bits` in front of `function name(`, or of
/// `function executeSyscall(`, the one row that is a whole subsystem.
fn rows(source: &str) -> Vec<(String, Pattern)> {
    let lines: Vec<_> = source.lines().collect();
    let mut rows = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = line.strip_prefix("// ").and_then(|text| text.split(' ').next()) else {
            continue;
        };
        let function = lines[at..].iter().find(|line| !line.starts_with("//"));
        let expected = match name {
            "syscall" => "function executeSyscall(".to_owned(),
            _ => format!("function {name}("),
        };
        let bits = line[3 + name.len()..].trim_start();
        let drawn: String = bits.chars().take_while(|c| "01-asdtij ".contains(*c)).collect();
        let bits_count = drawn.chars().filter(|c| *c != ' ').take(32).count();
        if bits_count == 32 && function.is_some_and(|line| line.starts_with(&expected)) {
            rows.push((name.to_owned(), pattern(&drawn)));
        }
    }
    rows
}

/// The first 32 bits of a drawing.
fn pattern(drawn: &str) -> Pattern {
    let bits: String = drawn.chars().filter(|c| *c != ' ').take(32).collect();
    Pattern::parse(bits.leak())
}

#[test]
fn every_row_is_a_function_in_the_tables_order() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/src/vm");
    let mut found = 0;
    for name in SOURCES {
        let source = std::fs::read_to_string(folder.join(name)).unwrap();
        let mut last = 0;
        for (mnemonic, bits) in rows(&source) {
            let place = ROWS.iter().position(|row| row.name == mnemonic);
            let place = place.unwrap_or_else(|| panic!("{name}: {mnemonic} is in no row"));
            let row = &ROWS[place];
            assert_eq!(
                (bits.mask, bits.value),
                (row.pattern.mask, row.pattern.value),
                "{mnemonic}"
            );
            assert!(last <= place, "{name}: {mnemonic} is out of order");
            last = place;
            found += 1;
        }
    }
    assert_eq!(found, ROWS.len(), "rows of the table that have a function");
}
