//! `rebut game why`: the honest answer to a claim, in words.

use super::flags::L1Arguments;
use super::traces::TraceArguments;
use crate::Outcome;
use crate::block::{print, print_json};
use crate::values::address;
use alloy_primitives::Address;
use anyhow::anyhow;
use rebut_challenger::agent::game_setup;
use rebut_challenger::inspect;
use rebut_dispute::{Claim, ClaimIndex, Game, Reason, Response, Side, Timestamp, Verdict, explain};
use serde_json::{Value, json};
use std::process::ExitCode;

/// What `why` takes.
#[derive(clap::Args)]
pub struct Why {
    /// Address of the game.
    #[arg(value_parser = address)]
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
        let game = game_setup(&snapshot.facts, l1_head);
        let mut trace = traces.setup.open_to_look(&game)?;
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
                    "what": what(&snapshot.game, verdict.claim),
                    "why": reason(&snapshot.game, verdict),
                    "rule": verdict.reason.rule().0,
                    "rationale": verdict.reason.rule().1,
                    "answer": response(&snapshot.game, verdict),
                })
            })
            .collect();
        print_json(&verdicts)?;
    } else {
        let lines: Vec<String> =
            verdicts.iter().map(|verdict| paragraph(&snapshot.game, verdict)).collect();
        print(&lines.concat())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a claim says, why it is countered or not, by which rule, and what follows.
fn paragraph(game: &Game, verdict: &Verdict) -> String {
    let (rule, rationale) = verdict.reason.rule();
    format!(
        "claim {}: {}\n  why: {}\n  rule: {rule}; {rationale}\n  answer: {}\n",
        verdict.claim,
        what(game, verdict.claim),
        reason(game, verdict),
        response(game, verdict)
    )
}

fn what(game: &Game, index: ClaimIndex) -> String {
    let Ok(claim) = game.claim(index) else { return "no claim of this game".into() };
    let made = match (claim.side(), claim.parent) {
        (Some(Side::Attack), Some(parent)) => format!("attack of claim {parent}"),
        (Some(Side::Defend), Some(parent)) => format!("defence of claim {parent}"),
        _ => "the root claim".into(),
    };
    format!("{made} by {}: {}", claim.claimant, statement(game, index, claim))
}

/// What is claimed: an output, a verdict of the program, or a state.
fn statement(game: &Game, index: ClaimIndex, claim: &Claim) -> String {
    let Claim { value, position, .. } = *claim;
    let split = game.parameters().split_depth();
    if let (true, Ok(block)) = (position.depth() <= split, game.l2_block_at(position)) {
        return format!("the output of block {block} is {value}");
    }
    let execution = game.span(index, position).and_then(|span| game.claim(span.disputed));
    let block = execution.and_then(|disputed| game.l2_block_at(disputed.position));
    let run = match block {
        Ok(block) => format!("in the execution that leads to block {block}"),
        Err(_) => "in an execution".into(),
    };
    if position.depth() == split.below() {
        let end = match value[0] {
            0 => "confirms the output",
            1 => "refutes the output",
            2 => "panics",
            _ => "does not end",
        };
        return format!("{run}, the program {end}, in the state {value}");
    }
    let within = position.relative_to(split.below());
    match within.and_then(|within| within.trace_index(game.parameters().execution_depth())) {
        Ok(instruction) => format!("{run}, the state after instruction {instruction} is {value}"),
        Err(_) => format!("{run}, a state is {value}"),
    }
}

fn reason(game: &Game, verdict: &Verdict) -> String {
    let claim = game.claim(verdict.claim).ok();
    let parent = claim.and_then(|claim| claim.parent).unwrap_or_default();
    // What is true there, where that had to be known.
    let truth = match (claim, verdict.honest_value) {
        (Some(claim), Some(value)) if claim.value == value => ", and what it says is true".into(),
        (Some(_), Some(value)) => format!(", and what it says is false: the truth is {value}"),
        _ => String::new(),
    };
    match verdict.reason {
        Reason::RightRoot => "what it says is true".into(),
        Reason::WrongRoot => match verdict.honest_value {
            Some(value) => format!("what it says is false: the output is {value}"),
            None => "what it says is false".into(),
        },
        Reason::WrongBlock => {
            "it is the output of an earlier block; the claimed one cannot be derived from L1 up to the game's head"
                .into()
        }
        Reason::BlockChallenged => "its block number is challenged".into(),
        Reason::Honest => format!("it is the answer that honest players give to claim {parent}"),
        Reason::AnswersHonest => format!("it answers claim {parent}, which is honest{truth}"),
        Reason::Freeloader { beside } => format!(
            "honest players answer claim {parent} at position {beside}, and it stands there or left of it{truth}"
        ),
        Reason::RightOfHonest { beside } => format!(
            "honest players answer claim {parent} at position {beside}, and it stands right of it"
        ),
        Reason::BelowIgnored => format!("it answers claim {parent}, which is left alone"),
        Reason::BelowLate => {
            format!("it answers claim {parent}, which honest players can no longer answer")
        }
    }
}

fn response(game: &Game, verdict: &Verdict) -> String {
    // A wrong value is wrong somewhere up to where the claim stands, a right one is followed by the difference.
    let because = |side| match side {
        Side::Attack => "the first difference lies at or before where it stands",
        Side::Defend => "it is right so far, and the first difference lies behind it",
    };
    match verdict.response {
        Response::LetStand => "none".into(),
        Response::ChallengeL2Block => "challenge the root's L2 block number".into(),
        Response::Move(answer) => format!(
            "{} it with {} at position {}, for {}: {}",
            answer.side,
            answer.value,
            answer.position,
            answer.bond,
            because(answer.side)
        ),
        Response::Given(answer) => {
            let claimant = game.claim(answer).map(|claim| claim.claimant).unwrap_or_default();
            format!("given: claim {answer} of {claimant}")
        }
        Response::Step { side, position } => format!(
            "{side} it by executing the instruction at position {position}: {}",
            because(side)
        ),
        Response::Stepped(by) => format!("given: {by} has executed the instruction"),
        Response::Late { used } => format!("too late: {used} are used of the time for an answer"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use rebut_dispute::{Bond, Clock, Move, Parameters, Position, Proposal, Seconds};

    const HONEST: Address = Address::repeat_byte(0x11);
    const LIAR: Address = Address::repeat_byte(0x22);

    fn position(gindex: u128) -> Position {
        Position::new(gindex).unwrap()
    }

    fn claim(parent: Option<u32>, claimant: Address, gindex: u128, value: B256) -> Claim {
        Claim {
            parent: parent.map(ClaimIndex),
            countered_by: None,
            claimant,
            bond: Bond(1),
            value,
            position: position(gindex),
            clock: Clock::default(),
        }
    }

    /// A wrong root of block 104, attacked with the true output of block 102, and so on to a state.
    fn game() -> Game {
        let clocks = [302_400, 10_800, 86_400].map(Seconds);
        let parameters = Parameters::new(7, 2, clocks[0], clocks[1], clocks[2]).unwrap();
        let starting = Proposal { root: B256::repeat_byte(0xa0), l2_sequence_number: 100 };
        let mut refutation = B256::repeat_byte(0xa3);
        refutation[0] = 1;
        let claims = [
            claim(None, LIAR, 1, B256::repeat_byte(0xb0)),
            claim(Some(0), HONEST, 2, B256::repeat_byte(0xa1)),
            claim(Some(1), LIAR, 6, B256::repeat_byte(0xb2)),
            claim(Some(2), HONEST, 12, refutation),
            claim(Some(3), LIAR, 24, B256::repeat_byte(0xb4)),
        ];
        Game::new(parameters, starting, 104, claims).unwrap()
    }

    fn check(claim: u32, reason: Reason, honest: Option<B256>, response: Response, want: &str) {
        let verdict = Verdict { claim: ClaimIndex(claim), reason, honest_value: honest, response };
        assert_eq!(paragraph(&game(), &verdict), want);
    }

    #[test]
    fn a_wrong_root_is_explained() {
        let value = B256::repeat_byte(0xa0);
        let answer = Move {
            parent: ClaimIndex(0),
            disputed: B256::repeat_byte(0xb0),
            side: Side::Attack,
            position: position(2),
            value,
            bond: Bond(1_500_000_000_000_000_000),
        };
        check(
            0,
            Reason::WrongRoot,
            Some(value),
            Response::Move(answer),
            "claim 0: the root claim by 0x2222222222222222222222222222222222222222: the output of block 104 is \
             0xb0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0\n  \
             why: what it says is false: the output is \
             0xa0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0\n  \
             rule: a wrong root claim is countered; left alone it would stand, and be believed\n  \
             answer: attack it with 0xa0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0 at \
             position 2, for 1.5 ETH: the first difference lies at or before where it stands\n",
        );
    }

    #[test]
    fn an_honest_refutation_is_explained() {
        check(
            3,
            Reason::Honest,
            None,
            Response::LetStand,
            "claim 3: attack of claim 2 by 0x1111111111111111111111111111111111111111: in the execution that \
             leads to block 103, the program refutes the output, in the state \
             0x01a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3\n  \
             why: it is the answer that honest players give to claim 2\n  \
             rule: honest claims are not countered; one of the two bonds would be lost, and both are honest\n  \
             answer: none\n",
        );
    }

    #[test]
    fn a_false_state_is_explained() {
        check(
            4,
            Reason::AnswersHonest,
            Some(B256::repeat_byte(0xa4)),
            Response::Late { used: Seconds(302_400) },
            "claim 4: attack of claim 3 by 0x2222222222222222222222222222222222222222: in the execution that \
             leads to block 103, the state after instruction 7 is \
             0xb4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4\n  \
             why: it answers claim 3, which is honest, and what it says is false: the truth is \
             0xa4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4\n  \
             rule: whatever answers an honest claim is countered; a single answer that stands counters the \
             honest claim and takes its bond\n  \
             answer: too late: 3 d 12 h are used of the time for an answer\n",
        );
    }

    #[test]
    fn a_claim_beside_the_honest_one_is_explained() {
        check(
            2,
            Reason::RightOfHonest { beside: position(4) },
            None,
            Response::LetStand,
            "claim 2: defence of claim 1 by 0x2222222222222222222222222222222222222222: the output of block 103 \
             is 0xb2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2\n  \
             why: honest players answer claim 1 at position 4, and it stands right of it\n  \
             rule: an answer right of the honest one is left alone; the honest one is paid first, and this one \
             may be right where it stands: then nothing counters it\n  \
             answer: none\n",
        );
    }
}
