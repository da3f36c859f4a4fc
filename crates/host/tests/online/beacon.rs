//! Blobs: the recorded ones, through both generations of the API, and damaged.

use crate::{
    assert_stored, attempts, config, host_error, in_memory,
    server::{Fault as Wrong, Server},
};
use alloy_primitives::{B256, Bytes, U256, b256, uint};
use rebut_host::{EvidenceError, Host, HostConfig, HostError, source::Fault};
use rebut_preimage::{Hint, OracleError, PreimageKey, PreimageOracle, PreimageStore};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;

const GENESIS: u64 = 1_655_733_600;
const TIME: u64 = GENESIS + 12 * 4_000_000 + 5;
const SLOT: u64 = 4_000_000;

#[derive(Deserialize)]
struct Recorded {
    versioned_hash: B256,
    commitment: Bytes,
    blob: Bytes,
}

fn recorded() -> Option<Vec<Recorded>> {
    let folder = rebut_recordings::path("blobs")?;
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file| serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    Some(files.into_iter().map(read).collect())
}

fn node() -> Server {
    let server = Server::start();
    let genesis = json!({ "genesis_time": GENESIS.to_string() });
    server.answer_get("/eth/v1/beacon/genesis", genesis);
    server.answer_get("/eth/v1/config/spec", json!({ "SECONDS_PER_SLOT": "12", "OTHER": ["x"] }));
    server
}

fn host(servers: &[&Server]) -> Host {
    let l1_beacon = servers.iter().map(|server| server.url()).collect();
    in_memory(HostConfig { l1_beacon, ..config() })
}

fn new_path() -> String {
    format!("/eth/v1/beacon/blobs/{SLOT}")
}

fn old_path() -> String {
    format!("/eth/v1/beacon/blob_sidecars/{SLOT}")
}

fn ask(host: &mut Host, hash: B256, payload: &[u8]) -> Result<Vec<u8>, OracleError> {
    host.hint(&Hint::encode("l1-blob", payload))?;
    host.get(PreimageKey::sha256(hash.0))
}

fn payload(hash: B256) -> Vec<u8> {
    [hash.as_slice(), &TIME.to_be_bytes()].concat()
}

fn sidecar(recorded: &Recorded) -> Value {
    json!({ "index": "3", "blob": recorded.blob, "kzg_commitment": recorded.commitment,
        "kzg_proof": "0x00", "signed_block_header": {} })
}

const MODULUS: U256 =
    uint!(0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256);
/// The root of unity of order 4096.
const ROOT: B256 = b256!("564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306");

#[test]
fn every_recorded_blob_through_both_generations() {
    let Some(blobs) = recorded() else { return };
    let (new, old) = (node(), node());
    new.answer_get(&new_path(), blobs.iter().map(|blob| json!(blob.blob)).collect());
    old.answer_get(&old_path(), blobs.iter().map(sidecar).collect());
    for server in [new, old] {
        for blob in &blobs {
            let mut host = host(&[&server]);
            let commitment = ask(&mut host, blob.versioned_hash, &payload(blob.versioned_hash));
            assert_eq!(commitment.unwrap(), blob.commitment.to_vec());
            let commitment: [u8; 48] = blob.commitment.as_ref().try_into().unwrap();
            // Element i stands at the root of unity whose exponent is i in reversed bits.
            for (index, element) in blob.blob.chunks(32).enumerate() {
                let exponent = (index as u32).reverse_bits() >> 20;
                let z = U256::from_be_bytes(ROOT.0).pow_mod(U256::from(exponent), MODULUS);
                let key = PreimageKey::blob(&commitment, &z.to_be_bytes());
                assert_eq!(host.get(key).unwrap(), element, "{index}");
                let inputs = [commitment.as_slice(), &z.to_be_bytes::<32>()].concat();
                assert_eq!(host.get(key.inputs_key()).unwrap(), inputs, "{index}");
            }
            assert_stored(&host, 1 + 2 * 4096);
        }
    }
}

#[test]
fn the_older_hint_has_an_index_too() {
    let Some(blobs) = recorded() else { return };
    let (server, blob) = (node(), &blobs[0]);
    server.answer_get(&new_path(), json!([blob.blob]));
    let hash = blob.versioned_hash;
    let payload = [hash.as_slice(), &9_u64.to_be_bytes(), &TIME.to_be_bytes()].concat();
    ask(&mut host(&[&server]), hash, &payload).unwrap();
}

fn faults(path: &str, data: Value, hash: B256) -> Vec<String> {
    let server = node();
    server.answer_get(path, data);
    let mut host = host(&[&server]);
    let error = ask(&mut host, hash, &payload(hash)).unwrap_err();
    assert_stored(&host, 0);
    let faults = attempts(error).into_iter().map(|a| format!("{:?}", a.failure.fault));
    faults.collect()
}

#[test]
fn damaged_blobs() {
    let Some(blobs) = recorded() else { return };
    let blob = &blobs[0];
    let check = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = blob.blob.to_vec();
        change(&mut bytes);
        let bytes = Bytes::from(bytes);
        let data = json!([bytes]);
        let faults = faults(&new_path(), data, blob.versioned_hash);
        assert!(faults.iter().any(|fault| fault.starts_with("Blob")), "{faults:?}");
        let mut sidecar = sidecar(blob);
        sidecar["blob"] = json!(bytes);
        let faults = self::faults(&old_path(), json!([sidecar]), blob.versioned_hash);
        assert!(faults.iter().any(|fault| fault.starts_with("Blob")), "{faults:?}");
    };
    check(&|bytes| bytes[40] ^= 1);
    check(&|bytes| bytes.truncate(bytes.len() - 1));
    check(&|bytes| bytes.truncate(100));
    check(&|bytes| bytes.clear());
    check(&|bytes| bytes.push(0));
    // Above the modulus: no field element.
    check(&|bytes| bytes[..32].fill(0xff));
}

#[test]
fn a_slot_without_the_blob() {
    let Some(blobs) = recorded() else { return };
    let hash = blobs[0].versioned_hash;
    let other = json!([blobs[1].blob, blobs[2].blob]);
    let faults = self::faults(&new_path(), other, hash);
    assert!(faults.iter().any(|fault| fault.contains("count: 2")), "{faults:?}");
    // A sidecar that claims the right commitment for another blob.
    let mut sidecar = sidecar(&blobs[1]);
    sidecar["kzg_commitment"] = json!(blobs[0].commitment);
    let faults = self::faults(&old_path(), json!([sidecar]), hash);
    assert!(faults.iter().any(|fault| fault.contains("count: 1")), "{faults:?}");
    let faults = self::faults(&new_path(), json!([]), hash);
    assert!(faults.iter().any(|fault| fault == "Absent"), "{faults:?}");
}

#[test]
fn faults_of_a_beacon_node_and_the_next_one() {
    let Some(blobs) = recorded() else { return };
    let (blob, good) = (&blobs[2], node());
    good.answer_get(&new_path(), json!([blob.blob]));
    let wrongs = [Wrong::Status(500, "{}"), Wrong::NotJson, Wrong::SlowDown, Wrong::Broken];
    for path in [&new_path(), "/eth/v1/beacon/genesis", "/eth/v1/config/spec"] {
        for wrong in wrongs.clone() {
            let bad = node();
            bad.answer_get(&new_path(), json!([blob.blob]));
            bad.fail(path, usize::MAX, wrong);
            let hash = blob.versioned_hash;
            ask(&mut host(&[&bad]), hash, &payload(hash)).unwrap_err();
            ask(&mut host(&[&bad, &good]), hash, &payload(hash)).unwrap();
        }
    }
}

#[test]
fn times_before_genesis_and_hosts_without_a_beacon_node() {
    let hash = B256::repeat_byte(1);
    let payload = [hash.as_slice(), &(GENESIS - 1).to_be_bytes()].concat();
    let error = ask(&mut host(&[&node()]), hash, &payload).unwrap_err();
    let attempts = attempts(error);
    assert!(matches!(attempts[0].failure.fault, Fault::Slot { .. }), "{}", attempts[0]);

    let l1 = vec![Server::execution(900).url()];
    let mut host = in_memory(HostConfig { l1, ..config() });
    let error = host_error(ask(&mut host, hash, &payload).unwrap_err());
    assert!(matches!(error, HostError::NoNode { .. }), "{error}");
    assert!(error.to_string().contains("--l1-beacon-address"), "{error}");
}

/// A store that somebody else filled: whole blobs are recomputed before an element is given out.
#[test]
fn elements_from_a_store_are_verified() {
    let Some(blobs) = recorded() else { return };
    let (server, blob) = (node(), &blobs[0]);
    server.answer_get(&new_path(), json!([blob.blob]));
    let folder = tempfile::tempdir().unwrap();
    let location = rebut_host::store::DataLocation::Disk {
        path: folder.path().into(),
        format: rebut_host::store::DataFormat::Redb,
    };
    let open =
        |l1_beacon| Host::new(HostConfig { l1_beacon, ..config() }, location.open().unwrap());
    let mut online = open(vec![server.url()]);
    ask(&mut online, blob.versioned_hash, &payload(blob.versioned_hash)).unwrap();
    drop(online);

    let commitment: [u8; 48] = blob.commitment.as_ref().try_into().unwrap();
    let one = B256::with_last_byte(1);
    let key = PreimageKey::blob(&commitment, &one.0);
    let mut offline = open(Vec::new());
    assert_eq!(offline.get(key).unwrap(), blob.blob[..32]);
    drop(offline);

    let mut store = location.open().unwrap();
    let last = PreimageKey::blob(
        &commitment,
        &b256!("391b2856c609b4784ae25ffab9dc59865046d17864183203961a252dd8543362").0,
    );
    store.put(last, &[7; 32]).unwrap();
    drop(store);
    let mut offline = open(Vec::new());
    let error = host_error(offline.get(key).unwrap_err());
    assert!(matches!(error, HostError::Evidence(EvidenceError::WrongElement { .. })), "{error}");
}
