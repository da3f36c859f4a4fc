//! `rebut proposer`: post output roots.

use super::flags::{
    FactoryArguments, L1Arguments, PROPOSER_DEFAULTS, SenderArguments, ServerArguments,
    any_game_type, duration,
};
use super::{block_on, stop_signal};
use crate::Outcome;
use anyhow::bail;
use rebut_challenger::proposer::{Proposer, Schedule, rollup_nodes};
use rebut_dispute::GameType;
use rebut_host::source::NodeUrl;
use std::process::ExitCode;
use std::time::Duration;

/// What the proposer takes.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    l1: L1Arguments,
    /// Rollup nodes, separated by commas. All of them have to say the same.
    #[arg(long, value_name = "URL", value_delimiter = ',', required = true)]
    rollup_rpc: Vec<NodeUrl>,
    #[command(flatten)]
    factory: FactoryArguments,
    /// Time between two proposals.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    proposal_interval: Duration,
    /// Time between two looks whether a proposal is due.
    #[arg(long, value_name = "DURATION", default_value = "12s", value_parser = duration)]
    poll_interval: Duration,
    /// Type of the games to create, by name or number.
    #[arg(long, value_name = "TYPE", default_value = "0", value_parser = any_game_type)]
    game_type: u32,
    /// Propose safe blocks whose L1 data is not final yet.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    allow_non_finalized: bool,
    /// Wait at first until the rollup nodes have caught up with L1.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    wait_node_sync: bool,
    #[command(flatten)]
    sender: SenderArguments,
    #[command(flatten)]
    server: ServerArguments,
}

/// Proposes until it is asked to end.
pub fn run(arguments: &Arguments) -> Outcome {
    let game_type = GameType(arguments.game_type);
    if game_type.is_super() || game_type == GameType::ZK {
        bail!("games of type {} are not proposed", arguments.game_type);
    }
    if arguments.poll_interval.is_zero() {
        bail!("the poll interval must not be 0");
    }
    arguments.factory.address()?;
    block_on(async {
        let lens = arguments.l1.lens()?;
        let sender = arguments.sender.open(lens.node().clone(), PROPOSER_DEFAULTS, 1, None).await?;
        let factory = arguments.factory.find(&lens).await?;
        let schedule = Schedule {
            factory,
            game_type,
            proposal_interval: arguments.proposal_interval,
            poll_interval: arguments.poll_interval,
            allow_non_finalized: arguments.allow_non_finalized,
        };
        let policy = arguments.l1.policy();
        let rollups = rollup_nodes(&lens, &schedule, &arguments.rollup_rpc, &policy).await?;
        tracing::info!(account = %sender.address(), factory = %schedule.factory, "proposing");
        let health =
            arguments.server.start(arguments.poll_interval, "op_proposer_default_info").await?;
        let stop = stop_signal();
        let proposer = Proposer::new(lens, rollups, sender, schedule);
        if arguments.wait_node_sync {
            let mut stopped = stop.clone();
            tokio::select! {
                waited = proposer.wait_for_sync() => waited?,
                _ = stopped.wait_for(|stop| *stop) => return Ok(ExitCode::SUCCESS),
            }
        }
        proposer.run(health, stop).await;
        Ok(ExitCode::SUCCESS)
    })
}
