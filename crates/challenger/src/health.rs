//! What the outside sees of a running agent: `/healthz`, and `/metrics` for Prometheus.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Why the outside sees nothing.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Metrics are already collected by something else.
    #[error("metrics cannot be collected: {0}")]
    Recorder(String),
}

/// When the agent last saw L1, and what it thought since.
#[derive(Debug)]
pub struct Health {
    limit: Duration,
    state: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    at: Instant,
    block: Option<u64>,
    error: Option<String>,
}

impl Health {
    /// Healthy for as long as the last look at L1 is not older than `limit`.
    pub fn new(limit: Duration) -> Self {
        let state = Mutex::new(Seen { at: Instant::now(), block: None, error: None });
        Self { limit, state }
    }

    /// L1 was seen.
    pub fn polled(&self, block: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = Seen { at: Instant::now(), block: Some(block), error: None };
    }

    /// L1 was not seen.
    pub fn failed(&self, error: &impl Display) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.error = Some(error.to_string());
    }

    /// One line, and whether all is well.
    pub fn line(&self) -> (bool, String) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let age = state.at.elapsed();
        let seen = match state.block {
            Some(block) => format!("L1 block {block}, seen {} s ago", age.as_secs()),
            None => format!("no L1 block seen in {} s", age.as_secs()),
        };
        let error = state.error.as_ref().map_or_else(String::new, |error| format!("; {error}"));
        (age <= self.limit, format!("{seen}{error}\n"))
    }
}

const MIB: f64 = 1_048_576.0;

/// Bounds of the buckets of each histogram, which are those of the deployed agents: names and bounds, in seconds, bytes
/// or gwei.
fn buckets() -> [(Matcher, Vec<f64>); 6] {
    let full = |name: &str| Matcher::Full(format!("op_challenger_{name}"));
    let from = |first: &[f64]| {
        let doubled = (0..14).map(|power| 30.0 * f64::from(1 << power));
        first.iter().copied().chain(doubled).collect()
    };
    let short = vec![0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0];
    let fees =
        [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 200.0, 400.0, 800.0, 1600.0];
    [
        (full("claim_resolution_time"), short.clone()),
        (full("poll_time"), short),
        (full("game_act_time"), from(&[1.0, 2.0, 5.0, 10.0])),
        (full("vm_execution_time"), from(&[1.0, 10.0])),
        (full("vm_memory_used"), (0..15).map(|step| f64::from(step) * 100.0 * MIB).collect()),
        (Matcher::Suffix("_txmgr_tx_fee_histogram_gwei".into()), fees.into()),
    ]
}

/// Collects metrics from now on.
///
/// # Errors
/// [`ServeError::Recorder`] where something else does already.
pub fn collect() -> Result<PrometheusHandle, ServeError> {
    let mut builder = PrometheusBuilder::new();
    for (name, bounds) in buckets() {
        builder = builder
            .set_buckets_for_metric(name, &bounds)
            .map_err(|error| ServeError::Recorder(error.to_string()))?;
    }
    builder.install_recorder().map_err(|error| ServeError::Recorder(error.to_string()))
}

/// Answers on `address`: `/healthz`, and `/metrics` where they are collected. Gives the address that it listens on,
/// with the port where that was 0.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn serve(
    address: SocketAddr,
    health: Arc<Health>,
    metrics: Option<PrometheusHandle>,
) -> Result<SocketAddr, ServeError> {
    let fail = |source| ServeError::Listen { address, source };
    let listener = tokio::net::TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(render))
        .with_state((health, metrics));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the health endpoint ended");
        }
    });
    Ok(bound)
}

type Shared = (Arc<Health>, Option<PrometheusHandle>);

async fn healthz(State((health, _)): State<Shared>) -> (StatusCode, String) {
    let (well, line) = health.line();
    (if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, line)
}

async fn render(State((_, metrics)): State<Shared>) -> Result<String, StatusCode> {
    metrics.map(|handle| handle.render()).ok_or(StatusCode::NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_ends_when_l1_is_not_seen() {
        let health = Health::new(Duration::ZERO);
        health.polled(7);
        health.failed(&"no answer");
        let (well, line) = health.line();
        assert!(!well);
        assert_eq!(line, "L1 block 7, seen 0 s ago; no answer\n");
        let health = Health::new(Duration::from_secs(60));
        assert!(health.line().0);
    }
}
