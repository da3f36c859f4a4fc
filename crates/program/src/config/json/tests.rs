use super::*;
use crate::config::tests::config;
use alloc::{string::ToString, vec, vec::Vec};
use alloy_primitives::{B256, U256, address, b256};
use proptest::prelude::*;
use rebut_derivation::{BlobFeeSchedule, Eip1559Params, OperatorFee};
use serde_json::{Value, json};

/// A rollup of a development network, as `op-node` writes it; `changes` replace or add members.
fn rollup(changes: Value) -> Vec<u8> {
    let mut file = json!({
        "genesis": {
            "l1": { "hash": B256::repeat_byte(1), "number": 7 },
            "l2": { "hash": B256::repeat_byte(2), "number": 0 },
            "l2_time": 1_725_557_164,
            "system_config": {
                "batcherAddr": "0xc81f87a644b41e49b3221f41251f15c6cb00ce03",
                "overhead": B256::ZERO,
                "scalar": "0x00000000000000000000000000000000000000000000000000000000000f4240",
                "gasLimit": 30_000_000,
            },
        },
        "block_time": 2,
        "max_sequencer_drift": 600,
        "seq_window_size": 3600,
        "channel_timeout": 300,
        "l1_chain_id": 900,
        "l2_chain_id": 901,
        "regolith_time": 0,
        "canyon_time": 0,
        "delta_time": 5,
        "batch_inbox_address": "0xff00000000000000000000000000000000042069",
        "deposit_contract_address": "0x08073dc48dde578137b8af042bcbc1c2491f1eb2",
        "l1_system_config_address": "0x94ee52a9d8edd72a85dea7fae3ba6d75e4bf1710",
        "protocol_versions_address": "0x0000000000000000000000000000000000000000",
        "chain_op_config": {
            "eip1559Elasticity": 6, "eip1559Denominator": 50, "eip1559DenominatorCanyon": 250,
        },
    });
    merge(&mut file, changes);
    file.to_string().into_bytes()
}

fn merge(file: &mut Value, changes: Value) {
    match (file, changes) {
        (Value::Object(file), Value::Object(changes)) => {
            for (member, value) in changes {
                merge(file.entry(member).or_insert(Value::Null), value);
            }
        }
        (file, changes) => *file = changes,
    }
}

#[test]
fn a_rollup_file_is_read_whole() {
    let config = read(&rollup(json!({})), None).unwrap();
    assert_eq!((config.chain.chain_id, config.l1.chain_id), (901, 900));
    assert_eq!(config.genesis.l2.hash, B256::repeat_byte(2));
    assert_eq!((config.genesis.l1.number, config.genesis.l2_time), (7, 1_725_557_164));
    let batcher = address!("c81f87a644b41e49b3221f41251f15c6cb00ce03");
    assert_eq!(config.genesis.system_config.batcher, batcher);
    assert_eq!(config.genesis.system_config.scalar, U256::from(1_000_000));
    assert_eq!(config.genesis.system_config.eip_1559, None);
    assert_eq!((config.block_time, config.max_sequencer_drift), (2, 600));
    assert_eq!((config.seq_window_size, config.channel_timeout), (3600, 300));
    assert_eq!(config.granite_channel_timeout, 50);
    assert_eq!((config.delta_time, config.pectra_blob_schedule_time), (Some(5), None));
    assert_eq!(config.batch_inbox, address!("ff00000000000000000000000000000000042069"));
    assert_eq!(config.deposit_contract, address!("08073dc48dde578137b8af042bcbc1c2491f1eb2"));
    assert_eq!(config.l1_system_config, address!("94ee52a9d8edd72a85dea7fae3ba6d75e4bf1710"));
    assert!(!config.keep_karst_upgrade_gas);
    assert!(config.l1.blob_fees.is_empty());
}

#[test]
fn a_system_config_is_read_in_both_spellings() {
    let check = |members: Value| {
        let changes = json!({ "genesis": { "system_config": members } });
        let config = read(&rollup(changes), None).unwrap().genesis.system_config;
        let params = Eip1559Params { denominator: 250, elasticity: 6 };
        assert_eq!(config.eip_1559, Some(params));
        assert_eq!(config.operator_fee, OperatorFee { scalar: 3, constant: 4 });
        assert_eq!((config.min_base_fee, config.da_footprint_gas_scalar), (50, 400));
    };
    check(json!({
        "eip1559Params": "0x000000fa00000006",
        "operatorFeeParams": b256!("0000000000000000000000000000000000000000000000030000000000000004"),
        "minBaseFee": 50, "daFootprintGasScalar": 400,
    }));
    check(json!({
        "baseFeeScalar": 1234, "blobBaseFeeScalar": null,
        "eip1559Denominator": 250, "eip1559Elasticity": 6,
        "operatorFeeScalar": 3, "operatorFeeConstant": 4,
        "minBaseFee": 50, "daFootprintGasScalar": 400,
    }));
}

fn check_refused(changes: Value, message: &str) {
    let error = read(&rollup(changes.clone()), None).unwrap_err().to_string();
    assert!(error.contains(message), "{changes}: {error}");
}

#[test]
fn what_is_not_implemented_is_refused_by_its_member() {
    check_refused(json!({ "lagoon_time": 0 }), "sets lagoon_time: interop");
    check_refused(json!({ "interop_time": "0x5" }), "sets interop_time: interop");
    check_refused(json!({ "alt_da": { "da_challenge_window": 1 } }), "sets alt_da: alt-DA");
    check_refused(json!({ "use_plasma": true }), "sets use_plasma: alt-DA");
    let address = "0x08073dc48dde578137b8af042bcbc1c2491f1eb2";
    check_refused(json!({ "da_challenge_address": address }), "sets da_challenge_address");
    let member = json!({ "da_challenge_contract_address": address });
    check_refused(member, "sets da_challenge_contract_address");
    check_refused(json!({ "fjord_max_sequencer_drift": 2892 }), "fjord_max_sequencer_drift: 2892");
}

#[test]
fn what_is_not_in_use_is_passed_over() {
    let zero = "0x0000000000000000000000000000000000000000";
    let unused = json!({
        "lagoon_time": null, "alt_da": null, "use_plasma": false, "da_challenge_address": zero,
        "da_challenge_contract_address": zero, "da_challenge_window": 160, "da_resolve_window": 160,
        "blobs_data": 7, "superchain_config_address": zero, "interop_message_expiry_window": 3600,
        "fjord_max_sequencer_drift": 1800, "karst_time": null,
    });
    assert_eq!(read(&rollup(unused), None).unwrap(), read(&rollup(json!({})), None).unwrap());
}

#[test]
fn files_that_cannot_be_trusted() {
    check_refused(json!({ "permafrost_time": 5 }), "\"permafrost_time\" that is not known");
    check_refused(json!({ "genesis": { "l3": 1 } }), "unknown field `l3`");
    check_refused(json!({ "genesis": { "system_config": { "fee": 1 } } }), "unknown field `fee`");
    check_refused(json!({ "block_time": null }), "has no block_time");
    check_refused(json!({ "genesis": null }), "has no genesis");
    check_refused(json!({ "batch_inbox_address": null }), "has no batch_inbox_address");
    check_refused(json!({ "block_time": 0 }), "block_time is zero");
    check_refused(json!({ "block_time": "2" }), "hexadecimal");
    check_refused(json!({ "batch_inbox_address": "0x01" }), "malformed");
    check_refused(json!({ "l2_chain_id": 900 }), "l2_chain_id is that of the L1 chain");
    let half = json!({ "genesis": { "system_config": { "eip1559Params": "0x000000fa00000000" } } });
    check_refused(half, "one of the two parameters is zero");
    let long = vec![b' '; MAX_FILE_BYTES + 1];
    assert!(matches!(read(&long, None), Err(JsonError::TooLarge { .. })));
    assert!(matches!(read(b"[]", None), Err(JsonError::Malformed { .. })));
}

#[test]
fn blob_fees_come_from_the_l1_chain_s_file_or_from_what_is_known() {
    let ecotone = json!({ "ecotone_time": 0 });
    let error = read(&rollup(ecotone.clone()), None).unwrap_err();
    assert!(matches!(error, JsonError::UnknownL1 { chain_id: 900 }));
    let l1 = br#"{ "chainId": 900, "cancunTime": 0, "pragueTime": 100 }"#;
    let config = read(&rollup(ecotone), Some(l1)).unwrap();
    let prague = BlobFeeSchedule { time: 100, update_fraction: 5_007_716 };
    assert_eq!(config.l1.blob_fees, [prague]);
    let known = read(&rollup(json!({ "l1_chain_id": 1, "ecotone_time": 0 })), None).unwrap();
    assert_eq!(known.l1.blob_fees.first().map(|entry| entry.time), Some(1_746_612_311));
    let error = read(&rollup(json!({ "l1_chain_id": 1 })), Some(l1)).unwrap_err();
    assert!(matches!(error, JsonError::OtherL1 { rollup: 1, l1: 900 }));
}

fn check_schedule(file: Value, expected: &[(u64, u64)]) {
    let l1 = l1::parse(file.to_string().as_bytes()).unwrap();
    let entries: Vec<_> = l1.blob_fees.iter().map(|e| (e.time, e.update_fraction)).collect();
    assert_eq!(entries, expected, "{file}");
    assert_eq!(l1.chain_id, 1);
}

#[test]
fn blob_schedules_of_l1_chains() {
    let fraction = |number: u64| json!({ "target": 6, "max": 9, "baseFeeUpdateFraction": number });
    // Ethereum's own, as its clients write it.
    let mainnet = json!({
        "chainId": 1, "homesteadBlock": 1_150_000, "terminalTotalDifficulty": 58_750e18,
        "cancunTime": 1_710_338_135, "pragueTime": 1_746_612_311, "osakaTime": 1_764_798_551,
        "bpo1Time": 1_765_290_071, "bpo2Time": 1_767_747_671, "bpo3Time": null,
        "blobSchedule": {
            "cancun": fraction(3_338_477), "prague": fraction(5_007_716),
            "osaka": fraction(5_007_716), "bpo1": fraction(8_346_193), "bpo2": fraction(11_684_671),
        },
    });
    let known = crate::config::l1::known(1).unwrap();
    assert_eq!(l1::parse(mainnet.to_string().as_bytes()).unwrap(), known);
    let genesis = json!({ "config": mainnet, "timestamp": "0x0" });
    assert_eq!(l1::parse(genesis.to_string().as_bytes()).unwrap(), known);

    check_schedule(json!({ "chainId": 1 }), &[]);
    check_schedule(json!({ "chainId": "0x1", "cancunTime": 0, "osakaTime": 0 }), &[(0, 5_007_716)]);
    let own = json!({ "cancun": fraction(7), "prague": fraction(8), "bpo1": fraction(9) });
    let times = json!({
        "chainId": 1, "cancunTime": 3, "pragueTime": 5, "bpo1Time": 5, "blobSchedule": own,
    });
    check_schedule(times, &[(3, 7), (5, 9)]);
}

#[test]
fn l1_files_that_cannot_be_trusted() {
    let check = |file: Value, message: &str| {
        let error = l1::parse(file.to_string().as_bytes()).unwrap_err().to_string();
        assert!(error.contains(message), "{file}: {error}");
    };
    check(json!({}), "has no chainId");
    check(json!({ "chainId": 1, "bpo1Time": 5 }), "no blobSchedule.bpo1");
    check(json!({ "chainId": 1, "cancunTime": 6, "pragueTime": 5 }), "has prague before");
    check(json!({ "chainId": 1, "pragueTime": -5 }), "malformed");
    check(json!({ "chainId": 1, "blobSchedule": { "prague": {} } }), "baseFeeUpdateFraction");
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(config in config()) {
        let mut config = config;
        config.l1 = crate::config::l1::known(1).unwrap();
        // Parameters of which one is zero are none, and two zeros are those that were never set.
        let params = config.genesis.system_config.eip_1559;
        config.genesis.system_config.eip_1559 =
            params.filter(|params| params.denominator != 0 && params.elasticity != 0);
        let file = write(&config).unwrap().to_string();
        prop_assert_eq!(read(file.as_bytes(), None).unwrap(), config);
    }

    #[test]
    fn no_text_makes_the_readers_panic(member in "[a-z_0-9]{1,24}", value: u64, text: String) {
        let changes = json!({ member: value });
        let _ = read(&rollup(changes.clone()), Some(changes.to_string().as_bytes()));
        let _ = read(text.as_bytes(), Some(text.as_bytes()));
    }
}
