//! Block witness files: one block's inputs and every preimage its execution touches.
//!
//! ```text
//! { "format": "opstack-block-witness-v1", "source": "…",
//!   "fixture": { "rollup_config": {…}, "parent_header": {…}, "executing_payload": {…},
//!                "expected_block_hash": "0x…" },
//!   "preimages": { "0x<keccak256 of the value>": "0x<value>", … } }
//! ```
//!
//! As plain JSON or packed with zstd (the name then ends in `.zst`). Headers and payloads have the
//! member names of the JSON-RPC and Engine APIs, numbers as hexadecimal quantities. Members that are
//! not named here are ignored.

use crate::WitnessOracle;
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bytes, U64, keccak256};
use alloy_rlp::Decodable;
use rebut_execution::{ChainParameters, PayloadAttributes};
use rebut_preimage::{
    MemoryStore, Pipes, PreimageKey, ServeError, Served, StoreError, serve,
    store::{JsonKeys, JsonPreimages, decompress, read_decompressed, replace},
};
use rebut_program::{
    BlockInput,
    block::{EXPECTED_HASH_IDENTIFIER, INPUT_HASH_IDENTIFIER},
    config::json::{ExecutionMembers, ParameterError},
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The only format there is.
pub const FORMAT: &str = "opstack-block-witness-v1";

/// The largest witness that is read, once unpacked, in bytes. A block that touches 100,000 trie
/// nodes stays below.
pub const WITNESS_LIMIT_BYTES: usize = 256 << 20;

/// Why a witness cannot be used. Each variant names the file.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The file cannot be read, or one of its preimages is wrong.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A member is missing or has the wrong shape.
    #[error("{path}: {place}{source}", path = path.display(), place = place(field))]
    Json {
        /// The file.
        path: PathBuf,
        /// Where, as a path of member names; "." is the whole file.
        field: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A witness of a claim, which spans blocks.
    #[error("{path}: this is a claim witness; `rebut program run --recorded` decides it", path = path.display())]
    Claim {
        /// The file.
        path: PathBuf,
    },
    /// Another format.
    #[error("{path}: format {found:?} is not known, only {FORMAT:?}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The file's format.
        found: String,
    },
    /// A member that must not be there.
    #[error("{path}: {field} is not empty, which no rollup block can have", path = path.display())]
    NotEmpty {
        /// The file.
        path: PathBuf,
        /// The member.
        field: &'static str,
    },
    /// A header without a field that its later fields need before them. It has no encoding of its own.
    #[error("{path}: at fixture.parent_header: a field is missing that comes before one that is there", path = path.display())]
    HeaderGap {
        /// The file.
        path: PathBuf,
    },
    /// A chain parameter that no chain can have.
    #[error("{path}: at fixture.rollup_config.{field}: {value} is impossible, {rule}", path = path.display())]
    Parameter {
        /// The file.
        path: PathBuf,
        /// The member, from the rollup configuration on.
        field: &'static str,
        /// What it says.
        value: u64,
        /// What it breaks.
        rule: &'static str,
    },
}

/// Where in a JSON document, for a message about it; nothing for the whole of it.
pub(crate) fn place(field: &str) -> String {
    match field {
        "." => String::new(),
        field => format!("at {field}: "),
    }
}

/// What tells a claim witness from a block witness.
#[derive(Deserialize)]
struct ClaimMark {
    #[serde(rename = "boot")]
    _boot: IgnoredAny,
}

/// One block, ready to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockWitness {
    /// Where the witness comes from, in words.
    pub source: String,
    /// The chain's parameters.
    pub chain: ChainParameters,
    /// The header of the block before.
    pub parent_header: Header,
    /// What the block is built from.
    pub attributes: PayloadAttributes,
    /// The hash the block has if the program works.
    pub expected_block_hash: B256,
    /// Trie nodes and code, each checked against its hash.
    pub preimages: MemoryStore,
}

impl BlockWitness {
    /// Reads a witness file.
    ///
    /// # Errors
    /// [`WitnessError`] names the file and what is wrong in it.
    pub fn read(path: &Path) -> Result<Self, WitnessError> {
        Self::parse(&read_decompressed(path, WITNESS_LIMIT_BYTES)?, path)
    }

    /// Reads a witness packed with zstd; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse_packed(packed: &[u8], path: &Path) -> Result<Self, WitnessError> {
        Self::parse(&decompress(packed, path, WITNESS_LIMIT_BYTES)?, path)
    }

    /// Reads the JSON text of a witness; `path` is for messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, WitnessError> {
        let json = |field: String, source| WitnessError::Json { path: path.into(), field, source };
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let file: File<'_> =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
                match serde_json::from_slice::<ClaimMark>(text) {
                    Ok(_) => WitnessError::Claim { path: path.into() },
                    Err(_) => json(error.path().to_string(), error.into_inner()),
                }
            })?;
        deserializer.end().map_err(|source| json(".".into(), source))?;

        if file.format != FORMAT {
            return Err(WitnessError::Format { path: path.into(), found: file.format });
        }
        let preimages = file.preimages.check(JsonKeys::Keccak256, path)?;
        let Fixture { rollup_config, parent_header, executing_payload, expected_block_hash } =
            file.fixture;
        if !executing_payload.withdrawals.as_ref().is_none_or(Vec::is_empty) {
            let field = "fixture.executing_payload.withdrawals";
            return Err(WitnessError::NotEmpty { path: path.into(), field });
        }
        if Header::decode(&mut alloy_rlp::encode(&parent_header).as_slice())
            != Ok(parent_header.clone())
        {
            return Err(WitnessError::HeaderGap { path: path.into() });
        }
        let attributes = PayloadAttributes::from(executing_payload);
        let chain = rollup_config.parameters().map_err(|error| {
            let ParameterError { field, value, rule } = error;
            WitnessError::Parameter { path: path.into(), field, value, rule }
        })?;
        let source = file.source;
        Ok(Self { source, chain, parent_header, attributes, expected_block_hash, preimages })
    }

    /// Writes a witness file, packed when the name ends in `.zst`. Equal witnesses give equal files.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be written; nothing new is at `path` then.
    pub fn write(&self, path: &Path) -> Result<(), StoreError> {
        let packed = path.extension().is_some_and(|extension| extension == "zst");
        replace(path, |writer| {
            let text = self.to_json()?;
            match packed {
                true => writer.write_all(&zstd::bulk::compress(&text, COMPRESSION_LEVEL)?),
                false => writer.write_all(&text),
            }
        })
    }

    /// The JSON text of the witness.
    ///
    /// # Errors
    /// None that a witness could cause; the writer of JSON has an error type.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let preimages = self
            .preimages
            .iter()
            // Every key of a witness hashes its value.
            .map(|(_, value)| (keccak256(value), Bytes::copy_from_slice(value)))
            .collect();
        serde_json::to_vec(&WrittenFile {
            format: FORMAT,
            source: &self.source,
            fixture: Fixture {
                rollup_config: ExecutionMembers::from(&self.chain),
                parent_header: self.parent_header.clone(),
                executing_payload: Payload::from(&self.attributes),
                expected_block_hash: self.expected_block_hash,
            },
            preimages,
        })
    }

    /// What the block program reads as its input.
    pub fn input(&self) -> BlockInput {
        BlockInput {
            chain: self.chain,
            parent: self.parent_header.clone(),
            attributes: self.attributes.clone(),
        }
    }

    /// An oracle with all that the block program asks for: local values, input, trie nodes, code.
    pub fn oracle(&self) -> WitnessOracle {
        let input = self.input().encode();
        let input_hash = keccak256(&input);
        let mut store = self.preimages.clone();
        for (key, value) in [
            (PreimageKey::local(INPUT_HASH_IDENTIFIER), input_hash.to_vec()),
            (PreimageKey::local(EXPECTED_HASH_IDENTIFIER), self.expected_block_hash.to_vec()),
            (PreimageKey::keccak256(input_hash), input),
        ] {
            store.insert(key, value).expect("words fit local keys, and the input has its own hash");
        }
        WitnessOracle::new(store)
    }
}

/// Serves a witness to a program in another process or thread until that closes its pipes.
///
/// # Errors
/// [`ServeError`], most likely for a key the witness lacks.
pub fn serve_witness(witness: &BlockWitness, pipes: Pipes) -> Result<Served, ServeError> {
    serve(&mut witness.oracle(), pipes)
}

/// Favours size: a witness is packed once.
const COMPRESSION_LEVEL: i32 = 19;

#[derive(Deserialize)]
struct File<'a> {
    format: String,
    #[serde(default)]
    source: String,
    fixture: Fixture,
    #[serde(borrow)]
    preimages: JsonPreimages<'a>,
}

#[derive(Serialize)]
struct WrittenFile<'a> {
    format: &'a str,
    source: &'a str,
    fixture: Fixture,
    preimages: std::collections::BTreeMap<B256, Bytes>,
}

#[derive(Serialize, Deserialize)]
struct Fixture {
    rollup_config: ExecutionMembers,
    parent_header: Header,
    executing_payload: Payload,
    expected_block_hash: B256,
}

/// Engine API payload attributes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    timestamp: U64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals: Option<Vec<serde_json::Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_beacon_block_root: Option<B256>,
    transactions: Vec<Bytes>,
    gas_limit: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    eip1559_params: Option<B64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_base_fee: Option<U64>,
}

impl From<Payload> for PayloadAttributes {
    fn from(payload: Payload) -> Self {
        Self {
            timestamp: payload.timestamp.to(),
            prev_randao: payload.prev_randao,
            suggested_fee_recipient: payload.suggested_fee_recipient,
            gas_limit: payload.gas_limit.to(),
            parent_beacon_block_root: payload.parent_beacon_block_root,
            eip_1559_params: payload.eip1559_params.map(|params| params.0),
            min_base_fee: payload.min_base_fee.map(|fee| fee.to()),
            transactions: payload.transactions,
        }
    }
}

impl From<&PayloadAttributes> for Payload {
    fn from(attributes: &PayloadAttributes) -> Self {
        Self {
            timestamp: U64::from(attributes.timestamp),
            prev_randao: attributes.prev_randao,
            suggested_fee_recipient: attributes.suggested_fee_recipient,
            withdrawals: None,
            parent_beacon_block_root: attributes.parent_beacon_block_root,
            transactions: attributes.transactions.clone(),
            gas_limit: U64::from(attributes.gas_limit),
            eip1559_params: attributes.eip_1559_params.map(B64::new),
            min_base_fee: attributes.min_base_fee.map(U64::from),
        }
    }
}

#[cfg(test)]
mod tests;
