//! The guest programs that the repository carries.

use flate2::read::GzDecoder;
use rebut_fpvm::{Program, StateVersion, load_elf};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The ELF file of a prebuilt guest.
///
/// # Panics
/// When there is none of that name.
pub fn elf(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let path = root.join(format!("guests/prebuilt/{name}.elf.gz"));
    let mut elf = Vec::new();
    File::open(&path)
        .and_then(|file| GzDecoder::new(file).read_to_end(&mut elf))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    elf
}

/// A prebuilt guest, loaded.
///
/// # Panics
/// When it cannot be.
pub fn load(name: &str, version: StateVersion) -> Program {
    load_elf(version, &elf(name)).unwrap_or_else(|error| panic!("guest {name}: {error}"))
}
