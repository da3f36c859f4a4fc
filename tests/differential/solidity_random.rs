//! Random programs, step by step in Rust and in Solidity.

use rebut_fpvm::{Asterisc, Mips32, Mips64};
use rebut_tests::lockstep::rust_and_solidity;

#[test]
fn random_programs_of_mips64_agree_at_every_step() {
    rust_and_solidity::<Mips64>(50_000);
}

#[test]
fn random_programs_of_asterisc_agree_at_every_step() {
    rust_and_solidity::<Asterisc>(50_000);
}

#[test]
fn random_programs_of_mips32_agree_at_every_step() {
    rust_and_solidity::<Mips32>(50_000);
}
