//! Rollup files of recorded runs.

use rebut_program::config::json;
use serde_json::Value;

/// Expected values from the files themselves, read by eye.
#[test]
fn rollup_files_of_recorded_runs_are_read() {
    for (run, deposit_contract) in [
        ("311b533", "0x6509f2a854ba7441039fce3b959d5badd2ffcfcd"),
        ("b1504b1", "0x6509f2a854ba7441039fce3b959d5badd2ffcfcd"),
        // With the members of alt-DA that was not in use.
        ("da047d3", "0x9a676e781a523b5d0c0e43731313a708cb607508"),
        ("ffed1bd", "0x9a676e781a523b5d0c0e43731313a708cb607508"),
    ] {
        let Some(packed) = rebut_recordings::read(&format!("fpp-devnet/{run}.json.zst")) else {
            return;
        };
        let text = zstd::decode_all(packed.as_slice()).unwrap();
        let recording: Value = serde_json::from_slice(&text).unwrap();
        let rollup = recording["rollup_config"].to_string();
        let config = json::read(rollup.as_bytes(), None).unwrap();
        assert_eq!((config.chain.chain_id, config.l1.chain_id), (901, 900));
        assert_eq!((config.seq_window_size, config.channel_timeout), (200, 120));
        assert_eq!((config.block_time, config.max_sequencer_drift), (2, 300));
        assert_eq!(
            config.deposit_contract,
            deposit_contract.parse::<alloy_primitives::Address>().unwrap()
        );
    }
}
