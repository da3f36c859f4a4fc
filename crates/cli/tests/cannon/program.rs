//! Guest programs, written by hand: straight-line code, so that the step counter of an instruction is
//! its place.

use alloy_primitives::B256;

pub const TEXT: u64 = 0x1_0000;
pub const DATA: u64 = 0x2_0000;

const V0: u32 = 2;
const A0: u32 = 4;
const T0: u32 = 8;
const T1: u32 = 9;

const WRITE: u32 = 5001;
const READ: u32 = 5000;
const EXIT_GROUP: u32 = 5205;

const STDOUT: u32 = 1;
const HINT: u32 = 4;
const PREIMAGE_READ: u32 = 5;
const PREIMAGE_WRITE: u32 = 6;

/// A program under construction.
#[derive(Default)]
pub struct Program {
    code: Vec<u32>,
    data: Vec<u8>,
    symbols: Vec<(String, u64, u64)>,
}

impl Program {
    pub fn new() -> Self {
        let mut program = Self::default();
        program.symbol("start", TEXT, 4);
        program
    }

    /// Counter of the next instruction, in code that runs straight through from the start.
    pub fn step(&self) -> u64 {
        self.code.len() as u64
    }

    pub fn address(&self) -> u64 {
        TEXT + 4 * self.step()
    }

    pub fn symbol(&mut self, name: &str, start: u64, size: u64) -> &mut Self {
        self.symbols.push((name.into(), start, size));
        self
    }

    pub fn word(&mut self, word: u32) -> &mut Self {
        self.code.push(word);
        self
    }

    /// Loads a constant: two instructions.
    pub fn load(&mut self, register: u32, value: u32) -> &mut Self {
        let (high, low) = (value >> 16, value & 0xffff);
        self.word(0x3c00_0000 | register << 16 | high); // lui
        self.word(0x3400_0000 | register << 21 | register << 16 | low) // ori
    }

    /// A system call with up to three arguments; the call itself is the last instruction.
    pub fn syscall(&mut self, number: u32, arguments: &[u32]) -> &mut Self {
        self.load(V0, number);
        for (register, value) in (A0..).zip(arguments) {
            self.load(register, *value);
        }
        self.word(0x0000_000c)
    }

    /// Bytes of the data segment, aligned to 8.
    fn data(&mut self, bytes: &[u8]) -> u32 {
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        let at = DATA as u32 + self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        at
    }

    /// Puts bytes into the data segment, aligned to 8.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.data(bytes);
        self
    }

    pub fn print(&mut self, text: &str) -> &mut Self {
        let at = self.data(text.as_bytes());
        self.syscall(WRITE, &[STDOUT, at, text.len() as u32])
    }

    /// Writes these bytes to the hint channel, as they are.
    pub fn hint_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let at = self.data(bytes);
        self.syscall(WRITE, &[HINT, at, bytes.len() as u32])
    }

    /// Sets the preimage key: four writes of 8 bytes.
    pub fn key(&mut self, key: B256) -> &mut Self {
        let at = self.data(key.as_slice());
        for part in 0..4 {
            self.syscall(WRITE, &[PREIMAGE_WRITE, at + 8 * part, 8]);
        }
        self
    }

    /// Reads 8 bytes of the preimage and gives the counter of the step that does so.
    pub fn read(&mut self) -> u64 {
        let at = self.data(&[0; 8]);
        self.syscall(READ, &[PREIMAGE_READ, at, 8]);
        self.step() - 1
    }

    pub fn exit(&mut self, code: u32) -> &mut Self {
        self.syscall(EXIT_GROUP, &[code])
    }

    /// Counts to `n` (below 65536), storing each number: 2 instructions, then 4 a round.
    pub fn count_to(&mut self, n: u32) -> &mut Self {
        let at = self.data(&[0; 8]);
        self.load(T1, at);
        self.word(0x2400_0000 | T0 << 16); // li t0, 0
        self.word(0x3400_0000 | 10 << 16 | n); // li t2, n
        self.word(0x6508_0001); // daddiu t0, t0, 1
        self.word(0xfd28_0000); // sd t0, 0(t1)
        self.word(0x150a_fffd); // bne t0, t2, -3
        self.word(0) // nop
    }

    /// Branches to itself for ever.
    pub fn hang(&mut self) -> &mut Self {
        self.word(0x1000_ffff).word(0)
    }

    /// A call of the function at `target`, with its delay slot.
    pub fn call(&mut self, target: u64) -> &mut Self {
        self.word(0x0c00_0000 | (target >> 2) as u32).word(0)
    }

    /// A return, with its delay slot.
    pub fn ret(&mut self) -> &mut Self {
        self.word(0x03e0_0008).word(0)
    }

    /// The big-endian 64-bit ELF file.
    pub fn elf(&self) -> Vec<u8> {
        let text: Vec<u8> = self.code.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut strings = vec![0];
        let mut symbols = vec![0; 24];
        for (name, start, size) in &self.symbols {
            symbols.extend((strings.len() as u32).to_be_bytes());
            symbols.extend([2, 0, 0, 1]); // a local function in section 1
            symbols.extend(start.to_be_bytes());
            symbols.extend(size.to_be_bytes());
            strings.extend(name.as_bytes());
            strings.push(0);
        }
        let start = 64 + 2 * 56;
        let mut file = Bytes(Vec::new());
        let [text_at, data_at, symbols_at, strings_at, sections_at] =
            offsets(start, [text.len(), self.data.len(), symbols.len(), strings.len()]);
        file.0.extend(b"\x7fELF\x02\x02\x01\0\0\0\0\0\0\0\0\0");
        file.halves(&[2, 8]).words(&[1]).longs(&[TEXT, 64, sections_at]);
        file.words(&[0]).halves(&[64, 56, 2, 64, 4, 3]);
        for (at, address, length) in
            [(text_at, TEXT, text.len() as u64), (data_at, DATA, self.data.len() as u64)]
        {
            file.words(&[1, 7]).longs(&[at, address, address, length, length, 4096]);
        }
        for part in [&text, &self.data, &symbols, &strings] {
            file.0.extend(part);
        }
        let (symbols_size, strings_size) = (symbols.len() as u64, strings.len() as u64);
        file.section(0, 0, [0, 0], 0, 0);
        file.section(1, TEXT, [text_at, text.len() as u64], 0, 0);
        file.section(2, 0, [symbols_at, symbols_size], 3, 24);
        file.section(3, 0, [strings_at, strings_size], 0, 0);
        file.0
    }
}

/// Where parts of the given lengths begin, and where the last one ends.
fn offsets(start: usize, lengths: [usize; 4]) -> [u64; 5] {
    let mut at = start as u64;
    let mut all = [at; 5];
    for (i, length) in lengths.into_iter().enumerate() {
        at += length as u64;
        all[i + 1] = at;
    }
    all
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn halves(&mut self, values: &[u16]) -> &mut Self {
        self.0.extend(values.iter().flat_map(|v| v.to_be_bytes()));
        self
    }

    fn words(&mut self, values: &[u32]) -> &mut Self {
        self.0.extend(values.iter().flat_map(|v| v.to_be_bytes()));
        self
    }

    fn longs(&mut self, values: &[u64]) -> &mut Self {
        self.0.extend(values.iter().flat_map(|v| v.to_be_bytes()));
        self
    }

    fn section(&mut self, kind: u32, address: u64, place: [u64; 2], link: u32, entry: u64) {
        self.words(&[0, kind]).longs(&[0, address]).longs(&place);
        self.words(&[link, u32::from(kind == 2)]).longs(&[1, entry]);
    }
}
