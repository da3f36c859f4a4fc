//! `rebut game why`: the honest answer to a claim, in words.

use super::flags::L1Arguments;
use super::traces::TraceArguments;
use crate::Outcome;
use crate::block::{print, print_json};
use alloy_primitives::Address;
use anyhow::anyhow;
use rebut_challenger::agent::Traces;
use rebut_challenger::inspect;
use rebut_dispute::{ClaimIndex, Game, Reason, Response, Timestamp, Verdict, explain};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What `why` takes.
#[derive(clap::Args)]
pub struct Why {
    /// The game.
    game: Address,
    /// Index of the claim.
    claim: u32,
    #[command(flatten)]
    l1: L1Arguments,
    #[command(flatten)]
    traces: TraceArguments,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Explains a claim, from the root down.
pub async fn why(arguments: &Why) -> Outcome {
    let lens = arguments.l1.lens()?;
    let block = lens.node().head().await?;
    let snapshot = inspect::game(&lens, arguments.game, &block).await?;
    let l1_head = lens.node().block(snapshot.facts.l1_head).await?.number;
    arguments.traces.check_sources()?;
    let game_type = snapshot.facts.listing.game_type;
    let traces = arguments.traces.open(&arguments.l1, None, &[game_type.0])?;
    let claim = ClaimIndex(arguments.claim);
    let (snapshot, verdicts) = tokio::task::spawn_blocking(move || {
        let mut trace = Traces::open(&traces.setup, &snapshot.facts, l1_head)
            .map_err(|error| anyhow!(error))?;
        let now = Timestamp(block.timestamp);
        let verdicts = explain(&snapshot.game, &mut trace, claim, now);
        Ok::<_, anyhow::Error>((snapshot, verdicts.map_err(|error| anyhow!("{error}"))?))
    })
    .await??;
    if arguments.json {
        let verdicts: Vec<Value> = verdicts
            .iter()
            .map(|verdict| {
                json!({
                    "claim": verdict.claim.0,
                    "honestValue": verdict.honest_value,
                    "countered": verdict.reason.counters(),
                    "why": reason(verdict),
                    "answer": response(&snapshot.game, verdict),
                })
            })
            .collect();
        print_json(&verdicts)?;
    } else {
        let lines: Vec<String> = verdicts
            .iter()
            .map(|verdict| {
                let answer = response(&snapshot.game, verdict);
                format!("claim {}: {}\n  {answer}\n", verdict.claim, reason(verdict))
            })
            .collect();
        print(&lines.concat())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn reason(verdict: &Verdict) -> String {
    match verdict.reason {
        Reason::RightRoot => "the root claim is right".into(),
        Reason::WrongRoot => match verdict.honest_value {
            Some(value) => format!("the root claim is wrong: the output is {value}"),
            None => "the root claim is wrong".into(),
        },
        Reason::WrongBlock => {
            "the root claim is the output of an earlier block: the claimed one cannot be derived"
                .into()
        }
        Reason::BlockChallenged => {
            "the root's block number is challenged: the challenger has won".into()
        }
        Reason::Honest => "it is the answer that honest players give".into(),
        Reason::AnswersHonest => "it answers an honest claim, so it has to be countered".into(),
        Reason::Freeloader { beside } => format!(
            "it stands beside the honest answer at {beside} or left of it, and would be paid in its place"
        ),
        Reason::RightOfHonest { beside } => {
            format!("it stands right of the honest answer at {beside}, which is paid instead")
        }
        Reason::BelowIgnored => "it answers a claim that is left alone".into(),
        Reason::BelowLate => "it answers a claim that can no longer be countered in time".into(),
    }
}

fn response(game: &Game, verdict: &Verdict) -> String {
    match verdict.response {
        Response::LetStand => "nothing is to be done".into(),
        Response::ChallengeL2Block => "challenge the root's L2 block number".into(),
        Response::Move(answer) => format!(
            "{} it with {} at position {}, for {}",
            answer.side, answer.value, answer.position, answer.bond
        ),
        Response::Given(answer) => {
            let claimant = game.claim(answer).map(|claim| claim.claimant).unwrap_or_default();
            format!("answered by claim {answer} of {claimant}")
        }
        Response::Step { side, position } => {
            format!("{side} it by a step: execute the instruction at position {position}")
        }
        Response::Stepped(by) => format!("{by} has countered it by a step"),
        Response::Late { used } => format!("too late: {used} are used of the time for an answer"),
    }
}
