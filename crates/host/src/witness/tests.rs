use super::*;
use alloy_primitives::{b256, hex, keccak256};
use rebut_execution::{BaseFeeDefaults, Fork, ForkTimes};
use rebut_preimage::{ClientOracle, VerifyingOracle};
use serde_json::{Value, json};

/// A witness of the smallest kind.
fn sample() -> Value {
    let hash = |value: &[u8]| hex::encode_prefixed(keccak256(value));
    json!({
        "format": FORMAT,
        "source": "a test",
        "fixture": {
            "rollup_config": { "l2_chain_id": 10, "canyon_time": 0, "ecotone_time": 0 },
            "parent_header": {
                "parentHash": hash(b"grandparent"), "sha3Uncles": hash(b"\xc0"),
                "miner": "0x4200000000000000000000000000000000000011",
                "stateRoot": hash(b"state"), "transactionsRoot": hash(b"\x80"),
                "receiptsRoot": hash(b"\x80"), "logsBloom": hex::encode_prefixed([0; 256]),
                "difficulty": "0x0", "number": "0x7", "gasLimit": "0x1c9c380", "gasUsed": "0x0",
                "timestamp": "0x64", "extraData": "0x", "mixHash": hash(b"mix"),
                "nonce": "0x0000000000000000", "baseFeePerGas": "0x1",
                "withdrawalsRoot": hash(b"\x80"), "blobGasUsed": "0x0", "excessBlobGas": "0x0",
                "parentBeaconBlockRoot": hash(b"beacon")
            },
            "executing_payload": {
                "timestamp": "0x66", "prevRandao": hash(b"mix"),
                "suggestedFeeRecipient": "0x4200000000000000000000000000000000000011",
                "withdrawals": [], "parentBeaconBlockRoot": hash(b"beacon"),
                "transactions": ["0x7e00", "0x02"], "gasLimit": "0x1c9c380"
            },
            "expected_block_hash": hash(b"block")
        },
        "preimages": { hash(b"node"): hex::encode_prefixed(b"node"), hash(b""): "0x" }
    })
}

fn parse(witness: &Value) -> Result<BlockWitness, WitnessError> {
    BlockWitness::parse(&serde_json::to_vec(witness).unwrap(), Path::new("w.json"))
}

#[test]
fn a_witness_gives_the_inputs_of_its_block() {
    let witness = parse(&sample()).unwrap();
    assert_eq!(witness.source, "a test");
    assert_eq!(
        witness.chain,
        ChainParameters {
            chain_id: 10,
            forks: ForkTimes::default().with(Fork::Canyon, Some(0)).with(Fork::Ecotone, Some(0)),
            base_fee: BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 },
        }
    );
    assert_eq!(witness.parent_header.number, 7);
    assert_eq!(witness.parent_header.state_root, keccak256(b"state"));
    assert_eq!(witness.attributes.timestamp, 0x66);
    assert_eq!(witness.attributes.transactions, [Bytes::from(vec![0x7e, 0]), Bytes::from(vec![2])]);
    assert_eq!(witness.attributes.eip_1559_params, None);
    assert_eq!(witness.expected_block_hash, keccak256(b"block"));
    let node = PreimageKey::keccak256(keccak256(b"node"));
    assert_eq!(witness.preimages.value(&node), Some(&b"node"[..]));
    assert_eq!(witness.preimages.len(), 2);
}

#[test]
fn attributes_of_later_forks() {
    let mut witness = sample();
    let payload = &mut witness["fixture"]["executing_payload"];
    payload["eip1559Params"] = json!("0x000000fa00000006");
    payload["minBaseFee"] = json!("0x3e8");
    let attributes = parse(&witness).unwrap().attributes;
    assert_eq!(attributes.eip_1559_params, Some(hex!("000000fa00000006")));
    assert_eq!(attributes.min_base_fee, Some(1000));
}

#[test]
fn what_is_written_reads_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let mut witness = parse(&sample()).unwrap();
    witness.attributes.eip_1559_params = Some([1, 2, 3, 4, 5, 6, 7, 8]);
    witness.attributes.min_base_fee = Some(9);
    for name in ["w.json", "w.json.zst"] {
        let path = directory.path().join(name);
        witness.write(&path).unwrap();
        assert_eq!(BlockWitness::read(&path).unwrap(), witness, "{name}");
    }
}

/// Changes the sample and expects an error that contains all of `texts`.
fn check(change: impl FnOnce(&mut Value), texts: &[&str]) {
    let mut witness = sample();
    change(&mut witness);
    let error = parse(&witness).unwrap_err().to_string();
    for text in ["w.json"].iter().chain(texts) {
        assert!(error.contains(text), "{text:?} is not in {error:?}");
    }
}

#[test]
fn wrong_members_are_named() {
    check(|w| w["format"] = json!("v2"), &["v2"]);
    check(
        |w| w["fixture"]["parent_header"]["stateRoot"] = json!("0x12"),
        &["fixture.parent_header"],
    );
    // Its encoding would be read as that of another header, or of none.
    check(
        |w| w["fixture"]["parent_header"]["withdrawalsRoot"] = Value::Null,
        &["fixture.parent_header", "a field is missing"],
    );
    check(
        |w| w["fixture"]["executing_payload"]["timestamp"] = json!("soon"),
        &["fixture.executing_payload.timestamp"],
    );
    check(
        |w| w["fixture"]["executing_payload"]["transactions"][1] = json!("0x1"),
        &["fixture.executing_payload.transactions[1]"],
    );
    check(|w| w["fixture"]["expected_block_hash"] = json!(7), &["fixture.expected_block_hash"]);
    check(
        |w| w["fixture"]["rollup_config"]["l2_chain_id"] = json!("ten"),
        &["fixture.rollup_config.l2_chain_id", "ten"],
    );
    let params = json!({ "max_change_denominator": 50, "elasticity_multiplier": 1_u64 << 32 });
    check(
        |w| w["fixture"]["rollup_config"]["base_fee_params"] = params,
        &["fixture.rollup_config.base_fee_params.elasticity_multiplier", "4294967296"],
    );
    check(
        |w| drop(w["fixture"].as_object_mut().unwrap().remove("expected_block_hash")),
        &["expected_block_hash"],
    );
    check(|w| w["fixture"]["executing_payload"]["withdrawals"] = json!([1]), &["withdrawals"]);
    check(|w| w["preimages"] = json!([]), &["preimages"]);
}

#[test]
fn wrong_preimages_are_named() {
    let hash = b256!("4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    let abc = hash.to_string();
    let key = PreimageKey::keccak256(hash).to_string();
    check(|w| w["preimages"][&abc] = json!("0x616264"), &[&key]);
    check(|w| w["preimages"][&abc] = json!("616263"), &[&key]);
    check(|w| w["preimages"]["0x1234"] = json!("0x"), &["0x1234"]);
    let mut good = sample();
    good["preimages"][&abc] = json!("0x616263");
    assert_eq!(parse(&good).unwrap().preimages.len(), 3);
}

#[test]
fn damaged_files_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let packed = directory.path().join("w.json.zst");
    parse(&sample()).unwrap().write(&packed).unwrap();
    let bytes = std::fs::read(&packed).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&packed, &bytes[..length]).unwrap();
        let error = BlockWitness::read(&packed).unwrap_err();
        assert!(error.to_string().contains("w.json.zst"), "{error}");
    }
    let missing = BlockWitness::read(&directory.path().join("none.json")).unwrap_err();
    assert!(missing.to_string().contains("none.json"), "{missing}");

    let text = serde_json::to_vec(&sample()).unwrap();
    for length in 0..text.len() {
        assert!(BlockWitness::parse(&text[..length], Path::new("w.json")).is_err());
    }
    let more = [&text[..], b"x"].concat();
    assert!(BlockWitness::parse(&more, Path::new("w.json")).is_err());
}

#[test]
fn a_program_in_another_thread_is_served() {
    let witness = crate::demo::demo_block().unwrap();
    let (ours, theirs) = Pipes::pair().unwrap();
    let (verdict, served) = std::thread::scope(|scope| {
        let server = scope.spawn(|| serve_witness(&witness, theirs));
        let client = ClientOracle::new(ours.preimages, ours.hints);
        let verdict = rebut_program::block::run(&mut VerifyingOracle(client)).unwrap();
        (verdict, server.join().unwrap().unwrap())
    });
    assert_eq!(verdict.claimed, witness.expected_block_hash);
    assert_eq!(verdict.computed, Some(witness.expected_block_hash));
    // Two local values, the input, each preimage of the state at least once, two precompiles.
    assert!(served.preimages >= 5 + witness.preimages.len() as u64, "{served:?}");
}
