//! Oracles for program files, their symbols, and instruction words.

use rebut_fpvm::isa::{Op, Operands, Word};
use rebut_fpvm::loader::load_elf_within;
use rebut_fpvm::{AsteriscVersion, StateVersion, StateVersion32, Symbols, Target, Version};

/// Memory a program may ask for here. A few header bytes can ask for gigabytes, which is legal and slow.
const MEMORY_LIMIT_BYTES: u64 = 4 << 20;
/// Most pages of the first stack.
const STACK_PAGES: u64 = 5;

/// Loads a program file as one of each machine's. What loads fits the limit, and its symbols are in order.
pub fn elf(file: &[u8]) {
    elf_of(StateVersion::V8, file);
    elf_of(StateVersion32::V2, file);
    elf_of(AsteriscVersion, file);
}

fn elf_of<N: Version<Vm: Target>>(version: N, file: &[u8]) {
    let Ok(program) = load_elf_within(version, file, MEMORY_LIMIT_BYTES) else { return };
    let pages = program.state.memory.page_count() as u64;
    // A program header takes 32 bytes at least, and its segment two pages more than its size; what is written over a
    // function may lie in two pages.
    let headers = file.len() as u64 / 32;
    let patched = program.symbols.all().len() as u64;
    let most = STACK_PAGES + MEMORY_LIMIT_BYTES / 4096 + 2 * headers + 2 * patched;
    assert!(pages <= most, "{pages} pages");
    assert!(program.symbols.all().is_sorted_by_key(|symbol| symbol.start));
    check_symbols(&program.symbols);
}

/// Reads a metadata file.
pub fn symbols(text: &[u8]) {
    let Ok(symbols) = serde_json::from_slice::<Symbols>(text) else { return };
    assert!(symbols.all().is_sorted_by_key(|symbol| symbol.start));
    check_symbols(&symbols);
}

/// Survives its file form, and has a name for every address of interest.
fn check_symbols(symbols: &Symbols) {
    let text = serde_json::to_vec(symbols).expect("symbols are plain data");
    assert_eq!(serde_json::from_slice::<Symbols>(&text).ok().as_ref(), Some(symbols));
    for symbol in symbols.all() {
        assert!(symbols.find(&symbol.name).is_some());
        let named = symbols.name_of(symbol.start);
        assert!(named == "!gap" || symbols.all().iter().any(|other| other.name == named));
        symbols.name_of(symbol.start.wrapping_add(symbol.size));
    }
    symbols.name_of(u64::MAX);
}

/// Decodes, encodes and disassembles the word that is the first argument, at an address made of the
/// other two.
pub fn instruction([word, high, low]: [u32; 3]) {
    let word = Word(word);
    let text = word.disassemble(u64::from(high) << 32 | u64::from(low)).to_string();
    let Some(op) = Op::decode(word) else {
        assert!(text.starts_with("invalid "), "{text}");
        return;
    };
    let row = op.row();
    assert_eq!(row.op, op);
    assert_eq!(word.0 & row.pattern.mask, row.pattern.value, "{}", row.name);
    assert!(text == row.name || text.starts_with(&format!("{} ", row.name)), "{text}");
    if row.rest {
        return;
    }
    let operands = Operands {
        rs: word.rs() as u8,
        rt: word.rt() as u8,
        rd: word.rd() as u8,
        sa: word.sa() as u8,
        imm: word.uimm() as u16,
        target: word.0,
    };
    let encoded = op.encode(operands);
    // Bits that are neither fixed nor an operand may be lost, nothing else.
    let operand_bits = *b"stdaij";
    let known = operand_bits
        .into_iter()
        .fold(row.pattern.mask, |mask, letter| mask | row.pattern.field(letter));
    assert_eq!(encoded.0, word.0 & known, "{text}");
    assert_eq!(Op::decode(encoded), Some(op), "{text}");
}
