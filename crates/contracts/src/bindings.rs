//! Calls, errors and creation code of the contracts, generated from `artifacts/`.
//!
//! The artifacts are the compiled contracts of the folder `contracts`; `cargo xtask artifacts` renews them.

#![expect(missing_docs, reason = "the sources document what is generated here")]

use alloy_sol_types::sol;

sol!(AlphabetVM, "artifacts/AlphabetVM.json");
sol!(AnchorStateRegistry, "artifacts/AnchorStateRegistry.json");
sol!(DelayedWETH, "artifacts/DelayedWETH.json");
sol!(DisputeGameFactory, "artifacts/DisputeGameFactory.json");
sol!(FaultDisputeGame, "artifacts/FaultDisputeGame.json");
sol!(FeeVault, "artifacts/FeeVault.json");
sol!(GameLens, "artifacts/GameLens.json");
sol!(GasPriceOracle, "artifacts/GasPriceOracle.json");
sol!(L1Block, "artifacts/L1Block.json");
sol!(L2Proxy, "artifacts/L2Proxy.json");
sol!(L2ProxyAdmin, "artifacts/L2ProxyAdmin.json");
sol!(L2ToL1MessagePasser, "artifacts/L2ToL1MessagePasser.json");
sol!(MIPS, "artifacts/MIPS.json");
sol!(MIPS64, "artifacts/MIPS64.json");
sol!(OptimismPortal, "artifacts/OptimismPortal.json");
sol!(PreimageOracle, "artifacts/PreimageOracle.json");
sol!(Proxy, "artifacts/Proxy.json");
sol!(ProxyAdmin, "artifacts/ProxyAdmin.json");
sol!(RISCV, "artifacts/RISCV.json");
sol!(SuperchainConfig, "artifacts/SuperchainConfig.json");
sol!(SystemConfig, "artifacts/SystemConfig.json");
sol!(Traffic, "artifacts/Traffic.json");

pub use permissioned::PermissionedDisputeGame;

/// In a module of its own, because its interface names a struct of FaultDisputeGame, which is generated anew.
mod permissioned {
    use alloy_sol_types::sol;

    sol!(PermissionedDisputeGame, "artifacts/PermissionedDisputeGame.json");
}
