//! What can happen to any request, and that the next node is asked then.

use crate::{
    L1_CHAIN, ask, assert_stored, attempts,
    chain::Block,
    l1_host, policy,
    server::{Fault as Wrong, Server},
};
use alloy_primitives::B256;
use rebut_host::{
    HostConfig,
    source::{Attempt, Fault, NodeUrl, Policy},
};
use std::{io::Write, net::TcpListener, thread, time::Duration};

const METHOD: &str = "debug_getRawHeader";

fn block() -> Block {
    Block::new(7, B256::repeat_byte(9), 3)
}

fn honest() -> Server {
    let server = Server::execution(L1_CHAIN);
    block().serve_raw(&server);
    server
}

/// The faults of a node that always does the same wrong thing; and behind it an honest one helps.
fn faults_of(wrong: Wrong, policy: Policy) -> Vec<Attempt> {
    let block = block();
    let server = honest();
    server.fail(METHOD, usize::MAX, wrong);
    let config = HostConfig { policy, ..crate::config() };
    let mut host = crate::in_memory(HostConfig { l1: vec![server.url()], ..config.clone() });
    let error = ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap_err();
    assert_stored(&host, 0);

    let urls = vec![server.url(), honest().url()];
    let mut host = crate::in_memory(HostConfig { l1: urls, ..config });
    let header = ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap();
    assert_eq!(header, block.raw_header);
    assert_stored(&host, 1);
    let attempts = attempts(error);
    assert!(attempts.iter().all(|attempt| attempt.url == server.url()));
    attempts
}

fn check(wrong: Wrong, policy: Policy, expected: fn(&Fault) -> bool) {
    let attempts = faults_of(wrong, policy);
    let ours = attempts.iter().find(|attempt| attempt.failure.method == METHOD);
    let fault = &ours.expect("the method that failed is named").failure.fault;
    assert!(expected(fault), "{fault:?}");
}

#[test]
fn every_fault_has_its_name() {
    let error = |code| Wrong::Error(code, "header not found");
    check(error(-32000), policy(), |f| matches!(f, Fault::Rpc { code: -32000, .. }));
    check(error(-32005), policy(), |f| matches!(f, Fault::RateLimited { .. }));
    check(error(-32601), policy(), |f| matches!(f, Fault::Unsupported));
    check(Wrong::SlowDown, policy(), |f| matches!(f, Fault::RateLimited { .. }));
    check(Wrong::Status(500, ""), policy(), |f| matches!(f, Fault::Status(500)));
    check(Wrong::Status(503, "<html>"), policy(), |f| matches!(f, Fault::Status(503)));
    check(Wrong::Status(302, "{}"), policy(), |f| matches!(f, Fault::Status(302)));
    check(Wrong::NotJson, policy(), |f| matches!(f, Fault::NotJson(_)));
    check(Wrong::Stray, policy(), |f| matches!(f, Fault::Stray));
    check(Wrong::Broken, policy(), |f| matches!(f, Fault::Unreachable(_)));
    let null = Wrong::Result(serde_json::Value::Null);
    check(null, policy(), |f| matches!(f, Fault::Absent));
    check(Wrong::Result(7.into()), policy(), |f| matches!(f, Fault::Shape(_)));
}

#[test]
fn silence_ends_with_the_time_limit() {
    let policy = Policy { request_timeout: Duration::from_millis(200), ..policy() };
    check(Wrong::Silence, policy, |f| matches!(f, Fault::TimedOut { .. }));
}

#[test]
fn answers_are_read_up_to_a_limit() {
    let policy = Policy { rpc_limit_bytes: 100_000, ..policy() };
    check(Wrong::Endless, policy, |f| matches!(f, Fault::TooLarge { limit_bytes: 100_000 }));
}

#[test]
fn nobody_listens() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: NodeUrl = format!("http://127.0.0.1:{port}").parse().unwrap();
    let block = block();
    let config = HostConfig { l1: vec![url.clone()], ..crate::config() };
    let mut host = crate::in_memory(config.clone());
    let error = ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap_err();
    let attempts = attempts(error);
    assert!(matches!(attempts[0].failure.fault, Fault::Unreachable(_)), "{:?}", attempts[0]);

    let mut host = crate::in_memory(HostConfig { l1: vec![url, honest().url()], ..config });
    // A node that is down at the start may be up later.
    host.greet().unwrap();
    ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap();
}

/// A node without TLS behind an address that asks for it.
#[test]
fn encryption_is_not_given_up() {
    let block = block();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The other side may be gone by now.
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let mut host = crate::in_memory(HostConfig { l1: vec![url], ..crate::config() });
    let error = ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap_err();
    let attempts = attempts(error);
    assert!(matches!(attempts[0].failure.fault, Fault::Unreachable(_)), "{:?}", attempts[0]);
}

#[test]
fn a_node_of_another_chain_is_never_believed() {
    let (wrong, block) = (Server::execution(L1_CHAIN + 1), block());
    block.serve_raw(&wrong);
    let mut host = l1_host(&[&wrong]);
    assert!(host.greet().unwrap_err().to_string().contains("serves chain 901, not 900"));
    let error = ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap_err();
    let attempts = attempts(error);
    let expected = Fault::Chain { expected: L1_CHAIN, found: L1_CHAIN + 1 };
    assert_eq!(format!("{:?}", attempts[0].failure.fault), format!("{expected:?}"));
    assert_eq!(wrong.calls(METHOD), 0);

    let mut host = l1_host(&[&wrong, &honest()]);
    host.greet().unwrap();
    ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap();
}

/// What passes is waited for: the same node answers in the second round.
#[test]
fn a_node_that_recovers_is_asked_again() {
    let block = block();
    for wrong in [Wrong::SlowDown, Wrong::Status(502, ""), Wrong::Broken] {
        let server = honest();
        server.fail(METHOD, 1, wrong);
        let mut host = l1_host(&[&server]);
        ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap();
        assert_eq!(server.calls(METHOD), 2);
    }
}

/// One request decides which node is asked first from then on.
#[test]
fn the_node_that_works_is_asked_first() {
    let (bad, good) = (honest(), honest());
    bad.fail(METHOD, usize::MAX, Wrong::Status(500, ""));
    let other = Block::new(8, B256::ZERO, 1);
    other.serve_raw(&good);
    let mut host = l1_host(&[&bad, &good]);
    let block = block();
    ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap();
    let before = bad.calls(METHOD);
    ask(&mut host, "l1-block-header", &other.hash.0, other.hash).unwrap();
    assert_eq!(bad.calls(METHOD), before);
}
