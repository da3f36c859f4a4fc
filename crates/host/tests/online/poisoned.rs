//! Stores that hold wrong values.

use crate::{config, host_error, keccak_key};
use alloy_primitives::{Address, keccak256};
use rebut_host::{
    EvidenceError, Host, HostError,
    store::{DataFormat, DataLocation},
};
use rebut_preimage::{
    OracleError, PreimageKey, PreimageOracle, PreimageStore, StoreError, ValueError,
};
use std::fs;

fn directory(path: &std::path::Path) -> DataLocation {
    DataLocation::Disk { path: path.into(), format: DataFormat::Directory }
}

#[test]
fn a_file_with_another_value_is_never_served() {
    let folder = tempfile::tempdir().unwrap();
    let location = directory(folder.path());
    let key = keccak_key(keccak256(b"right"));
    location.open().unwrap().put(key, b"right").unwrap();
    let name = key.to_string();
    let file = folder.path().join(&name[2..6]).join(format!("{}.txt", &name[6..]));
    fs::write(&file, "77726f6e67").unwrap();
    let mut host = Host::new(config(), location.open().unwrap());
    let error = host_error(host.get(key).unwrap_err());
    match &error {
        HostError::Evidence(EvidenceError::Store(StoreError::Value {
            path,
            source: ValueError::Hash { .. },
            ..
        })) => {
            assert_eq!(*path, file);
        }
        _ => panic!("{error}"),
    }
}

/// The result of ecrecover without input is empty; a store that says otherwise is wrong.
#[test]
fn precompile_results_are_computed_again() {
    let folder = tempfile::tempdir().unwrap();
    let location = directory(folder.path());
    let address = Address::with_last_byte(1);
    let key = PreimageKey::precompile(address, 3000, &[]);
    let call = [address.as_slice(), &3000_u64.to_be_bytes()].concat();
    let open = || Host::new(config(), location.open().unwrap());
    location.open().unwrap().put(key, &[1]).unwrap();
    // Without the call there is nothing to compute.
    assert!(matches!(open().get(key), Err(OracleError::Missing { .. })));
    location.open().unwrap().put(key.inputs_key(), &call).unwrap();
    assert_eq!(open().get(key).unwrap(), [1]);
    location.open().unwrap().put(key, &[0]).unwrap();
    let error = host_error(open().get(key).unwrap_err());
    assert!(matches!(error, HostError::Evidence(EvidenceError::WrongResult)), "{error}");
}
