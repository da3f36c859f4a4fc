//! Headers, transactions and receipts, by every way a node offers.

use crate::{
    L1_CHAIN, ask, assert_stored, attempts,
    chain::{Block, read_list},
    host_error, l1_host,
    server::{Fault as Wrong, Server},
};
use alloy_primitives::{B256, Bytes};
use rebut_host::{HostError, source::Fault};
use serde_json::{Value, json};

/// Enough transactions for a trie of several levels and indices above 0x7f.
const COUNT: u64 = 140;

fn block() -> Block {
    Block::new(7, B256::repeat_byte(9), COUNT)
}

/// Asks for everything of a block at a node and compares with the block.
fn check(server: &Server, block: &Block) {
    let mut host = l1_host(&[server]);
    let header = ask(&mut host, "l1-block-header", &block.hash.0, block.hash).unwrap();
    assert_eq!(header, block.raw_header);
    let root = block.header.transactions_root;
    ask(&mut host, "l1-transactions", &block.hash.0, root).unwrap();
    assert_eq!(read_list(&host, root), block.transactions);
    let root = block.header.receipts_root;
    ask(&mut host, "l1-receipts", &block.hash.0, root).unwrap();
    assert_eq!(read_list(&host, root), block.receipts);
}

#[test]
fn raw_encodings() {
    let (server, block) = (Server::execution(L1_CHAIN), block());
    block.serve_raw(&server);
    check(&server, &block);
    assert_eq!(server.calls("eth_getBlockByHash"), 0);
}

#[test]
fn json_encoded_again() {
    let (server, block) = (Server::execution(L1_CHAIN), block());
    block.serve_json(&server);
    check(&server, &block);
}

#[test]
fn receipts_one_by_one() {
    let (server, block) = (Server::execution(L1_CHAIN), block());
    block.serve_json(&server);
    block.serve_receipts(&server);
    server.withdraw("eth_getBlockReceipts");
    check(&server, &block);
    assert_eq!(server.calls("eth_getTransactionReceipt") as u64, COUNT);
}

#[test]
fn an_empty_block_needs_its_header_only() {
    let (server, block) = (Server::execution(L1_CHAIN), Block::new(7, B256::ZERO, 0));
    server.answer("debug_getRawHeader", &json!([block.hash]), json!(block.raw_header));
    check(&server, &block);
}

/// Before its receipts are asked for nobody need have asked for the header.
#[test]
fn lists_get_their_header_themselves() {
    let (server, block) = (Server::execution(L1_CHAIN), block());
    block.serve_raw(&server);
    let root = block.header.receipts_root;
    ask(&mut l1_host(&[&server]), "l1-receipts", &block.hash.0, root).unwrap();
}

/// A type that is younger than the host: its transactions come raw, its receipts look like all others.
#[test]
fn transactions_of_an_unknown_type() {
    let server = Server::execution(L1_CHAIN);
    let raw = Bytes::from_static(&[0x05, 0xc3, 1, 2, 3]);
    let json = json!({ "type": "0x5", "hash": B256::ZERO });
    let block = Block::of(8, B256::ZERO, vec![raw.clone(); 2], vec![json; 2], &[5, 5]);
    block.serve_json(&server);
    for index in ["0x0", "0x1"] {
        let method = "eth_getRawTransactionByBlockHashAndIndex";
        server.answer(method, &json!([block.hash, index]), json!(raw));
    }
    check(&server, &block);
}

/// What the nodes of a host without others do wrong with `wrong` set for `method`.
fn faults(serve: fn(&Block, &Server), method: &str, hint: &str, wrong: Wrong) -> Vec<String> {
    let (server, block) = (Server::execution(L1_CHAIN), block());
    serve(&block, &server);
    server.fail(method, usize::MAX, wrong);
    let mut host = l1_host(&[&server]);
    let hash = match hint {
        "l1-block-header" => block.hash,
        "l1-transactions" => block.header.transactions_root,
        _ => block.header.receipts_root,
    };
    let error = ask(&mut host, hint, &block.hash.0, hash).unwrap_err();
    let faults = attempts(error)
        .into_iter()
        .map(|attempt| format!("{} {:?}", attempt.failure.method, attempt.failure.fault));
    let faults = faults.collect();
    // The header is right unless it was the header that was wrong.
    assert_stored(&host, usize::from(hint != "l1-block-header"));
    faults
}

fn check_faults(
    serve: fn(&Block, &Server),
    method: &str,
    hint: &str,
    wrong: Value,
    expected: &[&str],
) {
    let faults = faults(serve, method, hint, Wrong::Result(wrong));
    for start in expected {
        assert!(faults.iter().any(|fault| fault.starts_with(start)), "{start}: {faults:#?}");
    }
}

#[test]
fn wrong_headers() {
    let other = Block::new(7, B256::ZERO, 1);
    let mut json = other.json_hashes();
    let hint = "l1-block-header";
    let raw = json!(other.raw_header);
    let expected = ["debug_getRawHeader Hash", "eth_getBlockByHash Unsupported"];
    check_faults(Block::serve_raw, "debug_getRawHeader", hint, raw, &expected);
    let expected = ["eth_getBlockByHash Hash"];
    check_faults(Block::serve_json, "eth_getBlockByHash", hint, json.clone(), &expected);
    // A field without the ones that stand before it.
    json.as_object_mut().unwrap().remove("withdrawalsRoot");
    check_faults(Block::serve_json, "eth_getBlockByHash", hint, json.clone(), &expected);
    json["stateRoot"] = json!("0x00");
    let expected = ["eth_getBlockByHash Shape"];
    check_faults(Block::serve_json, "eth_getBlockByHash", hint, json, &expected);
}

#[test]
fn wrong_transactions() {
    let hint = "l1-transactions";
    let block = block();
    let other = json!(Block::new(7, B256::ZERO, COUNT - 1).raw());
    let expected = ["debug_getRawBlock Root { what: \"transactions\""];
    check_faults(Block::serve_raw, "debug_getRawBlock", hint, other, &expected);
    let expected = ["debug_getRawBlock Encoding"];
    for no_block in [json!("0x"), json!("0xc0"), json!("0xc58301020380"), json!("0xff")] {
        check_faults(Block::serve_raw, "debug_getRawBlock", hint, no_block, &expected);
    }
    // A node that gives the right header and then other transactions.
    let serve = |block: &Block, server: &Server| {
        block.serve_json(server);
        block.serve_raw(server);
        server.withdraw("debug_getRawBlock");
    };
    let check = |change: &dyn Fn(&mut Value), expected: &str| {
        let mut json = block.json.clone();
        change(&mut json);
        check_faults(serve, "eth_getBlockByHash", hint, json, &[expected]);
    };
    let root = "eth_getBlockByHash Root { what: \"transactions\"";
    check(&|json| json["transactions"][3]["nonce"] = json!("0x99"), root);
    check(&|json| json["transactions"].as_array_mut().unwrap().swap(0, 5), root);
    check(&|json| drop(json["transactions"].as_array_mut().unwrap().pop()), root);
    let shape = "eth_getBlockByHash Shape";
    check(&|json| json["transactions"][3] = Value::Null, shape);
    check(&|json| json["transactions"][0]["nonce"] = Value::Null, shape);
    check(&|json| json["transactions"][0]["type"] = json!([]), shape);
    let withdrawal = json!({ "index": "0x0", "validatorIndex": "0x0", "address":
        "0x0000000000000000000000000000000000000000", "amount": "0x1" });
    let root = "eth_getBlockByHash Root { what: \"withdrawals\"";
    check(&|json| json["withdrawals"] = json!([withdrawal]), root);
}

#[test]
fn wrong_receipts() {
    let hint = "l1-receipts";
    let block = block();
    let mut raw = block.receipts.clone();
    raw.swap(0, 1);
    let expected = ["debug_getRawReceipts Root { what: \"receipts\""];
    check_faults(Block::serve_raw, "debug_getRawReceipts", hint, json!(raw), &expected);
    for raw in [json!([]), json!(["0x"]), json!(vec!["0x"; COUNT as usize])] {
        check_faults(Block::serve_raw, "debug_getRawReceipts", hint, raw, &expected);
    }
    let mut json = block.json_receipts.clone();
    json[7]["status"] = json!("0x0");
    let expected = ["eth_getBlockReceipts Root { what: \"receipts\""];
    check_faults(Block::serve_json, "eth_getBlockReceipts", hint, json.clone(), &expected);
    json[7]["logs"] = Value::Null;
    let expected = ["eth_getBlockReceipts Shape"];
    check_faults(Block::serve_json, "eth_getBlockReceipts", hint, json, &expected);
}

#[test]
fn a_pruned_node_is_told_from_one_on_another_chain() {
    let child = Block::new(7, block_at_6().hash, 1);
    let ask_for_parent = |server: &Server| {
        child.serve_raw(server);
        let mut host = l1_host(&[server]);
        ask(&mut host, "l1-block-header", &child.hash.0, child.hash).unwrap();
        let parent = child.header.parent_hash;
        let error = ask(&mut host, "l1-block-header", &parent.0, parent).unwrap_err();
        assert_stored(&host, 1);
        host_error(error)
    };

    let pruned = Server::execution(L1_CHAIN);
    pruned.offer("eth_getBlockByHash");
    let HostError::Source(error) = ask_for_parent(&pruned) else { panic!() };
    assert!(matches!(error.attempts.last().unwrap().failure.fault, Fault::Absent), "{error}");
    assert!(error.to_string().contains("archive node"), "{error}");

    let reorged = Server::execution(L1_CHAIN);
    reorged.offer("eth_getBlockByHash");
    let other = Block::new(6, B256::repeat_byte(0xee), 3);
    other.serve_json(&reorged);
    let HostError::Source(error) = ask_for_parent(&reorged) else { panic!() };
    match error.attempts.last().unwrap().failure.fault {
        Fault::Reorged { number: 6, canonical } => assert_eq!(canonical, other.hash),
        _ => panic!("{error}"),
    }
    assert!(error.to_string().contains("reorganised"), "{error}");
}

fn block_at_6() -> Block {
    Block::new(6, B256::ZERO, 1)
}
