//! Where the recorded inputs are: the folder of `REBUT_DATA`, else `../shared/data` beside the checkout.

use std::path::{Path, PathBuf};

/// The folder of that name in the recordings. Nothing, after one line that says so, where the
/// recordings are absent, as in a user's clone.
///
/// # Panics
/// When they are absent and `CI` is set: continuous integration never skips.
pub fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("REBUT_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is absent, and CI does not skip",
        folder.display()
    );
    println!("skipped: no recordings in {}", folder.display());
    None
}
