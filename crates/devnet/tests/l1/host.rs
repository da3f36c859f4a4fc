//! The host of the fault proof program gets everything that it needs of L1.

use crate::{devnet, transfer, with_blob};
use alloy_primitives::{B256, keccak256};
use rebut_devnet::{
    l1::{Mining, Removed},
    network::Devnet,
};
use rebut_host::{Host, HostConfig, LocalValues, PayloadForm, source::Policy, store::DataLocation};
use rebut_preimage::{Hint, PreimageKey, PreimageOracle, PreimageStore};
use rebut_program::Boot;
use std::time::Duration;

fn host(devnet: &Devnet) -> Host {
    let config = HostConfig {
        local: LocalValues {
            boot: Boot {
                l1_head: B256::ZERO,
                agreed_output: B256::ZERO,
                claimed_output: B256::ZERO,
                claimed_number: 1,
                chain_id: 901,
            },
            rollup_config: None,
            l1_config: None,
        },
        agreed_l2_head: B256::ZERO,
        l1: vec![devnet.l1_url().parse().unwrap()],
        l1_beacon: vec![devnet.beacon_url().unwrap().parse().unwrap()],
        l2: Vec::new(),
        l1_chain_id: Some(900),
        payload_form: PayloadForm::WithGas,
        policy: Policy { rounds: 1, backoff: Duration::from_millis(1), ..Policy::default() },
    };
    Host::new(config, DataLocation::Memory.open().unwrap())
}

/// What is under a hash once a hint was given; the text of the error if nothing is.
fn ask(host: &mut Host, name: &str, payload: &[u8], key: PreimageKey) -> Result<Vec<u8>, String> {
    host.hint(&Hint::encode(name, payload)).unwrap();
    host.get(key).map_err(|error| {
        use std::error::Error;
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    })
}

fn blob_payload(hash: B256, time: u64) -> Vec<u8> {
    [hash.as_slice(), &time.to_be_bytes()].concat()
}

#[test]
fn headers_transactions_receipts_and_blobs() {
    let devnet = devnet(Mining::Manual);
    let (raw, versioned_hash) = with_blob(0, b"frames of a channel");
    // Enough for a trie of several levels.
    for nonce in 0..20 {
        devnet.l1().unwrap().submit(&transfer(0, nonce)).unwrap();
    }
    devnet.l1().unwrap().submit(&raw).unwrap();
    let block = devnet.l1().unwrap().mine().unwrap();
    assert_eq!(block.transactions.len(), 21);
    let header = block.header.inner();
    let mut host = host(&devnet);
    let hash = block.hash();
    let keccak = PreimageKey::keccak256;
    let got = ask(&mut host, "l1-block-header", &hash.0, keccak(hash)).unwrap();
    assert_eq!(got, alloy_rlp::encode(header));
    for (hint, root) in
        [("l1-transactions", header.transactions_root), ("l1-receipts", header.receipts_root)]
    {
        let got = ask(&mut host, hint, &hash.0, keccak(root)).unwrap();
        assert_eq!(keccak256(&got), root);
    }
    let payload = blob_payload(versioned_hash, header.timestamp);
    let key = PreimageKey::sha256(versioned_hash.0);
    let commitment = ask(&mut host, "l1-blob", &payload, key).unwrap();
    let chain = devnet.l1().unwrap().chain();
    let kept = &chain.blob_transactions(hash)[0];
    assert_eq!(kept.blob(versioned_hash).unwrap().0.as_slice(), commitment);
}

/// The older beacon endpoint has the same blob.
#[test]
fn blobs_in_both_generations() {
    let devnet = devnet(Mining::Manual);
    let (raw, versioned_hash) = with_blob(0, b"x");
    devnet.l1().unwrap().submit(&raw).unwrap();
    let block = devnet.l1().unwrap().mine().unwrap();
    let slot = block.header.timestamp - devnet.l1().unwrap().chain().config().genesis_time;
    let get = |path: &str| {
        let url = format!("{}/eth/v1/beacon/{path}", devnet.beacon_url().unwrap());
        let text = ureq::get(&url).call().unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["data"].clone()
    };
    let new = get(&format!("blobs/{slot}?versioned_hashes={versioned_hash}"));
    let old = get(&format!("blob_sidecars/{slot}?indices=0"));
    assert_eq!(new.as_array().unwrap().len(), 1);
    assert_eq!(new[0], old[0]["blob"]);
    let hex = |value: &serde_json::Value| -> Vec<u8> {
        alloy_primitives::hex::decode(value.as_str().unwrap()).unwrap()
    };
    // The sidecar's proof proves its blob.
    let blob = c_kzg::Blob::from_bytes(&hex(&old[0]["blob"])).unwrap();
    let commitment = c_kzg::Bytes48::from_bytes(&hex(&old[0]["kzg_commitment"])).unwrap();
    let proof = c_kzg::Bytes48::from_bytes(&hex(&old[0]["kzg_proof"])).unwrap();
    let settings = c_kzg::ethereum_kzg_settings(0);
    assert!(settings.verify_blob_kzg_proof(&blob, &commitment, &proof).unwrap());
    assert_eq!(
        get(&format!("blobs/{slot}?versioned_hashes={}", B256::ZERO)),
        serde_json::json!([])
    );
    assert_eq!(get("blob_sidecars/head?indices=5"), serde_json::json!([]));
}

#[test]
fn a_missing_blob_is_said_and_nothing_is_stored() {
    let devnet = devnet(Mining::Manual);
    let (raw, versioned_hash) = with_blob(0, b"x");
    devnet.l1().unwrap().submit(&raw).unwrap();
    let block = devnet.l1().unwrap().mine().unwrap();
    assert!(devnet.l1().unwrap().chain().drop_blobs(block.hash()));
    let mut host = host(&devnet);
    let payload = blob_payload(versioned_hash, block.header.timestamp);
    let key = PreimageKey::sha256(versioned_hash.0);
    let error = ask(&mut host, "l1-blob", &payload, key).unwrap_err();
    assert!(error.contains("blob"), "{error}");
    assert!(host.store().keys().unwrap().is_empty());
}

/// A block that a reorg removed is still the block with its hash; one that never was is not found.
#[test]
fn blocks_that_a_reorg_removed() {
    let devnet = devnet(Mining::Manual);
    let old = devnet.l1().unwrap().mine().unwrap();
    devnet.l1().unwrap().chain().reorg(1, &[vec![], vec![]], Removed::Dropped).unwrap();
    let mut host = host(&devnet);
    let keccak = PreimageKey::keccak256;
    let got = ask(&mut host, "l1-block-header", &old.hash().0, keccak(old.hash())).unwrap();
    assert_eq!(keccak256(got), old.hash());
    let never = B256::repeat_byte(5);
    let error = ask(&mut host, "l1-block-header", &never.0, keccak(never)).unwrap_err();
    assert!(error.contains("debug_getRawHeader"), "{error}");
    assert_eq!(host.store().keys().unwrap(), [keccak(old.hash())]);
}
