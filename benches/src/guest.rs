//! The programs to measure.

use anyhow::Context;
use flate2::read::GzDecoder;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longest ELF file that is unpacked.
const LIMIT_BYTES: u64 = 64 << 20;

/// Where the repository keeps the guests built for a machine.
pub fn prebuilt(machine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../guests/prebuilt").join(machine)
}

/// The ELF file of a guest: `NAME.elf.gz` in the folder, else `NAME`.
pub fn read(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    let packed = folder.join(format!("{name}.elf.gz"));
    if !packed.exists() {
        let plain = folder.join(name);
        return fs::read(&plain).with_context(|| {
            format!("no guest {name}: neither {} nor {}", packed.display(), plain.display())
        });
    }
    let bytes = fs::read(&packed).with_context(|| format!("cannot read {}", packed.display()))?;
    let mut elf = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .take(LIMIT_BYTES)
        .read_to_end(&mut elf)
        .with_context(|| format!("cannot unpack {}", packed.display()))?;
    Ok(elf)
}
