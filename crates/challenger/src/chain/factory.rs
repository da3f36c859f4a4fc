//! The factory, before anything depends on it: whether it is one, and what it makes games from.

use super::lens::{Lens, View};
use super::node::{At, Block, NodeError};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::{DisputeGameFactory as Contract, FaultDisputeGame as Game};
use thiserror::Error;

/// Where the game arguments hold the L2 chain's id: after prestate, machine, registry and WETH.
const CHAIN_ID: std::ops::Range<usize> = 92..124;

/// Why an address is not a factory's.
#[derive(Debug, Error)]
pub enum FactoryError {
    /// The node does not answer.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// Nothing stands there.
    #[error(
        "there is no contract at {0}, where the DisputeGameFactory should be: check its address, and that the L1 node is of the right chain"
    )]
    NoContract(Address),
    /// Something else stands there.
    #[error(
        "the contract at {0} does not answer as a DisputeGameFactory: check --game-factory-address"
    )]
    NotFactory(Address),
}

/// What a factory says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factory {
    /// Its version.
    pub version: String,
    /// Games that it has made.
    pub games: U256,
}

/// What a factory makes games of one type from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    /// The contract that games are clones of.
    pub implementation: Address,
    /// What each of them is told; empty in factories that leave it to the implementation.
    pub arguments: Bytes,
}

impl Factory {
    /// The factory at an address.
    ///
    /// # Errors
    /// [`FactoryError`].
    pub async fn find(lens: &Lens, address: Address, block: &Block) -> Result<Self, FactoryError> {
        if lens.node().code(address, At::Block(block.hash)).await?.is_empty() {
            return Err(FactoryError::NoContract(address));
        }
        let views = [
            View::new(address, &Contract::versionCall {}),
            View::new(address, &Contract::gameCountCall {}),
            // Who answers anything with the same has no game type without an implementation.
            View::new(address, &Contract::gameImplsCall::new((u32::MAX,))),
        ];
        let answers = lens.views(&views, block).await?;
        let [version, games, none] = answers.as_slice() else {
            return Err(FactoryError::NotFactory(address));
        };
        let version = version.decode::<Contract::versionCall>();
        let games = games.decode::<Contract::gameCountCall>();
        let none = none.decode::<Contract::gameImplsCall>();
        match (version, games, none) {
            (Some(version), Some(games), Some(_)) => Ok(Self { version, games }),
            _ => Err(FactoryError::NotFactory(address)),
        }
    }
}

impl Blueprint {
    /// What `factory` makes games of this type from; none where it makes none.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn read(
        lens: &Lens,
        factory: Address,
        game_type: u32,
        block: &Block,
    ) -> Result<Option<Self>, NodeError> {
        let views = [
            View::new(factory, &Contract::gameImplsCall::new((game_type,))),
            View::new(factory, &Contract::gameArgsCall::new((game_type,))),
        ];
        let answers = lens.views(&views, block).await?;
        let [implementation, arguments] = answers.as_slice() else { return Ok(None) };
        let implementation = implementation.decode::<Contract::gameImplsCall>();
        let arguments = arguments.decode::<Contract::gameArgsCall>().unwrap_or_default();
        Ok(implementation
            .filter(|at| !at.is_zero())
            .map(|implementation| Self { implementation, arguments }))
    }

    /// The L2 chain that games are about; none where it is not said.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn l2_chain_id(&self, lens: &Lens, block: &Block) -> Result<Option<u64>, NodeError> {
        let id = match self.arguments.is_empty() {
            false => self.arguments.get(CHAIN_ID).map(U256::from_be_slice),
            true => lens.view(self.implementation, &Game::l2ChainIdCall {}, block).await?,
        };
        Ok(id.and_then(|id| u64::try_from(id).ok()).filter(|id| *id != 0))
    }
}
