//! Updates of the system config by events on L1.
//!
//! `ConfigUpdate(uint256 indexed version, uint8 indexed updateType, bytes data)`, version 0:
//!
//! | type | data | sets |
//! |---|---|---|
//! | 0 | address | batcher |
//! | 1 | overhead 32, scalar 32 | overhead and scalar |
//! | 2 | u64 | gas limit |
//! | 3 | address | nothing here: the signer of unsafe blocks |
//! | 4 | denominator u32, elasticity u32 at the end of a word | EIP-1559 parameters |
//! | 5 | scalar u32, constant u64 at the end of a word | operator fee |
//! | 6 | u64 | lowest base fee |
//! | 7 | u16 | gas of one byte of data |
//!
//! Invariant: an update that cannot be read changes nothing, and the ones after it still count.
//!
//! Specification: "System Config Updates", "Post-Ecotone Scalar Encoding".

use crate::{
    Eip1559Params, L1Source, OperatorFee, PipelineError, RollupConfig, SystemConfig, abi,
    receipts::{Event, EventFilter},
};
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{B256, U256, b256};
use rebut_execution::Fork;

/// `keccak256("ConfigUpdate(uint256,uint8,bytes)")`.
const CONFIG_UPDATE: B256 =
    b256!("1d2b0bda21d56b8bd12d4f94ebacffdfb35f5e226f84b461103bb8beab6353be");

/// The events that update the system config of a chain.
pub(crate) fn update_filter(config: &RollupConfig) -> EventFilter {
    EventFilter::new(config.l1_system_config, CONFIG_UPDATE)
}

/// Applies the updates in an L1 block, which `filter` finds.
pub(crate) fn apply_updates<S: L1Source>(
    system_config: &mut SystemConfig,
    filter: &EventFilter,
    config: &RollupConfig,
    block: &Sealed<Header>,
    l1: &mut S,
) -> Result<(), PipelineError<S::Error>> {
    let events = filter.events(block, l1)?;
    apply(system_config, &events, config, block);
    Ok(())
}

/// Applies the updates `events`, which are those of an L1 block.
pub(crate) fn apply(
    system_config: &mut SystemConfig,
    events: &[Event],
    config: &RollupConfig,
    block: &Header,
) {
    let is_ecotone = config.is_active(Fork::Ecotone, block.timestamp);
    for event in events {
        if let Some(updated) = update(*system_config, event, is_ecotone) {
            *system_config = updated;
        }
    }
}

/// The config after an event, `None` where the event is no valid update.
fn update(mut config: SystemConfig, event: &Event, is_ecotone: bool) -> Option<SystemConfig> {
    let [_, version, kind] = event.topics.as_slice() else { return None };
    if !version.is_zero() {
        return None;
    }
    let content = abi::bytes(&event.data)?;
    let word = || content.try_into().ok();
    match abi::number::<u8>(&kind.0)? {
        0 => config.batcher = abi::address(word()?)?,
        1 => (config.overhead, config.scalar) = fee_scalars(content, is_ecotone)?,
        2 => config.gas_limit = abi::number(word()?)?,
        3 => {}
        4 => config.eip_1559 = Some(eip_1559(word()?)?),
        5 => config.operator_fee = operator_fee(word()?)?,
        6 => config.min_base_fee = abi::number(word()?)?,
        7 => config.da_footprint_gas_scalar = abi::number(word()?)?,
        _ => return None,
    }
    Some(config)
}

/// Overhead and scalar. From Ecotone on the overhead means nothing, and the scalar has a version.
fn fee_scalars(content: &[u8], is_ecotone: bool) -> Option<(U256, U256)> {
    let (overhead, scalar) = content.split_first_chunk::<32>()?;
    let scalar: &[u8; 32] = scalar.try_into().ok()?;
    if !is_ecotone {
        return Some((U256::from_be_bytes(*overhead), U256::from_be_bytes(*scalar)));
    }
    let padding = match scalar.first()? {
        0 => scalar.get(1..28)?,
        1 => scalar.get(1..24)?,
        _ => return None,
    };
    padding.iter().all(|byte| *byte == 0).then(|| (U256::ZERO, U256::from_be_bytes(*scalar)))
}

/// Both are zero, for the values of the chain's configuration, or neither.
fn eip_1559(word: &[u8; 32]) -> Option<Eip1559Params> {
    let packed: u64 = abi::number(word)?;
    let (denominator, elasticity) = ((packed >> 32) as u32, packed as u32);
    ((denominator == 0) == (elasticity == 0)).then_some(Eip1559Params { denominator, elasticity })
}

/// What precedes the two numbers in their word is not looked at.
fn operator_fee(word: &[u8; 32]) -> Option<OperatorFee> {
    let (rest, constant) = word.split_last_chunk::<8>()?;
    let (_, scalar) = rest.split_last_chunk::<4>()?;
    Some(OperatorFee {
        scalar: u32::from_be_bytes(*scalar),
        constant: u64::from_be_bytes(*constant),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixtures::config_at, memory_l1::*};
    use alloc::{string::String, vec::Vec};
    use alloy_primitives::{Address, Bytes, Log, keccak256};

    const ECOTONE: u64 = 1000;
    /// The words that begin the data: offset, and length 32 or 64.
    const HEAD: [&str; 2] = [
        "00000000000000000000000000000000000000000000000000000000000000200000000000000000000000000000000000000000000000000000000000000020",
        "00000000000000000000000000000000000000000000000000000000000000200000000000000000000000000000000000000000000000000000000000000040",
    ];

    fn before() -> SystemConfig {
        SystemConfig {
            batcher: Address::repeat_byte(1),
            overhead: U256::from(2),
            scalar: U256::from(3),
            gas_limit: 4,
            eip_1559: None,
            operator_fee: OperatorFee { scalar: 5, constant: 6 },
            min_base_fee: 7,
            da_footprint_gas_scalar: 8,
        }
    }

    fn word(number: u64) -> String {
        alloc::format!("{number:064x}")
    }

    fn topics(kind: u64) -> [B256; 3] {
        [CONFIG_UPDATE, B256::ZERO, U256::from(kind).into()]
    }

    fn update_log(kind: u64, data: &str) -> Log {
        let contract = config_at(&[]).l1_system_config;
        log(contract, &topics(kind), hex::decode(data).unwrap())
    }

    /// The config after one block with these logs.
    fn apply(logs: &[Log], timestamp: u64) -> SystemConfig {
        let config = config_at(&[(Fork::Ecotone, ECOTONE)]);
        let mut l1 = MemoryL1::default();
        let block = l1.push(timestamp, Vec::new(), [receipt(2, true, logs)].into(), logs);
        let mut updated = before();
        apply_updates(&mut updated, &update_filter(&config), &config, &block, &mut l1).unwrap();
        updated
    }

    fn check(kind: u64, content: &str, expected: impl FnOnce(&mut SystemConfig)) {
        let head = HEAD[usize::from(content.len() > 64)];
        let mut after = before();
        expected(&mut after);
        let data = [head, content].concat();
        assert_eq!(apply(&[update_log(kind, &data)], 0), after, "type {kind}: {content}");
    }

    fn check_ignored(kind: u64, content: &str) {
        check(kind, content, |_| {});
    }

    #[test]
    fn the_event_is_the_hash_of_its_signature() {
        assert_eq!(CONFIG_UPDATE, keccak256("ConfigUpdate(uint256,uint8,bytes)"));
    }

    #[test]
    fn every_type_sets_what_it_is_for() {
        let batcher = Address::repeat_byte(0xba);
        check(0, &["000000000000000000000000", &"ba".repeat(20)].concat(), |config| {
            config.batcher = batcher;
        });
        check(1, &[word(188), "ff".repeat(32)].concat(), |config| {
            (config.overhead, config.scalar) = (U256::from(188), U256::MAX);
        });
        check(2, &word(30_000_000), |config| config.gas_limit = 30_000_000);
        check(2, &word(u64::MAX), |config| config.gas_limit = u64::MAX);
        check(3, &word(0xaaaa), |_| {});
        check(4, &word(250 << 32 | 6), |config| {
            config.eip_1559 = Some(Eip1559Params { denominator: 250, elasticity: 6 });
        });
        check(4, &word(0), |config| config.eip_1559 = Some(Eip1559Params::default()));
        check(5, &[&"00".repeat(20)[..], "000004d2", "000000000000162e"].concat(), |config| {
            config.operator_fee = OperatorFee { scalar: 1234, constant: 5678 };
        });
        check(6, &word(u64::MAX), |config| config.min_base_fee = u64::MAX);
        check(7, &word(0xffff), |config| config.da_footprint_gas_scalar = u16::MAX);
    }

    #[test]
    fn numbers_that_do_not_fit_are_ignored() {
        check_ignored(0, &["01", &"ba".repeat(31)].concat());
        check_ignored(
            2,
            &["000000000000000000000000000000000000000000000001", "0000000000000000"].concat(),
        );
        check_ignored(4, &word(250 << 32));
        check_ignored(4, &word(6));
        check_ignored(4, &["01", &word(250 << 32 | 6)[2..]].concat());
        check_ignored(
            6,
            &["000000000000000000000000000000000000000000000001", "0000000000000000"].concat(),
        );
        check_ignored(7, &word(0x1_0000));
        check_ignored(8, &word(1));
        check_ignored(256, &word(1));
    }

    #[test]
    fn data_of_another_shape_is_ignored() {
        let valid = [HEAD[0], &word(9)].concat();
        let long = [HEAD[1], &word(9), &word(9)].concat();
        let cases = [
            String::new(),
            valid[..64].into(),
            valid[..128].into(),
            valid[..valid.len() - 2].into(),
            [&valid, "00"].concat(),
            [&valid, &word(0)[..]].concat(),
            valid.replacen("20", "21", 1),
            [&word(32), &word(31), &word(9)[..]].concat(),
            [&word(32), &"ff".repeat(32), &word(9)[..]].concat(),
            [&word(32), &word(0)[..]].concat(),
        ];
        for kind in [0, 2, 4, 5, 6, 7] {
            for data in cases.iter().chain([&long]) {
                assert_eq!(apply(&[update_log(kind, data)], 0), before(), "type {kind}: {data}");
            }
        }
        for data in cases.iter().chain([&valid]) {
            assert_eq!(apply(&[update_log(1, data)], 0), before(), "type 1: {data}");
        }
    }

    #[test]
    fn events_of_another_form_are_ignored() {
        let contract = config_at(&[]).l1_system_config;
        let data: Bytes = hex::decode([HEAD[0], &word(9)].concat()).unwrap().into();
        let [name, version, kind] = topics(2);
        for topics in [
            &[name][..],
            &[name, version],
            &[name, version, kind, B256::ZERO],
            &[name, B256::with_last_byte(1), kind],
            &[name, B256::repeat_byte(1), kind],
            &[name, version, B256::repeat_byte(2)],
        ] {
            assert_eq!(apply(&[log(contract, topics, data.clone())], 0), before(), "{topics:?}");
        }
    }

    #[test]
    fn an_ignored_update_does_not_hold_up_the_ones_after() {
        let gas_limit = |limit| update_log(2, &[HEAD[0], &word(limit)].concat());
        let after = apply(&[gas_limit(1), update_log(99, ""), update_log(2, ""), gas_limit(9)], 0);
        assert_eq!(after, SystemConfig { gas_limit: 9, ..before() });
    }

    #[test]
    fn updates_of_failed_transactions_and_other_contracts_do_not_count() {
        let config = config_at(&[]);
        let data = [HEAD[0], &word(9)].concat();
        let good = [update_log(2, &data)];
        let other = [log(Address::ZERO, &topics(2), hex::decode(&data).unwrap())];
        let mut l1 = MemoryL1::default();
        let receipts = [receipt(2, false, &good), receipt(2, true, &other)];
        let block = l1.push(0, Vec::new(), receipts.into(), &[good, other].concat());
        let mut updated = before();
        apply_updates(&mut updated, &update_filter(&config), &config, &block, &mut l1).unwrap();
        assert_eq!((updated, l1.reads.0), (before(), 1));
    }

    #[test]
    fn ecotone_gives_the_scalar_a_version_and_the_overhead_no_meaning() {
        let scalars = [
            (["00", &"00".repeat(27), "11223344"].concat(), true),
            (["01", &"00".repeat(23), "5566778811223344"].concat(), true),
            (["00", &"00".repeat(26), "0111223344"].concat(), false),
            (["00", "01", &"00".repeat(26), "11223344"].concat(), false),
            (["01", &"00".repeat(22), "015566778811223344"].concat(), false),
            (["02", &"00".repeat(31)].concat(), false),
        ];
        for (scalar, is_valid) in scalars {
            let logs = [update_log(1, &[HEAD[1], &word(188), &scalar].concat())];
            let value = U256::from_str_radix(&scalar, 16).unwrap();
            let updated = |overhead| SystemConfig {
                overhead: U256::from(overhead),
                scalar: value,
                ..before()
            };
            assert_eq!(apply(&logs, ECOTONE - 1), updated(188), "{scalar} before");
            let after = if is_valid { updated(0) } else { before() };
            assert_eq!(apply(&logs, ECOTONE), after, "{scalar} after");
        }
    }
}
