//! L1 elsewhere: anvil, or any other development chain. Accounts are funded there, contracts deployed, and
//! the rollup begins on the block that is the latest then.

use crate::{
    keys::{Key, KeyError},
    l1::{self, Client, ClientError, Remote, RemoteError},
    rollup::{
        BASE_FEE_SCALAR, BATCH_INBOX, BLOB_BASE_FEE_SCALAR, Contracts, L2_CHAIN_ID, L2_GAS_LIMIT,
    },
    settlement::{Deployment, Parameters, SettlementError},
    state::StateStore,
};
use alloy_consensus::{Header, Sealed, TxEip1559};
use alloy_primitives::{Address, B256, TxKind, U256};
use rebut_host::source::NodeUrl;
use std::{
    thread,
    time::{Duration, Instant},
};

/// What each account of the rollup's own is given, in wei: 100 ether.
const FUNDS: u128 = 100_000_000_000_000_000_000;
/// How long transactions may take to get into blocks.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether they are.
const PAUSE: Duration = Duration::from_millis(50);

/// L1 elsewhere, and who pays there.
#[derive(Clone, Debug)]
pub struct L1Elsewhere {
    /// Its JSON-RPC.
    pub url: NodeUrl,
    /// The private key of an account that has ether there. It funds the accounts of the rollup's own.
    pub funder: B256,
}

/// Why L1 elsewhere cannot be settled on.
#[derive(Debug, thiserror::Error)]
pub enum ElsewhereError {
    /// The node does not answer, or wrongly.
    #[error("L1: {0}")]
    Remote(#[from] RemoteError),
    /// It refuses to fund an account.
    #[error("the account {funder} cannot fund the rollup: {source}")]
    Funds {
        /// Who was to pay.
        funder: Address,
        /// What the node says.
        source: ClientError,
    },
    /// The node does not answer later on.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A key is none.
    #[error("the key that is to fund the rollup: {0}")]
    Key(#[from] KeyError),
    /// The contracts are not there.
    #[error(transparent)]
    Settlement(#[from] SettlementError),
    /// The chain stands still.
    #[error("L1 has not mined transaction {hash} in {} seconds", waited.as_secs())]
    Slow {
        /// The transaction.
        hash: B256,
        /// How long it was waited for.
        waited: Duration,
    },
}

/// L1 elsewhere with the rollup's contracts.
pub(super) struct Settled {
    pub(super) remote: Remote,
    pub(super) contracts: Contracts,
    /// Where the rollup begins.
    pub(super) origin: Sealed<Header>,
    /// As far as the rollup has to know its rules.
    pub(super) config: l1::Config,
}

impl L1Elsewhere {
    /// Funds and deploys, and waits for it.
    pub(super) fn settle(&self) -> Result<Settled, ElsewhereError> {
        let mut remote = Remote::connect(self.url.clone(), StateStore::new())?;
        let funder = Key::new(self.funder)?;
        let [batcher, owner, depositor] = super::OWN.map(Key::named);
        // Whoever sends what is not the batcher's, when that is asked for.
        let stranger = Key::named("stranger");
        let to = [&batcher, &owner, &depositor, &stranger].map(Key::address);
        let funding = fund(&mut remote, &funder, &to)?;
        wait(&mut remote, |remote| {
            let ledger = remote.record().ledger();
            let missing = funding.iter().find(|hash| ledger.transaction(**hash).is_none());
            missing.map_or(Ok(()), |hash| Err(SettlementError::NotMined(*hash)))
        })?;
        let parameters = Parameters {
            l2_chain_id: L2_CHAIN_ID,
            batcher: batcher.address(),
            batch_inbox: BATCH_INBOX,
            unsafe_block_signer: owner.address(),
            gas_limit: L2_GAS_LIMIT,
            base_fee_scalar: BASE_FEE_SCALAR,
            blob_base_fee_scalar: BLOB_BASE_FEE_SCALAR,
        };
        let deployment = Deployment::send(&mut remote, &owner, &parameters)?;
        let settlement = wait(&mut remote, |remote| deployment.settled(remote))?;
        let origin = remote.record().latest().header.clone();
        let config = l1::Config {
            chain_id: remote.chain_id(),
            genesis_time: origin.timestamp,
            // The field came with that fork.
            prague_time: origin.requests_hash.map(|_| 0),
            ..l1::Config::default()
        };
        let contracts =
            Contracts { portal: settlement.portal, system_config: settlement.system_config };
        Ok(Settled { remote, contracts, origin, config })
    }
}

/// Sends ether to each of these. Returns the hashes of the transactions.
fn fund(remote: &mut Remote, funder: &Key, to: &[Address]) -> Result<Vec<B256>, ElsewhereError> {
    let failed = |source| ElsewhereError::Funds { funder: funder.address(), source };
    let (base_fee, _) = remote.next_fees().map_err(failed)?;
    let first = remote.pending_nonce(funder.address()).map_err(failed)?;
    let mut sent = Vec::new();
    for (nonce, address) in (first..).zip(to) {
        let transaction = funder.sign_encoded(TxEip1559 {
            chain_id: remote.chain_id(),
            nonce,
            gas_limit: 21_000,
            // Enough for a few full blocks on the way.
            max_fee_per_gas: u128::from(base_fee).saturating_mul(4).saturating_add(1),
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(*address),
            value: U256::from(FUNDS),
            ..TxEip1559::default()
        })?;
        sent.push(remote.submit(&transaction).map_err(failed)?);
    }
    Ok(sent)
}

/// Follows the chain until everything that is looked for is in a block.
fn wait<T>(
    remote: &mut Remote,
    look: impl Fn(&Remote) -> Result<T, SettlementError>,
) -> Result<T, ElsewhereError> {
    let began = Instant::now();
    loop {
        remote.update()?;
        match look(remote) {
            Err(SettlementError::NotMined(hash)) => {
                let waited = began.elapsed();
                if waited > PATIENCE {
                    return Err(ElsewhereError::Slow { hash, waited });
                }
            }
            found => return Ok(found?),
        }
        thread::sleep(PAUSE);
    }
}
