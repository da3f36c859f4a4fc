//! Servers: ports, ends, and requests that are none.

use crate::devnet;
use rebut_devnet::{
    l1::{Config, Mining},
    network::{Devnet, Options, Ports},
};
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

fn post(url: &str, body: &[u8]) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let agent: ureq::Agent = config.into();
    let mut answer = agent.post(url).send(body).unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn get(url: &str) -> (u16, String) {
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let agent: ureq::Agent = config.into();
    let mut answer = agent.get(url).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

#[test]
fn a_port_in_use_is_named() {
    let first = devnet(Mining::Manual);
    let port = first.l1_url().rsplit(':').next().unwrap().parse().unwrap();
    let ports = Ports { l1: port, beacon: 0, l2: 0 };
    let options = Options {
        l1: Config::default(),
        mining: Mining::Manual,
        ..Options::beginning_now(2, ports)
    };
    let error = Devnet::start(options).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("L1 JSON-RPC: cannot listen on 127.0.0.1:{port}")),
        "{error}"
    );
}

/// Neither an idle connection nor a running miner keeps a devnet from ending, and its ports are free then.
#[test]
fn a_devnet_ends_when_it_is_dropped() {
    let devnet = devnet(Mining::Interval(Duration::from_secs(3_600)));
    let address = devnet.l1_url().trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).unwrap();
    idle.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").unwrap();
    let began = Instant::now();
    drop(devnet);
    assert!(began.elapsed() < Duration::from_secs(5));
    // Whatever is left to be read, it comes to an end.
    let _ = idle.read_to_end(&mut Vec::new());
    std::net::TcpListener::bind(&address).unwrap();
}

#[test]
fn blocks_come_by_themselves() {
    let devnet = devnet(Mining::Interval(Duration::from_millis(10)));
    let began = Instant::now();
    while devnet.l1().unwrap().chain().latest().number() < 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "no blocks");
        std::thread::yield_now();
    }
}

#[test]
fn requests_that_are_none() {
    let devnet = devnet(Mining::Manual);
    let check = |body: &[u8], status: u16, part: &str| {
        let (found, text) = post(&devnet.l1_url(), body);
        assert_eq!(found, status, "{text}");
        assert!(text.contains(part), "{text}");
    };
    check(br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}"#, 200, r#""result":"0x0""#);
    check(b"", 200, "-32700");
    check(b"\xff", 200, "-32700");
    check(&vec![b' '; 33 << 20], 413, "");
    assert_eq!(get(&devnet.l1_url()).0, 405);

    let beacon = devnet.beacon_url().unwrap();
    let check = |path: &str, status: u16, part: &str| {
        let (found, text) = get(&format!("{beacon}{path}"));
        assert_eq!(found, status, "{path}: {text}");
        assert!(text.contains(part), "{path}: {text}");
    };
    check("/eth/v1/beacon/genesis", 200, r#""genesis_time":"1700000000""#);
    check("/eth/v1/config/spec", 200, r#""SECONDS_PER_SLOT":"1""#);
    check("/eth/v1/node/version", 200, "rebut");
    check("/eth/v1/beacon/blobs/genesis", 200, r#""data":[]"#);
    check("/eth/v1/beacon/blob_sidecars/0", 200, r#""data":[]"#);
    check("/eth/v1/beacon/blobs/1", 404, "no block at this slot");
    check("/eth/v1/beacon/blobs/18446744073709551615", 404, "no block at this slot");
    check("/eth/v1/beacon/blobs/nonsense", 400, "neither a slot");
    check("/eth/v1/beacon/blobs/0?versioned_hashes=0x12", 400, "malformed");
    check("/eth/v1/beacon/blob_sidecars/0?indices=x", 400, "malformed");
    check("/eth/v1/beacon/headers/head", 404, "no such path");
    check("/", 404, "no such path");
    assert_eq!(post(&beacon, b"{}").0, 405);
}
