//! A remote signer: a server that signs what it is asked to, or something else, or nothing.

use crate::games::{BLOCK, CHALLENGER_WINS, play_out};
use crate::machine::{Belief, output};
use crate::node::Anvil;
use crate::player::{policy, sure_agent, with_sender};
use crate::system::{DEPLOYER, DEPLOYER_KEY, HONEST, HONEST_KEY, LIAR, LIAR_KEY, System};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_network::TxSignerSync;
use alloy_primitives::{Address, B256, Bytes, U64, U128, U256};
use alloy_signer_local::PrivateKeySigner;
use axum::body::Bytes as Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rebut_challenger::chain::{At, Node};
use rebut_challenger::sender::{Intent, KeySource, RemoteSigner, SendError, Sender, Sent};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What it does when it is asked to sign.
#[derive(Clone, Copy)]
enum Conduct {
    Signs,
    /// With another key than that of the account it is asked for.
    OtherKey,
    /// After changing something.
    Alters(fn(&mut TxEip1559)),
    /// Bytes behind the transaction.
    Appends,
    /// Answers in another way altogether.
    Says(fn() -> Response),
    /// Never answers.
    Hangs,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Conduct>>);

/// A running server. It ends with the test.
struct Remote {
    url: String,
    conduct: Arc<Mutex<Conduct>>,
}

/// What proves that a request is of somebody who may ask.
const HEADER: (&str, &str) = ("x-token", "of the test");

impl Remote {
    async fn start() -> Self {
        let conduct = Arc::new(Mutex::new(Conduct::Signs));
        let router = axum::Router::new().route("/", axum::routing::post(answer));
        let router = router.with_state(Shared(Arc::clone(&conduct)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, conduct }
    }

    fn set(&self, conduct: Conduct) {
        *self.conduct.lock().expect("no panic") = conduct;
    }
}

/// A sender on this signer.
async fn sender(anvil: &Anvil, url: &str, address: Address) -> Sender {
    let (name, value) = HEADER;
    let remote = RemoteSigner {
        endpoint: url.to_owned(),
        address,
        headers: vec![format!("{name}={value}")],
        ..RemoteSigner::default()
    };
    let keys = KeySource { remote: Some(remote), ..KeySource::default() };
    let signer = keys.open(Duration::from_millis(500)).expect("an address");
    let node = Node::new(&anvil.url, Duration::from_secs(20)).expect("a URL");
    Sender::new(node, signer, policy()).await.expect("a sender")
}

async fn answer(State(shared): State<Shared>, headers: HeaderMap, body: Body) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("the agent asks in JSON");
    assert_eq!(headers.get(HEADER.0).and_then(|value| value.to_str().ok()), Some(HEADER.1));
    let conduct = *shared.0.lock().expect("no panic");
    assert_eq!(request["method"], "eth_signTransaction");
    let asked = &request["params"][0];
    let from: Address = read(asked, "from");
    let key = match (conduct, from) {
        (Conduct::OtherKey, _) => DEPLOYER_KEY,
        (_, HONEST) => HONEST_KEY,
        (_, LIAR) => LIAR_KEY,
        _ => return error(&request, "unknown account"),
    };
    let mut transaction = TxEip1559 {
        chain_id: read::<U64>(asked, "chainId").to(),
        nonce: read::<U64>(asked, "nonce").to(),
        gas_limit: read::<U64>(asked, "gas").to(),
        max_fee_per_gas: read::<U128>(asked, "maxFeePerGas").to(),
        max_priority_fee_per_gas: read::<U128>(asked, "maxPriorityFeePerGas").to(),
        to: read::<Address>(asked, "to").into(),
        value: read(asked, "value"),
        input: read(asked, "input"),
        access_list: Default::default(),
    };
    match conduct {
        Conduct::Alters(alter) => alter(&mut transaction),
        Conduct::Says(what) => return what(),
        Conduct::Hangs => std::future::pending().await,
        _ => {}
    }
    let key: B256 = key.parse().expect("a key");
    let key = PrivateKeySigner::from_bytes(&key).expect("a key");
    let signature = key.sign_transaction_sync(&mut transaction).expect("a signature");
    let mut raw = TxEnvelope::from(transaction.into_signed(signature)).encoded_2718();
    if matches!(conduct, Conduct::Appends) {
        raw.push(0);
    }
    let result = Bytes::from(raw);
    axum::Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result })).into_response()
}

fn read<T: serde::de::DeserializeOwned>(asked: &Value, name: &str) -> T {
    serde_json::from_value(asked[name].clone()).expect(name)
}

fn error(request: &Value, message: &str) -> Response {
    let error = json!({ "code": -32000, "message": message });
    axum::Json(json!({ "jsonrpc": "2.0", "id": request["id"], "error": error })).into_response()
}

/// A whole game, every transaction of which is signed elsewhere.
pub async fn a_remote_signer_plays() {
    let anvil = Anvil::start(&[]);
    let system = System::deploy(&anvil).await;
    let remote = Remote::start().await;
    let game = system.create_game(&anvil, output(BLOCK, false), BLOCK).await;
    let belief = Belief { outputs_lie_from: BLOCK - 2, states_lie_from: Some(5) };
    let mut liar = sure_agent(&anvil.url, &system, LIAR_KEY, belief).await;
    let own = sender(&anvil, &remote.url, HONEST).await;
    let node = Node::new(&anvil.url, Duration::from_secs(20)).expect("a URL");
    let mut honest =
        with_sender(node, system.factory, own, Arc::new(Belief::TRUTH), Default::default());
    assert_eq!(play_out(&anvil, game, &mut honest, &mut liar).await, CHALLENGER_WINS);
    let sent = anvil.node.nonce(HONEST, At::Latest).await.expect("an answer");
    assert!(sent > 4, "{sent} transactions");
}

/// Whatever a signer does but sign what it was asked to: nothing is published, and it is said what was wrong.
pub async fn nothing_is_sent_that_it_got_wrong() {
    let anvil = Anvil::start(&[]);
    let remote = Remote::start().await;
    let own = sender(&anvil, &remote.url, HONEST).await;
    let intent = Intent {
        to: DEPLOYER,
        value: U256::from(1),
        data: Bytes::new(),
        what: "a transfer of a wei".into(),
    };
    let not_json = || "<html>it works</html>".into_response();
    let no_string =
        || axum::Json(json!({ "jsonrpc": "2.0", "id": 0, "result": 7 })).into_response();
    let out = || (StatusCode::BAD_GATEWAY, "no backend").into_response();
    let refusal = || error(&json!({ "id": 0 }), "not on my list");
    let other = "signed another transaction";
    for (conduct, words) in [
        (Conduct::OtherKey, "signs for 0xf39Fd6"),
        (Conduct::Alters(|transaction| transaction.value = U256::from(2)), other),
        (Conduct::Alters(|transaction| transaction.to = LIAR.into()), other),
        (Conduct::Alters(|transaction| transaction.nonce += 1), other),
        (Conduct::Alters(|transaction| transaction.chain_id += 1), other),
        (Conduct::Alters(|transaction| transaction.gas_limit *= 2), other),
        (Conduct::Alters(|transaction| transaction.max_fee_per_gas *= 2), other),
        (Conduct::Alters(|transaction| transaction.input = Bytes::from_static(&[1])), other),
        (Conduct::Appends, other),
        (Conduct::Says(not_json), "the remote signer: "),
        (Conduct::Says(no_string), "the remote signer: "),
        (Conduct::Says(out), "502"),
        (Conduct::Says(refusal), "not on my list"),
        (Conduct::Hangs, "timed out"),
    ] {
        remote.set(conduct);
        let failed = own.send(&intent).await.expect_err(words);
        let text = failed.to_string();
        assert!(matches!(failed, SendError::Signer(_)) && text.contains(words), "{words}: {text}");
    }
    let stranger = sender(&anvil, &remote.url, DEPLOYER).await;
    remote.set(Conduct::Signs);
    let failed = stranger.send(&intent).await.expect_err("the signer does not know it");
    assert!(failed.to_string().contains("unknown account"), "{failed}");
    let dead = sender(&anvil, "http://127.0.0.1:1/secret-key", HONEST).await;
    let failed = dead.send(&intent).await.expect_err("nobody listens").to_string();
    assert!(failed.contains("refused") && !failed.contains("secret-key"), "{failed}");
    for account in [HONEST, DEPLOYER] {
        let nonce = anvil.node.nonce(account, At::Pending).await.expect("an answer");
        assert_eq!(nonce, 0, "nothing was published for {account}");
    }
    // And all of that leaves a sender that works.
    assert!(matches!(own.send(&intent).await.expect("a signer"), Sent::Done(_)));
}
