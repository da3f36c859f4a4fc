//! What the architecture forbids, checked on the tree: who may depend on whom, where unsafe code may
//! stand, and what no file may hold.

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use thiserror::Error;

/// Why tidy could not look, or what it found.
#[derive(Debug, Error)]
pub enum TidyError {
    /// git or cargo did not answer.
    #[error("cannot run {program}: {reason}")]
    Tool {
        /// The program.
        program: &'static str,
        /// Why.
        reason: String,
    },
    /// The tree breaks rules.
    #[error("{}", .0.join("\n"))]
    Findings(Vec<String>),
}

/// Which crates of the workspace a crate may depend on. Data flows one way: nothing knows what uses it.
/// Tests, benches and xtask may use everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("rebut-preimage", &[]),
    ("rebut-merkle", &[]),
    ("rebut-execution", &[]),
    ("rebut-derivation", &["rebut-execution"]),
    ("rebut-program", &["rebut-preimage", "rebut-execution", "rebut-derivation"]),
    ("rebut-fpvm", &["rebut-preimage", "rebut-merkle"]),
    ("rebut-host", &["rebut-preimage", "rebut-execution", "rebut-derivation", "rebut-program"]),
    ("rebut-contracts", &[]),
    ("rebut-dispute", &[]),
    (
        "rebut-challenger",
        &[
            "rebut-preimage",
            "rebut-merkle",
            "rebut-execution",
            "rebut-derivation",
            "rebut-program",
            "rebut-fpvm",
            "rebut-host",
            "rebut-contracts",
            "rebut-dispute",
        ],
    ),
    (
        "rebut-devnet",
        &[
            "rebut-preimage",
            "rebut-execution",
            "rebut-derivation",
            "rebut-program",
            "rebut-host",
            "rebut-contracts",
        ],
    ),
    (
        "rebut",
        &[
            "rebut-preimage",
            "rebut-merkle",
            "rebut-execution",
            "rebut-derivation",
            "rebut-program",
            "rebut-fpvm",
            "rebut-host",
            "rebut-contracts",
            "rebut-dispute",
            "rebut-challenger",
            "rebut-devnet",
        ],
    ),
];

/// Crates that build for bare metal.
const NO_STD: &[&str] = &[
    "crates/preimage",
    "crates/merkle",
    "crates/execution",
    "crates/derivation",
    "crates/program",
    "crates/dispute",
];

/// The only places for unsafe code. The root of the guests names the symbol that their start calls.
const UNSAFE: &[&str] = &[
    "crates/fpvm/src/memory/",
    "crates/merkle/src/keccak/",
    "guests/src/sys",
    "guests/src/lib.rs",
];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

/// Text that no source file may hold, and why. Written in halves, so that this file may hold it.
const FORBIDDEN: &[(&str, &str, &str)] = &[
    ("#[ig", "nore", "a test that does not run is no test"),
    ("#[all", "ow(", "use #[expect(..., reason = ...)]"),
    ("TO", "DO", "finish it or leave it out"),
    ("FIX", "ME", "fix it"),
    ("/work/", "main", "no machine paths"),
    ("/ro", "ot/", "no machine paths"),
    ("index.cra", "tes.io", "no registry hosts"),
    ("registry.np", "mjs.org", "no registry hosts"),
];

/// Says which tests stand against what.
const ATTACKS: &str = "docs/attacks.md";

/// A file longer than this hides a natural cut.
const MAX_LINES: usize = 900;

/// Checks the tree at `root`.
pub fn check(root: &Path) -> Result<(), TidyError> {
    let mut findings = layers(root)?;
    for file in tracked_files(root)? {
        let Ok(text) = fs::read_to_string(root.join(&file)) else { continue };
        findings.extend(check_file(&file, &text));
        if file == Path::new(ATTACKS) {
            let read = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
            findings.extend(check_tests(&text, read));
        }
    }
    for folder in NO_STD {
        let head = fs::read_to_string(root.join(folder).join("src/lib.rs")).unwrap_or_default();
        if !head.contains("no_std") {
            findings.push(format!("{folder}/src/lib.rs: must build for bare metal (no_std)"));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(TidyError::Findings(findings)) }
}

fn output(root: &Path, program: &'static str, arguments: &[&str]) -> Result<Vec<u8>, TidyError> {
    let tool = |reason| TidyError::Tool { program, reason };
    let out = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|e| tool(e.to_string()))?;
    if !out.status.success() {
        return Err(tool(String::from_utf8_lossy(&out.stderr).into_owned()));
    }
    Ok(out.stdout)
}

fn tracked_files(root: &Path) -> Result<Vec<PathBuf>, TidyError> {
    let list = output(root, "git", &["ls-files", "-z"])?;
    let names = list.split(|b| *b == 0).filter(|name| !name.is_empty());
    Ok(names.map(|name| PathBuf::from(String::from_utf8_lossy(name).into_owned())).collect())
}

/// Dependencies between crates of the workspace, tests' dependencies aside.
fn layers(root: &Path) -> Result<Vec<String>, TidyError> {
    let json = output(root, "cargo", &["metadata", "--format-version=1", "--no-deps", "--locked"])?;
    let metadata: Value = serde_json::from_slice(&json)
        .map_err(|e| TidyError::Tool { program: "cargo", reason: e.to_string() })?;
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((layer, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            continue;
        };
        seen.insert(*layer);
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = dependency["name"].as_str().unwrap_or_default();
            if dependency["kind"].is_null() && to.starts_with("rebut") && !allowed.contains(&to) {
                findings.push(format!("{name} must not depend on {to}"));
            }
        }
    }
    let missing = LAYERS.iter().filter(|(layer, _)| !seen.contains(layer));
    findings
        .extend(missing.map(|(layer, _)| format!("{layer} is in the layers but not in the tree")));
    Ok(findings)
}

fn check_file(file: &Path, text: &str) -> Vec<String> {
    let name = file.display().to_string();
    let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let source = matches!(extension, "rs" | "sol" | "go" | "js" | "toml" | "sh");
    let mut findings = Vec::new();
    let mut find = |line: Option<usize>, what: &str| {
        findings.push(match line {
            Some(line) => format!("{name}:{}: {what}", line + 1),
            None => format!("{name}: {what}"),
        });
    };

    let stem = file.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        find(None, "the name says nothing; name what the file holds");
    }
    if source && extension != "toml" && text.lines().count() > MAX_LINES {
        find(None, &format!("more than {MAX_LINES} lines; look for a natural cut"));
    }
    for (number, line) in text.lines().enumerate() {
        for (a, b, why) in FORBIDDEN {
            if (source || extension == "md") && line.contains(&format!("{a}{b}")) {
                find(Some(number), &format!("`{a}{b}`: {why}"));
            }
        }
        if extension == "rs" && has_unsafe(line) && !UNSAFE.iter().any(|u| name.starts_with(u)) {
            find(Some(number), "unsafe code stands only where ARCHITECTURE.md allows it");
        }
    }
    findings
}

/// Looks up every test that a text names as `file::name`, or as the beginning of names with a `*`.
fn check_tests(text: &str, read: impl Fn(&str) -> String) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.filter_map(|quoted| quoted.split_once("::"));
    let missing = named.filter(|(file, name)| {
        let source = read(file);
        // Functions, and names that are given to tests as texts.
        let mut defined = ["fn ", "function ", "\""].into_iter().flat_map(|before| {
            source.split(before).skip(1).map(|rest| {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                &rest[..end.unwrap_or(rest.len())]
            })
        });
        !defined.any(|found| match name.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == *name,
        })
    });
    missing.map(|(file, name)| format!("{ATTACKS}: there is no test {name} in {file}")).collect()
}

/// True when the line uses the keyword, comments and lint names aside.
fn has_unsafe(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '"')).any(|w| w == "unsafe")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(file: &str, text: &str) -> usize {
        check_file(Path::new(file), text).len()
    }

    #[test]
    fn unsafe_code_has_its_places() {
        let code = &format!("fn f() {{ {}safe {{ g() }} }}", "un");
        assert_eq!(findings("crates/host/src/lib.rs", code), 1);
        assert_eq!(findings("crates/fpvm/src/memory/windows.rs", code), 0);
        assert_eq!(
            findings("crates/host/src/lib.rs", "// unsafe code in words\nlet unsafe_code = 1;"),
            0
        );
    }

    #[test]
    fn tests_that_are_named_are_there() {
        let read = |file: &str| match file {
            "a.rs" => "fn one_more() {}\ntrial(\"two\", two)".into(),
            _ => String::new(),
        };
        let check =
            |text: &str, want: usize| assert_eq!(check_tests(text, read).len(), want, "{text}");
        check("`a.rs::one_more`, `a.rs::two`, `a.rs::one_*`, `a.rs`", 0);
        check("`a.rs::one`", 1);
        check("`a.rs::more*`", 1);
        check("`b.rs::one_more`", 1);
    }

    #[test]
    fn forbidden_text_and_names_are_found() {
        assert_eq!(findings("crates/host/src/lib.rs", &format!("{}{}", "#[ig", "nore]")), 1);
        assert_eq!(findings("crates/host/src/utils.rs", ""), 1);
        assert_eq!(findings("crates/host/src/long.rs", &"\n".repeat(MAX_LINES + 1)), 1);
        assert_eq!(findings("crates/host/src/fine.rs", "fn main() {}\n"), 0);
    }
}
