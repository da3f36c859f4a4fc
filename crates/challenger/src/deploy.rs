//! Deployments: the transactions of a plan, sent one after the other, and everything that they leave read back.
//!
//! Every address follows from the account and the nonce that a deployment starts at. So one that broke off goes on
//! when it is given that nonce again: what has a lower nonce than the account's next one is there. The plan is executed
//! in the embedded EVM first, which tells what it will cost, and what code must stand where it is to go on.

use crate::chain::{Answer, At, Block, Lens, Node, NodeError, NodeFault, Receipt, View};
use crate::check::Finding;
use crate::sender::{FeeLimits, Signer, SignerError};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256, utils::format_ether};
use alloy_sol_types::SolCall;
use rebut_contracts::bindings::{
    AnchorStateRegistry as Registry, DelayedWETH as Weth, DisputeGameFactory as Factory,
    FaultDisputeGame as Game, MIPS64, OptimismPortal as Portal, PreimageOracle as Oracle,
    ProxyAdmin as Admin, SuperchainConfig as Superchain, SystemConfig as Config,
};
use rebut_contracts::deployment::{DeploymentConfig, DeploymentPlan, PlannedTransaction};
use rebut_contracts::{CallError, Chain};
use serde::Serialize;
use serde_json::json;
use std::time::{Duration, Instant};
use thiserror::Error;

/// The block of the embedded EVM in which a plan is executed. Any will do in which time is not 0.
const REHEARSAL_BLOCK: u64 = 1;
const REHEARSAL_TIME: u64 = 1_700_000_000;

/// Who deploys, where, and how patiently.
#[derive(Debug)]
pub struct Deployer {
    /// The chain.
    pub node: Node,
    /// The account.
    pub signer: Signer,
    /// Limits of offers.
    pub fees: FeeLimits,
    /// Blocks that a transaction must be deep before the next one is sent, its own included.
    pub confirmations: u64,
    /// Between two looks for a receipt.
    pub receipt_interval: Duration,
    /// The longest wait for one transaction.
    pub patience: Duration,
}

/// What became of one transaction of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployed {
    /// What it does.
    pub what: String,
    /// The contract that it creates.
    pub address: Option<Address>,
    /// Its hash; none where an earlier run has sent it.
    pub transaction: Option<B256>,
    /// Gas that it took, where this run has sent it.
    pub gas: Option<u64>,
    /// Wei that the gas cost.
    pub cost: U256,
}

/// What a plan leaves, and what it takes.
#[derive(Debug)]
pub struct Rehearsal {
    chain: Chain,
    /// Gas of each transaction.
    pub gas: Vec<u64>,
}

/// What remains to be paid, at the present price of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// Transactions that are not sent yet.
    pub transactions: u64,
    /// Their gas.
    pub gas: u64,
    /// Wei for one gas: the base fee, and the tip that will be offered.
    pub gas_price: u128,
    /// Wei for all.
    pub cost: U256,
    /// Wei that the account has.
    pub balance: U256,
}

/// Why a deployment does not go on. What is on chain stays there.
#[derive(Debug, Error)]
pub enum DeployError {
    /// The node does not answer as it should, or the contract refuses.
    #[error("{what}: {source}")]
    Node {
        /// Which transaction.
        what: String,
        /// Why.
        source: NodeError,
    },
    /// There is no signature.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A transaction failed on chain.
    #[error("{what}: transaction {transaction} reverted")]
    Reverted {
        /// Which one.
        what: String,
        /// Its hash.
        transaction: B256,
    },
    /// A transaction is not included.
    #[error("{what}: transaction {transaction} is in no block after {} s", patience.as_secs())]
    Stuck {
        /// Which one.
        what: String,
        /// Its hash.
        transaction: B256,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The plan fails in the embedded EVM.
    #[error("the plan cannot be executed: {0}")]
    Plan(#[from] CallError),
    /// The node is not on the chain that the configuration is for.
    #[error("the node is on chain {found}, the configuration is for L1 chain {expected}")]
    ChainId {
        /// That of the configuration.
        expected: u64,
        /// That of the node.
        found: u64,
    },
    /// The account cannot pay.
    #[error(
        "{account} has {} ETH, and {} transactions take about {} gas, at present {} ETH",
        format_ether(bill.balance), bill.transactions, bill.gas, format_ether(bill.cost)
    )]
    Balance {
        /// The account.
        account: Address,
        /// What it would take.
        bill: Bill,
    },
    /// What stands on chain is not what the plan would have left.
    #[error(
        "there is not the {what} of this configuration at {address}: another configuration was deployed, or its \
         deployment did not begin at nonce {first}"
    )]
    Begun {
        /// The first contract that differs.
        what: String,
        /// Where it should be.
        address: Address,
        /// Where the deployment is said to start.
        first: u64,
    },
    /// The account has not come as far as the deployment is said to start.
    #[error("the account's next nonce is {next}; no deployment of it starts at {first}")]
    Future {
        /// The account's next nonce.
        next: u64,
        /// Where the deployment is said to start.
        first: u64,
    },
}

impl DeployError {
    /// Whether transactions may have been sent before.
    pub const fn may_be_begun(&self) -> bool {
        match self {
            Self::Node { .. } | Self::Signer(_) | Self::Reverted { .. } | Self::Stuck { .. } => {
                true
            }
            Self::Plan(_)
            | Self::ChainId { .. }
            | Self::Balance { .. }
            | Self::Begun { .. }
            | Self::Future { .. } => false,
        }
    }
}

impl Deployer {
    /// The account.
    pub const fn address(&self) -> Address {
        self.signer.address()
    }

    /// The nonce of the account's next transaction.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn nonce(&self) -> Result<u64, NodeError> {
        self.node.nonce(self.address(), At::Latest).await
    }

    /// Looks for a deployment that the account has begun within as many of its last transactions as a plan has. Gives
    /// the nonce at which the account has created a contract with an owner.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn earlier(&self, plan: &DeploymentPlan) -> Result<Option<u64>, NodeError> {
        let next = self.nonce().await?;
        let from = next.saturating_sub(plan.transactions.len() as u64);
        let block = self.node.head().await?;
        let at = |nonce| View::new(self.address().create(nonce), &Admin::ownerCall {});
        let views: Vec<View> = (from..next).map(at).collect();
        let owners = Lens::new(self.node.clone()).views(&views, &block).await?;
        let found = (from..next).zip(owners).find(|(_, owner)| {
            owner.decode::<Admin::ownerCall>().is_some_and(|owner| !owner.is_zero())
        });
        Ok(found.map(|(nonce, _)| nonce))
    }

    /// Executes a plan that starts at nonce `first` in the embedded EVM.
    ///
    /// # Errors
    /// [`DeployError::Plan`].
    pub fn rehearse(&self, plan: &DeploymentPlan, first: u64) -> Result<Rehearsal, DeployError> {
        let mut chain = Chain::new();
        chain.set_block(REHEARSAL_BLOCK, REHEARSAL_TIME);
        let gas = chain.apply(self.address(), first, plan)?;
        Ok(Rehearsal { chain, gas })
    }

    /// What is still to be paid for a plan that starts at nonce `first`.
    ///
    /// # Errors
    /// [`NodeError`].
    pub async fn bill(&self, rehearsal: &Rehearsal, first: u64) -> Result<Bill, NodeError> {
        let sent = self.nonce().await?.saturating_sub(first);
        let left = rehearsal.gas.iter().skip(usize::try_from(sent).unwrap_or(usize::MAX));
        let (transactions, gas) =
            left.fold((0, 0_u64), |(count, sum), gas| (count + 1, sum.saturating_add(*gas)));
        let base_fee: u128 = self.node.head().await?.base_fee_per_gas.unwrap_or_default().to();
        let tip = self.node.suggested_tip().await.unwrap_or_default();
        let gas_price = base_fee.saturating_add(self.fees.offer(base_fee, tip).tip);
        let cost = U256::from(gas).saturating_mul(U256::from(gas_price));
        let balance = self.node.balance(self.address(), At::Latest).await?;
        Ok(Bill { transactions, gas, gas_price, cost, balance })
    }

    /// Makes sure that what an earlier run has sent is the beginning of this plan.
    async fn check_begun(
        &self,
        plan: &DeploymentPlan,
        rehearsal: &mut Rehearsal,
        first: u64,
        next: u64,
    ) -> Result<(), DeployError> {
        for (_, planned) in (first..next).zip(&plan.transactions) {
            let Some(address) = planned.creates else { continue };
            let what = planned.what.clone();
            let code = self.node.code(address, At::Latest).await;
            match code {
                Ok(code) if code == rehearsal.chain.code(address) => {}
                Ok(_) => return Err(DeployError::Begun { what, address, first }),
                Err(source) => return Err(DeployError::Node { what, source }),
            }
        }
        Ok(())
    }

    /// Sends a plan that starts at nonce `first`, from where the account is. `done` hears of each transaction.
    ///
    /// # Errors
    /// [`DeployError`]; calling it again with the same plan goes on.
    pub async fn deploy(
        &self,
        plan: &DeploymentPlan,
        first: u64,
        mut done: impl FnMut(&Deployed),
    ) -> Result<Vec<Deployed>, DeployError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            |source| DeployError::Node { what, source }
        };
        let next = self.nonce().await.map_err(failed("the account"))?;
        if next < first {
            return Err(DeployError::Future { next, first });
        }
        // Where all is sent, reading it back tells more.
        if next < first.saturating_add(plan.transactions.len() as u64) {
            let mut rehearsal = self.rehearse(plan, first)?;
            self.check_begun(plan, &mut rehearsal, first, next).await?;
            let bill = self.bill(&rehearsal, first).await.map_err(failed("the account"))?;
            if bill.balance < bill.cost {
                return Err(DeployError::Balance { account: self.address(), bill });
            }
        }
        let chain_id = self.node.chain_id().await.map_err(failed("the chain"))?;
        let mut all = Vec::with_capacity(plan.transactions.len());
        for (nonce, transaction) in (first..).zip(&plan.transactions) {
            let receipt = match nonce < next {
                true => None,
                false => self.send(transaction, nonce, chain_id).await?,
            };
            let deployed = Deployed {
                what: transaction.what.clone(),
                address: transaction.creates,
                transaction: receipt.map(|receipt| receipt.transaction_hash),
                gas: receipt.map(|receipt| receipt.gas_used),
                cost: receipt.map_or(U256::ZERO, |receipt| receipt.gas_cost()),
            };
            done(&deployed);
            all.push(deployed);
        }
        Ok(all)
    }

    async fn send(
        &self,
        transaction: &PlannedTransaction,
        nonce: u64,
        chain_id: u64,
    ) -> Result<Option<Receipt>, DeployError> {
        let what = &transaction.what;
        let failed = |source| DeployError::Node { what: what.clone(), source };
        let gas = self.estimate(transaction).await.map_err(failed)?;
        let head = self.node.head().await.map_err(failed)?;
        let tip = self.node.suggested_tip().await.unwrap_or_default();
        let fees = self.fees.offer(head.base_fee_per_gas.unwrap_or_default().to(), tip);
        let request = TxEip1559 {
            chain_id,
            nonce,
            gas_limit: gas.saturating_add(gas / 5),
            max_fee_per_gas: fees.cap,
            max_priority_fee_per_gas: fees.tip,
            to: transaction.to,
            value: U256::ZERO,
            access_list: Default::default(),
            input: transaction.data.clone(),
        };
        let (raw, hash) = self.signer.sign(request).await?;
        match self.node.publish(&raw).await {
            Ok(_) => {}
            // It may have arrived; what an earlier run has sent may be on its way, at another price.
            Err(error) if is_known(&error) => tracing::debug!(%error, what, "looking for it"),
            Err(source) => return Err(failed(source)),
        }
        match self.wait(what, hash, nonce).await? {
            Some(receipt) if !receipt.succeeded() => {
                Err(DeployError::Reverted { what: what.clone(), transaction: hash })
            }
            receipt => Ok(receipt),
        }
    }

    async fn estimate(&self, transaction: &PlannedTransaction) -> Result<u64, NodeError> {
        let mut request = json!({ "from": self.address(), "data": transaction.data });
        if let TxKind::Call(to) = transaction.to {
            request["to"] = json!(to);
        }
        let gas: U64 = self.node.ask("eth_estimateGas", json!([request, "latest"])).await?;
        Ok(gas.to())
    }

    /// Waits until the transaction is deep enough; none where that of an earlier run took its nonce.
    async fn wait(
        &self,
        what: &str,
        transaction: B256,
        nonce: u64,
    ) -> Result<Option<Receipt>, DeployError> {
        let failed = |source| DeployError::Node { what: what.to_owned(), source };
        let begin = Instant::now();
        loop {
            // Before the receipt: one that comes in between is then found.
            let next = self.nonce().await.map_err(failed)?;
            if let Some(receipt) = self.node.receipt(transaction).await.map_err(failed)? {
                let head = match self.confirmations {
                    0 | 1 => receipt.block_number,
                    _ => self.node.head().await.map_err(failed)?.number,
                };
                let depth = (head + 1).saturating_sub(receipt.block_number);
                if depth >= self.confirmations {
                    return Ok(Some(receipt));
                }
            } else if next > nonce {
                return Ok(None);
            }
            if begin.elapsed() >= self.patience {
                let (what, patience) = (what.to_owned(), self.patience);
                return Err(DeployError::Stuck { what, transaction, patience });
            }
            tokio::time::sleep(self.receipt_interval).await;
        }
    }
}

/// Whether a node may have a transaction although it does not say that it took it.
fn is_known(error: &NodeError) -> bool {
    match &error.fault {
        NodeFault::TimedOut(_) | NodeFault::Transport(_) | NodeFault::Absent => true,
        NodeFault::Refused { message, .. } => {
            let message = message.to_ascii_lowercase();
            ["already", "known transaction", "replacement", "nonce too low"]
                .iter()
                .any(|known| message.contains(known))
        }
        _ => false,
    }
}

/// An answer in words; none where it is none.
type Show = Box<dyn Fn(&Answer) -> Option<String> + Send>;

/// What a deployed contract is asked, and what it has to say.
struct Question {
    what: String,
    view: View,
    expected: String,
    show: Show,
}

/// Collects questions.
#[derive(Default)]
struct Questions(Vec<Question>);

impl Questions {
    fn ask<C: SolCall>(
        &mut self,
        what: impl Into<String>,
        target: Address,
        call: &C,
        expected: impl ToString,
        show: impl Fn(C::Return) -> String + Send + 'static,
    ) {
        self.0.push(Question {
            what: what.into(),
            view: View::new(target, call),
            expected: expected.to_string(),
            show: Box::new(move |answer| answer.decode::<C>().map(&show)),
        });
    }
}

/// Reads back everything that a deployment leaves, after one block, and compares it with the configuration.
///
/// # Errors
/// [`NodeError`] where the node does not answer.
pub async fn check(
    lens: &Lens,
    plan: &DeploymentPlan,
    config: &DeploymentConfig,
    block: &Block,
) -> Result<Vec<Finding>, NodeError> {
    let mut findings = Vec::new();
    for (what, address) in
        plan.transactions.iter().filter_map(|planned| Some((&planned.what, planned.creates?)))
    {
        let code: Bytes = lens.node().ask("eth_getCode", json!([address, "latest"])).await?;
        let found = format!("{} bytes of code at {address}", code.len());
        findings.push(Finding { what: what.clone(), ok: !code.is_empty(), found });
    }
    let Questions(questions) = questions(plan, config);
    let views: Vec<View> = questions.iter().map(|question| question.view.clone()).collect();
    for (question, answer) in questions.into_iter().zip(lens.views(&views, block).await?) {
        let Question { what, expected, show, .. } = question;
        let found = show(&answer);
        let ok = found.as_ref() == Some(&expected);
        let found = match found {
            Some(found) if ok => found,
            Some(found) => format!("{found}, expected {expected}"),
            None => format!("no answer, expected {expected}"),
        };
        findings.push(Finding { what, ok, found });
    }
    // Games of the second in which the registry began count as retired.
    let registry = plan.addresses.anchor_state_registry;
    let since = lens.view(registry, &Registry::retirementTimestampCall {}, block).await?;
    findings.push(Finding {
        what: "games from the next block on count".into(),
        ok: since.is_some_and(|since| since <= block.timestamp),
        found: match since {
            Some(since) => format!("older than {since} are retired, it is {}", block.timestamp),
            None => "no answer".into(),
        },
    });
    Ok(findings)
}

fn text<T: ToString>(value: T) -> String {
    value.to_string()
}

fn questions(plan: &DeploymentPlan, config: &DeploymentConfig) -> Questions {
    let at = &plan.addresses;
    let mut list = Questions::default();
    let admin = at.proxy_admin;
    list.ask("owner of the proxies", admin, &Admin::ownerCall {}, config.owner, text);
    for (name, proxy) in [
        ("SuperchainConfig", at.superchain_config),
        ("SystemConfig", at.system_config),
        ("OptimismPortal", at.optimism_portal),
        ("DisputeGameFactory", at.dispute_game_factory),
        ("AnchorStateRegistry", at.anchor_state_registry),
        ("DelayedWETH", at.delayed_weth),
    ] {
        let installed = plan.transactions.iter().find(|planned| planned.what == name);
        let expected = installed.and_then(|planned| planned.creates).unwrap_or_default();
        let call = Admin::getProxyImplementationCall { _proxy: proxy };
        list.ask(format!("implementation of {name}"), admin, &call, expected, text);
    }

    let superchain = at.superchain_config;
    list.ask("guardian", superchain, &Superchain::guardianCall {}, config.guardian, text);
    let system = at.system_config;
    let parameters = &config.system;
    list.ask("owner of the system config", system, &Config::ownerCall {}, config.owner, text);
    list.ask("L2 chain", system, &Config::l2ChainIdCall {}, config.l2_chain_id, text);
    let batcher = B256::left_padding_from(parameters.batcher.as_slice());
    list.ask("batcher", system, &Config::batcherHashCall {}, batcher, text);
    list.ask("batch inbox", system, &Config::batchInboxCall {}, parameters.batch_inbox, text);
    let signer = parameters.unsafe_block_signer;
    list.ask("signer of blocks", system, &Config::unsafeBlockSignerCall {}, signer, text);
    list.ask("L2 gas limit", system, &Config::gasLimitCall {}, parameters.gas_limit, text);
    let scalar = parameters.basefee_scalar;
    list.ask("base fee scalar", system, &Config::basefeeScalarCall {}, scalar, text);
    let scalar = parameters.blobbasefee_scalar;
    list.ask("blob base fee scalar", system, &Config::blobbasefeeScalarCall {}, scalar, text);
    let portal = at.optimism_portal;
    list.ask("portal of the system config", system, &Config::optimismPortalCall {}, portal, text);
    let superchain_call = Config::superchainConfigCall {};
    list.ask("pauses of the system config", system, &superchain_call, superchain, text);

    let registry = at.anchor_state_registry;
    list.ask("registry of the portal", portal, &Portal::anchorStateRegistryCall {}, registry, text);
    let delay = config.proof_maturity_delay_seconds;
    list.ask(
        "maturity of proofs, s",
        portal,
        &Portal::proofMaturityDelaySecondsCall {},
        delay,
        text,
    );
    let anchor =
        format!("{} of block {}", config.anchor.output_root, config.anchor.l2_block_number);
    list.ask("anchor", registry, &Registry::getStartingAnchorRootCall {}, anchor, |anchor| {
        format!("{} of block {}", anchor.root, anchor.l2SequenceNumber)
    });
    let respected = config.respected_game_type;
    list.ask("respected game type", registry, &Registry::respectedGameTypeCall {}, respected, text);
    let delay = config.finality_delay_seconds;
    let call = Registry::disputeGameFinalityDelaySecondsCall {};
    list.ask("finality of games, s", registry, &call, delay, text);
    let factory = at.dispute_game_factory;
    list.ask("factory", registry, &Registry::disputeGameFactoryCall {}, factory, text);
    list.ask("config of the registry", registry, &Registry::systemConfigCall {}, system, text);
    let weth = at.delayed_weth;
    list.ask("delay of bonds, s", weth, &Weth::delayCall {}, config.weth_delay_seconds, text);
    list.ask("config of the WETH", weth, &Weth::systemConfigCall {}, system, text);
    let (oracle, least) = (at.preimage_oracle, config.min_proposal_size_bytes);
    list.ask("least large preimage, bytes", oracle, &Oracle::minProposalSizeCall {}, least, text);
    let period = config.challenge_period_seconds;
    list.ask("large preimages, s", oracle, &Oracle::challengePeriodCall {}, period, text);
    for (vm, address) in &at.vms {
        // Every verifier has this getter.
        list.ask(format!("oracle of {vm:?}"), *address, &MIPS64::oracleCall {}, oracle, text);
    }
    list.ask("owner of the factory", factory, &Factory::ownerCall {}, config.owner, text);
    for game in &config.games {
        let number = game.game_type;
        let implementation = at.game_implementations.get(&number).copied().unwrap_or_default();
        let named = |what: &str| format!("game type {number}: {what}");
        let call = Factory::gameImplsCall(number);
        list.ask(named("implementation"), factory, &call, implementation, text);
        let bond = game.init_bond_wei;
        list.ask(named("first bond, wei"), factory, &Factory::initBondsCall(number), bond, text);
        let vm = at.vms.get(&game.vm).copied().unwrap_or_default();
        let mut arguments = [
            game.absolute_prestate.as_slice(),
            vm.as_slice(),
            registry.as_slice(),
            weth.as_slice(),
            U256::from(config.l2_chain_id).to_be_bytes::<32>().as_slice(),
        ]
        .concat();
        for player in [game.proposer, game.challenger].into_iter().flatten() {
            arguments.extend_from_slice(player.as_slice());
        }
        let call = Factory::gameArgsCall(number);
        list.ask(named("arguments"), factory, &call, Bytes::from(arguments), text);
        let place = implementation;
        list.ask(named("depth"), place, &Game::maxGameDepthCall {}, game.max_depth, text);
        list.ask(named("split depth"), place, &Game::splitDepthCall {}, game.split_depth, text);
        let clock = game.max_clock_duration_seconds;
        list.ask(named("clock, s"), place, &Game::maxClockDurationCall {}, clock, text);
        let extension = game.clock_extension_seconds;
        list.ask(named("extension, s"), place, &Game::clockExtensionCall {}, extension, text);
    }
    list
}
