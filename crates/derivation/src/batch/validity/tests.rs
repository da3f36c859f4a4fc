//! The tables of the specification, row by row.

use super::*;
use crate::{
    L2BlockError,
    fixture_chain::{HOLOCENE, L2Chain, l1, l2_chain, safe_head, tx},
};
use DropReason as Reason;
use Validity::{Accept, Drop, Future, Past, Undecided};
use alloc::{vec, vec::Vec};
use alloy_primitives::{B256, FixedBytes};

/// What a batch is checked against, and a batch that is valid until a row changes something.
struct Case<B> {
    config: RollupConfig,
    /// The known L1 blocks.
    l1: Vec<L1BlockRef>,
    chain: L2Chain,
    safe: L2BlockRef,
    /// Number of the L1 block in which the batch became readable.
    included_in: u64,
    batch: B,
}

impl<B> Case<B> {
    fn new(batch: B) -> Self {
        let (chain, config) = l2_chain();
        let l1 = (100..=103).map(l1).collect();
        Self { config, l1, chain, safe: safe_head(), included_in: 103, batch }
    }

    fn with<T>(&self, holocene: bool, check: impl FnOnce(&Context<'_>) -> T) -> T {
        let mut epochs = match self.l1.first() {
            Some(first) => Epochs::new(*first),
            None => Epochs::new(l1(1)),
        };
        self.l1.iter().skip(1).for_each(|block| epochs.advance(*block));
        if self.l1.is_empty() {
            epochs.prune(&self.safe);
        }
        let mut inclusion = l1(self.included_in);
        inclusion.timestamp = if holocene { HOLOCENE } else { 0 };
        check(&Context { config: &self.config, epochs: &epochs, safe: &self.safe, inclusion })
    }
}

fn singular() -> Case<SingularBatch> {
    Case::new(SingularBatch {
        parent_hash: safe_head().id.hash,
        epoch_number: 100,
        epoch_hash: l1(100).id.hash,
        timestamp: 1212,
        transactions: vec![tx(1)],
    })
}

/// A row: what it changes, the verdict before Holocene, and with it.
#[track_caller]
fn check_singular_row(change: fn(&mut Case<SingularBatch>), expected: [Validity; 2]) {
    let mut case = singular();
    change(&mut case);
    let verdicts = [false, true]
        .map(|holocene| case.with(holocene, |context| check_singular(context, &case.batch)));
    assert_eq!(verdicts, expected);
}

/// The batch is in the next epoch.
fn advance(case: &mut Case<SingularBatch>) {
    (case.batch.epoch_number, case.batch.epoch_hash) = (101, l1(101).id.hash);
}

/// The batch is as far ahead of its origin as it may be, and `seconds` more.
fn drift(case: &mut Case<SingularBatch>, seconds: u64) {
    case.batch.timestamp = case.l1[0].timestamp + 600 + seconds;
    case.safe.timestamp = case.batch.timestamp - 2;
}

#[test]
fn singular_row_0_nothing_is_known_without_l1_blocks() {
    check_singular_row(|case| case.l1.clear(), [Undecided; 2]);
}

#[test]
fn singular_row_1_the_time_is_ahead() {
    check_singular_row(|case| case.batch.timestamp += 2, [Future, Drop(Reason::Future)]);
    // The first row that applies decides.
    check_singular_row(
        |case| {
            case.batch.timestamp += 1;
            case.batch.parent_hash = B256::ZERO;
        },
        [Future, Drop(Reason::Future)],
    );
}

#[test]
fn singular_row_2_the_time_has_passed() {
    check_singular_row(|case| case.batch.timestamp -= 2, [Drop(Reason::Past), Past]);
    check_singular_row(
        |case| {
            case.batch.timestamp -= 1;
            case.batch.parent_hash = B256::ZERO;
        },
        [Drop(Reason::Past), Past],
    );
}

#[test]
fn singular_row_3_the_parent_is_the_safe_head() {
    check_singular_row(|case| case.batch.parent_hash = B256::ZERO, [Drop(Reason::Parent); 2]);
}

#[test]
fn singular_row_4_the_sequencing_window_has_an_end() {
    check_singular_row(|case| case.included_in = 110, [Accept; 2]);
    check_singular_row(|case| case.included_in = 111, [Drop(Reason::Late); 2]);
}

#[test]
fn singular_row_5_the_epoch_is_not_older_than_the_parents() {
    check_singular_row(|case| case.batch.epoch_number = 99, [Drop(Reason::EpochOld); 2]);
    check_singular_row(|case| case.l1.truncate(1), [Accept; 2]);
}

#[test]
fn singular_row_6_the_next_epoch_has_to_be_known() {
    check_singular_row(advance, [Accept; 2]);
    check_singular_row(
        |case| {
            advance(case);
            case.l1.truncate(1);
        },
        [Undecided; 2],
    );
}

#[test]
fn singular_row_7_no_epoch_is_skipped() {
    check_singular_row(|case| case.batch.epoch_number = 102, [Drop(Reason::EpochSkips); 2]);
    check_singular_row(|case| case.batch.epoch_number = u64::MAX, [Drop(Reason::EpochSkips); 2]);
}

/// Empty batches may have used up the safe head's epoch. No block can follow in the epoch after the
/// next, so accepting such a batch would start derivation again from the same safe head, for ever.
#[test]
fn singular_row_7_no_epoch_is_skipped_after_the_safe_heads_is_used_up() {
    check_singular_row(
        |case| {
            case.l1.remove(0);
            (case.batch.epoch_number, case.batch.epoch_hash) = (102, l1(102).id.hash);
        },
        [Drop(Reason::EpochSkips); 2],
    );
    check_singular_row(
        |case| {
            case.l1.remove(0);
            advance(case);
        },
        [Accept; 2],
    );
    check_singular_row(|case| case.l1 = case.l1.split_off(1), [Drop(Reason::EpochOld); 2]);
}

#[test]
fn singular_row_8_the_epoch_is_of_this_l1_chain() {
    check_singular_row(|case| case.batch.epoch_hash = B256::ZERO, [Drop(Reason::EpochHash); 2]);
    check_singular_row(
        |case| {
            advance(case);
            case.batch.epoch_hash = l1(100).id.hash;
        },
        [Drop(Reason::EpochHash); 2],
    );
}

#[test]
fn singular_row_9_no_block_is_older_than_its_origin() {
    check_singular_row(
        |case| {
            advance(case);
            case.l1[1].timestamp = 1213;
        },
        [Drop(Reason::BeforeOrigin); 2],
    );
}

#[test]
fn singular_row_10_far_ahead_there_are_no_transactions() {
    check_singular_row(|case| drift(case, 0), [Accept; 2]);
    check_singular_row(|case| drift(case, 1), [Drop(Reason::Drift); 2]);
    // A new epoch does not excuse them.
    check_singular_row(
        |case| {
            advance(case);
            drift(case, 13);
        },
        [Drop(Reason::Drift); 2],
    );
}

#[test]
fn singular_row_11_far_ahead_the_next_epoch_has_to_be_known() {
    check_singular_row(
        |case| {
            drift(case, 1);
            case.batch.transactions.clear();
            case.l1.truncate(1);
        },
        [Undecided; 2],
    );
}

#[test]
fn singular_row_12_far_ahead_the_epoch_is_left_as_soon_as_possible() {
    fn empty(case: &mut Case<SingularBatch>, next: u64) {
        drift(case, 1);
        case.batch.transactions.clear();
        case.l1[1].timestamp = next;
    }
    check_singular_row(|case| empty(case, 1801), [Drop(Reason::OriginNotAdvanced); 2]);
    check_singular_row(|case| empty(case, 1802), [Accept; 2]);
    // Who moves on is not asked.
    check_singular_row(
        |case| {
            empty(case, 1201);
            advance(case);
        },
        [Accept; 2],
    );
}

/// The drift is a constant of Fjord, by the time of the origin.
#[test]
fn the_drift_depends_on_the_origins_time() {
    fn fjord(case: &mut Case<SingularBatch>, time: u64) {
        case.config.chain.forks = case.config.chain.forks.with(Fork::Fjord, Some(time));
        case.batch.timestamp = 1200 + 1800;
        case.safe.timestamp = 1200 + 1798;
    }
    check_singular_row(|case| fjord(case, 1200), [Accept; 2]);
    check_singular_row(|case| fjord(case, 1201), [Drop(Reason::Drift); 2]);
}

#[test]
fn singular_row_13_the_first_block_of_a_fork_has_no_transactions() {
    fn activate(case: &mut Case<SingularBatch>, fork: Fork, time: u64) {
        case.config.chain.forks = case.config.chain.forks.with(fork, Some(time));
    }
    for change in [
        (|case| activate(case, Fork::Jovian, 1212)) as fn(&mut Case<SingularBatch>),
        |case| activate(case, Fork::Jovian, 1211),
        |case| activate(case, Fork::Karst, 1212),
    ] {
        check_singular_row(change, [Drop(Reason::ActivationBlock); 2]);
    }
    for change in [
        (|case| activate(case, Fork::Jovian, 1210)) as fn(&mut Case<SingularBatch>),
        |case| activate(case, Fork::Jovian, 1213),
        |case| activate(case, Fork::Isthmus, 1212),
        |case| {
            activate(case, Fork::Jovian, 1212);
            case.batch.transactions.clear();
        },
    ] {
        check_singular_row(change, [Accept; 2]);
    }
}

#[test]
fn singular_row_14_transactions_that_no_batch_may_have() {
    fn add(case: &mut Case<SingularBatch>, bytes: &'static [u8]) {
        case.batch.transactions.push(Bytes::from_static(bytes));
    }
    check_singular_row(|case| add(case, &[]), [Drop(Reason::EmptyTransaction); 2]);
    check_singular_row(|case| add(case, &[0x7e, 1]), [Drop(Reason::Deposit); 2]);
    check_singular_row(|case| add(case, &[4, 1]), [Drop(Reason::TransactionType(4)); 2]);
    check_singular_row(
        |case| {
            add(case, &[4, 1]);
            case.config.chain.forks = case.config.chain.forks.with(Fork::Isthmus, Some(1212));
        },
        [Accept; 2],
    );
    // Other types are for execution to judge.
    for change in [
        (|case| add(case, &[1])) as fn(&mut Case<SingularBatch>),
        |case| add(case, &[3]),
        |case| add(case, &[5]),
        |case| add(case, &[0xf8]),
    ] {
        check_singular_row(change, [Accept; 2]);
    }
}

#[test]
fn singular_row_15_otherwise_it_is_valid() {
    check_singular_row(|_| {}, [Accept; 2]);
}

fn block(epoch_number: u64, timestamp: u64, name: u8) -> SpanBlock {
    SpanBlock { epoch_number, timestamp, transactions: vec![tx(name)] }
}

/// Two blocks after the safe head.
fn span() -> Case<SpanBatch> {
    Case::new(SpanBatch {
        parent_check: check(safe_head().id.hash),
        l1_origin_check: check(l1(101).id.hash),
        starts_epoch: false,
        blocks: vec![block(100, 1212, 1), block(101, 1214, 2)],
    })
}

/// The last two safe blocks again, then one more.
fn overlap(case: &mut Case<SpanBatch>) {
    case.batch.parent_check = check(case.chain.blocks[3].header.hash());
    case.batch.l1_origin_check = check(l1(100).id.hash);
    case.batch.blocks = vec![block(100, 1208, 4), block(100, 1210, 5), block(100, 1212, 6)];
}

/// The span ends in this epoch.
fn end(case: &mut Case<SpanBatch>, epoch_number: u64) {
    case.batch.l1_origin_check = check(l1(epoch_number).id.hash);
}

/// A row: what it changes, the verdict on the whole span before Holocene, and that on its prefix with
/// Holocene.
#[track_caller]
fn check_span_row(change: fn(&mut Case<SpanBatch>), expected: [Validity; 2]) {
    let mut case = span();
    change(&mut case);
    let mut chain = L2Chain { blocks: core::mem::take(&mut case.chain.blocks) };
    let before = case.with(false, |context| check_span(context, &case.batch, &mut chain)).unwrap();
    let holocene = case
        .with(true, |context| check_span_prefix(context, &case.batch, &mut chain))
        .unwrap()
        .map_or_else(|verdict| verdict, |_| Accept);
    assert_eq!([before, holocene], expected);
}

#[test]
fn span_row_0_nothing_is_known_without_l1_blocks() {
    check_span_row(|case| case.l1.clear(), [Undecided; 2]);
}

#[test]
fn span_row_1_the_epoch_it_starts_has_to_be_known() {
    fn start(case: &mut Case<SpanBatch>) {
        case.batch.blocks[0].epoch_number = 101;
    }
    check_span_row(start, [Accept; 2]);
    check_span_row(
        |case| {
            start(case);
            case.l1.truncate(1);
            // Before the row of the time.
            case.batch.blocks[0].timestamp = 1216;
        },
        [Undecided; 2],
    );
}

#[test]
fn span_row_2_delta_is_active_at_the_epoch_it_starts_in() {
    check_span_row(|case| case.config.delta_time = Some(1200), [Accept; 2]);
    check_span_row(|case| case.config.delta_time = Some(1201), [Drop(Reason::SpanInactive); 2]);
    check_span_row(
        |case| {
            case.config.delta_time = Some(1212);
            case.batch.blocks[0].epoch_number = 101;
        },
        [Accept; 2],
    );
    // Ecotone implies it.
    check_span_row(
        |case| {
            case.config.delta_time = None;
            case.config.chain.forks = case.config.chain.forks.with(Fork::Ecotone, Some(1200));
        },
        [Accept; 2],
    );
}

#[test]
fn span_row_3_the_time_is_ahead() {
    check_span_row(
        |case| {
            case.batch.blocks[0].timestamp = 1214;
            case.batch.parent_check = FixedBytes::ZERO;
        },
        [Future, Drop(Reason::Future)],
    );
}

#[test]
fn span_row_4_the_time_has_passed() {
    check_span_row(
        |case| {
            overlap(case);
            case.batch.blocks.pop();
            case.batch.parent_check = FixedBytes::ZERO;
        },
        [Drop(Reason::Past), Past],
    );
}

#[test]
fn span_row_5_overlaps_are_aligned_with_the_safe_chain() {
    fn start(case: &mut Case<SpanBatch>, timestamp: u64) {
        overlap(case);
        case.batch.blocks[0].timestamp = timestamp;
    }
    for change in [
        // Between two blocks, far back too.
        (|case| start(case, 1211)) as fn(&mut Case<SpanBatch>),
        |case| start(case, 1209),
        |case| start(case, 1),
        |case| case.batch.blocks.clear(),
    ] {
        check_span_row(change, [Drop(Reason::Misaligned); 2]);
    }
    // There is no block before the span: it starts before the first block, far before it, or with the
    // first itself; or the chain's own block is not there, or lies before the chain's first.
    for change in [
        (|case| start(case, 1198)) as fn(&mut Case<SpanBatch>),
        |case| start(case, 0),
        |case| start(case, 1200),
        |case| {
            overlap(case);
            case.chain.blocks.truncate(3);
        },
        |case| {
            overlap(case);
            case.config.genesis.l2.number = 4;
        },
    ] {
        check_span_row(change, [Undecided; 2]);
    }
}

#[test]
fn span_row_6_the_parent_is_the_block_before_it() {
    check_span_row(|case| case.batch.parent_check = FixedBytes::ZERO, [Drop(Reason::Parent); 2]);
    check_span_row(
        |case| {
            overlap(case);
            case.batch.parent_check = check(case.safe.id.hash);
        },
        [Drop(Reason::Parent); 2],
    );
}

#[test]
fn span_row_7_the_sequencing_window_has_an_end() {
    check_span_row(|case| case.included_in = 110, [Accept; 2]);
    check_span_row(|case| case.included_in = 111, [Drop(Reason::Late); 2]);
}

#[test]
fn span_row_8_no_epoch_is_skipped_at_its_start() {
    check_span_row(
        |case| {
            case.batch.blocks = vec![block(102, 1212, 1)];
            end(case, 102);
        },
        [Drop(Reason::EpochSkips); 2],
    );
}

#[test]
fn span_row_9_its_last_epoch_is_of_this_l1_chain() {
    check_span_row(|case| end(case, 100), [Drop(Reason::EpochHash); 2]);
    check_span_row(
        |case| {
            case.batch.blocks[1].epoch_number = 104;
            end(case, 104);
        },
        [Undecided; 2],
    );
}

#[test]
fn span_row_10_its_first_epoch_is_not_older_than_its_parents() {
    check_span_row(
        |case| {
            case.batch.blocks = vec![block(99, 1212, 1), block(100, 1214, 2)];
            end(case, 100);
        },
        [Drop(Reason::EpochOld); 2],
    );
}

#[test]
fn span_row_11_no_new_block_goes_back_before_the_safe_heads_epoch() {
    check_span_row(
        |case| {
            overlap(case);
            case.batch.blocks = vec![
                block(99, 1208, 4),
                block(99, 1210, 5),
                block(99, 1212, 6),
                block(100, 1214, 7),
            ];
        },
        [Drop(Reason::EpochOld), Accept],
    );
}

#[test]
fn span_row_11_the_epochs_of_new_blocks_are_known() {
    // Empty batches have used up epoch 100.
    check_span_row(|case| case.l1 = case.l1.split_off(1), [Drop(Reason::EpochHash), Accept]);
}

#[test]
fn span_row_11_no_new_block_is_older_than_its_origin() {
    check_span_row(|case| case.l1[1].timestamp = 1215, [Drop(Reason::BeforeOrigin), Accept]);
    check_span_row(|case| case.l1[1].timestamp = 1214, [Accept; 2]);
}

/// The second block is 14 s ahead of its origin, the first 12.
fn far_ahead(case: &mut Case<SpanBatch>, next: u64) {
    case.config.max_sequencer_drift = 13;
    case.batch.blocks[1].epoch_number = 100;
    case.batch.blocks[1].transactions.clear();
    case.l1[1].timestamp = next;
    end(case, 100);
}

#[test]
fn span_row_11_far_ahead_there_are_no_transactions() {
    check_span_row(
        |case| {
            far_ahead(case, 1215);
            case.batch.blocks[1].transactions.push(tx(2));
        },
        [Drop(Reason::Drift), Accept],
    );
}

#[test]
fn span_row_11_far_ahead_the_next_epoch_has_to_be_known() {
    check_span_row(
        |case| {
            far_ahead(case, 1215);
            case.l1.truncate(1);
        },
        [Undecided, Accept],
    );
}

#[test]
fn span_row_11_far_ahead_the_epoch_is_left_as_soon_as_possible() {
    check_span_row(|case| far_ahead(case, 1214), [Drop(Reason::OriginNotAdvanced), Accept]);
    check_span_row(|case| far_ahead(case, 1215), [Accept; 2]);
    // Who moves on is not asked: 1 s ahead is too far here, and the next epoch has begun as well.
    check_span_row(
        |case| {
            case.config.max_sequencer_drift = 1;
            case.batch.blocks = vec![block(101, 1214, 1)];
            case.batch.blocks[0].transactions.clear();
            case.safe.timestamp = 1212;
            case.l1[2].timestamp = 1213;
        },
        [Accept; 2],
    );
}

#[test]
fn span_row_11_transactions_that_no_batch_may_have() {
    fn add(case: &mut Case<SpanBatch>, bytes: &'static [u8]) {
        case.batch.blocks[1].transactions.push(Bytes::from_static(bytes));
    }
    check_span_row(|case| add(case, &[]), [Drop(Reason::EmptyTransaction), Accept]);
    check_span_row(|case| add(case, &[0x7e]), [Drop(Reason::Deposit), Accept]);
    check_span_row(|case| add(case, &[4]), [Drop(Reason::TransactionType(4)), Accept]);
    // Active at the second block's time.
    check_span_row(
        |case| {
            add(case, &[4]);
            case.config.chain.forks = case.config.chain.forks.with(Fork::Isthmus, Some(1214));
        },
        [Accept; 2],
    );
}

#[test]
fn span_row_12_overlapping_blocks_say_what_the_safe_ones_do() {
    check_span_row(overlap, [Accept; 2]);
    for change in [
        (|case| {
            overlap(case);
            case.batch.blocks[1].transactions = vec![tx(9)];
        }) as fn(&mut Case<SpanBatch>),
        |case| {
            overlap(case);
            case.batch.blocks[0].transactions.clear();
        },
        |case| {
            overlap(case);
            case.batch.blocks[0].transactions.push(tx(4));
        },
        |case| {
            overlap(case);
            case.batch.blocks[0].epoch_number = 99;
        },
    ] {
        check_span_row(change, [Drop(Reason::Overlap), Accept]);
    }
}

#[test]
fn a_valid_span_is_accepted() {
    check_span_row(|_| {}, [Accept; 2]);
}

/// The safe chain is not the program's to judge.
#[test]
fn a_safe_block_without_l1_attributes_ends_derivation() {
    let mut case = span();
    overlap(&mut case);
    let (mut chain, _) = l2_chain();
    chain.blocks[3].transactions.clear();
    let error =
        case.with(false, |context| check_span(context, &case.batch, &mut chain)).unwrap_err();
    let expected = crate::CriticalError::L2Block { number: 3, error: L2BlockError::NoDeposit };
    assert_eq!(error, PipelineError::Critical(expected));
}
