//! Oracles for keys, hints and both halves of the wire protocol.

use alloy_primitives::keccak256;
use arbitrary::Arbitrary;
use rebut_preimage::{
    Channel, ChannelError, ClientOracle, FileChannel, Hint, KeyError, OracleError, Pipes,
    PreimageKey, PreimageOracle, ServeError, serve,
};
use std::io::{Read, Write};

/// Reads a key in binary and as text, and checks the bytes behind it as its value.
pub fn key(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(key) = text.parse::<PreimageKey>()
    {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        assert_eq!(key.to_string(), format!("0x{}", digits.to_ascii_lowercase()));
    }
    let hashed = PreimageKey::keccak256(keccak256(bytes));
    assert_eq!(hashed.verify(bytes), Ok(()));

    let Some((head, value)) = bytes.split_first_chunk::<32>() else { return };
    let key = match PreimageKey::parse(*head) {
        Ok(key) => key,
        Err(error) => {
            assert_eq!(error.bytes(), head);
            let class = match error {
                KeyError::Illegal(_) => head[0] == 0,
                KeyError::Reserved(_) => head[0] == 3,
                KeyError::Unknown(_) => head[0] >= 7,
            };
            return assert!(class, "{error}");
        }
    };
    assert_eq!(key.as_bytes(), head);
    assert_eq!(key.key_type() as u8, head[0]);
    assert_eq!(key.to_string().parse(), Ok(key));
    if let Some(identifier) = key.local_identifier() {
        assert_eq!(PreimageKey::local(identifier), key);
    }
    assert_eq!(key.verify(value).is_ok() && head[0] == 2, hashed_as(value, head));
}

fn hashed_as(value: &[u8], key: &[u8; 32]) -> bool {
    key[0] == 2 && keccak256(value)[1..] == key[1..]
}

/// Reads a hint. What is understood has one meaning: written and read again it is the same.
pub fn hint(text: &[u8]) {
    let Ok(hint) = Hint::parse(text) else { return };
    let digits = alloy_primitives::hex::encode(&hint.payload);
    let forms = [" ", " 0x"].map(|between| [&hint.name, between, &digits].concat());
    let (_, payload) = text.split_at(hint.name.len());
    let lower = [hint.name.as_bytes(), &payload.to_ascii_lowercase()].concat();
    assert!(forms.iter().any(|form| form.as_bytes() == lower), "{forms:?}");
    let again = Hint::encode(&hint.name, &hint.payload);
    assert_eq!(Hint::parse(&again), Ok(hint));
}

/// What a client asks for, and what a server, honest or not, has in its pipes.
#[derive(Arbitrary, Debug)]
pub struct ClientCase {
    requests: Vec<Request>,
    preimages: Vec<u8>,
    acknowledgements: u8,
    limit_bytes: u16,
}

#[derive(Arbitrary, Debug)]
enum Request {
    Key([u8; 31]),
    Hint(Vec<u8>),
}

/// The end of two pipes of which one is full and one takes everything.
struct Recorded<'a> {
    incoming: &'a [u8],
    outgoing: Vec<u8>,
}

impl Channel for Recorded<'_> {
    fn read_exact(&mut self, buffer: &mut [u8]) -> Result<(), ChannelError> {
        let (head, tail) =
            self.incoming.split_at_checked(buffer.len()).ok_or(ChannelError::Closed)?;
        buffer.copy_from_slice(head);
        self.incoming = tail;
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.outgoing.extend_from_slice(bytes);
        Ok(())
    }
}

/// Lets a client read what a server never meant. It takes exactly the announced bytes, or fails.
pub fn client(case: ClientCase) {
    let limit_bytes = usize::from(case.limit_bytes);
    let acknowledgements = vec![0; case.acknowledgements.into()];
    let preimages = Recorded { incoming: &case.preimages, outgoing: vec![] };
    let hints = Recorded { incoming: &acknowledgements, outgoing: vec![] };
    let mut client = ClientOracle::new(preimages, hints).with_value_limit(limit_bytes);
    let mut unread = case.preimages.as_slice();
    let (mut keys_sent, mut hints_sent) = (vec![], vec![]);
    for request in &case.requests {
        match request {
            Request::Key(hash) => {
                let key = PreimageKey::keccak256(keccak256(hash));
                keys_sent.extend_from_slice(key.as_bytes());
                if !answered(client.get(key), &mut unread, limit_bytes) {
                    break;
                }
            }
            Request::Hint(hint) => {
                hints_sent.extend_from_slice(&(hint.len() as u32).to_be_bytes());
                hints_sent.extend_from_slice(hint);
                if client.hint(hint).is_err() {
                    break;
                }
            }
        }
    }
    let (preimages, hints) = client.into_channels();
    assert_eq!(preimages.outgoing, keys_sent);
    assert_eq!(hints.outgoing, hints_sent);
}

/// Compares an answer with what the protocol says about the bytes in the pipe. False when the channel is
/// of no more use.
fn answered(answer: Result<Vec<u8>, OracleError>, unread: &mut &[u8], limit_bytes: usize) -> bool {
    let announced = unread.split_first_chunk::<8>();
    match (answer, announced) {
        (Ok(value), Some((length, rest))) => {
            assert_eq!(value.len() as u64, u64::from_be_bytes(*length));
            assert!(value.len() <= limit_bytes);
            *unread = rest.strip_prefix(value.as_slice()).expect("the value is what was sent");
            true
        }
        (Err(OracleError::TooLong { length_bytes, .. }), Some((length, _))) => {
            assert_eq!(length_bytes, u64::from_be_bytes(*length));
            assert!(length_bytes > limit_bytes as u64);
            false
        }
        (Err(OracleError::PreimageChannel { .. }), Some((length, rest))) => {
            assert!((rest.len() as u64) < u64::from_be_bytes(*length), "the value was there");
            false
        }
        (Err(OracleError::PreimageChannel { .. }), None) => false,
        (answer, announced) => panic!("{answer:?} to {announced:?}"),
    }
}

/// What a program, honest or not, writes into the request pipes before it ends.
#[derive(Arbitrary, Debug)]
pub struct ServerCase {
    keys: Vec<u8>,
    hints: Vec<u8>,
}

/// The pipes must hold requests and answers, since nobody reads while the server writes.
const PIPE_BYTES: usize = 16 << 10;
/// Values of the store under test are at most this long: 512 keys are answered with 48 bytes each.
const VALUE_BYTES: usize = 40;

/// Answers half of all keys, with a value made from the key, and refuses hints that start with `!`.
struct Half;

fn half(key: &[u8; 32]) -> Option<Vec<u8>> {
    let length = usize::from(key[31]) % (VALUE_BYTES + 1);
    (key[1] < 0x80).then(|| key.iter().cycle().take(length).copied().collect())
}

impl PreimageOracle for Half {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        half(key.as_bytes()).ok_or(OracleError::Missing { key })
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        match hint {
            [b'!', ..] => Err(Hint::parse(b"").expect_err("an empty text is no hint").into()),
            _ => Ok(()),
        }
    }
}

/// Serves a program that ends after arbitrary bytes. Whatever went out answers what came in, in order.
pub fn server(mut case: ServerCase) {
    case.keys.truncate(PIPE_BYTES);
    case.hints.truncate(PIPE_BYTES);
    let (keys, mut values) = (filled_pipe(&case.keys), pipe());
    let (hints, mut acknowledgements) = (filled_pipe(&case.hints), pipe());
    let pipes = Pipes {
        hints: FileChannel::new(hints, acknowledgements.1),
        preimages: FileChannel::new(keys, values.1),
    };
    let result = serve(&mut Half, pipes);

    let (mut sent, mut acknowledged) = (vec![], vec![]);
    values.0.read_to_end(&mut sent).expect("the other end is closed");
    acknowledgements.0.read_to_end(&mut acknowledged).expect("the other end is closed");
    let expected: Vec<Vec<u8>> =
        case.keys.as_chunks::<32>().0.iter().map_while(answer_to).collect();
    assert!(expected.concat().starts_with(&sent), "{expected:02x?} / {sent:02x?}");
    assert!(acknowledged.iter().all(|byte| *byte == 0));
    assert!(acknowledged.len() <= case.hints.len() / 4);
    match result {
        Ok(served) => {
            assert_eq!(served.hints, acknowledged.len() as u64);
            let answers = &expected[..served.preimages as usize];
            assert_eq!(answers.concat(), sent);
            assert_eq!(served.value_bytes as usize, sent.len() - 8 * answers.len());
        }
        Err(ServeError::Watch(error)) => panic!("the pipes are in order: {error}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn answer_to(key: &[u8; 32]) -> Option<Vec<u8>> {
    PreimageKey::parse(*key).ok()?;
    let value = half(key)?;
    Some([&(value.len() as u64).to_be_bytes()[..], &value].concat())
}

fn pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    std::io::pipe().expect("a few descriptors are left")
}

/// The reading end of a pipe that holds `bytes` and then ends.
fn filled_pipe(bytes: &[u8]) -> std::io::PipeReader {
    let (reader, mut writer) = pipe();
    writer.write_all(bytes).expect("a pipe holds 64 KiB");
    reader
}
