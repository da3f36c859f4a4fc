use super::*;
use alloc::{collections::VecDeque, vec};
use alloy_primitives::keccak256;

/// Sends what it was given and records what it received.
#[derive(Default)]
struct Script {
    answers: VecDeque<u8>,
    requests: Vec<u8>,
}

impl Script {
    fn answering(answers: &[u8]) -> Self {
        Self { answers: answers.iter().copied().collect(), requests: Vec::new() }
    }
}

impl Channel for Script {
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError> {
        if self.answers.len() < buffer.len() {
            return Err(ChannelError::Closed);
        }
        let length = buffer.len();
        let sent = self.answers.drain(..length);
        buffer.iter_mut().zip(sent).for_each(|(byte, answer)| *byte = answer);
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.requests.extend_from_slice(bytes);
        Ok(())
    }
}

fn key() -> PreimageKey {
    PreimageKey::keccak256(keccak256(b"abc"))
}

#[test]
fn a_request_is_the_key_and_an_answer_length_and_value() {
    let preimages = Script::answering(b"\0\0\0\0\0\0\0\x03abc");
    let mut client = ClientOracle::new(preimages, Script::default());
    assert_eq!(client.get(key()).unwrap(), b"abc");
    assert_eq!(client.into_channels().0.requests, key().as_bytes());
}

#[test]
fn an_empty_value_is_its_length_alone() {
    let mut client = ClientOracle::new(Script::answering(&[0; 8]), Script::default());
    assert_eq!(client.get(key()).unwrap(), b"");
}

#[test]
fn values_arrive_whole_whatever_their_size() {
    for length in [RESERVE_BYTES - 1, RESERVE_BYTES, RESERVE_BYTES + 1, 5 * RESERVE_BYTES + 7] {
        let value: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let mut answer = (length as u64).to_be_bytes().to_vec();
        answer.extend_from_slice(&value);
        let mut client = ClientOracle::new(Script::answering(&answer), Script::default());
        assert!(client.get(key()).unwrap() == value, "{length} bytes");
    }
}

#[test]
fn announced_lengths_are_limited() {
    for announced in [11, u64::from(u32::MAX), u64::MAX] {
        let preimages = Script::answering(&announced.to_be_bytes());
        let mut client = ClientOracle::new(preimages, Script::default()).with_value_limit(10);
        match client.get(key()) {
            Err(OracleError::TooLong { length_bytes, limit_bytes: 10, .. }) => {
                assert_eq!(length_bytes, announced);
            }
            result => panic!("{result:?}"),
        }
    }
}

#[test]
fn a_short_answer_is_a_closed_channel() {
    for answer in [&b""[..], &[0; 7], &[0, 0, 0, 0, 0, 0, 0, 1], b"\0\0\0\0\0\0\0\x03ab"] {
        let mut client = ClientOracle::new(Script::answering(answer), Script::default());
        let result = client.get(key());
        assert!(
            matches!(
                result,
                Err(OracleError::PreimageChannel { source: ChannelError::Closed, .. })
            ),
            "{result:?}"
        );
    }
}

#[test]
fn a_hint_is_length_and_text_and_waits_for_its_acknowledgement() {
    let mut client = ClientOracle::new(Script::default(), Script::answering(&[0]));
    client.hint(b"l2-code 0xab").unwrap();
    match client.hint(b"l2-code 0xcd") {
        Err(OracleError::HintChannel { source: ChannelError::Closed }) => {}
        result => panic!("{result:?}"),
    }
    let expected = [&b"\0\0\0\x0cl2-code 0xab"[..], b"\0\0\0\x0cl2-code 0xcd"].concat();
    assert_eq!(client.into_channels().1.requests, expected);
}

#[test]
fn empty_hints_are_hints() {
    let mut client = ClientOracle::new(Script::default(), Script::answering(&[0]));
    client.hint(b"").unwrap();
    assert_eq!(client.into_channels().1.requests, vec![0; 4]);
}
