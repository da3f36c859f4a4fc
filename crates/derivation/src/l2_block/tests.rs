use super::*;
use crate::{
    OperatorFee,
    fixtures::{config, forks_up_to},
    l1_info::Format,
    upgrades::KARST_GAS,
};
use alloc::{vec, vec::Vec};
use alloy_consensus::{Header, Sealable};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, hex};
use rebut_execution::ForkTimes;

fn info(fees: L1Fees) -> L1Info {
    L1Info {
        number: 77,
        hash: B256::repeat_byte(0x77),
        sequence_number: 5,
        batcher: Address::repeat_byte(0xba),
        fees,
        operator_fee: OperatorFee { scalar: 3, constant: 4 },
        da_footprint_gas_scalar: 6,
        ..L1Info::default()
    }
}

fn block(timestamp: u64, extra_data: &[u8], calldata: Vec<u8>) -> L2Block {
    let deposit = TxDeposit { input: calldata.into(), ..TxDeposit::default() };
    let header = Header {
        number: 9,
        timestamp,
        parent_hash: B256::repeat_byte(0x99),
        gas_limit: 60_000_000,
        extra_data: Bytes::copy_from_slice(extra_data),
        ..Header::default()
    };
    L2Block { header: header.seal_slow(), transactions: vec![deposit.encoded_2718().into()] }
}

const BEDROCK: L1Fees = L1Fees::Bedrock {
    overhead: U256::from_limbs([188, 0, 0, 0]),
    scalar: U256::from_limbs([684_000, 0, 0, 0]),
};
const ECOTONE: L1Fees =
    L1Fees::Ecotone { base_fee_scalar: 8, blob_base_fee_scalar: 9, blob_base_fee: U256::ZERO };
/// Version, denominator 250, elasticity 6.
const HOLOCENE: [u8; 9] = hex!("00" "000000fa" "00000006");
/// The same and the lowest base fee.
const JOVIAN: [u8; 17] = hex!("01" "000000fa" "00000006" "0000000000000bb8");

#[track_caller]
fn check(fork: Fork, format: Format, fees: L1Fees, extra_data: &[u8], expected: SystemConfig) {
    let config = config(forks_up_to(fork));
    let block = block(2_000, extra_data, info(fees).encode(format));
    assert_eq!(SystemConfig::from_block(&config, &block), Ok(expected));
}

/// What all of them recover.
fn common() -> SystemConfig {
    let batcher = Address::repeat_byte(0xba);
    SystemConfig { batcher, gas_limit: 60_000_000, ..SystemConfig::default() }
}

#[test]
fn the_system_config_of_every_fork() {
    let bedrock =
        SystemConfig { overhead: U256::from(188), scalar: U256::from(684_000), ..common() };
    check(Fork::Bedrock, Format::Bedrock, BEDROCK, &[], bedrock);
    check(Fork::Canyon, Format::Bedrock, BEDROCK, b"anything", bedrock);

    let mut scalar = [0; 32];
    (scalar[0], scalar[27], scalar[31]) = (1, 9, 8);
    let ecotone = SystemConfig { scalar: U256::from_be_bytes(scalar), ..common() };
    check(Fork::Ecotone, Format::Ecotone, ECOTONE, &[], ecotone);
    check(Fork::Granite, Format::Ecotone, ECOTONE, &[], ecotone);

    let eip_1559 = Some(Eip1559Params { denominator: 250, elasticity: 6 });
    let holocene = SystemConfig { eip_1559, ..ecotone };
    check(Fork::Holocene, Format::Ecotone, ECOTONE, &HOLOCENE, holocene);

    let operator_fee = OperatorFee { scalar: 3, constant: 4 };
    let isthmus = SystemConfig { operator_fee, ..holocene };
    check(Fork::Isthmus, Format::Isthmus, ECOTONE, &HOLOCENE, isthmus);
    // The first block of Isthmus has none yet.
    check(Fork::Isthmus, Format::Ecotone, ECOTONE, &HOLOCENE, holocene);

    let jovian = SystemConfig { min_base_fee: 3_000, da_footprint_gas_scalar: 6, ..isthmus };
    check(Fork::Jovian, Format::Jovian, ECOTONE, &JOVIAN, jovian);
    check(Fork::Karst, Format::Jovian, ECOTONE, &JOVIAN, jovian);
}

#[test]
fn extra_data_of_another_form_is_refused() {
    let check = |fork, extra_data: &[u8]| {
        let config = config(forks_up_to(fork));
        let block = block(2_000, extra_data, info(ECOTONE).encode(Format::Ecotone));
        let expected = CriticalError::L2Block { number: 9, error: L2BlockError::ExtraData };
        assert_eq!(SystemConfig::from_block(&config, &block), Err(expected));
    };
    for fork in [Fork::Holocene, Fork::Isthmus] {
        for extra_data in [&[][..], &HOLOCENE[..8], &JOVIAN, &[&[1], &HOLOCENE[1..]].concat()] {
            check(fork, extra_data);
        }
    }
    for fork in [Fork::Jovian, Fork::Karst] {
        for extra_data in [&HOLOCENE[..], &JOVIAN[..16], &[&[0], &JOVIAN[1..]].concat()] {
            check(fork, extra_data);
        }
    }
}

/// Karst's first block has 55,370,657 more gas, which only some chains keep.
#[test]
fn the_gas_of_karsts_upgrade_is_taken_off_again() {
    let forks = ForkTimes::default().with(Fork::Jovian, Some(0)).with(Fork::Karst, Some(2_000));
    let gas_limit = |keep, timestamp, added| {
        let mut config = config(forks);
        config.keep_karst_upgrade_gas = keep;
        let mut block = block(timestamp, &JOVIAN, info(ECOTONE).encode(Format::Jovian));
        let mut header = block.header.clone_inner();
        header.gas_limit += added;
        block.header = header.seal_slow();
        SystemConfig::from_block(&config, &block).unwrap().gas_limit
    };
    assert_eq!(KARST_GAS, 55_370_657);
    assert_eq!(gas_limit(false, 2_000, 55_370_657), 60_000_000);
    assert_eq!(gas_limit(true, 2_000, 55_370_657), 115_370_657);
    assert_eq!(gas_limit(false, 1_998, 0), 60_000_000);
    assert_eq!(gas_limit(false, 2_002, 0), 60_000_000);
}

#[test]
fn the_place_of_a_block() {
    let config = config(forks_up_to(Fork::Ecotone));
    let block = block(2_000, &[], info(ECOTONE).encode(Format::Ecotone));
    let expected = L2BlockRef {
        id: BlockId { hash: block.header.hash(), number: 9 },
        parent_hash: B256::repeat_byte(0x99),
        timestamp: 2_000,
        l1_origin: BlockId { hash: B256::repeat_byte(0x77), number: 77 },
        sequence_number: 5,
    };
    assert_eq!(L2BlockRef::from_block(&config, &block), Ok(expected));
}

#[test]
fn the_first_block_is_the_configurations() {
    let mut config = config(forks_up_to(Fork::Ecotone));
    let mut block = block(1_000, &[], vec![]);
    block.transactions.clear();
    config.genesis.l1 = BlockId { hash: B256::repeat_byte(1), number: 50 };
    config.genesis.l2 = BlockId { hash: block.header.hash(), number: 9 };
    let reference = L2BlockRef::from_block(&config, &block).unwrap();
    assert_eq!((reference.l1_origin, reference.sequence_number), (config.genesis.l1, 0));
    assert_eq!(SystemConfig::from_block(&config, &block), Ok(config.genesis.system_config));

    config.genesis.l2.hash = B256::ZERO;
    let expected = CriticalError::L2Block { number: 9, error: L2BlockError::Genesis };
    assert_eq!(L2BlockRef::from_block(&config, &block), Err(expected.clone()));
    assert_eq!(SystemConfig::from_block(&config, &block), Err(expected));
}

#[test]
fn a_block_without_l1_attributes_is_refused() {
    let config = config(forks_up_to(Fork::Ecotone));
    let check = |change: fn(&mut L2Block), error: L2BlockError| {
        let mut block = block(2_000, &[], info(ECOTONE).encode(Format::Ecotone));
        change(&mut block);
        let expected = CriticalError::L2Block { number: 9, error };
        assert_eq!(L2BlockRef::from_block(&config, &block), Err(expected.clone()));
        assert_eq!(SystemConfig::from_block(&config, &block), Err(expected));
    };
    check(|block| block.transactions.clear(), L2BlockError::NoDeposit);
    check(|block| block.transactions[0] = vec![2, 0xc0].into(), L2BlockError::NoDeposit);
    check(
        |block| block.transactions[0] = [&block.transactions[0][..], &[0]].concat().into(),
        L2BlockError::NoDeposit,
    );
    check(
        |block| block.transactions[0] = TxDeposit::default().encoded_2718().into(),
        L2BlockError::Attributes(L1InfoError::Selector),
    );
}
