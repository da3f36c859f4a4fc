//! Order, heads and logs.

use super::*;
use crate::l1::{L1, L1Block, L1Receipt};
use alloy_consensus::{Receipt, ReceiptEnvelope, Sealable};
use alloy_primitives::{Bloom, LogData};

const EMITTER: Address = Address::repeat_byte(0xee);

/// A block with one receipt that has a log for each of `topics`.
fn block(number: u64, parent_hash: B256, topics: &[u8]) -> L1Block {
    let log = |topic: &u8| Log {
        address: EMITTER,
        data: LogData::new_unchecked(vec![B256::repeat_byte(*topic)], Bytes::new()),
    };
    let receipt = Receipt { logs: topics.iter().map(log).collect(), ..Receipt::default() };
    let receipt: L1Receipt = ReceiptEnvelope::Eip1559(receipt.with_bloom());
    let logs_bloom: Bloom = *receipt.logs_bloom();
    let header = Header { number, parent_hash, logs_bloom, ..Header::default() };
    Block {
        header: header.seal_slow(),
        transactions: Vec::new(),
        senders: Vec::new(),
        receipts: vec![receipt],
        withdrawals: None,
    }
}

fn ledger(length: u64) -> Ledger<L1> {
    let mut ledger = Ledger::new(block(0, B256::ZERO, &[]));
    for number in 1..length {
        let parent = ledger.latest().hash();
        ledger.append(block(number, parent, &[number as u8, 0xff])).unwrap();
    }
    ledger
}

#[test]
fn blocks_follow_each_other() {
    let mut ledger = ledger(3);
    let parent = ledger.latest().hash();
    let error = ledger.append(block(4, parent, &[])).unwrap_err();
    assert_eq!(error, LedgerError::Number { number: 4, latest: 2 });
    let error = ledger.append(block(3, B256::ZERO, &[])).unwrap_err();
    assert_eq!(error, LedgerError::Parent { number: 3, parent: B256::ZERO, latest: parent });
    assert_eq!(ledger.latest().number(), 2);
}

#[test]
fn heads_keep_their_order() {
    let mut ledger = ledger(10);
    let check = |ledger: &Ledger<L1>, expected: [u64; 3]| {
        let heads = [ledger.latest(), ledger.safe(), ledger.finalized()];
        assert_eq!(heads.map(|head| head.number()), expected);
    };
    check(&ledger, [9, 0, 0]);
    ledger.set_heads(5, 7);
    check(&ledger, [9, 5, 5]);
    ledger.set_heads(20, 2);
    check(&ledger, [9, 9, 2]);
    let removed = ledger.truncate(4);
    assert_eq!(removed.iter().map(|block| block.number()).collect::<Vec<_>>(), [5, 6, 7, 8, 9]);
    check(&ledger, [4, 4, 2]);
    assert!(ledger.by_hash(removed[0].hash()).is_some_and(|block| !ledger.is_canonical(block)));
    ledger.truncate(0);
    check(&ledger, [0, 0, 0]);
    assert!(ledger.truncate(0).is_empty());
}

#[test]
fn logs_are_selected() {
    let ledger = ledger(6);
    let check = |filter: Filter, expected: &[(u64, usize)]| {
        let found = ledger.logs(&filter).unwrap();
        let found: Vec<_> = found.iter().map(|log| (log.block.number(), log.index)).collect();
        assert_eq!(found, expected);
    };
    let all = Filter::new().from_block(0).to_block(100);
    let each = |number: u8| all.clone().event_signature(B256::repeat_byte(number));
    check(each(3), &[(3, 0)]);
    check(each(0xff), &[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
    check(each(0xff).from_block(4), &[(4, 1), (5, 1)]);
    check(each(0xff).select(2..=3), &[(2, 1), (3, 1)]);
    check(each(0xff).address(Address::ZERO), &[]);
    check(Filter::new().address(EMITTER), &[(5, 0), (5, 1)]);
    let hash = ledger.block(2).unwrap().hash();
    check(Filter::new().at_block_hash(hash), &[(2, 0), (2, 1)]);
    check(Filter::new().from_block(6).to_block(9), &[]);
    let reversed = ledger.logs(&Filter::new().from_block(4).to_block(3)).unwrap_err();
    assert_eq!(reversed, LedgerError::Range { from: 4, to: 3 });
    let unknown = ledger.logs(&Filter::new().at_block_hash(B256::ZERO)).unwrap_err();
    assert_eq!(unknown, LedgerError::Unknown);
}
