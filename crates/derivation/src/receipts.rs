//! Events of one contract in the receipts of an L1 block.
//!
//! Receipts are fetched only where the bloom filter of the block may hold the event: it has no false
//! negatives. Whatever cannot be the event is skipped without being read.
//!
//! ```text
//!   receipt   [type] ++ rlp([status, cumulative gas, bloom, [log, ...]])
//!   log       [address, [topic, ...], data]
//! ```
//!
//! Invariant: logs are numbered through the whole block, whatever their contract.
//!
//! Specification: "On Future-Proof Transaction Log Derivation".

use crate::{CriticalError, L1Source, PipelineError};
use alloc::vec::Vec;
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{Address, B256, Bloom, BloomInput, Bytes};
use alloy_rlp::{Decodable, Header as RlpHeader};

/// Transaction types whose receipts are read as far as they look familiar.
const FUTURE_TYPES: core::ops::RangeInclusive<u8> = 0x05..=0x7d;

/// Which events to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventFilter {
    contract: Address,
    topic: B256,
    bloom: Bloom,
}

/// An event of the contract that was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its place among all logs of the block.
    pub(crate) log_index: u64,
    /// At least one: the event's own.
    pub(crate) topics: Vec<B256>,
    pub(crate) data: Bytes,
}

impl EventFilter {
    /// Events of `contract` whose first topic is `topic`.
    pub(crate) fn new(contract: Address, topic: B256) -> Self {
        let mut bloom = Bloom::ZERO;
        bloom.accrue(BloomInput::Raw(contract.as_slice()));
        bloom.accrue(BloomInput::Raw(topic.as_slice()));
        Self { contract, topic, bloom }
    }

    /// The events in the transactions of an L1 block that succeeded.
    pub(crate) fn events<S: L1Source>(
        &self,
        block: &Sealed<Header>,
        l1: &mut S,
    ) -> Result<Vec<Event>, PipelineError<S::Error>> {
        if !block.logs_bloom.contains(&self.bloom) {
            return Ok(Vec::new());
        }
        let mut search = Search { filter: self, log_index: 0, found: Vec::new() };
        let receipts = l1.receipts(block).map_err(PipelineError::Source)?;
        let mut transactions = None;
        for (index, receipt) in receipts.iter().enumerate() {
            match receipt.first() {
                Some(0xc0..=0xfe | 1..=4 | 0x7e) => search
                    .receipt(receipt)
                    .map_err(|_| CriticalError::Receipt { block: block.number, index })?,
                Some(kind) if FUTURE_TYPES.contains(kind) => {
                    let transactions = match &transactions {
                        Some(transactions) => transactions,
                        None => transactions
                            .insert(l1.transactions(block).map_err(PipelineError::Source)?),
                    };
                    let transaction = transactions.get(index).and_then(|bytes| bytes.first());
                    if transaction == Some(kind) {
                        search.future_receipt(receipt);
                    }
                }
                _ => {}
            }
        }
        Ok(search.found)
    }
}

/// A search through the receipts of a block, in order.
struct Search<'a> {
    filter: &'a EventFilter,
    log_index: u64,
    found: Vec<Event>,
}

impl Search<'_> {
    /// A receipt that is as good as absent if it cannot be read to its end.
    fn future_receipt(&mut self, receipt: &Bytes) {
        let (log_index, found) = (self.log_index, self.found.len());
        if self.receipt(receipt).is_err() {
            self.log_index = log_index;
            self.found.truncate(found);
        }
    }

    fn receipt(&mut self, receipt: &Bytes) -> alloy_rlp::Result<()> {
        let kind = receipt.first().copied().unwrap_or_default();
        let mut rest = receipt.get(usize::from(kind < 0xc0)..).unwrap_or_default();
        let mut fields = RlpHeader::decode_bytes(&mut rest, true)?;
        let succeeded = bool::decode(&mut fields)?;
        u64::decode(&mut fields)?;
        Bloom::decode(&mut fields)?;
        let mut logs = RlpHeader::decode_bytes(&mut fields, true)?;
        // The receipts of deposits, on an L1 that is itself a rollup, go on with nonce and version.
        if !rest.is_empty() || !(fields.is_empty() || kind == 0x7e) {
            return Err(alloy_rlp::Error::UnexpectedLength);
        }
        while !logs.is_empty() {
            let log = RlpHeader::decode_bytes(&mut logs, true)?;
            let event = self.log(receipt, log)?;
            self.found.extend(event.filter(|_| succeeded));
            self.log_index += 1;
        }
        Ok(())
    }

    fn log(&self, receipt: &Bytes, mut log: &[u8]) -> alloy_rlp::Result<Option<Event>> {
        let contract = Address::decode(&mut log)?;
        let mut rest = RlpHeader::decode_bytes(&mut log, true)?;
        let data = RlpHeader::decode_bytes(&mut log, false)?;
        if !log.is_empty() {
            return Err(alloy_rlp::Error::UnexpectedLength);
        }
        if contract != self.filter.contract {
            return Ok(None);
        }
        let mut topics = Vec::with_capacity(4);
        while !rest.is_empty() {
            topics.push(B256::decode(&mut rest)?);
        }
        Ok((topics.first() == Some(&self.filter.topic)).then(|| Event {
            log_index: self.log_index,
            topics,
            data: receipt.slice_ref(data),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory_l1::{MemoryL1, Missing, future_receipt, log, receipt};
    use alloy_primitives::Log;

    const CONTRACT: Address = Address::repeat_byte(0xcc);
    const TOPIC: B256 = B256::repeat_byte(0x70);

    /// The event, with a number to tell it from others.
    fn event(number: u8) -> Log {
        log(CONTRACT, &[TOPIC, B256::repeat_byte(number)], [number; 3])
    }

    fn search(l1: &mut MemoryL1) -> Result<Vec<(u64, u8)>, PipelineError<Missing>> {
        let block = l1.blocks[0].header.clone();
        let events = EventFilter::new(CONTRACT, TOPIC).events(&block, l1)?;
        Ok(events
            .into_iter()
            .map(|event| {
                assert_eq!(event.data.len(), 3);
                assert_eq!(event.topics, [TOPIC, B256::repeat_byte(event.data[0])]);
                (event.log_index, event.data[0])
            })
            .collect())
    }

    fn block(receipts: Vec<Bytes>, first_bytes: &[u8]) -> MemoryL1 {
        let mut l1 = MemoryL1::default();
        let transactions = first_bytes.iter().map(|byte| Bytes::from([*byte, 0xc0])).collect();
        l1.push(0, transactions, receipts, &[event(0)]);
        l1
    }

    /// Receipts, the first bytes of the transactions, and the place and number of each event found.
    fn check(receipts: Vec<Bytes>, first_bytes: &[u8], expected: &[(u64, u8)]) {
        assert_eq!(search(&mut block(receipts, first_bytes)).unwrap(), expected);
    }

    #[test]
    fn events_are_found_in_receipts_of_every_type() {
        for kind in 0..=4 {
            check([receipt(kind, true, &[event(7)])].into(), &[], &[(0, 7)]);
        }
    }

    #[test]
    fn logs_are_numbered_through_the_block() {
        let other = log(Address::repeat_byte(1), &[TOPIC], [1]);
        let nothing = log(CONTRACT, &[], [1]);
        let wrong = log(CONTRACT, &[B256::ZERO, TOPIC], [1]);
        check(
            [
                receipt(0, true, &[other.clone(), event(1), nothing]),
                receipt(2, true, &[]),
                receipt(3, true, &[wrong, event(2), event(3), other]),
            ]
            .into(),
            &[],
            &[(1, 1), (4, 2), (5, 3)],
        );
    }

    #[test]
    fn events_of_failed_transactions_do_not_count() {
        check(
            [receipt(2, false, &[event(1)]), receipt(2, true, &[event(2)])].into(),
            &[],
            &[(1, 2)],
        );
    }

    #[test]
    fn receipts_are_read_only_where_the_bloom_filter_may_hold_the_event() {
        for (logged, reads) in [
            (&[][..], 0),
            (&[log(Address::repeat_byte(1), &[TOPIC], [])], 0),
            (&[log(CONTRACT, &[B256::repeat_byte(1)], [])], 0),
            (&[event(1)], 1),
            // Both bits, by two events that are none: the filter only says maybe.
            (&[log(Address::repeat_byte(1), &[TOPIC], []), log(CONTRACT, &[], [])], 1),
        ] {
            let mut l1 = MemoryL1::default();
            l1.push(0, Vec::new(), Vec::new(), logged);
            assert_eq!(search(&mut l1), Ok(Vec::new()));
            assert_eq!(l1.reads, (reads, 0), "{logged:?}");
        }
    }

    #[test]
    fn receipts_of_future_types_are_read_as_far_as_they_look_familiar() {
        let known = receipt(2, true, &[event(1)]);
        for kind in [0x05, 0x40, 0x7d] {
            let future = future_receipt(kind, &[event(2)]);
            let mut broken = future.to_vec();
            broken.push(0);
            // Read; of another type than the transaction; cut or continued; and what follows counts on.
            check([future.clone(), known.clone()].into(), &[kind, 2], &[(0, 2), (1, 1)]);
            check([future.clone(), known.clone()].into(), &[kind + 1, 2], &[(0, 1)]);
            check([future.clone(), known.clone()].into(), &[], &[(0, 1)]);
            check([broken.into(), known.clone()].into(), &[kind, 2], &[(0, 1)]);
            check([Bytes::from([kind]), known.clone()].into(), &[kind, 2], &[(0, 1)]);
        }
        for kind in [0x00, 0x7f, 0x80, 0xbf, 0xff] {
            check([future_receipt(kind, &[event(2)]), known.clone()].into(), &[kind, 2], &[(0, 1)]);
        }
    }

    #[test]
    fn what_a_future_receipt_holds_before_it_breaks_does_not_count() {
        // Of its two logs the second is a string instead of a list.
        let mut future = future_receipt(5, &[event(2), log(Address::ZERO, &[], [])]).to_vec();
        let last_log = future.len() - 24;
        assert_eq!(future[last_log], 0xd7);
        future[last_log] = 0x97;
        check([future.into(), receipt(2, true, &[event(1)])].into(), &[5, 2], &[(0, 1)]);
    }

    #[test]
    fn transactions_are_read_only_for_future_types() {
        let mut l1 = block([receipt(2, true, &[event(1)])].into(), &[2]);
        search(&mut l1).unwrap();
        assert_eq!(l1.reads, (1, 0));
        let mut l1 = block([future_receipt(5, &[]), future_receipt(6, &[])].into(), &[5, 6]);
        search(&mut l1).unwrap();
        assert_eq!(l1.reads, (1, 1));
    }

    #[test]
    fn a_malformed_receipt_of_a_known_type_is_an_error() {
        let good = receipt(2, true, &[event(1)]);
        for length in 1..good.len() {
            let mut l1 = block([good.clone(), good.slice(..length)].into(), &[]);
            let error = CriticalError::Receipt { block: 0, index: 1 };
            assert_eq!(search(&mut l1), Err(error.into()), "{length}");
        }
        let mut longer = good.to_vec();
        longer.push(0);
        assert!(search(&mut block([longer.into()].into(), &[])).is_err());
        // A status that is neither 0 nor 1: it stands behind the type and a prefix of three bytes.
        let mut status = good.to_vec();
        assert_eq!((status[1], status[4]), (0xf9, 1));
        status[4] = 2;
        assert!(search(&mut block([status.into()].into(), &[])).is_err());
    }

    #[test]
    fn a_missing_block_is_the_error_of_the_source() {
        let mut l1 = block(Vec::new(), &[]);
        let header = l1.blocks.remove(0).header;
        let error = EventFilter::new(CONTRACT, TOPIC).events(&header, &mut l1).unwrap_err();
        assert_eq!(error, PipelineError::Source(Missing::Block(header.hash())));
    }
}
