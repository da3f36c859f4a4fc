use super::*;
use crate::BlockWitness;
use alloy_primitives::{hex, keccak256};

fn claim() -> Recording {
    let text = format!(
        r#"{{"format": "opstack-fpp-witness-v1", "boot": {{"l2_chain_id": 901}},
            "rollup_config": {{"block_time": 2}}, "l2_genesis": null,
            "preimages": {{"0x02{}": "0x6e6f6465", "0x{}01": "0x07"}}}}"#,
        hex::encode(&keccak256(b"node")[1..]),
        hex::encode([[1].as_slice(), &[0; 30]].concat()),
    );
    Recording::parse(text.as_bytes(), Path::new("test.json")).unwrap()
}

#[test]
fn what_a_recording_is_of_is_kept() {
    let recording = claim();
    assert_eq!(recording.preimages.len(), 2);
    assert_eq!(recording.about["boot"]["l2_chain_id"], 901);
    assert!(recording.about["l2_genesis"].is_null());
    assert!(!recording.about.contains_key(PREIMAGES));
}

#[test]
fn every_form_reads_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.json", "a.json.zst", "a.kv.zst"] {
        let path = folder.path().join(name);
        claim().write(&path).unwrap();
        assert_eq!(Recording::read(&path).unwrap(), claim(), "{name}");
    }
    assert!(folder.path().join(BOOT_FILE).is_file());
    for name in ["a", "a.zst", "a.kv", "kv.zst.json.gz"] {
        let path = folder.path().join(name);
        assert!(matches!(Recording::read(&path), Err(RecordingError::Name { .. })), "{name}");
        assert!(matches!(claim().write(&path), Err(RecordingError::Name { .. })), "{name}");
        assert!(!Recording::is_named(&path) && !path.exists());
    }
}

/// The two forms that the project reads elsewhere: a block witness is one, after any change of form.
#[test]
fn a_block_witness_survives_a_change_of_form() {
    let folder = tempfile::tempdir().unwrap();
    let [first, packed, last] =
        ["a.json.zst", "b.kv.zst", "c.json"].map(|name| folder.path().join(name));
    let witness = crate::demo::demo_block().unwrap();
    witness.write(&first).unwrap();
    Recording::read(&first).unwrap().write(&packed).unwrap();
    Recording::read(&packed).unwrap().write(&last).unwrap();
    assert_eq!(BlockWitness::read(&last).unwrap(), witness);

    let mut recording = Recording::read(&first).unwrap();
    recording.preimages.insert(PreimageKey::local(1), vec![1]).unwrap();
    let error = recording.write(&last).unwrap_err();
    assert!(matches!(error, RecordingError::BlockKey { .. }), "{error}");
}

#[test]
fn another_recording_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.kv.zst");
    claim().write(&path).unwrap();
    claim().write(&path).unwrap();
    let mut other = claim();
    other.about.insert("source".into(), "elsewhere".into());
    let error = other.write(&folder.path().join("b.kv.zst")).unwrap_err();
    assert!(matches!(error, RecordingError::Occupied { .. }), "{error}");
    assert_eq!(Recording::read(&path).unwrap(), claim());
}

#[test]
fn texts_that_are_no_recordings() {
    let check = |text: &str, expected: fn(&RecordingError) -> bool| {
        let error = Recording::parse(text.as_bytes(), Path::new("test.json")).unwrap_err();
        assert!(expected(&error) && error.to_string().contains("test.json"), "{text}: {error}");
    };
    let json = |error: &RecordingError| matches!(error, RecordingError::Json { .. });
    for text in ["", "[]", "{", r#"{"preimages": 7}"#, r#"{"preimages": {"0x02": 7}}"#] {
        check(text, json);
    }
    check("{}", |error| matches!(error, RecordingError::NoPreimages { .. }));
    let wrong = format!(r#"{{"preimages": {{"0x02{}": "0x00"}}}}"#, "00".repeat(31));
    check(&wrong, |error| matches!(error, RecordingError::Store(StoreError::Value { .. })));
}
