//! What is told of a game in the end, and what had to hold: all of it from L1.

use super::ledger::{Ledger, Purpose, Spent};
use super::play::{Played, Sides};
use super::stage::Stage;
use crate::cannon::in_words;
use crate::guest::{Builtin, with_machine};
use alloy_primitives::{Address, B256, U256, utils::format_ether};
use rebut_challenger::chain::Snapshot;
use rebut_challenger::inspect::{ClaimLine, claims};
use rebut_challenger::trace::Work;
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, FaultDisputeGame as Game,
};
use rebut_dispute::{ClaimIndex, Game as Claims, GameStatus, Side, Timestamp};
use rebut_fpvm::Symbols;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::PoisonError;

/// Something that had to hold.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    what: &'static str,
    holds: bool,
}

/// The step that decided a game, out of its transaction.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    claim: u32,
    side: String,
    by: Address,
    /// Number of the instruction, the first one 0.
    step: u64,
    pc: String,
    instruction: String,
    symbol: String,
    transaction: B256,
    gas: u64,
    /// The preimage that was loaded for it, if any: key and gas of loading.
    preimage_gas: Option<u64>,
}

/// All of it.
pub struct Report {
    root: &'static str,
    game: Address,
    game_type: u32,
    status: &'static str,
    claims: Vec<ClaimLine>,
    split_depth: u8,
    decided_by: Option<Decision>,
    honest: [Address; 2],
    liar: Address,
    spent: [Spent; 2],
    by_purpose: Value,
    posted: [U256; 2],
    paid: [U256; 2],
    work: Work,
    seconds: f64,
    checks: Vec<Check>,
}

/// Names of the program's functions.
pub fn symbols<V: Builtin>() -> anyhow::Result<Symbols> {
    Ok(V::PROGRAM.load::<V>(V::VERSION)?.symbols)
}

/// A status as contracts name it.
pub const fn contract_name(status: GameStatus) -> &'static str {
    match status {
        GameStatus::InProgress => "IN_PROGRESS",
        GameStatus::ChallengerWins => "CHALLENGER_WINS",
        GameStatus::DefenderWins => "DEFENDER_WINS",
    }
}

impl Report {
    /// Reads a game that was played.
    pub async fn read(
        stage: &Stage,
        sides: &Sides,
        played: &Played,
        is_true: bool,
        symbols: &Symbols,
    ) -> anyhow::Result<Self> {
        let snapshot = &played.resolved;
        let facts = &snapshot.facts;
        let address = facts.listing.address;
        let node = stage.lens.node();
        let ledger =
            Ledger::read(node, facts, stage.at.dispute_game_factory, played.first + 1).await?;
        let honest = sides.honest_accounts();
        let liar = sides.liar_account;
        let decided_by =
            with_machine!(stage.vm.name(), V => decide::<V>(snapshot, &ledger, symbols));

        let mut posted = [U256::ZERO; 2];
        for (_, claim) in snapshot.game.claims() {
            let side = usize::from(claim.claimant == liar);
            posted[side] += U256::from(claim.bond.0);
        }
        let mut paid = [U256::ZERO; 2];
        for (account, wei) in ledger.paid() {
            paid[usize::from(!honest.contains(&account))] += wei;
        }

        let head = node.head().await?;
        let status = stage.lens.view(address, &Game::statusCall {}, &head).await?;
        let mode = stage.lens.view(address, &Game::bondDistributionModeCall {}, &head).await?;
        let weth_call = Weth::balanceOfCall { src: address };
        let left = stage.lens.view(facts.weth, &weth_call, &head).await?;
        let registry = stage.at.anchor_state_registry;
        let anchor = stage.lens.view(registry, &Registry::anchorGameCall {}, &head).await?;
        let want = if is_true { GameStatus::DefenderWins } else { GameStatus::ChallengerWins };
        let countered = decided_by.as_ref().and_then(|decision| {
            snapshot.game.claim(ClaimIndex(decision.claim)).ok()?.countered_by
        });
        let [all_posted, all_paid] = [posted, paid].map(|[one, other]| one + other);
        let is_read = |key: &str| {
            let decision = decided_by.as_ref();
            decision.is_some_and(|decision| decision.instruction.contains(key))
        };
        let loaded = ledger.entries.iter().any(|entry| entry.purpose == Purpose::Preimage);
        let mut checks = vec![
            ("the game ended as it should", status == Some(want as u8)),
            (
                "the honest challenger executed the disputed instruction on chain",
                decided_by.as_ref().is_some_and(|decision| decision.by == sides.challenger),
            ),
            ("the contract counts that as the answer", countered == Some(sides.challenger)),
            ("every bond was paid out", all_posted == all_paid && left == Some(U256::ZERO)),
            ("all of it to the honest side", paid == [all_posted, U256::ZERO]),
            ("bonds were distributed in the normal mode", mode == Some(1)),
            (
                "a true root becomes the anchor, a false one does not",
                (anchor == Some(address)) == is_true,
            ),
        ];
        if is_true {
            let read = is_read(" read");
            checks.push(("the instruction reads a preimage, which was uploaded", read && loaded));
        }
        let checks = checks.into_iter().map(|(what, holds)| Check { what, holds }).collect();
        let work = sides.book.lock().unwrap_or_else(PoisonError::into_inner);
        let work = work.get(&address).copied().unwrap_or_default();
        let by_purpose = ledger.by_purpose().into_iter().map(|(purpose, (sum, largest))| {
            json!({ "purpose": purpose, "gas": sum, "largest": largest })
        });
        Ok(Self {
            root: if is_true { "true" } else { "false" },
            game: address,
            game_type: facts.listing.game_type.0,
            status: contract_name(snapshot.game.status),
            claims: claims(&snapshot.game, Timestamp(snapshot.block.timestamp)),
            split_depth: snapshot.game.parameters().split_depth().get(),
            decided_by,
            honest,
            liar,
            spent: [ledger.spent(&honest), ledger.spent(&[liar])],
            by_purpose: by_purpose.collect(),
            posted,
            paid,
            work,
            seconds: played.seconds,
            checks,
        })
    }

    /// Whether everything that had to hold did.
    pub fn held(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let [honest, liar] = self.spent;
        json!({
            "root": self.root,
            "game": self.game,
            "game_type": self.game_type,
            "status": self.status,
            "moves": self.claims.len().saturating_sub(1),
            "decided_by": self.decided_by,
            "gas": { "honest": honest, "liar": liar, "by_purpose": self.by_purpose },
            "bonds": {
                "posted": { "honest": self.posted[0], "liar": self.posted[1] },
                "paid": { "honest": self.paid[0], "liar": self.paid[1] },
            },
            "trace": {
                "instructions": self.work.longest,
                "executed": self.work.executed,
                "seconds": self.work.time.as_secs_f64(),
            },
            "checks": self.checks,
            "claims": self.claims,
            "seconds": self.seconds,
        })
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "\n{} root: game {} of type {}, {}\n\n",
            if self.root == "true" { "True" } else { "False" },
            self.game,
            self.game_type,
            self.status,
        );
        text.push_str(&self.tree());
        text.push('\n');
        let mut lines: Vec<(&str, String)> = Vec::new();
        match &self.decided_by {
            None => lines.push(("decided by", "no step".into())),
            Some(decision) => {
                let Decision { claim, side, step, pc, instruction, symbol, .. } = decision;
                lines.push(("decided by", format!("instruction {step}: {instruction}")));
                lines.push(("where", format!("{symbol} at {pc}")));
                lines.push((
                    "step",
                    format!("{side} claim {claim}, {} gas, {}", decision.gas, decision.transaction),
                ));
                if let Some(gas) = decision.preimage_gas {
                    lines.push(("preimage", format!("loaded before it for {gas} gas")));
                }
            }
        }
        for (name, place) in [("honest", 0), ("liar", 1)] {
            let Spent { transactions, gas, wei } = self.spent[place];
            lines.push((
                name,
                format!(
                    "{transactions} transactions, {gas} gas, {} ETH; bonds posted {} ETH, paid {} ETH",
                    format_ether(wei),
                    format_ether(self.posted[place]),
                    format_ether(self.paid[place]),
                ),
            ));
        }
        let length = self.work.longest;
        lines.push((
            "trace",
            format!(
                "{length} instructions; {} executed, hashed and proven in {:.1} s",
                self.work.executed,
                self.work.time.as_secs_f64(),
            ),
        ));
        for check in &self.checks {
            lines.push((if check.holds { "held" } else { "NOT HELD" }, check.what.to_owned()));
        }
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in lines {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:width$}  {value}");
        }
        text
    }

    /// The claims, each under what it answers, and further to the right only where one has several answers.
    fn tree(&self) -> String {
        let mut children = vec![Vec::new(); self.claims.len()];
        for claim in &self.claims {
            let siblings = claim.parent.and_then(|parent| children.get_mut(parent as usize));
            if let Some(siblings) = siblings {
                siblings.push(claim);
            }
        }
        let mut text = String::new();
        let mut open: Vec<(usize, &ClaimLine)> =
            self.claims.first().map(|root| (0, root)).into_iter().collect();
        while let Some((indent, claim)) = open.pop() {
            if claim.depth == self.split_depth + 1 {
                let _ = writeln!(text, "{:indent$}  ---- states of the machine", "");
            }
            let who = match claim.claimant {
                who if who == self.liar => "liar",
                who if self.honest.contains(&who) => "honest",
                _ => "other",
            };
            let value = claim.value.to_string();
            let countered = match claim.countered_by {
                Some(by) if by == self.liar => ", countered by the liar",
                Some(_) => ", countered",
                None => "",
            };
            let _ = writeln!(
                text,
                "{:indent$}{:>4}  {who:6}  {:6}  depth {:2}  {}{countered}",
                "",
                claim.index,
                claim.side.as_deref().unwrap_or("root"),
                claim.depth,
                value.get(..12).unwrap_or(&value),
            );
            let answers = children.get(claim.index as usize).map_or(&[][..], Vec::as_slice);
            let deeper = if answers.len() > 1 { indent + 2 } else { indent };
            open.extend(answers.iter().rev().map(|answer| (deeper, *answer)));
        }
        text
    }
}

/// The step that decided, if there was exactly one that succeeded.
fn decide<V: Builtin>(snapshot: &Snapshot, ledger: &Ledger, symbols: &Symbols) -> Option<Decision> {
    let mut steps = ledger.steps();
    let (entry, call) = steps.next()?;
    if steps.next().is_some() {
        return None;
    }
    let index = ClaimIndex(u32::try_from(call._claimIndex).ok()?);
    let side = if call._isAttack { Side::Attack } else { Side::Defend };
    let shown = V::shown_instruction(&call._stateData, &call._proof);
    let loads = ledger.entries.iter().filter(|entry| entry.purpose == Purpose::Preimage);
    let gas = loads.map(|entry| entry.gas).reduce(|one, other| one + other);
    Some(Decision {
        claim: index.0,
        side: side.to_string(),
        by: entry.from,
        step: instruction_number(&snapshot.game, index, side)?,
        pc: shown.map_or_else(String::new, |shown| format!("{:#x}", shown.pc)),
        instruction: shown.map_or_else(|| "(thread switch)".into(), in_words::<V>),
        symbol: shown.map_or_else(String::new, |shown| function(symbols, shown.pc)),
        transaction: entry.hash,
        gas: entry.gas,
        preimage_gas: gas,
    })
}

/// A claim commits to the state after its instruction: an attack executes that one, a defence the next.
fn instruction_number(game: &Claims, index: ClaimIndex, side: Side) -> Option<u64> {
    let parameters = game.parameters();
    let position = game.claim(index).ok()?.position;
    let below = position.relative_to(parameters.split_depth().below()).ok()?;
    let number = u64::try_from(below.trace_index(parameters.execution_depth()).ok()?.0).ok()?;
    Some(number + u64::from(side == Side::Defend))
}

/// The function at an address, as it is written in its source.
fn function(symbols: &Symbols, pc: u64) -> String {
    let name = symbols.at(pc).map_or("(unknown)", |symbol| &symbol.name);
    format!("{:#}", rustc_demangle::demangle(name))
}
