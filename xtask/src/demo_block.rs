//! `cargo xtask demo-block`: makes the demo block anew.

use rebut_host::demo::{DemoError, generate};
use rebut_preimage::StoreError;
use std::path::{Path, PathBuf};

/// Where the block lies in the workspace.
const FILE: &str = "crates/host/assets/demo-block.json.zst";

/// Why the demo block was not made.
#[derive(Debug, thiserror::Error)]
pub enum DemoBlockError {
    /// It cannot be generated.
    #[error(transparent)]
    Generate(#[from] DemoError),
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] StoreError),
}

/// Generates the block and writes it into the workspace at `root`. Gives the file's path.
///
/// # Errors
/// [`DemoBlockError`]; the old file is untouched then.
pub fn demo_block(root: &Path) -> Result<PathBuf, DemoBlockError> {
    let path = root.join(FILE);
    generate()?.write(&path)?;
    Ok(path)
}
