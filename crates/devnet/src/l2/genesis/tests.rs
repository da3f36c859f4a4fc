//! Chains that begin, and chains that cannot.

use super::*;
use crate::{l1, rollup::rollup_config};
use rebut_execution::ForkTimes;

/// Genesis of a chain with these forks, one second after the L1 block that it begins on.
fn begin(forks: ForkTimes, after: i64) -> Result<(RollupConfig, Block), GenesisError> {
    let l1 = l1::Config::default();
    let mut config = rollup_config(&l1, forks);
    config.genesis.l2_time = l1.genesis_time.saturating_add_signed(after);
    let origin = Header { timestamp: l1.genesis_time, ..Header::default() }.seal_slow();
    build(config, &origin, &Allocation::default(), &StateStore::new())
}

fn up_to(last: Fork) -> ForkTimes {
    let forks = Fork::TIMED.into_iter().filter(|fork| *fork <= last);
    forks.fold(ForkTimes::default(), |forks, fork| forks.with(fork, Some(0)))
}

/// Which optional fields the header has, and its extra data, by the specification of each fork.
#[test]
fn the_header_is_that_of_its_fork() {
    let holocene = [0, 0, 0, 0, 250, 0, 0, 0, 6];
    let jovian = [1, 0, 0, 0, 250, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
    let check = |fork, fields: [bool; 4], extra_data: &[u8]| {
        let (config, block) = begin(up_to(fork), 1).unwrap();
        let header = block.header.inner();
        let found = [
            header.withdrawals_root.is_some(),
            header.parent_beacon_block_root.is_some(),
            header.excess_blob_gas == Some(0) && header.blob_gas_used == Some(0),
            header.requests_hash.is_some(),
        ];
        assert_eq!((found, &header.extra_data[..]), (fields, extra_data), "{fork:?}");
        assert_eq!((header.number, header.gas_used, header.parent_hash), (0, 0, B256::ZERO));
        assert_eq!(config.genesis.l2.hash, header.hash_slow());
    };
    check(Fork::Bedrock, [false; 4], &[]);
    check(Fork::Regolith, [false; 4], &[]);
    check(Fork::Canyon, [true, false, false, false], &[]);
    check(Fork::Ecotone, [true, true, true, false], &[]);
    check(Fork::Granite, [true, true, true, false], &[]);
    check(Fork::Holocene, [true, true, true, false], &holocene);
    check(Fork::Isthmus, [true; 4], &holocene);
    check(Fork::Jovian, [true; 4], &jovian);
}

#[test]
fn impossible_chains_are_refused() {
    let forks = up_to(Fork::Bedrock);
    assert!(matches!(begin(forks, -1), Err(GenesisError::Time { .. })));
    let reversed = forks.with(Fork::Canyon, Some(9)).with(Fork::Ecotone, Some(8));
    assert!(matches!(
        begin(reversed, 0),
        Err(GenesisError::ForkOrder { later: Fork::Ecotone, time: 8, earlier: Fork::Canyon })
    ));
    let karst = forks.with(Fork::Karst, Some(u64::MAX));
    assert!(matches!(begin(karst, 0), Err(GenesisError::Fork(Fork::Karst))));
}
