//! Commands of the agents: challenger, proposer, games, guardian.
//!
//! Flags and environment variables are those of the deployed `op-challenger` and `op-proposer`; started under those
//! names the binary answers as `rebut challenger` and `rebut proposer` do.

pub mod challenger;
pub mod deploy;
mod environment;
mod flags;
pub mod game;
pub mod guardian;
pub mod proposer;
mod show;
mod traces;
mod why;

pub use environment::with_variables;

use std::future::Future;

/// Runs one command on a runtime of its own.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Becomes true when the process is asked to end, once.
fn stop_signal() -> tokio::sync::watch::Receiver<bool> {
    let (sender, receiver) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        match terminate {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
        tracing::info!("ending; what is in flight is finished first");
        // A second signal ends the process at once: its handlers stay, but nobody listens any more.
        let _ = sender.send(true);
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    receiver
}
