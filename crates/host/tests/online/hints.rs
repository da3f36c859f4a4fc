//! Which hints are followed when, and what a host without nodes does.

use crate::{
    L1_CHAIN, L2_CHAIN, ask, chain::Block, config, host_error, in_memory, keccak_key, l1_host,
    server::Server,
};
use alloy_primitives::{Address, B256};
use rebut_host::{HostConfig, HostError};
use rebut_preimage::{
    Hint, HintError, OracleError, Pipes, PreimageKey, PreimageOracle, ServeError, serve,
};
use std::thread;

#[test]
fn local_keys() {
    let mut config = config();
    config.local.rollup_config = Some(b"{\"l2_chain_id\":901}".to_vec());
    let mut host = in_memory(config);
    let local = PreimageKey::local;
    assert_eq!(host.get(local(1)).unwrap(), [1; 32]);
    assert_eq!(host.get(local(2)).unwrap(), [2; 32]);
    assert_eq!(host.get(local(3)).unwrap(), [3; 32]);
    assert_eq!(host.get(local(4)).unwrap(), [0, 0, 0, 0, 1, 2, 3, 4]);
    assert_eq!(host.get(local(5)).unwrap(), [0, 0, 0, 0, 0, 0, 3, 0x85]);
    assert_eq!(host.get(local(6)).unwrap(), b"{\"l2_chain_id\":901}");
    for missing in [0, 7, 8, u64::MAX] {
        let error = host.get(local(missing)).unwrap_err();
        assert!(matches!(error, OracleError::Missing { key } if key == local(missing)), "{error}");
    }
}

#[test]
fn hints_cost_nothing_until_something_is_missing() {
    let (server, block) = (Server::execution(L1_CHAIN), Block::new(1, B256::ZERO, 2));
    block.serve_raw(&server);
    let mut host = l1_host(&[&server]);
    host.hint(&Hint::encode("l1-block-header", &block.hash.0)).unwrap();
    assert_eq!(server.calls("debug_getRawHeader"), 0);
    for _ in 0..3 {
        host.get(keccak_key(block.hash)).unwrap();
    }
    assert_eq!(server.calls("debug_getRawHeader"), 1);
}

#[test]
fn a_key_needs_a_hint_that_covers_it() {
    let (server, block) = (Server::execution(L1_CHAIN), Block::new(1, B256::ZERO, 2));
    block.serve_raw(&server);
    let mut host = l1_host(&[&server]);
    let unrelated = B256::repeat_byte(9);
    let error = host_error(host.get(keccak_key(unrelated)).unwrap_err());
    assert!(matches!(error, HostError::Unhinted), "{error}");
    let error = ask(&mut host, "l1-block-header", &block.hash.0, unrelated).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&keccak_key(unrelated).to_string()), "{text}");
    let error = host_error(error);
    assert!(
        matches!(&error, HostError::Uncovered { hint } if hint == "l1-block-header"),
        "{error}"
    );
}

#[test]
fn hints_for_others_are_refused() {
    let mut host = in_memory(config());
    let mut refused = |name: &str, payload: &[u8]| match host.hint(&Hint::encode(name, payload)) {
        Err(OracleError::Hint(error)) => error,
        result => panic!("{result:?}"),
    };
    for (name, bytes) in [("l2-block-data", 72), ("agreed-pre-state", 32)] {
        let error = refused(name, &vec![0; bytes]);
        assert!(matches!(error, HintError::Unserved { .. }), "{error}");
        assert!(error.to_string().contains("interop"), "{error}");
    }
    let other = [[0; 32].as_slice(), &(L2_CHAIN + 1).to_be_bytes()].concat();
    let error = refused("l2-code", &other);
    let expected = HintError::Chain { name: "l2-code".into(), expected: 901, found: 902 };
    assert_eq!(error, expected);
    assert!(matches!(refused("l3-code", &[]), HintError::Name { .. }));
    assert!(matches!(refused("l2-code", &[0; 33]), HintError::Length { .. }));
}

#[test]
fn offline_a_missing_key_is_named() {
    let mut host = in_memory(config());
    assert!(host.is_offline());
    let hash = B256::repeat_byte(9);
    let error = ask(&mut host, "l1-block-header", &hash.0, hash).unwrap_err();
    assert!(matches!(error, OracleError::Missing { key } if key == keccak_key(hash)), "{error}");
}

/// ecrecover of nothing: it succeeds and returns nothing.
#[test]
fn precompiles_work_offline() {
    let mut host = in_memory(config());
    let address = Address::with_last_byte(1);
    let payload = [address.as_slice(), &3000_u64.to_be_bytes()].concat();
    let key = PreimageKey::precompile(address, 3000, &[]);
    host.hint(&Hint::encode("l1-precompile", &payload)).unwrap();
    assert_eq!(host.get(key).unwrap(), [1]);
    assert_eq!(host.get(key.inputs_key()).unwrap(), payload);
}

/// Only some of the kinds of nodes: the missing kind is named by its option.
#[test]
fn a_kind_of_node_that_is_missing() {
    let l2 = vec![Server::execution(L2_CHAIN).url()];
    let mut host = in_memory(HostConfig { l2, ..config() });
    let hash = B256::repeat_byte(9);
    let error = ask(&mut host, "l1-block-header", &hash.0, hash).unwrap_err();
    assert!(error.to_string().contains("--l1-node-address"), "{error}");
    assert!(matches!(host_error(error), HostError::NoNode { .. }));
}

/// Behind pipes, as for a machine: what is right is served, and the first failure ends the server.
#[test]
fn a_host_behind_pipes() {
    let (server, block) = (Server::execution(L1_CHAIN), Block::new(1, B256::ZERO, 2));
    block.serve_raw(&server);
    let mut host = l1_host(&[&server]);
    let (client, host_side) = Pipes::pair().unwrap();
    let served = thread::scope(|scope| {
        let serving = scope.spawn(|| serve(&mut host, host_side));
        let mut client = rebut_preimage::ClientOracle::new(client.preimages, client.hints);
        assert_eq!(client.get(PreimageKey::local(1)).unwrap(), [1; 32]);
        client.hint(&Hint::encode("l1-block-header", &block.hash.0)).unwrap();
        assert_eq!(client.get(keccak_key(block.hash)).unwrap(), block.raw_header.to_vec());
        client.hint(&Hint::encode("l1-block-header", &[5; 32])).unwrap();
        let error = client.get(keccak_key(B256::repeat_byte(5))).unwrap_err();
        assert!(matches!(error, OracleError::PreimageChannel { .. }), "{error}");
        serving.join().unwrap()
    });
    assert!(matches!(served, Err(ServeError::Preimage(OracleError::Fetch { .. }))), "{served:?}");
}
