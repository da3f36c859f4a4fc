//! `rebut guardian`: what only the guardian can do about games.

use super::flags::{L1Arguments, SenderArguments, any_game_type};
use super::{block_on, game::deliver};
use crate::Outcome;
use crate::values::address;
use alloy_primitives::Address;
use anyhow::{Context, bail};
use rebut_challenger::guardian::{self as act, Guarded};
use rebut_challenger::sender::Intent;

/// The commands.
#[derive(clap::Subcommand)]
pub enum Command {
    /// Stop withdrawals and payments, everywhere or for one identifier.
    Pause(Pause),
    /// Let withdrawals and payments go on.
    Unpause(Pause),
    /// Make one game worthless, for ever: its bonds are refunded.
    Blacklist(Blacklist),
    /// Make all games so far worthless.
    Retire(OfRegistry),
    /// Set the respected game type, by which withdrawals are finalised.
    SetRespectedType(SetRespectedType),
}

/// Where, and who acts.
#[derive(clap::Args)]
pub struct Guardian {
    #[command(flatten)]
    l1: L1Arguments,
    #[command(flatten)]
    sender: SenderArguments,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What everything but `blacklist` takes.
#[derive(clap::Args)]
pub struct OfRegistry {
    /// Address of the AnchorStateRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    anchor_state_registry: Address,
    #[command(flatten)]
    guardian: Guardian,
}

/// What `pause` takes.
#[derive(clap::Args)]
pub struct Pause {
    #[command(flatten)]
    registry: OfRegistry,
    /// What to pause; the zero address stands for everything.
    #[arg(long, value_name = "ADDRESS", default_value_t = Address::ZERO, value_parser = address)]
    identifier: Address,
}

/// What `blacklist` takes.
#[derive(clap::Args)]
pub struct Blacklist {
    /// The game.
    #[arg(value_name = "GAME", value_parser = address, required_unless_present = "game_address")]
    game: Option<Address>,
    /// The same, as a flag.
    #[arg(long, value_name = "ADDRESS", visible_alias = "game", value_parser = address, conflicts_with = "game")]
    game_address: Option<Address>,
    /// Address of the AnchorStateRegistry; that of the game unless given.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    anchor_state_registry: Option<Address>,
    #[command(flatten)]
    guardian: Guardian,
}

/// What `set-respected-type` takes.
#[derive(clap::Args)]
pub struct SetRespectedType {
    #[command(flatten)]
    registry: OfRegistry,
    /// Game type, by name or number.
    #[arg(long, value_name = "TYPE", value_parser = any_game_type)]
    game_type: u32,
}

/// Runs the command.
pub fn run(command: Command) -> Outcome {
    block_on(async {
        match command {
            Command::Pause(pause) => paused(&pause, true).await,
            Command::Unpause(pause) => paused(&pause, false).await,
            Command::Blacklist(blacklist) => blacklisted(&blacklist).await,
            Command::Retire(OfRegistry { anchor_state_registry, guardian }) => {
                guardian.act(anchor_state_registry, |_| act::retire(anchor_state_registry)).await
            }
            Command::SetRespectedType(SetRespectedType { registry, game_type }) => {
                let OfRegistry { anchor_state_registry: at, guardian } = registry;
                guardian.act(at, |_| act::set_respected_type(at, game_type)).await
            }
        }
    })
}

async fn paused(pause: &Pause, pauses: bool) -> Outcome {
    let Pause { registry: OfRegistry { anchor_state_registry, guardian }, identifier } = pause;
    let intent = |guarded: Guarded| act::pause(guarded.superchain, *identifier, pauses);
    guardian.act(*anchor_state_registry, intent).await
}

async fn blacklisted(blacklist: &Blacklist) -> Outcome {
    let Blacklist { game, game_address, anchor_state_registry, guardian } = blacklist;
    let game = game.or(*game_address).unwrap_or_default();
    let registry = match anchor_state_registry {
        Some(registry) => *registry,
        None => {
            let lens = guardian.l1.lens()?;
            let block = lens.node().head().await?;
            let found = act::registry_of(&lens, game, &block).await?;
            found.with_context(|| format!("{game} is no game with a registry"))?
        }
    };
    guardian.act(registry, |_| act::blacklist(registry, game)).await
}

impl Guardian {
    /// Sends what is intended, from the guardian's account only.
    async fn act(&self, registry: Address, intent: impl Fn(Guarded) -> Intent) -> Outcome {
        let account = self.sender.address()?;
        let lens = self.l1.lens()?;
        let block = lens.node().head().await?;
        let guarded = act::guarded(&lens, registry, &block).await?.with_context(|| {
            format!("there is no contract at {registry} that is an AnchorStateRegistry")
        })?;
        let intent = intent(guarded);
        if account != guarded.guardian {
            bail!("{}: only the guardian can, {}, not {account}", intent.what, guarded.guardian);
        }
        deliver(&self.l1, &self.sender, self.json, &intent).await
    }
}
