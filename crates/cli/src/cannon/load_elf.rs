//! `cannon load-elf`: a program becomes a state.

use super::arguments::LoadElf;
use super::error::CannonError;
use crate::files::{self, json_output, state_output};
use rebut_fpvm::mips::state::VERSION_NAMES;
use rebut_fpvm::{StateVersion, load_elf as load};

/// Most bytes of an ELF file, debug information included.
const ELF_LIMIT_BYTES: u64 = 2 << 30;

/// Loads the program and writes its state and its symbols: both, or neither.
pub fn load_elf(arguments: &LoadElf) -> Result<(), CannonError> {
    let version = parse_version(&arguments.version)?;
    super::run::check_state_name("--out", &arguments.out)?;
    let file = files::read_raw(&arguments.path, ELF_LIMIT_BYTES)?;
    let program = load(version, &file)
        .map_err(|source| CannonError::Load { path: arguments.path.clone(), source })?;
    let symbols = json_output(&arguments.meta, &program.symbols)?;
    state_output(&arguments.out, &program.state)?.commit()?;
    symbols.commit()?;
    Ok(())
}

/// The version of a name. Names of other machines are told from names of none.
///
/// # Errors
/// The machine of that name is not here, or there is none.
pub fn parse_version(name: &str) -> Result<StateVersion, CannonError> {
    if let Some(version) = StateVersion::ALL.into_iter().find(|v| v.name() == name) {
        return Ok(version);
    }
    let supported = StateVersion::ALL.map(StateVersion::name).join(" and ");
    let name = name.to_owned();
    Err(match VERSION_NAMES.iter().position(|known| *known == name) {
        Some(number) => CannonError::UnsupportedType { name, number, supported },
        None => CannonError::UnknownType { name, supported },
    })
}
