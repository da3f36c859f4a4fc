//! Two dispute games on an L1 chain, from the creation to the last bond.
//!
//! ```text
//!   false root   the liar's proposer ──► game ◄── the honest challenger       CHALLENGER_WINS
//!   true root    the honest proposer ──► game ◄── the liar attacks it         DEFENDER_WINS
//! ```
//!
//! Chains, contracts, prestate, proposer and challenger are those of the other commands. Both sides are the same
//! challenger; the liar's trace leaves the truth at some block, and in that block's run at some instruction. What is
//! told in the end is read from L1.

mod ledger;
mod liar;
mod play;
mod report;
mod stage;

use crate::Outcome;
use crate::block;
use crate::guest::with_machine;
use liar::{Lies, Place};
use play::Sides;
use rebut_host::source::NodeUrl;
use report::Report;
use serde_json::json;
use stage::{GameVm, L2_BLOCKS, Stage};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

/// What the demonstration takes.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// JSON-RPC of a development chain like anvil to play on, in place of one in this process. Accounts of the
    /// well-known mnemonic play, and its time is moved.
    #[arg(long, value_name = "URL")]
    l1_rpc: Option<NodeUrl>,
    /// The machine that the games are about.
    #[arg(long, value_enum, default_value_t)]
    vm: GameVm,
    /// Decides what users of L2 do.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Print one JSON object in the end.
    #[arg(long)]
    json: bool,
}

/// Plays both games. Ends with 1 when something did not hold.
pub fn run(arguments: &Arguments) -> Outcome {
    crate::log::only_warnings();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(play(arguments))
}

async fn play(arguments: &Arguments) -> Outcome {
    let begin = Instant::now();
    let vm = arguments.vm;
    let stage = Stage::set(arguments.l1_rpc.as_ref(), arguments.seed, vm).await?;
    // In the game about the false root an ordinary instruction decides, in the other one that reads a preimage.
    let lies = BTreeMap::from([
        (vm.false_game(), Lies { from_block: L2_BLOCKS - 4, place: Place::Hundredths(42) }),
        (vm.true_game(), Lies { from_block: L2_BLOCKS - 2, place: Place::FirstKeccakRead }),
    ]);
    let mut sides = Sides::new(&stage, lies).await?;
    let symbols = with_machine!(vm.name(), V => report::symbols::<V>())?;
    let mut reports = Vec::new();
    for (game_type, is_true) in [(vm.false_game(), false), (vm.true_game(), true)] {
        let played = sides.play(&stage, game_type, is_true).await?;
        reports.push(Report::read(&stage, &sides, &played, is_true, &symbols).await?);
    }
    let held = reports.iter().all(Report::held);
    let seconds = begin.elapsed().as_secs_f64();
    if arguments.json {
        block::print_json(&json!({
            "held": held,
            "l1": stage.l1(),
            "vm": vm.name(),
            "prestate": stage.prestate,
            "contracts": stage.at,
            "deployment": stage.deployed,
            "games": reports.iter().map(Report::to_json).collect::<Vec<_>>(),
            "seconds": seconds,
        }))?;
    } else {
        let text: String = reports.iter().map(Report::to_text).collect();
        let verdict = if held { "All held" } else { "NOT all held" };
        block::print(&format!("{text}\n{verdict}, after {seconds:.1} s.\n"))?;
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
