//! `cannon witness`: what the chain sees of a state.

use super::arguments::Witness;
use super::error::CannonError;
use super::run::not_empty;
use super::tool::Tool;
use crate::files::{Output, json_output, read_state};
use rebut_fpvm::{AnyState, State};
use std::path::Path;

/// Prints the witness as JSON and writes its bytes to the file that was asked for.
pub fn witness(arguments: &Witness) -> Result<(), CannonError> {
    match read_state(not_empty(&arguments.input)?)? {
        AnyState::Mips32(state) => print(arguments, state),
        AnyState::Mips64(state) => print(arguments, state),
    }
}

/// The same for a state of any machine.
pub fn print<V: Tool>(arguments: &Witness, mut state: State<V>) -> Result<(), CannonError> {
    let witness = state.witness();
    let mut raw = Output::create_raw(&arguments.output)?;
    raw.fill(|out| out.write_all(&witness.0))?;
    let printed = json_output(Path::new("-"), &V::record(&state, witness))?;
    raw.commit()?;
    printed.commit()?;
    Ok(())
}
