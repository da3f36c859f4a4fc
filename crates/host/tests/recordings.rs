//! The recorded block witnesses.

use rebut_execution::Fork;
use rebut_host::{BlockWitness, RecordingOracle, VerifyingOracle};
use rebut_program::block;

/// Number of the block, chain, fork, transactions and preimages, as counted by other means.
const BLOCKS: [(u64, u64, Fork, usize, usize); 8] = [
    (10_211_000, 130, Fork::Holocene, 2, 231),
    (120_794_432, 10, Fork::Ecotone, 1, 79),
    (121_049_889, 10, Fork::Ecotone, 3, 301),
    (132_795_025, 10, Fork::Holocene, 18, 2218),
    (22_880_574, 11_155_420, Fork::Holocene, 6, 331),
    (22_884_230, 11_155_420, Fork::Holocene, 5, 1070),
    (26_207_960, 11_155_420, Fork::Holocene, 10, 331),
    (26_207_963, 11_155_420, Fork::Holocene, 32, 674),
];

#[test]
fn every_recorded_witness_is_read() {
    let Some(folder) = rebut_recordings::path("blocks") else { return };
    for (number, chain_id, fork, transactions, preimages) in BLOCKS {
        let path = folder.join(format!("{number}.json.zst"));
        let witness = BlockWitness::read(&path).unwrap();
        assert_eq!(witness.chain.chain_id, chain_id, "{number}");
        assert_eq!(witness.chain.forks.active(witness.attributes.timestamp), fork, "{number}");
        assert_eq!(witness.parent_header.number + 1, number);
        assert_eq!(witness.attributes.transactions.len(), transactions, "{number}");
        assert_eq!(witness.preimages.len(), preimages, "{number}");
        let base_fee = witness.chain.base_fee;
        let parameters = (base_fee.elasticity, base_fee.denominator, base_fee.denominator_canyon);
        assert_eq!(parameters, (6, 50, 250), "{number}");
        let holocene = fork == Fork::Holocene;
        assert_eq!(witness.attributes.eip_1559_params.is_some(), holocene, "{number}");
    }
}

/// Two files carry the header of the block, which names its parent by hash.
#[test]
fn parent_headers_hash_to_what_their_children_say() {
    let Some(folder) = rebut_recordings::path("blocks") else { return };
    for (number, parent) in [
        (120_794_432, "0x9506905902f5c3613c5441a8697c09e7aafdb64082924d8bd2857f9e34a47a9a"),
        (121_049_889, "0x925b8e3c7216dd1c62e3fd9911f6cb3f456b9aa685f34239180d1a7ef7653b7f"),
    ] {
        let witness = BlockWitness::read(&folder.join(format!("{number}.json.zst"))).unwrap();
        assert_eq!(witness.parent_header.hash_slow().to_string(), parent, "{number}");
    }
}

#[test]
fn every_recorded_block_executes_to_its_hash() {
    let Some(folder) = rebut_recordings::path("blocks") else { return };
    for (number, ..) in BLOCKS {
        let witness = BlockWitness::read(&folder.join(format!("{number}.json.zst"))).unwrap();
        let mut oracle = VerifyingOracle(RecordingOracle::new(witness.oracle()));
        let verdict = block::run(&mut oracle).unwrap();
        assert_eq!(verdict.computed, Some(witness.expected_block_hash), "{number}");
        assert_eq!(verdict.exit_code(), rebut_program::EXIT_VALID, "{number}");

        // Without one of the preimages it used there is an error that names it, and no verdict.
        let (_, record) = oracle.0.into_parts();
        let stored: Vec<_> = record
            .keys
            .keys()
            .filter(|key| witness.oracle().store().value(key).is_some())
            .collect();
        for key in stored.iter().step_by(stored.len() / 4) {
            let mut oracle = witness.oracle();
            oracle.remove(key).unwrap();
            let error = block::run(&mut oracle).unwrap_err().to_string();
            assert!(error.contains(&key.to_string()), "{number}: {error}");
        }
    }
}
