//! The rollup's contracts on L1: deployed by transactions, on the embedded chain and elsewhere alike.
//!
//! ```text
//!   ProxyAdmin (owner)
//!    ├ proxy ─► SuperchainConfig
//!    ├ proxy ─► SystemConfig       its events change the rollup's parameters
//!    └ proxy ─► OptimismPortal     its events are deposits
//! ```
//!
//! Addresses follow from the owner and its nonce, so they are known before anything is deployed.

use crate::{
    keys::{Key, KeyError},
    l1::{Client, ClientError},
};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolConstructor};
use rebut_contracts::bindings::{
    OptimismPortal, Proxy, ProxyAdmin, SuperchainConfig, SystemConfig,
};

/// Gas for each deployment: more than the largest contract needs, and less than any block has.
const DEPLOYMENT_GAS: u64 = 7_000_000;
/// Gas for each call that initializes.
const CALL_GAS: u64 = 1_000_000;

/// What a rollup's contracts begin with.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// Id of the L2 chain.
    pub l2_chain_id: u64,
    /// Who posts batches.
    pub batcher: Address,
    /// Where they are posted.
    pub batch_inbox: Address,
    /// Who signs unsafe blocks.
    pub unsafe_block_signer: Address,
    /// Of an L2 block.
    pub gas_limit: u64,
    /// Scalar of the L1 base fee, millionths.
    pub base_fee_scalar: u32,
    /// Scalar of the L1 blob base fee, millionths.
    pub blob_base_fee_scalar: u32,
}

/// Where the contracts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Administers the proxies.
    pub proxy_admin: Address,
    /// Who pauses.
    pub superchain_config: Address,
    /// The rollup's parameters.
    pub system_config: Address,
    /// Takes deposits.
    pub portal: Address,
}

/// Why the contracts are not deployed.
#[derive(Debug, thiserror::Error)]
pub enum SettlementError {
    /// L1 does not do its part.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A transaction cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A transaction of the deployment failed.
    #[error("transaction {hash} of the deployment failed: {what}")]
    Reverted {
        /// Its hash.
        hash: B256,
        /// What it was for.
        what: &'static str,
    },
    /// The chain does not go on.
    #[error("transaction {0} of the deployment is in no block")]
    NotMined(B256),
}

/// A deployment under way: its transactions have been sent.
#[derive(Debug)]
pub struct Deployment {
    settlement: Settlement,
    sent: Vec<(&'static str, B256)>,
}

/// Sends transactions of one account.
struct Sender<'a> {
    client: &'a mut dyn Client,
    owner: &'a Key,
    nonce: u64,
    max_fee_per_gas: u128,
    sent: Vec<(&'static str, B256)>,
}

impl Sender<'_> {
    fn send(
        &mut self,
        what: &'static str,
        to: TxKind,
        input: Vec<u8>,
    ) -> Result<(), SettlementError> {
        let transaction = TxEip1559 {
            chain_id: self.client.chain_id(),
            nonce: self.nonce,
            gas_limit: if to.is_create() { DEPLOYMENT_GAS } else { CALL_GAS },
            max_fee_per_gas: self.max_fee_per_gas,
            max_priority_fee_per_gas: 1,
            to,
            input: input.into(),
            ..TxEip1559::default()
        };
        let hash = self.client.submit(&self.owner.sign_encoded(transaction)?)?;
        self.sent.push((what, hash));
        self.nonce += 1;
        Ok(())
    }

    /// Creates a contract and returns where it will be.
    fn create(
        &mut self,
        what: &'static str,
        code: &Bytes,
        arguments: Vec<u8>,
    ) -> Result<Address, SettlementError> {
        let address = self.owner.address().create(self.nonce);
        self.send(what, TxKind::Create, [code.as_ref(), &arguments].concat())?;
        Ok(address)
    }
}

impl Deployment {
    /// Sends the transactions of a deployment by `owner`, which afterwards owns everything.
    ///
    /// # Errors
    /// [`SettlementError`] when L1 refuses one.
    pub fn send(
        client: &mut dyn Client,
        owner: &Key,
        parameters: &Parameters,
    ) -> Result<Self, SettlementError> {
        let nonce = client.pending_nonce(owner.address())?;
        let (base_fee, _) = client.next_fees()?;
        // Enough for a few full blocks on the way.
        let max_fee_per_gas = u128::from(base_fee) * 4 + 1;
        let mut sender = Sender { client, owner, nonce, max_fee_per_gas, sent: Vec::new() };
        let own = owner.address();

        let admin = ProxyAdmin::constructorCall { _owner: own }.abi_encode();
        let proxy_admin = sender.create("ProxyAdmin", &ProxyAdmin::BYTECODE, admin)?;
        let proxy = Proxy::constructorCall { _admin: proxy_admin }.abi_encode();
        let mut proxied = |name, code: &Bytes, arguments| {
            let implementation = sender.create(name, code, arguments)?;
            let proxy = sender.create("Proxy", &Proxy::BYTECODE, proxy.clone())?;
            Ok::<_, SettlementError>((implementation, proxy))
        };
        let superchain = proxied("SuperchainConfig", &SuperchainConfig::BYTECODE, Vec::new())?;
        let config = proxied("SystemConfig", &SystemConfig::BYTECODE, Vec::new())?;
        let maturity =
            OptimismPortal::constructorCall { _proofMaturityDelaySeconds: U256::ZERO }.abi_encode();
        let portal = proxied("OptimismPortal", &OptimismPortal::BYTECODE, maturity)?;
        let settlement = Settlement {
            proxy_admin,
            superchain_config: superchain.1,
            system_config: config.1,
            portal: portal.1,
        };

        let guardian = SuperchainConfig::initializeCall { _guardian: own }.abi_encode();
        let portal_call = OptimismPortal::initializeCall {
            _systemConfig: settlement.system_config,
            _anchorStateRegistry: Address::ZERO,
            _ethLockbox: Address::ZERO,
        };
        let calls = [
            (superchain, guardian),
            (config, initialize(own, parameters, &settlement).abi_encode()),
            (portal, portal_call.abi_encode()),
        ];
        for ((implementation, proxy), data) in calls {
            let upgrade = ProxyAdmin::upgradeAndCallCall {
                _proxy: proxy,
                _implementation: implementation,
                _data: data.into(),
            };
            sender.send("initialize", TxKind::Call(proxy_admin), upgrade.abi_encode())?;
        }
        Ok(Self { settlement, sent: sender.sent })
    }

    /// Where the contracts are, once every transaction is in a block of the client's record.
    ///
    /// # Errors
    /// [`SettlementError::NotMined`] as long as one is not, [`SettlementError::Reverted`] when one failed.
    pub fn settled(&self, client: &dyn Client) -> Result<Settlement, SettlementError> {
        let ledger = client.record().ledger();
        for (what, hash) in &self.sent {
            let (block, index) =
                ledger.transaction(*hash).ok_or(SettlementError::NotMined(*hash))?;
            let receipt = block.receipts.get(index);
            if !receipt.is_some_and(|receipt| receipt.is_success()) {
                return Err(SettlementError::Reverted { hash: *hash, what });
            }
        }
        Ok(self.settlement)
    }
}

/// The parameters in the words of the contract. The market for deposits is that of the public chains.
fn initialize(
    owner: Address,
    parameters: &Parameters,
    settlement: &Settlement,
) -> SystemConfig::initializeCall {
    SystemConfig::initializeCall {
        _owner: owner,
        _basefeeScalar: parameters.base_fee_scalar,
        _blobbasefeeScalar: parameters.blob_base_fee_scalar,
        _batcherHash: parameters.batcher.into_word(),
        _gasLimit: parameters.gas_limit,
        _unsafeBlockSigner: parameters.unsafe_block_signer,
        _config: SystemConfig::ResourceConfig {
            maxResourceLimit: 20_000_000,
            elasticityMultiplier: 10,
            baseFeeMaxChangeDenominator: 8,
            minimumBaseFee: 1_000_000_000,
            systemTxMaxGas: 1_000_000,
            maximumBaseFee: u128::MAX,
        },
        _batchInbox: parameters.batch_inbox,
        _addresses: SystemConfig::Addresses {
            l1CrossDomainMessenger: Address::ZERO,
            l1ERC721Bridge: Address::ZERO,
            l1StandardBridge: Address::ZERO,
            optimismPortal: settlement.portal,
            optimismMintableERC20Factory: Address::ZERO,
            delayedWETH: Address::ZERO,
            opcm: Address::ZERO,
        },
        _l2ChainId: U256::from(parameters.l2_chain_id),
        _superchainConfig: settlement.superchain_config,
    }
}

#[cfg(test)]
mod tests;
