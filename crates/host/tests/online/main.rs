//! The host against nodes on the loopback: honest ones, broken ones, and liars.

mod beacon;
mod chain;
mod claims;
mod faults;
mod hints;
mod l1;
mod l2;
mod poisoned;
mod recorded;
mod server;

use alloy_primitives::{B256, Bytes, keccak256};
use rebut_host::{
    Host, HostConfig, HostError, LocalValues, PayloadForm,
    source::{Attempt, NodeUrl, Policy},
    store::DataLocation,
};
use rebut_preimage::{Hint, OracleError, PreimageKey, PreimageOracle, PreimageStore};
use rebut_program::Boot;
use server::Server;
use std::time::Duration;

const L1_CHAIN: u64 = 900;
const L2_CHAIN: u64 = 901;

/// Impatient, so that giving up takes no time.
fn policy() -> Policy {
    Policy {
        connect_timeout: Duration::from_secs(5),
        request_timeout: Duration::from_secs(20),
        rounds: 2,
        backoff: Duration::from_millis(1),
        rpc_limit_bytes: 4 << 20,
        ..Policy::default()
    }
}

fn config() -> HostConfig {
    HostConfig {
        local: LocalValues {
            boot: Boot {
                l1_head: B256::repeat_byte(1),
                agreed_output: B256::repeat_byte(2),
                claimed_output: B256::repeat_byte(3),
                claimed_number: 0x0102_0304,
                chain_id: L2_CHAIN,
            },
            rollup_config: None,
            l1_config: None,
        },
        agreed_l2_head: B256::repeat_byte(4),
        l1: Vec::new(),
        l1_beacon: Vec::new(),
        l2: Vec::new(),
        l1_chain_id: Some(L1_CHAIN),
        payload_form: PayloadForm::WithGas,
        policy: policy(),
    }
}

fn in_memory(config: HostConfig) -> Host {
    Host::new(config, DataLocation::Memory.open().unwrap())
}

fn urls(servers: &[&Server]) -> Vec<NodeUrl> {
    servers.iter().map(|server| server.url()).collect()
}

fn l1_host(servers: &[&Server]) -> Host {
    in_memory(HostConfig { l1: urls(servers), ..config() })
}

fn keccak_key(hash: B256) -> PreimageKey {
    PreimageKey::keccak256(hash)
}

/// Hints, then asks for a keccak256 preimage.
fn ask(host: &mut Host, name: &str, payload: &[u8], hash: B256) -> Result<Bytes, OracleError> {
    host.hint(&Hint::encode(name, payload))?;
    host.get(keccak_key(hash)).map(Bytes::from)
}

/// The host's own error inside an oracle's.
fn host_error(error: OracleError) -> HostError {
    match error {
        OracleError::Fetch { source, .. } => *source.downcast().expect("a host's error"),
        error => panic!("{error}"),
    }
}

/// The failures of the nodes.
fn attempts(error: OracleError) -> Vec<Attempt> {
    match host_error(error) {
        HostError::Source(error) => error.attempts,
        error => panic!("{error}"),
    }
}

/// Everything that is stored is right, and this is all.
fn assert_stored(host: &Host, expected: usize) {
    let keys = host.store().keys().unwrap();
    for key in &keys {
        key.verify(&host.store().get(*key).unwrap().unwrap()).unwrap();
    }
    assert_eq!(keys.len(), expected, "{keys:?}");
}

fn hash_of(value: &[u8]) -> B256 {
    keccak256(value)
}
