//! The deposits that upgrade the contracts of L2 in the first block of a fork.
//!
//! They are constants of the protocol, so they are kept as they stand in the block: one RLP list of
//! EIP-2718 forms for each fork, decoded in that one block alone. `cargo xtask upgrades` makes the
//! files.
//!
//! Specification: "Derivation" of Ecotone, Fjord, Isthmus and Jovian, network upgrade transactions;
//! "Karst", upgrade bundle.

use crate::RollupConfig;
use alloc::vec::Vec;
use alloy_primitives::Bytes;
use alloy_rlp::Decodable;
use rebut_execution::Fork;

/// The gas limits of Karst's upgrade transactions together. The first block of Karst has so much
/// more gas.
pub(crate) const KARST_GAS: u64 = 55_370_657;

/// The upgrade transactions by fork, in the order of the forks.
const UPGRADES: [(Fork, &[u8]); 5] = [
    (Fork::Ecotone, include_bytes!("../assets/upgrades/ecotone.rlp")),
    (Fork::Fjord, include_bytes!("../assets/upgrades/fjord.rlp")),
    (Fork::Isthmus, include_bytes!("../assets/upgrades/isthmus.rlp")),
    (Fork::Jovian, include_bytes!("../assets/upgrades/jovian.rlp")),
    (Fork::Karst, include_bytes!("../assets/upgrades/karst.rlp")),
];

/// The upgrade transactions of the L2 block at `timestamp`, in their EIP-2718 form.
pub fn transactions(config: &RollupConfig, timestamp: u64) -> Vec<Bytes> {
    let first = |(fork, _): &&(Fork, _)| config.is_first_block(*fork, timestamp);
    // A test decodes every file; one that does not would be the empty list.
    UPGRADES
        .iter()
        .filter(first)
        .flat_map(|(_, list)| Vec::<Bytes>::decode(&mut &list[..]).unwrap_or_default())
        .collect()
}

/// The gas that the L2 block at `timestamp` has on top for its upgrade transactions.
pub(crate) fn gas(config: &RollupConfig, timestamp: u64) -> u64 {
    if config.is_first_block(Fork::Karst, timestamp) { KARST_GAS } else { 0 }
}

#[cfg(test)]
mod tests;
