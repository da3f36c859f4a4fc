//! Large preimage proposals from recorded inputs: the contract's sponge agrees with the recorded states after every
//! block, and what is squeezed is the input's key.

use crate::call;
use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use rebut_contracts::bindings::PreimageOracle;
use rebut_contracts::{CallError, Chain, Revert};
use serde::Deserialize;

const CLAIMANT: Address = address!("00000000000000000000000000000000000c1a13");
const CHALLENGER: Address = address!("0000000000000000000000000000000000c4a113");
const BOND: u128 = 250_000_000_000_000_000;
const PERIOD: u64 = 100;
const START: u64 = 1_700_000_000;
const BLOCK: usize = 136;

/// One recorded input.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recording {
    #[serde(deserialize_with = "base64")]
    input: Vec<u8>,
    /// The state before the first block, and after each.
    commitments: Vec<B256>,
    /// The last two blocks with their padding; the first of them is zero where there is one only.
    #[serde(deserialize_with = "base64")]
    prestate_leaf: Vec<u8>,
    #[serde(deserialize_with = "base64")]
    poststate_leaf: Vec<u8>,
}

fn base64<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(serde::de::Error::custom("not base64")),
        };
        (bits, count) = ((bits << 6) | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Ok(bytes)
}

fn recordings() -> Option<Vec<Recording>> {
    let file = rebut_recordings::read("keccak/commitments.json")?;
    Some(serde_json::from_slice(&file).expect("recordings"))
}

/// A proposal with its blocks and the states claimed after them.
struct Proposal {
    blocks: Vec<Vec<u8>>,
    claimed: Vec<B256>,
}

impl Proposal {
    fn new(recording: &Recording) -> Self {
        let mut padded = recording.input.clone();
        padded.push(1);
        padded.resize(padded.len().next_multiple_of(BLOCK), 0);
        *padded.last_mut().expect("a block") |= 0x80;
        let blocks: Vec<_> = padded.chunks(BLOCK).map(<[u8]>::to_vec).collect();
        Self { blocks, claimed: recording.commitments[1..].to_vec() }
    }

    fn leaf(&self, index: usize) -> PreimageOracle::Leaf {
        PreimageOracle::Leaf {
            input: self.blocks[index].clone().into(),
            index: U256::from(index),
            stateCommitment: self.claimed[index],
        }
    }

    fn node(&self, index: usize, level: usize) -> B256 {
        if (index << level) >= self.blocks.len() {
            return (0..level).fold(B256::ZERO, |node, _| keccak256((node, node).abi_encode()));
        }
        if level == 0 {
            let index_word = U256::from(index).to_be_bytes::<32>();
            return keccak256(
                [&self.blocks[index], &index_word[..], &self.claimed[index][..]].concat(),
            );
        }
        keccak256(
            (self.node(2 * index, level - 1), self.node(2 * index + 1, level - 1)).abi_encode(),
        )
    }

    fn proof(&self, index: usize) -> Vec<B256> {
        (0..16).map(|level| self.node((index >> level) ^ 1, level)).collect()
    }
}

/// The lanes after each block, by an independent sponge: the one state that a recording does not hold.
fn lanes(proposal: &Proposal) -> Vec<PreimageOracle::StateMatrix> {
    let mut state = [0_u64; 25];
    let absorb = |block: &Vec<u8>| {
        for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
            *lane ^= u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
        }
        keccak_f(&mut state);
        PreimageOracle::StateMatrix { state }
    };
    proposal.blocks.iter().map(absorb).collect()
}

/// The permutation after its definition: constants from the shift register, rotations from the walk over the lanes.
fn keccak_f(a: &mut [u64; 25]) {
    let mut register = 1_u32;
    for _ in 0..24 {
        let column =
            |a: &[u64; 25], x: usize| (0..5).fold(0, |parity, y| parity ^ a[x % 5 + 5 * y]);
        let before = *a;
        for (i, lane) in a.iter_mut().enumerate() {
            *lane ^= column(&before, i + 4) ^ column(&before, i + 1).rotate_left(1);
        }
        let before = *a;
        let (mut x, mut y) = (1, 0);
        for t in 0..24_u32 {
            let next = (2 * x + 3 * y) % 5;
            a[y + 5 * next] = before[x + 5 * y].rotate_left(((t + 1) * (t + 2) / 2) % 64);
            (x, y) = (y, next);
        }
        let before = *a;
        for (i, lane) in a.iter_mut().enumerate() {
            let row = i / 5 * 5;
            *lane = before[i] ^ (!before[row + (i + 1) % 5] & before[row + (i + 2) % 5]);
        }
        for j in 0..7 {
            a[0] ^= u64::from(register & 1) << ((1 << j) - 1);
            register = if register & 0x80 == 0 { register << 1 } else { (register << 1) ^ 0x171 };
        }
    }
}

struct Oracle {
    chain: Chain,
    at: Address,
}

impl Oracle {
    /// An oracle that takes proposals of any size.
    fn new() -> Self {
        let mut chain = Chain::new();
        chain.set_block(1, START);
        let arguments = (U256::from(1), U256::from(PERIOD)).abi_encode();
        let at = chain.deploy(CHALLENGER, &PreimageOracle::BYTECODE, &arguments).expect("deploys");
        Self { chain, at }
    }

    fn propose(&mut self, uuid: u64, input: &[u8], proposal: &Proposal) {
        let init = PreimageOracle::initLPPCall {
            _uuid: U256::from(uuid),
            _partOffset: 8,
            _claimedSize: input.len() as u32,
        };
        call(&mut self.chain, CLAIMANT, self.at, BOND, &init);
        let leaves = PreimageOracle::addLeavesLPPCall {
            _uuid: U256::from(uuid),
            _inputStartBlock: U256::ZERO,
            _input: Bytes::copy_from_slice(input),
            _stateCommitments: proposal.claimed.clone(),
            _finalize: true,
        };
        call(&mut self.chain, CLAIMANT, self.at, 0, &leaves);
    }

    /// The reason why a challenge of the state after block `index` is refused; none where it succeeds.
    fn challenge(&mut self, uuid: u64, index: usize, proposal: &Proposal) -> Option<CallError> {
        let uuid = U256::from(uuid);
        let (leaf, proof) = (proposal.leaf(index), proposal.proof(index));
        let data = match index.checked_sub(1) {
            None => PreimageOracle::challengeFirstLPPCall {
                _claimant: CLAIMANT,
                _uuid: uuid,
                _postState: leaf,
                _postStateProof: proof,
            }
            .abi_encode(),
            Some(before) => PreimageOracle::challengeLPPCall {
                _claimant: CLAIMANT,
                _uuid: uuid,
                _stateMatrix: lanes(proposal)[before].clone(),
                _preState: proposal.leaf(before),
                _preStateProof: proposal.proof(before),
                _postState: leaf,
                _postStateProof: proof,
            }
            .abi_encode(),
        };
        self.chain.transact_raw(CHALLENGER, self.at, U256::ZERO, data.into()).err()
    }
}

#[test]
fn recorded_states_stand_and_others_fall() {
    let Some(recordings) = recordings() else { return };
    assert!(recordings.len() >= 26, "recordings");
    let mut oracle = Oracle::new();
    for (number, recording) in recordings.iter().enumerate() {
        let right = Proposal::new(recording);
        assert_eq!(right.blocks.len(), right.claimed.len(), "blocks");
        assert_eq!(right.blocks.last(), Some(&recording.poststate_leaf), "padding");
        if let Some(before) = right.blocks.len().checked_sub(2) {
            assert_eq!(right.blocks[before], recording.prestate_leaf, "the block before the last");
        }
        let uuid = 2 * number as u64;
        oracle.propose(uuid, &recording.input, &right);
        // All of a short one, some of a long one.
        let stride = right.blocks.len().div_ceil(10);
        for index in (0..right.blocks.len()).step_by(stride) {
            let reason = oracle.challenge(uuid, index, &right);
            let stands = CallError::Revert(Revert::Named("PostStateMatches"));
            assert_eq!(reason, Some(stands), "input {number}, {index}");
        }

        let mut wrong = right;
        let index = number % wrong.blocks.len();
        wrong.claimed[index].0[31] ^= 1;
        oracle.propose(uuid + 1, &recording.input, &wrong);
        assert_eq!(oracle.challenge(uuid + 1, index, &wrong), None, "input {number}, {index}");
    }
}

#[test]
fn recorded_inputs_become_preimages() {
    let Some(recordings) = recordings() else { return };
    let mut oracle = Oracle::new();
    for (number, recording) in recordings.iter().enumerate() {
        let proposal = Proposal::new(recording);
        let Some(before) = proposal.blocks.len().checked_sub(2) else { continue };
        oracle.propose(number as u64, &recording.input, &proposal);
        oracle.chain.set_block(2 + number as u64, START + (number as u64 + 1) * (PERIOD + 1));
        let last = before + 1;
        let squeeze = PreimageOracle::squeezeLPPCall {
            _claimant: CLAIMANT,
            _uuid: U256::from(number),
            _stateMatrix: lanes(&proposal)[before].clone(),
            _preState: proposal.leaf(before),
            _preStateProof: proposal.proof(before),
            _postState: proposal.leaf(last),
            _postStateProof: proposal.proof(last),
        };
        call(&mut oracle.chain, CHALLENGER, oracle.at, 0, &squeeze);

        let mut key = keccak256(&recording.input);
        key[0] = 2;
        let read = PreimageOracle::readPreimageCall { _key: key, _offset: U256::from(8) };
        let part = call(&mut oracle.chain, CHALLENGER, oracle.at, 0, &read);
        assert_eq!(part.dat_, B256::from_slice(&recording.input[..32]), "input {number}");
        assert_eq!(part.datLen_, U256::from(32), "input {number}");
    }
}
