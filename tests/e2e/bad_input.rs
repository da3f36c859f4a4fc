//! Damaged files: a program or a state that is cut short or has a byte changed gives a typed error, or
//! something that is legal; never a panic, and never something else than the file says.

use rebut_fpvm::loader::load_elf_within;
use rebut_fpvm::{Machine, Mips64, Silent, State, StateVersion, Until};
use rebut_tests::guests;
use rebut_tests::preimages::Preimages;
use rebut_tests::random::{Random, SEED_VARIABLE, seed};

/// Damages that are tried beside those of the headers.
const SAMPLES: u64 = 300;
/// Far above what the program needs; a changed size must not make the test slow.
const MEMORY_LIMIT_BYTES: u64 = 16 << 20;
/// Bytes of an ELF file in which every byte is changed: its header and its program headers.
const HEADER_BYTES: u64 = 64 + 8 * 56;
/// Bytes at both ends of a state file in which every byte is changed: version, page count and first page
/// index; everything behind the pages.
const ENDS_BYTES: u64 = 500;

fn damages(random: &mut Random, length: u64, every: impl Fn(u64) -> bool) -> Vec<(usize, u8)> {
    let mut all: Vec<(usize, u8)> = (0..length)
        .filter(|at| every(*at))
        .flat_map(|at| [0x01, 0x80, 0xff].map(|flip| (at as usize, flip)))
        .collect();
    all.extend((0..SAMPLES).map(|_| (random.below(length) as usize, 1 << random.below(8))));
    all
}

#[test]
fn a_damaged_program_is_refused_or_loads() {
    let seed = seed(11);
    println!("{SEED_VARIABLE}={seed}");
    let random = &mut Random::new(seed);
    let elf = guests::elf::<Mips64>("hello");
    let (mut loaded, mut refused) = (0, 0);
    let mut load = |elf: &[u8]| match load_elf_within(StateVersion::V8, elf, MEMORY_LIMIT_BYTES) {
        Ok(program) => {
            loaded += 1;
            // What loads also runs: to wherever it leads, which may be a fault.
            let mut machine = Machine::new(program.state, Preimages::new(), Silent);
            drop(machine.run(Until::step(10_000)));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            refused += 1;
        }
    };
    for _ in 0..SAMPLES {
        load(&elf[..random.below(elf.len() as u64) as usize]);
    }
    for (at, flip) in damages(random, elf.len() as u64, |at| at < HEADER_BYTES) {
        let mut damaged = elf.clone();
        damaged[at] ^= flip;
        load(&damaged);
    }
    println!("{loaded} loaded, {refused} refused");
    assert!(loaded > 0 && refused > 0);
}

/// The file with its pages in ascending order, which reading does not ask for.
fn in_order(mut file: Vec<u8>) -> Vec<u8> {
    const RECORD_BYTES: usize = 8 + 4096;
    let count = u64::from_be_bytes(file[1..9].try_into().unwrap_or_default()) as usize;
    let pages = &mut file[9..9 + count * RECORD_BYTES];
    let mut records: Vec<Vec<u8>> = pages.chunks(RECORD_BYTES).map(<[u8]>::to_vec).collect();
    records.sort();
    pages.copy_from_slice(&records.concat());
    file
}

fn written(state: &State) -> Vec<u8> {
    let mut bytes = Vec::new();
    state.write(&mut bytes).unwrap_or_else(|error| panic!("{error}"));
    bytes
}

#[test]
fn a_damaged_state_is_refused_or_means_what_it_says() {
    let seed = seed(12);
    println!("{SEED_VARIABLE}={seed}");
    let random = &mut Random::new(seed);
    let program = guests::load("hello", StateVersion::V8);
    let mut machine = Machine::new(program.state, Preimages::new(), Silent);
    machine.run(Until::step(1_000)).unwrap_or_else(|error| panic!("{error}"));
    let whole = written(machine.state());
    let length = whole.len() as u64;

    for cut in (0..ENDS_BYTES).chain(length - ENDS_BYTES..length) {
        let error = State::read(&whole[..cut as usize]).expect_err("a part of a state is no state");
        assert!(!error.to_string().is_empty());
    }
    let (mut read, mut refused) = (0, 0);
    for (at, flip) in damages(random, length, |at| at < 17 || at >= length - ENDS_BYTES) {
        let mut damaged = whole.clone();
        damaged[at] ^= flip;
        match State::read(damaged.as_slice()) {
            Ok(state) => {
                read += 1;
                let mut back = written(&state);
                let damaged = in_order(damaged);
                // The byte that says that a thread has exited is true for every value but 0.
                if back.get(at) == Some(&1) && damaged[at] > 1 {
                    back[at] = damaged[at];
                }
                // What follows the hint is ignored, also where a changed count makes it end early.
                assert!(damaged.starts_with(&back), "byte {at} changed by {flip:#x} is lost");
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 0 && refused > 0);
}
