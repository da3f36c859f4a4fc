//! Every engine against an independent keccak.

use alloc::{vec, vec::Vec};

use alloy_primitives::keccak256;
use proptest::{collection::vec as vec_of, prelude::*};

use super::Engine;

fn check(engine: Engine, messages: &[[u8; 64]]) {
    let mut digests = vec![[0xee; 32]; messages.len()];
    engine.hash_pairs(messages, &mut digests);
    let expected: Vec<[u8; 32]> = messages.iter().map(|message| keccak256(message).0).collect();
    assert_eq!(digests, expected, "engine {engine}, {} messages", messages.len());
}

#[test]
fn single_bits_reach_every_lane() {
    for engine in Engine::available() {
        let messages: Vec<[u8; 64]> = (0..512)
            .map(|bit| {
                let mut message = [0; 64];
                message[bit / 8] = 1 << (bit % 8);
                message
            })
            .collect();
        check(engine, &messages);
    }
}

#[test]
fn surplus_messages_and_digests_are_left_alone() {
    for engine in Engine::available() {
        for (messages, digests) in [(9, 7), (7, 9), (0, 3), (3, 0), (64, 1), (1, 64)] {
            let messages = vec![[7u8; 64]; messages];
            let mut out = vec![[0xee; 32]; digests];
            engine.hash_pairs(&messages, &mut out);
            let hashed = messages.len().min(digests);
            assert!(out[..hashed].iter().all(|digest| *digest == keccak256([7u8; 64]).0));
            assert!(out[hashed..].iter().all(|digest| *digest == [0xee; 32]));
        }
    }
}

#[test]
fn the_best_engine_is_one_of_the_available() {
    assert!(Engine::available().any(|engine| engine == Engine::best()));
}

proptest! {
    #![proptest_config(crate::tests::seeded(64))]

    #[test]
    fn engines_agree_with_keccak256(
        messages in vec_of(prop::array::uniform32(any::<[u8; 2]>()), 0..80)
    ) {
        let messages: Vec<[u8; 64]> =
            messages.iter().map(|halves| halves.as_flattened().try_into().unwrap()).collect();
        for engine in Engine::available() {
            check(engine, &messages);
        }
    }
}
