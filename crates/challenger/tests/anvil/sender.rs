//! Attack 29: fee spikes, transactions that nobody includes, and what an earlier life has left.

use crate::node::Anvil;
use crate::player::policy;
use crate::system::{HONEST, HONEST_KEY};
use alloy_primitives::{Address, Bytes, U64, U256};
use rebut_challenger::chain::{At, Receipt};
use rebut_challenger::sender::{Intent, Policy, SendError, Sender, Sent};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const RECIPIENT: Address = Address::repeat_byte(0x77);
/// Of a block after the spike; before it is 1 gwei.
const SPIKE_WEI: u64 = 40_000_000_000;
/// As long as a test waits before it mines again.
const BLOCK_TIME: Duration = Duration::from_millis(100);

async fn sender(anvil: &Anvil, policy: Policy) -> Arc<Sender> {
    Arc::new(crate::player::sender(&anvil.url, HONEST_KEY, policy).await.expect("an answer"))
}

fn payment(wei: u64) -> Intent {
    let (data, what) = (Bytes::new(), format!("pay {wei} wei"));
    Intent { to: RECIPIENT, value: U256::from(wei), data, what }
}

async fn paid(anvil: &Anvil) -> U256 {
    anvil.node.balance(RECIPIENT, At::Latest).await.expect("an answer")
}

/// Anvil that mines on request.
async fn idle() -> Anvil {
    let anvil = Anvil::start(&[]);
    anvil.ask("evm_setAutomine", json!([false])).await;
    anvil
}

/// Mines a block at a price that no waiting offer allows.
async fn spike(anvil: &Anvil) {
    let wei = U64::from(SPIKE_WEI);
    anvil.ask("anvil_setNextBlockBaseFeePerGas", json!([wei])).await;
    anvil.mine().await;
}

type Sending = tokio::task::JoinHandle<Result<Sent, SendError>>;

fn send(sender: &Arc<Sender>, intent: Intent) -> Sending {
    let sender = Arc::clone(sender);
    tokio::spawn(async move { sender.send(&intent).await })
}

/// Mines until an intent is done.
async fn done(anvil: &Anvil, sent: Sending) -> Receipt {
    while !sent.is_finished() {
        tokio::time::sleep(BLOCK_TIME).await;
        anvil.mine().await;
    }
    match sent.await.expect("no panic") {
        Ok(Sent::Done(receipt)) => receipt,
        other => panic!("{other:?}"),
    }
}

/// The price rises tenfold after the offer: it is replaced by a better one under the same nonce.
pub async fn a_fee_spike_is_followed() {
    let anvil = idle().await;
    let sender = sender(&anvil, policy()).await;
    let sent = send(&sender, payment(5));
    while anvil.node.nonce(HONEST, At::Pending).await.expect("an answer") == 0 {
        tokio::time::sleep(BLOCK_TIME).await;
    }
    spike(&anvil).await;
    assert_eq!(paid(&anvil).await, U256::ZERO, "too cheap");
    done(&anvil, sent).await;
    assert_eq!(paid(&anvil).await, U256::from(5), "once");
    assert_eq!(anvil.node.nonce(HONEST, At::Latest).await.expect("an answer"), 1);
    // The price in the block is above what the first offer allowed: 3 gwei.
    assert!(sender.spent() > U256::from(21_000 * 3_000_000_000_u64), "{}", sender.spent());
}

/// Where offers may not rise, the transaction is given up: it is replaced by nothing, and the next one goes through.
pub async fn a_stuck_transaction_is_cancelled() {
    let anvil = idle().await;
    let mut strict = policy();
    strict.send_timeout = Duration::from_millis(1500);
    let sender = sender(&anvil, strict).await;
    // Nobody mines.
    let stuck = sender.send(&payment(5)).await;
    assert!(matches!(stuck, Err(SendError::Stuck(_))), "{stuck:?}");
    done(&anvil, send(&sender, payment(7))).await;
    assert_eq!(paid(&anvil).await, U256::from(7), "the first one never comes");
    assert_eq!(anvil.node.nonce(HONEST, At::Latest).await.expect("an answer"), 2);
}

/// A process that was killed has left a transaction that is too cheap, and one behind a gap.
pub async fn what_an_earlier_life_left_is_cleared_away() {
    let anvil = idle().await;
    // The offers of that life: 2 gwei, soon below the price.
    for (nonce, wei) in [(0_u64, 11_u64), (2, 13)] {
        let call = json!({
            "from": HONEST, "to": RECIPIENT, "value": U256::from(wei), "nonce": U64::from(nonce),
            "gas": "0x5208", "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x1"
        });
        anvil.ask("eth_sendTransaction", json!([call])).await;
    }
    spike(&anvil).await;
    assert_eq!(paid(&anvil).await, U256::ZERO, "too cheap");
    let sender = sender(&anvil, policy()).await;
    for wei in [5, 7] {
        done(&anvil, send(&sender, payment(wei))).await;
    }
    // What was too cheap never comes; what stood behind the gap may, once that is filled.
    let got = paid(&anvil).await;
    assert!(got == U256::from(5 + 7) || got == U256::from(5 + 7 + 13), "{got}");
}

/// Calls that can wait, however many, leave room for those that cannot.
pub async fn patient_calls_leave_room() {
    let anvil = idle().await;
    let mut narrow = policy();
    narrow.max_pending = 2;
    let sender = sender(&anvil, narrow).await;
    let patient: Vec<Sending> = (0..5)
        .map(|_| {
            let sender = Arc::clone(&sender);
            tokio::spawn(async move { sender.send_patiently(&payment(1)).await })
        })
        .collect();
    let known = async || anvil.node.nonce(HONEST, At::Pending).await.expect("an answer");
    while known().await == 0 {
        tokio::time::sleep(BLOCK_TIME).await;
    }
    // Nothing is mined, so whoever waits for a slot waits on.
    let urgent = send(&sender, payment(100));
    while known().await < 2 {
        tokio::time::sleep(BLOCK_TIME).await;
    }
    anvil.mine().await;
    assert_eq!(paid(&anvil).await, U256::from(101), "the first of the many, and the urgent one");
    done(&anvil, urgent).await;
    for sent in patient {
        done(&anvil, sent).await;
    }
    assert_eq!(paid(&anvil).await, U256::from(105));
}
