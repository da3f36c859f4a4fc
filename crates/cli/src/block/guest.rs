//! The block program as a guest: the build that this binary carries, and what it prints.

use anyhow::Context;
use flate2::read::GzDecoder;
use rebut_fpvm::{Output, Program, StateVersion, Stream, load_elf};
use std::io::Read;

/// The guest's ELF file, packed with gzip.
const PACKED: &[u8] = include_bytes!("../../../../guests/prebuilt/block.elf.gz");

/// The guest, loaded.
///
/// # Errors
/// None unless the file was damaged when this binary was built.
pub fn load(version: StateVersion) -> anyhow::Result<Program> {
    let mut elf = Vec::new();
    GzDecoder::new(PACKED).read_to_end(&mut elf).context("the built-in guest")?;
    load_elf(version, &elf).context("the built-in guest")
}

/// Passes what the guest prints to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Relay;

impl Output for Relay {
    fn write(&mut self, _: Stream, bytes: &[u8]) {
        crate::log::print(&String::from_utf8_lossy(bytes));
    }
}
