//! Batches of real and generated channels, recorded elsewhere.

use rebut_derivation::{Batch, BlockId, Genesis, L1Config, RollupConfig, SpanBatch, SystemConfig};
use rebut_execution::{BaseFeeDefaults, ChainParameters, ForkTimes};

/// A recorded file, `None` in a checkout without any.
fn recorded(name: &str) -> Option<Vec<u8>> {
    rebut_recordings::read(&format!("derivation/{name}"))
}

fn chain(chain_id: u64) -> RollupConfig {
    let base_fee = BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 };
    RollupConfig {
        chain: ChainParameters { chain_id, forks: ForkTimes::default(), base_fee },
        genesis: Genesis {
            l1: BlockId::default(),
            l2: BlockId::default(),
            l2_time: 0,
            system_config: SystemConfig::default(),
        },
        block_time: 2,
        max_sequencer_drift: 600,
        seq_window_size: 3600,
        channel_timeout: 300,
        granite_channel_timeout: 50,
        delta_time: Some(0),
        pectra_blob_schedule_time: None,
        batch_inbox: Default::default(),
        deposit_contract: Default::default(),
        l1_system_config: Default::default(),
        keep_karst_upgrade_gas: false,
        l1: L1Config::default(),
    }
}

/// Decodes, encodes, compares, and gives the span.
fn check_span(bytes: &[u8]) -> SpanBatch {
    let chain = chain(10);
    let batch = Batch::decode(bytes, &chain).unwrap();
    assert!(batch.encode(&chain).unwrap() == bytes, "the batch is written in another way");
    let Batch::Span(span) = batch else { panic!("not a span batch") };
    span
}

/// The counts come from another reader of the same bytes.
#[test]
fn a_span_batch_without_its_version_byte() {
    let Some(content) = recorded("raw_batch.hex") else { return };
    let span = check_span(&[&[1], content.as_slice()].concat());
    assert_eq!(span.blocks.len(), 4);
    assert_eq!(span.blocks[0].timestamp, 1_639_845_645);
    assert_eq!(span.blocks[3].epoch_number, 16_988_980_031_808_077_784);
}

#[test]
fn the_payload_of_a_span_batch() {
    let Some(payload) = recorded("payload.hex") else { return };
    let prefix = [&[1, 0, 100][..], &[0; 40]].concat();
    let span = check_span(&[prefix, payload].concat());
    let counts = span.blocks.iter().map(|block| block.transactions.len());
    assert_eq!(counts.collect::<Vec<_>>(), [6, 4, 9, 3]);
}

#[test]
fn a_span_batch_of_a_real_chain() {
    let Some(text) = recorded("span_batch") else { return };
    let span = check_span(&hex::decode(text.trim_ascii()).unwrap());
    assert_eq!(span.blocks.len(), 84);
    assert_eq!(span.blocks[0].timestamp, 11_401_892);
    assert_eq!(span.blocks[83].epoch_number, 4_933_211);
}

/// A whole channel: the RLP strings in it are batches.
#[test]
fn the_batches_of_a_channel() {
    let Some(text) = recorded("batch.hex") else { return };
    let compressed = hex::decode(text.trim_ascii()).unwrap();
    let channel = miniz_oxide::inflate::decompress_to_vec_zlib(&compressed).unwrap();
    assert_eq!(channel.len(), 1_409_463);
    let mut rest = channel.as_slice();
    let mut batches = 0;
    while !rest.is_empty() {
        check_span(alloy_rlp::Header::decode_bytes(&mut rest, false).unwrap());
        batches += 1;
    }
    assert_eq!(batches, 1);
}
