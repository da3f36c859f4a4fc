//! L1 retrieval: what the batcher put into an L1 block.
//!
//! Most transactions of a block have nothing to do with the chain, so each is read only up to its
//! recipient first.
//!
//! Specification: "L1 Retrieval"; Ecotone, "Blob Retrieval".

use crate::{CriticalError, L1Source, PipelineError, RollupConfig, decode_blob};
use alloc::vec::Vec;
use alloy_consensus::{EthereumTxEnvelope, Header, Sealed, Transaction, TxEip4844};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, Bytes};
use alloy_rlp::Header as RlpHeader;
use op_alloy_consensus::TxDeposit;
use rebut_execution::Fork;

/// A transaction of L1 as blocks hold it: without its blobs.
type L1Transaction = EthereumTxEnvelope<TxEip4844>;

/// The type of deposits, on an L1 that is itself a rollup: their sender needs no signature.
const DEPOSIT: u8 = 0x7e;

/// The data of the transactions in which `batcher` sent batches, in their order.
///
/// A blob that carries no data is left out.
pub(crate) fn batcher_data<S: L1Source>(
    config: &RollupConfig,
    block: &Sealed<Header>,
    batcher: Address,
    l1: &mut S,
) -> Result<Vec<Bytes>, PipelineError<S::Error>> {
    let has_blobs = config.is_active(Fork::Ecotone, block.timestamp);
    let transactions = l1.transactions(block).map_err(PipelineError::Source)?;
    let mut data = Vec::new();
    for (index, bytes) in transactions.iter().enumerate() {
        let malformed = CriticalError::Transaction { block: block.number, index };
        if recipient(bytes).map_err(|_| malformed.clone())? != Some(config.batch_inbox) {
            continue;
        }
        if bytes.first() == Some(&DEPOSIT) {
            let deposit = TxDeposit::decode_2718_exact(bytes).map_err(|_| malformed)?;
            data.extend((deposit.from == batcher).then_some(deposit.input));
            continue;
        }
        let transaction = L1Transaction::decode_2718_exact(bytes).map_err(|_| malformed)?;
        if sender(&transaction, l1).map_err(PipelineError::Source)? != Some(batcher) {
            continue;
        }
        match &transaction {
            L1Transaction::Eip4844(blobs) if has_blobs => {
                for hash in &blobs.tx().blob_versioned_hashes {
                    let blob = l1.blob(block, *hash).map_err(PipelineError::Source)?;
                    data.extend(decode_blob(&blob));
                }
            }
            _ => data.push(transaction.input().clone()),
        }
    }
    Ok(data)
}

/// Whom a transaction is sent to. `None` for creations, and for types that never carry batches.
fn recipient(transaction: &[u8]) -> alloy_rlp::Result<Option<Address>> {
    let (mut rest, fields_before) = match transaction {
        // nonce, gas price, gas limit
        [0xc0..=0xfe, ..] => (transaction, 3),
        // chain id, nonce, gas price, gas limit
        [1, rest @ ..] => (rest, 4),
        // chain id, nonce, two prices, gas limit
        [2 | 3, rest @ ..] => (rest, 5),
        // source, sender
        [DEPOSIT, rest @ ..] => (rest, 2),
        _ => return Ok(None),
    };
    let mut fields = RlpHeader::decode_bytes(&mut rest, true)?;
    for _ in 0..fields_before {
        RlpHeader::decode_bytes(&mut fields, false)?;
    }
    let recipient = RlpHeader::decode_bytes(&mut fields, false)?;
    Ok(Address::try_from(recipient).ok())
}

/// Who signed a transaction, if its signature is valid.
fn sender<S: L1Source>(
    transaction: &L1Transaction,
    l1: &mut S,
) -> Result<Option<Address>, S::Error> {
    let signature = transaction.signature();
    // The higher of the two possible values of s is for the precompile alone (EIP-2).
    if signature.normalize_s().is_some() {
        return Ok(None);
    }
    let mut input = [0; 128];
    let (words, _) = input.as_chunks_mut::<32>();
    if let [hash, v, r, s] = words {
        *hash = transaction.signature_hash().0;
        v[31] = 27 + u8::from(signature.v());
        *r = signature.r().to_be_bytes();
        *s = signature.s().to_be_bytes();
    }
    l1.ecrecover(&input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        blob::BlobError,
        fixtures::config_at,
        memory_l1::{MemoryL1, Missing, key, signed},
    };
    use alloc::boxed::Box;
    use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
    use alloy_primitives::{B256, Signature, TxKind, U256};

    const ECOTONE: u64 = 1000;

    fn rules() -> RollupConfig {
        config_at(&[(Fork::Ecotone, ECOTONE)])
    }

    fn to_inbox() -> TxKind {
        TxKind::Call(rules().batch_inbox)
    }

    fn input(number: u8) -> Bytes {
        Bytes::from([number; 3])
    }

    fn legacy(number: u8, to: TxKind) -> Bytes {
        signed(TxLegacy { to, input: input(number), ..TxLegacy::default() }, &key(1).0)
    }

    fn with_blobs(hashes: &[B256]) -> Bytes {
        let transaction = TxEip4844 {
            to: rules().batch_inbox,
            input: input(0xbb),
            blob_versioned_hashes: hashes.to_vec(),
            ..TxEip4844::default()
        };
        signed(transaction, &key(1).0)
    }

    /// A blob that carries one byte.
    fn blob(data: u8) -> Box<[u8; 131_072]> {
        let mut blob = Box::new([0; 131_072]);
        (blob[4], blob[5]) = (1, data);
        blob
    }

    fn retrieve(
        l1: &mut MemoryL1,
        timestamp: u64,
        transactions: &[Bytes],
    ) -> Result<Vec<Bytes>, PipelineError<Missing>> {
        let block = l1.push(timestamp, transactions.to_vec(), Vec::new(), &[]);
        batcher_data(&rules(), &block, key(1).1, l1)
    }

    /// What the batcher's transactions carry, each by its repeated byte.
    fn check(transactions: &[Bytes], expected: &[u8]) {
        for timestamp in [0, ECOTONE] {
            let data = retrieve(&mut MemoryL1::default(), timestamp, transactions).unwrap();
            assert_eq!(data, expected.iter().map(|number| input(*number)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn calldata_of_the_batcher_is_read_in_order_and_of_every_type() {
        let (batcher, _) = key(1);
        let to = to_inbox();
        let protected = TxLegacy { chain_id: Some(1), to, input: input(2), ..TxLegacy::default() };
        check(
            &[
                legacy(1, to),
                signed(protected, &batcher),
                signed(TxEip2930 { to, input: input(3), ..TxEip2930::default() }, &batcher),
                signed(TxEip1559 { to, input: input(4), ..TxEip1559::default() }, &batcher),
            ],
            &[1, 2, 3, 4],
        );
    }

    #[test]
    fn transactions_of_others_to_others_and_of_other_types_are_left_out() {
        let to = to_inbox();
        let of_another = TxEip1559 { to, input: input(2), ..TxEip1559::default() };
        let set_code =
            TxEip7702 { to: rules().batch_inbox, input: input(3), ..TxEip7702::default() };
        check(
            &[
                legacy(1, to),
                signed(of_another, &key(2).0),
                signed(set_code, &key(1).0),
                legacy(4, TxKind::Create),
                legacy(5, TxKind::Call(Address::ZERO)),
                // What does not exist yet.
                Bytes::from_static(&[0x05, 0xc0]),
                legacy(6, to),
            ],
            &[1, 6],
        );
    }

    #[test]
    fn deposits_of_the_batcher_count_where_l1_is_a_rollup() {
        let deposit = |from, to, number| -> Bytes {
            let deposit = TxDeposit { from, to, input: input(number), ..TxDeposit::default() };
            alloy_eips::eip2718::Encodable2718::encoded_2718(&deposit).into()
        };
        let batcher = key(1).1;
        check(
            &[
                deposit(batcher, to_inbox(), 1),
                deposit(key(2).1, to_inbox(), 2),
                deposit(batcher, TxKind::Create, 3),
                deposit(batcher, TxKind::Call(batcher), 4),
                legacy(5, to_inbox()),
            ],
            &[1, 5],
        );
    }

    #[test]
    fn the_higher_value_of_s_is_no_signature() {
        let bytes = legacy(1, to_inbox());
        let transaction = L1Transaction::decode_2718_exact(&bytes).unwrap();
        let order = U256::from_str_radix(
            "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
            16,
        )
        .unwrap();
        let low = transaction.signature();
        let high = Signature::new(low.r(), order - low.s(), !low.v());
        assert_eq!(
            high.recover_address_from_prehash(&transaction.signature_hash()).unwrap(),
            key(1).1,
            "the precompile would take it",
        );
        let L1Transaction::Legacy(legacy) = transaction else { panic!("not a legacy transaction") };
        use alloy_consensus::SignableTransaction;
        use alloy_eips::eip2718::Encodable2718;
        let forged: L1Transaction = legacy.strip_signature().into_signed(high).into();
        check(&[bytes, forged.encoded_2718().into()], &[1]);
    }

    #[test]
    fn blobs_replace_the_calldata_from_ecotone_on() {
        let hashes = [1, 2, 3].map(B256::repeat_byte);
        let mut l1 = MemoryL1::default();
        l1.blobs.extend(hashes.map(|hash| (hash, blob(hash[0]))));
        let transactions = [legacy(7, to_inbox()), with_blobs(&hashes), legacy(8, to_inbox())];
        let before = retrieve(&mut l1, ECOTONE - 1, &transactions).unwrap();
        assert_eq!(before, [input(7), input(0xbb), input(8)]);
        let after = retrieve(&mut l1, ECOTONE, &transactions).unwrap();
        assert_eq!(after, [&[7; 3][..], &[1], &[2], &[3], &[8; 3]].map(Bytes::copy_from_slice));
    }

    #[test]
    fn a_blob_that_carries_no_data_is_left_out_alone() {
        let hashes = [1, 2, 3].map(B256::repeat_byte);
        let mut l1 = MemoryL1::default();
        l1.blobs.extend(hashes.map(|hash| (hash, blob(hash[0]))));
        let damaged = l1.blobs.get_mut(&hashes[1]).unwrap();
        damaged[131_071] = 1;
        assert_eq!(decode_blob(damaged), Err(BlobError::Trailing));
        let data = retrieve(&mut l1, ECOTONE, &[with_blobs(&hashes)]).unwrap();
        assert_eq!(data, [[1], [3]].map(Bytes::from));
    }

    #[test]
    fn a_missing_blob_is_the_error_of_the_source() {
        let hash = B256::repeat_byte(1);
        let data = retrieve(&mut MemoryL1::default(), ECOTONE, &[with_blobs(&[hash])]);
        assert_eq!(data, Err(PipelineError::Source(Missing::Blob(hash))));
    }

    #[test]
    fn a_malformed_transaction_is_an_error() {
        let good = legacy(1, to_inbox());
        for length in 1..good.len() {
            let given = [good.clone(), good.slice(..length)];
            let error = CriticalError::Transaction { block: 0, index: 1 };
            let data = retrieve(&mut MemoryL1::default(), 0, &given);
            assert_eq!(data, Err(error.into()), "{length}");
        }
    }
}
