//! The options of the deployed tool. Names may stand behind one dash or two, values behind `=` or a
//! space, and the last of a repeated option counts.

use super::pattern::StepPattern;
use super::preimage_stop::KeyStop;
use clap::builder::{BoolishValueParser, OsStringValueParser, TypedValueParser};
use clap::{Args, CommandFactory};
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A path that may be empty, which clap's own parser refuses.
pub fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Options of `cannon load-elf`.
#[derive(Debug, Args)]
pub struct LoadElf {
    /// Name of the state version, for example multithreaded64-5
    #[arg(long = "type", value_name = "NAME")]
    pub version: String,
    /// What is read and written.
    #[command(flatten)]
    pub files: LoadFiles,
}

/// Options of `load-elf` that all machines have.
#[derive(Debug, Args)]
pub struct LoadFiles {
    /// The ELF file: big-endian MIPS, with its symbol table
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub path: PathBuf,
    /// Where the state goes: a name in .bin or .bin.gz, or any other for the JSON of version 0; nowhere if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "state.bin.gz")]
    pub out: PathBuf,
    /// Where the symbols go: a file, - for standard output, nowhere if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "meta.json")]
    pub meta: PathBuf,
}

/// Options of `cannon run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The state to start from: a .bin or .bin.gz file, or the JSON of version 0
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub input: PathBuf,
    /// Where the last state goes: a name in .bin or .bin.gz, or any other for the JSON of version 0; nowhere if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "out.bin.gz")]
    pub output: PathBuf,
    /// Steps to prove: never, always, =N (step N), %N (every multiple of N)
    #[arg(long, value_name = "PATTERN", default_value = "never", hide_default_value = true)]
    pub proof_at: StepPattern,
    /// Names of proof files, %d being the step; packed if ending in .gz; - for standard output
    #[arg(long, value_name = "NAME", default_value = "proof-%d.json")]
    pub proof_fmt: String,
    /// Steps before which a snapshot is written
    #[arg(long, value_name = "PATTERN", default_value = "never", hide_default_value = true)]
    pub snapshot_at: StepPattern,
    /// Names of snapshots, %d being the step
    #[arg(long, value_name = "NAME", default_value = "state-%d.bin.gz")]
    pub snapshot_fmt: String,
    /// Step before which to stop
    #[arg(long, value_name = "PATTERN", default_value = "never", hide_default_value = true)]
    pub stop_at: StepPattern,
    /// Stop behind the read of a preimage: HEXPREFIX[@OFFSET[@STEP]], with the first step that counts
    #[arg(long, value_name = "KEY")]
    pub stop_at_preimage: Option<KeyStop>,
    /// Stop behind the first read of a preimage of this type: local, keccak, sha256, blob, precompile, any
    #[arg(long, value_name = "TYPE", default_value = "", hide_default_value = true)]
    pub stop_at_preimage_type: String,
    /// Stop behind the first read of a preimage larger than this, its 8-byte prefix included
    #[arg(long, value_name = "BYTES", default_value_t = 0, hide_default_value = true)]
    pub stop_at_preimage_larger_than: u64,
    /// The symbols that load-elf wrote; none if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "meta.json")]
    pub meta: PathBuf,
    /// Steps before which a line about the machine is logged
    #[arg(long, value_name = "PATTERN", default_value = "%1000000000")]
    pub info_at: StepPattern,
    /// Accepted for compatibility, without effect: profile this program from outside instead
    #[arg(long = "pprof.cpu", value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true,
          hide_possible_values = true, value_parser = BoolishValueParser::new())]
    pub pprof_cpu: bool,
    /// Track calls, slowly, and print a traceback of the running thread at the end; needs --meta
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_value = "false", default_missing_value = "true", hide_default_value = true,
          hide_possible_values = true, value_parser = BoolishValueParser::new())]
    pub debug: bool,
    /// Where counters of the run go as JSON; - for standard output
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "", hide_default_value = true)]
    pub debug_info: PathBuf,
    /// The preimage server and its arguments. Without one, hints go nowhere and a read is an error
    #[arg(last = true, value_name = "SERVER")]
    pub server: Vec<OsString>,
}

/// Options of `cannon witness`.
#[derive(Debug, Args)]
pub struct Witness {
    /// The state: a .bin or .bin.gz file, or JSON
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub input: PathBuf,
    /// Where the bytes of the witness go; nowhere if empty
    #[arg(long, value_name = "FILE", value_parser = path(), default_value = "", hide_default_value = true)]
    pub output: PathBuf,
}

/// Puts a second dash before every long option of the virtual machine `vm` (`cannon` or `asterisc`) that has
/// only one, up to the first `--`. `arguments` starts behind that word.
pub fn double_dashes<C: CommandFactory>(vm: &str, arguments: &mut [OsString]) {
    let command = C::command();
    let subcommand = arguments
        .first()
        .and_then(|name| command.find_subcommand(vm).and_then(|vm| vm.find_subcommand(name)));
    let Some(subcommand) = subcommand else { return };
    let names: Vec<&str> = subcommand.get_arguments().filter_map(clap::Arg::get_long).collect();
    for argument in arguments.iter_mut().skip(1).take_while(|a| *a != "--") {
        if has_single_dash(argument, &names) {
            let mut doubled = OsString::from("-");
            doubled.push(&*argument);
            *argument = doubled;
        }
    }
}

fn has_single_dash(argument: &OsStr, names: &[&str]) -> bool {
    let bytes = argument.as_encoded_bytes();
    let Some(rest) = bytes.strip_prefix(b"-") else { return false };
    let name = rest.split(|byte| *byte == b'=').next().unwrap_or_default();
    names.iter().any(|known| known.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dash_is_recognised_for_known_names_only() {
        let names = ["input", "pprof.cpu"];
        let check = |argument: &str, want| {
            assert_eq!(has_single_dash(OsStr::new(argument), &names), want, "{argument}");
        };
        check("-input", true);
        check("-input=x", true);
        check("-pprof.cpu", true);
        check("--input", false);
        check("input", false);
        check("-", false);
        check("-1", false);
        check("-output", false);
    }
}
