//! What convinces the oracle contract that a preimage belongs to its key.
//!
//! Hashes speak for themselves. For an element of a blob it takes a KZG proof, for the result of a precompile
//! the call; a host stores what these are made of beside each value, under the keccak256 key of the same hash:
//!
//! ```text
//!   blob element         commitment 48 | z 32            and all 4096 elements, under their own keys
//!   precompile result    address 20 | gas 8 | input
//! ```

use super::machine::VmRead;
use alloy_primitives::Address;
use rebut_dispute::{Evidence, PreimagePart};
use rebut_preimage::{
    BLOB_ELEMENTS, KeyError, KeyType, OracleError, PreimageKey, PreimageOracle, ValueError,
    blob_points,
};
use std::sync::LazyLock;

/// The points of a blob's elements, in their order.
static POINTS: LazyLock<Vec<[u8; 32]>> = LazyLock::new(blob_points);

/// Why a preimage that a step reads cannot be shown to the oracle contract.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The machine asks for what is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The oracle lacks what was stored beside the value.
    #[error("what belongs to the {t} key {key} cannot be had: {source}", t = key.key_type())]
    Oracle {
        /// The key.
        key: PreimageKey,
        /// What the oracle says.
        source: Box<OracleError>,
    },
    /// The oracle has the wrong thing beside the value.
    #[error("what is stored beside the {t} key {key} does not belong to it", t = key.key_type())]
    Inputs {
        /// The key.
        key: PreimageKey,
    },
    /// The elements are not those of the blob with the commitment in the key.
    #[error("the elements beside the blob key {key} are not those of its blob")]
    Blob {
        /// The key.
        key: PreimageKey,
    },
    /// The machine read another value than the evidence shows.
    #[error("the value read under the key {key} is not the one that can be shown")]
    Value {
        /// The key.
        key: PreimageKey,
    },
    /// The value that the machine read does not belong to the key at all.
    #[error("the value read under the key {key} is wrong: {source}")]
    Wrong {
        /// The key.
        key: PreimageKey,
        /// What is wrong.
        source: ValueError,
    },
}

/// The part that a step reads, and what shows that it is right.
///
/// # Errors
/// [`EvidenceError`] where the contract would not be convinced.
pub fn part_of(
    read: VmRead,
    oracle: &mut dyn PreimageOracle,
) -> Result<PreimagePart, EvidenceError> {
    let VmRead { key: name, data, offset } = read;
    let key = PreimageKey::parse(name.0)?;
    key.verify(&data).map_err(|source| EvidenceError::Wrong { key, source })?;
    let evidence = match key.key_type() {
        KeyType::Local | KeyType::Keccak256 | KeyType::Sha256 => Evidence::Data,
        KeyType::Blob => blob(key, &data, oracle)?,
        KeyType::Precompile => precompile(key, oracle)?,
    };
    Ok(PreimagePart { key: name, data, offset, evidence })
}

fn get(
    key: PreimageKey,
    wanted: PreimageKey,
    oracle: &mut dyn PreimageOracle,
) -> Result<Vec<u8>, EvidenceError> {
    let found = oracle.get(wanted);
    found.map_err(|source| EvidenceError::Oracle { key, source: Box::new(source) })
}

fn blob(
    key: PreimageKey,
    value: &[u8],
    oracle: &mut dyn PreimageOracle,
) -> Result<Evidence, EvidenceError> {
    let inputs = get(key, key.inputs_key(), oracle)?;
    let wrong = EvidenceError::Inputs { key };
    let Some((commitment, z)) = inputs.split_first_chunk::<48>() else { return Err(wrong) };
    let Ok(z) = <[u8; 32]>::try_from(z) else { return Err(wrong) };
    if PreimageKey::blob(commitment, &z) != key || !POINTS.contains(&z) {
        return Err(wrong);
    }
    let mut elements = Vec::with_capacity(BLOB_ELEMENTS * 32);
    for point in POINTS.iter() {
        elements.extend(get(key, PreimageKey::blob(commitment, point), oracle)?);
    }
    let other = |_| EvidenceError::Blob { key };
    let settings = c_kzg::ethereum_kzg_settings(0);
    let elements = c_kzg::Blob::from_bytes(&elements).map_err(other)?;
    let computed = settings.blob_to_kzg_commitment(&elements).map_err(other)?;
    if computed.to_bytes().into_inner() != *commitment {
        return Err(EvidenceError::Blob { key });
    }
    let point = c_kzg::Bytes32::new(z);
    let (proof, y) = settings.compute_kzg_proof(&elements, &point).map_err(other)?;
    let y = *y;
    if value != y {
        return Err(EvidenceError::Value { key });
    }
    Ok(Evidence::Blob {
        z: z.into(),
        y: y.into(),
        commitment: commitment.to_vec(),
        proof: proof.to_bytes().into_inner().to_vec(),
    })
}

fn precompile(
    key: PreimageKey,
    oracle: &mut dyn PreimageOracle,
) -> Result<Evidence, EvidenceError> {
    let payload = get(key, key.inputs_key(), oracle)?;
    let wrong = EvidenceError::Inputs { key };
    let Some((address, rest)) = payload.split_first_chunk::<20>() else { return Err(wrong) };
    let Some((gas, input)) = rest.split_first_chunk::<8>() else { return Err(wrong) };
    let address = Address::new(*address);
    let required_gas = u64::from_be_bytes(*gas);
    if PreimageKey::precompile(address, required_gas, input) != key {
        return Err(wrong);
    }
    Ok(Evidence::Precompile { address, required_gas, input: input.to_vec() })
}
