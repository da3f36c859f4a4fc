//! Real blocks: their hash, and what happens when anything is changed or missing.

mod recording;

use alloy_primitives::B256;
use rebut_execution::{
    AttributesError, ExecutedBlock, ExecutionError, Fork, ForkTimes, State, StateError,
    execute_block,
};
use recording::{Missing, RecordedOracle, Recording};

/// How many nodes are taken away from each block in turn.
const REMOVED_PER_BLOCK: u64 = 40;

fn execute(block: &Recording) -> Result<ExecutedBlock, ExecutionError<Missing>> {
    execute_with(block, &mut block.oracle())
}

fn execute_with(
    block: &Recording,
    oracle: &mut RecordedOracle<'_>,
) -> Result<ExecutedBlock, ExecutionError<Missing>> {
    let mut state = State::new(block.parent.state_root);
    execute_block(&block.chain, &block.parent, &block.attributes, &mut state, oracle)
}

/// A block with the fewest preimages, for what need not be tried on all.
fn smallest(blocks: Vec<Recording>) -> Recording {
    blocks.into_iter().min_by_key(|block| block.preimages.len()).unwrap()
}

#[test]
fn every_recorded_block_has_its_hash() {
    for block in recording::all().into_iter().flatten() {
        let executed = execute(&block).unwrap_or_else(|error| panic!("{}: {error}", block.name));
        if let Some(header) = &block.expected_header {
            assert_eq!(executed.header.inner(), header, "{}", block.name);
        }
        assert_eq!(executed.header.hash(), block.expected, "{}", block.name);
        assert_eq!(executed.receipts.len(), block.attributes.transactions.len());
        assert_eq!(executed.transactions.len(), block.attributes.transactions.len());
    }
}

#[test]
fn whatever_is_missing_is_named() {
    for block in recording::all().into_iter().flatten() {
        let mut oracle = block.oracle();
        execute_with(&block, &mut oracle).unwrap();
        let needed: Vec<B256> = oracle.used.into_iter().collect();
        let mut seed = block.parent.number;
        for _ in 0..REMOVED_PER_BLOCK.min(needed.len() as u64) {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let removed = needed[(seed >> 33) as usize % needed.len()];
            let mut oracle = block.oracle();
            oracle.removed = Some(removed);
            let result = execute_with(&block, &mut oracle);
            match result {
                Err(ExecutionError::State(StateError::Oracle(error))) => {
                    assert_eq!(error, Missing(removed), "{}", block.name);
                }
                other => panic!("{} without {removed}: {other:?}", block.name),
            }
        }
    }
}

/// A change to a block's attributes.
type Change = fn(&mut Recording);

#[test]
fn changed_attributes_give_another_hash() {
    let changes: [(&str, Change); 5] = [
        ("timestamp", |block| block.attributes.timestamp += 1),
        ("prevRandao", |block| block.attributes.prev_randao.0[31] ^= 1),
        ("suggestedFeeRecipient", |block| block.attributes.suggested_fee_recipient.0[0] ^= 1),
        ("gasLimit", |block| block.attributes.gas_limit += 1),
        ("parentBeaconBlockRoot", |block| {
            block.attributes.parent_beacon_block_root.as_mut().unwrap().0[0] ^= 1;
        }),
    ];
    for (name, change) in changes {
        let Some(blocks) = recording::all() else { return };
        let mut block = smallest(blocks);
        change(&mut block);
        // Another state may be needed than was recorded; a hash, if there is one, must differ.
        if let Ok(executed) = execute(&block) {
            assert_ne!(executed.header.hash(), block.expected, "{name}");
        }
    }
}

#[test]
fn changed_transactions_are_refused_or_give_another_hash() {
    let Some(blocks) = recording::all() else { return };
    for mut block in blocks {
        let last = block.attributes.transactions.len() - 1;
        let whole = block.attributes.transactions[last].clone();
        for at in (0..whole.len()).step_by(whole.len().div_ceil(16)) {
            let mut damaged = whole.to_vec();
            damaged[at] ^= 0x01;
            block.attributes.transactions[last] = damaged.into();
            if let Ok(executed) = execute(&block) {
                assert_ne!(executed.header.hash(), block.expected, "{} byte {at}", block.name);
            }
        }
        for length in [0, 1, whole.len() / 2, whole.len() - 1] {
            block.attributes.transactions[last] = whole.slice(..length);
            let result = execute(&block);
            assert!(
                matches!(result, Err(ExecutionError::Transaction { index, .. }) if index == last),
                "{} cut to {length}: {result:?}",
                block.name
            );
        }
        block.attributes.transactions.truncate(last);
        assert_ne!(execute(&block).unwrap().header.hash(), block.expected, "{}", block.name);
    }
}

#[test]
fn attributes_must_fit_the_fork() {
    let check = |change: Change, expected: AttributesError| {
        let Some(blocks) = recording::all() else { return };
        let mut block = smallest(blocks);
        change(&mut block);
        match execute(&block) {
            Err(ExecutionError::Attributes(error)) => assert_eq!(error, expected),
            other => panic!("{other:?} instead of {expected:?}"),
        }
    };
    check(
        |block| block.attributes.parent_beacon_block_root = None,
        AttributesError::Missing { name: "parentBeaconBlockRoot", fork: Fork::Ecotone },
    );
    check(
        |block| block.attributes.eip_1559_params = Some([0, 0, 0, 1, 0, 0, 0, 1]),
        AttributesError::Unexpected { name: "eip1559Params", fork: Fork::Ecotone },
    );
    check(
        |block| block.chain.forks = ForkTimes::default(),
        AttributesError::Unexpected { name: "parentBeaconBlockRoot", fork: Fork::Bedrock },
    );
    check(
        |block| {
            let time = Some(block.attributes.timestamp);
            block.chain.forks = block.chain.forks.with(Fork::Holocene, time);
            block.attributes.eip_1559_params = Some([0, 0, 0, 1, 0, 0, 0, 0]);
        },
        AttributesError::BaseFeeParameters { denominator: 1, elasticity: 0 },
    );
    check(
        |block| {
            let time = Some(block.attributes.timestamp);
            block.chain.forks = block.chain.forks.with(Fork::Jovian, time);
            block.attributes.eip_1559_params = Some([0; 8]);
        },
        AttributesError::Missing { name: "minBaseFee", fork: Fork::Jovian },
    );
    check(
        |block| block.chain.base_fee.elasticity = 0,
        AttributesError::BaseFee { gas_limit: 30_000_000, elasticity: 0, denominator: 250 },
    );
}
