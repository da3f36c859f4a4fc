//! JSON-RPC as such, and both namespaces over a small L1 chain.

use super::*;
use crate::{
    keys::{DEV_KEYS, Key},
    l1::{self, Chain, Config, Mining, Node, funded},
};
use alloy_consensus::TxEip1559;
use alloy_primitives::{TxKind, U256, keccak256};
use serde_json::from_str;

/// Says what it was asked.
struct Echo;

impl Methods for Echo {
    fn call(&self, method: &str, params: &Params) -> Option<RpcResult> {
        match method {
            "echo" => Some(params.get(0)),
            "fail" => Some(Err(RpcError::failed(&"it does not work"))),
            _ => None,
        }
    }
}

fn check(request: &str, expected: Value) {
    let answer = answer(&Echo, request.as_bytes());
    let answer: Value = if answer.is_empty() { Value::Null } else { from_str(&answer).unwrap() };
    // The words of the parser are its own.
    if let Some(code) = expected.as_i64() {
        assert_eq!(answer["error"]["code"], code, "{request}");
        assert_eq!(answer["id"], Value::Null, "{request}");
    } else {
        assert_eq!(answer, expected, "{request}");
    }
}

fn result(id: impl Into<Value>, result: impl Into<Value>) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "result": result.into() })
}

fn error(id: impl Into<Value>, code: i64, message: &str) -> Value {
    let error = json!({ "code": code, "message": message });
    json!({ "jsonrpc": "2.0", "id": id.into(), "error": error })
}

/// The examples of the JSON-RPC 2.0 specification, and what clients really send.
#[test]
fn requests_and_answers() {
    check(r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":["a"]}"#, result(1, "a"));
    check(r#"{"jsonrpc":"2.0","id":"x","method":"echo","params":[7]}"#, result("x", 7));
    check(r#"{"jsonrpc":"2.0","id":1.5,"method":"echo","params":[{}]}"#, result(1.5, json!({})));
    // Notifications have no answer, whatever they lead to.
    check(r#"{"jsonrpc":"2.0","method":"echo","params":[7]}"#, Value::Null);
    check(r#"{"jsonrpc":"2.0","method":"nothing"}"#, Value::Null);

    let unknown = "the method nothing does not exist/is not available";
    check(r#"{"jsonrpc":"2.0","id":1,"method":"nothing"}"#, error(1, -32601, unknown));
    check(r#"{"jsonrpc":"2.0","id":1,"method":"fail"}"#, error(1, -32000, "it does not work"));
    let missing = "missing value for required argument 0";
    check(r#"{"jsonrpc":"2.0","id":1,"method":"echo"}"#, error(1, -32602, missing));
    check(r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":[null]}"#, error(1, -32602, missing));
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":{}}"#,
        error(1, -32602, "non-array args"),
    );
    let version = "invalid request: jsonrpc is not \"2.0\"";
    check(r#"{"id":1,"method":"echo","params":[7]}"#, error(1, -32600, version));
    check(r#"{"jsonrpc":"2.0","id":1}"#, error(1, -32600, "invalid request: no method"));
}

#[test]
fn what_is_no_request() {
    check("", json!(-32700));
    check("{", json!(-32700));
    check("[1, 2", json!(-32700));
    check("1", json!(-32600));
    check(r#""text""#, json!(-32600));
    check("[]", json!(-32600));
    check(r#"{"jsonrpc":"2.0","id":{},"method":"echo"}"#, json!(-32600));
    check(r#"{"jsonrpc":"2.0","id":1,"method":5}"#, json!(-32600));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(answer(&Echo, deep.as_bytes()).contains("-32600"));
    let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"echo","params":{deep}}}"#);
    check(&deep, json!(-32600));
    check(
        r#"[["2.0",1,"echo",[7]]]"#,
        json!([error(Value::Null, -32600, "invalid request: no object")]),
    );
    assert!(answer(&Echo, &[0xff, 0xfe]).contains("-32700"));
    let many = vec![r#"{"jsonrpc":"2.0","id":1,"method":"echo","params":[1]}"#; BATCH_LIMIT + 1];
    check(&format!("[{}]", many.join(",")), json!(-32600));
}

#[test]
fn batches() {
    let echo = |id| json!({ "jsonrpc": "2.0", "id": id, "method": "echo", "params": [id] });
    let notification = json!({ "jsonrpc": "2.0", "method": "echo", "params": [1] });
    let batch = json!([echo(1), 5, notification, echo(2)]).to_string();
    let answers: Vec<Value> = from_str(&answer(&Echo, batch.as_bytes())).unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!((&answers[0], &answers[2]), (&result(1, 1), &result(2, 2)));
    assert_eq!(answers[1]["error"]["code"], -32600);
    check(&json!([notification]).to_string(), Value::Null);
}

const GWEI: u128 = 1_000_000_000;

fn key() -> Key {
    Key::new(DEV_KEYS[0]).unwrap()
}

fn node() -> Node {
    let accounts = [(key().address(), funded(10))].into();
    let config = Config { accounts, ..Config::default() };
    Node::new(Chain::new(config, StateStore::new()).unwrap(), Mining::Manual)
}

/// The result of a call that succeeds.
fn ask(node: &Node, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut answer: Value = from_str(&answer(node, request.to_string().as_bytes())).unwrap();
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].take()
}

/// The error of a call that fails.
fn refused(node: &Node, method: &str, params: Value) -> (i64, String) {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer: Value = from_str(&answer(node, request.to_string().as_bytes())).unwrap();
    let error = &answer["error"];
    (error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
}

/// Deploys code that logs one topic and returns 7, or reverts with a reason when it gets input.
fn deploy(node: &Node) -> Address {
    use alloy_primitives::hex;
    // `Error("no")`, which stands behind the code and is copied from there.
    let reason = hex!(
        "08c379a0" "0000000000000000000000000000000000000000000000000000000000000020"
        "0000000000000000000000000000000000000000000000000000000000000002"
        "6e6f000000000000000000000000000000000000000000000000000000000000"
    );
    let mut code = hex!(
        "3615600f57" "606460225f39" "60645ffd" "5b6005" "5f5fa1" "60075f52" "60205ff3" "0000000000"
    )
    .to_vec();
    let at = code.len();
    code[8] = at as u8;
    code.extend(reason);
    let mut init = hex!("60ff600c5f39" "60ff5ff3" "0000").to_vec();
    (init[1], init[7]) = (code.len() as u8, code.len() as u8);
    init.extend(code);
    let tx = TxEip1559 {
        chain_id: 900,
        gas_limit: 200_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Create,
        input: init.into(),
        ..TxEip1559::default()
    };
    let raw = key().sign_encoded(tx).unwrap();
    let hash = ask(node, "eth_sendRawTransaction", json!([raw]));
    assert_eq!(hash, json!(keccak256(&raw)));
    assert_eq!(ask(node, "eth_getTransactionReceipt", json!([hash])), Value::Null);
    assert_eq!(ask(node, "eth_getTransactionByHash", json!([hash]))["blockHash"], Value::Null);
    ask(node, "evm_mine", json!([]));
    let receipt = ask(node, "eth_getTransactionReceipt", json!([hash]));
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    serde_json::from_value(receipt["contractAddress"].clone()).unwrap()
}

#[test]
fn calls_estimates_and_logs() {
    let node = node();
    let contract = deploy(&node);
    assert_eq!(contract, key().address().create(0));
    let call = json!({ "to": contract });
    let seven = format!("0x{:064x}", 7);
    assert_eq!(ask(&node, "eth_call", json!([call, "latest"])), json!(seven));
    // The data of a revert comes with it, and its reason in words.
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_call",
        "params": [{ "to": contract, "data": "0x01" }] });
    let answer: Value = from_str(&answer(&node, request.to_string().as_bytes())).unwrap();
    assert_eq!(answer["error"]["code"], 3);
    assert_eq!(answer["error"]["message"], "execution reverted: no");
    assert!(answer["error"]["data"].as_str().unwrap().starts_with("0x08c379a0"));

    // Code that is there for the length of a call: it returns what the contract answers, plus one.
    let asks = format!(
        "0x60205f5f5f5f73{}5af1505f516001015f5260205ff3",
        format!("{contract:x}").trim_start_matches("0x")
    );
    let place = Address::repeat_byte(0x77);
    let placed = json!([{ "to": place }, "latest", { (place.to_string()): { "code": asks } }]);
    assert_eq!(ask(&node, "eth_call", placed), json!(format!("0x{:064x}", 8)));
    assert_eq!(ask(&node, "eth_getCode", json!([place, "latest"])), "0x");
    assert_eq!(ask(&node, "eth_call", json!([{ "to": place }, "latest"])), "0x");

    // 21000 and a few instructions, a log with one topic: 375 + 375.
    let gas = ask(&node, "eth_estimateGas", json!([call]));
    let gas = u64::from_str_radix(gas.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    assert!((21_750..22_000).contains(&gas), "{gas}");
    let tx = TxEip1559 {
        chain_id: 900,
        nonce: 1,
        gas_limit: gas,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(contract),
        ..TxEip1559::default()
    };
    let send = |gas_limit| {
        let tx = TxEip1559 { gas_limit, nonce: 1, ..tx.clone() };
        ask(&node, "eth_sendRawTransaction", json!([key().sign_encoded(tx).unwrap()]))
    };
    // One less is not enough.
    let snapshot = ask(&node, "evm_snapshot", json!([]));
    let hash = send(gas - 1);
    ask(&node, "evm_mine", json!([]));
    assert_eq!(ask(&node, "eth_getTransactionReceipt", json!([hash]))["status"], "0x0");
    assert_eq!(ask(&node, "evm_revert", json!([snapshot])), true);
    let hash = send(gas);
    ask(&node, "evm_mine", json!([]));
    let receipt = ask(&node, "eth_getTransactionReceipt", json!([hash]));
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["gasUsed"], json!(format!("0x{gas:x}")));
    let topic = format!("0x{:064x}", 5);
    let filter = json!([{ "fromBlock": "0x0", "address": contract, "topics": [topic] }]);
    let logs = ask(&node, "eth_getLogs", filter);
    assert_eq!(logs, receipt["logs"]);
    assert_eq!(logs.as_array().unwrap().len(), 1);
    assert_eq!(logs[0]["transactionHash"], hash);
    assert_eq!((&logs[0]["blockNumber"], &logs[0]["logIndex"]), (&json!("0x2"), &json!("0x0")));
}

/// The host re-encodes what it gets in JSON; raw and JSON forms must agree.
#[test]
fn raw_and_json_forms_agree() {
    let node = node();
    deploy(&node);
    let raw: Bytes =
        serde_json::from_value(ask(&node, "debug_getRawHeader", json!(["0x1"]))).unwrap();
    let block = ask(&node, "eth_getBlockByNumber", json!(["latest", true]));
    assert_eq!(block["hash"], json!(keccak256(&raw)));
    assert_eq!(block, ask(&node, "eth_getBlockByHash", json!([block["hash"], true])));
    let header: alloy_rpc_types_eth::Header = serde_json::from_value(block.clone()).unwrap();
    assert_eq!(alloy_rlp::encode(&header.inner), raw);
    let raw_block: Bytes =
        serde_json::from_value(ask(&node, "debug_getRawBlock", json!(["0x1"]))).unwrap();
    let decoded: alloy_consensus::Block<l1::L1Transaction> =
        alloy_rlp::decode_exact(&raw_block).unwrap();
    let transaction: alloy_rpc_types_eth::Transaction<l1::L1Transaction> =
        serde_json::from_value(block["transactions"][0].clone()).unwrap();
    assert_eq!(decoded.body.transactions, [transaction.inner.into_inner()]);
    let raw = ask(&node, "debug_getRawReceipts", json!(["0x1"]));
    let root = alloy_trie::root::ordered_trie_root_encoded(
        &serde_json::from_value::<Vec<Bytes>>(raw).unwrap(),
    );
    assert_eq!(block["receiptsRoot"], json!(root));
    let receipts = ask(&node, "eth_getBlockReceipts", json!(["latest"]));
    let hash = block["transactions"][0]["hash"].clone();
    assert_eq!(receipts, json!([ask(&node, "eth_getTransactionReceipt", json!([hash]))]));
}

#[test]
fn accounts_at_blocks() {
    let node = node();
    let contract = deploy(&node);
    let owner = key().address();
    let ten = U256::from(10 * GWEI * GWEI);
    assert_eq!(ask(&node, "eth_getBalance", json!([owner, "0x0"])), json!(ten));
    assert_ne!(ask(&node, "eth_getBalance", json!([owner])), json!(ten));
    assert_eq!(ask(&node, "eth_getTransactionCount", json!([owner, "earliest"])), "0x0");
    assert_eq!(ask(&node, "eth_getTransactionCount", json!([owner, "pending"])), "0x1");
    assert_eq!(ask(&node, "eth_getCode", json!([contract, "0x0"])), "0x");
    assert!(ask(&node, "eth_getCode", json!([contract])).as_str().unwrap().len() > 100);
    let zero = format!("0x{:064x}", 0);
    assert_eq!(ask(&node, "eth_getStorageAt", json!([contract, "0x0", "latest"])), json!(zero));
    let proof = ask(&node, "eth_getProof", json!([contract, ["0x0"], "latest"]));
    assert_eq!(proof["storageProof"][0]["value"], "0x0");
    assert_eq!(ask(&node, "eth_chainId", json!([])), "0x384");
    assert_eq!(ask(&node, "net_version", json!([])), "900");
    assert_eq!(ask(&node, "eth_blockNumber", json!([])), "0x1");
    let history = ask(&node, "eth_feeHistory", json!(["0x5", "latest", [50.0]]));
    assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), 3);
    assert_eq!(history["reward"][1][0], json!(format!("0x{GWEI:x}")));
}

#[test]
fn bad_parameters_have_their_errors() {
    let node = node();
    let check = |method: &str, params: Value, code: i64, message: &str| {
        let (found, text) = refused(&node, method, params);
        assert_eq!(found, code, "{text}");
        assert!(text.contains(message), "{text}");
    };
    check("eth_getBalance", json!([]), -32602, "missing value for required argument 0");
    check("eth_getBalance", json!(["0x12"]), -32602, "invalid argument 0");
    check("eth_getBalance", json!([Address::ZERO, "0x10"]), -32001, "header not found");
    check("eth_getBlockByNumber", json!(["ten"]), -32602, "invalid argument 0");
    check("eth_getLogs", json!([{ "fromBlock": "0x2", "toBlock": "0x1" }]), -32602, "block range");
    check("eth_sendRawTransaction", json!(["0x00"]), -32000, "cannot be decoded");
    check("eth_feeHistory", json!(["0x1", "latest", [90.0, 10.0]]), -32602, "percentile");
    check("eth_call", json!([{}, "latest", { "0x00": {} }]), -32602, "overrides");
    let other = json!({ (Address::ZERO.to_string()): { "code": "0x", "balance": "0x1" } });
    check("eth_call", json!([{}, "latest", other]), -32602, "overrides");
    check("eth_call", json!([{}, "latest", {}, { "time": 1 }]), -32602, "block overrides");
    check("debug_getRawHeader", json!([]), -32602, "required argument 0");
    check("debug_getRawTransaction", json!([B256::ZERO]), -32001, "transaction not found");
    check("evm_setNextBlockTimestamp", json!([5]), -32602, "not after that of the latest");
    check("anvil_mine", json!(["0xffffffff"]), -32602, "more than 10000 blocks");
    check("devnet_reorg", json!([1, []]), -32602, "block 1 cannot be replaced");
    assert_eq!(ask(&node, "eth_getBlockByNumber", json!(["0x99"])), Value::Null);
    assert_eq!(ask(&node, "eth_getTransactionReceipt", json!([B256::ZERO])), Value::Null);
}

#[test]
fn the_chain_is_steered() {
    let node = node();
    ask(&node, "anvil_mine", json!(["0x3", 10]));
    let block = ask(&node, "eth_getBlockByNumber", json!(["latest", false]));
    assert_eq!(block["timestamp"], json!(format!("0x{:x}", 1_700_000_000 + 2 + 10 + 10)));
    let new = ask(&node, "devnet_reorg", json!([2, [[], []]]));
    assert_eq!(new.as_array().unwrap().len(), 2);
    let latest = ask(&node, "eth_getBlockByNumber", json!(["latest", false]));
    assert_eq!((&latest["hash"], &latest["number"]), (&new[1], &json!("0x3")));
    assert_ne!(latest["hash"], block["hash"]);
    // The block of before can still be had by its hash.
    assert_eq!(ask(&node, "eth_getBlockByHash", json!([block["hash"], false])), block);
    ask(&node, "devnet_withdraw", json!([Address::repeat_byte(7), 3]));
    ask(&node, "evm_mine", json!([{ "blocks": 2 }]));
    let balance = ask(&node, "eth_getBalance", json!([Address::repeat_byte(7)]));
    assert_eq!(balance, json!(U256::from(3 * GWEI)));
    ask(&node, "evm_setAutomine", json!([true]));
    deploy_automatically(&node);
}

fn deploy_automatically(node: &Node) {
    let tx = TxEip1559 {
        chain_id: 900,
        gas_limit: 21_000,
        max_fee_per_gas: 10 * GWEI,
        to: TxKind::Call(Address::ZERO),
        ..TxEip1559::default()
    };
    let hash = ask(node, "eth_sendRawTransaction", json!([key().sign_encoded(tx).unwrap()]));
    assert_eq!(ask(node, "eth_getTransactionReceipt", json!([hash]))["blockNumber"], "0x6");
}
