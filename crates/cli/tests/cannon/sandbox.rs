//! A directory of its own for each test, and the program under test started in it.

use crate::program::Program;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub struct Sandbox {
    directory: TempDir,
}

/// How a run of the program ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// A sandbox with the program loaded as `state.bin` and `meta.json`.
    pub fn with(program: &Program) -> Self {
        let sandbox = Self::new();
        sandbox.write("program.elf", &program.elf());
        sandbox.cannon("load-elf --type multithreaded64-5 --path program.elf --out state.bin").ok();
        sandbox
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).unwrap();
    }

    /// A file's content, unpacked.
    pub fn read(&self, name: &str) -> Vec<u8> {
        let bytes = fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        if !name.ends_with(".gz") {
            return bytes;
        }
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
        unpacked
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// Names of all files, sorted.
    pub fn files(&self) -> Vec<String> {
        let names = fs::read_dir(self.directory.path()).unwrap();
        let mut names: Vec<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn command(&self, arguments: &str) -> Command {
        self.command_of(env!("CARGO_BIN_EXE_rebut"), &format!("cannon {arguments}"))
    }

    fn command_of(&self, program: impl AsRef<OsStr>, arguments: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory.path()).stdin(Stdio::null()).env_remove("RUST_LOG");
        // '' stands for an empty argument.
        command.args(arguments.split_whitespace().map(|a| if a == "''" { "" } else { a }));
        command
    }

    /// `rebut cannon ARGUMENTS`.
    pub fn cannon(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// Another name or program with these arguments.
    pub fn start(&self, program: impl AsRef<OsStr>, arguments: &str) -> Ended {
        Ended::of(self.command_of(program, arguments).output().unwrap())
    }

    /// `rebut cannon run --input state.bin --output out.bin ARGUMENTS`, with this executable as the server.
    pub fn run_served(&self, arguments: &str, role: &str) -> Ended {
        let mut command =
            self.command(&format!("run --input state.bin --output out.bin {arguments} --"));
        command.arg(std::env::current_exe().unwrap()).arg("serve").args(role.split_whitespace());
        Ended::of(command.output().unwrap())
    }

    /// `rebut cannon run --input state.bin --output out.bin ARGUMENTS`.
    pub fn run(&self, arguments: &str) -> Ended {
        self.cannon(&format!("run --input state.bin --output out.bin {arguments}"))
    }

    /// What `witness` prints about a state.
    pub fn witness(&self, state: &str) -> Value {
        let ended = self.cannon(&format!("witness --input {state}")).ok();
        serde_json::from_str(&ended.stdout).unwrap()
    }

    /// The step counter of a state.
    pub fn step_of(&self, state: &str) -> u64 {
        self.witness(state)["step"].as_u64().unwrap()
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// It went well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        self
    }

    /// It failed with this code; the one line that says why has all of these words.
    #[track_caller]
    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        let errors: Vec<&str> =
            self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{}", self.stderr);
        assert_eq!(self.stderr.lines().last(), Some(errors[0]), "{}", self.stderr);
        for word in words {
            assert!(errors[0].contains(word), "no {word:?} in {:?}", errors[0]);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }
}
