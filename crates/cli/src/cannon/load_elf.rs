//! `cannon load-elf`: a program becomes a state.

use super::arguments::LoadElf;
use super::error::CannonError;
use super::machine::Cannon;
use super::run::check_state_name;
use crate::files::{self, json_output, state_output};
use rebut_fpvm::mips::state::VERSION_NAMES;
use rebut_fpvm::{AnyVersion, Program, StateVersion, Version, load_elf as load};

/// Most bytes of an ELF file, debug information included.
const ELF_LIMIT_BYTES: u64 = 2 << 30;

/// Loads the program and writes its state and its symbols: both, or neither.
pub fn load_elf(arguments: &LoadElf) -> Result<(), CannonError> {
    match parse_version(&arguments.version)? {
        AnyVersion::Mips32(version) => load_for(version, arguments),
        AnyVersion::Mips64(version) => load_for(version, arguments),
    }
}

fn load_for<N>(version: N, arguments: &LoadElf) -> Result<(), CannonError>
where
    N: Version<Vm: Cannon>,
{
    check_state_name("--out", &arguments.out, N::Vm::has_json(version))?;
    let file = files::read_raw(&arguments.path, ELF_LIMIT_BYTES)?;
    let Program { state, symbols } = load(version, &file)
        .map_err(|source| CannonError::Load { path: arguments.path.clone(), source })?;
    let symbols = json_output(&arguments.meta, &symbols)?;
    state_output(&arguments.out, &state)?.commit()?;
    symbols.commit()?;
    Ok(())
}

/// The version of a name. Names of machines that are not here are told from names of none.
///
/// # Errors
/// The machine of that name is not here, or there is none.
pub fn parse_version(name: &str) -> Result<AnyVersion, CannonError> {
    let known = AnyVersion::ALL.into_iter().find(|version| version.name() == name);
    known.ok_or_else(|| unsupported(name, &AnyVersion::ALL.map(AnyVersion::name)))
}

/// As [`parse_version`], for what only the 64-bit machine has.
///
/// # Errors
/// As [`parse_version`].
pub fn parse_wide_version(name: &str) -> Result<StateVersion, CannonError> {
    let known = StateVersion::ALL.into_iter().find(|version| version.name() == name);
    known.ok_or_else(|| unsupported(name, &StateVersion::ALL.map(StateVersion::name)))
}

fn unsupported(name: &str, supported: &[&str]) -> CannonError {
    let supported = match supported {
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => String::new(),
    };
    let name = name.to_owned();
    match VERSION_NAMES.iter().position(|known| *known == name) {
        Some(number) => CannonError::UnsupportedType { name, number, supported },
        None => CannonError::UnknownType { name, supported },
    }
}
