//! The order of batches, before Holocene and with it, and the blocks that nobody wrote.

use super::{NextBatch, batch_queue::BatchQueue, batch_validator::BatchValidator};
use crate::{
    Batch, BlockId, L1BlockRef, L2BlockRef, PipelineError, ResetError, RollupConfig, SingularBatch,
    SpanBatch, SpanBlock,
    batch::DropReason,
    fixture_chain::{HOLOCENE, L2Chain, l1, l2_chain, safe_head, tx},
};
use alloc::{vec, vec::Vec};
use alloy_primitives::{B256, FixedBytes, keccak256};

enum Stage {
    Queue(BatchQueue),
    Validator(BatchValidator),
}

/// A stage, and the safe chain that grows by what the stage gives.
struct Run {
    config: RollupConfig,
    l2: L2Chain,
    safe: L2BlockRef,
    /// The L1 block that is being read.
    origin: u64,
    stage: Stage,
}

/// A singular batch's time, its epoch and the names of its transactions.
type Block = (u64, u64, Vec<u8>);

impl Run {
    /// Before Holocene, at the safe head's origin and three L1 blocks further.
    fn queue() -> Self {
        let mut run = Self::queue_at(100);
        run.read_until(103);
        run
    }

    fn queue_at(origin: u64) -> Self {
        let (l2, config) = l2_chain();
        let stage = Stage::Queue(BatchQueue::new(l1(origin)));
        Self { config, l2, safe: safe_head(), origin, stage }
    }

    /// The same with Holocene.
    fn validator() -> Self {
        let mut run = Self::queue_at(100);
        run.stage = Stage::Validator(BatchValidator::new(l1(100)));
        run.read_until(103);
        run
    }

    fn read_until(&mut self, number: u64) {
        while self.origin < number {
            self.origin += 1;
            match &mut self.stage {
                Stage::Queue(stage) => stage.origin_advanced(l1(self.origin)),
                Stage::Validator(stage) => stage.origin_advanced(l1(self.origin)),
            }
        }
    }

    fn add(&mut self, batch: impl Into<Batch>) {
        let (batch, mut inclusion) = (batch.into(), l1(self.origin));
        match &mut self.stage {
            Stage::Queue(stage) => {
                inclusion.timestamp = 0;
                stage.add(&self.config, batch, inclusion, &self.safe, &mut self.l2).unwrap();
            }
            Stage::Validator(stage) => {
                inclusion.timestamp = HOLOCENE;
                stage.add(batch, inclusion);
            }
        }
    }

    fn next(&mut self, out_of_data: bool) -> NextBatch {
        self.try_next(out_of_data).unwrap()
    }

    fn try_next(
        &mut self,
        out_of_data: bool,
    ) -> Result<NextBatch, PipelineError<core::convert::Infallible>> {
        match &mut self.stage {
            Stage::Queue(stage) => stage.next(&self.config, &self.safe, out_of_data, &mut self.l2),
            Stage::Validator(stage) => {
                stage.next(&self.config, &self.safe, out_of_data, &mut self.l2)
            }
        }
    }

    /// The next batch becomes the safe head.
    fn build(&mut self, out_of_data: bool) -> (Block, bool) {
        let NextBatch::Ready { batch, concludes } = self.next(out_of_data) else {
            panic!("nothing to build on")
        };
        assert_eq!(batch.parent_hash, self.safe.id.hash);
        assert_eq!(batch.epoch_hash, l1(batch.epoch_number).id.hash);
        self.safe = L2BlockRef {
            id: BlockId { hash: hash_at(batch.timestamp), number: self.safe.id.number + 1 },
            parent_hash: self.safe.id.hash,
            timestamp: batch.timestamp,
            l1_origin: l1(batch.epoch_number).id,
            sequence_number: 0,
        };
        let names = batch.transactions.iter().map(|bytes| bytes[1]).collect();
        ((batch.timestamp, batch.epoch_number, names), concludes)
    }

    #[track_caller]
    fn check(&mut self, expected: Block, concludes: bool) {
        assert_eq!(self.build(false), (expected, concludes));
    }

    #[track_caller]
    fn check_nothing(&mut self) {
        assert_eq!(self.next(false), NextBatch::Nothing);
    }

    #[track_caller]
    fn check_flush(&mut self, reason: DropReason) {
        assert_eq!(self.next(false), NextBatch::Flush(reason));
        self.check_nothing();
    }
}

/// The hash of the block that is built at this time.
fn hash_at(timestamp: u64) -> B256 {
    if timestamp == safe_head().timestamp {
        safe_head().id.hash
    } else {
        keccak256(timestamp.to_be_bytes())
    }
}

impl From<SingularBatch> for Batch {
    fn from(batch: SingularBatch) -> Self {
        Self::Singular(batch)
    }
}

impl From<SpanBatch> for Batch {
    fn from(batch: SpanBatch) -> Self {
        Self::Span(batch)
    }
}

fn singular(timestamp: u64, epoch_number: u64, name: u8) -> SingularBatch {
    SingularBatch {
        parent_hash: hash_at(timestamp - 2),
        epoch_number,
        epoch_hash: l1(epoch_number).id.hash,
        timestamp,
        transactions: vec![tx(name)],
    }
}

/// A span from this time on, one block for each epoch.
fn span(start: u64, parent: B256, epochs: &[u64]) -> SpanBatch {
    let block = |(index, epoch_number): (usize, &u64)| SpanBlock {
        epoch_number: *epoch_number,
        timestamp: start + 2 * index as u64,
        transactions: vec![tx(index as u8)],
    };
    SpanBatch {
        parent_check: FixedBytes::from_slice(&parent[..20]),
        l1_origin_check: FixedBytes::from_slice(&l1(*epochs.last().unwrap()).id.hash[..20]),
        starts_epoch: false,
        blocks: epochs.iter().enumerate().map(block).collect(),
    }
}

#[test]
fn batches_wait_until_their_time_comes() {
    let mut run = Run::queue();
    run.add(singular(1216, 101, 3));
    run.add(singular(1214, 100, 2));
    run.check_nothing();
    run.add(singular(1212, 100, 1));
    run.check((1212, 100, vec![1]), true);
    run.check((1214, 100, vec![2]), true);
    run.check((1216, 101, vec![3]), true);
    run.check_nothing();
}

#[test]
fn the_first_valid_batch_for_a_time_wins() {
    let mut run = Run::queue();
    let mut other = singular(1212, 100, 1);
    other.epoch_hash = B256::ZERO;
    run.add(other);
    run.add(singular(1212, 100, 2));
    run.add(singular(1212, 100, 3));
    run.check((1212, 100, vec![2]), true);
    run.check_nothing();
}

#[test]
fn nothing_overtakes_a_batch_that_cannot_be_decided() {
    let mut run = Run::queue_at(100);
    run.add(singular(1212, 101, 1));
    run.add(singular(1212, 100, 2));
    run.check_nothing();
    run.read_until(101);
    run.check((1212, 101, vec![1]), true);
}

#[test]
fn batches_before_the_safe_heads_origin_are_passed_over() {
    let mut run = Run::queue_at(98);
    run.add(singular(1212, 100, 1));
    run.read_until(99);
    run.add(singular(1212, 100, 1));
    assert_eq!(run.next(true), NextBatch::Nothing);
    run.read_until(101);
    run.check_nothing();
    run.add(singular(1212, 100, 2));
    run.check((1212, 100, vec![2]), true);
}

#[test]
fn a_span_gives_its_blocks_one_by_one() {
    let mut run = Run::queue();
    run.add(span(1212, safe_head().id.hash, &[100, 100, 101]));
    run.check((1212, 100, vec![0]), false);
    run.check((1214, 100, vec![1]), false);
    run.check((1216, 101, vec![2]), true);
    run.check_nothing();
}

#[test]
fn a_span_that_overlaps_gives_its_new_blocks() {
    let mut run = Run::queue();
    let mut batch = span(1210, run.l2.blocks[4].header.hash(), &[100, 101]);
    batch.blocks[0].transactions = vec![tx(5)];
    batch.blocks[1].timestamp = 1212;
    run.add(batch);
    run.check((1212, 101, vec![1]), true);
}

/// The blocks of a span become safe together. If one of them is invalid, the safe head is as it was
/// before the span, and epochs that the span went through are still there for another batch.
#[test]
fn a_span_with_an_invalid_block_leaves_no_trace() {
    let mut run = Run::queue();
    run.add(span(1212, safe_head().id.hash, &[100, 101, 101, 101]));
    run.check((1212, 100, vec![0]), false);
    run.check((1214, 101, vec![1]), false);
    // The block at 1216 turns out invalid.
    assert!(matches!(run.next(false), NextBatch::Ready { concludes: false, .. }));
    run.safe = safe_head();
    run.check_nothing();
    run.add(singular(1212, 100, 7));
    run.check((1212, 100, vec![7]), true);
}

#[test]
fn the_rest_of_a_span_can_be_flushed() {
    let mut run = Run::queue();
    run.add(span(1212, safe_head().id.hash, &[100, 100]));
    run.check((1212, 100, vec![0]), false);
    match &mut run.stage {
        Stage::Queue(stage) => stage.flush(),
        Stage::Validator(_) => unreachable!(),
    }
    run.check_nothing();
}

/// The window of epoch 100 ends with L1 block 110.
fn check_empty_batches(mut run: Run) {
    run.read_until(109);
    assert_eq!(run.next(true), NextBatch::Nothing);
    run.read_until(110);
    // The L1 block may still have a batch.
    run.check_nothing();
    // Epoch 101 begins at 1212, so none is left for epoch 100. The stage moves on, and waits for the
    // end of the window of epoch 101.
    assert_eq!(run.next(true), NextBatch::Nothing);
    assert_eq!(run.next(true), NextBatch::Nothing);
    run.read_until(111);
    let mut times = Vec::new();
    while let NextBatch::Ready { .. } = run.next(true) {
        let ((time, epoch, names), concludes) = run.build(true);
        assert_eq!((epoch, names, concludes), (101, vec![], true));
        times.push(time);
    }
    // Until epoch 102 begins at 1224.
    assert_eq!(times, [1212, 1214, 1216, 1218, 1220, 1222]);
}

#[test]
fn empty_batches_fill_the_gap_when_the_window_is_over() {
    check_empty_batches(Run::queue());
    check_empty_batches(Run::validator());
}

#[test]
fn an_empty_batch_stays_in_its_epoch_until_the_next_begins() {
    for mut run in [Run::queue(), Run::validator()] {
        run.safe.timestamp = 1208;
        run.read_until(110);
        assert_eq!(run.build(true), ((1210, 100, vec![]), true));
        assert_eq!(run.next(true), NextBatch::Nothing);
    }
}

/// L2 is so far behind that every epoch's time has passed.
#[test]
fn every_epoch_has_a_block() {
    for mut run in [Run::queue(), Run::validator()] {
        run.safe.timestamp = 1300;
        run.read_until(110);
        assert_eq!(run.next(true), NextBatch::Nothing);
        run.read_until(111);
        assert_eq!(run.build(true), ((1302, 101, vec![]), true));
        assert_eq!(run.next(true), NextBatch::Nothing);
        run.read_until(112);
        assert_eq!(run.build(true), ((1304, 102, vec![]), true));
    }
}

/// A batch that was accepted here could never become a block, see the rule.
#[test]
fn a_batch_that_skips_the_epoch_that_was_used_up_is_dropped() {
    for mut run in [Run::queue(), Run::validator()] {
        run.safe.timestamp = 1300;
        run.read_until(110);
        assert_eq!(run.next(true), NextBatch::Nothing);
        run.read_until(111);
        let mut batch = singular(1302, 102, 1);
        batch.parent_hash = run.safe.id.hash;
        run.add(batch);
        let next = run.next(false);
        let flush = NextBatch::Flush(DropReason::EpochSkips);
        assert_eq!(
            next,
            if matches!(run.stage, Stage::Queue(_)) { NextBatch::Nothing } else { flush }
        );
        assert_eq!(run.build(true), ((1302, 101, vec![]), true));
    }
}

#[test]
fn a_safe_head_of_another_l1_chain_resets_the_pipeline() {
    for mut run in [Run::queue(), Run::validator()] {
        run.safe.l1_origin.hash = B256::ZERO;
        let expected = ResetError::Origin { origin: l1(100).id, parent_origin: run.safe.l1_origin };
        assert_eq!(run.try_next(true).unwrap_err(), PipelineError::Reset(expected));
    }
}

#[test]
fn with_holocene_batches_come_in_order() {
    let mut run = Run::validator();
    run.add(singular(1212, 100, 1));
    run.check((1212, 100, vec![1]), true);
    run.check_nothing();
    run.add(singular(1214, 101, 2));
    run.check((1214, 101, vec![2]), true);
    // One from the past is passed over, one from the future spoils its channel and is not kept.
    run.add(singular(1214, 101, 3));
    run.check_nothing();
    run.add(singular(1218, 101, 4));
    run.check_flush(DropReason::Future);
    run.add(singular(1216, 101, 5));
    run.check((1216, 101, vec![5]), true);
    run.check_nothing();
}

#[test]
fn with_holocene_an_invalid_batch_spoils_its_channel() {
    let mut run = Run::validator();
    let mut batch = singular(1212, 100, 1);
    batch.parent_hash = B256::ZERO;
    run.add(batch);
    run.check_flush(DropReason::Parent);
}

#[test]
fn with_holocene_a_span_is_valid_up_to_its_first_invalid_block() {
    let mut run = Run::validator();
    let mut batch = span(1212, safe_head().id.hash, &[100, 100, 101]);
    batch.blocks[1].transactions.push(vec![0x7e].into());
    run.add(batch);
    run.check((1212, 100, vec![0]), true);
    run.check_flush(DropReason::Deposit);
}

#[test]
fn with_holocene_an_overlap_is_not_compared() {
    let mut run = Run::validator();
    run.add(span(1208, run.l2.blocks[3].header.hash(), &[100, 100, 100, 101]));
    run.check((1212, 100, vec![2]), true);
    run.check((1214, 101, vec![3]), true);
    run.check_nothing();
}

/// The origin of the block after the safe head is wrong in a way that no rule for the whole sees.
#[test]
fn with_holocene_blocks_with_impossible_origins_spoil_the_channel() {
    // Before the safe head's origin.
    let mut run = Run::validator();
    run.add(span(1208, run.l2.blocks[3].header.hash(), &[99, 99, 99, 100]));
    run.check_flush(DropReason::EpochOld);
    // Two after it.
    let mut run = Run::validator();
    run.add(span(1208, run.l2.blocks[3].header.hash(), &[100, 101, 102]));
    run.check_flush(DropReason::EpochSkips);
}

#[test]
fn with_holocene_a_span_without_new_blocks_is_passed_over() {
    let mut run = Run::validator();
    run.add(span(1208, B256::ZERO, &[100, 100]));
    run.check_nothing();
}

#[test]
fn with_holocene_a_span_that_cannot_be_decided_is_passed_over() {
    let mut run = Run::validator();
    run.add(span(1212, safe_head().id.hash, &[100, 101, 102, 103, 104]));
    run.check_nothing();
    run.read_until(104);
    run.check_nothing();
}

#[test]
fn with_holocene_a_span_that_breaks_a_rule_for_the_whole_spoils_its_channel() {
    let mut run = Run::validator();
    run.add(span(1214, safe_head().id.hash, &[100]));
    run.check_flush(DropReason::Future);
    run.add(span(1212, B256::ZERO, &[100]));
    run.check_flush(DropReason::Parent);
}

/// Deposits alone made the block, so the block has another content, and what followed is no more.
#[test]
fn with_holocene_an_invalid_block_ends_its_span() {
    let mut run = Run::validator();
    run.add(span(1212, safe_head().id.hash, &[100, 100]));
    run.check((1212, 100, vec![0]), true);
    match &mut run.stage {
        Stage::Validator(stage) => stage.flush(),
        Stage::Queue(_) => unreachable!(),
    }
    run.check_nothing();
}

#[test]
fn with_holocene_batches_up_to_the_safe_heads_origin_are_passed_over() {
    let mut run = Run::queue_at(98);
    run.stage = Stage::Validator(BatchValidator::new(l1(98)));
    for number in [99, 100] {
        run.read_until(number);
        run.add(singular(1212, 100, 1));
        assert_eq!(run.next(true), NextBatch::Nothing);
    }
    run.read_until(101);
    run.check_nothing();
    run.add(singular(1212, 100, 2));
    run.check((1212, 100, vec![2]), true);
}

#[test]
fn at_the_activation_batches_are_forgotten_and_l1_blocks_are_not() {
    let mut run = Run::queue();
    run.add(singular(1212, 100, 1));
    let Stage::Queue(queue) = run.stage else { unreachable!() };
    run.stage = Stage::Validator(BatchValidator::after(&queue));
    run.check_nothing();
    run.read_until(104);
    run.add(span(1212, safe_head().id.hash, &[100, 101, 102]));
    run.check((1212, 100, vec![0]), true);
    run.check((1214, 101, vec![1]), true);
    // L1 block 102 begins at 1224.
    run.check_flush(DropReason::BeforeOrigin);
}

/// The window of L1 blocks does not grow while the pipeline catches up.
#[test]
fn l1_blocks_before_the_safe_heads_origin_are_forgotten() {
    let mut epochs = super::Epochs::new(l1(50));
    (51..=103).for_each(|number| epochs.advance(l1(number)));
    epochs.prune(&safe_head());
    let first = |epochs: &super::Epochs| epochs.first().map(|block: &L1BlockRef| block.id.number);
    assert_eq!(
        (first(&epochs), epochs.get(99), epochs.get(103)),
        (Some(100), None, Some(&l1(103)))
    );
    assert_eq!((epochs.get(104), epochs.get(u64::MAX)), (None, None));
}
