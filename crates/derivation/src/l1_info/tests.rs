use super::*;
use crate::{
    BlobFeeSchedule,
    fixtures::{config, forks_up_to},
};
use alloc::vec;
use alloy_consensus::Sealable;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{b256, hex};
use rebut_execution::ForkTimes;

/// What every format carries, besides fees.
fn info(fees: L1Fees) -> L1Info {
    L1Info {
        number: 0x0102_0304,
        timestamp: 0x6666_6666,
        base_fee: U256::from(0xabcd),
        hash: B256::repeat_byte(0x77),
        sequence_number: 5,
        batcher: Address::repeat_byte(0xba),
        fees,
        ..L1Info::default()
    }
}

fn ecotone() -> L1Fees {
    let blob_base_fee = U256::from(0x0e);
    L1Fees::Ecotone { base_fee_scalar: 0x11, blob_base_fee_scalar: 0x2222, blob_base_fee }
}

/// Fields of the formats since Ecotone, up to the batcher.
const PACKED: [u8; 160] = hex!(
    "00000011" "00002222" "0000000000000005" "0000000066666666" "0000000001020304"
    "000000000000000000000000000000000000000000000000000000000000abcd"
    "000000000000000000000000000000000000000000000000000000000000000e"
    "7777777777777777777777777777777777777777777777777777777777777777"
    "000000000000000000000000babababababababababababababababababababa"
);
const OPERATOR_FEE: [u8; 12] = hex!("00abcdef" "0102030405060708");

#[track_caller]
fn check(format: Format, info: L1Info, expected: &[u8]) {
    assert_eq!(hex::encode(info.encode(format)), hex::encode(expected));
    assert_eq!(L1Info::decode(expected), Ok(info));
    let length = |actual| L1InfoError::Length { actual, expected: expected.len() };
    let short = &expected[..expected.len() - 1];
    assert_eq!(L1Info::decode(short), Err(length(short.len())));
    let long = [expected, &[0]].concat();
    assert_eq!(L1Info::decode(&long), Err(length(long.len())));
}

#[test]
fn bedrock() {
    let fees = L1Fees::Bedrock { overhead: U256::from(188), scalar: U256::from(684_000) };
    let expected = hex!(
        "015d8eb9"
        "0000000000000000000000000000000000000000000000000000000001020304"
        "0000000000000000000000000000000000000000000000000000000066666666"
        "000000000000000000000000000000000000000000000000000000000000abcd"
        "7777777777777777777777777777777777777777777777777777777777777777"
        "0000000000000000000000000000000000000000000000000000000000000005"
        "000000000000000000000000babababababababababababababababababababa"
        "00000000000000000000000000000000000000000000000000000000000000bc"
        "00000000000000000000000000000000000000000000000000000000000a6fe0"
    );
    check(Format::Bedrock, info(fees), &expected);
}

#[test]
fn ecotone_packs_its_fields() {
    check(Format::Ecotone, info(ecotone()), &[&hex!("440a5e20")[..], &PACKED].concat());
}

#[test]
fn isthmus_adds_the_operator_fee() {
    let expected = [&hex!("098999be")[..], &PACKED, &OPERATOR_FEE].concat();
    let operator_fee = OperatorFee { scalar: 0xab_cdef, constant: 0x0102_0304_0506_0708 };
    check(Format::Isthmus, L1Info { operator_fee, ..info(ecotone()) }, &expected);
}

#[test]
fn jovian_adds_the_price_of_data() {
    let expected = [&hex!("3db6be2b")[..], &PACKED, &OPERATOR_FEE, &[0x01, 0x90]].concat();
    let operator_fee = OperatorFee { scalar: 0xab_cdef, constant: 0x0102_0304_0506_0708 };
    let info = L1Info { operator_fee, da_footprint_gas_scalar: 400, ..info(ecotone()) };
    check(Format::Jovian, info, &expected);
}

#[test]
fn selectors_are_hashes_of_signatures() {
    let values = "uint64,uint64,uint256,bytes32,uint64,bytes32,uint256,uint256";
    for (format, signature) in [
        (Format::Bedrock, alloc::format!("setL1BlockValues({values})")),
        (Format::Ecotone, "setL1BlockValuesEcotone()".into()),
        (Format::Isthmus, "setL1BlockValuesIsthmus()".into()),
        (Format::Jovian, "setL1BlockValuesJovian()".into()),
    ] {
        assert_eq!(format.selector(), keccak256(signature)[..4], "{format:?}");
    }
}

#[test]
fn other_calldata_is_refused() {
    assert_eq!(L1Info::decode(&[]), Err(L1InfoError::Selector));
    assert_eq!(L1Info::decode(&[0; 260]), Err(L1InfoError::Selector));
    // A number of 65 bits, an address of 21 bytes.
    let mut calldata = info(L1Fees::default()).encode(Format::Bedrock);
    calldata[4 + 23] = 1;
    assert_eq!(L1Info::decode(&calldata), Err(L1InfoError::Word(4)));
    let mut calldata = info(ecotone()).encode(Format::Ecotone);
    calldata[132 + 11] = 1;
    assert_eq!(L1Info::decode(&calldata), Err(L1InfoError::Word(132)));
}

#[test]
fn the_first_block_of_a_fork_has_the_format_of_the_one_before() {
    let forks = [(Fork::Ecotone, 100), (Fork::Isthmus, 200), (Fork::Jovian, 300)]
        .into_iter()
        .fold(ForkTimes::default(), |times, (fork, time)| times.with(fork, Some(time)));
    let config = config(forks);
    for (timestamp, format) in [
        (98, Format::Bedrock),
        (100, Format::Bedrock),
        (102, Format::Ecotone),
        (200, Format::Ecotone),
        (202, Format::Isthmus),
        (300, Format::Isthmus),
        (302, Format::Jovian),
    ] {
        assert_eq!(Format::at(&config, timestamp), format, "{timestamp}");
    }
}

#[test]
fn forks_that_begin_together_or_at_genesis() {
    let together =
        ForkTimes::default().with(Fork::Ecotone, Some(100)).with(Fork::Jovian, Some(200));
    let together = config(together);
    assert_eq!(Format::at(&together, 200), Format::Ecotone);
    assert_eq!(Format::at(&together, 202), Format::Jovian);
    let genesis = config(forks_up_to(Fork::Karst));
    assert_eq!(Format::at(&genesis, 1002), Format::Jovian);
}

/// An L1 block with an empty body.
fn origin(timestamp: u64, excess_blob_gas: Option<u64>) -> Sealed<Header> {
    let base_fee_per_gas = Some(7);
    Header { number: 9, timestamp, base_fee_per_gas, excess_blob_gas, ..Header::default() }
        .seal_slow()
}

fn decode(bytes: &Bytes) -> TxDeposit {
    TxDeposit::decode_2718(&mut bytes.as_ref()).unwrap()
}

#[test]
fn the_deposit_follows_the_forks() {
    let before = config(ForkTimes::default().with(Fork::Regolith, Some(100)));
    let system_config = before.genesis.system_config;
    let origin = origin(90, None);
    let deposit = |timestamp| decode(&deposit(&before, &system_config, &origin, 3, timestamp));
    for (timestamp, gas_limit, is_system_transaction) in
        [(98, 150_000_000, true), (100, 1_000_000, false)]
    {
        let deposit = deposit(timestamp);
        assert_eq!(deposit.gas_limit, gas_limit);
        assert_eq!(deposit.is_system_transaction, is_system_transaction);
        assert_eq!(deposit.from, address!("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001"));
        assert_eq!(
            deposit.to,
            TxKind::Call(address!("0x4200000000000000000000000000000000000015"))
        );
        assert_eq!((deposit.mint, deposit.value), (0, U256::ZERO));
        let info = L1Info::decode(&deposit.input).unwrap();
        let fees = L1Fees::Bedrock { overhead: U256::from(188), scalar: U256::from(684_000) };
        let expected = L1Info {
            number: 9,
            timestamp: 90,
            base_fee: U256::from(7),
            hash: origin.hash(),
            sequence_number: 3,
            batcher: system_config.batcher,
            fees,
            ..L1Info::default()
        };
        assert_eq!(info, expected);
    }
}

/// Two real blocks with the same origin: 26207960, the first of its epoch, and 26207963.
#[test]
fn source_hashes_of_a_real_chain() {
    let origin = b256!("0x9244875342f5e0c1624d00f249b1a7996137b1eb44bdf16396f98f76a1bec6fa");
    assert_eq!(
        source_hash(origin, 0),
        b256!("0x77efb5d9d697e7e37fffcb8b904e28df49667b73d9fc17515eb0e4a0c377d3db"),
    );
    assert_eq!(
        source_hash(origin, 3),
        b256!("0xd6123622d8edb2f2ec1fe8e95aa659bae7bf6257792e6cec53401f3798260a4b"),
    );
}

#[test]
fn the_price_of_data_has_a_default() {
    let config = config(forks_up_to(Fork::Jovian));
    for (set, expected) in [(0, 400), (1, 1), (u16::MAX, u16::MAX)] {
        let system_config =
            SystemConfig { da_footprint_gas_scalar: set, ..config.genesis.system_config };
        let deposit = decode(&deposit(&config, &system_config, &origin(90, None), 0, 2000));
        assert_eq!(L1Info::decode(&deposit.input).unwrap().da_footprint_gas_scalar, expected);
    }
}

#[test]
fn the_operator_fee_is_the_system_configs() {
    let config = config(forks_up_to(Fork::Isthmus));
    let operator_fee = OperatorFee { scalar: 3, constant: 4 };
    let system_config = SystemConfig { operator_fee, ..config.genesis.system_config };
    let deposit = decode(&deposit(&config, &system_config, &origin(90, None), 0, 2000));
    assert_eq!(L1Info::decode(&deposit.input).unwrap().operator_fee, operator_fee);
}

#[test]
fn scalars_in_every_form() {
    let word = |bytes: [u8; 32]| U256::from_be_bytes(bytes);
    let mut newer = [0; 32];
    (newer[0], newer[27], newer[31]) = (1, 9, 8);
    assert_eq!(unpack_scalars(word(newer)), (8, 9));
    assert_eq!(pack_scalars(8, 9), word(newer));
    assert_eq!(unpack_scalars(U256::from(684_000)), (684_000, 0));
    assert_eq!(unpack_scalars(U256::from(u32::MAX)), (u32::MAX, 0));
    assert_eq!(unpack_scalars(U256::from(1_u64 << 32)), (u32::MAX, 0));
    let mut padded = [0; 32];
    (padded[1], padded[31]) = (1, 8);
    assert_eq!(unpack_scalars(word(padded)), (u32::MAX, 0));
    assert_eq!(pack_scalars(u32::MAX, u32::MAX).to_be_bytes::<32>()[..24], {
        let mut head = [0; 24];
        head[0] = 1;
        head
    });
}

/// Prices as EIP-4844 computes them: e to the power of excess over fraction.
#[test]
fn blob_base_fees_by_fork() {
    const PRAGUE: u64 = 5_007_716;
    let mut config = config(forks_up_to(Fork::Ecotone));
    config.l1.blob_fees = vec![
        BlobFeeSchedule { time: 100, update_fraction: PRAGUE },
        BlobFeeSchedule { time: 200, update_fraction: 8_346_193 },
    ];
    let fee = |config: &RollupConfig, timestamp, excess| {
        blob_base_fee(config, &origin(timestamp, excess))
    };
    // e^10 = 22026.4..., and the same excess over the other fractions: e^6.666..., e^4.
    let excess = Some(33_384_770);
    assert_eq!(fee(&config, 99, excess), 22_026);
    assert_eq!(fee(&config, 100, excess), 785);
    assert_eq!(fee(&config, 200, excess), 54);
    // No blobs yet, and none in excess.
    assert_eq!(fee(&config, 99, None), 1);
    assert_eq!(fee(&config, 99, Some(0)), 1);
    // A chain that followed late.
    config.pectra_blob_schedule_time = Some(150);
    assert_eq!(fee(&config, 149, excess), 22_026);
    assert_eq!(fee(&config, 150, excess), 785);
    // Whatever a configuration says, there is an answer.
    config.l1.blob_fees[1].update_fraction = 0;
    assert_eq!(fee(&config, 200, Some(u64::MAX)), u128::MAX);
}
