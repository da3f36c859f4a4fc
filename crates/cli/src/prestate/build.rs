//! `rebut prestate build` and `verify`: fills a program's section, loads the program, hashes the state.

use super::carried::Carried;
use super::{BuildArguments, Inputs, PrestateError, VerifyArguments};
use crate::Outcome;
use crate::block::{print_json, print_lines};
use crate::cannon::{ProofRecord, check_state_name, parse_version_of};
use crate::files::{self, json_output, state_output};
use crate::guest::{Builtin, with_machine};
use alloy_primitives::B256;
use rebut_fpvm::{Machine, Program, Silent, load_elf};
use rebut_preimage::{MemoryStore, StoreOracle};
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
struct Built<V: Builtin> {
    version: V::Version,
    program: Program<V>,
    /// What the program is called in errors.
    path: PathBuf,
    hash: B256,
    chains: Vec<NewChain>,
    table_bytes: usize,
    capacity_bytes: usize,
}

pub(super) fn build(arguments: &BuildArguments) -> Outcome {
    with_machine!(arguments.inputs.vm()?, V => build_for::<V>(arguments))
}

fn build_for<V: Builtin>(arguments: &BuildArguments) -> Outcome {
    let BuildArguments { inputs, out, meta, proof, json } = arguments;
    check_state_name("--out", out, V::has_json(version::<V>(inputs)?))?;
    let mut built = Built::<V>::new(inputs)?;
    let seal = V::seal(&mut built.program.state);
    let state = state_output(out, &built.program.state, &seal)?;
    let symbols = meta.as_ref().map(|name| json_output(name, &built.program.symbols));
    let symbols = symbols.transpose()?;
    let report = serde_json::json!({
        "prestate": built.hash,
        "vm": V::VM,
        "type": V::type_name(built.version),
        "file": out,
        "chains": built.chains,
        "table_bytes": built.table_bytes,
        "capacity_bytes": built.capacity_bytes,
    });
    let lines = [
        ("prestate", built.hash.to_string()),
        ("machine", machine_in_words::<V>(built.version)),
        ("carries", built.in_words()),
        ("file", out.display().to_string()),
    ];
    let proof = match proof {
        None => None,
        Some(name) => Some(json_output(name, &built.prove_first_step()?)?),
    };
    for file in [Some(state), symbols, proof].into_iter().flatten() {
        file.commit()?;
    }
    if *json {
        print_json(&report)?;
    } else {
        print_lines(&lines)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A machine with its version, if it has several.
pub(super) fn machine_in_words<V: Builtin>(version: V::Version) -> String {
    match V::type_name(version) {
        Some(name) => format!("{}, {name}", V::NAME),
        None => V::NAME.into(),
    }
}

/// The version that is asked for, else today's.
fn version<V: Builtin>(inputs: &Inputs) -> Result<V::Version, PrestateError> {
    match &inputs.version {
        None => Ok(V::VERSION),
        Some(_) if V::VERSIONS.is_empty() => Err(PrestateError::NoVersions(V::VM)),
        Some(name) => Ok(parse_version_of::<V>(name)?),
    }
}

/// As `build`, under the hash as its name.
pub(super) fn keep(inputs: &Inputs, folder: &Path) -> Result<B256, PrestateError> {
    with_machine!(inputs.vm()?, V => keep_for::<V>(inputs, folder))
}

fn keep_for<V: Builtin>(inputs: &Inputs, folder: &Path) -> Result<B256, PrestateError> {
    let mut built = Built::<V>::new(inputs)?;
    let file = folder.join(format!("{}.bin.gz", built.hash));
    let seal = V::seal(&mut built.program.state);
    state_output(&file, &built.program.state, &seal)?.commit()?;
    Ok(built.hash)
}

pub(super) fn verify(arguments: &VerifyArguments) -> Outcome {
    with_machine!(arguments.inputs.vm()?, V => verify_for::<V>(arguments))
}

fn verify_for<V: Builtin>(arguments: &VerifyArguments) -> Outcome {
    let built = Built::<V>::new(&arguments.inputs)?;
    let recorded = match &arguments.prestate {
        Some(path) => Some(files::read_state_of_any(path)?.hash()),
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

impl<V: Builtin> Built<V> {
    fn new(inputs: &Inputs) -> Result<Self, PrestateError> {
        let version = version::<V>(inputs)?;
        let (table, chains) = chains(inputs)?;
        let (path, mut elf) = match &inputs.guest {
            Some(path) => (path.clone(), files::read(path, ELF_LIMIT_BYTES)?),
            None => (
                PathBuf::from("the built-in program"),
                V::PROGRAM.elf().map_err(PrestateError::BuiltIn)?,
            ),
        };
        let wrong = |source| PrestateError::Section { path: path.clone(), source };
        section::fill(&mut elf, &table).map_err(wrong)?;
        let mut program: Program<V> = load_elf(version, &elf)
            .map_err(|source| PrestateError::Load { path: path.clone(), source })?;
        // What a program would find: not every byte of a file is loaded.
        let memory = &program.state.memory;
        let carried = Carried::read(memory).ok().filter(|carried| carried.table == table);
        let carried = carried.ok_or_else(|| PrestateError::NotLoaded { path: path.clone() })?;
        let hash = program.state.hash();
        let (table_bytes, capacity_bytes) = (table.len(), carried.capacity_bytes);
        Ok(Self { version, program, path, hash, chains, table_bytes, capacity_bytes })
    }

    /// Executes the first step, which gives up the state.
    fn prove_first_step(self) -> Result<ProofRecord, PrestateError> {
        let nothing = StoreOracle(MemoryStore::new());
        let mut machine = Machine::new(self.program.state, nothing, Silent);
        let proof = machine.prove_step();
        let path = self.path;
        Ok(proof.map_err(|source| PrestateError::FirstStep { path, source })?.into())
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
