//! `cannon load-elf`: a program becomes a state.

use super::arguments::{LoadElf, LoadFiles};
use super::error::CannonError;
use super::run::check_state_name;
use super::tool::Tool;
use crate::files::{self, json_output, state_output};
use rebut_fpvm::mips::state::VERSION_NAMES;
use rebut_fpvm::{AnyVersion, Program, Version, load_elf as load};

/// Most bytes of an ELF file, debug information included.
const ELF_LIMIT_BYTES: u64 = 2 << 30;

/// Loads the program for the machine of the version that is asked for.
pub fn load_elf(arguments: &LoadElf) -> Result<(), CannonError> {
    let LoadElf { version, files } = arguments;
    match parse_version(version)? {
        AnyVersion::Mips32(version) => load_for(version, files),
        AnyVersion::Mips64(version) => load_for(version, files),
    }
}

/// Loads the program and writes its state and its symbols: both, or neither.
pub fn load_for<N>(version: N, arguments: &LoadFiles) -> Result<(), CannonError>
where
    N: Version<Vm: Tool>,
{
    let LoadFiles { path, out, meta } = arguments;
    check_state_name("--out", out, N::Vm::has_json(version))?;
    let file = files::read_raw(path, ELF_LIMIT_BYTES)?;
    let Program { mut state, symbols } =
        load(version, &file).map_err(|source| CannonError::Load { path: path.clone(), source })?;
    let symbols = json_output(meta, &symbols)?;
    let seal = N::Vm::seal(&mut state);
    state_output(out, &state, &seal)?.commit()?;
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

/// As [`parse_version`], of one machine.
///
/// # Errors
/// As [`parse_version`].
pub fn parse_version_of<V: Tool>(name: &str) -> Result<V::Version, CannonError> {
    let named = |version: &V::Version| V::type_name(*version);
    let known = V::VERSIONS.iter().find(|version| named(version) == Some(name));
    let names = || V::VERSIONS.iter().filter_map(named).collect::<Vec<_>>();
    known.copied().ok_or_else(|| unsupported(name, &names()))
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
