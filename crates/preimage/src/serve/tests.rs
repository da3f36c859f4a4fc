use super::*;
use crate::{ClientOracle, Hint, HintError, MemoryStore, StoreOracle};
use alloy_primitives::keccak256;
use proptest::prelude::*;
use std::{io::Write, sync::mpsc, thread};

fn keccak(value: &[u8]) -> PreimageKey {
    PreimageKey::keccak256(keccak256(value))
}

fn store_of(values: &[Vec<u8>]) -> MemoryStore {
    let mut store = MemoryStore::new();
    for value in values {
        store.insert(keccak(value), value.clone()).unwrap();
    }
    store
}

/// Passes the texts of hints on and refuses those named `refused`.
struct Listening {
    store: StoreOracle<MemoryStore>,
    hints: mpsc::Sender<Vec<u8>>,
}

impl PreimageOracle for Listening {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.store.get(key)
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        self.hints.send(hint.to_vec()).unwrap();
        match Hint::parse(hint) {
            Ok(Hint { name, .. }) if name == "refused" => Err(HintError::Name { name }.into()),
            _ => Ok(()),
        }
    }
}

/// Serves `values` while `client` runs on the other side of the pipes.
fn with_server<T>(
    values: &[Vec<u8>],
    client: impl FnOnce(Pipes) -> T,
) -> (T, Result<Served, ServeError>, Vec<Vec<u8>>) {
    let (ours, theirs) = Pipes::pair().unwrap();
    let (hints, heard) = mpsc::channel();
    let mut oracle = Listening { store: StoreOracle(store_of(values)), hints };
    let (result, served) = thread::scope(|scope| {
        let server = scope.spawn(|| serve(&mut oracle, theirs));
        (client(ours), server.join().unwrap())
    });
    drop(oracle);
    (result, served, heard.iter().collect())
}

#[test]
fn a_client_is_served_until_it_closes() {
    let values = [b"abc".to_vec(), Vec::new(), vec![7; 200_000]];
    let ((), served, hints) = with_server(&values, |pipes| {
        let mut client = ClientOracle::new(pipes.preimages, pipes.hints);
        client.hint(b"first 0x").unwrap();
        for value in &values {
            assert!(client.get(keccak(value)).unwrap() == *value);
        }
        client.hint(&[b'x'; 200_000]).unwrap();
        client.hint(b"").unwrap();
    });
    assert_eq!(served.unwrap(), Served { hints: 3, preimages: 3, value_bytes: 200_003 });
    assert_eq!(hints, [b"first 0x".to_vec(), vec![b'x'; 200_000], Vec::new()]);
}

#[test]
fn either_pipe_ends_the_service() {
    for close_hints in [true, false] {
        let (pipes, served, _) = with_server(&[], |pipes| match close_hints {
            true => (None, Some(pipes.preimages)),
            false => (Some(pipes.hints), None),
        });
        drop(pipes);
        assert_eq!(served.unwrap(), Served::default());
    }
}

#[test]
fn a_missing_key_ends_the_service_with_its_name() {
    let missing = keccak(b"missing");
    let (answer, served, _) = with_server(&[], |pipes| {
        let mut client = ClientOracle::new(pipes.preimages, pipes.hints);
        client.get(missing)
    });
    assert!(matches!(
        answer,
        Err(OracleError::PreimageChannel { source: ChannelError::Closed, .. })
    ));
    match served {
        Err(ServeError::Preimage(OracleError::Missing { key })) => assert_eq!(key, missing),
        result => panic!("{result:?}"),
    }
}

#[test]
fn a_refused_hint_is_acknowledged_before_the_error() {
    let (answer, served, _) = with_server(&[], |pipes| {
        let mut client = ClientOracle::new(pipes.preimages, pipes.hints);
        client.hint(b"refused 0x")
    });
    answer.unwrap();
    assert!(matches!(served, Err(ServeError::Hint(OracleError::Hint(_)))), "{served:?}");
}

/// Which request pipe a test writes to.
type Side = fn(Pipes) -> (FileChannel, FileChannel);
const HINTS: Side = |pipes| (pipes.hints, pipes.preimages);
const PREIMAGES: Side = |pipes| (pipes.preimages, pipes.hints);

/// Sends `bytes` on one request pipe, closes it and gives the server's verdict. The other pipe
/// stays open until then.
fn after_request(side: Side, bytes: &[u8]) -> ServeError {
    let (_, served, _) = with_server(&[], |pipes| {
        let (FileChannel { mut reader, mut writer }, other) = side(pipes);
        writer.write_all(bytes).unwrap();
        drop(writer);
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        other
    });
    served.unwrap_err()
}

#[test]
fn requests_that_are_wrong() {
    for length in [1, 31] {
        let error = after_request(PREIMAGES, &vec![2; length]);
        assert!(matches!(error, ServeError::PreimageChannel(ChannelError::Closed)), "{error}");
    }
    for hint in [&b"\0"[..], b"\0\0\0", b"\0\0\0\x01", b"\0\0\0\x03ab"] {
        let error = after_request(HINTS, hint);
        assert!(matches!(error, ServeError::HintChannel(ChannelError::Closed)), "{error}");
    }
    for key_type in [0, 3, 7, 255] {
        let error = after_request(PREIMAGES, &[key_type; 32]);
        assert!(matches!(error, ServeError::Key(_)), "{error}");
    }
}

#[test]
fn an_oversized_hint_is_refused_unread() {
    let error = after_request(HINTS, &[0xff; 4]);
    assert!(matches!(error, ServeError::HintTooLong { length_bytes: u32::MAX, .. }), "{error}");
}

#[test]
fn the_end_of_one_pipe_does_not_hide_a_broken_request_on_the_other() {
    for (begun, bytes) in [(PREIMAGES, &[2; 31][..]), (HINTS, &[0; 3])] {
        let (_, served, _) = with_server(&[], |pipes| {
            let (mut begun, other) = begun(pipes);
            begun.writer.write_all(bytes).unwrap();
            drop(other);
            begun
        });
        assert!(
            matches!(
                served,
                Err(ServeError::PreimageChannel(ChannelError::Closed)
                    | ServeError::HintChannel(ChannelError::Closed))
            ),
            "{served:?}"
        );
    }
}

/// Writes `bytes` in pieces of the given sizes, over and over, the rest in one.
fn write_in_pieces(writer: &mut impl Write, mut bytes: &[u8], sizes: &[usize]) {
    for size in sizes {
        let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
        writer.write_all(piece).unwrap();
        bytes = rest;
    }
    writer.write_all(bytes).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the client cuts its requests, and however both kinds alternate, each is answered in
    /// turn and with the same bytes.
    #[test]
    fn requests_may_be_cut_anywhere(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        hints in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
        sizes in prop::collection::vec(1_usize..40, 0..40),
    ) {
        let (answers, served, heard) = with_server(&values, |mut pipes| {
            let keys: Vec<u8> = values.iter().flat_map(|v| *keccak(v).as_bytes()).collect();
            let mut texts = Vec::new();
            for hint in &hints {
                texts.extend_from_slice(&u32::try_from(hint.len()).unwrap().to_be_bytes());
                texts.extend_from_slice(hint);
            }
            write_in_pieces(&mut pipes.preimages.writer, &keys, &sizes);
            write_in_pieces(&mut pipes.hints.writer, &texts, &sizes);
            let mut acknowledgements = vec![1; hints.len()];
            pipes.hints.read_exact(&mut acknowledgements).unwrap();
            let length: usize = values.iter().map(|value| 8 + value.len()).sum();
            let mut answers = vec![0; length];
            pipes.preimages.read_exact(&mut answers).unwrap();
            (answers, acknowledgements)
        });
        let expected: Vec<u8> = values
            .iter()
            .flat_map(|value| [&(value.len() as u64).to_be_bytes()[..], value].concat())
            .collect();
        prop_assert_eq!(answers, (expected, vec![0; hints.len()]));
        prop_assert_eq!(heard, hints);
        served.unwrap();
    }
}
