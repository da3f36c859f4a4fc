//! What the outside sees of a sender. Names are those of the deployed agents' transaction managers.

use super::Fees;
use crate::chain::Receipt;
use metrics::{counter, gauge, histogram};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Metrics under the name of an agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metrics(pub(super) &'static str);

/// All transactions are of EIP-1559.
const TRANSACTION_TYPE: f64 = 2.0;

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Metrics {
    fn name(self, name: &str) -> String {
        format!("{}_txmgr_{name}", self.0)
    }

    pub(super) fn published(self, nonce: u64) {
        gauge!(self.name("current_nonce")).set(nonce as f64);
        counter!(self.name("publish_total")).increment(1);
        gauge!(self.name("last_publish_unix")).set(now());
    }

    /// So many transactions are in flight.
    pub(super) fn pending(self, transactions: usize) {
        gauge!(self.name("pending_txs")).set(transactions as f64);
    }

    /// What L1 asks: its base fee in wei, and the offer that is made for it.
    pub(super) fn market(self, base_fee: u64, offer: Fees) {
        gauge!(self.name("basefee_wei")).set(base_fee as f64);
        gauge!(self.name("tipcap_wei")).set(offer.tip as f64);
    }

    pub(super) fn refused(self, why: &'static str) {
        counter!(self.name("tx_publish_error_count"), "error" => why).increment(1);
    }

    pub(super) fn rpc_error(self) {
        counter!(self.name("rpc_error_count")).increment(1);
    }

    /// A transaction is final, `bumps` offers after its first.
    pub(super) fn confirmed(self, receipt: &Receipt, bumps: usize, after: Duration) {
        let status = if receipt.succeeded() { "success" } else { "failed" };
        counter!(self.name("confirm_total"), "status" => status).increment(1);
        gauge!(self.name("last_confirm_unix"), "status" => status).set(now());
        let fee_gwei = f64::from(receipt.gas_cost()) / 1e9;
        gauge!(self.name("tx_fee_gwei")).set(fee_gwei);
        counter!(self.name("tx_fee_gwei_total")).increment(fee_gwei as u64);
        histogram!(self.name("tx_fee_histogram_gwei")).record(fee_gwei);
        gauge!(self.name("tx_type")).set(TRANSACTION_TYPE);
        gauge!(self.name("tx_gas_bump")).set(bumps as f64);
        gauge!(self.name("tx_confirmed_latency_ms")).set(after.as_millis() as f64);
    }

    /// The account has so many ether.
    pub(super) fn balance(self, ether: f64) {
        gauge!(format!("{}_balance", self.0)).set(ether);
    }
}
