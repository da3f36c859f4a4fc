//! All of it together: L1, sequencer, derivation, batcher and users, a step at a time.
//!
//! ```text
//!   Rollup   build_l2   transactions of users ─► a block of L2
//!            post       batches and deposits  ─► the pool of L1
//!            follow     new blocks of L1      ─► what became safe
//!   Devnet   step       as many blocks of L2 as have their time before the next one of L1, then that one
//! ```
//!
//! No clock is looked at: the same setup and the same calls give the same chains. Whoever wants a devnet
//! that lives calls the operations of [`Rollup`] when it is time, on an L1 chain that is served.

use crate::{
    batcher::{self, Batcher, Channel, Fault, Faults, Form},
    disk::{Disk, DiskError},
    keys::{Key, KeyError},
    l1::{self, Client, Record},
    l2::{
        self, Advance, Built, FollowError, Follower, L1Reader, Oracle, SequenceError, Sequencer,
        genesis::{self, Allocation},
    },
    random::Random,
    state::{Account, StateStore, StoreError},
    traffic::{Limits, Users},
};
use alloy_consensus::{Header, Sealed, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use rebut_contracts::bindings::{OptimismPortal, SystemConfig as SystemConfigContract};
use rebut_derivation::{
    BlobFeeSchedule, BlockId, Eip1559Params, Genesis, L1Config, OperatorFee, RollupConfig,
    SingularBatch, SystemConfig,
};
use rebut_execution::{BaseFeeDefaults, ChainParameters, Fork, ForkTimes};
use rebut_preimage::{OracleError, PreimageKey};
use rebut_program::{
    Boot, Verdict,
    claim::{self, ChainError, ClaimError},
    config::l1::PRAGUE_FRACTION,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, convert::Infallible};

/// The contracts on L1 that derivation listens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contracts {
    /// Emits deposits.
    pub portal: Address,
    /// Emits updates of the system config.
    pub system_config: Address,
}

/// Where an embedded L1 has them from its genesis on.
pub const CONTRACTS: Contracts = Contracts {
    portal: address!("0000000000000000000000000000000000de9051"),
    system_config: address!("000000000000000000000000000000000005c0f1"),
};
/// Where batches are sent.
pub const BATCH_INBOX: Address = address!("ff00000000000000000000000000000000000901");

/// Id of the L2 chain.
pub const L2_CHAIN_ID: u64 = 901;
/// Of an L2 block at genesis.
pub const L2_GAS_LIMIT: u64 = 30_000_000;
/// Scalar of the L1 base fee at genesis, in millionths, as OP Mainnet had it at Fjord.
pub const BASE_FEE_SCALAR: u32 = 1368;
/// Scalar of the L1 blob base fee at genesis, in millionths, as OP Mainnet had it at Fjord.
pub const BLOB_BASE_FEE_SCALAR: u32 = 810_949;

/// What a devnet is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Decides what users do and which faults strike.
    pub seed: u64,
    /// The L1 chain. Its accounts are added to those of the rollup.
    pub l1: l1::Config,
    /// The rollup's parameters. Genesis is filled in.
    pub rollup: RollupConfig,
    /// How batches are written.
    pub form: Form,
    /// What goes wrong between the batcher and L1.
    pub faults: Faults,
    /// How large things get that users send.
    pub limits: Limits,
    /// The most transactions of users in a block.
    pub transactions_per_block: u64,
    /// Deposits in a block of L1, in parts of a hundred.
    pub deposits_percent: u64,
    /// Updates of the system config in a block of L1, in parts of a hundred.
    pub updates_percent: u64,
    /// Blocks of L1 between two channels of the batcher.
    pub batch_interval: u64,
    /// After so many blocks of L1 without a new safe head everything behind it is sent again.
    pub patience: u64,
}

impl Setup {
    /// Two chains of two-second blocks with all forks up to `fork` from the beginning.
    pub fn at_fork(seed: u64, fork: Fork) -> Self {
        let forks = Fork::TIMED
            .into_iter()
            .filter(|timed| *timed <= fork)
            .fold(ForkTimes::default(), |forks, timed| forks.with(timed, Some(0)));
        Self::with_forks(seed, forks)
    }

    /// Two chains of two-second blocks whose forks activate at the given times.
    pub fn with_forks(seed: u64, forks: ForkTimes) -> Self {
        let l1 = l1::Config { block_time: 6, ..l1::Config::default() };
        let rollup = rollup_config(&l1, forks);
        Self {
            seed,
            l1,
            rollup,
            form: Form::default(),
            faults: Faults::default(),
            limits: Limits::default(),
            transactions_per_block: 4,
            deposits_percent: 30,
            updates_percent: 0,
            batch_interval: 1,
            patience: u64::MAX,
        }
    }
}

/// The parameters of the devnet's rollup on this L1 chain.
pub fn rollup_config(l1: &l1::Config, forks: ForkTimes) -> RollupConfig {
    let is_ecotone = forks.active(l1.genesis_time) >= Fork::Ecotone;
    RollupConfig {
        chain: ChainParameters {
            chain_id: L2_CHAIN_ID,
            forks,
            base_fee: BaseFeeDefaults { elasticity: 6, denominator: 50, denominator_canyon: 250 },
        },
        genesis: Genesis {
            l1: BlockId::default(),
            l2: BlockId::default(),
            l2_time: l1.genesis_time,
            system_config: SystemConfig {
                batcher: Key::named("batcher").address(),
                overhead: if is_ecotone { U256::ZERO } else { U256::from(188) },
                scalar: if is_ecotone { ecotone_scalar() } else { U256::from(684_000) },
                gas_limit: L2_GAS_LIMIT,
                eip_1559: (forks.active(l1.genesis_time) >= Fork::Holocene)
                    .then_some(Eip1559Params { denominator: 250, elasticity: 6 }),
                operator_fee: OperatorFee::default(),
                min_base_fee: 0,
                da_footprint_gas_scalar: 0,
            },
        },
        block_time: 2,
        max_sequencer_drift: 600,
        seq_window_size: 3600,
        channel_timeout: 300,
        granite_channel_timeout: 50,
        delta_time: forks.time(Fork::Ecotone),
        pectra_blob_schedule_time: None,
        batch_inbox: BATCH_INBOX,
        deposit_contract: CONTRACTS.portal,
        l1_system_config: CONTRACTS.system_config,
        keep_karst_upgrade_gas: false,
        l1: L1Config { chain_id: l1.chain_id, blob_fees: blob_fees(l1) },
    }
}

/// The blob fee rules of the embedded L1. Osaka kept Prague's.
fn blob_fees(l1: &l1::Config) -> Vec<BlobFeeSchedule> {
    let prague = |time| BlobFeeSchedule { time, update_fraction: PRAGUE_FRACTION };
    l1.prague_time.map(prague).into_iter().collect()
}

/// The parameters of the embedded L1 as a file that programs read: the `config` object of a geth genesis.
pub fn l1_config_json(l1: &l1::Config) -> Value {
    json!({
        "chainId": l1.chain_id,
        "cancunTime": 0,
        "pragueTime": l1.prague_time,
        "osakaTime": l1.osaka_time,
    })
}

/// Version 1, the blob base fee scalar, the base fee scalar.
fn ecotone_scalar() -> U256 {
    U256::from(1) << 248 | U256::from(BLOB_BASE_FEE_SCALAR) << 32 | U256::from(BASE_FEE_SCALAR)
}

/// Why a devnet cannot be set up or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// L1 cannot begin.
    #[error(transparent)]
    L1Genesis(#[from] l1::GenesisError),
    /// L2 cannot begin.
    #[error(transparent)]
    L2Genesis(#[from] genesis::GenesisError),
    /// A block of L1 cannot be made.
    #[error(transparent)]
    Mine(#[from] l1::MineError),
    /// L1 does not answer, or refuses a transaction of the devnet's own.
    #[error(transparent)]
    Client(#[from] l1::ClientError),
    /// A block of L2 cannot be made.
    #[error(transparent)]
    Sequencer(#[from] SequenceError<StoreError>),
    /// What was kept cannot be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The chain that was kept is none.
    #[error(transparent)]
    Chain(#[from] l2::ChainError),
    /// L1 cannot be followed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// Blocks cannot be written.
    #[error(transparent)]
    Batch(#[from] batcher::BatchError),
    /// Data cannot be put into blobs.
    #[error(transparent)]
    Blob(#[from] batcher::BlobError),
    /// A key does not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A state is not stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Data on its way to L1.
#[derive(Clone, Debug)]
struct Parcel {
    /// The first block of L1 that it may be in.
    due: u64,
    data: Vec<Bytes>,
    blobs: bool,
    /// It is sent by somebody else.
    foreign: bool,
}

/// The rollup: everything but the L1 chain that it is on.
#[derive(Debug)]
pub struct Rollup {
    /// The L2 chain and its sequencer.
    pub sequencer: Sequencer,
    /// Derivation.
    pub follower: Follower,
    /// What is written to L1.
    pub batcher: Batcher,
    /// What goes wrong on the way.
    pub faults: Faults,
    /// How many faults have struck.
    pub struck: u64,
    users: Users,
    random: Random,
    setup: Setup,
    parcels: Vec<Parcel>,
    /// The block of L1 for which everything due was sent.
    posted: Option<u64>,
    /// The block of L1 before which the next channel is not written.
    next_channel: u64,
    /// The safe head, and the block of L1 since which it is the same.
    stalled: (u64, u64),
    keys: Keys,
}

#[derive(Debug)]
struct Keys {
    batcher: Key,
    stranger: Key,
    owner: Key,
    depositor: Key,
}

impl Keys {
    fn new() -> Self {
        let [batcher, stranger, owner, depositor] =
            ["batcher", "stranger", "owner", "depositor"].map(Key::named);
        Self { batcher, stranger, owner, depositor }
    }
}

impl Rollup {
    /// What the rollup needs of the L1 chain's genesis: its contracts, and ether for those who send.
    ///
    /// # Errors
    /// None unless a contract is defective.
    pub fn l1_accounts() -> Result<BTreeMap<Address, Account>, RollupError> {
        let keys = Keys::new();
        let mut accounts = l1_contracts(keys.owner.address())?;
        for key in [&keys.batcher, &keys.stranger, &keys.owner, &keys.depositor] {
            accounts.insert(key.address(), l1::funded(1_000_000));
        }
        Ok(accounts)
    }

    /// A rollup that begins on this L1 block. `accounts` are at its genesis besides the users.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn new(
        setup: Setup,
        origin: &Sealed<Header>,
        accounts: BTreeMap<Address, Account>,
    ) -> Result<Self, RollupError> {
        Self::build(setup, origin, accounts, None)
    }

    /// The rollup that is on disk, or a new one that will be there. It goes on behind the safe head: whatever
    /// was on its way to L1 is sent again.
    ///
    /// # Errors
    /// [`RollupError`], as well when the one on disk began otherwise.
    pub fn open(
        setup: Setup,
        origin: &Sealed<Header>,
        accounts: BTreeMap<Address, Account>,
        disk: Disk,
    ) -> Result<Self, RollupError> {
        Self::build(setup, origin, accounts, Some(disk))
    }

    fn build(
        setup: Setup,
        origin: &Sealed<Header>,
        accounts: BTreeMap<Address, Account>,
        disk: Option<Disk>,
    ) -> Result<Self, RollupError> {
        let keys = Keys::new();
        let store = disk.as_ref().map_or_else(|| Ok(StateStore::new()), Disk::store)?;
        let users = Users::addresses().map(|address| (address, l1::funded(1_000_000)));
        let allocation = Allocation {
            proxy_owner: keys.owner.address(),
            fee_recipient: keys.owner.address(),
            accounts: accounts.into_iter().chain(users).collect(),
        };
        let (config, genesis) = genesis::build(setup.rollup.clone(), origin, &allocation, &store)?;
        let (chain, follower) = match disk {
            None => {
                let chain = l2::Chain::new(config, genesis, store);
                let follower = Follower::new(&chain);
                (chain, follower)
            }
            Some(disk) => {
                let chain = l2::Chain::open(config, genesis, store, disk.clone())?;
                let follower = Follower::open(&chain, disk)?;
                (chain, follower)
            }
        };
        let mut random = Random::new(setup.seed);
        let mut rollup = Self {
            sequencer: Sequencer::new(chain),
            follower,
            batcher: Batcher::new(setup.form, random.next()),
            faults: setup.faults,
            struck: 0,
            users: Users::new(random.next(), setup.limits),
            random,
            parcels: Vec::new(),
            posted: None,
            next_channel: 0,
            stalled: (0, 0),
            keys,
            setup,
        };
        rollup.repost();
        Ok(rollup)
    }

    /// The L2 chain.
    pub const fn l2(&self) -> &l2::Chain {
        self.sequencer.chain()
    }

    /// The rollup's parameters.
    pub const fn config(&self) -> &RollupConfig {
        self.l2().config()
    }

    /// Lets users send transactions, and builds the next block of L2 from them.
    ///
    /// # Errors
    /// [`RollupError`]. [`SequenceError::Wait`] when L1 has to go on first.
    pub fn build_l2(&mut self, l1: &Record) -> Result<Built, RollupError> {
        let count = self.random.below(self.setup.transactions_per_block + 1);
        let config = self.sequencer.chain().config();
        let chain_id = config.chain.chain_id;
        let fork = config.fork(self.sequencer.next_timestamp());
        for _ in 0..count {
            let nonce = |sender| Ok::<_, RollupError>(self.sequencer.pending_nonce(sender)?);
            let (_, bytes) = self.users.transaction(chain_id, fork, nonce)?;
            if let Err(error) = self.sequencer.submit(&bytes) {
                tracing::debug!(%error, "a user's transaction is not taken");
            }
        }
        Ok(self.sequencer.build(&mut L1Reader(l1))?)
    }

    /// Builds every block of L2 whose time comes before `time`. Returns how many.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn build_until(&mut self, l1: &Record, time: u64) -> Result<usize, RollupError> {
        let mut built = 0;
        while self.sequencer.next_timestamp() < time {
            match self.build_l2(l1) {
                Ok(_) => built += 1,
                Err(RollupError::Sequencer(SequenceError::Wait { .. })) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(built)
    }

    /// Follows L1 wherever it has gone. What is gone from L2 is written anew.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn follow(&mut self, l1: &Record) -> Result<Advance, RollupError> {
        let advance = self.follower.advance(&mut self.sequencer, l1)?;
        if advance.removed > 0 {
            self.repost();
        }
        Ok(advance)
    }

    /// Writes everything anew from the safe head on: what was sent is lost or outdated.
    pub fn repost(&mut self) {
        let (_, safe) = self.follower.head();
        self.parcels.clear();
        self.posted = None;
        self.batcher.restart(safe.number + 1);
    }

    /// Puts into the pool of L1 what the batcher has due, and what users ask for there.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn post(&mut self, l1: &mut dyn Client) -> Result<(), RollupError> {
        let next = l1.record().latest().number() + 1;
        if self.posted == Some(next) {
            return Ok(());
        }
        self.repost_if_stalled(next);
        self.posted = Some(next);
        if next >= self.next_channel {
            while let Some(channel) = self.batcher.channel(self.sequencer.chain(), l1.record())? {
                self.send(channel, next);
            }
            self.next_channel = next + self.setup.batch_interval;
        }
        let (due, later) = std::mem::take(&mut self.parcels)
            .into_iter()
            .partition::<Vec<_>, _>(|parcel| parcel.due <= next);
        self.parcels = later;
        for parcel in due {
            self.submit_parcel(l1, &parcel)?;
        }
        self.visit(l1)
    }

    /// What was sent and did not arrive would be missing for good.
    fn repost_if_stalled(&mut self, next: u64) {
        let (_, safe) = self.follower.head();
        let (number, since) = self.stalled;
        let nothing_sent = self.batcher.next() <= safe.number.saturating_add(1);
        if safe.number != number || nothing_sent {
            self.stalled = (safe.number, next);
        } else if next.saturating_sub(since) > self.setup.patience {
            self.stalled = (safe.number, next);
            self.repost();
        }
    }

    /// Writes these batches in place of the next blocks, and sends them without a fault.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn send_instead(
        &mut self,
        l1: &Record,
        blocks: &[SingularBatch],
    ) -> Result<(), RollupError> {
        let channel = self.batcher.channel_of(self.sequencer.chain(), l1, blocks)?;
        let due = l1.latest().number() + 1;
        if let Some(Channel { payloads, form, .. }) = channel {
            let blobs = form.blobs;
            let parcel = |data| Parcel { due, data: vec![data], blobs, foreign: false };
            self.parcels.extend(payloads.into_iter().map(parcel));
        }
        Ok(())
    }

    /// Queues a channel, with whatever fault strikes.
    fn send(&mut self, channel: Channel, now: u64) {
        let blobs = channel.form.blobs;
        for data in channel.payloads {
            let mut parcel = Parcel { due: now, data: vec![data.clone()], blobs, foreign: false };
            let fault = self.faults.strike(self.random.next());
            self.struck += u64::from(fault.is_some());
            match fault {
                None => self.parcels.push(parcel),
                Some(Fault::Late(blocks)) => {
                    parcel.due = now + blocks;
                    self.parcels.push(parcel);
                }
                Some(Fault::Dropped) => {}
                Some(Fault::Duplicated) => {
                    self.parcels.push(parcel.clone());
                    self.parcels.push(parcel);
                }
                Some(Fault::Malformed(damage)) => {
                    parcel.data = vec![damage.of(&data)];
                    self.parcels.push(parcel);
                }
                Some(Fault::Foreign) => {
                    self.parcels.push(Parcel { foreign: true, ..parcel.clone() });
                    self.parcels.push(parcel);
                }
            }
        }
    }

    fn submit_parcel(&self, l1: &mut dyn Client, parcel: &Parcel) -> Result<(), RollupError> {
        let key = if parcel.foreign { &self.keys.stranger } else { &self.keys.batcher };
        let envelope = batcher::Envelope {
            key,
            chain_id: l1.chain_id(),
            nonce: l1.pending_nonce(key.address())?,
            to: self.config().batch_inbox,
            fees: batcher::L1Fees::default(),
        };
        let transactions = if parcel.blobs {
            vec![batcher::blob_transaction(&envelope, &parcel.data)?]
        } else {
            let mut nonce = envelope.nonce;
            let sign = |data: &Bytes| {
                let envelope = batcher::Envelope { nonce, ..envelope };
                nonce += 1;
                batcher::calldata_transaction(&envelope, data.clone())
            };
            parcel.data.iter().map(sign).collect::<Result<_, _>>()?
        };
        for transaction in transactions {
            l1.submit(&transaction)?;
        }
        Ok(())
    }

    /// Deposits and updates of the system config, now and then.
    fn visit(&mut self, l1: &mut dyn Client) -> Result<(), RollupError> {
        if self.random.percent(self.setup.deposits_percent) {
            for _ in 0..self.random.between(1, 3) {
                let (data, value) = self.users.deposit();
                self.call_l1(l1, Visitor::Depositor, self.config().deposit_contract, data, value)?;
            }
        }
        if self.random.percent(self.setup.updates_percent) {
            let fork = self.config().fork(l1.record().latest().header.timestamp);
            let data = self.users.update(fork);
            self.call_l1(l1, Visitor::Owner, self.config().l1_system_config, data, U256::ZERO)?;
        }
        Ok(())
    }

    fn call_l1(
        &self,
        l1: &mut dyn Client,
        visitor: Visitor,
        to: Address,
        input: Bytes,
        value: U256,
    ) -> Result<B256, RollupError> {
        let key = match visitor {
            Visitor::Owner => &self.keys.owner,
            Visitor::Depositor => &self.keys.depositor,
        };
        let fees = batcher::L1Fees::default();
        let transaction = key.sign_encoded(TxEip1559 {
            chain_id: l1.chain_id(),
            nonce: l1.pending_nonce(key.address())?,
            gas_limit: 500_000,
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.priority_fee,
            to: TxKind::Call(to),
            value,
            input,
            ..TxEip1559::default()
        })?;
        Ok(l1.submit(&transaction)?)
    }

    /// Runs the fault proof program on a claim: that `root` is the output root of L2 block `claimed`, when
    /// that of block `agreed` is agreed on and `l1_head` is the last L1 block whose data counts.
    ///
    /// # Errors
    /// [`ClaimError`] when there is no verdict.
    pub fn decide(
        &mut self,
        l1: &Record,
        l1_head: B256,
        agreed: u64,
        claimed: u64,
        root: B256,
    ) -> Result<Verdict, ClaimError<Infallible>> {
        let chain = self.sequencer.chain();
        let genesis = chain.config().genesis.l2.number;
        let block = chain.ledger().block(agreed);
        let block = block.ok_or(ChainError::BeforeGenesis { number: agreed, genesis })?;
        let output = chain.output(block).map_err(|_| {
            let key = PreimageKey::keccak256(block.header.state_root);
            ChainError::Oracle(OracleError::Missing { key })
        })?;
        let boot = Boot {
            l1_head,
            agreed_output: output.root(),
            claimed_output: root,
            claimed_number: claimed,
            chain_id: chain.config().chain.chain_id,
        };
        let config = chain.config().clone();
        let mut oracle = Oracle::new(boot, output, l1, chain, self.follower.cache());
        claim::run(&mut oracle, |_| Ok(config), |_| {})
    }

    /// A random number, of the same sequence as everything else here.
    pub const fn random(&mut self) -> &mut Random {
        &mut self.random
    }
}

/// A rollup and its L1 chain in one hand.
#[derive(Debug)]
pub struct Devnet {
    /// The L1 chain.
    pub l1: l1::Chain,
    /// What is on it.
    pub rollup: Rollup,
}

impl Devnet {
    /// Both chains with their genesis.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn new(setup: Setup) -> Result<Self, RollupError> {
        let mut config = setup.l1.clone();
        config.accounts.extend(Rollup::l1_accounts()?);
        let l1 = l1::Chain::new(config, StateStore::new())?;
        let rollup = Rollup::new(setup, &l1.latest().header, BTreeMap::new())?;
        Ok(Self { l1, rollup })
    }

    /// The L2 chain.
    pub const fn l2(&self) -> &l2::Chain {
        self.rollup.l2()
    }

    /// Builds the blocks of L2 whose time comes before the next block of L1, mines that one with what is
    /// due, and follows it.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn step(&mut self) -> Result<Advance, RollupError> {
        self.rollup.build_until(self.l1.record(), self.l1.next_timestamp())?;
        self.mine()
    }

    /// Sends what is due to L1, mines a block, and follows it.
    ///
    /// # Errors
    /// [`RollupError`].
    pub fn mine(&mut self) -> Result<Advance, RollupError> {
        self.rollup.post(&mut self.l1)?;
        self.l1.mine()?;
        self.rollup.follow(self.l1.record())
    }

    /// Replaces the last `depth` blocks of L1 by one more than there were, all of them empty, and follows.
    /// Deposits and batches in the old ones are gone.
    ///
    /// # Errors
    /// [`RollupError`]; finalized blocks are not replaced.
    pub fn reorg(&mut self, depth: u64) -> Result<Advance, RollupError> {
        let latest = self.l1.latest().number();
        let first = latest.saturating_sub(depth.saturating_sub(1)).max(1);
        let count = latest.saturating_sub(first) + 2;
        let blocks = (0..count).map(|_| Vec::new()).collect::<Vec<_>>();
        self.l1.reorg(first, &blocks, l1::Removed::Dropped)?;
        let advance = self.rollup.follow(self.l1.record())?;
        self.rollup.repost();
        Ok(advance)
    }
}

/// Who calls on L1.
#[derive(Clone, Copy, Debug)]
enum Visitor {
    Owner,
    Depositor,
}

/// The rollup's contracts on L1.
fn l1_contracts(owner: Address) -> Result<BTreeMap<Address, Account>, genesis::GenesisError> {
    // A delay of withdrawals, which this portal does not have.
    let portal = genesis::deployed("OptimismPortal", &OptimismPortal::BYTECODE, &[0; 32])?;
    let system_config = genesis::deployed("SystemConfig", &SystemConfigContract::BYTECODE, &[])?;
    // Behind the first byte, the version of the initialisation, is the owner.
    let owner = U256::from_be_bytes(owner.into_word().0);
    let storage = BTreeMap::from([(U256::ZERO, owner << 8 | U256::from(1))]);
    let contract = |code, storage| Account { nonce: 1, code, storage, ..Account::default() };
    Ok(BTreeMap::from([
        (CONTRACTS.portal, contract(portal, BTreeMap::new())),
        (CONTRACTS.system_config, contract(system_config, storage)),
    ]))
}
