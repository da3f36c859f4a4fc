//! `rebut host`: preimages of a claim, from nodes of L1 and L2, for a machine or another process.
//!
//! Flags and environment are those of `kona-host`; started under that name the binary answers as
//! `rebut host` does.

mod arguments;

pub use arguments::{ClaimArguments, MissingFlags, SourceArguments};

use crate::{
    Outcome,
    block::ended,
    program::{self, Case},
};
use rebut_host::Host;
use rebut_preimage::{Pipes, Served, serve};
use std::process::ExitCode;

/// The commands of the host.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serve the preimages of a claim about one chain.
    Single(Single),
}

/// What `single` takes.
#[derive(Debug, clap::Args)]
pub struct Single {
    #[command(flatten)]
    claim: ClaimArguments,
    #[command(flatten)]
    sources: SourceArguments,
    /// Serve the machine that started this process, on the descriptors 3 to 6.
    #[arg(long, env = "SERVER", required_unless_present = "native")]
    server: bool,
    /// Decide the claim in this process instead.
    #[arg(long, env = "NATIVE", conflicts_with = "server")]
    native: bool,
    /// Taken for the sake of challengers that pass it; witnesses of payloads are always tried.
    #[arg(long, hide = true)]
    enable_experimental_witness_endpoint: bool,
}

/// Runs the command. What ends the server before its machine does is no verdict.
pub fn run(command: Command) -> Outcome {
    let Command::Single(single) = command;
    Ok(ended(if single.native { decide_claim(&single) } else { serve_claim(&single) }))
}

/// Exit code: 0 valid, 1 invalid, 2 no verdict.
fn decide_claim(Single { claim, sources, .. }: &Single) -> Outcome {
    program::decide(Case::online(claim.host(sources)?)?, false)
}

fn serve_claim(Single { claim, sources, .. }: &Single) -> Outcome {
    // A wrong flag should not cost the machine its pipes.
    let mut host = claim.host(sources)?;
    let pipes = Pipes::inherited()?;
    greet(&host)?;
    let Served { hints, preimages, value_bytes } = serve(&mut host, pipes)?;
    tracing::info!(preimages, value_bytes, hints, "served");
    Ok(ExitCode::SUCCESS)
}

/// Looks who the nodes are, or says that there are none.
///
/// # Errors
/// All nodes of a kind are of another chain.
pub fn greet(host: &Host) -> anyhow::Result<()> {
    if host.is_offline() {
        tracing::info!("no nodes: only what is stored can be served");
    }
    Ok(host.greet()?)
}
