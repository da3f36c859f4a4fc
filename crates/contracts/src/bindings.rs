//! Calls, errors and creation code of the contracts, generated from `artifacts/`.
//!
//! The artifacts are the compiled contracts of the folder `contracts`; `cargo xtask artifacts` renews them.

use alloy_sol_types::sol;

sol!(MIPS64, "artifacts/MIPS64.json");
sol!(PreimageOracle, "artifacts/PreimageOracle.json");
