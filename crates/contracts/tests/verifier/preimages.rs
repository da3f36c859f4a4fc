//! Each kind of preimage is loaded through its loader and read back. Keys are known values.

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, bytes, hex, uint};
use rebut_contracts::{CallError, Preimage, Revert, Verifier};

const HELLO: Bytes = Bytes::from_static(b"hello world");

/// Loads the part at `offset` and reads it under `key`.
fn check(preimage: &Preimage, key: B256, offset: u64, part: &[u8]) {
    let mut verifier = Verifier::new(8).unwrap();
    verifier.load_preimage(preimage, offset).unwrap();
    let (data, count) = verifier.read_preimage(key, offset).unwrap();
    assert_eq!(&data[..count], part);
    assert!(data[count..].iter().all(|byte| *byte == 0), "zeros behind the end");
}

fn named(name: &'static str) -> CallError {
    CallError::Revert(Revert::Named(name))
}

#[test]
fn keccak256() {
    let key = b256!("02173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad");
    let preimage = Preimage::of_key(key, HELLO, B256::ZERO).unwrap();
    assert_eq!(preimage, Preimage::Keccak256(HELLO));
    check(&preimage, key, 0, b"\0\0\0\0\0\0\0\x0bhello world");
    check(&preimage, key, 14, b"world");
}

#[test]
fn keccak256_of_a_large_preimage() {
    let data = vec![0xab; 1 << 20];
    let mut key = alloy_primitives::keccak256(&data);
    key[0] = 2;
    check(&Preimage::Keccak256(data.into()), key, 8 + (1 << 20) - 3, &[0xab; 3]);
}

#[test]
fn sha256() {
    let key = b256!("044d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9");
    let preimage = Preimage::of_key(key, HELLO, B256::ZERO).unwrap();
    assert_eq!(preimage, Preimage::Sha256(HELLO));
    check(&preimage, key, 8, b"hello world");
}

#[test]
fn local_data_belongs_to_caller_and_context() {
    let mut verifier = Verifier::new(8).unwrap();
    verifier.set_caller(Address::repeat_byte(0x11));
    let plain = b256!("0100000000000000000000000000000000000000000000000000000000000004");
    let data = bytes!("0000000000000539");
    let preimage = Preimage::of_key(plain, data.clone(), B256::repeat_byte(0x22)).unwrap();
    verifier.load_preimage(&preimage, 8).unwrap();
    let key = b256!("015c7e43327409e4cfb02428ec57109008e64f7ad005c1a12e27dcb865d14aeb");
    let (part, count) = verifier.read_preimage(key, 8).unwrap();
    assert_eq!(part[..count], data[..]);

    let too_long = Preimage::of_key(plain, vec![1; 33].into(), B256::ZERO).unwrap();
    assert_eq!(verifier.load_preimage(&too_long, 0), Err(named("PartOffsetOOB")));
}

/// A published evaluation of a blob, at a root of unity.
fn blob() -> Preimage {
    Preimage::Blob {
        z: uint!(0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306_U256),
        y: uint!(0x24d25032e67a7e6a4910df5834b8fe70e6bcfeeac0352434196bdf4b2485d5a1_U256),
        commitment: bytes!(
            "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7"
        ),
        proof: bytes!(
            "873033e038326e87ed3e1276fd140253fa08e9fc25fb2d9a98527fc22a2c9612fbeafdad446cbc7bcdbdcd780af2c16a"
        ),
    }
}

#[test]
fn blob_value() {
    let Preimage::Blob { z, y, commitment, .. } = blob() else { unreachable!("a blob") };
    let mut key = alloy_primitives::keccak256([&commitment[..], &z.to_be_bytes::<32>()].concat());
    key[0] = 5;
    check(&blob(), key, 8, &y.to_be_bytes::<32>());
}

#[test]
fn blob_value_with_a_wrong_proof() {
    let mut preimage = blob();
    let Preimage::Blob { y, .. } = &mut preimage else { unreachable!("a blob") };
    *y += U256::ONE;
    let loaded = Verifier::new(8).unwrap().load_preimage(&preimage, 8);
    assert_eq!(loaded, Err(named("InvalidProof")));
}

#[test]
fn precompile_result() {
    let preimage = Preimage::Precompile {
        address: address!("0000000000000000000000000000000000000001"),
        required_gas: 3000,
        input: Bytes::new(),
    };
    let key = b256!("062972aece014663c20745ebde02ec6fc49eb16e6cbcaddbbc4eafb2afc8426a");
    // ecrecover of nothing: success, and no output.
    check(&preimage, key, 0, &hex!("0000000000000001 01"));
}

#[test]
fn types_that_need_more_than_the_data() {
    for key_type in [0u8, 3, 5, 6, 7, 255] {
        let key = B256::with_last_byte(9) | B256::from(U256::from(key_type) << 248);
        assert_eq!(Preimage::of_key(key, HELLO, B256::ZERO), None);
    }
}

#[test]
fn parts_outside_the_preimage() {
    let mut verifier = Verifier::new(8).unwrap();
    for offset in [19, 20, u64::MAX] {
        let loaded = verifier.load_preimage(&Preimage::Keccak256(HELLO), offset);
        assert_eq!(loaded, Err(named("PartOffsetOOB")));
    }
}
