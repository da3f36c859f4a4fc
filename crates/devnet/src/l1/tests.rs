//! The chain against the rules of Ethereum, computed here in another way or fixed by the EIPs.

use super::*;
use crate::keys::{DEV_KEYS, Key};
use alloy_consensus::{
    SidecarBuilder, SimpleCoder, TxEip1559, TxEip4844, TxEip4844WithSidecar, TxEip7702,
    constants::EIP7702_TX_TYPE_ID,
};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS,
    eip4844::BlobTransactionSidecar, eip7594::BlobTransactionSidecarVariant,
    eip7702::Authorization,
};
use alloy_primitives::{Bytes, TxKind, address, keccak256};
use alloy_rlp::Encodable;
use alloy_trie::{HashBuilder, Nibbles};

const GWEI: u128 = 1_000_000_000;
const SOMEONE: Address = address!("00000000000000000000000000000000005009e0");

fn key(index: usize) -> Key {
    Key::new(DEV_KEYS[index]).unwrap()
}

fn config() -> Config {
    let accounts = (0..4).map(|index| (key(index).address(), funded(1_000))).collect();
    Config { accounts, ..Config::default() }
}

fn chain() -> Chain {
    Chain::new(config(), StateStore::new()).unwrap()
}

/// A transfer that pays `tip` gwei.
fn transfer(nonce: u64, tip: u128) -> TxEip1559 {
    TxEip1559 {
        chain_id: 900,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100 * GWEI + tip * GWEI,
        max_priority_fee_per_gas: tip * GWEI,
        to: TxKind::Call(SOMEONE),
        value: U256::from(1),
        ..TxEip1559::default()
    }
}

fn signed(index: usize, transaction: TxEip1559) -> Bytes {
    key(index).sign_encoded(transaction).unwrap()
}

fn pooled(index: usize, transaction: TxEip1559) -> Arc<Pooled> {
    Arc::new(Pooled::decode(&signed(index, transaction)).unwrap())
}

fn blob_transaction(
    nonce: u64,
    text: &[u8],
    tip: u128,
) -> TxEip4844WithSidecar<BlobTransactionSidecarVariant> {
    let mut builder = SidecarBuilder::<SimpleCoder>::new();
    builder.ingest(text);
    let sidecar: BlobTransactionSidecar = builder.build_4844().unwrap();
    let tx = TxEip4844 {
        chain_id: 900,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 100 * GWEI,
        max_priority_fee_per_gas: tip * GWEI,
        to: SOMEONE,
        blob_versioned_hashes: sidecar.versioned_hashes().collect(),
        max_fee_per_blob_gas: GWEI,
        ..TxEip4844::default()
    };
    TxEip4844WithSidecar { tx, sidecar: BlobTransactionSidecarVariant::Eip4844(sidecar) }
}

/// The root over a list, built leaf by leaf: keys are positions in RLP.
fn list_root(items: &[Vec<u8>]) -> B256 {
    let mut leaves = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        leaves.insert(Nibbles::unpack(alloy_rlp::encode(index)), item);
    }
    let mut builder = HashBuilder::default();
    for (key, item) in leaves {
        builder.add_leaf(key, item);
    }
    builder.root()
}

/// A block commits to its parent, its transactions, its receipts and its state.
#[test]
fn blocks_commit_to_what_is_in_them() {
    use alloy_eips::Encodable2718;
    let mut chain = chain();
    let genesis = chain.latest().hash();
    for nonce in 0..3 {
        chain.submit(&signed(0, transfer(nonce, 1))).unwrap();
    }
    chain.submit(&signed(1, transfer(0, 2))).unwrap();
    chain.withdraw(SOMEONE, 5);
    let block = chain.mine().unwrap();
    let header = block.header.inner();
    assert_eq!(header.parent_hash, genesis);
    assert_eq!(keccak256(alloy_rlp::encode(header)), block.hash());
    assert_eq!(header.timestamp, 1_700_000_002);
    // Who tips more comes first; the others in the order of their nonces.
    let order: Vec<_> = block
        .senders
        .iter()
        .zip(&block.transactions)
        .map(|(from, tx)| (*from, tx.nonce()))
        .collect();
    let [alice, bob] = [key(0).address(), key(1).address()];
    assert_eq!(order, [(bob, 0), (alice, 0), (alice, 1), (alice, 2)]);

    let transactions: Vec<_> = block.transactions.iter().map(|tx| tx.encoded_2718()).collect();
    assert_eq!(header.transactions_root, list_root(&transactions));
    let receipts: Vec<_> = block.receipts.iter().map(|receipt| receipt.encoded_2718()).collect();
    assert_eq!(header.receipts_root, list_root(&receipts));
    let mut withdrawal = Vec::new();
    let fields: [&dyn Encodable; 4] = [&0_u64, &0_u64, &SOMEONE, &5_u64];
    alloy_rlp::encode_list::<_, dyn Encodable>(&fields, &mut withdrawal);
    assert_eq!(header.withdrawals_root, Some(list_root(&[withdrawal])));

    assert_eq!(header.gas_used, 4 * 21_000);
    assert_eq!(block.gas_used(3), Some(21_000));
    let root = header.state_root;
    let has = |address| balance(chain.store(), root, address).unwrap();
    // Four transfers of one wei, and five gwei.
    assert_eq!(has(SOMEONE), U256::from(4 + 5 * GWEI));
    // All gas of this block costs the base fee of 0.875 gwei and the tip.
    let price = |tip: u128| U256::from(875_000_000 + tip * GWEI) * U256::from(21_000);
    assert_eq!(has(bob), funded(1_000).balance - price(2) - U256::from(1));
    assert_eq!(has(chain.config().fee_recipient), U256::from((2 + 3) * GWEI * 21_000));
}

/// EIP-1559 with the numbers of the EIP: at most an eighth up or down.
#[test]
fn the_base_fee_follows_the_gas_used() {
    let mut chain =
        Chain::new(Config { gas_limit: 84_000, ..config() }, StateStore::new()).unwrap();
    let base_fee = |block: &L1Block| block.header.base_fee_per_gas.unwrap();
    // Empty: down by an eighth.
    assert_eq!(base_fee(&chain.mine().unwrap()), 875_000_000);
    // At its target of half the limit: the next one is the same.
    let two = [pooled(0, transfer(0, 1)), pooled(0, transfer(1, 1))];
    assert_eq!(base_fee(&chain.mine_with(&two).unwrap()), 765_625_000);
    let four = [2, 3, 4, 5].map(|nonce| pooled(0, transfer(nonce, 1)));
    assert_eq!(base_fee(&chain.mine_with(&four).unwrap()), 765_625_000);
    // Full: up by an eighth.
    assert_eq!(base_fee(&chain.mine().unwrap()), 861_328_125);
}

#[test]
fn blobs_are_kept_and_paid_for() {
    let mut chain = chain();
    let key = key(0);
    let raw = key.sign_encoded(blob_transaction(0, b"frames", 1)).unwrap();
    let hash = chain.submit(&raw).unwrap();
    let block = chain.mine().unwrap();
    assert_eq!(block.transaction_hash(0), Some(hash));
    assert_eq!(block.header.blob_gas_used, Some(131_072));
    let kept = chain.blob_transactions(block.hash());
    let [kept] = kept else { panic!("one transaction with blobs") };
    let sidecar = kept.sidecar.as_ref().unwrap();
    let hashes: Vec<_> = sidecar.versioned_hashes().collect();
    assert_eq!(block.transactions[0].blob_versioned_hashes(), Some(hashes.as_slice()));
    // 1 wei for each blob gas, the least there is.
    let root = block.header.state_root;
    let paid = funded(1_000).balance - balance(chain.store(), root, key.address()).unwrap();
    assert_eq!(paid, U256::from(131_072 + 21_000 * (875_000_000 + GWEI)));
    assert!(chain.drop_blobs(block.hash()));
    assert!(chain.blob_transactions(block.hash()).is_empty());
    assert!(chain.pooled(hash).is_none(), "what has lost its blobs cannot be mined again");
}

/// EIP-4844 and EIP-7691: how the excess moves, and what is paid at a known excess.
#[test]
fn excess_blob_gas_by_fork() {
    let check = |fork: Fork, excess: u64, used: u64, expected: u64| {
        let params = fork.blob_params();
        let next = params.next_block_excess_blob_gas_osaka(excess, used, 1);
        assert_eq!(next, expected, "{fork:?}");
    };
    const BLOB: u64 = 131_072;
    check(Fork::Cancun, 0, 3 * BLOB, 0);
    check(Fork::Cancun, 0, 6 * BLOB, 3 * BLOB);
    check(Fork::Prague, 0, 6 * BLOB, 0);
    check(Fork::Prague, BLOB, 9 * BLOB, 4 * BLOB);
    assert_eq!(Fork::Cancun.blob_params().calc_blob_fee(3_338_477), 2);
    assert_eq!(Fork::Prague.blob_params().calc_blob_fee(5_007_716), 2);
}

#[test]
fn bad_blobs_are_refused() {
    let mut chain = chain();
    let check = |chain: &mut Chain,
                 sent: TxEip4844WithSidecar<BlobTransactionSidecarVariant>,
                 text: &str| {
        let raw = key(0).sign_encoded(sent).unwrap();
        let error = chain.submit(&raw).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    let mut other = blob_transaction(0, b"one", 1);
    other.tx.blob_versioned_hashes[0].0[31] ^= 1;
    check(&mut chain, other, "invalid blobs");
    let mut other = blob_transaction(0, b"one", 1);
    if let BlobTransactionSidecarVariant::Eip4844(sidecar) = &mut other.sidecar {
        sidecar.blobs[0].0[33] ^= 1;
    }
    check(&mut chain, other, "invalid blobs");
    let mut none = blob_transaction(0, b"", 1);
    none.tx.blob_versioned_hashes.clear();
    none.sidecar = BlobTransactionSidecarVariant::Eip4844(BlobTransactionSidecar::default());
    check(&mut chain, none, "no blobs");
    assert!(chain.pool().is_empty());
}

/// EIP-4788 and EIP-2935: the contracts give back what the header and the chain say.
#[test]
fn system_contracts_know_the_past() {
    let mut chain = chain();
    let first = chain.mine().unwrap();
    let second = chain.mine().unwrap();
    let ask = |to: Address, word: U256| {
        let input = Bytes::from(word.to_be_bytes_vec());
        let call = crate::call::Call { to: Some(to), input, ..Default::default() };
        chain.call(&second, &call).unwrap().output
    };
    let root = first.header.parent_beacon_block_root.unwrap();
    assert_eq!(ask(BEACON_ROOTS_ADDRESS, U256::from(first.header.timestamp)), Bytes::from(root));
    let slot = U256::from(0);
    let stored = chain.store().storage(second.header.state_root, HISTORY_STORAGE_ADDRESS, slot);
    assert_eq!(B256::from(stored.unwrap()), first.header.parent_hash);
    let stored =
        chain.store().storage(second.header.state_root, HISTORY_STORAGE_ADDRESS, U256::from(1));
    assert_eq!(B256::from(stored.unwrap()), first.hash());
}

#[test]
fn forks_activate_at_their_time() {
    let config =
        Config { prague_time: Some(1_700_000_004), osaka_time: Some(1_700_000_006), ..config() };
    let mut chain = Chain::new(config, StateStore::new()).unwrap();
    assert_eq!(chain.latest().header.requests_hash, None);
    assert_eq!(chain.mine().unwrap().header.requests_hash, None);
    // sha256 of nothing: no requests.
    let prague = chain.mine().unwrap();
    assert_eq!(prague.header.requests_hash, Some(EMPTY_REQUESTS_HASH));
    let raw = key(0).sign_encoded(blob_transaction(0, b"x", 1)).unwrap();
    let error = chain.submit(&raw).unwrap_err().to_string();
    assert!(error.contains("Osaka needs"), "{error}");
}

/// EIP-7702: an account gets the code of a contract.
#[test]
fn accounts_are_delegated() {
    let mut chain = chain();
    let authorization =
        Authorization { chain_id: U256::from(900), address: BEACON_ROOTS_ADDRESS, nonce: 0 };
    let signature = key(1).sign_hash(authorization.signature_hash()).unwrap();
    let signed = authorization.into_signed(signature);
    let tx = TxEip7702 {
        chain_id: 900,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        to: SOMEONE,
        authorization_list: vec![signed],
        ..TxEip7702::default()
    };
    chain.submit(&key(0).sign_encoded(tx).unwrap()).unwrap();
    let block = chain.mine().unwrap();
    assert_eq!(block.transactions[0].tx_type() as u8, EIP7702_TX_TYPE_ID);
    let code = chain.store().code(block.header.state_root, key(1).address()).unwrap();
    assert_eq!(code, [&[0xef, 0x01, 0x00], BEACON_ROOTS_ADDRESS.as_slice()].concat());
}

#[test]
fn a_reorg_replaces_blocks() {
    let mut chain = chain();
    chain.mine().unwrap();
    let hash = chain.submit(&signed(0, transfer(0, 1))).unwrap();
    let old = chain.mine().unwrap();
    chain.mine().unwrap();
    let other = pooled(1, transfer(0, 1));
    let new = chain.reorg(2, &[vec![other.clone()], vec![], vec![]], Removed::Wait).unwrap();
    assert_eq!(new.len(), 3);
    assert_eq!(chain.latest().number(), 4);
    assert_eq!(chain.latest().hash(), new[2].hash());
    assert_eq!(new[0].header.parent_hash, old.header.parent_hash);
    assert_eq!(new[0].header.timestamp, old.header.timestamp);
    // The old block is known, but not part of the chain; its transaction waits again.
    let ledger = chain.ledger();
    assert!(ledger.by_hash(old.hash()).is_some_and(|block| !ledger.is_canonical(block)));
    assert!(ledger.transaction(hash).is_none());
    assert!(chain.pool().get(hash).is_some());
    assert_eq!(ledger.transaction(other.hash()).unwrap().0.number(), 2);
    let block = chain.mine().unwrap();
    assert_eq!(block.transaction_hash(0), Some(hash));

    // Even the same blocks again are others.
    let again = chain.reorg(5, &[vec![]], Removed::Dropped).unwrap();
    assert_ne!(again[0].hash(), block.hash());
    assert!(chain.pool().is_empty());
}

#[test]
fn a_reorg_that_cannot_be_changes_nothing() {
    let mut chain = chain();
    for _ in 0..20 {
        chain.mine().unwrap();
    }
    let latest = chain.latest().hash();
    let mut check = |first: u64, blocks: &[Vec<Arc<Pooled>>], expected: &str| {
        let error = chain.reorg(first, blocks, Removed::Wait).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(chain.latest().hash(), latest);
    };
    check(0, &[], "block 0 cannot be replaced");
    check(21, &[], "the chain has blocks 1 to 20");
    check(4, &[], "block 4 is finalized");
    let gap = pooled(0, transfer(1, 1));
    check(10, &[vec![], vec![gap]], "of block 11: nonce 1 too high");
}

#[test]
fn time_moves_as_told() {
    let mut chain = chain();
    let mut times = vec![];
    times.push(chain.mine().unwrap().header.timestamp);
    chain.increase_time(100);
    times.push(chain.mine().unwrap().header.timestamp);
    chain.set_next_timestamp(1_700_001_000).unwrap();
    times.push(chain.mine().unwrap().header.timestamp);
    times.push(chain.mine().unwrap().header.timestamp);
    assert_eq!(times, [1_700_000_002, 1_700_000_104, 1_700_001_000, 1_700_001_002]);
    let error = chain.set_next_timestamp(1_700_001_002).unwrap_err();
    assert_eq!(error, TimeError { timestamp: 1_700_001_002, latest: 1_700_001_002 });
}

#[test]
fn snapshots_are_gone_back_to_once() {
    let mut chain = chain();
    let hash = chain.submit(&signed(0, transfer(0, 1))).unwrap();
    let id = chain.snapshot();
    let block = chain.mine().unwrap();
    assert!(chain.revert(id).unwrap());
    assert_eq!(chain.latest().number(), 0);
    assert!(chain.pool().get(hash).is_some());
    assert!(!chain.revert(id).unwrap());
    assert_ne!(chain.mine().unwrap().hash(), block.hash());
}

#[test]
fn impossible_chains() {
    let check = |config: Config, expected: &str| {
        let error = Chain::new(config, StateStore::new()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let times = |prague_time, osaka_time| Config { prague_time, osaka_time, ..config() };
    check(times(Some(5), Some(4)), "Osaka activates at 4");
    check(times(None, Some(4)), "Osaka activates at 4");
    check(Config { block_time: 0, ..config() }, "the block time is 0");
    check(Config { chain_id: 0, ..config() }, "the chain id is 0");
    check(Config { gas_limit: 4_999, ..config() }, "the gas limit is 4999");
    check(Config { base_fee: 0, ..config() }, "the base fee is 0");
    check(Config { safe_distance: 17, ..config() }, "cannot be 16 blocks behind");
}

/// What was on disk goes on where it was: blocks, blobs, states, and what is built on them.
#[test]
fn a_chain_on_disk_goes_on() {
    use crate::disk::Disk;
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let disk = Disk::open(directory.path()).unwrap();
        let store = disk.store().unwrap();
        Chain::open(config(), store, disk).unwrap()
    };
    let mut chain = open();
    let raw = key(0).sign_encoded(blob_transaction(0, b"kept", 1)).unwrap();
    chain.submit(&raw).unwrap();
    chain.withdraw(SOMEONE, 5);
    let with_blob = chain.mine().unwrap();
    chain.submit(&signed(1, transfer(0, 1))).unwrap();
    chain.mine().unwrap();
    chain.mine().unwrap();
    let new = chain.reorg(2, &[vec![], vec![pooled(1, transfer(0, 2))]], Removed::Dropped).unwrap();
    let latest = new[1].hash();
    // One file, one process.
    assert!(Disk::open(directory.path()).unwrap_err().to_string().contains("devnet.redb"));
    drop(chain);

    let mut chain = open();
    assert_eq!(chain.latest().hash(), latest);
    assert_eq!(chain.ledger().block(1).unwrap().encoded(), with_blob.encoded());
    assert_eq!(chain.ledger().block(1).unwrap().encoded_receipts(), with_blob.encoded_receipts());
    let kept = chain.blob_transactions(with_blob.hash());
    let hash = kept[0].transaction().blob_versioned_hashes().unwrap()[0];
    assert!(kept[0].blob(hash).is_some());
    assert_eq!(chain.nonce(key(1).address()).unwrap(), 1);
    chain.submit(&signed(1, transfer(1, 1))).unwrap();
    chain.withdraw(SOMEONE, 1);
    let block = chain.mine().unwrap();
    assert_eq!((block.number(), block.transactions.len()), (4, 1));
    assert_eq!(block.withdrawals.as_ref().unwrap()[0].index, 1);
    drop(chain);
    assert_eq!(open().latest().hash(), block.hash());

    let disk = Disk::open(directory.path()).unwrap();
    let store = disk.store().unwrap();
    let other = Config { base_fee: 7_000_000_000, ..config() };
    let error = Chain::open(other, store, disk).unwrap_err().to_string();
    assert!(error.contains("a chain with other parameters"), "{error}");
}

/// Attack 32: whatever byte is changed, wherever the file is cut, the chain is the same or the file is named.
#[test]
fn a_damaged_chain_on_disk_is_refused_or_the_same() {
    use crate::disk::{Disk, FILE};
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let disk = Disk::open(directory.path()).map_err(|error| error.to_string())?;
        let store = disk.store().map_err(|error| error.to_string())?;
        Chain::open(config(), store, disk).map_err(|error| error.to_string())
    };
    let mut chain = open().unwrap();
    let raw = key(0).sign_encoded(blob_transaction(0, b"kept", 1)).unwrap();
    chain.submit(&raw).unwrap();
    let mut hashes = vec![chain.latest().hash()];
    hashes.extend((0..5).map(|_| chain.mine().unwrap().hash()));
    drop(chain);
    let path = directory.path().join(FILE);
    let good = std::fs::read(&path).unwrap();
    let mut refused = 0;
    let mut check = |content: &[u8], what: String| {
        std::fs::write(&path, content).unwrap();
        match open() {
            Err(why) => {
                assert!(why.contains(FILE) || why.contains("on disk"), "{what}: {why}");
                refused += 1;
            }
            Ok(chain) => {
                for (number, hash) in (0..=chain.latest().number()).zip(&hashes) {
                    assert_eq!(chain.ledger().block(number).unwrap().hash(), *hash, "{what}");
                }
            }
        }
    };
    // The pages that are in use lie anywhere in the file; every hundredth part of those with content is hit.
    let used: Vec<usize> = (0..good.len()).filter(|at| good[*at] != 0).collect();
    for position in used.iter().step_by(used.len() / 100) {
        let mut damaged = good.clone();
        damaged[*position] ^= 0xff;
        check(&damaged, format!("byte {position}"));
    }
    for length in [1, 100, good.len() / 2, good.len() - 1] {
        check(&good[..length], format!("{length} bytes"));
    }
    assert!(refused > 10, "{refused} refused");
}

/// As beacon nodes do: after 4096 epochs, and not before.
#[test]
fn blobs_are_dropped_after_their_window() {
    let mut chain = chain();
    let raw = key(0).sign_encoded(blob_transaction(0, b"old", 1)).unwrap();
    chain.submit(&raw).unwrap();
    let old = chain.mine().unwrap();
    chain.set_next_timestamp(old.header.timestamp + 18 * 24 * 3600).unwrap();
    let raw = key(0).sign_encoded(blob_transaction(1, b"new", 1)).unwrap();
    chain.submit(&raw).unwrap();
    let new = chain.mine().unwrap();
    let count = |chain: &Chain, block: &L1Block| chain.blob_transactions(block.hash()).len();
    assert_eq!((count(&chain, &old), count(&chain, &new)), (1, 1));
    chain.set_next_timestamp(old.header.timestamp + 4096 * 32 * 12 + 1).unwrap();
    chain.mine().unwrap();
    assert_eq!((count(&chain, &old), count(&chain, &new)), (0, 1));
}
