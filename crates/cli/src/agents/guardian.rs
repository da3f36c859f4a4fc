//! `rebut guardian`: what only the guardian can do about games.

use super::flags::{L1Arguments, SenderArguments, any_game_type};
use super::{block_on, game::deliver};
use crate::Outcome;
use crate::values::address;
use alloy_primitives::Address;
use anyhow::Context;
use rebut_challenger::guardian as act;

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
    Retire(Registry),
    /// Set the respected game type, by which withdrawals are finalised.
    SetRespectedType(SetRespectedType),
}

/// The registry, and who acts.
#[derive(clap::Args)]
pub struct Registry {
    #[command(flatten)]
    l1: L1Arguments,
    /// Address of the AnchorStateRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    anchor_state_registry: Address,
    #[command(flatten)]
    sender: SenderArguments,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `pause` takes.
#[derive(clap::Args)]
pub struct Pause {
    #[command(flatten)]
    registry: Registry,
    /// What to pause; the zero address stands for everything.
    #[arg(long, value_name = "ADDRESS", default_value_t = Address::ZERO, value_parser = address)]
    identifier: Address,
}

/// What `blacklist` takes.
#[derive(clap::Args)]
pub struct Blacklist {
    #[command(flatten)]
    registry: Registry,
    /// The game.
    #[arg(long, visible_alias = "game", value_name = "ADDRESS", value_parser = address)]
    game_address: Address,
}

/// What `set-respected-type` takes.
#[derive(clap::Args)]
pub struct SetRespectedType {
    #[command(flatten)]
    registry: Registry,
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
            Command::Blacklist(Blacklist { registry, game_address }) => {
                let intent = act::blacklist(registry.anchor_state_registry, game_address);
                deliver(&registry.l1, &registry.sender, registry.json, &intent).await
            }
            Command::Retire(registry) => {
                let intent = act::retire(registry.anchor_state_registry);
                deliver(&registry.l1, &registry.sender, registry.json, &intent).await
            }
            Command::SetRespectedType(SetRespectedType { registry, game_type }) => {
                let intent = act::set_respected_type(registry.anchor_state_registry, game_type);
                deliver(&registry.l1, &registry.sender, registry.json, &intent).await
            }
        }
    })
}

async fn paused(pause: &Pause, pauses: bool) -> Outcome {
    let Pause { registry, identifier } = pause;
    let lens = registry.l1.lens()?;
    let block = lens.node().head().await?;
    let superchain = act::superchain_config(&lens, registry.anchor_state_registry, &block)
        .await?
        .context("the address is no AnchorStateRegistry")?;
    let intent = act::pause(superchain, *identifier, pauses);
    deliver(&registry.l1, &registry.sender, registry.json, &intent).await
}
