//! `rebut cannon` and `rebut prestate` from outside: what it reads and writes, and how it ends.

mod bad_input;
mod load_elf;
mod preimages;
mod prestate;
mod program;
mod proofs;
mod runs;
mod sandbox;
mod server;
mod witness;

use libtest_mimic::{Arguments, Trial};

/// Test functions by their names.
#[macro_export]
macro_rules! trials {
    ($($name:ident),* $(,)?) => {
        pub fn trials() -> Vec<libtest_mimic::Trial> {
            vec![$(libtest_mimic::Trial::test(
                concat!(module_path!(), "::", stringify!($name)),
                || { $name(); Ok(()) },
            )),*]
        }
    };
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("serve") {
        return server::main(arguments);
    }
    let trials: Vec<Trial> = [
        load_elf::trials(),
        witness::trials(),
        runs::trials(),
        proofs::trials(),
        preimages::trials(),
        prestate::trials(),
        bad_input::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
