//! Typed preimage keys, and the check of a value against its key.
//!
//! ```text
//!   byte 0   bytes 1..32
//!  ┌──────┬─────────────────────────────────────────────────────────────┐
//!  │ type │ 1 local       identifier, big-endian, in the last 8 bytes   │
//!  │      │ 2 keccak256   keccak256(value)[1..32]                       │
//!  │      │ 4 sha256      sha256(value)[1..32]                          │
//!  │      │ 5 blob point  keccak256(commitment 48 ‖ z 32)[1..32]        │
//!  │      │ 6 precompile  keccak256(address 20 ‖ gas 8 ‖ input)[1..32]  │
//!  └──────┴─────────────────────────────────────────────────────────────┘
//! ```
//!
//! Type 0 is illegal, 3 is reserved and served by no contract, 7 and above are not assigned.
//! Invariant: a [`PreimageKey`] that exists has one of the five types above.

use alloy_primitives::{Address, B256, Keccak256, hex, keccak256};
use core::{fmt, str::FromStr};
use sha2::{Digest, Sha256};

/// The longest local value that is accepted, in bytes.
///
/// Identifiers 1 to 5 hold one word at most, because that is what the dispute game can load on
/// chain. The others are chain configurations as JSON, which stay far below this.
pub const LOCAL_VALUE_LIMIT_BYTES: usize = 4 << 20;

/// Identifiers the dispute game serves on chain, each with at most 32 bytes of data.
const ON_CHAIN_LOCAL_IDENTIFIERS: core::ops::RangeInclusive<u64> = 1..=5;

/// What a preimage key commits to: byte 0 of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyType {
    /// A value that belongs to one dispute: boot data.
    Local = 1,
    /// A value with this keccak256 hash.
    Keccak256 = 2,
    /// A value with this SHA-256 hash.
    Sha256 = 4,
    /// The evaluation of a blob polynomial at one point.
    Blob = 5,
    /// The result of a precompiled contract.
    Precompile = 6,
}

impl KeyType {
    /// Every type that can be served, in the order of its number.
    pub const ALL: [Self; 5] =
        [Self::Local, Self::Keccak256, Self::Sha256, Self::Blob, Self::Precompile];

    /// The name used on command lines and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Keccak256 => "keccak",
            Self::Sha256 => "sha256",
            Self::Blob => "blob",
            Self::Precompile => "precompile",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A 32-byte string that is not a preimage key. Each variant carries the offending bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Type 0.
    #[error("preimage key {0} has the illegal type 0")]
    Illegal(B256),
    /// Type 3, the generic key that no contract serves.
    #[error("preimage key {0} has the reserved type 3")]
    Reserved(B256),
    /// A type the protocol has not assigned (7 and above).
    #[error("preimage key {0} has the unknown type {t}", t = .0[0])]
    Unknown(B256),
}

impl KeyError {
    /// The 32 bytes that are no key.
    pub const fn bytes(&self) -> &B256 {
        match self {
            Self::Illegal(bytes) | Self::Reserved(bytes) | Self::Unknown(bytes) => bytes,
        }
    }
}

/// A text that is not a preimage key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Not 64 hexadecimal digits (with or without `0x`).
    #[error("a preimage key is 64 hexadecimal digits")]
    Hex,
    /// 32 bytes, but of no served type.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A value that cannot be the preimage of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Types 2 and 4: the value's hash differs from the one in the key.
    #[error("the value's hash is {digest}")]
    Hash {
        /// The hash of the value, all 32 bytes.
        digest: B256,
    },
    /// Type 1: longer than a value of this identifier can be.
    #[error("a local value of {length_bytes} bytes, at most {limit_bytes} are possible")]
    LocalLength {
        /// Length of the value.
        length_bytes: usize,
        /// The longest possible value.
        limit_bytes: usize,
    },
    /// Type 5: not one field element.
    #[error("a blob element of {length_bytes} bytes instead of 32")]
    BlobLength {
        /// Length of the value.
        length_bytes: usize,
    },
    /// Type 6: no status byte.
    #[error("a precompile result without its status byte")]
    PrecompileEmpty,
    /// Type 6: a status byte other than 0 and 1.
    #[error("a precompile result with status byte {status}")]
    PrecompileStatus {
        /// Byte 0 of the value.
        status: u8,
    },
}

/// A preimage key of a served type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PreimageKey([u8; 32]);

impl PreimageKey {
    /// Reads the 32 bytes that travel over the wire.
    ///
    /// # Errors
    /// [`KeyError`] when byte 0 names no served type.
    pub const fn parse(bytes: [u8; 32]) -> Result<Self, KeyError> {
        match bytes[0] {
            1 | 2 | 4 | 5 | 6 => Ok(Self(bytes)),
            0 => Err(KeyError::Illegal(B256::new(bytes))),
            3 => Err(KeyError::Reserved(B256::new(bytes))),
            _ => Err(KeyError::Unknown(B256::new(bytes))),
        }
    }

    /// The key of a local identifier.
    pub const fn local(identifier: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[0] = KeyType::Local as u8;
        let (_, tail) = bytes.split_at_mut(24);
        tail.copy_from_slice(&identifier.to_be_bytes());
        Self(bytes)
    }

    /// The key of the value whose keccak256 hash is `hash`.
    pub const fn keccak256(hash: B256) -> Self {
        Self::typed(KeyType::Keccak256, hash.0)
    }

    /// The key of the value whose SHA-256 hash is `digest`. A versioned blob hash will do: only
    /// its last 31 bytes enter the key.
    pub const fn sha256(digest: [u8; 32]) -> Self {
        Self::typed(KeyType::Sha256, digest)
    }

    /// The key of the evaluation of the blob committed to by `commitment` at the point `z`.
    pub fn blob(commitment: &[u8; 48], z: &[u8; 32]) -> Self {
        let mut hasher = Keccak256::new();
        hasher.update(commitment);
        hasher.update(z);
        Self::typed(KeyType::Blob, hasher.finalize().0)
    }

    /// The key of the result of the precompile at `address`, called with `input` and `gas`.
    pub fn precompile(address: Address, gas: u64, input: &[u8]) -> Self {
        let mut hasher = Keccak256::new();
        hasher.update(address);
        hasher.update(gas.to_be_bytes());
        hasher.update(input);
        Self::typed(KeyType::Precompile, hasher.finalize().0)
    }

    const fn typed(key_type: KeyType, mut bytes: [u8; 32]) -> Self {
        bytes[0] = key_type as u8;
        Self(bytes)
    }

    /// What the key commits to.
    pub const fn key_type(&self) -> KeyType {
        match self.0[0] {
            1 => KeyType::Local,
            2 => KeyType::Keccak256,
            4 => KeyType::Sha256,
            5 => KeyType::Blob,
            // `parse` and the constructors admit no sixth type.
            _ => KeyType::Precompile,
        }
    }

    /// The key as it travels over the wire.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The keccak256 key over the same 31 hash bytes: where a host stores the inputs of a blob
    /// key (`commitment ‖ z`) or of a precompile key (`address ‖ gas ‖ input`), without which the
    /// part cannot be loaded on chain.
    pub const fn inputs_key(&self) -> Self {
        Self::typed(KeyType::Keccak256, self.0)
    }

    /// The precompile key over the same 31 hash bytes, the inverse of [`inputs_key`](Self::inputs_key)
    /// for the keccak256 key of a precompile call.
    pub const fn result_key(&self) -> Self {
        Self::typed(KeyType::Precompile, self.0)
    }

    /// The identifier of a local key in the form programs use, `None` for other keys.
    pub fn local_identifier(&self) -> Option<u64> {
        let (head, tail) = self.0.split_at(24);
        let is_identifier = head[0] == KeyType::Local as u8 && head[1..].iter().all(|b| *b == 0);
        is_identifier.then(|| u64::from_be_bytes(tail.try_into().expect("8 of 32 bytes")))
    }

    /// Checks `value` against the key.
    ///
    /// Types 2 and 4 are checked in full by hashing. Types 1, 5 and 6 do not commit to their value
    /// in a way that can be checked from the value alone; there only the shape is checked.
    ///
    /// # Errors
    /// [`ValueError`] says what is wrong with the value.
    pub fn verify(&self, value: &[u8]) -> Result<(), ValueError> {
        match self.key_type() {
            KeyType::Keccak256 => self.verify_hash(keccak256(value)),
            KeyType::Sha256 => self.verify_hash(B256::new(Sha256::digest(value).into())),
            KeyType::Local => self.verify_local_length(value.len()),
            KeyType::Blob if value.len() == 32 => Ok(()),
            KeyType::Blob => Err(ValueError::BlobLength { length_bytes: value.len() }),
            KeyType::Precompile => match value.first() {
                Some(0 | 1) => Ok(()),
                Some(status) => Err(ValueError::PrecompileStatus { status: *status }),
                None => Err(ValueError::PrecompileEmpty),
            },
        }
    }

    fn verify_hash(&self, digest: B256) -> Result<(), ValueError> {
        if digest[1..] == self.0[1..] { Ok(()) } else { Err(ValueError::Hash { digest }) }
    }

    fn verify_local_length(&self, length_bytes: usize) -> Result<(), ValueError> {
        let limit_bytes = match self.local_identifier() {
            Some(identifier) if ON_CHAIN_LOCAL_IDENTIFIERS.contains(&identifier) => 32,
            _ => LOCAL_VALUE_LIMIT_BYTES,
        };
        if length_bytes <= limit_bytes {
            Ok(())
        } else {
            Err(ValueError::LocalLength { length_bytes, limit_bytes })
        }
    }
}

impl fmt::Display for PreimageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PreimageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PreimageKey {
    type Err = KeyTextError;

    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let mut bytes = [0; 32];
        // `decode_to_slice` takes a second prefix as well, which no writer of keys produces.
        if digits.len() != 64 || digits.starts_with("0x") {
            return Err(KeyTextError::Hex);
        }
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| KeyTextError::Hex)?;
        Ok(Self::parse(bytes)?)
    }
}

impl TryFrom<[u8; 32]> for PreimageKey {
    type Error = KeyError;

    fn try_from(bytes: [u8; 32]) -> Result<Self, KeyError> {
        Self::parse(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec};
    use alloy_primitives::{address, b256};

    fn check(key: PreimageKey, expected: &str) {
        assert_eq!(key.to_string(), ["0x", expected].concat());
        assert_eq!(expected.parse(), Ok(key));
    }

    #[test]
    fn keys_of_hashed_values() {
        check(
            PreimageKey::keccak256(keccak256(b"hello world")),
            "02173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad",
        );
        check(
            PreimageKey::keccak256(keccak256(b"")),
            "02d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
        );
        check(
            PreimageKey::sha256(Sha256::digest(b"hello world").into()),
            "044d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
        );
    }

    #[test]
    fn keys_of_local_identifiers() {
        check(
            PreimageKey::local(1),
            "0100000000000000000000000000000000000000000000000000000000000001",
        );
        check(
            PreimageKey::local(u64::MAX - 1),
            "010000000000000000000000000000000000000000000000fffffffffffffffe",
        );
        assert_eq!(PreimageKey::local(7).local_identifier(), Some(7));
    }

    #[test]
    fn keys_of_precompile_calls_include_the_gas() {
        check(
            PreimageKey::precompile(
                address!("0000000000000000000000000000000000000001"),
                3000,
                b"",
            ),
            "062972aece014663c20745ebde02ec6fc49eb16e6cbcaddbbc4eafb2afc8426a",
        );
    }

    #[test]
    fn the_call_of_a_precompile_key_lies_under_the_keccak_key_of_the_same_hash() {
        let call = [&[0; 19][..], &[1], &3000_u64.to_be_bytes(), b"input"].concat();
        let key = PreimageKey::precompile(Address::with_last_byte(1), 3000, b"input");
        assert_eq!(key.inputs_key(), PreimageKey::keccak256(keccak256(&call)));
        assert_eq!(key.inputs_key().result_key(), key);
        assert_eq!(key.inputs_key().verify(&call), Ok(()));
    }

    #[test]
    fn keys_of_blob_points() {
        let mut commitment = [0; 48];
        commitment[0] = 0xc0;
        let one = b256!("0000000000000000000000000000000000000000000000000000000000000001");
        check(
            PreimageKey::blob(&commitment, &one),
            "05d0386f1692642e9b46449e7ee5a7aaa85d92ab248930e0ff388ed56c79977e",
        );
        let minus_one = b256!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
        check(
            PreimageKey::blob(&commitment, &minus_one),
            "0548a8b457e7d906d8d22e959da25e1162d6f70cfaf8fc55338f898581217adb",
        );
    }

    #[test]
    fn only_five_types_are_keys() {
        for byte in 0..=255 {
            let mut bytes = [0x11; 32];
            bytes[0] = byte;
            let word = B256::new(bytes);
            match (byte, PreimageKey::parse(bytes)) {
                (1 | 2 | 4 | 5 | 6, Ok(key)) => {
                    assert_eq!(key.as_bytes(), &bytes);
                    assert_eq!(key.key_type() as u8, byte);
                }
                (0, Err(error)) => assert_eq!(error, KeyError::Illegal(word)),
                (3, Err(error)) => assert_eq!(error, KeyError::Reserved(word)),
                (7.., Err(error)) => assert_eq!(error, KeyError::Unknown(word)),
                (_, result) => panic!("type {byte}: {result:?}"),
            }
        }
    }

    #[test]
    fn hashed_values_must_match() {
        for key in [
            PreimageKey::keccak256(keccak256(b"hello world")),
            PreimageKey::sha256(Sha256::digest(b"hello world").into()),
        ] {
            assert_eq!(key.verify(b"hello world"), Ok(()));
            for wrong in [&b"hello worle"[..], b"hello worl", b""] {
                assert!(matches!(key.verify(wrong), Err(ValueError::Hash { .. })), "{key}");
            }
        }
    }

    #[test]
    fn a_versioned_hash_names_its_commitment() {
        let mut digest: [u8; 32] = Sha256::digest([7; 48]).into();
        digest[0] = 1;
        assert_eq!(PreimageKey::sha256(digest).verify(&[7; 48]), Ok(()));
    }

    #[test]
    fn local_values_have_plausible_sizes() {
        let check = |identifier, length: usize, limit: usize| {
            let key = PreimageKey::local(identifier);
            let expected = if length <= limit {
                Ok(())
            } else {
                Err(ValueError::LocalLength { length_bytes: length, limit_bytes: limit })
            };
            assert_eq!(key.verify(&vec![0; length]), expected, "identifier {identifier}");
        };
        for identifier in 1..=5 {
            check(identifier, 8, 32);
            check(identifier, 32, 32);
            check(identifier, 33, 32);
        }
        check(6, LOCAL_VALUE_LIMIT_BYTES, LOCAL_VALUE_LIMIT_BYTES);
        check(6, LOCAL_VALUE_LIMIT_BYTES + 1, LOCAL_VALUE_LIMIT_BYTES);
    }

    #[test]
    fn blob_and_precompile_values_have_a_shape() {
        let blob = PreimageKey::blob(&[1; 48], &[2; 32]);
        assert_eq!(blob.verify(&[0; 32]), Ok(()));
        assert_eq!(blob.verify(&[0; 31]), Err(ValueError::BlobLength { length_bytes: 31 }));
        assert_eq!(blob.verify(&[0; 33]), Err(ValueError::BlobLength { length_bytes: 33 }));

        let result = PreimageKey::precompile(Address::with_last_byte(8), 45_000, b"");
        assert_eq!(result.verify(&[0]), Ok(()));
        assert_eq!(result.verify(&[1, 2, 3]), Ok(()));
        assert_eq!(result.verify(&[]), Err(ValueError::PrecompileEmpty));
        assert_eq!(result.verify(&[2]), Err(ValueError::PrecompileStatus { status: 2 }));
    }

    #[test]
    fn key_texts_that_are_none() {
        let good = "02173285a8d7341e5e972fc677286384f802f8ef42a5ec5f03bbfa254cb01fad";
        assert!(good.parse::<PreimageKey>().is_ok());
        for bad in ["", "0x", &good[1..], &good.replace('f', "g"), &["0x0x", &good[2..]].concat()] {
            assert_eq!(bad.parse::<PreimageKey>(), Err(KeyTextError::Hex), "{bad:?}");
        }
        let illegal = ["00", &good[2..]].concat();
        assert!(matches!(illegal.parse::<PreimageKey>(), Err(KeyTextError::Key(_))));
    }
}
