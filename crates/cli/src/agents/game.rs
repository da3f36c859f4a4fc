//! `rebut game`: look at games, and play by hand.

use super::flags::{
    CHALLENGER_DEFAULTS, FactoryArguments, L1Arguments, SenderArguments, any_game_type, duration,
};
use super::traces::TraceArguments;
use super::{block_on, show, why};
use crate::Outcome;
use crate::block::{print, print_json};
use crate::files;
use crate::values::{address, hash};
use alloy_primitives::{Address, B256, Bytes, U256};
use anyhow::bail;
use rebut_challenger::agent::{self, claim_credit, resolve_claim};
use rebut_challenger::chain::{At, Block, Lens, Snapshot};
use rebut_challenger::inspect::{self, GameLine, Truth};
use rebut_challenger::sender::{Intent, Sent};
use rebut_dispute::{ClaimIndex, GameType, Move, Side, Timestamp};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// A proof is a few kilobytes, as hex within JSON.
const PROOF_LIMIT_BYTES: u64 = 16 << 20;

/// The commands.
#[derive(clap::Subcommand)]
pub enum Command {
    /// List the factory's games.
    #[command(visible_alias = "list-games")]
    List(List),
    /// List the claims of a game.
    #[command(visible_alias = "list-claims")]
    Claims(Of),
    /// Show a game: what it is about, where it stands, its tree of claims.
    ///
    /// With the flags of the challenger that say where the truth comes from, it is computed too: which claims are right,
    /// and how long the trace work took. With the --datadir of a challenger on this machine it says how long the trace
    /// work of that took so far.
    Show(Box<Show>),
    /// List what every account can get from a game.
    #[command(visible_alias = "list-credits")]
    Credits(Of),
    /// Explain the honest answer to a claim.
    Why(Box<why::Why>),
    /// Create a game.
    #[command(visible_alias = "create-game")]
    Create(Create),
    /// Answer a claim.
    Move(MoveArguments),
    /// Counter a claim at the largest depth by executing one instruction.
    Step(StepArguments),
    /// Resolve a game.
    Resolve(Act),
    /// Resolve a claim.
    ResolveClaim(ResolveClaim),
    /// Unlock an account's credit, or pay it out once it is unlocked.
    ClaimCredit(ClaimCredit),
}

/// What `list` takes.
#[derive(clap::Args)]
pub struct List {
    #[command(flatten)]
    l1: L1Arguments,
    #[command(flatten)]
    factory: FactoryArguments,
    /// Leave out games that are older than this; 0 for no limit.
    #[arg(long, value_name = "DURATION", default_value = "672h", value_parser = duration)]
    game_window: Duration,
    /// By what games are ordered.
    #[arg(long, value_name = "BY", default_value = "time", value_parser = ["time", "claimCount", "l2BlockNum"])]
    sort_by: String,
    /// In which direction.
    #[arg(long, value_name = "ORDER", default_value = "asc", value_parser = ["asc", "desc"])]
    sort_order: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Which game.
#[derive(clap::Args)]
pub struct Of {
    #[command(flatten)]
    l1: L1Arguments,
    /// Address of the game.
    #[arg(long, visible_alias = "game", value_name = "ADDRESS", value_parser = address, required_unless_present = "game")]
    game_address: Option<Address>,
    /// The same, without the flag.
    #[arg(value_name = "GAME", value_parser = address, conflicts_with = "game_address")]
    game: Option<Address>,
    /// Print values in full.
    #[arg(long)]
    verbose: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `show` takes.
#[derive(clap::Args)]
pub struct Show {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    traces: TraceArguments,
}

impl Of {
    /// The game's address: one of the two is given.
    fn game(&self) -> Address {
        self.game_address.or(self.game).unwrap_or_default()
    }
}

/// Which game, and who acts.
#[derive(clap::Args)]
pub struct Act {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    sender: SenderArguments,
}

/// What `create` takes.
#[derive(clap::Args)]
pub struct Create {
    #[command(flatten)]
    l1: L1Arguments,
    #[command(flatten)]
    factory: FactoryArguments,
    /// Game type, by name or number.
    #[arg(long, visible_alias = "trace-type", value_name = "TYPE", default_value = "0", value_parser = any_game_type)]
    game_type: u32,
    /// The root to claim.
    #[arg(long, value_name = "ROOT", value_parser = hash)]
    output_root: B256,
    /// The L2 block that it is claimed to be of.
    #[arg(long, value_name = "N")]
    l2_block_num: u64,
    #[command(flatten)]
    sender: SenderArguments,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `move` takes.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("side").required(true).args(["attack", "defend"])))]
pub struct MoveArguments {
    #[command(flatten)]
    act: Act,
    /// Attack the claim.
    #[arg(long)]
    attack: bool,
    /// Defend the claim.
    #[arg(long)]
    defend: bool,
    /// The claim to answer.
    #[arg(long, value_name = "INDEX")]
    parent_index: u32,
    /// The value to claim.
    #[arg(long, value_name = "VALUE", value_parser = hash)]
    claim: B256,
}

/// What `step` takes.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("side").required(true).args(["attack", "defend"])))]
pub struct StepArguments {
    #[command(flatten)]
    act: Act,
    /// Execute the instruction before the claimed state.
    #[arg(long)]
    attack: bool,
    /// Execute the instruction after the claimed state.
    #[arg(long)]
    defend: bool,
    /// The claim to counter.
    #[arg(long, value_name = "INDEX")]
    claim: u32,
    /// The instruction's proof, as `cannon run --proof-at` writes it. What it reads must be loaded already.
    #[arg(long, value_name = "FILE")]
    proof: PathBuf,
}

/// What `resolve-claim` takes.
#[derive(clap::Args)]
pub struct ResolveClaim {
    #[command(flatten)]
    act: Act,
    /// The claim.
    #[arg(long, value_name = "INDEX")]
    claim: u32,
}

/// What `claim-credit` takes.
#[derive(clap::Args)]
pub struct ClaimCredit {
    #[command(flatten)]
    act: Act,
    /// Whose credit; the sender's unless given.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    recipient: Option<Address>,
}

/// Runs the command.
pub fn run(command: Command) -> Outcome {
    block_on(async {
        match command {
            Command::List(arguments) => list(&arguments).await,
            Command::Claims(of) => claims(&of).await,
            Command::Show(arguments) => show_game(&arguments).await,
            Command::Credits(of) => credits(&of).await,
            Command::Why(arguments) => why::why(&arguments).await,
            Command::Create(arguments) => create(&arguments).await,
            Command::Move(arguments) => make_move(&arguments).await,
            Command::Step(arguments) => step(&arguments).await,
            Command::Resolve(act) => {
                let game = act.of.game();
                send(&act, &agent::resolve_game(game)).await
            }
            Command::ResolveClaim(arguments) => {
                let game = arguments.act.of.game();
                send(&arguments.act, &resolve_claim(game, ClaimIndex(arguments.claim))).await
            }
            Command::ClaimCredit(arguments) => credit(&arguments).await,
        }
    })
}

async fn newest(lens: &Lens) -> anyhow::Result<Block> {
    Ok(lens.node().head().await?)
}

async fn list(arguments: &List) -> Outcome {
    let factory = arguments.factory.address()?;
    let lens = arguments.l1.lens()?;
    let block = newest(&lens).await?;
    let window = arguments.game_window.as_secs();
    let mut games = inspect::games(&lens, factory, window, &block).await?;
    let key = |game: &GameLine| match arguments.sort_by.as_str() {
        "claimCount" => game.claims,
        "l2BlockNum" => game.l2_sequence_number.unwrap_or_default(),
        _ => U256::from(game.index),
    };
    games.sort_by_key(key);
    if arguments.sort_order == "desc" {
        games.reverse();
    }
    if arguments.json {
        print_json(&games)?;
    } else {
        print(&show::games(&games))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn claims(of: &Of) -> Outcome {
    let lens = of.l1.lens()?;
    let block = newest(&lens).await?;
    let snapshot = inspect::game(&lens, of.game(), &block).await?;
    let claims = inspect::claims(&snapshot.game, Timestamp(block.timestamp));
    if of.json {
        print_json(&claims)?;
    } else {
        print(&show::claims(&claims, of.verbose))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn show_game(arguments: &Show) -> Outcome {
    let of = &arguments.of;
    let lens = of.l1.lens()?;
    let block = newest(&lens).await?;
    let snapshot = inspect::game(&lens, of.game(), &block).await?;
    let claims = inspect::claims(&snapshot.game, Timestamp(block.timestamp));
    let standing = inspect::standing(&lens, &snapshot, &block).await?;
    let truth = match arguments.traces.has_source() {
        true => Some(truth(arguments, &lens, &snapshot).await?),
        false => None,
    };
    let work = arguments.traces.noted_work(of.game());
    if of.json {
        let facts = &snapshot.facts;
        print_json(&json!({
            "game": of.game(),
            "gameType": facts.listing.game_type.0,
            "version": facts.version,
            "status": inspect::status_name(snapshot.game.status),
            "createdAt": facts.listing.created_at.0,
            "rootClaim": facts.root_claim,
            "l2BlockNumber": facts.l2_sequence_number,
            "startingRoot": facts.starting.root,
            "startingBlock": facts.starting.l2_sequence_number,
            "l1Head": facts.l1_head,
            "absolutePrestate": facts.absolute_prestate,
            "maxDepth": facts.parameters.max_depth().get(),
            "splitDepth": facts.parameters.split_depth().get(),
            "maxClockDuration": facts.parameters.max_clock_duration().0,
            "clockExtension": facts.parameters.clock_extension().0,
            "vm": facts.vm,
            "oracle": facts.oracle,
            "weth": facts.weth,
            "anchorStateRegistry": facts.anchor_state_registry,
            "l2ChainId": facts.l2_chain_id,
            "wasRespected": facts.was_respected,
            "standing": standing,
            "l2BlockNumberChallenger": snapshot.game.l2_block_number_challenger,
            "claims": claims,
            "truth": truth,
            "agentWork": work.map(|work| json!({
                "traces": work.traces,
                "instructions": work.longest,
                "executed": work.executed,
                "traceMilliseconds": work.time.as_millis() as u64,
            })),
        }))?;
    } else {
        print(&show::game(&snapshot, &claims, &standing, truth.as_ref(), work.as_ref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is true in a game, as its claims ask for it.
async fn truth(arguments: &Show, lens: &Lens, snapshot: &Snapshot) -> anyhow::Result<Truth> {
    let facts = &snapshot.facts;
    let l1_head = lens.node().block(facts.l1_head).await?.number;
    let l1 = &arguments.of.l1;
    let traces = arguments.traces.open(l1, None, &[facts.listing.game_type.0])?;
    let (facts, game) = (Arc::clone(facts), snapshot.game.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut trace = traces.setup.open_to_look(&agent::game_setup(&facts, l1_head))?;
        Ok::<_, anyhow::Error>(inspect::truth(&game, &mut trace)?)
    });
    work.await?
}

async fn credits(of: &Of) -> Outcome {
    let lens = of.l1.lens()?;
    let block = newest(&lens).await?;
    let snapshot = inspect::game(&lens, of.game(), &block).await?;
    let credits = inspect::credits(&lens, &snapshot, &block).await?;
    if of.json {
        print_json(&credits)?;
    } else {
        print(&show::credits(&credits))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(arguments: &Create) -> Outcome {
    let factory = arguments.factory.address()?;
    let lens = arguments.l1.lens()?;
    let block = newest(&lens).await?;
    let game_type = GameType(arguments.game_type);
    let (root, number) = (arguments.output_root, arguments.l2_block_num);
    let intent =
        rebut_challenger::proposer::create_game(&lens, factory, game_type, root, number, &block)
            .await?;
    deliver(&arguments.l1, &arguments.sender, arguments.json, &intent).await
}

async fn make_move(arguments: &MoveArguments) -> Outcome {
    let of = &arguments.act.of;
    let lens = of.l1.lens()?;
    let block = newest(&lens).await?;
    let snapshot = inspect::game(&lens, of.game(), &block).await?;
    let game = &snapshot.game;
    let parent = ClaimIndex(arguments.parent_index);
    let side = if arguments.attack { Side::Attack } else { Side::Defend };
    let answered = game.claim(parent)?;
    let position = answered.position.answer(side)?;
    let action = Move {
        parent,
        disputed: answered.value,
        side,
        position,
        value: arguments.claim,
        bond: game.parameters().required_bond(position.depth()),
    };
    send(&arguments.act, &agent::answer(of.game(), &action)).await
}

async fn step(arguments: &StepArguments) -> Outcome {
    #[derive(serde::Deserialize)]
    struct Proof {
        #[serde(rename = "state-data")]
        state_data: Bytes,
        #[serde(rename = "proof-data")]
        proof_data: Bytes,
    }
    let proof: Proof =
        files::read_json(&arguments.proof, PROOF_LIMIT_BYTES, "the proof of a step")?;
    let side = if arguments.attack { Side::Attack } else { Side::Defend };
    let (game, claim) = (arguments.act.of.game(), ClaimIndex(arguments.claim));
    send(&arguments.act, &agent::step(game, claim, side, proof.state_data, proof.proof_data)).await
}

async fn credit(arguments: &ClaimCredit) -> Outcome {
    let act = &arguments.act;
    let recipient = match arguments.recipient {
        Some(recipient) => recipient,
        None => act.sender.address()?,
    };
    send(act, &claim_credit(act.of.game(), recipient)).await
}

async fn send(act: &Act, intent: &Intent) -> Outcome {
    deliver(&act.of.l1, &act.sender, act.of.json, intent).await
}

/// Sends one transaction and says what became of it.
pub async fn deliver(
    l1: &L1Arguments,
    sender: &SenderArguments,
    json: bool,
    intent: &Intent,
) -> Outcome {
    // Nothing is asked for somebody without a key.
    sender.address()?;
    let node = l1.node(&l1.l1_eth_rpc)?;
    // A transaction to an account without code succeeds, and does nothing.
    if node.code(intent.to, At::Latest).await?.is_empty() {
        bail!("{}: there is no contract at {}", intent.what, intent.to);
    }
    let sender = sender.open(node, CHALLENGER_DEFAULTS, 1, None).await?;
    match sender.send(intent).await? {
        Sent::Done(receipt) if json => print_json(&json!({
            "what": intent.what,
            "transaction": receipt.transaction_hash,
            "block": receipt.block_number,
            "gasUsed": receipt.gas_used,
        }))?,
        Sent::Done(receipt) => print(&format!(
            "{}: transaction {} in block {}, {} gas\n",
            intent.what, receipt.transaction_hash, receipt.block_number, receipt.gas_used
        ))?,
        Sent::Dry { gas } if json => {
            print_json(&json!({ "what": intent.what, "dryRun": true, "gas": gas }))?;
        }
        Sent::Dry { gas } => print(&format!("{}: would take {gas} gas\n", intent.what))?,
        Sent::Refused(revert) => bail!("{}: the contract refuses: {revert}", intent.what),
    }
    Ok(ExitCode::SUCCESS)
}
