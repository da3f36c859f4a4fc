use super::*;
use alloy_primitives::{U256, keccak256};
use alloy_trie::root::storage_root_unhashed;
use rebut_execution::ExecutedBlock;

fn execute(
    witness: &BlockWitness,
    oracle: WitnessOracle,
) -> Result<ExecutedBlock, ExecutionError<OracleError>> {
    let parent = witness.parent_header.clone().seal_slow();
    let mut state = State::new(parent.state_root);
    let mut oracle = NativeState(RecordingOracle::new(oracle));
    execute_block(&witness.chain, &parent, &witness.attributes, &mut state, &mut oracle)
}

#[test]
fn the_carried_block_is_the_generated_one() {
    let carried = demo_block().unwrap();
    assert_eq!(carried, generate().unwrap(), "run `cargo xtask demo-block`");
    assert!(DEMO_BLOCK.len() < 60 << 10, "{} bytes", DEMO_BLOCK.len());
}

#[test]
fn the_carried_block_executes_to_its_hash() {
    let witness = demo_block().unwrap();
    let block = execute(&witness, witness.oracle()).unwrap();
    assert_eq!(block.header.hash(), witness.expected_block_hash);
}

/// What can be told of the block without executing it.
#[test]
fn the_block_does_what_it_is_there_for() {
    let witness = demo_block().unwrap();
    let block = execute(&witness, witness.oracle()).unwrap();
    assert_eq!(block.header.number, 1);
    // An empty parent lowers the base fee by one part in 250.
    assert_eq!(block.header.base_fee_per_gas, Some(996_000_000));
    assert!(block.receipts.iter().all(|receipt| receipt.status()));

    // Two transfers of 21,000 gas each follow the deposits.
    let gas: Vec<u64> = block.receipts.iter().map(|one| one.cumulative_gas_used()).collect();
    assert_eq!((gas.len(), gas[2] - gas[1], gas[3] - gas[2]), (7, 21_000, 21_000));

    // The workshop's log: Carol, a pairing that holds, the data hashed round by round.
    let call = &witness.attributes.transactions[4];
    let start = call.windows(32).position(|word| word == keccak256("rebut demo block: a message"));
    let mut data = call[start.unwrap()..][..contracts::WORKSHOP_DATA_BYTES as usize].to_vec();
    for _ in 0..contracts::WORKSHOP_ROUNDS {
        let hash = keccak256(&data);
        data[..32].copy_from_slice(hash.as_slice());
    }
    let [log] = block.receipts[4].logs() else { panic!("not one log") };
    let carol = transactions::USERS[2].address().into_word();
    let expected = [carol.as_slice(), contracts::slot(1).as_slice(), &data[..32]].concat();
    assert_eq!(log.data.data, expected);

    // The message passer keeps the hash of the withdrawal's data and value beside what it had.
    let value = U256::from(4_000_000_000_u64).to_be_bytes::<32>();
    let message = keccak256([&b"to whom it may concern on L1"[..], &value].concat());
    let one = U256::from(1);
    let slots = [(contracts::slot(1), one), (contracts::slot(2), one), (message, one)];
    assert_eq!(block.header.withdrawals_root, Some(storage_root_unhashed(slots)));
}

/// Nothing in the witness is there in vain, and without any of it there is no block.
#[test]
fn every_preimage_is_needed() {
    let witness = demo_block().unwrap();
    assert!(witness.preimages.len() > 30, "{} preimages", witness.preimages.len());
    for (key, _) in witness.preimages.iter() {
        let mut oracle = witness.oracle();
        oracle.remove(&key).unwrap();
        let error = execute(&witness, oracle).unwrap_err();
        assert!(error.to_string().contains(&key.to_string()), "{key}: {error}");
    }
}
