//! Batches against a writer that follows the tables of the specification field by field.

use super::*;
use crate::fixtures::{GENESIS_TIME, config, forks_up_to};
use alloc::vec;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, FixedBytes, Signature, TxKind, U256, hex};
use alloy_rlp::Header;
use proptest::prelude::*;
use rebut_execution::Fork;

/// A transaction by its fields, whatever its form.
#[derive(Clone, Debug)]
struct Fields {
    /// 0, 1, 2 or 4.
    kind: u8,
    protected: bool,
    nonce: u64,
    gas: u64,
    to: Option<Address>,
    value: U256,
    prices: [u128; 2],
    data: Bytes,
    access_list: AccessList,
    authorizations: Vec<SignedAuthorization>,
    odd_y: bool,
    r: U256,
    s: U256,
}

fn chain() -> RollupConfig {
    config(forks_up_to(Fork::Karst))
}

impl Fields {
    /// The EIP-2718 form, by alloy's types.
    fn envelope(&self, chain_id: u64) -> Bytes {
        let Self { nonce, gas: gas_limit, value, prices: [fee, tip], .. } = *self;
        let input = self.data.clone();
        let access_list = self.access_list.clone();
        let to = self.to.map_or(TxKind::Create, TxKind::Call);
        let signature = Signature::new(self.r, self.s, self.odd_y);
        let envelope: TxEnvelope = match self.kind {
            0 => {
                let chain_id = self.protected.then_some(chain_id);
                TxLegacy { chain_id, nonce, gas_price: fee, gas_limit, to, value, input }
                    .into_signed(signature)
                    .into()
            }
            1 => TxEip2930 {
                chain_id,
                nonce,
                gas_price: fee,
                gas_limit,
                to,
                value,
                access_list,
                input,
            }
            .into_signed(signature)
            .into(),
            2 => TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to,
                value,
                access_list,
                input,
            }
            .into_signed(signature)
            .into(),
            _ => TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: fee,
                max_priority_fee_per_gas: tip,
                to: self.to.unwrap_or_default(),
                value,
                access_list,
                authorization_list: self.authorizations.clone(),
                input,
            }
            .into_signed(signature)
            .into(),
        };
        envelope.encoded_2718().into()
    }

    /// The element of the column `tx_datas`.
    fn data(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        self.value.encode(&mut fields);
        if self.kind >= 2 {
            self.prices[1].encode(&mut fields);
        }
        self.prices[0].encode(&mut fields);
        self.data.encode(&mut fields);
        if self.kind >= 1 {
            self.access_list.encode(&mut fields);
        }
        if self.kind == 4 {
            self.authorizations.encode(&mut fields);
        }
        let mut out = if self.kind == 0 { vec![] } else { vec![self.kind] };
        Header { list: true, payload_length: fields.len() }.encode(&mut out);
        out.extend(fields);
        out
    }
}

fn leb128(out: &mut Vec<u8>, value: u64) {
    let digits = (0..10).map(|i| (u128::from(value) >> (7 * i)) as u8 & 0x7f).collect::<Vec<_>>();
    let last = digits.iter().rposition(|digit| *digit != 0).unwrap_or(0);
    out.extend(digits[..last].iter().map(|digit| digit | 0x80));
    out.push(digits[last]);
}

/// A big-endian integer as wide as the list of bits needs.
fn bit_list(out: &mut Vec<u8>, bits: impl IntoIterator<Item = bool>) {
    let bits = bits.into_iter().collect::<Vec<_>>();
    let mut bytes = vec![0; bits.len().div_ceil(8)];
    let end = bytes.len();
    for index in bits.iter().enumerate().filter_map(|(index, bit)| bit.then_some(index)) {
        bytes[end - 1 - index / 8] |= 1 << (index % 8);
    }
    out.extend(bytes);
}

/// A span by what its bytes say.
#[derive(Clone, Debug)]
struct Span {
    relative_timestamp: u64,
    last_origin: u64,
    blocks: Vec<(bool, Vec<Fields>)>,
}

impl Span {
    fn bytes(&self) -> Vec<u8> {
        let mut out = vec![1];
        leb128(&mut out, self.relative_timestamp);
        leb128(&mut out, self.last_origin);
        out.extend([0xaa; 20]);
        out.extend([0xbb; 20]);
        leb128(&mut out, self.blocks.len() as u64);
        bit_list(&mut out, self.blocks.iter().map(|block| block.0));
        self.blocks.iter().for_each(|block| leb128(&mut out, block.1.len() as u64));
        let txs = self.blocks.iter().flat_map(|block| &block.1).collect::<Vec<_>>();
        bit_list(&mut out, txs.iter().map(|tx| tx.to.is_none()));
        bit_list(&mut out, txs.iter().map(|tx| tx.odd_y));
        for tx in &txs {
            out.extend(tx.r.to_be_bytes::<32>());
            out.extend(tx.s.to_be_bytes::<32>());
        }
        txs.iter().filter_map(|tx| tx.to).for_each(|to| out.extend(to));
        txs.iter().for_each(|tx| out.extend(tx.data()));
        txs.iter().for_each(|tx| leb128(&mut out, tx.nonce));
        txs.iter().for_each(|tx| leb128(&mut out, tx.gas));
        bit_list(&mut out, txs.iter().filter(|tx| tx.kind == 0).map(|tx| tx.protected));
        out
    }

    fn batch(&self, chain: &RollupConfig) -> Batch {
        let changes = self.blocks[1..].iter().filter(|block| block.0).count() as u64;
        let mut epoch_number = self.last_origin - changes;
        let mut blocks = Vec::new();
        for (index, (changes_origin, txs)) in self.blocks.iter().enumerate() {
            epoch_number += u64::from(index > 0 && *changes_origin);
            blocks.push(SpanBlock {
                epoch_number,
                timestamp: GENESIS_TIME + self.relative_timestamp + 2 * index as u64,
                transactions: txs.iter().map(|tx| tx.envelope(chain.chain.chain_id)).collect(),
            });
        }
        Batch::Span(SpanBatch {
            parent_check: FixedBytes([0xaa; 20]),
            l1_origin_check: FixedBytes([0xbb; 20]),
            starts_epoch: self.blocks[0].0,
            blocks,
        })
    }
}

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn word() -> impl Strategy<Value = U256> {
    (any::<[u8; 32]>(), 0..32_usize)
        .prop_map(|(bytes, shift)| U256::from_be_bytes(bytes) >> (8 * shift))
}

fn access_list() -> impl Strategy<Value = AccessList> {
    let item = (any::<[u8; 20]>(), prop::collection::vec(any::<[u8; 32]>(), 0..3)).prop_map(
        |(address, keys)| AccessListItem {
            address: address.into(),
            storage_keys: keys.into_iter().map(B256::from).collect(),
        },
    );
    prop::collection::vec(item, 0..3).prop_map(AccessList)
}

fn authorizations() -> impl Strategy<Value = Vec<SignedAuthorization>> {
    let one = (word(), any::<[u8; 20]>(), any::<u64>(), any::<u8>(), word(), word()).prop_map(
        |(chain_id, address, nonce, parity, r, s)| {
            let authorization = Authorization { chain_id, address: address.into(), nonce };
            SignedAuthorization::new_unchecked(authorization, parity, r, s)
        },
    );
    prop::collection::vec(one, 0..3)
}

prop_compose! {
    fn fields()(
        kind in prop::sample::select(vec![0_u8, 1, 2, 4]),
        protected in any::<bool>(),
        nonce in any::<u64>(),
        gas in any::<u64>(),
        to in any::<Option<[u8; 20]>>(),
        value in word(),
        prices in any::<[u128; 2]>(),
        data in bytes(80),
        access_list in access_list(),
        authorizations in authorizations(),
        odd_y in any::<bool>(),
        (r, s) in (word(), word()),
    ) -> Fields {
        let to = match to {
            None if kind == 4 => Some(Address::ZERO),
            to => to.map(Address::from),
        };
        Fields {
            kind, protected, nonce, gas, to, value, prices, data, access_list, authorizations, odd_y, r, s,
        }
    }
}

fn span() -> impl Strategy<Value = Span> {
    let block = (any::<bool>(), prop::collection::vec(fields(), 0..4));
    (0..1_u64 << 40, 100..u64::MAX, prop::collection::vec(block, 1..20)).prop_map(
        |(relative_timestamp, last_origin, blocks)| Span {
            relative_timestamp,
            last_origin,
            blocks,
        },
    )
}

fn singular() -> impl Strategy<Value = SingularBatch> {
    let transactions = prop::collection::vec(bytes(100), 0..4);
    (any::<[u8; 32]>(), any::<u64>(), any::<[u8; 32]>(), any::<u64>(), transactions).prop_map(
        |(parent, epoch_number, epoch, timestamp, transactions)| SingularBatch {
            parent_hash: parent.into(),
            epoch_number,
            epoch_hash: epoch.into(),
            timestamp,
            transactions,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn span_batches_decode_to_their_blocks_and_back(span in span()) {
        let chain = chain();
        let bytes = span.bytes();
        let batch = Batch::decode(&bytes, &chain).unwrap();
        prop_assert_eq!(&batch, &span.batch(&chain));
        prop_assert_eq!(batch.encode(&chain).unwrap(), bytes);
    }

    #[test]
    fn a_span_batch_cut_short_is_refused(span in span(), at in any::<prop::sample::Index>()) {
        let bytes = span.bytes();
        prop_assert!(Batch::decode(&bytes[..at.index(bytes.len())], &chain()).is_err());
    }

    #[test]
    fn singular_batches_survive_a_round_trip(batch in singular()) {
        let chain = chain();
        let mut content = Vec::new();
        batch.parent_hash.encode(&mut content);
        batch.epoch_number.encode(&mut content);
        batch.epoch_hash.encode(&mut content);
        batch.timestamp.encode(&mut content);
        batch.transactions.encode(&mut content);
        let mut bytes = vec![0];
        Header { list: true, payload_length: content.len() }.encode(&mut bytes);
        bytes.extend(content);
        let batch = Batch::Singular(batch);
        prop_assert_eq!(batch.encode(&chain).unwrap(), bytes.clone());
        prop_assert_eq!(Batch::decode(&bytes, &chain).unwrap(), batch);
    }

    /// What still decodes after a change must come out of the writer as something that decodes to the
    /// same: no change makes reader and writer disagree, and none makes them panic.
    #[test]
    fn changed_bytes_never_panic(
        span in span(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let chain = chain();
        let mut bytes = span.bytes();
        for (index, value) in changes {
            *index.get_mut(&mut bytes[..]) = value;
        }
        if let Ok(batch) = Batch::decode(&bytes, &chain) {
            let again = batch.encode(&chain).unwrap();
            prop_assert_eq!(Batch::decode(&again, &chain).unwrap(), batch);
        }
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..200), version in 0..3_u8) {
        bytes.insert(0, version);
        let _ = Batch::decode(&bytes, &chain());
    }
}

fn check(bytes: &[u8], expected: BatchError) {
    assert_eq!(Batch::decode(bytes, &chain()).unwrap_err(), expected);
}

/// A span's prefix, block count and what follows.
fn span_with(block_count: u64, rest: &[u8]) -> Vec<u8> {
    let mut out = vec![1, 0, 9];
    out.extend([0; 40]);
    leb128(&mut out, block_count);
    out.extend(rest);
    out
}

/// A span of one block with one transaction of this data, its nonce and gas, and `rest`.
fn span_with_data(creation: u8, data: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 1, creation, 0];
    body.extend([1; 64]);
    if creation == 0 {
        body.extend([7; 20]);
    }
    body.extend(data);
    body.extend(rest);
    span_with(1, &body)
}

fn check_data(creation: u8, data: &[u8], error: TransactionError) {
    let bytes = span_with_data(creation, data, &[0, 0, 0]);
    check(&bytes, BatchError::Transaction { index: 0, error });
}

#[test]
fn batches_of_no_known_form_are_refused() {
    check(&[], BatchError::Empty);
    check(&[2], BatchError::Version(2));
    check(&[0xff, 0], BatchError::Version(0xff));
    check(&[0], BatchError::Singular(alloy_rlp::Error::InputTooShort));
    check(&[0, 0x80], BatchError::Singular(alloy_rlp::Error::UnexpectedString));
}

#[test]
fn integers_have_64_bits() {
    // 2^64 - 1, then one bit more, then a tenth byte that goes on.
    let mut largest = vec![1];
    largest.extend([0xff; 9]);
    check(&[&largest[..], &[1]].concat(), BatchError::Truncated("L1 origin"));
    check(&[&largest[..], &[2]].concat(), BatchError::Integer("timestamp"));
    check(&[&largest[..], &[0x81]].concat(), BatchError::Integer("timestamp"));
    check(&[1, 0x80], BatchError::Truncated("timestamp"));
}

/// As in protobuf, where the format of integers comes from.
#[test]
fn integers_need_not_be_minimal() {
    let mut bytes = span_with(1, &[0, 0x80, 0x00]);
    bytes[1] = 0x82;
    bytes.insert(2, 0x00);
    let Batch::Span(batch) = Batch::decode(&bytes, &chain()).unwrap() else { panic!() };
    assert_eq!(batch.blocks[0].timestamp, GENESIS_TIME + 2);
}

#[test]
fn counts_are_limited_before_anything_is_allocated() {
    check(&span_with(0, &[]), BatchError::NoBlocks);
    check(&span_with(10_000_001, &[]), BatchError::TooMany("blocks"));
    check(&span_with(u64::MAX, &[]), BatchError::TooMany("blocks"));
    check(&span_with(10_000_000, &[0; 100]), BatchError::Truncated("origin bits"));
    check(&span_with(10_000_000, &[0; 1_250_000]), BatchError::Truncated("transactions"));
    // 10,000,000 transactions in one block, one more in the other.
    let mut counts = vec![0];
    leb128(&mut counts, 10_000_000);
    check(&span_with(1, &counts), BatchError::Truncated("contract creation bits"));
    counts.push(1);
    check(&span_with(2, &counts), BatchError::TooMany("transactions"));
    let mut counts = vec![0];
    leb128(&mut counts, 10_000_001);
    check(&span_with(1, &counts), BatchError::TooMany("transactions"));
}

#[test]
fn bits_beyond_a_list_are_refused() {
    check(&span_with(1, &[0b10, 0]), BatchError::Bits("origin bits"));
    check(&span_with(9, &[0b10, 0, 0]), BatchError::Bits("origin bits"));
    check(&span_with(1, &[0, 1, 0b10]), BatchError::Bits("contract creation bits"));
    check(&span_with(1, &[0, 1, 0, 0b10]), BatchError::Bits("parity bits"));
    let legacy = [0xc3, 0x80, 0x80, 0x80];
    check(&span_with_data(1, &legacy, &[0, 0, 2]), BatchError::Bits("protected bits"));
    check(&span_with_data(1, &legacy, &[0, 0]), BatchError::Truncated("protected bits"));
    // A list of no bits takes no byte, and what follows the batch does not matter.
    assert!(Batch::decode(&span_with(1, &[0, 0]), &chain()).is_ok());
    assert!(Batch::decode(&span_with_data(1, &legacy, &[0, 0, 1, 0xff]), &chain()).is_ok());
}

#[test]
fn data_that_is_no_list_behind_a_type_spoils_the_channel() {
    let check = |data: &[u8], error| {
        let error = BatchError::TransactionData { index: 0, error: TransactionError::Rlp(error) };
        assert!(!error.spares_channel());
        super::tests::check(&span_with_data(0, data, &[0, 0, 0]), error);
    };
    check(&[0x83, 1, 2, 3], alloy_rlp::Error::UnexpectedString);
    check(&[2, 0x80], alloy_rlp::Error::UnexpectedString);
    check(&[3, 0x80], alloy_rlp::Error::UnexpectedString);
    check(&[0xf8, 55], alloy_rlp::Error::NonCanonicalSize);
}

/// The columns are whole, so that what follows the batch in its channel can be read.
#[test]
fn malformed_transactions_spoil_their_batch_alone() {
    use TransactionError::{Creation, Rlp, Type};
    use alloy_rlp::Error;
    // Unknown types, deposits and blobs among them. Type 0 has a protected bit.
    for unknown in [0, 3, 5, 0x7d, 0x7e, 0x7f] {
        check_data(0, &[unknown, 0xc0], Type(unknown));
    }
    // Too few fields, too many, and leading zeros.
    check_data(0, &[0xc2, 0x80, 0x80], Rlp(Error::InputTooShort));
    check_data(0, &[0xc4, 0x80, 0x80, 0x80, 0x80], Rlp(Error::UnexpectedLength));
    check_data(0, &[0xc4, 0x00, 0x80, 0x80, 0x80], Rlp(Error::LeadingZero));
    check_data(0, &[0xc5, 0x82, 0x00, 0x01, 0x80, 0x80], Rlp(Error::LeadingZero));
    // Type 1 with an access list that is a string; type 4 that creates a contract.
    check_data(0, &[1, 0xc4, 0x80, 0x80, 0x80, 0x80], Rlp(Error::UnexpectedString));
    check_data(1, &[4, 0xc6, 0x80, 0x80, 0x80, 0x80, 0xc0, 0xc0], Creation);
    assert!(BatchError::Transaction { index: 0, error: Creation }.spares_channel());
    // What follows the columns is missing.
    let legacy = span_with_data(0, &[0, 0xc0], &[0, 0]);
    check(&legacy, BatchError::Truncated("protected bits"));
    check(&span_with_data(0, &[3, 0xc0], &[0]), BatchError::Truncated("gas limits"));
}

/// A number of 33 bytes, which no account can have, is a matter of execution. Only transactions that
/// set code have numbers of 32 bytes at most.
#[test]
fn numbers_may_have_more_than_256_bits() {
    let long = [&[0xa1, 1][..], &[0; 32]].concat();
    let list = |kind: Option<u8>, fields: &[&[u8]]| {
        let fields = fields.concat();
        let mut out = Vec::from_iter(kind);
        Header { list: true, payload_length: fields.len() }.encode(&mut out);
        [out, fields].concat()
    };
    let empty: &[u8] = &[0x80];
    for data in [
        list(None, &[&long, empty, empty]),
        list(None, &[empty, &long, empty]),
        list(Some(1), &[&long, &long, empty, &[0xc0]]),
        list(Some(2), &[&long, &long, &long, empty, &[0xc0]]),
    ] {
        let bytes = span_with_data(0, &data, &[0, 0, 0]);
        let Batch::Span(batch) = Batch::decode(&bytes, &chain()).unwrap() else { panic!() };
        let transaction = &batch.blocks[0].transactions[0];
        assert!(transaction.windows(long.len()).any(|window| window == long));
    }
    for position in 0..3 {
        let mut fields = [empty, empty, empty, empty, &[0xc0], &[0xc0]];
        fields[position] = &long;
        let error = TransactionError::Rlp(alloy_rlp::Error::Overflow);
        check_data(0, &list(Some(4), &fields), error);
    }
}

#[test]
fn the_data_of_a_transaction_is_limited() {
    let data = |length: usize| {
        let mut fields = vec![0x80, 0x80];
        Header { list: false, payload_length: length }.encode(&mut fields);
        fields.resize(fields.len() + length, 0);
        let mut out = Vec::new();
        Header { list: true, payload_length: fields.len() }.encode(&mut out);
        out.extend(fields);
        out
    };
    // Two headers of 4 bytes and two fields of one.
    let longest = data(10_000_000 - 10);
    assert_eq!(longest.len(), 10_000_000);
    assert!(Batch::decode(&span_with_data(0, &longest, &[0, 0, 0]), &chain()).is_ok());
    let error = BatchError::TransactionData { index: 0, error: TransactionError::TooLong };
    check(&span_with_data(0, &data(10_000_000 - 9), &[0, 0, 0]), error);
}

/// One block, one unprotected legacy transaction, laid out by hand.
#[test]
fn a_span_batch_byte_by_byte() {
    let bytes = hex!(
        "01" "0a" "8102"                                // span, 10 s after genesis, L1 origin 257
        "1111111111111111111111111111111111111111"
        "2222222222222222222222222222222222222222"
        "01" "01" "01"                                  // one block, starts an epoch, one transaction
        "00" "01"                                       // no creation, odd y
        "0000000000000000000000000000000000000000000000000000000000000003"
        "0000000000000000000000000000000000000000000000000000000000000400"
        "3333333333333333333333333333333333333333"
        "c5" "05" "06" "82" "abcd"                      // value 5, gas price 6, data
        "07" "8852"                                     // nonce 7, gas 10504
        "00"
    );
    let Batch::Span(batch) = Batch::decode(&bytes, &chain()).unwrap() else { panic!() };
    let transaction = hex!(
        "e3" "07" "06" "822908" "943333333333333333333333333333333333333333" "05" "82abcd"
        "1c" "03" "820400"
    );
    let block = SpanBlock {
        epoch_number: 257,
        timestamp: GENESIS_TIME + 10,
        transactions: vec![transaction.into()],
    };
    let expected = SpanBatch {
        parent_check: FixedBytes([0x11; 20]),
        l1_origin_check: FixedBytes([0x22; 20]),
        starts_epoch: true,
        blocks: vec![block],
    };
    assert_eq!(batch, expected);
    assert_eq!(Batch::Span(batch).encode(&chain()).unwrap(), bytes);
}

/// Numbers that no block has wrap around instead of being refused: the rules of validity decide.
#[test]
fn origins_before_the_first_and_times_beyond_the_last_wrap_around() {
    let mut bytes = vec![1];
    leb128(&mut bytes, u64::MAX - GENESIS_TIME);
    leb128(&mut bytes, 0);
    bytes.extend([0; 40]);
    bytes.extend([2, 0b10, 0, 0]);
    let Batch::Span(batch) = Batch::decode(&bytes, &chain()).unwrap() else { panic!() };
    let blocks = batch.blocks.iter().map(|block| (block.epoch_number, block.timestamp));
    assert_eq!(blocks.collect::<Vec<_>>(), [(u64::MAX, u64::MAX), (0, 1)]);
    assert_eq!(Batch::Span(batch).encode(&chain()).unwrap(), bytes);
}

#[test]
fn what_is_no_span_cannot_be_written() {
    let check = |change: fn(&mut SpanBatch), expected| {
        let block = |i: u64| SpanBlock {
            epoch_number: 5 + i,
            timestamp: 2_000 + 2 * i,
            transactions: vec![],
        };
        let mut batch = SpanBatch {
            parent_check: FixedBytes::ZERO,
            l1_origin_check: FixedBytes::ZERO,
            starts_epoch: false,
            blocks: vec![block(0), block(1)],
        };
        change(&mut batch);
        assert_eq!(Batch::Span(batch).encode(&chain()).unwrap_err(), expected);
    };
    check(|batch| batch.blocks.clear(), SpanEncodeError::NoBlocks);
    check(|batch| batch.blocks[1].timestamp += 1, SpanEncodeError::Time { index: 1 });
    check(|batch| batch.blocks[1].epoch_number = 7, SpanEncodeError::Origin { index: 1 });
    check(|batch| batch.blocks[1].epoch_number = 4, SpanEncodeError::Origin { index: 1 });
}

#[test]
fn transactions_that_no_span_can_hold_cannot_be_written() {
    let check = |bytes: &[u8], error| {
        let mut batch = SpanBatch::from_singular(&[SingularBatch::default()], true).unwrap();
        batch.blocks[0].transactions.push(Bytes::copy_from_slice(bytes));
        let expected = SpanEncodeError::Transaction { index: 0, error };
        assert_eq!(Batch::Span(batch).encode(&chain()).unwrap_err(), expected);
    };
    let legacy = |v: &[u8]| {
        let fields = [&[0x80; 6][..], v, &[1, 1]].concat();
        [&[0xc0 + fields.len() as u8][..], &fields].concat()
    };
    check(&[], TransactionError::Rlp(alloy_rlp::Error::InputTooShort));
    check(&[0x7e, 0xc0], TransactionError::Type(0x7e));
    check(&[3, 0xc0], TransactionError::Type(3));
    // v = 35 + 2 * 902, and one that is no v at all.
    check(&legacy(&[0x82, 0x07, 0x2f]), TransactionError::ChainId);
    check(&legacy(&[29]), TransactionError::ChainId);
    // Chain 902 of type 1; a parity of 2; type 4 without a recipient; bytes after the end.
    check(&hex!("01cd820386 808080808080 c0 800101"), TransactionError::ChainId);
    check(&hex!("01cd820385 808080808080 c0 020101"), TransactionError::Parity);
    check(&hex!("04cf820385 80808080808080 c0c0 800101"), TransactionError::Creation);
    check(
        &[legacy(&[27]), vec![0]].concat(),
        TransactionError::Rlp(alloy_rlp::Error::UnexpectedLength),
    );
}
