//! `rebut prestate build` and `verify`: fills a program's section, loads the program, hashes the state.

use super::carried::Carried;
use super::{BuildArguments, Inputs, PrestateError, VerifyArguments};
use crate::Outcome;
use crate::block::{print_json, print_lines};
use crate::cannon::{check_state_name, parse_wide_version};
use crate::files::{self, state_output};
use crate::guest::PROGRAM;
use alloy_primitives::B256;
use rebut_fpvm::{State, load_elf};
use rebut_program::config::{Chain, ConfigError, Table, find, json, section};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Most bytes of an ELF file.
const ELF_LIMIT_BYTES: u64 = 2 << 30;

/// What the registry says of a chain that a prestate carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Registry {
    /// Nothing.
    Absent,
    /// The same: it need not be carried.
    Equal,
    /// Something else: the program goes by what it carries.
    Different,
}

/// A chain that the new prestate carries.
#[derive(Clone, Copy, Debug, Serialize)]
struct NewChain {
    chain_id: u64,
    registry: Registry,
}

/// A prestate that was built.
struct Built {
    state: State,
    hash: B256,
    chains: Vec<NewChain>,
    table_bytes: usize,
    capacity_bytes: usize,
}

pub(super) fn build(arguments: &BuildArguments) -> Outcome {
    check_state_name("--out", &arguments.out, false)?;
    let built = Built::new(&arguments.inputs)?;
    state_output(&arguments.out, &built.state, &())?.commit()?;
    if arguments.json {
        print_json(&serde_json::json!({
            "prestate": built.hash,
            "type": arguments.inputs.version,
            "file": arguments.out,
            "chains": built.chains,
            "table_bytes": built.table_bytes,
            "capacity_bytes": built.capacity_bytes,
        }))?;
    } else {
        print_lines(&[
            ("prestate", built.hash.to_string()),
            ("type", arguments.inputs.version.clone()),
            ("carries", built.in_words()),
            ("file", arguments.out.display().to_string()),
        ])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// As `build`, under the hash as its name.
pub(super) fn keep(inputs: &Inputs, folder: &Path) -> Result<B256, PrestateError> {
    let built = Built::new(inputs)?;
    let file = folder.join(format!("{}.bin.gz", built.hash));
    state_output(&file, &built.state, &())?.commit()?;
    Ok(built.hash)
}

pub(super) fn verify(arguments: &VerifyArguments) -> Outcome {
    let built = Built::new(&arguments.inputs)?;
    let recorded = match &arguments.prestate {
        Some(path) => Some(files::read_wide_state(path)?.hash()),
        None => None,
    };
    let equal = [arguments.hash, recorded].into_iter().flatten().all(|hash| hash == built.hash);
    if arguments.json {
        print_json(&serde_json::json!({
            "prestate": built.hash,
            "expected": arguments.hash,
            "file": recorded,
            "equal": equal,
        }))?;
    } else {
        let shown = |hash: Option<B256>| hash.map_or_else(|| "-".into(), |hash| hash.to_string());
        print_lines(&[
            ("built", built.hash.to_string()),
            ("expected", shown(arguments.hash)),
            ("file", shown(recorded)),
            ("carries", built.in_words()),
            ("verdict", if equal { "the same" } else { "another" }.into()),
        ])?;
    }
    Ok(ExitCode::from(u8::from(!equal)))
}

impl Built {
    fn new(inputs: &Inputs) -> Result<Self, PrestateError> {
        let version = parse_wide_version(&inputs.version)?;
        let (table, chains) = chains(inputs)?;
        let (path, mut elf) = match &inputs.guest {
            Some(path) => (path.clone(), files::read(path, ELF_LIMIT_BYTES)?),
            None => (
                PathBuf::from("the built-in program"),
                PROGRAM.elf().map_err(PrestateError::BuiltIn)?,
            ),
        };
        let wrong = |source| PrestateError::Section { path: path.clone(), source };
        section::fill(&mut elf, &table).map_err(wrong)?;
        let program = load_elf(version, &elf)
            .map_err(|source| PrestateError::Load { path: path.clone(), source })?;
        let mut state = program.state;
        // What a program would find: not every byte of a file is loaded.
        let carried = Carried::read(&state).ok().filter(|carried| carried.table == table);
        let carried = carried.ok_or_else(|| PrestateError::NotLoaded { path: path.clone() })?;
        let hash = state.hash();
        let capacity_bytes = carried.capacity_bytes;
        Ok(Self { state, hash, chains, table_bytes: table.len(), capacity_bytes })
    }

    fn in_words(&self) -> String {
        if self.chains.is_empty() {
            return "no chains: it knows those of the registry alone".into();
        }
        let words = self.chains.iter().map(|NewChain { chain_id, registry }| match registry {
            Registry::Absent => format!("chain {chain_id}"),
            Registry::Equal => format!("chain {chain_id} (as in the registry)"),
            Registry::Different => {
                format!("chain {chain_id} (not as in the registry, which it replaces)")
            }
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// The table of the chains to carry, empty if there are none, and what the registry says of them.
fn chains(inputs: &Inputs) -> Result<(Vec<u8>, Vec<NewChain>), PrestateError> {
    let limit_bytes = json::MAX_FILE_BYTES as u64;
    let read = |path: &Path| files::read(path, limit_bytes);
    let l1 = inputs.l1_config.as_deref().map(read).transpose()?;
    let (mut chains, mut new): (Vec<Chain>, Vec<NewChain>) = (Vec::new(), Vec::new());
    for path in &inputs.rollup_config {
        let config = json::read(&read(path)?, l1.as_deref())
            .map_err(|source| PrestateError::Config { path: path.clone(), source })?;
        let chain_id = config.chain.chain_id;
        if chains.iter().any(|chain| chain.chain_id == chain_id) {
            return Err(PrestateError::Twice { path: path.clone(), chain_id });
        }
        let registry = match find(&[], chain_id) {
            Ok(known) if known == config => Registry::Equal,
            Ok(_) => Registry::Different,
            Err(ConfigError::UnknownChain { .. }) => Registry::Absent,
            Err(source) => return Err(PrestateError::Refused { path: path.clone(), source }),
        };
        new.push(NewChain { chain_id, registry });
        // A name would change the hash without changing what is proven.
        chains.push(Chain::new("", config));
    }
    if chains.is_empty() {
        return Ok((Vec::new(), new));
    }
    let path = inputs.rollup_config.first().cloned().unwrap_or_default();
    let table = Table::encode(&chains).map_err(|source| PrestateError::Refused { path, source })?;
    Ok((table, new))
}
