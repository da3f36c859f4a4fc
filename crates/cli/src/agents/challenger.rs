//! `rebut challenger`: play games, or check first whether they can be played.

use super::flags::{
    CHALLENGER_DEFAULTS, FactoryArguments, L1Arguments, SenderArguments, ServerArguments, duration,
};
use super::traces::TraceArguments;
use super::{block_on, game, show, stop_signal};
use crate::Outcome;
use crate::block::{print, print_json};
use crate::values::address;
use alloy_primitives::Address;
use anyhow::{Context, bail};
use rebut_challenger::agent::{Agent, Options, Player, Rules};
use rebut_challenger::chain::{PLAYED_TYPES, Reader, Scope};
use rebut_challenger::check::{Subject, check};
use rebut_dispute::GameType;
use rebut_host::source::NodeUrl;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// What the challenger takes: its flags alone, or a command.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    play: Option<Play>,
}

/// Commands beside playing.
#[derive(clap::Subcommand)]
enum Command {
    /// Check prestates, oracles, nodes, chain ids, balance and bond capital; send nothing.
    ///
    /// Exit code: 0 when all is well, 1 when something is not.
    Check(Box<Check>),
    #[command(flatten)]
    Game(Box<game::Command>),
}

/// What `check` takes.
#[derive(clap::Args)]
struct Check {
    #[command(flatten)]
    play: Play,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What playing takes. Flags of the parts are no members of its group: without the required one named, there would be
/// nothing to play with unless an optional flag is given.
#[derive(clap::Args)]
#[group(args = ["l1_eth_rpc"])]
struct Play {
    #[command(flatten)]
    l1: L1Arguments,
    #[command(flatten)]
    traces: TraceArguments,
    #[command(flatten)]
    factory: FactoryArguments,
    /// Play these games only; all games unless given.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = address)]
    game_allowlist: Vec<Address>,
    /// Game types to play, by name or number: cannon, cannon-kona, permissioned, asterisc, asterisc-kona, alphabet,
    /// fast.
    #[arg(long, visible_alias = "trace-type", value_name = "TYPE", value_delimiter = ',', default_value = "cannon,cannon-kona", value_parser = game_type)]
    game_types: Vec<u32>,
    /// Games that are worked on at the same time [default: the number of processors].
    #[arg(long, value_name = "N")]
    max_concurrency: Option<usize>,
    /// Most transactions in flight; 0 for no limit.
    #[arg(long, value_name = "N", default_value_t = 10)]
    max_pending_tx: usize,
    /// Time between two polls of L1.
    #[arg(long, value_name = "DURATION", default_value = "12s", value_parser = duration)]
    http_poll_interval: Duration,
    /// Least L1 time between two blocks that are looked at.
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration)]
    min_update_interval: Duration,
    /// Accounts besides the sender's whose bonds are claimed.
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', value_parser = address)]
    additional_bond_claimants: Vec<Address>,
    /// Leave games alone that are older than this; 0 for no limit.
    #[arg(long, value_name = "DURATION", default_value = "672h", value_parser = duration)]
    game_window: Duration,
    /// Resolve only claims that pay us.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true", action = clap::ArgAction::Set)]
    selective_claim_resolution: bool,
    /// Wait before each move, unless the clock does not allow it.
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration)]
    response_delay: Duration,
    /// Moves of a game that are made without waiting.
    #[arg(long, value_name = "N", default_value_t = 0)]
    response_delay_after: u64,
    #[command(flatten)]
    sender: SenderArguments,
    #[command(flatten)]
    server: ServerArguments,
}

/// A kind of game by its name or its number.
fn game_type(text: &str) -> anyhow::Result<u32> {
    let named = GameType::named(text);
    let numbered = || text.parse().ok().map(GameType);
    let kind = named.or_else(numbered);
    let kind = kind.with_context(|| format!("{text} is no type of game"))?;
    if !PLAYED_TYPES.contains(&kind) {
        bail!("{kind} games are not played");
    }
    Ok(kind.0)
}

/// Plays until it is asked to end, or runs a command.
pub fn run(arguments: Arguments) -> Outcome {
    match (arguments.command, arguments.play) {
        (Some(Command::Check(check)), _) => run_check(&check),
        (Some(Command::Game(command)), _) => game::run(*command),
        (None, Some(play)) => run_play(&play),
        (None, None) => bail!("give --l1-eth-rpc"),
    }
}

fn run_play(play: &Play) -> Outcome {
    if play.max_concurrency == Some(0) || play.http_poll_interval.is_zero() {
        bail!("neither concurrency nor the poll interval may be 0");
    }
    play.factory.address()?;
    let folder = play.traces.folder()?;
    play.traces.check_sources()?;
    let traces = play.traces.open(&play.l1, play.factory.network.as_deref(), &play.game_types)?;
    traces.check_prestates(&play.game_types)?;
    let traces = Arc::new(traces.setup.noting_work());
    block_on(async {
        let lens = play.l1.lens()?;
        let node = lens.node().clone();
        let folder = Some(folder);
        let sender =
            play.sender.open(node, CHALLENGER_DEFAULTS, play.max_pending_tx, folder).await?;
        let factory = play.factory.find(&lens).await?;
        let mut ours = vec![sender.address()];
        ours.extend(play.additional_bond_claimants.iter().copied());
        ours.sort_unstable();
        ours.dedup();
        let rules = Rules {
            ours,
            selective_resolution: play.selective_claim_resolution,
            response_delay: play.response_delay,
            response_delay_after: play.response_delay_after,
        };
        let scope = Scope {
            factory,
            game_types: play.game_types.iter().copied().collect(),
            allowed: play.game_allowlist.clone(),
            window_seconds: play.game_window.as_secs(),
        };
        let defaults = Options::default();
        let options = Options {
            poll_interval: play.http_poll_interval,
            min_update_seconds: play.min_update_interval.as_secs(),
            concurrency: play.max_concurrency.unwrap_or(defaults.concurrency),
        };
        let health = play.server.start(options.poll_interval, "op_challenger_info").await?;
        tracing::info!(account = %sender.address(), factory = %scope.factory, "challenging");
        let player = Player { lens: lens.clone(), sender, rules };
        let progress = Arc::clone(traces.progress());
        let stop = stop_signal();
        let mut stopped = stop.clone();
        tokio::spawn(async move {
            // A run of the program may take long, and would hold up the end.
            if stopped.wait_for(|stop| *stop).await.is_ok() {
                progress.stop();
            }
        });
        Agent::new(Reader::new(lens, scope), player, traces, options, health).run(stop).await;
        Ok(ExitCode::SUCCESS)
    })
}

fn run_check(arguments: &Check) -> Outcome {
    let play = &arguments.play;
    let network = play.factory.network.as_deref();
    let traces = play.traces.open(&play.l1, network, &play.game_types)?;
    let look = |game_type, hash| {
        traces.setup.find_prestate(GameType(game_type), hash).map_err(|error| error.to_string())
    };
    block_on(async {
        let lens = play.l1.lens()?;
        let nodes = |urls: &[NodeUrl]| {
            urls.iter().map(|url| play.l1.node(&url.full())).collect::<Result<Vec<_>, _>>()
        };
        let findings = check(&Subject {
            lens: &lens,
            factory: play.factory.address()?,
            game_types: &play.game_types,
            account: play.sender.account()?,
            rollup: &play.traces.rollup_rpc,
            policy: &play.l1.policy(),
            l2: &nodes(&play.traces.l2_eth_rpc)?,
            prestate: &look,
        })
        .await;
        if arguments.json {
            print_json(&findings)?;
        } else {
            print(&show::findings(&findings))?;
        }
        let well = findings.iter().all(|finding| finding.ok);
        Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_games_have_names_and_numbers() {
        let check = |text, want: Option<u32>| assert_eq!(game_type(text).ok(), want, "{text}");
        check("cannon", Some(0));
        check("cannon-kona", Some(8));
        check("alphabet", Some(255));
        check("1", Some(1));
        check("asterisc", Some(2));
        check("3", Some(3));
        for other in ["", "cannon ", "-1"] {
            check(other, None);
        }
        for (text, name) in [
            ("super-cannon", "super-cannon"),
            ("4", "super-cannon"),
            ("zk", "zk"),
            ("9", "super-cannon-kona"),
            ("77", "type 77"),
        ] {
            let error = game_type(text).expect_err(text).to_string();
            assert_eq!(error, format!("{name} games are not played"));
        }
    }
}
