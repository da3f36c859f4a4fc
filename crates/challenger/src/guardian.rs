//! What only the guardian can do: pause, blacklist a game, retire all games, choose the respected kind.

use crate::chain::{Block, Lens, NodeError};
use crate::sender::Intent;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, FaultDisputeGame as Game, SuperchainConfig as Superchain,
};

fn intent(to: Address, call: &impl SolCall, what: String) -> Intent {
    Intent { to, value: U256::ZERO, data: call.abi_encode().into(), what }
}

/// Who may do it, and where pauses are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// The SuperchainConfig.
    pub superchain: Address,
    /// The guardian that it names.
    pub guardian: Address,
}

/// What guards the games of a registry; none where the address is no registry.
///
/// # Errors
/// [`NodeError`].
pub async fn guarded(
    lens: &Lens,
    registry: Address,
    block: &Block,
) -> Result<Option<Guarded>, NodeError> {
    let call = Registry::superchainConfigCall {};
    let Some(superchain) = lens.view(registry, &call, block).await? else { return Ok(None) };
    let guardian = lens.view(superchain, &Superchain::guardianCall {}, block).await?;
    Ok(guardian.map(|guardian| Guarded { superchain, guardian }))
}

/// The registry that decides about a game; none where the address is no game.
///
/// # Errors
/// [`NodeError`].
pub async fn registry_of(
    lens: &Lens,
    game: Address,
    block: &Block,
) -> Result<Option<Address>, NodeError> {
    lens.view(game, &Game::anchorStateRegistryCall {}, block).await
}

/// Pauses, or lets go on, what an identifier stands for; the zero address stands for everything.
pub fn pause(superchain: Address, identifier: Address, pauses: bool) -> Intent {
    if pauses {
        let call = Superchain::pauseCall { _identifier: identifier };
        intent(superchain, &call, format!("pause {identifier}"))
    } else {
        let call = Superchain::unpauseCall { _identifier: identifier };
        intent(superchain, &call, format!("unpause {identifier}"))
    }
}

/// Makes one game worthless.
pub fn blacklist(registry: Address, game: Address) -> Intent {
    let call = Registry::blacklistDisputeGameCall { _disputeGame: game };
    intent(registry, &call, format!("blacklist game {game}"))
}

/// Makes all games worthless that exist.
pub fn retire(registry: Address) -> Intent {
    intent(registry, &Registry::updateRetirementTimestampCall {}, "retire all games".into())
}

/// Chooses the kind of game by which withdrawals are finalised.
pub fn set_respected_type(registry: Address, game_type: u32) -> Intent {
    let call = Registry::setRespectedGameTypeCall { _gameType: game_type };
    intent(registry, &call, format!("respect games of type {game_type}"))
}
