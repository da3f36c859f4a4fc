//! The guest programs that the repository carries.

use crate::subject::Subject;
use flate2::read::GzDecoder;
use rebut_fpvm::{Program, Version, Vm, load_elf};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The ELF file of a prebuilt guest for the machine `V`.
///
/// # Panics
/// When there is none of that name.
pub fn elf<V: Subject>(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let path = root.join(format!("guests/prebuilt/{}/{name}.elf.gz", V::GUESTS));
    let mut elf = Vec::new();
    File::open(&path)
        .and_then(|file| GzDecoder::new(file).read_to_end(&mut elf))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    elf
}

/// A prebuilt guest, loaded for the machine of a version.
///
/// # Panics
/// When it cannot be.
pub fn load<V, N>(name: &str, version: N) -> Program<V>
where
    V: Subject + Vm<Version = N>,
    N: Version<Vm = V>,
{
    load_elf(version, &elf::<V>(name)).unwrap_or_else(|error| panic!("guest {name}: {error}"))
}
