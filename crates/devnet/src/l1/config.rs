//! The rules and the beginning of the L1 chain.

use crate::state::Account;
use alloy_eips::{
    eip1559::BaseFeeParams,
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_CODE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_CODE},
    eip7840::BlobParams,
};
use alloy_primitives::{Address, Bytes, U256};
use revm::primitives::hardfork::SpecId;
use std::collections::BTreeMap;

/// The forks of L1 that a devnet knows. Its chain begins after the merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fork {
    /// Blobs.
    Cancun,
    /// More blobs, execution requests, history in the state.
    Prague,
    /// Cell proofs, a bound on the gas of a transaction, a floor under the blob fee.
    Osaka,
}

impl Fork {
    pub(super) const fn spec(self) -> SpecId {
        match self {
            Self::Cancun => SpecId::CANCUN,
            Self::Prague => SpecId::PRAGUE,
            Self::Osaka => SpecId::OSAKA,
        }
    }

    /// How many blobs a block may hold and how their fee moves.
    pub const fn blob_params(self) -> BlobParams {
        match self {
            Self::Cancun => BlobParams::cancun(),
            Self::Prague => BlobParams::prague(),
            Self::Osaka => BlobParams::osaka(),
        }
    }
}

/// What the L1 chain is made of. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// The chain's id.
    pub chain_id: u64,
    /// The time of genesis.
    pub genesis_time: u64,
    /// Between two blocks, unless time is moved.
    pub block_time: u64,
    /// When Prague activates; never without.
    pub prague_time: Option<u64>,
    /// When Osaka activates; never without, and not before Prague.
    pub osaka_time: Option<u64>,
    /// Of every block.
    pub gas_limit: u64,
    /// Of genesis, in wei.
    pub base_fee: u64,
    /// Who is paid the priority fees.
    pub fee_recipient: Address,
    /// The accounts at genesis, beside the system contracts.
    pub accounts: BTreeMap<Address, Account>,
    /// How many blocks the safe head lies behind the latest block.
    pub safe_distance: u64,
    /// How many blocks the finalized head lies behind the latest block.
    pub finalized_distance: u64,
    /// How long blobs are kept, in seconds.
    pub blob_window: u64,
}

/// Why there can be no such chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Forks in an order other than that of Ethereum.
    #[error("Osaka activates at {osaka}, which needs Prague at the same time or before")]
    ForkOrder {
        /// When Osaka activates.
        osaka: u64,
    },
    /// A number out of its range.
    #[error("{name} is {value}, which is below {least}")]
    TooSmall {
        /// What it is.
        name: &'static str,
        /// As configured.
        value: u64,
        /// The least that is possible.
        least: u64,
    },
    /// The finalized head ahead of the safe one.
    #[error("the finalized head cannot be {finalized} blocks behind when the safe head is {safe}")]
    HeadOrder {
        /// Distance of the safe head.
        safe: u64,
        /// Distance of the finalized head.
        finalized: u64,
    },
}

impl Default for Config {
    /// Chain 900 with Prague from the beginning, a block every two seconds.
    fn default() -> Self {
        Self {
            chain_id: 900,
            genesis_time: 1_700_000_000,
            block_time: 2,
            prague_time: Some(0),
            osaka_time: None,
            gas_limit: 60_000_000,
            base_fee: 1_000_000_000,
            fee_recipient: Address::repeat_byte(0xfe),
            accounts: BTreeMap::new(),
            safe_distance: 4,
            finalized_distance: 16,
            // 4096 epochs of 32 slots of 12 seconds, for which beacon nodes keep them (EIP-4844).
            blob_window: 4096 * 32 * 12,
        }
    }
}

impl Config {
    /// Checks that there can be such a chain.
    ///
    /// # Errors
    /// [`ConfigError`], the first thing that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(osaka) = self.osaka_time
            && self.prague_time.is_none_or(|prague| prague > osaka)
        {
            return Err(ConfigError::ForkOrder { osaka });
        }
        let at_least = |name, value, least| match value < least {
            true => Err(ConfigError::TooSmall { name, value, least }),
            false => Ok(()),
        };
        at_least("the chain id", self.chain_id, 1)?;
        at_least("the block time", self.block_time, 1)?;
        // The least that Ethereum allows.
        at_least("the gas limit", self.gas_limit, 5_000)?;
        // From a base fee of less than 8 wei it does not move.
        at_least("the base fee", self.base_fee, 7)?;
        let (safe, finalized) = (self.safe_distance, self.finalized_distance);
        if finalized < safe {
            return Err(ConfigError::HeadOrder { safe, finalized });
        }
        Ok(())
    }

    /// The fork whose rules hold at a time.
    pub fn fork(&self, timestamp: u64) -> Fork {
        let is_active = |time: Option<u64>| time.is_some_and(|time| time <= timestamp);
        match (is_active(self.osaka_time), is_active(self.prague_time)) {
            (true, _) => Fork::Osaka,
            (_, true) => Fork::Prague,
            _ => Fork::Cancun,
        }
    }

    /// How the base fee moves.
    pub(super) const fn base_fee_params(&self) -> BaseFeeParams {
        BaseFeeParams::ethereum()
    }

    /// The accounts at genesis with the system contracts, which are there before their forks.
    pub(super) fn genesis_accounts(&self) -> BTreeMap<Address, Account> {
        let system = [
            (BEACON_ROOTS_ADDRESS, &BEACON_ROOTS_CODE),
            (HISTORY_STORAGE_ADDRESS, &HISTORY_STORAGE_CODE),
            (WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, &WITHDRAWAL_REQUEST_PREDEPLOY_CODE),
            (CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, &CONSOLIDATION_REQUEST_PREDEPLOY_CODE),
        ];
        let contract =
            |code: &Bytes| Account { nonce: 1, code: code.clone(), ..Account::default() };
        let mut accounts = self.accounts.clone();
        accounts.extend(system.map(|(address, code)| (address, contract(code))));
        accounts
    }
}

/// An account with this many ether and nothing else.
pub fn funded(ether: u64) -> Account {
    let wei = U256::from(ether).saturating_mul(U256::from(1_000_000_000_000_000_000_u64));
    Account { balance: wei, ..Account::default() }
}
