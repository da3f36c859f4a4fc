//! The fault proof program in the machine: exit code 0 if the claimed output root is right, 1 if it is
//! wrong, 2 (and one line on standard error) if there is no verdict. Each block it derives is a line on
//! standard output.

#![no_std]
#![no_main]

use guest::{
    STDERR, STDOUT, print_line,
    sys::{HINTS, PREIMAGES, carried_chains},
};
use rebut_preimage::ClientOracle;
use rebut_program::{EXIT_ERROR, claim, config};

guest::main!(main);

fn main() -> u8 {
    // The machine answers with preimages the verifier has checked: they need no second hashing.
    let mut oracle = ClientOracle::new(PREIMAGES, HINTS);
    let carried = carried_chains();
    let verdict = claim::run(
        &mut oracle,
        |chain_id| config::find(&carried, chain_id),
        |derived| print_line(STDOUT, format_args!("block {}", derived.block.id.number)),
    );
    match verdict {
        Ok(verdict) => verdict.exit_code(),
        Err(error) => {
            print_line(STDERR, format_args!("{error}"));
            EXIT_ERROR
        }
    }
}
