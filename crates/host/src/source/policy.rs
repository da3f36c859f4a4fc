//! How patiently and how hard nodes are asked.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Limits on everything a node can make a host do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Until the connection stands.
    pub connect_timeout: Duration,
    /// Until the answer is complete.
    pub request_timeout: Duration,
    /// How often all nodes are asked before a request is given up; at least once.
    pub rounds: u32,
    /// The pause after the first round. It doubles with each round.
    pub backoff: Duration,
    /// The longest pause, also when a node asks for a longer one.
    pub backoff_limit: Duration,
    /// The longest answer of an execution node, in bytes. The receipts of a full block, as JSON, are
    /// the longest there are.
    pub rpc_limit_bytes: u64,
    /// The longest answer of a beacon node, in bytes: every blob of a slot, as JSON.
    pub beacon_limit_bytes: u64,
    /// Requests to one node at the same time.
    pub in_flight: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            rounds: 6,
            backoff: Duration::from_millis(250),
            backoff_limit: Duration::from_secs(30),
            rpc_limit_bytes: 128 << 20,
            beacon_limit_bytes: 64 << 20,
            in_flight: 8,
        }
    }
}

impl Policy {
    /// The pause after round `round`, counted from 0: between half and all of what the doubling
    /// gives, so that hosts that failed together do not return together. A node may ask for more.
    pub(crate) fn pause(&self, round: u32, asked: Option<Duration>) -> Duration {
        let factor = 1_u32.checked_shl(round).unwrap_or(u32::MAX);
        let full = self.backoff.saturating_mul(factor).min(self.backoff_limit);
        let jittered = full / 2 + (full / 2).mul_f64(fraction());
        jittered.max(asked.unwrap_or_default()).min(self.backoff_limit)
    }
}

/// Something between 0 and 1. Each `RandomState` has keys of its own.
fn fraction() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    f64::from((random >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let policy = Policy {
            backoff: Duration::from_millis(100),
            backoff_limit: Duration::from_millis(1500),
            ..Policy::default()
        };
        for (round, full) in [(0, 100), (1, 200), (3, 800), (4, 1500), (31, 1500), (99, 1500)] {
            for _ in 0..20 {
                let pause = policy.pause(round, None);
                let range = Duration::from_millis(full / 2)..=Duration::from_millis(full);
                assert!(range.contains(&pause), "round {round}: {pause:?}");
            }
        }
        let pauses: std::collections::BTreeSet<_> =
            (0..20).map(|_| policy.pause(3, None)).collect();
        assert!(pauses.len() > 1, "no jitter");
    }

    #[test]
    fn a_node_may_ask_for_a_longer_pause_within_the_limit() {
        let policy = Policy::default();
        let seconds = Duration::from_secs;
        assert_eq!(policy.pause(0, Some(seconds(7))), seconds(7));
        assert_eq!(policy.pause(0, Some(seconds(900))), policy.backoff_limit);
    }
}
