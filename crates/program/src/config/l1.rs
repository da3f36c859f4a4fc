//! What is known of the L1 chains that rollups settle on.
//!
//! Sources: update fractions from EIP-4844, EIP-7691 (Prague; Osaka kept it) and EIP-7892 (the forks
//! of blob parameters only); times from the public configurations of the four networks, as the meta
//! EIPs 7600 (Pectra) and 7607 (Fusaka) list them.

use alloc::vec;
use rebut_derivation::{BlobFeeSchedule, L1Config};

/// Ethereum.
pub const MAINNET: u64 = 1;
/// The test network Holesky.
pub const HOLESKY: u64 = 17_000;
/// The test network Hoodi.
pub const HOODI: u64 = 560_048;
/// The test network Sepolia.
pub const SEPOLIA: u64 = 11_155_111;

/// `baseFeeUpdateFraction` of Cancun: in force before the first entry of a schedule.
pub const CANCUN_FRACTION: u64 = 3_338_477;
/// `baseFeeUpdateFraction` of Prague and of Osaka.
pub const PRAGUE_FRACTION: u64 = 5_007_716;
/// `baseFeeUpdateFraction` of the first fork of blob parameters.
const BPO1_FRACTION: u64 = 8_346_193;
/// `baseFeeUpdateFraction` of the second fork of blob parameters.
const BPO2_FRACTION: u64 = 11_684_671;

/// The configuration of a public L1 chain.
pub fn known(chain_id: u64) -> Option<L1Config> {
    // Prague, BPO1, BPO2.
    let [prague, bpo1, bpo2] = match chain_id {
        MAINNET => [1_746_612_311, 1_765_290_071, 1_767_747_671],
        HOLESKY => [1_740_434_112, 1_759_800_000, 1_760_389_824],
        HOODI => [1_742_999_832, 1_762_365_720, 1_762_955_544],
        SEPOLIA => [1_741_159_776, 1_761_017_184, 1_761_607_008],
        _ => return None,
    };
    let entry = |time, update_fraction| BlobFeeSchedule { time, update_fraction };
    let blob_fees = vec![
        entry(prague, PRAGUE_FRACTION),
        entry(bpo1, BPO1_FRACTION),
        entry(bpo2, BPO2_FRACTION),
    ];
    Some(L1Config { chain_id, blob_fees })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_eips::{eip4844, eip7691, eip7840::BlobParams};

    #[test]
    fn fractions_are_those_of_the_protocol() {
        assert_eq!(u128::from(CANCUN_FRACTION), eip4844::BLOB_GASPRICE_UPDATE_FRACTION);
        assert_eq!(u128::from(PRAGUE_FRACTION), eip7691::BLOB_GASPRICE_UPDATE_FRACTION_PECTRA);
        assert_eq!(u128::from(PRAGUE_FRACTION), BlobParams::osaka().update_fraction);
        assert_eq!(u128::from(BPO1_FRACTION), BlobParams::bpo1().update_fraction);
        assert_eq!(u128::from(BPO2_FRACTION), BlobParams::bpo2().update_fraction);
    }

    #[test]
    fn other_chains_are_not_guessed() {
        assert_eq!(known(5), None);
        assert_eq!(known(MAINNET).map(|l1| (l1.chain_id, l1.blob_fees.len())), Some((1, 3)));
    }
}
