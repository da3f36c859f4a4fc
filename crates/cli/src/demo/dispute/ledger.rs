//! What L1 says of a game: every transaction that played it, what each cost, which step decided, who was paid.
//!
//! Nothing here comes from the players: blocks are read from the one before the game to the newest.

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use alloy_sol_types::{SolCall, SolEvent};
use anyhow::Context;
use rebut_challenger::chain::{Facts, Node, Receipt};
use rebut_contracts::bindings::{DelayedWETH as Weth, FaultDisputeGame as Game};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The game's creation.
    Create,
    /// A claim.
    Move,
    /// Data of the oracle.
    Preimage,
    /// The execution of one instruction.
    Step,
    /// Claims and the game.
    Resolve,
    /// Bonds.
    Bonds,
}

/// One transaction that succeeded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who sent it.
    pub from: Address,
    /// What it is for.
    pub purpose: Purpose,
    /// Its hash.
    pub hash: B256,
    /// Its call.
    pub input: Bytes,
    /// Gas that it took.
    pub gas: u64,
    /// Wei that the gas cost.
    pub cost: U256,
    /// Wei that the bonds' contract paid out on its account.
    pub paid: U256,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// In the order of the chain.
    pub entries: Vec<Entry>,
    /// Transactions to the game that reverted.
    pub reverted: usize,
}

/// What one side has spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// Transactions.
    pub transactions: u64,
    /// Gas.
    pub gas: u64,
    /// Wei that the gas cost.
    pub wei: U256,
}

#[derive(Debug, Deserialize)]
struct BlockAnswer {
    transactions: Vec<TransactionAnswer>,
}

#[derive(Debug, Deserialize)]
struct TransactionAnswer {
    hash: B256,
    from: Address,
    to: Option<Address>,
    input: Bytes,
}

#[derive(Debug, Deserialize)]
struct LogsAnswer {
    logs: Vec<LogAnswer>,
}

#[derive(Debug, Deserialize)]
struct LogAnswer {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

impl Ledger {
    /// Reads the blocks from `first` to the newest.
    pub async fn read(
        node: &Node,
        facts: &Facts,
        factory: Address,
        first: u64,
    ) -> anyhow::Result<Self> {
        let last = node.head().await?.number;
        let mut ledger = Self::default();
        for number in first..=last {
            let params = json!([U64::from(number), true]);
            let block: BlockAnswer = node.ask("eth_getBlockByNumber", params).await?;
            for transaction in block.transactions {
                let Some(purpose) = purpose(&transaction, facts, factory) else { continue };
                let TransactionAnswer { hash, from, input, .. } = transaction;
                let receipt: Receipt = node.receipt(hash).await?.context("no receipt")?;
                if !receipt.succeeded() {
                    ledger.reverted += 1;
                    continue;
                }
                let logs: LogsAnswer = node.ask("eth_getTransactionReceipt", json!([hash])).await?;
                let paid = logs.logs.iter().filter_map(|log| paid(log, facts)).sum();
                let (gas, cost) = (receipt.gas_used, receipt.gas_cost());
                ledger.entries.push(Entry { from, purpose, hash, input, gas, cost, paid });
            }
        }
        Ok(ledger)
    }

    /// What these accounts have spent.
    pub fn spent(&self, accounts: &[Address]) -> Spent {
        let mut spent = Spent::default();
        for entry in self.entries.iter().filter(|entry| accounts.contains(&entry.from)) {
            spent.transactions += 1;
            spent.gas += entry.gas;
            spent.wei += entry.cost;
        }
        spent
    }

    /// Gas by what it was for, the largest single transaction beside it.
    pub fn by_purpose(&self) -> BTreeMap<Purpose, (u64, u64)> {
        let mut sums = BTreeMap::<Purpose, (u64, u64)>::new();
        for entry in &self.entries {
            let (sum, largest) = sums.entry(entry.purpose).or_default();
            *sum += entry.gas;
            *largest = (*largest).max(entry.gas);
        }
        sums
    }

    /// Wei that were paid out to each account, by the calls that asked for it.
    pub fn paid(&self) -> BTreeMap<Address, U256> {
        let mut paid = BTreeMap::<Address, U256>::new();
        for entry in self.entries.iter().filter(|entry| !entry.paid.is_zero()) {
            if let Ok(call) = Game::claimCreditCall::abi_decode(&entry.input) {
                *paid.entry(call._recipient).or_default() += entry.paid;
            }
        }
        paid
    }

    /// The steps, with their calls.
    pub fn steps(&self) -> impl Iterator<Item = (&Entry, Game::stepCall)> {
        let steps = self.entries.iter().filter(|entry| entry.purpose == Purpose::Step);
        steps.filter_map(|entry| Some((entry, Game::stepCall::abi_decode(&entry.input).ok()?)))
    }
}

fn purpose(transaction: &TransactionAnswer, facts: &Facts, factory: Address) -> Option<Purpose> {
    let selector = transaction.input.first_chunk::<4>().copied();
    let to = transaction.to?;
    if to == factory {
        return (transaction.from == facts.creator).then_some(Purpose::Create);
    }
    if to == facts.oracle {
        return Some(Purpose::Preimage);
    }
    if to != facts.listing.address {
        return None;
    }
    match selector? {
        Game::moveCall::SELECTOR | Game::attackCall::SELECTOR | Game::defendCall::SELECTOR => {
            Some(Purpose::Move)
        }
        Game::stepCall::SELECTOR => Some(Purpose::Step),
        Game::addLocalDataCall::SELECTOR => Some(Purpose::Preimage),
        Game::resolveCall::SELECTOR | Game::resolveClaimCall::SELECTOR => Some(Purpose::Resolve),
        Game::closeGameCall::SELECTOR | Game::claimCreditCall::SELECTOR => Some(Purpose::Bonds),
        _ => None,
    }
}

/// Wei that leave the bonds' contract for the game, if a log says so.
fn paid(log: &LogAnswer, facts: &Facts) -> Option<U256> {
    let [signature, from] = log.topics.as_slice() else { return None };
    let is_withdrawal = log.address == facts.weth
        && *signature == Weth::Withdrawal::SIGNATURE_HASH
        && Address::from_word(*from) == facts.listing.address;
    let word: [u8; 32] = log.data.as_ref().try_into().ok()?;
    is_withdrawal.then(|| U256::from_be_bytes(word))
}
