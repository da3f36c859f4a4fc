//! Random programs on both Rust engines, compared at stops of random distance.

use rebut_fpvm::{Asterisc, Mips32, Mips64};
use rebut_tests::lockstep::rust_engines;

#[test]
fn random_programs_of_mips64_agree_at_every_stop() {
    rust_engines::<Mips64>(2_000_000);
}

#[test]
fn random_programs_of_asterisc_agree_at_every_stop() {
    rust_engines::<Asterisc>(1_000_000);
}

#[test]
fn random_programs_of_mips32_agree_at_every_stop() {
    rust_engines::<Mips32>(1_000_000);
}
