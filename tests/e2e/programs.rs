//! Whole programs, in Go and in Rust, on both versions of the machine and under qemu.

use rebut_fpvm::{Machine, Mips64, Output, Program, StateVersion, Stop, Stream, Until, load_elf};
use rebut_tests::preimages::Preimages;
use rebut_tests::{go, guests};
use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

/// What `guests/go` prints. 332833500 is the sum of the squares below 1000.
const GO_OUTPUT: &str =
    "squares 332833500\nletters i4s4p2m1\ncollected true\nslept true\ntimer fired\n";
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
fn run(program: Program) -> (u8, String, String, u64) {
    let printed = Printed::default();
    let mut machine = Machine::new(program.state, Preimages::new(), printed.clone());
    let stop = machine.run(Until::EXIT).unwrap_or_else(|error| panic!("{error}"));
    let Stop::Exited(code) = stop else { panic!("stopped for no reason: {stop:?}") };
    let [out, err] = &*printed.0.borrow();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (code, text(out), text(err), machine.registers().step)
}

/// What the program prints under qemu, where that is installed.
fn under_qemu(elf: &Path) -> Option<String> {
    match Command::new("qemu-mips64").arg(elf).output() {
        Ok(out) => {
            assert!(out.status.success(), "qemu-mips64: {}", out.status);
            Some(String::from_utf8_lossy(&out.stdout).into_owned())
        }
        Err(error) => {
            println!("skipped: qemu-mips64: {error}");
            None
        }
    }
}

fn check(name: &str, elf: &[u8], folder: &Path, want: &str) {
    let path = folder.join(name);
    std::fs::write(&path, elf).unwrap_or_else(|error| panic!("{error}"));
    executable(&path);
    if let Some(printed) = under_qemu(&path) {
        assert_eq!(printed, want, "{name} under qemu");
    }
    for version in StateVersion::ALL {
        let program = load_elf(version, elf).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (code, out, err, steps) = run(program);
        println!("{name}, version {}: {steps} steps", version.number());
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

#[test]
fn a_go_program() {
    let folder = temporary();
    let Some(elf) = go::build(folder.path()) else { return };
    check("go", &elf, folder.path(), GO_OUTPUT);
}

#[test]
fn a_rust_program() {
    let folder = temporary();
    check("rust", &guests::elf::<Mips64>("hello"), folder.path(), RUST_OUTPUT);
}

#[test]
fn what_guests_have_in_assembly_does_what_plain_rust_does() {
    let folder = temporary();
    check("check-sys", &guests::elf::<Mips64>("check-sys"), folder.path(), "");
}
