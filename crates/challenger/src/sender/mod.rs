//! Transactions: simulated, signed, published, replaced while they are too cheap, and watched until they are final.
//!
//! Invariants:
//! - nothing is published that does not succeed when it is simulated after everything the node knows of, so what
//!   somebody else (another challenger, an earlier life of this process) has done already costs nothing;
//! - a nonce is used for one thing only: whatever is not certainly unpublished keeps its nonce and is replaced by
//!   the same call at a higher offer;
//! - nothing of this is stored. After a start the account's own pending transactions, left by a process that was
//!   killed, are waited for, and cancelled when they stay, before anything new is published.

mod fees;
mod signer;
mod spending;
mod telemetry;

pub use fees::{FeeLimits, Fees};
pub use signer::{KeySource, RemoteSigner, Signer, SignerError};
pub use spending::SpendingError;

use crate::chain::{At, Block, Node, NodeError, NodeFault, Receipt, Request};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, U256};
use rebut_contracts::Revert;
use spending::Spending;
use std::path::Path;
use std::time::{Duration, Instant};
use telemetry::Metrics;
use thiserror::Error;
use tokio::sync::{Mutex, Semaphore};

/// How transactions are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Blocks that a transaction must be deep before it counts, its own included; at least 1.
    pub confirmations: u64,
    /// After this time without inclusion a transaction is replaced by a better offer.
    pub resubmission_timeout: Duration,
    /// After this time the sender gives up and cancels.
    pub send_timeout: Duration,
    /// Between two looks for a receipt.
    pub receipt_interval: Duration,
    /// Limits of offers.
    pub fees: FeeLimits,
    /// Transactions in flight; 0 for no limit.
    pub max_pending: usize,
    /// How often the nonce may turn out to be taken before the sender gives up.
    pub nonce_too_low_limit: u32,
    /// Wei, bonds and gas together, that may be spent; none for no limit. It counts from the start of this process,
    /// unless the sum is kept in a file, see [`Sender::keep_spending`].
    pub spending_cap: Option<U256>,
    /// Simulate and report, publish nothing.
    pub dry_run: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            confirmations: 3,
            resubmission_timeout: Duration::from_secs(24),
            send_timeout: Duration::from_secs(120),
            receipt_interval: Duration::from_secs(12),
            fees: FeeLimits::default(),
            max_pending: 10,
            nonce_too_low_limit: 3,
            spending_cap: None,
            dry_run: false,
        }
    }
}

/// A call to be made, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// The contract.
    pub to: Address,
    /// Wei that go with it.
    pub value: U256,
    /// The call.
    pub data: Bytes,
    /// In words, for the log.
    pub what: String,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is done.
    Done(Receipt),
    /// The simulation says that it would fail, so nothing was published.
    Refused(Revert),
    /// It would have been done, with this much gas.
    Dry {
        /// Gas.
        gas: u64,
    },
}

/// Why it is not known to be done.
#[derive(Debug, Error)]
pub enum SendError {
    /// The node failed before anything was published.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// There is no signature.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// It is on chain and failed: the state changed between simulation and inclusion.
    #[error("transaction {transaction} reverted, its gas cost {cost} wei")]
    Reverted {
        /// The transaction.
        transaction: B256,
        /// Wei paid for nothing.
        cost: U256,
    },
    /// It may not be spent.
    #[error(transparent)]
    Spending(#[from] SpendingError),
    /// The account has too little.
    #[error("the account {account} has {balance} wei, and the call alone carries {value}")]
    Funds {
        /// The account.
        account: Address,
        /// What it has.
        balance: U256,
        /// What the call carries.
        value: U256,
    },
    /// Not included in time, although offers rose as far as they may.
    #[error("not included within {} s", .0.as_secs())]
    Stuck(Duration),
    /// Others use the same key faster.
    #[error("the nonce was taken by another transaction {0} times")]
    Nonce(u32),
}

/// Sends transactions of one account.
#[derive(Debug)]
pub struct Sender {
    node: Node,
    signer: Signer,
    chain_id: u64,
    policy: Policy,
    /// Whoever holds the lock may publish.
    nonces: Mutex<Nonces>,
    slots: Semaphore,
    /// For calls that can wait: half of the slots.
    patient: Semaphore,
    spending: Spending,
    metrics: Metrics,
}

/// What is known of the account's nonces.
#[derive(Debug, Default)]
struct Nonces {
    /// The next one; none where the chain has to be asked. It is asked whenever nothing is in flight, since a
    /// reorganisation or another process may have changed it.
    next: Option<u64>,
    in_flight: usize,
}

/// A published transaction.
#[derive(Clone, Debug)]
struct Published {
    nonce: u64,
    gas_limit: u64,
    /// Wei that were set aside.
    reserved: U256,
    at: Instant,
    fees: Fees,
    raw: Bytes,
    /// Every form that was published under the nonce; any of them may be included.
    hashes: Vec<B256>,
}

/// How a wait for inclusion ends when it does not end with a receipt.
enum Lost {
    /// Another transaction has the nonce.
    NonceTaken,
    /// Time is up.
    Late,
}

/// What publishing gave, as far as the sender acts on it.
#[derive(Debug, PartialEq, Eq)]
enum Reply {
    /// The node has it, or may have it.
    Taken,
    /// The nonce is used on chain.
    NonceUsed,
    /// Another transaction with the nonce is waiting, with a better offer.
    Outbid,
}

impl Sender {
    /// A sender for the chain that `node` serves.
    ///
    /// # Errors
    /// [`SendError::Node`] where the node does not say which chain that is.
    pub async fn new(node: Node, signer: Signer, policy: Policy) -> Result<Self, SendError> {
        let chain_id = node.chain_id().await?;
        let slots = match policy.max_pending {
            0 => Semaphore::MAX_PERMITS,
            limit => limit.min(Semaphore::MAX_PERMITS),
        };
        let spending = Spending::new(policy.spending_cap, signer.address(), chain_id);
        Ok(Self {
            node,
            signer,
            chain_id,
            policy,
            nonces: Mutex::default(),
            slots: Semaphore::new(slots),
            patient: Semaphore::new(slots.div_ceil(2)),
            spending,
            metrics: Metrics("op_challenger"),
        })
    }

    /// The same under the name of another agent in metrics.
    #[must_use]
    pub fn named(mut self, agent: &'static str) -> Self {
        self.metrics = Metrics(agent);
        self
    }

    /// Lets the spending cap go on from what a file says, and keeps the sum there, so that it holds over restarts.
    ///
    /// # Errors
    /// [`SpendingError`] where the file is not the sum of this account, or cannot be written.
    pub fn keep_spending(mut self, file: &Path) -> Result<Self, SpendingError> {
        self.spending.keep(file)?;
        Ok(self)
    }

    /// The chain that transactions are for.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Shows the account's balance in the metrics.
    pub async fn report_balance(&self) {
        match self.node.balance(self.address(), At::Latest).await {
            Ok(wei) => self.metrics.balance(f64::from(wei) / 1e18),
            Err(error) => tracing::warn!(%error, "cannot read the balance"),
        }
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Wei spent: values and gas. By this process, or since the file was begun that keeps the sum.
    pub fn spent(&self) -> U256 {
        self.spending.spent()
    }

    /// The newest block, when all that this account has ever published is in the chain up to it or gone: what the state
    /// after it shows is all that was done. Waits for what is waiting, and cancels what stays.
    ///
    /// # Errors
    /// [`SendError::Node`]; [`SendError::Stuck`] where something stays all the same.
    pub async fn settled(&self) -> Result<Block, SendError> {
        // Nothing is published meanwhile.
        let _nonces = self.nonces.lock().await;
        let begin = Instant::now();
        while begin.elapsed() < self.policy.send_timeout {
            if !self.policy.dry_run {
                self.recover().await?;
            }
            let head = self.node.head().await?;
            let included = self.node.nonce(self.address(), At::Block(head.hash)).await?;
            // Behind one address may be nodes of which one knows less.
            if self.policy.dry_run
                || included >= self.node.nonce(self.address(), At::Pending).await?
            {
                return Ok(head);
            }
            tokio::time::sleep(self.policy.receipt_interval).await;
        }
        Err(SendError::Stuck(self.policy.send_timeout))
    }

    /// Makes a call, and returns when it is as many blocks deep as the policy says. Where another process takes the
    /// nonce the call is simulated anew, and made if it still succeeds.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, intent: &Intent) -> Result<Sent, SendError> {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await;
        for _ in 0..=self.policy.nonce_too_low_limit {
            if let Some(sent) = self.attempt(intent).await? {
                return Ok(sent);
            }
        }
        Err(SendError::Nonce(self.policy.nonce_too_low_limit))
    }

    /// The same for a call that must not be made where the account has done something else meanwhile, although it would
    /// succeed.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_once(&self, intent: &Intent) -> Result<Sent, SendError> {
        let _slot = self.slots.acquire().await;
        self.attempt(intent).await?.ok_or(SendError::Nonce(1))
    }

    /// Nothing where another transaction took the nonce.
    async fn attempt(&self, intent: &Intent) -> Result<Option<Sent>, SendError> {
        let published = match self.publish(intent).await? {
            Ok(published) => published,
            Err(unpublished) => return Ok(unpublished),
        };
        let (reserved, begin) = (published.reserved, published.at);
        let waited = self.wait(intent, published).await;
        let mut nonces = self.nonces.lock().await;
        nonces.in_flight = nonces.in_flight.saturating_sub(1);
        self.metrics.pending(nonces.in_flight);
        if nonces.in_flight == 0 || waited.is_err() {
            nonces.next = None;
        }
        drop(nonces);
        match waited {
            Ok((receipt, bumps)) => {
                self.metrics.confirmed(&receipt, bumps, begin.elapsed());
                self.settle(intent, receipt, reserved).map(Some)
            }
            Err(Lost::Late) => {
                // It may be included all the same.
                self.spending.settle(reserved, reserved);
                Err(SendError::Stuck(self.policy.send_timeout))
            }
            Err(Lost::NonceTaken) => {
                tracing::info!(what = intent.what, "another transaction took the nonce");
                self.spending.release(reserved);
                Ok(None)
            }
        }
    }

    fn settle(&self, intent: &Intent, receipt: Receipt, reserved: U256) -> Result<Sent, SendError> {
        let cost = receipt.gas_cost();
        if !receipt.succeeded() {
            self.spending.settle(reserved, cost);
            return Err(SendError::Reverted { transaction: receipt.transaction_hash, cost });
        }
        self.spending.settle(reserved, cost.saturating_add(intent.value));
        tracing::info!(
            what = intent.what,
            transaction = %receipt.transaction_hash,
            block = receipt.block_number,
            gas = receipt.gas_used,
            "done"
        );
        Ok(Sent::Done(receipt))
    }

    /// As [`Self::send`], for a call that has no deadline. However many of these there are, they leave half of the
    /// transactions in flight to those that have one.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_patiently(&self, intent: &Intent) -> Result<Sent, SendError> {
        // The semaphore is never closed.
        let _turn = self.patient.acquire().await;
        self.send(intent).await
    }

    /// Simulates and publishes. The inner error is what ends the intent, or nothing where the nonce was taken.
    async fn publish(&self, intent: &Intent) -> Result<Result<Published, Option<Sent>>, SendError> {
        let mut nonces = self.nonces.lock().await;
        let nonce = match nonces.next {
            Some(nonce) => nonce,
            None if self.policy.dry_run => 0,
            None if nonces.in_flight == 0 => self.recover().await?,
            // Ours wait as well; what they leave is the next nonce that the node has no transaction for.
            None => self.node.nonce(self.address(), At::Pending).await?,
        };
        nonces.next = Some(nonce);
        let request = Request {
            from: self.address(),
            to: intent.to,
            value: intent.value,
            data: intent.data.clone(),
        };
        let gas = match self.node.estimate_gas(&request, At::Pending).await {
            Ok(gas) => gas,
            Err(error) => {
                return match error.revert() {
                    Some(revert) => Ok(Err(Some(Sent::Refused(revert.clone())))),
                    None => Err(self.funds(intent).await.unwrap_or_else(|| error.into())),
                };
            }
        };
        let fees = self.market().await?;
        if self.policy.dry_run {
            tracing::info!(what = intent.what, value = %intent.value, gas, "dry run: not sent");
            return Ok(Err(Some(Sent::Dry { gas })));
        }
        // What a step reads may be a little further away when it is included.
        let gas_limit = gas.saturating_add(gas / 5);
        let gas_cost = U256::from(gas_limit).saturating_mul(U256::from(fees.cap));
        let reserved = intent.value.saturating_add(gas_cost);
        self.spending.reserve(reserved)?;
        let signed = self.sign(intent, nonce, gas_limit, fees).await;
        let reply = match signed {
            Ok((raw, hash)) => self.offer(&raw).await.map(|reply| (reply, raw, hash)),
            Err(error) => Err(error.into()),
        };
        match reply {
            Ok((Reply::Taken, raw, hash)) => {
                nonces.next = Some(nonce.saturating_add(1));
                nonces.in_flight += 1;
                tracing::info!(what = intent.what, transaction = %hash, nonce, "published");
                self.metrics.published(nonce);
                self.metrics.pending(nonces.in_flight);
                let (at, hashes) = (Instant::now(), vec![hash]);
                Ok(Ok(Published { nonce, gas_limit, reserved, at, fees, raw, hashes }))
            }
            Ok((reply @ (Reply::NonceUsed | Reply::Outbid), ..)) => {
                let why = if reply == Reply::Outbid { "underpriced" } else { "nonce_too_low" };
                self.metrics.refused(why);
                self.spending.release(reserved);
                nonces.next = None;
                drop(nonces);
                // Whoever took it has done something; what that is, is seen a little later.
                tokio::time::sleep(self.policy.receipt_interval).await;
                Ok(Err(None))
            }
            Err(error) => {
                self.metrics.refused(if matches!(error, SendError::Signer(_)) {
                    "signer"
                } else {
                    "other"
                });
                self.spending.release(reserved);
                Err(error)
            }
        }
    }

    /// Whether the account has less than a call carries; nodes say that in words of their own.
    async fn funds(&self, intent: &Intent) -> Option<SendError> {
        let (account, value) = (self.address(), intent.value);
        let balance = self.node.balance(account, At::Latest).await.ok()?;
        (balance < value).then_some(SendError::Funds { account, balance, value })
    }

    async fn sign(
        &self,
        intent: &Intent,
        nonce: u64,
        gas_limit: u64,
        fees: Fees,
    ) -> Result<(Bytes, B256), SignerError> {
        let transaction = TxEip1559 {
            chain_id: self.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: fees.cap,
            max_priority_fee_per_gas: fees.tip,
            to: intent.to.into(),
            value: intent.value,
            access_list: Default::default(),
            input: intent.data.clone(),
        };
        self.signer.sign(transaction).await
    }

    /// Publishes, and says what the node made of it.
    async fn offer(&self, raw: &Bytes) -> Result<Reply, SendError> {
        let error = match self.node.publish(raw).await {
            Ok(_) => return Ok(Reply::Taken),
            Err(error) => error,
        };
        match &error.fault {
            // It may have arrived: it has to be looked for.
            NodeFault::TimedOut(_) | NodeFault::Transport(_) | NodeFault::Absent => {
                tracing::warn!(%error, "unknown whether the transaction was published");
                Ok(Reply::Taken)
            }
            NodeFault::Refused { message, .. } => reply(message).ok_or_else(|| error.into()),
            _ => Err(error.into()),
        }
    }

    async fn market(&self) -> Result<Fees, NodeError> {
        let head = self.node.head().await?;
        // Not every node suggests a tip; the least is a fair guess.
        let tip = self.node.suggested_tip().await.unwrap_or_default();
        let base = head.base_fee_per_gas.unwrap_or_default();
        let offer = self.policy.fees.offer(base.to(), tip);
        self.metrics.market(base.saturating_to(), offer);
        Ok(offer)
    }

    /// Waits for inclusion and depth. Raises the offer from time to time, and publishes again what a
    /// reorganisation has thrown out.
    async fn wait(
        &self,
        intent: &Intent,
        mut published: Published,
    ) -> Result<(Receipt, usize), Lost> {
        let begin = Instant::now();
        let mut offered = Instant::now();
        let mut taken_seen = 0;
        loop {
            match self.look(&published).await {
                Ok(Some((receipt, depth))) if depth >= self.policy.confirmations.max(1) => {
                    return Ok((receipt, published.hashes.len().saturating_sub(1)));
                }
                // Included but not deep enough: there is nothing to raise.
                Ok(Some(_)) => offered = Instant::now(),
                Ok(None) => {
                    let used = self.node.nonce(self.address(), At::Latest).await;
                    taken_seen = match used {
                        Ok(used) if used > published.nonce => taken_seen + 1,
                        _ => 0,
                    };
                    // Once could be a node that has counted the block but not yet indexed its receipts.
                    if taken_seen >= 3 {
                        return Err(Lost::NonceTaken);
                    }
                    if begin.elapsed() >= self.policy.send_timeout {
                        self.cancel(published.nonce, published.fees).await;
                        return Err(Lost::Late);
                    }
                    if offered.elapsed() >= self.policy.resubmission_timeout {
                        self.raise(intent, &mut published).await;
                        offered = Instant::now();
                    }
                }
                Err(error) => {
                    self.metrics.rpc_error();
                    tracing::warn!(%error, what = intent.what, "cannot look for a receipt")
                }
            }
            tokio::time::sleep(self.policy.receipt_interval).await;
        }
    }

    /// The receipt of any form of the transaction, and how many blocks deep it is.
    async fn look(&self, published: &Published) -> Result<Option<(Receipt, u64)>, NodeError> {
        for hash in published.hashes.iter().rev() {
            if let Some(receipt) = self.node.receipt(*hash).await? {
                if self.policy.confirmations <= 1 {
                    return Ok(Some((receipt, 1)));
                }
                let head = self.node.head().await?;
                return Ok(Some((receipt, (head.number + 1).saturating_sub(receipt.block_number))));
            }
        }
        Ok(None)
    }

    /// Publishes the same call with a better offer, or the same offer again where none is allowed.
    async fn raise(&self, intent: &Intent, published: &mut Published) {
        let market = self.market().await;
        let better =
            market.ok().and_then(|market| self.policy.fees.replace(published.fees, market));
        let (raw, fees) = match better {
            Some(fees) => {
                match self.sign(intent, published.nonce, published.gas_limit, fees).await {
                    Ok((raw, hash)) => {
                        published.hashes.push(hash);
                        (raw, fees)
                    }
                    Err(error) => {
                        tracing::warn!(%error, what = intent.what, "cannot raise the offer");
                        return;
                    }
                }
            }
            None => (published.raw.clone(), published.fees),
        };
        match self.offer(&raw).await {
            Ok(_) => {
                tracing::info!(
                    what = intent.what,
                    nonce = published.nonce,
                    cap = fees.cap,
                    "offered again"
                );
                (published.raw, published.fees) = (raw, fees);
            }
            Err(error) => tracing::warn!(%error, what = intent.what, "the offer was refused"),
        }
    }

    /// The next nonce, when nothing of this account waits any more.
    async fn recover(&self) -> Result<u64, SendError> {
        let begin = Instant::now();
        loop {
            let included = self.node.nonce(self.address(), At::Latest).await?;
            let known = self.node.nonce(self.address(), At::Pending).await?;
            if known <= included {
                return Ok(included);
            }
            tracing::info!(
                waiting = known - included,
                "transactions of an earlier run are waiting"
            );
            if begin.elapsed() >= self.policy.send_timeout {
                return Err(SendError::Stuck(self.policy.send_timeout));
            }
            if begin.elapsed() >= self.policy.resubmission_timeout {
                let market = self.market().await?;
                for nonce in included..known {
                    self.cancel(nonce, market).await;
                }
            }
            tokio::time::sleep(self.policy.receipt_interval).await;
        }
    }

    /// Replaces whatever waits under a nonce by a transfer of nothing to this account itself, at the lowest of
    /// ever higher offers that the node takes.
    async fn cancel(&self, nonce: u64, mut fees: Fees) {
        let nothing = Intent {
            to: self.address(),
            value: U256::ZERO,
            data: Bytes::new(),
            what: format!("cancel nonce {nonce}"),
        };
        let Ok(market) = self.market().await else { return };
        while let Some(next) = self.policy.fees.replace(fees, market) {
            fees = next;
            let Ok((raw, _)) = self.sign(&nothing, nonce, 21_000, fees).await else { return };
            match self.offer(&raw).await {
                Ok(Reply::Outbid) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, nonce, "cannot cancel");
                    return;
                }
            }
        }
        tracing::warn!(nonce, "cancelled what waited under the nonce");
    }
}

/// What nodes say when they do not take a transaction, where that is no failure.
fn reply(message: &str) -> Option<Reply> {
    let message = message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    if says(&["already known", "already imported", "known transaction", "already exists"]) {
        Some(Reply::Taken)
    } else if says(&["nonce too low", "nonce is too low", "oldnonce"]) {
        Some(Reply::NonceUsed)
    } else if says(&["underpriced", "replacement", "too low to replace"]) {
        Some(Reply::Outbid)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nodes_say_is_told_apart() {
        let check = |message: &str, want| assert_eq!(reply(message), want, "{message}");
        check("already known", Some(Reply::Taken));
        check("transaction already imported", Some(Reply::Taken));
        check("nonce too low: next nonce 5, tx nonce 4", Some(Reply::NonceUsed));
        check("replacement transaction underpriced", Some(Reply::Outbid));
        check("insufficient funds for gas * price + value", None);
    }
}
