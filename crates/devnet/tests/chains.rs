//! Chains of every fork, with random users, forms of batches, faults and reorgs: derivation agrees with
//! the sequencer, and the program confirms the sequencer's outputs and no others.
//!
//! Nothing here is served or waited for. What is compared comes from two sides: the sequencer chooses
//! origins and transactions and builds blocks as they come; derivation and the program know nothing but
//! L1 and the state they start from.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, U256, address, b256, keccak256};
use op_alloy_consensus::TxDeposit;
use rebut_devnet::{
    batcher::{Compression, Faults, Form},
    disk::Disk,
    keys::Key,
    l1,
    l2::{self, Advance, genesis::IMPLEMENTATION_SLOT},
    random::Random,
    rollup::{Devnet, Rollup, Setup},
};
use rebut_execution::{Fork, ForkTimes};
use std::{collections::BTreeMap, sync::Arc};

const L1_BLOCK: Address = address!("4200000000000000000000000000000000000015");
const GAS_PRICE_ORACLE: Address = address!("420000000000000000000000000000000000000F");
const OPERATOR_FEE_VAULT: Address = address!("420000000000000000000000000000000000001b");

/// The forks that a devnet knows.
fn forks() -> impl Iterator<Item = Fork> {
    std::iter::once(Fork::Bedrock).chain(Fork::TIMED).filter(|fork| *fork <= Fork::Jovian)
}

/// The root of the output of a block.
fn root(devnet: &Devnet, number: u64) -> B256 {
    let block = devnet.l2().ledger().block(number).unwrap();
    devnet.l2().output(block).unwrap().root()
}

/// The program confirms the output of block `claimed`, and refuses another one.
fn check_claim(devnet: &mut Devnet, agreed: u64, claimed: u64) {
    let l1_head = devnet.l1.latest().hash();
    let root = root(devnet, claimed);
    let verdict = devnet.rollup.decide(devnet.l1.record(), l1_head, agreed, claimed, root).unwrap();
    assert!(verdict.is_valid(), "block {claimed} from {agreed}: {verdict:?}");
    let wrong = keccak256(root);
    let verdict =
        devnet.rollup.decide(devnet.l1.record(), l1_head, agreed, claimed, wrong).unwrap();
    assert_eq!((verdict.is_valid(), verdict.computed), (false, Some(root)), "block {claimed}");
}

/// Claims about random blocks of the safe chain.
fn check_claims(devnet: &mut Devnet, random: &mut Random, count: u64) {
    let (_, safe) = devnet.rollup.follower.head();
    for _ in 0..count {
        let claimed = random.between(1, safe.number);
        let agreed = claimed.saturating_sub(random.between(1, 6));
        check_claim(devnet, agreed, claimed);
    }
}

/// Steps that lose nothing: whatever derivation gives is what was sequenced.
fn run_well(devnet: &mut Devnet, steps: u64) {
    for step in 0..steps {
        let Advance { derived, deposits_only, removed, .. } = devnet.step().unwrap();
        let numbers: Vec<u64> = derived.iter().map(|block| block.number()).collect();
        assert_eq!((numbers, deposits_only, removed), (vec![], vec![], 0), "step {step}");
    }
    let (l1, safe) = devnet.rollup.follower.head();
    assert_eq!(l1.number, devnet.l1.latest().number());
    let latest = devnet.l2().latest().number();
    assert!(safe.number + 4 >= latest && safe.number > 0, "{} of {latest} are safe", safe.number);
}

/// Code hashes that upgrade transactions leave, as the specifications of the forks list them.
const UPGRADED: [(Fork, Address, B256); 8] = [
    (
        Fork::Ecotone,
        L1_BLOCK,
        b256!("c88a313aa75dc4fbf0b6850d9f9ae41e04243b7008cf3eadb29256d4a71c1dfd"),
    ),
    (
        Fork::Ecotone,
        GAS_PRICE_ORACLE,
        b256!("8b71360ea773b4cfaf1ae6d2bd15464a4e1e2e360f786e475f63aeaed8da0ae5"),
    ),
    (
        Fork::Fjord,
        GAS_PRICE_ORACLE,
        b256!("a88fa50a2745b15e6794247614b5298483070661adacb8d32d716434ed24c6b2"),
    ),
    (
        Fork::Isthmus,
        L1_BLOCK,
        b256!("8e3fe7a416d3e5f3b7be74ddd4e7e58e516fa3f80b67c6d930e3cd7297da4a4b"),
    ),
    (
        Fork::Isthmus,
        GAS_PRICE_ORACLE,
        b256!("4d195a9d7caf9fb6d4beaf80de252c626c853afd5868c4f4f8d19c9d301c2679"),
    ),
    (
        Fork::Isthmus,
        OPERATOR_FEE_VAULT,
        b256!("57dc55c9c09ca456fa728f253fe7b895d3e6aae0706104935fe87c7721001971"),
    ),
    (
        Fork::Jovian,
        L1_BLOCK,
        b256!("5f885ca815d2cf27a203123e50b8ae204fdca910b6995d90b2d7700cbb9240d1"),
    ),
    (
        Fork::Jovian,
        GAS_PRICE_ORACLE,
        b256!("e9fc7c96c4db0d6078e3d359d7e8c982c350a513cb2c31121adf5e1e8a446614"),
    ),
];

/// EIP-4788's contract, placed by Ecotone.
const BEACON_ROOTS: (Address, B256) = (
    address!("000F3df6D732807Ef1319fB7B8bB8522d0Beac02"),
    b256!("f57acd40259872606d76197ef052f3d35588dadf919ee1f0e3cb9b62d3f4b02c"),
);

/// EIP-2935's contract, placed by Isthmus.
const HISTORY: (Address, B256) = (
    address!("0000F90827F1C53a10cb7A02335B175320002935"),
    b256!("6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d"),
);

/// The code behind every upgraded proxy after a block is that of the latest fork that upgraded it.
fn check_upgrades(chain: &l2::Chain, block: &l2::Block) {
    let fork = chain.config().fork(block.header.timestamp);
    let (store, state) = (chain.store(), block.header.state_root);
    for proxy in [L1_BLOCK, GAS_PRICE_ORACLE, OPERATOR_FEE_VAULT] {
        let latest = UPGRADED.iter().rev().find(|(by, of, _)| *by <= fork && *of == proxy);
        let Some((by, _, expected)) = latest else { continue };
        let slot = U256::from_be_bytes(IMPLEMENTATION_SLOT.0);
        let implementation = store.storage(state, proxy, slot).unwrap();
        let implementation = Address::from_word(implementation.into());
        let code = store.code(state, implementation).unwrap();
        assert_eq!(keccak256(&code), *expected, "{proxy} by {by:?}, at {fork:?}");
    }
    for (by, (address, hash)) in [(Fork::Ecotone, BEACON_ROOTS), (Fork::Isthmus, HISTORY)] {
        if fork >= by {
            let code = store.code(state, address).unwrap();
            assert_eq!(keccak256(&code), hash, "{address} by {by:?}");
        }
    }
}

/// Forks from `first` on that activate `apart` seconds after each other.
fn one_after_another(genesis: u64, first: Fork, apart: u64) -> ForkTimes {
    let mut time = genesis;
    Fork::TIMED.into_iter().filter(|fork| *fork <= Fork::Jovian).fold(
        ForkTimes::default(),
        |forks, fork| {
            if fork > first {
                time += apart;
            }
            forks.with(fork, Some(time))
        },
    )
}

#[test]
fn every_fork_from_genesis_on() {
    for fork in forks() {
        let mut random = Random::new(fork as u64);
        let mut devnet = Devnet::new(Setup::at_fork(fork as u64, fork)).unwrap();
        check_upgrades(devnet.l2(), devnet.l2().latest());
        run_well(&mut devnet, 6);
        check_claims(&mut devnet, &mut random, 3);
    }
}

#[test]
fn forks_one_after_another() {
    let setup = |seed| {
        let mut setup = Setup::at_fork(seed, Fork::Bedrock);
        let forks = one_after_another(setup.l1.genesis_time, Fork::Bedrock, 10);
        setup.rollup.chain.forks = forks;
        setup.rollup.delta_time = forks.time(Fork::Canyon).map(|time| time + 4);
        setup.form.span = seed % 2 == 1;
        setup
    };
    for seed in 0..2 {
        let mut random = Random::new(seed);
        let mut devnet = Devnet::new(setup(seed)).unwrap();
        run_well(&mut devnet, 18);
        let chain = devnet.l2();
        let mut activations = Vec::new();
        for number in 1..=chain.latest().number() {
            let block = chain.ledger().block(number).unwrap();
            let config = chain.config();
            let first = forks().find(|fork| config.is_first_block(*fork, block.header.timestamp));
            if let Some(fork) = first {
                activations.push((fork, number));
                // The attributes deposit and the upgrades, which come before users' transactions.
                let system = block.transactions.iter().zip(&block.receipts).filter(|(tx, _)| {
                    tx.as_deposit().is_some_and(|tx| !tx.inner().source_hash.is_zero())
                });
                let failed = system.filter(|(tx, receipt)| {
                    let is_upgrade = tx.as_deposit().is_some_and(|tx| {
                        let from = tx.inner().from;
                        from.is_zero()
                            || from.as_slice().starts_with(&[0x42, 0x10])
                            || from.as_slice().starts_with(&[0xde, 0xad])
                    });
                    is_upgrade && !receipt.status()
                });
                assert_eq!(failed.count(), 0, "{fork:?}");
                check_upgrades(chain, block);
            }
        }
        assert_eq!(activations.len(), Fork::TIMED.len() - 1, "{activations:?}");
        for (_, number) in activations {
            check_claim(&mut devnet, number - 1, number);
        }
        check_claims(&mut devnet, &mut random, 6);
    }
}

/// A setup in which anything that is allowed may be.
fn random_setup(seed: u64) -> Setup {
    let mut random = Random::new(seed ^ 0xc4a1);
    let all: Vec<Fork> = forks().collect();
    let first = *random.pick(&all);
    let mut setup = Setup::at_fork(seed, first);
    if random.percent(40) {
        let apart = 2 * random.between(2, 8);
        let forks = one_after_another(setup.l1.genesis_time, first, apart);
        let (l1, form) = (setup.l1.clone(), setup.form);
        setup = Setup { l1, form, ..Setup::with_forks(seed, forks) };
    }
    if random.percent(50) && setup.rollup.chain.forks.active(setup.l1.genesis_time) >= Fork::Canyon
    {
        setup.rollup.delta_time = Some(setup.l1.genesis_time);
    }
    setup.l1.block_time = random.between(2, 7);
    setup.rollup.seq_window_size = random.between(8, 20);
    setup.rollup.channel_timeout = random.between(4, 10);
    setup.rollup.granite_channel_timeout = random.between(4, 10);
    setup.rollup.max_sequencer_drift = random.between(10, 30);
    setup.form = Form {
        span: random.percent(50),
        compression: *random.pick(&[Compression::Zlib, Compression::Brotli]),
        // Commitments take long to compute.
        blobs: random.percent(15),
        frame_bytes: random.between(60, 4_000) as usize,
        frames_together: random.between(1, 3) as usize,
        blocks_together: random.between(1, 12),
    };
    if setup.form.blobs {
        setup.form.frame_bytes = 100_000;
    }
    setup.transactions_per_block = random.below(5);
    setup.limits.data_bytes = 2_000;
    setup.updates_percent = random.below(30);
    setup.batch_interval = random.between(1, 3);
    if random.percent(50) {
        setup.faults = Faults {
            late: 10,
            late_blocks: 6,
            dropped: 8,
            duplicated: 10,
            malformed: 8,
            foreign: 10,
        };
    }
    setup
}

/// What came up on random chains.
#[derive(Debug, Default)]
struct Seen {
    /// Faults that struck.
    faults: u64,
    /// Times that L1 took blocks back.
    reorgs: u64,
    /// Blocks that nobody sequenced.
    derived: u64,
    /// Of these, blocks whose batch was invalid.
    invalid: u64,
    /// Transactions of users in the end, and deposits of users.
    transactions: u64,
    deposits: u64,
}

impl Seen {
    /// A block that nobody sequenced has deposits only: for its batch was invalid, or did not come in time.
    fn check_derived(&mut self, devnet: &Devnet, advance: &Advance, seed: u64) {
        let chain = devnet.l2();
        let (l1, _) = devnet.rollup.follower.head();
        for block in &advance.derived {
            let number = block.number();
            assert!(block.transactions.iter().all(|tx| tx.is_deposit()), "seed {seed}: {number}");
            let is_invalid = advance.deposits_only.contains(&number);
            let origin = chain.place(block).unwrap().l1_origin.number;
            let is_late = origin + chain.config().seq_window_size <= l1.number;
            assert!(is_invalid || is_late, "seed {seed}: block {number} was neither");
            self.invalid += u64::from(is_invalid);
        }
        self.derived += advance.derived.len() as u64;
    }

    fn count(&mut self, devnet: &Devnet) {
        let ledger = devnet.l2().ledger();
        let blocks = (1..=ledger.latest().number()).filter_map(|number| ledger.block(number));
        for transaction in blocks.flat_map(|block| &block.transactions) {
            self.transactions += u64::from(!transaction.is_deposit());
            let is_users = |tx: &TxDeposit| tx.mint > 0 || tx.gas_limit < 1_000_000;
            self.deposits +=
                u64::from(transaction.as_deposit().is_some_and(|tx| is_users(tx.inner())));
        }
    }
}

/// One random chain.
fn run_random(seed: u64, seen: &mut Seen) {
    let setup = random_setup(seed);
    let mut random = Random::new(!seed);
    let is_faultless = setup.faults.is_none();
    let reorgs = random.percent(40);
    let mut devnet = Devnet::new(setup).unwrap();
    let mut stalled = 0;
    let steps = random.between(10, 18);
    for _ in 0..steps {
        let (_, before) = devnet.rollup.follower.head();
        let advance = if reorgs && devnet.l1.latest().number() > 4 && random.percent(12) {
            seen.reorgs += 1;
            devnet.reorg(random.between(1, 4)).unwrap()
        } else {
            devnet.step().unwrap()
        };
        seen.check_derived(&devnet, &advance, seed);
        if is_faultless && !reorgs {
            assert_eq!(advance.derived.len() + advance.removed, 0, "seed {seed}");
        }
        // A batcher that sees no progress begins anew.
        let (_, after) = devnet.rollup.follower.head();
        stalled = if after == before { stalled + 1 } else { 0 };
        if stalled > 3 && !is_faultless {
            devnet.rollup.repost();
            stalled = 0;
        }
    }
    // Without faults all that was sequenced arrives, at the latest when the window has passed.
    devnet.rollup.faults = Faults::default();
    devnet.rollup.repost();
    for _ in 0..5 {
        let advance = devnet.step().unwrap();
        seen.check_derived(&devnet, &advance, seed);
    }
    let (_, safe) = devnet.rollup.follower.head();
    if safe.number > 0 {
        check_claims(&mut devnet, &mut random, 1);
    }
    seen.faults += devnet.rollup.struck;
    seen.count(&devnet);
}

#[test]
fn random_chains() {
    let first = std::env::var("REBUT_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let first = first.unwrap_or(0);
    let mut seen = Seen::default();
    for seed in first..first + 200 {
        run_random(seed, &mut seen);
    }
    println!("{seen:?}");
    // Whether one of a few damaged batches is still a batch is left to chance. Invalid ones have tests of
    // their own below.
    let Seen { faults, reorgs, derived, invalid: _, transactions, deposits } = seen;
    assert!(faults > 200 && reorgs > 50 && derived > 50);
    assert!(transactions > 5_000 && deposits > 500);
}

/// A transaction whose nonce will never come.
fn impossible() -> alloy_primitives::Bytes {
    let key = Key::named("nobody");
    let transaction =
        TxEip1559 { chain_id: 901, nonce: 1 << 40, gas_limit: 21_000, ..TxEip1559::default() };
    key.sign_encoded(transaction).unwrap()
}

/// Sends a batch whose first block cannot be executed. Returns that block as it was sequenced, and what
/// came of it.
fn spoil(devnet: &mut Devnet, span: bool) -> (Arc<l2::Block>, Advance) {
    devnet.rollup.batcher.form.span = span;
    devnet.step().unwrap();
    let (_, safe) = devnet.rollup.follower.head();
    let time = devnet.l1.next_timestamp();
    devnet.rollup.build_until(devnet.l1.record(), time).unwrap();
    devnet.rollup.batcher.restart(safe.number + 1);
    let mut batches = devnet.rollup.batcher.pending(devnet.rollup.sequencer.chain()).unwrap();
    assert!(batches.len() > 1);
    batches[0].transactions.push(impossible());
    devnet.rollup.send_instead(devnet.l1.record(), &batches).unwrap();
    let block = Arc::clone(devnet.l2().ledger().block(safe.number + 1).unwrap());
    (block, devnet.mine().unwrap())
}

#[test]
fn before_holocene_an_invalid_batch_is_no_batch() {
    for (fork, span) in [(Fork::Bedrock, false), (Fork::Ecotone, true), (Fork::Granite, false)] {
        let mut devnet = Devnet::new(Setup::at_fork(11, fork)).unwrap();
        let (block, advance) = spoil(&mut devnet, span);
        let first = block.number();
        let (_, safe) = devnet.rollup.follower.head();
        assert_eq!((safe.number, advance.derived.len(), advance.removed), (first - 1, 0, 0));
        // The right batches are still welcome.
        devnet.rollup.repost();
        run_well(&mut devnet, 2);
        check_claim(&mut devnet, first - 1, first + 1);
    }
}

#[test]
fn from_holocene_on_an_invalid_batch_leaves_deposits() {
    let mut replaced = 0;
    for (seed, span) in [(1, false), (2, true), (3, false), (4, true), (5, false), (6, true)] {
        let fork = [Fork::Holocene, Fork::Isthmus, Fork::Jovian][seed as usize % 3];
        let mut setup = Setup::at_fork(seed, fork);
        setup.transactions_per_block = 8;
        let mut devnet = Devnet::new(setup).unwrap();
        let (sequenced, advance) = spoil(&mut devnet, span);
        let first = sequenced.number();
        assert_eq!(advance.deposits_only, [first], "{fork:?}");
        // Without the transactions it is another block, unless it had none.
        let has_users = sequenced.transactions.iter().any(|tx| !tx.is_deposit());
        assert_eq!(advance.removed > 0, has_users);
        replaced += u64::from(has_users);
        let block = devnet.l2().ledger().block(first).unwrap();
        assert!(block.transactions.iter().all(|tx| tx.is_deposit()));
        // What was built on the block that is gone is built anew.
        devnet.rollup.repost();
        run_well(&mut devnet, 3);
        check_claim(&mut devnet, first - 1, first);
        if !span {
            check_claim(&mut devnet, first, first + 2);
        }
    }
    assert!(replaced > 2, "{replaced} of the blocks had transactions");
}

/// As every deployed program does: it reads L1 from before its agreed block on, so it meets the span again,
/// whose blocks up to the agreed one are past, and knows nothing of the one that was invalid.
#[test]
fn a_program_that_starts_at_an_invalid_block_goes_on_with_its_span() {
    let mut setup = Setup::at_fork(2, Fork::Jovian);
    setup.transactions_per_block = 8;
    let mut devnet = Devnet::new(setup).unwrap();
    let (sequenced, advance) = spoil(&mut devnet, true);
    let first = sequenced.number();
    assert!(advance.deposits_only == [first] && advance.removed > 0);
    run_well(&mut devnet, 3);
    let l1_head = devnet.l1.latest().hash();
    let root = root(&devnet, first + 1);
    // From before the block on the chain is what everybody sees.
    check_claim(&mut devnet, first - 1, first + 1);
    let verdict = devnet.rollup.decide(devnet.l1.record(), l1_head, first, first + 1, root);
    assert!(!verdict.unwrap().is_valid());
}

/// What is kept on disk goes on as if it had never stopped, also behind a block that took an invalid one's place:
/// there its own derivation must not read the span again.
#[test]
fn a_rollup_on_disk_goes_on_behind_an_invalid_block() {
    let folder = tempfile::tempdir().unwrap();
    let open = |seed| {
        let mut setup = Setup::at_fork(seed, Fork::Jovian);
        setup.transactions_per_block = 8;
        let mut config = setup.l1.clone();
        config.accounts.extend(Rollup::l1_accounts().unwrap());
        let disk = Disk::open(folder.path()).unwrap();
        let l1 = l1::Chain::open(config, disk.store().unwrap(), disk).unwrap();
        let origin = l1.ledger().block(0).unwrap().header.clone();
        let disk = Disk::open(&folder.path().join("l2")).unwrap();
        let rollup = Rollup::open(setup, &origin, BTreeMap::new(), disk).unwrap();
        Devnet { l1, rollup }
    };
    let mut devnet = open(2);
    let (sequenced, advance) = spoil(&mut devnet, true);
    let first = sequenced.number();
    assert!(advance.deposits_only == [first] && advance.removed > 0);
    let (head, latest) = (devnet.rollup.follower.head(), devnet.l2().latest().hash());
    drop(devnet);

    let mut devnet = open(3);
    assert_eq!(devnet.rollup.follower.head(), head);
    assert_eq!(devnet.l2().latest().hash(), latest);
    run_well(&mut devnet, 3);
    check_claim(&mut devnet, first - 1, first + 1);
}

#[test]
fn l2_follows_a_reorg_of_l1() {
    for fork in [Fork::Bedrock, Fork::Holocene] {
        let mut setup = Setup::at_fork(13, fork);
        setup.deposits_percent = 100;
        let mut devnet = Devnet::new(setup).unwrap();
        run_well(&mut devnet, 6);
        let (_, before) = devnet.rollup.follower.head();
        let advance = devnet.reorg(3).unwrap();
        let (l1, after) = devnet.rollup.follower.head();
        assert_eq!(l1.number, devnet.l1.latest().number());
        assert!(advance.removed > 0 && after.number < before.number);
        let chain = devnet.l2();
        let origin = chain.place(chain.latest()).unwrap().l1_origin;
        assert_eq!(devnet.l1.ledger().block(origin.number).unwrap().hash(), origin.hash);
        run_well(&mut devnet, 3);
        check_claim(&mut devnet, after.number, after.number + 4);
    }
}
