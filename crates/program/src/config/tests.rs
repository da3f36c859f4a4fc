use super::{section::SectionError, *};
use alloc::{format, string::ToString, vec, vec::Vec};
use alloy_primitives::{Address, B256, U256, address, b256};
use proptest::prelude::*;
use rebut_derivation::{
    BlobFeeSchedule, BlockId, Eip1559Params, Genesis, L1Config, OperatorFee, SystemConfig,
};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};

fn times() -> impl Strategy<Value = ForkTimes> {
    proptest::array::uniform9(proptest::option::of(any::<u64>())).prop_map(|times| {
        Fork::TIMED
            .into_iter()
            .zip(times)
            .fold(ForkTimes::default(), |all, (fork, time)| all.with(fork, time))
    })
}

prop_compose! {
    fn chain_parameters()(
        chain_id in 2..u64::MAX, forks in times(),
        elasticity in 1..u32::MAX, denominator in 1..u32::MAX, denominator_canyon in 1..u32::MAX,
    ) -> ChainParameters {
        let base_fee = BaseFeeDefaults { elasticity, denominator, denominator_canyon };
        ChainParameters { chain_id, forks, base_fee }
    }
}

prop_compose! {
    fn genesis()(
        hashes: [[u8; 32]; 2], numbers: [u64; 2], l2_time: u64,
        batcher: [u8; 20], scalars: [[u8; 32]; 2], gas_limit in 1..u64::MAX,
        eip_1559 in proptest::option::of(any::<[u32; 2]>()),
        fee: (u32, u64), min_base_fee: u64, da_footprint_gas_scalar: u16,
    ) -> Genesis {
        let id = |place: usize| BlockId { hash: hashes[place].into(), number: numbers[place] };
        let params =
            |[denominator, elasticity]: [u32; 2]| Eip1559Params { denominator, elasticity };
        Genesis {
            l1: id(0),
            l2: id(1),
            l2_time,
            system_config: SystemConfig {
                batcher: batcher.into(),
                overhead: U256::from_be_bytes(scalars[0]),
                scalar: U256::from_be_bytes(scalars[1]),
                gas_limit,
                eip_1559: eip_1559.map(params),
                operator_fee: OperatorFee { scalar: fee.0, constant: fee.1 },
                min_base_fee,
                da_footprint_gas_scalar,
            },
        }
    }
}

prop_compose! {
    pub(super) fn config()(
        chain in chain_parameters(), genesis in genesis(),
        steps in proptest::array::uniform4(1..u64::MAX), max_sequencer_drift: u64,
        delta_time in proptest::option::of(any::<u64>()),
        pectra_blob_schedule_time in proptest::option::of(any::<u64>()),
        addresses: [[u8; 20]; 3], keep_karst_upgrade_gas: bool,
        blob_fees in proptest::collection::btree_map(any::<u64>(), 1..u64::MAX, 0..5),
    ) -> RollupConfig {
        let entry = |(time, update_fraction)| BlobFeeSchedule { time, update_fraction };
        let blob_fees = blob_fees.into_iter().map(entry).collect();
        let [block_time, seq_window_size, channel_timeout, granite_channel_timeout] = steps;
        RollupConfig {
            chain,
            genesis,
            block_time,
            max_sequencer_drift,
            seq_window_size,
            channel_timeout,
            granite_channel_timeout,
            delta_time,
            pectra_blob_schedule_time,
            batch_inbox: addresses[0].into(),
            deposit_contract: addresses[1].into(),
            l1_system_config: addresses[2].into(),
            keep_karst_upgrade_gas,
            l1: L1Config { chain_id: 1, blob_fees },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn configurations_survive_their_encoding(config in config()) {
        prop_assert_eq!(decode(&encode(&config)), Ok(config));
    }

    #[test]
    fn a_cut_or_longer_encoding_is_refused(config in config(), at: prop::sample::Index) {
        let bytes = encode(&config);
        prop_assert!(decode(&bytes[..at.index(bytes.len())]).is_err());
        let longer = [&bytes[..], &[0x80]].concat();
        prop_assert_eq!(decode(&longer), Err(ConfigError::Trailing(1)));
    }

    /// What decodes is the encoding of what it decodes to, whatever was damaged.
    #[test]
    fn every_configuration_has_one_encoding(
        config in config(), at: prop::sample::Index, flip: u8,
    ) {
        let mut bytes = encode(&config);
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(decoded) = decode(&bytes) {
            prop_assert_eq!(encode(&decoded), bytes);
        }
    }

    #[test]
    fn every_table_has_one_form(
        configs in proptest::collection::vec(config(), 0..4), at: prop::sample::Index, flip: u8,
    ) {
        let chains: Vec<Chain> = configs
            .into_iter()
            .enumerate()
            .map(|(place, config)| Chain::new(format!("chain {place}"), config))
            .collect();
        let mut bytes = Table::encode(&chains).unwrap();
        for chain in &chains {
            let found = Table::parse(&bytes).unwrap().find(chain.chain_id);
            prop_assert_eq!(found.as_ref(), Ok(&Some(chain.clone())));
        }
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let read = Table::parse(&bytes).and_then(|table| table.chains().collect::<Result<Vec<_>, _>>());
        if let Ok(read) = read {
            prop_assert_eq!(Table::encode(&read).unwrap(), bytes);
        }
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes: Vec<u8>, header: [u8; section::HEADER_BYTES]) {
        let _ = decode(&bytes);
        let _ = section::locate(&bytes);
        let _ = section::table(&header, &bytes);
        if let Ok(table) = Table::parse(&bytes) {
            table.chains().for_each(drop);
        }
    }
}

/// A configuration in which every number differs from the others.
fn example() -> RollupConfig {
    let mut forks = ForkTimes::default();
    for (place, fork) in Fork::TIMED.into_iter().enumerate() {
        forks = forks.with(fork, Some(100 + place as u64));
    }
    RollupConfig {
        chain: ChainParameters {
            chain_id: 901,
            forks,
            base_fee: BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 },
        },
        genesis: Genesis {
            l1: BlockId { hash: B256::repeat_byte(1), number: 7 },
            l2: BlockId { hash: B256::repeat_byte(2), number: 8 },
            l2_time: 9,
            system_config: SystemConfig { gas_limit: 30_000_000, ..SystemConfig::default() },
        },
        block_time: 2,
        max_sequencer_drift: 600,
        seq_window_size: 3600,
        channel_timeout: 300,
        granite_channel_timeout: 50,
        delta_time: None,
        pectra_blob_schedule_time: Some(11),
        batch_inbox: Address::repeat_byte(3),
        deposit_contract: Address::repeat_byte(4),
        l1_system_config: Address::repeat_byte(5),
        keep_karst_upgrade_gas: true,
        l1: L1Config {
            chain_id: 900,
            blob_fees: vec![BlobFeeSchedule { time: 12, update_fraction: 13 }],
        },
    }
}

#[test]
fn parameters_that_no_chain_has() {
    let check = |change: fn(&mut RollupConfig), member: &str| {
        let mut config = example();
        change(&mut config);
        match decode(&encode(&config)) {
            Err(ConfigError::Impossible { member: found, .. }) => assert_eq!(found, member),
            other => panic!("{member}: {other:?}"),
        }
    };
    check(|config| config.block_time = 0, "block_time");
    check(|config| config.seq_window_size = 0, "seq_window_size");
    check(|config| config.channel_timeout = 0, "channel_timeout");
    check(|config| config.granite_channel_timeout = 0, "granite_channel_timeout");
    check(|config| config.chain.chain_id = 0, "l2_chain_id");
    check(|config| config.l1.chain_id = 0, "l1_chain_id");
    check(|config| config.l1.chain_id = 901, "l2_chain_id");
    check(|config| config.chain.base_fee.elasticity = 0, "chain_op_config.eip1559Elasticity");
    check(|config| config.chain.base_fee.denominator = 0, "chain_op_config.eip1559Denominator");
    check(
        |config| config.chain.base_fee.denominator_canyon = 0,
        "chain_op_config.eip1559DenominatorCanyon",
    );
    check(|config| config.genesis.system_config.gas_limit = 0, "genesis.system_config.gasLimit");
    let again = BlobFeeSchedule { time: 12, update_fraction: 14 };
    check(|config| config.l1.blob_fees[0].update_fraction = 0, "blobSchedule");
    let mut config = example();
    config.l1.blob_fees.push(again);
    assert!(matches!(super::check(&config), Err(ConfigError::Impossible { .. })));
}

#[test]
fn a_table_refuses_what_it_cannot_hold() {
    let twice = [Chain::new("a", example()), Chain::new("b", example())];
    let error = Table::encode(&twice).unwrap_err();
    assert_eq!(error, ConfigError::Table("its chain ids do not ascend"));
    let impossible = RollupConfig { block_time: 0, ..example() };
    let error = Table::encode(&[Chain::new("", impossible)]).unwrap_err();
    assert!(matches!(error, ConfigError::Impossible { member: "block_time", .. }));
}

/// Fork times in the order of [`Fork::TIMED`], without Regolith.
fn check_chain(chain_id: u64, times: [u64; 8], delta: u64, pectra: Option<u64>) -> RollupConfig {
    let config = find(&[], chain_id).unwrap();
    assert_eq!(config.chain.chain_id, chain_id);
    assert_eq!(config.chain.forks.time(Fork::Regolith), Some(0));
    for (fork, time) in Fork::TIMED.into_iter().skip(1).zip(times) {
        assert_eq!(config.chain.forks.time(fork), Some(time), "{fork:?}");
    }
    assert_eq!((config.delta_time, config.pectra_blob_schedule_time), (Some(delta), pectra));
    assert_eq!((config.channel_timeout, config.granite_channel_timeout), (300, 50));
    assert!(config.keep_karst_upgrade_gas);
    config
}

/// Values from the protocol's published fork table and the chain's genesis.
#[test]
fn op_mainnet_is_known() {
    let times = [
        1_704_992_401,
        1_710_374_401,
        1_720_627_201,
        1_726_070_401,
        1_736_445_601,
        1_746_806_401,
        1_764_691_201,
        1_783_526_401,
    ];
    let config = check_chain(10, times, 1_708_560_000, None);
    let hash = b256!("dbf6a80fef073de06add9b0d14026d6e5a86c85f6d102c36d3d8e9cf89c2afd3");
    assert_eq!(config.genesis.l2, BlockId { hash, number: 105_235_063 });
    let hash = b256!("438335a20d98863a4c0c97999eb2481921ccd28553eac6f913af7c12aec04108");
    assert_eq!(config.genesis.l1, BlockId { hash, number: 17_422_590 });
    let system_config = &config.genesis.system_config;
    assert_eq!(system_config.batcher, address!("6887246668a3b87F54DeB3b94Ba47a6f63F32985"));
    assert_eq!(system_config.overhead, U256::from(0xbc));
    assert_eq!(system_config.scalar, U256::from(0xa6fe0));
    assert_eq!(config.deposit_contract, address!("bEb5Fc579115071764c7423A4f12eDde41f106Ed"));
    assert_eq!(config.l1_system_config, address!("229047fed2591dbec1eF1118d64F7aF3dB9EB290"));
    assert_eq!(config.batch_inbox, address!("FF00000000000000000000000000000000000010"));
    let fees =
        [(1_746_612_311, 5_007_716), (1_765_290_071, 8_346_193), (1_767_747_671, 11_684_671)];
    let entry = |(time, update_fraction)| BlobFeeSchedule { time, update_fraction };
    assert_eq!(config.l1, L1Config { chain_id: 1, blob_fees: fees.map(entry).to_vec() });
}

/// Values from the protocol's published fork table and the chain's genesis.
#[test]
fn op_sepolia_is_known() {
    let times = [
        1_699_981_200,
        1_708_534_800,
        1_716_998_400,
        1_723_478_400,
        1_732_633_200,
        1_744_905_600,
        1_763_568_001,
        1_781_712_001,
    ];
    let config = check_chain(11_155_420, times, 1_703_203_200, Some(1_742_486_400));
    let hash = b256!("102de6ffb001480cc9b8b548fd05c34cd4f46ae4aa91759393db90ea0409887d");
    assert_eq!(config.genesis.l2, BlockId { hash, number: 0 });
    assert_eq!(config.l1.chain_id, 11_155_111);
}

/// Each with what the registry's file says it uses.
#[test]
fn chains_that_are_not_implemented_are_refused_by_name() {
    let check = |chain_id, message: &str| {
        assert_eq!(find(&[], chain_id).unwrap_err().to_string(), message);
    };
    check(42_220, "chain 42220 (Celo) uses alt-DA, which is not implemented");
    check(690, "chain 690 (Redstone) uses alt-DA, which is not implemented");
    check(252, "chain 252 (Fraxtal) uses alt-DA, which is not implemented");
    check(177, "chain 177 (HashKey Chain) uses a custom gas token, which is not implemented");
    check(
        7_849_306,
        "chain 7849306 (Ozean Poseidon Testnet) uses a custom gas token, which is not implemented",
    );
    check(
        12,
        "chain 12 is neither in the registry nor carried by this program: build a prestate that carries it",
    );
}

#[test]
fn a_carried_chain_is_preferred() {
    let mut own = find(&[], 10).unwrap();
    own.block_time = 77;
    let carried = Table::encode(&[Chain::new("", own), Chain::new("", example())]).unwrap();
    assert_eq!(find(&carried, 10).unwrap().block_time, 77);
    assert_eq!(find(&carried, 901), Ok(example()));
    assert_eq!(find(&carried, 11_155_420), find(&[], 11_155_420));
    assert_eq!(find(&[0], 10), Err(ConfigError::Table("its index is cut")));
}

fn image(capacity: u32) -> Vec<u8> {
    let header = section::empty_header(capacity);
    [&[7; 100][..], &header, &vec![0; capacity as usize], &[8; 50]].concat()
}

fn split(section: &[u8]) -> (&[u8; section::HEADER_BYTES], &[u8]) {
    section.split_first_chunk().unwrap()
}

#[test]
fn a_filled_section_reads_the_same() {
    let table = Table::encode(&[Chain::new("devnet", example())]).unwrap();
    let mut image = image(1024);
    let empty = image.clone();
    section::fill(&mut image, &table).unwrap();
    let range = section::locate(&image).unwrap();
    assert_eq!(range, 100..100 + 32 + 1024);
    assert_eq!((&image[..100], &image[range.end..]), (&empty[..100], &empty[range.end..]));
    let (header, content) = split(&image[range]);
    assert_eq!(section::content_length(header), table.len());
    assert_eq!(&content[..table.len()], table);
    let read = section::table(header, content).unwrap().unwrap();
    assert_eq!(read.find(901), Ok(Some(Chain::new("devnet", example()))));
    section::fill(&mut image, &[]).unwrap();
    assert_eq!(image, empty);
    let (header, content) = split(&image[100..]);
    assert!(section::table(header, &content[..1024]).unwrap().is_none());
}

#[test]
fn sections_that_cannot_be_filled() {
    let table = Table::encode(&[Chain::new("", example())]).unwrap();
    let check = |mut image: Vec<u8>, expected: SectionError| {
        let before = image.clone();
        assert_eq!(section::fill(&mut image, &table), Err(expected));
        assert_eq!(image, before);
    };
    check(vec![1; 1000], SectionError::Missing);
    check([image(1024), image(1024)].concat(), SectionError::Twice);
    check(image(64), SectionError::TooLarge { length: table.len(), capacity: 64 });
    let cut = image(1024)[..500].to_vec();
    check(cut, SectionError::Cut { capacity: 1024 });
    let mut newer = image(1024);
    newer[119] = 2;
    check(newer, SectionError::Version(2));
    let mut full = image(1024);
    full[124..128].fill(0xff);
    check(full, SectionError::Damaged("it holds more than it can"));
}

#[test]
fn what_follows_a_section_s_table_must_be_zero() {
    let table = Table::encode(&[Chain::new("", example())]).unwrap();
    let mut image = image(1024);
    section::fill(&mut image, &table).unwrap();
    image[100 + 32 + 1023] = 1;
    let (header, content) = split(&image[100..100 + 32 + 1024]);
    let error = section::table(header, content).unwrap_err();
    assert_eq!(error, SectionError::Damaged("it does not end in zeros"));
}
