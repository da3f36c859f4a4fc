//! Where the recorded inputs are: in the folder that `REBUT_DATA` names, else in `../shared/data` beside
//! the checkout.
//!
//! Recordings are not part of this repository. A test that needs one asks here, and ends where the answer
//! is `None`: in a user's clone it is skipped, in one line that says so.
//!
//! Invariant: with `CI` set nothing is skipped. An absent recording is then a failure.

use std::env;
use std::path::{Path, PathBuf};

/// The recorded file or folder of that name, such as `blocks/26207960.json.zst` or `abi`. Nothing, after
/// one line that says so, where it is absent.
///
/// # Panics
/// When it is absent and `CI` is set.
#[must_use]
pub fn path(name: &str) -> Option<PathBuf> {
    find(&root(), name, env::var_os("CI").is_some())
}

/// The content of a recorded file, as [`path`] finds it.
///
/// # Panics
/// When it is absent and `CI` is set, or when it cannot be read.
#[must_use]
pub fn read(name: &str) -> Option<Vec<u8>> {
    let path = path(name)?;
    match std::fs::read(&path) {
        Ok(content) => Some(content),
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The folder of all recordings.
fn root() -> PathBuf {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    env::var_os("REBUT_DATA").map_or_else(|| checkout.join("../shared/data"), PathBuf::from)
}

fn find(root: &Path, name: &str, in_ci: bool) -> Option<PathBuf> {
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(!in_ci, "no recording {}, and CI does not skip", path.display());
    println!("skipped: no recording {}", path.display());
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn files_and_folders_are_found() {
        assert_eq!(find(source(), "src", true), Some(source().join("src")));
        assert_eq!(find(source(), "src/lib.rs", true), Some(source().join("src/lib.rs")));
    }

    #[test]
    fn what_is_absent_is_skipped() {
        assert_eq!(find(source(), "absent", false), None);
    }

    #[test]
    #[should_panic(expected = "CI does not skip")]
    fn what_is_absent_fails_in_ci() {
        let _ = find(source(), "absent", true);
    }
}
