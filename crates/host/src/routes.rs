//! What hints ask for: one table for every host.
//!
//! ```text
//!   name ─► allowed lengths, reader ─► Request       granular: covers the keys that follow
//!                                                    bulk: may cover many keys, best effort
//! ```
//!
//! Programs of different ages send different payloads under one name; all are understood. A chain id
//! behind the payload is optional everywhere on L2.
//!
//! Source: OP Stack specification, "Fault Proof", section "Hints".

use crate::{PayloadForm, PrecompileCall};
use alloy_primitives::{Address, B256, keccak256};
use rebut_preimage::{Hint, HintError, PreimageKey};
use serde::Deserialize;
use serde_json::Value;

/// A block as a hint names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockName {
    Hash(B256),
    /// In hints of older programs.
    Number(u64),
}

/// What a hint asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    L1Header(B256),
    L1Transactions(B256),
    L1Receipts(B256),
    Blob {
        hash: B256,
        timestamp: u64,
    },
    Precompile {
        name: String,
        payload: Vec<u8>,
    },
    L2Header(B256),
    L2Transactions(B256),
    L2Receipts(B256),
    Code(B256),
    StateNode(B256),
    Output(B256),
    AccountProof {
        block: BlockName,
        address: Address,
    },
    StorageProof {
        block: BlockName,
        address: Address,
        slot: B256,
    },
    PayloadWitness {
        parent: B256,
        attributes: Value,
    },
    /// Something only the interop program asks for.
    Interop,
    /// Says what will be hinted at next. There is nothing to do.
    Advice,
}

/// A request, and the chain it is for where the hint says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Routed {
    pub(crate) request: Request,
    pub(crate) chain_id: Option<u64>,
}

/// Payload lengths a name comes with.
#[derive(Clone, Copy, Debug)]
enum Lengths {
    Exactly(&'static [usize]),
    AtLeast(usize),
}

/// How a payload is read. The reader has checked its length before.
#[derive(Clone, Copy, Debug)]
enum Reading {
    /// One hash, and perhaps a chain id.
    Hash(fn(B256) -> Request),
    Blob,
    Precompile,
    AccountProof,
    StorageProof,
    PayloadWitness,
    Interop,
    Advice,
}

const L1_HASH: Lengths = Lengths::Exactly(&[32]);
const L2_HASH: Lengths = Lengths::Exactly(&[32, 40]);

/// Every hint of the programs in use.
const ROUTES: [(&str, Lengths, Reading); 20] = [
    ("l1-block-header", L1_HASH, Reading::Hash(Request::L1Header)),
    ("l1-transactions", L1_HASH, Reading::Hash(Request::L1Transactions)),
    ("l1-receipts", L1_HASH, Reading::Hash(Request::L1Receipts)),
    ("l1-blob", Lengths::Exactly(&[40, 48]), Reading::Blob),
    ("l1-precompile", Lengths::AtLeast(20), Reading::Precompile),
    ("l1-precompile-v2", Lengths::AtLeast(28), Reading::Precompile),
    ("l2-block-header", L2_HASH, Reading::Hash(Request::L2Header)),
    ("l2-transactions", L2_HASH, Reading::Hash(Request::L2Transactions)),
    ("l2-receipts", L2_HASH, Reading::Hash(Request::L2Receipts)),
    ("l2-code", L2_HASH, Reading::Hash(Request::Code)),
    ("l2-state-node", L2_HASH, Reading::Hash(Request::StateNode)),
    ("l2-output", L2_HASH, Reading::Hash(Request::Output)),
    ("starting-l2-output", L2_HASH, Reading::Hash(Request::Output)),
    ("l2-output-root", L2_HASH, Reading::Hash(Request::Output)),
    ("l2-account-proof", Lengths::Exactly(&[28, 52, 60]), Reading::AccountProof),
    ("l2-account-storage-proof", Lengths::Exactly(&[60, 84, 92]), Reading::StorageProof),
    ("l2-payload-witness", Lengths::AtLeast(2), Reading::PayloadWitness),
    ("l2-block-hash-lookup", Lengths::Exactly(&[40, 48]), Reading::Advice),
    ("agreed-pre-state", Lengths::Exactly(&[32]), Reading::Interop),
    ("l2-block-data", Lengths::Exactly(&[72]), Reading::Interop),
];

impl Routed {
    /// Reads a hint's text.
    ///
    /// # Errors
    /// [`HintError`] for a name without a route, and a payload that is none of its name.
    pub(crate) fn parse(text: &[u8]) -> Result<(Hint, Self), HintError> {
        let hint = Hint::parse(text)?;
        let name = hint.name.as_str();
        let Some((_, lengths, reading)) = ROUTES.iter().find(|(known, ..)| *known == name) else {
            return Err(HintError::Name { name: name.into() });
        };
        let length_bytes = hint.payload.len();
        match *lengths {
            Lengths::Exactly(allowed_bytes) if !allowed_bytes.contains(&length_bytes) => {
                return Err(HintError::Length { name: name.into(), length_bytes, allowed_bytes });
            }
            Lengths::AtLeast(expected_bytes) if length_bytes < expected_bytes => {
                return Err(HintError::Payload { name: name.into(), length_bytes, expected_bytes });
            }
            _ => {}
        }
        let routed = reading.read(name, &hint.payload).ok_or_else(|| HintError::Content {
            name: name.into(),
            what: "payload of that name",
        })?;
        Ok((hint, routed))
    }
}

impl Reading {
    fn read(self, name: &str, payload: &[u8]) -> Option<Routed> {
        let mut rest = Rest(payload);
        let request = match self {
            Self::Hash(request) => request(rest.hash()?),
            Self::Blob => {
                let hash = rest.hash()?;
                if payload.len() == 48 {
                    // The index among the block's blobs, of older programs. The hash says it all.
                    rest.number()?;
                }
                return Some(Request::Blob { hash, timestamp: rest.number()? }.on_any_chain());
            }
            Self::Precompile => {
                let (name, payload) = (name.to_owned(), payload.to_vec());
                return Some(Request::Precompile { name, payload }.on_any_chain());
            }
            Self::AccountProof => {
                let block = rest.block(payload.len() == 28)?;
                Request::AccountProof { block, address: rest.address()? }
            }
            Self::StorageProof => {
                let block = rest.block(payload.len() == 60)?;
                let address = rest.address()?;
                Request::StorageProof { block, address, slot: rest.hash()? }
            }
            Self::PayloadWitness => return payload_witness(payload),
            Self::Interop => return Some(Request::Interop.on_any_chain()),
            Self::Advice => return Some(Request::Advice.on_any_chain()),
        };
        let chain_id = if rest.0.is_empty() { None } else { Some(rest.number()?) };
        Some(Routed { request, chain_id })
    }
}

impl Request {
    const fn on_any_chain(self) -> Routed {
        Routed { request: self, chain_id: None }
    }
}

/// What is left of a payload.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn hash(&mut self) -> Option<B256> {
        self.take().map(B256::new)
    }

    fn address(&mut self) -> Option<Address> {
        self.take().map(Address::new)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    fn block(&mut self, by_number: bool) -> Option<BlockName> {
        match by_number {
            true => self.number().map(BlockName::Number),
            false => self.hash().map(BlockName::Hash),
        }
    }
}

/// Two forms: one JSON object with everything, or `parent hash 32 ‖ JSON attributes ‖ chain id 8?`.
fn payload_witness(payload: &[u8]) -> Option<Routed> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Whole {
        parent_block_hash: B256,
        payload_attributes: Value,
        #[serde(default, rename = "chainID")]
        chain_id: Option<Value>,
    }
    // A hash may begin like an object, but it does not go on like one.
    if let Ok(whole) = serde_json::from_slice::<Whole>(payload) {
        let Whole { parent_block_hash: parent, payload_attributes: attributes, chain_id } = whole;
        let request = Request::PayloadWitness { parent, attributes };
        let chain_id = match chain_id {
            None | Some(Value::Null) => None,
            Some(id) => Some(chain_number(&id)?),
        };
        return Some(Routed { request, chain_id });
    }
    let mut rest = Rest(payload);
    let parent = rest.hash()?;
    let mut values = serde_json::Deserializer::from_slice(rest.0).into_iter::<Value>();
    let attributes = values.next()?.ok().filter(Value::is_object)?;
    let mut behind = Rest(rest.0.get(values.byte_offset()..)?);
    let chain_id = match behind.0.len() {
        0 => None,
        8 => Some(behind.number()?),
        _ => return None,
    };
    Some(Routed { request: Request::PayloadWitness { parent, attributes }, chain_id })
}

/// A chain id as programs write it in JSON: a number, or text in either base.
fn chain_number(json: &Value) -> Option<u64> {
    let Value::String(text) = json else { return json.as_u64() };
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The preimages of a precompile call: its result, and under the keccak key of the same hash the
/// call, which whoever proves the result on chain needs.
///
/// # Errors
/// [`HintError`] as [`PrecompileCall::parse`] and [`PrecompileCall::execute`].
pub fn precompile_preimages(
    name: &str,
    payload: &[u8],
    form: PayloadForm,
) -> Result<[(PreimageKey, Vec<u8>); 2], HintError> {
    let form = if name == "l1-precompile" { form } else { PayloadForm::WithGas };
    let result = PrecompileCall::parse(name, payload, form)?.execute(name)?;
    // Key and payload: the key hashes exactly the payload, in either form.
    let inputs = PreimageKey::keccak256(keccak256(payload));
    Ok([(inputs.result_key(), result), (inputs, payload.to_vec())])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Name, payload, what it asks for, and the chain.
    type Sample = (&'static str, Vec<u8>, Request, Option<u64>);
    type HashRequest = fn(B256) -> Request;

    /// A hint of every name with a payload that it takes, and what it asks for.
    pub(crate) fn samples() -> Vec<Sample> {
        let hash = B256::repeat_byte(7);
        let address = Address::repeat_byte(8);
        let slot = B256::repeat_byte(9);
        let number = 5_u64.to_be_bytes();
        let chain = 901_u64.to_be_bytes();
        let join = |parts: &[&[u8]]| parts.concat();
        let mut samples = Vec::new();
        let hashes: [(_, HashRequest); 12] = [
            ("l1-block-header", Request::L1Header),
            ("l1-transactions", Request::L1Transactions),
            ("l1-receipts", Request::L1Receipts),
            ("l2-block-header", Request::L2Header),
            ("l2-transactions", Request::L2Transactions),
            ("l2-receipts", Request::L2Receipts),
            ("l2-code", Request::Code),
            ("l2-state-node", Request::StateNode),
            ("l2-output", Request::Output),
            ("starting-l2-output", Request::Output),
            ("l2-output-root", Request::Output),
            ("agreed-pre-state", |_| Request::Interop),
        ];
        for (name, request) in hashes {
            samples.push((name, hash.to_vec(), request(hash), None));
            if name.starts_with("l2-") {
                samples.push((name, join(&[&hash.0, &chain]), request(hash), Some(901)));
            }
        }
        let blob = Request::Blob { hash, timestamp: 5 };
        samples.push(("l1-blob", join(&[&hash.0, &number]), blob.clone(), None));
        samples.push(("l1-blob", join(&[&hash.0, &[0; 8], &number]), blob, None));
        for (block, name) in
            [(&hash.0[..], BlockName::Hash(hash)), (&number[..], BlockName::Number(5))]
        {
            let account = Request::AccountProof { block: name, address };
            let storage = Request::StorageProof { block: name, address, slot };
            let payloads = [join(&[block, &address.0.0]), join(&[block, &address.0.0, &slot.0])];
            samples.push(("l2-account-proof", payloads[0].clone(), account.clone(), None));
            samples.push(("l2-account-storage-proof", payloads[1].clone(), storage.clone(), None));
            if block.len() == 32 {
                let [a, s] = payloads.map(|payload| join(&[&payload, &chain]));
                samples.push(("l2-account-proof", a, account, Some(901)));
                samples.push(("l2-account-storage-proof", s, storage, Some(901)));
            }
        }
        let attributes = serde_json::json!({ "timestamp": "0x1" });
        let text = attributes.to_string().into_bytes();
        let witness = Request::PayloadWitness { parent: hash, attributes: attributes.clone() };
        let name = "l2-payload-witness";
        samples.push((name, join(&[&hash.0, &text]), witness.clone(), None));
        samples.push((name, join(&[&hash.0, &text, &chain]), witness.clone(), Some(901)));
        let mut whole = serde_json::json!(
            { "parentBlockHash": hash, "payloadAttributes": attributes });
        samples.push((name, whole.to_string().into_bytes(), witness.clone(), None));
        for id in [901.into(), "901".into(), "0x385".into()] {
            whole["chainID"] = id;
            let payload = whole.to_string().into_bytes();
            samples.push((name, payload, witness.clone(), Some(901)));
        }
        samples.push(("l2-block-hash-lookup", vec![7; 48], Request::Advice, None));
        samples.push(("l2-block-data", vec![7; 72], Request::Interop, None));
        for name in ["l1-precompile", "l1-precompile-v2"] {
            let request = Request::Precompile { name: name.into(), payload: vec![7; 28] };
            samples.push((name, vec![7; 28], request, None));
        }
        samples
    }

    #[test]
    fn every_payload_of_every_program_is_read() {
        let samples = samples();
        for (name, payload, request, chain_id) in &samples {
            let (_, routed) = Routed::parse(&Hint::encode(name, payload)).unwrap();
            assert_eq!((&routed.request, &routed.chain_id), (request, chain_id), "{name}");
        }
        for (name, ..) in ROUTES {
            assert!(samples.iter().any(|(sample, ..)| *sample == name), "{name} has no sample");
        }
    }

    #[test]
    fn payloads_of_other_lengths_are_refused() {
        for (name, payload, ..) in samples() {
            let lengths = match ROUTES.iter().find(|(known, ..)| *known == name) {
                Some((_, Lengths::Exactly(lengths), _)) => *lengths,
                _ => continue,
            };
            for length in (0..=100).filter(|length| !lengths.contains(length)) {
                let payload: Vec<u8> = payload.iter().copied().cycle().take(length).collect();
                let error = Routed::parse(&Hint::encode(name, &payload)).unwrap_err();
                assert!(matches!(error, HintError::Length { .. }), "{name} {length}: {error}");
            }
        }
    }

    #[test]
    fn payload_witnesses_that_are_none() {
        let hash = [7; 32];
        let check = |payload: &[u8]| {
            let error = Routed::parse(&Hint::encode("l2-payload-witness", payload)).unwrap_err();
            assert!(matches!(error, HintError::Content { .. }), "{error}");
        };
        check(&[7; 31]);
        check(&hash);
        check(&[&hash[..], b"{"].concat());
        check(&[&hash[..], b"[]"].concat());
        check(&[&hash[..], b"{}", &[0; 7]].concat());
        check(b"{\"parentBlockHash\": \"0x07\", \"payloadAttributes\": {}}");
    }

    /// A hash whose first byte opens an object is a hash all the same.
    #[test]
    fn a_parent_hash_may_begin_with_a_brace() {
        let payload = [&[b'{'; 32][..], b"{}"].concat();
        let (_, routed) = Routed::parse(&Hint::encode("l2-payload-witness", &payload)).unwrap();
        let parent = B256::repeat_byte(b'{');
        let attributes = serde_json::json!({});
        assert_eq!(routed.request, Request::PayloadWitness { parent, attributes });
    }
}
