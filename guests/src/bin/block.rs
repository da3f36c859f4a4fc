//! The block program in the machine: exit code 0 if the claimed block hash is right, 1 if it is
//! wrong, 2 (and one line on standard error) if there is no verdict.

#![no_std]
#![no_main]

use guest::{
    STDERR, print_line,
    sys::{HINTS, PREIMAGES},
};
use rebut_preimage::ClientOracle;
use rebut_program::{EXIT_ERROR, block};

guest::main!(main);

fn main() -> u8 {
    // The machine answers with preimages the verifier has checked: they need no second hashing.
    match block::run(&mut ClientOracle::new(PREIMAGES, HINTS)) {
        Ok(verdict) => verdict.exit_code(),
        Err(error) => {
            print_line(STDERR, format_args!("{error}"));
            EXIT_ERROR
        }
    }
}
