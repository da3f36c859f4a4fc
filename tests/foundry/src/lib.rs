//! Foundry's programs for tests, where npm has installed them with the contract tools, and an `anvil` that ends with its
//! test.
//!
//! Invariant: with `CI` set nothing is skipped. An absent program is then a failure.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A program of that name. None, after one line that says so, where it is absent.
///
/// # Panics
/// When it is absent and `CI` is set.
#[must_use]
pub fn installed(name: &str) -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = checkout.join("contracts/node_modules/.bin").join(name);
    if program.exists() {
        return Some(program);
    }
    assert!(std::env::var_os("CI").is_none(), "{name} is not installed: npm ci in contracts/");
    println!("skipped: {name} is not installed (npm ci in contracts/)");
    None
}

/// A running anvil on a port of its own. It ends with this value.
#[derive(Debug)]
pub struct Anvil {
    child: Child,
    url: String,
    /// What it keeps on disk, gone with it.
    _cache: TempDir,
}

impl Anvil {
    /// Starts one with these further arguments. None where it is not installed.
    ///
    /// # Panics
    /// When it does not start, and as [`installed`].
    #[must_use]
    pub fn start(arguments: &[&str]) -> Option<Self> {
        let program = installed("anvil")?;
        let cache = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(program)
            .args(["--port", "0", "--cache-path"])
            .arg(cache.path())
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("anvil starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = output.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("Listening on ")?.to_owned()));
        let url = format!("http://{}", address.expect("anvil says where it listens"));
        // It ends when nobody reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { child, url, _cache: cache })
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // What npm installs starts the node as a child of its own: all of them, unless they have ended.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_node_ends_with_its_value() {
        let Some(anvil) = Anvil::start(&[]) else { return };
        let address = anvil.url().strip_prefix("http://").expect("a URL").to_owned();
        assert!(TcpStream::connect(&address).is_ok(), "it listens");
        drop(anvil);
        assert!(TcpStream::connect(&address).is_err(), "nobody listens any more");
    }
}
