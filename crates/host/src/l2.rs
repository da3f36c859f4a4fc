//! State, code, proofs and outputs of the L2 chain, as an execution node gives them, verified.

use crate::{
    chain::{self, Header, JsonProof, ProvenAccount, account_proof, storage_proof},
    source::{Failure, Failures, Fault, RpcNode, first_of},
};
use alloy_primitives::{Address, B256, Bytes, address, hex, keccak256};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Methods that an L2 node is asked about.
pub(crate) const L2_METHODS: &[&str] = &[
    "debug_getRawHeader",
    "debug_getRawBlock",
    "debug_getRawReceipts",
    "eth_getBlockReceipts",
    "eth_getProof",
    "debug_dbGet",
    "debug_executePayload",
    "debug_executionWitness",
];

/// The contract whose storage root is part of an output.
pub(crate) const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");

/// The first byte of the database key of code, before its hash.
const CODE_PREFIX: u8 = b'c';

/// A trie node by its hash.
pub(crate) fn state_node(node: &RpcNode, hash: B256) -> Result<Bytes, Failures> {
    Ok(db_get(node, hash.as_slice(), hash, "trie node")?)
}

/// Code by its hash. `owner` is an account that is known to have it, with the block where it has.
pub(crate) fn code(
    node: &RpcNode,
    hash: B256,
    owner: Option<(Address, B256)>,
) -> Result<Bytes, Failures> {
    let prefixed = [&[CODE_PREFIX], hash.as_slice()].concat();
    let by_prefix = || db_get(node, &prefixed, hash, "code");
    let by_hash = || db_get(node, hash.as_slice(), hash, "code");
    let Some((address, block)) = owner else { return first_of(&[&by_prefix, &by_hash]) };
    let of_owner = || {
        let method = "eth_getCode";
        let code = node.call(method, &json!([address, { "blockHash": block }]))?;
        checked(code, hash, "code").map_err(|fault| Failure { method, fault })
    };
    first_of(&[&by_prefix, &by_hash, &of_owner])
}

fn db_get(node: &RpcNode, key: &[u8], hash: B256, what: &'static str) -> Result<Bytes, Failure> {
    let method = "debug_dbGet";
    let value = node.call(method, &json!([hex::encode_prefixed(key)]))?;
    checked(value, hash, what).map_err(|fault| Failure { method, fault })
}

fn checked(value: Bytes, hash: B256, what: &'static str) -> Result<Bytes, Fault> {
    let found = keccak256(&value);
    if found == hash { Ok(value) } else { Err(Fault::Hash { what, found }) }
}

/// The proof of an account and of slots of it at the block with this hash and header: the account,
/// and the nodes of all proofs.
pub(crate) fn proof(
    node: &RpcNode,
    block: B256,
    header: &Header,
    address: Address,
    slots: &[B256],
) -> Result<(ProvenAccount, Vec<Bytes>), Failure> {
    let method = "eth_getProof";
    let by_hash = json!([address, slots, { "blockHash": block }]);
    let answer: JsonProof = match node.call(method, &by_hash) {
        // Some nodes know blocks by number alone; whose block it was shows when it is verified.
        Err(Failure { fault: Fault::Rpc { .. }, .. }) => {
            node.call(method, &json!([address, slots, format!("0x{:x}", header.number)]))?
        }
        answer => answer?,
    };
    let verify = || {
        let (account, proofs) = account_proof(answer, header.state_root, address)?;
        if proofs.len() != slots.len() {
            return Err(Fault::Proof { what: "a storage slot" });
        }
        let mut nodes = account.nodes.clone();
        for (proof, slot) in proofs.into_iter().zip(slots) {
            nodes.extend(storage_proof(proof, account.storage_root, *slot)?);
        }
        Ok((account, nodes))
    };
    verify().map_err(|fault| Failure { method, fault })
}

/// The 128 bytes behind an output root: `0 ‖ state root ‖ message passer's storage root ‖ hash`.
pub(crate) fn output_preimage(header: &Header, storage_root: B256, block: B256) -> Vec<u8> {
    [B256::ZERO, header.state_root, storage_root, block].concat()
}

/// The preimage of the output root `root`, which belongs to the block `block`.
pub(crate) fn output(
    node: &RpcNode,
    root: B256,
    block: B256,
    header: &Header,
) -> Result<Vec<u8>, Failures> {
    // From Isthmus on the header has the storage root; earlier it holds something else there, and
    // the output's hash tells.
    if let Some(storage_root) = header.withdrawals_root {
        let output = output_preimage(header, storage_root, block);
        if keccak256(&output) == root {
            return Ok(output);
        }
    }
    let (account, _) = proof(node, block, header, MESSAGE_PASSER, &[])?;
    let output = output_preimage(header, account.storage_root, block);
    match keccak256(&output) {
        found if found == root => Ok(output),
        found => {
            let fault = Fault::Output { block, found };
            Err(Failure { method: "eth_getProof", fault }.into())
        }
    }
}

/// All trie nodes, codes and keys that a payload on top of the block `parent` touches, as far as the
/// node knows them. Each is stored by its own hash, so there is nothing to verify.
pub(crate) fn payload_witness(
    node: &RpcNode,
    parent: B256,
    number: u64,
    attributes: &Value,
) -> Result<Vec<Bytes>, Failures> {
    first_of(&[
        &|| {
            let params = json!([parent, attributes]);
            Ok(node.call::<JsonWitness>("debug_executePayload", &params)?.preimages())
        },
        &|| execution_witness(node, number.saturating_add(1)),
    ])
}

/// What executing the node's block `number` touches, as [`payload_witness`].
pub(crate) fn execution_witness(node: &RpcNode, number: u64) -> Result<Vec<Bytes>, Failure> {
    let params = json!([format!("0x{number:x}")]);
    Ok(node.call::<JsonWitness>("debug_executionWitness", &params)?.preimages())
}

#[derive(Deserialize)]
struct JsonWitness {
    #[serde(default)]
    state: Values,
    #[serde(default)]
    codes: Values,
    #[serde(default)]
    keys: Values,
    #[serde(default)]
    headers: Ignored,
}

impl JsonWitness {
    fn preimages(self) -> Vec<Bytes> {
        let Self { state, codes, keys, headers: Ignored } = self;
        [state.0, codes.0, keys.0].concat()
    }
}

/// Headers come as texts from some nodes and as objects from others, and are fetched when needed.
#[derive(Default)]
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A list of values, or an object from hashes to values.
#[derive(Default)]
struct Values(Vec<Bytes>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            List(Vec<Bytes>),
            Map(BTreeMap<String, Bytes>),
        }
        Ok(match Option::<Form>::deserialize(deserializer)? {
            Some(Form::List(values)) => Self(values),
            Some(Form::Map(values)) => Self(values.into_values().collect()),
            None => Self::default(),
        })
    }
}

/// The header at a height, and its hash: for hints of programs that name blocks by number.
pub(crate) fn header_at(node: &RpcNode, number: u64) -> Result<(B256, Bytes, Header), Failures> {
    let hash = chain::block_hash_at(node, number)?;
    let (raw, header) = chain::header(node, hash)?;
    Ok((hash, raw, header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_come_as_lists_and_as_maps() {
        let check = |text: &str, expected: &[&[u8]]| {
            let witness: JsonWitness = serde_json::from_str(text).unwrap();
            let found: Vec<Vec<u8>> = witness.preimages().into_iter().map(Into::into).collect();
            assert_eq!(found, expected, "{text}");
        };
        check(r#"{"state": ["0x01"], "codes": ["0x02"], "keys": ["0x03"]}"#, &[&[1], &[2], &[3]]);
        check(r#"{"state": {"0xaa": "0x01"}, "codes": {}, "keys": null}"#, &[&[1]]);
        check(r#"{"state": [], "headers": [{"number": "0x1"}]}"#, &[]);
        assert!(serde_json::from_str::<JsonWitness>(r#"{"state": ["0xzz"]}"#).is_err());
    }
}
