//! What tests of this module start from: a recorded run of the program, and a server on this machine.

use super::vm::Loaded;
use flate2::read::GzDecoder;
use rebut_fpvm::{Mips64, State, StateVersion, load_elf};
use rebut_host::ClaimWitness;
use rebut_program::config::{Chain, Table, section};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;

/// The shortest recorded run; none where recordings are absent.
pub fn recorded() -> Option<ClaimWitness> {
    let path = rebut_recordings::path("fpp-devnet/da047d3.json.zst")?;
    Some(ClaimWitness::read(&path).unwrap_or_else(|error| panic!("{error}")))
}

/// The program, carrying the parameters of the claim's chain.
pub fn program(witness: &ClaimWitness) -> State {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/prebuilt/mips64/program.elf.gz");
    let mut elf = Vec::new();
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    GzDecoder::new(file).read_to_end(&mut elf).expect("a packed guest");
    let table = Table::encode(&[Chain::new("", witness.config.clone())]).expect("one chain");
    section::fill(&mut elf, &table).expect("a section for it");
    load_elf(StateVersion::V8, &elf).expect("the guest").state
}

/// A machine with the program.
pub fn cannon(witness: &ClaimWitness) -> Loaded<Mips64> {
    Loaded::new(program(witness))
}

/// Serves `answer` on the loopback interface until the test ends: the address. The function gets the path
/// and the body of each request, and gives the body of a success, or nothing for "not found".
pub fn server(answer: impl Fn(&str, &[u8]) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let mut line = String::new();
            stream.read_line(&mut line).expect("a request");
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            let mut length = 0;
            loop {
                line.clear();
                stream.read_line(&mut line).expect("a header");
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().expect("a length");
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            let (status, content) = match answer(&path, &body) {
                Some(content) => ("200 OK", content),
                None => ("404 Not Found", b"<html>no</html>".to_vec()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                content.len()
            );
            let out = stream.get_mut();
            // A client that has gone has its reasons.
            let _ = out.write_all(head.as_bytes()).and_then(|()| out.write_all(&content));
        }
    });
    format!("http://{address}")
}
