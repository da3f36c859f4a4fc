//! The first block of L2: predeploys, funded accounts, and whatever the forks before it left.
//!
//! Bedrock's contracts stand behind EIP-1967 proxies whose admin is the ProxyAdmin. A chain that begins
//! at a later fork begins with what the upgrade transactions of all forks up to it leave of these: they
//! are executed on the way to genesis, in one block that is then forgotten. So a contract has the same
//! code and storage whether its fork was there from the beginning or came later.
//!
//! ```text
//!   allocation ─► Bedrock's state ─► upgrade transactions ─► state of genesis ─► header ─► configuration
//! ```
//!
//! Specification: "Predeploys"; network upgrade transactions of every fork.

use super::{Block, chain::MESSAGE_PASSER};
use crate::state::{Account, StateStore, StoreError};
use alloy_consensus::{Header, Sealable, Sealed};
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, address, b256};
use alloy_sol_types::SolValue;
use alloy_trie::EMPTY_ROOT_HASH;
use rebut_contracts::bindings::{
    FeeVault, GasPriceOracle, L1Block, L2Proxy, L2ProxyAdmin, L2ToL1MessagePasser, Traffic,
};
use rebut_derivation::{BlockId, RollupConfig, upgrade_transactions};
use rebut_execution::{
    ExecutionError, Fork, ForkTimes, PayloadAttributes, State, TrieError, execute_block,
};
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    context::{TxEnv, result::ExecutionResult},
    database::EmptyDB,
    primitives::{TxKind, hardfork::SpecId},
};
use std::collections::BTreeMap;

/// Tells the cost of being posted to L1.
pub const GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000F");
/// Collects priority fees.
pub const SEQUENCER_FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");
/// Tells the L1 origin.
pub const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");
/// Admin of all proxies.
pub const PROXY_ADMIN: Address = address!("4200000000000000000000000000000000000018");
/// Collects base fees.
pub const BASE_FEE_VAULT: Address = address!("4200000000000000000000000000000000000019");
/// Collects the cost of being posted to L1.
pub const L1_FEE_VAULT: Address = address!("420000000000000000000000000000000000001A");
/// Collects operator fees, from Isthmus on.
pub const OPERATOR_FEE_VAULT: Address = address!("420000000000000000000000000000000000001b");
/// The contract that generated load calls.
pub const TRAFFIC: Address = address!("7261666669630000000000000000000000000001");

/// The contracts that every chain has, by name.
pub const PREDEPLOYS: [(&str, Address); 8] = [
    ("GasPriceOracle", GAS_PRICE_ORACLE),
    ("SequencerFeeVault", SEQUENCER_FEE_VAULT),
    ("L1Block", L1_BLOCK),
    ("L2ToL1MessagePasser", MESSAGE_PASSER),
    ("ProxyAdmin", PROXY_ADMIN),
    ("BaseFeeVault", BASE_FEE_VAULT),
    ("L1FeeVault", L1_FEE_VAULT),
    ("OperatorFeeVault", OPERATOR_FEE_VAULT),
];

/// `keccak256("eip1967.proxy.implementation") - 1`.
pub const IMPLEMENTATION_SLOT: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");
/// `keccak256("eip1967.proxy.admin") - 1`.
pub const ADMIN_SLOT: B256 =
    b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");

/// The base fee of genesis, in wei.
const BASE_FEE: u64 = 1_000_000_000;
/// Gas for the upgrade transactions, more than all of them need.
const UPGRADE_GAS: u64 = 100_000_000;

/// Why there can be no such chain.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// A fork before one that precedes it.
    #[error("{later:?} is to activate at {time}, before {earlier:?}")]
    ForkOrder {
        /// The fork that comes too early.
        later: Fork,
        /// When it is to activate.
        time: u64,
        /// The fork it must not precede.
        earlier: Fork,
    },
    /// The chain would begin before its L1 origin, or at no time at all.
    #[error("the chain begins at {time}, which is before its L1 origin at {origin}")]
    Time {
        /// Of genesis.
        time: u64,
        /// Of its L1 origin.
        origin: u64,
    },
    /// A fork of which this does not know what it leaves behind.
    #[error("a chain that begins with {0:?} or activates it is not supported")]
    Fork(Fork),
    /// A contract cannot be deployed.
    #[error("{contract} cannot be deployed: {reason}")]
    Deployment {
        /// Its name.
        contract: &'static str,
        /// What the EVM says.
        reason: String,
    },
    /// The state cannot be built.
    #[error(transparent)]
    State(#[from] TrieError<StoreError>),
    /// The upgrade transactions cannot be executed.
    #[error("the upgrades up to genesis: {0}")]
    Upgrade(#[from] Box<ExecutionError<StoreError>>),
    /// An upgrade transaction does not do what it is for.
    #[error("upgrade transaction {index} on the way to genesis fails")]
    Reverted {
        /// Position among them.
        index: usize,
    },
}

/// What L2 begins with, besides its configuration.
#[derive(Clone, Debug, Default)]
pub struct Allocation {
    /// Who may upgrade the predeploys.
    pub proxy_owner: Address,
    /// Who the vaults pay.
    pub fee_recipient: Address,
    /// Funded accounts and whatever else there is to be.
    pub accounts: BTreeMap<Address, Account>,
}

/// The first block of the chain that `config` describes, and the configuration that names it. `origin`
/// is the L1 block it starts from. The state goes into `store`.
///
/// # Errors
/// [`GenesisError`].
pub fn build(
    mut config: RollupConfig,
    origin: &Sealed<Header>,
    allocation: &Allocation,
    store: &StateStore,
) -> Result<(RollupConfig, Block), GenesisError> {
    check(&config, origin)?;
    let time = config.genesis.l2_time;
    let root = store.genesis(&accounts(allocation)?)?;
    let header = upgraded(&config, root, store)?;
    let header = Header {
        parent_hash: B256::ZERO,
        number: 0,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        logs_bloom: Bloom::ZERO,
        gas_used: 0,
        base_fee_per_gas: Some(BASE_FEE),
        gas_limit: config.genesis.system_config.gas_limit,
        ..header
    }
    .seal_slow();
    config.genesis.l1 = BlockId { hash: origin.hash(), number: origin.number };
    config.genesis.l2 = BlockId { hash: header.hash(), number: 0 };
    let withdrawals = config.is_active(Fork::Canyon, time).then(Vec::new);
    let (transactions, senders, receipts) = (Vec::new(), Vec::new(), Vec::new());
    Ok((config, Block { header, transactions, senders, receipts, withdrawals }))
}

fn check(config: &RollupConfig, origin: &Header) -> Result<(), GenesisError> {
    let time = config.genesis.l2_time;
    if time < origin.timestamp || time == 0 {
        return Err(GenesisError::Time { time, origin: origin.timestamp });
    }
    if config.chain.forks.time(Fork::Karst).is_some() {
        return Err(GenesisError::Fork(Fork::Karst));
    }
    let mut before: Option<(Fork, u64)> = None;
    for fork in Fork::TIMED {
        let Some(time) = config.chain.forks.time(fork) else { continue };
        if let Some((earlier, _)) = before.filter(|(_, earlier)| time < *earlier) {
            return Err(GenesisError::ForkOrder { later: fork, time, earlier });
        }
        before = Some((fork, time));
    }
    Ok(())
}

/// The header of a block that executes the upgrade transactions of every fork up to genesis on the state
/// with this root, all forks activating in it.
fn upgraded(
    config: &RollupConfig,
    state_root: B256,
    store: &StateStore,
) -> Result<Header, GenesisError> {
    let time = config.genesis.l2_time;
    let fork = config.fork(time);
    let at_once = Fork::TIMED
        .into_iter()
        .filter(|timed| *timed <= fork)
        .fold(ForkTimes::default(), |forks, timed| forks.with(timed, Some(time)));
    let mut config = RollupConfig { block_time: 1, ..config.clone() };
    config.chain.forks = at_once;
    let transactions = upgrade_transactions(&config, time);
    let system_config = config.genesis.system_config;
    let eip_1559 = system_config.eip_1559.unwrap_or_default();
    let [d, e] = [eip_1559.denominator, eip_1559.elasticity].map(u32::to_be_bytes);
    let attributes = PayloadAttributes {
        timestamp: time,
        prev_randao: B256::ZERO,
        suggested_fee_recipient: SEQUENCER_FEE_VAULT,
        gas_limit: UPGRADE_GAS,
        parent_beacon_block_root: (fork >= Fork::Ecotone).then_some(B256::ZERO),
        eip_1559_params: (fork >= Fork::Holocene)
            .then_some([d[0], d[1], d[2], d[3], e[0], e[1], e[2], e[3]]),
        min_base_fee: (fork >= Fork::Jovian).then_some(system_config.min_base_fee),
        transactions,
    };
    let parent = Header {
        state_root,
        timestamp: time - 1,
        gas_limit: UPGRADE_GAS,
        base_fee_per_gas: Some(BASE_FEE),
        ..Header::default()
    }
    .seal_slow();
    let mut state = State::new(state_root);
    let mut oracle = store.clone();
    let block = execute_block(&config.chain, &parent, &attributes, &mut state, &mut oracle)
        .map_err(Box::new)?;
    if let Some(index) = block.receipts.iter().position(|receipt| !receipt.status()) {
        return Err(GenesisError::Reverted { index });
    }
    store.absorb(&mut state);
    Ok(block.header.into_inner())
}

/// The state as Bedrock has it.
fn accounts(allocation: &Allocation) -> Result<BTreeMap<Address, Account>, GenesisError> {
    let vault = (allocation.fee_recipient, U256::ZERO, NETWORK_L2).abi_encode_params();
    let vault = deployed("FeeVault", &FeeVault::BYTECODE, &vault)?;
    // Owner and admin are in storage, which the proxies have of their own.
    let nobody = (Address::ZERO,).abi_encode_params();
    let proxy = deployed("L2Proxy", &L2Proxy::BYTECODE, &nobody)?;
    let plain = |name, code: &[u8]| deployed(name, code, &[]);
    let implementations = [
        (GAS_PRICE_ORACLE, Some(plain("GasPriceOracle", &GasPriceOracle::BYTECODE)?)),
        (SEQUENCER_FEE_VAULT, Some(vault.clone())),
        (L1_BLOCK, Some(plain("L1Block", &L1Block::BYTECODE)?)),
        (MESSAGE_PASSER, Some(plain("L2ToL1MessagePasser", &L2ToL1MessagePasser::BYTECODE)?)),
        (PROXY_ADMIN, Some(deployed("L2ProxyAdmin", &L2ProxyAdmin::BYTECODE, &nobody)?)),
        (BASE_FEE_VAULT, Some(vault.clone())),
        (L1_FEE_VAULT, Some(vault)),
        // Isthmus brings the implementation.
        (OPERATOR_FEE_VAULT, None),
    ];
    let mut accounts = allocation.accounts.clone();
    for (address, code) in implementations {
        let mut storage = BTreeMap::from([(ADMIN_SLOT.into(), PROXY_ADMIN.into_word().into())]);
        if address == PROXY_ADMIN {
            storage.insert(U256::ZERO, allocation.proxy_owner.into_word().into());
        }
        if let Some(code) = code {
            let implementation = implementation_address(address);
            storage.insert(IMPLEMENTATION_SLOT.into(), implementation.into_word().into());
            accounts.insert(implementation, contract(code, BTreeMap::new()));
        }
        accounts.insert(address, contract(proxy.clone(), storage));
    }
    accounts.insert(TRAFFIC, contract(plain("Traffic", &Traffic::BYTECODE)?, BTreeMap::new()));
    Ok(accounts)
}

/// `FeeVault.Network.L2`.
const NETWORK_L2: U256 = U256::ONE;

fn contract(code: Bytes, storage: BTreeMap<U256, U256>) -> Account {
    Account { nonce: 1, code, storage, ..Account::default() }
}

/// Where the implementation of a predeploy is at genesis.
fn implementation_address(predeploy: Address) -> Address {
    let mut address = address!("c0D3C0d3C0d3C0D3c0d3C0d3c0D3C0d3c0d30000");
    let [.., high, low] = predeploy.0.0;
    address.0[18..].copy_from_slice(&[high, low]);
    address
}

/// The code that `creation` leaves behind.
pub(crate) fn deployed(
    contract: &'static str,
    creation: &[u8],
    arguments: &[u8],
) -> Result<Bytes, GenesisError> {
    let failed = |reason| GenesisError::Deployment { contract, reason };
    let transaction = TxEnv {
        kind: TxKind::Create,
        data: [creation, arguments].concat().into(),
        gas_limit: 16_000_000,
        ..TxEnv::default()
    };
    let mut evm = Context::mainnet()
        .with_db(EmptyDB::default())
        .modify_cfg_chained(|cfg| cfg.spec = SpecId::CANCUN)
        .build_mainnet();
    match evm.transact(transaction) {
        Ok(outcome) => match outcome.result {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            result => Err(failed(format!("{result:?}"))),
        },
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
