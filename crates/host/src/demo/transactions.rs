//! The transactions of the demo block.

use super::{CHAIN_ID, contracts, genesis};
use alloy_consensus::{Header, SignableTransaction, Signed, TxEip1559, TxEip2930, TxLegacy};
use alloy_eips::{
    Encodable2718,
    eip2930::{AccessList, AccessListItem},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, hex, keccak256};
use k256::ecdsa::SigningKey;
use op_alloy_consensus::TxDeposit;
use rebut_execution::PayloadAttributes;

/// Who sends the deposit of L1 attributes.
const DEPOSITOR: Address = address!("DeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001");
/// An account that does not exist before the block.
const NEWCOMER: Address = address!("000000000000000000000000000000006e657700");
/// `setL1BlockValuesJovian`.
const L1_ATTRIBUTES_SELECTOR: [u8; 4] = hex!("3db6be2b");

const GWEI: u128 = 1_000_000_000;

/// Someone with a key that is no secret.
#[derive(Clone, Copy)]
pub(super) struct User(&'static str);

const ALICE: User = User("alice");
const BOB: User = User("bob");
const CAROL: User = User("carol");
pub(super) const USERS: [User; 3] = [ALICE, BOB, CAROL];

impl User {
    fn key(self) -> SigningKey {
        let seed = keccak256(["rebut demo block: ", self.0].concat());
        // A hash is a valid key unless it is 0 or above the group's order, which these are not.
        SigningKey::from_slice(seed.as_slice()).expect("a hash below the order of the group")
    }

    pub(super) fn address(self) -> Address {
        Address::from_public_key(self.key().verifying_key())
    }

    fn sign(self, hash: B256) -> Signature {
        let signed = self.key().sign_prehash_recoverable(hash.as_slice());
        signed.expect("a 32-byte hash can be signed").into()
    }

    fn transaction<T>(self, transaction: T) -> Bytes
    where
        T: SignableTransaction<Signature>,
        Signed<T>: Encodable2718,
    {
        let signature = self.sign(transaction.signature_hash());
        transaction.into_signed(signature).encoded_2718().into()
    }
}

/// What the demo block is built from.
pub(super) fn attributes(parent: &Header) -> PayloadAttributes {
    PayloadAttributes {
        timestamp: parent.timestamp + 2,
        prev_randao: keccak256("rebut demo block: randao"),
        suggested_fee_recipient: genesis::SEQUENCER_FEES,
        gas_limit: genesis::GAS_LIMIT,
        parent_beacon_block_root: Some(keccak256("rebut demo block: beacon root")),
        // Zero: the chain's own parameters.
        eip_1559_params: Some([0; 8]),
        min_base_fee: Some(0),
        transactions: transactions(parent.timestamp),
    }
}

fn transactions(l1_timestamp: u64) -> Vec<Bytes> {
    vec![
        l1_attributes(l1_timestamp),
        deposit(),
        ALICE.transaction(transfer(0, BOB.address(), 1)),
        ALICE.transaction(transfer(1, NEWCOMER, 2)),
        BOB.transaction(workshop_call()),
        CAROL.transaction(creation()),
        CAROL.transaction(withdrawal()),
    ]
}

fn l1_hash() -> B256 {
    keccak256("rebut demo block: L1 origin")
}

/// The deposit that begins every block.
fn l1_attributes(l1_timestamp: u64) -> Bytes {
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let input = [
        &L1_ATTRIBUTES_SELECTOR[..],
        // Scalars of base fee and blob base fee, then the sequence number.
        &5227_u32.to_be_bytes(),
        &1_014_213_u32.to_be_bytes(),
        &0_u64.to_be_bytes(),
        &l1_timestamp.to_be_bytes(),
        &1_u64.to_be_bytes(),
        &word(3_000_000_000),
        &word(11),
        l1_hash().as_slice(),
        Address::with_last_byte(0xba).into_word().as_slice(),
        // Operator fee scalar and constant, then the footprint scalar.
        &1000_u32.to_be_bytes(),
        &500_u64.to_be_bytes(),
        &400_u16.to_be_bytes(),
    ]
    .concat();
    // Source domain 1: L1 attributes, numbered within their L1 block.
    let within = keccak256([l1_hash(), contracts::slot(0)].concat());
    TxDeposit {
        source_hash: keccak256([contracts::slot(1), within].concat()),
        from: DEPOSITOR,
        to: TxKind::Call(genesis::L1_BLOCK),
        mint: 0,
        value: U256::ZERO,
        gas_limit: 1_000_000,
        is_system_transaction: false,
        input: input.into(),
    }
    .encoded_2718()
    .into()
}

/// A user deposits from L1.
fn deposit() -> Bytes {
    // Source domain 0: user deposits, numbered by the log in their L1 block.
    let within = keccak256([l1_hash(), contracts::slot(3)].concat());
    TxDeposit {
        source_hash: keccak256([contracts::slot(0), within].concat()),
        from: CAROL.address(),
        to: TxKind::Call(BOB.address()),
        mint: 5 * GWEI,
        value: U256::from(3 * GWEI),
        gas_limit: 50_000,
        is_system_transaction: false,
        input: Bytes::new(),
    }
    .encoded_2718()
    .into()
}

fn transfer(nonce: u64, to: Address, gwei: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 3 * GWEI,
        max_priority_fee_per_gas: GWEI / 1000,
        to: TxKind::Call(to),
        value: U256::from(gwei) * U256::from(GWEI),
        access_list: AccessList::default(),
        input: Bytes::new(),
    }
}

/// Generators of both bn254 groups, as the pairing takes them.
const G1: [u8; 64] = hex!(
    "0000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000002"
);
const G1_NEGATED: [u8; 64] = hex!(
    "0000000000000000000000000000000000000000000000000000000000000001"
    "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45"
);
const G2: [u8; 128] = hex!(
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
);

/// Lets the workshop recover Carol from a signature and check a pairing that holds.
fn workshop_call() -> TxEip2930 {
    let message = keccak256("rebut demo block: a message");
    let signature = CAROL.sign(message);
    let v = U256::from(27 + u64::from(signature.v()));
    let input = [
        message.as_slice(),
        &v.to_be_bytes::<32>(),
        &signature.r().to_be_bytes::<32>(),
        &signature.s().to_be_bytes::<32>(),
        &G1,
        &G2,
        &G1_NEGATED,
        &G2,
    ]
    .concat();
    let listed = AccessListItem {
        address: genesis::WORKSHOP,
        storage_keys: vec![contracts::slot(0), contracts::slot(4)],
    };
    TxEip2930 {
        chain_id: CHAIN_ID,
        nonce: 0,
        gas_price: 3 * GWEI,
        gas_limit: 400_000,
        to: TxKind::Call(genesis::WORKSHOP),
        value: U256::ZERO,
        access_list: AccessList(vec![listed]),
        input: input.into(),
    }
}

/// The deposit before has already used Carol's first nonce.
fn creation() -> TxLegacy {
    TxLegacy {
        chain_id: Some(CHAIN_ID),
        nonce: 1,
        gas_price: 2 * GWEI,
        gas_limit: 200_000,
        to: TxKind::Create,
        value: U256::ZERO,
        input: contracts::creation().into(),
    }
}

fn withdrawal() -> TxEip1559 {
    TxEip1559 {
        gas_limit: 100_000,
        input: Bytes::from_static(b"to whom it may concern on L1"),
        ..transfer(2, genesis::MESSAGE_PASSER, 4)
    }
}
