//! The L2 chain, made from payload attributes by an engine that executes nothing: a block's header
//! depends on its attributes, and what marks a transaction as bad makes its block invalid.

use crate::{
    parameters::{BASE_FEE, Parameters, Upgrade},
    user_transaction::POISON,
};
use alloy_consensus::Header;
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use op_alloy_consensus::OpTxEnvelope;

/// Payload attributes as either library gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// In seconds.
    pub timestamp: u64,
    /// Randomness of the origin.
    pub prev_randao: B256,
    /// The beneficiary.
    pub fee_recipient: Address,
    /// Gas limit.
    pub gas_limit: u64,
    /// From Ecotone on.
    pub parent_beacon_block_root: Option<B256>,
    /// From Holocene on: denominator and elasticity.
    pub eip_1559_params: Option<[u8; 8]>,
    /// All transactions.
    pub transactions: Vec<Bytes>,
}

/// Where a block stands between L1 blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the origin.
    pub origin_number: u64,
    /// Hash of the origin.
    pub origin_hash: B256,
    /// Blocks with this origin before.
    pub sequence_number: u64,
}

/// A block.
#[derive(Clone, Debug)]
pub struct L2Block {
    /// The header.
    pub header: Header,
    /// Its hash.
    pub hash: B256,
    /// Between L1 blocks.
    pub place: Place,
    /// All transactions; none for a block of the sequencer, which is only predicted, and genesis.
    pub transactions: Vec<Bytes>,
}

impl L2Block {
    /// The transactions that are no deposits.
    pub fn user_transactions(&self) -> impl Iterator<Item = &Bytes> {
        user_transactions(&self.transactions)
    }
}

/// The transactions that are no deposits.
pub fn user_transactions(transactions: &[Bytes]) -> impl Iterator<Item = &Bytes> {
    transactions.iter().filter(|bytes| bytes.first() != Some(&0x7e))
}

/// The first block.
pub fn genesis(parameters: &Parameters) -> L2Block {
    let (number, hash) = parameters.genesis_l1;
    let place = Place { origin_number: number, origin_hash: hash, sequence_number: 0 };
    let config = parameters.genesis_config;
    let extra_data = config.eip_1559.map(extra_data).unwrap_or_default();
    block(0, B256::ZERO, parameters.genesis_time, config.gas_limit, extra_data, place, &[])
}

/// What Holocene headers carry.
pub fn extra_data((denominator, elasticity): (u32, u32)) -> Bytes {
    let mut out = vec![0];
    out.extend(denominator.to_be_bytes());
    out.extend(elasticity.to_be_bytes());
    out.into()
}

/// The block of these properties. Deposits leave no trace in it: they follow from the place.
pub fn block(
    number: u64,
    parent_hash: B256,
    timestamp: u64,
    gas_limit: u64,
    extra_data: Bytes,
    place: Place,
    user_transactions: &[Bytes],
) -> L2Block {
    let mut state = place.origin_hash.to_vec();
    state.extend(place.sequence_number.to_be_bytes());
    for transaction in user_transactions {
        state.extend(keccak256(transaction));
    }
    let header = Header {
        number,
        parent_hash,
        timestamp,
        gas_limit,
        extra_data,
        state_root: keccak256(state),
        ..Default::default()
    };
    L2Block { hash: header.hash_slow(), header, place, transactions: Vec::new() }
}

/// Builds a block, `None` if the payload is invalid.
pub fn build(
    parameters: &Parameters,
    parent: &L2Block,
    attributes: &Attributes,
) -> Option<L2Block> {
    let user: Vec<Bytes> = user_transactions(&attributes.transactions).cloned().collect();
    if !user.iter().all(is_executable) {
        return None;
    }
    let extra_data = match attributes.eip_1559_params {
        None => Bytes::new(),
        Some(params) if params == [0; 8] => extra_data((BASE_FEE.2, BASE_FEE.0)),
        Some(params) => [&[0], &params[..]].concat().into(),
    };
    let place = place(attributes.transactions.first().expect("attributes start with a deposit"));
    let number = parent.header.number + 1;
    let mut block = block(
        number,
        parent.hash,
        attributes.timestamp,
        attributes.gas_limit,
        extra_data,
        place,
        &user,
    );
    debug_assert!(
        parameters.is_active(Upgrade::Holocene, attributes.timestamp)
            || block.header.extra_data.is_empty()
    );
    block.transactions.clone_from(&attributes.transactions);
    Some(block)
}

/// Whether the engine would run it.
fn is_executable(transaction: &Bytes) -> bool {
    let poisoned = transaction.windows(POISON.len()).any(|window| window == POISON);
    let mut rest = transaction.as_ref();
    let canonical = OpTxEnvelope::decode_2718(&mut rest)
        .is_ok_and(|decoded| rest.is_empty() && decoded.encoded_2718() == transaction.as_ref());
    canonical && !poisoned
}

/// Reads the place from the L1 attributes deposit.
pub fn place(deposit: &Bytes) -> Place {
    let mut rest = deposit.as_ref();
    let OpTxEnvelope::Deposit(deposit) =
        OpTxEnvelope::decode_2718(&mut rest).expect("attributes start with a deposit")
    else {
        panic!("attributes start with another transaction");
    };
    let input = &deposit.input;
    let number = |at: usize| u64::from_be_bytes(input[at..at + 8].try_into().expect("eight bytes"));
    let hash = |at: usize| B256::from_slice(&input[at..at + 32]);
    match input[..4] {
        // Eight words after the selector.
        [0x01, 0x5d, 0x8e, 0xb9] => Place {
            origin_number: number(4 + 24),
            origin_hash: hash(4 + 3 * 32),
            sequence_number: number(4 + 4 * 32 + 24),
        },
        _ => {
            Place { origin_number: number(28), origin_hash: hash(100), sequence_number: number(12) }
        }
    }
}
