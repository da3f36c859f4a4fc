//! Recorded blobs, transactions and channels of real chains, from transaction data to batches.
//!
//! What is expected of the channels (lengths, digest) was computed with other implementations of zlib,
//! Brotli and RLP.

use super::{
    channel_assembler::ChannelAssembler, channel_bank::ChannelBank, channel_reader::ChannelReader,
    frame_queue::FrameQueue, retrieval::batcher_data,
};
use crate::{
    Batch, Frame, RollupConfig, decode_blob,
    fixtures::{config_at, l1_block},
    memory_l1::MemoryL1,
};
use alloc::vec::Vec;
use alloy_consensus::{Header, Transaction, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, Bytes, address, hex, keccak256};
use rebut_execution::Fork;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The blobs of one channel, in the order of its frames.
const BLOBS: [&str; 3] = [
    "018eb6259ee49c88543f017093cae37d3210800b4eb086489482cbb9354ebcd3",
    "019e6c1ce81bcb3e0f3d113a7f5e86d77c5d83465d96334dab807f6067444d62",
    "01a97bab3a8e49fe5d0d8b0881d8b62d6080ce124cfa1c050dd99e66bacb0d13",
];

fn blobs() -> Option<Vec<Value>> {
    let read = |name: &&str| rebut_recordings::read(&alloc::format!("blobs/{name}.json"));
    let files: Option<Vec<Vec<u8>>> = BLOBS.iter().map(read).collect();
    Some(files?.iter().map(|file| serde_json::from_slice(file).unwrap()).collect())
}

fn bytes(value: &Value) -> Bytes {
    value.as_str().unwrap().parse().unwrap()
}

/// What the recorded blob carries, by the code under test.
fn data(recorded: &Value) -> Bytes {
    decode_blob(bytes(&recorded["blob"])[..].try_into().unwrap()).unwrap()
}

/// The lengths of the batches in a channel, and a digest of all of them.
fn batches(config: &RollupConfig, channel: Bytes) -> (Vec<usize>, Vec<Bytes>) {
    let mut reader = ChannelReader::default();
    reader.load(config, channel, &l1_block(1, 0));
    let batches: Vec<Bytes> = core::iter::from_fn(|| reader.next()).collect();
    (batches.iter().map(|batch| batch.len()).collect(), batches)
}

#[test]
fn blobs_decode_to_the_recorded_data_and_frames() {
    for recorded in blobs().unwrap_or_default() {
        let data = data(&recorded);
        assert_eq!(data, bytes(&recorded["batcher_data"]));
        let frames = Frame::decode_all(&data).unwrap();
        let expected = recorded["frames"].as_array().unwrap();
        assert_eq!(frames.len(), expected.len());
        for (frame, expected) in frames.iter().zip(expected) {
            assert_eq!(hex::encode(frame.channel.0), expected["channel_id"].as_str().unwrap());
            assert_eq!(u64::from(frame.number), expected["frame_number"].as_u64().unwrap());
            assert_eq!(frame.data.len() as u64, expected["len"].as_u64().unwrap());
            assert_eq!(u64::from(frame.is_last), expected["is_last"].as_u64().unwrap());
        }
        assert_eq!(Frame::encode_all(&frames), data);
    }
}

#[test]
fn the_recorded_frames_make_one_channel_of_span_batches() {
    const LENGTHS: [usize; 7] = [196_484, 245_283, 220_139, 288_125, 220_887, 212_068, 200_141];
    /// Of the decompressed channel, with the prefixes of four bytes that RLP puts before the batches.
    const SHA_256: &str = "a7e12b3b682ad6b651b4cc8abdbc7a3686f7d98bf9fdcfb2caaf3385b777bd26";
    let Some(recorded) = blobs() else { return };
    let (config, origin) = (config_at(&[(Fork::Holocene, 0)]), l1_block(1, 0));
    let (mut queue, mut assembler) = (FrameQueue::default(), ChannelAssembler::default());
    let mut bank = ChannelBank::default();
    let mut channels = Vec::new();
    for recorded in recorded {
        queue.load(&data(&recorded), true);
        while let Some(frame) = queue.next() {
            bank.add(&config, frame.clone(), &origin);
            assembler.add(&config, frame, &origin);
            channels.extend(assembler.read(&config, &origin));
        }
    }
    assert_eq!(channels.len(), 1);
    assert_eq!(bank.read(&config, &origin).as_ref(), channels.first());

    let (lengths, batches) = batches(&config, channels.remove(0));
    assert_eq!(lengths, LENGTHS);
    let mut digest = Sha256::new();
    for batch in batches {
        let decoded = Batch::decode(&batch, &config).unwrap();
        assert!(matches!(decoded, Batch::Span(_)));
        assert!(decoded.encode(&config).unwrap() == batch);
        digest.update([0xba]);
        digest.update(&(batch.len() as u32).to_be_bytes()[1..]);
        digest.update(&batch);
    }
    assert_eq!(hex::encode(digest.finalize()), SHA_256);
}

#[test]
fn the_frame_of_a_recorded_transaction_encodes_to_the_same_bytes() {
    let Some(raw) = rebut_recordings::read("derivation/raw_batcher_tx.hex") else { return };
    let transaction = TxEnvelope::decode_2718_exact(&raw).unwrap();
    assert_eq!(transaction.to(), Some(address!("ff00000000000000000000000000000000000010")));
    let frames = Frame::decode_all(transaction.input()).unwrap();
    assert_eq!(Frame::encode_all(&frames), *transaction.input());
    assert_eq!(frames.len(), 1);
    assert_eq!(hex::encode(frames[0].channel.0), "ac329933f5efdcc35ccd284232a376d3");
    assert_eq!((frames[0].number, frames[0].data.len(), frames[0].is_last), (0, 119_799, true));
}

#[test]
fn the_recorded_zlib_channel_holds_one_batch() {
    let Some(text) = rebut_recordings::read("derivation/batch.hex") else { return };
    let channel = hex::decode(text.trim_ascii()).unwrap();
    assert_eq!(batches(&config_at(&[]), channel.into()).0, [1_409_459]);
}

/// The batcher of OP Mainnet sent the recorded transaction.
#[test]
fn the_recorded_transaction_is_retrieved() {
    let Some(raw) = rebut_recordings::read("derivation/raw_batcher_tx.hex") else { return };
    let mut config = config_at(&[]);
    config.batch_inbox = address!("ff00000000000000000000000000000000000010");
    let mut l1 = MemoryL1::default();
    let block = l1.push(0, [raw.into()].into(), Vec::new(), &[]);
    for (batcher, count) in [
        (address!("6887246668a3b87f54deb3b94ba47a6f63f32985"), 1),
        (address!("6887246668a3b87f54deb3b94ba47a6f63f32986"), 0),
    ] {
        let data = batcher_data(&config, &block, batcher, &mut l1).unwrap();
        assert_eq!(data.len(), count, "{batcher}");
    }
}

/// Each transaction of real L1 blocks is found by the sender and recipient that are recorded beside it.
#[test]
fn transactions_of_recorded_blocks_are_retrieved_by_sender_and_recipient() {
    for (name, number, count) in [("pre-shanghai", 0x84_0249, 62), ("post-shanghai", 0x84_161e, 29)]
    {
        let name = alloc::format!("l1/op-service-sources/blocks/{name}-success_data.json");
        let Some(file) = rebut_recordings::read(&name) else { return };
        let json: Value = serde_json::from_slice(&file).unwrap();
        let header: Header = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(header.number, number);
        assert_eq!(alloc::format!("{:?}", header.hash_slow()), json["hash"].as_str().unwrap());

        let recorded = json["transactions"].as_array().unwrap();
        assert_eq!(recorded.len(), count, "{name}");
        let mut l1 = MemoryL1::default();
        let transactions: Vec<Bytes> = recorded.iter().map(encoded).collect();
        let block = l1.push(0, transactions, Vec::new(), &[]);
        for transaction in recorded {
            let Some(to) = transaction["to"].as_str() else { continue };
            let mut config = config_at(&[]);
            config.batch_inbox = to.parse().unwrap();
            let from: Address = transaction["from"].as_str().unwrap().parse().unwrap();
            let expected: Vec<Bytes> = recorded
                .iter()
                .filter(|other| {
                    other["to"] == transaction["to"] && other["from"] == transaction["from"]
                })
                .map(|other| bytes(&other["input"]))
                .collect();
            assert_eq!(batcher_data(&config, &block, from, &mut l1).unwrap(), expected);
        }
    }
}

/// A recorded transaction as the block has it; its hash shows that it is.
fn encoded(recorded: &Value) -> Bytes {
    let transaction: TxEnvelope = serde_json::from_value(recorded.clone()).unwrap();
    let encoded = transaction.encoded_2718();
    assert_eq!(hex::encode_prefixed(keccak256(&encoded)), recorded["hash"].as_str().unwrap());
    encoded.into()
}
