//! What the outside sees of a sender. Names are those of the deployed agents' transaction managers.

use crate::chain::Receipt;
use metrics::{counter, gauge};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Metrics under the name of an agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metrics(pub(super) &'static str);

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
        gauge!(self.name("tx_fee_gwei")).set(f64::from(receipt.gas_cost()) / 1e9);
        gauge!(self.name("tx_gas_bump")).set(bumps as f64);
        gauge!(self.name("tx_confirmed_latency_ms")).set(after.as_millis() as f64);
    }

    /// The account has so many ether.
    pub(super) fn balance(self, ether: f64) {
        gauge!(format!("{}_balance", self.0)).set(ether);
    }
}
