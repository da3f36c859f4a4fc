//! The Go programs of `guests/go`, built for a machine.

use crate::subject::Subject;
use rebut_fpvm::Program;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The toolchain that `cargo xtask test` installs.
const PINNED: &str = "target/tools/go-1.24.11/go/bin/go";

/// The Go to build with: the pinned one, else that of the search path.
fn toolchain(root: &Path) -> Option<PathBuf> {
    let pinned = root.join(PINNED);
    if pinned.exists() {
        return Some(pinned);
    }
    let found = Command::new("go").arg("version").output().is_ok_and(|out| out.status.success());
    found.then(|| PathBuf::from("go"))
}

/// The Go program for machines with threads and a clock.
pub const WHOLE: &str = ".";
/// One for machines with neither: what the runtime does.
pub const SINGLE: &str = "./single";
/// Another: what compilers make of arithmetic on long numbers.
pub const NUMBERS: &str = "./numbers";

/// The ELF file of a program for the machine `V`. Nothing, after one line that says so, where there is no Go.
///
/// # Panics
/// When there is none and `CI` is set, or when the program does not build.
pub fn build<V: Subject>(program: &str, folder: &Path) -> Option<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let Some(go) = toolchain(root) else {
        assert!(std::env::var_os("CI").is_none(), "there is no Go, and CI does not skip");
        println!("skipped: no Go; `cargo xtask test` installs one where Python has pip");
        return None;
    };
    let source = root.join("guests/go");
    // Newer versions name their memory mappings by prctl unless told otherwise; older ones do not know
    // the setting.
    let mut module = read(&source.join("go.mod"));
    if names_mappings(&go) {
        module.extend_from_slice(b"\ngodebug decoratemappings=0\n");
    }
    let modfile = folder.join("go.mod");
    std::fs::write(&modfile, module).unwrap_or_else(|error| panic!("{error}"));
    let elf = folder.join("guest.elf");
    let out = Command::new(&go)
        .args(["build", "-trimpath", "-modfile"])
        .args([modfile.as_path(), Path::new("-o"), &elf, Path::new(program)])
        .envs([("GOOS", "linux"), ("GOARCH", V::ARCHITECTURE)])
        .envs([("GOMIPS", "softfloat"), ("GOMIPS64", "softfloat")])
        .envs([("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "")])
        .env("GOCACHE", root.join("target/tools/go-cache"))
        .current_dir(&source)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", go.display()));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    Some(read(&elf))
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// True from Go 1.25 on.
fn names_mappings(go: &Path) -> bool {
    let out = Command::new(go).args(["env", "GOVERSION"]).output();
    let version = out.map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    let minor = version
        .ok()
        .and_then(|v| v.trim().strip_prefix("go1.")?.split('.').next()?.parse::<u32>().ok());
    minor.is_none_or(|minor| minor >= 25)
}

/// Functions of today's Go that the versions which these machines were made for did not have: they ask for system
/// calls that are not there.
const TOO_NEW: [&str; 2] = ["runtime.checkfds", "syscall.init.0"];

/// Takes those functions out of a loaded program, as loaders do with others: they return at once.
pub fn leave_out_what_is_too_new<V: Subject>(program: &mut Program<V>) {
    for symbol in program.symbols.all().iter().filter(|s| TOO_NEW.contains(&s.name.as_str())) {
        program.state.memory.write_range(symbol.start, V::RETURN);
    }
}
