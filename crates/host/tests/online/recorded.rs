//! Real L1 blocks and headers, and ones with one part changed: the changed ones are refused.

use crate::{ask, assert_stored, attempts, chain::read_list, config, in_memory, server::Server};
use alloy_primitives::{B256, Bytes};
use rebut_host::{HostConfig, source::Fault};
use rebut_preimage::{Hint, PreimageKey, PreimageOracle};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

fn read(folder: &Path, name: &str) -> Value {
    let path = folder.join(format!("{name}_data.json"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn hash(json: &Value) -> B256 {
    serde_json::from_value(json["hash"].clone()).unwrap()
}

/// A node of the recordings' chain that knows one block, with or without its transactions.
fn node(json: &Value, with_transactions: bool) -> Server {
    let server = Server::execution(5);
    server.answer("eth_getBlockByHash", &json!([hash(json), with_transactions]), json.clone());
    server
}

fn fault(server: &Server, name: &str, hash: B256, wanted: B256) -> (Fault, usize) {
    let l1 = vec![server.url()];
    let mut host = in_memory(HostConfig { l1, l1_chain_id: Some(5), ..config() });
    let error = ask(&mut host, name, &hash.0, wanted).unwrap_err();
    let stored = rebut_preimage::PreimageStore::keys(host.store()).unwrap().len();
    assert_stored(&host, stored);
    let last = attempts(error).pop().unwrap();
    (last.failure.fault, stored)
}

#[test]
fn recorded_headers() {
    let Some(folder) = rebut_recordings::path("l1/op-service-sources/headers") else { return };
    for fork in ["pre-shanghai", "post-shanghai"] {
        let good = read(&folder, &format!("{fork}-success"));
        let l1 = vec![node(&good, false).url()];
        let mut host = in_memory(HostConfig { l1, l1_chain_id: Some(5), ..config() });
        ask(&mut host, "l1-block-header", &hash(&good).0, hash(&good)).unwrap();
    }
    for name in [
        "pre-shanghai-bad-receipts",
        "pre-shanghai-bad-transactions",
        "post-shanghai-bad-receipts",
        "post-shanghai-bad-transactions",
        "post-shanghai-bad-withdrawals",
    ] {
        let bad = read(&folder, name);
        let hash = hash(&bad);
        let (fault, stored) = fault(&node(&bad, false), "l1-block-header", hash, hash);
        assert!(matches!(fault, Fault::Hash { what: "header", .. }), "{name}: {fault}");
        assert_eq!(stored, 0, "{name}");
    }
}

#[test]
fn recorded_blocks() {
    let Some(folder) = rebut_recordings::path("l1/op-service-sources/blocks") else { return };
    for fork in ["pre-shanghai", "post-shanghai"] {
        let good = read(&folder, &format!("{fork}-success"));
        let count = good["transactions"].as_array().unwrap().len();
        let root: B256 = serde_json::from_value(good["transactionsRoot"].clone()).unwrap();
        let server = node(&good, true);
        server.answer("eth_getBlockByHash", &json!([hash(&good), false]), good.clone());
        let l1 = vec![server.url()];
        let mut host = in_memory(HostConfig { l1, l1_chain_id: Some(5), ..config() });
        ask(&mut host, "l1-transactions", &hash(&good).0, root).unwrap();
        let transactions = read_list(&host, root);
        assert_eq!(transactions.len(), count);
        for (raw, json) in transactions.iter().zip(good["transactions"].as_array().unwrap()) {
            assert_eq!(crate::hash_of(raw), hash(json));
        }

        // Blocks whose header is in order, though it is not the header of their body.
        let check = |name: &str, expected: fn(&Fault) -> bool| {
            let bad = read(&folder, &format!("{fork}-{name}"));
            let server = node(&bad, true);
            server.answer("eth_getBlockByHash", &json!([hash(&bad), false]), bad.clone());
            let (fault, stored) = fault(&server, "l1-transactions", hash(&bad), root);
            assert!(expected(&fault), "{fork} {name}: {fault}");
            assert_eq!(stored, 1, "{fork} {name}");
        };
        let transactions =
            |fault: &Fault| matches!(fault, Fault::Root { what: "transactions", .. });
        check("bad-transactions", transactions);
        if fork == "post-shanghai" {
            check("bad-transactions-nil", |fault| matches!(fault, Fault::Shape(_)));
            check("bad-withdrawals-nil", |fault| matches!(fault, Fault::Shape(_)));
            let withdrawals = |f: &Fault| matches!(f, Fault::Root { what: "withdrawals", .. });
            check("bad-withdrawals", withdrawals);
        }
    }
    for name in [
        "pre-shanghai-bad-receipts-hash",
        "pre-shanghai-bad-transactions-hash",
        "post-shanghai-bad-receipts-hash",
        "post-shanghai-bad-transactions-hash",
        "post-shanghai-bad-withdrawals-hash",
    ] {
        let bad = read(&folder, name);
        let hash = hash(&bad);
        let (fault, stored) = fault(&node(&bad, false), "l1-block-header", hash, hash);
        assert!(matches!(fault, Fault::Hash { what: "header", .. }), "{name}: {fault}");
        assert_eq!(stored, 0, "{name}");
    }
}

/// Answers of a real beacon node, from genesis to the sidecars of a slot.
#[test]
fn recorded_beacon_answers() {
    let Some(folder) = rebut_recordings::path("l1") else { return };
    let data = |name: &str| -> Value {
        let answer: Value = serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
        answer["data"].clone()
    };
    let (slot, sidecars) = (7_422_094, data("eth_v1_beacon_blob_sidecars_7422094_goerli.json"));
    let server = Server::start();
    server.answer_get("/eth/v1/beacon/genesis", data("eth_v1_beacon_genesis_goerli.json"));
    server.answer_get("/eth/v1/config/spec", data("eth_v1_config_spec_goerli.json"));
    server.answer_get(&format!("/eth/v1/beacon/blob_sidecars/{slot}"), sidecars.clone());

    let time: u64 = 1_606_824_023 + 12 * slot;
    let sidecars = sidecars.as_array().unwrap();
    assert!(!sidecars.is_empty());
    for sidecar in sidecars {
        let commitment: Bytes = serde_json::from_value(sidecar["kzg_commitment"].clone()).unwrap();
        let mut hash: [u8; 32] = Sha256::digest(&commitment).into();
        hash[0] = 1;
        let mut host = in_memory(HostConfig { l1_beacon: vec![server.url()], ..config() });
        let payload = [hash.as_slice(), &time.to_be_bytes()].concat();
        host.hint(&Hint::encode("l1-blob", &payload)).unwrap();
        assert_eq!(host.get(PreimageKey::sha256(hash)).unwrap(), commitment.to_vec());
    }
}
