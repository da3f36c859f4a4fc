//! Whole programs, in Go and in Rust, on every version of the machines and under qemu.

use rebut_fpvm::machine::Machine;
use rebut_fpvm::{Asterisc, Mips32, Mips64, Output, Program, Stop, Stream, Until, load_elf};
use rebut_tests::preimages::Preimages;
use rebut_tests::{Subject, go, guests};
use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

/// What `guests/go` prints. 332833500 is the sum of the squares below 1000.
const GO_OUTPUT: &str =
    "squares 332833500\nletters i4s4p2m1\ncollected true\nslept true\ntimer fired\n";
/// What `guests/go/single` prints: 100 numbers squared, numbers of set bits below 1024 by how often they are, CRC-32 of the
/// bytes 0 to 127.
const SINGLE_OUTPUT: &str = "squares 328350\nbits [5 4 6 3 7 2 8 1 9 0 10]\nchecksum 24650d57\n";
/// What `guests/go/numbers` prints, as computed in Python.
const NUMBERS_OUTPUT: &str = "factorial 1053 215423320027505243562195374\ncollatz 871 178\nsorted 88dcf215d45cfc4c\n\
    longest COUNTERED-COUNTERED-COUNTERED\n";
/// What the Rust guest prints: of the numbers (2654435761 i mod 2^32) mod 997 for i below 1000.
const RUST_OUTPUT: &str = "hello: 1000 numbers, 857 different, median 495\n";

/// Keeps what a guest prints, by stream.
#[derive(Clone, Default)]
struct Printed(Rc<RefCell<[Vec<u8>; 2]>>);

impl Output for Printed {
    fn write(&mut self, stream: Stream, bytes: &[u8], _: u64) {
        self.0.borrow_mut()[usize::from(stream == Stream::Stderr)].extend_from_slice(bytes);
    }
}

/// Runs a program to its end: exit code, standard output, standard error, steps.
fn run<V: Subject>(program: Program<V>) -> (u8, String, String, u64) {
    let printed = Printed::default();
    let mut machine = Machine::new(program.state, Preimages::new(), printed.clone());
    let stop = machine.run(Until::EXIT).unwrap_or_else(|error| panic!("{error}"));
    let Stop::Exited(code) = stop else { panic!("stopped for no reason: {stop:?}") };
    let [out, err] = &*printed.0.borrow();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (code, text(out), text(err), machine.registers().step)
}

/// What the program prints under qemu, where that is installed.
fn under_qemu<V: Subject>(elf: &Path) -> Option<String> {
    let qemu = format!("qemu-{}", V::ARCHITECTURE);
    match Command::new(&qemu).arg(elf).output() {
        Ok(out) => {
            assert!(out.status.success(), "{qemu}: {}", out.status);
            Some(String::from_utf8_lossy(&out.stdout).into_owned())
        }
        Err(error) => {
            println!("skipped: {qemu}: {error}");
            None
        }
    }
}

fn check<V: Subject>(
    name: &str,
    elf: &[u8],
    folder: &Path,
    want: &str,
    prepare: fn(&mut Program<V>),
) {
    let path = folder.join(name);
    std::fs::write(&path, elf).unwrap_or_else(|error| panic!("{error}"));
    executable(&path);
    if let Some(printed) = under_qemu::<V>(&path) {
        assert_eq!(printed, want, "{name} under qemu");
    }
    for version in V::VERSIONS {
        let mut program: Program<V> =
            load_elf(*version, elf).unwrap_or_else(|error| panic!("{name}: {error}"));
        prepare(&mut program);
        let (code, out, err, steps) = run(program);
        println!("{name}, {version:?}: {steps} steps");
        assert_eq!((code, out.as_str()), (0, want), "{name}, version {version:?}: {err}");
    }
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, permissions).unwrap_or_else(|error| panic!("{error}"));
}

fn temporary() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
}

fn check_rust<V: Subject>(guest: &str, want: &str) {
    check::<V>(guest, &guests::elf::<V>(guest), temporary().path(), want, |_| {});
}

#[test]
fn a_go_program() {
    let folder = temporary();
    let Some(elf) = go::build::<Mips64>(go::WHOLE, folder.path()) else { return };
    check::<Mips64>("go", &elf, folder.path(), GO_OUTPUT, |_| {});
}

fn check_go<V: Subject>(program: &str, want: &str) {
    let folder = temporary();
    let Some(elf) = go::build::<V>(program, folder.path()) else { return };
    check::<V>("go", &elf, folder.path(), want, go::leave_out_what_is_too_new);
}

#[test]
fn go_programs_of_32_bits() {
    check_go::<Mips32>(go::SINGLE, SINGLE_OUTPUT);
    // Its runtime sleeps, which Asterisc refuses.
    check_go::<Mips32>(go::NUMBERS, NUMBERS_OUTPUT);
}

#[test]
fn a_go_program_in_asterisc() {
    check_go::<Asterisc>(go::SINGLE, SINGLE_OUTPUT);
}

#[test]
fn a_rust_program() {
    check_rust::<Mips64>("hello", RUST_OUTPUT);
    check_rust::<Mips32>("hello", RUST_OUTPUT);
    check_rust::<Asterisc>("hello", RUST_OUTPUT);
}

#[test]
fn what_guests_have_in_assembly_does_what_plain_rust_does() {
    check_rust::<Mips64>("check-sys", "");
    check_rust::<Mips32>("check-sys", "");
    check_rust::<Asterisc>("check-sys", "");
}
