use super::*;
use alloy_primitives::keccak256;
use rebut_preimage::{PreimageOracle, store::write_kv};
use serde_json::{Value, json};

/// A claim about OP Sepolia, whose parameters are in the registry.
fn witness() -> Value {
    let word = |byte| B256::repeat_byte(byte);
    json!({
        "format": CLAIM_FORMAT,
        "source": "a test",
        "boot": {
            "l1_head": word(1), "l2_head": word(2), "l2_output_root": word(3), "l2_claim": word(4),
            "l2_claim_block_number": 7, "l2_chain_id": "0xaa37dc"
        },
        "preimages": { PreimageKey::keccak256(keccak256(b"node")).to_string(): "0x6e6f6465" }
    })
}

fn parse(file: &Value) -> Result<ClaimWitness, ClaimWitnessError> {
    let path = Path::new("w.json");
    ClaimWitness::new(Recording::parse(file.to_string().as_bytes(), path)?, path)
}

/// The witness with `change` made, and a text that the error has to hold.
fn refused(change: impl FnOnce(&mut Value), expected: &str) {
    let mut file = witness();
    change(&mut file);
    match parse(&file) {
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(expected) && text.contains("w.json"), "{text}");
        }
        Ok(witness) => panic!("{witness:?}"),
    }
}

#[test]
fn a_witness_gives_an_oracle() {
    let witness = parse(&witness()).unwrap();
    assert_eq!(witness.config.chain.chain_id, 11_155_420);
    let mut oracle = witness.oracle();
    let mut local = |identifier| oracle.get(PreimageKey::local(identifier)).unwrap();
    assert_eq!(local(1), [1; 32]);
    assert_eq!(local(2), [3; 32]);
    assert_eq!(local(3), [4; 32]);
    assert_eq!(local(4), 7u64.to_be_bytes());
    assert_eq!(local(5), 11_155_420u64.to_be_bytes());
    assert_eq!(oracle.get(PreimageKey::keccak256(keccak256(b"node"))).unwrap(), b"node");
}

#[test]
fn preimages_may_stand_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let boot = folder.path().join("boot.json");
    let mut file = witness();
    let whole = parse(&file).unwrap();
    file.as_object_mut().unwrap().remove("preimages");
    std::fs::write(&boot, file.to_string()).unwrap();

    let absent = ClaimWitness::read(&boot).unwrap_err();
    assert!(matches!(absent, ClaimWitnessError::NoPreimages { found: 0, .. }), "{absent}");
    let packed = folder.path().join("preimages.kv.zst");
    write_kv(&packed, &whole.preimages).unwrap();
    assert_eq!(ClaimWitness::read(&boot).unwrap(), whole);
    assert_eq!(ClaimWitness::read(&packed).unwrap(), whole);
    write_kv(&folder.path().join("other.kv.zst"), &whole.preimages).unwrap();
    let unclear = ClaimWitness::read(&boot).unwrap_err();
    assert!(matches!(unclear, ClaimWitnessError::NoPreimages { found: 2, .. }), "{unclear}");
}

#[test]
fn what_is_wrong_is_named() {
    refused(
        |file| {
            file["format"] = BLOCK_FORMAT.into();
            file["preimages"] = json!({});
        },
        "rebut block run",
    );
    refused(|file| file["format"] = "other".into(), "other");
    refused(|file| file["boot"] = Value::Null, "boot");
    refused(|file| file["boot"]["l1_head"] = "0x12".into(), "boot.l1_head");
    refused(|file| file["boot"]["l2_claim_block_number"] = "x".into(), "l2_claim_block_number");
    refused(|file| file["boot"]["l2_chain_id"] = 4_000_000_000u64.into(), "4000000000");
    refused(|file| file["rollup_config"] = json!({ "l2_chain_id": 1 }), "rollup configuration");
    refused(
        |file| {
            let key = PreimageKey::keccak256(keccak256(b"other")).to_string();
            file["preimages"][key] = "0x6e6f6465".into();
        },
        "the value's hash is",
    );
}
