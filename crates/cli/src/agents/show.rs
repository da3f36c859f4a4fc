//! Games as text.

use alloy_primitives::{B256, U256};
use rebut_challenger::chain::Snapshot;
use rebut_challenger::check::Finding;
use rebut_challenger::inspect::{ClaimLine, Credits, GameLine, Standing, Truth, status_name};
use rebut_challenger::trace::Work;
use rebut_dispute::{Bond, Seconds};

/// Rows of cells under a heading, in columns.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|name| name.len())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> =
            cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&mut heading.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

fn short(value: B256, in_full: bool) -> String {
    let text = value.to_string();
    match text.get(..10) {
        Some(start) if !in_full => format!("{start}…"),
        _ => text,
    }
}

/// A Unix time as a date, in UTC.
fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
    time.map_or_else(|| seconds.to_string(), |time| time.to_string())
}

/// Wei in ETH.
fn ether(wei: U256) -> String {
    u128::try_from(wei).map_or_else(|_| format!("{wei} wei"), |wei| Bond(wei).to_string())
}

/// A list of games.
pub fn games(games: &[GameLine]) -> String {
    let rows: Vec<Vec<String>> = games
        .iter()
        .map(|game| {
            let number = game.l2_sequence_number.map_or_else(|| "?".into(), |n| n.to_string());
            let root = game.root_claim.map_or_else(|| "?".into(), |root| root.to_string());
            vec![
                game.index.to_string(),
                game.game.to_string(),
                game.game_type.to_string(),
                date(game.created_at),
                number,
                root,
                game.claims.to_string(),
                game.status.unwrap_or("?").to_owned(),
            ]
        })
        .collect();
    let heading = ["Idx", "Game", "Type", "Created", "L2 Block", "Output Root", "Claims", "Status"];
    table(&heading, &rows)
}

/// A list of claims.
pub fn claims(claims: &[ClaimLine], in_full: bool) -> String {
    let rows: Vec<Vec<String>> = claims
        .iter()
        .map(|claim| {
            let side = claim.side.clone().unwrap_or_default();
            vec![
                claim.index.to_string(),
                side,
                claim.parent.map_or_else(String::new, |parent| parent.to_string()),
                claim.depth.to_string(),
                claim.index_at_depth.clone(),
                short(claim.value, in_full),
                claim.claimant.to_string(),
                claim.bond.parse().map(|wei| Bond(wei).to_string()).unwrap_or_default(),
                Seconds(claim.time_left).to_string(),
                standing(claim),
            ]
        })
        .collect();
    let heading = [
        "Idx", "Move", "Parent", "Depth", "Index", "Value", "Claimant", "Bond", "Left", "Standing",
    ];
    table(&heading, &rows)
}

fn standing(claim: &ClaimLine) -> String {
    let resolved = if claim.resolved { "resolved, " } else { "" };
    match claim.countered_by {
        Some(by) => format!("{resolved}countered by {by}"),
        None => format!("{resolved}uncountered"),
    }
}

/// A game with its tree of claims, what is true of them where that was computed, and the work of an agent where that was
/// noted.
pub fn game(
    snapshot: &Snapshot,
    claims: &[ClaimLine],
    counts: &Standing,
    truth: Option<&Truth>,
    work: Option<&Work>,
) -> String {
    let facts = &snapshot.facts;
    let parameters = &facts.parameters;
    let mut text = String::new();
    for (name, value) in [
        ("game", facts.listing.address.to_string()),
        ("type", format!("{}, version {}", facts.listing.game_type.0, facts.version)),
        ("status", status_name(snapshot.game.status).to_owned()),
        ("counts", self::counts(counts)),
        ("bonds", bonds(counts.bonds).to_owned()),
        ("claims", format!("{} of L2 block {}", facts.root_claim, facts.l2_sequence_number)),
        (
            "from",
            format!("{} of L2 block {}", facts.starting.root, facts.starting.l2_sequence_number),
        ),
        ("L1 head", facts.l1_head.to_string()),
        ("prestate", facts.absolute_prestate.to_string()),
        (
            "tree",
            format!("depth {}, split at {}", parameters.max_depth(), parameters.split_depth()),
        ),
        (
            "clock",
            format!(
                "{}, extension {}",
                parameters.max_clock_duration(),
                parameters.clock_extension()
            ),
        ),
    ] {
        text.push_str(&format!("{name:9} {value}\n"));
    }
    if let Some(by) = snapshot.game.l2_block_number_challenger {
        text.push_str(&format!("block number challenged by {by}\n"));
    }
    if let Some(truth) = truth {
        text.push_str(&format!("{:9} {}\n", "truth", self::truth(truth)));
    }
    if let Some(work) = work {
        let work = took(work.traces, work.longest, work.executed, work.time.as_millis());
        text.push_str(&format!("{:9} {work}\n", "agent"));
    }
    text.push('\n');
    text.push_str(&tree(claims, truth));
    text
}

/// Whether anything may rest on a game, and if not, why.
fn counts(standing: &Standing) -> String {
    let Standing { registered, respected, blacklisted, retired, paused, finalized, .. } = *standing;
    let reasons: Vec<&str> = [
        (registered == Some(false), "not created by the factory"),
        (blacklisted == Some(true), "blacklisted"),
        (retired == Some(true), "retired"),
        (paused == Some(true), "paused"),
        (!respected, "its type was not respected when it was created"),
    ]
    .into_iter()
    .filter_map(|(is_so, reason)| is_so.then_some(reason))
    .collect();
    match (reasons.is_empty(), finalized) {
        (false, _) => format!("no: {}", reasons.join(", ")),
        (true, Some(true)) => "yes, final".into(),
        (true, _) => "yes, not final yet".into(),
    }
}

/// To whom bonds go, in words.
fn bonds(mode: &str) -> &str {
    match mode {
        "undecided" => "undecided until the game is closed",
        "normal" => "to the winners",
        "refund" => "refunded to who paid them",
        other => other,
    }
}

fn truth(truth: &Truth) -> String {
    let Truth { right, wrong, traces, instructions, executed, trace_milliseconds } = truth;
    let claims = format!("{} claims right, {} wrong", right.len(), wrong.len());
    let work = took(*traces, *instructions, *executed, u128::from(*trace_milliseconds));
    format!("{claims}; {work}")
}

/// What trace work took.
fn took(traces: u32, instructions: u64, executed: u64, milliseconds: u128) -> String {
    match traces {
        0 => "no trace work".to_owned(),
        _ => format!(
            "{traces} trace(s) of up to {instructions} instructions, {executed} executed in {milliseconds} ms"
        ),
    }
}

/// Claims under what they answer. Without recursion: a tree is as deep as a game, but nobody promised that.
fn tree(claims: &[ClaimLine], truth: Option<&Truth>) -> String {
    let word = |index: &u32| match truth {
        Some(truth) if truth.right.contains(index) => ", right",
        Some(truth) if truth.wrong.contains(index) => ", wrong",
        _ => "",
    };
    let mut children: Vec<Vec<&ClaimLine>> = vec![Vec::new(); claims.len()];
    for claim in claims {
        if let Some(siblings) = claim.parent.and_then(|parent| children.get_mut(parent as usize)) {
            siblings.push(claim);
        }
    }
    let mut text = String::new();
    let mut open: Vec<&ClaimLine> = claims.first().into_iter().collect();
    while let Some(claim) = open.pop() {
        let indent = usize::from(claim.depth) * 2;
        text.push_str(&format!(
            "{:indent$}{} {} {} at depth {} index {}, {}{}\n",
            "",
            claim.index,
            claim.side.as_deref().unwrap_or("root"),
            short(claim.value, false),
            claim.depth,
            claim.index_at_depth,
            standing(claim),
            word(&claim.index),
        ));
        if let Some(children) = children.get(claim.index as usize) {
            open.extend(children.iter().rev());
        }
    }
    text
}

/// When an account's first call was made.
fn since(unlocked_at: u64) -> String {
    if unlocked_at == 0 { String::new() } else { date(unlocked_at) }
}

/// Credits of a game.
pub fn credits(credits: &Credits) -> String {
    let rows: Vec<Vec<String>> = credits
        .accounts
        .iter()
        .map(|line| {
            vec![
                line.account.to_string(),
                ether(line.credit),
                if line.unlocked { "yes" } else { "no" }.to_owned(),
                ether(line.withdrawal),
                u64::try_from(line.unlocked_at).map_or_else(|_| "?".into(), since),
            ]
        })
        .collect();
    let Credits { mode, weth, weth_balance, delay, .. } = credits;
    format!(
        "mode {mode}; WETH {weth} holds {}, delay {delay} s\n\n{}",
        ether(*weth_balance),
        table(&["Account", "Credit", "Unlocked", "Waiting", "Since"], &rows)
    )
}

/// What a check found.
pub fn findings(findings: &[Finding]) -> String {
    let rows: Vec<Vec<String>> = findings
        .iter()
        .map(|finding| {
            let mark = if finding.ok { "ok" } else { "NO" };
            vec![mark.to_owned(), finding.what.clone(), finding.found.clone()]
        })
        .collect();
    table(&["", "What", "Found"], &rows)
}
